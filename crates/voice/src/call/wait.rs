//! The one place at which a call waits: for its parties, its money and orders. What concerns every call is seen to here; the rest goes to
//! whatever the call is at.

use std::time::Duration;

use tandem_app::calls::{self, Order};
use tandem_catalogue::{Code, Error};
use tandem_domain::call::Reason;
use tandem_kernel::Country;
use tandem_media::{
    Path, Rate, StreamEvent,
    dtmf::Key,
    play::{Part, Prompt, Signal, Tone, Utterance},
};
use tandem_sip::{By, Ended, Event, Info, Refer};

use super::{
    Call,
    join::{Bridge, Join},
    meter::Due,
    party::{self, Did, Party},
};
use crate::{
    board::Asked,
    leg::{Happening, signal},
};

/// What is said before the money ends.
const WARNING: &str = "Your credit is about to end.";
const LANGUAGE: &str = "en-US";
/// How long it may take until that can be said.
const SPEAKING: Duration = Duration::from_secs(2);

/// Something happened.
pub(super) enum Woken {
    First(Did),
    Second(Happening),
    Aside(Happening),
    Due(Due),
    Asked(Asked),
    Join(Box<Join>),
    /// The call that this one is joined with is over.
    Parted,
}

/// Something that whatever the call is at has to see to.
pub(super) enum Stir {
    /// The call is to end.
    Stop(Stop),
    /// A party has left, or is gone.
    Left(Party, Ended),
    /// A party pressed a key.
    Key(Party, Key),
    /// A party wants the call to go elsewhere.
    Refer(Party, Refer),
    /// An order.
    Asked(Asked),
}

/// What ends a call.
pub(super) enum Stop {
    /// The caller gave up before anybody answered.
    GaveUp(Ended),
    /// A party hung up, or is gone.
    Left(Ended),
    /// We end it.
    Ours(Reason),
    /// Nobody took it, and the last one said this.
    Failed(tandem_domain::call::Ending),
}

impl Call {
    /// Waits until something happens. May be dropped at any time.
    pub(super) async fn woken(&mut self) -> Woken {
        let Self { first, second, aside, meter, told, bridge, .. } = self;
        tokio::select! {
            did = first.next() => Woken::First(did),
            happening = party::next(second) => Woken::Second(happening),
            happening = party::next(aside) => Woken::Aside(happening),
            due = meter.due() => Woken::Due(due),
            Some(asked) = told.orders.recv() => Woken::Asked(asked),
            Some(wish) = told.joins.recv() => Woken::Join(Box::new(wish)),
            () = Bridge::over(bridge) => Woken::Parted,
        }
    }

    /// Sees to what happened. Not to be dropped half-way.
    pub(super) async fn heed(&mut self, woken: Woken) -> Option<Stir> {
        match woken {
            Woken::First(Did::GaveUp(ended)) => Some(Stir::Stop(Stop::GaveUp(ended))),
            Woken::First(Did::Leg(happening)) => self.happened(Party::First, happening),
            Woken::Second(happening) => self.happened(Party::Second, happening),
            Woken::Aside(happening) => {
                self.beside(happening).await;
                None
            }
            Woken::Join(wish) => {
                self.be_joined(*wish).await;
                None
            }
            Woken::Parted => Some(Stir::Stop(Stop::Left(Ended { by: By::Them, reasons: Vec::new() }))),
            Woken::Due(due) => self.due(due).await.map(|reason| Stir::Stop(Stop::Ours(reason))),
            Woken::Asked(asked) => match asked.order {
                Order::End(reason) => {
                    asked.done();
                    Some(Stir::Stop(Stop::Ours(reason)))
                }
                _ => Some(Stir::Asked(asked)),
            },
        }
    }

    /// What one party does changes what the other hears.
    fn happened(&mut self, party: Party, happening: Happening) -> Option<Stir> {
        match happening {
            Happening::Said(Event::Ended(ended)) => return Some(Stir::Left(party, ended)),
            Happening::Said(Event::Refer(refer)) => return Some(Stir::Refer(party, refer)),
            Happening::Said(Event::Offer(offer)) => {
                if self.leg(party)?.answer(offer) {
                    self.join();
                }
            }
            Happening::Said(Event::Confirmed { sdp }) => self.leg(party)?.confirmed(sdp.as_deref()),
            Happening::Said(Event::Info(info)) => return key_of(info).map(|key| Stir::Key(party, key)),
            Happening::Said(Event::Notified { .. }) => {}
            Happening::Heard(StreamEvent::Digit(digit)) if self.listens => return Some(Stir::Key(party, digit.key)),
            Happening::Heard(StreamEvent::Silent(silence)) if self.joined() => {
                tracing::info!(id = %self.live.id, ?party, ?silence, "nothing has come from a party for long: the call ends");
                return Some(Stir::Left(party, Ended { by: By::Transport, reasons: Vec::new() }));
            }
            Happening::Heard(_) => {}
        }
        None
    }

    /// What the party that waits does: it may leave.
    async fn beside(&mut self, happening: Happening) {
        let Some(leg) = &mut self.aside else { return };
        match happening {
            Happening::Said(Event::Ended(_)) => {
                if let Some(leg) = self.aside.take() {
                    self.let_go(leg).await;
                }
            }
            Happening::Said(Event::Offer(offer)) => drop(leg.answer(offer)),
            Happening::Said(Event::Refer(refer)) => refer.refuse(603),
            Happening::Said(Event::Info(info)) => info.accept(),
            Happening::Said(Event::Confirmed { .. } | Event::Notified { .. }) | Happening::Heard(_) => {}
        }
    }

    pub(super) fn leg(&mut self, party: Party) -> Option<&mut crate::leg::Leg> {
        match party {
            Party::First => self.first.leg_mut(),
            Party::Second => self.second.as_deref_mut(),
        }
    }

    /// Whether two parties speak.
    fn joined(&self) -> bool {
        let holds = |leg: &crate::leg::Leg| leg.holds;
        self.hold.is_none()
            && self.first.leg().is_some_and(|leg| !holds(leg))
            && (self.bridge.is_some() || self.second.as_ref().is_some_and(|leg| !holds(leg)))
    }

    /// Joins the two, unless one has put the other on hold, or an order both: then music is heard.
    pub(super) fn join(&self) {
        self.tap();
        if let (Some(own), Some(bridge)) = (self.first.leg(), &self.bridge) {
            return bridge.connect(own);
        }
        let (Some(first), Some(second)) = (self.first.leg(), self.second.as_deref()) else { return };
        if let Some(music) = &self.hold {
            for leg in [first, second] {
                leg.sound.stream.connect(&Path::Held(music));
            }
            return;
        }
        if first.holds || second.holds {
            let music = Prompt::music();
            for (held, by) in [(first, second), (second, first)] {
                let path = if by.holds { Path::Held(&music) } else { Path::Nothing };
                held.sound.stream.connect(&path);
            }
            return;
        }
        first.sound.stream.connect(&Path::Relay(&second.sound.stream));
    }

    async fn due(&mut self, due: Due) -> Option<Reason> {
        match due {
            Due::Extend => match calls::extend(&self.house.app, self.live.id).await {
                Ok(grant) => self.meter.grant = grant,
                // The reconciler took this process for dead and ended the call: nobody would pay for more of it.
                Err(error) if error.code() == Code::CallOver => return Some(Reason::Lost),
                Err(error) => {
                    tracing::warn!(id = %self.live.id, ?error, "nothing more can be set aside for a call");
                    self.meter.grant.extend_at = None;
                }
            },
            Due::Warn => {
                self.meter.warned = true;
                self.warn().await;
            }
            Due::End if self.meter.grant.warn_at.is_some() => return Some(Reason::FundsEnded),
            Due::End => return Some(Reason::TimeLimit),
        }
        None
    }

    /// Tells the first party that the money is about to end: with beeps, and in words where there is speech.
    async fn warn(&self) {
        let beeps = Tone::of(Signal::Beep, Country::US).sound(Rate::Narrow);
        let pause = || Part::Silence(Duration::from_millis(200));
        let mut parts: Vec<Part> = (0..3).flat_map(|_| [Part::Sound(beeps.clone()), pause()]).collect();
        let words = Utterance { text: WARNING.to_owned(), language: LANGUAGE.to_owned() };
        // What it says is kept once it was said: only the first has to wait, and no call for long.
        if let Ok(Ok(words)) = tokio::time::timeout(SPEAKING, self.house.speech.say(words)).await {
            parts.push(Part::Sound(words));
        }
        let prompt = Prompt { parts, ..Prompt::sounds([]) };
        if let Some(leg) = self.first.leg()
            && let Err(fault) = leg.sound.stream.play(&prompt)
        {
            tracing::info!(%fault, "the caller is not warned");
        }
    }

    /// Answers an order that cannot be followed as things are.
    pub(super) fn untimely(&self, asked: Asked) {
        let (what, how) = match &asked.order {
            Order::Hold(_) => ("call", "held"),
            Order::Unhold => ("call", "unheld"),
            Order::Transfer(_) => ("call", "transferred"),
            Order::Record(_) => ("call", "recorded"),
            Order::End(_) => ("call", "ended"),
        };
        asked.refuse(Error::invalid_transition(what, self.at, how));
    }
}

/// The key that a SIP INFO carries (`application/dtmf-relay`, `application/dtmf`).
fn key_of(info: Info) -> Option<Key> {
    let text = String::from_utf8_lossy(&info.body).into_owned();
    let key = match info.kind.split(';').next().map(str::trim) {
        Some("application/dtmf-relay") => signal(&text),
        Some("application/dtmf") => text.trim().chars().next(),
        _ => {
            info.refuse(415);
            return None;
        }
    };
    match key.and_then(Key::new) {
        Some(key) => {
            info.accept();
            Some(key)
        }
        None => {
            info.refuse(400);
            None
        }
    }
}
