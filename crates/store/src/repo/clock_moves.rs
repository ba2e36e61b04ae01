//! Movements of test clocks that were asked for.

use tandem_catalogue::Result;
use tandem_kernel::{EnvironmentId, Timestamp};

use crate::Tx;

/// Keeps where the movement goes that an operation asks for.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn begin(tx: &mut Tx, of: EnvironmentId, operation: &[u8; 16], target: Timestamp, machine: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO clock_moves (environment_id, operation, target, created_at) VALUES ($1, $2, $3, $4)",
        &[of.as_bytes().into(), operation.into(), target.into(), machine.into()],
    )?;
    Ok(())
}

/// The target of an operation that is known.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn known(tx: &mut Tx, of: EnvironmentId, operation: &[u8; 16]) -> Result<Option<Timestamp>> {
    let row = tx.first(
        "SELECT target FROM clock_moves WHERE environment_id = $1 AND operation = $2",
        &[of.as_bytes().into(), operation.into()],
    )?;
    Ok(row.map(|row| row.time(0)).transpose()?)
}

/// Forgets movements older than `before`, some at a time.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn purge(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    tx.execute(
        "DELETE FROM clock_moves WHERE (environment_id, operation) IN \
         (SELECT environment_id, operation FROM clock_moves WHERE created_at < $1 ORDER BY created_at LIMIT 1000)",
        &[before.into()],
    )
}
