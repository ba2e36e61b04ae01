//! How good a call sounds, estimated from what its packets went through: the E-model (ITU-T G.107, and G.107.1 for wideband codecs)
//! with the equipment factors of G.113 as far as it has them.

use std::time::Duration;

use crate::Codec;

/// What a stream's packets went through, and what a listener would say of it.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Quality {
    /// Packets that came, and packets that were sent.
    pub received: u64,
    /// Packets that we sent.
    pub sent: u64,
    /// Packets that did not come.
    pub lost: u64,
    /// Packets that came too late for the sound, where sound is taken from them.
    pub late: u64,
    /// Packets from elsewhere, with unknown payload types, or without a good tag.
    pub refused: u64,
    /// How unevenly packets come (RFC 3550 section 6.4.1).
    pub jitter: Duration,
    /// To the far end and back, by its reports.
    pub round_trip: Option<Duration>,
    /// The part of our packets that the far end lost, by its last report.
    pub lost_there: Option<f32>,
    /// The mean opinion score of what we hear, 1 to 4.5; none before packets have come.
    pub score: Option<f32>,
}

/// What is between mouth and ear.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Path {
    /// The codec.
    pub codec: Codec,
    /// The part of the packets that are missing when their time comes, 0 to 1.
    pub loss: f32,
    /// How unevenly they come.
    pub jitter: Duration,
    /// One way, without the listener's buffer.
    pub delay: Duration,
}

/// Impairment without loss, and robustness against it. G.113 has those of G.711 with concealment (appendix I) and the impairment of G.722
/// (appendix IV). The other three are our estimates: G.722's robustness, which depends on the listener's concealment, and both of Opus,
/// taken a little better than G.722.
struct Equipment {
    /// The best that a codec of its band can have.
    best: f32,
    impairment: f32,
    robustness: f32,
}

const fn equipment(codec: Codec) -> Equipment {
    match codec {
        Codec::Pcmu | Codec::Pcma => Equipment { best: 93.2, impairment: 0.0, robustness: 25.1 },
        Codec::G722 => Equipment { best: 129.0, impairment: 13.0, robustness: 13.0 },
        Codec::Opus => Equipment { best: 129.0, impairment: 8.0, robustness: 13.0 },
    }
}

/// The rating R, on the scale of 0 to 100 that both bands are brought to.
#[must_use]
pub fn rating(path: &Path) -> f32 {
    let Equipment { best, impairment, robustness } = equipment(path.codec);
    let loss = path.loss.clamp(0.0, 1.0) * 100.0;
    // A listener's buffer is about two jitters deep, and adds itself to the way.
    let delay = (path.delay + path.jitter * 2).as_secs_f32() * 1000.0;
    let equipment = impairment + (95.0 - impairment) * loss / (loss + robustness);
    let rating = best - delayed(delay) - equipment;
    (rating * 93.2 / best).clamp(0.0, 100.0)
}

/// The impairment by absolute delay in milliseconds, Idd (G.107 section 7.4).
fn delayed(milliseconds: f32) -> f32 {
    if milliseconds <= 100.0 {
        return 0.0;
    }
    let x = (milliseconds / 100.0).log2();
    25.0 * ((1.0 + x.powi(6)).powf(1.0 / 6.0) - 3.0 * (1.0 + (x / 3.0).powi(6)).powf(1.0 / 6.0) + 2.0)
}

/// The mean opinion score of a rating (G.107 annex B), 1 to 4.5.
#[must_use]
pub fn score(rating: f32) -> f32 {
    match rating {
        r if r <= 6.5 => 1.0,
        r if r >= 100.0 => 4.5,
        r => (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).clamp(1.0, 4.5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(codec: Codec, loss: f32, delay: u64) -> f32 {
        score(rating(&Path { codec, loss, jitter: Duration::ZERO, delay: Duration::from_millis(delay) }))
    }

    fn near(value: f32, wanted: f32) {
        assert!((value - wanted).abs() < 0.02, "{value} is not {wanted}");
    }

    #[test]
    fn the_scores_are_those_of_the_standard() {
        // G.107's default rating of 93.2 is 4.41; 1 % and 5 % of loss under G.711 with concealment leave 89.6 and 77.4.
        near(path(Codec::Pcmu, 0.0, 0), 4.41);
        near(path(Codec::Pcmu, 0.01, 0), 4.33);
        near(path(Codec::Pcmu, 0.05, 0), 3.93);
        near(score(50.0), 2.575);
        // Idd at 400 ms is 24.1 (G.107: R falls to about 69).
        near(delayed(400.0), 24.07);
    }

    #[test]
    fn worse_is_never_better() {
        for codec in Codec::ALL {
            let losses: Vec<f32> = (0..50u16).map(|percent| path(codec, f32::from(percent) / 100.0, 50)).collect();
            assert!(losses.windows(2).all(|pair| pair[0] >= pair[1]), "{codec:?}");
            let delays: Vec<f32> = (0..50).map(|step| path(codec, 0.01, step * 20)).collect();
            assert!(delays.windows(2).all(|pair| pair[0] >= pair[1]), "{codec:?}");
            near(path(codec, 1.0, 2000), 1.0);
        }
    }
}
