//! A number's move from another carrier to us.

use tandem_catalogue::{Error, Result};
use tandem_kernel::{EnvironmentId, Money, NumberId, PhoneNumber, PortId, Timestamp, TransferId};

/// Days after which a losing carrier that says nothing counts as refusing.
pub const SILENCE_DAYS: i64 = 30;
/// Days that a port takes, as far as we can promise.
pub const ESTIMATE_DAYS: i64 = 5;

/// Where a port is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PortState {
    /// Asked for.
    Pending,
    /// With the losing carrier.
    Submitted,
    /// The losing carrier named a date (FOC).
    Scheduled {
        /// The date.
        at: Timestamp,
    },
    /// The number is here.
    Completed {
        /// Since when.
        at: Timestamp,
    },
    /// The losing carrier refused.
    Rejected {
        /// Why.
        reason: String,
    },
    /// Its owner called it off.
    Canceled,
}

impl PortState {
    /// All of them, for messages.
    pub const CHOICES: &'static str = "pending, submitted, scheduled, completed, rejected, canceled";

    /// The word that stores and pages use.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Submitted => "submitted",
            Self::Scheduled { .. } => "scheduled",
            Self::Completed { .. } => "completed",
            Self::Rejected { .. } => "rejected",
            Self::Canceled => "canceled",
        }
    }

    /// What the page calls `carrier_status`.
    #[must_use]
    pub const fn carrier_status(&self) -> &'static str {
        match self {
            Self::Pending => "pending_transfer",
            Self::Submitted => "submitted_to_carrier",
            Self::Scheduled { .. } => "foc_received",
            Self::Completed { .. } => "transferred",
            Self::Rejected { .. } => "rejected_by_carrier",
            Self::Canceled => "canceled",
        }
    }

    /// Whether nothing will change any more.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Completed { .. } | Self::Rejected { .. } | Self::Canceled)
    }
}

/// Where the end user lives, as the losing carrier knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    /// House number and street.
    pub street: String,
    /// City.
    pub city: String,
    /// State or province.
    pub state: String,
    /// Postal code.
    pub postal_code: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
}

/// What the losing carrier needs to let a number go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PortDetails {
    /// The number to port.
    pub phone: PhoneNumber,
    /// The account at the losing carrier.
    pub account_number: String,
    /// Its PIN.
    pub account_pin: Option<String>,
    /// The losing carrier.
    pub carrier_name: Option<String>,
    /// The number on its bill.
    pub billing_phone: PhoneNumber,
    /// The name on its bill.
    pub end_user_name: String,
    /// The address on its bill.
    pub end_user_address: Address,
}

/// A port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Port {
    /// Its id.
    pub id: PortId,
    /// Whose it is.
    pub environment: EnvironmentId,
    /// The number of the account that it becomes.
    pub number: NumberId,
    /// Which of our carriers takes the number over.
    pub carrier: String,
    /// What was asked for.
    pub details: PortDetails,
    /// Where it is.
    pub state: PortState,
    /// What it costs when completed.
    pub fee: Money,
    /// The hold of that fee.
    pub hold: Option<TransferId>,
    /// When it will probably be done.
    pub estimated_completion: Timestamp,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its state last changed.
    pub updated_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}

impl Port {
    /// The losing carrier has it.
    ///
    /// # Errors
    /// `invalid_transition` unless it is pending. So for the transitions below, each from the states that allow it.
    pub fn submitted(self, now: Timestamp) -> Result<Self> {
        let allowed = self.state == PortState::Pending;
        self.moved(allowed, PortState::Submitted, "submitted", now)
    }

    /// The losing carrier named a date.
    #[expect(clippy::missing_errors_doc, reason = "as `submitted`")]
    pub fn scheduled(self, at: Timestamp, now: Timestamp) -> Result<Self> {
        let allowed = matches!(self.state, PortState::Submitted | PortState::Scheduled { .. });
        let mut port = self.moved(allowed, PortState::Scheduled { at }, "scheduled", now)?;
        port.estimated_completion = at;
        Ok(port)
    }

    /// The number is here.
    #[expect(clippy::missing_errors_doc, reason = "as `submitted`")]
    pub fn completed(self, now: Timestamp) -> Result<Self> {
        let allowed = matches!(self.state, PortState::Scheduled { .. });
        self.moved(allowed, PortState::Completed { at: now }, "completed", now)
    }

    /// The losing carrier refused.
    #[expect(clippy::missing_errors_doc, reason = "as `submitted`")]
    pub fn rejected(self, reason: String, now: Timestamp) -> Result<Self> {
        let allowed = !self.state.is_final();
        self.moved(allowed, PortState::Rejected { reason }, "rejected", now)
    }

    /// Its owner called it off.
    #[expect(clippy::missing_errors_doc, reason = "as `submitted`")]
    pub fn canceled(self, now: Timestamp) -> Result<Self> {
        let allowed = !self.state.is_final();
        self.moved(allowed, PortState::Canceled, "canceled", now)
    }

    fn moved(mut self, allowed: bool, to: PortState, action: &'static str, now: Timestamp) -> Result<Self> {
        if !allowed {
            return Err(Error::invalid_transition("port", self.state.as_str(), action));
        }
        self.state = to;
        self.updated_at = now;
        self.version += 1;
        Ok(self)
    }
}
