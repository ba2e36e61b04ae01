//! Conferences and their participants.

use tandem_catalogue::Result;
use tandem_domain::conference::{Conference, Participant, Presence, Role};
use tandem_kernel::{CallId, ConferenceId, EnvironmentId, ParticipantId, PhoneNumber};

use super::expect_one;
use crate::{Fault, Param, Row, Tx};

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, environment_id, name, scheduled_for, max_participants, require_pin, pin, record, hold_music, mute_on_entry, \
             participants_record, member_notification, created_at, updated_at, ended_at, version FROM conferences ",
            $rest
        )
    };
}

macro_rules! participant_columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, conference_id, phone, name, role, presence, muted, on_hold, call_id, added_at, joined_at, left_at \
             FROM participants ",
            $rest
        )
    };
}

/// Adds a conference.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn insert(tx: &mut Tx, conference: &Conference) -> Result<()> {
    tx.execute(
        "INSERT INTO conferences (id, environment_id, name, scheduled_for, max_participants, require_pin, pin, record, hold_music, \
         mute_on_entry, participants_record, member_notification, created_at, updated_at, ended_at, version) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        &[
            conference.id.as_bytes().into(),
            conference.environment.as_bytes().into(),
            (&conference.name).into(),
            conference.scheduled_for.into(),
            conference.max_participants.into(),
            conference.require_pin.into(),
            conference.pin.as_ref().into(),
            conference.record.into(),
            conference.hold_music_id.as_ref().into(),
            conference.mute_on_entry.into(),
            conference.allow_recording_by_participant.into(),
            conference.member_notification.into(),
            conference.created_at.into(),
            conference.updated_at.into(),
            conference.ended_at.into(),
            conference.version.into(),
        ],
    )?;
    Ok(())
}

/// Writes a conference over the version before it.
///
/// # Errors
/// `concurrent_modification` where another change came first.
pub fn update(tx: &mut Tx, conference: &Conference) -> Result<()> {
    let changed = tx.execute(
        "UPDATE conferences SET name = $2, scheduled_for = $3, max_participants = $4, require_pin = $5, pin = $6, record = $7, \
         hold_music = $8, mute_on_entry = $9, participants_record = $10, member_notification = $11, updated_at = $12, ended_at = $13, \
         version = $14 WHERE id = $1 AND version + 1 = $14",
        &[
            conference.id.as_bytes().into(),
            (&conference.name).into(),
            conference.scheduled_for.into(),
            conference.max_participants.into(),
            conference.require_pin.into(),
            conference.pin.as_ref().into(),
            conference.record.into(),
            conference.hold_music_id.as_ref().into(),
            conference.mute_on_entry.into(),
            conference.allow_recording_by_participant.into(),
            conference.member_notification.into(),
            conference.updated_at.into(),
            conference.ended_at.into(),
            conference.version.into(),
        ],
    )?;
    expect_one("conference", changed)
}

/// Reads an environment's conference.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn get(tx: &mut Tx, environment: EnvironmentId, id: ConferenceId) -> Result<Option<Conference>> {
    let row = tx.first(columns!("WHERE id = $1"), &[id.as_bytes().into()])?;
    let found = row.map(|row| conference(&row)).transpose()?;
    Ok(found.filter(|conference| conference.environment == environment))
}

/// A page of an environment's conferences, the oldest first, and how many there are.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn page(tx: &mut Tx, environment: EnvironmentId, limit: i64, offset: i64) -> Result<(Vec<Conference>, i64)> {
    let rows = tx.query(
        columns!("WHERE environment_id = $1 ORDER BY id LIMIT $2 OFFSET $3"),
        &[environment.as_bytes().into(), limit.into(), offset.into()],
    )?;
    let total = tx.first("SELECT COUNT(*) FROM conferences WHERE environment_id = $1", &[environment.as_bytes().into()])?;
    Ok((rows.iter().map(conference).collect::<Result<_, Fault>>()?, total.map_or(Ok(0), |row| row.int(0))?))
}

/// How many conferences an environment has that are not over.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn count_open(tx: &mut Tx, environment: EnvironmentId) -> Result<i64> {
    let sql = "SELECT COUNT(*) FROM conferences WHERE environment_id = $1 AND ended_at IS NULL";
    let row = tx.first(sql, &[environment.as_bytes().into()])?;
    Ok(row.map_or(Ok(0), |row| row.int(0))?)
}

/// Which of these conferences an environment has that are not over.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn existing(tx: &mut Tx, environment: EnvironmentId, ids: &[ConferenceId]) -> Result<Vec<ConferenceId>> {
    let keys: Vec<Param> = ids.iter().map(|id| id.as_bytes().into()).collect();
    let sql = "SELECT id FROM conferences WHERE environment_id = $1 AND ended_at IS NULL AND id IN";
    let rows = tx.query_in(sql, &[environment.as_bytes().into()], &keys, "")?;
    Ok(rows.iter().map(|row| row.array(0).map(ConferenceId::from_bytes)).collect::<Result<_, Fault>>()?)
}

/// Adds a participant.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn add(tx: &mut Tx, participant: &Participant) -> Result<()> {
    tx.execute(
        "INSERT INTO participants (id, conference_id, phone, name, role, presence, muted, on_hold, call_id, added_at, joined_at, left_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        &[
            participant.id.as_bytes().into(),
            participant.conference.as_bytes().into(),
            participant.phone.map(PhoneNumber::digits).into(),
            participant.name.as_ref().into(),
            participant.role.as_str().into(),
            participant.presence.as_str().into(),
            participant.muted.into(),
            participant.on_hold.into(),
            participant.call.as_ref().map(CallId::as_bytes).into(),
            participant.added_at.into(),
            participant.joined_at.into(),
            participant.left_at.into(),
        ],
    )?;
    Ok(())
}

/// Writes what changes about a participant.
///
/// # Errors
/// `concurrent_modification` where there is none.
pub fn set(tx: &mut Tx, participant: &Participant) -> Result<()> {
    let changed = tx.execute(
        "UPDATE participants SET presence = $2, muted = $3, on_hold = $4, call_id = $5, joined_at = $6, left_at = $7 WHERE id = $1",
        &[
            participant.id.as_bytes().into(),
            participant.presence.as_str().into(),
            participant.muted.into(),
            participant.on_hold.into(),
            participant.call.as_ref().map(CallId::as_bytes).into(),
            participant.joined_at.into(),
            participant.left_at.into(),
        ],
    )?;
    expect_one("participant", changed)
}

/// Reads a conference's participant.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn participant(tx: &mut Tx, conference: ConferenceId, id: ParticipantId) -> Result<Option<Participant>> {
    let row = tx.first(participant_columns!("WHERE id = $1"), &[id.as_bytes().into()])?;
    let found = row.map(|row| read_participant(&row)).transpose()?;
    Ok(found.filter(|participant| participant.conference == conference))
}

/// A conference's participants, in the order in which they were added. A conference has few.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn participants(tx: &mut Tx, conference: ConferenceId) -> Result<Vec<Participant>> {
    let rows = tx.query(participant_columns!("WHERE conference_id = $1 ORDER BY id"), &[conference.as_bytes().into()])?;
    Ok(rows.iter().map(read_participant).collect::<Result<_, Fault>>()?)
}

fn conference(row: &Row) -> Result<Conference, Fault> {
    Ok(Conference {
        id: ConferenceId::from_bytes(row.array(0)?),
        environment: EnvironmentId::from_bytes(row.array(1)?),
        name: row.text(2)?.to_owned(),
        scheduled_for: row.opt_time(3)?,
        max_participants: row.int(4)?,
        require_pin: row.bool(5)?,
        pin: row.opt_array(6)?,
        record: row.bool(7)?,
        hold_music_id: row.opt_text(8)?.map(str::to_owned),
        mute_on_entry: row.bool(9)?,
        allow_recording_by_participant: row.bool(10)?,
        member_notification: row.bool(11)?,
        created_at: row.time(12)?,
        updated_at: row.time(13)?,
        ended_at: row.opt_time(14)?,
        version: row.int(15)?,
    })
}

fn read_participant(row: &Row) -> Result<Participant, Fault> {
    let phone = row.opt_int(2)?.map(u64::try_from).transpose().map_err(|_| Fault::shape(2))?;
    Ok(Participant {
        id: ParticipantId::from_bytes(row.array(0)?),
        conference: ConferenceId::from_bytes(row.array(1)?),
        phone: phone.map(PhoneNumber::from_digits),
        name: row.opt_text(3)?.map(str::to_owned),
        role: row.word(4, Role::parse)?,
        presence: row.word(5, Presence::parse)?,
        muted: row.bool(6)?,
        on_hold: row.bool(7)?,
        call: row.opt_array(8)?.map(CallId::from_bytes),
        added_at: row.time(9)?,
        joined_at: row.opt_time(10)?,
        left_at: row.opt_time(11)?,
    })
}
