//! Amounts of money in the configuration: exact, so written as text where they have decimals.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use tandem_kernel::{Currency, Money};

/// Millionths of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount(pub i64);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Money::new(self.0, Currency::USD))
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl de::Visitor<'_> for Read {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount such as \"0.99\", with at most six decimals")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
                let amount = Money::parse_micros(text).filter(|micros| *micros >= 0);
                amount.map(Amount).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }

            fn visit_i64<E: de::Error>(self, units: i64) -> Result<Amount, E> {
                self.visit_str(&units.to_string())
            }

            fn visit_u64<E: de::Error>(self, units: u64) -> Result<Amount, E> {
                self.visit_str(&units.to_string())
            }

            // A variable of the environment is read as a number where it looks like one.
            fn visit_f64<E: de::Error>(self, units: f64) -> Result<Amount, E> {
                self.visit_str(&units.to_string())
            }
        }
        deserializer.deserialize_any(Read)
    }
}
