//! Work in the background under supervision: what dies is logged and started again, and the end of the server waits for it.

use std::{future::Future, time::Duration};

use metrics::counter;
use tokio::{
    sync::watch,
    task::{JoinError, JoinSet},
};

/// How long after its death a task is started again.
const PAUSE: Duration = Duration::from_millis(if cfg!(test) { 10 } else { 1000 });

/// The tasks of a server.
pub struct Tasks {
    stop: watch::Sender<bool>,
    running: JoinSet<()>,
}

impl Tasks {
    /// No tasks yet.
    pub fn new() -> Self {
        Self { stop: watch::Sender::new(false), running: JoinSet::new() }
    }

    /// Keeps a task running until the end: `make` begins it, the first time and after each death.
    pub fn keep<F, R>(&mut self, name: &'static str, make: F)
    where
        F: Fn(watch::Receiver<bool>) -> R + Send + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let stop = self.stop.subscribe();
        self.running.spawn(supervise(name, stop, make));
    }

    /// Runs blocking work once, off the threads that answer requests. The end of the server does not wait for it.
    pub fn once(name: &'static str, work: impl FnOnce() + Send + 'static) {
        tokio::spawn(async move {
            if let Err(fault) = tokio::task::spawn_blocking(work).await {
                tracing::error!(task = name, fault = words(fault), "a background task died");
            }
        });
    }

    /// Tells all tasks to end and waits for them, but no longer than `patience`.
    pub async fn finish(mut self, patience: Duration) {
        self.stop.send_replace(true);
        let all = async { while self.running.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, all).await.is_err() {
            tracing::warn!(left = self.running.len(), "background tasks did not end in time and are cut short");
        }
    }
}

/// A server that is dropped without being stopped leaves no task behind that waits for a word that cannot come.
impl Drop for Tasks {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

async fn supervise<F, R>(name: &'static str, mut stop: watch::Receiver<bool>, make: F)
where
    F: Fn(watch::Receiver<bool>) -> R + Send,
    R: Future<Output = ()> + Send + 'static,
{
    while !*stop.borrow() {
        // A task of its own, so that a panic ends there; aborted with its supervisor.
        let mut task = JoinSet::new();
        task.spawn(make(stop.clone()));
        let ended = task.join_next().await;
        if *stop.borrow() {
            return;
        }
        let fault = ended.and_then(Result::err).map_or_else(|| "it ended by itself".to_owned(), words);
        tracing::error!(task = name, fault, "a background task died and is started again");
        counter!("tandem_task_restarts_total", "task" => name).increment(1);
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            _ = stop.changed() => {}
        }
    }
}

fn words(fault: JoinError) -> String {
    let Ok(panic) = fault.try_into_panic() else { return "it was cut short".to_owned() };
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it panicked".to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_is_started_again_and_ends_when_told() {
        let lives = Arc::new(AtomicU32::new(0));
        let mut tasks = Tasks::new();
        let counted = lives.clone();
        tasks.keep("fragile", move |mut stop| {
            let life = counted.fetch_add(1, Ordering::SeqCst);
            async move {
                assert!(life > 1, "the first two lives are short");
                let _ = stop.changed().await;
            }
        });
        while lives.load(Ordering::SeqCst) < 3 {
            tokio::time::sleep(PAUSE).await;
        }
        tokio::time::sleep(PAUSE * 5).await;
        assert_eq!(lives.load(Ordering::SeqCst), 3);
        tasks.finish(PAUSE).await;
    }
}
