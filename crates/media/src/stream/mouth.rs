//! What goes out to the far end: one continuous stream under one SSRC, whoever speaks.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    player::{Player, Said},
    wire::{Channel, Wire},
};
use crate::{
    codec::{Codec, Converter, Encoder, Rate},
    record::Tap,
    rtp::{HEADER, Header, rtcp},
    sdp::{EventFormat, Key, Negotiated, Payload},
    srtp::Context,
};

/// A pause in our own speech after which a new stretch of it begins.
const PAUSE: Duration = Duration::from_millis(100);

/// What was agreed on for what we send.
#[derive(Clone, Copy)]
struct Sending {
    payload: Payload,
    events: Option<EventFormat>,
    ptime: u8,
    sends: bool,
}

/// Who speaks: each has timestamps and sequence numbers of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Voice {
    Own,
    Relayed(u64),
}

/// Counters that never jump, though their sources do.
struct Numbers {
    voice: Option<Voice>,
    /// The last of what was sent, and when.
    sequence: u16,
    timestamp: u32,
    at: Option<Instant>,
    /// What a relayed packet's own numbers are moved by, and the first that was.
    sequence_offset: u16,
    timestamp_offset: u32,
    first: u16,
}

impl Numbers {
    /// Whether another speaks now, or the same after a pause: then timestamps go on by the time that has passed.
    fn turn(&mut self, voice: Voice, now: Instant, clock: u32) -> bool {
        let paused = voice == Voice::Own && self.at.is_some_and(|at| now.saturating_duration_since(at) > PAUSE);
        if self.voice == Some(voice) && !paused {
            return false;
        }
        let passed = self.at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.timestamp = self.timestamp.wrapping_add(ticks(passed, clock).max(clock / 50));
        self.voice = Some(voice);
        true
    }
}

/// A packet on its way through us.
pub(crate) struct Relayed<'a> {
    pub header: &'a Header,
    pub payload: &'a [u8],
    /// The codec of the stream that it belongs to.
    pub codec: Codec,
    /// The clock of the event that it is, if it is one.
    pub event: Option<u32>,
    /// Changes when its stream begins anew.
    pub epoch: u64,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passed {
    Sent,
    /// Nobody is to hear it now.
    Dropped,
    /// The far end does not understand it: it has to be put into another form.
    Foreign,
}

/// See the module.
pub(crate) struct Mouth {
    wire: Arc<dyn Wire>,
    pub ssrc: u32,
    agreed: Option<Sending>,
    /// Where the far end is.
    pub target: Option<SocketAddr>,
    keys: Option<Key>,
    srtp: Option<Context>,
    numbers: Numbers,
    encoder: Option<Encoder>,
    converter: Converter,
    converted: Vec<i16>,
    pending: Vec<i16>,
    samples: Vec<i16>,
    packet: Vec<u8>,
    pub player: Player,
    pub tap: Option<Tap>,
    pub packets: u64,
    octets: u64,
}

impl Mouth {
    /// `random` begins the SSRC, the sequence numbers and the timestamps, as RFC 3550 wants.
    pub fn new(wire: Arc<dyn Wire>, random: [u8; 10]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j] = random;
        let numbers = Numbers {
            voice: None,
            sequence: u16::from_be_bytes([i, j]),
            timestamp: u32::from_be_bytes([e, f, g, h]),
            at: None,
            sequence_offset: 0,
            timestamp_offset: 0,
            first: 0,
        };
        let ssrc = u32::from_be_bytes([a, b, c, d]);
        let (converted, pending, samples, packet) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self {
            wire,
            ssrc,
            agreed: None,
            target: None,
            keys: None,
            srtp: None,
            numbers,
            encoder: None,
            converter: Converter::default(),
            converted,
            pending,
            samples,
            packet,
            player: Player::default(),
            tap: None,
            packets: 0,
            octets: 0,
        }
    }

    pub fn negotiated(&mut self, agreed: &Negotiated) {
        let ptime = if agreed.send.codec == Codec::Opus { agreed.ptime.min(20) } else { agreed.ptime };
        let sends = agreed.direction.sends();
        if self.agreed.is_none_or(|before| before.sends != sends) {
            // What was left out on hold is no loss.
            self.numbers.voice = None;
        }
        self.agreed = Some(Sending { payload: agreed.send, events: agreed.send_events, ptime, sends });
        if self.encoder.as_ref().is_none_or(|encoder| encoder.codec() != agreed.send.codec) {
            self.encoder = Some(Encoder::new(agreed.send.codec));
            self.pending.clear();
        }
        // The same key goes on with its counter.
        let key = agreed.srtp.as_ref().map(|keys| keys.ours.clone());
        if self.keys != key {
            self.srtp = agreed.srtp.as_ref().map(|keys| Context::new(keys.suite, &keys.ours));
            self.keys = key;
        }
    }

    /// Passes a packet on, with our numbers in the place of its own.
    pub fn relay(&mut self, relayed: &Relayed<'_>, now: Instant) -> Passed {
        let Some(agreed) = self.agreed.filter(|agreed| agreed.sends && !self.player.is_busy()) else { return Passed::Dropped };
        let payload = match relayed.event {
            _ if relayed.codec != agreed.payload.codec => return Passed::Foreign,
            None => agreed.payload.payload,
            Some(clock) => match agreed.events {
                Some(events) if events.clock == clock => events.payload,
                _ => return Passed::Foreign,
            },
        };
        let header = relayed.header;
        let numbers = &mut self.numbers;
        let turned = numbers.turn(Voice::Relayed(relayed.epoch), now, agreed.payload.codec.clock());
        if turned {
            numbers.first = numbers.sequence.wrapping_add(1);
            numbers.sequence_offset = numbers.first.wrapping_sub(header.sequence);
            numbers.timestamp_offset = numbers.timestamp.wrapping_sub(header.timestamp);
        }
        let sequence = header.sequence.wrapping_add(numbers.sequence_offset);
        // A late one from before the turn would have a number that was used.
        if sequence.wrapping_sub(numbers.first) > u16::MAX / 2 {
            return Passed::Dropped;
        }
        let timestamp = header.timestamp.wrapping_add(numbers.timestamp_offset);
        if sequence.wrapping_sub(numbers.sequence) < u16::MAX / 2 {
            (numbers.sequence, numbers.timestamp) = (sequence, timestamp);
        }
        let marker = header.marker || turned;
        self.send(Header { marker, payload_type: payload, sequence, timestamp, ssrc: self.ssrc }, relayed.payload, now);
        Passed::Sent
    }

    /// Says samples of the other party, unless a prompt is being played.
    pub fn say(&mut self, samples: &[i16], rate: Rate, now: Instant) {
        if !self.player.is_busy() {
            self.speak(samples, rate, now);
        }
    }

    /// Says what a conference says, unless a prompt is being played.
    pub fn mixed(&mut self, samples: &[i16], rate: Rate, now: Instant) {
        if !self.player.is_busy() {
            self.record(samples, rate, now);
            self.speak(samples, rate, now);
        }
    }

    /// A turn of 20 ms of what is played.
    pub fn play(&mut self, now: Instant) {
        let mut samples = std::mem::take(&mut self.samples);
        match self.player.turn(self.agreed.and_then(|agreed| agreed.events), &mut samples) {
            Said::Sound(rate) => {
                self.record(&samples, rate, now);
                self.speak(&samples, rate, now);
            }
            Said::Event(event) => self.event(event, now),
            Said::Pause | Said::Nothing => {}
        }
        self.samples = samples;
    }

    /// What the other party of a relay says is recorded where it is heard.
    fn record(&mut self, samples: &[i16], rate: Rate, now: Instant) {
        if self.tap.as_mut().is_some_and(|tap| !tap.heard(samples, rate, now)) {
            self.tap = None; // the recording is over
        }
    }

    fn speak(&mut self, samples: &[i16], rate: Rate, now: Instant) {
        let Some(agreed) = self.agreed.filter(|agreed| agreed.sends) else { return };
        let Payload { payload, codec } = agreed.payload;
        self.converter.convert(samples, rate, codec.rate(), &mut self.converted);
        self.pending.extend_from_slice(&self.converted);
        let length = codec.rate().samples(usize::from(agreed.ptime));
        while self.pending.len() >= length {
            let marker = self.advance(now, codec.clock(), codec.clock() / 1000 * u32::from(agreed.ptime));
            let mut encoded = Vec::with_capacity(256);
            if let Some(encoder) = &mut self.encoder {
                encoder.encode(self.pending.get(..length).unwrap_or_default(), &mut encoded);
            }
            self.pending.drain(..length);
            let header = self.own(marker, payload);
            self.send(header, &encoded, now);
        }
    }

    fn event(&mut self, event: crate::dtmf::Payload, now: Instant) {
        let Some((agreed, events)) = self.agreed.filter(|agreed| agreed.sends).and_then(|agreed| Some((agreed, agreed.events?)))
        else {
            return;
        };
        self.pending.clear();
        let clock = agreed.payload.codec.clock();
        if event.first {
            self.advance(now, clock, clock / 50);
        } else {
            // All of an event's packets carry the time of its beginning; the time of the next sound is counted from it.
            self.numbers.sequence = self.numbers.sequence.wrapping_add(1);
        }
        let timestamp = self.numbers.timestamp;
        let header = Header { timestamp, ..self.own(event.first, events.payload) };
        let began = self.numbers.at.filter(|_| !event.first);
        self.send(header, &event.octets, now);
        if began.is_some() {
            self.numbers.at = began;
        }
    }

    /// The next number and time of our own speech. Whether a new stretch of it begins.
    fn advance(&mut self, now: Instant, clock: u32, step: u32) -> bool {
        let turned = self.numbers.turn(Voice::Own, now, clock);
        if !turned {
            self.numbers.timestamp = self.numbers.timestamp.wrapping_add(step);
        }
        self.numbers.sequence = self.numbers.sequence.wrapping_add(1);
        turned
    }

    const fn own(&self, marker: bool, payload_type: u8) -> Header {
        Header { marker, payload_type, sequence: self.numbers.sequence, timestamp: self.numbers.timestamp, ssrc: self.ssrc }
    }

    fn send(&mut self, header: Header, payload: &[u8], now: Instant) {
        self.numbers.at = Some(now);
        let Some(target) = self.target else { return };
        self.packet.clear();
        self.packet.extend_from_slice(&header.octets());
        self.packet.extend_from_slice(payload);
        if let Some(srtp) = &mut self.srtp
            && srtp.protect(&mut self.packet).is_none()
        {
            return;
        }
        if self.wire.send(Channel::Rtp, &self.packet, target) {
            self.packets += 1;
            self.octets += (self.packet.len() - HEADER) as u64;
        }
    }

    /// What a report says of us; none where we have said nothing.
    pub fn report(&self, now: Instant, ntp: u64) -> Option<rtcp::Sent> {
        let (agreed, at) = (self.agreed?, self.numbers.at.filter(|_| self.packets > 0)?);
        let passed = ticks(now.saturating_duration_since(at), agreed.payload.codec.clock());
        let timestamp = self.numbers.timestamp.wrapping_add(passed);
        let low = |count: u64| u32::try_from(count & 0xFFFF_FFFF).unwrap_or(0);
        Some(rtcp::Sent { ntp, timestamp, packets: low(self.packets), octets: low(self.octets) })
    }

    /// Sends a compound packet of RTCP.
    pub fn send_rtcp(&mut self, mut packet: Vec<u8>, channel: Channel, to: SocketAddr) {
        if let Some(srtp) = &mut self.srtp
            && srtp.protect_rtcp(&mut packet).is_none()
        {
            return;
        }
        self.wire.send(channel, &packet, to);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "timestamps wrap")]
fn ticks(passed: Duration, clock: u32) -> u32 {
    (passed.as_micros() * u128::from(clock) / 1_000_000) as u32
}
