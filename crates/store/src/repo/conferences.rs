//! Conferences and their participants.

use tandem_catalogue::Result;
use tandem_domain::conference::{Conference, Participant, Presence, Role};
use tandem_kernel::{CallId, ConferenceId, EnvironmentId, ParticipantId, PhoneNumber};

use super::{expect_all, expect_one};
use crate::{Fault, Param, Row, Tx};

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, environment_id, name, scheduled_for, max_participants, require_pin, pin, record, hold_music, mute_on_entry, \
             participants_record, member_notification, created_at, updated_at, ended_at, version, sealed_pin FROM conferences ",
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
         mute_on_entry, participants_record, member_notification, created_at, updated_at, ended_at, version, sealed_pin) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
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
            conference.sealed_pin.as_deref().into(),
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
         version = $14, sealed_pin = $15 WHERE id = $1 AND version + 1 = $14",
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
            conference.sealed_pin.as_deref().into(),
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
    set_many(tx, std::slice::from_ref(participant))
}

/// Writes what changes about many.
///
/// # Errors
/// `concurrent_modification` where one is not there.
pub fn set_many(tx: &mut Tx, participants: &[Participant]) -> Result<()> {
    fn row(participant: &Participant) -> Vec<Param<'_>> {
        vec![
            participant.id.as_bytes().into(),
            participant.presence.as_str().into(),
            participant.muted.into(),
            participant.on_hold.into(),
            participant.call.as_ref().map(CallId::as_bytes).into(),
            participant.joined_at.into(),
            participant.left_at.into(),
        ]
    }
    let rows: Vec<Vec<Param>> = participants.iter().map(row).collect();
    let sql =
        "UPDATE participants SET presence = $2, muted = $3, on_hold = $4, call_id = $5, joined_at = $6, left_at = $7 WHERE id = $1";
    let changed = tx.execute_many(sql, &rows)?;
    expect_all("participant", changed, participants.len())
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

/// Those who have a place in any of these conferences, in the order in which they were added.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn present(tx: &mut Tx, conferences: &[ConferenceId]) -> Result<Vec<Participant>> {
    let keys: Vec<Param> = conferences.iter().map(|id| id.as_bytes().into()).collect();
    let rows = tx.query_in(participant_columns!("WHERE left_at IS NULL AND conference_id IN"), &[], &keys, "")?;
    let mut found = rows.iter().map(read_participant).collect::<Result<Vec<_>, Fault>>()?;
    found.sort_unstable_by_key(|participant| *participant.id.as_bytes());
    Ok(found)
}

/// Which of these conferences, of whatever environment, go on.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn going_on(tx: &mut Tx, ids: &[ConferenceId]) -> Result<Vec<Conference>> {
    let keys: Vec<Param> = ids.iter().map(|id| id.as_bytes().into()).collect();
    let rows = tx.query_in(columns!("WHERE ended_at IS NULL AND id IN"), &[], &keys, "")?;
    Ok(rows.iter().map(conference).collect::<Result<_, Fault>>()?)
}

/// The participant that a call is: the one that it has a place for, or else the last that it was.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn of_call(tx: &mut Tx, call: CallId) -> Result<Option<Participant>> {
    let rows = tx.query(participant_columns!("WHERE call_id = $1"), &[call.as_bytes().into()])?;
    let found = rows.iter().map(read_participant).collect::<Result<Vec<_>, Fault>>()?;
    Ok(found.into_iter().max_by_key(|participant| (participant.presence.counts(), *participant.id.as_bytes())))
}

/// The process that carries the calls of those who take part, where somebody does.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn node(tx: &mut Tx, conference: ConferenceId) -> Result<Option<[u8; 16]>> {
    let row = tx.first(
        "SELECT live_calls.node FROM participants JOIN live_calls ON live_calls.id = participants.call_id \
         WHERE participants.conference_id = $1 AND participants.left_at IS NULL AND participants.presence = 'joined' LIMIT 1",
        &[conference.as_bytes().into()],
    )?;
    Ok(row.map(|row| row.array(0)).transpose()?)
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
        sealed_pin: row.opt_bytes(16)?.map(<[u8]>::to_vec),
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
