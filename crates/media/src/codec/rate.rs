//! The two rates that samples have here, and the way from one to the other.

use audio_codec::BoxedResampler;

/// Samples in a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Rate {
    /// 8000, of the telephone.
    #[default]
    Narrow,
    /// 16000, of G.722 and Opus.
    Wide,
}

impl Rate {
    /// In hertz.
    #[must_use]
    pub const fn hertz(self) -> u32 {
        match self {
            Self::Narrow => 8_000,
            Self::Wide => 16_000,
        }
    }

    /// Samples in 20 ms.
    #[must_use]
    pub const fn frame(self) -> usize {
        match self {
            Self::Narrow => 160,
            Self::Wide => 320,
        }
    }

    /// Samples in so many milliseconds.
    #[must_use]
    pub const fn samples(self, milliseconds: usize) -> usize {
        milliseconds * self.frame() / 20
    }
}

/// Brings one continuous signal to another rate. The filter keeps its history from frame to frame, and is built when it is first
/// needed, which takes half a millisecond.
#[derive(Default)]
pub struct Converter {
    filter: Option<(Rate, Rate, BoxedResampler)>,
}

impl Converter {
    /// `samples` at the rate `to`, in `out`, which is emptied first.
    pub fn convert(&mut self, samples: &[i16], from: Rate, to: Rate, out: &mut Vec<i16>) {
        out.clear();
        if from == to {
            out.extend_from_slice(samples);
            return;
        }
        if self.filter.as_ref().is_none_or(|(had, gave, _)| (*had, *gave) != (from, to)) {
            let built = BoxedResampler::new(hertz(from), hertz(to));
            self.filter = built.ok().map(|filter| (from, to, filter));
        }
        let Some((_, _, filter)) = &mut self.filter else { return };
        out.resize(filter.max_output_samples(samples.len()), 0);
        let written = filter.resample_into(samples, out).unwrap_or(0);
        out.truncate(written);
    }
}

const fn hertz(rate: Rate) -> usize {
    rate.hertz() as usize
}

/// A whole recording at another rate, such as speech that was made at 22050 Hz. `None` for a rate of zero.
pub fn resampled(samples: &[i16], from: u32, to: u32) -> Option<Vec<i16>> {
    if from == to {
        return Some(samples.to_vec());
    }
    let mut filter = BoxedResampler::new(usize::try_from(from).ok()?, usize::try_from(to).ok()?).ok()?;
    Some(filter.resample(samples))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_survives_the_way_to_the_wide_rate_and_back() {
        let tone: Vec<i16> =
            (0..1600).map(|n| (8000.0 * (f64::from(n) * 440.0 * std::f64::consts::TAU / 8000.0).sin()) as i16).collect();
        let (mut up, mut down) = (Converter::default(), Converter::default());
        let (mut wide, mut back) = (Vec::new(), Vec::new());
        let mut all = Vec::new();
        for frame in tone.chunks(160) {
            up.convert(frame, Rate::Narrow, Rate::Wide, &mut wide);
            assert_eq!(wide.len(), 320);
            down.convert(&wide, Rate::Wide, Rate::Narrow, &mut back);
            assert_eq!(back.len(), 160);
            all.extend_from_slice(&back);
        }
        let power = |samples: &[i16]| samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / samples.len() as f64;
        let ratio = power(&all[400..]) / power(&tone[400..]);
        assert!((0.95..1.05).contains(&ratio), "{ratio}");
    }
}
