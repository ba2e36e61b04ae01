//! Brings recordings into the object store, takes those away whose rows are gone, and takes up what a process that died has left.

use std::{
    collections::{HashMap, HashSet},
    io,
    path::Path,
    sync::Arc,
    time::Duration,
};

use tandem_catalogue::{Error, Result};
use tandem_domain::recording::{Recording, RecordingState};
use tandem_kernel::RecordingId;
use tandem_store::{Tx, repo::recordings};
use tokio::{sync::watch, task::JoinSet, time::Instant};

use super::{Left, Made, ObjectFault, Objects, Spool, changed, complete, removals, removed, stop};
use crate::App;

/// How often somebody looks without being rung for.
const LOOK: Duration = Duration::from_secs(5);
/// Recordings that are brought there at once.
const AT_ONCE: usize = 4;
/// Rows that are looked up at a time.
const BATCH: i64 = 100;
/// The first pause after a failure; each is twice as long as the one before, up to the longest.
const PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// Makes a file that nobody closed one that can be listened to: its bytes and milliseconds, or none where nothing is in it. A file is
/// touched by it on a thread that may wait.
pub type Repair = fn(&Path) -> io::Result<Option<(i64, i64)>>;

/// Keeps recordings until `stop`; then what waits is tried once more.
pub async fn run(app: App, mut stop: watch::Receiver<bool>) {
    let mut keeper = Keeper::default();
    while !*stop.borrow() {
        keeper.look(&app).await;
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = app.archive.rung() => {}
            _ = stop.changed() => {}
        }
    }
    keeper.look(&app).await;
}

/// What was tried in vain: how often, and when it is tried again.
#[derive(Default)]
struct Keeper {
    waiting: HashMap<RecordingId, (u32, Instant)>,
    removing: Option<(u32, Instant)>,
}

impl Keeper {
    async fn look(&mut self, app: &App) {
        let Some((objects, spool)) = app.archive.objects().zip(app.archive.spool()) else { return };
        if let Err(fault) = self.bring(app, objects, spool).await {
            told("recordings that wait cannot be looked for", &fault);
        }
        if self.removing.is_none_or(|(_, at)| at <= Instant::now())
            && let Err(fault) = self.take_away(app, objects).await
        {
            told("what is to be removed from the object store cannot be looked for", &fault);
        }
    }

    /// Brings everything into the object store that waits for it.
    async fn bring(&mut self, app: &App, objects: &Arc<dyn Objects>, spool: &Spool) -> Result<()> {
        let mut after = RecordingId::from_bytes([0; 16]);
        let mut waiting = HashSet::new();
        let mut tasks: JoinSet<(RecordingId, bool)> = JoinSet::new();
        loop {
            let id = spool.id();
            let rows = app.store.read(move |tx| recordings::of_spool(tx, &id, after, BATCH)).await?;
            let Some(last) = rows.last() else { break };
            after = last.id;
            for row in rows.into_iter().filter(|row| row.state == RecordingState::Processing) {
                waiting.insert(row.id);
                if self.waiting.get(&row.id).is_some_and(|(_, at)| *at > Instant::now()) {
                    continue;
                }
                if tasks.len() >= AT_ONCE {
                    self.one_ended(&mut tasks).await;
                }
                let (app, objects, file) = (app.clone(), objects.clone(), spool.file(row.id, &row.format));
                tasks.spawn(async move { (row.id, brought(&app, objects.as_ref(), &row, &file).await) });
            }
        }
        while !tasks.is_empty() {
            self.one_ended(&mut tasks).await;
        }
        self.waiting.retain(|id, _| waiting.contains(id));
        Ok(())
    }

    async fn one_ended(&mut self, tasks: &mut JoinSet<(RecordingId, bool)>) {
        match tasks.join_next().await {
            Some(Ok((id, true))) => drop(self.waiting.remove(&id)),
            Some(Ok((id, false))) => {
                let (tries, at) = again(self.waiting.get(&id).map_or(0, |(tries, _)| *tries));
                self.waiting.insert(id, (tries, at));
            }
            Some(Err(fault)) => tracing::error!(%fault, "bringing a recording into the object store has failed"),
            None => {}
        }
    }

    /// Takes away what no row leads to any more. What could not be taken away is tried again.
    async fn take_away(&mut self, app: &App, objects: &Arc<dyn Objects>) -> Result<()> {
        let (mut after, mut failed) = (String::new(), None);
        loop {
            let keys = removals(app, after, BATCH).await?;
            let Some(last) = keys.last() else { break };
            after = last.clone();
            let mut gone = Vec::new();
            for key in keys {
                match objects.delete(&key).await {
                    Ok(()) | Err(ObjectFault::Missing) => gone.push(key),
                    Err(fault) => failed = Some(fault),
                }
            }
            if !gone.is_empty() {
                removed(app, gone).await?;
            }
            if failed.is_some() {
                break;
            }
        }
        if let Some(fault) = &failed {
            tracing::warn!(%fault, "recordings that were deleted cannot be removed from the object store yet");
        }
        self.removing = failed.map(|_| again(self.removing.map_or(0, |(tries, _)| tries)));
        Ok(())
    }
}

fn again(tries: u32) -> (u32, Instant) {
    let pause = PAUSE.saturating_mul(1 << tries.min(16)).min(LONGEST_PAUSE);
    (tries.saturating_add(1), Instant::now() + pause)
}

/// Brings one recording into the object store and completes it; whether that is done.
async fn brought(app: &App, objects: &dyn Objects, recording: &Recording, file: &Path) -> bool {
    let made = match objects.put(&recording.object, file).await {
        Ok(()) => Made::Whole(recording.size, recording.length),
        Err(ObjectFault::Missing) => {
            tracing::error!(id = %recording.id, file = %file.display(), "a recording's file is gone: it has failed");
            Made::Nothing
        }
        Err(ObjectFault::Unavailable(fault)) => {
            tracing::warn!(id = %recording.id, fault, "a recording cannot be brought into the object store yet: it stays in its file");
            return false;
        }
    };
    match complete(app, recording.environment, recording.id, made).await {
        Ok(_) => {
            forget(file).await;
            true
        }
        Err(fault) => {
            told("a recording cannot be completed yet", &fault);
            false
        }
    }
}

/// Takes up what processes that died have left in this process's folder and in those that nobody has: what can be listened to is completed,
/// the rest has failed, and files whose recordings are over go. To be called before anything is recorded.
///
/// # Errors
/// Faults of the store and of the file system.
pub async fn recover(app: &App, others: Vec<Spool>, repair: Repair) -> Result<()> {
    let Some(own) = app.archive.spool() else { return Ok(()) };
    let mut found = HashSet::new();
    for spool in std::iter::once(own).chain(&others) {
        let left = spool.left().await.map_err(|fault| Error::internal().because(fault))?;
        for left in left.chunks(usize::try_from(BATCH).unwrap_or(1)) {
            let ids: Vec<RecordingId> = left.iter().map(|left| left.recording).collect();
            let rows = app.store.read(move |tx: &mut Tx| recordings::of_ids(tx, &ids)).await?;
            for left in left {
                let row = rows.iter().find(|row| row.id == left.recording && !row.state.is_over());
                match row {
                    Some(row) => {
                        take_up(app, own, row, left, repair).await?;
                        found.insert(row.id);
                    }
                    None => forget(&left.path).await,
                }
            }
        }
    }
    for spool in std::iter::once(own).chain(&others) {
        give_up(app, spool.id(), &found).await?;
    }
    Ok(())
}

/// A recording that was being made, or was on its way to the object store.
async fn take_up(app: &App, own: &Spool, row: &Recording, left: &Left, repair: Repair) -> Result<()> {
    let (id, file) = (own.id(), own.file(row.id, &row.format));
    if row.spool != Some(id) {
        changed(app, row.environment, row.id, move |tx, _, mut recording| {
            (recording.spool, recording.version) = (Some(id), recording.version + 1);
            recordings::update(tx, &recording)?;
            Ok(recording)
        })
        .await?;
    }
    if left.path != file {
        tokio::fs::rename(&left.path, &file).await.map_err(|fault| Error::internal().because(fault))?;
    }
    if row.state == RecordingState::Processing {
        return Ok(());
    }
    let path = file.clone();
    let repaired = tokio::task::spawn_blocking(move || repair(&path)).await.map_err(|fault| Error::internal().because(fault))?;
    match repaired {
        Ok(Some((size, length))) => {
            tracing::info!(id = %row.id, length, "a recording that was cut off is kept as far as it goes");
            stop(app, row.environment, row.id, (size, length)).await?;
        }
        Ok(None) => fail(app, row, &file, "nothing is in it").await?,
        Err(fault) => fail(app, row, &file, &fault.to_string()).await?,
    }
    Ok(())
}

async fn fail(app: &App, row: &Recording, file: &Path, fault: &str) -> Result<()> {
    tracing::warn!(id = %row.id, fault, "a recording that was cut off has failed");
    complete(app, row.environment, row.id, Made::Nothing).await?;
    forget(file).await;
    Ok(())
}

/// Recordings of a folder whose files are not there.
async fn give_up(app: &App, spool: [u8; 16], found: &HashSet<RecordingId>) -> Result<()> {
    let mut after = RecordingId::from_bytes([0; 16]);
    loop {
        let rows = app.store.read(move |tx| recordings::of_spool(tx, &spool, after, BATCH)).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.id;
        for row in rows.iter().filter(|row| !found.contains(&row.id)) {
            tracing::warn!(id = %row.id, "a recording's file is gone: it has failed");
            complete(app, row.environment, row.id, Made::Nothing).await?;
        }
    }
}

/// Removes a recording's file, which nobody needs any more. That it is not there does not matter.
pub async fn forget(file: &Path) {
    match tokio::fs::remove_file(file).await {
        Ok(()) => {}
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => {}
        Err(fault) => tracing::warn!(%fault, file = %file.display(), "a file that is not needed any more cannot be removed"),
    }
}

fn told(what: &'static str, fault: &Error) {
    tracing::warn!(code = fault.code().name(), report = fault.internal_report(), "{what}");
}
