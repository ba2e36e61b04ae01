//! Forgetting what nobody asks for any more.

use std::time::Duration;

use tandem_app::App;
use tandem_catalogue::Result;
use tandem_store::{
    Tx,
    repo::{idempotency, invalidations, requests},
};
use tokio::sync::watch;

/// How often old rows are looked for.
const EVERY: Duration = Duration::from_secs(60);
/// Days that answers are kept for repetitions of their requests.
const ANSWER_DAYS: i64 = 1;
/// Hours that other processes get to notice what they have to read again; those that were away longer start anew.
const NOTE_HOURS: i64 = 1;

/// Forgets old rows, again and again, until `stop`.
pub async fn run(app: App, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(fault) = forget(&app).await {
            tracing::warn!(code = fault.code().name(), report = fault.internal_report(), "old rows could not be removed");
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stop.changed() => {}
        }
    }
}

async fn forget(app: &App) -> Result<()> {
    let now = app.machine_now();
    let logged = now.plus_days(app.settings.log_days.saturating_neg());
    drain(app, move |tx| requests::purge(tx, logged)).await?;
    drain(app, move |tx| idempotency::purge(tx, now.plus_days(-ANSWER_DAYS))).await?;
    app.store.write(move |tx| invalidations::purge(tx, now.plus_seconds(-NOTE_HOURS * 3600))).await?;
    Ok(())
}

/// Removes some rows at a time, so that requests get their turn between.
async fn drain(app: &App, purge: impl Fn(&mut Tx) -> Result<u64> + Clone + Send + 'static) -> Result<()> {
    while app.store.write(purge.clone()).await? > 0 {}
    Ok(())
}
