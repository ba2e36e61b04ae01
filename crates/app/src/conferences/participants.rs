//! Who takes part in a conference.

use serde_json::json;
use tandem_catalogue::{Error, Result};
use tandem_domain::{
    conference::{Participant, Presence, Role},
    event::EventKind,
};
use tandem_kernel::{Caller, ParticipantId, PhoneNumber, Scope};
use tandem_store::{Tx, repo::conferences};

use super::{find, manage::check_goes_on};
use crate::{App, Finish, app::Desk, permit};

/// Somebody to add.
#[derive(Clone, Debug)]
pub struct AddParticipant {
    /// The telephone.
    pub phone: PhoneNumber,
    /// Who it is.
    pub name: Option<String>,
    /// What it may do.
    pub role: Role,
    /// Whether it is muted.
    pub muted: Option<bool>,
}

/// Adds somebody, who is to be called or to call.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`, `conference_over`, `resource_exists` for a telephone that takes part already,
/// `conference_full`.
pub async fn add(
    app: &App,
    caller: &Caller,
    conference: String,
    command: AddParticipant,
    finish: Finish<Participant>,
) -> Result<Participant> {
    let (pen, caller) = (app.pen(), *caller);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, caller.environment)?;
        let conference = find(tx, caller.environment, &conference)?;
        permit(&caller, Scope::CallsWrite)?;
        check_goes_on(&conference)?;
        let there = conferences::participants(tx, conference.id)?;
        let mut there = there.iter().filter(|other| matches!(other.presence, Presence::Invited | Presence::Joined));
        let taken = there.clone().count();
        if there.any(|other| other.phone == Some(command.phone)) {
            return Err(Error::resource_exists("participant", command.phone.to_string()));
        }
        if i64::try_from(taken).is_ok_and(|taken| taken >= conference.max_participants) {
            return Err(Error::conference_full(conference.max_participants));
        }
        let participant = Participant {
            id: desk.id(ParticipantId::new),
            conference: conference.id,
            phone: Some(command.phone),
            name: command.name.clone(),
            role: command.role,
            presence: Presence::Invited,
            muted: command.muted.unwrap_or(conference.mute_on_entry),
            on_hold: false,
            call: None,
            added_at: desk.now,
            joined_at: None,
            left_at: None,
        };
        conferences::add(tx, &participant)?;
        note(tx, &desk, &participant, EventKind::ConferenceParticipantAdded)?;
        finish(tx, &participant)?;
        Ok(participant)
    };
    let added = app.store.write(work).await?;
    app.mailbox.ring();
    Ok(added)
}

/// Everybody who takes part, was to or did, in the order in which they were added.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`.
pub async fn participants(app: &App, caller: &Caller, conference: String) -> Result<Vec<Participant>> {
    let caller = *caller;
    let read = move |tx: &mut Tx| {
        let conference = find(tx, caller.environment, &conference)?;
        permit(&caller, Scope::CallsRead)?;
        conferences::participants(tx, conference.id)
    };
    app.store.read(read).await
}

/// Removes somebody.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`, `conference_over`, `invalid_transition` for somebody who is gone already.
pub async fn remove(
    app: &App,
    caller: &Caller,
    (conference, id): (String, String),
    finish: Finish<Participant>,
) -> Result<Participant> {
    let (pen, caller) = (app.pen(), *caller);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, caller.environment)?;
        let conference = find(tx, caller.environment, &conference)?;
        let found = match ParticipantId::parse(&id) {
            Some(parsed) => conferences::participant(tx, conference.id, parsed)?,
            None => None,
        };
        let participant = found.ok_or_else(|| Error::resource_not_found("participant", id.clone()))?;
        permit(&caller, Scope::CallsWrite)?;
        check_goes_on(&conference)?;
        if matches!(participant.presence, Presence::Left | Presence::Removed) {
            return Err(Error::invalid_transition("participant", participant.presence.as_str(), "removed"));
        }
        let removed = Participant { presence: Presence::Removed, left_at: Some(desk.now), ..participant };
        conferences::set(tx, &removed)?;
        note(tx, &desk, &removed, EventKind::ConferenceParticipantRemoved)?;
        finish(tx, &removed)?;
        Ok(removed)
    };
    let removed = app.store.write(work).await?;
    app.mailbox.ring();
    Ok(removed)
}

fn note(tx: &mut Tx, desk: &Desk, participant: &Participant, kind: EventKind) -> Result<()> {
    let data = json!({
        "conference_id": participant.conference.to_string(),
        "participant_id": participant.id.to_string(),
        "phone_number": participant.phone.map(|phone| phone.to_string()),
        "role": participant.role.as_str(),
    });
    desk.event(tx, &participant.conference.to_string(), kind, &data)
}
