//! Texts with a length that the wire prescribes, and times.

use rusmpp::types::COctetString;
use tandem_kernel::Timestamp;

/// A text as the wire takes it: cut off where it is too long, and plain where it holds what no address or id may.
#[must_use]
pub fn clipped<const MAX: usize>(text: &str) -> COctetString<1, MAX> {
    let plain: String = text.chars().map(|letter| if letter.is_ascii() && letter != '\0' { letter } else { '?' }).collect();
    let cut = plain.get(..plain.len().min(MAX.saturating_sub(1))).unwrap_or_default();
    COctetString::from_slice(&[cut.as_bytes(), &[0]].concat()).unwrap_or_default()
}

/// A stretch of time as a validity period: `YYMMDDhhmmss000R`.
#[must_use]
pub fn relative(seconds: i64) -> String {
    let seconds = seconds.clamp(1, 63 * 86_400);
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Months of thirty days: the form has no more than 99 of anything, and no day beyond 31.
    let (months, days) = (days / 30, days % 30);
    format!("00{months:02}{days:02}{:02}{:02}{:02}000R", rest / 3600, rest % 3600 / 60, rest % 60)
}

/// A time as receipts write it: `YYMMDDhhmm`, in UTC; with seconds and the zone, as fields of the wire do, if `full`.
#[must_use]
pub fn clock_text(at: Timestamp, full: bool) -> String {
    let text = at.to_string(); // 2024-01-01T12:00:00Z
    let digits: String = text.chars().filter(char::is_ascii_digit).skip(2).collect();
    let minutes = digits.get(..10).unwrap_or_default();
    if full { format!("{}000+", digits.get(..12).unwrap_or_default()) } else { minutes.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_forms_of_the_wire() {
        assert_eq!(relative(3_600), "000000010000000R");
        assert_eq!(relative(172_861), "000002000101000R");
        let noon = Timestamp::parse("2024-03-05T12:34:56Z").expect("a time");
        assert_eq!((clock_text(noon, false).as_str(), clock_text(noon, true).as_str()), ("2403051234", "240305123456000+"));
        assert_eq!(relative(1).len(), 16);
    }

    #[test]
    fn texts_are_cut_to_what_fits() {
        assert_eq!(clipped::<5>("abcdef").as_str(), "abcd");
        assert_eq!(clipped::<5>("é\0b").as_str(), "??b");
        assert!(clipped::<5>("").is_empty());
    }
}
