//! Counts, for gauges and for whoever looks after the installation.

use tandem_catalogue::Result;
use tandem_kernel::Timestamp;

use crate::{Fault, Tx};

/// Numbers of the inventory that are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// `live` or `test`.
    pub kind: String,
    /// Who carries them.
    pub carrier: String,
    /// Where they are.
    pub state: String,
    /// How many.
    pub count: i64,
}

/// The inventory by kind, carrier and state.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn inventory(tx: &mut Tx) -> Result<Vec<Numbers>> {
    let rows = tx.query(
        "SELECT kind, carrier, state, COUNT(*) FROM inventory GROUP BY kind, carrier, state ORDER BY kind, carrier, state",
        &[],
    )?;
    let numbers = rows.iter().map(|row| {
        let text = |column| row.text(column).map(str::to_owned);
        Ok(Numbers { kind: text(0)?, carrier: text(1)?, state: text(2)?, count: row.int(3)? })
    });
    Ok(numbers.collect::<Result<_, Fault>>()?)
}

/// How many jobs are due by the machine's clock, and since when the first of them is.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn due_jobs(tx: &mut Tx, now: Timestamp) -> Result<(i64, Option<Timestamp>)> {
    let row = tx.first("SELECT COUNT(*), MIN(wake_at) FROM jobs WHERE wake_at <= $1", &[now.into()])?;
    let row = row.ok_or_else(|| Fault::data("a count without a row"))?;
    Ok((row.int(0)?, row.opt_time(1)?))
}

/// How many accounts there are, and when the last request was logged.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn activity(tx: &mut Tx) -> Result<(i64, Option<Timestamp>)> {
    let row = tx.first("SELECT (SELECT COUNT(*) FROM accounts), (SELECT MAX(at) FROM requests)", &[])?;
    let row = row.ok_or_else(|| Fault::data("a count without a row"))?;
    Ok((row.int(0)?, row.opt_time(1)?))
}
