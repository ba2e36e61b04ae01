//! The digits that the installation's own voice says, known by their sound.

use tandem_media::play::{Speech, Utterance};

/// Samples of less than this are silence: some 48 dB below full scale.
const FAINT: u16 = 128;
/// Frames of silence (20 ms each) that end a word, and that are a pause.
const ENDS: usize = 8;
const PAUSE: usize = 45;
/// The shortest and the longest word that is looked at, in samples at 8000 Hz.
const SHORTEST: usize = 640;
const LONGEST: usize = 9_600;
/// By how many samples a word may be moved against the one that it is compared with, roughly and exactly.
const ROUGH: usize = 96;
const STEP: usize = 4;
/// How alike they have to be: 1 is the same.
const ALIKE: f32 = 0.55;

/// Listens for digits.
pub(super) struct Digits {
    known: Vec<(char, Vec<f32>)>,
    word: Vec<i16>,
    quiet: usize,
    /// Whether a digit was heard since the last pause.
    some: bool,
}

impl Digits {
    /// What listens for the digits of a language; none where nothing speaks it.
    pub async fn of(speech: &dyn Speech, language: &str) -> Option<Self> {
        let mut known = Vec::new();
        for digit in '0'..='9' {
            let utterance = Utterance { text: digit.to_string(), language: language.to_owned() };
            let sound = speech.say(utterance).await.ok()?;
            known.push((digit, trimmed(sound.samples())));
        }
        Some(Self { known, word: Vec::new(), quiet: 0, some: false })
    }

    /// The next frame; a digit once it has been heard, a space once it has been silent for long after some.
    pub fn take(&mut self, frame: &[i16]) -> Option<char> {
        if frame.iter().any(|sample| sample.unsigned_abs() > FAINT) {
            self.quiet = 0;
            if self.word.len() < LONGEST * 2 {
                self.word.extend_from_slice(frame);
            }
            return None;
        }
        self.quiet = self.quiet.saturating_add(1);
        if self.quiet == PAUSE && std::mem::take(&mut self.some) {
            return Some(' ');
        }
        if self.word.is_empty() {
            return None;
        }
        if self.quiet < ENDS {
            self.word.extend_from_slice(frame);
            return None;
        }
        let word = trimmed(&std::mem::take(&mut self.word));
        let heard = self.meant(&word);
        self.some |= heard.is_some();
        heard
    }

    fn meant(&self, word: &[f32]) -> Option<char> {
        if !(SHORTEST..LONGEST).contains(&word.len()) {
            return None;
        }
        let alike = self.known.iter().map(|(digit, sound)| (*digit, likeness(word, sound)));
        let best = alike.max_by(|(_, one), (_, other)| one.total_cmp(other));
        best.filter(|(_, alike)| *alike > ALIKE).map(|(digit, _)| digit)
    }
}

/// Without the silence around it.
fn trimmed(samples: &[i16]) -> Vec<f32> {
    let loud = |sample: &i16| sample.unsigned_abs() > FAINT;
    let first = samples.iter().position(loud).unwrap_or(samples.len());
    let last = samples.iter().rposition(loud).map_or(first, |last| last + 1);
    samples.get(first..last).unwrap_or_default().iter().copied().map(f32::from).collect()
}

/// How alike two words are at best, a little earlier or later: words that differ much in length are not.
fn likeness(one: &[f32], other: &[f32]) -> f32 {
    let (short, long) = (one.len().min(other.len()), one.len().max(other.len()));
    if short * 10 < long * 8 {
        return 0.0;
    }
    let shifted = |by: usize| {
        let later = one.get(by..).map_or(0.0, |one| correlation(one, other));
        let earlier = other.get(by..).map_or(0.0, |other| correlation(one, other));
        later.max(earlier)
    };
    let rough = (0..=ROUGH).step_by(STEP).map(|by| (by, shifted(by)));
    let (near, best) = rough.max_by(|(_, one), (_, other)| one.total_cmp(other)).unwrap_or_default();
    let exact = near.saturating_sub(STEP - 1)..near + STEP;
    exact.map(shifted).fold(best, f32::max)
}

fn correlation(one: &[f32], other: &[f32]) -> f32 {
    let (mut both, mut first, mut second) = (0.0_f32, 0.0_f32, 0.0_f32);
    for (one, other) in one.iter().zip(other) {
        both += one * other;
        first += one * one;
        second += other * other;
    }
    let power = (first * second).sqrt();
    if power > 0.0 { both / power } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise that is always the same for a seed: no two are alike.
    fn noise(seed: u64, count: usize) -> Vec<i16> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            i16::try_from(state % 8_000).unwrap_or(0) - 4_000
        };
        (0..count).map(|_| next()).collect()
    }

    fn words() -> Digits {
        let known = ('0'..='9').zip(1..).map(|(digit, seed)| (digit, trimmed(&noise(seed, 2_400)))).collect();
        Digits { known, word: Vec::new(), quiet: 0, some: false }
    }

    #[test]
    fn words_are_known_whenever_they_begin_and_pauses_are_told() {
        let mut sound = noise(99, 5_000); // a word that is none of them
        for (place, seed) in [5_u64, 1, 10, 10].into_iter().enumerate() {
            sound.extend(vec![0; 2_800 + place * 37]);
            sound.extend(noise(seed, 2_400));
        }
        sound.extend(vec![0; 12_000]);
        let mut digits = words();
        let heard: String = sound.chunks(160).filter_map(|frame| digits.take(frame)).collect();
        assert_eq!(heard, "4099 ");
    }
}
