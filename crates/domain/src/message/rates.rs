//! What a message costs: by the beginning of the recipient's number, the longest that fits.

use std::sync::LazyLock;

use tandem_kernel::{Money, PhoneNumber};

const TABLE: &str = include_str!("../../../../catalogue/prices/messages.csv");

/// What messages to numbers with one beginning cost, in millionths.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// The beginning, in digits; empty for everywhere else.
    pub prefix: &'static str,
    /// Each segment of a text.
    pub sms: i64,
    /// A message with media, whatever its size.
    pub mms: i64,
}

/// Where nothing else is said.
const ELSEWHERE: Rate = Rate { prefix: "", sms: 10_000, mms: 50_000 };

/// Sorted by prefix.
static RATES: LazyLock<Vec<Rate>> = LazyLock::new(|| {
    let mut rates: Vec<Rate> = TABLE.lines().filter_map(read).collect();
    rates.sort_by_key(|rate| rate.prefix);
    rates
});

fn read(line: &'static str) -> Option<Rate> {
    let mut columns = line.split(',').map(str::trim);
    let (prefix, sms, mms) = (columns.next()?, columns.next()?, columns.next()?);
    let plain = prefix.bytes().all(|byte| byte.is_ascii_digit());
    plain.then_some(Rate { prefix, sms: Money::parse_micros(sms)?, mms: Money::parse_micros(mms)? })
}

/// The rate of a recipient.
#[must_use]
pub fn of(to: PhoneNumber) -> Rate {
    let digits = to.digits().to_string();
    let beginnings = (0..=digits.len()).rev().filter_map(|length| digits.get(..length));
    let find = |prefix: &str| RATES.binary_search_by_key(&prefix, |rate| rate.prefix).ok().and_then(|at| RATES.get(at)).copied();
    beginnings.filter_map(find).next().unwrap_or(ELSEWHERE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read_and_none_twice() {
        let lines = TABLE.lines().skip(1).filter(|line| !line.is_empty()).count();
        assert_eq!(RATES.len(), lines, "the first line is the heading, every other one a rate");
        assert!(RATES.windows(2).all(|pair| pair[0].prefix < pair[1].prefix));
        assert!(RATES.iter().all(|rate| rate.sms > 0 && rate.mms >= rate.sms));
    }

    #[test]
    fn the_longest_beginning_wins() {
        let rate = |digits| of(PhoneNumber::from_digits(digits));
        assert_eq!((rate(14_155_550_100).prefix, rate(14_155_550_100).sms), ("1", 10_000));
        assert_eq!(rate(447_700_900_123).prefix, "447");
        assert_eq!(rate(442_079_460_123).prefix, "44");
        assert_eq!(rate(99_999_999_999), ELSEWHERE);
    }
}
