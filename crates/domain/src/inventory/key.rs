//! Numbers as sort keys: comparing two keys compares the digits of their numbers as text.

use std::ops::Range;

/// E.164 allows no more.
pub(super) const MAX_DIGITS: usize = 15;

/// The digits of a number, left aligned, one half-byte each. A digit is written as itself plus one, so that zero means "no more
/// digits": a number then sorts before the longer ones that begin with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Key(pub u64);

impl Key {
    /// The key of an E.164 number, or `None` where the value cannot be one.
    pub fn of(number: u64) -> Option<Self> {
        let whole = Prefix::of(number)?;
        let key = Self(whole.bits);
        (number > 0 && whole.digits > key.code().digits).then_some(key)
    }

    pub fn number(self) -> u64 {
        let mut rest = self.0;
        let mut number = 0;
        while rest != 0 {
            number = number * 10 + (rest >> 60) - 1;
            rest <<= 4;
        }
        number
    }

    /// The country calling code, by the ITU's list: 1 and 7 stand alone, some codes have two digits, all others three.
    pub fn code(self) -> Prefix {
        let digits = match self.0 >> 56 {
            0x20..=0x2F | 0x80..=0x8F => 1,
            0x31
            | 0x38
            | 0x41..=0x45
            | 0x47
            | 0x4A
            | 0x51
            | 0x52
            | 0x54..=0x5A
            | 0x62..=0x69
            | 0x71..=0x77
            | 0x92
            | 0x93
            | 0x95
            | 0x97
            | 0xA1..=0xA6
            | 0xA9 => 2,
            _ => 3,
        };
        Prefix { bits: self.0 & !(u64::MAX >> (4 * digits)), digits }
    }
}

/// The first digits of a number, written as in a [`Key`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Prefix {
    pub bits: u64,
    pub digits: u32,
}

impl Prefix {
    /// The prefix with these digits; `None` where there are more than a number can have.
    pub fn of(digits: u64) -> Option<Self> {
        let (mut rest, mut prefix) = (digits, Self { bits: 0, digits: 0 });
        loop {
            prefix.bits = prefix.bits >> 4 | (rest % 10 + 1) << 60;
            prefix.digits += 1;
            rest /= 10;
            if rest == 0 {
                return (prefix.digits as usize <= MAX_DIGITS).then_some(prefix);
            }
        }
    }

    /// This prefix and one more digit; `None` where a number has no room for it.
    pub fn then(self, digit: u8) -> Option<Self> {
        let digits = self.digits + 1;
        (digits as usize <= MAX_DIGITS).then(|| Self { bits: self.bits | (u64::from(digit) + 1) << (64 - 4 * digits), digits })
    }

    /// The keys that begin with this prefix.
    pub fn span(self) -> Range<Key> {
        Key(self.bits)..Key(self.bits + (1 << (64 - 4 * self.digits)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_give_their_numbers_back_in_the_order_of_the_text() {
        let mut numbers = [14_155_551_234, 1_415, 14_155, 442_079_460_123, 4_420, 123_456_789_012_345, 999_999_999_999_999, 70];
        numbers.sort_by_key(|number| Key::of(*number));
        let texts: Vec<String> = numbers.iter().map(u64::to_string).collect();
        assert!(texts.is_sorted(), "{texts:?}");
        for number in numbers {
            assert_eq!(Key::of(number).map(Key::number), Some(number));
        }
    }

    #[test]
    fn what_is_no_number_has_no_key() {
        for value in [0, 1, 44, 353, 1_000_000_000_000_000, u64::MAX] {
            assert_eq!(Key::of(value), None, "{value}");
        }
    }

    #[test]
    fn calling_codes_have_the_length_that_the_itu_gave_them() {
        let one = [1, 7];
        let two = [
            20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55, 56, 57, 58, 60, 61, 62, 63,
            64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98,
        ];
        for first in 10..100 {
            let expected = if one.contains(&(first / 10)) {
                1
            } else if two.contains(&first) {
                2
            } else {
                3
            };
            let key = Key::of(first * 10_000_000).map(|key| key.code().digits);
            assert_eq!(key, Some(expected), "{first}");
        }
    }

    #[test]
    fn a_prefix_spans_its_numbers_and_no_others() {
        let span = Prefix::of(1_415).map(Prefix::span);
        for (number, inside) in
            [(1_415, true), (14_155_551_234, true), (141_599_999_999_999, true), (1_416, false), (14_149, false)]
        {
            let held = span.as_ref().zip(Key::of(number)).is_some_and(|(span, key)| span.contains(&key));
            assert_eq!(held, inside, "{number}");
        }
        assert_eq!(Prefix::of(141).and_then(|prefix| prefix.then(5)), Prefix::of(1_415));
        assert_eq!(Prefix::of(123_456_789_012_345).and_then(|prefix| prefix.then(5)), None);
    }
}
