//! Text and picture messages: what they are, how they are written on the wire, what they cost, and their life.

pub mod encoding;
pub mod media;
pub mod options;
pub mod optout;
mod part;
pub mod pool;
pub mod rates;
pub mod segment;
mod sender;
mod state;

use tandem_kernel::{EnvironmentId, MessageId, Money, PhoneNumber, PropertyId, SmscId, Timestamp, TransferId};

pub use encoding::Encoding;
pub use options::{Callback, Forward, Options};
pub use part::{PartState, next};
pub use sender::Sender;
pub use state::MessageState;

/// Seconds after which a message that is neither delivered nor refused is given up, unless its sender says otherwise.
pub const USUAL_VALIDITY: i64 = 3 * 86_400;
/// The least and the most seconds that a message may live.
pub const VALIDITIES: (i64, i64) = (60, 7 * 86_400);
/// Deadlines are whole multiples of this many seconds, so that one piece of due work serves many messages.
const DEADLINE_STEP: i64 = 10;

/// Which way a message goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// From a number of ours.
    Outbound,
    /// To a number of ours.
    Inbound,
}

impl Direction {
    /// Both, for messages.
    pub const CHOICES: &'static str = "outbound, inbound";

    /// The word that stores and pages use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Outbound => "outbound",
            Self::Inbound => "inbound",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Outbound, Self::Inbound].into_iter().find(|direction| direction.as_str() == text)
    }
}

/// By which service a message goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Channel {
    /// Text, through an SMSC.
    Sms,
    /// Pictures and other media, through a carrier.
    Mms,
}

impl Channel {
    /// The word that stores and pages use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Mms => "mms",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Sms, Self::Mms].into_iter().find(|channel| channel.as_str() == text)
    }
}

/// Why a message did not arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// A word or number for programs: `ESME_RINVDSTADR`, `expired`, a receipt's error code.
    pub code: String,
    /// A sentence for people.
    pub reason: String,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Whose it is.
    pub environment: EnvironmentId,
    /// The property that it belongs to.
    pub property: PropertyId,
    /// Which way it goes.
    pub direction: Direction,
    /// By which service.
    pub channel: Channel,
    /// Where it is in its life.
    pub state: MessageState,
    /// Who sends it.
    pub from: Sender,
    /// Who gets it.
    pub to: PhoneNumber,
    /// The text, as whoever may read the message reads it. What is really sent may differ: see `sealed`.
    pub body: String,
    /// The text that is really sent, sealed, where it must not be read: it has a code in it.
    pub sealed: Option<Vec<u8>>,
    /// Where its media are fetched.
    pub media: Vec<String>,
    /// How the text is written on the wire.
    pub encoding: Encoding,
    /// In how many parts the text goes.
    pub parts: u8,
    /// What it costs when it is sent; nothing for an incoming one.
    pub price: Money,
    /// The hold that the price is set aside in.
    pub hold: Option<TransferId>,
    /// The SMSC that took or brought it.
    pub smsc: Option<SmscId>,
    /// Why it did not arrive.
    pub failure: Option<Failure>,
    /// What its sender wanted of it beside the text.
    pub options: Options,
    /// The message of ours that it answers.
    pub reply_to: Option<MessageId>,
    /// When it was accepted, or received.
    pub created_at: Timestamp,
    /// When it is to be sent, where that is not at once.
    pub scheduled_at: Option<Timestamp>,
    /// When the last of its parts was taken.
    pub sent_at: Option<Timestamp>,
    /// When its life ended.
    pub completed_at: Option<Timestamp>,
    /// When it is given up.
    pub expires_at: Timestamp,
}

/// When a message that is queued `now` is given up: a little after its validity, on a round instant.
#[must_use]
pub fn deadline(now: Timestamp, validity: i64) -> Timestamp {
    let (least, most) = VALIDITIES;
    let end = now.plus_seconds(validity.clamp(least, most));
    let step = DEADLINE_STEP * 1_000_000;
    end.plus_micros((step - end.micros() % step) % step)
}

/// The number by which a handset puts the parts of one message together: the same however often it is worked out.
#[must_use]
pub fn reference(id: MessageId) -> u16 {
    let folded = id.as_bytes().chunks_exact(2).map(|pair| pair.iter().fold(0, |sum, byte| sum << 8 | u16::from(*byte)));
    folded.fold(0, |sum, pair| sum ^ pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_are_round_and_not_early() {
        let now = Timestamp::parse("2024-01-01T12:00:00.000001Z").expect("a time");
        assert_eq!(deadline(now, 60).to_string(), "2024-01-01T12:01:10Z");
        let round = Timestamp::parse("2024-01-01T12:00:00Z").expect("a time");
        assert_eq!(deadline(round, 600), round.plus_seconds(600));
        assert_eq!(deadline(round, 1), round.plus_seconds(60));
        assert_eq!(deadline(round, i64::MAX), round.plus_days(7));
    }

    #[test]
    fn a_reference_depends_on_the_whole_id() {
        let (one, other) = ([7; 16], [7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8]);
        assert_ne!(reference(MessageId::from_bytes(one)), reference(MessageId::from_bytes(other)));
    }
}
