//! Recordings of calls and conferences, and messages that callers left. A recording is made in a file of this process's [`Spool`], and
//! its row says so; when it is over, [`run`] brings the file into the object store and only then is it whole.

mod keep;
mod lamps;
mod objects;
mod spool;
mod voicemail;

pub use keep::{Repair, forget, recover, run};
pub use lamps::{Lamps, LampsPort, Waiting, showing, shown_by};
pub use objects::{Archive, Chunks, ObjectFault, Objects};
pub use spool::{Left, Spool};
pub use voicemail::{ListVoicemails, delete_voicemail, mailbox, mark, voicemail, voicemails, waiting};

use serde_json::json;
use tandem_catalogue::{Error, Result};
use tandem_domain::{
    event::EventKind,
    recording::{Recording, RecordingKind, RecordingState},
};
use tandem_kernel::{CallId, Caller, ConferenceId, EnvironmentId, PhoneNumber, RecordingId, Scope};
use tandem_store::{
    Tx,
    repo::{calls, live_calls, recordings},
};

use crate::{App, Finish, app::Desk, conferences::find as find_conference, due::Done, permit};

/// The due work that deletes a recording whose days are over, by the environment's clock.
pub const RETENTION_JOB: &str = "recording.delete";

/// A recording that begins.
#[derive(Clone, Debug)]
pub struct StartRecording {
    /// Whose it is.
    pub environment: EnvironmentId,
    /// What is recorded.
    pub kind: RecordingKind,
    /// Which call.
    pub call: Option<CallId>,
    /// Which conference.
    pub conference: Option<ConferenceId>,
    /// The number for which a message is left.
    pub number: Option<PhoneNumber>,
    /// Who leaves it.
    pub from: Option<PhoneNumber>,
    /// Its owner's name for it.
    pub name: Option<String>,
    /// `wav`, `mp3` or `opus`.
    pub format: String,
    /// `all`, `caller` or `callee`.
    pub participant: String,
    /// Days that it is kept; for ever if none.
    pub keep_days: Option<i64>,
}

/// How a recording ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// It is whole and in the object store: so many bytes, so many milliseconds.
    Whole(i64, i64),
    /// It came to nothing.
    Nothing,
}

/// Writes down that a recording begins. Its bytes go into the object store under the key that comes back.
///
/// # Errors
/// Faults of the store.
pub async fn start(app: &App, command: StartRecording) -> Result<Recording> {
    let (pen, spool) = (app.pen(), app.archive.spool().map(Spool::id));
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, command.environment)?;
        let id = desk.id(RecordingId::new);
        let recording = Recording {
            id,
            environment: command.environment,
            kind: command.kind,
            call: command.call,
            conference: command.conference,
            number: command.number,
            from: command.from,
            name: command.name.clone(),
            state: RecordingState::Recording,
            format: command.format.clone(),
            participant: command.participant.clone(),
            object: format!("{}/{}/{id}.{}", command.environment, desk.now.date(), command.format),
            size: 0,
            length: 0,
            started_at: desk.now,
            stopped_at: None,
            delete_at: command.keep_days.map(|days| desk.now.plus_days(days)),
            spool,
            heard_at: None,
            version: 1,
        };
        recordings::insert(tx, &recording)?;
        Ok(recording)
    };
    app.store.write(work).await
}

/// Writes down that a recording waits, or goes on.
///
/// # Errors
/// `resource_not_found`, `invalid_transition` for one that is neither being made nor waiting.
pub async fn pause(app: &App, environment: EnvironmentId, id: RecordingId, paused: bool) -> Result<Recording> {
    let to = if paused { RecordingState::Paused } else { RecordingState::Recording };
    changed(app, environment, id, move |tx, _, mut recording| {
        check_open(&recording, to)?;
        (recording.state, recording.version) = (to, recording.version + 1);
        recordings::update(tx, &recording)?;
        Ok(recording)
    })
    .await
}

/// Writes down that a recording is over, with its bytes and milliseconds: its file is on its way to the object store. A repetition
/// changes nothing.
///
/// # Errors
/// `resource_not_found`.
pub async fn stop(app: &App, environment: EnvironmentId, id: RecordingId, (size, length): (i64, i64)) -> Result<Recording> {
    let stopped = changed(app, environment, id, move |tx, desk, mut recording| {
        if recording.stopped_at.is_none() {
            (recording.state, recording.stopped_at) = (RecordingState::Processing, Some(desk.now));
            (recording.size, recording.length, recording.version) = (size, length, recording.version + 1);
            recordings::update(tx, &recording)?;
        }
        Ok(recording)
    });
    let recording = stopped.await?;
    app.archive.ring();
    Ok(recording)
}

/// Writes down how a recording ended, once; a repetition changes nothing.
///
/// # Errors
/// `resource_not_found`.
pub async fn complete(app: &App, environment: EnvironmentId, id: RecordingId, made: Made) -> Result<Recording> {
    let done = changed(app, environment, id, move |tx, desk, mut recording| {
        if recording.state.is_over() {
            return Ok(recording);
        }
        recording.stopped_at = recording.stopped_at.or(Some(desk.now));
        (recording.spool, recording.version) = (None, recording.version + 1);
        match made {
            Made::Nothing => recording.state = RecordingState::Failed,
            Made::Whole(size, length) => {
                (recording.state, recording.size, recording.length) = (RecordingState::Completed, size, length);
            }
        }
        recordings::update(tx, &recording)?;
        if let Some(at) = recording.delete_at {
            desk.schedule(tx, RETENTION_JOB, *id.as_bytes(), 0, at)?;
        }
        if recording.state == RecordingState::Completed {
            note(tx, desk, &recording, EventKind::RecordingCompleted)?;
            lamps::note(tx, desk, &recording)?;
        }
        Ok(recording)
    });
    let recording = done.await?;
    app.mailbox.ring();
    Ok(recording)
}

/// Forgets a recording that is still being made, as if it had never begun: a message that is too short to be one.
///
/// # Errors
/// `resource_not_found`, `invalid_transition` for one that is over.
pub async fn discard(app: &App, environment: EnvironmentId, id: RecordingId) -> Result<Recording> {
    changed(app, environment, id, |tx, _, recording| {
        if recording.stopped_at.is_some() {
            return Err(Error::invalid_transition("recording", recording.state.as_str(), "discarded"));
        }
        recordings::discard(tx, recording.id)?;
        Ok(recording)
    })
    .await
}

fn check_open(recording: &Recording, to: RecordingState) -> Result<()> {
    match recording.state {
        RecordingState::Recording | RecordingState::Paused => Ok(()),
        state => Err(Error::invalid_transition("recording", state.as_str(), to.as_str())),
    }
}

async fn changed(
    app: &App,
    environment: EnvironmentId,
    id: RecordingId,
    work: impl Fn(&mut Tx, &Desk, Recording) -> Result<Recording> + Send + Sync + 'static,
) -> Result<Recording> {
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, environment)?;
        let found = recordings::get(tx, environment, id)?;
        let recording = found.ok_or_else(|| Error::resource_not_found("recording", id.to_string()))?;
        work(tx, &desk, recording)
    };
    app.store.write(work).await
}

/// A call's recordings, the oldest first.
///
/// # Errors
/// `call_not_found`, `insufficient_scope`.
pub async fn of_call(app: &App, caller: &Caller, call: String) -> Result<Vec<Recording>> {
    let caller = *caller;
    let read = move |tx: &mut Tx| {
        let missing = || Error::call_not_found(call.clone());
        let id = CallId::parse(&call).ok_or_else(missing)?;
        let live = live_calls::get(tx, id)?.is_some_and(|live| live.environment == caller.environment);
        if !live && calls::get(tx, caller.environment, id)?.is_none() {
            return Err(missing());
        }
        permit(&caller, Scope::CallsRead)?;
        recordings::of_call(tx, id)
    };
    app.store.read(read).await
}

/// A conference's recordings, the oldest first.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`.
pub async fn of_conference(app: &App, caller: &Caller, conference: String) -> Result<Vec<Recording>> {
    let caller = *caller;
    let read = move |tx: &mut Tx| {
        let conference = find_conference(tx, caller.environment, &conference)?;
        permit(&caller, Scope::CallsRead)?;
        recordings::of_conference(tx, conference.id)
    };
    app.store.read(read).await
}

/// An environment's recordings, of one kind where that is wanted, the newest first, from the one before `before`.
///
/// # Errors
/// `insufficient_scope`.
pub async fn list(
    app: &App,
    caller: &Caller,
    kind: Option<RecordingKind>,
    before: Option<RecordingId>,
    limit: i64,
) -> Result<Vec<Recording>> {
    permit(caller, Scope::CallsRead)?;
    let environment = caller.environment;
    app.store.read(move |tx| recordings::list(tx, environment, kind, before, limit)).await
}

/// Reads a recording; where a conference is named, one of that conference.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`.
pub async fn get(app: &App, caller: &Caller, id: String, conference: Option<String>) -> Result<Recording> {
    let caller = *caller;
    let read = move |tx: &mut Tx| {
        let recording = find(tx, caller.environment, &id, conference.as_deref())?;
        permit(&caller, Scope::CallsRead)?;
        Ok(recording)
    };
    app.store.read(read).await
}

/// Reads a recording that can be listened to.
///
/// # Errors
/// As [`get`], and `recording_has_no_audio` for one that is still being made, or came to nothing.
pub async fn audible(app: &App, caller: &Caller, id: String) -> Result<Recording> {
    let recording = get(app, caller, id, None).await?;
    match recording.state {
        RecordingState::Completed => Ok(recording),
        state => Err(Error::recording_has_no_audio(recording.id.to_string(), state.as_str())),
    }
}

/// What was said, or a part of it: the bytes from `range`, as they come.
///
/// # Errors
/// `unavailable` where the object store does not answer.
pub async fn bytes(app: &App, recording: &Recording, range: std::ops::Range<u64>) -> Result<Box<dyn Chunks>> {
    let objects = app.archive.objects().ok_or_else(|| Error::internal().because("there is no object store"))?;
    objects.get(&recording.object, range).await.map_err(|fault| match fault {
        ObjectFault::Missing => Error::internal().because(format!("the object store has no {}", recording.object)),
        ObjectFault::Unavailable(why) => Error::unavailable(objects::AFTER).because(why),
    })
}

/// What is said where the object store breaks off in the midst of a recording.
#[must_use]
pub fn cut_off(fault: &ObjectFault) -> Error {
    Error::unavailable(objects::AFTER).because(fault.to_string())
}

/// A recording that is whole with all of its bytes, for whoever plays it to a caller; none where there is none, or it is larger than
/// `most`.
///
/// # Errors
/// Faults of the store, `unavailable` where the object store does not answer.
pub async fn whole(app: &App, environment: EnvironmentId, id: RecordingId, most: i64) -> Result<Option<Vec<u8>>> {
    let found = app.store.read(move |tx| recordings::get(tx, environment, id)).await?;
    let found = found.filter(|recording| recording.state == RecordingState::Completed && recording.size <= most);
    let Some(recording) = found else { return Ok(None) };
    let mut chunks = bytes(app, &recording, 0..u64::try_from(recording.size).unwrap_or(0)).await?;
    let mut all = Vec::new();
    while let Some(chunk) = chunks.next().await {
        all.extend(chunk.map_err(|fault| cut_off(&fault))?);
    }
    Ok(Some(all))
}

/// Deletes a recording.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`, `invalid_transition` for one that is still being made.
pub async fn delete(
    app: &App,
    caller: &Caller,
    (id, conference): (String, Option<String>),
    finish: Finish<Recording>,
) -> Result<Recording> {
    let environment = caller.environment;
    delete_found(app, caller, move |tx| find(tx, environment, &id, conference.as_deref()), finish).await
}

async fn delete_found(
    app: &App,
    caller: &Caller,
    find: impl Fn(&mut Tx) -> Result<Recording> + Send + Sync + 'static,
    finish: Finish<Recording>,
) -> Result<Recording> {
    let (pen, caller) = (app.pen(), *caller);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, caller.environment)?;
        let recording = find(tx)?;
        permit(&caller, Scope::CallsWrite)?;
        if !recording.state.is_over() {
            return Err(Error::invalid_transition("recording", recording.state.as_str(), "deleted"));
        }
        remove(tx, &desk, &recording)?;
        finish(tx, &recording)?;
        Ok(recording)
    };
    let deleted = app.store.write(work).await?;
    app.mailbox.ring();
    app.archive.ring();
    Ok(deleted)
}

fn find(tx: &mut Tx, environment: EnvironmentId, id: &str, conference: Option<&str>) -> Result<Recording> {
    let within = conference.map(|id| find_conference(tx, environment, id)).transpose()?;
    let found = match RecordingId::parse(id) {
        Some(parsed) => recordings::get(tx, environment, parsed)?,
        None => None,
    };
    let found = found.filter(|recording| within.as_ref().is_none_or(|conference| recording.conference == Some(conference.id)));
    found.ok_or_else(|| Error::resource_not_found("recording", id.to_owned()))
}

fn remove(tx: &mut Tx, desk: &Desk, recording: &Recording) -> Result<()> {
    recordings::delete(tx, recording, desk.pen.machine_now())?;
    lamps::note(tx, desk, recording)?;
    note(tx, desk, recording, EventKind::RecordingDeleted)
}

/// Due work: deletes a recording whose days are over.
///
/// # Errors
/// Faults of the store.
pub(crate) fn expire(tx: &mut Tx, desk: &Desk, id: RecordingId) -> Result<Done> {
    if let Some(recording) = recordings::get(tx, desk.settings.id, id)? {
        remove(tx, desk, &recording)?;
    }
    Ok(Done::Finished)
}

/// Objects whose recordings are gone, from the one after `after`; [`removed`] says that they are removed.
///
/// # Errors
/// Faults of the store.
pub async fn removals(app: &App, after: String, limit: i64) -> Result<Vec<String>> {
    app.store.read(move |tx| recordings::removals(tx, &after, limit)).await
}

/// Says that objects are removed.
///
/// # Errors
/// Faults of the store.
pub async fn removed(app: &App, objects: Vec<String>) -> Result<()> {
    app.store.write(move |tx: &mut Tx| recordings::removed(tx, &objects)).await
}

fn note(tx: &mut Tx, desk: &Desk, recording: &Recording, kind: EventKind) -> Result<()> {
    let data = json!({
        "kind": recording.kind.as_str(),
        "call_id": recording.call.map(|id| id.to_string()),
        "conference_id": recording.conference.map(|id| id.to_string()),
        "number": recording.number.map(|number| number.to_string()),
        "from": recording.from.map(|number| number.to_string()),
        "name": recording.name,
        "duration": recording.seconds(),
        "format": recording.format,
    });
    desk.event(tx, &recording.id.to_string(), kind, &data)
}
