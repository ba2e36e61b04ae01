//! Monthly invoices.

use serde::{Deserialize, Serialize};
use tandem_catalogue::Result;
use tandem_domain::billing::{Invoice, Line};
use tandem_kernel::{EnvironmentId, InvoiceId, Timestamp};
use tandem_ledger::Category;

use crate::{Fault, Row, Tx, codec};

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, environment_id, period_start, period_end, amount, currency, lines, sequence, issued_at FROM invoices ",
            $rest
        )
    };
}

#[derive(Serialize, Deserialize)]
struct LineRow {
    category: String,
    count: i64,
    amount: i64,
}

/// Writes an invoice; `false` where the environment has one of that month already.
///
/// # Errors
/// `internal` for a draft, which is not written, and faults of the store.
pub fn insert(tx: &mut Tx, invoice: &Invoice) -> Result<bool> {
    let issued_at = invoice.issued_at.ok_or_else(|| Fault::data("no drafts of invoices"))?;
    let lines = invoice.lines.iter();
    let lines: Vec<LineRow> =
        lines.map(|line| LineRow { category: line.category.as_str().to_owned(), count: line.count, amount: line.amount }).collect();
    let changed = tx.execute(
        "INSERT INTO invoices (id, environment_id, period_start, period_end, amount, currency, lines, sequence, issued_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (environment_id, period_start) DO NOTHING",
        &[
            invoice.id.as_bytes().into(),
            invoice.environment.as_bytes().into(),
            invoice.period_start.into(),
            invoice.period_end.into(),
            invoice.amount.micros.into(),
            invoice.amount.currency.as_str().into(),
            (&codec::to_text(&lines)).into(),
            invoice.sequence.into(),
            issued_at.into(),
        ],
    )?;
    Ok(changed == 1)
}

/// Reads an invoice.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn get(tx: &mut Tx, environment: EnvironmentId, id: InvoiceId) -> Result<Option<Invoice>> {
    let row =
        tx.first(columns!("WHERE id = $1 AND environment_id = $2"), &[id.as_bytes().into(), environment.as_bytes().into()])?;
    Ok(row.map(|row| invoice(&row)).transpose()?)
}

/// An environment's invoices of months that begin from `from` to before `until`, newest first, and how many there are in all.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn list(
    tx: &mut Tx,
    environment: EnvironmentId,
    (from, until): (Timestamp, Timestamp),
    limit: i64,
    offset: i64,
) -> Result<(Vec<Invoice>, i64)> {
    let environment = environment.as_bytes();
    let rows = tx.query(
        columns!(
            "WHERE environment_id = $1 AND period_start >= $2 AND period_start < $3 ORDER BY period_start DESC LIMIT $4 OFFSET $5"
        ),
        &[environment.into(), from.into(), until.into(), limit.into(), offset.into()],
    )?;
    let total = tx.first(
        "SELECT COUNT(*) FROM invoices WHERE environment_id = $1 AND period_start >= $2 AND period_start < $3",
        &[environment.into(), from.into(), until.into()],
    )?;
    let total = total.ok_or_else(|| Fault::data("a count without a row"))?.int(0)?;
    Ok((rows.iter().map(invoice).collect::<Result<_, Fault>>()?, total))
}

/// All of an environment's invoices, oldest first: twelve a year at the most.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn all(tx: &mut Tx, environment: EnvironmentId) -> Result<Vec<Invoice>> {
    let rows = tx.query(columns!("WHERE environment_id = $1 ORDER BY period_start"), &[environment.as_bytes().into()])?;
    Ok(rows.iter().map(invoice).collect::<Result<_, Fault>>()?)
}

fn invoice(row: &Row) -> Result<Invoice, Fault> {
    let lines: Vec<LineRow> = codec::from_text(row.text(6)?)?;
    let lines = lines.into_iter().map(|line| {
        let category = Category::parse(&line.category).ok_or_else(|| Fault::shape(6))?;
        Ok(Line { category, count: line.count, amount: line.amount })
    });
    Ok(Invoice {
        id: InvoiceId::from_bytes(row.array(0)?),
        environment: EnvironmentId::from_bytes(row.array(1)?),
        period_start: row.time(2)?,
        period_end: row.time(3)?,
        lines: lines.collect::<Result<_, Fault>>()?,
        amount: row.money(4, 5)?,
        sequence: row.int(7)?,
        issued_at: Some(row.time(8)?),
    })
}
