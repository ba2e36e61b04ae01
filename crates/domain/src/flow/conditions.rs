//! What must hold beside the pattern for a rule to fit.

use jiff::{civil::Time, tz::TimeZone};
use tandem_catalogue::{Error, Result};
use tandem_kernel::{PhoneNumber, Timestamp};

use crate::Explanation;

/// The word for callers who hide their number.
pub const ANONYMOUS: &str = "anonymous";
/// Callers that one rule can name.
const MOST_CALLERS: usize = 50;

/// Who calls, and when.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Conditions {
    /// One of these: numbers or their beginnings with `+`, or [`ANONYMOUS`]; anybody where there are none.
    pub callers: Vec<String>,
    /// Within these; at any time where there are none.
    pub hours: Option<Hours>,
}

/// A stretch of the week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    /// An IANA time zone.
    pub time_zone: String,
    /// Days, 1 for Monday to 7 for Sunday.
    pub days: Vec<i64>,
    /// `HH:MM`, inclusive.
    pub from: String,
    /// `HH:MM`, exclusive; not after `from` it runs past midnight.
    pub to: String,
}

impl Conditions {
    /// Whether there are any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Checks them; `field` is where they stand.
    ///
    /// # Errors
    /// `invalid_value`, `out_of_range`.
    pub fn check(&self, field: &str) -> Result<()> {
        if self.callers.len() > MOST_CALLERS {
            return Err(Error::invalid_value(format!("{field}.callers"), format!("must have at most {MOST_CALLERS} entries")));
        }
        if let Some(odd) = self.callers.iter().find(|caller| !is_caller(caller)) {
            let rule = format!("must have numbers or their beginnings such as +61, or {ANONYMOUS}, but has '{odd}'");
            return Err(Error::invalid_value(format!("{field}.callers"), rule));
        }
        self.hours.as_ref().map_or(Ok(()), |hours| hours.check(field))
    }

    /// Whether they hold; notes why.
    pub fn hold(&self, caller: Option<PhoneNumber>, at: Timestamp, rule: usize, explanation: &mut Explanation) -> bool {
        if !self.callers.is_empty() {
            let name = caller.map_or_else(|| ANONYMOUS.to_owned(), |caller| caller.to_string());
            let named = self.callers.iter().any(|wanted| name.starts_with(wanted.as_str()));
            if !explanation.note(format!("rule {rule} is for this caller"), format!("{name} among {:?}", self.callers), named) {
                return false;
            }
        }
        self.hours.as_ref().is_none_or(|hours| {
            let compared = format!("{at} in {}, days {:?}, {} to {}", hours.time_zone, hours.days, hours.from, hours.to);
            explanation.note(format!("rule {rule} is for this time"), compared, hours.cover(at))
        })
    }
}

impl Hours {
    fn check(&self, field: &str) -> Result<()> {
        if TimeZone::get(&self.time_zone).is_err() {
            let rule = format!("must be an IANA time zone, but is '{}'", self.time_zone);
            return Err(Error::invalid_value(format!("{field}.time_zone"), rule));
        }
        if self.days.is_empty() || self.days.iter().any(|day| !(1..=7).contains(day)) {
            return Err(Error::invalid_value(format!("{field}.days"), "must have days, 1 (Monday) to 7 (Sunday)"));
        }
        for (name, time) in [("from", &self.from), ("to", &self.to)] {
            if time_of_day(time).is_none() {
                return Err(Error::invalid_value(format!("{field}.{name}"), "must be a time of day as HH:MM"));
            }
        }
        Ok(())
    }

    /// Whether an instant is within them. What runs past midnight belongs to the day on which it began.
    #[must_use]
    pub fn cover(&self, at: Timestamp) -> bool {
        let (Ok(instant), Ok(zone)) = (jiff::Timestamp::from_microsecond(at.micros()), TimeZone::get(&self.time_zone)) else {
            return false;
        };
        let (Some(from), Some(to)) = (time_of_day(&self.from), time_of_day(&self.to)) else { return false };
        let local = instant.to_zoned(zone);
        let (today, now) = (i64::from(local.weekday().to_monday_one_offset()), local.time());
        let yesterday = if today == 1 { 7 } else { today - 1 };
        let on = |day: i64| self.days.contains(&day);
        if from < to { on(today) && from <= now && now < to } else { (on(today) && from <= now) || (on(yesterday) && now < to) }
    }
}

fn time_of_day(text: &str) -> Option<Time> {
    if text.len() == 5 { Time::strptime("%H:%M", text).ok() } else { None }
}

fn is_caller(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or("");
    text == ANONYMOUS
        || ((1..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(from: &str, to: &str, days: &[i64]) -> Hours {
        Hours { time_zone: "Australia/Sydney".to_owned(), days: days.to_vec(), from: from.to_owned(), to: to.to_owned() }
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect(text)
    }

    #[test]
    fn hours_are_those_of_their_time_zone() {
        let office = hours("09:00", "17:30", &[1, 2, 3, 4, 5]);
        assert!(office.cover(at("2024-01-01T23:00:00Z")), "Tuesday, 10:00 in Sydney");
        assert!(!office.cover(at("2024-01-02T06:30:00Z")), "17:30 is past");
        assert!(!office.cover(at("2024-01-05T23:00:00Z")), "Saturday");
    }

    #[test]
    fn what_runs_past_midnight_belongs_to_the_day_on_which_it_began() {
        let night = hours("22:00", "06:00", &[5]);
        assert!(night.cover(at("2024-01-05T12:00:00Z")), "Friday, 23:00");
        assert!(night.cover(at("2024-01-05T18:59:00Z")), "Saturday, 05:59");
        assert!(!night.cover(at("2024-01-05T19:00:00Z")), "Saturday, 06:00");
        assert!(!night.cover(at("2024-01-06T12:00:00Z")), "Saturday, 23:00");
    }

    #[test]
    fn callers_are_known_by_how_their_numbers_begin() {
        let only = Conditions { callers: vec!["+61".to_owned(), ANONYMOUS.to_owned()], hours: None };
        let mut explanation = Explanation::of("routing", "call_1");
        let mut hold =
            |caller: Option<&str>| only.hold(caller.and_then(PhoneNumber::from_e164), at("2024-01-01"), 1, &mut explanation);
        assert!(hold(Some("+61299998888")) && hold(None) && !hold(Some("+14155550100")));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let field = |conditions: Conditions| {
            let error = conditions.check("routing.0.conditions").expect_err("a fault");
            error.render(tandem_catalogue::Dialect::Native).field.expect("a field")
        };
        let with = |hours| Conditions { callers: Vec::new(), hours: Some(hours) };
        assert_eq!(field(Conditions { callers: vec!["61".to_owned()], hours: None }), "routing.0.conditions.callers");
        assert_eq!(field(with(hours("9", "17:00", &[1]))), "routing.0.conditions.from");
        assert_eq!(field(with(hours("09:00", "24:00", &[1]))), "routing.0.conditions.to");
        assert_eq!(field(with(hours("09:00", "17:00", &[8]))), "routing.0.conditions.days");
        let mars = Hours { time_zone: "Mars/Olympus".to_owned(), ..hours("09:00", "17:00", &[1]) };
        assert_eq!(field(with(mars)), "routing.0.conditions.time_zone");
    }
}
