//! What a telephone network says with tones (ITU-T E.180 and its list of national tones).

use std::sync::Arc;

use tandem_kernel::Country;

use super::Sound;
use crate::{codec::Rate, dtmf::tone::sines};

/// What a tone means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// The other telephone rings.
    Ringback,
    /// The other party speaks already.
    Busy,
    /// There is no way to the other party.
    Congestion,
    /// Speak now.
    Beep,
    /// Somebody joined a conference.
    Joined,
    /// Somebody left it.
    Left,
}

/// One period of a tone: frequencies and milliseconds, in turn; no frequency is silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tone {
    parts: Vec<(&'static [u16], usize)>,
}

/// The amplitude of tones: some 15 dB below full scale in all.
const AMPLITUDE: f32 = 4_000.0;

impl Tone {
    /// A country's tone for a signal; that of the United States for those that have the same, and otherwise what most of Europe has.
    #[must_use]
    pub fn of(signal: Signal, country: Country) -> Self {
        let parts: &[(&'static [u16], usize)] = match (signal, country.as_str()) {
            (Signal::Ringback, "US" | "CA" | "PR") => &[(&[440, 480], 2000), (&[], 4000)],
            (Signal::Ringback, "GB" | "IE" | "NZ") => &[(&[400, 450], 400), (&[], 200), (&[400, 450], 400), (&[], 2000)],
            (Signal::Ringback, "AU") => &[(&[413, 438], 400), (&[], 200), (&[413, 438], 400), (&[], 2000)],
            (Signal::Ringback, _) => &[(&[425], 1000), (&[], 4000)],
            (Signal::Busy, "US" | "CA" | "PR") => &[(&[480, 620], 500), (&[], 500)],
            (Signal::Busy, "GB") => &[(&[400], 375), (&[], 375)],
            (Signal::Busy, "AU") => &[(&[425], 375), (&[], 375)],
            (Signal::Busy, _) => &[(&[425], 500), (&[], 500)],
            (Signal::Congestion, "US" | "CA" | "PR") => &[(&[480, 620], 250), (&[], 250)],
            (Signal::Congestion, "GB") => &[(&[400], 400), (&[], 350), (&[400], 225), (&[], 525)],
            (Signal::Congestion, "AU") => &[(&[425], 375), (&[], 375), (&[425], 375), (&[], 375)],
            (Signal::Congestion, _) => &[(&[425], 250), (&[], 250)],
            (Signal::Beep, _) => &[(&[1000], 400)],
            (Signal::Joined, _) => &[(&[440], 120), (&[660], 160)],
            (Signal::Left, _) => &[(&[660], 120), (&[440], 160)],
        };
        Self { parts: parts.to_vec() }
    }

    /// One period of it.
    #[must_use]
    pub fn sound(&self, rate: Rate) -> Sound {
        let mut samples = Vec::new();
        for (hertz, milliseconds) in &self.parts {
            let hertz: Vec<f32> = hertz.iter().copied().map(f32::from).collect();
            samples.extend(sines(&hertz, rate, rate.samples(*milliseconds), AMPLITUDE));
        }
        Sound::new(rate, Arc::from(samples))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_country_has_its_cadence() {
        let ringback = |code| Tone::of(Signal::Ringback, Country::parse(code).unwrap()).sound(Rate::Narrow);
        let (us, gb) = (ringback("US"), ringback("GB"));
        assert_eq!((us.duration().as_millis(), gb.duration().as_millis()), (6000, 3000));
        let loud =
            |sound: &Sound, millis: usize| sound.samples()[millis * 8..millis * 8 + 80].iter().any(|sample| sample.abs() > 1000);
        assert!(loud(&us, 1000) && !loud(&us, 3000) && loud(&gb, 100) && !loud(&gb, 500) && loud(&gb, 700) && !loud(&gb, 1500));
    }
}
