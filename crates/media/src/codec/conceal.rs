//! Hiding what was lost: the last frame again, each time fainter.

/// Frames that are repeated at the most, 60 ms; then there is silence (compare G.711 Appendix I, which fades out within 60 ms).
const TIMES: u32 = 3;

/// Remembers the last frame that was heard.
#[derive(Debug, Default)]
pub struct Concealer {
    last: Vec<i16>,
    missing: u32,
}

impl Concealer {
    /// A frame that did come.
    pub fn heard(&mut self, frame: &[i16]) {
        self.missing = 0;
        self.last.clear();
        self.last.extend_from_slice(frame);
    }

    /// A frame of `length` samples in the place of one that is missing.
    pub fn fill(&mut self, length: usize, out: &mut Vec<i16>) {
        out.clear();
        let step = self.missing;
        self.missing = self.missing.saturating_add(1);
        if step >= TIMES || self.last.is_empty() {
            out.resize(length, 0);
            return;
        }
        // Falls evenly over the frame and over the frames, so that there is no click at their borders.
        let (whole, done) = (i64::try_from(length).unwrap_or(1).max(1), i64::from(step));
        let all = whole * i64::from(TIMES);
        let faded = self.last.iter().cycle().take(length).zip(0i64..).map(|(sample, at)| {
            let left = all - done * whole - at;
            i16::try_from(i64::from(*sample) * left / all).unwrap_or(0)
        });
        out.extend(faded);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_fades_out_within_sixty_milliseconds() {
        let mut concealer = Concealer::default();
        concealer.heard(&[3000; 160]);
        let mut out = Vec::new();
        let mut edges = Vec::new();
        for _ in 0..4 {
            concealer.fill(160, &mut out);
            edges.push((out[0], out[159]));
        }
        assert_eq!(edges, [(3000, 2006), (2000, 1006), (1000, 6), (0, 0)]);
        concealer.heard(&[3000; 160]);
        concealer.fill(160, &mut out);
        assert_eq!(out[0], 3000);
    }
}
