//! What became of each part of a message, and receipts that came before their part was known.

use std::collections::BTreeMap;

use tandem_catalogue::Result;
use tandem_domain::message::PartState;
use tandem_kernel::{EnvironmentId, MessageId, SmscId, Timestamp};

use crate::{Fault, Param, Row, Tx};

/// A part of a message that was submitted, or certainly was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Whose part.
    pub message: MessageId,
    /// Which, from 1.
    pub part: u8,
    /// What is known of it.
    pub state: PartState,
    /// Where it went.
    pub smsc: SmscId,
    /// What it is called there.
    pub remote_id: Option<String>,
    /// Why it was refused, or did not arrive.
    pub error: Option<String>,
    /// When the SMSC answered.
    pub submitted_at: Timestamp,
    /// When its last receipt came.
    pub receipt_at: Option<Timestamp>,
}

macro_rules! columns {
    ($rest:literal) => {
        concat!("SELECT message_id, part, state, smsc_id, remote_id, error, submitted_at, receipt_at FROM message_parts ", $rest)
    };
}

/// Notes what SMSCs said of parts. What one said before stands, unless that was that the part was certainly not submitted.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn note(tx: &mut Tx, parts: &[Part]) -> Result<()> {
    // One statement cannot write a row twice: of several words on a part the first that stands.
    let mut first: BTreeMap<(MessageId, u8), &Part> = BTreeMap::new();
    for part in parts {
        let kept = first.entry((part.message, part.part)).or_insert(part);
        if kept.state == PartState::Unsent {
            *kept = part;
        }
    }
    let rows = first.values().map(|part| {
        vec![
            part.message.as_bytes().into(),
            i64::from(part.part).into(),
            part.state.as_str().into(),
            part.smsc.as_bytes().into(),
            part.remote_id.as_ref().into(),
            part.error.as_ref().into(),
            part.submitted_at.into(),
        ]
    });
    tx.insert_many(
        "INSERT INTO message_parts (message_id, part, state, smsc_id, remote_id, error, submitted_at)",
        "ON CONFLICT (message_id, part) DO UPDATE SET state = excluded.state, smsc_id = excluded.smsc_id, \
         remote_id = excluded.remote_id, error = excluded.error, submitted_at = excluded.submitted_at \
         WHERE message_parts.state = 'unsent'",
        &rows.collect::<Vec<Vec<Param>>>(),
    )
    .map(drop)
}

/// Writes what receipts say of parts.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn update(tx: &mut Tx, parts: &[Part]) -> Result<()> {
    let rows = parts.iter().map(|part| {
        vec![
            part.message.as_bytes().into(),
            i64::from(part.part).into(),
            part.state.as_str().into(),
            part.error.as_ref().into(),
            part.receipt_at.into(),
        ]
    });
    tx.execute_many(
        "UPDATE message_parts SET state = $3, error = $4, receipt_at = $5 WHERE message_id = $1 AND part = $2",
        &rows.collect::<Vec<Vec<Param>>>(),
    )
    .map(drop)
}

/// All that is known of the parts of messages, in order of part.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn of(tx: &mut Tx, messages: &[MessageId]) -> Result<Vec<Part>> {
    let keys: Vec<Param> = messages.iter().map(|id| id.as_bytes().into()).collect();
    let rows = tx.query_in(columns!("WHERE message_id IN"), &[], &keys, "ORDER BY message_id, part")?;
    Ok(rows.iter().map(part).collect::<Result<_, Fault>>()?)
}

/// Forgets that parts were not submitted: they are about to be.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn forget_unsent(tx: &mut Tx, messages: &[MessageId]) -> Result<()> {
    let keys: Vec<Param> = messages.iter().map(|id| id.as_bytes().into()).collect();
    tx.execute_in("DELETE FROM message_parts WHERE state = 'unsent' AND message_id IN", &[], &keys).map(drop)
}

/// The parts that an SMSC calls by one of these ids, with the environments of their messages; the youngest last.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn of_remote(tx: &mut Tx, smsc: SmscId, remote_ids: &[&str]) -> Result<Vec<(EnvironmentId, Part)>> {
    let keys: Vec<Param> = remote_ids.iter().map(|id| (*id).into()).collect();
    let rows = tx.query_in(
        "SELECT p.message_id, p.part, p.state, p.smsc_id, p.remote_id, p.error, p.submitted_at, p.receipt_at, m.environment_id \
         FROM message_parts p JOIN messages m ON m.id = p.message_id WHERE p.smsc_id = $1 AND p.remote_id IN",
        &[smsc.as_bytes().into()],
        &keys,
        "ORDER BY p.message_id, p.part",
    )?;
    Ok(rows.iter().map(|row| Ok((EnvironmentId::from_bytes(row.array(8)?), part(row)?))).collect::<Result<_, Fault>>()?)
}

/// A receipt that is kept until its part is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Early {
    /// Its id: the same for all ways to read it.
    pub id: [u8; 16],
    /// Who brought it.
    pub smsc: SmscId,
    /// What the part is called there, as one may read it.
    pub remote_id: String,
    /// What it says.
    pub state: PartState,
    /// The error that it names.
    pub error: Option<String>,
    /// When that was, as the SMSC says.
    pub at: Timestamp,
}

/// Keeps receipts.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn keep_early(tx: &mut Tx, receipts: &[Early], now: Timestamp) -> Result<()> {
    let rows = receipts.iter().map(|receipt| {
        vec![
            (&receipt.id).into(),
            receipt.smsc.as_bytes().into(),
            (&receipt.remote_id).into(),
            receipt.state.as_str().into(),
            receipt.error.as_ref().into(),
            receipt.at.into(),
            now.into(),
        ]
    });
    tx.insert_many(
        "INSERT INTO early_receipts (id, smsc_id, remote_id, state, error, at, kept_at)",
        "ON CONFLICT (smsc_id, remote_id, id) DO NOTHING",
        &rows.collect::<Vec<Vec<Param>>>(),
    )
    .map(drop)
}

/// The receipts that were kept for parts that an SMSC calls by one of these ids, in the order in which they came.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn early(tx: &mut Tx, smsc: SmscId, remote_ids: &[&str]) -> Result<Vec<Early>> {
    let keys: Vec<Param> = remote_ids.iter().map(|id| (*id).into()).collect();
    let rows = tx.query_in(
        "SELECT id, smsc_id, remote_id, state, error, at FROM early_receipts WHERE smsc_id = $1 AND remote_id IN",
        &[smsc.as_bytes().into()],
        &keys,
        "ORDER BY id",
    )?;
    Ok(rows.iter().map(read_early).collect::<Result<_, Fault>>()?)
}

/// Receipts that are kept, oldest first, from the one with the id `from`.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn early_from(tx: &mut Tx, from: &[u8; 16], limit: i64) -> Result<Vec<Early>> {
    let rows = tx.query(
        "SELECT id, smsc_id, remote_id, state, error, at FROM early_receipts WHERE id >= $1 ORDER BY id LIMIT $2",
        &[from.into(), limit.into()],
    )?;
    Ok(rows.iter().map(read_early).collect::<Result<_, Fault>>()?)
}

/// Forgets receipts that found their part.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn forget_early(tx: &mut Tx, ids: &[[u8; 16]]) -> Result<()> {
    let keys: Vec<Param> = ids.iter().map(Param::from).collect();
    tx.execute_in("DELETE FROM early_receipts WHERE id IN", &[], &keys).map(drop)
}

/// Forgets some of the receipts that nobody asked for since `before`; how many those were.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn purge_early(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    tx.execute(
        "DELETE FROM early_receipts WHERE (smsc_id, remote_id, id) IN \
         (SELECT smsc_id, remote_id, id FROM early_receipts WHERE kept_at < $1 ORDER BY kept_at LIMIT 1000)",
        &[before.into()],
    )
}

/// Forgets which incoming messages were seen before, some at a time; how many those were.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn purge_seen(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    tx.execute(
        "DELETE FROM incoming_seen WHERE (smsc_id, id) IN \
         (SELECT smsc_id, id FROM incoming_seen WHERE seen_at < $1 ORDER BY seen_at LIMIT 1000)",
        &[before.into()],
    )
}

/// Notes an incoming message; `false` where it was seen before.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn see(tx: &mut Tx, smsc: SmscId, id: &str, now: Timestamp) -> Result<bool> {
    let added = tx.execute(
        "INSERT INTO incoming_seen (smsc_id, id, seen_at) VALUES ($1, $2, $3) ON CONFLICT (smsc_id, id) DO NOTHING",
        &[smsc.as_bytes().into(), id.into(), now.into()],
    )?;
    Ok(added == 1)
}

fn read_early(row: &Row) -> Result<Early, Fault> {
    Ok(Early {
        id: row.array(0)?,
        smsc: SmscId::from_bytes(row.array(1)?),
        remote_id: row.text(2)?.to_owned(),
        state: row.word(3, PartState::parse)?,
        error: row.opt_text(4)?.map(str::to_owned),
        at: row.time(5)?,
    })
}

fn part(row: &Row) -> Result<Part, Fault> {
    Ok(Part {
        message: MessageId::from_bytes(row.array(0)?),
        part: u8::try_from(row.int(1)?).map_err(|_| Fault::shape(1))?,
        state: row.word(2, PartState::parse)?,
        smsc: SmscId::from_bytes(row.array(3)?),
        remote_id: row.opt_text(4)?.map(str::to_owned),
        error: row.opt_text(5)?.map(str::to_owned),
        submitted_at: row.time(6)?,
        receipt_at: row.opt_time(7)?,
    })
}
