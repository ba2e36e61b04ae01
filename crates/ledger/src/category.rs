//! What money is spent on.

use tandem_kernel::{NumberId, OrderId, PortId, RequestId};

use crate::{Transfer, TransferKind};

/// What money is spent on, as usage and invoices group it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Category {
    /// Buying and renewing numbers.
    Numbers,
    /// Porting numbers in.
    Ports,
    /// Sending messages.
    Messages,
    /// Calls.
    Calls,
    /// API requests.
    Requests,
    /// Anything else.
    Other,
}

/// What a transfer adds to the spending on its category.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spent {
    /// On what.
    pub category: Category,
    /// How many charges: one, or none for what takes a charge back.
    pub count: i64,
    /// Millionths; below zero for a refund.
    pub amount: i64,
}

/// The beginnings of references, and what money that moves for such an object is spent on.
const REFERENCES: [(&str, Category); 6] = [
    (NumberId::PREFIX, Category::Numbers),
    (OrderId::PREFIX, Category::Numbers),
    (PortId::PREFIX, Category::Ports),
    ("msg_", Category::Messages),
    ("call_", Category::Calls),
    (RequestId::PREFIX, Category::Requests),
];

impl Category {
    /// All categories, in the order in which they are shown.
    pub const ALL: [Self; 6] = [Self::Numbers, Self::Ports, Self::Messages, Self::Calls, Self::Requests, Self::Other];

    /// The word that stores and pages use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Numbers => "numbers",
            Self::Ports => "ports",
            Self::Messages => "messages",
            Self::Calls => "calls",
            Self::Requests => "requests",
            Self::Other => "other",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.as_str() == text)
    }

    /// The category of a transfer that names this object.
    #[must_use]
    pub fn of(reference: &str) -> Self {
        let found = REFERENCES.into_iter().find(|(prefix, _)| reference.starts_with(prefix));
        found.map_or(Self::Other, |(_, category)| category)
    }
}

impl Transfer {
    /// What this transfer adds to what its wallet has spent; nothing where money only comes in or is set aside.
    #[must_use]
    pub fn spent(&self) -> Option<Spent> {
        let (count, amount) = match self.kind {
            TransferKind::Charge | TransferKind::Capture => (1, self.amount),
            TransferKind::Refund => (0, self.amount.saturating_neg()),
            TransferKind::Credit | TransferKind::Withdrawal | TransferKind::Hold | TransferKind::Release => return None,
        };
        Some(Spent { category: Category::of(&self.reference), count, amount })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_tell_what_money_is_spent_on() {
        for (reference, category) in [
            ("num_01", Category::Numbers),
            ("ord_01", Category::Numbers),
            ("port_01", Category::Ports),
            ("msg_01", Category::Messages),
            ("call_01", Category::Calls),
            ("req_01", Category::Requests),
            ("a bank's reference", Category::Other),
            ("", Category::Other),
        ] {
            assert_eq!(Category::of(reference), category, "{reference}");
        }
        assert!(Category::ALL.iter().all(|category| Category::parse(category.as_str()) == Some(*category)));
    }
}
