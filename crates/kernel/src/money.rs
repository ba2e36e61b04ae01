//! Money as whole millionths of a unit: no floating point where amounts are added.

use std::fmt;

/// An ISO 4217 currency code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The United States dollar, the default.
    pub const USD: Self = Self(*b"USD");

    /// Reads three capital letters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 3] = text.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_uppercase).then_some(Self(bytes))
    }

    /// The three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An amount: millionths of a unit of a currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Money {
    /// Millionths of a unit.
    pub micros: i64,
    /// What the units are.
    pub currency: Currency,
}

impl Money {
    /// Millionths in one unit.
    pub const UNIT: i64 = 1_000_000;

    /// An amount in millionths.
    #[must_use]
    pub const fn new(micros: i64, currency: Currency) -> Self {
        Self { micros, currency }
    }

    /// The sum, where it fits and the currencies agree.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let micros = self.micros.checked_add(other.micros)?;
        (self.currency == other.currency).then_some(Self { micros, ..self })
    }

    /// Reads a plain decimal with at most six places, such as `-12.5`.
    #[must_use]
    pub fn parse_micros(text: &str) -> Option<i64> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !plain(whole) || !plain(fraction) || fraction.len() > 6 {
            return None;
        }
        let micros = format!("{fraction:0<6}").parse::<i64>().ok()?;
        let value = whole.parse::<i64>().ok()?.checked_mul(Self::UNIT)?.checked_add(micros)?;
        Some(if negative { -value } else { value })
    }
}

/// The shortest plain decimal, without the currency: `0.99`, `25`, `-1.5`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.micros < 0 { "-" } else { "" };
        let magnitude = self.micros.unsigned_abs();
        let (whole, rest) = (magnitude / 1_000_000, magnitude % 1_000_000);
        if rest == 0 {
            return write!(f, "{sign}{whole}");
        }
        let fraction = format!("{rest:06}");
        write!(f, "{sign}{whole}.{}", fraction.trim_end_matches('0'))
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} {}", self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_read_back_as_written() {
        for text in ["0", "0.99", "25", "-1.5", "0.000001", "123456789.123456"] {
            let micros = Money::parse_micros(text).expect(text);
            assert_eq!(Money::new(micros, Currency::USD).to_string(), text);
        }
        for text in ["", ".", "1.", ".5", "1e3", "1.0000001", "9999999999999", "+1", "1,5", "--1"] {
            assert_eq!(Money::parse_micros(text), None, "{text}");
        }
    }
}
