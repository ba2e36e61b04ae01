//! When a delivery is tried, and when it is given up.

use tandem_catalogue::Dialect;

/// Seconds for which nothing may be delivered to an endpoint before it is switched off: longer than any schedule.
pub const PATIENCE: i64 = 5 * 86_400;
/// The longest that an endpoint can ask us to wait, in seconds.
const LONGEST_WAIT: i64 = 3600;

/// How often and when a delivery is tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Schedule {
    /// Seconds before each attempt, counted from the one before.
    pub delays: &'static [i64],
    /// Seconds of chance that each but the first has added, at the most; a share of the delay where it is none.
    pub jitter: Option<i64>,
    /// Whether an answer of 400 to 499 ends it.
    pub refusals_are_final: bool,
    /// Whether retries are brought forward when the endpoint answers again.
    pub hastened: bool,
}

/// As Audian documents it: five attempts within 51 minutes, each retry up to a minute late, and none after a 4xx.
const AUDIAN: Schedule = Schedule { delays: &[0, 60, 300, 900, 1800], jitter: Some(60), refusals_are_final: true, hastened: false };
/// Ours: ten attempts within three days and some hours.
const OURS: Schedule = Schedule {
    delays: &[0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400],
    jitter: None,
    refusals_are_final: false,
    hastened: true,
};

/// What came of an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The status; none where there was no answer.
    pub status: Option<u16>,
    /// Seconds that the answer asks us to wait.
    pub retry_after: Option<i64>,
}

/// What follows from an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// It arrived.
    Delivered,
    /// It is tried again after so many seconds.
    Retry(i64),
    /// It is given up.
    GiveUp,
    /// The endpoint is gone for good (410): this is given up, and everything else for it.
    Gone,
}

impl Schedule {
    /// The schedule of a dialect's endpoints.
    #[must_use]
    pub const fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Audian => AUDIAN,
            Dialect::FoneDynamics | Dialect::TelephonyIo | Dialect::Native => OURS,
        }
    }

    /// What follows from the answer to the attempt number `attempt` (the first is 1); `chance` is any random number.
    #[must_use]
    pub fn after(&self, attempt: i64, answer: Answer, chance: u64) -> Next {
        match answer.status {
            Some(200..=299) => Next::Delivered,
            Some(410) => Next::Gone,
            // 408 and 429 say "not now" and not "never", whatever is in the list of those that are not repeated.
            Some(status @ 400..=499) if self.refusals_are_final && status != 408 && status != 429 => Next::GiveUp,
            _ => {
                let delay = usize::try_from(attempt).ok().and_then(|attempt| self.delays.get(attempt));
                delay.map_or(Next::GiveUp, |delay| Next::Retry(self.spread(*delay, chance).max(wait(answer))))
            }
        }
    }

    fn spread(&self, delay: i64, chance: u64) -> i64 {
        let most = self.jitter.unwrap_or(delay / 10);
        let chance = i64::try_from(chance % 1_000_003).unwrap_or(0);
        delay + if most > 0 { chance % (most + 1) } else { 0 }
    }
}

/// Only what says when to come back may say for how long to stay away.
fn wait(answer: Answer) -> i64 {
    match answer.status {
        Some(429 | 503) => answer.retry_after.unwrap_or(0).clamp(0, LONGEST_WAIT),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16) -> Answer {
        Answer { status: Some(status), retry_after: None }
    }

    const NOTHING: Answer = Answer { status: None, retry_after: None };

    #[test]
    fn audians_five_attempts_come_when_it_says() {
        let schedule = Schedule::of(Dialect::Audian);
        for chance in [0, 59, 60, 12_345_678] {
            let mut at = Vec::new();
            for attempt in 1..=5 {
                match schedule.after(attempt, status(500), chance) {
                    Next::Retry(delay) => at.push(delay),
                    next => assert_eq!((next, attempt), (Next::GiveUp, 5)),
                }
            }
            assert_eq!(at.len(), 4);
            for (delay, documented) in at.into_iter().zip([60, 300, 900, 1800]) {
                assert!((documented..=documented + 60).contains(&delay), "{delay}");
            }
        }
    }

    #[test]
    fn a_refusal_ends_audians_deliveries_and_not_ours() {
        let (audian, ours) = (Schedule::of(Dialect::Audian), Schedule::of(Dialect::Native));
        for code in [400, 401, 403, 404, 422] {
            assert_eq!(audian.after(1, status(code), 0), Next::GiveUp);
            assert_eq!(ours.after(1, status(code), 0), Next::Retry(5));
        }
        for schedule in [audian, ours] {
            assert_eq!(schedule.after(1, status(410), 0), Next::Gone);
            for code in [200, 201, 202, 204] {
                assert_eq!(schedule.after(1, status(code), 0), Next::Delivered);
            }
            for answer in [NOTHING, status(301), status(408), status(429), status(500), status(503), status(199)] {
                assert!(matches!(schedule.after(1, answer, 0), Next::Retry(_)), "{answer:?}");
            }
        }
    }

    #[test]
    fn ours_lasts_some_days_but_not_longer_than_our_patience() {
        let schedule = Schedule::of(Dialect::Native);
        let all: i64 = schedule.delays.iter().map(|delay| schedule.spread(*delay, u64::MAX)).sum();
        assert!((3 * 86_400..PATIENCE).contains(&all), "{all}");
    }

    #[test]
    fn an_endpoint_may_ask_for_time_but_not_for_too_much() {
        let schedule = Schedule::of(Dialect::Native);
        let asks = |code, seconds| Answer { status: Some(code), retry_after: Some(seconds) };
        assert_eq!(schedule.after(1, asks(429, 120), 0), Next::Retry(120));
        assert_eq!(schedule.after(1, asks(503, 1_000_000), 0), Next::Retry(LONGEST_WAIT));
        assert_eq!(schedule.after(1, asks(429, -5), 0), Next::Retry(5));
        assert_eq!(schedule.after(1, asks(500, 120), 0), Next::Retry(5));
    }
}
