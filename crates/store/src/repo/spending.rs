//! What wallets spend, by day and category: a projection of the transfers, kept in the unit of work that appends them.

use std::collections::HashMap;

use tandem_catalogue::Result;
use tandem_domain::billing::Line;
use tandem_kernel::{EnvironmentId, Timestamp};
use tandem_ledger::{Category, Transfer};

use crate::{Fault, Row, Tx};

/// Adds what a transfer spends.
pub(super) fn add(tx: &mut Tx, transfer: &Transfer) -> Result<()> {
    let Some(spent) = transfer.spent() else { return Ok(()) };
    tx.execute(
        "INSERT INTO spending (wallet_id, day, category, count, amount) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (wallet_id, day, category) DO UPDATE SET count = spending.count + excluded.count, \
         amount = spending.amount + excluded.amount",
        &[
            transfer.wallet.as_bytes().into(),
            transfer.at.start_of_day().into(),
            spent.category.as_str().into(),
            spent.count.into(),
            spent.amount.into(),
        ],
    )?;
    Ok(())
}

/// What a wallet spent on the days from `from` to the one before `to`, in millionths.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn sum(tx: &mut Tx, wallet: EnvironmentId, from: Timestamp, to: Timestamp) -> Result<i64> {
    let row = tx.first(
        "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM spending WHERE wallet_id = $1 AND day >= $2 AND day < $3",
        &[wallet.as_bytes().into(), from.into(), to.into()],
    )?;
    Ok(row.ok_or_else(|| Fault::data("a sum without a row"))?.int(0)?)
}

/// What a wallet spent on the days from `from` to the one before `to`, by category; categories without a charge are left out.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn by_category(tx: &mut Tx, wallet: EnvironmentId, from: Timestamp, to: Timestamp) -> Result<Vec<Line>> {
    let rows = tx.query(
        "SELECT category, CAST(SUM(count) AS BIGINT), CAST(SUM(amount) AS BIGINT) FROM spending \
         WHERE wallet_id = $1 AND day >= $2 AND day < $3 GROUP BY category",
        &[wallet.as_bytes().into(), from.into(), to.into()],
    )?;
    let mut lines = rows.iter().map(|row| line(row, 0)).collect::<Result<Vec<_>, Fault>>()?;
    lines.sort_by_key(|line| line.category);
    Ok(lines)
}

/// What a wallet spent on each of the days from `from` to the one before `to`, days in order.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn by_day(tx: &mut Tx, wallet: EnvironmentId, from: Timestamp, to: Timestamp) -> Result<Vec<(Timestamp, Line)>> {
    let rows = tx.query(
        "SELECT day, category, count, amount FROM spending WHERE wallet_id = $1 AND day >= $2 AND day < $3 ORDER BY day",
        &[wallet.as_bytes().into(), from.into(), to.into()],
    )?;
    Ok(rows.iter().map(|row| Ok((row.time(0)?, line(row, 1)?))).collect::<Result<_, Fault>>()?)
}

fn line(row: &Row, column: usize) -> Result<Line, Fault> {
    Ok(Line { category: row.word(column, Category::parse)?, count: row.int(column + 1)?, amount: row.int(column + 2)? })
}

/// The projection worked out anew from a wallet's transfers.
#[derive(Default)]
pub(super) struct Tally(HashMap<(Timestamp, Category), (i64, i64)>);

impl Tally {
    /// Takes the next transfer.
    pub(super) fn take(&mut self, transfer: &Transfer) {
        if let Some(spent) = transfer.spent() {
            let (count, amount) = self.0.entry((transfer.at.start_of_day(), spent.category)).or_default();
            *count = count.saturating_add(spent.count);
            *amount = amount.saturating_add(spent.amount);
        }
    }

    /// What the store keeps and does not follow from the transfers, and what follows and is not kept.
    pub(super) fn compare(mut self, tx: &mut Tx, wallet: EnvironmentId) -> Result<Vec<String>> {
        let mut faults = Vec::new();
        for (day, line) in by_day(tx, wallet, Timestamp::default(), Timestamp::MAX)? {
            let (count, amount) = self.0.remove(&(day, line.category)).unwrap_or_default();
            if (count, amount) != (line.count, line.amount) {
                let (date, category) = (day.date(), line.category.as_str());
                let kept = format!("{} for {} charges", line.amount, line.count);
                faults.push(format!("the spending on {category} on {date} is kept as {kept}, the transfers give {amount} for {count}"));
            }
        }
        for ((day, category), (count, amount)) in self.0 {
            let (date, category) = (day.date(), category.as_str());
            faults.push(format!("the spending on {category} on {date} is not kept, the transfers give {amount} for {count} charges"));
        }
        Ok(faults)
    }
}
