//! The numbering space cut into stretches, each with at most one owner.

use crate::PhoneNumber;

/// As many digits of a number as decide who owns it: the longest prefix in the data has nine.
const WIDTH: u32 = 9;

/// Marks a stretch that nobody owns.
const NOBODY: u16 = u16::MAX;

/// Where each stretch begins, and who owns it until the next begins. Two arrays rather than one of pairs: a search then touches
/// half the cache lines.
#[derive(Default)]
pub(super) struct Spans {
    starts: Vec<u32>,
    owners: Vec<u16>,
}

impl Spans {
    /// Reads what `tools/places/generate` wrote: for each span how far it begins after the last, and its owner counted from 1.
    ///
    /// The data is part of the program, so there is no fault to report; a file cut short would give fewer spans.
    pub(super) fn read(mut data: &[u8]) -> Self {
        let mut spans = Self::default();
        let mut start = 0;
        while let (Some(step), Some(owner)) = (varint(&mut data), varint(&mut data)) {
            start += step;
            spans.push(start, owner.checked_sub(1).and_then(|owner| u16::try_from(owner).ok()).unwrap_or(NOBODY));
        }
        spans
    }

    /// Lays out prefixes, of which none may begin with another.
    pub(super) fn of_prefixes(prefixes: impl IntoIterator<Item = (u64, u16)>) -> Self {
        let mut stretches: Vec<_> =
            prefixes.into_iter().map(|(prefix, owner)| (leading(prefix), leading_after(prefix), owner)).collect();
        stretches.sort_unstable();
        let mut spans = Self::default();
        let mut end = 0;
        for (start, next, owner) in stretches {
            if start > end {
                spans.push(end, NOBODY);
            }
            spans.push(start, owner);
            end = next;
        }
        spans.push(end, NOBODY);
        spans
    }

    /// Who owns a number.
    pub(super) fn owner(&self, number: PhoneNumber) -> Option<usize> {
        let key = leading(number.digits());
        let after = self.starts.partition_point(|start| *start <= key);
        let owner = *self.owners.get(after.checked_sub(1)?)?;
        (owner != NOBODY).then_some(owner.into())
    }

    /// What the numbers of each owned stretch begin with, beside the owner.
    pub(super) fn stretches(&self) -> impl Iterator<Item = (u32, u32, usize)> {
        let ends = self.starts.iter().skip(1).copied().chain([10_u32.pow(WIDTH)]);
        let stretches = self.starts.iter().copied().zip(ends).zip(&self.owners);
        stretches.filter(|(_, owner)| **owner != NOBODY).map(|((start, end), owner)| (start, end, usize::from(*owner)))
    }

    fn push(&mut self, start: u32, owner: u16) {
        self.starts.push(start);
        self.owners.push(owner);
    }
}

/// The first nine digits, with zeros after a number that has fewer.
fn leading(digits: u64) -> u32 {
    let length = length(digits);
    let cut = digits / 10_u64.pow(length.saturating_sub(WIDTH)) * 10_u64.pow(WIDTH.saturating_sub(length));
    u32::try_from(cut).unwrap_or(u32::MAX)
}

/// Where the numbers after all those that begin with `prefix` start.
fn leading_after(prefix: u64) -> u32 {
    leading(prefix) + 10_u32.pow(WIDTH.saturating_sub(length(prefix)))
}

/// The prefixes that together cover the numbers whose first nine digits are from `start` to before `end`.
pub(super) fn prefixes_between(mut start: u32, end: u32) -> Vec<u64> {
    let mut prefixes = Vec::new();
    while start < end {
        let mut step = 1_u32;
        while start.is_multiple_of(step * 10) && step < 10_u32.pow(WIDTH - 1) && end - start >= step * 10 {
            step *= 10;
        }
        prefixes.push(u64::from(start / step));
        start += step;
    }
    prefixes
}

/// How many digits a number has.
pub(super) fn length(digits: u64) -> u32 {
    digits.checked_ilog10().map_or(0, |log| log + 1)
}

/// Takes one LEB128 number off the front of `data`: seven bits to a byte, lowest first, the high bit says that more follow.
fn varint(data: &mut &[u8]) -> Option<u32> {
    let mut value = 0;
    for shift in (0..u32::BITS).step_by(7) {
        let (byte, rest) = data.split_first()?;
        *data = rest;
        value |= u32::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_belongs_to_the_stretch_that_it_falls_into() {
        let spans = Spans::of_prefixes([(44, 2), (1415, 0), (1416, 1), (3906698, 3)]);
        for (digits, owner) in [
            (14155550100, Some(0)),
            (14165550100, Some(1)),
            (14145550100, None),
            (14175550100, None),
            (442079460123, Some(2)),
            (390669812345, Some(3)),
            (390669712345, None),
            (4512345678, None),
            (999_999_999_999_999, None),
            (0, None),
        ] {
            assert_eq!(spans.owner(PhoneNumber::from_digits(digits)), owner, "{digits}");
        }
    }

    #[test]
    fn a_stretch_is_covered_by_prefixes() {
        assert_eq!(prefixes_between(141_500_000, 141_600_000), [1415]);
        assert_eq!(prefixes_between(141_598_000, 141_610_000), [141_598, 141_599, 14_160]);
    }

    #[test]
    fn written_spans_are_read_back() {
        // From 100 the first, from 300 nobody, from 428 the two hundredth.
        let spans = Spans::read(&[100, 1, 0xC8, 0x01, 0, 0x80, 0x01, 0xC8, 0x01]);
        assert_eq!(spans.starts, [100, 300, 428]);
        assert_eq!(spans.owners, [0, NOBODY, 199]);
    }
}
