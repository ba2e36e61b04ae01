//! Digits as events in RTP (RFC 4733).
//!
//! An event's packets carry one timestamp, its beginning, and how long it has lasted; the last one comes three times. So a digit is
//! known by its timestamp, however many of its packets come or are lost.

use std::time::{Duration, Instant};

use super::{Digit, Key, Means};
use crate::rtp::Header;

/// After so long without a packet an event is over, though no end came.
const LAPSE: Duration = Duration::from_millis(150);
/// How often an end is sent (RFC 4733 section 2.5.1.4).
const ENDS: u8 = 3;
/// 10 dB below what the digital signal can carry.
const VOLUME: u8 = 10;

/// What a packet told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Heard {
    /// A key was pressed: prompts stop now.
    pub began: Option<Key>,
    /// A key was let go.
    pub ended: Option<Digit>,
    /// Another was before it, whose end was lost.
    pub before: Option<Digit>,
}

/// Reads the events of one far end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reader {
    current: Option<Current>,
}

#[derive(Clone, Copy, Debug)]
struct Current {
    key: Key,
    timestamp: u32,
    /// Ticks of segments before this one, and of this one.
    before: u32,
    ticks: u16,
    clock: u32,
    seen: Instant,
    told: bool,
}

impl Current {
    fn digit(&self) -> Digit {
        let ticks = u64::from(self.before) + u64::from(self.ticks);
        Digit {
            key: self.key,
            duration: Duration::from_micros(ticks * 1_000_000 / u64::from(self.clock.max(1))),
            means: Means::Event,
        }
    }
}

impl Reader {
    /// Takes a packet's payload.
    pub fn take(&mut self, header: &Header, payload: &[u8], clock: u32, now: Instant) -> Heard {
        let Some([event, flags, d0, d1]) = payload.first_chunk::<4>().copied() else { return Heard::default() };
        let Some(key) = Key::of_event(event) else { return Heard::default() };
        let (end, ticks) = (flags & 0x80 != 0, u16::from_be_bytes([d0, d1]));
        let mut heard = Heard::default();
        match &mut self.current {
            Some(current) if current.timestamp == header.timestamp => {
                current.ticks = current.ticks.max(ticks);
            }
            // An event longer than 16 bits of ticks goes on with a new timestamp (section 2.5.1.3).
            Some(current)
                if current.key == key
                    && !current.told
                    && header.timestamp.wrapping_sub(current.timestamp) == u32::from(u16::MAX) =>
            {
                current.before += u32::from(u16::MAX);
                (current.timestamp, current.ticks) = (header.timestamp, ticks);
            }
            // A late packet of the event before.
            Some(current) if header.timestamp.wrapping_sub(current.timestamp) > u32::MAX / 2 => return heard,
            current => {
                heard.before = current.filter(|current| !current.told).map(|current| current.digit());
                heard.began = Some(key);
                *current = Some(Current { key, timestamp: header.timestamp, before: 0, ticks, clock, seen: now, told: false });
            }
        }
        if let Some(current) = &mut self.current {
            current.seen = now;
            if end && !current.told {
                current.told = true;
                heard.ended = Some(current.digit());
            }
        }
        heard
    }

    /// The digit whose end was lost, when its time is over.
    pub fn lapse(&mut self, now: Instant) -> Option<Digit> {
        let current =
            self.current.as_mut().filter(|current| !current.told && now.saturating_duration_since(current.seen) >= LAPSE)?;
        current.told = true;
        Some(current.digit())
    }

    /// When [`Self::lapse`] has to be asked.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.current.filter(|current| !current.told).map(|current| current.seen + LAPSE)
    }

    /// Another stream begins: its timestamps have nothing to do with those before.
    pub const fn reset(&mut self) {
        self.current = None;
    }
}

/// Writes the packets of one digit.
#[derive(Clone, Copy, Debug)]
pub struct Writer {
    key: Key,
    ticks: u32,
    total: u32,
    ends: u8,
}

/// One packet's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload {
    /// The octets.
    pub octets: [u8; 4],
    /// Whether it is the first.
    pub first: bool,
}

impl Writer {
    /// A digit that lasts so long, by a clock that ticks so often.
    #[must_use]
    pub fn new(key: Key, duration: Duration, clock: u32) -> Self {
        let total = duration.as_micros().saturating_mul(u128::from(clock)) / 1_000_000;
        Self { key, ticks: 0, total: u32::try_from(total).unwrap_or(u32::MAX).min(u32::from(u16::MAX)), ends: 0 }
    }

    /// The packet after `step` more ticks; `None` when all have been sent.
    pub fn next(&mut self, step: u32) -> Option<Payload> {
        let first = self.ticks == 0;
        self.ticks = self.ticks.saturating_add(step.max(1)).min(self.total.max(1));
        let end = self.ticks >= self.total;
        if end {
            self.ends += 1;
        }
        if self.ends > ENDS {
            return None;
        }
        let [_, _, d0, d1] = self.ticks.to_be_bytes();
        let flags = if end { 0x80 | VOLUME } else { VOLUME };
        Some(Payload { octets: [self.key.event(), flags, d0, d1], first })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(timestamp: u32) -> Header {
        Header { marker: false, payload_type: 101, sequence: 0, timestamp, ssrc: 1 }
    }

    fn packets(key: char, ticks: u32) -> Vec<[u8; 4]> {
        let mut writer = Writer::new(Key::new(key).unwrap(), Duration::from_micros(u64::from(ticks) * 125), 8000);
        std::iter::from_fn(|| writer.next(160)).map(|payload| payload.octets).collect()
    }

    fn told(reader: &mut Reader, sent: &[(u32, [u8; 4])]) -> Vec<(char, u128)> {
        let now = Instant::now();
        let heard =
            sent.iter().map(|(timestamp, payload)| reader.take(&header(*timestamp), payload, 8000, now)).collect::<Vec<_>>();
        let later = reader.lapse(now + LAPSE);
        let digits = heard.iter().flat_map(|heard| [heard.before, heard.ended]).chain([later]).flatten();
        digits.map(|digit| (digit.key.name(), digit.duration.as_millis())).collect()
    }

    #[test]
    fn a_digit_is_written_with_three_ends() {
        let written = packets('#', 800);
        assert_eq!(written.len(), 7);
        assert_eq!(written[0], [11, 10, 0, 160]);
        assert!(written[4..].iter().all(|packet| *packet == [11, 0x8A, 3, 32]));
    }

    #[test]
    fn each_digit_is_told_once_whatever_is_lost_or_comes_twice() {
        let sent = |lost: &dyn Fn(usize) -> bool| {
            let first = packets('1', 800).into_iter().map(|packet| (1000, packet));
            let second = packets('1', 480).into_iter().map(|packet| (2600, packet));
            let all: Vec<_> =
                first.chain(second).enumerate().filter(|(at, _)| !lost(*at)).flat_map(|(_, sent)| [sent, sent]).collect();
            told(&mut Reader::default(), &all)
        };
        assert_eq!(sent(&|_| false), [('1', 100), ('1', 60)]);
        assert_eq!(sent(&|at| at < 6), [('1', 100), ('1', 60)]);
        // All ends of the first and of the second are lost: their last packets tell how long they were.
        assert_eq!(sent(&|at| (4..7).contains(&at) || at > 8), [('1', 80), ('1', 40)]);
    }

    #[test]
    fn a_late_packet_begins_no_digit() {
        let end = [5, 0x8A, 3, 32];
        assert_eq!(told(&mut Reader::default(), &[(3000, end), (1000, end), (3000, end)]), [('5', 100)]);
        assert_eq!(told(&mut Reader::default(), &[(1, [16, 0x80, 0, 1]), (2, [1, 2, 3, 4])]), [('1', 96)]);
    }

    #[test]
    fn a_long_press_is_one_digit() {
        let sent = [(0, [1, 10, 0xFF, 0xFF]), (65_535, [1, 10, 0, 160]), (65_535, [1, 0x8A, 1, 64])];
        assert_eq!(told(&mut Reader::default(), &sent), [('1', 8231)]);
    }
}
