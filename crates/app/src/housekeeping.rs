//! What has to be done beside requests and due work: forgetting what is kept for a while only, and following what other processes
//! on the same database change (the command line, and other nodes on PostgreSQL).
//!
//! Other processes leave notes. Each note is acted on once; notes of our own come by as well, which costs a look at the number that
//! was just sold and nothing for an import that is in memory already.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use tandem_catalogue::{Error, Result};
use tandem_domain::inventory::Entry;
use tandem_kernel::{DeliveryId, Environment, EnvironmentId, EventId, KeyId, PhoneNumber, Timestamp};
use tandem_store::{
    Store, Tx,
    repo::{
        clock_moves, deliveries, idempotency,
        invalidations::{self, Note, Stale},
        inventory, message_parts, outbox, requests,
    },
};
use tokio::sync::{Notify, watch};

use crate::{App, calls, messages, stock};

/// How often notes are looked for.
const POLL: Duration = Duration::from_millis(500);
/// Seconds by which clocks and commits of two processes may be apart.
const OVERLAP: i64 = 10;
/// Seconds that notes are kept. A process that could not read them for so long reads everything again.
const NOTES: i64 = 15 * 60;
/// Seconds that first answers are kept for repetitions of a request.
pub const ANSWERS: i64 = 24 * 3600;
/// Days that receipts of unknown messages are kept, and which incoming messages were seen.
const RECEIPTS: i64 = 8;
/// How often things are forgotten.
const PURGE: Duration = Duration::from_secs(60);
/// Rows that one unit of work forgets at the most, and how long it leaves the store to others before the next.
const BATCH: u64 = 1000;
const PAUSE: Duration = Duration::from_millis(20);
/// Numbers that are looked up at a time.
const NUMBERS: usize = 500;
/// How long a reload waits that failed.
const AGAIN: Duration = Duration::from_secs(5);

/// Keeps house until `stop`. To be started before the inventory is loaded, so that no note falls in between.
pub async fn run(app: App, stop: watch::Receiver<bool>) {
    let reloads = Reloads::default();
    let lost = calls::run(app.clone(), stop.clone());
    tokio::join!(follow(&app, &reloads, stop.clone()), reload(&app, &reloads, stop.clone()), purge(&app, stop), lost);
}

/// Which inventories are to be read again as a whole.
#[derive(Default)]
struct Reloads {
    live: Notify,
    test: Notify,
}

impl Reloads {
    fn want(&self, kind: Environment) {
        match kind {
            Environment::Live => self.live.notify_one(),
            Environment::Test => self.test.notify_one(),
        }
    }

    async fn next(&self) -> Environment {
        tokio::select! {
            () = self.live.notified() => Environment::Live,
            () = self.test.notified() => Environment::Test,
        }
    }
}

/// Waits, unless it is time to stop: `false` then.
async fn rest(stop: &mut watch::Receiver<bool>, time: Duration) -> bool {
    let told = tokio::select! {
        () = tokio::time::sleep(time) => Ok(()),
        told = stop.changed() => told,
    };
    told.is_ok() && !*stop.borrow()
}

async fn follow(app: &App, reloads: &Reloads, mut stop: watch::Receiver<bool>) {
    let mut follower = Follower::new(app.machine_now());
    let mut failing = false;
    while rest(&mut stop, POLL).await {
        let outcome = follower.poll(app, reloads).await;
        if let (Err(fault), false) = (&outcome, failing) {
            tracing::warn!(
                code = fault.code().name(),
                report = fault.internal_report(),
                "changes of other processes cannot be followed"
            );
        }
        failing = outcome.is_err();
    }
}

/// What was seen of the notes so far.
struct Follower {
    /// The notes of the overlap: they are read again and again until they are out of it.
    seen: HashSet<EventId>,
    /// When notes were last read.
    read_at: Timestamp,
    /// Whether notes were read at all. What was changed before that was never in memory.
    begun: bool,
}

impl Follower {
    fn new(now: Timestamp) -> Self {
        Self { seen: HashSet::new(), read_at: now, begun: false }
    }

    async fn poll(&mut self, app: &App, reloads: &Reloads) -> Result<()> {
        let now = app.machine_now();
        let since = self.read_at.plus_seconds(-OVERLAP);
        let notes = app.store.read(move |tx| invalidations::since(tx, since)).await?;
        let fresh: Vec<Note> = notes.iter().filter(|note| !self.seen.contains(&note.id)).copied().collect();
        if self.begun && now > self.read_at.plus_seconds(NOTES - OVERLAP) {
            tracing::warn!("changes of other processes were not followed for long: everything is read again");
            app.directory.forget_all();
            reloads.want(Environment::Live);
            reloads.want(Environment::Test);
        }
        apply(app, reloads, &fresh, self.begun).await?;
        self.seen = notes.iter().map(|note| note.id).collect();
        self.read_at = now;
        self.begun = true;
        Ok(())
    }
}

/// Acts on notes. Those that were there when we began say nothing about an inventory that was read since.
async fn apply(app: &App, reloads: &Reloads, notes: &[Note], begun: bool) -> Result<()> {
    let mut numbers: HashMap<Environment, Vec<PhoneNumber>> = HashMap::new();
    for note in notes {
        match (note.stale, note.kind()) {
            (Stale::Key, _) => app.directory.forget_key(KeyId::from_bytes(note.subject)),
            (Stale::Environment, _) => app.directory.forget_environment(EnvironmentId::from_bytes(note.subject)),
            (Stale::Number, Some(kind)) => numbers.entry(kind).or_default().push(note.phone()),
            (Stale::Inventory, Some(kind)) if begun && note.node != app.node => reloads.want(kind),
            (Stale::Mailbox, Some(kind)) => {
                if let Some(lamps) = app.lamps.get() {
                    lamps.changed(kind, note.phone());
                }
            }
            (Stale::Number | Stale::Inventory | Stale::Mailbox, _) => {}
        }
    }
    for (kind, mut phones) in numbers {
        phones.sort_unstable();
        phones.dedup();
        for phones in phones.chunks(NUMBERS) {
            look_again(app, kind, phones.to_vec()).await?;
        }
    }
    Ok(())
}

/// Reads numbers from the store and brings the search in step with them.
async fn look_again(app: &App, kind: Environment, phones: Vec<PhoneNumber>) -> Result<()> {
    let read = move |tx: &mut Tx| phones.iter().map(|phone| inventory::get(tx, kind, *phone)).collect::<Result<Vec<_>>>();
    let offers = app.store.read(read).await?.into_iter().flatten();
    let entries: Vec<_> = offers.map(|offer| (offer.phone, stock::entry(&offer))).collect();
    let differs = |phone: PhoneNumber, entry: &Entry| {
        let known = app.stock.get(kind, phone);
        known.is_none_or(|known| Entry { available: entry.available, ..known } != *entry)
    };
    let fresh: Vec<_> = entries.iter().filter(|(phone, entry)| differs(*phone, entry)).map(|(_, entry)| *entry).collect();
    if !fresh.is_empty() {
        let app = app.clone();
        let inserted = tokio::task::spawn_blocking(move || app.stock.insert(kind, &fresh));
        inserted.await.map_err(|fault| Error::internal().because(fault))??;
    }
    for (phone, entry) in entries {
        app.stock.set_available(kind, phone, entry.available); // what is known keeps its state when it is inserted again
    }
    Ok(())
}

async fn reload(app: &App, reloads: &Reloads, mut stop: watch::Receiver<bool>) {
    loop {
        let kind = tokio::select! {
            kind = reloads.next() => kind,
            _ = stop.changed() => return,
        };
        let outcome = tokio::select! {
            outcome = app.stock.load(&app.store, kind) => outcome,
            _ = stop.changed() => return,
        };
        match outcome {
            Ok(count) => tracing::info!(kind = kind.as_str(), count, "the inventory was changed elsewhere and read again"),
            Err(fault) => {
                tracing::warn!(code = fault.code().name(), report = fault.internal_report(), "the inventory cannot be read again");
                rest(&mut stop, AGAIN).await;
                reloads.want(kind);
            }
        }
    }
}

async fn purge(app: &App, mut stop: watch::Receiver<bool>) {
    while rest(&mut stop, PURGE).await {
        let outcome = tokio::select! {
            outcome = forget(app) => outcome,
            _ = stop.changed() => return,
        };
        if let Err(fault) = outcome {
            tracing::warn!(
                code = fault.code().name(),
                report = fault.internal_report(),
                "what is out of date could not be forgotten"
            );
        }
    }
}

/// Forgets everything that is out of date, some rows at a time: first answers, the request log, notes to other processes.
///
/// # Errors
/// Faults of the store.
pub async fn forget(app: &App) -> Result<()> {
    let now = app.machine_now();
    let (answers, notes) = (now.plus_seconds(-ANSWERS), now.plus_seconds(-NOTES));
    let log = now.plus_days(app.settings.log_days.saturating_neg());
    in_batches(&app.store, move |tx| idempotency::purge(tx, answers)).await?;
    in_batches(&app.store, move |tx| clock_moves::purge(tx, answers)).await?;
    in_batches(&app.store, move |tx| requests::purge(tx, log)).await?;
    let made = made_before(log);
    in_batches(&app.store, move |tx| deliveries::purge(tx, made, i64::try_from(BATCH).unwrap_or(i64::MAX))).await?;
    let receipts = now.plus_days(RECEIPTS.saturating_neg());
    in_batches(&app.store, move |tx| message_parts::purge_early(tx, receipts)).await?;
    in_batches(&app.store, move |tx| message_parts::purge_seen(tx, receipts)).await?;
    let work = move |tx: &mut Tx| {
        messages::forget_parts(tx, now)?;
        outbox::bury(tx, answers)
    };
    app.store.write(work).await?;
    app.store.write(move |tx| invalidations::purge(tx, notes)).await.map(drop)
}

/// The least id of a delivery that is made at an instant of the machine's clock.
fn made_before(instant: Timestamp) -> DeliveryId {
    let [_, _, millis @ ..] = (instant.micros() / 1000).to_be_bytes();
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(millis) {
        *to = from;
    }
    DeliveryId::from_bytes(id)
}

async fn in_batches<F>(store: &Store, batch: F) -> Result<()>
where
    F: Fn(&mut Tx) -> Result<u64> + Send + Copy + 'static,
{
    while store.write(batch).await? >= BATCH {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_inventory_that_is_wanted_again_meanwhile_is_read_once_more_and_no_more() {
        let reloads = Reloads::default();
        for _ in 0..3 {
            reloads.want(Environment::Test);
        }
        assert_eq!(reloads.next().await, Environment::Test);
        let again = tokio::time::timeout(Duration::from_millis(20), reloads.next()).await;
        assert!(again.is_err(), "three wishes before it began are one");
    }
}
