//! Time as a parameter.

use std::{
    fmt,
    sync::atomic::{AtomicI64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use jiff::{ToSpan, civil, tz::TimeZone};

use crate::Period;

/// An instant, in microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The latest instant that every part of the system can write: 9999-12-30T00:00:00Z. In some time zone the next day has begun.
    pub const MAX: Self = Self(253_402_128_000_000_000);

    /// From microseconds since the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This instant moved by seconds, kept within what can be written.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        self.plus_micros(seconds.saturating_mul(1_000_000))
    }

    /// This instant moved by microseconds, kept within what can be written.
    #[must_use]
    pub fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros).clamp(0, Self::MAX.0))
    }

    /// This instant moved by whole days of 24 hours.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        self.plus_seconds(days.saturating_mul(86_400))
    }

    /// The same day and time of day `months` later in UTC; the month's last day where it has no such day.
    ///
    /// Counted from an anchor, never from the result of the step before: 31 January + 1 is 28 (29) February and + 2 is 31 March.
    #[must_use]
    pub fn plus_months(self, months: i32) -> Self {
        let moved = self.civil().checked_add(i64::from(months).months());
        moved.ok().and_then(Self::from_civil).unwrap_or(Self::MAX)
    }

    /// This instant moved by a stretch of calendar time in UTC, kept within what can be written.
    #[must_use]
    pub fn plus_period(self, period: Period) -> Self {
        let moved = self.civil().checked_add(period.span());
        moved.ok().and_then(Self::from_civil).unwrap_or(Self::MAX).min(Self::MAX)
    }

    /// Midnight UTC at the start of this instant's month.
    #[must_use]
    pub fn start_of_month(self) -> Self {
        let date = self.civil().date();
        Self::from_civil(date.first_of_month().at(0, 0, 0, 0)).unwrap_or(self)
    }

    /// Midnight UTC at the start of this instant's day.
    #[must_use]
    pub fn start_of_day(self) -> Self {
        Self(self.0 - self.0.rem_euclid(86_400_000_000))
    }

    /// Reads RFC 3339 with an offset, or a bare date as midnight UTC. What lies beyond [`Self::MAX`], such as the last day of the
    /// year 9999, is read as that.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let instant = match text.parse::<jiff::Timestamp>() {
            Ok(instant) => Self(instant.as_microsecond()),
            Err(_) if text.len() == "YYYY-MM-DD".len() => {
                let day = text.parse::<civil::Date>().ok()?;
                Self::from_civil(day.at(0, 0, 0, 0)).unwrap_or(Self::MAX)
            }
            Err(_) => return None,
        };
        (instant.0 >= 0).then_some(instant.min(Self::MAX))
    }

    /// The date in UTC, as `YYYY-MM-DD`.
    #[must_use]
    pub fn date(self) -> String {
        self.civil().date().to_string()
    }

    fn civil(self) -> civil::DateTime {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_zoned(TimeZone::UTC).datetime()
    }

    fn from_civil(civil: civil::DateTime) -> Option<Self> {
        civil.to_zoned(TimeZone::UTC).ok().map(|zoned| Self(zoned.timestamp().as_microsecond()))
    }
}

/// RFC 3339 in UTC with whole seconds, as all the dialects show times: `2024-01-01T12:00:00Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = jiff::Timestamp::from_second(self.seconds()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        write!(f, "{whole}")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}+{}us", self.0.rem_euclid(1_000_000))
    }
}

/// A source of the present.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock that everything else takes its time from")]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }
}

/// A clock that moves only when told to.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub const fn new(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.0))
    }

    /// Moves the clock; it never goes back.
    pub fn advance_seconds(&self, seconds: u32) {
        self.0.fetch_add(i64::from(seconds) * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a valid instant")
    }

    #[test]
    fn months_are_counted_from_the_anchor_and_clamped() {
        let anchor = at("2024-01-31T10:00:00Z");
        let days = [1, 2, 3, 13].map(|n| anchor.plus_months(n).to_string());
        assert_eq!(days, ["2024-02-29T10:00:00Z", "2024-03-31T10:00:00Z", "2024-04-30T10:00:00Z", "2025-02-28T10:00:00Z"]);
        assert_eq!(at("2024-02-29").plus_months(12).to_string(), "2025-02-28T00:00:00Z");
    }

    #[test]
    fn times_that_no_database_or_page_can_hold_are_refused() {
        for text in ["", "yesterday", "2024-13-01", "0001-01-01", "2024-01-01T00:00:00", "-002024-01-01T00:00:00Z"] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
        assert_eq!(Timestamp::MAX.plus_days(1), Timestamp::MAX);
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-30T00:00:00Z");
        for text in ["9999-12-30", "9999-12-30T12:00:00Z", "9999-12-31"] {
            assert_eq!(Timestamp::parse(text), Some(Timestamp::MAX), "{text}");
        }
    }
}
