//! What whoever holds the binds to SMSCs works through: messages to submit, answers, receipts, and messages that come in.
//!
//! A message is handed out by [`claim`] once, and is `sending` in the store before anybody sees it. What became of each part comes
//! back through [`record`] and [`receipts`]; both may be told the same thing twice, and in any order. A process that dies leaves its
//! messages to [`recover`].

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use tandem_catalogue::Result;
use tandem_domain::message::{Encoding, PartState, Sender};
use tandem_kernel::{Environment, EnvironmentId, MessageId, PhoneNumber, SmscId, Timestamp};

pub use tandem_store::repo::incoming_parts::Whose;

use super::{assembly, claim as claiming, incoming, receipts as receiving};
use crate::App;

/// A part that a bind is to submit. Its message is `sending` in the store before anyone sees this.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Whose part.
    pub message: MessageId,
    /// Whose message.
    pub environment: EnvironmentId,
    /// Which part, from 1.
    pub part: u8,
    /// How many there are.
    pub parts: u8,
    /// By which a handset puts them together.
    pub reference: u16,
    /// Who sends it.
    pub from: Sender,
    /// Who gets it.
    pub to: PhoneNumber,
    /// How `payload` and `whole` are written.
    pub encoding: Encoding,
    /// This part's units, without a header: a septet in each octet for GSM, big-endian for UCS-2.
    pub payload: Vec<u8>,
    /// All parts together, for an SMSC that takes a long text whole.
    pub whole: Arc<[u8]>,
    /// It may have been submitted before: the answer was lost.
    pub again: bool,
    /// The SMSC that it goes through, and no other where `again`. None where an older version handed it out.
    pub smsc: Option<SmscId>,
    /// When the message was queued, by its environment's clock.
    pub created_at: Timestamp,
    /// Seconds until the message is given up.
    pub validity: i64,
    /// The claim that it was handed out by.
    pub claim: [u8; 16],
}

/// What an SMSC said to a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It took it.
    Accepted {
        /// What it calls it, as its receipts will be looked up by.
        remote_id: String,
    },
    /// It refused it for good.
    Refused {
        /// The command status.
        status: u32,
        /// Its name: `ESME_RINVDSTADR`.
        name: &'static str,
    },
    /// It certainly never had it: the message is queued again when all its parts are known.
    NotSent,
    /// It may have had it, and nobody can tell any more. The part is never submitted again, and the message costs nothing.
    Lost(Lost),
}

/// Why it is never known whether an SMSC has a part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lost {
    /// The SMSC was removed, or takes messages no more.
    Removed,
    /// It did not answer before the message's time was up.
    NoAnswer,
    /// It refused it when it was offered again, perhaps because it has it.
    Refused,
}

impl Lost {
    /// The word for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Removed => "smsc_removed",
            Self::NoAnswer => "no_answer",
            Self::Refused => "refused_again",
        }
    }

    /// What people are told.
    pub(super) fn because(word: &str) -> &'static str {
        let known = [Self::Removed, Self::NoAnswer, Self::Refused].into_iter().find(|lost| lost.as_str() == word);
        match known {
            Some(Self::Removed) => "its SMSC was removed before it answered",
            Some(Self::Refused) => "its SMSC refused it when it was offered again",
            Some(Self::NoAnswer) | None => "its SMSC did not answer in time",
        }
    }
}

/// What became of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// Whose part.
    pub message: MessageId,
    /// Which.
    pub part: u8,
    /// Where it went, or would have gone.
    pub smsc: SmscId,
    /// What was said.
    pub outcome: Taken,
    /// The claim that it was handed out by: only of its message as it was claimed then can it be said that it was not sent.
    pub claim: [u8; 16],
}

/// What a receipt says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ReceiptState {
    /// On the handset.
    Delivered,
    /// It cannot be delivered.
    Undelivered,
    /// The SMSC gave it up.
    Expired,
    /// The SMSC rejected it.
    Rejected,
    /// Somebody deleted it.
    Deleted,
    /// Read by somebody on the subscriber's behalf; says nothing final.
    Accepted,
    /// Nothing is known.
    Unknown,
    /// On its way.
    Enroute,
}

impl ReceiptState {
    /// What it makes of a part; `None` for what is not final.
    pub(super) const fn part(self) -> Option<PartState> {
        match self {
            Self::Delivered => Some(PartState::Delivered),
            Self::Undelivered => Some(PartState::Undelivered),
            Self::Expired => Some(PartState::Expired),
            Self::Rejected => Some(PartState::Rejected),
            Self::Deleted => Some(PartState::Deleted),
            Self::Accepted | Self::Unknown | Self::Enroute => None,
        }
    }
}

/// What a part of a text is called that went whole, under one id: the first has that id.
#[must_use]
pub fn part_id(id: &str, part: u8) -> String {
    if part == 1 { id.to_owned() } else { format!("{id}/{part}") }
}

/// A delivery receipt. One that is about a text that went whole is about all of its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Who sent it.
    pub smsc: SmscId,
    /// The part's id there, as given, then other ways to read it; the first that is known counts.
    pub remote_ids: Vec<String>,
    /// What it says.
    pub state: ReceiptState,
    /// The error that it names.
    pub error: Option<String>,
    /// When that was, as the SMSC says.
    pub at: Timestamp,
}

/// A message that came in, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Who brought it.
    pub smsc: SmscId,
    /// To which network it belongs.
    pub kind: Environment,
    /// Who sent it.
    pub from: Sender,
    /// To which number.
    pub to: PhoneNumber,
    /// The text.
    pub body: String,
    /// What tells it from others of the same SMSC: one that is brought twice is one. Empty where there is nothing.
    pub id: String,
}

/// A part of a message that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingPart {
    /// What it has in common with the others.
    pub whose: Whose,
    /// To which network it belongs.
    pub kind: Environment,
    /// Which part, from 1 to as many as there are.
    pub part: u8,
    /// How the octets are written.
    pub encoding: Encoding,
    /// Its text.
    pub octets: Vec<u8>,
    /// What tells it from others of the same SMSC. Where there is nothing, its place and its text do.
    pub id: String,
}

/// Where messages can go at present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The SMSC that takes them.
    pub smsc: SmscId,
    /// The beginnings, in digits, of recipients that it takes; empty for all.
    pub prefixes: Vec<String>,
    /// How many messages there is room for. What belongs to one that is full waits for it.
    pub room: usize,
}

impl Route {
    /// How many digits of a recipient its prefixes match; `None` where it does not take the recipient.
    fn matched(&self, digits: &str) -> Option<usize> {
        if self.prefixes.is_empty() {
            return Some(0);
        }
        self.prefixes.iter().filter(|prefix| digits.starts_with(prefix.as_str())).map(String::len).max()
    }
}

/// The route of a recipient: the one with the longest prefix that fits, of several the first.
#[must_use]
pub fn choose(routes: &[Route], to: PhoneNumber) -> Option<&Route> {
    let digits = to.digits().to_string();
    let fitting = routes.iter().filter_map(|route| Some((route.matched(&digits)?, route)));
    let longer = |best: (usize, _), next: (usize, _)| if next.0 > best.0 { next } else { best };
    fitting.reduce(longer).map(|(_, route)| route)
}

/// When this process last said that it is alive.
#[derive(Default)]
pub struct Pulse(AtomicI64);

impl Pulse {
    /// Whether it is time to say so again; then it counts as said.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        let last = self.0.load(Ordering::Relaxed);
        let due = now.micros().saturating_sub(last) >= BEAT;
        due && self.0.compare_exchange(last, now.micros(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// Microseconds after which a process says again that it is alive.
const BEAT: i64 = 2_000_000;
/// Seconds after which one that did not is dead.
pub(super) const DEAD_AFTER: i64 = 10;

/// Takes the messages of a network that have waited longest, at most `most`, one for each recipient at a time, and hands out their
/// parts, each with the route that it takes: of those that fit equally well the first. Which that is stands in the store before
/// anything is submitted. Without a route that has room nothing is taken. Whoever calls this calls it at least every few seconds while parts are outstanding, or
/// another process takes them for lost.
///
/// # Errors
/// Faults of the store; so for all functions here.
pub async fn claim(app: &App, kind: Environment, routes: &[Route], most: usize) -> Result<Vec<Outgoing>> {
    if app.claims.are_open(kind) {
        let found = claiming::unanswered(app, kind).await?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    if most == 0 || routes.iter().all(|route| route.room == 0) {
        return Ok(Vec::new());
    }
    claiming::claim(app, kind, routes.to_vec(), most).await
}

/// Takes over messages that a process which died left `sending`: their parts whose answer is not known have `again` set. Where the
/// SMSC that has them was removed meanwhile, they are lost. Before that come messages that this process took without ever seeing them,
/// since the answer of the store was lost. To be called at the start and every few seconds, by one task.
#[expect(clippy::missing_errors_doc, reason = "as `claim`")]
pub async fn recover(app: &App, kind: Environment) -> Result<Vec<Outgoing>> {
    let found = claiming::unanswered(app, kind).await?;
    if found.is_empty() { claiming::recover(app, kind).await } else { Ok(found) }
}

/// Matches some of the receipts that are kept, from `from`, with parts that are known meanwhile: a process died between keeping them and
/// looking for their parts. Where to go on the next time; to be called every few seconds.
#[expect(clippy::missing_errors_doc, reason = "as `claim`")]
pub async fn sweep(app: &App, from: [u8; 16]) -> Result<[u8; 16]> {
    receiving::sweep(app, from).await
}

/// Notes what SMSCs said of many parts. Whose parts are all taken is sent and paid; who has one that was refused has failed.
#[expect(clippy::missing_errors_doc, reason = "as `claim`")]
pub async fn record(app: &App, submitted: Vec<Submitted>) -> Result<()> {
    receiving::record(app, submitted).await
}

/// Notes many receipts. One whose part is not known yet is kept until it is; one that comes twice counts once.
#[expect(clippy::missing_errors_doc, reason = "as `claim`")]
pub async fn receipts(app: &App, receipts: Vec<Receipt>) -> Result<()> {
    receiving::receipts(app, receipts).await
}

/// Keeps a part of a message, and takes the message in when all its parts are there; what has come by then after half an hour. One
/// that is brought twice counts once. One to a number that nobody has is dropped.
#[expect(clippy::missing_errors_doc, reason = "as `claim`")]
pub async fn receive_part(app: &App, part: IncomingPart) -> Result<()> {
    assembly::receive_part(app, part).await
}

/// Takes a message in. One to a number that nobody has is dropped.
#[expect(clippy::missing_errors_doc, reason = "as `claim`")]
pub async fn receive(app: &App, message: Incoming) -> Result<()> {
    incoming::receive(app, message).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_counts_and_then_the_first() {
        let route = |smsc: u8, prefixes: &[&str]| Route {
            smsc: SmscId::from_bytes([smsc; 16]),
            prefixes: prefixes.iter().map(|prefix| (*prefix).to_owned()).collect(),
            room: 0,
        };
        let routes = [route(1, &[]), route(2, &["44", "447", "1"]), route(3, &["447"]), route(4, &[]), route(5, &["4479"])];
        let chosen = |to: &str| choose(&routes, PhoneNumber::from_e164(to).expect(to)).map(|route| route.smsc);
        for (to, smsc) in [("+447700900123", 2), ("+447911123456", 5), ("+33612345678", 1), ("+14155550199", 2)] {
            assert_eq!(chosen(to), Some(SmscId::from_bytes([smsc; 16])), "{to}");
        }
        assert_eq!(choose(&routes[2..3], PhoneNumber::from_e164("+33612345678").expect("a number")), None);
    }
}
