//! What comes in from the far end: whose packets they are, how they come, what they say, and where that goes.

use std::{
    net::SocketAddr,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use super::{Shared, StreamEvent, hearing::Listener, mouth::Passed, mouth::Relayed, reports::Reports, samples::Samples};
use crate::{
    codec::{Codec, Converter, Rate},
    dtmf::{Detector, Digit, Key as Pressed, Means, Reader},
    locked,
    mixer::Seat,
    record::Tap,
    rtp::{self, Header, Place, Reception, Rtp, Source},
    sdp::{Direction, EventFormat, Key, Negotiated, Payload},
    srtp::Context,
};

/// A turn.
pub(crate) const TURN: Duration = Duration::from_millis(20);
/// How far behind turns may be made up for; beyond that they are left out.
const BEHIND: Duration = Duration::from_millis(100);

/// Where what is heard goes.
#[derive(Default)]
pub(crate) enum Route {
    #[default]
    Nothing,
    Relay(Weak<Shared>),
    Mixer(Arc<Seat>),
}

/// When digits are listened for in the sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Tones {
    /// Never.
    Never,
    /// Where the far end has not agreed to send them as events.
    #[default]
    WithoutEvents,
    /// Always: for gateways that agree to events and then let the tones pass. A tone of a key whose event came just before is the same
    /// digit, and not told.
    Always,
}

/// How long after an event a tone of the same key is taken for it.
const SAME: Duration = Duration::from_secs(1);
/// Comfort noise (RFC 3389), which nobody agreed to: it has a place among the packets, and no sound.
const COMFORT: u8 = 13;

/// What was agreed on for what comes.
struct Receiving {
    payloads: Vec<Payload>,
    events: Vec<EventFormat>,
    direction: Direction,
    mux: bool,
    usual: Codec,
}

/// What a payload type stands for.
#[derive(Clone, Copy)]
enum Kind {
    Sound(Codec),
    Event(u32),
    Comfort,
}

/// See the module.
pub(crate) struct Ear {
    agreed: Option<Receiving>,
    pub source: Source,
    keys: Option<Key>,
    srtp: Option<Context>,
    began: Instant,
    pub reception: Option<Reception>,
    /// What was counted of streams before this one: received, lost.
    pub past: (u64, u64),
    epoch: u64,
    codec: Codec,
    reader: Reader,
    last_event: Option<(Pressed, Instant)>,
    detector: Detector,
    pub tones: Tones,
    pub route: Route,
    /// Packets that the other party of a relay does not understand: they are put into another form.
    foreign: bool,
    muted: bool,
    pub samples: Samples,
    frame: Vec<i16>,
    converted: Vec<i16>,
    down: Converter,
    out: Converter,
    pub tap: Option<Tap>,
    pub listener: Option<Listener>,
    pub next_turn: Option<Instant>,
    pub last_packet: Instant,
    pub silent: bool,
    heard: bool,
    pub reports: Reports,
    pub rtcp_target: Option<SocketAddr>,
    pub refused: u64,
}

impl Ear {
    pub fn new(now: Instant) -> Self {
        Self {
            agreed: None,
            source: Source::default(),
            keys: None,
            srtp: None,
            began: now,
            reception: None,
            past: (0, 0),
            epoch: 0,
            codec: Codec::Pcmu,
            reader: Reader::default(),
            last_event: None,
            detector: Detector::default(),
            tones: Tones::default(),
            route: Route::Nothing,
            foreign: false,
            muted: false,
            samples: Samples::default(),
            frame: Vec::new(),
            converted: Vec::new(),
            down: Converter::default(),
            out: Converter::default(),
            tap: None,
            listener: None,
            next_turn: None,
            last_packet: now,
            silent: false,
            heard: false,
            reports: Reports::new(now),
            rtcp_target: None,
            refused: 0,
        }
    }

    /// Takes what was agreed on. Whether the far end is sought anew.
    pub fn negotiated(&mut self, agreed: &Negotiated, now: Instant) {
        let key = agreed.srtp.as_ref().map(|keys| keys.theirs.clone());
        if self.keys != key {
            self.srtp = agreed.srtp.as_ref().map(|keys| Context::new(keys.suite, &keys.theirs));
            self.keys = key;
        }
        self.source.describe(agreed.remote, agreed.v6);
        self.rtcp_target = if agreed.rtcp_mux { None } else { agreed.remote_rtcp };
        if self.agreed.as_ref().is_none_or(|before| !before.direction.receives()) {
            // Whoever may speak again is not silent yet.
            (self.last_packet, self.silent) = (now, false);
        }
        self.codec = agreed.send.codec;
        self.foreign = false;
        let (payloads, events) = (agreed.receive.clone(), agreed.receive_events.clone());
        self.agreed =
            Some(Receiving { payloads, events, direction: agreed.direction, mux: agreed.rtcp_mux, usual: agreed.send.codec });
    }

    pub fn codec(&self) -> Option<Codec> {
        self.agreed.as_ref().map(|agreed| agreed.usual)
    }

    pub fn receives(&self) -> bool {
        self.agreed.as_ref().is_some_and(|agreed| agreed.direction.receives())
    }

    /// Whether RTCP may come to RTP's port.
    pub fn muxes(&self) -> bool {
        self.agreed.as_ref().is_some_and(|agreed| agreed.mux)
    }

    pub fn route(&mut self, route: Route) {
        (self.route, self.foreign) = (route, false);
        self.epoch = next_epoch();
    }

    /// What was left out in between is no loss to whoever hears it again.
    pub fn mute(&mut self, muted: bool) {
        if self.muted != muted {
            (self.muted, self.epoch) = (muted, next_epoch());
        }
    }

    fn listens(&self) -> bool {
        match self.tones {
            Tones::Never => false,
            Tones::WithoutEvents => self.agreed.as_ref().is_some_and(|agreed| agreed.events.is_empty()),
            Tones::Always => self.agreed.is_some(),
        }
    }

    /// Whether somebody wants samples.
    pub fn needs_samples(&self) -> bool {
        let route = match self.route {
            Route::Nothing => false,
            Route::Relay(_) => self.foreign,
            Route::Mixer(_) => true,
        };
        route || self.tap.is_some() || self.listener.is_some() || self.listens()
    }

    fn kind(&self, payload_type: u8) -> Option<Kind> {
        let agreed = self.agreed.as_ref()?;
        let sound = agreed.payloads.iter().find(|known| known.payload == payload_type).map(|known| Kind::Sound(known.codec));
        let event = || agreed.events.iter().find(|known| known.payload == payload_type).map(|known| Kind::Event(known.clock));
        sound.or_else(event).or_else(|| (payload_type == COMFORT).then_some(Kind::Comfort))
    }

    /// A datagram on RTP's port.
    pub fn rtp(&mut self, shared: &Shared, datagram: &mut Vec<u8>, from: SocketAddr, now: Instant) {
        let Some(kind) = rtp::header(datagram).and_then(|(header, ..)| self.kind(header.payload_type)) else {
            self.refused += 1;
            return;
        };
        if self.srtp.as_mut().is_some_and(|srtp| srtp.unprotect(datagram).is_none()) {
            self.refused += 1;
            return;
        }
        let Some(packet) = Rtp::parse(datagram) else {
            self.refused += 1;
            return;
        };
        let before = self.source.address();
        if !self.source.take(from, self.srtp.is_some(), now) {
            return;
        }
        if before != Some(from) {
            locked(&shared.mouth).target = Some(from);
            shared.tell(StreamEvent::Source(from));
        }
        let Some(sequence) = self.count(&packet.header) else { return };
        self.last_packet = now;
        if !self.heard || self.silent {
            (self.heard, self.silent) = (true, false);
            shared.tell(StreamEvent::Heard);
        }
        if !self.receives() {
            return;
        }
        match kind {
            Kind::Sound(codec) => self.sound(shared, &packet, codec, sequence, now),
            Kind::Event(clock) => self.event(shared, &packet, clock, now),
            Kind::Comfort => {}
        }
    }

    /// The packet's number without end; `None` for doubles and strays.
    fn count(&mut self, header: &Header) -> Option<u64> {
        if self.reception.as_ref().is_none_or(|known| known.ssrc != header.ssrc) {
            if let Some(before) = self.reception.take() {
                self.past = (self.past.0 + before.received(), self.past.1 + before.lost());
            }
            self.reception = Some(Reception::new(header.ssrc, header.sequence));
            self.anew();
        }
        match self.reception.as_mut()?.count(header.sequence) {
            Place::At(number) => Some(number),
            Place::Anew(number) => {
                self.anew();
                Some(number)
            }
            Place::Double | Place::Stray => None,
        }
    }

    fn anew(&mut self) {
        self.epoch = next_epoch();
        self.samples.reset();
        self.reader.reset();
    }

    fn sound(&mut self, shared: &Shared, packet: &Rtp<'_>, codec: Codec, sequence: u64, now: Instant) {
        if let Some(reception) = &mut self.reception {
            reception.time(now.saturating_duration_since(self.began), packet.header.timestamp, codec.clock());
        }
        self.codec = codec;
        self.lapse(shared, now);
        self.relay(packet, None, now);
        if self.needs_samples() {
            self.samples.push(sequence, codec, packet.payload);
        }
    }

    /// Passes a packet on to the other party as it is, where that understands it.
    fn relay(&mut self, packet: &Rtp<'_>, event: Option<u32>, now: Instant) -> Option<Passed> {
        let Route::Relay(peer) = &self.route else { return None };
        let peer = peer.upgrade().filter(|_| !self.muted)?;
        let relayed = Relayed { header: &packet.header, payload: packet.payload, codec: self.codec, event, epoch: self.epoch };
        let passed = locked(&peer.mouth).relay(&relayed, now);
        match (passed, event) {
            (Passed::Sent, _) => self.foreign = false,
            (Passed::Foreign, None) => self.foreign = true,
            _ => {}
        }
        Some(passed)
    }

    fn event(&mut self, shared: &Shared, packet: &Rtp<'_>, clock: u32, now: Instant) {
        let heard = self.reader.take(&packet.header, packet.payload, clock, now);
        let passed = self.relay(packet, Some(clock), now);
        if let Some(key) = heard.began {
            self.last_event = Some((key, now));
            self.pressed(shared, key);
        }
        for digit in [heard.before, heard.ended].into_iter().flatten() {
            self.last_event = Some((digit.key, now));
            self.released(shared, digit, passed == Some(Passed::Foreign));
        }
    }

    /// A digit whose end was lost.
    pub fn lapse(&mut self, shared: &Shared, now: Instant) {
        if let Some(digit) = self.reader.lapse(now) {
            self.released(shared, digit, self.foreign);
        }
    }

    pub fn lapses(&self) -> Option<Instant> {
        self.reader.deadline()
    }

    fn pressed(&self, shared: &Shared, key: Pressed) {
        locked(&shared.mouth).player.interrupt(key);
    }

    fn released(&self, shared: &Shared, digit: Digit, repeat: bool) {
        shared.tell(StreamEvent::Digit(digit));
        if let Route::Relay(peer) = &self.route
            && let Some(peer) = peer.upgrade().filter(|_| repeat && !self.muted && digit.means == Means::Event)
        {
            locked(&peer.mouth).player.repeat(digit.key, digit.duration);
            peer.changed.notify_one();
        }
    }

    /// When the next turn is, where there is one to be; turns go on as long as somebody wants them.
    pub fn turns(&mut self, wanted: bool, now: Instant) -> Option<Instant> {
        if !wanted {
            self.next_turn = None;
            return None;
        }
        if self.next_turn.is_some_and(|next| now.saturating_duration_since(next) > BEHIND) {
            self.next_turn = None;
        }
        Some(*self.next_turn.get_or_insert(now))
    }

    /// A turn of 20 ms: what was heard goes where it is wanted.
    pub fn turn(&mut self, shared: &Shared, now: Instant) {
        self.listener.take_if(|listener| !listener.is_wanted());
        if !self.needs_samples() {
            return;
        }
        let mut frame = std::mem::take(&mut self.frame);
        match self.samples.frame(&mut frame) {
            Some(rate) => self.frame(shared, &mut frame, rate, now),
            None => self.nothing(shared, now),
        }
        self.frame = frame;
    }

    fn nothing(&mut self, shared: &Shared, now: Instant) {
        if let Some(listener) = &self.listener {
            listener.silence();
        }
        if self.detector.is_sounding() {
            self.listen(shared, &[0; Rate::Narrow.frame()], now); // a digit ends with the sound that it is in
        }
    }

    fn frame(&mut self, shared: &Shared, frame: &mut [i16], rate: Rate, now: Instant) {
        if let Some(listener) = &mut self.listener {
            listener.heard(frame, rate);
        }
        if self.listens() {
            let mut narrow = std::mem::take(&mut self.converted);
            self.down.convert(frame, rate, Rate::Narrow, &mut narrow);
            self.listen(shared, &narrow, now);
            self.converted = narrow;
        }
        if self.muted {
            frame.fill(0);
        }
        if self.tap.as_mut().is_some_and(|tap| !tap.heard(frame, rate, now)) {
            self.tap = None; // the recording is over
        }
        match &self.route {
            Route::Relay(peer) if self.foreign && !self.muted => {
                if let Some(peer) = peer.upgrade() {
                    locked(&peer.mouth).say(frame, rate, now);
                }
            }
            Route::Mixer(seat) if !self.muted => {
                self.out.convert(frame, rate, seat.rate(), &mut self.converted);
                seat.push(&self.converted);
            }
            _ => {}
        }
    }

    fn listen(&mut self, shared: &Shared, narrow: &[i16], now: Instant) {
        let told = self.detector.take(narrow);
        let last = self.last_event;
        let same = |key: Pressed| last.is_some_and(|(event, at)| event == key && now.saturating_duration_since(at) < SAME);
        told.began.iter().filter(|key| !same(**key)).for_each(|key| self.pressed(shared, *key));
        told.ended.into_iter().filter(|digit| !same(digit.key)).for_each(|digit| self.released(shared, digit, false));
    }

    /// A compound packet of RTCP, decrypted in its place. `None` where it is not the far end's.
    pub fn rtcp(&mut self, datagram: &mut Vec<u8>, from: SocketAddr) -> Option<Vec<rtp::rtcp::Rtcp>> {
        match &mut self.srtp {
            Some(srtp) => srtp.unprotect_rtcp(datagram)?,
            None if self.source.address().is_none_or(|address| address.ip() != from.ip()) => return None,
            None => {}
        }
        Some(rtp::rtcp::parse(datagram))
    }
}

/// Streams of packets are told apart wherever they come from.
fn next_epoch() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}
