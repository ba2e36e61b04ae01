//! Calls: what they cost and may cost, why they end, and what is written down when one is over.

pub mod cause;
pub mod event;
mod filter;
pub mod live;
pub mod money;
mod policy;
pub mod rates;
mod token;

use tandem_kernel::{CallId, EnvironmentId, PhoneNumber, PropertyId, Timestamp};

use crate::words::words;

pub use cause::Reason;
pub use filter::Filter;
pub use live::{Detail, Ending, Live, Outcome, Phase, SpokenCode};
pub use policy::{PACE, Policy, Traffic};
pub use rates::{Rate, Tariff, Way};
pub use token::Token;

/// The name of a caller who hides the number.
pub const ANONYMOUS: &str = "anonymous";

words! {
    /// Who began a call.
    Direction {
        /// Somebody called one of the account's numbers.
        Inbound = "inbound",
        /// The account called somebody.
        Outbound = "outbound",
    }
}

words! {
    /// How a call ended.
    Disposition {
        /// Somebody took it.
        Answered = "answered",
        /// It ended in a menu or an announcement.
        Ivr = "ivr",
        /// The line was busy.
        Busy = "busy",
        /// Nobody took it.
        NoAnswer = "no_answer",
        /// It could not be carried.
        Failed = "failed",
    }
}

impl Disposition {
    /// The word that Fone Dynamics documents.
    #[must_use]
    pub const fn documented(self) -> &'static str {
        match self {
            Self::Answered => "Answered",
            Self::Ivr => "IVR",
            Self::Busy => "Busy",
            Self::NoAnswer => "NoAnswer",
            Self::Failed => "Failed",
        }
    }
}

/// A call that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its id.
    pub id: CallId,
    /// Whose it is.
    pub environment: EnvironmentId,
    /// The property of the number that was called, or that called.
    pub property: PropertyId,
    /// Who began it.
    pub direction: Direction,
    /// Who called; none who hides the number.
    pub from: Option<PhoneNumber>,
    /// Which number was called.
    pub to: PhoneNumber,
    /// Where it went in the end.
    pub endpoint: Option<PhoneNumber>,
    /// When it began.
    pub started_at: Timestamp,
    /// When somebody or something took it.
    pub answered_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Seconds that were spoken.
    pub duration: i64,
    /// How it ended.
    pub disposition: Disposition,
    /// To what it is owed.
    pub attribution: Attribution,
    /// The keys that the caller chose in menus, one level after the other.
    pub prompts: Vec<String>,
    /// Where its recording is.
    pub recording: Option<String>,
    /// Whence it came.
    pub origin: Origin,
    /// Whether its caller called the property for the first time, as far as calls are written down; hidden callers always do.
    pub first: bool,
    /// Its place among the environment's calls as they are written down: 1, 2, 3, without gaps.
    pub written: i64,
}

/// To what a call is owed: the labels of the number that was called.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Attribution {
    /// Where the caller found the number.
    pub source: Option<String>,
    /// By what means.
    pub medium: Option<String>,
    /// In which campaign.
    pub campaign: Option<String>,
    /// By which content of it.
    pub content: Option<String>,
}

/// Whence a call came, as far as the caller's number tells.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Origin {
    /// The country, by ISO 3166-1.
    pub country: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// The city.
    pub city: Option<String>,
}

impl Call {
    /// The caller as stores and dialects name it.
    #[must_use]
    pub fn caller(&self) -> String {
        self.from.map_or_else(|| ANONYMOUS.to_owned(), |from| from.to_string())
    }
}

/// Whether a text is a path of keys: `1`, `1,2`.
#[must_use]
pub fn is_key_path(text: &str) -> bool {
    let key =
        |key: &str| !key.is_empty() && key.len() <= 10 && key.bytes().all(|key| key.is_ascii_digit() || key == b'*' || key == b'#');
    text.len() <= 200 && text.split(',').all(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for disposition in Disposition::ALL {
            assert_eq!(Disposition::parse(disposition.as_str()), Some(*disposition));
        }
        for direction in Direction::ALL {
            assert_eq!(Direction::parse(direction.as_str()), Some(*direction));
        }
    }

    #[test]
    fn paths_have_keys_only() {
        for path in ["1", "1,2", "12,*,#"] {
            assert!(is_key_path(path), "{path}");
        }
        for path in ["", ",", "1,", "a", "1;2", "%"] {
            assert!(!is_key_path(path), "{path}");
        }
    }
}
