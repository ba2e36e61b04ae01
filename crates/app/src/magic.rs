//! Magic numbers: those that make the pocket network behave in a certain way. Each table of them lies beside what behaves; what
//! all tables have in common is here, the blocks that they have to themselves among it.

use tandem_kernel::PhoneNumber;

/// Numbers of each scenario, so that tests that run at once do not meet.
pub const COPIES: u64 = 10;

/// The numbers that are bought: +1 628 200.
pub const PURCHASES: u64 = 16_282_000_000;
/// The numbers that are ported: +1 628 201.
pub const PORTS: u64 = 16_282_010_000;
/// The recipients of messages: +1 628 202.
pub const RECIPIENTS: u64 = 16_282_020_000;
/// The recipients of messages with media: +1 628 203.
pub const MMS: u64 = 16_282_030_000;
/// The numbers that are called: +1 628 204.
pub const CALLEES: u64 = 16_282_040_000;

/// Numbers of a block.
const BLOCK: u64 = 10_000;

/// Whether a number is in a block that magic numbers have to themselves.
#[must_use]
pub const fn is_set_aside(digits: u64) -> bool {
    matches!(digits / BLOCK * BLOCK, PURCHASES | PORTS | RECIPIENTS | MMS | CALLEES)
}

/// Numbers that make the pocket network behave in a certain way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MagicNumbers {
    /// The behaviour's name, for ever.
    pub name: &'static str,
    /// What the numbers are used for: `purchase`, `port`, `mms`, `message` or `call`.
    pub purpose: &'static str,
    /// Which they are; one is as good as another.
    pub numbers: Vec<PhoneNumber>,
    /// What the carrier does.
    pub carrier: &'static str,
    /// What the caller sees.
    pub outcome: &'static str,
}

/// A behaviour that magic numbers provoke, with the numbers that provoke it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scenario<T> {
    /// Its name, for ever.
    pub name: &'static str,
    /// What the pocket network does, in words.
    pub carrier: &'static str,
    /// What the caller sees.
    pub outcome: &'static str,
    /// What the pocket network does.
    pub trick: T,
    first: u64,
}

impl<T: Copy> Scenario<T> {
    /// The scenario at a place of a block.
    #[must_use]
    pub const fn new(block: u64, place: u64, name: &'static str, trick: T, carrier: &'static str, outcome: &'static str) -> Self {
        Self { name, carrier, outcome, trick, first: block + place * COPIES }
    }

    /// The first of its numbers, as digits.
    #[must_use]
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// Its numbers.
    pub fn numbers(&self) -> impl Iterator<Item = PhoneNumber> {
        (self.first..self.first + COPIES).map(PhoneNumber::from_digits)
    }

    /// How it is listed.
    #[must_use]
    pub fn listed(&self, purpose: &'static str) -> MagicNumbers {
        let Self { name, carrier, outcome, .. } = *self;
        MagicNumbers { name, purpose, numbers: self.numbers().collect(), carrier, outcome }
    }

    /// Its line in the table of a page, with what ends it.
    #[must_use]
    pub fn row(&self) -> String {
        let Self { name, carrier, outcome, first, .. } = self;
        format!("| `{name}` | +{first} to +{} | {carrier} | {outcome} |\n", first + COPIES - 1)
    }
}

/// The scenario that a number provokes, if it is a magic one of this table.
pub fn provoked<T>(scenarios: &[Scenario<T>], number: PhoneNumber) -> Option<&Scenario<T>> {
    let digits = number.digits();
    scenarios.iter().find(|scenario| (scenario.first..scenario.first + COPIES).contains(&digits))
}
