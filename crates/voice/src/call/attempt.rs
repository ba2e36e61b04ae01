//! One telephone that is rung: a device at each of its contacts, or a number outside through the first trunk that takes it.

use std::{sync::Arc, time::Duration};

use tandem_app::{calls::Answer, devices, trunks};
use tandem_domain::{
    call::{Ending, Reason},
    routing::{Attempt, Target},
    trunk::Trunk,
};
use tandem_kernel::{DeviceId, EnvironmentId, PhoneNumber, TrunkId};
use tandem_media::{Codec, Stream, sdp::Direction};
use tandem_sip::{Dial, Outgoing, Progress};
use tokio::sync::mpsc;

use crate::{
    desk::binding,
    house::House,
    leg::Leg,
    near::DICTATES,
    refusal::meant,
    sound::{Sound, capabilities},
    trunks::{address, login},
};

/// What one telephone says.
pub(super) enum Told {
    /// It rings.
    Ringing,
    /// It rings, and is heard already, with this codec.
    Early(Arc<Stream>, Option<Codec>),
    /// Somebody took the call.
    Answered(Box<Leg>, Answer),
    /// Nobody will.
    Failed(Ending),
}

/// What every telephone of a call has to know.
pub(super) struct Offer {
    pub house: Arc<House>,
    pub environment: EnvironmentId,
    /// The caller's codec, which comes first.
    pub codec: Option<Codec>,
    pub caller_name: Option<String>,
    pub max_forwards: u8,
    /// The numbers through which the call came to ours.
    pub path: Vec<PhoneNumber>,
    pub ring: Duration,
    /// The language in which whoever answers hears a code: a handset of the pocket network knows what to listen for.
    pub dictates: Option<&'static str>,
}

/// Where a call is sent, and how.
struct Way {
    dial: Dial,
    trunk: Option<Trunk>,
    /// Whether it stays within the installation.
    near: bool,
}

impl Offer {
    /// Rings one telephone and tells how that goes. Whoever drops this gives it up.
    pub async fn ring(&self, attempt: &Attempt, tell: &mpsc::Sender<Told>) {
        let told = self.tried(attempt, tell).await;
        let _ = tell.send(told).await; // somebody else may have answered
    }

    async fn tried(&self, attempt: &Attempt, tell: &mpsc::Sender<Told>) -> Told {
        let (ways, answer) = match &attempt.target {
            Target::Device(id) => (self.contacts(attempt, *id).await, Answer { device: Some(*id), ..Answer::default() }),
            Target::Trunks { number, trunks } => {
                let ways = self.trunks(attempt, *number, trunks).await;
                (ways, Answer { endpoint: Some(*number), ..Answer::default() })
            }
            Target::Internal(number) => {
                let way = self.inside(attempt, self.house.near.to_ourselves(self.environment, &number.to_string()));
                (vec![way], Answer { endpoint: Some(*number), internal: true, ..Answer::default() })
            }
            Target::Pocket(number) => {
                let way = self.inside(attempt, self.house.near.to_handset(self.environment, &number.to_string()));
                (vec![way], Answer { endpoint: Some(*number), ..Answer::default() })
            }
        };
        let mut last = Ending::of(Reason::Unreachable);
        for way in ways {
            let trunk = way.trunk.as_ref().map(|trunk| trunk.id);
            match self.through(way, answer.endpoint, tell).await {
                Ok(leg) => return Told::Answered(Box::new(leg), Answer { trunk, ..answer }),
                Err(ending) if trunk.is_some() && is_the_trunks(&ending) => last = ending,
                Err(ending) => return Told::Failed(ending),
            }
        }
        Told::Failed(last)
    }

    async fn through(&self, mut way: Way, number: Option<PhoneNumber>, tell: &mpsc::Sender<Told>) -> Result<Leg, Ending> {
        let can = capabilities(way.trunk.as_ref(), self.codec);
        let (sip, media) = match way.near {
            true => (&self.house.near.out, &self.house.near.media),
            false => (&self.house.sip, &self.house.media),
        };
        let mut sound = Sound::open(media, can).map_err(Ending::of)?;
        way.dial.sdp = sound.offer(Direction::SendRecv);
        let mut outgoing = sip.dial(way.dial);
        loop {
            match next(&mut outgoing).await {
                Progress::Ringing { sdp, .. } => {
                    // What does not fit is no reason to give the call up: the answer may.
                    let early = sdp.is_some_and(|sdp| sound.accept(&sdp).is_ok());
                    let told = if early { Told::Early(sound.stream.clone(), sound.codec()) } else { Told::Ringing };
                    drop(tell.send(told).await);
                }
                Progress::Answered { dialog, sdp } => {
                    // Some leave out what they have said while it rang.
                    let agreed = match sdp {
                        None if sound.codec().is_some() => Ok(()),
                        sdp => sound.accept(sdp.as_deref().unwrap_or_default()),
                    };
                    let leg = Leg::new(dialog, sound, number);
                    return match agreed {
                        Ok(()) => Ok(leg),
                        Err(reason) => Err(Ending::of(reason)),
                    };
                }
                Progress::Failed { status, reasons, .. } => {
                    let (reason, q850) = meant(status, &reasons);
                    return Err(Ending { sip: Some(status), q850, ..Ending::of(reason) });
                }
                Progress::TimedOut => return Err(Ending::of(Reason::NoAnswer)),
                Progress::Unreachable => return Err(Ending::of(Reason::Unreachable)),
                Progress::Cancelled => return Err(Ending::of(Reason::Canceled)),
                Progress::Refused => return Err(Ending::of(Reason::Congestion)),
            }
        }
    }

    /// A device's contacts, those to be tried first in front.
    async fn contacts(&self, attempt: &Attempt, id: DeviceId) -> Vec<Way> {
        let found = devices::of(&self.house.app, self.environment, vec![id]).await;
        let found = found.unwrap_or_else(|error| {
            tracing::warn!(?error, "a device's registrations cannot be read");
            Vec::new()
        });
        let now = self.house.app.machine_now();
        let held = found.iter().flat_map(|(_, registrations)| registrations).filter_map(|held| binding(held, now));
        held.map(|binding| {
            let mut dial = self.dial(&binding.contact, attempt);
            dial.target = binding.target();
            Way { dial, trunk: None, near: false }
        })
        .collect()
    }

    async fn trunks(&self, attempt: &Attempt, number: PhoneNumber, named: &[(TrunkId, String)]) -> Vec<Way> {
        let known = trunks::outbound(&self.house.app).await.unwrap_or_else(|error| {
            tracing::warn!(?error, "trunks cannot be read");
            Vec::new()
        });
        let way = |(id, digits): &(TrunkId, String)| {
            let trunk = known.iter().find(|trunk| trunk.id == *id)?;
            let (place, target) = address(trunk.host.as_deref()?, trunk.port, trunk.transport);
            let mut dial = self.dial(&format!("sip:{digits}@{place}"), attempt);
            dial.target = target;
            dial.login = trunk.registration.as_ref().and_then(|own| login(&self.house.app, own));
            Some(Way { dial, trunk: Some(trunk.clone()), near: false })
        };
        let ways: Vec<Way> = named.iter().filter_map(way).collect();
        tracing::debug!(%number, trunks = ways.len(), "a number outside is rung");
        ways
    }

    /// A way within the installation.
    fn inside(&self, attempt: &Attempt, (uri, target, environment): (String, tandem_sip::Target, (String, String))) -> Way {
        let mut dial = self.dial(&uri, attempt);
        dial.target = target;
        dial.fields.push(environment);
        dial.fields.extend(self.dictates.map(|language| (DICTATES.to_owned(), language.to_owned())));
        Way { dial, trunk: None, near: true }
    }

    fn dial(&self, uri: &str, attempt: &Attempt) -> Dial {
        let host = self.house.host();
        let address = |number: PhoneNumber| format!("sip:{number}@{host}");
        let from = attempt.caller_id.map_or_else(|| "sip:anonymous@anonymous.invalid".to_owned(), address);
        let mut dial = Dial::new(uri, &from, Vec::new());
        dial.name.clone_from(&self.caller_name);
        dial.ring = self.ring;
        dial.max_forwards = self.max_forwards;
        if let Some(number) = attempt.caller_id {
            dial.fields.push(("P-Asserted-Identity".to_owned(), format!("<{}>", address(number))));
        } else {
            dial.fields.push(("Privacy".to_owned(), "id".to_owned()));
        }
        // The last that sent it on stands first (RFC 5806).
        let diverted = attempt.diverted_by.iter().flat_map(|last| std::iter::once(last).chain(self.path.iter().rev()));
        for number in diverted {
            dial.fields.push(("Diversion".to_owned(), format!("<{}>;reason=unconditional", address(*number))));
        }
        dial
    }
}

async fn next(outgoing: &mut Outgoing) -> Progress {
    outgoing.next().await.unwrap_or(Progress::Unreachable)
}

/// Whether it was the trunk that failed, and not whoever was called: another trunk may do better.
fn is_the_trunks(ending: &Ending) -> bool {
    match ending.sip {
        Some(status) => (500..600).contains(&status) || [401, 403, 407, 408].contains(&status),
        None => matches!(ending.reason, Reason::Unreachable | Reason::Congestion),
    }
}
