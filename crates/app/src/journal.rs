//! The request log, usage counters and explanations of refusals on their way to the store: gathered and written together, off
//! the path of any request.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tandem_catalogue::Result;
use tandem_domain::Explanation;
use tandem_kernel::{EnvironmentId, ExplanationId, KeyId, Timestamp};
use tandem_store::{
    Store,
    repo::{explanations, keys, requests, usage},
};
use tokio::sync::watch;

use crate::directory::API_CALLS;

/// Requests that wait to be written at the most; beyond that they are counted and dropped.
const MOST_WAITING: usize = 20_000;
const EVERY: Duration = Duration::from_millis(100);
/// How long anybody waits for others to write what waits.
const TURN: Duration = Duration::from_secs(2);

/// Something that happened on the way of a request.
#[derive(Debug)]
pub struct JournalEntry {
    /// The request.
    pub request: requests::Logged,
    /// The key that made it.
    pub key: Option<KeyId>,
}

#[derive(Default)]
struct Waiting {
    requests: Vec<requests::Logged>,
    counts: HashMap<(EnvironmentId, Timestamp), i64>,
    uses: HashMap<KeyId, Timestamp>,
    explanations: Vec<(ExplanationId, EnvironmentId, Explanation, Timestamp)>,
}

/// What waits to be written.
#[derive(Default)]
pub struct Journal {
    waiting: Mutex<Waiting>,
    /// Held while something is written, so that who asks for that does not go on before it is done. In it is what was to be written
    /// before and may not have been: it is written as it is, before anything else.
    writing: tokio::sync::Mutex<Option<Arc<Waiting>>>,
    dropped: AtomicU64,
}

impl Journal {
    /// Notes a request. Never waits.
    pub fn note(&self, entry: JournalEntry) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(environment) = entry.request.environment {
            *waiting.counts.entry((environment, entry.request.at.start_of_day())).or_default() += 1;
        }
        if let Some(key) = entry.key {
            waiting.uses.insert(key, entry.request.at);
        }
        if waiting.requests.len() < MOST_WAITING {
            waiting.requests.push(entry.request);
        } else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Keeps why something was refused. Never waits.
    pub fn explain(&self, id: ExplanationId, environment: EnvironmentId, explanation: Explanation, at: Timestamp) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.explanations.len() < MOST_WAITING {
            waiting.explanations.push((id, environment, explanation, at));
        }
    }

    /// Requests that the log had no room for.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Writes what waits, again and again, until `stop`; then once more.
    pub async fn run(&self, store: Store, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                _ = stop.changed() => {}
            }
            self.flush(&store).await;
        }
    }

    /// Writes what waits now, after what is being written already. What cannot be written is kept for the next time.
    pub async fn flush(&self, store: &Store) {
        let Ok(mut unwritten) = tokio::time::timeout(TURN, self.writing.lock()).await else { return };
        loop {
            let again = unwritten.is_some();
            let Some(batch) = unwritten.clone().or_else(|| self.gather()) else { return };
            // Kept until it is known to be written: whoever waits for this may give up.
            *unwritten = Some(batch.clone());
            if let Err(fault) = store.write(move |tx| batch.write(tx)).await {
                tracing::warn!(
                    code = fault.code().name(),
                    report = fault.internal_report(),
                    "the request log could not be written"
                );
                return;
            }
            *unwritten = None;
            if !again {
                return;
            }
        }
    }

    fn gather(&self) -> Option<Arc<Waiting>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let any = !waiting.requests.is_empty() || !waiting.explanations.is_empty();
        any.then(|| Arc::new(std::mem::take(&mut *waiting)))
    }
}

impl Waiting {
    /// Writes a batch, once: where an answer was lost its first request tells whether it was written, and whoever is still at it is
    /// waited for. Counts come with requests, and explanations have ids of their own.
    fn write(&self, tx: &mut tandem_store::Tx) -> Result<()> {
        if let Some((first, rest)) = self.requests.split_first() {
            if requests::append(tx, std::slice::from_ref(first))? == 0 {
                return Ok(());
            }
            requests::append(tx, rest)?;
        }
        let counts: Vec<_> =
            self.counts.iter().map(|((environment, day), count)| (*environment, *day, API_CALLS, *count)).collect();
        usage::add(tx, &counts)?;
        keys::note_use(tx, &self.uses.iter().map(|(key, at)| (*key, *at)).collect::<Vec<_>>())?;
        for (id, environment, explanation, at) in &self.explanations {
            explanations::keep(tx, *id, *environment, explanation, *at)?;
        }
        Ok(())
    }
}
