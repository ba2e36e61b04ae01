//! Hearing digits in the sound: eight Goertzel filters over windows of 12.75 ms, half of each over the next.
//!
//! A window holds a digit where one row and one column stand out from their neighbours, are of similar strength (8 dB apart at
//! the most; ITU-T Q.24 wants that one way and 4 the other), and hold most of the window's energy between them, which speech does not do for long.
//! Four such windows in a row (32 ms) begin a digit, and three without it end it: tones of 40 ms with pauses of 40 ms are told apart.

use std::time::Duration;

use super::{COLUMNS, Digit, Key, Means, ROWS};

/// Samples of a window at 8000 Hz: 78 Hz of resolution, about the distance between two rows.
const WINDOW: usize = 102;
const STEP: usize = WINDOW / 2;
/// Windows that begin and that end a digit.
const BEGIN: u32 = 4;
const END: u32 = 3;
/// How much stronger than its neighbours a tone is: 8 dB among the rows, and 7 among the columns, into which a strong row leaks.
const ROW_PEAK: f32 = 6.3;
const COLUMN_PEAK: f32 = 5.0;
/// How far row and column may be apart: 10 dB, as the windows measure it.
const TWIST: f32 = 10.0;
/// The part of the energy that both hold.
const SHARE: f32 = 0.78;
/// The mean square below which nothing is a digit: about 45 dB below full scale.
const FAINT: f32 = 10_000.0;

/// Listens to one far end at 8000 Hz.
#[derive(Clone, Debug)]
pub struct Detector {
    window: Vec<f32>,
    coefficients: [f32; 8],
    candidate: Option<Key>,
    hits: u32,
    misses: u32,
    /// The digit that sounds, and the windows that it has lasted.
    sounding: Option<(Key, u32)>,
}

impl Default for Detector {
    fn default() -> Self {
        let coefficient = |hertz: f32| 2.0 * (std::f32::consts::TAU * hertz / 8_000.0).cos();
        let ([a, b, c, d], [e, f, g, h]) = (ROWS, COLUMNS);
        let coefficients = [a, b, c, d, e, f, g, h].map(coefficient);
        Self { window: Vec::with_capacity(WINDOW), coefficients, candidate: None, hits: 0, misses: 0, sounding: None }
    }
}

/// What a stretch of sound told.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Told {
    /// Keys that were pressed.
    pub began: Vec<Key>,
    /// Keys that were let go.
    pub ended: Vec<Digit>,
}

impl Detector {
    /// Takes samples at 8000 Hz, as many as there are.
    pub fn take(&mut self, samples: &[i16]) -> Told {
        let mut told = Told::default();
        for sample in samples {
            self.window.push(f32::from(*sample));
            if self.window.len() == WINDOW {
                let key = self.key();
                self.window.drain(..STEP);
                self.step(key, &mut told);
            }
        }
        told
    }

    /// Whether a digit sounds.
    #[must_use]
    pub const fn is_sounding(&self) -> bool {
        self.sounding.is_some()
    }

    fn step(&mut self, key: Option<Key>, told: &mut Told) {
        if let Some((sounding, lasted)) = &mut self.sounding {
            *lasted += 1;
            if key == Some(*sounding) {
                self.misses = 0;
            } else {
                self.misses += 1;
            }
            if self.misses >= END {
                let windows = *lasted - self.misses;
                told.ended.push(Digit { key: *sounding, duration: length(windows), means: Means::Tone });
                self.sounding = None;
            }
        }
        if self.sounding.is_some() {
            return;
        }
        self.hits = match key {
            Some(_) if key == self.candidate => self.hits + 1,
            Some(_) => 1,
            None => 0,
        };
        self.candidate = key;
        if let Some(key) = key.filter(|_| self.hits >= BEGIN) {
            (self.sounding, self.misses) = (Some((key, self.hits)), 0);
            (self.hits, self.candidate) = (0, None);
            told.began.push(key);
        }
    }

    /// The digit of one window.
    fn key(&self) -> Option<Key> {
        #[expect(clippy::cast_precision_loss, reason = "about a hundred")]
        let count = WINDOW as f32;
        let energy: f32 = self.window.iter().map(|sample| sample * sample).sum();
        if energy < FAINT * count {
            return None;
        }
        let powers = self.coefficients.map(|coefficient| goertzel(&self.window, coefficient));
        let ([rows @ .., _, _, _, _], [_, _, _, _, columns @ ..]) = (&powers, &powers);
        let ((row, low), (column, high)) = (peak(rows, ROW_PEAK)?, peak(columns, COLUMN_PEAK)?);
        let close = low < high * TWIST && high < low * TWIST;
        // A sine's power by this measure is its energy times half the samples.
        let share = (low + high) / (energy * count / 2.0);
        if close && share > SHARE { Key::at(row, column) } else { None }
    }
}

fn length(windows: u32) -> Duration {
    let samples = u64::from(windows) * STEP as u64 + STEP as u64;
    Duration::from_micros(samples * 125)
}

fn goertzel(samples: &[f32], coefficient: f32) -> f32 {
    let (last, before) =
        samples.iter().fold((0.0f32, 0.0f32), |(last, before), sample| (sample + coefficient * last - before, last));
    last * last + before * before - coefficient * last * before
}

/// The strongest of four, if it stands out.
fn peak(powers: &[f32], by: f32) -> Option<(usize, f32)> {
    let (place, most) = powers.iter().copied().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    let others = powers.iter().enumerate().filter(|(other, _)| *other != place);
    others.map(|(_, power)| power).all(|power| power * by < most).then_some((place, most))
}

#[cfg(test)]
mod tests {
    use tandem_kernel::SeededRng;

    use super::*;
    use crate::{codec::Rate, dtmf::tone};

    const ALL: &str = "1234567890*#ABCD";

    fn noise(rng: &SeededRng, amplitude: f32) -> f32 {
        (rng.next() % 2001) as f32 / 1000.0 * amplitude - amplitude
    }

    fn dial(milliseconds: usize, pause: usize, change: impl Fn(usize, f32, f32) -> f32) -> Vec<i16> {
        let mut all = vec![0i16; 77];
        for key in Key::all(ALL).unwrap() {
            let (row, column) = key.place();
            let step = std::f32::consts::TAU / 8000.0;
            let sample =
                |n: usize| change(n, (n as f32 * ROWS[row] * step).sin(), (n as f32 * COLUMNS[column] * step).sin()) as i16;
            all.extend((0..milliseconds * 8).map(sample));
            all.extend(vec![0; pause * 8]);
        }
        all.extend([0; 800]);
        all
    }

    fn heard(samples: &[i16]) -> (String, Vec<u128>) {
        let mut detector = Detector::default();
        let told: Vec<Digit> = samples.chunks(160).flat_map(|frame| detector.take(frame).ended).collect();
        (told.iter().map(|digit| digit.key.name()).collect(), told.iter().map(|digit| digit.duration.as_millis()).collect())
    }

    #[test]
    fn every_digit_of_forty_milliseconds_is_heard() {
        let (digits, lengths) = heard(&dial(40, 40, |_, low, high| 6000.0 * (low + high)));
        assert_eq!(digits, ALL);
        assert!(lengths.iter().all(|length| (28..=52).contains(length)), "{lengths:?}");
        assert_eq!(heard(&dial(100, 50, |_, low, high| 400.0 * (low + high))).0, ALL);
        assert_eq!(heard(&dial(40, 40, |_, low, high| 15_000.0 * (low + high))).0, ALL);
    }

    #[test]
    fn eight_decibels_of_twist_either_way_are_allowed_and_fourteen_are_not() {
        let by = |decibels: f32| 10f32.powf(decibels / 20.0);
        assert_eq!(heard(&dial(40, 40, |_, low, high| 3000.0 * (low * by(8.0) + high))).0, ALL);
        assert_eq!(heard(&dial(40, 40, |_, low, high| 3000.0 * (low + high * by(8.0)))).0, ALL);
        assert_eq!(heard(&dial(40, 40, |_, low, high| 2000.0 * (low + high * by(14.0)))).0, "");
    }

    #[test]
    fn tones_may_be_off_by_one_and_a_half_percent() {
        for off in [0.985f32, 1.015] {
            let mut all = vec![0i16; 33];
            for key in Key::all(ALL).unwrap() {
                let (row, column) = key.place();
                let pair = [ROWS[row] * off, COLUMNS[column] * off];
                all.extend(crate::dtmf::tone::sines(&pair, Rate::Narrow, 400, 6000.0));
                all.extend([0; 400]);
            }
            assert_eq!(heard(&all).0, ALL, "{off}");
        }
    }

    #[test]
    fn digits_are_heard_through_noise_and_the_telephones_codec() {
        let rng = SeededRng::new(3);
        assert_eq!(heard(&dial(50, 50, |_, low, high| 5000.0 * (low + high) + noise(&rng, 1400.0))).0, ALL);
        let (mut encoder, mut decoder) =
            (crate::codec::Encoder::new(crate::Codec::Pcmu), crate::codec::Decoder::new(crate::Codec::Pcmu));
        let (mut packet, mut samples) = (Vec::new(), Vec::new());
        encoder.encode(&dial(40, 40, |_, low, high| 6000.0 * (low + high)), &mut packet);
        for part in packet.chunks(160) {
            let mut frame = Vec::new();
            decoder.decode(part, &mut frame);
            samples.extend(frame);
        }
        assert_eq!(heard(&samples).0, ALL);
    }

    #[test]
    fn our_own_tones_are_heard() {
        let keys = Key::all(ALL).unwrap();
        let all: Vec<i16> = keys.iter().flat_map(|key| [tone(*key, Rate::Narrow, 80), vec![0; 640]]).flatten().collect();
        assert_eq!(heard(&all).0, ALL);
    }

    #[test]
    fn a_held_key_is_one_digit_and_one_pressed_twice_is_two() {
        let key = Key::new('5').unwrap();
        let (digits, lengths) = heard(&[tone(key, Rate::Narrow, 2000), vec![0; 800]].concat());
        assert_eq!((digits.as_str(), (1980..2020).contains(&lengths[0])), ("5", true));
        let twice = [tone(key, Rate::Narrow, 60), vec![0; 320], tone(key, Rate::Narrow, 60), vec![0; 800]].concat();
        assert_eq!(heard(&twice).0, "55");
    }

    /// Two minutes of vowels that change pitch and formants the way a voice does, with noise between them; single tones; chords.
    #[test]
    fn no_digit_is_heard_in_what_is_none() {
        let rng = SeededRng::new(11);
        let white: Vec<i16> = (0..8000 * 60).map(|_| noise(&rng, 12_000.0) as i16).collect();
        assert_eq!(heard(&white).0, "");
        let mut voice = Vec::new();
        for _ in 0..800 {
            let pitch = 85.0 + (rng.next() % 200) as f32;
            let formants =
                [300.0 + (rng.next() % 600) as f32, 900.0 + (rng.next() % 1400) as f32, 2400.0 + (rng.next() % 800) as f32];
            let strength =
                |hertz: f32| formants.iter().map(|formant| 1.0 / (1.0 + ((hertz - formant) / 70.0).powi(2))).sum::<f32>();
            let harmonics: Vec<(f32, f32)> =
                (1..30).map(|n| n as f32 * pitch).filter(|hertz| *hertz < 3600.0).map(|hertz| (hertz, strength(hertz))).collect();
            let step = std::f32::consts::TAU / 8000.0;
            voice.extend((0..1200).map(|n| {
                let glide = n as f32 * (1.0 + n as f32 * 0.00002);
                (harmonics.iter().map(|(hertz, strength)| strength * (glide * hertz * step).sin()).sum::<f32>() * 6000.0) as i16
            }));
        }
        assert_eq!(heard(&voice).0, "");
        let sweep: Vec<i16> = (0..80_000u32).map(|n| (9000.0 * (n as f32 * n as f32 * 1.5e-5).sin()) as i16).collect();
        assert_eq!(heard(&sweep).0, "");
        let ringing: Vec<i16> = crate::dtmf::tone::sines(&[440.0, 480.0], Rate::Narrow, 16_000, 8000.0);
        let busy = crate::dtmf::tone::sines(&[480.0, 620.0], Rate::Narrow, 16_000, 8000.0);
        assert_eq!(heard(&[ringing, busy].concat()).0, "");
    }
}
