//! Limits that an account sets on its own spending.

use tandem_catalogue::{Error, Result};
use tandem_kernel::{LimitId, Money, Timestamp};

/// What happens when a limit is reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LimitAction {
    /// Its owner is told.
    Alert,
    /// What would exceed it is refused.
    Block,
}

impl LimitAction {
    /// Both, for messages.
    pub const CHOICES: &'static str = "alert, block";

    /// The word that stores and pages use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Block => "block",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Alert, Self::Block].into_iter().find(|action| action.as_str() == text)
    }
}

/// A limit on a calendar month's spending.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SpendingLimit {
    /// Its id.
    pub id: LimitId,
    /// The most that a month may cost.
    pub amount: Money,
    /// What happens then.
    pub action: LimitAction,
    /// Percentages at which its owner is told.
    pub notifications: Vec<i64>,
    /// When it was set.
    pub created_at: Timestamp,
}

impl SpendingLimit {
    /// Whether `spent` this month and `more` stay within the limit.
    ///
    /// # Errors
    /// `spending_limit_reached` where the limit blocks.
    pub fn check(&self, spent: i64, more: i64) -> Result<()> {
        let within = spent.checked_add(more).is_some_and(|sum| sum <= self.amount.micros);
        if within || self.action == LimitAction::Alert {
            return Ok(());
        }
        let left = Money::new((self.amount.micros - spent).max(0), self.amount.currency);
        Err(Error::spending_limit_reached(self.amount, Money::new(more, self.amount.currency), left))
    }

    /// The highest threshold that `spent` has reached.
    #[must_use]
    pub fn reached(&self, spent: i64) -> Option<i64> {
        let threshold = |at: i64| i128::from(self.amount.micros) * i128::from(at);
        self.notifications.iter().copied().filter(|at| i128::from(spent) * 100 >= threshold(*at)).max()
    }
}
