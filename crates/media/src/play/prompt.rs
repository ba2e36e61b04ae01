//! Sounds in a row, and a place in them.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use super::{Tone, hold_music};
use crate::{codec::Rate, dtmf::Keys};

/// Milliseconds of the longest silence.
const DAY: usize = 86_400_000;

/// Samples in memory, shared by all who play them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sound {
    rate: Rate,
    samples: Arc<[i16]>,
}

impl Sound {
    /// Samples of 16 bits in mono.
    #[must_use]
    pub const fn new(rate: Rate, samples: Arc<[i16]>) -> Self {
        Self { rate, samples }
    }

    /// Samples in a second.
    #[must_use]
    pub const fn rate(&self) -> Rate {
        self.rate
    }

    /// The samples.
    #[must_use]
    pub fn samples(&self) -> &[i16] {
        &self.samples
    }

    /// How long it is.
    #[must_use]
    pub fn duration(&self) -> Duration {
        let count = u64::try_from(self.samples.len()).unwrap_or(0);
        Duration::from_micros(count * 1_000_000 / u64::from(self.rate.hertz()))
    }
}

/// One part of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A recording.
    Sound(Sound),
    /// Nothing, for so long.
    Silence(Duration),
}

/// How often a prompt is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// So often; 0 is never.
    Times(u32),
    /// Until it is cancelled or interrupted.
    Forever,
}

/// What is played in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// What is played, in this order.
    pub parts: Vec<Part>,
    /// How often.
    pub repeat: Repeat,
    /// Keys that end it at once.
    pub interrupted_by: Keys,
}

impl Prompt {
    /// Recordings in a row, once, whatever is pressed.
    #[must_use]
    pub fn sounds(sounds: impl IntoIterator<Item = Sound>) -> Self {
        Self { parts: sounds.into_iter().map(Part::Sound).collect(), repeat: Repeat::Times(1), interrupted_by: Keys::NONE }
    }

    /// A tone, over and over where it has a cadence.
    #[must_use]
    pub fn tone(tone: &Tone, repeat: Repeat) -> Self {
        Self { repeat, ..Self::sounds([tone.sound(Rate::Narrow)]) }
    }

    /// Music until it is cancelled.
    #[must_use]
    pub fn music() -> Self {
        Self { repeat: Repeat::Forever, ..Self::sounds([hold_music()]) }
    }

    /// The same, ended by these keys.
    #[must_use]
    pub const fn interrupted_by(mut self, keys: Keys) -> Self {
        self.interrupted_by = keys;
        self
    }

    fn is_empty(&self) -> bool {
        self.parts.iter().all(|part| match part {
            Part::Sound(sound) => sound.samples.is_empty(),
            Part::Silence(length) => length.as_millis() == 0,
        })
    }
}

/// A place in a prompt.
#[derive(Debug)]
pub(crate) struct Cursor {
    parts: VecDeque<Part>,
    left: Repeat,
    again: Vec<Part>,
    at: usize,
}

impl Cursor {
    pub fn new(prompt: &Prompt) -> Self {
        let left = if prompt.is_empty() { Repeat::Times(0) } else { prompt.repeat };
        Self { parts: VecDeque::new(), left, again: prompt.parts.clone(), at: 0 }
    }

    /// The next 20 ms, at the rate of what is played, in `out`, which is emptied first; silence fills up what the end leaves. `None`
    /// when there is no more.
    pub fn fill(&mut self, out: &mut Vec<i16>) -> Option<Rate> {
        out.clear();
        let rate = self.rate()?;
        while out.len() < rate.frame() {
            // A part at another rate waits for the next frame.
            match self.rate() {
                Some(same) if same == rate => self.take(rate, out),
                _ => out.resize(rate.frame(), 0),
            }
        }
        Some(rate)
    }

    fn rate(&mut self) -> Option<Rate> {
        if self.parts.is_empty() {
            self.left = match self.left {
                Repeat::Times(times) => Repeat::Times(times.checked_sub(1)?),
                Repeat::Forever => Repeat::Forever,
            };
            self.parts = self.again.iter().cloned().collect();
        }
        match self.parts.front()? {
            Part::Sound(sound) => Some(sound.rate),
            Part::Silence(_) => Some(
                self.parts
                    .iter()
                    .find_map(|part| match part {
                        Part::Sound(sound) => Some(sound.rate),
                        Part::Silence(_) => None,
                    })
                    .unwrap_or_default(),
            ),
        }
    }

    fn take(&mut self, rate: Rate, out: &mut Vec<i16>) {
        let room = rate.frame() - out.len();
        let over = match self.parts.front() {
            Some(Part::Sound(sound)) => {
                let rest = sound.samples.get(self.at..).unwrap_or_default();
                let taken = rest.len().min(room);
                out.extend(rest.iter().take(taken));
                self.at += taken;
                taken == rest.len()
            }
            Some(Part::Silence(length)) => {
                let whole = rate.samples(usize::try_from(length.as_millis()).unwrap_or(DAY).min(DAY));
                let taken = whole.saturating_sub(self.at).min(room);
                out.resize(out.len() + taken, 0);
                self.at += taken;
                self.at >= whole
            }
            None => true,
        };
        if over {
            self.parts.pop_front();
            self.at = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound(rate: Rate, value: i16, count: usize) -> Part {
        Part::Sound(Sound::new(rate, Arc::from(vec![value; count])))
    }

    fn frames(parts: Vec<Part>, repeat: Repeat) -> Vec<Vec<i16>> {
        let mut cursor = Cursor::new(&Prompt { parts, repeat, interrupted_by: Keys::NONE });
        let mut out = Vec::new();
        std::iter::from_fn(|| cursor.fill(&mut out).map(|_| out.clone())).take(50).collect()
    }

    #[test]
    fn parts_follow_each_other_without_a_gap_and_the_end_is_filled_up() {
        let all = frames(
            vec![sound(Rate::Narrow, 1, 200), Part::Silence(Duration::from_millis(10)), sound(Rate::Narrow, 2, 50)],
            Repeat::Times(1),
        );
        assert_eq!(all.concat(), [vec![1; 200], vec![0; 80], vec![2; 50], vec![0; 150]].concat());
    }

    #[test]
    fn a_repetition_follows_at_once_and_nothing_is_never_played() {
        assert_eq!(frames(vec![sound(Rate::Narrow, 1, 240)], Repeat::Times(2)).concat(), vec![1; 480]);
        assert_eq!(frames(vec![sound(Rate::Narrow, 1, 7)], Repeat::Forever).len(), 50);
        assert_eq!(frames(vec![sound(Rate::Narrow, 1, 0)], Repeat::Forever).len(), 0);
        assert_eq!(frames(vec![], Repeat::Forever).len(), 0);
        assert_eq!(frames(vec![sound(Rate::Narrow, 1, 9)], Repeat::Times(0)).len(), 0);
        assert_eq!(frames(vec![Part::Silence(Duration::MAX)], Repeat::Forever).len(), 50);
        assert_eq!(frames(vec![Part::Silence(Duration::from_micros(10))], Repeat::Forever).len(), 0);
    }

    #[test]
    fn each_part_keeps_its_rate() {
        let all = frames(vec![sound(Rate::Narrow, 1, 100), sound(Rate::Wide, 2, 320)], Repeat::Times(1));
        assert_eq!(all, [[vec![1; 100], vec![0; 60]].concat(), vec![2; 320]]);
    }
}
