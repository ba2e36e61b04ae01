//! Limits that accounts set on their own spending.

use tandem_catalogue::Result;
use tandem_domain::spending::{LimitAction, SpendingLimit};
use tandem_kernel::{EnvironmentId, LimitId, Timestamp};

use crate::{Fault, Row, Tx, codec};

const MONTHLY: &str = "SELECT l.id, l.amount, w.currency, l.action, l.notifications, l.created_at FROM spending_limits l \
                       JOIN wallets w ON w.environment_id = l.environment_id WHERE l.environment_id = $1 AND l.kind = 'monthly'";

/// The limit on a month's spending.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn monthly(tx: &mut Tx, environment: EnvironmentId) -> Result<Option<SpendingLimit>> {
    let row = tx.first(MONTHLY, &[environment.as_bytes().into()])?;
    Ok(row.map(|row| limit(&row)).transpose()?)
}

/// The highest threshold of a month that the owner was told of.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn told(tx: &mut Tx, limit: LimitId, month: Timestamp) -> Result<i64> {
    let row =
        tx.first("SELECT told FROM spending_limits WHERE id = $1 AND told_month = $2", &[limit.as_bytes().into(), month.into()])?;
    Ok(row.map(|row| row.int(0)).transpose()?.unwrap_or(0))
}

/// Notes the highest threshold of a month that the owner was told of, or need not be told of.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn set_told(tx: &mut Tx, limit: LimitId, month: Timestamp, threshold: i64) -> Result<()> {
    tx.execute(
        "UPDATE spending_limits SET told = $3, told_month = $2 WHERE id = $1",
        &[limit.as_bytes().into(), month.into(), threshold.into()],
    )
    .map(drop)
}

/// Sets the limit on a month's spending; the one that was there before keeps its id and age.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn set_monthly(tx: &mut Tx, environment: EnvironmentId, limit: &SpendingLimit) -> Result<()> {
    tx.execute(
        "INSERT INTO spending_limits (id, environment_id, kind, amount, action, notifications, created_at) \
         VALUES ($1, $2, 'monthly', $3, $4, $5, $6) ON CONFLICT (environment_id, kind) DO UPDATE SET amount = excluded.amount, \
         action = excluded.action, notifications = excluded.notifications",
        &[
            limit.id.as_bytes().into(),
            environment.as_bytes().into(),
            limit.amount.micros.into(),
            limit.action.as_str().into(),
            (&codec::to_text(&limit.notifications)).into(),
            limit.created_at.into(),
        ],
    )?;
    Ok(())
}

fn limit(row: &Row) -> Result<SpendingLimit, Fault> {
    Ok(SpendingLimit {
        id: LimitId::from_bytes(row.array(0)?),
        amount: row.money(1, 2)?,
        action: row.word(3, LimitAction::parse)?,
        notifications: codec::from_text(row.text(4)?)?,
        created_at: row.time(5)?,
    })
}
