//! Who a message comes from.

use std::fmt;

use tandem_kernel::PhoneNumber;

/// The most characters of a sender that is a name.
const LONGEST_NAME: usize = 11;

/// Who a message comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sender {
    /// A telephone number.
    Number(PhoneNumber),
    /// A short code of a few digits, or a name of up to eleven letters and digits. Nobody can answer a name.
    Name(String),
}

impl Sender {
    /// Reads a number in E.164, or a name or short code as networks allow it; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.starts_with('+') {
            return PhoneNumber::from_e164(text).map(Self::Number);
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || " &'()*,-./:_!?".contains(c);
        let fits = (1..=LONGEST_NAME).contains(&text.len()) && text.chars().all(allowed);
        (fits && text.trim() == text).then(|| Self::Name(text.to_owned()))
    }

    /// What an SMSC said of an incoming message, whatever it is.
    #[must_use]
    pub fn of_network(text: &str) -> Self {
        let number = PhoneNumber::from_e164(text);
        number.map_or_else(|| Self::Name(text.chars().filter(|c| !c.is_control()).take(21).collect()), Self::Number)
    }

    /// The number, if it is one.
    #[must_use]
    pub const fn number(&self) -> Option<PhoneNumber> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Name(_) => None,
        }
    }

    /// Whether it is a short code: digits and nothing else.
    #[must_use]
    pub fn is_short_code(&self) -> bool {
        matches!(self, Self::Name(name) if name.bytes().all(|byte| byte.is_ascii_digit()))
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_names_and_short_codes_read_back() {
        for text in ["+14155550100", "Acme", "Acme-Shop 1", "22345"] {
            assert_eq!(Sender::parse(text).map(|sender| sender.to_string()).as_deref(), Some(text));
        }
        for text in ["", "+1415555010a", "twelve chars", "Ärzte", " Acme", "a\nb"] {
            assert_eq!(Sender::parse(text), None, "{text}");
        }
        assert!(Sender::Name("22345".into()).is_short_code() && !Sender::Name("Acme1".into()).is_short_code());
    }
}
