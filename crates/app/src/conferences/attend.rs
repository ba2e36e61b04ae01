//! Calls come into conferences and leave them. Rows decide who has a place, one after the other.

use serde_json::json;
use tandem_catalogue::{Error, Result};
use tandem_domain::{
    conference::{Conference, ConferenceState, Control, Participant, Presence, Role},
    event::EventKind,
    recording::Recording,
};
use tandem_kernel::{CallId, ConferenceId, EnvironmentId, ParticipantId, PhoneNumber, Timestamp};
use tandem_store::{Tx, repo::conferences};

use super::{notes, rooms::stir};
use crate::{App, app::Desk};

/// Seconds after which a call may be tried again whose conference another process has.
pub(super) const ELSEWHERE: i64 = 5;

/// A call that wants to take part.
#[derive(Clone, Debug)]
pub struct Enter {
    /// Whose conference.
    pub environment: EnvironmentId,
    /// Which one.
    pub conference: ConferenceId,
    /// The call.
    pub call: CallId,
    /// The telephone, where it shows its number.
    pub phone: Option<PhoneNumber>,
    /// As whom, where it was called for that.
    pub invited: Option<ParticipantId>,
}

/// A call that takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entered {
    /// The conference.
    pub conference: Conference,
    /// As whom.
    pub participant: Participant,
}

/// A conference that can be joined at present. Whether there will be a place is said by [`enter`] alone.
///
/// # Errors
/// `resource_not_found`, `conference_over`, `conference_not_begun`, `conference_full`.
pub async fn look(app: &App, wanted: Enter) -> Result<Conference> {
    let entry = app.directory.environment(wanted.environment).await?;
    let now = entry.settings.clock.at(app.machine_now());
    let read = move |tx: &mut Tx| {
        let conference = find(tx, &wanted, now)?;
        let present = conferences::present(tx, &[conference.id])?;
        place(&present, &wanted, &conference)?;
        Ok(conference)
    };
    app.store.read(read).await
}

/// A call takes part from now on: as whom it was called, or its telephone was added, or as somebody new. Asked again for the same call,
/// the answer is the same.
///
/// # Errors
/// As [`look`], and `unavailable` where another process has the conference's room; `invalid_transition` for somebody who was called and
/// is not wanted any more.
pub async fn enter(app: &App, wanted: Enter) -> Result<Entered> {
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, wanted.environment)?;
        let conference = find(tx, &wanted, desk.now)?;
        let present = conferences::present(tx, &[conference.id])?;
        if let Some(there) = present.iter().find(|other| other.presence == Presence::Joined && other.call == Some(wanted.call)) {
            return Ok(Entered { conference, participant: there.clone() });
        }
        if conferences::node(tx, conference.id)?.is_some_and(|node| node != pen.node) {
            return Err(Error::unavailable(ELSEWHERE));
        }
        let known = place(&present, &wanted, &conference)?;
        let is_new = known.is_none();
        let mut participant = known.unwrap_or_else(|| somebody(&desk, &wanted, &conference));
        (participant.presence, participant.call, participant.joined_at) = (Presence::Joined, Some(wanted.call), Some(desk.now));
        if is_new {
            conferences::add(tx, &participant)?
        } else {
            conferences::set(tx, &participant)?
        }
        if present.iter().all(|other| other.presence != Presence::Joined) {
            notes::conference(tx, &desk, &conference, EventKind::ConferenceStarted)?;
        }
        notes::participant(tx, &desk, &participant, EventKind::ConferenceParticipantJoined)?;
        Ok(Entered { conference, participant })
    };
    let entered = app.store.write(work).await?;
    app.mailbox.ring();
    Ok(entered)
}

fn find(tx: &mut Tx, wanted: &Enter, now: Timestamp) -> Result<Conference> {
    let found = conferences::get(tx, wanted.environment, wanted.conference)?;
    let conference = found.ok_or_else(|| Error::resource_not_found("conference", wanted.conference.to_string()))?;
    match (conference.state(now), conference.scheduled_for) {
        (ConferenceState::Ended, _) => Err(Error::conference_over(conference.id.to_string())),
        (ConferenceState::Scheduled, Some(begins)) => {
            Err(Error::conference_not_begun(conference.id.to_string(), begins.to_string()))
        }
        _ => Ok(conference),
    }
}

/// Whose place a call takes: nobody's yet where it is none of those who are waited for and there is room.
fn place(present: &[Participant], wanted: &Enter, conference: &Conference) -> Result<Option<Participant>> {
    let mut waited = present.iter().filter(|one| one.presence == Presence::Invited);
    let known = match wanted.invited {
        Some(id) => {
            let found = waited.find(|one| one.id == id);
            Some(found.ok_or_else(|| Error::invalid_transition("participant", Presence::Removed.as_str(), "joined"))?)
        }
        None => waited.find(|one| one.call.is_none() && one.phone.is_some() && one.phone == wanted.phone),
    };
    let full = i64::try_from(present.len()).is_ok_and(|taken| taken >= conference.max_participants);
    if known.is_none() && full {
        return Err(Error::conference_full(conference.max_participants));
    }
    Ok(known.cloned())
}

fn somebody(desk: &Desk, wanted: &Enter, conference: &Conference) -> Participant {
    Participant {
        id: desk.id(ParticipantId::new),
        conference: conference.id,
        phone: wanted.phone,
        name: None,
        role: Role::Listener,
        presence: Presence::Joined,
        muted: conference.mute_on_entry,
        on_hold: false,
        call: Some(wanted.call),
        added_at: desk.now,
        joined_at: Some(desk.now),
        left_at: None,
    }
}

/// A call takes part no more. A repetition changes nothing.
///
/// # Errors
/// Faults of the store; so for the functions below.
pub async fn leave(app: &App, environment: EnvironmentId, call: CallId) -> Result<()> {
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, environment)?;
        call_left(tx, &desk, call)
    };
    app.store.write(work).await?;
    app.mailbox.ring();
    Ok(())
}

/// A call is gone, whatever ended it: so is the participant that it was.
pub(crate) fn call_left(tx: &mut Tx, desk: &Desk, call: CallId) -> Result<()> {
    let Some(mut participant) = conferences::of_call(tx, call)?.filter(|one| one.presence.counts()) else { return Ok(()) };
    let joined = participant.presence == Presence::Joined;
    participant.leave(Presence::Left, desk.now);
    conferences::set(tx, &participant)?;
    notes::left(tx, desk, &participant, if joined { "hung_up" } else { "no_answer" })?;
    if joined { check_empty(tx, desk, participant.conference) } else { Ok(()) }
}

/// Tells it where nobody takes part any more.
pub(super) fn check_empty(tx: &mut Tx, desk: &Desk, conference: ConferenceId) -> Result<()> {
    let present = conferences::present(tx, &[conference])?;
    if present.iter().any(|one| one.presence == Presence::Joined) {
        return Ok(());
    }
    notes::emptied(tx, desk, conference)
}

/// Tells that a call was not let in.
pub async fn refused(app: &App, wanted: Enter, error: &Error) -> Result<()> {
    let (pen, code) = (app.pen(), error.code().name());
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, wanted.environment)?;
        let id = wanted.conference.to_string();
        let data = json!({
            "conference_id": id,
            "phone_number": wanted.phone.map(|phone| phone.to_string()),
            "call_id": wanted.call.to_string(),
            "reason": code,
        });
        desk.event(tx, &id, EventKind::ConferenceParticipantRefused, &data)
    };
    app.store.write(work).await?;
    app.mailbox.ring();
    Ok(())
}

/// A participant mutes itself, or lets itself be heard again; whether it is muted now.
pub async fn turn_mute(app: &App, environment: EnvironmentId, call: CallId) -> Result<bool> {
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, environment)?;
        let found = conferences::of_call(tx, call)?.filter(|one| one.presence == Presence::Joined);
        let Some(participant) = found else { return Ok(None) };
        let control = if participant.muted { Control::Unmute } else { Control::Mute };
        let participant = participant.controlled(control, desk.now)?;
        conferences::set(tx, &participant)?;
        notes::participant(tx, &desk, &participant, super::controls::told(control))?;
        Ok(Some(participant))
    };
    let turned = app.store.write(work).await?;
    app.mailbox.ring();
    if let Some(participant) = &turned {
        stir(app, participant.conference);
    }
    Ok(turned.is_none_or(|participant| participant.muted))
}

/// A conference that goes on, and who has a place in it, as the store has them.
pub type Roll = (Conference, Vec<Participant>);

/// What the store says of conferences whose rooms a process has. Those that are over are not among them.
pub async fn rolls(app: &App, ids: Vec<ConferenceId>) -> Result<Vec<Roll>> {
    let read = move |tx: &mut Tx| {
        let mut present = conferences::present(tx, &ids)?;
        let mut roll = |conference: Conference| {
            let (mine, others) = std::mem::take(&mut present).into_iter().partition(|one| one.conference == conference.id);
            present = others;
            (conference, mine)
        };
        Ok(conferences::going_on(tx, &ids)?.into_iter().map(&mut roll).collect())
    };
    app.store.read(read).await
}

/// Tells that a conference is recorded from now on. That a recording is over is told with the recording.
pub async fn recorded(app: &App, recording: &Recording) -> Result<()> {
    let (pen, recording) = (app.pen(), recording.clone());
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, recording.environment)?;
        let Some(conference) = recording.conference else { return Ok(()) };
        let id = conference.to_string();
        let data = json!({ "conference_id": id, "recording_id": recording.id.to_string() });
        desk.event(tx, &id, EventKind::ConferenceRecordingStarted, &data)
    };
    app.store.write(work).await?;
    app.mailbox.ring();
    Ok(())
}
