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

use super::{claim as claiming, incoming, receipts as receiving};
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
    /// When the message was queued, by its environment's clock.
    pub created_at: Timestamp,
    /// Seconds until the message is given up.
    pub validity: i64,
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

/// A delivery receipt.
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

/// Where messages can go at present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The SMSC that takes them.
    pub smsc: SmscId,
    /// The beginnings, in digits, of recipients that it takes; empty for all.
    pub prefixes: Vec<String>,
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
/// parts. Without a route nothing is taken. Whoever calls this calls it at least every few seconds while parts are outstanding, or
/// another process takes them for lost.
///
/// # Errors
/// Faults of the store; so for all functions here.
pub async fn claim(app: &App, kind: Environment, smscs: &[Route], most: usize) -> Result<Vec<Outgoing>> {
    if smscs.is_empty() || most == 0 {
        return Ok(Vec::new());
    }
    let all = smscs.iter().any(|route| route.prefixes.is_empty());
    let prefixes = if all { Vec::new() } else { smscs.iter().flat_map(|route| route.prefixes.iter().cloned()).collect() };
    claiming::claim(app, kind, prefixes, most).await
}

/// Takes over messages that a process which died left `sending`: their parts whose answer is not known have `again` set. To be
/// called at the start and every few seconds, until it returns none.
#[expect(clippy::missing_errors_doc, reason = "as `claim`")]
pub async fn recover(app: &App, kind: Environment) -> Result<Vec<Outgoing>> {
    receiving::sweep(app).await?;
    claiming::recover(app, kind).await
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

/// Takes a message in. One to a number that nobody has is dropped.
#[expect(clippy::missing_errors_doc, reason = "as `claim`")]
pub async fn receive(app: &App, message: Incoming) -> Result<()> {
    incoming::receive(app, message).await
}
