//! A wallet's transfers as its owner is shown them: a hold and what became of it are one transaction.

use tandem_catalogue::Result;
use tandem_domain::billing::{Transaction, TransactionStatus, TransactionType};
use tandem_kernel::{Currency, EnvironmentId, Money, Timestamp, TransferId};
use tandem_ledger::TransferKind;

use super::totals;
use crate::{Fault, Row, Tx};

/// Which transactions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Filter {
    /// Only those of this type.
    pub kind: Option<TransactionType>,
    /// Only those that are here.
    pub status: Option<TransactionStatus>,
    /// Only those made at this instant or later.
    pub from: Timestamp,
    /// Only those made before this instant.
    pub until: Timestamp,
}

/// A hold that is settled, and of which something was captured.
const CAPTURED: &str = " AND EXISTS (SELECT 1 FROM holds s WHERE s.id = transfers.id AND s.remaining = 0 AND s.captured > 0)";
const OPEN: &str = "h.remaining > 0";
const CANCELLED: &str = "h.remaining = 0 AND h.captured = 0";

/// A page of a wallet's transactions, newest first, and how many there are in all.
///
/// The page is merged from one walk down an index for each kind of transfer. The total comes from the daily totals; only days of
/// which a part is asked for are counted in the index.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn page(
    tx: &mut Tx,
    wallet: EnvironmentId,
    currency: Currency,
    filter: &Filter,
    limit: i64,
    offset: i64,
) -> Result<(Vec<Transaction>, i64)> {
    let kinds: Vec<TransferKind> = match filter.kind {
        Some(kind) => kind.kinds().to_vec(),
        None => TransactionType::ALL.iter().flat_map(|kind| kind.kinds()).copied().collect(),
    };
    let holds = kinds.contains(&TransferKind::Hold);
    let (sql, total) = match filter.status {
        None => (walk(&kinds, ""), count(tx, wallet, filter, &kinds)?),
        Some(TransactionStatus::Completed) => {
            let others =
                if holds { count_holds(tx, wallet, filter, OPEN)? + count_holds(tx, wallet, filter, CANCELLED)? } else { 0 };
            (walk(&kinds, CAPTURED), count(tx, wallet, filter, &kinds)? - others)
        }
        Some(TransactionStatus::Pending) if holds => (of_holds(OPEN), count_holds(tx, wallet, filter, OPEN)?),
        Some(TransactionStatus::Cancelled) if holds => (of_holds(CANCELLED), count_holds(tx, wallet, filter, CANCELLED)?),
        Some(_) => return Ok((Vec::new(), 0)),
    };
    if total == 0 {
        return Ok((Vec::new(), 0));
    }
    let rows =
        tx.query_built(&sql, &[wallet.as_bytes().into(), filter.from.into(), filter.until.into(), limit.into(), offset.into()])?;
    let transactions = rows.iter().map(|row| transaction(row, currency)).collect::<Result<_, Fault>>()?;
    Ok((transactions, total))
}

/// The statement that merges walks over the kinds; holds must also meet `settled`.
fn walk(kinds: &[TransferKind], settled: &str) -> String {
    let walks = kinds.iter().map(|kind| {
        let more = if *kind == TransferKind::Hold { settled } else { "" };
        format!(
            "SELECT id, kind, amount, reference, description, posted_at, sequence FROM transfers \
             WHERE wallet_id = $1 AND kind = '{}' AND posted_at >= $2 AND posted_at < $3{more}",
            kind.as_str()
        )
    });
    let walks = walks.collect::<Vec<_>>().join(" UNION ALL ");
    format!(
        "SELECT t.id, t.kind, t.amount, t.reference, t.description, t.posted_at, h.remaining, h.captured FROM \
         ({walks} ORDER BY posted_at DESC, sequence DESC LIMIT $4 OFFSET $5) t \
         LEFT JOIN holds h ON h.id = t.id ORDER BY t.posted_at DESC, t.sequence DESC"
    )
}

/// The statement for the few holds that a partial index has.
fn of_holds(state: &str) -> String {
    format!(
        "SELECT t.id, t.kind, t.amount, t.reference, t.description, t.posted_at, h.remaining, h.captured FROM holds h \
         JOIN transfers t ON t.id = h.id WHERE h.wallet_id = $1 AND {state} AND h.posted_at >= $2 AND h.posted_at < $3 \
         ORDER BY h.posted_at DESC, h.sequence DESC LIMIT $4 OFFSET $5"
    )
}

fn count(tx: &mut Tx, wallet: EnvironmentId, filter: &Filter, kinds: &[TransferKind]) -> Result<i64> {
    let (first, last) = (filter.from.start_of_day(), filter.until.start_of_day());
    let first = if first < filter.from { first.plus_days(1) } else { first };
    if first > last {
        return count_each(tx, wallet, (filter.from, filter.until), kinds); // within one day
    }
    let days = totals::count(tx, wallet, first, last)?;
    let whole: i64 = kinds.iter().filter_map(|kind| days.get(kind)).sum();
    let before = count_each(tx, wallet, (filter.from, first), kinds)?;
    let after = count_each(tx, wallet, (last, filter.until), kinds)?;
    Ok(before + whole + after)
}

/// Counts transfers one by one.
fn count_each(tx: &mut Tx, wallet: EnvironmentId, (from, until): (Timestamp, Timestamp), kinds: &[TransferKind]) -> Result<i64> {
    if from >= until || kinds.is_empty() {
        return Ok(0);
    }
    let kinds = kinds.iter().map(|kind| format!("'{}'", kind.as_str())).collect::<Vec<_>>().join(", ");
    let sql =
        format!("SELECT COUNT(*) FROM transfers WHERE wallet_id = $1 AND kind IN ({kinds}) AND posted_at >= $2 AND posted_at < $3");
    counted(tx, wallet, (from, until), &sql)
}

fn count_holds(tx: &mut Tx, wallet: EnvironmentId, filter: &Filter, state: &str) -> Result<i64> {
    let sql = format!("SELECT COUNT(*) FROM holds h WHERE h.wallet_id = $1 AND {state} AND h.posted_at >= $2 AND h.posted_at < $3");
    counted(tx, wallet, (filter.from, filter.until), &sql)
}

fn counted(tx: &mut Tx, wallet: EnvironmentId, (from, until): (Timestamp, Timestamp), sql: &str) -> Result<i64> {
    let rows = tx.query_built(sql, &[wallet.as_bytes().into(), from.into(), until.into()])?;
    Ok(rows.first().ok_or_else(|| Fault::data("a count without a row"))?.int(0)?)
}

fn transaction(row: &Row, currency: Currency) -> Result<Transaction, Fault> {
    let kind = row.word(1, TransferKind::parse)?;
    let moved = row.int(2)?;
    let (status, amount) = match (kind, row.opt_int(6)?, row.opt_int(7)?) {
        (TransferKind::Withdrawal, ..) => (TransactionStatus::Completed, moved.saturating_neg()),
        (TransferKind::Hold, Some(0), Some(0)) => (TransactionStatus::Cancelled, moved),
        (TransferKind::Hold, Some(0), Some(captured)) => (TransactionStatus::Completed, captured),
        (TransferKind::Hold, ..) => (TransactionStatus::Pending, moved),
        _ => (TransactionStatus::Completed, moved),
    };
    Ok(Transaction {
        id: TransferId::from_bytes(row.array(0)?),
        kind: TransactionType::of(kind).ok_or_else(|| Fault::shape(1))?,
        status,
        amount: Money::new(amount, currency),
        reference: row.text(3)?.to_owned(),
        description: row.text(4)?.to_owned(),
        created_at: row.time(5)?,
    })
}
