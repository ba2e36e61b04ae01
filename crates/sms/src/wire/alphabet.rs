//! Alphabets of short messages: GSM 03.38 with its extension, Latin-1 and UCS-2, as the wire carries them.

/// The default alphabet: one octet for each of its characters.
pub const GSM: u8 = 0;
/// ISO 8859-1.
pub const LATIN1: u8 = 3;
/// UCS-2, in fact UTF-16, the high octet first.
pub const UCS2: u8 = 8;
const ASCII: u8 = 1;

const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1b}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const ESCAPE: u8 = 0x1b;
const EXTENSION: [(u8, char); 10] = [
    (0x0A, '\u{c}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2F, '\\'),
    (0x3C, '['),
    (0x3D, '~'),
    (0x3E, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// Reads a text. What the alphabet does not have is shown as `?`, and what is no text at all as hexadecimal digits.
#[must_use]
pub fn read(data_coding: u8, bytes: &[u8]) -> String {
    match class(data_coding) {
        GSM => read_gsm(bytes),
        ASCII => bytes.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { '?' }).collect(),
        LATIN1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
        UCS2 => {
            let units = bytes.chunks_exact(2).map(|pair| pair.iter().fold(0, |unit, byte| unit << 8 | u16::from(*byte)));
            char::decode_utf16(units).map(|letter| letter.unwrap_or('?')).collect()
        }
        _ => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

/// The alphabet that a coding means, message classes and indications included.
const fn class(data_coding: u8) -> u8 {
    match data_coding {
        0..=0x0F => data_coding,
        0xC0..=0xDF => GSM,
        0xE0..=0xEF => UCS2,
        0xF0..=0xFF if data_coding & 4 == 0 => GSM,
        0x10..=0x7F if data_coding & 0x0C == 0 => GSM,
        0x10..=0x7F if data_coding & 0x0C == 8 => UCS2,
        _ => 4,
    }
}

fn read_gsm(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut bytes = bytes.iter().copied();
    while let Some(byte) = bytes.next() {
        let letter = if byte == ESCAPE {
            // An escape before what has no meaning there stands for a space.
            bytes.next().map(|next| EXTENSION.iter().find(|(code, _)| *code == next).map_or(' ', |(_, letter)| *letter))
        } else {
            Some(BASIC.chars().nth(byte.into()).unwrap_or('?'))
        };
        text.extend(letter);
    }
    text
}

/// Writes a text in the default alphabet where that has all of its characters, in UCS-2 otherwise.
#[must_use]
pub fn write(text: &str) -> (u8, Vec<u8>) {
    match write_gsm(text) {
        Some(bytes) => (GSM, bytes),
        None => (UCS2, text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
    }
}

fn write_gsm(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    for letter in text.chars() {
        if let Some(place) = BASIC.chars().position(|basic| basic == letter && letter != '\u{1b}') {
            bytes.push(u8::try_from(place).ok()?);
        } else {
            let (code, _) = EXTENSION.iter().find(|(_, extra)| *extra == letter)?;
            bytes.extend([ESCAPE, *code]);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_survive_the_wire() {
        assert_eq!(BASIC.chars().count(), 128);
        for (text, coding) in [("hello @£$ [€]", GSM), ("Привет 👋", UCS2), ("", GSM), ("ñandú", UCS2), ("àäöñüÇ\n", GSM)] {
            let (written, bytes) = write(text);
            assert_eq!((written, read(written, &bytes).as_str()), (coding, text));
        }
        assert_eq!(read(LATIN1, b"\xe9t\xe9"), "été");
        assert_eq!(read(1, b"ab\xff"), "ab?");
        assert_eq!(read(4, &[0, 255]), "00ff");
        assert_eq!(read(UCS2, &[0xd8, 0x3d, 0, b'a', 7]), "?a");
        assert_eq!(read(0xF1, &[0x1b, 0x65, 0x1b, 0x00, 0x00]), "€ @");
    }
}
