//! Which numbers of a block can be bought: the only part of it that changes.

use super::bits::{bit, put, words};

#[derive(Clone)]
pub(super) struct Stock {
    available: Vec<u64>,
    /// The entries that are no longer in the inventory. They keep their place until the block is made anew.
    removed: Vec<u64>,
    /// How many are available of each of the block's terms.
    by_terms: Vec<u32>,
    held: usize,
}

/// The state of one entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    Available,
    Taken,
    Removed,
}

impl Stock {
    /// `entries` says of each entry whether it is available, and which of the `terms` terms it has.
    pub fn new(terms: usize, entries: impl ExactSizeIterator<Item = (bool, usize)>) -> Self {
        let held = entries.len();
        let mut stock = Self { available: vec![0; words(held)], removed: vec![0; words(held)], by_terms: vec![0; terms], held };
        for (entry, (available, place)) in entries.enumerate() {
            if available {
                stock.set(entry, place, State::Available);
            }
        }
        stock
    }

    pub fn available(&self) -> &[u64] {
        &self.available
    }

    /// How many are available of each of the block's terms.
    pub fn by_terms(&self) -> &[u32] {
        &self.by_terms
    }

    /// How many entries are in the inventory, and how many of them are available.
    pub fn len(&self) -> (usize, usize) {
        (self.held, self.by_terms.iter().map(|count| *count as usize).sum())
    }

    pub fn state(&self, entry: usize) -> State {
        match (bit(&self.removed, entry), bit(&self.available, entry)) {
            (true, _) => State::Removed,
            (false, true) => State::Available,
            (false, false) => State::Taken,
        }
    }

    /// Gives the entry, which has the terms at `place`, another state. What has been removed stays so.
    pub fn set(&mut self, entry: usize, place: usize, state: State) {
        let before = self.state(entry);
        if before == State::Removed || before == state {
            return;
        }
        if let Some(count) = self.by_terms.get_mut(place) {
            *count = *count + u32::from(state == State::Available) - u32::from(before == State::Available);
        }
        put(&mut self.available, entry, state == State::Available);
        if state == State::Removed {
            put(&mut self.removed, entry, true);
            self.held -= 1;
        }
    }

    /// The entries whose state differs from what it was in `before`, an earlier copy.
    pub fn changes<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = (usize, State)> + 'a {
        let differ = |now: &[u64], then: &[u64]| -> Vec<u64> { now.iter().zip(then).map(|(now, then)| now ^ then).collect() };
        let mut changed = differ(&self.available, &before.available);
        for (word, removed) in changed.iter_mut().zip(differ(&self.removed, &before.removed)) {
            *word |= removed;
        }
        let entries: Vec<usize> = super::bits::ones(&changed, 0).collect();
        entries.into_iter().map(|entry| (entry, self.state(entry)))
    }
}
