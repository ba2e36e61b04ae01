//! What wallets moved, by day, kind and category: a projection of the transfers, kept in the unit of work that appends them.

use std::collections::HashMap;

use tandem_catalogue::Result;
use tandem_domain::billing::Line;
use tandem_kernel::{EnvironmentId, Timestamp};
use tandem_ledger::{Category, Transfer, TransferKind};

use crate::{Fault, Param, Row, Tx};

/// Adds a wallet's transfers.
pub(super) fn add(tx: &mut Tx, wallet: EnvironmentId, transfers: &[Transfer]) -> Result<()> {
    let mut tally = Tally::default();
    transfers.iter().for_each(|transfer| tally.take(transfer));
    let rows = tally.0.iter().map(|((day, kind, category), (count, amount))| {
        vec![
            wallet.as_bytes().into(),
            (*day).into(),
            kind.as_str().into(),
            category.as_str().into(),
            (*count).into(),
            (*amount).into(),
        ]
    });
    tx.later(
        "INSERT INTO daily_totals (wallet_id, day, kind, category, count, amount) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (wallet_id, day, kind, category) DO UPDATE SET count = daily_totals.count + excluded.count, \
         amount = daily_totals.amount + excluded.amount",
        &rows.collect::<Vec<Vec<Param>>>(),
    )
}

/// What a wallet spent on the days from `from` to the one before `to`, in millionths: charges and captures less refunds.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn spent(tx: &mut Tx, wallet: EnvironmentId, from: Timestamp, to: Timestamp) -> Result<i64> {
    let row = tx.first(
        "SELECT CAST(COALESCE(SUM(CASE kind WHEN 'refund' THEN -amount ELSE amount END), 0) AS BIGINT) FROM daily_totals \
         WHERE wallet_id = $1 AND day >= $2 AND day < $3 AND kind IN ('charge', 'capture', 'refund')",
        &[wallet.as_bytes().into(), from.into(), to.into()],
    )?;
    Ok(row.ok_or_else(|| Fault::data("a sum without a row"))?.int(0)?)
}

/// What a wallet spent on the days from `from` to the one before `to`, by category; categories without a charge are left out.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn spent_by_category(tx: &mut Tx, wallet: EnvironmentId, from: Timestamp, to: Timestamp) -> Result<Vec<Line>> {
    let rows = tx.query(
        "SELECT category, CAST(SUM(CASE kind WHEN 'refund' THEN 0 ELSE count END) AS BIGINT), \
         CAST(SUM(CASE kind WHEN 'refund' THEN -amount ELSE amount END) AS BIGINT) FROM daily_totals \
         WHERE wallet_id = $1 AND day >= $2 AND day < $3 AND kind IN ('charge', 'capture', 'refund') GROUP BY category",
        &[wallet.as_bytes().into(), from.into(), to.into()],
    )?;
    let mut lines = rows.iter().map(|row| line(row, 0)).collect::<Result<Vec<_>, Fault>>()?;
    lines.sort_by_key(|line| line.category);
    Ok(lines)
}

/// What a wallet spent on each of the days from `from` to the one before `to`, days in order.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn spent_by_day(tx: &mut Tx, wallet: EnvironmentId, from: Timestamp, to: Timestamp) -> Result<Vec<(Timestamp, Line)>> {
    let rows = tx.query(
        "SELECT day, category, CAST(SUM(CASE kind WHEN 'refund' THEN 0 ELSE count END) AS BIGINT), \
         CAST(SUM(CASE kind WHEN 'refund' THEN -amount ELSE amount END) AS BIGINT) FROM daily_totals \
         WHERE wallet_id = $1 AND day >= $2 AND day < $3 AND kind IN ('charge', 'capture', 'refund') \
         GROUP BY day, category ORDER BY day",
        &[wallet.as_bytes().into(), from.into(), to.into()],
    )?;
    Ok(rows.iter().map(|row| Ok((row.time(0)?, line(row, 1)?))).collect::<Result<_, Fault>>()?)
}

/// How many transfers of each kind a wallet had on the days from `from` to the one before `to`.
pub(super) fn count(tx: &mut Tx, wallet: EnvironmentId, from: Timestamp, to: Timestamp) -> Result<HashMap<TransferKind, i64>> {
    let rows = tx.query(
        "SELECT kind, CAST(SUM(count) AS BIGINT) FROM daily_totals WHERE wallet_id = $1 AND day >= $2 AND day < $3 GROUP BY kind",
        &[wallet.as_bytes().into(), from.into(), to.into()],
    )?;
    Ok(rows.iter().map(|row| Ok((row.word(0, TransferKind::parse)?, row.int(1)?))).collect::<Result<_, Fault>>()?)
}

fn line(row: &Row, column: usize) -> Result<Line, Fault> {
    Ok(Line { category: row.word(column, Category::parse)?, count: row.int(column + 1)?, amount: row.int(column + 2)? })
}

/// A day, a kind and a category.
type Key = (Timestamp, TransferKind, Category);

/// The projection worked out anew from a wallet's transfers.
#[derive(Default)]
pub(super) struct Tally(HashMap<Key, (i64, i64)>);

impl Tally {
    /// Takes the next transfer.
    pub(super) fn take(&mut self, transfer: &Transfer) {
        let key = (transfer.at.start_of_day(), transfer.kind, Category::of(&transfer.reference));
        let (count, amount) = self.0.entry(key).or_default();
        *count = count.saturating_add(1);
        *amount = amount.saturating_add(transfer.amount);
    }

    /// What the store keeps and does not follow from the transfers, and what follows and is not kept.
    pub(super) fn compare(mut self, tx: &mut Tx, wallet: EnvironmentId) -> Result<Vec<String>> {
        let rows = tx.query(
            "SELECT day, kind, category, count, amount FROM daily_totals WHERE wallet_id = $1 ORDER BY day, kind, category",
            &[wallet.as_bytes().into()],
        )?;
        let mut faults = Vec::new();
        for row in &rows {
            let key = (row.time(0)?, row.word(1, TransferKind::parse)?, row.word(2, Category::parse)?);
            let (kept, given) = ((row.int(3)?, row.int(4)?), self.0.remove(&key).unwrap_or_default());
            if kept != given {
                faults.push(fault(key, &format!("is kept as {} in {} transfers", kept.1, kept.0), given));
            }
        }
        faults.extend(self.0.into_iter().map(|(key, given)| fault(key, "is not kept", given)));
        Ok(faults)
    }
}

fn fault((day, kind, category): Key, kept: &str, (count, amount): (i64, i64)) -> String {
    let (date, kind, category) = (day.date(), kind.as_str(), category.as_str());
    format!("the total of {date} ({kind}, {category}) {kept}, the transfers give {amount} in {count}")
}
