//! Where each group of three digits occurs in the national numbers of a block.

use std::ops::Range;

use super::bits::Mask;

const GRAMS: usize = 1_000;

/// For each position and each of the thousand groups, the entries that have the group there, rising.
pub(super) struct Grams {
    /// Where the list of a position and group begins; it ends where the next one begins.
    starts: Box<[u32]>,
    entries: Box<[u16]>,
    /// How many entries the block has.
    places: usize,
}

impl Grams {
    /// Takes national numbers as they are spelled in a [`super::key::Key`], the longest of them with `longest` digits.
    pub fn new(nationals: &[u64], longest: usize) -> Self {
        let positions = longest.saturating_sub(2);
        let mut starts = Vec::with_capacity(positions * GRAMS + 1);
        let mut entries = Vec::with_capacity(positions * nationals.len());
        let mut grams = Vec::with_capacity(nationals.len());
        for position in 0..positions {
            grams.clear();
            grams.extend(nationals.iter().map(|national| gram(national << (4 * position))));
            let before = entries.len();
            let mut next = counted(&grams, before);
            starts.extend(next.iter().take(GRAMS).map(|start| *start as u32));
            entries.resize(next.last().copied().unwrap_or(before), 0);
            sort_in(&grams, &mut next, &mut entries);
        }
        starts.push(entries.len() as u32);
        Self { starts: starts.into(), entries: entries.into(), places: nationals.len() }
    }

    /// The entries within `range` that have the group at the position.
    pub fn list(&self, position: usize, gram: usize, range: &Range<usize>) -> &[u16] {
        let at = position * GRAMS + gram;
        let Some([start, end]) = self.starts.get(at..at + 2) else { return &[] };
        let list = self.entries.get(*start as usize..*end as usize).unwrap_or_default();
        if range.len() == self.places {
            return list;
        }
        let below = |end: usize| list.partition_point(|entry| usize::from(*entry) < end);
        list.get(below(range.start)..below(range.end)).unwrap_or_default()
    }
}

/// The value of the first three digits, or [`GRAMS`] where there are fewer.
fn gram(national: u64) -> u16 {
    let digit = |at: u32| (national << (4 * at) >> 60) as u16;
    let (one, two, three) = (digit(0), digit(1), digit(2));
    if three == 0 { GRAMS as u16 } else { one * 100 + two * 10 + three - 111 }
}

/// Where each group's list begins, counted from `from`; one more element says where the last one ends.
fn counted(grams: &[u16], from: usize) -> Vec<usize> {
    let mut counts = vec![0_usize; GRAMS + 2];
    for gram in grams {
        if let Some(count) = counts.get_mut(usize::from(*gram) + 1) {
            *count += 1;
        }
    }
    // Entries too short for a group here are counted behind the last list and dropped.
    counts.truncate(GRAMS + 1);
    let mut sum = from;
    for count in &mut counts {
        sum += *count;
        *count = sum;
    }
    counts
}

/// Writes each entry to the place that `next` has for its group, which then moves on.
fn sort_in(grams: &[u16], next: &mut [usize], entries: &mut [u16]) {
    let lists = next.get_mut(..GRAMS).unwrap_or_default();
    for (entry, gram) in grams.iter().enumerate() {
        if let Some(place) = lists.get_mut(usize::from(*gram)) {
            if let Some(slot) = entries.get_mut(*place) {
                *slot = entry as u16;
            }
            *place += 1;
        }
    }
}

/// Puts the entries that are in both lists into the mask.
pub(super) fn insert_common(one: &[u16], other: &[u16], mask: &mut Mask) {
    let (few, many) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    if few.len() * 16 < many.len() {
        let common = few.iter().filter(|entry| many.binary_search(entry).is_ok());
        common.for_each(|entry| mask.insert(usize::from(*entry)));
        return;
    }
    // Both sides advance without a branch: which list is behind cannot be predicted.
    let (mut left, mut right) = (0, 0);
    while let (Some(one), Some(other)) = (few.get(left), many.get(right)) {
        if one == other {
            mask.insert(usize::from(*one));
        }
        left += usize::from(one <= other);
        right += usize::from(other <= one);
    }
}
