//! One connection of a bind.

use std::{collections::BTreeMap, io, sync::atomic::Ordering, time::Duration};

use rusmpp::{
    Pdu,
    pdus::{DataSmResp, DeliverSmResp},
    tlvs::MessageSubmissionRequestTlvValue,
    values::UserMessageReference,
};
use tandem_app::messages::gateway::{Lost, Taken};
use tandem_domain::message::{Encoding, Sender};
use tokio::time::{Instant, sleep_until};

use super::{
    Ack, Kind, Long, Part, Phase, Report, UNACKNOWLEDGED, count,
    incoming::{self, Read},
    task::Keep,
};
use crate::wire::{Address, Frame, Pipe, Place, Short, alphabet, command, nack, relative, status};

/// The first pause that throttling leads to, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// How often a part is offered to an SMSC that is full before it goes back into the queue, where it can expire or go elsewhere.
const FULL_TRIES: u32 = 50;
/// How often a part is offered to an SMSC that is in trouble.
const TROUBLE_TRIES: u32 = 5;
/// How long outstanding answers are waited for at the end.
const GOODBYE: Duration = Duration::from_secs(3);
/// Octets of a text that fit into one message, and into each part of a longer one.
const ALONE: usize = 140;
const EACH: usize = 134;
/// What a token of the rate is worth.
const TOKEN: u64 = 1_000_000;

/// Why a connection ended.
pub(super) enum Why {
    /// It was told to.
    Ended,
    /// Something went wrong.
    Broken(String),
}

struct Flight {
    ticket: u64,
    part: Part,
    /// Where its octets end among all that were written.
    end: u64,
    sent: Instant,
}

/// A connection that is bound.
pub(super) struct Session<'a> {
    keep: &'a mut Keep,
    pipe: Pipe,
    flight: BTreeMap<u32, Flight>,
    sequence: u32,
    /// How much of the window is used: less than all of it after throttling.
    window: usize,
    slow_until: Instant,
    pause: Duration,
    tokens: u64,
    filled: Instant,
    heard: Instant,
    asked: Option<Instant>,
    unacknowledged: usize,
    ending: Option<Instant>,
    unbinding: bool,
}

impl<'a> Session<'a> {
    pub fn new(keep: &'a mut Keep, pipe: Pipe) -> Self {
        let now = Instant::now();
        let window = keep.config.window.max(1);
        Self {
            keep,
            pipe,
            flight: BTreeMap::new(),
            sequence: 1, // the bind was the first
            window,
            slow_until: now,
            pause: PAUSES.0,
            tokens: TOKEN,
            filled: now,
            heard: now,
            asked: None,
            unacknowledged: 0,
            ending: None,
            unbinding: false,
        }
    }

    /// Works until the end of the connection. What has no answer is kept for the next one.
    pub async fn run(mut self) -> Why {
        let why = match self.work().await {
            Ok(()) => Why::Ended,
            Err(_) if self.unbinding => Why::Ended,
            Err(fault) => Why::Broken(fault.to_string()),
        };
        let written = self.pipe.written();
        for flight in std::mem::take(&mut self.flight).into_values() {
            let mut part = flight.part;
            // What the system never took cannot have arrived.
            if flight.end <= written {
                part.outgoing.again = true;
                count(&self.keep.wires.gauges.lost);
            }
            self.keep.hold(flight.ticket, part);
        }
        self.keep.wires.gauges.in_flight.store(0, Ordering::Relaxed);
        why
    }

    async fn work(&mut self) -> io::Result<()> {
        loop {
            while let Some(frame) = self.pipe.take().map_err(|bad| io::Error::other(format!("a command of {} octets", bad.0)))? {
                self.hear(frame).await?;
            }
            if self.is_over()? {
                return self.pipe.finish().await;
            }
            let takes = self.fill();
            self.keep.wires.gauges.in_flight.store(self.flight.len(), Ordering::Relaxed);
            let wake = self.wake();
            let Self { keep, pipe, .. } = &mut *self;
            tokio::select! {
                turned = pipe.turn() => turned?,
                part = keep.wires.parts.recv(), if takes => match part {
                    Some(part) => {
                        keep.tickets += 1;
                        let ticket = keep.tickets;
                        keep.hold(ticket, part);
                    }
                    None => self.end(),
                },
                Some((ack, answer)) = keep.wires.acks.recv() => self.acknowledge(ack, answer),
                changed = keep.wires.phase.changed() => if changed.is_err() || *keep.wires.phase.borrow() == Phase::Ending { self.end() },
                () = sleep_until(wake) => self.check().await?,
            }
        }
    }

    fn end(&mut self) {
        self.ending.get_or_insert_with(|| Instant::now() + GOODBYE);
    }

    /// Whether nothing more is waited for. Sends the unbind where it is time for that.
    fn is_over(&mut self) -> io::Result<bool> {
        let Some(until) = self.ending else { return Ok(false) };
        let late = Instant::now() >= until;
        if !self.unbinding && (self.flight.is_empty() || late) {
            self.unbinding = true;
            self.sequence += 1;
            self.pipe.put(&command(0, self.sequence, Pdu::Unbind));
        }
        Ok(late && self.unbinding)
    }

    /// When something is to be done though nothing arrives.
    fn wake(&self) -> Instant {
        let enquire = self.asked.map_or(self.heard + self.keep.config.enquire, |asked| asked + self.keep.config.patience);
        let answer = self.flight.values().next().map(|flight| flight.sent + self.keep.config.patience);
        let slow = (!self.keep.held.is_empty() || self.window > self.flight.len()).then_some(self.slow_until);
        let slow = slow.filter(|until| *until > Instant::now());
        let rate = self.keep.config.rate.filter(|_| self.tokens < TOKEN).map(|rate| {
            let micros = (TOKEN - self.tokens) / u64::from(rate.max(1));
            Instant::now() + Duration::from_micros(micros.max(500))
        });
        [answer, slow, rate, self.ending].into_iter().flatten().fold(enquire, Instant::min)
    }

    async fn check(&mut self) -> io::Result<()> {
        let (now, patience) = (Instant::now(), self.keep.config.patience);
        if self.asked.is_some_and(|asked| now >= asked + patience) {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the SMSC does not answer any more"));
        }
        if self.asked.is_none() && now >= self.heard + self.keep.config.enquire {
            self.asked = Some(now);
            self.sequence += 1;
            self.pipe.put(&command(0, self.sequence, Pdu::EnquireLink));
        }
        while self.flight.first_key_value().is_some_and(|(_, flight)| now >= flight.sent + patience) {
            if let Some((_, flight)) = self.flight.pop_first() {
                self.lost(flight).await;
            }
        }
        Ok(())
    }

    /// The answer to a submit did not come: it is submitted again, and said to be, as long as there is time.
    async fn lost(&mut self, flight: Flight) {
        count(&self.keep.wires.gauges.lost);
        let mut part = flight.part;
        part.outgoing.again = true;
        part.tries += 1;
        tracing::warn!(smsc = %self.keep.config.id, message = %part.outgoing.message, part = part.outgoing.part, "a submit was not answered");
        if part.is_lost() {
            self.keep.conclude(&part, Taken::Lost(Lost::NoAnswer)).await;
        } else {
            self.keep.hold(flight.ticket, part);
        }
        self.slow_until = self.slow_until.max(Instant::now() + PAUSES.0);
    }

    /// Submits as much as may be; whether it would take more.
    fn fill(&mut self) -> bool {
        let now = Instant::now();
        self.refill(now);
        if !self.keep.config.mode.sends() || now < self.slow_until || self.ending.is_some() {
            return false;
        }
        loop {
            let open = self.flight.len() < self.window && self.pipe.has_room() && self.tokens >= TOKEN;
            if !open {
                return false;
            }
            let next = match self.keep.held.pop_first() {
                Some(next) => Some(next),
                None => self.keep.wires.parts.try_recv().ok().map(|part| {
                    self.keep.tickets += 1;
                    (self.keep.tickets, part)
                }),
            };
            let Some((ticket, part)) = next else { return true };
            self.submit(ticket, part, now);
        }
    }

    fn refill(&mut self, now: Instant) {
        let Some(rate) = self.keep.config.rate else {
            self.tokens = u64::MAX;
            return;
        };
        let micros = u64::try_from(now.duration_since(self.filled).as_micros()).unwrap_or(u64::MAX);
        let most = TOKEN * u64::from((rate / 10).max(1));
        self.tokens = self.tokens.saturating_add(micros.saturating_mul(rate.into())).min(most);
        self.filled = now;
    }

    fn submit(&mut self, ticket: u64, part: Part, now: Instant) {
        if self.keep.config.rate.is_some() {
            self.tokens = self.tokens.saturating_sub(TOKEN);
        }
        self.sequence = if self.sequence >= 0x7fff_ffff { 1 } else { self.sequence + 1 };
        let short = self.short(&part);
        let mut pdu = short.submit_named();
        if part.outgoing.again {
            let reference = UserMessageReference::new(part.outgoing.reference);
            pdu.push_tlv(MessageSubmissionRequestTlvValue::UserMessageReference(reference));
        }
        let end = self.pipe.put(&command(0, self.sequence, pdu));
        count(&self.keep.wires.gauges.submitted);
        self.flight.insert(self.sequence, Flight { ticket, part, end, sent: now });
    }

    fn short(&self, part: &Part) -> Short {
        let (config, outgoing) = (&self.keep.config, &part.outgoing);
        let mut short = Short {
            from: self.sender(&outgoing.from),
            to: Address { ton: 1, npi: 1, text: self.number(outgoing.to.digits()) },
            registered: config.registered,
            validity: if config.validity { relative(outgoing.validity) } else { String::new() },
            ..Short::default()
        };
        let long = outgoing.parts > 1;
        let payload = if part.whole { outgoing.whole.to_vec() } else { outgoing.payload.clone() };
        (short.data_coding, short.text) = self.coded(outgoing.encoding, payload, long);
        let place = Place { reference: outgoing.reference, part: outgoing.part, of: outgoing.parts };
        if long && !part.whole {
            match config.long {
                // An SMSC that takes texts whole gets by parts what another one has in part.
                Long::Udh8 | Long::Payload => short.header = vec![0, 3, place.reference.to_be_bytes()[1], place.of, place.part],
                Long::Udh16 => {
                    let [high, low] = place.reference.to_be_bytes();
                    short.header = vec![8, 4, high, low, place.of, place.part];
                }
                Long::Sar => short.place = Some(place),
            }
        }
        short.esm_class = if short.header.is_empty() { 0 } else { 0x40 };
        if config.named || outgoing.again {
            let mut name = [outgoing.part; 17];
            for (to, from) in name.iter_mut().zip(outgoing.message.as_bytes()) {
                *to = *from;
            }
            short.vendor_part = Some(name);
            short.vendor_environment = config.named.then_some(*outgoing.environment.as_bytes());
        }
        short
    }

    /// A text in the alphabet that the SMSC wants.
    fn coded(&self, encoding: Encoding, payload: Vec<u8>, long: bool) -> (u8, Vec<u8>) {
        if self.keep.config.latin1 && encoding == Encoding::Gsm {
            let latin = Encoding::Latin1.write(&encoding.read(&payload));
            if let Some(latin) = latin.filter(|latin| latin.len() <= if long { EACH } else { ALONE }) {
                return (alphabet::LATIN1, latin);
            }
        }
        (alphabet::coding(encoding), payload)
    }

    fn number(&self, digits: u64) -> String {
        if self.keep.config.plus { format!("+{digits}") } else { digits.to_string() }
    }

    fn sender(&self, from: &Sender) -> Address {
        let config = &self.keep.config;
        let kind = |Kind { ton, npi }: Kind, text| Address { ton, npi, text };
        match from {
            Sender::Number(number) => kind(config.number, self.number(number.digits())),
            Sender::Name(name) if from.is_short_code() => kind(config.code, name.clone()),
            Sender::Name(name) => kind(config.name, name.clone()),
        }
    }

    async fn hear(&mut self, frame: Frame) -> io::Result<()> {
        self.heard = Instant::now();
        self.asked = None;
        let (sequence, told) = (frame.sequence, frame.status);
        match (frame.id, frame.pdu) {
            (0x8000_0004, pdu) => {
                let id = match &pdu {
                    Some(Pdu::SubmitSmResp(answer)) => answer.message_id().as_str().to_owned(),
                    _ => String::new(),
                };
                self.answered(sequence, told, id).await?;
            }
            (0x8000_0000, _) => self.answered(sequence, told.max(1), String::new()).await?,
            (_, Some(Pdu::DeliverSm(deliver))) => self.delivered(sequence, Short::from(&deliver)).await,
            (_, Some(Pdu::EnquireLink)) => {
                self.pipe.put(&command(0, sequence, Pdu::EnquireLinkResp));
            }
            (_, Some(Pdu::Unbind)) => {
                self.pipe.put(&command(0, sequence, Pdu::UnbindResp));
                let _ = self.pipe.turn().await; // so that it hears that we heard
                return Err(io::Error::other("the SMSC unbound us"));
            }
            (_, Some(Pdu::DataSm(_))) => {
                self.pipe.put(&command(status::INVALID_COMMAND, sequence, DataSmResp::default()));
            }
            (_, Some(Pdu::UnbindResp)) => return Err(io::ErrorKind::UnexpectedEof.into()),
            (id, _) if id & 0x8000_0000 != 0 => {}
            (_, Some(Pdu::AlertNotification(_) | Pdu::Outbind(_))) => {}
            _ => {
                self.pipe.put(&nack(status::INVALID_COMMAND, sequence));
            }
        }
        Ok(())
    }

    async fn answered(&mut self, sequence: u32, told: u32, id: String) -> io::Result<()> {
        let Some(mut flight) = self.flight.remove(&sequence) else { return Ok(()) }; // an answer that came too late
        let full = status::is_full(told) && flight.part.tries < FULL_TRIES;
        let trouble = status::is_trouble(told) && flight.part.tries < TROUBLE_TRIES;
        if full || trouble {
            count(&self.keep.wires.gauges.throttled);
            flight.part.tries += 1;
            self.slow_down();
            self.keep.wires.gauges.set_error(format!("{} (0x{told:08x})", status::name(told)));
            self.keep.hold(flight.ticket, flight.part);
            return Ok(());
        }
        let again = flight.part.outgoing.again;
        let unsent = status::is_full(told) || told == status::WRONG_STATE;
        if unsent && again && !flight.part.is_lost() {
            self.slow_down();
            self.keep.hold(flight.ticket, flight.part); // this time it was not taken, but it may have been before
        } else {
            let outcome = match told {
                status::OK => {
                    self.speed_up();
                    count(&self.keep.wires.gauges.accepted);
                    Taken::Accepted { remote_id: id }
                }
                _ if unsent && again => Taken::Lost(Lost::NoAnswer),
                _ if unsent => Taken::NotSent,
                refused => {
                    count(&self.keep.wires.gauges.refused);
                    self.keep.wires.gauges.set_error(format!("{} (0x{refused:08x})", status::name(refused)));
                    match again && !status::is_about_the_message(refused) {
                        true => Taken::Lost(Lost::Refused), // perhaps because it has the first
                        false => Taken::Refused { status: refused, name: status::name(refused) },
                    }
                }
            };
            self.keep.conclude(&flight.part, outcome).await;
        }
        if told == status::WRONG_STATE {
            return Err(io::Error::other("the SMSC says that we are not bound"));
        }
        Ok(())
    }

    fn slow_down(&mut self) {
        self.window = (self.window / 2).max(1);
        self.slow_until = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(PAUSES.1);
    }

    fn speed_up(&mut self) {
        self.window = (self.window + 1).min(self.keep.config.window.max(1));
        self.pause = PAUSES.0;
    }

    async fn delivered(&mut self, sequence: u32, short: Short) {
        if self.unacknowledged >= UNACKNOWLEDGED {
            self.pipe.put(&command(status::TRY_LATER, sequence, DeliverSmResp::default()));
            return;
        }
        let ack = Ack { session: self.keep.sessions, sequence };
        let now = self.keep.clock.now();
        let report = match incoming::read(&self.keep.config, &short, now) {
            Read::Nothing => {
                count(&self.keep.wires.gauges.incoming);
                self.pipe.put(&command(status::OK, sequence, DeliverSmResp::default()));
                return;
            }
            Read::Receipt(receipt) => {
                count(&self.keep.wires.gauges.receipts);
                Report::Receipt(receipt, ack)
            }
            Read::Message(incoming) => {
                count(&self.keep.wires.gauges.incoming);
                Report::Incoming(incoming, ack)
            }
            Read::Part(part) => {
                count(&self.keep.wires.gauges.incoming);
                Report::Part(part, ack)
            }
        };
        self.unacknowledged += 1;
        self.keep.report(report).await;
    }

    fn acknowledge(&mut self, ack: Ack, answer: u32) {
        if ack.session == self.keep.sessions {
            self.unacknowledged = self.unacknowledged.saturating_sub(1);
            self.pipe.put(&command(answer, ack.sequence, DeliverSmResp::default()));
        }
    }
}
