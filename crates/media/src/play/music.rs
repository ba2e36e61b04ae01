//! Music for those who wait: made here, note by note, so that nobody's rights are touched.

use std::sync::{Arc, OnceLock};

use super::Sound;
use crate::codec::Rate;

/// Samples of one note, a quarter of a second.
const NOTE: usize = 2_000;
/// How long a note is heard, in notes: each rings into those after it.
const RING: usize = 6;
/// Four chords as steps above the A of 110 Hz, each with the eight notes that are played over it.
const BARS: [[u8; 8]; 8] = [
    [15, 22, 27, 31, 34, 31, 27, 22],
    [15, 22, 27, 30, 34, 30, 27, 22],
    [12, 19, 24, 27, 31, 27, 24, 19],
    [12, 19, 24, 29, 31, 29, 24, 19],
    [8, 15, 24, 27, 32, 27, 24, 15],
    [8, 15, 22, 27, 31, 27, 22, 15],
    [10, 17, 22, 26, 29, 26, 22, 17],
    [10, 17, 22, 27, 29, 27, 26, 22],
];

/// Sixteen seconds that begin where they end, at 8000 Hz. Made once, in some ten milliseconds.
#[must_use]
pub fn hold_music() -> Sound {
    static MADE: OnceLock<Sound> = OnceLock::new();
    MADE.get_or_init(make).clone()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "sums of a few notes, each below a sixth of full scale"
)]
fn make() -> Sound {
    let notes: Vec<u8> = BARS.iter().flatten().copied().collect();
    let mut mixed = vec![0.0f32; notes.len() * NOTE];
    let whole = mixed.len();
    for (place, step) in notes.iter().enumerate() {
        let hertz = 110.0 * (f32::from(*step) / 12.0).exp2();
        let turn = std::f32::consts::TAU * hertz / 8_000.0;
        for at in 0..NOTE * RING {
            let (time, phase) = (at as f32 / 8_000.0, at as f32 * turn);
            // A soft attack, a long decay, and a little of the octave: a plucked string far away.
            let shape = (at as f32 / 160.0).min(1.0) * (-3.2 * time).exp() * (1.0 - at as f32 / (NOTE * RING) as f32);
            let sound = (phase.sin() + 0.25 * (phase * 2.0).sin()) * shape * 3_600.0;
            if let Some(sample) = mixed.get_mut((place * NOTE + at) % whole) {
                *sample += sound;
            }
        }
    }
    let samples: Vec<i16> = mixed.into_iter().map(|sample| sample.clamp(-20_000.0, 20_000.0) as i16).collect();
    Sound::new(Rate::Narrow, Arc::from(samples))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_sixteen_seconds_long_neither_faint_nor_clipped_and_no_digit() {
        let music = hold_music();
        assert_eq!(music.duration().as_secs(), 16);
        let loudest = music.samples().iter().map(|sample| sample.unsigned_abs()).max().unwrap();
        assert!((5_000..20_000).contains(&loudest), "{loudest}");
        assert!(music.samples().chunks(8000).all(|second| second.iter().any(|sample| sample.abs() > 800)));
        let mut detector = crate::dtmf::Detector::default();
        assert_eq!(detector.take(music.samples()).began, []);
    }
}
