//! What an environment used in a period, and what that cost.
//!
//! A period is made of whole days of the environment's clock, in UTC. Charges are counted where the ledger posted them: charges and
//! captures, less refunds. What the period will have cost in the end is estimated as
//!
//! ```text
//! estimated_final_charge = total_charges + the months of numbers that begin between now and the end of the period
//! ```
//!
//! at each number's own price and on its own days, several months of one number included. Nothing is guessed about calls,
//! messages, further purchases, or money that is set aside. For a period that is over both are the same.

use tandem_catalogue::{Error, Result};
use tandem_domain::billing::{Granularity, Line};
use tandem_kernel::{Caller, Currency, EnvironmentId, Money, Scope, Timestamp};
use tandem_ledger::Category;
use tandem_store::{
    Tx,
    repo::{ledger, totals, usage as counters},
};

use crate::{App, directory::API_CALLS, numbers::RENEWAL_JOB, permit};

/// Counts text messages, in the table of usage.
pub const SMS_MESSAGES: &str = "sms_messages";
/// Counts seconds of calls, in the table of usage.
pub const VOICE_SECONDS: &str = "voice_seconds";
/// The most steps that a period may have.
const MOST_STEPS: usize = 366;

/// Which period to read.
#[derive(Debug, Clone, Copy)]
pub struct ReadUsage {
    /// Its first day. If none: that of the step in which the last day lies, or the present.
    pub from: Option<Timestamp>,
    /// The midnight after its last day. If none: the end of the present step, or of the one in which the first day lies if that
    /// is to come.
    pub until: Option<Timestamp>,
    /// By which steps it is counted.
    pub granularity: Granularity,
}

/// Something that is counted, and what it cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metered {
    /// How many.
    pub count: i64,
    /// What one cost on average; nothing where there is none.
    pub unit_cost: Money,
    /// What they cost.
    pub cost: Money,
}

/// Requests to the API. They are counted by the machine's clock, as quotas are; where the environment's clock is ahead, they are
/// shown on the days that it showed while it ran as it runs now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiCalls {
    /// How many.
    pub count: i64,
    /// How many a month may have; any number, if none.
    pub limit: Option<i64>,
    /// How much of the limit that is, in hundredths of a percent.
    pub used: Option<i64>,
    /// What they cost.
    pub cost: Money,
}

/// Numbers in the environment's possession at the end of the period, or now if it is not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumbersHeld {
    /// How many.
    pub count: i64,
    /// What one costs a month on average.
    pub unit_cost: Money,
    /// What they cost a month.
    pub monthly_cost: Money,
}

/// One step of a period: a day, a week or a month, cut to the period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageStep {
    /// Its first instant.
    pub start: Timestamp,
    /// The instant after its last.
    pub end: Timestamp,
    /// Requests to the API.
    pub api_calls: i64,
    /// What was charged.
    pub charges: Money,
}

/// What was used in a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The period's first instant.
    pub start: Timestamp,
    /// The instant after its last.
    pub end: Timestamp,
    /// Requests to the API.
    pub api_calls: ApiCalls,
    /// Text messages.
    pub sms_messages: Metered,
    /// Minutes of calls, the sum rounded up.
    pub voice_minutes: Metered,
    /// Numbers.
    pub phone_numbers: NumbersHeld,
    /// What was charged, by category.
    pub charges: Vec<Line>,
    /// What was charged.
    pub total_charges: Money,
    /// What will have been charged when the period is over.
    pub estimated_final_charge: Money,
    /// The period's steps, in order.
    pub steps: Vec<UsageStep>,
}

/// Reads what an environment used in a period.
///
/// # Errors
/// `invalid_value` where the period ends before it begins or has too many steps, `insufficient_scope`.
pub async fn usage(app: &App, caller: &Caller, command: ReadUsage) -> Result<Usage> {
    let entry = app.directory.environment(caller.environment).await?;
    let machine = app.machine_now();
    let now = entry.settings.clock.at(machine);
    let period = Period::of(&command, now)?;
    permit(caller, Scope::BillingRead)?;
    let quota = entry.settings.rate.monthly_quota.map(|quota| i64::try_from(quota).unwrap_or(i64::MAX));
    let (environment, ahead) = (caller.environment, now.micros().saturating_sub(machine.micros()));
    app.store.read(move |tx| read(tx, environment, &period, Present { now, ahead, quota })).await
}

/// What a reading of usage needs to know of the environment.
#[derive(Debug, Clone, Copy)]
struct Present {
    /// The environment's time.
    now: Timestamp,
    /// Microseconds by which its clock is before the machine's.
    ahead: i64,
    /// Requests that a month may have.
    quota: Option<i64>,
}

/// Whole days, and the steps by which they are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Period {
    start: Timestamp,
    end: Timestamp,
    steps: Vec<(Timestamp, Timestamp)>,
}

impl Period {
    fn of(command: &ReadUsage, now: Timestamp) -> Result<Self> {
        let step = command.granularity;
        let until = command.until.unwrap_or_else(|| step.next(command.from.map_or(now, |from| from.max(now))));
        let from = command.from.unwrap_or_else(|| match command.until {
            Some(until) => step.start_of(until.plus_micros(-1)),
            None => step.start_of(now),
        });
        Self::new(from, until, step)
    }

    fn new(from: Timestamp, until: Timestamp, step: Granularity) -> Result<Self> {
        let (start, last) = (from.start_of_day(), until.start_of_day());
        let end = if last < until { last.plus_days(1) } else { last };
        if start >= end {
            return Err(Error::invalid_value("end_date", "must not lie before start_date"));
        }
        let firsts = std::iter::successors(Some(start), |at| Some(step.next(*at)).filter(|next| next < &end && next > at));
        let firsts: Vec<_> = firsts.take(MOST_STEPS + 1).collect();
        if firsts.len() > MOST_STEPS {
            let (word, most) = (step.as_str(), MOST_STEPS);
            return Err(Error::invalid_value("start_date", format!("must leave at most {most} steps of one {word}")));
        }
        let ends = firsts.iter().skip(1).copied().chain([end]);
        Ok(Self { start, end, steps: firsts.iter().copied().zip(ends).collect() })
    }
}

fn read(tx: &mut Tx, environment: EnvironmentId, period: &Period, present: Present) -> Result<Usage> {
    let Present { now, ahead, quota } = present;
    let currency = ledger::wallet(tx, environment)?.currency;
    let days = totals::spent_by_day(tx, environment, period.start, period.end)?;
    let calls = count(tx, environment, API_CALLS, period, ahead)?;
    let total = days.iter().map(|(_, line)| line.amount).fold(0_i64, i64::saturating_add);
    let charges = by_category(&days);
    let due = renewals(tx, environment, period, now)?;
    let sms = count(tx, environment, SMS_MESSAGES, period, ahead)?;
    let voice = count(tx, environment, VOICE_SECONDS, period, ahead)?;
    let made = sum(&calls);
    Ok(Usage {
        start: period.start,
        end: period.end,
        api_calls: ApiCalls {
            count: made,
            limit: quota,
            used: quota.map(|quota| made.saturating_mul(10_000) / quota.max(1)),
            cost: cost(&charges, Category::Requests, currency),
        },
        sms_messages: metered(sum(&sms), cost(&charges, Category::Messages, currency)),
        voice_minutes: metered(sum(&voice).saturating_add(59) / 60, cost(&charges, Category::Calls, currency)),
        phone_numbers: held(tx, environment, now.min(period.end.plus_micros(-1)), currency)?,
        total_charges: Money::new(total, currency),
        estimated_final_charge: Money::new(total.saturating_add(due), currency),
        steps: period.steps.iter().map(|step| usage_step(*step, &days, &calls, currency)).collect(),
        charges,
    })
}

/// A counter by the environment's days. The table has the machine's; `ahead` is how far the environment's clock is before it.
fn count(tx: &mut Tx, environment: EnvironmentId, metric: &str, period: &Period, ahead: i64) -> Result<Vec<(Timestamp, i64)>> {
    let machine = |at: Timestamp| at.plus_micros(ahead.saturating_neg());
    let days = counters::by_day(tx, environment, metric, machine(period.start), machine(period.end))?;
    Ok(days.into_iter().map(|(day, count)| (day.plus_micros(ahead).start_of_day(), count)).collect())
}

/// What the months of numbers cost that begin from now until the period's end.
fn renewals(tx: &mut Tx, environment: EnvironmentId, period: &Period, now: Timestamp) -> Result<i64> {
    if period.end <= now {
        return Ok(0);
    }
    let due = counters::renewals_until(tx, environment, RENEWAL_JOB, period.end)?;
    let sums = due.into_iter().map(|(first, monthly)| {
        let months = (0..).map(|month| first.plus_months(month)).take_while(|at| *at < period.end);
        let within = months.filter(|at| at >= &period.start).count();
        monthly.saturating_mul(i64::try_from(within).unwrap_or(i64::MAX))
    });
    Ok(sums.fold(0, i64::saturating_add))
}

fn by_category(days: &[(Timestamp, Line)]) -> Vec<Line> {
    let of = |category: Category| {
        let mut lines = days.iter().map(|(_, line)| line).filter(|line| line.category == category).peekable();
        lines.peek()?;
        Some(lines.fold(Line { category, count: 0, amount: 0 }, |sum, line| Line {
            count: sum.count.saturating_add(line.count),
            amount: sum.amount.saturating_add(line.amount),
            ..sum
        }))
    };
    Category::ALL.into_iter().filter_map(of).collect()
}

fn cost(charges: &[Line], category: Category, currency: Currency) -> Money {
    let line = charges.iter().find(|line| line.category == category);
    Money::new(line.map_or(0, |line| line.amount), currency)
}

fn metered(count: i64, cost: Money) -> Metered {
    Metered { count, unit_cost: Money::new(cost.micros.checked_div(count).unwrap_or(0), cost.currency), cost }
}

fn held(tx: &mut Tx, environment: EnvironmentId, at: Timestamp, currency: Currency) -> Result<NumbersHeld> {
    let (count, monthly) = counters::numbers_at(tx, environment, at)?;
    let Metered { unit_cost, cost: monthly_cost, .. } = metered(count, Money::new(monthly, currency));
    Ok(NumbersHeld { count, unit_cost, monthly_cost })
}

fn usage_step(
    (start, end): (Timestamp, Timestamp),
    days: &[(Timestamp, Line)],
    calls: &[(Timestamp, i64)],
    currency: Currency,
) -> UsageStep {
    let within = |day: Timestamp| day >= start && day < end;
    let charged = days.iter().filter(|(day, _)| within(*day)).map(|(_, line)| line.amount).fold(0, i64::saturating_add);
    let made = calls.iter().filter(|(day, _)| within(*day)).map(|(_, count)| *count).fold(0, i64::saturating_add);
    UsageStep { start, end, api_calls: made, charges: Money::new(charged, currency) }
}

fn sum(days: &[(Timestamp, i64)]) -> i64 {
    days.iter().map(|(_, count)| *count).fold(0, i64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a valid instant")
    }

    fn period(from: &str, until: &str, granularity: Granularity, now: &str) -> Result<Period> {
        let read = |text: &str| (!text.is_empty()).then(|| at(text));
        Period::of(&ReadUsage { from: read(from), until: read(until), granularity }, at(now))
    }

    #[test]
    fn a_period_that_is_not_named_is_the_present_step() {
        let now = "2024-02-29T15:30:00Z";
        for (from, until, step, start, end, steps) in [
            ("", "", Granularity::Month, "2024-02-01", "2024-03-01", 1),
            ("", "", Granularity::Week, "2024-02-26", "2024-03-04", 1),
            ("", "", Granularity::Day, "2024-02-29", "2024-03-01", 1),
            ("2024-01-15", "", Granularity::Month, "2024-01-15", "2024-03-01", 2),
            ("2024-05-15", "", Granularity::Month, "2024-05-15", "2024-06-01", 1),
            ("", "2024-02-01", Granularity::Month, "2024-01-01", "2024-02-01", 1),
            ("2024-01-30T10:00:00Z", "2024-02-02T10:00:00Z", Granularity::Day, "2024-01-30", "2024-02-03", 4),
        ] {
            let period = period(from, until, step, now).expect("a period");
            assert_eq!((period.start, period.end, period.steps.len()), (at(start), at(end), steps), "{from}..{until}");
            assert_eq!(period.steps.first().map(|step| step.0), Some(period.start));
            assert_eq!(period.steps.last().map(|step| step.1), Some(period.end));
            assert!(period.steps.windows(2).all(|pair| pair[0].1 == pair[1].0));
        }
    }

    #[test]
    fn a_period_must_not_end_before_it_begins_or_be_endless() {
        let now = "2024-02-29T15:30:00Z";
        for (from, until) in [("2024-02-02", "2024-02-01"), ("2024-02-01", "2024-02-01"), ("2020-01-01", "2024-01-01")] {
            let refused = period(from, until, Granularity::Day, now).expect_err("no period");
            assert_eq!(refused.code(), tandem_catalogue::Code::InvalidValue, "{from}..{until}");
        }
        assert!(period("2020-01-01", "2024-01-01", Granularity::Month, now).is_ok());
        assert!(period("", "9999-12-31", Granularity::Day, now).is_ok());
    }
}
