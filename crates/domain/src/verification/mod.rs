//! Verifications of somebody's telephone number by a code that is sent there.
//!
//! `pending` → `approved` | `expired` | `max_attempts_reached` | `canceled`. A number has one pending verification of an environment
//! at the most; sending again while it lasts keeps its id, its code and its end.

mod brand;
mod code;
mod limits;
mod policy;
mod speech;
mod text;

use tandem_kernel::{EnvironmentId, KeyId, PhoneNumber, Timestamp, VerificationId};

pub use brand::{BRAND_RULE, LONGEST_BRAND, USUAL_BRAND, brand_fits};
pub use code::{CODE_LENGTHS, USUAL_CODE_LENGTH, code_fits, make_code};
pub use limits::{History, decide};
pub use policy::{Limits, Policy, usual_countries};
pub use speech::Dictation;
pub use text::{Locale, hidden_text, text};

/// Seconds that a verification lives.
pub const LIFE: i64 = 600;
/// Codes that may be tried.
pub const CHECKS: i64 = 5;

/// By which way a code travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Channel {
    /// A text message.
    Sms,
    /// A call that says the digits.
    Voice,
}

impl Channel {
    /// Their words.
    pub const WORDS: &'static [&'static str] = &["sms", "voice"];

    /// The word that stores and pages use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Voice => "voice",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Sms, Self::Voice].into_iter().find(|channel| channel.as_str() == text)
    }
}

/// What is kept of a code, while it can be used.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// Its keyed hash.
    pub mac: [u8; 32],
    /// Itself, sealed, so that it can be sent again.
    pub sealed: Vec<u8>,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// Where a verification is in its life.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    /// A code is out.
    Pending(Secret),
    /// The code came back. Terminal.
    Approved,
    /// It did not come back in time. Terminal.
    Expired,
    /// Too many wrong ones came. Terminal.
    MaxAttemptsReached,
    /// It was called off. Terminal.
    Canceled,
}

impl State {
    /// Their words.
    pub const WORDS: &'static [&'static str] = &["pending", "approved", "expired", "max_attempts_reached", "canceled"];

    /// The word that stores and pages use.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Pending(_) => "pending",
            Self::Approved => "approved",
            Self::Expired => "expired",
            Self::MaxAttemptsReached => "max_attempts_reached",
            Self::Canceled => "canceled",
        }
    }
}

/// A verification.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verification {
    /// Its id.
    pub id: VerificationId,
    /// Whose it is.
    pub environment: EnvironmentId,
    /// The key that began it.
    pub key: KeyId,
    /// The number that is verified.
    pub phone: PhoneNumber,
    /// By which way the code travels.
    pub channel: Channel,
    /// In whose name it is sent.
    pub brand: String,
    /// In which language.
    pub locale: Locale,
    /// How many digits the code has.
    pub code_length: i64,
    /// Where it is in its life.
    pub state: State,
    /// How often the code was sent.
    pub sends: i64,
    /// How many codes were tried.
    pub checks: i64,
    /// When it began.
    pub created_at: Timestamp,
    /// When the code was last sent.
    pub sent_at: Timestamp,
    /// When it ends of itself.
    pub expires_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How often it was written, so that no change gets lost.
    pub version: i64,
}

impl Verification {
    /// Whether the code can still be used at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        matches!(self.state, State::Pending(_)) && now < self.expires_at
    }

    /// How many codes may still be tried.
    #[must_use]
    pub fn attempts_remaining(&self) -> i64 {
        match self.state {
            State::Pending(_) => (CHECKS - self.checks).max(0),
            _ => 0,
        }
    }

    /// Its end.
    #[must_use]
    pub fn ended(self, state: State, now: Timestamp) -> Self {
        Self { state, ended_at: Some(now), version: self.version + 1, ..self }
    }

    /// One of the codes that may be tried, right or wrong.
    #[must_use]
    pub fn checked(self, right: bool, now: Timestamp) -> Self {
        let tried = Self { checks: self.checks + 1, ..self };
        match right {
            true => tried.ended(State::Approved, now),
            false if tried.checks >= CHECKS => tried.ended(State::MaxAttemptsReached, now),
            false => Self { version: tried.version + 1, ..tried },
        }
    }

    /// The code sent once more, by whichever way.
    #[must_use]
    pub fn sent_again(self, channel: Channel, brand: String, locale: Locale, now: Timestamp) -> Self {
        Self { channel, brand, locale, sends: self.sends + 1, sent_at: now, version: self.version + 1, ..self }
    }

    /// Whole minutes that the code can be used, the begun one included.
    #[must_use]
    pub fn minutes_left(&self, now: Timestamp) -> i64 {
        let micros = (self.expires_at.micros() - now.micros()).max(0);
        (micros + 59_999_999) / 60_000_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(now: Timestamp) -> Verification {
        Verification {
            id: VerificationId::from_bytes([1; 16]),
            environment: EnvironmentId::from_bytes([2; 16]),
            key: KeyId::from_bytes([3; 16]),
            phone: PhoneNumber::from_digits(61_412_345_678),
            channel: Channel::Sms,
            brand: USUAL_BRAND.to_owned(),
            locale: Locale::En,
            code_length: USUAL_CODE_LENGTH,
            state: State::Pending(Secret { mac: [0; 32], sealed: Vec::new() }),
            sends: 1,
            checks: 0,
            created_at: now,
            sent_at: now,
            expires_at: now.plus_seconds(LIFE),
            ended_at: None,
            version: 1,
        }
    }

    #[test]
    fn the_fifth_wrong_code_ends_it_and_the_fifth_right_one_does_not() {
        let now = Timestamp::from_micros(1_000_000);
        let mut verification = pending(now);
        for left in (1..CHECKS).rev() {
            verification = verification.checked(false, now);
            assert_eq!((verification.state.as_str(), verification.attempts_remaining()), ("pending", left));
        }
        let exhausted = verification.clone().checked(false, now);
        assert_eq!((exhausted.state, exhausted.ended_at, exhausted.checks), (State::MaxAttemptsReached, Some(now), 5));
        assert_eq!(verification.checked(true, now).state, State::Approved);
    }

    #[test]
    fn it_lives_ten_minutes_however_often_it_is_sent() {
        let now = Timestamp::from_micros(1_000_000);
        let later = now.plus_seconds(570);
        let again = pending(now).sent_again(Channel::Sms, "Acme".to_owned(), Locale::Fr, later);
        assert_eq!((again.sends, again.expires_at, again.minutes_left(later)), (2, now.plus_seconds(LIFE), 1));
        assert!(again.is_live(now.plus_micros(599_999_999)) && !again.is_live(now.plus_seconds(LIFE)));
        assert_eq!(again.minutes_left(now), 10);
    }
}
