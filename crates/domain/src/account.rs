//! Customers.

use tandem_kernel::{AccountId, Country, Currency, Timestamp};

/// Whether an account may work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccountStatus {
    /// It may.
    Active,
    /// The operator stopped it: its keys authenticate and are then refused.
    Suspended,
    /// It is over: its keys are unknown.
    Closed,
}

impl AccountStatus {
    /// All of them, for messages.
    pub const CHOICES: &'static str = "active, suspended, closed";

    /// The word that stores and pages use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Closed => "closed",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Suspended, Self::Closed].into_iter().find(|status| status.as_str() == text)
    }
}

/// A customer of the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its name.
    pub name: String,
    /// Where its owner reads.
    pub email: String,
    /// The currency of both its wallets.
    pub currency: Currency,
    /// Whether it may work.
    pub status: AccountStatus,
    /// Whether its owner's identity was checked: needed for porting.
    pub verified: bool,
    /// Whether it may send text messages.
    pub sms_enabled: bool,
    /// Whether it may send picture messages.
    pub mms_enabled: bool,
    /// The countries that its messages may go to; none for all.
    pub message_countries: Vec<Country>,
    /// When it was opened.
    pub created_at: Timestamp,
}
