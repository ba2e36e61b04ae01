//! What a numbering plan says of a number beyond whether it has it: why it is none, what sort of line it is, how it is written.

use rlibphonenumber::{NumberLengthType, ParseError, PhoneNumberFormat, PhoneNumberType, ValidationError};

use crate::PhoneNumber;

/// Digits after which nothing can be a number any more, whatever the plan.
const MOST_DIGITS: usize = 17;

/// Why a text is no number of any plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unfit {
    /// It is not `+` and digits.
    NotANumber,
    /// No country or service has its calling code.
    UnknownCallingCode,
    /// No number of its plan is that short.
    TooShort,
    /// No number of its plan is that long.
    TooLong,
    /// Its plan has shorter and longer numbers, but none of this length.
    InvalidLength,
    /// It has the right length, but its plan has given nobody such numbers.
    NotAssigned,
}

impl Unfit {
    /// The word that pages use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotANumber => "not_a_number",
            Self::UnknownCallingCode => "unknown_calling_code",
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::InvalidLength => "invalid_length",
            Self::NotAssigned => "not_assigned",
        }
    }
}

/// What sort of line a number leads to, as its plan says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineType {
    /// A landline.
    FixedLine,
    /// A mobile phone.
    Mobile,
    /// Either: the plan does not tell them apart.
    FixedLineOrMobile,
    /// Free for the caller.
    TollFree,
    /// Dearer than usual.
    PremiumRate,
    /// Paid by both sides.
    SharedCost,
    /// Over the internet.
    Voip,
    /// A person's, wherever they are.
    PersonalNumber,
    /// A pager.
    Pager,
    /// One number for a company's many.
    Uan,
    /// A mailbox.
    Voicemail,
    /// The plan does not say.
    Unknown,
}

impl LineType {
    /// All of them, for documents.
    pub const WORDS: &'static [&'static str] = &[
        "fixed_line",
        "mobile",
        "fixed_line_or_mobile",
        "toll_free",
        "premium_rate",
        "shared_cost",
        "voip",
        "personal_number",
        "pager",
        "uan",
        "voicemail",
        "unknown",
    ];

    /// The word that pages use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FixedLine => "fixed_line",
            Self::Mobile => "mobile",
            Self::FixedLineOrMobile => "fixed_line_or_mobile",
            Self::TollFree => "toll_free",
            Self::PremiumRate => "premium_rate",
            Self::SharedCost => "shared_cost",
            Self::Voip => "voip",
            Self::PersonalNumber => "personal_number",
            Self::Pager => "pager",
            Self::Uan => "uan",
            Self::Voicemail => "voicemail",
            Self::Unknown => "unknown",
        }
    }
}

impl PhoneNumber {
    /// Reads `+` and digits, and says exactly why that is no number where it is none.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn examine(text: &str) -> Result<Self, Unfit> {
        let digits = text.strip_prefix('+').ok_or(Unfit::NotANumber)?;
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Unfit::NotANumber);
        }
        if digits.starts_with('0') {
            return Err(Unfit::UnknownCallingCode);
        }
        if digits.len() > MOST_DIGITS {
            return Err(Unfit::TooLong);
        }
        let plan: rlibphonenumber::PhoneNumber = text.parse().map_err(|fault| unparsed(&fault, digits.len()))?;
        plan.is_possible_with_reason().map_err(impossible).and_then(|length| match length {
            NumberLengthType::IsPossible => Ok(()),
            NumberLengthType::IsPossibleLocalOnly => Err(Unfit::TooShort), // dialled without an area code it would do
        })?;
        Self::from_e164(text).filter(|_| plan.is_valid()).ok_or(Unfit::NotAssigned)
    }

    /// What is dialled before the national number; `None` where no plan has the number's beginning.
    #[must_use]
    pub fn calling_code(self) -> Option<u16> {
        self.plan().and_then(|plan| u16::try_from(plan.country_code).ok())
    }

    /// What sort of line it leads to.
    #[must_use]
    pub fn line_type(self) -> LineType {
        match self.plan().map_or(PhoneNumberType::Unknown, |plan| plan.get_type()) {
            PhoneNumberType::FixedLine => LineType::FixedLine,
            PhoneNumberType::Mobile => LineType::Mobile,
            PhoneNumberType::FixedLineOrMobile => LineType::FixedLineOrMobile,
            PhoneNumberType::TollFree => LineType::TollFree,
            PhoneNumberType::PremiumRate => LineType::PremiumRate,
            PhoneNumberType::SharedCost => LineType::SharedCost,
            PhoneNumberType::VoIP => LineType::Voip,
            PhoneNumberType::PersonalNumber => LineType::PersonalNumber,
            PhoneNumberType::Pager => LineType::Pager,
            PhoneNumberType::UAN => LineType::Uan,
            PhoneNumberType::VoiceMail => LineType::Voicemail,
            PhoneNumberType::Unknown => LineType::Unknown,
        }
    }

    /// Whether the number belongs to a place, by its plan.
    #[must_use]
    pub fn is_geographic(self) -> bool {
        self.plan().is_some_and(|plan| plan.is_geographical())
    }

    /// As people of its country write it: `(415) 555-1234`.
    #[must_use]
    pub fn national_format(self) -> String {
        self.written(PhoneNumberFormat::National)
    }

    /// As people abroad write it: `+1 415-555-1234`.
    #[must_use]
    pub fn international_format(self) -> String {
        self.written(PhoneNumberFormat::International)
    }

    fn written(self, format: PhoneNumberFormat) -> String {
        self.plan().map_or_else(|| self.to_string(), |plan| plan.format_as(format).into_owned())
    }
}

/// A calling code and nothing after it does not parse either; only one of four digits and more is nobody's.
fn unparsed(fault: &ParseError, digits: usize) -> Unfit {
    match fault {
        ParseError::InvalidCountryCode if digits < 3 => Unfit::TooShort,
        ParseError::InvalidCountryCode => Unfit::UnknownCallingCode,
        ParseError::TooShortAfterIdd | ParseError::TooShortNsn | ParseError::NotANumber(_) => Unfit::TooShort,
        ParseError::TooLongNsn => Unfit::TooLong,
    }
}

const fn impossible(fault: ValidationError) -> Unfit {
    match fault {
        ValidationError::InvalidCountryCode => Unfit::UnknownCallingCode,
        ValidationError::TooShort => Unfit::TooShort,
        ValidationError::InvalidLength => Unfit::InvalidLength,
        ValidationError::TooLong => Unfit::TooLong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_says_exactly_why() {
        for (text, why) in [
            ("", Unfit::NotANumber),
            ("+", Unfit::NotANumber),
            ("14155551234", Unfit::NotANumber),
            ("+1415555123a", Unfit::NotANumber),
            ("+1 415 555 1234", Unfit::NotANumber),
            ("+04155551234", Unfit::UnknownCallingCode),
            ("+99955512345", Unfit::UnknownCallingCode),
            ("+1", Unfit::TooShort),
            ("+1415", Unfit::TooShort),
            ("+6141", Unfit::TooShort),
            ("+141555512345", Unfit::TooLong),
            ("+12345678901234567890", Unfit::TooLong),
            ("+4969123456789012345", Unfit::TooLong),
            ("+10005551234", Unfit::NotAssigned),
            ("+61112345678", Unfit::NotAssigned),
        ] {
            assert_eq!(PhoneNumber::examine(text), Err(why), "{text}");
        }
    }

    #[test]
    fn it_takes_exactly_what_every_other_operation_takes() {
        for text in
            ["+14155551234", "+61412345678", "+442079460123", "+18005551234", "+390669812345", "+4915112345678", "+80012345678"]
        {
            assert_eq!(PhoneNumber::examine(text).ok(), PhoneNumber::parse(text).ok(), "{text}");
            assert!(PhoneNumber::examine(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn numbers_are_written_as_at_home_and_as_abroad() {
        for (text, line, national, international) in [
            ("+14155551234", LineType::FixedLineOrMobile, "(415) 555-1234", "+1 415-555-1234"),
            ("+61412345678", LineType::Mobile, "0412 345 678", "+61 412 345 678"),
            ("+442079460123", LineType::FixedLine, "020 7946 0123", "+44 20 7946 0123"),
            ("+18005551234", LineType::TollFree, "(800) 555-1234", "+1 800-555-1234"),
        ] {
            let number = PhoneNumber::parse(text).expect(text);
            assert_eq!(number.line_type(), line, "{text}");
            assert!(LineType::WORDS.contains(&line.as_str()));
            assert_eq!(number.national_format(), national);
            assert_eq!(number.international_format(), international);
        }
    }
}
