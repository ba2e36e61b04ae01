//! Making, changing and ending conferences.

use tandem_catalogue::{Error, Result};
use tandem_domain::{
    conference::{Conference, ConferenceState, Presence},
    config::Patch,
    event::EventKind,
};
use tandem_kernel::{Caller, ConferenceId, EnvironmentId, Scope, Timestamp};
use tandem_store::{Tx, repo::conferences};

use super::{invite, notes, rooms::stir};
use crate::{
    App, Finish,
    app::{Desk, Pen},
    permit,
};

/// Conferences that an environment can have at once.
pub const MOST_CONFERENCES: i64 = 1_000;

/// A conference, as it is at an instant of the environment's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConferenceView {
    /// The conference.
    pub conference: Conference,
    /// Where it is in its life.
    pub state: ConferenceState,
}

impl ConferenceView {
    fn of(conference: Conference, now: Timestamp) -> Self {
        Self { state: conference.state(now), conference }
    }
}

/// A conference to make.
#[derive(Clone, Debug)]
pub struct CreateConference {
    /// Its owner's name for it.
    pub name: String,
    /// When it begins to take participants.
    pub scheduled_for: Option<Timestamp>,
    /// How many take part at the most.
    pub max_participants: i64,
    /// Whether a PIN is asked for.
    pub require_pin: bool,
    /// The PIN, as it is dialled.
    pub pin: Option<String>,
    /// Whether it is recorded from the beginning.
    pub record: bool,
    /// The media that those who wait hear.
    pub hold_music_id: Option<String>,
    /// Whether those who join are muted.
    pub mute_on_entry: bool,
    /// Whether participants may record it.
    pub allow_recording_by_participant: bool,
    /// Whether the others hear who comes and goes.
    pub member_notification: bool,
}

/// A change of a conference; what is not named stays.
#[derive(Clone, Debug, Default)]
pub struct ConferenceChange {
    /// See [`CreateConference`]; so for the others.
    pub name: Option<String>,
    /// See [`CreateConference`].
    pub scheduled_for: Patch<Timestamp>,
    /// See [`CreateConference`].
    pub max_participants: Option<i64>,
    /// See [`CreateConference`].
    pub require_pin: Option<bool>,
    /// See [`CreateConference`].
    pub pin: Patch<String>,
    /// See [`CreateConference`].
    pub record: Option<bool>,
    /// See [`CreateConference`].
    pub hold_music_id: Patch<String>,
    /// See [`CreateConference`].
    pub mute_on_entry: Option<bool>,
    /// See [`CreateConference`].
    pub allow_recording_by_participant: Option<bool>,
    /// See [`CreateConference`].
    pub member_notification: Option<bool>,
}

/// A PIN as it is kept: a keyed hash, so that a copy of the database tells none.
fn hashed(pen: &Pen, id: ConferenceId, pin: &str) -> [u8; 32] {
    pen.vault.mac("conference pin", &[id.as_bytes(), pin.as_bytes()])
}

/// The PIN as it can be sent to those who are invited: sealed.
fn sealed(pen: &Pen, pin: &str) -> Result<Vec<u8>> {
    pen.vault.seal(pin.as_bytes())
}

/// Whether a PIN that was dialled opens a conference.
#[must_use]
pub fn check_pin(app: &App, conference: &Conference, dialled: &str) -> bool {
    let given = hashed(&app.pen(), conference.id, dialled);
    let right = conference.pin.unwrap_or([0; 32]);
    let difference = given.iter().zip(right).fold(0, |all, (one, other)| all | (one ^ other)); // no early end tells how much fits
    !conference.require_pin || (conference.pin.is_some() && difference == 0)
}

/// Makes a conference.
///
/// # Errors
/// What is wrong with a member, `insufficient_scope`, `operation_not_allowed` for one too many.
pub async fn create(
    app: &App,
    caller: &Caller,
    command: CreateConference,
    finish: Finish<ConferenceView>,
) -> Result<ConferenceView> {
    let (pen, caller) = (app.pen(), *caller);
    draft(&pen, caller.environment, ConferenceId::from_bytes([0; 16]), &command, Timestamp::default())?.check()?;
    permit(&caller, Scope::CallsWrite)?;
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, caller.environment)?;
        if conferences::count_open(tx, caller.environment)? >= MOST_CONFERENCES {
            return Err(Error::operation_not_allowed(format!(
                "An environment takes at most {MOST_CONFERENCES} conferences at once"
            )));
        }
        let conference = draft(&pen, caller.environment, desk.id(ConferenceId::new), &command, desk.now)?;
        conferences::insert(tx, &conference)?;
        notes::conference(tx, &desk, &conference, EventKind::ConferenceCreated)?;
        let view = ConferenceView::of(conference, desk.now);
        finish(tx, &view)?;
        Ok(view)
    };
    let view = app.store.write(work).await?;
    app.mailbox.ring();
    Ok(view)
}

fn draft(
    pen: &Pen,
    environment: EnvironmentId,
    id: ConferenceId,
    command: &CreateConference,
    now: Timestamp,
) -> Result<Conference> {
    Ok(Conference {
        id,
        environment,
        name: command.name.clone(),
        scheduled_for: command.scheduled_for,
        max_participants: command.max_participants,
        require_pin: command.require_pin,
        pin: command.pin.as_deref().map(|pin| hashed(pen, id, pin)),
        sealed_pin: command.pin.as_deref().map(|pin| sealed(pen, pin)).transpose()?,
        record: command.record,
        hold_music_id: command.hold_music_id.clone(),
        mute_on_entry: command.mute_on_entry,
        allow_recording_by_participant: command.allow_recording_by_participant,
        member_notification: command.member_notification,
        created_at: now,
        updated_at: now,
        ended_at: None,
        version: 1,
    })
}

/// A page of the conferences, the oldest first, and how many there are.
///
/// # Errors
/// `insufficient_scope`.
pub async fn list(app: &App, caller: &Caller, limit: i64, offset: i64) -> Result<(Vec<ConferenceView>, i64)> {
    permit(caller, Scope::CallsRead)?;
    let (environment, now) = (caller.environment, now(app, caller).await?);
    let (found, total) = app.store.read(move |tx| conferences::page(tx, environment, limit, offset)).await?;
    Ok((found.into_iter().map(|conference| ConferenceView::of(conference, now)).collect(), total))
}

/// Reads a conference.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`; so for the other functions here.
pub async fn get(app: &App, caller: &Caller, id: String) -> Result<ConferenceView> {
    let (asker, now) = (*caller, now(app, caller).await?);
    let read = move |tx: &mut Tx| {
        let conference = find(tx, asker.environment, &id)?;
        permit(&asker, Scope::CallsRead)?;
        Ok(ConferenceView::of(conference, now))
    };
    app.store.read(read).await
}

async fn now(app: &App, caller: &Caller) -> Result<Timestamp> {
    let entry = app.directory.environment(caller.environment).await?;
    Ok(entry.settings.clock.at(app.machine_now()))
}

/// Changes a conference that is not over.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`, `conference_over`, and what is wrong with a member.
pub async fn update(
    app: &App,
    caller: &Caller,
    id: String,
    change: ConferenceChange,
    finish: Finish<ConferenceView>,
) -> Result<ConferenceView> {
    let work = move |_: &mut Tx, desk: &Desk, conference: &mut Conference| {
        apply(desk, conference, &change)?;
        conference.check()
    };
    let (view, ()) = changed(app, caller, id, finish, EventKind::ConferenceUpdated, work).await?;
    Ok(view)
}

fn apply(desk: &Desk, conference: &mut Conference, change: &ConferenceChange) -> Result<()> {
    match &change.pin {
        Patch::Keep => {}
        Patch::Clear => (conference.pin, conference.sealed_pin) = (None, None),
        Patch::Set(pin) => {
            conference.pin = Some(hashed(&desk.pen, conference.id, pin));
            conference.sealed_pin = Some(sealed(&desk.pen, pin)?);
        }
    }
    set(&mut conference.name, change.name.clone());
    put(&mut conference.scheduled_for, change.scheduled_for.clone());
    set(&mut conference.max_participants, change.max_participants);
    set(&mut conference.require_pin, change.require_pin);
    set(&mut conference.record, change.record);
    put(&mut conference.hold_music_id, change.hold_music_id.clone());
    set(&mut conference.mute_on_entry, change.mute_on_entry);
    set(&mut conference.allow_recording_by_participant, change.allow_recording_by_participant);
    set(&mut conference.member_notification, change.member_notification);
    Ok(())
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn put<T>(place: &mut Option<T>, patch: Patch<T>) {
    match patch {
        Patch::Keep => {}
        Patch::Clear => *place = None,
        Patch::Set(value) => *place = Some(value),
    }
}

/// Ends a conference: whoever takes part is let go.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`, `conference_over`.
pub async fn end(app: &App, caller: &Caller, id: String, finish: Finish<ConferenceView>) -> Result<ConferenceView> {
    let (ended, gone) = changed(app, caller, id, finish, EventKind::ConferenceEnded, |tx, desk, conference| {
        conference.ended_at = Some(desk.now);
        let mut gone = conferences::present(tx, &[conference.id])?;
        gone.iter_mut().for_each(|participant| participant.leave(Presence::Left, desk.now));
        conferences::set_many(tx, &gone)?;
        Ok(gone)
    })
    .await?;
    invite::call_off(app, &gone).await;
    Ok(ended)
}

/// What `work` does to a conference that goes on, and what it answers.
async fn changed<T: Send + 'static>(
    app: &App,
    caller: &Caller,
    id: String,
    finish: Finish<ConferenceView>,
    kind: EventKind,
    work: impl Fn(&mut Tx, &Desk, &mut Conference) -> Result<T> + Send + Sync + 'static,
) -> Result<(ConferenceView, T)> {
    let (pen, caller) = (app.pen(), *caller);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, caller.environment)?;
        let mut conference = find(tx, caller.environment, &id)?;
        permit(&caller, Scope::CallsWrite)?;
        check_goes_on(&conference)?;
        let done = work(tx, &desk, &mut conference)?;
        (conference.updated_at, conference.version) = (desk.now, conference.version + 1);
        conferences::update(tx, &conference)?;
        notes::conference(tx, &desk, &conference, kind)?;
        let view = ConferenceView::of(conference, desk.now);
        finish(tx, &view)?;
        Ok((view, done))
    };
    let (view, done) = app.store.write(work).await?;
    app.mailbox.ring();
    stir(app, view.conference.id);
    Ok((view, done))
}

pub(super) fn check_goes_on(conference: &Conference) -> Result<()> {
    match conference.ended_at {
        None => Ok(()),
        Some(_) => Err(Error::conference_over(conference.id.to_string())),
    }
}

/// Finds an environment's conference.
pub(crate) fn find(tx: &mut Tx, environment: EnvironmentId, id: &str) -> Result<Conference> {
    let found = match ConferenceId::parse(id) {
        Some(parsed) => conferences::get(tx, environment, parsed)?,
        None => None,
    };
    found.ok_or_else(|| Error::resource_not_found("conference", id.to_owned()))
}
