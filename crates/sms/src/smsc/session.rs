//! One connection to the SMSC of the pocket network.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use rusmpp::{
    Command, Pdu,
    pdus::{BindReceiverResp, BindTransceiverResp, BindTransmitterResp, CancelSm, QuerySm, QuerySmResp, SubmitSmResp},
    types::COctetString,
    values::InterfaceVersion,
};
use tokio::{
    net::TcpStream,
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{
    Answer, Inner,
    faults::{Effect, FaultPlace},
    outbox::{Delivery, System},
    receipt::State,
    scenario::Trick,
};
use crate::locked;
use crate::wire::{self, Frame, Pipe, Short, V34, V50, clipped, command, nack, status};

/// Sessions of one application.
const PER_SYSTEM: usize = 100;
/// How long a connection may take to bind.
const TO_BIND: Duration = Duration::from_secs(10);
/// How long a delivery may stay unacknowledged.
const TO_ACKNOWLEDGE: Duration = Duration::from_secs(60);
/// How long the answer is put off that a receipt is to overtake.
const OVERTAKEN: Duration = Duration::from_millis(100);
/// How often a delivery is offered to an application that asks for it later, and how soon again.
const TRIES: u32 = 20;
const AGAIN: Duration = Duration::from_millis(500);
/// How long the last octets may take.
const GOODBYE: Duration = Duration::from_secs(2);
/// What we call ourselves.
const NAME: &str = "tandem";

/// What a session is bound for.
struct Bound {
    system: Arc<System>,
    sends: bool,
    receives: bool,
}

struct Session<'a> {
    inner: &'a Arc<Inner>,
    pipe: Pipe,
    bound: Option<Bound>,
    /// Deliveries without an answer, by sequence number: that is the order in which they went.
    flight: BTreeMap<u32, (Instant, Delivery)>,
    sequence: u32,
    /// Answers that are put off.
    later: Vec<(Instant, Command)>,
    began: Instant,
    heard: Instant,
    asked: bool,
}

/// Why a session ends.
enum End {
    /// Nothing more is to be written.
    Cut,
    /// What is queued is to be written first.
    Orderly,
}

/// Serves a connection to its end. What it did not acknowledge waits for the next one.
pub(super) async fn serve(inner: &Arc<Inner>, stream: TcpStream, stop: watch::Receiver<bool>) {
    let now = Instant::now();
    let mut session = Session {
        inner,
        pipe: Pipe::new(Box::new(stream), inner.options.largest),
        bound: None,
        flight: BTreeMap::new(),
        sequence: 0,
        later: Vec::new(),
        began: now,
        heard: now,
        asked: false,
    };
    if let Ok(End::Orderly) = session.run(stop).await {
        let _ = tokio::time::timeout(GOODBYE, session.pipe.finish()).await; // the other side may have gone
    }
    if let Some(bound) = session.bound.take() {
        bound.system.put_back(session.flight.into_values().map(|(_, delivery)| delivery));
        bound.system.leave();
    }
}

impl Session<'_> {
    async fn run(&mut self, mut stop: watch::Receiver<bool>) -> io::Result<End> {
        let mut cuts = self.inner.cuts.subscribe();
        loop {
            while let Some(frame) = match self.pipe.take() {
                Ok(frame) => frame,
                Err(_) => {
                    self.pipe.put(&nack(status::INVALID_COMMAND_LENGTH, 0));
                    return Ok(End::Orderly);
                }
            } {
                if let Some(end) = self.hear(frame) {
                    return Ok(end);
                }
            }
            self.answer_late();
            let waits = self.deliver();
            let system = self.bound.as_ref().map(|bound| bound.system.clone());
            let wake = self.wake();
            tokio::select! {
                turned = self.pipe.turn() => turned?,
                () = rung(system), if waits => {}
                () = sleep_until(wake) => {
                    if let Some(end) = self.check() {
                        return Ok(end);
                    }
                }
                _ = cuts.changed() => return Ok(End::Cut),
                _ = stop.changed() => {
                    self.sequence += 1;
                    self.pipe.put(&command(0, self.sequence, Pdu::Unbind));
                    return Ok(End::Orderly);
                }
            }
        }
    }

    /// When something is to be done though nothing arrives.
    fn wake(&self) -> Instant {
        let idle = self.heard + self.inner.options.idle;
        let unbound = self.bound.is_none().then(|| self.began + TO_BIND);
        let late = self.later.iter().map(|(at, _)| *at).min();
        let unanswered = self.flight.values().next().map(|(sent, _)| *sent + TO_ACKNOWLEDGE);
        [unbound, late, unanswered].into_iter().flatten().fold(idle, Instant::min)
    }

    /// Looks at the clocks: asks whether anybody is there, and ends a session where nobody is.
    fn check(&mut self) -> Option<End> {
        let now = Instant::now();
        let never_bound = self.bound.is_none() && now >= self.began + TO_BIND;
        let unanswered = self.flight.values().next().is_some_and(|(sent, _)| now >= *sent + TO_ACKNOWLEDGE);
        if never_bound || unanswered {
            return Some(End::Cut);
        }
        if now >= self.heard + self.inner.options.idle {
            if self.asked {
                return Some(End::Cut);
            }
            self.asked = true;
            self.heard = now;
            self.sequence += 1;
            self.pipe.put(&command(0, self.sequence, Pdu::EnquireLink));
        }
        None
    }

    fn answer_late(&mut self) {
        let now = Instant::now();
        let (due, rest) = std::mem::take(&mut self.later).into_iter().partition(|(at, _)| *at <= now);
        self.later = rest;
        for (_, answer) in due {
            self.pipe.put(&answer);
        }
    }

    /// Sends what waits, as far as the window goes; whether the session waits for more.
    fn deliver(&mut self) -> bool {
        let Some(system) = self.bound.as_ref().filter(|bound| bound.receives).map(|bound| bound.system.clone()) else {
            return false;
        };
        while self.flight.len() < self.inner.options.deliveries && self.pipe.has_room() {
            let (next, _) = system.next();
            let Some(delivery) = next else { return true };
            self.sequence += 1;
            self.pipe.put(&command(0, self.sequence, delivery.short.deliver()));
            self.flight.insert(self.sequence, (Instant::now(), delivery));
        }
        system.bell.notify_one(); // another session may have room
        false
    }

    fn hear(&mut self, frame: Frame) -> Option<End> {
        self.heard = Instant::now();
        self.asked = false;
        let sequence = frame.sequence;
        let Some(pdu) = frame.pdu else {
            return match frame.id {
                id if id & 0x8000_0000 != 0 => self.acknowledged(sequence, frame.status),
                _ => self.say(nack(if frame.broken { status::INVALID_LENGTH } else { status::INVALID_COMMAND }, sequence)),
            };
        };
        match pdu {
            Pdu::EnquireLink => self.say(command(0, sequence, Pdu::EnquireLinkResp)),
            Pdu::Unbind => {
                self.pipe.put(&command(0, sequence, Pdu::UnbindResp));
                Some(End::Orderly)
            }
            Pdu::BindTransmitter(bind) => {
                let answer = self.bind(&bind.system_id, &bind.password, bind.interface_version, (true, false));
                let body = BindTransmitterResp::new(clipped(NAME), Some(InterfaceVersion::Smpp5_0));
                self.say(command(answer, sequence, body))
            }
            Pdu::BindReceiver(bind) => {
                let answer = self.bind(&bind.system_id, &bind.password, bind.interface_version, (false, true));
                let body = BindReceiverResp::new(clipped(NAME), Some(InterfaceVersion::Smpp5_0));
                self.say(command(answer, sequence, body))
            }
            Pdu::BindTransceiver(bind) => {
                let answer = self.bind(&bind.system_id, &bind.password, bind.interface_version, (true, true));
                let body = BindTransceiverResp::new(clipped(NAME), Some(InterfaceVersion::Smpp5_0));
                self.say(command(answer, sequence, body))
            }
            Pdu::SubmitSm(submit) => self.submit(sequence, &Short::from(&submit)),
            Pdu::QuerySm(query) => self.query(sequence, &query),
            Pdu::CancelSm(cancel) => self.cancel(sequence, &cancel),
            Pdu::DeliverSmResp(_) | Pdu::GenericNack => self.acknowledged(sequence, frame.status),
            Pdu::EnquireLinkResp | Pdu::UnbindResp => None,
            _ => self.say(nack(status::INVALID_COMMAND, sequence)),
        }
    }

    fn say(&mut self, answer: Command) -> Option<End> {
        self.pipe.put(&answer);
        None
    }

    fn bind(
        &mut self,
        system_id: &COctetString<1, 16>,
        password: &COctetString<1, 9>,
        version: InterfaceVersion,
        ways: (bool, bool),
    ) -> u32 {
        if self.bound.is_some() {
            return status::ALREADY_BOUND;
        }
        if !(V34..=V50).contains(&u8::from(version)) {
            return status::BIND_FAILED;
        }
        let Some(system) = self.inner.systems.get(system_id.as_str()) else { return status::INVALID_SYSTEM };
        if !system.accepts(password.as_str()) {
            return status::INVALID_PASSWORD;
        }
        if !system.enter(PER_SYSTEM) {
            return status::BIND_FAILED;
        }
        self.bound = Some(Bound { system: system.clone(), sends: ways.0, receives: ways.1 });
        status::OK
    }

    fn submit(&mut self, sequence: u32, short: &Short) -> Option<End> {
        let Some(system) = self.bound.as_ref().filter(|bound| bound.sends).map(|bound| bound.system.clone()) else {
            return self.say(submitted(status::WRONG_STATE, sequence, ""));
        };
        if self.later.len() >= self.inner.options.window {
            self.inner.counters.refused.fetch_add(1, Ordering::Relaxed);
            return self.say(submitted(status::THROTTLED, sequence, ""));
        }
        let mut short = short.clone();
        if !system.is(&self.inner.options.platform) {
            (short.vendor_part, short.vendor_environment) = (None, None); // only our own platform may say so
        }
        let fault = locked(&self.inner.faults).decide(short.vendor_environment, FaultPlace::Submit);
        match fault {
            Some(Effect::Drop) => return None,
            Some(Effect::Error(status)) => return self.say(submitted(status, sequence, "")),
            _ => {}
        }
        let (answer, trick) = self.inner.take(&system, &short);
        let (answer, number, first) = match answer {
            Answer::Refused(status) => return self.say(submitted(status, sequence, "")),
            Answer::Taken { id, number, first } => (submitted(status::OK, sequence, &id), number, first),
        };
        let follow = first.then_some(number);
        self.reply(answer, trick, follow, fault)
    }

    /// Answers a submit that was taken, in the way that its recipient or a fault rule wants.
    fn reply(&mut self, answer: Command, trick: Trick, follow: Option<u64>, fault: Option<Effect>) -> Option<End> {
        let now = Instant::now();
        let odd = follow.is_some();
        match (trick, fault) {
            (Trick::Mute, _) if odd => {}
            (Trick::Cut, _) if odd => {
                follow.into_iter().for_each(|number| self.inner.follow(number, trick));
                return Some(End::Cut);
            }
            (Trick::Early, _) if odd => self.later.push((now + OVERTAKEN, answer)),
            (_, Some(Effect::Delay(millis) | Effect::Reorder(millis))) => {
                self.later.push((now + Duration::from_millis(millis), answer));
            }
            (_, Some(Effect::Duplicate)) => {
                self.pipe.put(&answer);
                self.pipe.put(&answer);
            }
            _ => {
                self.pipe.put(&answer);
            }
        }
        follow.into_iter().for_each(|number| self.inner.follow(number, trick));
        None
    }

    fn acknowledged(&mut self, sequence: u32, answer: u32) -> Option<End> {
        let (_, mut delivery) = self.flight.remove(&sequence)?;
        let system = self.bound.as_ref().map(|bound| bound.system.clone())?;
        if matches!(answer, status::TRY_LATER | status::THROTTLED | status::QUEUE_FULL) && delivery.tries < TRIES {
            delivery.tries += 1;
            tokio::spawn(async move {
                tokio::time::sleep(AGAIN).await;
                system.put_back(std::iter::once(delivery));
            });
            return None;
        }
        self.inner.counters.delivered.fetch_add(1, Ordering::Relaxed);
        if let Some(number) = delivery.about {
            let state = if answer == status::OK { State::Delivered } else { State::Rejected };
            self.inner.end(number, state, 1);
        }
        None
    }

    fn query(&mut self, sequence: u32, query: &QuerySm) -> Option<End> {
        let id = query.message_id.as_str();
        let known = locked(&self.inner.known);
        let found = self.own(&known, id, query.source_addr.as_str());
        let found = found.and_then(|number| known.get(number).map(|message| (message.state, known.ended(number))));
        drop(known);
        let mut body = QuerySmResp { message_id: query.message_id.clone(), ..QuerySmResp::default() };
        let Some((state, ended)) = found else { return self.say(command(status::QUERY_FAILED, sequence, body)) };
        body.message_state = state.code().into();
        body.final_date = ended.and_then(|at| wire::clock_text(at, true).parse().ok()).unwrap_or_default();
        self.say(command(status::OK, sequence, body))
    }

    fn cancel(&mut self, sequence: u32, cancel: &CancelSm) -> Option<End> {
        let found = {
            let known = locked(&self.inner.known);
            self.own(&known, cancel.message_id.as_str(), cancel.source_addr.as_str())
        };
        let Some(number) = found else { return self.say(command(status::INVALID_MESSAGE_ID, sequence, Pdu::CancelSmResp)) };
        let mut late = locked(&self.inner.late);
        let before = late.len();
        late.retain(|late| late.id != number);
        let waited = late.len() < before;
        drop(late);
        if !waited {
            return self.say(command(status::CANCEL_FAILED, sequence, Pdu::CancelSmResp));
        }
        self.pipe.put(&command(status::OK, sequence, Pdu::CancelSmResp));
        self.inner.end(number, State::Deleted, 1);
        None
    }

    /// The number of a message that this application sent from that address, by the id that it was given.
    fn own(&self, known: &super::Known, id: &str, source: &str) -> Option<u64> {
        let bound = self.bound.as_ref()?;
        let readings = [id.parse().ok(), u64::from_str_radix(id, 16).ok()];
        readings.into_iter().flatten().find(|number| {
            known.get(*number).is_some_and(|message| {
                let same = super::digits(&message.short.from.text) == super::digits(source);
                message.style.answer_id(*number) == id && same && Arc::ptr_eq(&message.system, &bound.system)
            })
        })
    }
}

fn submitted(status: u32, sequence: u32, id: &str) -> Command {
    command(status, sequence, SubmitSmResp::builder().message_id(clipped(id)).build())
}

/// Waits until something is to be delivered to an application.
async fn rung(system: Option<Arc<System>>) {
    match system {
        Some(system) => system.bell.notified().await,
        None => std::future::pending().await,
    }
}
