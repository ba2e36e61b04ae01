//! What operators did.

use tandem_catalogue::Result;
use tandem_kernel::{EventId, Timestamp};

use crate::{Fault, Tx};

/// One action of an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Its id.
    pub id: EventId,
    /// The operator's key, or `cli`.
    pub operator: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub subject: String,
    /// With which values; no secrets.
    pub detail: String,
    /// When, by the machine's clock.
    pub at: Timestamp,
}

/// Notes an action, in the unit of work that does it.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn note(tx: &mut Tx, action: &Action) -> Result<()> {
    tx.execute(
        "INSERT INTO audit (id, operator, action, subject, detail, at) VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            action.id.as_bytes().into(),
            (&action.operator).into(),
            (&action.action).into(),
            (&action.subject).into(),
            (&action.detail).into(),
            action.at.into(),
        ],
    )?;
    Ok(())
}

/// Actions before `before`, newest first.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn list(tx: &mut Tx, before: EventId, limit: i64) -> Result<Vec<Action>> {
    let rows = tx.query(
        "SELECT id, operator, action, subject, detail, at FROM audit WHERE id < $1 ORDER BY id DESC LIMIT $2",
        &[before.as_bytes().into(), limit.into()],
    )?;
    let actions = rows.iter().map(|row| {
        Ok(Action {
            id: EventId::from_bytes(row.array(0)?),
            operator: row.text(1)?.to_owned(),
            action: row.text(2)?.to_owned(),
            subject: row.text(3)?.to_owned(),
            detail: row.text(4)?.to_owned(),
            at: row.time(5)?,
        })
    });
    Ok(actions.collect::<Result<_, Fault>>()?)
}
