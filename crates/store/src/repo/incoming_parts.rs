//! Parts of incoming messages, until all have come and a while longer.

use tandem_catalogue::Result;
use tandem_domain::message::{Encoding, Sender};
use tandem_kernel::{PhoneNumber, SmscId, Timestamp};

use crate::{Fault, Row, Tx};

/// What the parts of one message have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whose {
    /// Who brings them.
    pub smsc: SmscId,
    /// Who sent the message.
    pub from: Sender,
    /// To which number.
    pub to: PhoneNumber,
    /// What the sender's handset numbers its messages with, again and again.
    pub reference: u16,
    /// How many parts there are.
    pub parts: u8,
}

/// A part that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Which, from 1.
    pub part: u8,
    /// The message that it belongs to, among those of one reference.
    pub group: [u8; 16],
    /// What tells it from others of the same SMSC; empty where there is nothing.
    pub id: String,
    /// How the octets are written.
    pub encoding: Encoding,
    /// The text.
    pub octets: Vec<u8>,
    /// Whether its message was delivered.
    pub done: bool,
}

macro_rules! columns {
    ($rest:literal) => {
        concat!("SELECT part, group_id, id, encoding, octets, done_at, smsc_id, sender, recipient, reference, parts FROM incoming_parts ", $rest)
    };
}

/// The parts that are known of whatever message has this reference now, in order.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only; so for all functions here")]
pub fn of(tx: &mut Tx, whose: &Whose) -> Result<Vec<Piece>> {
    let (from, to) = (whose.from.to_string(), whose.to.to_string());
    let rows = tx.query(
        columns!("WHERE smsc_id = $1 AND sender = $2 AND recipient = $3 AND reference = $4 AND parts = $5 ORDER BY part"),
        &[
            whose.smsc.as_bytes().into(),
            (&from).into(),
            (&to).into(),
            i64::from(whose.reference).into(),
            i64::from(whose.parts).into(),
        ],
    )?;
    Ok(rows.iter().map(piece).collect::<Result<_, Fault>>()?)
}

/// A message's parts that have come, in order, and what they have in common; `None` where it was delivered.
#[expect(clippy::missing_errors_doc, reason = "as `of`")]
pub fn unfinished(tx: &mut Tx, group: &[u8; 16]) -> Result<Option<(Whose, Vec<Piece>)>> {
    let rows = tx.query(columns!("WHERE group_id = $1 AND done_at IS NULL ORDER BY part"), &[group.into()])?;
    let Some(first) = rows.first() else { return Ok(None) };
    Ok(Some((whose(first)?, rows.iter().map(piece).collect::<Result<_, Fault>>()?)))
}

/// Keeps a part.
#[expect(clippy::missing_errors_doc, reason = "as `of`")]
pub fn add(tx: &mut Tx, whose: &Whose, piece: &Piece) -> Result<()> {
    let (from, to) = (whose.from.to_string(), whose.to.to_string());
    tx.execute(
        "INSERT INTO incoming_parts (smsc_id, sender, recipient, reference, parts, part, group_id, id, encoding, octets) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &[
            whose.smsc.as_bytes().into(),
            (&from).into(),
            (&to).into(),
            i64::from(whose.reference).into(),
            i64::from(whose.parts).into(),
            i64::from(piece.part).into(),
            (&piece.group).into(),
            (&piece.id).into(),
            piece.encoding.as_str().into(),
            piece.octets.as_slice().into(),
        ],
    )
    .map(drop)
}

/// Notes that a message was delivered.
#[expect(clippy::missing_errors_doc, reason = "as `of`")]
pub fn finish(tx: &mut Tx, group: &[u8; 16], now: Timestamp) -> Result<()> {
    tx.execute("UPDATE incoming_parts SET done_at = $2 WHERE group_id = $1", &[group.into(), now.into()]).map(drop)
}

/// Forgets a message's parts.
#[expect(clippy::missing_errors_doc, reason = "as `of`")]
pub fn forget(tx: &mut Tx, group: &[u8; 16]) -> Result<()> {
    tx.execute("DELETE FROM incoming_parts WHERE group_id = $1", &[group.into()]).map(drop)
}

/// Forgets the parts of messages that were delivered before an instant.
#[expect(clippy::missing_errors_doc, reason = "as `of`")]
pub fn forget_done(tx: &mut Tx, before: Timestamp) -> Result<()> {
    tx.execute("DELETE FROM incoming_parts WHERE done_at < $1", &[before.into()]).map(drop)
}

fn whose(row: &Row) -> Result<Whose, Fault> {
    Ok(Whose {
        smsc: SmscId::from_bytes(row.array(6)?),
        from: Sender::of_network(row.text(7)?),
        to: row.word(8, PhoneNumber::from_e164)?,
        reference: u16::try_from(row.int(9)?).map_err(|_| Fault::shape(9))?,
        parts: u8::try_from(row.int(10)?).map_err(|_| Fault::shape(10))?,
    })
}

fn piece(row: &Row) -> Result<Piece, Fault> {
    Ok(Piece {
        part: u8::try_from(row.int(0)?).map_err(|_| Fault::shape(0))?,
        group: row.array(1)?,
        id: row.text(2)?.to_owned(),
        encoding: row.word(3, Encoding::parse)?,
        octets: row.bytes(4)?.to_vec(),
        done: row.opt_time(5)?.is_some(),
    })
}
