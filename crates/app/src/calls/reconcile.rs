//! Calls whose process is gone are ended by what is known of them, and a day's books are held against each other.

use std::time::Duration;

use tandem_catalogue::Result;
use tandem_domain::call::{Ending, Reason};
use tandem_kernel::{CallId, Caller, EnvironmentId, Scope, Timestamp};
use tandem_store::{
    Tx,
    repo::{
        devices,
        live_calls::{self, DayBooks},
    },
};
use tokio::sync::watch;

use super::live::close;
use crate::{App, permit};

/// Seconds after which a process that does not say that it is there is gone.
pub const LEASE: i64 = 15;
/// How often a process that carries calls says so.
const PULSE: Duration = Duration::from_secs(5);
/// How often somebody looks for calls whose process is gone.
const LOOK: Duration = Duration::from_secs(5);
/// Seconds after which a call that began here is carried, or will never be.
const STRAY: i64 = 60;
/// Calls and registrations that are looked up at a time.
const BATCH: i64 = 200;

/// Says that this process is there and carries its calls on.
///
/// # Errors
/// Faults of the store.
pub async fn pulse(app: &App) -> Result<()> {
    let (node, now) = (app.node, app.machine_now());
    app.store.write(move |tx: &mut Tx| live_calls::pulse(tx, &node, now, now.plus_seconds(LEASE))).await
}

/// Says so until `stop`. Whoever carries calls runs this.
pub async fn keep_alive(app: App, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(fault) = pulse(&app).await {
            tracing::warn!(
                code = fault.code().name(),
                report = fault.internal_report(),
                "this process could not say that it is there"
            );
        }
        tokio::select! {
            () = tokio::time::sleep(PULSE) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Ends calls whose process is gone, and forgets registrations that ended, until `stop`.
pub async fn run(app: App, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(fault) = look(&app).await {
            tracing::warn!(
                code = fault.code().name(),
                report = fault.internal_report(),
                "calls without a process could not be looked for"
            );
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stop.changed() => {}
        }
    }
}

async fn look(app: &App) -> Result<()> {
    while reconcile(app).await? > 0 {}
    end_strays(app, STRAY).await?;
    let now = app.machine_now();
    let work = move |tx: &mut Tx| {
        live_calls::forget_nodes(tx, now.plus_seconds(-LEASE))?;
        devices::forget_ended(tx, now, BATCH)
    };
    app.store.write(work).await.map(drop)
}

/// Ends calls whose process is gone; how many those were. A call that was answered is paid until its process was last seen.
///
/// # Errors
/// Faults of the store.
pub async fn reconcile(app: &App) -> Result<usize> {
    let now = app.machine_now();
    let found = app.store.read(move |tx| live_calls::orphans(tx, now, now.plus_seconds(-LEASE), BATCH)).await?;
    let mut ended = 0;
    for (id, environment, seen) in found {
        if end_lost(app, id, environment, seen).await? {
            ended += 1;
        }
    }
    if ended > 0 {
        tracing::warn!(calls = ended, "calls whose process is gone were ended");
        app.mailbox.ring();
    }
    Ok(ended)
}

/// Ends calls of this process that nobody carries: those whose beginning was written and not told, as the connection to the database broke
/// just then. Those that began less than `age` seconds ago are left alone. How many those were.
///
/// # Errors
/// Faults of the store.
pub async fn end_strays(app: &App, age: i64) -> Result<usize> {
    let Some(board) = app.switchboard.get() else { return Ok(0) };
    let (node, before) = (app.node, app.machine_now().plus_seconds(-age));
    let (mut ended, mut after) = (0, CallId::from_bytes([0; 16]));
    loop {
        let found = app.store.read(move |tx| live_calls::of_node(tx, &node, before, after, BATCH)).await?;
        let Some((last, _)) = found.last() else { return Ok(ended) };
        after = *last;
        for (id, environment) in found {
            if !board.carries(id) && end_lost(app, id, environment, None).await? {
                tracing::warn!(%id, "a call that nobody carries was ended");
                ended += 1;
            }
        }
    }
}

async fn end_lost(app: &App, id: CallId, environment: EnvironmentId, seen: Option<Timestamp>) -> Result<bool> {
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, environment)?;
        let Some(live) = live_calls::get(tx, id)? else { return Ok(false) };
        let least = live.answered_at.unwrap_or(live.begun_at);
        let last = seen.map_or(least, |seen| seen.max(least));
        close(tx, &desk, &live, &Ending::of(Reason::Lost), last)?;
        Ok(true)
    };
    app.store.write(work).await
}

/// A day's books, and whether they agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciliation {
    /// The day, by the environment's clock.
    pub day: Timestamp,
    /// What each book says.
    pub books: DayBooks,
    /// What does not agree, in words; nothing where everything does.
    pub faults: Vec<String>,
}

/// Holds a day's books against each other: calls, records, terminal events and money.
///
/// # Errors
/// `insufficient_scope`.
pub async fn reconciliation(app: &App, caller: &Caller, day: Timestamp) -> Result<Reconciliation> {
    permit(caller, Scope::BillingRead)?;
    let (environment, day) = (caller.environment, day.start_of_day());
    let books = app.store.read(move |tx| live_calls::books(tx, environment, day, day.plus_days(1))).await?;
    Ok(Reconciliation { day, faults: faults(&books), books })
}

fn faults(books: &DayBooks) -> Vec<String> {
    let DayBooks { begun, live, recorded, closed, records, events, repeated, cost, captured, held } = *books;
    let rules = [
        (begun == live + recorded, format!("{begun} calls began, {live} go on and {recorded} have a record")),
        (closed == records, format!("{closed} calls were closed, {records} have a record")),
        (
            closed == events && repeated == 0,
            format!("{closed} calls were closed, with {events} terminal events; {repeated} have several"),
        ),
        (cost == captured, format!("calls cost {cost} millionths by their records, {captured} by the ledger")),
        (held == 0, format!("{held} millionths are still set aside for calls that are over")),
    ];
    rules.into_iter().filter(|(agrees, _)| !agrees).map(|(_, said)| said).collect()
}
