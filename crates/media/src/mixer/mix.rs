//! Adding voices.

/// Where the limiter begins, three quarters of full scale.
const KNEE: i32 = 24_576;
/// What is left above it.
const ROOM: i32 = 32_767 - KNEE;

/// The sum of a conference's frames, from which each hears all but his own.
#[derive(Clone, Debug, Default)]
pub struct Mix {
    sum: Vec<i32>,
}

impl Mix {
    /// Begins with silence of so many samples.
    pub fn begin(&mut self, length: usize) {
        self.sum.clear();
        self.sum.resize(length, 0);
    }

    /// Adds a frame.
    pub fn add(&mut self, frame: &[i16]) {
        self.sum.iter_mut().zip(frame).for_each(|(sum, sample)| *sum += i32::from(*sample));
    }

    /// What one hears whose own frame was added, or anybody whose was not.
    pub fn without(&self, own: Option<&[i16]>, out: &mut Vec<i16>) {
        out.clear();
        match own {
            Some(own) => out.extend(self.sum.iter().zip(own).map(|(sum, own)| limited(sum - i32::from(*own)))),
            None => out.extend(self.sum.iter().copied().map(limited)),
        }
    }
}

/// Quiet sound passes as it is; above the knee it is bent, so that no number of voices clips hard.
fn limited(sample: i32) -> i16 {
    let size = sample.saturating_abs();
    if size <= KNEE {
        return i16::try_from(sample).unwrap_or(0);
    }
    let over = i64::from(size - KNEE);
    let room = i64::from(ROOM);
    let bent = KNEE + i32::try_from(room * over / (room + over)).unwrap_or(ROOM);
    i16::try_from(bent * sample.signum()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hears_all_but_himself() {
        let frames = [[100i16; 4], [20; 4], [3; 4]];
        let mut mix = Mix::default();
        mix.begin(4);
        frames.iter().for_each(|frame| mix.add(frame));
        let mut out = Vec::new();
        let heard: Vec<i16> = frames
            .iter()
            .map(|frame| {
                mix.without(Some(frame), &mut out);
                out[0]
            })
            .collect();
        assert_eq!(heard, [23, 103, 120]);
        mix.without(None, &mut out);
        assert_eq!(out, [123; 4]);
    }

    #[test]
    fn loud_voices_are_bent_and_never_wrap() {
        let all: Vec<i16> = (-2_000_000..=2_000_000).step_by(1000).map(limited).collect();
        assert!(all.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!((limited(24_576), limited(-24_576), limited(0)), (24_576, -24_576, 0));
        assert!(limited(65_534) > 30_000 && limited(-65_534) < -30_000);
    }
}
