//! What an environment's calls may cost and how many there may be: brakes against those who call on somebody else's account. They are
//! on unless an operator says otherwise.

use tandem_catalogue::{Error, Result};
use tandem_kernel::{Country, Currency, Money, PhoneNumber};

use super::rates::Rate;
use crate::{Explanation, verification::usual_countries};

/// Seconds over which new calls are counted.
pub const PACE: i64 = 60;

/// What an environment's calls may do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Countries that may be called.
    pub countries: Vec<Country>,
    /// The most that a minute may cost, in millionths.
    pub most_per_minute: i64,
    /// The most that calls may cost in a day of the environment's clock, in millionths.
    pub most_per_day: i64,
    /// Calls that may begin within a minute of the machine's clock.
    pub calls_per_minute: i64,
    /// Calls that may be up at once.
    pub most_concurrent: i64,
    /// Seconds that a call may last.
    pub longest: i64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            countries: usual_countries(),
            most_per_minute: 500_000,
            most_per_day: 100 * Money::UNIT,
            calls_per_minute: 60,
            most_concurrent: 50,
            longest: 4 * 3_600,
        }
    }
}

/// What an environment's calls are doing at present.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Traffic {
    /// Calls that are up.
    pub concurrent: i64,
    /// Calls that began within the last minute.
    pub begun: i64,
    /// What calls cost today, and what is set aside for those that are up, in millionths.
    pub spent: i64,
}

impl Policy {
    /// Whether a number may be called at all.
    ///
    /// # Errors
    /// `call_country_not_allowed`, `call_too_dear`.
    pub fn check_destination(&self, to: PhoneNumber, rate: Rate, currency: Currency, why: &mut Explanation) -> Result<()> {
        let country = to.country();
        let name = country.map_or_else(|| "no country".to_owned(), |country| country.to_string());
        let allowed = country.is_some_and(|country| self.countries.contains(&country));
        let compared = format!("{name}, {} countries are allowed", self.countries.len());
        if !why.note("the number's country may be called", compared, allowed) {
            return Err(Error::call_country_not_allowed(name));
        }
        let money = |micros| Money::new(micros, currency);
        let compared = format!("{} a minute, at most {}", money(rate.minute), money(self.most_per_minute));
        if !why.note("a minute costs no more than the cap", compared, rate.minute <= self.most_per_minute) {
            return Err(Error::call_too_dear(to.to_string(), money(rate.minute), money(self.most_per_minute)));
        }
        Ok(())
    }

    /// What calls may still cost today, in millionths, where they have cost `spent`.
    #[must_use]
    pub fn left_today(&self, spent: i64) -> i64 {
        self.most_per_day.saturating_sub(spent).max(0)
    }

    /// Whether another call may begin.
    ///
    /// # Errors
    /// `call_limit_reached`.
    pub fn check_traffic(&self, traffic: Traffic, currency: Currency, why: &mut Explanation) -> Result<()> {
        let compared = format!("{} are up, at most {}", traffic.concurrent, self.most_concurrent);
        if !why.note("another call may be up at once", compared, traffic.concurrent < self.most_concurrent) {
            return Err(Error::call_limit_reached(format!("{} calls at once", self.most_concurrent), 1));
        }
        let compared = format!("{} began within a minute, at most {}", traffic.begun, self.calls_per_minute);
        if !why.note("another call may begin now", compared, traffic.begun < self.calls_per_minute) {
            return Err(Error::call_limit_reached(format!("{} new calls a minute", self.calls_per_minute), PACE));
        }
        let money = |micros| Money::new(micros, currency);
        let compared = format!("{} today, at most {}", money(traffic.spent), money(self.most_per_day));
        if !why.note("today's calls have cost less than the cap", compared, traffic.spent < self.most_per_day) {
            return Err(Error::call_limit_reached(format!("{} a day", money(self.most_per_day)), 3_600));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tandem_catalogue::Code;

    use super::*;

    fn usd() -> Currency {
        Currency::parse("USD").expect("a currency")
    }

    fn code(policy: &Policy, to: &str, minute: i64) -> Option<Code> {
        let rate = Rate { setup: 0, minute, first: 1, step: 1 };
        let to = PhoneNumber::from_e164(to).expect(to);
        policy.check_destination(to, rate, usd(), &mut Explanation::of("route", "x")).err().map(|error| error.code())
    }

    #[test]
    fn brakes_are_on_by_default() {
        let policy = Policy::default();
        assert_eq!(code(&policy, "+14155550100", 14_000), None);
        assert_eq!(code(&policy, "+14155550100", 500_001), Some(Code::CallTooDear));
        assert_eq!(code(&policy, "+18765550100", 1), Some(Code::CallCountryNotAllowed), "Jamaica");
        assert_eq!(code(&policy, "+882161234567", 1), Some(Code::CallCountryNotAllowed), "no country's");
    }

    #[test]
    fn traffic_has_three_limits() {
        let policy = Policy { most_concurrent: 2, calls_per_minute: 3, most_per_day: 10, ..Policy::default() };
        let says = |traffic| policy.check_traffic(traffic, usd(), &mut Explanation::of("route", "x")).is_ok();
        let quiet = Traffic { concurrent: 1, begun: 2, spent: 9 };
        assert!(says(quiet));
        assert!(!says(Traffic { concurrent: 2, ..quiet }));
        assert!(!says(Traffic { begun: 3, ..quiet }));
        assert!(!says(Traffic { spent: 10, ..quiet }));
    }
}
