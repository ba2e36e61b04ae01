//! A call that goes on.

use serde_json::{Map, Value};
use tandem_kernel::{CallId, DeviceId, EnvironmentId, PhoneNumber, PropertyId, Timestamp, TrunkId, VerificationId};

use super::{ANONYMOUS, Attribution, Call, Direction, Disposition, Origin, Reason, Tariff};

use crate::words::words;

words! {
    /// How far a call has come.
    Phase {
        /// It has begun.
        Initiated = "initiated",
        /// Somebody's telephone rings.
        Ringing = "ringing",
        /// Somebody or something took it.
        Answered = "answered",
    }
}

/// What a call carries along that no rule asks for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Detail {
    /// `api`, `device`, `trunk`, `pocket` (a handset of that network), `internal` (another number of the installation) or `verification`
    /// (a code is said).
    pub initiated_by: String,
    /// The caller's name, as it was given.
    pub from_name: Option<String>,
    /// To what it is owed.
    pub attribution: Attribution,
    /// Whence it came.
    pub origin: Origin,
    /// The numbers through which it came.
    pub path: Vec<PhoneNumber>,
    /// Seconds that it may ring, where its maker said so.
    pub timeout: Option<i64>,
    /// Its maker's labels.
    pub tags: Map<String, Value>,
    /// Its maker's fields.
    pub custom_fields: Map<String, Value>,
    /// Whether its parties were put on hold by an order.
    pub held: bool,
    /// What it costs once whoever was called first has answered, where it has a price of its own, in millionths.
    pub fee: Option<i64>,
    /// The code that it says, where it says one.
    pub code: Option<SpokenCode>,
}

/// A code that a call says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SpokenCode {
    /// Of which verification.
    pub verification: VerificationId,
    /// Whether all of it was said to somebody.
    pub heard: bool,
}

/// A call that goes on. Its own time is the machine's: a test environment's clock may stand still or be moved while people speak.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Live {
    /// Its id.
    pub id: CallId,
    /// Whose it is.
    pub environment: EnvironmentId,
    /// The property of the number that was called, or that calls.
    pub property: PropertyId,
    /// The process that carries it.
    pub node: [u8; 16],
    /// How far it has come.
    pub phase: Phase,
    /// Who began it.
    pub direction: Direction,
    /// Who calls; none who hides the number.
    pub from: Option<PhoneNumber>,
    /// Which number was called.
    pub to: PhoneNumber,
    /// The number that took it, where it was sent on.
    pub endpoint: Option<PhoneNumber>,
    /// The trunk that brought it.
    pub trunk_in: Option<TrunkId>,
    /// The trunk that carries it on.
    pub trunk_out: Option<TrunkId>,
    /// The device that made it or took it.
    pub device: Option<DeviceId>,
    /// When it began, by the environment's clock.
    pub started_at: Timestamp,
    /// The same by the machine's.
    pub begun_at: Timestamp,
    /// When it was taken, by the machine's clock.
    pub answered_at: Option<Timestamp>,
    /// Seconds that it may last.
    pub longest: i64,
    /// What it costs.
    pub tariff: Tariff,
    /// Seconds that are paid for.
    pub granted: i64,
    /// Millionths that are set aside.
    pub held: i64,
    /// How often something was set aside.
    pub holds: i64,
    /// What it carries along.
    pub detail: Detail,
}

/// How a call ended, as far as whoever carried it knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ending {
    /// Why.
    pub reason: Reason,
    /// The status that another system gave, where it did.
    pub sip: Option<u16>,
    /// The value of Q.850 that it gave.
    pub q850: Option<u8>,
    /// Whether it was a menu or an announcement that took the call, and nobody else.
    pub machine: bool,
    /// The keys that the caller chose in menus.
    pub prompts: Vec<String>,
    /// Where its recording is.
    pub recording: Option<String>,
    /// What was measured of the media, as its measurer writes it.
    pub quality: Option<Value>,
}

impl Ending {
    /// For a reason of our own.
    #[must_use]
    pub const fn of(reason: Reason) -> Self {
        Self { reason, sip: None, q850: None, machine: false, prompts: Vec::new(), recording: None, quality: None }
    }
}

/// What is known of a call that is over beside [`Call`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// Why it ended.
    pub reason: Reason,
    /// The SIP status of the end.
    pub sip: u16,
    /// The value of Q.850.
    pub q850: u8,
    /// What it cost, in millionths.
    pub cost: i64,
    /// When it began, by the machine's clock.
    pub begun_at: Timestamp,
    /// The day on which it was closed, by the environment's clock.
    pub day: Timestamp,
    /// The device that made it or took it.
    pub device: Option<DeviceId>,
    /// The trunk that brought it.
    pub trunk_in: Option<TrunkId>,
    /// The trunk that carried it on.
    pub trunk_out: Option<TrunkId>,
    /// What was measured of the media.
    pub quality: Option<Value>,
    /// What it carried along.
    pub detail: Detail,
}

impl Live {
    /// The number of the account's that it is about, and whoever is on the other end; none who hides the number.
    #[must_use]
    pub fn parties(&self) -> (PhoneNumber, Option<PhoneNumber>) {
        match self.direction {
            Direction::Inbound => (self.to, self.from),
            Direction::Outbound => (self.from.unwrap_or(self.to), Some(self.to)), // calls out show a number of the account's
        }
    }

    /// Whether the call's own price covers whoever is reached next: that is for two parties, and not for whom they hand the call on to.
    #[must_use]
    pub fn is_covered(&self) -> bool {
        self.detail.fee.is_some() && self.tariff.ways.len() < 2
    }

    /// The caller as stores and dialects name it.
    #[must_use]
    pub fn caller(&self) -> String {
        self.from.map_or_else(|| ANONYMOUS.to_owned(), |from| from.to_string())
    }

    /// Whole seconds that were spoken until `machine`; a second that has begun counts.
    #[must_use]
    pub fn spoken(&self, machine: Timestamp) -> i64 {
        const SECOND: i64 = 1_000_000;
        let micros = self.answered_at.map_or(0, |answered| machine.micros().saturating_sub(answered.micros()));
        micros.max(0).saturating_add(SECOND - 1) / SECOND
    }

    /// When the call is over that ends at `machine`: at the latest where what is paid for is used up. The moment that it takes then to hang up
    /// is nobody's: neither paid nor counted.
    #[must_use]
    pub fn over_at(&self, machine: Timestamp) -> Timestamp {
        self.answered_at.map_or(machine, |answered| machine.min(answered.plus_seconds(self.granted.max(0))))
    }

    /// What the call is when it ends at `machine`: the record that is written, and what else is known. `now` is the environment's time.
    #[must_use]
    pub fn ended(&self, ending: &Ending, cost: i64, machine: Timestamp, now: Timestamp) -> (Call, Outcome) {
        let since = |at: Timestamp| self.started_at.plus_micros(at.micros().saturating_sub(self.begun_at.micros()).max(0));
        let disposition = match (self.answered_at, ending.machine) {
            (Some(_), true) => Disposition::Ivr,
            (Some(_), false) => Disposition::Answered,
            (None, _) => ending.reason.disposition(),
        };
        let call = Call {
            id: self.id,
            environment: self.environment,
            property: self.property,
            direction: self.direction,
            from: self.from,
            to: self.to,
            endpoint: self.endpoint,
            started_at: self.started_at,
            answered_at: self.answered_at.map(since),
            ended_at: since(machine),
            duration: self.spoken(machine),
            disposition,
            attribution: self.detail.attribution.clone(),
            prompts: ending.prompts.clone(),
            recording: ending.recording.clone(),
            origin: self.detail.origin.clone(),
            first: false, // the store knows
            written: 0,
        };
        let outcome = Outcome {
            reason: ending.reason,
            sip: ending.sip.unwrap_or_else(|| ending.reason.sip()),
            q850: ending.q850.unwrap_or_else(|| ending.reason.q850()),
            cost,
            begun_at: self.begun_at,
            day: now.start_of_day(),
            device: self.device,
            trunk_in: self.trunk_in,
            trunk_out: self.trunk_out,
            quality: ending.quality.clone(),
            detail: self.detail.clone(),
        };
        (call, outcome)
    }
}
