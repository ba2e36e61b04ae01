//! Recordings of calls and conferences, and messages that callers left.

use tandem_catalogue::Result;
use tandem_domain::recording::{Recording, RecordingKind, RecordingState};
use tandem_kernel::{CallId, ConferenceId, EnvironmentId, PhoneNumber, RecordingId, Timestamp};

use super::expect_one;
use crate::{Fault, Param, Row, Tx};

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, environment_id, kind, call_id, conference_id, number, caller, name, state, format, participant, object, size, \
             length, started_at, stopped_at, delete_at, version, spool, heard_at FROM recordings ",
            $rest
        )
    };
}

/// Adds a recording.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn insert(tx: &mut Tx, recording: &Recording) -> Result<()> {
    tx.execute(
        "INSERT INTO recordings (id, environment_id, kind, call_id, conference_id, number, caller, name, state, format, participant, \
         object, size, length, started_at, stopped_at, delete_at, version, spool, heard_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, \
         $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)",
        &[
            recording.id.as_bytes().into(),
            recording.environment.as_bytes().into(),
            recording.kind.as_str().into(),
            recording.call.as_ref().map(CallId::as_bytes).into(),
            recording.conference.as_ref().map(ConferenceId::as_bytes).into(),
            recording.number.map(PhoneNumber::digits).into(),
            recording.from.map(PhoneNumber::digits).into(),
            recording.name.as_ref().into(),
            recording.state.as_str().into(),
            (&recording.format).into(),
            (&recording.participant).into(),
            (&recording.object).into(),
            recording.size.into(),
            recording.length.into(),
            recording.started_at.into(),
            recording.stopped_at.into(),
            recording.delete_at.into(),
            recording.version.into(),
            recording.spool.as_ref().into(),
            recording.heard_at.into(),
        ],
    )?;
    Ok(())
}

/// Writes a recording over the version before it.
///
/// # Errors
/// `concurrent_modification` where another change came first.
pub fn update(tx: &mut Tx, recording: &Recording) -> Result<()> {
    let changed = tx.execute(
        "UPDATE recordings SET name = $2, state = $3, size = $4, length = $5, stopped_at = $6, delete_at = $7, version = $8, \
         spool = $9, heard_at = $10 WHERE id = $1 AND version + 1 = $8",
        &[
            recording.id.as_bytes().into(),
            recording.name.as_ref().into(),
            recording.state.as_str().into(),
            recording.size.into(),
            recording.length.into(),
            recording.stopped_at.into(),
            recording.delete_at.into(),
            recording.version.into(),
            recording.spool.as_ref().into(),
            recording.heard_at.into(),
        ],
    )?;
    expect_one("recording", changed)
}

/// Takes a recording away and leaves its bytes to whoever looks after the object store.
///
/// # Errors
/// `concurrent_modification` where it is gone.
pub fn delete(tx: &mut Tx, recording: &Recording, machine: Timestamp) -> Result<()> {
    let changed = tx.execute("DELETE FROM recordings WHERE id = $1", &[recording.id.as_bytes().into()])?;
    expect_one("recording", changed)?;
    tx.execute(
        "INSERT INTO object_removals (object, at) VALUES ($1, $2) ON CONFLICT (object) DO NOTHING",
        &[(&recording.object).into(), machine.into()],
    )?;
    Ok(())
}

/// Takes a recording away that never had bytes in the object store.
///
/// # Errors
/// `concurrent_modification` where it is gone.
pub fn discard(tx: &mut Tx, id: RecordingId) -> Result<()> {
    let changed = tx.execute("DELETE FROM recordings WHERE id = $1", &[id.as_bytes().into()])?;
    expect_one("recording", changed)
}

/// Objects whose recordings are gone, from the one after `after`.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn removals(tx: &mut Tx, after: &str, limit: i64) -> Result<Vec<String>> {
    let sql = "SELECT object FROM object_removals WHERE object > $1 ORDER BY object LIMIT $2";
    let rows = tx.query(sql, &[after.into(), limit.into()])?;
    Ok(rows.iter().map(|row| row.text(0).map(str::to_owned)).collect::<Result<_, Fault>>()?)
}

/// Says that objects are removed.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn removed(tx: &mut Tx, objects: &[String]) -> Result<()> {
    let keys: Vec<Param> = objects.iter().map(Param::from).collect();
    tx.execute_in("DELETE FROM object_removals WHERE object IN", &[], &keys).map(drop)
}

/// Reads an environment's recording.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn get(tx: &mut Tx, environment: EnvironmentId, id: RecordingId) -> Result<Option<Recording>> {
    let row = tx.first(columns!("WHERE id = $1"), &[id.as_bytes().into()])?;
    let found = row.map(|row| recording(&row)).transpose()?;
    Ok(found.filter(|recording| recording.environment == environment))
}

/// Reads recordings of whatever environment.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn of_ids(tx: &mut Tx, ids: &[RecordingId]) -> Result<Vec<Recording>> {
    let keys: Vec<Param> = ids.iter().map(|id| id.as_bytes().into()).collect();
    let rows = tx.query_in(columns!("WHERE id IN"), &[], &keys, "")?;
    Ok(rows.iter().map(recording).collect::<Result<_, Fault>>()?)
}

/// Recordings whose files are in a folder, from the one after `after`.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn of_spool(tx: &mut Tx, spool: &[u8; 16], after: RecordingId, limit: i64) -> Result<Vec<Recording>> {
    let sql = columns!("WHERE spool = $1 AND id > $2 ORDER BY id LIMIT $3");
    let rows = tx.query(sql, &[spool.into(), after.as_bytes().into(), limit.into()])?;
    Ok(rows.iter().map(recording).collect::<Result<_, Fault>>()?)
}

/// An environment's recordings, of one kind where that is wanted, the newest first, from the one before `before`.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn list(
    tx: &mut Tx,
    environment: EnvironmentId,
    kind: Option<RecordingKind>,
    before: Option<RecordingId>,
    limit: i64,
) -> Result<Vec<Recording>> {
    let before = before.unwrap_or(RecordingId::from_bytes([0xff; 16]));
    let mut params: Vec<Param> = vec![environment.as_bytes().into(), before.as_bytes().into(), limit.into()];
    let rows = match kind {
        None => tx.query(columns!("WHERE environment_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3"), &params)?,
        Some(kind) => {
            params.push(kind.as_str().into());
            tx.query(columns!("WHERE environment_id = $1 AND id < $2 AND kind = $4 ORDER BY id DESC LIMIT $3"), &params)?
        }
    };
    Ok(rows.iter().map(recording).collect::<Result<_, Fault>>()?)
}

/// A call's recordings, the oldest first.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn of_call(tx: &mut Tx, call: CallId) -> Result<Vec<Recording>> {
    let rows = tx.query(columns!("WHERE call_id = $1 ORDER BY id"), &[call.as_bytes().into()])?;
    Ok(rows.iter().map(recording).collect::<Result<_, Fault>>()?)
}

/// A conference's recordings, the oldest first.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn of_conference(tx: &mut Tx, conference: ConferenceId) -> Result<Vec<Recording>> {
    let rows = tx.query(columns!("WHERE conference_id = $1 ORDER BY id"), &[conference.as_bytes().into()])?;
    Ok(rows.iter().map(recording).collect::<Result<_, Fault>>()?)
}

/// Messages that callers left, the newest first, from the one before `before`: of one number where that is wanted, and those alone that
/// nobody heard.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn voicemails(
    tx: &mut Tx,
    environment: EnvironmentId,
    number: Option<PhoneNumber>,
    unheard: bool,
    before: Option<RecordingId>,
    limit: i64,
) -> Result<Vec<Recording>> {
    let before = before.unwrap_or(RecordingId::from_bytes([0xff; 16]));
    let mut params: Vec<Param> = vec![environment.as_bytes().into(), before.as_bytes().into(), limit.into()];
    params.extend(number.map(|number| Param::from(number.digits())));
    let sql = match (number.is_some(), unheard) {
        (false, false) => columns!("WHERE environment_id = $1 AND id < $2 AND kind = 'voicemail' ORDER BY id DESC LIMIT $3"),
        (false, true) => {
            columns!("WHERE environment_id = $1 AND id < $2 AND kind = 'voicemail' AND heard_at IS NULL ORDER BY id DESC LIMIT $3")
        }
        (true, false) => {
            columns!("WHERE environment_id = $1 AND id < $2 AND number = $4 AND kind = 'voicemail' ORDER BY id DESC LIMIT $3")
        }
        (true, true) => columns!(
            "WHERE environment_id = $1 AND id < $2 AND number = $4 AND kind = 'voicemail' AND heard_at IS NULL ORDER BY id DESC LIMIT $3"
        ),
    };
    let rows = tx.query(sql, &params)?;
    Ok(rows.iter().map(recording).collect::<Result<_, Fault>>()?)
}

/// How many messages of a number are whole: those that nobody heard, and the others.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn waiting(tx: &mut Tx, environment: EnvironmentId, number: PhoneNumber) -> Result<(i64, i64)> {
    let row = tx.first(
        "SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN heard_at IS NULL THEN 1 ELSE 0 END), 0) AS BIGINT) FROM recordings \
         WHERE environment_id = $1 AND number = $2 AND kind = 'voicemail' AND state = 'completed'",
        &[environment.as_bytes().into(), number.digits().into()],
    )?;
    let Some(row) = row else { return Ok((0, 0)) };
    let (all, unheard) = (row.int(0)?, row.int(1)?);
    Ok((unheard, all - unheard))
}

/// The numbers of an environment for which messages are kept: how many nobody heard, and the others.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn mailboxes(tx: &mut Tx, environment: EnvironmentId) -> Result<Vec<(PhoneNumber, i64, i64)>> {
    let rows = tx.query(
        "SELECT number, COUNT(*), CAST(COALESCE(SUM(CASE WHEN heard_at IS NULL THEN 1 ELSE 0 END), 0) AS BIGINT) FROM recordings \
         WHERE environment_id = $1 AND number IS NOT NULL AND kind = 'voicemail' AND state = 'completed' GROUP BY number",
        &[environment.as_bytes().into()],
    )?;
    let read = |row: &Row| {
        let number = u64::try_from(row.int(0)?).map_err(|_| Fault::shape(0))?;
        let (all, unheard) = (row.int(1)?, row.int(2)?);
        Ok((PhoneNumber::from_digits(number), unheard, all - unheard))
    };
    Ok(rows.iter().map(read).collect::<Result<_, Fault>>()?)
}

/// Which of these recordings an environment has that are whole.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn existing(tx: &mut Tx, environment: EnvironmentId, ids: &[RecordingId]) -> Result<Vec<RecordingId>> {
    let keys: Vec<Param> = ids.iter().map(|id| id.as_bytes().into()).collect();
    let sql = "SELECT id FROM recordings WHERE environment_id = $1 AND state = 'completed' AND id IN";
    let rows = tx.query_in(sql, &[environment.as_bytes().into()], &keys, "")?;
    Ok(rows.iter().map(|row| row.array(0).map(RecordingId::from_bytes)).collect::<Result<_, Fault>>()?)
}

fn recording(row: &Row) -> Result<Recording, Fault> {
    let number = |column| row.opt_int(column)?.map(u64::try_from).transpose().map_err(|_| Fault::shape(column));
    Ok(Recording {
        id: RecordingId::from_bytes(row.array(0)?),
        environment: EnvironmentId::from_bytes(row.array(1)?),
        kind: row.word(2, RecordingKind::parse)?,
        call: row.opt_array(3)?.map(CallId::from_bytes),
        conference: row.opt_array(4)?.map(ConferenceId::from_bytes),
        number: number(5)?.map(PhoneNumber::from_digits),
        from: number(6)?.map(PhoneNumber::from_digits),
        name: row.opt_text(7)?.map(str::to_owned),
        state: row.word(8, RecordingState::parse)?,
        format: row.text(9)?.to_owned(),
        participant: row.text(10)?.to_owned(),
        object: row.text(11)?.to_owned(),
        size: row.int(12)?,
        length: row.int(13)?,
        started_at: row.time(14)?,
        stopped_at: row.opt_time(15)?,
        delete_at: row.opt_time(16)?,
        version: row.int(17)?,
        spool: row.opt_array(18)?,
        heard_at: row.opt_time(19)?,
    })
}
