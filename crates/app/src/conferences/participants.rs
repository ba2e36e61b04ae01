//! Who takes part in a conference.

use tandem_catalogue::{Error, Result};
use tandem_domain::{
    Features,
    conference::{Conference, Participant, Presence, Role},
    event::EventKind,
    message::Sender,
};
use tandem_kernel::{Caller, ParticipantId, PhoneNumber, Scope};
use tandem_store::{
    Tx,
    repo::{conferences, numbers},
};

use super::{
    attend::check_empty,
    find,
    invite::{self, Invitation},
    manage::check_goes_on,
    notes,
    rooms::stir,
};
use crate::{
    App, Finish,
    app::Desk,
    messages::{Draft, send_in},
    permit,
};

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
    /// Whether it is sent the PIN as a text message.
    pub send_pin: bool,
}

/// Adds somebody, who is called where the conference goes on, and is to call otherwise.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`, `conference_over`, `resource_exists` for a telephone that takes part already,
/// `conference_full`; where the PIN is to be sent, what is said to a text message, and `operation_not_allowed` where there is no PIN or
/// no number to send it from; where it is called, those of routing, and `operation_not_allowed` where no number carries calls.
pub async fn add(
    app: &App,
    caller: &Caller,
    conference: String,
    command: AddParticipant,
    finish: Finish<Participant>,
) -> Result<Participant> {
    let invitation = invite::decide(app, caller, &conference, command.phone).await?;
    let (pen, caller, sends, calls) = (app.pen(), *caller, command.send_pin, invitation.clone());
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, caller.environment)?;
        let conference = find(tx, caller.environment, &conference)?;
        permit(&caller, Scope::CallsWrite)?;
        check_goes_on(&conference)?;
        let present = conferences::present(tx, &[conference.id])?;
        if present.iter().any(|other| other.phone == Some(command.phone)) {
            return Err(Error::resource_exists("participant", command.phone.to_string()));
        }
        if i64::try_from(present.len()).is_ok_and(|taken| taken >= conference.max_participants) {
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
            call: calls.as_ref().map(Invitation::call),
            added_at: desk.now,
            joined_at: None,
            left_at: None,
        };
        conferences::add(tx, &participant)?;
        notes::participant(tx, &desk, &participant, EventKind::ConferenceParticipantAdded)?;
        if command.send_pin {
            send_pin(tx, &desk, &conference, command.phone)?;
        }
        let begun = calls.as_ref().map(|call| call.begin(tx, &desk)).transpose()?;
        finish(tx, &participant)?;
        Ok((participant, begun))
    };
    let (added, begun) = app.store.write(work).await?;
    app.mailbox.ring();
    if sends {
        app.outbox.ring();
    }
    if let (Some(invitation), Some(begun)) = (invitation, begun) {
        invitation.carry(app, &added, begun).await;
    }
    Ok(added)
}

/// Sends the PIN from the number that the environment has had longest of those that send text messages. Whoever reads the environment's
/// messages does not see it.
fn send_pin(tx: &mut Tx, desk: &Desk, conference: &Conference, to: PhoneNumber) -> Result<()> {
    let pin = conference.sealed_pin.as_deref().and_then(|sealed| desk.pen.vault.open(sealed));
    let pin = pin.and_then(|pin| String::from_utf8(pin).ok());
    let pin = pin.ok_or_else(|| Error::operation_not_allowed("The conference has no PIN that could be sent".to_owned()))?;
    let from = numbers::oldest_with(tx, desk.settings.id, Features::SMS)?;
    let from = from.ok_or_else(|| Error::operation_not_allowed("None of your numbers sends text messages".to_owned()))?;
    let text = |pin: &str| format!("{}: the PIN of the conference is {pin}", conference.name);
    let shown_body = Some(text(&"*".repeat(pin.len())));
    let draft = Draft { shown_body, ..Draft::text(Sender::Number(from.phone), to, text(&pin)) };
    send_in(tx, desk, draft).map(drop)
}

/// Finds a conference's participant.
pub(super) fn find_participant(tx: &mut Tx, conference: &Conference, id: &str) -> Result<Participant> {
    let found = match ParticipantId::parse(id) {
        Some(parsed) => conferences::participant(tx, conference.id, parsed)?,
        None => None,
    };
    found.ok_or_else(|| Error::resource_not_found("participant", id.to_owned()))
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
        let participant = find_participant(tx, &conference, &id)?;
        permit(&caller, Scope::CallsWrite)?;
        check_goes_on(&conference)?;
        if !participant.presence.counts() {
            return Err(Error::invalid_transition("participant", participant.presence.as_str(), "removed"));
        }
        let joined = participant.presence == Presence::Joined;
        let mut removed = participant;
        removed.leave(Presence::Removed, desk.now);
        conferences::set(tx, &removed)?;
        notes::participant(tx, &desk, &removed, EventKind::ConferenceParticipantRemoved)?;
        if joined {
            check_empty(tx, &desk, conference.id)?;
        }
        finish(tx, &removed)?;
        Ok(removed)
    };
    let removed = app.store.write(work).await?;
    app.mailbox.ring();
    stir(app, removed.conference);
    invite::call_off(app, std::slice::from_ref(&removed)).await;
    Ok(removed)
}
