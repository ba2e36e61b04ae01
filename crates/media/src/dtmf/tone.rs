//! Making digits audible.

use super::{COLUMNS, Key, ROWS};
use crate::codec::Rate;

/// The sound of a key: both tones at 6 dB below full scale together, with edges of 2 ms that do not click.
#[must_use]
pub fn tone(key: Key, rate: Rate, milliseconds: usize) -> Vec<i16> {
    let (row, column) = key.place();
    let pair = [ROWS.get(row), COLUMNS.get(column)].map(|hertz| hertz.copied().unwrap_or_default());
    sines(&pair, rate, rate.samples(milliseconds), 8_000.0)
}

/// Sines of one amplitude each, faded in and out.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "the sum stays within 16 bits: amplitudes are ours"
)]
pub(crate) fn sines(hertz: &[f32], rate: Rate, count: usize, amplitude: f32) -> Vec<i16> {
    let step = std::f32::consts::TAU / rate.hertz() as f32;
    let edge = rate.samples(2).max(1);
    (0..count)
        .map(|at| {
            let near = (at + 1).min(count - at).min(edge) as f32 / edge as f32;
            // Within the period of a second, so that long tones stay exact.
            let place = (at % rate.hertz() as usize) as f32;
            hertz.iter().map(|hertz| (place * hertz * step).sin() * amplitude * near).sum::<f32>() as i16
        })
        .collect()
}
