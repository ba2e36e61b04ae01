//! Alphabets of short messages by the data_coding that names them.

use tandem_domain::message::Encoding;
use tandem_kernel::hex;

/// The default alphabet: one octet for each of its septets.
pub const GSM: u8 = 0;
/// ISO 8859-1.
pub const LATIN1: u8 = 3;
/// UCS-2, in fact UTF-16, the high octet first.
pub const UCS2: u8 = 8;
const ASCII: u8 = 1;

/// The coding that stands for an encoding.
#[must_use]
pub const fn coding(encoding: Encoding) -> u8 {
    match encoding {
        Encoding::Gsm => GSM,
        Encoding::Latin1 => LATIN1,
        Encoding::Ucs2 => UCS2,
    }
}

/// Reads a text; what is no text at all as hexadecimal digits.
#[must_use]
pub fn read(data_coding: u8, bytes: &[u8]) -> String {
    match class(data_coding) {
        GSM => Encoding::Gsm.read(bytes),
        ASCII => bytes.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { char::REPLACEMENT_CHARACTER }).collect(),
        LATIN1 => Encoding::Latin1.read(bytes),
        UCS2 => Encoding::Ucs2.read(bytes),
        _ => hex(bytes),
    }
}

/// A text in one of the encodings that there are, so that it can be read with its neighbours.
#[must_use]
pub fn plain(data_coding: u8, bytes: &[u8]) -> (Encoding, Vec<u8>) {
    match class(data_coding) {
        GSM => (Encoding::Gsm, bytes.to_vec()),
        LATIN1 => (Encoding::Latin1, bytes.to_vec()),
        UCS2 => (Encoding::Ucs2, bytes.to_vec()),
        _ => (Encoding::Ucs2, Encoding::Ucs2.write(&read(data_coding, bytes)).unwrap_or_default()),
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

/// Writes a text in the cheapest alphabet that has all of its characters.
#[must_use]
pub fn write(text: &str) -> (u8, Vec<u8>) {
    let encoding = Encoding::choose(text);
    (coding(encoding), encoding.write(text).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_survive_the_wire() {
        for (text, coding) in [("hello @£$ [€]", GSM), ("Привет 👋", UCS2), ("", GSM), ("ñandú", UCS2), ("àäöñüÇ\n", GSM)]
        {
            let (written, bytes) = write(text);
            assert_eq!((written, read(written, &bytes).as_str()), (coding, text));
        }
        assert_eq!(read(LATIN1, b"\xe9t\xe9"), "été");
        assert_eq!(read(1, b"ab\xff"), "ab\u{fffd}");
        assert_eq!(read(4, &[0, 255]), "00ff");
        assert_eq!(read(0xF1, &[0x1b, 0x65, 0x00]), "€@");
        for (coding, octets) in [(1, &b"ab\xff"[..]), (4, &[0, 255]), (0xE0, &[4, 31]), (LATIN1, b"\xe9")] {
            let (encoding, plain) = plain(coding, octets);
            assert_eq!(encoding.read(&plain), read(coding, octets), "{coding}");
        }
    }
}
