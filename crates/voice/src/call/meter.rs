//! When something has to be done about the money of a call.

use std::time::Duration;

use tandem_domain::call::money::Grant;
use tokio::time::Instant;

/// What has to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// More has to be set aside.
    Extend,
    /// The caller is to be warned.
    Warn,
    /// The call ends.
    End,
}

/// Runs from the moment at which a call was taken, whatever the call is at.
pub(super) struct Meter {
    since: Option<Instant>,
    pub grant: Grant,
    pub warned: bool,
}

impl Meter {
    pub const fn new(grant: Grant) -> Self {
        Self { since: None, grant, warned: false }
    }

    /// It runs from now on, unless it does already.
    pub fn start(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    /// What comes next, and when; nothing before the call was taken.
    pub fn next(&self) -> Option<(Instant, Due)> {
        let since = self.since?;
        let at = |seconds: i64| since + Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        Some(match (self.grant.extend_at, self.grant.warn_at) {
            (Some(seconds), _) => (at(seconds), Due::Extend),
            (None, Some(seconds)) if !self.warned => (at(seconds), Due::Warn),
            _ => (at(self.grant.until), Due::End),
        })
    }

    /// Waits for what comes next.
    pub async fn due(&self) -> Due {
        match self.next() {
            Some((at, due)) => {
                tokio::time::sleep_until(at).await;
                due
            }
            None => std::future::pending().await,
        }
    }
}
