//! What those who lead a conference do to those who take part.

use tandem_catalogue::{Error, Result};
use tandem_domain::{
    conference::{Conference, Control, Participant, Presence, Role},
    event::EventKind,
    recording::Recording,
};
use tandem_kernel::{Caller, ConferenceId, Scope, Timestamp};
use tandem_store::{Tx, repo::conferences};

use super::{
    RecordConference,
    attend::{ELSEWHERE, check_empty},
    find, invite,
    manage::check_goes_on,
    notes,
    participants::find_participant,
    rooms::{rooms, stir},
};
use crate::{App, Finish, permit};

/// A participant to whom something was done, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Controlled {
    /// As it is now.
    pub participant: Participant,
    /// When, by the environment's clock.
    pub at: Timestamp,
}

/// Those who were muted at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MutedAll {
    /// The conference.
    pub conference: ConferenceId,
    /// How many were not muted before.
    pub muted: usize,
    /// When, by the environment's clock.
    pub at: Timestamp,
}

/// What is told of it.
pub(super) const fn told(control: Control) -> EventKind {
    match control {
        Control::Mute => EventKind::ConferenceParticipantMuted,
        Control::Unmute => EventKind::ConferenceParticipantUnmuted,
        Control::Hold => EventKind::ConferenceParticipantHeld,
        Control::Resume => EventKind::ConferenceParticipantResumed,
        Control::Disconnect => EventKind::ConferenceParticipantLeft,
    }
}

/// Does something to a participant. Its room follows within a moment.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`, `conference_over`, `invalid_transition` for somebody who is gone, or is so already.
pub async fn control(
    app: &App,
    caller: &Caller,
    (conference, id): (String, String),
    control: Control,
    finish: Finish<Controlled>,
) -> Result<Controlled> {
    let (pen, caller) = (app.pen(), *caller);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, caller.environment)?;
        let conference = find(tx, caller.environment, &conference)?;
        let before = find_participant(tx, &conference, &id)?;
        permit(&caller, Scope::CallsWrite)?;
        check_goes_on(&conference)?;
        let joined = before.presence == Presence::Joined;
        let participant = before.controlled(control, desk.now)?;
        conferences::set(tx, &participant)?;
        match control {
            Control::Disconnect => {
                notes::left(tx, &desk, &participant, control.done())?;
                if joined {
                    check_empty(tx, &desk, conference.id)?;
                }
            }
            _ => notes::participant(tx, &desk, &participant, told(control))?,
        }
        let done = Controlled { participant, at: desk.now };
        finish(tx, &done)?;
        Ok(done)
    };
    let done = app.store.write(work).await?;
    app.mailbox.ring();
    stir(app, done.participant.conference);
    if control == Control::Disconnect {
        invite::call_off(app, std::slice::from_ref(&done.participant)).await;
    }
    Ok(done)
}

/// Mutes everybody who takes part or is to, but those who lead.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`, `conference_over`.
pub async fn mute_all(app: &App, caller: &Caller, conference: String, finish: Finish<MutedAll>) -> Result<MutedAll> {
    let (pen, caller) = (app.pen(), *caller);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, caller.environment)?;
        let conference = find(tx, caller.environment, &conference)?;
        permit(&caller, Scope::CallsWrite)?;
        check_goes_on(&conference)?;
        let mut muted = conferences::present(tx, &[conference.id])?;
        muted.retain(|one| !one.muted && one.role == Role::Listener);
        muted.iter_mut().for_each(|one| one.muted = true);
        conferences::set_many(tx, &muted)?;
        notes::muted(tx, &desk, &muted)?;
        let done = MutedAll { conference: conference.id, muted: muted.len(), at: desk.now };
        finish(tx, &done)?;
        Ok(done)
    };
    let done = app.store.write(work).await?;
    app.mailbox.ring();
    stir(app, done.conference);
    Ok(done)
}

/// Records a conference in which somebody is.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`, `conference_over`, `invalid_transition` where nobody is in it, or it is recorded already,
/// and `unavailable` where another process has its room.
pub async fn record(
    app: &App,
    caller: &Caller,
    conference: String,
    wanted: RecordConference,
    finish: Finish<Recording>,
) -> Result<Recording> {
    let conference = led(app, caller, conference).await?;
    let here = match rooms(app) {
        Some(rooms) => rooms.record(conference.id, wanted).await?,
        None => None,
    };
    finished(app, conference.id, here, "recorded", finish).await
}

/// Ends the recording of a conference.
///
/// # Errors
/// As [`record`], with `invalid_transition` where it is not recorded.
pub async fn stop_recording(app: &App, caller: &Caller, conference: String, finish: Finish<Recording>) -> Result<Recording> {
    let conference = led(app, caller, conference).await?;
    let here = match rooms(app) {
        Some(rooms) => rooms.stop_recording(conference.id).await?,
        None => None,
    };
    finished(app, conference.id, here, "told to stop recording", finish).await
}

async fn led(app: &App, caller: &Caller, conference: String) -> Result<Conference> {
    let caller = *caller;
    let read = move |tx: &mut Tx| {
        let conference = find(tx, caller.environment, &conference)?;
        permit(&caller, Scope::CallsWrite)?;
        check_goes_on(&conference)?;
        Ok(conference)
    };
    app.store.read(read).await
}

async fn finished(
    app: &App,
    id: ConferenceId,
    here: Option<Recording>,
    wanted: &'static str,
    finish: Finish<Recording>,
) -> Result<Recording> {
    let Some(recording) = here else {
        let elsewhere = app.store.read(move |tx| conferences::node(tx, id)).await?.is_some();
        return Err(if elsewhere {
            Error::unavailable(ELSEWHERE)
        } else {
            Error::invalid_transition("conference", "empty", wanted)
        });
    };
    let done = recording.clone();
    app.store.write(move |tx: &mut Tx| finish(tx, &done)).await?;
    Ok(recording)
}
