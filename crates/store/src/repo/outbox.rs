//! Messages that no SMSC has taken yet, in line for each recipient.

use std::collections::BTreeMap;

use tandem_catalogue::Result;
use tandem_kernel::{Environment, EnvironmentId, MessageId, PhoneNumber, SmscId, Timestamp};

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
        let digits = filled(&place.recipient.digits().to_string());
        vec![
            place.message.as_bytes().into(),
            place.environment.as_bytes().into(),
            kind.as_str().into(),
            recipient.into(),
            digits.into(),
        ]
    });
    tx.later(
        "INSERT INTO outbox (message_id, environment_id, kind, recipient, digits, state) VALUES ($1, $2, $3, $4, $5, \
         CASE WHEN EXISTS (SELECT 1 FROM outbox WHERE environment_id = $2 AND recipient = $4) THEN 'behind' ELSE 'ready' END)",
        &rows.collect::<Vec<Vec<Param>>>(),
    )
}

/// Digits that a number has at the most.
const MOST_DIGITS: usize = 15;
/// Messages that are looked through, oldest first, before they are looked up by their recipients: mostly there are enough among them.
const LOOKED_THROUGH: i64 = 2_000;

/// Digits, filled up with zeros.
fn filled(digits: &str) -> i64 {
    format!("{digits:0<MOST_DIGITS$}").parse().unwrap_or(i64::MAX)
}

/// Recipients that begin with some digits, but not with some longer ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines {
    /// The digits; none for all recipients.
    pub prefix: String,
    /// The longer ones that are left out.
    pub but: Vec<String>,
}

impl Lines {
    /// The condition on a recipient, and the bounds that it names.
    fn condition(&self, bounds: &mut Vec<i64>) -> String {
        let mut within = |digits: &str| {
            let most = format!("{digits:9<MOST_DIGITS$}").parse().unwrap_or(i64::MAX);
            bounds.extend([filled(digits), most]);
            format!("digits BETWEEN ${} AND ${}", bounds.len() + 1, bounds.len() + 2)
        };
        let fits = within(&self.prefix);
        let without: Vec<String> = self.but.iter().map(|longer| format!(" AND NOT ({})", within(longer))).collect();
        format!("({fits}{})", without.concat())
    }
}

/// The messages that have waited longest and are first in their lines, for recipients of any of `lines`. On PostgreSQL they are
/// locked, and those that others have locked are left out.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn ready(tx: &mut Tx, kind: Environment, lines: &[Lines], most: i64) -> Result<Vec<(MessageId, PhoneNumber)>> {
    const HEAD: &str = "SELECT message_id, recipient FROM outbox WHERE kind = $1 AND state = 'ready'";
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let mut bounds = Vec::new();
    let conditions: Vec<String> = lines.iter().map(|line| line.condition(&mut bounds)).collect();
    let everybody = lines.iter().any(|line| line.prefix.is_empty() && line.but.is_empty());
    let any = conditions.join(" OR ");
    let mut params: Vec<Param> = vec![kind.as_str().into(), most.into()];
    let mut sql = if everybody {
        format!("{HEAD} ORDER BY message_id LIMIT $2")
    } else {
        params.extend(bounds.iter().map(|bound| Param::Int(*bound)));
        if among_the_first(tx, &any, &params)? {
            format!("{HEAD} AND ({any}) ORDER BY message_id LIMIT $2")
        } else {
            // Most of what waits is for others: it is not walked through.
            let fitting: Vec<String> = conditions.iter().map(|condition| format!("{BY_DIGITS} AND {condition}")).collect();
            let fitting = fitting.join(" UNION ALL ");
            format!(
                "WITH fitting AS MATERIALIZED ({fitting}) {HEAD} AND message_id IN (SELECT message_id FROM fitting ORDER BY message_id \
                 LIMIT $2) ORDER BY message_id"
            )
        }
    };
    if tx.engine() == Engine::Postgres {
        sql.push_str(" FOR UPDATE SKIP LOCKED");
    }
    let rows = tx.query_built(&sql, &params)?;
    let read = |row: &crate::Row| Ok((MessageId::from_bytes(row.array(0)?), row.word(1, PhoneNumber::from_e164)?));
    Ok(rows.iter().map(read).collect::<Result<_, Fault>>()?)
}

/// The beginning of the statement that finds what is first in its line by its recipient's digits.
pub const BY_DIGITS: &str = "SELECT message_id FROM outbox WHERE kind = $1 AND state = 'ready'";

/// Whether as many as are wanted, or all that there are, are among those that have waited longest.
fn among_the_first(tx: &mut Tx, condition: &str, params: &[Param]) -> Result<bool> {
    let sql = format!(
        "SELECT CAST(COUNT(*) AS BIGINT), CAST(COALESCE(SUM(CASE WHEN {condition} THEN 1 ELSE 0 END), 0) AS BIGINT), CAST($2 AS BIGINT) \
         FROM (SELECT digits FROM outbox WHERE kind = $1 AND state = 'ready' ORDER BY message_id LIMIT {LOOKED_THROUGH}) AS oldest"
    );
    let rows = tx.query_built(&sql, params)?;
    let row = rows.first().ok_or_else(|| Fault::data("a count without a row"))?;
    Ok(row.int(0)? < LOOKED_THROUGH || row.int(1)? >= row.int(2)?)
}

/// Notes that a process takes messages, with which claim, and through which SMSC each goes.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn take(tx: &mut Tx, taken: &[(MessageId, SmscId)], node: &[u8; 16], claim: &[u8; 16]) -> Result<()> {
    let mut by_smsc: BTreeMap<SmscId, Vec<Param>> = BTreeMap::new();
    for (id, smsc) in taken {
        by_smsc.entry(*smsc).or_default().push(id.as_bytes().into());
    }
    for (smsc, keys) in by_smsc {
        let sql = "UPDATE outbox SET state = 'taken', node = $1, smsc_id = $2, claim = $3 WHERE message_id IN";
        tx.execute_in(sql, &[node.into(), smsc.as_bytes().into(), claim.into()], &keys)?;
    }
    Ok(())
}

/// A message that a process has, with the SMSC that it goes through.
pub type Held = (MessageId, Option<SmscId>);

/// Takes over what processes have that were not heard of since `dead_since`.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn take_over(
    tx: &mut Tx,
    kind: Environment,
    node: &[u8; 16],
    claim: &[u8; 16],
    dead_since: Timestamp,
    most: i64,
) -> Result<Vec<Held>> {
    let mut sql = String::from(
        "SELECT message_id, smsc_id FROM outbox WHERE kind = $1 AND state = 'taken' AND node <> $2 \
         AND node NOT IN (SELECT node FROM outbox_nodes WHERE seen_at > $3) ORDER BY message_id LIMIT $4",
    );
    if tx.engine() == Engine::Postgres {
        sql.push_str(" FOR UPDATE SKIP LOCKED");
    }
    let params = [kind.as_str().into(), node.into(), dead_since.into(), most.into()];
    let rows = tx.query_built(&sql, &params)?;
    let taken = rows.iter().map(held).collect::<Result<Vec<_>, Fault>>()?;
    let keys: Vec<Param> = taken.iter().map(|(id, _)| id.as_bytes().into()).collect();
    tx.execute_in("UPDATE outbox SET node = $1, claim = $2 WHERE message_id IN", &[node.into(), claim.into()], &keys)?;
    Ok(taken)
}

/// What a process has by these claims; with the claim of each message.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn claimed(tx: &mut Tx, kind: Environment, node: &[u8; 16], claims: &[[u8; 16]]) -> Result<Vec<(Held, [u8; 16])>> {
    let keys: Vec<Param> = claims.iter().map(Param::from).collect();
    let rows = tx.query_in(
        "SELECT message_id, smsc_id, claim FROM outbox WHERE kind = $1 AND state = 'taken' AND node = $2 AND claim IN",
        &[kind.as_str().into(), node.into()],
        &keys,
        "",
    )?;
    Ok(rows.iter().map(|row| Ok((held(row)?, row.array(2)?))).collect::<Result<_, Fault>>()?)
}

/// The claims by which `messages` are taken. On PostgreSQL they are locked: nobody takes them over meanwhile.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn claims_of(tx: &mut Tx, messages: &[MessageId]) -> Result<Vec<(MessageId, [u8; 16])>> {
    let keys: Vec<Param> = messages.iter().map(|id| id.as_bytes().into()).collect();
    let lock = if tx.engine() == Engine::Postgres { "ORDER BY message_id FOR UPDATE" } else { "" };
    let sql = "SELECT message_id, claim FROM outbox WHERE state = 'taken' AND claim IS NOT NULL AND message_id IN";
    let rows = tx.query_in(sql, &[], &keys, lock)?;
    let read = |row: &crate::Row| Ok((MessageId::from_bytes(row.array(0)?), row.array(1)?));
    Ok(rows.iter().map(read).collect::<Result<_, Fault>>()?)
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
    let keys: Vec<Param> = messages.iter().map(|id| id.as_bytes().into()).collect();
    tx.execute_in("UPDATE outbox SET state = 'ready', node = NULL, smsc_id = NULL, claim = NULL WHERE message_id IN", &[], &keys)
        .map(drop)
}

/// Takes messages out of their lines for good, and lets the next ones come forward. The one in front need not be the oldest: what was
/// scheduled keeps its id, so that nobody comes forward while there is one.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn remove(tx: &mut Tx, places: &[Place]) -> Result<()> {
    let recipients: Vec<String> = places.iter().map(|place| place.recipient.to_string()).collect();
    let keys: Vec<Param> = places.iter().map(|place| place.message.as_bytes().into()).collect();
    tx.execute_in("DELETE FROM outbox WHERE message_id IN", &[], &keys)?;
    let lines =
        places.iter().zip(&recipients).map(|(place, recipient)| vec![place.environment.as_bytes().into(), recipient.into()]);
    tx.execute_many(
        "UPDATE outbox SET state = 'ready' WHERE state = 'behind' AND message_id = (SELECT message_id FROM outbox \
         WHERE environment_id = $1 AND recipient = $2 ORDER BY message_id LIMIT 1) AND NOT EXISTS (SELECT 1 FROM outbox \
         WHERE environment_id = $1 AND recipient = $2 AND state <> 'behind')",
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

fn held(row: &crate::Row) -> Result<Held, Fault> {
    Ok((MessageId::from_bytes(row.array(0)?), row.opt_array(1)?.map(SmscId::from_bytes)))
}

fn ids(rows: &[crate::Row]) -> Result<Vec<MessageId>> {
    Ok(rows.iter().map(|row| row.array(0).map(MessageId::from_bytes)).collect::<Result<_, Fault>>()?)
}
