//! Which entries of a block fit a pattern: by the lists of three digits where that is quicker, by the bit planes otherwise.

use std::ops::Range;

use super::bits::Mask;
use super::block::Block;
use super::digits::{DigitPlanes, Scratch, TILE_WORDS};
use super::pattern::{Clue, Pattern};
use super::trigram::{Grams, insert_common};

/// Lists are read while they name fewer than one in so many of the entries in question, and what they leave is checked number
/// by number while it is fewer than one in so many. Beyond, the planes are quicker: their cost does not depend on how many
/// entries fit. Measured; both are flat around these values.
const WORTH_READING: usize = 8;
const WORTH_CHECKING: usize = 64;

pub(super) struct Sieve<'a> {
    pattern: &'a Pattern,
    clues: Vec<Clue>,
    named: Mask,
    scratch: Scratch,
}

/// The entries that have a clue's first group at one position, and those that have its last group where that would be.
type Lists<'a> = (&'a [u16], Option<&'a [u16]>);

impl<'a> Sieve<'a> {
    /// `None` where the pattern only says how a number begins: a range of keys has decided that already.
    pub fn new(pattern: &'a Pattern) -> Option<Self> {
        let sieve = || Self { pattern, clues: pattern.clues(), named: Mask::default(), scratch: Scratch::default() };
        (!pattern.is_prefix()).then(sieve)
    }

    /// Leaves in the mask those entries of the range that fit.
    pub fn select(&mut self, block: &Block, range: &Range<usize>, mask: &mut Mask) {
        mask.clear(range);
        if self.pattern.shortest() <= block.shelf.digits.longest && !self.by_lists(block, range, mask) {
            self.by_planes(&block.shelf.digits, range, mask);
        }
    }

    /// Takes the entries that have every clue. `false` where there are no lists, or the planes are quicker.
    fn by_lists(&mut self, block: &Block, range: &Range<usize>, mask: &mut Mask) -> bool {
        let (Some(grams), digits) = (&block.grams, &block.shelf.digits) else { return false };
        let mut decided = false;
        let mut read = 0;
        for clue in &self.clues {
            let Some(lists) = lists(grams, clue, self.pattern.starts(clue.run, digits.shortest, digits.longest), range) else {
                continue;
            };
            let into = if read == 0 { &mut *mask } else { &mut self.named };
            into.clear(range);
            for (first, last) in lists {
                match last {
                    Some(last) => insert_common(first, last, into),
                    None => first.iter().for_each(|entry| into.insert(usize::from(*entry))),
                }
            }
            if read > 0 {
                mask.keep_common(&self.named);
            }
            read += 1;
            decided = clue.decides && (!self.pattern.ends_number(clue.run) || digits.shortest == digits.longest);
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
