//! The worker: hands events out to deliveries, and takes webhooks to deliver to.

use std::{sync::Arc, time::Duration};

use metrics::{describe_counter, describe_gauge, describe_histogram, gauge};
use tandem_app::{App, webhooks};
use tandem_catalogue::Result;
use tandem_kernel::Timestamp;
use tandem_store::{Engine, repo::webhooks as stored};
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{Instant, MissedTickBehavior},
};

use crate::{
    http_client::Http,
    lane::{Lane, Shared},
};

/// How long the worker sleeps where nothing is due.
const NAP: Duration = Duration::from_millis(250);
/// How often it says that it is still there.
const HEARTBEAT: Duration = Duration::from_secs(4);
/// How long deliveries under way get at the end.
const ENDING: Duration = Duration::from_secs(4);

/// How much is done at once.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Requests under way, in all.
    pub in_all: usize,
    /// Requests under way to one webhook.
    pub each: usize,
    /// Webhooks that are delivered to at once; those that fail take half of that at the most.
    pub webhooks: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { in_all: 1024, each: 16, webhooks: 1024 }
    }
}

/// Delivers until `stop`.
pub async fn run(app: App, http: Arc<Http>, options: Options, stop: watch::Receiver<bool>) {
    describe();
    let permits = Arc::new(Semaphore::new(options.in_all.max(1)));
    let shared = Arc::new(Shared { app, http, permits, each: options.each.max(1) });
    Worker { shared, options, lanes: JoinSet::new(), failing: 0, stop }.work().await;
}

struct Worker {
    shared: Arc<Shared>,
    options: Options,
    lanes: JoinSet<bool>,
    failing: usize,
    stop: watch::Receiver<bool>,
}

impl Worker {
    async fn work(mut self) {
        if self.shared.app.store.engine() == Engine::Sqlite {
            // Its file has one server: whatever another has taken it holds no more.
            let freed = self.shared.app.store.write(stored::release_everything).await;
            self.report(freed.map(|()| false), "what a server before this one held cannot be freed");
        }
        let mut heartbeat = tokio::time::interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !*self.stop.borrow() {
            let turn = self.turn().await;
            if self.report(turn, "deliveries cannot be looked up") {
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep(NAP) => {}
                () = self.shared.app.mailbox.rung() => {}
                Some(ended) = self.lanes.join_next() => self.ended(ended.ok()),
                _ = heartbeat.tick() => {
                    let beat = webhooks::keep_all(&self.shared.app).await;
                    self.report(beat.map(|()| false), "deliveries under way cannot be kept");
                }
                _ = self.stop.changed() => {}
            }
        }
        self.end().await;
    }

    /// Hands out what is in the queue and begins with what is due. Whether there may be more.
    async fn turn(&mut self) -> Result<bool> {
        while let Some(ended) = self.lanes.try_join_next() {
            self.ended(ended.ok());
        }
        let app = &self.shared.app;
        let now: Timestamp = app.machine_now();
        let (queued, mut due) = app.store.read(move |tx| stored::anything(tx, now)).await?;
        let more = queued && webhooks::fan_out(app).await?;
        due |= more;
        let room = self.options.webhooks.saturating_sub(self.lanes.len());
        if due && room > 0 {
            let failing_too = self.failing * 2 < self.options.webhooks;
            let claimed = webhooks::claim(app, failing_too, i64::try_from(room).unwrap_or(i64::MAX)).await?;
            for webhook in claimed {
                let failing = webhook.failing_since.is_some();
                self.failing += usize::from(failing);
                let lane = Lane::new(self.shared.clone(), &webhook, self.stop.clone());
                self.lanes.spawn(async move {
                    lane.run().await;
                    failing
                });
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a gauge is read by eye")]
        gauge!("tandem_webhook_lanes").set(self.lanes.len() as f64);
        Ok(more)
    }

    /// A lane that panicked may have been a failing one: that it is counted for longer than it lives only makes us careful.
    fn ended(&mut self, failing: Option<bool>) {
        self.failing = if self.lanes.is_empty() { 0 } else { self.failing.saturating_sub(usize::from(failing == Some(true))) };
    }

    async fn end(&mut self) {
        let all = async { while self.lanes.join_next().await.is_some() {} };
        if tokio::time::timeout(ENDING, all).await.is_err() {
            tracing::info!(left = self.lanes.len(), "deliveries under way are cut off and made again");
            self.lanes.shutdown().await;
        }
        let ended = webhooks::end(&self.shared.app).await;
        self.report(ended.map(|()| false), "what this server held cannot be freed");
    }

    fn report(&self, outcome: Result<bool>, what: &'static str) -> bool {
        outcome.unwrap_or_else(|fault| {
            tracing::warn!(code = fault.code().name(), report = fault.internal_report(), what);
            false
        })
    }
}

fn describe() {
    describe_counter!("tandem_webhook_attempts_total", "Attempts to deliver an event, by target and outcome");
    describe_histogram!("tandem_webhook_attempt_seconds", "How long attempts to deliver took, by target");
    describe_gauge!("tandem_webhook_lanes", "Webhooks that something is being delivered to");
}
