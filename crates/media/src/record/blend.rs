//! Two sides on one line of time.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::{
    Layout, Side, Spec,
    writer::{Job, Writer},
};
use crate::{Rate, stream::now};

/// A slot of time.
const SLOT: Duration = Duration::from_millis(20);
/// How many slots are kept back for those whose turn comes later.
const PATIENCE: u64 = 6;
/// How far a frame may be from the slot that follows the one before it: a clock that drifts, a turn that is late.
const SLACK: u64 = 3;
/// Slots that are written at once.
const BLOCK: u64 = 10;

/// See the module.
pub(super) struct Blend {
    writer: Arc<Writer>,
    id: u64,
    layout: Layout,
    rate: Rate,
    began: Instant,
    paused: Option<Instant>,
    sides: [Line; 2],
    /// The next slot that is written.
    next: u64,
    limit: u64,
    block: Vec<i16>,
    /// Slots that could not be written and are made up for with silence.
    owed: u64,
    lost: u64,
    full: watch::Sender<bool>,
    over: bool,
    /// When somebody was heard last, and for how many slots somebody was.
    heard: (Option<Instant>, u32),
}

/// The mean of a frame's samples from which on somebody speaks: some -48 dB below the loudest. A line that is quiet is well below.
const VOICE: u64 = 120;

/// One side's frames, by their slots.
#[derive(Default)]
struct Line {
    frames: VecDeque<(u64, Vec<i16>)>,
}

impl Blend {
    pub fn new(writer: Arc<Writer>, id: u64, spec: &Spec, full: watch::Sender<bool>) -> Self {
        let limit = u64::try_from(spec.limit.as_millis() / SLOT.as_millis()).unwrap_or(u64::MAX);
        let (layout, rate) = (spec.layout, spec.rate);
        let sides = [Line::default(), Line::default()];
        let (block, paused) = (Vec::new(), None);
        Self {
            writer,
            id,
            layout,
            rate,
            began: now(),
            paused,
            sides,
            next: 0,
            limit,
            block,
            owed: 0,
            lost: 0,
            full,
            over: false,
            heard: (None, 0),
        }
    }

    pub const fn rate(&self) -> Rate {
        self.rate
    }

    pub fn lost(&self) -> Duration {
        SLOT * u32::try_from(self.lost).unwrap_or(u32::MAX)
    }

    pub const fn is_full(&self) -> bool {
        self.next >= self.limit
    }

    /// For how long nobody has been heard, and for how long somebody was.
    pub fn heard(&self, now: Instant) -> (Duration, Duration) {
        let (last, slots) = self.heard;
        (now.saturating_duration_since(last.unwrap_or(self.began)), SLOT * slots)
    }

    pub const fn is_over(&self) -> bool {
        self.over
    }

    pub fn pause(&mut self, now: Instant) {
        if self.paused.is_none() {
            self.advance(self.slot(now));
            self.paused = Some(now);
        }
    }

    pub fn resume(&mut self, now: Instant) {
        if let Some(paused) = self.paused.take() {
            self.began += now.saturating_duration_since(paused);
        }
    }

    fn slot(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.began).as_millis() / SLOT.as_millis()).unwrap_or(u64::MAX)
    }

    /// A frame of one side, from somebody whose last frame was before the slot `next`; returns the slot after this one.
    pub fn take(&mut self, side: Side, next: u64, samples: &[i16], now: Instant) -> u64 {
        if self.paused.is_some() || self.over || self.is_full() {
            return next;
        }
        let slot = self.slot(now);
        // Frames in a row stay in a row, though their turns are not quite even.
        let slot = if next > 0 && slot.abs_diff(next) <= SLACK { next } else { slot };
        if slot < next || slot < self.next {
            return next;
        }
        let [caller, callee] = &mut self.sides;
        let line = match side {
            Side::Caller => caller,
            Side::Callee => callee,
        };
        line.add(slot, samples);
        let sum: u64 = samples.iter().map(|sample| u64::from(sample.unsigned_abs())).sum();
        if sum >= VOICE * samples.len().max(1) as u64 {
            self.heard = (Some(now), self.heard.1 + 1);
        }
        self.advance(slot.saturating_sub(PATIENCE));
        slot + 1
    }

    /// Writes all slots before this one.
    fn advance(&mut self, until: u64) {
        let until = until.min(self.limit);
        while self.next < until {
            let first = self.sides.iter().filter_map(|line| line.frames.front()).map(|(slot, _)| *slot).min();
            match first.map_or(until, |first| first.min(until)) {
                // Long silence is told by its length.
                first if first > self.next + BLOCK => {
                    self.flush();
                    self.silence(first - self.next);
                    self.next = first;
                }
                _ => self.write(),
            }
        }
        if self.is_full() {
            self.flush();
            self.full.send_replace(true);
        }
    }

    fn write(&mut self) {
        let slot = self.next;
        let [caller, callee] = self.sides.each_mut().map(|line| line.at(slot));
        let length = self.rate.frame();
        let sample = |frame: &Option<Vec<i16>>, at: usize| frame.as_ref().and_then(|frame| frame.get(at)).copied().unwrap_or(0);
        for at in 0..length {
            let (left, right) = (sample(&caller, at), sample(&callee, at));
            match self.layout {
                Layout::Stereo => self.block.extend([left, right]),
                Layout::Mixed => self.block.push(left.saturating_add(right)),
                Layout::One(Side::Caller) => self.block.push(left),
                Layout::One(Side::Callee) => self.block.push(right),
            }
        }
        self.next += 1;
        if self.next.is_multiple_of(BLOCK) {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let samples = std::mem::take(&mut self.block);
        let slots = (samples.len() / (self.rate.frame() * usize::from(self.layout.channels()))) as u64;
        if slots == 0 {
            return;
        }
        if self.owed > 0 {
            self.silence(0);
        }
        if self.owed > 0 || !self.writer.put(Job::Samples { id: self.id, samples }) {
            self.owed += slots;
            self.lost += slots;
        }
    }

    /// So many slots of silence, and those that are owed.
    fn silence(&mut self, slots: u64) {
        let samples = (self.owed + slots) * self.rate.frame() as u64;
        if self.writer.put(Job::Silence { id: self.id, samples }) {
            self.owed = 0;
        } else {
            self.owed += slots;
        }
    }

    /// The end: silence up to now.
    pub fn end(&mut self, now: Instant) {
        if self.over {
            return;
        }
        if self.paused.is_none() {
            self.advance(self.slot(now));
        }
        // Frames may be a little ahead of the clock.
        let latest = self.sides.iter().filter_map(|line| line.frames.back()).map(|(slot, _)| slot + 1).max();
        self.advance(latest.unwrap_or(0));
        self.flush();
        if self.owed > 0 {
            self.silence(0);
        }
        self.over = true;
    }
}

impl Line {
    /// Adds a frame; slots stay in their order.
    fn add(&mut self, slot: u64, samples: &[i16]) {
        match self.frames.binary_search_by_key(&slot, |(known, _)| *known) {
            Ok(place) => {
                let frame = self.frames.get_mut(place).map(|(_, frame)| frame);
                frame.into_iter().flatten().zip(samples).for_each(|(sum, sample)| *sum = sum.saturating_add(*sample));
            }
            Err(place) => self.frames.insert(place, (slot, samples.to_vec())),
        }
    }

    /// The frame of a slot, and what is before it is gone.
    fn at(&mut self, slot: u64) -> Option<Vec<i16>> {
        while let Some((first, _)) = self.frames.front() {
            if *first > slot {
                return None;
            }
            let (first, frame) = self.frames.pop_front()?;
            if first == slot {
                return Some(frame);
            }
        }
        None
    }
}
