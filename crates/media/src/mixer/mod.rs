//! Conferences: each hears all but himself, every 20 ms.
//!
//! One task for each conference. What a member's stream hears is put into the member's seat; the task takes a frame from every seat,
//! adds them, and says the rest to each. Seats hold two frames before they begin, against streams whose turns come a little earlier or
//! later than the conference's.

mod mix;
mod room;

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

pub use mix::Mix;

use crate::{
    MediaError, Rate, locked,
    play::Prompt,
    record::{Recording, Side},
    stream::{Route, Shared},
};
use room::Room;

/// Frames that a seat collects before it gives the first, and holds at the most.
const DEPTH: usize = 2;
const MOST: usize = 5;

/// What a conference is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConferenceOptions {
    /// Samples in a second: [`Rate::Wide`] where wideband parties shall hear each other as such.
    pub rate: Rate,
    /// Members at the most.
    pub members: usize,
    /// Whether all hear when somebody joins or leaves.
    pub tones: bool,
}

impl Default for ConferenceOptions {
    fn default() -> Self {
        Self { rate: Rate::Narrow, members: 250, tones: true }
    }
}

/// A conference. When the last handle is dropped it ends, and its members hear nothing any more.
pub struct Conference {
    room: Arc<Room>,
}

impl Conference {
    pub(crate) fn new(options: ConferenceOptions) -> Self {
        Self { room: Room::open(options) }
    }

    pub(crate) fn admit(&self, stream: &Arc<Shared>) -> Result<Member, MediaError> {
        let seat = self.room.admit(stream)?;
        Ok(Member { seat })
    }

    /// How many are in it.
    #[must_use]
    pub fn members(&self) -> usize {
        self.room.count()
    }

    /// Plays something to all, after what is being played.
    ///
    /// # Errors
    /// [`MediaError::QueueFull`] where 64 prompts wait.
    pub fn play(&self, prompt: &Prompt) -> Result<(), MediaError> {
        self.room.play(prompt)
    }

    /// Records all of it on one side of a recording, [`crate::record::Layout::One`] as a rule.
    pub fn record(&self, recording: &Recording, side: Side) {
        self.room.record(Some(recording.tap(side)));
    }

    /// Ends what [`Self::record`] began; the recording itself goes on.
    pub fn stop_recording(&self) {
        self.room.record(None);
    }
}

impl Drop for Conference {
    fn drop(&mut self) {
        self.room.close();
    }
}

/// A stream's place in a conference. Dropping it leaves.
pub struct Member {
    seat: Arc<Seat>,
}

impl Member {
    pub(crate) fn seat(&self) -> Arc<Seat> {
        self.seat.clone()
    }

    /// Whether the others do not hear it.
    pub fn mute(&self, muted: bool) {
        self.seat.muted.store(muted, Ordering::Relaxed);
    }

    /// Whether it is on hold: neither heard nor hearing.
    pub fn hold(&self, held: bool) {
        self.seat.held.store(held, Ordering::Relaxed);
    }

    /// Whether it hears nothing of it, though it is heard: something else is played to it meanwhile.
    pub fn deafen(&self, deaf: bool) {
        self.seat.deaf.store(deaf, Ordering::Relaxed);
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.seat.leave();
    }
}

/// Between a stream and the conference's task.
pub(crate) struct Seat {
    room: Weak<Room>,
    rate: Rate,
    stream: Weak<Shared>,
    frames: Mutex<Frames>,
    muted: AtomicBool,
    held: AtomicBool,
    deaf: AtomicBool,
}

#[derive(Default)]
struct Frames {
    waiting: VecDeque<Vec<i16>>,
    flowing: bool,
}

impl Seat {
    pub const fn rate(&self) -> Rate {
        self.rate
    }

    /// What the stream heard.
    pub fn push(&self, frame: &[i16]) {
        let mut frames = locked(&self.frames);
        if frames.waiting.len() >= MOST {
            frames.waiting.pop_front();
        }
        frames.waiting.push_back(frame.to_vec());
    }

    /// The next frame, if it speaks.
    fn pull(&self) -> Option<Vec<i16>> {
        let mut frames = locked(&self.frames);
        if !frames.flowing && frames.waiting.len() < DEPTH {
            return None;
        }
        let frame = frames.waiting.pop_front();
        frames.flowing = frame.is_some();
        frame.filter(|_| !self.muted.load(Ordering::Relaxed) && !self.is_held())
    }

    fn is_held(&self) -> bool {
        self.held.load(Ordering::Relaxed)
    }

    fn hears(&self) -> bool {
        !self.is_held() && !self.deaf.load(Ordering::Relaxed)
    }

    /// Leaves; a second time changes nothing.
    pub fn leave(&self) {
        if let Some(room) = self.room.upgrade() {
            room.leave(self);
        }
        self.detach();
    }

    /// What the stream hears does not come here any more.
    fn detach(&self) {
        let Some(stream) = self.stream.upgrade() else { return };
        let mut ear = locked(&stream.ear);
        if matches!(&ear.route, Route::Mixer(seat) if std::ptr::eq(seat.as_ref(), self)) {
            ear.route(Route::Nothing);
        }
    }
}
