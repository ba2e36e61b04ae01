//! The task of one conference.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tandem_kernel::Country;
use tokio::{
    sync::Notify,
    time::{MissedTickBehavior, interval},
};

use super::{ConferenceOptions, Frames, Mix, Seat};
use crate::{
    MediaError,
    codec::{Converter, Rate},
    locked,
    play::{Cursor, Prompt, Repeat, Signal, Tone},
    record::Tap,
    stream::{Shared, now},
};

/// Prompts that may wait.
const QUEUE: usize = 64;

/// What handles, seats and the task share.
pub(super) struct Room {
    options: ConferenceOptions,
    state: Mutex<State>,
    changed: Notify,
    over: AtomicBool,
}

#[derive(Default)]
struct State {
    seats: Vec<Arc<Seat>>,
    prompts: VecDeque<Cursor>,
    tap: Option<Tap>,
}

impl Room {
    pub fn open(options: ConferenceOptions) -> Arc<Self> {
        let room = Arc::new(Self { options, state: Mutex::default(), changed: Notify::new(), over: AtomicBool::new(false) });
        tokio::spawn(run(room.clone()));
        room
    }

    pub fn admit(self: &Arc<Self>, stream: &Arc<Shared>) -> Result<Arc<Seat>, MediaError> {
        if self.over.load(Ordering::Acquire) {
            return Err(MediaError::Closed);
        }
        let mut state = locked(&self.state);
        if state.seats.len() >= self.options.members {
            return Err(MediaError::ConferenceFull);
        }
        let seat = Arc::new(Seat {
            room: Arc::downgrade(self),
            rate: self.options.rate,
            stream: Arc::downgrade(stream),
            frames: Mutex::new(Frames::default()),
            muted: AtomicBool::new(false),
            held: AtomicBool::new(false),
            deaf: AtomicBool::new(false),
        });
        state.seats.push(seat.clone());
        self.signal(&mut state, Signal::Joined);
        drop(state);
        self.changed.notify_one();
        Ok(seat)
    }

    pub fn leave(&self, seat: &Seat) {
        let mut state = locked(&self.state);
        let before = state.seats.len();
        state.seats.retain(|known| !std::ptr::eq(known.as_ref(), seat));
        if state.seats.len() < before {
            self.signal(&mut state, Signal::Left);
        }
    }

    fn signal(&self, state: &mut State, signal: Signal) {
        if self.options.tones && state.prompts.len() < QUEUE && !state.seats.is_empty() {
            let country = Country::parse("US");
            let tone = country.map(|country| Prompt::tone(&Tone::of(signal, country), Repeat::Times(1)));
            state.prompts.extend(tone.as_ref().map(Cursor::new));
        }
    }

    pub fn count(&self) -> usize {
        locked(&self.state).seats.len()
    }

    pub fn play(&self, prompt: &Prompt) -> Result<(), MediaError> {
        let mut state = locked(&self.state);
        if state.prompts.len() >= QUEUE {
            return Err(MediaError::QueueFull);
        }
        state.prompts.push_back(Cursor::new(prompt));
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    pub fn record(&self, tap: Option<Tap>) {
        locked(&self.state).tap = tap;
        self.changed.notify_one();
    }

    pub fn close(&self) {
        self.over.store(true, Ordering::Release);
        let seats = {
            let mut state = locked(&self.state);
            state.tap = None;
            std::mem::take(&mut state.seats)
        };
        seats.iter().for_each(|seat| seat.detach());
        self.changed.notify_one();
    }

    fn is_idle(&self) -> bool {
        let state = locked(&self.state);
        state.seats.is_empty() && state.prompts.is_empty() && state.tap.is_none()
    }
}

async fn run(room: Arc<Room>) {
    let mut table = Table::default();
    let mut ticks = interval(Duration::from_millis(20));
    // What was missed is not made up for in a burst: seats drop what they cannot hold.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    while !room.over.load(Ordering::Acquire) {
        if room.is_idle() {
            room.changed.notified().await;
            ticks.reset();
            continue;
        }
        ticks.tick().await;
        table.turn(&room, now());
    }
}

/// What the task keeps from turn to turn.
#[derive(Default)]
struct Table {
    mix: Mix,
    heard: Vec<(Weak<Shared>, Option<Vec<i16>>)>,
    played: Vec<i16>,
    converted: Vec<i16>,
    converter: Converter,
    out: Vec<i16>,
}

impl Table {
    fn turn(&mut self, room: &Room, now: Instant) {
        let rate = room.options.rate;
        self.mix.begin(rate.frame());
        self.collect(room, rate, now);
        // Whoever is silent hears the same as all who are.
        let mut common = None;
        for (stream, own) in &self.heard {
            let Some(stream) = stream.upgrade() else { continue };
            if let Some(own) = own {
                self.mix.without(Some(own), &mut self.out);
                locked(&stream.mouth).mixed(&self.out, rate, now);
            } else {
                let all = common.get_or_insert_with(|| {
                    let mut all = Vec::new();
                    self.mix.without(None, &mut all);
                    all
                });
                locked(&stream.mouth).mixed(all, rate, now);
            }
        }
    }

    /// Everything that is to be heard, and by whom.
    fn collect(&mut self, room: &Room, rate: Rate, now: Instant) {
        let mut state = locked(&room.state);
        self.heard.clear();
        for seat in &state.seats {
            let frame = seat.pull();
            if let Some(frame) = &frame {
                self.mix.add(frame);
            }
            if seat.hears() {
                self.heard.push((seat.stream.clone(), frame));
            }
        }
        while let Some(prompt) = state.prompts.front_mut() {
            if let Some(from) = prompt.fill(&mut self.played) {
                self.converter.convert(&self.played, from, rate, &mut self.converted);
                self.mix.add(&self.converted);
                break;
            }
            state.prompts.pop_front();
        }
        if let Some(tap) = &mut state.tap {
            self.mix.without(None, &mut self.out);
            if !tap.heard(&self.out, rate, now) {
                state.tap = None; // the recording is over
            }
        }
    }
}
