//! Counters of use, by day, and what is in use.

use tandem_catalogue::Result;
use tandem_kernel::{EnvironmentId, Timestamp};

use crate::{Fault, Param, Tx};

/// Adds to counters. `day` is the start of a day.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn add(tx: &mut Tx, counts: &[(EnvironmentId, Timestamp, &'static str, i64)]) -> Result<()> {
    let rows = counts.iter();
    let rows: Vec<Vec<Param>> =
        rows.map(|(id, day, metric, count)| vec![id.as_bytes().into(), (*day).into(), (*metric).into(), (*count).into()]).collect();
    tx.execute_many(
        "INSERT INTO usage (environment_id, day, metric, count) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (environment_id, day, metric) DO UPDATE SET count = usage.count + excluded.count",
        &rows,
    )?;
    Ok(())
}

/// The sum of a counter between two instants.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn sum(tx: &mut Tx, environment: EnvironmentId, metric: &str, from: Timestamp, to: Timestamp) -> Result<i64> {
    let row = tx.first(
        "SELECT CAST(COALESCE(SUM(count), 0) AS BIGINT) FROM usage WHERE environment_id = $1 AND metric = $2 AND day >= $3 AND day < $4",
        &[environment.as_bytes().into(), metric.into(), from.into(), to.into()],
    )?;
    Ok(row.ok_or_else(|| Fault::data("a sum without a row"))?.int(0)?)
}

/// A counter on each of the days from `from` to the one before `to` on which it counted anything.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn by_day(
    tx: &mut Tx,
    environment: EnvironmentId,
    metric: &str,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<(Timestamp, i64)>> {
    let rows = tx.query(
        "SELECT day, count FROM usage WHERE environment_id = $1 AND metric = $2 AND day >= $3 AND day < $4 ORDER BY day",
        &[environment.as_bytes().into(), metric.into(), from.into(), to.into()],
    )?;
    Ok(rows.iter().map(|row| Ok((row.time(0)?, row.int(1)?))).collect::<Result<_, Fault>>()?)
}

/// How many numbers an environment had at an instant, and the millionths that they cost a month. One that was still on its
/// way here does not count.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn numbers_at(tx: &mut Tx, environment: EnvironmentId, at: Timestamp) -> Result<(i64, i64)> {
    let row = tx.first(
        "SELECT COUNT(*), CAST(COALESCE(SUM(monthly), 0) AS BIGINT) FROM numbers \
         WHERE environment_id = $1 AND purchased_at <= $2 AND state <> 'porting' AND (released_at IS NULL OR released_at > $2)",
        &[environment.as_bytes().into(), at.into()],
    )?;
    let row = row.ok_or_else(|| Fault::data("a count without a row"))?;
    Ok((row.int(0)?, row.int(1)?))
}

/// What the renewals cost, in millionths, whose due work of this kind is due before an instant: a sum for each day, days in order.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn renewals_until(tx: &mut Tx, environment: EnvironmentId, kind: &str, until: Timestamp) -> Result<Vec<(Timestamp, i64)>> {
    let rows = tx.query(
        "SELECT MIN(j.due_at), CAST(SUM(n.monthly) AS BIGINT) FROM jobs j JOIN numbers n ON n.id = j.subject \
         WHERE j.environment_id = $1 AND j.kind = $2 AND j.due_at < $3 GROUP BY j.due_at / 86400000000 ORDER BY 1",
        &[environment.as_bytes().into(), kind.into(), until.into()],
    )?;
    Ok(rows.iter().map(|row| Ok((row.time(0)?, row.int(1)?))).collect::<Result<_, Fault>>()?)
}
