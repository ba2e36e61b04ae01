//! A wallet and the transfers that made it.

use tandem_catalogue::{Error, Result};
use tandem_kernel::{Currency, EnvironmentId, Money, Timestamp, TransferId};

use crate::{
    chain,
    posting::{Cause, OpenHold, Posting},
};

/// The most that a wallet keeps, spendable and set aside together, in millionths: a thousand million units. It leaves every sum far from
/// overflow.
pub const MOST: i64 = 1_000_000_000_000_000;

/// One side of a transfer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Book {
    /// What the wallet's owner can spend.
    Available,
    /// What is set aside for work that has begun.
    Held,
    /// What the platform has earned.
    Revenue,
    /// Where money comes in and is paid back.
    Funding,
}

impl Book {
    /// The word that stores and pages use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Held => "held",
            Self::Revenue => "revenue",
            Self::Funding => "funding",
        }
    }
}

/// What a transfer does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TransferKind {
    /// Money comes in.
    Credit,
    /// Money is paid back out.
    Withdrawal,
    /// Money is earned at once.
    Charge,
    /// Money is set aside.
    Hold,
    /// Money set aside is earned.
    Capture,
    /// Money set aside goes back.
    Release,
    /// Earned money goes back.
    Refund,
}

impl TransferKind {
    /// All kinds.
    pub const ALL: [Self; 7] =
        [Self::Credit, Self::Withdrawal, Self::Charge, Self::Hold, Self::Capture, Self::Release, Self::Refund];

    /// The word that stores and pages use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credit => "credit",
            Self::Withdrawal => "withdrawal",
            Self::Charge => "charge",
            Self::Hold => "hold",
            Self::Capture => "capture",
            Self::Release => "release",
            Self::Refund => "refund",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// The books that money leaves and enters.
    #[must_use]
    pub const fn books(self) -> (Book, Book) {
        match self {
            Self::Credit => (Book::Funding, Book::Available),
            Self::Withdrawal => (Book::Available, Book::Funding),
            Self::Charge => (Book::Available, Book::Revenue),
            Self::Hold => (Book::Available, Book::Held),
            Self::Capture => (Book::Held, Book::Revenue),
            Self::Release => (Book::Held, Book::Available),
            Self::Refund => (Book::Revenue, Book::Available),
        }
    }
}

/// One movement of money, for ever.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transfer {
    /// Determined by the cause, so that a replay finds it.
    pub id: TransferId,
    /// Whose wallet.
    pub wallet: EnvironmentId,
    /// The wallet's first transfer is 1.
    pub sequence: i64,
    /// What it does.
    pub kind: TransferKind,
    /// Millionths, more than zero.
    pub amount: i64,
    /// The hold that a capture or release draws on.
    pub hold: Option<TransferId>,
    /// When a hold lapses.
    pub deadline: Option<Timestamp>,
    /// The object for whose sake money moves, as pages name it.
    pub reference: String,
    /// For the owner to read.
    pub description: String,
    /// When, by the environment's clock.
    pub at: Timestamp,
    /// Millionths that can be spent afterwards.
    pub available_after: i64,
    /// Millionths set aside afterwards.
    pub held_after: i64,
    /// The hash of the transfer before it.
    pub previous: [u8; 32],
    /// The hash of this one.
    pub hash: [u8; 32],
}

/// The present state of a prepaid wallet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wallet {
    /// The environment that it belongs to.
    pub id: EnvironmentId,
    /// What its units are.
    pub currency: Currency,
    /// Millionths that can be spent.
    pub available: i64,
    /// Millionths set aside.
    pub held: i64,
    /// How many transfers there are.
    pub sequence: i64,
    /// The hash of the last one.
    pub head: [u8; 32],
}

impl Wallet {
    /// A wallet in which nothing has moved yet.
    #[must_use]
    pub const fn empty(id: EnvironmentId, currency: Currency) -> Self {
        Self { id, currency, available: 0, held: 0, sequence: 0, head: chain::GENESIS }
    }

    /// Decides a posting: the transfer to append and the wallet after it.
    ///
    /// `hold` is the present state of the hold that a capture or release names.
    ///
    /// # Errors
    /// `insufficient_funds` where the balance does not cover it, `balance_overflow` beyond [`MOST`], `invalid_transition` for
    /// a hold that is settled or too small.
    pub fn post(&self, posting: Posting, hold: Option<OpenHold>, cause: Cause, at: Timestamp) -> Result<(Self, Transfer)> {
        let kind = posting.kind();
        let amount = posting.amount();
        self.check(posting, hold, &cause)?;
        let (from, to) = kind.books();
        let mut after = *self;
        after.shift(from, amount.checked_neg())?;
        after.shift(to, Some(amount))?;
        after.sequence = self.sequence.checked_add(1).ok_or_else(Error::internal)?;
        let mut transfer = Transfer {
            id: cause.id,
            wallet: self.id,
            sequence: after.sequence,
            kind,
            amount,
            hold: posting.hold(),
            deadline: posting.deadline(),
            reference: cause.reference,
            description: cause.description,
            at,
            available_after: after.available,
            held_after: after.held,
            previous: self.head,
            hash: [0; 32],
        };
        transfer.hash = chain::hash(&transfer);
        after.head = transfer.hash;
        Ok((after, transfer))
    }

    /// What can be spent.
    #[must_use]
    pub const fn available(&self) -> Money {
        Money::new(self.available, self.currency)
    }

    fn check(&self, posting: Posting, hold: Option<OpenHold>, cause: &Cause) -> Result<()> {
        let amount = posting.amount();
        if !(1..=MOST).contains(&amount) {
            return Err(Error::out_of_range("amount", 1, MOST));
        }
        let (from, to) = posting.kind().books();
        let comes_in = !matches!(from, Book::Available | Book::Held) && to == Book::Available;
        // What is set aside counts too: it may come back, and that is never refused.
        if comes_in && self.available.saturating_add(self.held).saturating_add(amount) > MOST {
            return Err(Error::balance_overflow("amount", Money::new(MOST, self.currency)));
        }
        if from == Book::Available && amount > self.available {
            return Err(Error::insufficient_funds(cause.purpose.clone(), Money::new(amount, self.currency), self.available()));
        }
        if posting.hold().is_some() {
            let open = hold.filter(|hold| hold.remaining >= amount);
            open.ok_or_else(|| Error::invalid_transition("hold", "settled", "settled again"))?;
        }
        Ok(())
    }

    fn shift(&mut self, book: Book, by: Option<i64>) -> Result<()> {
        let balance = match book {
            Book::Available => &mut self.available,
            Book::Held => &mut self.held,
            Book::Revenue | Book::Funding => return Ok(()),
        };
        let moved = by.and_then(|by| balance.checked_add(by)).filter(|moved| *moved >= 0);
        *balance = moved.ok_or_else(|| Error::internal().because("a wallet's balance left its bounds"))?;
        Ok(())
    }
}
