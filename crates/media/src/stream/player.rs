//! What a stream says of its own: prompts and digits in a queue, and something for the time between.

use std::{collections::VecDeque, time::Duration};

use tokio::sync::oneshot;

use crate::{
    MediaError,
    codec::Rate,
    dtmf::{self, Key, Keys, Payload, Writer},
    play::{Cursor, Part, Prompt, Repeat, Sound},
    sdp::EventFormat,
};

/// Prompts that may wait.
const QUEUE: usize = 64;
/// Milliseconds of our digits, and of the pause after each.
const PRESSED: usize = 100;
const RELEASED: usize = 100;
/// Milliseconds of a turn.
const TURN: usize = 20;

/// How something that was played ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// To its end.
    Finished,
    /// By a digit of the far end; what waited and could be interrupted by it is gone as well.
    Interrupted(Key),
    /// By us, or with the stream.
    Cancelled,
}

/// The queue of one stream.
#[derive(Default)]
pub(crate) struct Player {
    queue: VecDeque<Item>,
    background: Option<Cursor>,
    last: u64,
}

struct Item {
    id: u64,
    what: What,
    interrupted_by: Keys,
    done: Option<oneshot::Sender<Outcome>>,
}

enum What {
    Prompt(Cursor),
    Digits { keys: VecDeque<(Key, Duration)>, writer: Option<Writer>, pause: usize },
}

/// What is said in a turn of 20 ms.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// The samples that were filled in.
    Sound(Rate),
    /// A packet of an event.
    Event(Payload),
    /// The pause between two digits.
    Pause,
    /// Nothing: others may speak.
    Nothing,
}

impl Item {
    fn end(&mut self, outcome: Outcome) {
        if let Some(done) = self.done.take() {
            // Nobody has to wait for it.
            let _ = done.send(outcome);
        }
    }
}

impl Player {
    pub fn play(&mut self, prompt: &Prompt) -> Result<(u64, oneshot::Receiver<Outcome>), MediaError> {
        self.put(What::Prompt(Cursor::new(prompt)), prompt.interrupted_by)
    }

    pub fn press(&mut self, keys: &[Key]) -> Result<(u64, oneshot::Receiver<Outcome>), MediaError> {
        let pressed = Duration::from_millis(PRESSED as u64);
        let keys = keys.iter().map(|key| (*key, pressed)).collect();
        self.put(What::Digits { keys, writer: None, pause: 0 }, Keys::NONE)
    }

    /// A digit of the other party, which comes through us.
    pub fn repeat(&mut self, key: Key, duration: Duration) {
        let duration = duration.clamp(Duration::from_millis(60), Duration::from_secs(8));
        // Where the queue is full nobody hears the other party either.
        let _ = self.put(What::Digits { keys: VecDeque::from([(key, duration)]), writer: None, pause: 0 }, Keys::NONE);
    }

    fn put(&mut self, what: What, interrupted_by: Keys) -> Result<(u64, oneshot::Receiver<Outcome>), MediaError> {
        if self.queue.len() >= QUEUE {
            return Err(MediaError::QueueFull);
        }
        let (done, receiver) = oneshot::channel();
        self.last += 1;
        self.queue.push_back(Item { id: self.last, what, interrupted_by, done: Some(done) });
        Ok((self.last, receiver))
    }

    pub fn background(&mut self, prompt: Option<&Prompt>) {
        self.background = prompt.map(Cursor::new);
    }

    pub fn cancel(&mut self, id: u64) {
        if let Some(place) = self.queue.iter().position(|item| item.id == id)
            && let Some(mut item) = self.queue.remove(place)
        {
            item.end(Outcome::Cancelled);
        }
    }

    pub fn cancel_all(&mut self) {
        self.queue.drain(..).for_each(|mut item| item.end(Outcome::Cancelled));
        self.background = None;
    }

    /// A key was pressed: what it interrupts ends, beginning with what is played, up to the first that it does not.
    pub fn interrupt(&mut self, key: Key) {
        while self.queue.front().is_some_and(|item| item.interrupted_by.contains(key)) {
            if let Some(mut item) = self.queue.pop_front() {
                item.end(Outcome::Interrupted(key));
            }
        }
    }

    /// Whether there is something to say.
    pub fn is_active(&self) -> bool {
        !self.queue.is_empty() || self.background.is_some()
    }

    /// Whether others have to be silent.
    pub fn is_busy(&self) -> bool {
        !self.queue.is_empty()
    }

    /// The next 20 ms.
    pub fn turn(&mut self, events: Option<EventFormat>, samples: &mut Vec<i16>) -> Said {
        while let Some(item) = self.queue.front_mut() {
            if let (What::Digits { keys, writer: None, .. }, None) = (&item.what, events) {
                item.what = What::Prompt(Cursor::new(&audible(keys)));
            }
            let said = match &mut item.what {
                What::Prompt(cursor) => cursor.fill(samples).map(Said::Sound),
                What::Digits { keys, writer, pause } => digits(keys, writer, pause, events),
            };
            if let Some(said) = said {
                return said;
            }
            item.end(Outcome::Finished);
            self.queue.pop_front();
        }
        match self.background.as_mut().map(|cursor| cursor.fill(samples)) {
            Some(Some(rate)) => Said::Sound(rate),
            Some(None) => {
                self.background = None;
                Said::Nothing
            }
            None => Said::Nothing,
        }
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.cancel_all();
    }
}

fn digits(
    keys: &mut VecDeque<(Key, Duration)>,
    writer: &mut Option<Writer>,
    pause: &mut usize,
    events: Option<EventFormat>,
) -> Option<Said> {
    let clock = events.map_or(8_000, |format| format.clock);
    loop {
        if *pause > 0 {
            *pause -= 1;
            return Some(Said::Pause);
        }
        if let Some(payload) = writer.as_mut().and_then(|writer| writer.next(clock / 50)) {
            return Some(Said::Event(payload));
        }
        if writer.take().is_some() {
            // The ends took two turns of the pause.
            *pause = RELEASED / TURN - 2;
            continue;
        }
        let (key, duration) = keys.pop_front()?;
        *writer = Some(Writer::new(key, duration, clock));
    }
}

/// The digits as tones.
fn audible(keys: &VecDeque<(Key, Duration)>) -> Prompt {
    let rate = Rate::Narrow;
    let part = |(key, duration): &(Key, Duration)| {
        let sound = Sound::new(rate, dtmf::tone(*key, rate, usize::try_from(duration.as_millis()).unwrap_or(PRESSED)).into());
        [Part::Sound(sound), Part::Silence(Duration::from_millis(RELEASED as u64))]
    };
    Prompt { parts: keys.iter().flat_map(part).collect(), repeat: Repeat::Times(1), interrupted_by: Keys::NONE }
}
