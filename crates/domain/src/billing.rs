//! What owners are shown of their money: transactions, invoices, periods.

use tandem_kernel::{EnvironmentId, InvoiceId, Money, Timestamp, TransferId};
use tandem_ledger::{Category, TransferKind};

/// A word for each of an enum's values, for stores, pages and messages.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $choices:literal: $($(#[$value_doc:meta])* $value:ident = $word:literal,)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum $name { $($(#[$value_doc])* $value,)* }

        impl $name {
            /// All values.
            pub const ALL: &'static [Self] = &[$(Self::$value,)*];
            /// All of them, for messages.
            pub const CHOICES: &'static str = $choices;

            /// The word that pages use.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$value => $word,)* }
            }

            /// Reads the word.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text)
            }
        }
    };
}

words! {
    /// What a transaction is to the wallet's owner.
    TransactionType, "charge, payment, credit, refund, adjustment, fee":
    /// Money paid for something, at once or by way of a hold.
    Charge = "charge",
    /// Money that the platform itself collected. Nothing here collects any, so there is none.
    Payment = "payment",
    /// Money that the operator put in.
    Credit = "credit",
    /// A charge that was given back.
    Refund = "refund",
    /// Money that the operator took out.
    Adjustment = "adjustment",
    /// Money paid for having an account. Nothing here asks for any, so there is none.
    Fee = "fee",
}

words! {
    /// Where a transaction is.
    TransactionStatus, "pending, completed, failed, cancelled, reversed":
    /// Set aside; it will be completed or cancelled.
    Pending = "pending",
    /// Done.
    Completed = "completed",
    /// Refused. A movement that is refused leaves nothing in the ledger, so there is none.
    Failed = "failed",
    /// Set aside and given back.
    Cancelled = "cancelled",
    /// Undone. A charge is given back by a refund of its own and stays as it was, so there is none.
    Reversed = "reversed",
}

words! {
    /// Where an invoice is.
    InvoiceStatus, "draft, issued, paid, overdue":
    /// Its month is not over.
    Draft = "draft",
    /// Written and not paid. Wallets are prepaid, so there is none.
    Issued = "issued",
    /// Written; its charges were paid from the wallet when they were made.
    Paid = "paid",
    /// Not paid in time. Wallets are prepaid, so there is none.
    Overdue = "overdue",
}

words! {
    /// The steps by which a period is counted.
    Granularity, "day, week, month":
    /// Days.
    Day = "day",
    /// Weeks, from Monday.
    Week = "week",
    /// Calendar months.
    Month = "month",
}

impl TransactionType {
    /// The kinds of transfer that are shown as this type. Captures and releases are not shown: they are what becomes of a hold.
    #[must_use]
    pub const fn kinds(self) -> &'static [TransferKind] {
        match self {
            Self::Charge => &[TransferKind::Charge, TransferKind::Hold],
            Self::Credit => &[TransferKind::Credit],
            Self::Refund => &[TransferKind::Refund],
            Self::Adjustment => &[TransferKind::Withdrawal],
            Self::Payment | Self::Fee => &[],
        }
    }

    /// How a transfer is shown; not at all where it only tells what became of a hold.
    #[must_use]
    pub const fn of(kind: TransferKind) -> Option<Self> {
        match kind {
            TransferKind::Charge | TransferKind::Hold => Some(Self::Charge),
            TransferKind::Credit => Some(Self::Credit),
            TransferKind::Refund => Some(Self::Refund),
            TransferKind::Withdrawal => Some(Self::Adjustment),
            TransferKind::Capture | TransferKind::Release => None,
        }
    }
}

/// A movement of money as its owner is shown it. A hold and what became of it are one transaction, under the hold's id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transaction {
    /// Its id.
    pub id: TransferId,
    /// What it is.
    pub kind: TransactionType,
    /// Where it is.
    pub status: TransactionStatus,
    /// How much: of a hold, what was captured once it is completed. Below zero only for an adjustment, which takes money out.
    pub amount: Money,
    /// The object for whose sake money moved, or the payment's own reference.
    pub reference: String,
    /// For the owner to read.
    pub description: String,
    /// When it was made: for a hold, when the money was set aside.
    pub created_at: Timestamp,
}

/// What was spent on one category.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// On what.
    pub category: Category,
    /// How many charges.
    pub count: i64,
    /// Millionths: charges less refunds.
    pub amount: i64,
}

/// A calendar month's charges of an environment, by the environment's clock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invoice {
    /// Its id, determined by environment and month: a draft has it already.
    pub id: InvoiceId,
    /// Whose it is.
    pub environment: EnvironmentId,
    /// Midnight at the start of its month.
    pub period_start: Timestamp,
    /// Midnight at the end of its month, which no longer belongs to it.
    pub period_end: Timestamp,
    /// What was paid for.
    pub lines: Vec<Line>,
    /// The sum of the lines.
    pub amount: Money,
    /// How many transfers the wallet had when it was written: later ones are on later invoices.
    pub sequence: i64,
    /// When it was written, and so paid; none for a draft.
    pub issued_at: Option<Timestamp>,
}

impl Invoice {
    /// Where it is.
    #[must_use]
    pub const fn status(&self) -> InvoiceStatus {
        if self.issued_at.is_some() { InvoiceStatus::Paid } else { InvoiceStatus::Draft }
    }

    /// The number by which people name it: the month, and letters of its id that tell it from other accounts' invoices.
    #[must_use]
    pub fn number(&self) -> String {
        let (month, id) = (self.period_start.date(), self.id.to_string());
        let month: String = month.chars().filter(char::is_ascii_digit).take("YYYYMM".len()).collect();
        let letters: String = id.chars().skip(InvoiceId::PREFIX.len()).take(8).collect();
        format!("INV-{month}-{}", letters.to_ascii_uppercase())
    }

    /// When it was written, or will be.
    #[must_use]
    pub fn issue_date(&self) -> Timestamp {
        self.issued_at.unwrap_or(self.period_end)
    }
}

impl Granularity {
    /// The start of the step in which `at` lies.
    #[must_use]
    pub fn start_of(self, at: Timestamp) -> Timestamp {
        let day = at.start_of_day();
        match self {
            Self::Day => day,
            Self::Week => {
                let since_monday = (day.seconds() / 86_400 + 3) % 7; // day 0 was a Thursday
                day.plus_days(-since_monday)
            }
            Self::Month => day.start_of_month(),
        }
    }

    /// The start of the step after the one in which `at` lies.
    #[must_use]
    pub fn next(self, at: Timestamp) -> Timestamp {
        let start = self.start_of(at);
        match self {
            Self::Day => start.plus_days(1),
            Self::Week => start.plus_days(7),
            Self::Month => start.plus_months(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use tandem_kernel::Currency;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a valid instant")
    }

    #[test]
    fn the_choices_are_the_words() {
        fn joined<T: Copy>(all: &[T], word: impl Fn(T) -> &'static str) -> String {
            all.iter().map(|value| word(*value)).collect::<Vec<_>>().join(", ")
        }
        assert_eq!(joined(TransactionType::ALL, TransactionType::as_str), TransactionType::CHOICES);
        assert_eq!(joined(TransactionStatus::ALL, TransactionStatus::as_str), TransactionStatus::CHOICES);
        assert_eq!(joined(InvoiceStatus::ALL, InvoiceStatus::as_str), InvoiceStatus::CHOICES);
        assert_eq!(joined(Granularity::ALL, Granularity::as_str), Granularity::CHOICES);
    }

    #[test]
    fn each_kind_of_transfer_is_shown_as_one_type_or_not_at_all() {
        for kind in TransferKind::ALL {
            let showing: Vec<_> = TransactionType::ALL.iter().copied().filter(|shown| shown.kinds().contains(&kind)).collect();
            assert_eq!(showing, TransactionType::of(kind).into_iter().collect::<Vec<_>>(), "{kind:?}");
        }
    }

    #[test]
    fn steps_begin_where_calendars_say() {
        let now = at("2024-02-29T15:30:00Z"); // a Thursday
        for (step, start, next) in [
            (Granularity::Day, "2024-02-29", "2024-03-01"),
            (Granularity::Week, "2024-02-26", "2024-03-04"),
            (Granularity::Month, "2024-02-01", "2024-03-01"),
        ] {
            assert_eq!((step.start_of(now), step.next(now)), (at(start), at(next)), "{step:?}");
        }
        assert_eq!(Granularity::Week.start_of(at("2024-03-04")), at("2024-03-04"));
        assert_eq!(Granularity::Week.start_of(at("2024-03-03T23:59:59Z")), at("2024-02-26"));
    }

    #[test]
    fn an_invoice_has_a_number_that_people_can_read() {
        let invoice = Invoice {
            id: InvoiceId::from_bytes([0xA5; 16]),
            environment: EnvironmentId::from_bytes([1; 16]),
            period_start: at("2024-02-01"),
            period_end: at("2024-03-01"),
            lines: Vec::new(),
            amount: Money::new(0, Currency::USD),
            sequence: 0,
            issued_at: None,
        };
        assert_eq!(invoice.number(), "INV-202402-55MPJTB9");
        assert_eq!((invoice.status(), invoice.issue_date()), (InvoiceStatus::Draft, at("2024-03-01")));
    }
}
