//! What is known about the packets of one sender: order, loss and jitter (RFC 3550 sections 6.4.1, A.1, A.3 and A.8).

use std::time::Duration;

/// A jump ahead that is still the same stream.
const MAX_DROPOUT: u16 = 3_000;
/// A step back that is still the same stream.
const MAX_MISORDER: u16 = 100;

/// One sender's packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reception {
    /// Whose packets they are.
    pub ssrc: u32,
    base: u64,
    highest: u64,
    /// The number after one that jumped, which confirms a new beginning.
    after_jump: Option<u16>,
    received: u64,
    duplicates: u64,
    misordered: u64,
    /// Which of the last 64 numbers have come: bit 0 is the highest.
    window: u64,
    transit: Option<i64>,
    /// Sixteen times the jitter, in ticks.
    jitter: u64,
    expected_prior: u64,
    received_prior: u64,
}

/// What a packet's number told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is in order, late or early; this is its number without end.
    At(u64),
    /// It came before.
    Double,
    /// It jumped: perhaps a stray, perhaps the sender began anew. The next packet tells.
    Stray,
    /// The sender did begin anew: what was counted goes on, the numbers do not.
    Anew(u64),
}

impl Reception {
    /// Counting begins with this packet.
    #[must_use]
    pub const fn new(ssrc: u32, sequence: u16) -> Self {
        // Room to step back below the first number.
        let first = sequence as u64 + 0x1_0000;
        Self {
            ssrc,
            base: first,
            highest: first - 1,
            after_jump: None,
            received: 0,
            duplicates: 0,
            misordered: 0,
            window: 0,
            transit: None,
            jitter: 0,
            expected_prior: 0,
            received_prior: 0,
        }
    }

    /// Counts a packet.
    pub fn count(&mut self, sequence: u16) -> Place {
        #[expect(clippy::cast_possible_truncation, reason = "the number on the wire is its low half")]
        let highest = self.highest as u16;
        let ahead = sequence.wrapping_sub(highest);
        if ahead > 0 && ahead < MAX_DROPOUT {
            self.window = self.window.checked_shl(u32::from(ahead)).unwrap_or(0) | 1;
            self.highest += u64::from(ahead);
            return self.placed(self.highest);
        }
        let behind = highest.wrapping_sub(sequence);
        if behind <= MAX_MISORDER {
            return self.behind(behind);
        }
        if self.after_jump == Some(sequence) {
            return self.anew(sequence);
        }
        self.after_jump = Some(sequence.wrapping_add(1));
        Place::Stray
    }

    fn behind(&mut self, behind: u16) -> Place {
        let bit = 1u64.checked_shl(u32::from(behind)).unwrap_or(0);
        if self.window & bit != 0 {
            self.duplicates += 1;
            return Place::Double;
        }
        self.window |= bit;
        self.misordered += 1;
        let number = self.highest.saturating_sub(u64::from(behind));
        self.base = self.base.min(number);
        self.placed(number)
    }

    const fn placed(&mut self, number: u64) -> Place {
        self.after_jump = None;
        self.received += 1;
        Place::At(number)
    }

    /// What was lost before the new beginning stays counted.
    const fn anew(&mut self, sequence: u16) -> Place {
        let lost = self.expected() - if self.received < self.expected() { self.received } else { self.expected() };
        let next = (((self.highest >> 16) + 2) << 16) | sequence as u64;
        // So that expected() is what was received, the stray, this one, and what was lost.
        self.received += 2;
        self.highest = next;
        self.base = next + 1 - (self.received + lost);
        self.window = 0b11;
        self.transit = None;
        self.after_jump = None;
        Place::Anew(next)
    }

    /// Takes a packet's time into the jitter: `arrival` by our clock, `timestamp` by the sender's, which ticks `clock` times a second.
    pub fn time(&mut self, arrival: Duration, timestamp: u32, clock: u32) {
        let ticks = arrival.as_nanos().saturating_mul(u128::from(clock)) / 1_000_000_000;
        // Only differences matter, in the 32 bits that timestamps have.
        #[expect(clippy::cast_possible_truncation, reason = "timestamps wrap")]
        let transit = i64::from((ticks as u32).wrapping_sub(timestamp));
        if let Some(last) = self.transit {
            let apart = (transit - last).unsigned_abs();
            let apart = apart.min(0x1_0000_0000 - apart);
            // A pause or another clock is no jitter.
            if apart < u64::from(clock) * 5 {
                self.jitter = (self.jitter + apart).saturating_sub((self.jitter + 8) >> 4);
            }
        }
        self.transit = Some(transit);
    }

    /// Packets that came, doubles left out.
    #[must_use]
    pub const fn received(&self) -> u64 {
        self.received
    }

    /// Packets that should have come.
    #[must_use]
    pub const fn expected(&self) -> u64 {
        self.highest + 1 - self.base
    }

    /// Packets that did not come.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.expected().saturating_sub(self.received)
    }

    /// Packets that came a second time.
    #[must_use]
    pub const fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// Packets that came after their successors.
    #[must_use]
    pub const fn misordered(&self) -> u64 {
        self.misordered
    }

    /// The jitter in ticks.
    #[must_use]
    pub const fn jitter(&self) -> u32 {
        let ticks = self.jitter >> 4;
        if ticks > u32::MAX as u64 { u32::MAX } else { ticks as u32 }
    }

    /// The highest number that came with how often it began anew, as a report wants it.
    #[must_use]
    pub const fn extended(&self) -> u32 {
        (self.highest.wrapping_sub(0x1_0000) & 0xFFFF_FFFF) as u32
    }

    /// The part of the packets since the last report that was lost, in 256ths; a report is being made.
    pub fn fraction_lost(&mut self) -> u8 {
        let expected = self.expected().saturating_sub(self.expected_prior);
        let received = self.received.saturating_sub(self.received_prior);
        (self.expected_prior, self.received_prior) = (self.expected(), self.received);
        let lost = expected.saturating_sub(received);
        (lost * 256).checked_div(expected).map_or(0, |part| u8::try_from(part).unwrap_or(u8::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(numbers: &[u16]) -> Reception {
        let mut reception = Reception::new(1, numbers[0]);
        numbers.iter().for_each(|number| {
            reception.count(*number);
        });
        reception
    }

    #[test]
    fn losses_doubles_and_late_ones_are_told_apart() {
        let reception = counted(&[65_533, 65_534, 0, 65_535, 65_535, 1, 5]);
        assert_eq!((reception.received(), reception.expected(), reception.lost()), (6, 9, 3));
        assert_eq!((reception.duplicates(), reception.misordered()), (1, 1));
        assert_eq!(reception.extended(), 0x1_0000 + 5);
    }

    #[test]
    fn a_stray_is_not_counted_and_a_new_beginning_keeps_what_was_counted() {
        let mut reception = counted(&[1, 2, 4]);
        assert_eq!(reception.count(30_000), Place::Stray);
        assert_eq!(reception.count(5), Place::At(0x1_0005));
        assert_eq!(reception.count(40_000), Place::Stray);
        assert!(matches!(reception.count(40_001), Place::Anew(_)));
        reception.count(40_002);
        assert_eq!((reception.received(), reception.lost()), (7, 1));
    }

    #[test]
    fn the_part_that_was_lost_is_of_the_time_since_the_last_report() {
        let mut reception = counted(&[1, 2, 3, 5]);
        assert_eq!(reception.fraction_lost(), 51);
        assert_eq!(reception.fraction_lost(), 0);
        (6..16).for_each(|number| {
            reception.count(number);
        });
        assert_eq!(reception.fraction_lost(), 0);
    }

    #[test]
    fn jitter_converges_as_the_standard_computes_it() {
        let mut reception = counted(&[0]);
        // Every other packet comes 10 ms (80 ticks) late.
        for n in 0..1000u32 {
            let arrival = Duration::from_millis(u64::from(n * 20 + n % 2 * 10));
            reception.time(arrival, n * 160, 8000);
        }
        assert!((78..=80).contains(&reception.jitter()), "{}", reception.jitter());
        reception.time(Duration::from_secs(3600), 7, 8000);
        assert!(reception.jitter() <= 80);
    }
}
