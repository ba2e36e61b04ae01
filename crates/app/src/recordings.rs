//! Recordings of calls and conferences, and messages that callers left: their rows. What was said is in the object store; whoever looks
//! after that asks [`removals`] what to remove from it.

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
    let pen = app.pen();
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

/// Writes down how a recording ended, once; a repetition changes nothing.
///
/// # Errors
/// `resource_not_found`.
pub async fn complete(app: &App, environment: EnvironmentId, id: RecordingId, made: Made) -> Result<Recording> {
    let done = changed(app, environment, id, move |tx, desk, mut recording| {
        if recording.stopped_at.is_some() {
            return Ok(recording);
        }
        recording.stopped_at = Some(desk.now);
        recording.version += 1;
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
        }
        Ok(recording)
    });
    let recording = done.await?;
    app.mailbox.ring();
    Ok(recording)
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

/// The messages that callers left for a number, the oldest first, from the one after `after`.
///
/// # Errors
/// `insufficient_scope`.
pub async fn of_number(
    app: &App,
    caller: &Caller,
    number: PhoneNumber,
    after: Option<RecordingId>,
    limit: i64,
) -> Result<Vec<Recording>> {
    permit(caller, Scope::CallsRead)?;
    let (environment, after) = (caller.environment, after.unwrap_or(RecordingId::from_bytes([0; 16])));
    app.store.read(move |tx| recordings::of_number(tx, environment, number, after, limit)).await
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
    let (pen, caller) = (app.pen(), *caller);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, caller.environment)?;
        let recording = find(tx, caller.environment, &id, conference.as_deref())?;
        permit(&caller, Scope::CallsWrite)?;
        if recording.stopped_at.is_none() {
            return Err(Error::invalid_transition("recording", recording.state.as_str(), "deleted"));
        }
        remove(tx, &desk, &recording)?;
        finish(tx, &recording)?;
        Ok(recording)
    };
    let deleted = app.store.write(work).await?;
    app.mailbox.ring();
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

/// Objects whose recordings are gone, for whoever looks after the object store; [`removed`] says that they are removed.
///
/// # Errors
/// Faults of the store.
pub async fn removals(app: &App, limit: i64) -> Result<Vec<String>> {
    app.store.read(move |tx| recordings::removals(tx, limit)).await
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
        "duration": recording.seconds(),
        "format": recording.format,
    });
    desk.event(tx, &recording.id.to_string(), kind, &data)
}
