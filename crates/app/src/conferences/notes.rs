//! What is told of conferences.

use serde_json::{Value, json};
use tandem_catalogue::Result;
use tandem_domain::{
    conference::{Conference, Participant},
    event::EventKind,
};
use tandem_kernel::ConferenceId;
use tandem_store::Tx;

use crate::app::Desk;

pub(super) fn conference(tx: &mut Tx, desk: &Desk, conference: &Conference, kind: EventKind) -> Result<()> {
    let id = conference.id.to_string();
    let data = json!({ "conference_id": id, "name": conference.name, "status": conference.state(desk.now).as_str() });
    desk.event(tx, &id, kind, &data)
}

/// The last one left.
pub(super) fn emptied(tx: &mut Tx, desk: &Desk, conference: ConferenceId) -> Result<()> {
    let id = conference.to_string();
    desk.event(tx, &id, EventKind::ConferenceEmptied, &json!({ "conference_id": id }))
}

pub(super) fn participant(tx: &mut Tx, desk: &Desk, participant: &Participant, kind: EventKind) -> Result<()> {
    desk.event(tx, &participant.conference.to_string(), kind, &data(participant, None))
}

/// With why, in a word.
pub(super) fn left(tx: &mut Tx, desk: &Desk, participant: &Participant, why: &str) -> Result<()> {
    desk.event(tx, &participant.conference.to_string(), EventKind::ConferenceParticipantLeft, &data(participant, Some(why)))
}

pub(super) fn muted(tx: &mut Tx, desk: &Desk, muted: &[Participant]) -> Result<()> {
    let told = muted.iter().map(|one| (one.conference.to_string(), EventKind::ConferenceParticipantMuted, data(one, None)));
    desk.events(tx, told.collect())
}

fn data(participant: &Participant, why: Option<&str>) -> Value {
    let mut data = json!({
        "conference_id": participant.conference.to_string(),
        "participant_id": participant.id.to_string(),
        "phone_number": participant.phone.map(|phone| phone.to_string()),
        "role": participant.role.as_str(),
        "status": participant.presence.as_str(),
        "muted": participant.muted,
        "on_hold": participant.on_hold,
        "call_id": participant.call.map(|call| call.to_string()),
    });
    if let (Some(why), Some(data)) = (why, data.as_object_mut()) {
        data.insert("reason".to_owned(), why.into());
    }
    data
}
