//! The rate limiter: a generic cell rate algorithm in one atomic.

use std::sync::atomic::{AtomicI64, Ordering};

use tandem_domain::environment::RateLimit;
use tandem_kernel::Timestamp;

/// Limits requests to a steady rate with a burst. The state is the theoretical arrival time of the next request.
#[derive(Debug, Default)]
pub struct Limiter(AtomicI64);

/// What a request is told about its limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Allowance {
    /// Requests in a period.
    pub limit: u32,
    /// Requests that could come at once now.
    pub remaining: u32,
    /// When the whole burst is there again, in Unix seconds.
    pub reset: i64,
    /// Whole seconds to wait, if this request was refused; never too early.
    pub retry_after: Option<i64>,
}

impl Limiter {
    /// Takes one request.
    pub fn take(&self, rate: &RateLimit, now: Timestamp) -> Allowance {
        let now = now.micros();
        let interval = (i64::from(rate.period.max(1)) * 1_000_000 / i64::from(rate.limit.max(1))).max(1);
        let tolerance = interval.saturating_mul(i64::from(rate.burst.max(1)));
        let mut seen = self.0.load(Ordering::Relaxed);
        loop {
            let next = seen.max(now).saturating_add(interval);
            let wait = next - now - tolerance;
            if wait > 0 {
                return Self::allowance(rate, seen, now, interval, tolerance, Some(wait));
            }
            match self.0.compare_exchange_weak(seen, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Self::allowance(rate, next, now, interval, tolerance, None),
                Err(other) => seen = other,
            }
        }
    }

    fn allowance(rate: &RateLimit, arrival: i64, now: i64, interval: i64, tolerance: i64, wait: Option<i64>) -> Allowance {
        let used = (arrival - now).max(0);
        let remaining = (tolerance - used).max(0) / interval;
        let reset = (now + used).div_euclid(1_000_000) + i64::from((now + used).rem_euclid(1_000_000) > 0);
        Allowance {
            limit: rate.limit,
            remaining: u32::try_from(remaining).unwrap_or(u32::MAX),
            reset,
            retry_after: wait.map(|micros| (micros + 999_999) / 1_000_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_the_next_waits_as_told() {
        let rate = RateLimit { limit: 60, period: 60, burst: 3, monthly_quota: None };
        let (limiter, now) = (Limiter::default(), Timestamp::from_micros(1_700_000_000_000_000));
        let remaining: Vec<u32> = (0..3).map(|_| limiter.take(&rate, now).remaining).collect();
        assert_eq!(remaining, [2, 1, 0]);
        let refused = limiter.take(&rate, now.plus_micros(1));
        assert_eq!(refused.retry_after, Some(1));
        assert_eq!(refused.remaining, 0);
        assert_eq!(limiter.take(&rate, now.plus_seconds(1)).retry_after, None);
    }

    #[test]
    fn the_seed_example_is_a_limit_of_a_thousand_with_a_minute_between() {
        let rate = RateLimit { limit: 1000, period: 60_000, burst: 1, monthly_quota: None };
        let (limiter, now) = (Limiter::default(), Timestamp::from_micros(1_704_067_200_000_000));
        assert_eq!(limiter.take(&rate, now).retry_after, None);
        let refused = limiter.take(&rate, now);
        assert_eq!(refused, Allowance { limit: 1000, remaining: 0, reset: 1_704_067_260, retry_after: Some(60) });
    }
}
