//! Where each group of three digits occurs in the national numbers of a block.

use std::ops::Range;

const GRAMS: usize = 1_000;

/// For each of the thousand groups and each position, the entries that have the group there, rising. The lists of one group
/// follow one another, so that asking for a group anywhere in the number reads one stretch of memory.
pub(super) struct Grams {
    /// Where the list of a group and position begins; it ends where the next one begins.
    starts: Box<[u32]>,
    entries: Box<[u16]>,
    positions: usize,
    /// How many entries the block has.
    places: usize,
}

impl Grams {
    /// Takes national numbers as they are spelled in a [`super::key::Key`], the longest of them with `longest` digits.
    pub fn new(nationals: &[u64], longest: usize) -> Self {
        let positions = longest.saturating_sub(2);
        let mut starts = vec![0; positions * GRAMS + 1];
        for_each_gram(nationals, positions, |list, _| {
            if let Some(count) = starts.get_mut(list + 1) {
                *count += 1;
            }
        });
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut entries = vec![0; sum as usize];
        let mut next = starts.clone();
        for_each_gram(nationals, positions, |list, entry| {
            if let Some(place) = next.get_mut(list) {
                if let Some(slot) = entries.get_mut(*place as usize) {
                    *slot = entry;
                }
                *place += 1;
            }
        });
        Self { starts: starts.into(), entries: entries.into(), positions, places: nationals.len() }
    }

    /// The entries within `range` that have the group at the position.
    pub fn list(&self, position: usize, gram: usize, range: &Range<usize>) -> &[u16] {
        let at = gram * self.positions + position;
        let Some([start, end]) = self.starts.get(at..at + 2) else { return &[] };
        let list = self.entries.get(*start as usize..*end as usize).unwrap_or_default();
        if range.len() == self.places {
            return list;
        }
        let below = |end: usize| list.partition_point(|entry| usize::from(*entry) < end);
        list.get(below(range.start)..below(range.end)).unwrap_or_default()
    }
}

/// Tells of each group in each number which list it belongs to, a position at a time.
fn for_each_gram(nationals: &[u64], positions: usize, mut tell: impl FnMut(usize, u16)) {
    for position in 0..positions {
        for (entry, national) in nationals.iter().enumerate() {
            let digit = |at: usize| (national << (4 * (position + at)) >> 60) as usize;
            // The third digit is there only if the others are: a missing one is zero, digits are written one higher.
            if digit(2) > 0 {
                let gram = digit(0) * 100 + digit(1) * 10 + digit(2) - 111;
                tell(gram * positions + position, entry as u16);
            }
        }
    }
}

/// Tells of the entries that are in both lists, rising.
pub(super) fn for_each_common(one: &[u16], other: &[u16], mut tell: impl FnMut(u16)) {
    let (few, many) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    if few.len() * 16 < many.len() {
        let common = few.iter().filter(|entry| many.binary_search(entry).is_ok());
        common.for_each(|entry| tell(*entry));
        return;
    }
    // Both sides advance without a branch: which list is behind cannot be predicted.
    let (mut left, mut right) = (0, 0);
    while let (Some(one), Some(other)) = (few.get(left), many.get(right)) {
        if one == other {
            tell(*one);
        }
        left += usize::from(one <= other);
        right += usize::from(other <= one);
    }
}
