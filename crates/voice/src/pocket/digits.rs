//! The digits that the installation's own voice says, known by their sound.
//!
//! Words are compared by how loud they are in ten bands, 10 ms after 10 ms, with time stretched as it fits best: what a network loses, makes
//! up for or delays within a word does not make another word of it.

use tandem_media::play::{Speech, Utterance};

/// Samples of less than this are silence: some 48 dB below full scale.
const FAINT: u16 = 128;
/// Frames of silence (20 ms each) that end a word, and that are a pause.
const ENDS: usize = 8;
const PAUSE: usize = 45;
/// The shortest and the longest word that is looked at, in samples at 8000 Hz.
const SHORTEST: usize = 640;
const LONGEST: usize = 8_000;
/// Samples that are looked at at once, and by which that moves on.
const WINDOW: usize = 160;
const HOP: usize = 80;
/// The middles of the bands, in hertz.
const BANDS: [f32; 10] = [300.0, 450.0, 600.0, 800.0, 1_000.0, 1_300.0, 1_700.0, 2_100.0, 2_600.0, 3_200.0];
/// The least power that tells something of a band.
const FLOOR: f32 = 1e6;
/// How far apart two words may be that are the same: those that are not are farther than 1.
const SAME: f32 = 0.95;

/// How loud each band is, as powers of ten.
type Frame = [f32; BANDS.len()];

/// Listens for digits.
pub(super) struct Digits {
    known: Vec<(char, Vec<Frame>)>,
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
            known.push((digit, frames(trimmed(sound.samples()))));
        }
        Some(Self::knowing(known))
    }

    const fn knowing(known: Vec<(char, Vec<Frame>)>) -> Self {
        Self { known, word: Vec::new(), quiet: 0, some: false }
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
        let word = std::mem::take(&mut self.word);
        let heard = self.meant(trimmed(&word));
        self.some |= heard.is_some();
        heard
    }

    fn meant(&self, word: &[i16]) -> Option<char> {
        if !(SHORTEST..LONGEST).contains(&word.len()) {
            return None;
        }
        let word = frames(word);
        let known = self.known.iter().map(|(digit, sound)| (*digit, distance(&word, sound)));
        let nearest = known.min_by(|(_, one), (_, other)| one.total_cmp(other));
        nearest.filter(|(_, apart)| *apart < SAME).map(|(digit, _)| digit)
    }
}

/// Without the silence around it.
fn trimmed(samples: &[i16]) -> &[i16] {
    let loud = |sample: &i16| sample.unsigned_abs() > FAINT;
    let first = samples.iter().position(loud).unwrap_or(samples.len());
    let last = samples.iter().rposition(loud).map_or(first, |last| last + 1);
    samples.get(first..last).unwrap_or_default()
}

fn frames(samples: &[i16]) -> Vec<Frame> {
    let step = std::f32::consts::TAU / f32::from(u16::try_from(WINDOW).unwrap_or(1));
    let shape: Vec<f32> = (0_u16..).take(WINDOW).map(|at| 0.5 - 0.5 * (f32::from(at) * step).cos()).collect();
    let places = (0..samples.len().saturating_sub(WINDOW)).step_by(HOP);
    let window = |from: usize| samples.get(from..from + WINDOW).unwrap_or_default();
    places
        .map(|from| {
            let shaped: Vec<f32> = window(from).iter().zip(&shape).map(|(sample, shape)| f32::from(*sample) * shape).collect();
            BANDS.map(|hertz| power(&shaped, hertz).max(FLOOR).log10())
        })
        .collect()
}

/// The power at a frequency (Goertzel).
fn power(samples: &[f32], hertz: f32) -> f32 {
    let coefficient = 2.0 * (std::f32::consts::TAU * hertz / 8_000.0).cos();
    let (last, before) =
        samples.iter().fold((0.0_f32, 0.0_f32), |(last, before), sample| (sample + coefficient * last - before, last));
    last * last + before * before - coefficient * last * before
}

/// How far apart two words are on the average, their times stretched as it fits best.
fn distance(one: &[Frame], other: &[Frame]) -> f32 {
    let mut row = vec![f32::INFINITY; other.len() + 1];
    if let Some(corner) = row.first_mut() {
        *corner = 0.0;
    }
    for frame in one {
        let mut next = vec![f32::INFINITY];
        for (theirs, pair) in other.iter().zip(row.windows(2)) {
            let before = pair.iter().chain(next.last()).copied().fold(f32::INFINITY, f32::min);
            next.push(apart(frame, theirs) + before);
        }
        row = next;
    }
    let steps = u16::try_from(one.len() + other.len()).unwrap_or(u16::MAX);
    row.last().map_or(f32::INFINITY, |whole| whole / f32::from(steps.max(1)))
}

fn apart(one: &Frame, other: &Frame) -> f32 {
    one.iter().zip(other).map(|(one, other)| (one - other) * (one - other)).sum::<f32>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A word of two sounds, which are others for each.
    fn word(number: u16) -> Vec<i16> {
        let sine = |hertz: f32, at: u16| (f32::from(at) * hertz * std::f32::consts::TAU / 8_000.0).sin() * 6_000.0;
        let (first, second) = (BANDS[usize::from(number % 5)], BANDS[usize::from(6 + number / 5 * 2)]);
        #[expect(clippy::cast_possible_truncation, reason = "the amplitude is ours")]
        let sound = |at: u16| if at < 1_200 { sine(first, at) as i16 } else { sine(second, at) as i16 };
        (0..2_400).map(sound).collect()
    }

    fn heard(words: &[Vec<i16>]) -> String {
        let known = ('0'..='9').zip(0..).map(|(digit, number)| (digit, frames(trimmed(&word(number))))).collect();
        let mut digits = Digits::knowing(known);
        let mut sound = vec![7_000; 9_600]; // something long that is no word
        for (place, word) in words.iter().enumerate() {
            sound.extend(vec![0; 2_800 + place * 37]);
            sound.extend(word);
        }
        sound.extend(vec![0; 12_000]);
        sound.chunks(160).filter_map(|frame| digits.take(frame)).collect()
    }

    #[test]
    fn words_are_known_whenever_they_begin_and_pauses_are_told() {
        let all: Vec<Vec<i16>> = [4, 0, 9, 9, 2].map(word).to_vec();
        assert_eq!(heard(&all), "40992 ");
    }

    #[test]
    fn what_a_network_loses_makes_no_other_word() {
        let mut lost: Vec<i16> = word(3);
        lost.drain(900..1_060);
        let mut late: Vec<i16> = word(7);
        late.splice(1_500..1_500, vec![0; 160]);
        let cut = word(5).split_off(160);
        assert_eq!(heard(&[lost, late, cut]), "375 ");
    }
}
