//! What handsets did and heard, in the memory of this process.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tandem_app::handsets::HandsetCall;
use tandem_kernel::{EnvironmentId, PhoneNumber};
use tandem_media::Reading;

/// Calls that are kept of one handset, and handsets that are remembered in all.
const CALLS: usize = 100;
const HANDSETS: usize = 10_000;
/// Tones and digits that are noted of one call.
const TONES: usize = 50;
const DIGITS: usize = 200;
/// Samples in a stretch that is judged: 200 ms at 8000 Hz.
const STRETCH: usize = 1_600;

type Handset = (EnvironmentId, PhoneNumber);

/// What handsets did and heard.
#[derive(Default)]
pub(crate) struct Log(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    handsets: HashMap<Handset, VecDeque<Arc<Entry>>>,
    /// In the order in which they were first heard of.
    order: VecDeque<Handset>,
}

/// One call.
pub(crate) struct Entry(Mutex<HandsetCall>);

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Log {
    /// Notes a call.
    pub fn begin(&self, environment: EnvironmentId, number: PhoneNumber, call: HandsetCall) -> Arc<Entry> {
        let entry = Arc::new(Entry(Mutex::new(call)));
        let mut kept = locked(&self.0);
        let handset = (environment, number);
        if !kept.handsets.contains_key(&handset) {
            kept.order.push_back(handset);
            if kept.order.len() > HANDSETS
                && let Some(oldest) = kept.order.pop_front()
            {
                kept.handsets.remove(&oldest);
            }
        }
        let calls = kept.handsets.entry(handset).or_default();
        if calls.len() >= CALLS {
            calls.pop_front();
        }
        calls.push_back(entry.clone());
        entry
    }

    /// A handset's calls, the oldest first.
    pub fn calls(&self, environment: EnvironmentId, number: PhoneNumber) -> Vec<HandsetCall> {
        let kept = locked(&self.0);
        kept.handsets.get(&(environment, number)).into_iter().flatten().map(|entry| locked(&entry.0).clone()).collect()
    }
}

impl Entry {
    /// Changes what is known of the call.
    pub fn note(&self, change: impl FnOnce(&mut HandsetCall)) {
        change(&mut locked(&self.0));
    }

    /// A digit came.
    pub fn digit(&self, key: char) {
        self.note(|call| {
            if call.digits.len() < DIGITS {
                call.digits.push(key);
            }
        });
    }
}

impl Entry {
    /// A voice said a digit, or paused after some.
    pub fn spoken(&self, digit: char) {
        self.note(|call| {
            if call.spoken.len() < DIGITS && !(digit == ' ' && call.spoken.is_empty()) {
                call.spoken.push(digit);
            }
        });
    }
}

/// Judges what a handset hears, 200 ms at a time.
#[derive(Default)]
pub(crate) struct Listening {
    samples: Vec<i16>,
}

impl Listening {
    /// The next frame.
    pub fn take(&mut self, frame: &[i16], entry: &Entry) {
        self.samples.extend_from_slice(frame);
        if self.samples.len() < STRETCH {
            return;
        }
        let Reading { level, tone } = Reading::of(&self.samples);
        self.samples.clear();
        let Some(level) = level else { return };
        entry.note(|call| {
            call.level = Some(call.level.map_or(level, |loudest| loudest.max(level)));
            call.heard_millis += 200;
            if let Some(tone) = tone {
                heard(&mut call.tones, tone);
            }
        });
    }
}

/// Notes a tone, unless it is the one that was heard last.
fn heard(tones: &mut Vec<i64>, tone: f32) {
    #[expect(clippy::cast_possible_truncation, reason = "below 4000")]
    let hertz = tone.round() as i64;
    let same = |last: &i64| (last - hertz).abs() <= 8;
    if tones.len() < TONES && !tones.last().is_some_and(same) {
        tones.push(hertz);
    }
}
