//! Counters of use, by day.

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
