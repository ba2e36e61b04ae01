//! The worker: hands events out to deliveries, and takes webhooks to deliver to.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use metrics::{describe_counter, describe_gauge, describe_histogram, gauge};
use tandem_app::{App, webhooks};
use tandem_catalogue::Result;
use tandem_domain::webhook::Webhook;
use tandem_kernel::{EnvironmentId, Timestamp, WebhookId};
use tandem_store::{
    Engine,
    repo::webhooks::{self as stored, Wanted},
};
use tokio::{
    sync::{Semaphore, watch},
    task::{self, JoinError, JoinSet},
    time::Instant,
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

/// Webhooks that are taken at a time, and lanes with which an environment gets no more.
const AT_A_TIME: usize = 32;
const EACH: usize = 64;

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
    Worker { shared, options, lanes: JoinSet::new(), running: HashMap::new(), next: HashMap::new(), stop }.work().await;
}

/// A lane's webhook.
struct Running {
    id: WebhookId,
    environment: EnvironmentId,
    /// Whether it failed when the lane began.
    failing: bool,
}

struct Worker {
    shared: Arc<Shared>,
    options: Options,
    lanes: JoinSet<()>,
    running: HashMap<task::Id, Running>,
    /// Webhooks that were taken once more before their lane had ended: the next begins when it has.
    next: HashMap<WebhookId, Webhook>,
    stop: watch::Receiver<bool>,
}

impl Worker {
    async fn work(mut self) {
        if self.shared.app.store.engine() == Engine::Sqlite {
            // Its file has one server: whatever another has taken it holds no more.
            let freed = self.shared.app.store.write(stored::release_everything).await;
            self.report(freed.map(|()| false), "what a server before this one held cannot be freed");
        }
        let mut beaten = Instant::now();
        while !*self.stop.borrow() {
            if beaten.elapsed() >= HEARTBEAT {
                beaten = Instant::now();
                let running = self.running.values().map(|lane| lane.id).collect();
                let beat = webhooks::keep_all(&self.shared.app, running).await;
                self.report(beat.map(|()| false), "deliveries under way cannot be kept");
            }
            let turn = self.turn().await;
            if self.report(turn, "deliveries cannot be looked up") {
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep(NAP) => {}
                () = self.shared.app.mailbox.rung() => {}
                Some(ended) = self.lanes.join_next_with_id() => self.ended(ended),
                _ = self.stop.changed() => {}
            }
        }
        self.end().await;
    }

    /// Hands out what is in the queue and begins with what is due. Whether there may be more.
    async fn turn(&mut self) -> Result<bool> {
        while let Some(ended) = self.lanes.try_join_next_with_id() {
            self.ended(ended);
        }
        let shared = self.shared.clone();
        let app = &shared.app;
        let now: Timestamp = app.machine_now();
        let (queued, mut due) = app.store.read(move |tx| stored::anything(tx, now)).await?;
        let mut more = queued && webhooks::fan_out(app).await?;
        due |= more;
        let room = self.options.webhooks.saturating_sub(self.lanes.len());
        if due && room > 0 {
            let most = room.min(AT_A_TIME);
            let wanted = Wanted {
                failing: self.running.values().filter(|lane| lane.failing).count() * 2 < self.options.webhooks,
                without: self.full(),
                most: i64::try_from(most).unwrap_or(i64::MAX),
            };
            let claimed = webhooks::claim(app, wanted).await?;
            more |= claimed.len() == most;
            let running: HashSet<WebhookId> = self.running.values().map(|lane| lane.id).collect();
            for webhook in claimed {
                if running.contains(&webhook.id) {
                    self.next.insert(webhook.id, webhook);
                } else {
                    self.begin(&webhook);
                }
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a gauge is read by eye")]
        gauge!("tandem_webhook_lanes").set(self.lanes.len() as f64);
        Ok(more)
    }

    /// The environments that have as many lanes as one may have. It names hosts in messages as it likes, and each has a lane.
    fn full(&self) -> Vec<EnvironmentId> {
        let mut lanes: HashMap<EnvironmentId, usize> = HashMap::new();
        for lane in self.running.values() {
            *lanes.entry(lane.environment).or_default() += 1;
        }
        lanes.into_iter().filter(|(_, lanes)| *lanes >= EACH).map(|(environment, _)| environment).collect()
    }

    fn begin(&mut self, webhook: &Webhook) {
        let lane = Lane::new(self.shared.clone(), webhook, self.stop.clone());
        let id = self.lanes.spawn(lane.run()).id();
        let failing = webhook.failing_since.is_some();
        self.running.insert(id, Running { id: webhook.id, environment: webhook.environment, failing });
    }

    /// What a lane held that panicked is taken up when its lease has run out.
    fn ended(&mut self, ended: std::result::Result<(task::Id, ()), JoinError>) {
        let id = ended.map_or_else(|fault| fault.id(), |(id, ())| id);
        let next = self.running.remove(&id).and_then(|lane| self.next.remove(&lane.id));
        if let Some(webhook) = next {
            self.begin(&webhook);
        }
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
