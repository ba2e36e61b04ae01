//! What a stream's handle, its driver and its partners share.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tandem_kernel::{Clock, Rng};
use tokio::sync::{Notify, mpsc};

use super::{
    StreamEvent,
    ear::{Ear, Route, TURN},
    mouth::Mouth,
    now,
    wire::{Channel, Endpoint, Wire},
};
use crate::{
    locked,
    ports::Lease,
    rtp::{is_rtcp, rtcp},
    sdp::Local,
};

/// What streams take from whoever made them.
pub(crate) struct Parts {
    pub clock: Arc<dyn Clock>,
    pub rng: Arc<dyn Rng>,
    /// After how long without packets it is told.
    pub silence: Duration,
}

/// One stream. Where both locks are held, the ear's was taken first; of two streams, the ear of one and the mouth of the other.
pub(crate) struct Shared {
    pub local: Local,
    parts: Arc<Parts>,
    pub ear: Mutex<Ear>,
    pub mouth: Mutex<Mouth>,
    pub changed: Notify,
    events: mpsc::Sender<StreamEvent>,
    over: AtomicBool,
    _lease: Lease,
}

impl Shared {
    pub fn new(local: Local, lease: Lease, wire: Arc<dyn Wire>, parts: Arc<Parts>, events: mpsc::Sender<StreamEvent>) -> Arc<Self> {
        let mut random = [0; 10];
        parts.rng.fill(&mut random);
        let (ear, mouth) = (Mutex::new(Ear::new(now())), Mutex::new(Mouth::new(wire.clone(), random)));
        let shared = Self { local, parts, ear, mouth, changed: Notify::new(), events, over: AtomicBool::new(false), _lease: lease };
        let shared = Arc::new(shared);
        wire.attach(shared.clone());
        shared
    }

    /// Tells its owner. One that does not listen misses what is told; it holds nobody up.
    pub fn tell(&self, event: StreamEvent) {
        if self.events.try_send(event).is_err() {
            tracing::debug!(?event, "nobody takes what a stream tells");
        }
    }

    pub fn set_route(&self, route: Route) {
        locked(&self.ear).route(route);
        self.changed.notify_one();
    }

    /// Leaves whom it is connected to; that one is then connected to nothing.
    pub fn leave(self: &Arc<Self>) {
        let before = {
            let mut ear = locked(&self.ear);
            let before = std::mem::take(&mut ear.route);
            ear.route(Route::Nothing);
            before
        };
        match before {
            Route::Relay(peer) => {
                if let Some(peer) = peer.upgrade() {
                    let mut theirs = locked(&peer.ear);
                    if matches!(&theirs.route, Route::Relay(other) if Weak::ptr_eq(other, &Arc::downgrade(self))) {
                        theirs.route(Route::Nothing);
                    }
                }
            }
            Route::Mixer(seat) => seat.leave(),
            Route::Nothing => {}
        }
        self.changed.notify_one();
    }

    pub fn close(&self) {
        self.over.store(true, Ordering::Release);
        {
            let mut mouth = locked(&self.mouth);
            mouth.player.cancel_all();
            mouth.tap = None;
        }
        let mut ear = locked(&self.ear);
        (ear.tap, ear.listener) = (None, None);
        drop(ear);
        self.report(true, now());
        self.changed.notify_one();
    }

    /// Sends a report, and perhaps goodbye, where the far end is known.
    fn report(&self, bye: bool, now: Instant) {
        let mut ear = locked(&self.ear);
        let mut random = [0];
        self.parts.rng.fill(&mut random);
        let [random] = random;
        ear.reports.plan(now, random);
        let (channel, to) = match (ear.muxes(), ear.rtcp_target) {
            (true, _) => (Channel::Rtp, ear.source.address()),
            (false, target) => (Channel::Rtcp, target),
        };
        let Some(to) = to else { return };
        let reports = ear.reports;
        let block = ear.reception.as_mut().map(|reception| reports.block(reception, now));
        let mut mouth = locked(&self.mouth);
        let sent = mouth.report(now, rtcp::ntp(self.parts.clock.now().micros()));
        let packet = rtcp::write(mouth.ssrc, sent, block, "tandem", bye);
        mouth.send_rtcp(packet, channel, to);
    }

    fn rtcp(&self, datagram: &mut Vec<u8>, from: SocketAddr, channel: Channel, now: Instant) {
        let mut ear = locked(&self.ear);
        let Some(parts) = ear.rtcp(datagram, from) else {
            ear.refused += 1;
            return;
        };
        // Who is quiet and reports is there.
        ear.last_packet = now;
        // Reports go where reports come from, as packets do.
        if channel == Channel::Rtcp && !ear.muxes() {
            ear.rtcp_target = Some(from);
        }
        let ours = locked(&self.mouth).ssrc;
        let ntp = rtcp::ntp(self.parts.clock.now().micros());
        for part in parts {
            match part {
                rtcp::Rtcp::Report { sent, blocks, .. } => ear.reports.take(sent, &blocks, ours, now, ntp),
                rtcp::Rtcp::Bye(who) => {
                    if ear.reception.as_ref().is_some_and(|reception| who.contains(&reception.ssrc)) {
                        self.tell(StreamEvent::Bye);
                    }
                }
            }
        }
    }

    /// When silence is told.
    fn silence(&self, ear: &Ear) -> Option<Instant> {
        (ear.receives() && !ear.silent).then(|| ear.last_packet + self.parts.silence)
    }
}

impl Endpoint for Shared {
    fn datagram(&self, channel: Channel, datagram: &mut Vec<u8>, from: SocketAddr, now: Instant) {
        if channel == Channel::Rtcp || is_rtcp(datagram) {
            self.rtcp(datagram, from, channel, now);
        } else {
            locked(&self.ear).rtp(self, datagram, from, now);
        }
    }

    fn deadline(&self, now: Instant) -> Instant {
        let mut ear = locked(&self.ear);
        let wanted = ear.needs_samples() || locked(&self.mouth).player.is_active();
        let others = [ear.turns(wanted, now), ear.lapses(), self.silence(&ear)];
        others.into_iter().flatten().fold(ear.reports.next, Instant::min)
    }

    fn wake(&self, now: Instant) {
        let mut ear = locked(&self.ear);
        ear.lapse(self, now);
        if self.silence(&ear).is_some_and(|at| at <= now) {
            ear.silent = true;
            self.tell(StreamEvent::Silent(now.saturating_duration_since(ear.last_packet)));
        }
        // What is late is made up for, up to a bound that the deadline keeps.
        while let Some(turn) = ear.next_turn.filter(|turn| *turn <= now) {
            ear.next_turn = Some(turn + TURN);
            ear.turn(self, now);
            let mut mouth = locked(&self.mouth);
            if mouth.player.is_active() {
                mouth.play(now);
            }
        }
        let due = ear.reports.next <= now;
        drop(ear);
        if due {
            self.report(false, now);
        }
    }

    fn changed(&self) -> &Notify {
        &self.changed
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    fn failed(&self) {
        self.over.store(true, Ordering::Release);
        self.tell(StreamEvent::Failed);
    }
}
