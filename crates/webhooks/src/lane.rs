//! The deliveries to one webhook: several at once where it is quick, one at a time where it fails.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tandem_app::{
    App,
    webhooks::{self, Outcome, Step},
};
use tandem_catalogue::Result;
use tandem_domain::webhook::Webhook;
use tandem_kernel::{DeliveryId, EnvironmentId, WebhookId};
use tandem_store::repo::deliveries::Told;
use tokio::sync::{Semaphore, watch};

use crate::{
    attempt::{Place, attempt},
    http_client::Http,
};

/// Deliveries that are read from the store at a time.
const WINDOW: usize = 64;
/// Outcomes that are written at a time at the most, and how long the first of them waits.
const WRITTEN: (usize, Duration) = (32, Duration::from_millis(50));
/// How long after a fault of the store it is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// How long a slow answer is waited for before the store is asked for more to do beside it.
const LOOK: Duration = Duration::from_millis(500);

/// What all lanes share.
pub(crate) struct Shared {
    pub app: App,
    pub http: Arc<Http>,
    /// Requests under way, in all.
    pub permits: Arc<Semaphore>,
    /// Requests under way to one webhook.
    pub each: usize,
}

/// A webhook that this process delivers to.
pub(crate) struct Lane {
    shared: Arc<Shared>,
    key: (EnvironmentId, WebhookId),
    place: Option<Arc<Place>>,
    queue: VecDeque<Told>,
    under_way: FuturesUnordered<BoxFuture<'static, (DeliveryId, Result<Outcome>)>>,
    busy: Vec<DeliveryId>,
    done: Vec<Outcome>,
    written: Instant,
    /// Whether to look for more though nothing was done.
    look: bool,
    stop: watch::Receiver<bool>,
}

impl Lane {
    pub(crate) fn new(shared: Arc<Shared>, webhook: &Webhook, stop: watch::Receiver<bool>) -> Self {
        Self {
            shared,
            key: (webhook.environment, webhook.id),
            place: None,
            queue: VecDeque::new(),
            under_way: FuturesUnordered::new(),
            busy: Vec::new(),
            done: Vec::new(),
            written: Instant::now(),
            look: false,
            stop,
        }
    }

    /// Delivers until nothing is due any more, or it is time to stop: what is under way is finished then.
    pub(crate) async fn run(mut self) {
        while self.step().await {
            while !self.must_write() {
                self.send();
                // What takes its time does not keep the webhook's other objects waiting.
                let next = tokio::time::timeout(LOOK, self.under_way.next()).await;
                match next {
                    Ok(Some((id, outcome))) => self.note(id, outcome),
                    Ok(None) => {}
                    Err(_) => self.look = self.under_way.len() < self.most(),
                }
                while let Some(Some((id, outcome))) = self.under_way.next().now_or_never() {
                    self.note(id, outcome);
                }
            }
        }
    }

    /// Writes what was done and reads what is to be done. Whether there is anything.
    async fn step(&mut self) -> bool {
        loop {
            let stopping = *self.stop.borrow();
            if stopping {
                self.forget_queue(); // it stays due
            }
            let want = if stopping { 0 } else { WINDOW.saturating_sub(self.busy.len()) };
            let had = !self.busy.is_empty();
            let step = webhooks::step(&self.shared.app, self.key, self.done.clone(), self.busy.clone(), want).await;
            match step.and_then(|step| self.take(step)) {
                // Nothing is to be sent any more of what waited here, and the store does not know yet that it may have it back.
                Ok(()) if had && self.busy.is_empty() => {}
                Ok(()) => return !self.busy.is_empty(),
                Err(fault) => {
                    let (code, report) = (fault.code().name(), fault.internal_report());
                    tracing::warn!(webhook = %self.key.1, code, report, "deliveries cannot be written down");
                    if stopping {
                        return false; // they are made again
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    fn take(&mut self, step: Step) -> Result<()> {
        self.done.clear();
        self.written = Instant::now();
        self.look = false;
        match step.webhook {
            Some(webhook) => {
                let secrets = webhooks::current(&self.shared.app, &webhook)?;
                self.place = Some(Arc::new(Place { webhook, secrets }));
                self.busy.extend(step.due.iter().map(|told| told.delivery.id));
                self.queue.extend(step.due);
            }
            None => {
                self.place = None;
                self.forget_queue();
            }
        }
        Ok(())
    }

    /// What is busy is either in the queue or under way; afterwards only the latter.
    fn forget_queue(&mut self) {
        for told in self.queue.drain(..) {
            self.busy.retain(|id| *id != told.delivery.id);
        }
    }

    /// How many attempts may be under way.
    fn most(&self) -> usize {
        match &self.place {
            Some(place) if place.webhook.failing_since.is_none() => self.shared.each,
            _ => 1,
        }
    }

    fn must_write(&self) -> bool {
        let (most, longest) = WRITTEN;
        let idle = self.under_way.is_empty() && self.queue.is_empty();
        let ready = self.done.len() >= most || self.written.elapsed() >= longest || self.queue.is_empty() || *self.stop.borrow();
        idle || self.look || (!self.done.is_empty() && ready)
    }

    /// Begins as many attempts as may be under way.
    fn send(&mut self) {
        let most = self.most();
        let Some(place) = &self.place else { return };
        while self.under_way.len() < most {
            let Some(told) = self.queue.pop_front() else { return };
            let (shared, place, id) = (self.shared.clone(), place.clone(), told.delivery.id);
            let work = async move {
                let _permit = shared.permits.acquire().await; // never closed
                let outcome = attempt(&shared.app, &shared.http, &place, told).await;
                if outcome.is_err() {
                    tokio::time::sleep(PAUSE).await; // before it is tried again
                }
                (id, outcome)
            };
            self.under_way.push(work.boxed());
        }
    }

    fn note(&mut self, id: DeliveryId, outcome: Result<Outcome>) {
        self.busy.retain(|busy| *busy != id);
        match outcome {
            Ok(outcome) => self.done.push(outcome),
            // It stays due and is tried again: nothing was sent.
            Err(fault) => {
                tracing::warn!(delivery = %id, code = fault.code().name(), report = fault.internal_report(), "a delivery cannot be made");
            }
        }
    }
}
