//! What sort of number a number is, as the Fone Dynamics API tells them apart.

use tandem_kernel::{LineType, PhoneNumber};

use crate::words::words;

/// The bit of the search index that stands for the first type; the bits below are features.
const FIRST_BIT: u8 = 4;

words! {
    /// A sort of number.
    NumberType {
        /// It belongs to a place.
        Local = "Local",
        /// It is free for callers.
        TollFree = "Toll-Free",
        /// Caller and owner share the cost.
        SharedRate = "Shared-Rate",
        /// It belongs to a whole country: mobile numbers and services.
        National = "National",
    }
}

impl NumberType {
    /// What a number is, by its numbering plan.
    #[must_use]
    pub fn of(phone: PhoneNumber) -> Self {
        match phone.line_type() {
            LineType::FixedLine | LineType::FixedLineOrMobile => Self::Local,
            LineType::TollFree => Self::TollFree,
            LineType::SharedCost => Self::SharedRate,
            LineType::Mobile
            | LineType::PremiumRate
            | LineType::Voip
            | LineType::PersonalNumber
            | LineType::Pager
            | LineType::Uan
            | LineType::Voicemail
            | LineType::Unknown => Self::National,
        }
    }

    /// Its place among them, as stores keep it.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The bit that says it in the search index, beside the features.
    #[must_use]
    pub const fn bit(self) -> u8 {
        1 << (FIRST_BIT + self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_apart() {
        for (digits, expected) in [
            (61_292_000_000, NumberType::Local),
            (14_155_550_100, NumberType::Local),
            (611_800_123_456, NumberType::TollFree),
            (18_005_551_234, NumberType::TollFree),
            (611_300_123_456, NumberType::SharedRate),
            (61_412_345_678, NumberType::National),
        ] {
            assert_eq!(NumberType::of(PhoneNumber::from_digits(digits)), expected, "{digits}");
        }
        for (one, word) in NumberType::ALL.iter().copied().zip(NumberType::WORDS) {
            assert_eq!((one.as_str(), NumberType::parse(word)), (*word, Some(one)));
            assert_eq!(one.bit() & 15, 0);
        }
    }
}
