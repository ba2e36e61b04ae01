//! The machine's clock of a scenario.

use std::time::Instant;

use tandem_kernel::{Clock, ManualClock, Timestamp};

/// A clock that moves when it is told to, and where somebody speaks also by itself: calls last as long as they last.
pub(crate) struct StageClock {
    set: ManualClock,
    since: Option<Instant>,
}

impl StageClock {
    pub fn new(dawn: Timestamp, flows: bool) -> Self {
        Self { set: ManualClock::new(dawn), since: flows.then(Instant::now) }
    }

    pub fn advance_seconds(&self, seconds: u32) {
        self.set.advance_seconds(seconds);
    }
}

impl Clock for StageClock {
    fn now(&self) -> Timestamp {
        let passed = self.since.map(|since| since.elapsed().as_micros()).unwrap_or_default();
        self.set.now().plus_micros(i64::try_from(passed).unwrap_or(i64::MAX))
    }
}
