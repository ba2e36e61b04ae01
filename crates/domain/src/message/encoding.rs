//! How text is written on the wire: GSM 03.38 with its extension table, Latin-1, UCS-2.
//!
//! A text becomes units: septets for GSM, octets for Latin-1, 16-bit units for UCS-2. What must not be torn apart (an escape and
//! the character after it, two surrogates) is one glyph.

use std::{collections::HashMap, sync::LazyLock};

/// How the text of a message is written on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Encoding {
    /// The default alphabet of GSM 03.38 and its extension table.
    Gsm,
    /// ISO 8859-1. Never chosen here: only for binds that are set to it.
    Latin1,
    /// 16-bit units, surrogate pairs for what lies beyond.
    Ucs2,
}

impl Encoding {
    /// The word that stores and pages use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gsm => "gsm7",
            Self::Latin1 => "latin1",
            Self::Ucs2 => "ucs2",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Gsm, Self::Latin1, Self::Ucs2].into_iter().find(|encoding| encoding.as_str() == text)
    }

    /// The cheapest encoding that can write a text.
    #[must_use]
    pub fn choose(text: &str) -> Self {
        if text.chars().all(|c| gsm(c).is_some()) { Self::Gsm } else { Self::Ucs2 }
    }

    /// The first character that GSM 03.38 cannot write: why a text goes as UCS-2.
    #[must_use]
    pub fn obstacle(text: &str) -> Option<char> {
        text.chars().find(|c| gsm(*c).is_none())
    }

    /// Units that fit into a message of one part, and into each part of a longer one.
    #[must_use]
    pub const fn limits(self) -> (usize, usize) {
        match self {
            Self::Gsm => (160, 153),
            Self::Latin1 => (140, 134),
            Self::Ucs2 => (70, 67),
        }
    }

    /// Octets that a unit takes in [`Self::write`]'s form.
    #[must_use]
    pub const fn width(self) -> usize {
        match self {
            Self::Gsm | Self::Latin1 => 1,
            Self::Ucs2 => 2,
        }
    }

    /// How many units a character takes; `None` where it cannot be written.
    #[must_use]
    pub fn units(self, c: char) -> Option<usize> {
        match self {
            Self::Gsm => gsm(c).map(|glyph| glyph.len()),
            Self::Latin1 => u8::try_from(u32::from(c)).ok().map(|_| 1),
            Self::Ucs2 => Some(c.len_utf16()),
        }
    }

    /// Writes a text: a septet in each octet for GSM, as SMPP carries it; big-endian for UCS-2. `None` where it cannot be written.
    #[must_use]
    pub fn write(self, text: &str) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(text.len());
        for c in text.chars() {
            match self {
                Self::Gsm => out.extend_from_slice(gsm(c)?.as_slice()),
                Self::Latin1 => out.push(u8::try_from(u32::from(c)).ok()?),
                Self::Ucs2 => out.extend(c.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes())),
            }
        }
        Some(out)
    }

    /// Reads what [`Self::write`] writes. Foreign senders write all sorts of things: what means nothing becomes U+FFFD, and an
    /// escape before a character that the extension table lacks is shown as that character.
    #[must_use]
    pub fn read(self, octets: &[u8]) -> String {
        match self {
            Self::Gsm => read_gsm(octets),
            Self::Latin1 => octets.iter().map(|octet| char::from(*octet)).collect(),
            Self::Ucs2 => {
                let units = octets.chunks(2).map(|pair| match *pair {
                    [high, low] => u16::from_be_bytes([high, low]),
                    _ => 0xfffd,
                });
                char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
            }
        }
    }
}

/// The character that the next septet is taken from the extension table after.
pub const ESCAPE: u8 = 0x1b;

/// The default alphabet, by septet. Place 0x1b is the escape and stands for no character.
const BASIC: &str = concat!(
    "@£$¥èéùìòÇ\nØø\rÅå",
    "Δ_ΦΓΛΩΠΨΣΘΞ\u{1b}ÆæßÉ",
    " !\"#¤%&'()*+,-./",
    "0123456789:;<=>?",
    "¡ABCDEFGHIJKLMNO",
    "PQRSTUVWXYZÄÖÑÜ§",
    "¿abcdefghijklmno",
    "pqrstuvwxyzäöñüà",
);

/// The extension table: septets that follow an escape.
const EXTENDED: [(u8, char); 10] = [
    (0x0a, '\u{c}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2f, '\\'),
    (0x3c, '['),
    (0x3d, '~'),
    (0x3e, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// A character in GSM 03.38.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Glyph {
    Basic([u8; 1]),
    Extended([u8; 2]),
}

impl Glyph {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Basic(septet) => septet,
            Self::Extended(septets) => septets,
        }
    }

    const fn len(self) -> usize {
        match self {
            Self::Basic(_) => 1,
            Self::Extended(_) => 2,
        }
    }
}

static ALPHABET: LazyLock<Vec<char>> = LazyLock::new(|| BASIC.chars().collect());

static GLYPHS: LazyLock<HashMap<char, Glyph>> = LazyLock::new(|| {
    let basic = (0_u8..).zip(ALPHABET.iter()).filter(|(septet, _)| *septet != ESCAPE);
    let basic = basic.map(|(septet, c)| (*c, Glyph::Basic([septet])));
    let extended = EXTENDED.iter().map(|(septet, c)| (*c, Glyph::Extended([ESCAPE, *septet])));
    basic.chain(extended).collect()
});

fn gsm(c: char) -> Option<Glyph> {
    GLYPHS.get(&c).copied()
}

fn read_gsm(septets: &[u8]) -> String {
    let mut out = String::with_capacity(septets.len());
    let mut escaped = false;
    for septet in septets {
        let plain = ALPHABET.get(usize::from(*septet)).copied();
        let extended = EXTENDED.iter().find(|(known, _)| known == septet).map(|(_, c)| *c);
        match (escaped, *septet) {
            (false, ESCAPE) => escaped = true,
            (true, ESCAPE) => {
                out.push(' ');
                escaped = false;
            }
            (true, _) => {
                out.push(extended.or(plain).unwrap_or(char::REPLACEMENT_CHARACTER));
                escaped = false;
            }
            (false, _) => out.push(plain.unwrap_or(char::REPLACEMENT_CHARACTER)),
        }
    }
    out
}

/// Packs septets into octets, after `fill` bits that are left zero: 1 behind a user data header of 6 octets, so that septets begin at
/// a septet's boundary.
#[must_use]
pub fn pack(septets: &[u8], fill: u8) -> Vec<u8> {
    let fill = usize::from(fill % 8);
    let mut out = vec![0; (fill + septets.len() * 7).div_ceil(8)];
    for (index, septet) in septets.iter().enumerate() {
        let bit = fill + index * 7;
        let shifted = u16::from(septet & 0x7f) << (bit % 8);
        let [low, high] = shifted.to_le_bytes();
        for (octet, bits) in out.iter_mut().skip(bit / 8).zip([low, high]) {
            *octet |= bits;
        }
    }
    out
}

/// Unpacks `count` septets that [`pack`] packed.
#[must_use]
pub fn unpack(octets: &[u8], fill: u8, count: usize) -> Vec<u8> {
    let at = |index: usize| u16::from(octets.get(index).copied().unwrap_or(0));
    let septet = |index: usize| {
        let bit = usize::from(fill % 8) + index * 7;
        let pair = at(bit / 8) | at(bit / 8 + 1) << 8;
        u8::try_from(pair >> (bit % 8) & 0x7f).unwrap_or(0)
    };
    (0..count).map(septet).collect()
}
