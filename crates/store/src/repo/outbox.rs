//! Messages that no SMSC has taken yet, in line for each recipient.

use tandem_catalogue::Result;
use tandem_kernel::{Environment, EnvironmentId, MessageId, PhoneNumber, Timestamp};

use crate::{Engine, Fault, Param, Tx};

/// A message's place in the line of its recipient.
pub struct Place {
    /// The message.
    pub message: MessageId,
    /// Whose it is.
    pub environment: EnvironmentId,
    /// To whom it goes.
    pub recipient: PhoneNumber,
}

/// Puts messages at the ends of their recipients' lines, in order.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn add(tx: &mut Tx, places: &[Place], kind: Environment) -> Result<()> {
    let recipients: Vec<String> = places.iter().map(|place| place.recipient.to_string()).collect();
    let rows = places.iter().zip(&recipients).map(|(place, recipient)| {
        vec![place.message.as_bytes().into(), place.environment.as_bytes().into(), kind.as_str().into(), recipient.into()]
    });
    tx.execute_many(
        "INSERT INTO outbox (message_id, environment_id, kind, recipient, state) VALUES ($1, $2, $3, $4, \
         CASE WHEN EXISTS (SELECT 1 FROM outbox WHERE environment_id = $2 AND recipient = $4) THEN 'behind' ELSE 'ready' END)",
        &rows.collect::<Vec<Vec<Param>>>(),
    )
    .map(drop)
}

/// Takes the messages that have waited longest and are first in their lines, for a process. With `prefixes`, only those whose
/// recipient begins with one of them.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn take(tx: &mut Tx, kind: Environment, prefixes: &[String], node: &[u8; 16], most: i64) -> Result<Vec<MessageId>> {
    let mut sql = String::from("SELECT message_id FROM outbox WHERE kind = $1 AND state = 'ready'");
    let mut params: Vec<Param> = vec![kind.as_str().into(), most.into()];
    let patterns: Vec<String> = prefixes.iter().map(|prefix| format!("+{prefix}%")).collect();
    if !patterns.is_empty() {
        let places = (3..3 + patterns.len()).map(|place| format!("recipient LIKE ${place}"));
        sql.push_str(&format!(" AND ({})", places.collect::<Vec<_>>().join(" OR ")));
        params.extend(patterns.iter().map(Param::from));
    }
    sql.push_str(" ORDER BY message_id LIMIT $2");
    if tx.engine() == Engine::Postgres {
        sql.push_str(" FOR UPDATE SKIP LOCKED");
    }
    let taken = ids(&tx.query_built(&sql, &params)?)?;
    hand_over(tx, &taken, node)?;
    Ok(taken)
}

/// Takes over what processes have that were not heard of since `dead_since`.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn take_over(tx: &mut Tx, kind: Environment, node: &[u8; 16], dead_since: Timestamp, most: i64) -> Result<Vec<MessageId>> {
    let mut sql = String::from(
        "SELECT message_id FROM outbox WHERE kind = $1 AND state = 'taken' AND node <> $2 \
         AND node NOT IN (SELECT node FROM outbox_nodes WHERE seen_at > $3) ORDER BY message_id LIMIT $4",
    );
    if tx.engine() == Engine::Postgres {
        sql.push_str(" FOR UPDATE SKIP LOCKED");
    }
    let params = [kind.as_str().into(), node.into(), dead_since.into(), most.into()];
    let taken = ids(&tx.query_built(&sql, &params)?)?;
    hand_over(tx, &taken, node)?;
    Ok(taken)
}

fn hand_over(tx: &mut Tx, taken: &[MessageId], node: &[u8; 16]) -> Result<()> {
    let rows: Vec<Vec<Param>> = taken.iter().map(|id| vec![id.as_bytes().into(), node.into()]).collect();
    tx.execute_many("UPDATE outbox SET state = 'taken', node = $2 WHERE message_id = $1", &rows).map(drop)
}

/// Says that a process is alive.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn beat(tx: &mut Tx, node: &[u8; 16], now: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO outbox_nodes (node, seen_at) VALUES ($1, $2) ON CONFLICT (node) DO UPDATE SET seen_at = excluded.seen_at",
        &[node.into(), now.into()],
    )?;
    Ok(())
}

/// Forgets processes that were not heard of since `before` and have nothing left.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn bury(tx: &mut Tx, before: Timestamp) -> Result<()> {
    tx.execute("DELETE FROM outbox_nodes WHERE seen_at < $1", &[before.into()]).map(drop)
}

/// Gives messages back that certainly were not submitted: they are first in their lines still.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn put_back(tx: &mut Tx, messages: &[MessageId]) -> Result<()> {
    let rows: Vec<Vec<Param>> = messages.iter().map(|id| vec![id.as_bytes().into()]).collect();
    tx.execute_many("UPDATE outbox SET state = 'ready', node = NULL WHERE message_id = $1", &rows).map(drop)
}

/// Takes messages out of their lines for good, and lets the next ones come forward.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn remove(tx: &mut Tx, places: &[Place]) -> Result<()> {
    let recipients: Vec<String> = places.iter().map(|place| place.recipient.to_string()).collect();
    let rows: Vec<Vec<Param>> = places.iter().map(|place| vec![place.message.as_bytes().into()]).collect();
    tx.execute_many("DELETE FROM outbox WHERE message_id = $1", &rows)?;
    let lines =
        places.iter().zip(&recipients).map(|(place, recipient)| vec![place.environment.as_bytes().into(), recipient.into()]);
    tx.execute_many(
        "UPDATE outbox SET state = 'ready' WHERE state = 'behind' AND message_id = (SELECT message_id FROM outbox \
         WHERE environment_id = $1 AND recipient = $2 ORDER BY message_id LIMIT 1)",
        &lines.collect::<Vec<Vec<Param>>>(),
    )
    .map(drop)
}

/// Takes out those of `messages` that nobody has taken; which those were.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn withdraw(tx: &mut Tx, messages: &[MessageId]) -> Result<Vec<MessageId>> {
    let keys: Vec<Param> = messages.iter().map(|id| id.as_bytes().into()).collect();
    let lock = if tx.engine() == Engine::Postgres { "AND state <> 'taken' FOR UPDATE" } else { "AND state <> 'taken'" };
    let rows = tx.query_in("SELECT message_id FROM outbox WHERE message_id IN", &[], &keys, lock)?;
    ids(&rows)
}

/// How many messages wait, and how many are with binds.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn waiting(tx: &mut Tx, kind: Environment) -> Result<(i64, i64)> {
    let row = tx.first(
        "SELECT CAST(COUNT(*) AS BIGINT), CAST(COALESCE(SUM(CASE state WHEN 'taken' THEN 1 ELSE 0 END), 0) AS BIGINT) FROM outbox \
         WHERE kind = $1",
        &[kind.as_str().into()],
    )?;
    let row = row.ok_or_else(|| Fault::data("a count without a row"))?;
    let (all, taken) = (row.int(0)?, row.int(1)?);
    Ok((all - taken, taken))
}

fn ids(rows: &[crate::Row]) -> Result<Vec<MessageId>> {
    Ok(rows.iter().map(|row| row.array(0).map(MessageId::from_bytes)).collect::<Result<_, Fault>>()?)
}
