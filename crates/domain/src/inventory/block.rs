//! A block: neighbouring numbers of one calling code.

use std::ops::Range;
use std::sync::Arc;

use super::Entry;
use super::digits::DigitPlanes;
use super::key::{Key, Prefix};
use super::stock::{State, Stock};
use super::terms::{TermTable, Terms};
use super::trigram::Grams;

/// An entry on its way into a block.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub key: Key,
    pub monthly: i64,
    pub setup: i64,
    pub features: u8,
    pub needs_address: u8,
    pub available: bool,
}

impl Row {
    pub fn of(entry: &Entry) -> Option<Self> {
        let Entry { number, features, monthly, setup, needs_address, available } = *entry;
        Some(Self { key: Key::of(number)?, monthly, setup, features, needs_address, available })
    }

    fn terms(&self) -> Terms {
        let Self { monthly, setup, features, needs_address, .. } = *self;
        Terms { features, needs_address, monthly, setup }
    }
}

/// What a block says of its numbers, in their order. It never changes.
pub(super) struct Shelf {
    keys: Box<[Key]>,
    pub terms: TermTable,
    pub digits: DigitPlanes,
}

/// The parts are shared between copies of the index: copying a block copies three pointers, and only a changed stock is
/// copied when it is next written to.
#[derive(Clone)]
pub(super) struct Block {
    /// The first number, here so that finding a block does not have to look into it.
    pub first: Key,
    pub code: Prefix,
    pub shelf: Arc<Shelf>,
    pub grams: Option<Arc<Grams>>,
    pub stock: Arc<Stock>,
}

impl Block {
    /// Takes rows of one calling code in the order of their keys; `None` where there are none.
    pub fn new(rows: &[Row], with_grams: bool) -> Option<Self> {
        let first = rows.first()?.key;
        let code = first.code();
        let nationals: Vec<u64> = rows.iter().map(|row| row.key.0 << (4 * code.digits)).collect();
        let terms = TermTable::new(rows.iter().map(Row::terms));
        let digits = DigitPlanes::new(&nationals);
        let stock = Stock::new(terms.len(), rows.iter().enumerate().map(|(entry, row)| (row.available, terms.place(entry))));
        let grams = with_grams.then(|| Arc::new(Grams::new(&nationals, digits.longest)));
        let shelf = Shelf { keys: rows.iter().map(|row| row.key).collect(), terms, digits };
        Some(Self { first, code, shelf: Arc::new(shelf), grams, stock: Arc::new(stock) })
    }

    pub fn with_grams(mut self) -> Self {
        if self.grams.is_none() {
            let nationals: Vec<u64> = self.shelf.keys.iter().map(|key| self.national(*key)).collect();
            self.grams = Some(Arc::new(Grams::new(&nationals, self.shelf.digits.longest)));
        }
        self
    }

    /// How many places the block has, those of removed entries included.
    pub fn places(&self) -> usize {
        self.shelf.keys.len()
    }

    /// The places of the entries whose keys are in the span.
    pub fn range(&self, span: &Range<Key>) -> Range<usize> {
        let before = |end: Key| self.shelf.keys.partition_point(|key| *key < end);
        let start = if span.start <= self.first { 0 } else { before(span.start) };
        let reaches_end = self.shelf.keys.last().is_none_or(|last| *last < span.end);
        start..if reaches_end { self.places() } else { before(span.end) }
    }

    pub fn find(&self, key: Key) -> Option<usize> {
        self.shelf.keys.binary_search(&key).ok().filter(|entry| self.stock.state(*entry) != State::Removed)
    }

    pub fn entry(&self, entry: usize) -> Option<Entry> {
        let number = self.key(entry)?.number();
        let Terms { features, needs_address, monthly, setup } = self.shelf.terms.get(entry)?;
        let available = self.stock.state(entry) == State::Available;
        Some(Entry { number, features, monthly, setup, needs_address, available })
    }

    pub fn key(&self, entry: usize) -> Option<Key> {
        self.shelf.keys.get(entry).copied()
    }

    /// The digits after the calling code, left aligned.
    pub fn national(&self, key: Key) -> u64 {
        key.0 << (4 * self.code.digits)
    }

    pub fn set(&mut self, entry: usize, state: State) {
        Arc::make_mut(&mut self.stock).set(entry, self.shelf.terms.place(entry), state);
    }

    /// The rows of the block with `fresh` ones among them, both in order. A number that the block has takes the fresh row's
    /// terms but stays as available as it is.
    pub fn rows_with(&self, fresh: &[Row]) -> Vec<Row> {
        let mut fresh = fresh.iter().copied().peekable();
        let mut rows = Vec::with_capacity(self.places() + fresh.len());
        for mut row in (0..self.places()).filter_map(|entry| self.row(entry)) {
            while let Some(new) = fresh.next_if(|new| new.key < row.key) {
                rows.push(new);
            }
            if let Some(new) = fresh.next_if(|new| new.key == row.key) {
                row = Row { available: row.available, ..new };
            }
            rows.push(row);
        }
        rows.extend(fresh);
        rows
    }

    fn row(&self, entry: usize) -> Option<Row> {
        let state = self.stock.state(entry);
        let Terms { features, needs_address, monthly, setup } = self.shelf.terms.get(entry)?;
        let row = Row { key: self.key(entry)?, monthly, setup, features, needs_address, available: state == State::Available };
        (state != State::Removed).then_some(row)
    }
}
