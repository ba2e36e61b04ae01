//! E.164 numbers, checked with the numbering plans' metadata.

use std::fmt;

use crate::Country;

/// Why a text is no phone number that we can use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PhoneFault {
    /// It does not begin with `+`, or holds something other than digits after it, or has too few or too many.
    Format,
    /// It is written as E.164, but no numbering plan has such a number.
    NotAssigned,
}

/// A telephone number by ITU-T E.164: at most 15 digits, kept as an integer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PhoneNumber(u64);

impl PhoneNumber {
    /// Reads `+` and digits, and checks that the country's numbering plan has such a number.
    ///
    /// # Errors
    /// [`PhoneFault`] says whether the form or the plan is at fault.
    pub fn parse(text: &str) -> Result<Self, PhoneFault> {
        let number = Self::from_e164(text).ok_or(PhoneFault::Format)?;
        let planned = number.plan().is_some_and(|plan| plan.is_valid());
        if planned { Ok(number) } else { Err(PhoneFault::NotAssigned) }
    }

    /// Reads `+` and 7 to 15 digits without asking a numbering plan: for numbers that were checked before.
    #[must_use]
    pub fn from_e164(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+')?;
        let plain = (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        plain.then(|| digits.parse().ok().map(Self)).flatten()
    }

    /// The number whose digits, without the `+`, are `digits`.
    #[must_use]
    pub const fn from_digits(digits: u64) -> Self {
        Self(digits)
    }

    /// The digits as an integer, without the `+`.
    #[must_use]
    pub const fn digits(self) -> u64 {
        self.0
    }

    /// The country whose plan the number belongs to; `None` for shared and unknown ones.
    #[must_use]
    pub fn country(self) -> Option<Country> {
        self.plan()?.get_region_code().and_then(|region| Country::parse(&region.as_region_str()))
    }

    /// The digits after the country code, as the plan counts them.
    #[must_use]
    pub fn national(self) -> String {
        self.plan().map_or_else(|| self.0.to_string(), |plan| plan.get_national_significant_number())
    }

    /// How the numbering plans' metadata sees the number.
    pub(crate) fn plan(self) -> Option<rlibphonenumber::PhoneNumber> {
        self.to_string().parse().ok()
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_real_plans_are_read() {
        for (text, country, national) in [
            ("+14155551234", Country::US, "4155551234"),
            ("+16045550123", Country::CA, "6045550123"),
            ("+442079460123", Country::GB, "2079460123"),
            ("+61299998888", Country::AU, "299998888"),
        ] {
            let number = PhoneNumber::parse(text).expect(text);
            assert_eq!(number.to_string(), text);
            assert_eq!(number.country(), Some(country));
            assert_eq!(number.national(), national);
        }
    }

    #[test]
    fn what_is_no_number_says_why() {
        for text in
            ["", "+", "4155551234", "(415) 555-1234", "+1 415 555 1234", "+1415555123a", "+04155551234", "+1234567890123456"]
        {
            assert_eq!(PhoneNumber::parse(text), Err(PhoneFault::Format), "{text}");
        }
        for text in ["+10005551234", "+99955512345", "+141555512345"] {
            assert_eq!(PhoneNumber::parse(text), Err(PhoneFault::NotAssigned), "{text}");
        }
    }
}
