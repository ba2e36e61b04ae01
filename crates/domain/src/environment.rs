//! An account's two environments: their clocks and limits.

use tandem_kernel::{AccountId, Environment, EnvironmentId, Timestamp};

/// How an environment's time runs against the machine's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct EnvironmentClock {
    /// Microseconds that it is ahead.
    pub offset: i64,
    /// Where it stands, if it does not run.
    pub frozen_at: Option<Timestamp>,
}

impl EnvironmentClock {
    /// The environment's time while the machine's clock shows `machine`.
    #[must_use]
    pub fn at(&self, machine: Timestamp) -> Timestamp {
        self.frozen_at.unwrap_or_else(|| machine.plus_micros(self.offset))
    }

    /// When, by the machine's clock, it will be `due` here; `None` while this clock stands still before it.
    #[must_use]
    pub fn wake_at(&self, due: Timestamp) -> Option<Timestamp> {
        match self.frozen_at {
            Some(now) if due > now => None,
            Some(_) => Some(Timestamp::default()),
            None => Some(due.plus_micros(self.offset.saturating_neg())),
        }
    }

    /// This clock set to `time` while the machine's shows `machine`; it stands still afterwards if it did before.
    #[must_use]
    pub fn moved_to(&self, time: Timestamp, machine: Timestamp) -> Self {
        match self.frozen_at {
            Some(_) => Self { frozen_at: Some(time), ..*self },
            None => Self { offset: time.micros().saturating_sub(machine.micros()), frozen_at: None },
        }
    }

    /// This clock made to stand still or run on from where it is.
    #[must_use]
    pub fn frozen(&self, still: bool, machine: Timestamp) -> Self {
        let now = self.at(machine);
        let offset = now.micros().saturating_sub(machine.micros());
        Self { offset, frozen_at: still.then_some(now) }
    }
}

/// How many requests an environment may make.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RateLimit {
    /// Requests in a period.
    pub limit: u32,
    /// Seconds of the period.
    pub period: u32,
    /// Requests that may come at once.
    pub burst: u32,
    /// Requests in a month; none is no limit.
    pub monthly_quota: Option<u64>,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self { limit: 1000, period: 60, burst: 100, monthly_quota: None }
    }
}

/// One of an account's two worlds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentSettings {
    /// Its id.
    pub id: EnvironmentId,
    /// Whose it is.
    pub account: AccountId,
    /// Live or test.
    pub kind: Environment,
    /// Its time.
    pub clock: EnvironmentClock,
    /// Its limits.
    pub rate: RateLimit,
    /// Whether anybody wants to hear of its events.
    pub has_webhooks: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_still_clock_wakes_only_what_is_due_already() {
        let machine = Timestamp::from_micros(1_000);
        let still = EnvironmentClock::default().frozen(true, machine);
        assert_eq!(still.at(machine.plus_days(9)), machine);
        assert_eq!(still.wake_at(machine.plus_days(1)), None);
        assert!(still.moved_to(machine.plus_days(2), machine).wake_at(machine.plus_days(1)).is_some());
    }

    #[test]
    fn a_running_clock_runs_on_from_where_it_was_moved() {
        let machine = Timestamp::from_micros(5_000_000);
        let ahead = EnvironmentClock::default().moved_to(machine.plus_days(30), machine);
        assert_eq!(ahead.at(machine.plus_seconds(1)), machine.plus_days(30).plus_seconds(1));
        assert_eq!(ahead.wake_at(machine.plus_days(31)), Some(machine.plus_days(1)));
    }
}
