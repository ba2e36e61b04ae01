//! Digits: as events (RFC 4733), and as the tones that they once were (ITU-T Q.23, Q.24).

mod detect;
mod event;
pub(crate) mod tone;

use std::{fmt, time::Duration};

pub use detect::{Detector, Told};
pub use event::{Heard, Payload, Reader, Writer};
pub use tone::tone;

/// One of the sixteen keys.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(u8);

impl Key {
    const NAMES: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];
    /// Where each stands on the keypad: rows of four, the number of the event at each place.
    const PAD: [u8; 16] = [1, 2, 3, 12, 4, 5, 6, 13, 7, 8, 9, 14, 10, 0, 11, 15];

    /// The key with this name: `0` to `9`, `*`, `#`, `A` to `D`.
    #[must_use]
    pub fn new(name: char) -> Option<Self> {
        let place = Self::NAMES.iter().position(|known| *known == name.to_ascii_uppercase())?;
        u8::try_from(place).ok().map(Self)
    }

    /// The key with this event's number, 0 to 15 (RFC 4733 section 3.2).
    #[must_use]
    pub const fn of_event(event: u8) -> Option<Self> {
        if event < 16 { Some(Self(event)) } else { None }
    }

    /// The number of its event.
    #[must_use]
    pub const fn event(self) -> u8 {
        self.0
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> char {
        Self::NAMES.get(usize::from(self.0)).copied().unwrap_or('0')
    }

    /// The key in a row and a column of the keypad.
    fn at(row: usize, column: usize) -> Option<Self> {
        Self::PAD.get(row * 4 + column).copied().map(Self)
    }

    /// Its row and column.
    fn place(self) -> (usize, usize) {
        let place = Self::PAD.iter().position(|event| *event == self.0).unwrap_or(0);
        (place / 4, place % 4)
    }

    /// The keys of a text such as `12#`; `None` where a character is no key.
    #[must_use]
    pub fn all(text: &str) -> Option<Vec<Self>> {
        text.chars().map(Self::new).collect()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.name())
    }
}

/// A set of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Keys(u16);

impl Keys {
    /// No key.
    pub const NONE: Self = Self(0);
    /// All sixteen.
    pub const ALL: Self = Self(u16::MAX);

    /// The keys of a text.
    #[must_use]
    pub fn of(keys: &[Key]) -> Self {
        Self(keys.iter().fold(0, |all, key| all | 1 << key.0))
    }

    /// Whether a key is one of them.
    #[must_use]
    pub const fn contains(self, key: Key) -> bool {
        self.0 >> key.0 & 1 == 1
    }
}

/// How a digit came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// As an event in RTP.
    Event,
    /// As a tone in the sound.
    Tone,
}

/// A digit that the far end pressed, told once, when it was let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digit {
    /// Which key.
    pub key: Key,
    /// How long it was held.
    pub duration: Duration,
    /// How it came.
    pub means: Means,
}

/// The tones of rows and columns in hertz.
const ROWS: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f32; 4] = [1209.0, 1336.0, 1477.0, 1633.0];
