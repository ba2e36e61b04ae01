//! Messages of both directions.

use std::collections::BTreeMap;

use tandem_catalogue::Result;
use tandem_domain::message::{Channel, Direction, Encoding, Failure, Message, MessageState, Sender};
use tandem_kernel::{EnvironmentId, MessageId, PhoneNumber, SmscId, Timestamp, TransferId};

use super::expect_one;
use crate::{Fault, Param, Row, Tx, codec};

const COLUMNS: &str = "SELECT id, environment_id, direction, channel, state, sender, recipient, body, sealed, media, encoding, parts, price, \
                       currency, hold_id, smsc_id, failure_code, failure_reason, created_at, sent_at, completed_at, expires_at \
                       FROM messages WHERE id IN";
const INSERT: &str = "INSERT INTO messages (id, environment_id, direction, channel, state, sender, recipient, body, sealed, media, encoding, \
                      parts, price, currency, hold_id, smsc_id, failure_code, failure_reason, created_at, sent_at, completed_at, \
                      expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, \
                      $21, $22)";
const UPDATE: &str = "UPDATE messages SET state = $2, smsc_id = $3, failure_code = $4, failure_reason = $5, sent_at = $6, \
                      completed_at = $7 WHERE id = $1";

/// Adds a message.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn insert(tx: &mut Tx, message: &Message) -> Result<()> {
    let (to, media) = (message.to.to_string(), codec::to_text(&message.media));
    let (from, failure) = (message.from.to_string(), message.failure.as_ref());
    tx.execute(
        INSERT,
        &[
            message.id.as_bytes().into(),
            message.environment.as_bytes().into(),
            message.direction.as_str().into(),
            message.channel.as_str().into(),
            message.state.as_str().into(),
            (&from).into(),
            (&to).into(),
            (&message.body).into(),
            message.sealed.as_deref().into(),
            (&media).into(),
            message.encoding.as_str().into(),
            i64::from(message.parts).into(),
            message.price.micros.into(),
            message.price.currency.as_str().into(),
            message.hold.as_ref().map(TransferId::as_bytes).into(),
            message.smsc.as_ref().map(SmscId::as_bytes).into(),
            failure.map(|failure| &failure.code).into(),
            failure.map(|failure| &failure.reason).into(),
            message.created_at.into(),
            message.sent_at.into(),
            message.completed_at.into(),
            message.expires_at.into(),
        ],
    )?;
    Ok(())
}

/// Writes what changes in the life of messages: their states, what sent them, and how they ended.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn update(tx: &mut Tx, messages: &[Message]) -> Result<()> {
    let rows = messages.iter().map(|message| {
        vec![
            message.id.as_bytes().into(),
            message.state.as_str().into(),
            message.smsc.as_ref().map(SmscId::as_bytes).into(),
            message.failure.as_ref().map(|failure| &failure.code).into(),
            message.failure.as_ref().map(|failure| &failure.reason).into(),
            message.sent_at.into(),
            message.completed_at.into(),
        ]
    });
    let changed = tx.execute_many(UPDATE, &rows.collect::<Vec<Vec<Param>>>())?;
    if usize::try_from(changed) == Ok(messages.len()) { Ok(()) } else { expect_one("message", 0) }
}

/// Notes that messages were handed to a bind.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn set_sending(tx: &mut Tx, ids: &[MessageId]) -> Result<()> {
    let rows: Vec<Vec<Param>> = ids.iter().map(|id| vec![id.as_bytes().into()]).collect();
    tx.execute_many("UPDATE messages SET state = 'sending' WHERE id = $1", &rows).map(drop)
}

/// Reads messages by their ids, whosever they are, in no order; those that do not exist are left out.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn of_ids(tx: &mut Tx, ids: &[MessageId]) -> Result<Vec<Message>> {
    let keys: Vec<Param> = ids.iter().map(|id| id.as_bytes().into()).collect();
    let rows = tx.query_in(COLUMNS, &[], &keys, "")?;
    Ok(rows.iter().map(message).collect::<Result<_, Fault>>()?)
}

/// Reads an environment's message.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn get(tx: &mut Tx, environment: EnvironmentId, id: MessageId) -> Result<Option<Message>> {
    let found = of_ids(tx, &[id])?.into_iter().next();
    Ok(found.filter(|message| message.environment == environment))
}

/// Whose messages are, in the order of their environments.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn environments_of(tx: &mut Tx, ids: &[MessageId]) -> Result<BTreeMap<EnvironmentId, Vec<MessageId>>> {
    let keys: Vec<Param> = ids.iter().map(|id| id.as_bytes().into()).collect();
    let rows = tx.query_in("SELECT environment_id, id FROM messages WHERE id IN", &[], &keys, "")?;
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in rows {
        found.entry(EnvironmentId::from_bytes(row.array(0)?)).or_default().push(MessageId::from_bytes(row.array(1)?));
    }
    Ok(found)
}

/// Whether any message whose time is up is with a bind.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn overdue_sending(tx: &mut Tx, environment: EnvironmentId, now: Timestamp) -> Result<bool> {
    let row = tx.first(
        "SELECT 1 FROM messages WHERE environment_id = $1 AND expires_at <= $2 AND state IN ('queued', 'sending', 'sent') \
         AND state = 'sending' LIMIT 1",
        &[environment.as_bytes().into(), now.into()],
    )?;
    Ok(row.is_some())
}

/// The environment's messages whose time is up, that wait or whose receipt is outstanding, earliest first.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn overdue(tx: &mut Tx, environment: EnvironmentId, now: Timestamp, limit: i64) -> Result<Vec<MessageId>> {
    let rows = tx.query(
        "SELECT id FROM messages WHERE environment_id = $1 AND expires_at <= $2 AND state IN ('queued', 'sending', 'sent') \
         AND state <> 'sending' ORDER BY expires_at, id LIMIT $3",
        &[environment.as_bytes().into(), now.into(), limit.into()],
    )?;
    Ok(rows.iter().map(|row| row.array(0).map(MessageId::from_bytes)).collect::<Result<_, Fault>>()?)
}

fn message(row: &Row) -> Result<Message, Fault> {
    let failure = match (row.opt_text(16)?, row.opt_text(17)?) {
        (Some(code), Some(reason)) => Some(Failure { code: code.to_owned(), reason: reason.to_owned() }),
        _ => None,
    };
    Ok(Message {
        id: MessageId::from_bytes(row.array(0)?),
        environment: EnvironmentId::from_bytes(row.array(1)?),
        direction: row.word(2, Direction::parse)?,
        channel: row.word(3, Channel::parse)?,
        state: row.word(4, MessageState::parse)?,
        from: Sender::of_network(row.text(5)?),
        to: row.word(6, PhoneNumber::from_e164)?,
        body: row.text(7)?.to_owned(),
        sealed: row.opt_bytes(8)?.map(<[u8]>::to_vec),
        media: codec::from_text(row.text(9)?)?,
        encoding: row.word(10, Encoding::parse)?,
        parts: u8::try_from(row.int(11)?).map_err(|_| Fault::shape(11))?,
        price: row.money(12, 13)?,
        hold: row.opt_array(14)?.map(TransferId::from_bytes),
        smsc: row.opt_array(15)?.map(SmscId::from_bytes),
        failure,
        created_at: row.time(18)?,
        sent_at: row.opt_time(19)?,
        completed_at: row.opt_time(20)?,
        expires_at: row.time(21)?,
    })
}
