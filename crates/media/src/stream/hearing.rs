//! What the far end says, as samples, for whoever wants to judge it: and what a stretch of sound is like.

use tokio::sync::mpsc;

use crate::codec::{Converter, Rate};

/// Frames that wait for a listener; what is beyond that is lost.
const WAITING: usize = 256;
/// Samples that are looked at of a stretch.
const WINDOW: usize = 1_600;
/// Samples by which a frequency is found before it is measured.
const ROUGH: usize = 400;
/// How much of a sound one frequency has to be for it to be a tone.
const PURE: f32 = 0.6;
/// The root of the mean square below which nothing is heard: some 60 dB below full scale.
const FAINT: f32 = 32.0;

/// Frames of 20 ms at 8000 Hz of what the far end says; silence where it says nothing. Dropping it ends the listening.
#[derive(Debug)]
pub struct Hearing(mpsc::Receiver<Vec<i16>>);

impl Hearing {
    /// The next frame; `None` where the stream is over, or listens for somebody else.
    pub async fn next(&mut self) -> Option<Vec<i16>> {
        self.0.recv().await
    }
}

/// Where an ear puts what it hears.
pub(crate) struct Listener {
    frames: mpsc::Sender<Vec<i16>>,
    down: Converter,
}

/// Both ends.
pub(crate) fn listen() -> (Listener, Hearing) {
    let (frames, receiver) = mpsc::channel(WAITING);
    (Listener { frames, down: Converter::default() }, Hearing(receiver))
}

impl Listener {
    /// Whether somebody still listens.
    pub fn is_wanted(&self) -> bool {
        !self.frames.is_closed()
    }

    pub fn heard(&mut self, samples: &[i16], rate: Rate) {
        let mut frame = Vec::with_capacity(Rate::Narrow.frame());
        self.down.convert(samples, rate, Rate::Narrow, &mut frame);
        let _ = self.frames.try_send(frame); // whoever is slow misses some
    }

    pub fn silence(&self) {
        let _ = self.frames.try_send(vec![0; Rate::Narrow.frame()]); // as above
    }
}

/// What a stretch of sound at 8000 Hz is like.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Reading {
    /// The level in decibels below full scale (0 is a square wave as loud as it can be); none where it is silent.
    pub level: Option<f32>,
    /// The frequency that is most of it, in hertz, where one is.
    pub tone: Option<f32>,
}

impl Reading {
    /// Judges samples: all of them for the level, up to 200 ms from their middle for the frequency.
    #[must_use]
    pub fn of(samples: &[i16]) -> Self {
        let power = power(samples);
        if power.sqrt() < FAINT {
            return Self::default();
        }
        let level = 10.0 * (power / (32_768.0 * 32_768.0)).log10();
        let from = samples.len().saturating_sub(WINDOW) / 2;
        let middle: Vec<f32> = samples.iter().skip(from).take(WINDOW).copied().map(f32::from).collect();
        Self { level: Some(level), tone: tone(&middle) }
    }

    /// Whether one frequency is most of it, give or take a fiftieth.
    #[must_use]
    pub fn is_tone(&self, hertz: f32) -> bool {
        self.tone.is_some_and(|tone| (tone - hertz).abs() < hertz / 50.0 + 3.0)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a stretch is short")]
fn power(samples: &[i16]) -> f32 {
    let sum: f64 = samples.iter().map(|sample| f64::from(*sample) * f64::from(*sample)).sum();
    #[expect(clippy::cast_possible_truncation, reason = "at most 2^30")]
    let mean = (sum / samples.len().max(1) as f64) as f32;
    mean
}

/// The strongest frequency, if it is most of the sound: roughly by 50 ms from its middle, then exactly.
#[expect(clippy::cast_precision_loss, reason = "some thousand samples")]
fn tone(samples: &[f32]) -> Option<f32> {
    let count = samples.len() as f32;
    let energy: f32 = samples.iter().map(|sample| sample * sample).sum();
    let from = samples.len().saturating_sub(ROUGH) / 2;
    let rough = samples.get(from..from + ROUGH).unwrap_or(samples);
    let (near, _) = strongest(rough, 60.0, 3_900.0, 20.0);
    let (hertz, power) = strongest(samples, near - 20.0, near + 20.0, 2.5);
    // A sine's power by this measure is its energy times half the samples.
    (power > PURE * energy * count / 2.0).then_some(hertz)
}

fn strongest(samples: &[f32], from: f32, to: f32, step: f32) -> (f32, f32) {
    let mut best = (from, 0.0_f32);
    let mut hertz = from;
    while hertz <= to {
        let power = strength(samples, hertz);
        if power > best.1 {
            best = (hertz, power);
        }
        hertz += step;
    }
    best
}

fn strength(samples: &[f32], hertz: f32) -> f32 {
    let coefficient = 2.0 * (std::f32::consts::TAU * hertz / 8_000.0).cos();
    let (last, before) =
        samples.iter().fold((0.0_f32, 0.0_f32), |(last, before), sample| (sample + coefficient * last - before, last));
    last * last + before * before - coefficient * last * before
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf::tone::sines;

    #[test]
    fn a_tone_is_known_by_its_frequency_and_level() {
        for hertz in [100.0_f32, 440.0, 697.0, 1_000.0, 3_000.0, 3_412.0] {
            let reading = Reading::of(&sines(&[hertz], Rate::Narrow, 1_600, 8_000.0));
            assert!(reading.is_tone(hertz), "{hertz}: {reading:?}");
            let level = reading.level.expect("a level");
            assert!((-15.5..-15.0).contains(&level), "{level}"); // 8000 is 12.2 below, a sine 3 below its peak
        }
        assert!(!Reading::of(&sines(&[440.0], Rate::Narrow, 1_600, 8_000.0)).is_tone(480.0));
    }

    #[test]
    fn neither_two_tones_nor_nothing_is_a_tone() {
        let both = Reading::of(&sines(&[440.0, 1_000.0], Rate::Narrow, 1_600, 6_000.0));
        assert!(both.level.is_some() && both.tone.is_none());
        assert_eq!(Reading::of(&[0; 1_600]), Reading::default());
        assert_eq!(Reading::of(&[]), Reading::default());
    }
}
