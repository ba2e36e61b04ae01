//! When we report, and what the far end's reports tell (RFC 3550 section 6).

use std::time::{Duration, Instant};

use crate::rtp::{
    Reception,
    rtcp::{Block, Sent, middle},
};

/// Between two reports, on the average.
const INTERVAL: Duration = Duration::from_secs(5);

/// One stream's reports.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reports {
    /// When the next is due.
    pub next: Instant,
    /// The far end's last report: the middle of its time, and when it came.
    heard: Option<(u32, Instant)>,
    pub round_trip: Option<Duration>,
    pub lost_there: Option<f32>,
}

impl Reports {
    /// The first comes soon, so that short calls have a round trip as well.
    pub fn new(now: Instant) -> Self {
        Self { next: now + INTERVAL / 2, heard: None, round_trip: None, lost_there: None }
    }

    /// Half to one and a half times the interval (section 6.3.1).
    pub fn plan(&mut self, now: Instant, random: u8) {
        self.next = now + INTERVAL / 2 + INTERVAL * u32::from(random) / 256;
    }

    /// A report that came.
    pub fn take(&mut self, sent: Option<Sent>, blocks: &[Block], ours: u32, now: Instant, ntp: u64) {
        if let Some(sent) = sent {
            self.heard = Some((middle(sent.ntp), now));
        }
        let Some(block) = blocks.iter().find(|block| block.ssrc == ours) else { return };
        self.lost_there = Some(f32::from(block.fraction) / 256.0);
        if block.last != 0 {
            let trip = middle(ntp).wrapping_sub(block.last).wrapping_sub(block.delay);
            // Clocks that were set in between make nonsense.
            if trip < 60 << 16 {
                self.round_trip = Some(Duration::from_micros(u64::from(trip) * 1_000_000 / 65_536));
            }
        }
    }

    /// What we say of the far end's packets.
    pub fn block(&self, reception: &mut Reception, now: Instant) -> Block {
        let (last, delay) = self.heard.map_or((0, 0), |(last, at)| {
            let passed = now.saturating_duration_since(at).as_micros() * 65_536 / 1_000_000;
            (last, u32::try_from(passed).unwrap_or(u32::MAX))
        });
        let behind =
            i64::try_from(reception.expected()).unwrap_or(i64::MAX) - i64::try_from(reception.received()).unwrap_or(i64::MAX);
        Block {
            ssrc: reception.ssrc,
            fraction: reception.fraction_lost(),
            lost: i32::try_from(behind).unwrap_or(i32::MAX),
            highest: reception.extended(),
            jitter: reception.jitter(),
            last,
            delay,
        }
    }
}
