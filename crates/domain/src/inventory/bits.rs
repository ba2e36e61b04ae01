//! The entries of one block that a search still considers, one bit for each.

use std::ops::Range;

/// How many words hold `bits` bits.
pub(super) const fn words(bits: usize) -> usize {
    bits.div_ceil(64)
}

pub(super) fn bit(words: &[u64], at: usize) -> bool {
    words.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
}

pub(super) fn put(words: &mut [u64], at: usize, on: bool) {
    if let Some(word) = words.get_mut(at / 64) {
        *word = *word & !(1 << (at % 64)) | u64::from(on) << (at % 64);
    }
}

pub(super) fn count(words: &[u64]) -> usize {
    words.iter().map(|word| word.count_ones() as usize).sum()
}

/// The places of the ones in `words`, rising, after skipping the first `skip` of them a word at a time.
pub(super) fn ones(words: &[u64], mut skip: usize) -> impl Iterator<Item = usize> {
    words.iter().enumerate().flat_map(move |(at, word)| {
        let mut rest = *word;
        let all = rest.count_ones() as usize;
        let dropped = skip.min(all);
        skip -= dropped;
        if dropped == all {
            rest = 0;
        }
        for _ in 0..dropped {
            rest &= rest.wrapping_sub(1);
        }
        std::iter::from_fn(move || {
            let lowest = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
            rest &= rest - 1;
            Some(at * 64 + lowest)
        })
    })
}

/// A set of entries within a range of a block. Only the words that the range touches are kept, so that a search within one
/// area does not pay for the whole block.
#[derive(Default)]
pub(super) struct Mask {
    first_word: usize,
    words: Vec<u64>,
}

impl Mask {
    /// Begins anew with no entry of `range`.
    pub fn clear(&mut self, range: &Range<usize>) {
        self.first_word = range.start / 64;
        self.words.clear();
        self.words.resize(words(range.end).saturating_sub(self.first_word), 0);
    }

    /// Begins anew with every entry of `range`.
    pub fn fill(&mut self, range: &Range<usize>) {
        self.clear(range);
        self.words.fill(u64::MAX);
        self.trim(range);
    }

    pub fn insert(&mut self, at: usize) {
        if let Some(word) = self.words.get_mut((at / 64).wrapping_sub(self.first_word)) {
            *word |= 1 << (at % 64);
        }
    }

    /// Writes what is known of the words from `from` on, as far as the range goes.
    pub fn write(&mut self, from: usize, words: &[u64]) {
        let ours = self.words.get_mut(from.saturating_sub(self.first_word)..).unwrap_or_default();
        let theirs = words.get(self.first_word.saturating_sub(from)..).unwrap_or_default();
        for (ours, theirs) in ours.iter_mut().zip(theirs) {
            *ours = *theirs;
        }
    }

    /// Drops what lies outside `range` in the words at its two ends.
    pub fn trim(&mut self, range: &Range<usize>) {
        if let Some(first) = self.words.first_mut() {
            *first &= u64::MAX << (range.start % 64);
        }
        if let Some(last) = self.words.last_mut()
            && !range.end.is_multiple_of(64)
        {
            *last &= !(u64::MAX << (range.end % 64));
        }
    }

    /// Keeps the entries that are also in `set`, a bitset over the whole block.
    pub fn keep(&mut self, set: &[u64]) {
        for (ours, theirs) in self.words.iter_mut().zip(set.get(self.first_word..).unwrap_or_default()) {
            *ours &= *theirs;
        }
    }

    /// Keeps the entries that are also in another mask of the same range.
    pub fn keep_common(&mut self, other: &Self) {
        for (ours, theirs) in self.words.iter_mut().zip(&other.words) {
            *ours &= *theirs;
        }
    }

    /// Keeps the entries whose value is below `limit`, where bit *i* of the values is the bitset `planes[i]`.
    pub fn keep_below(&mut self, limit: usize, planes: &[Box<[u64]>]) {
        const RUN: usize = 64;
        for (run, ours) in self.words.chunks_mut(RUN).enumerate() {
            let from = self.first_word + run * RUN;
            let mut below = [0; RUN];
            // From the lowest bit up: a higher bit that differs from the limit's overrules what the lower ones said.
            for (place, plane) in planes.iter().enumerate() {
                let both = below.iter_mut().zip(plane.get(from..).unwrap_or_default());
                if limit >> place & 1 == 1 {
                    both.for_each(|(below, bits)| *below |= !bits);
                } else {
                    both.for_each(|(below, bits)| *below &= !bits);
                }
            }
            for (ours, below) in ours.iter_mut().zip(below) {
                *ours &= below;
            }
        }
    }

    /// Keeps the entries of which `wanted` says so.
    pub fn retain(&mut self, wanted: impl Fn(usize) -> bool) {
        for (at, word) in self.words.iter_mut().enumerate().filter(|(_, word)| **word != 0) {
            let first = (self.first_word + at) * 64;
            let asked = [*word];
            let unwanted = ones(&asked, 0).filter(|bit| !wanted(first + bit));
            *word &= !unwanted.fold(0, |unwanted, bit| unwanted | 1 << bit);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.words.iter().fold(0, |any, word| any | word) == 0
    }

    pub fn count(&self) -> usize {
        count(&self.words)
    }

    /// The entries, rising, without the first `skip`.
    pub fn entries(&self, skip: usize) -> impl Iterator<Item = usize> {
        ones(&self.words, skip).map(|at| at + self.first_word * 64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_holds_its_range_and_nothing_else() {
        let mut mask = Mask::default();
        for range in [0..0, 0..1, 0..64, 63..65, 70..200, 128..192, 5..6] {
            mask.fill(&range);
            assert_eq!(mask.count(), range.len(), "{range:?}");
            assert_eq!(mask.entries(0).collect::<Vec<_>>(), range.clone().collect::<Vec<_>>());
            assert_eq!(mask.entries(3).collect::<Vec<_>>(), range.skip(3).collect::<Vec<_>>());
        }
    }

    #[test]
    fn words_from_elsewhere_are_cut_to_the_range() {
        let mut mask = Mask::default();
        mask.clear(&(100..300));
        mask.write(0, &[u64::MAX; 3]);
        mask.write(3, &[u64::MAX; 64]);
        mask.trim(&(100..300));
        assert_eq!(mask.entries(0).collect::<Vec<_>>(), (100..300).collect::<Vec<_>>());
        mask.keep(&[0, 0, u64::MAX, 0, 1]);
        assert_eq!(mask.count(), 65);
    }

    #[test]
    fn comparing_by_planes_is_comparing_by_value() {
        let plane = |place: usize| (0..2).map(|word| (0..64).map(|i| ((word * 64 + i) >> place & 1) << i).sum()).collect();
        let planes: Vec<Box<[u64]>> = (0..7).map(plane).collect();
        for limit in [1, 5, 64, 100, 127] {
            let mut mask = Mask::default();
            mask.fill(&(0..128));
            mask.keep_below(limit, &planes);
            assert_eq!(mask.entries(0).collect::<Vec<_>>(), (0..limit).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_bit_is_put_and_read() {
        let mut set = vec![0; 2];
        put(&mut set, 70, true);
        assert!(bit(&set, 70) && !bit(&set, 69) && !bit(&set, 700));
        put(&mut set, 70, false);
        assert_eq!(count(&set), 0);
    }
}
