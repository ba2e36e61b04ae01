//! The small buffer between packets and samples.
//!
//! Only where samples are used: a relay passes packets on as they come. The buffer holds back until 60 ms have been collected, gives
//! out one frame of 20 ms at a time, puts packets into order, and says where one is missing. A far end whose clock is faster than ours
//! fills it; then the oldest is skipped. One that is slower, or silent, empties it; then it collects again.

use std::{collections::BTreeMap, time::Duration};

use super::Codec;

/// How much is collected before the first frame is given out.
pub const DEPTH: Duration = Duration::from_millis(60);
/// How much is held at the most.
const MOST: Duration = Duration::from_millis(200);
/// Packets that are held at the most, however little is in them.
const MOST_PACKETS: usize = 64;

/// A packet that waits: where it belongs and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The sequence number, extended beyond its 16 bits.
    pub sequence: u64,
    /// The codec's octets.
    pub payload: Vec<u8>,
    /// Its codec.
    pub codec: Codec,
    /// How long it sounds.
    pub duration: Duration,
}

/// What the buffer has for the next stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pulled {
    /// The packet that comes next.
    Packet(Packet),
    /// It is lost, and later ones are there.
    Lost,
    /// Nothing has come for as long as the buffer is deep: the far end is silent, or the buffer is collecting.
    Nothing,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Reorder {
    waiting: BTreeMap<u64, Packet>,
    next: Option<u64>,
    collecting: bool,
    /// Packets that came after their time, and doubles.
    late: u64,
}

impl Reorder {
    /// An empty buffer that collects first.
    #[must_use]
    pub fn new() -> Self {
        Self { collecting: true, ..Self::default() }
    }

    /// Takes a packet. One whose time is past is counted and dropped.
    pub fn push(&mut self, packet: Packet) {
        if self.next.is_some_and(|next| packet.sequence < next) || self.waiting.contains_key(&packet.sequence) {
            self.late += 1;
            return;
        }
        self.waiting.insert(packet.sequence, packet);
        while self.held() > MOST || self.waiting.len() > MOST_PACKETS {
            let Some((sequence, _)) = self.waiting.pop_first() else { break };
            self.next = Some(sequence + 1);
            self.late += 1;
        }
    }

    /// What comes next.
    pub fn pull(&mut self) -> Pulled {
        if self.collecting {
            if self.held() < DEPTH {
                return Pulled::Nothing;
            }
            self.collecting = false;
        }
        let Some((&first, _)) = self.waiting.first_key_value() else {
            self.collecting = true;
            return Pulled::Nothing;
        };
        let next = self.next.unwrap_or(first);
        // A jump is no loss: the far end began anew.
        let lost = first > next && first - next < 50;
        if lost {
            self.next = Some(next + 1);
            return Pulled::Lost;
        }
        self.next = Some(first + 1);
        self.waiting.pop_first().map_or(Pulled::Nothing, |(_, packet)| Pulled::Packet(packet))
    }

    /// Forgets everything: another partner speaks.
    pub fn reset(&mut self) {
        *self = Self { late: self.late, ..Self::new() };
    }

    /// Packets that came too late, came twice, or were skipped.
    #[must_use]
    pub const fn late(&self) -> u64 {
        self.late
    }

    fn held(&self) -> Duration {
        self.waiting.values().map(|packet| packet.duration).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(sequence: u64) -> Packet {
        Packet { sequence, payload: vec![sequence as u8], codec: Codec::Pcmu, duration: Duration::from_millis(20) }
    }

    fn buffer(sequences: &[u64]) -> Reorder {
        let mut buffer = Reorder::new();
        sequences.iter().for_each(|sequence| buffer.push(packet(*sequence)));
        buffer
    }

    fn drain(buffer: &mut Reorder, times: usize) -> Vec<Option<u64>> {
        let pulled = (0..times).map(|_| buffer.pull());
        pulled.map(|pulled| if let Pulled::Packet(packet) = pulled { Some(packet.sequence) } else { None }).collect()
    }

    #[test]
    fn packets_come_out_in_their_order_and_each_once() {
        let mut buffer = buffer(&[12, 10, 11, 11, 14, 13]);
        assert_eq!(drain(&mut buffer, 6), [Some(10), Some(11), Some(12), Some(13), Some(14), None]);
        assert_eq!(buffer.late(), 1);
    }

    #[test]
    fn nothing_comes_out_before_sixty_milliseconds_are_there() {
        let mut buffer = buffer(&[1, 2]);
        assert_eq!(buffer.pull(), Pulled::Nothing);
        buffer.push(packet(3));
        assert_eq!(drain(&mut buffer, 3), [Some(1), Some(2), Some(3)]);
    }

    #[test]
    fn a_lost_packet_is_told_and_a_late_one_is_not_played() {
        let mut buffer = buffer(&[1, 2, 4, 5]);
        assert_eq!(drain(&mut buffer, 2), [Some(1), Some(2)]);
        assert_eq!(buffer.pull(), Pulled::Lost);
        buffer.push(packet(3));
        assert_eq!(drain(&mut buffer, 2), [Some(4), Some(5)]);
        assert_eq!(buffer.late(), 1);
    }

    #[test]
    fn a_burst_does_not_add_delay_for_ever() {
        let mut buffer = buffer(&(0..100).collect::<Vec<_>>());
        assert_eq!(
            drain(&mut buffer, 11),
            [90, 91, 92, 93, 94, 95, 96, 97, 98, 99].map(Some).into_iter().chain([None]).collect::<Vec<_>>()
        );
    }

    #[test]
    fn packets_with_nothing_in_them_do_not_pile_up() {
        let mut buffer = Reorder::new();
        (0..100_000).for_each(|sequence| buffer.push(Packet { payload: Vec::new(), duration: Duration::ZERO, ..packet(sequence) }));
        assert_eq!(buffer.waiting.len(), MOST_PACKETS);
    }

    #[test]
    fn a_jump_is_a_new_beginning() {
        let mut buffer = buffer(&[1, 2, 3, 5000, 5001]);
        assert_eq!(drain(&mut buffer, 5), [Some(1), Some(2), Some(3), Some(5000), Some(5001)]);
    }
}
