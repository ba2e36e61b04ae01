//! What is counted, and its form for Prometheus.
//!
//! `tandem_http_requests_total` and `tandem_http_request_seconds` are counted by the HTTP side; what stands in queues and on shelves is
//! measured here every few seconds.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tandem_app::App;
use tandem_kernel::Environment;
use tandem_store::repo::census;
use tokio::sync::watch;

use crate::failure::{Failure, Result};

/// How often gauges are measured.
const EVERY: Duration = Duration::from_secs(5);
/// Bounds of the histograms of durations, in seconds.
const SECONDS: [f64; 14] = [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// The media type of Prometheus' text.
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The recorder, installed once for the process: servers that share a process share it.
///
/// # Errors
/// Where another recorder is installed.
pub fn recorder() -> Result<&'static PrometheusHandle> {
    static HANDLE: OnceLock<Result<PrometheusHandle>> = OnceLock::new();
    HANDLE.get_or_init(install).as_ref().map_err(Clone::clone)
}

fn install() -> Result<PrometheusHandle> {
    let broken = |fault: &dyn std::fmt::Display| Failure::new(format!("metrics cannot be recorded: {fault}"));
    let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS);
    let recorder = builder.map_err(|fault| broken(&fault))?.build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(|fault| broken(&fault))?;
    describe();
    Ok(handle)
}

fn describe() {
    describe_counter!("tandem_http_requests_total", "Requests answered, by dialect, route and status");
    describe_histogram!("tandem_http_request_seconds", "From the arrival of a request's head to its answer, by dialect and route");
    describe_gauge!("tandem_connections", "Connections that are open");
    describe_gauge!("tandem_store_waiting", "Units of work that wait for the database, by queue");
    describe_gauge!(
        "tandem_voice",
        "What calls need and this process has in use: calls, dialogs, transactions, pairs of ports and the like"
    );
    describe_gauge!("tandem_due_jobs", "Jobs whose time has come and that are not done");
    describe_gauge!("tandem_due_lateness_seconds", "For how long the first of the due jobs has been due");
    describe_counter!("tandem_journal_dropped_total", "Requests that the request log had no room for");
    describe_gauge!("tandem_inventory_numbers", "Numbers of the inventory, by environment and whether they are for sale");
    describe_counter!("tandem_task_restarts_total", "Background tasks that died and were started again, by task");
    describe_counter!("tandem_call_questions_total", "Calls whose number's webhook was asked, by what came of it");
    describe_gauge!("tandem_build_info", "Always 1; the version is in the label");
    gauge!("tandem_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}

/// Measures what stands in queues and on shelves, again and again, until `stop`.
pub async fn run(app: App, handle: &'static PrometheusHandle, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        measure(&app).await;
        handle.run_upkeep();
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stop.changed() => {}
        }
    }
}

async fn measure(app: &App) {
    measure_memory(app);
    let (now, began) = (app.machine_now(), Instant::now());
    match app.store.read(move |tx| census::due_jobs(tx, now)).await {
        Ok((due, since)) => {
            gauge!("tandem_due_jobs").set(float(due));
            let late = since.filter(|_| due > 0).map_or(0, |since| now.micros().saturating_sub(since.micros()).max(0));
            gauge!("tandem_due_lateness_seconds").set(float(late) / 1e6);
        }
        Err(fault) => {
            let seconds = began.elapsed().as_secs_f64();
            tracing::warn!(code = fault.code().name(), seconds, "due work could not be counted");
        }
    }
}

/// What is known without asking the database; also looked at when somebody asks for the metrics.
pub fn measure_memory(app: &App) {
    let (writes, reads) = app.store.waiting();
    for (queue, waiting) in [("write", writes), ("read", reads)] {
        gauge!("tandem_store_waiting", "queue" => queue).set(float(waiting));
    }
    for (what, count) in app.switchboard.get().map(|board| board.load()).unwrap_or_default() {
        gauge!("tandem_voice", "of" => what).set(float(count));
    }
    counter!("tandem_journal_dropped_total").absolute(app.journal.dropped());
    for kind in [Environment::Live, Environment::Test] {
        let (all, free) = app.stock.count(kind);
        for (state, count) in [("all", all), ("available", free)] {
            gauge!("tandem_inventory_numbers", "environment" => kind.as_str(), "state" => state).set(float(count));
        }
    }
}

/// Gauges are floating point; counts beyond 2^53 do not occur.
#[expect(clippy::cast_precision_loss, reason = "a gauge is read by eye")]
fn float(count: impl TryInto<i64>) -> f64 {
    count.try_into().map_or(0.0, |count| count as f64)
}
