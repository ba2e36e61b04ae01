//! How many numbers of each sort each property has: totals of lists, and which sorts there are, without reading the numbers.

use tandem_catalogue::Result;
use tandem_domain::number::Number;

use super::numbers::Owner;
use crate::{Fault, Row, Tx};

/// Adds to the count of a number's sort.
pub(super) fn add(tx: &mut Tx, number: &Number, change: i64) -> Result<()> {
    if change == 0 {
        return Ok(());
    }
    tx.execute(
        "INSERT INTO number_counts (environment_id, property_id, sort, total) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (environment_id, property_id, sort) DO UPDATE SET total = number_counts.total + excluded.total",
        &[number.environment.as_bytes().into(), number.property.as_bytes().into(), number.sort().into(), change.into()],
    )?;
    Ok(())
}

/// The sorts of which an owner has numbers now, and how many of each.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn of(tx: &mut Tx, owner: Owner) -> Result<Vec<(i64, i64)>> {
    let rows = match owner {
        Owner::Environment(environment) => tx.query(
            "SELECT sort, CAST(SUM(total) AS BIGINT) FROM number_counts WHERE environment_id = $1 GROUP BY sort HAVING SUM(total) > 0",
            &[environment.as_bytes().into()],
        )?,
        Owner::Property(environment, property) => tx.query(
            "SELECT sort, total FROM number_counts WHERE environment_id = $1 AND property_id = $2 AND total > 0",
            &[environment.as_bytes().into(), property.as_bytes().into()],
        )?,
    };
    let counted = |row: &Row| Ok((row.int(0)?, row.int(1)?));
    Ok(rows.iter().map(counted).collect::<Result<_, Fault>>()?)
}
