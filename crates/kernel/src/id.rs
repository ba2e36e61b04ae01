//! Typed ids: a UUIDv7 each, written by each dialect in its own form.

use std::{
    fmt,
    sync::atomic::{AtomicU16, Ordering},
};

use uuid::Uuid;

use crate::{Rng, Timestamp};

/// Crockford's base 32 in lower case: no letter that is mistaken for a digit, and sorting keeps the order of time.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const TEXT_LENGTH: usize = 26;

/// Ids that this process made, so that those of one microsecond sort in the order in which they were made.
static MADE: AtomicU16 = AtomicU16::new(0);

/// Makes a UUIDv7 (RFC 9562) from a time and randomness that the caller supplies: the microseconds and a counter stand where the
/// standard allows them, before the random bits.
#[must_use]
pub fn uuid_v7(now: Timestamp, rng: &dyn Rng) -> Uuid {
    let mut random = [0_u8; 10];
    rng.fill(&mut random);
    let micros = u64::try_from(now.micros()).unwrap_or(0);
    let fraction = u16::try_from(micros % 1000 * 4096 / 1000).unwrap_or(0).to_be_bytes();
    let counter = (MADE.fetch_add(1, Ordering::Relaxed) & 0x3fff).to_be_bytes();
    for (to, from) in random.iter_mut().zip(fraction.into_iter().chain(counter)) {
        *to = from;
    }
    uuid::Builder::from_unix_timestamp_millis(micros / 1000, &random).into_uuid()
}

/// Writes 128 bits as 26 characters of lower-case base 32.
#[must_use]
pub fn base32(bytes: [u8; 16]) -> String {
    let value = u128::from_be_bytes(bytes);
    (0..TEXT_LENGTH)
        .map(|place| {
            let shift = 5 * (TEXT_LENGTH - 1 - place);
            let digit = usize::try_from((value >> shift) & 31).unwrap_or(0);
            char::from(ALPHABET.get(digit).copied().unwrap_or(b'0'))
        })
        .collect()
}

/// Reads what [`base32`] writes; `None` for anything else.
#[must_use]
pub fn from_base32(text: &str) -> Option<[u8; 16]> {
    if text.len() != TEXT_LENGTH {
        return None;
    }
    let mut value: u128 = 0;
    for (place, byte) in text.bytes().enumerate() {
        let digit = ALPHABET.iter().position(|letter| *letter == byte)?;
        if place == 0 && digit > 7 {
            return None; // 26 characters hold 130 bits: the first may use only three of its five
        }
        value = (value << 5) | u128::try_from(digit).ok()?;
    }
    Some(value.to_be_bytes())
}

/// Writes 128 bits as a UUID: lower case, with hyphens.
#[must_use]
pub fn uuid_text(bytes: [u8; 16]) -> String {
    Uuid::from_bytes(bytes).hyphenated().to_string()
}

/// Reads what [`uuid_text`] writes; `None` for anything else.
#[must_use]
pub fn from_uuid_text(text: &str) -> Option<[u8; 16]> {
    Uuid::try_parse(text).ok().map(Uuid::into_bytes).filter(|bytes| uuid_text(*bytes) == text)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident => $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; 16]);

        impl $name {
            /// What the text form of this id begins with.
            pub const PREFIX: &'static str = $prefix;

            /// A fresh id that sorts by `now`.
            #[must_use]
            pub fn new(now: Timestamp, rng: &dyn Rng) -> Self {
                Self(uuid_v7(now, rng).into_bytes())
            }

            /// The id with exactly these bytes, as a store keeps it.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The bytes that a store keeps.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// Reads the text form; `None` for another prefix or anything malformed.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                from_base32(text.strip_prefix(Self::PREFIX)?).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", Self::PREFIX, base32(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}

ids! {
    /// A customer of the platform.
    AccountId => "acc_";
    /// One of an account's two environments.
    EnvironmentId => "env_";
    /// A credential.
    KeyId => "key_";
    /// A number in an account's possession (DID).
    NumberId => "num_";
    /// An order for a number at a carrier.
    OrderId => "ord_";
    /// A number's move from another carrier to us.
    PortId => "port_";
    /// A document that supports a port (LOA, bill).
    DocumentId => "doc_";
    /// A transfer between two accounts of the ledger.
    TransferId => "txn_";
    /// A piece of due work.
    JobId => "job_";
    /// An entry of the event log.
    EventId => "evt_";
    /// An HTTP request.
    RequestId => "req_";
    /// A monthly invoice.
    InvoiceId => "inv_";
    /// A spending limit.
    LimitId => "limit_";
    /// The explanation of a decision.
    ExplanationId => "exp_";
    /// A text or picture message.
    MessageId => "msg_";
    /// A recipient's wish to get no messages from a sender.
    OptOutId => "opt_";
    /// A short message service centre that messages go through.
    SmscId => "smsc_";
    /// A place that wants to hear of events.
    WebhookId => "wh_";
    /// An event on its way to a webhook.
    DeliveryId => "delv_";
    /// One attempt to deliver it.
    AttemptId => "att_";
    /// A verification of somebody's number by a code.
    VerificationId => "verify_";
    /// A rule by which a simulated part fails.
    FaultId => "fault_";
    /// A property: what the Fone Dynamics API calls a project, too.
    PropertyId => "prop_";
    /// A postal address that numbers are registered with.
    AddressId => "addr_";
    /// Somebody who may sign in.
    LoginId => "login_";
    /// A call.
    CallId => "call_";
    /// What becomes of calls to a number: rules by what was dialled.
    FlowId => "cf_";
    /// A menu that callers choose from by keys.
    MenuId => "menu_";
    /// A conference.
    ConferenceId => "conf_";
    /// A recording.
    RecordingId => "rec_";
    /// Somebody who takes part in a conference, or is to.
    ParticipantId => "part_";
    /// A trunk that calls go through.
    TrunkId => "trunk_";
    /// A SIP device of an account's.
    DeviceId => "dev_sip_";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededRng;

    #[test]
    fn text_form_reads_back_and_keeps_the_order() {
        let rng = SeededRng::new(7);
        let early = NumberId::new(Timestamp::from_micros(1_700_000_000_000_000), &rng);
        let late = NumberId::new(Timestamp::from_micros(1_700_000_001_000_000), &rng);
        assert_eq!(NumberId::parse(&early.to_string()), Some(early));
        assert!(early.to_string() < late.to_string());
        let steps: Vec<_> = (0..1000).map(|micros| uuid_v7(Timestamp::from_micros(1_700_000_000_000_000 + micros), &rng)).collect();
        assert!(steps.is_sorted() && steps.iter().all(|id| id.get_version_num() == 7));
    }

    #[test]
    fn ids_of_one_instant_sort_as_they_were_made() {
        let (rng, now) = (SeededRng::new(1), Timestamp::from_micros(1_700_000_000_123_456));
        let made: Vec<NumberId> = (0..100).map(|_| NumberId::new(now, &rng)).collect();
        let rises = made.windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert!(rises >= 98, "the counter begins anew once in 16,384 ids: {rises}");
        assert!(made.iter().all(|id| *id < NumberId::new(now.plus_micros(1), &rng)));
    }

    #[test]
    fn foreign_or_malformed_text_is_no_id() {
        for text in ["", "num_", "num_abc123", "port_00000000000000000000000000", "num_z0000000000000000000000000"] {
            assert_eq!(NumberId::parse(text), None, "{text}");
        }
    }
}
