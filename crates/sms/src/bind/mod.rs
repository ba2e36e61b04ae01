//! Our side of a bind of an SMSC: one task for each, which connects, submits, slows down when it is told to, and reads receipts and
//! messages.

mod connect;
mod incoming;
mod receipt;
mod session;
mod task;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tandem_app::messages::gateway::{Incoming, IncomingPart, Outgoing, Receipt, Submitted, Taken, part_id};
use tandem_kernel::{Environment, SmscId};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

pub use receipt::{IdStyle, readings};
pub use task::run;

/// Deliveries of an SMSC that may wait for the store; further ones are told to come later.
pub(crate) const UNACKNOWLEDGED: usize = 2_000;

/// What a bind is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It submits.
    Transmitter,
    /// It receives.
    Receiver,
    /// Both.
    Transceiver,
}

impl Mode {
    /// Whether it submits.
    #[must_use]
    pub const fn sends(self) -> bool {
        !matches!(self, Self::Receiver)
    }

    /// The word that stores and pages use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transmitter => "transmitter",
            Self::Receiver => "receiver",
            Self::Transceiver => "transceiver",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Transmitter, Self::Receiver, Self::Transceiver].into_iter().find(|mode| mode.as_str() == text)
    }
}

/// How the parts of a long message are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Long {
    /// A header in the text with a reference of 8 bits.
    Udh8,
    /// A header in the text with a reference of 16 bits.
    Udh16,
    /// The sar_ TLVs.
    Sar,
    /// They are not: the whole text goes at once, as message_payload.
    Payload,
}

impl Long {
    const ALL: [Self; 4] = [Self::Udh8, Self::Udh16, Self::Sar, Self::Payload];

    /// The word that stores and pages use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Udh8 => "udh8",
            Self::Udh16 => "udh16",
            Self::Sar => "sar",
            Self::Payload => "payload",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|long| long.as_str() == text)
    }
}

/// The type and plan that an address is sent with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Type of number.
    pub ton: u8,
    /// Numbering plan.
    pub npi: u8,
}

/// How an SMSC is reached and what it wants.
#[derive(Clone, PartialEq, Eq)]
pub struct Config {
    /// Its id.
    pub id: SmscId,
    /// Whose messages it takes.
    pub kind: Environment,
    /// Where it is.
    pub host: String,
    /// At which port.
    pub port: u16,
    /// Whether TLS is spoken; with this authority instead of the usual ones, if there is one (PEM).
    pub tls: Option<Option<String>>,
    /// What we call ourselves.
    pub system_id: String,
    /// What we prove that with.
    pub password: String,
    /// What sort of system we say we are.
    pub system_type: String,
    /// What the bind is for.
    pub mode: Mode,
    /// The version, `0x34` or `0x50`.
    pub version: u8,
    /// Submits whose answers may be outstanding.
    pub window: usize,
    /// Submits a second; no limit if none.
    pub rate: Option<u32>,
    /// How a sender that is a number is sent.
    pub number: Kind,
    /// How a sender that is a name is sent.
    pub name: Kind,
    /// How a short code is sent.
    pub code: Kind,
    /// Whether numbers have a `+`.
    pub plus: bool,
    /// How long messages go.
    pub long: Long,
    /// How receipts write ids.
    pub ids: IdStyle,
    /// Whether texts of the default alphabet go as Latin-1 where they can.
    pub latin1: bool,
    /// The registered_delivery of every submit.
    pub registered: u8,
    /// Whether submits say how long they are valid.
    pub validity: bool,
    /// Whether every submit names its part and environment: for an SMSC of ours, which then knows a repetition.
    pub named: bool,
    /// The beginnings of recipients that it takes, in digits; all if none.
    pub prefixes: Vec<String>,
    /// What a part costs, in millionths; of two that take a recipient, the cheaper one is asked first.
    pub cost: i64,
    /// Whether it is only to finish what it has.
    pub drained: bool,
    /// How long a silent connection is kept before it is asked whether anybody is there.
    pub enquire: Duration,
    /// How long an answer may take.
    pub patience: Duration,
}

/// A part on its way, in the order in which it came.
#[derive(Debug, Clone)]
pub struct Part {
    /// What to submit.
    pub outgoing: Outgoing,
    /// How often it was refused for the moment, or its answer lost.
    pub tries: u32,
    /// Whether it stands for all parts of its message: the text goes as one.
    pub whole: bool,
    /// When its message is given up.
    pub ends: Instant,
}

impl Part {
    /// What is to be said of it, and of all the others where it stands for them.
    #[must_use]
    pub fn told(&self, smsc: SmscId, outcome: &Taken) -> Vec<Submitted> {
        let (message, claim) = (self.outgoing.message, self.outgoing.claim);
        let parts = if self.whole { 1..=self.outgoing.parts } else { self.outgoing.part..=self.outgoing.part };
        let of_part = |part| match outcome {
            Taken::Accepted { remote_id } if self.whole => Taken::Accepted { remote_id: part_id(remote_id, part) },
            other => other.clone(),
        };
        parts.map(|part| Submitted { message, part, smsc, outcome: of_part(part), claim }).collect()
    }

    /// Whether it may have been submitted, and it is too late to ask again.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.outgoing.again && Instant::now() >= self.ends
    }
}

/// What an SMSC delivered and waits to hear about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// Which connection.
    pub session: u64,
    /// The delivery.
    pub sequence: u32,
}

/// What a bind has to tell.
#[derive(Debug)]
pub enum Report {
    /// What became of a part, or of all where a text went whole: they are written together, so that a receipt finds all or none.
    Submitted(Vec<Submitted>),
    /// A receipt.
    Receipt(Receipt, Ack),
    /// A message that came in, whole.
    Incoming(Incoming, Ack),
    /// A part of one.
    Part(IncomingPart, Ack),
}

/// Where a bind is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is being made.
    Connecting,
    /// It is there.
    Bound,
    /// It broke off, and is made again after a pause.
    Waiting,
    /// It has ended.
    Ended,
}

impl State {
    /// The word that pages use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Bound => "bound",
            Self::Waiting => "waiting",
            Self::Ended => "ended",
        }
    }
}

/// What a bind is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Submit and receive.
    Running,
    /// Wait for the answers that are outstanding, unbind and end.
    Ending,
}

/// What a bind counts, for whoever looks.
#[derive(Default)]
pub struct Gauges {
    state: AtomicUsize,
    /// Submits whose answers are outstanding.
    pub in_flight: AtomicUsize,
    /// Submits that were sent.
    pub submitted: AtomicU64,
    /// Parts that were taken.
    pub accepted: AtomicU64,
    /// Parts that were refused for good.
    pub refused: AtomicU64,
    /// Answers that asked for a slower pace.
    pub throttled: AtomicU64,
    /// Submits whose answers were lost.
    pub lost: AtomicU64,
    /// Receipts.
    pub receipts: AtomicU64,
    /// Messages that came in, parts counted.
    pub incoming: AtomicU64,
    /// Connections that were bound.
    pub binds: AtomicU64,
    last_error: Mutex<Option<String>>,
}

impl Gauges {
    /// Where the bind is.
    #[must_use]
    pub fn state(&self) -> State {
        let states = [State::Connecting, State::Bound, State::Waiting, State::Ended];
        states.get(self.state.load(Ordering::SeqCst)).copied().unwrap_or(State::Ended)
    }

    pub(crate) fn set_state(&self, state: State) {
        let place = match state {
            State::Connecting => 0,
            State::Bound => 1,
            State::Waiting => 2,
            State::Ended => 3,
        };
        self.state.store(place, Ordering::SeqCst);
    }

    /// What went wrong last.
    #[must_use]
    pub fn last_error(&self) -> Option<String> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_error(&self, error: String) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
}

pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// What a bind is connected to inside the program.
pub struct Wires {
    /// Parts to submit.
    pub parts: mpsc::Receiver<Part>,
    /// Deliveries that the store has.
    pub acks: mpsc::Receiver<(Ack, u32)>,
    /// Where it tells what happens.
    pub reports: mpsc::Sender<Report>,
    /// What it is to do.
    pub phase: watch::Receiver<Phase>,
    /// What it counts.
    pub gauges: Arc<Gauges>,
    /// Told whenever its state changes.
    pub changed: Arc<tokio::sync::Notify>,
}
