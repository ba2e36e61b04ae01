//! Which entries of a block fit a pattern: by the lists of three digits where that is quicker, by the bit planes otherwise.

use std::ops::Range;

use super::bits::Mask;
use super::block::Block;
use super::digits::{DigitPlanes, Scratch, TILE_WORDS};
use super::pattern::{Clue, Pattern};
use super::trigram::{Grams, for_each_common};

/// Lists are read while they name fewer than one in so many of the entries in question, and what they leave is checked number
/// by number while it is fewer than one in so many. Beyond, the planes are quicker: their cost does not depend on how many
/// entries fit. Measured; both are flat around these values.
const WORTH_READING: usize = 8;
const WORTH_CHECKING: usize = 64;

pub(super) struct Sieve<'a> {
    pattern: &'a Pattern,
    clues: Vec<Clue>,
    named: Mask,
    few: Vec<u16>,
    scratch: Scratch,
}

/// What a sieve left of a block.
pub(super) enum Left<'a> {
    /// Entries one by one, rising: so few that no bitset is worth its while.
    Few(&'a [u16]),
    /// Those that are in the mask.
    Mask,
}

/// The entries that have a clue's first group at one position, and those that have its last group where that would be.
type Lists<'a> = (&'a [u16], Option<&'a [u16]>);

impl<'a> Sieve<'a> {
    /// `None` where the pattern only says how a number begins: a range of keys has decided that already.
    pub fn new(pattern: &'a Pattern) -> Option<Self> {
        let sieve =
            || Self { pattern, clues: pattern.clues(), named: Mask::default(), few: Vec::new(), scratch: Scratch::default() };
        (!pattern.is_prefix()).then(sieve)
    }

    /// Finds those entries of the range that fit.
    pub fn select(&mut self, block: &Block, range: &Range<usize>, mask: &mut Mask) -> Left<'_> {
        if self.pattern.shortest() > block.shelf.digits.longest {
            return Left::Few(&[]);
        }
        if self.by_pairs(block, range) {
            return Left::Few(&self.few);
        }
        mask.clear(range);
        if !self.by_lists(block, range, mask) {
            self.by_planes(&block.shelf.digits, range, mask);
        }
        Left::Mask
    }

    /// Takes the entries that have both groups of a clue: so few that each is then looked at. `false` where no clue has two, or
    /// their lists are too long.
    fn by_pairs(&mut self, block: &Block, range: &Range<usize>) -> bool {
        let (Some(grams), digits) = (&block.grams, &block.shelf.digits) else { return false };
        let starts = |clue: &Clue| self.pattern.starts(clue.run, digits.shortest, digits.longest);
        let mut pairs = self.clues.iter().filter(|clue| clue.last.is_some());
        let Some((clue, lists)) = pairs.find_map(|clue| Some((clue, lists(grams, clue, starts(clue), range)?))) else {
            return false;
        };
        self.few.clear();
        for (first, last) in &lists {
            for_each_common(first, last.unwrap_or_default(), |entry| self.few.push(entry));
        }
        self.few.sort_unstable();
        self.few.dedup();
        if !self.decides(clue, digits) {
            let fits = |entry: &u16| block.key(usize::from(*entry)).is_some_and(|key| self.pattern.matches(block.national(key)));
            self.few.retain(fits);
        }
        true
    }

    /// Whether nothing is left to check of a number that has the clue.
    fn decides(&self, clue: &Clue, digits: &DigitPlanes) -> bool {
        clue.decides && (!self.pattern.ends_number(clue.run) || digits.shortest == digits.longest)
    }

    /// Takes the entries that have every clue of one group. `false` where there are no lists, or the planes are quicker.
    fn by_lists(&mut self, block: &Block, range: &Range<usize>, mask: &mut Mask) -> bool {
        let (Some(grams), digits) = (&block.grams, &block.shelf.digits) else { return false };
        let mut decided = false;
        let mut read = 0;
        for clue in self.clues.iter().filter(|clue| clue.last.is_none()) {
            let Some(lists) = lists(grams, clue, self.pattern.starts(clue.run, digits.shortest, digits.longest), range) else {
                continue;
            };
            let into = if read == 0 { &mut *mask } else { &mut self.named };
            into.clear(range);
            lists.iter().flat_map(|(entries, _)| *entries).for_each(|entry| into.insert(usize::from(*entry)));
            if read > 0 {
                mask.keep_common(&self.named);
            }
            read += 1;
            decided = self.decides(clue, digits);
        }
        if read == 0 || !decided && mask.count() > range.len() / WORTH_CHECKING {
            return false;
        }
        if !decided {
            mask.retain(|entry| block.key(entry).is_some_and(|key| self.pattern.matches(block.national(key))));
        }
        true
    }

    fn by_planes(&mut self, digits: &DigitPlanes, range: &Range<usize>, mask: &mut Mask) {
        let tile_entries = TILE_WORDS * 64;
        for tile in range.start / tile_entries..range.end.div_ceil(tile_entries) {
            mask.write(tile * TILE_WORDS, &digits.matching(tile, self.pattern, &mut self.scratch));
        }
        mask.trim(range);
    }
}

/// The lists of each position where the clue's run can begin; `None` where they are too long to pay.
fn lists<'a>(grams: &'a Grams, clue: &Clue, starts: Range<usize>, range: &Range<usize>) -> Option<Vec<Lists<'a>>> {
    let at = |start: usize| {
        let list = |(place, gram): (usize, usize)| grams.list(start + place, gram, range);
        (list(clue.first), clue.last.map(list))
    };
    let lists: Vec<Lists<'a>> = starts.map(at).collect();
    let named: usize = lists.iter().map(|(first, last)| last.map_or(first.len(), |last| last.len().min(first.len()))).sum();
    (named <= range.len() / WORTH_READING).then_some(lists)
}
