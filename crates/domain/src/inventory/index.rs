//! The index itself: making it, changing it, asking it.

use std::fmt;
use std::sync::Arc;

use super::block::{Block, Row};
use super::key::Key;
use super::query::{Page, Query, search};
use super::stock::State;
use super::{Entry, NotANumber};

/// The most entries of a block: a place within it fits two bytes.
const BLOCK: usize = 65_536;

/// The numbers of the inventory. See the [module](super) for how it is laid out and how its owner keeps it current.
///
/// A clone is cheap: it shares everything with the original until one of them changes.
#[derive(Clone)]
pub struct Index {
    /// In the order of their keys, each with numbers of one calling code.
    blocks: Vec<Block>,
    grams: bool,
    block: usize,
}

impl Default for Index {
    fn default() -> Self {
        Self { blocks: Vec::new(), grams: false, block: BLOCK }
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").field("len", &self.len()).field("blocks", &self.blocks.len()).field("grams", &self.grams).finish()
    }
}

impl Index {
    /// An index of these entries, in any order, without the lists of three digits. Where a number occurs twice, the later
    /// entry counts.
    ///
    /// # Errors
    /// [`NotANumber`] is the first value that can be no E.164 number.
    pub fn build(entries: impl IntoIterator<Item = Entry>) -> Result<Self, NotANumber> {
        Self::default().merged(entries)
    }

    /// Takes more entries in. An owner that is being searched meanwhile uses [`Index::merged`] instead.
    ///
    /// # Errors
    /// [`NotANumber`] is the first value that can be no E.164 number; nothing was taken in then.
    pub fn insert_many(&mut self, entries: impl IntoIterator<Item = Entry>) -> Result<(), NotANumber> {
        *self = self.merged(entries)?;
        Ok(())
    }

    /// A copy with more entries. Blocks that get none are shared with this index; those that do are made anew, with their
    /// lists of three digits if this index has them.
    ///
    /// A number that is there already takes the new features and prices but stays as available as it is: importing a price
    /// list again does not put sold numbers back on sale.
    ///
    /// # Errors
    /// [`NotANumber`] is the first value that can be no E.164 number.
    pub fn merged(&self, entries: impl IntoIterator<Item = Entry>) -> Result<Self, NotANumber> {
        let fresh = sorted(entries)?;
        let mut rest = fresh.as_slice();
        let mut merged = Self { blocks: Vec::with_capacity(self.blocks.len()), ..*self };
        let nexts = self.blocks.iter().skip(1).map(Some).chain([None]);
        for (block, next) in self.blocks.iter().zip(nexts) {
            let code = block.code.span();
            let end = next.filter(|next| next.code == block.code).map_or(code.end, |next| next.first);
            merged.shelve(take_below(&mut rest, code.start));
            match take_below(&mut rest, end) {
                [] => merged.blocks.push(block.clone()),
                mine => merged.shelve(&block.rows_with(mine)),
            }
        }
        merged.shelve(rest);
        Ok(merged)
    }

    /// A copy that also has the lists of three digits, which make patterns with three known digits in a row much quicker. From
    /// then on, [`Index::merged`] keeps them.
    #[must_use]
    pub fn with_grams(&self) -> Self {
        let blocks = self.blocks.iter().cloned().map(Block::with_grams).collect();
        Self { blocks, grams: true, ..*self }
    }

    /// Whether the index has the lists of three digits.
    #[must_use]
    pub fn has_grams(&self) -> bool {
        self.grams
    }

    /// Applies to this index, which was made from `base`, what `live` has changed since it was `base`: numbers that became
    /// available, were taken or were removed. It costs microseconds and a bit for each change.
    ///
    /// `false` means that `live` was not made from `base` by such changes alone (another import came between), so that this
    /// index must not replace it and is to be made again.
    #[must_use]
    pub fn catch_up(&mut self, base: &Self, live: &Self) -> bool {
        let pairs = || base.blocks.iter().zip(&live.blocks);
        let same = base.blocks.len() == live.blocks.len() && base.grams == live.grams;
        if !same || !pairs().all(|(base, live)| Arc::ptr_eq(&base.shelf, &live.shelf)) {
            return false;
        }
        for (base, live) in pairs().filter(|(base, live)| !Arc::ptr_eq(&base.stock, &live.stock)) {
            for (entry, state) in live.stock.changes(&base.stock) {
                if let Some(key) = live.key(entry) {
                    self.set(key, state);
                }
            }
        }
        true
    }

    /// Takes a number out of the inventory; says whether it was there.
    pub fn remove(&mut self, number: u64) -> bool {
        Key::of(number).is_some_and(|key| self.set(key, State::Removed))
    }

    /// Says whether a number can be bought; `false` where the inventory does not have it.
    pub fn set_available(&mut self, number: u64, available: bool) -> bool {
        let state = if available { State::Available } else { State::Taken };
        Key::of(number).is_some_and(|key| self.set(key, state))
    }

    /// What is known of a number, available or not.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<Entry> {
        let key = Key::of(number)?;
        let block = self.blocks.get(self.place(key)?)?;
        block.entry(block.find(key)?)
    }

    /// How many numbers there are, available or not.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.blocks.iter().map(|block| block.stock.len().0 as u64).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many numbers are available.
    #[must_use]
    pub fn available_len(&self) -> u64 {
        self.blocks.iter().map(|block| block.stock.len().1 as u64).sum()
    }

    /// The available numbers that the query describes: one page of them, and how many there are.
    #[must_use]
    pub fn search(&self, query: &Query) -> Page {
        search(&self.blocks, query)
    }

    fn set(&mut self, key: Key, state: State) -> bool {
        let block = self.place(key).and_then(|place| self.blocks.get_mut(place));
        let found = block.and_then(|block| block.find(key).map(|entry| (block, entry)));
        found.map(|(block, entry)| block.set(entry, state)).is_some()
    }

    /// The only block that can hold the key.
    fn place(&self, key: Key) -> Option<usize> {
        self.blocks.partition_point(|block| block.first <= key).checked_sub(1)
    }

    /// Makes blocks of rows that sort behind everything so far.
    fn shelve(&mut self, rows: &[Row]) {
        for rows in rows.chunk_by(|one, next| one.key.code() == next.key.code()) {
            let even = rows.len().div_ceil(rows.len().div_ceil(self.block));
            self.blocks.extend(rows.chunks(even).filter_map(|rows| Block::new(rows, self.grams)));
        }
    }

    /// An index with smaller blocks, so that a test has many of them.
    #[cfg(test)]
    pub(super) fn with_blocks_of(block: usize) -> Self {
        Self { block, ..Self::default() }
    }
}

/// The entries as rows in the order of their keys, the last one of each number.
fn sorted(entries: impl IntoIterator<Item = Entry>) -> Result<Vec<Row>, NotANumber> {
    let rows = entries.into_iter().map(|entry| Row::of(&entry).ok_or(NotANumber(entry.number)));
    let mut rows = rows.collect::<Result<Vec<Row>, NotANumber>>()?;
    rows.sort_by_key(|row| row.key);
    rows.dedup_by(|later, kept| {
        let again = later.key == kept.key;
        if again {
            *kept = *later;
        }
        again
    });
    Ok(rows)
}

/// Splits off the rows whose keys are below `end`.
fn take_below<'a>(rows: &mut &'a [Row], end: Key) -> &'a [Row] {
    let (below, rest) = rows.split_at(rows.partition_point(|row| row.key < end));
    *rows = rest;
    below
}
