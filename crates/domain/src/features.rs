//! What a number can do.

use std::fmt;

/// A set of the things that a number can do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Features(u8);

const NAMES: [(&str, u8); 4] = [("voice", 1), ("sms", 2), ("mms", 4), ("fax", 8)];

impl Features {
    /// Calls.
    pub const VOICE: Self = Self(1);
    /// Text messages.
    pub const SMS: Self = Self(2);
    /// Picture messages.
    pub const MMS: Self = Self(4);
    /// Fax.
    pub const FAX: Self = Self(8);

    /// The names of all features, for messages to callers.
    pub const CHOICES: &'static str = "voice, sms, mms, fax";

    /// The set with these bits; others are dropped.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 15)
    }

    /// The set as bits, as stores and indexes keep it.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The feature of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, bit)| Self(*bit))
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether everything in `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The names, in a fixed order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES.iter().filter(move |(_, bit)| self.0 & bit != 0).map(|(name, _)| *name)
    }
}

impl fmt::Display for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().collect::<Vec<_>>().join(","))
    }
}
