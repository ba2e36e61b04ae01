//! One call: its parties, whom it is offered to, what it costs, and its end.

mod announce;
mod ask;
mod attempt;
mod close;
mod code;
mod conference;
mod end;
mod first;
mod join;
mod menu;
mod meter;
mod party;
mod record;
mod ring;
mod say;
mod talk;
mod transfer;
mod voicemail;
mod wait;

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt as _;
use serde_json::Value;
use tandem_app::calls::{Answer, MadeCall, Next, Then};
use tandem_domain::{
    call::{Ending, Live, Reason, money::Grant},
    config::Recording,
    routing::{Otherwise, Plan, Treatment},
};
use tandem_kernel::CallId;
use tandem_media::play::Prompt;
use tandem_sip::IncomingCall;

use crate::{
    board::{Place, Told},
    house::House,
    leg::Leg,
    record::Take,
    sound::Sound,
};
use join::Bridge;
pub(crate) use join::Join;
use meter::Meter;
use party::First;
use ring::Rung;
pub(crate) use say::read_wav;
use wait::Stop;

/// A call that goes on.
pub(crate) struct Call {
    house: Arc<House>,
    live: Live,
    meter: Meter,
    /// Who called us, or was called first.
    first: First,
    /// What a caller who waits hears, where that is more than a tone of its own telephone.
    early: Option<Sound>,
    /// Who was reached for them.
    second: Option<Box<Leg>>,
    /// Who waits while the first speaks with somebody about a transfer.
    aside: Option<Box<Leg>>,
    /// Who asked for a transfer and hears how it goes.
    asker: Option<Box<Leg>>,
    /// What joins it with another call of a telephone that has left both.
    bridge: Option<Bridge>,
    told: Told,
    /// What the parties hear while an order holds them.
    hold: Option<Prompt>,
    /// Whether the first party's keys are for us.
    listens: bool,
    /// What it is at, in a word for messages.
    at: &'static str,
    /// Whether the money for whom it rings first is spent.
    begun: bool,
    /// Whether nobody but a machine has spoken with the caller.
    machine: bool,
    /// The language in which it says a code, where it does nothing else.
    dictates: Option<&'static str>,
    /// The keys that the caller chose in menus.
    keys: Vec<String>,
    /// How the packets of those who have left came and went.
    quality: Vec<Value>,
    /// The recording that its number's configuration wants, until it has begun.
    recording: Option<Recording>,
    /// The recording that is being made.
    take: Option<Take>,
    /// Whether the first party was called, and did not call.
    called: bool,
    /// How many hops are left.
    hops: u8,
    _place: Place,
}

/// How many hops a call of ours may take (RFC 3261 section 8.1.1.6).
const HOPS: u8 = 70;

/// What comes next.
enum Step {
    /// The first party is led there.
    Lead(Treatment, Otherwise),
    /// It speaks with somebody who was reached.
    Talk(Box<Leg>, Answer),
    /// The two who are there go on.
    Speak,
    /// The call ends.
    Stop(Stop),
}

impl Call {
    /// A call that came in.
    pub fn taken(house: Arc<House>, live: Live, grant: Grant, caller: IncomingCall) -> Self {
        let hops = caller.max_forwards();
        Self::new(house, live, grant, First::Waiting(caller), hops)
    }

    fn new(house: Arc<House>, live: Live, grant: Grant, first: First, hops: u8) -> Self {
        let (place, told) = house.board.sit(live.id);
        let called = matches!(first, First::Nobody);
        Self {
            house,
            live,
            meter: Meter::new(grant),
            first,
            early: None,
            second: None,
            aside: None,
            asker: None,
            bridge: None,
            told,
            hold: None,
            listens: false,
            at: "initiated",
            begun: false,
            machine: true,
            dictates: None,
            keys: Vec::new(),
            quality: Vec::new(),
            recording: None,
            take: None,
            called,
            hops,
            _place: place,
        }
    }

    /// Carries a call that came in to its end, and says how it ended.
    async fn carry(&mut self, plan: Plan) -> Ending {
        self.recording.clone_from(&plan.recording);
        let step = self.beginning(plan).await;
        let stop = self.lead(step).await;
        self.close(stop).await
    }

    /// Carries a call that we make.
    async fn carry_out(&mut self, plan: Plan, then: Then) -> Ending {
        self.recording = plan.recording;
        let Treatment::Ring(stages) = plan.begin else { return self.close(Stop::Ours(Reason::Internal)).await };
        let said = match &then.next {
            Next::Dictate(code) => match code::Said::prepare(&self.house, code).await {
                Ok(said) => {
                    self.dictates = Some(code.locale.as_str());
                    Some(said)
                }
                Err(fault) => {
                    tracing::warn!(id = %self.live.id, %fault, "a code cannot be said");
                    return self.close(Stop::Failed(Ending::of(Reason::Internal))).await;
                }
            },
            _ => None,
        };
        let step = match self.ring(stages).await {
            Rung::Answered(leg, by) => match said {
                Some(said) => self.dictate(leg, by, said).await,
                None => self.reached(leg, by, then).await,
            },
            Rung::Stopped(stop) => Step::Stop(stop),
            Rung::Nobody(ending) => Step::Stop(Stop::Failed(ending.unwrap_or(Ending::of(Reason::NoAnswer)))),
        };
        let stop = self.lead(step).await;
        self.close(stop).await
    }

    async fn lead(&mut self, mut step: Step) -> Stop {
        loop {
            step = match step {
                Step::Lead(treatment, otherwise) => self.treat(treatment, otherwise).await,
                Step::Talk(leg, by) => self.talk(leg, by).await,
                Step::Speak => self.speak().await,
                Step::Stop(stop) => return stop,
            };
        }
    }

    async fn treat(&mut self, treatment: Treatment, otherwise: Otherwise) -> Step {
        match treatment {
            Treatment::Ring(stages) => match self.ring(stages).await {
                Rung::Answered(leg, by) => Step::Talk(leg, by),
                Rung::Stopped(stop) => Step::Stop(stop),
                Rung::Nobody(ending) => self.otherwise(otherwise, ending),
            },
            Treatment::Menu(id) => self.menu(id).await,
            Treatment::Conference(id) => self.confer(id, None).await,
            Treatment::Voicemail => self.voicemail().await,
            Treatment::Announcement(id) => self.announce(id).await,
            Treatment::Refuse(reason) => Step::Stop(Stop::Failed(Ending::of(reason))),
        }
    }

    /// What is done when nobody took it.
    fn otherwise(&self, otherwise: Otherwise, last: Option<Ending>) -> Step {
        match otherwise {
            Otherwise::End(reason) => Step::Stop(Stop::Failed(last.unwrap_or_else(|| Ending::of(reason)))),
            Otherwise::Voicemail => Step::Lead(Treatment::Voicemail, Otherwise::End(Reason::NoAnswer)),
        }
    }
}

/// Carries a call that came in and sees to it that it is finished, whatever becomes of the task that carries it.
pub(crate) async fn watch(mut call: Call, plan: Plan) {
    let (house, id) = (call.house.clone(), call.live.id);
    let ending = guarded(&house, id, call.carry(plan)).await;
    drop(call); // says goodbye to whoever is left
    end::finish(&house.app, id, ending).await;
}

/// The same for a call that we make.
pub(crate) async fn make(house: Arc<House>, made: MadeCall) {
    let MadeCall { live, grant, plan, then } = made;
    let (id, mut call) = (live.id, Call::new(house.clone(), live, grant, First::Nobody, HOPS));
    let ending = guarded(&house, id, call.carry_out(plan, then)).await;
    drop(call);
    end::finish(&house.app, id, ending).await;
}

async fn guarded(house: &House, id: CallId, carried: impl Future<Output = Ending>) -> Ending {
    let carried = async {
        tokio::select! {
            ending = carried => ending,
            () = house.over.cancelled() => Ending::of(Reason::Lost),
        }
    };
    AssertUnwindSafe(carried).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!(%id, "what carried a call has failed");
        Ending::of(Reason::Internal)
    })
}
