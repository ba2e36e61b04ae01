//! Messages that callers left.

use tandem_catalogue::{Error, Result};
use tandem_domain::{
    config::Voicemail,
    recording::{Recording, RecordingKind},
};
use tandem_kernel::{Caller, EnvironmentId, PhoneNumber, RecordingId, Scope};
use tandem_store::{
    Tx,
    repo::{numbers, recordings},
};

use crate::{App, Finish, permit};

/// Which messages.
#[derive(Clone, Copy, Debug)]
pub struct ListVoicemails {
    /// Of this number alone.
    pub number: Option<PhoneNumber>,
    /// Those alone that nobody heard.
    pub unheard: bool,
    /// From the one before this.
    pub before: Option<RecordingId>,
    /// How many.
    pub limit: i64,
}

/// Messages, the newest first.
///
/// # Errors
/// `owned_number_not_found`, `insufficient_scope`.
pub async fn voicemails(app: &App, caller: &Caller, list: ListVoicemails) -> Result<Vec<Recording>> {
    let caller = *caller;
    let read = move |tx: &mut Tx| {
        let environment = caller.environment;
        if let Some(number) = list.number
            && numbers::by_phone(tx, environment, number)?.is_none()
        {
            return Err(Error::owned_number_not_found(number.to_string()));
        }
        permit(&caller, Scope::CallsRead)?;
        recordings::voicemails(tx, environment, list.number, list.unheard, list.before, list.limit)
    };
    app.store.read(read).await
}

/// Reads a message.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`.
pub async fn voicemail(app: &App, caller: &Caller, id: String) -> Result<Recording> {
    let caller = *caller;
    let read = move |tx: &mut Tx| {
        let found = find(tx, caller.environment, &id)?;
        permit(&caller, Scope::CallsRead)?;
        Ok(found)
    };
    app.store.read(read).await
}

/// Marks a message as heard, or as not heard. What is so already stays as it is.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`.
pub async fn mark(app: &App, caller: &Caller, id: String, heard: bool, finish: Finish<Recording>) -> Result<Recording> {
    let (pen, caller) = (app.pen(), *caller);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, caller.environment)?;
        let mut message = find(tx, caller.environment, &id)?;
        permit(&caller, Scope::CallsWrite)?;
        if message.heard_at.is_some() != heard {
            message.heard_at = heard.then_some(desk.now);
            message.version += 1;
            recordings::update(tx, &message)?;
            super::lamps::note(tx, &desk, &message)?;
        }
        finish(tx, &message)?;
        Ok(message)
    };
    app.store.write(work).await
}

/// Deletes a message.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`, `invalid_transition` for one that is still being left.
pub async fn delete_voicemail(app: &App, caller: &Caller, id: String, finish: Finish<Recording>) -> Result<Recording> {
    let environment = caller.environment;
    super::delete_found(app, caller, move |tx| find(tx, environment, &id), finish).await
}

/// How messages for a number are taken, as its configuration says.
///
/// # Errors
/// Faults of the store.
pub async fn mailbox(app: &App, environment: EnvironmentId, number: PhoneNumber) -> Result<Voicemail> {
    let found = app.store.read(move |tx: &mut Tx| numbers::by_phone(tx, environment, number)).await?;
    Ok(found.and_then(|number| number.config.voicemail).unwrap_or_default())
}

/// How many messages wait for a number: those that nobody heard, and the others.
///
/// # Errors
/// Faults of the store.
pub async fn waiting(app: &App, environment: EnvironmentId, number: PhoneNumber) -> Result<(i64, i64)> {
    app.store.read(move |tx| recordings::waiting(tx, environment, number)).await
}

fn find(tx: &mut Tx, environment: EnvironmentId, id: &str) -> Result<Recording> {
    let found = match RecordingId::parse(id) {
        Some(parsed) => recordings::get(tx, environment, parsed)?,
        None => None,
    };
    let found = found.filter(|recording| recording.kind == RecordingKind::Voicemail);
    found.ok_or_else(|| Error::resource_not_found("voicemail", id.to_owned()))
}
