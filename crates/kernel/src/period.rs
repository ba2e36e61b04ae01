//! Stretches of calendar time.

use jiff::Span;

/// A stretch of calendar time such as a month, or a day and twelve hours; never backward.
#[derive(Clone, Copy, Debug)]
pub struct Period(Span);

impl Period {
    /// Reads a duration as ISO 8601 writes it: `P1M`, `P1Y2M3DT4H5M6S`, `PT90S`. None for anything else, and for one that is negative.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.starts_with('P') && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        let span: Span = if plain { text.parse().ok()? } else { return None };
        (!span.is_negative()).then_some(Self(span))
    }

    pub(crate) const fn span(self) -> Span {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    #[test]
    fn periods_are_counted_by_the_calendar() {
        let start = Timestamp::parse("2024-01-31T10:00:00Z").expect("an instant");
        for (period, end) in [
            ("P1M", "2024-02-29T10:00:00Z"),
            ("P1Y1D", "2025-02-01T10:00:00Z"),
            ("P2W", "2024-02-14T10:00:00Z"),
            ("PT36H", "2024-02-01T22:00:00Z"),
            ("P1DT90S", "2024-02-01T10:01:30Z"),
            ("P9000Y", "9999-12-30T00:00:00Z"),
        ] {
            let period = Period::parse(period).expect(period);
            assert_eq!(start.plus_period(period).to_string(), end);
        }
    }

    #[test]
    fn what_is_no_period_is_refused() {
        for text in ["", "P", "1M", "P1", "-P1M", "P-1M", "P1.5D", "p1m", "P1M ", "a month", "P99999Y", "PT"] {
            assert!(Period::parse(text).is_none(), "{text}");
        }
    }
}
