//! Recipients who want no messages from a number or name.

use tandem_catalogue::Result;
use tandem_domain::message::Sender;
use tandem_kernel::{EnvironmentId, OptOutId, PhoneNumber, Timestamp};

use crate::{Fault, Param, Row, Tx};

/// Somebody who wants no messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptOut {
    /// Its id.
    pub id: OptOutId,
    /// From whom they want none.
    pub from: Sender,
    /// Who.
    pub to: PhoneNumber,
    /// The word that they wrote, or `api`.
    pub source: String,
    /// Since when, by the environment's clock.
    pub created_at: Timestamp,
}

/// Puts somebody on the list; `false` where they are on it.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn add(tx: &mut Tx, environment: EnvironmentId, opt_out: &OptOut) -> Result<bool> {
    let added = tx.execute(
        "INSERT INTO opt_outs (environment_id, sender, recipient, id, source, created_at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (environment_id, recipient, sender) DO NOTHING",
        &[
            environment.as_bytes().into(),
            (&opt_out.from.to_string()).into(),
            (&opt_out.to.to_string()).into(),
            opt_out.id.as_bytes().into(),
            (&opt_out.source).into(),
            opt_out.created_at.into(),
        ],
    )?;
    Ok(added == 1)
}

/// Takes an entry off the list; `false` where it is off it.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn remove(tx: &mut Tx, environment: EnvironmentId, id: OptOutId) -> Result<bool> {
    let sql = "DELETE FROM opt_outs WHERE environment_id = $1 AND id = $2";
    Ok(tx.execute(sql, &[environment.as_bytes().into(), id.as_bytes().into()])? == 1)
}

/// Whether somebody wants no messages from a sender.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn find(tx: &mut Tx, environment: EnvironmentId, from: &Sender, to: PhoneNumber) -> Result<Option<OptOut>> {
    let row = tx.first(
        "SELECT id, sender, recipient, source, created_at FROM opt_outs WHERE environment_id = $1 AND recipient = $2 AND sender = $3",
        &[environment.as_bytes().into(), (&to.to_string()).into(), (&from.to_string()).into()],
    )?;
    Ok(row.map(|row| opt_out(&row)).transpose()?)
}

/// What these recipients want no messages from.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn of_recipients(tx: &mut Tx, environment: EnvironmentId, recipients: &[PhoneNumber]) -> Result<Vec<OptOut>> {
    let texts: Vec<String> = recipients.iter().map(PhoneNumber::to_string).collect();
    let keys: Vec<Param> = texts.iter().map(Param::from).collect();
    let rows = tx.query_in(
        "SELECT id, sender, recipient, source, created_at FROM opt_outs WHERE environment_id = $1 AND recipient IN",
        &[environment.as_bytes().into()],
        &keys,
        "",
    )?;
    Ok(rows.iter().map(opt_out).collect::<Result<_, Fault>>()?)
}

/// An entry of an environment's list.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn get(tx: &mut Tx, environment: EnvironmentId, id: OptOutId) -> Result<Option<OptOut>> {
    let row = tx.first(
        "SELECT id, sender, recipient, source, created_at FROM opt_outs WHERE environment_id = $1 AND id = $2",
        &[environment.as_bytes().into(), id.as_bytes().into()],
    )?;
    Ok(row.map(|row| opt_out(&row)).transpose()?)
}

/// An environment's list, oldest first, from the one after `after`.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn list(tx: &mut Tx, environment: EnvironmentId, after: OptOutId, limit: i64) -> Result<Vec<OptOut>> {
    let rows = tx.query(
        "SELECT id, sender, recipient, source, created_at FROM opt_outs WHERE environment_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        &[environment.as_bytes().into(), after.as_bytes().into(), limit.into()],
    )?;
    Ok(rows.iter().map(opt_out).collect::<Result<_, Fault>>()?)
}

fn opt_out(row: &Row) -> Result<OptOut, Fault> {
    Ok(OptOut {
        id: OptOutId::from_bytes(row.array(0)?),
        from: Sender::of_network(row.text(1)?),
        to: row.word(2, PhoneNumber::from_e164)?,
        source: row.text(3)?.to_owned(),
        created_at: row.time(4)?,
    })
}
