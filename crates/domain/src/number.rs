//! A number in an account's possession (DID): its life from purchase to release.

use tandem_catalogue::{Error, Result};
use tandem_kernel::{AddressId, EnvironmentId, Money, NumberId, PhoneNumber, PortId, PropertyId, Timestamp};

use crate::{Features, NumberType, address::Requirement, config::NumberConfig};

/// Days that an unpaid number stays suspended before it is released.
pub const GRACE_DAYS: i64 = 15;
/// Days that a released number rests before it is sold again.
pub const QUARANTINE_DAYS: i64 = 30;

/// Where a number is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NumberState {
    /// In use.
    Active,
    /// A renewal was not paid; it is released when the grace period ends.
    Suspended {
        /// The end of the grace period.
        grace_until: Timestamp,
    },
    /// On its way here.
    Porting {
        /// The port that brings it.
        port: PortId,
    },
    /// On its way to another carrier.
    PortingOut,
    /// Given back.
    Released {
        /// When.
        at: Timestamp,
    },
}

impl NumberState {
    /// The states that callers may ask for, for messages.
    pub const CHOICES: &'static str = "active, suspended, porting, porting_out";

    /// The word that stores and pages use.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended { .. } => "suspended",
            Self::Porting { .. } => "porting",
            Self::PortingOut => "porting_out",
            Self::Released { .. } => "released",
        }
    }
}

/// A number that an account has or had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// Its id.
    pub id: NumberId,
    /// Whose it is.
    pub environment: EnvironmentId,
    /// The property that it belongs to.
    pub property: PropertyId,
    /// The telephone number.
    pub phone: PhoneNumber,
    /// Which address its country wants.
    pub requirement: Requirement,
    /// The address that it is registered with.
    pub address: Option<AddressId>,
    /// Where it is in its life.
    pub state: NumberState,
    /// Its owner's name for it.
    pub friendly_name: Option<String>,
    /// Who carries it.
    pub carrier: String,
    /// What it can do.
    pub features: Features,
    /// What a month costs.
    pub monthly: Money,
    /// What getting it cost.
    pub setup: Money,
    /// What happens when it is called or written to.
    pub config: NumberConfig,
    /// When it was bought or ported: the anchor of its months.
    pub purchased_at: Timestamp,
    /// Months that were paid for; the first begins at `purchased_at`.
    pub periods_paid: i32,
    /// Grows with each change: two changes from one reading do not both succeed.
    pub version: i64,
}

impl Number {
    /// The place in which it still needs an address: until there is one it is pending. None where it has one or needs none.
    #[must_use]
    pub fn wants(&self) -> Option<String> {
        let open = self.address.is_none() && !matches!(self.state, NumberState::Released { .. });
        if open { self.requirement.place(self.phone) } else { None }
    }

    /// Its type and its features in one number, by which lists are kept.
    #[must_use]
    pub fn sort(&self) -> i64 {
        Self::sort_of(NumberType::of(self.phone), self.features)
    }

    /// The number that stands for a type with features.
    #[must_use]
    pub const fn sort_of(kind: NumberType, features: Features) -> i64 {
        (kind.code() as i64) << 4 | features.bits() as i64
    }

    /// When the next month begins and is charged.
    #[must_use]
    pub fn next_charge(&self) -> Timestamp {
        self.purchased_at.plus_months(self.periods_paid)
    }

    /// The end of the present year of service.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        let years = (self.periods_paid.max(1) - 1) / 12 + 1;
        self.purchased_at.plus_months(years * 12)
    }

    /// Whether its owner may change or release it.
    ///
    /// # Errors
    /// `number_porting` while it moves between carriers, `number_not_found` once it is released.
    pub fn check_modifiable(&self) -> Result<()> {
        match self.state {
            NumberState::Active | NumberState::Suspended { .. } => Ok(()),
            NumberState::Porting { .. } | NumberState::PortingOut => Err(Error::number_porting(self.phone.to_string())),
            NumberState::Released { .. } => Err(Error::number_not_found(self.id.to_string())),
        }
    }

    /// The next month was paid.
    #[must_use]
    pub fn renewed(mut self) -> Self {
        self.periods_paid += 1;
        self.state = NumberState::Active;
        self.version += 1;
        self
    }

    /// The next month could not be paid: the grace period begins, or goes on.
    #[must_use]
    pub fn unpaid(mut self) -> Self {
        if self.state == NumberState::Active {
            self.state = NumberState::Suspended { grace_until: self.next_charge().plus_days(GRACE_DAYS) };
            self.version += 1;
        }
        self
    }

    /// Given back at `at`.
    #[must_use]
    pub fn released(mut self, at: Timestamp) -> Self {
        self.state = NumberState::Released { at };
        self.version += 1;
        self
    }

    /// The port that brought it is completed: service begins at `at`.
    ///
    /// # Errors
    /// `invalid_transition` for a number that is not being ported.
    pub fn arrived(mut self, at: Timestamp) -> Result<Self> {
        let NumberState::Porting { .. } = self.state else { return Err(self.cannot("completed")) };
        self.state = NumberState::Active;
        self.purchased_at = at;
        self.version += 1;
        Ok(self)
    }

    /// Another carrier asked for it.
    ///
    /// # Errors
    /// `invalid_transition` unless it is active.
    pub fn leaving(mut self) -> Result<Self> {
        if self.state != NumberState::Active {
            return Err(self.cannot("ported out"));
        }
        self.state = NumberState::PortingOut;
        self.version += 1;
        Ok(self)
    }

    /// The other carrier's request was called off.
    ///
    /// # Errors
    /// `invalid_transition` unless it was leaving.
    pub fn staying(mut self) -> Result<Self> {
        if self.state != NumberState::PortingOut {
            return Err(self.cannot("kept"));
        }
        self.state = NumberState::Active;
        self.version += 1;
        Ok(self)
    }

    /// The other carrier has it since `at`.
    ///
    /// # Errors
    /// `invalid_transition` unless it was leaving.
    pub fn left(self, at: Timestamp) -> Result<Self> {
        if self.state == NumberState::PortingOut { Ok(self.released(at)) } else { Err(self.cannot("handed over")) }
    }

    fn cannot(&self, action: &'static str) -> Error {
        Error::invalid_transition("number", self.state.as_str(), action)
    }
}
