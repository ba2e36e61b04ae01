//! Monthly invoices: in arrears, one for each calendar month of the environment's clock in which anything was charged.
//!
//! An invoice covers what was charged up to the end of its month and is on no earlier invoice, so that each charge is on exactly
//! one. Where the clocks of several nodes differ by a moment, a charge may be posted in a month that was just invoiced: it is on
//! the next one. Refunds are taken off, so an invoice can be below zero.

use serde_json::json;
use tandem_catalogue::{Error, Result};
use tandem_domain::{
    account::Account,
    billing::{Invoice, InvoiceStatus, Line},
    event::EventKind,
};
use tandem_kernel::{Caller, EnvironmentId, InvoiceId, Money, Scope, Timestamp};
use tandem_ledger::transfer_id;
use tandem_store::{
    Tx,
    repo::{accounts, invoices as repo, ledger, totals},
};

use super::between;
use crate::{
    App,
    app::{Desk, Pen},
    due::Done,
    permit,
};

/// The due work that writes the invoice of the month before. Its step is the month's first instant, so that each is written once.
pub const INVOICE_JOB: &str = "invoice.issue";

/// Which invoices to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct ListInvoices {
    /// Only those that are here.
    pub status: Option<InvoiceStatus>,
    /// Only those of months that begin at this instant or later.
    pub from: Option<Timestamp>,
    /// Only those of months that begin before this instant.
    pub until: Option<Timestamp>,
    /// How many.
    pub limit: i64,
    /// How many to leave out.
    pub offset: i64,
}

/// A page of invoices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceList {
    /// The page, newest first; the draft of the present month is the newest.
    pub invoices: Vec<Invoice>,
    /// How many there are in all.
    pub total: i64,
}

/// An invoice and whom it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceDetail {
    /// The invoice.
    pub invoice: Invoice,
    /// The customer.
    pub customer: Account,
}

/// Lists invoices. The present month has a draft as soon as anything was charged in it.
///
/// # Errors
/// `invalid_value` where the period ends before it begins, `insufficient_scope`.
pub async fn list_invoices(app: &App, caller: &Caller, command: ListInvoices) -> Result<InvoiceList> {
    let (from, until) = between(command.from, command.until)?;
    permit(caller, Scope::BillingRead)?;
    let (pen, environment) = (app.pen(), caller.environment);
    let ListInvoices { status, limit, offset, .. } = command;
    let read = move |tx: &mut Tx| {
        let drafts = matches!(status, None | Some(InvoiceStatus::Draft));
        let draft = if drafts { draft(tx, &pen, environment)? } else { None };
        let draft = draft.filter(|draft| draft.period_start >= from && draft.period_start < until);
        let ahead = i64::from(draft.is_some());
        let (written, total) = match status {
            None | Some(InvoiceStatus::Paid) => {
                let draft_shown = i64::from(ahead == 1 && offset == 0);
                repo::list(tx, environment, (from, until), limit - draft_shown, (offset - ahead).max(0))?
            }
            Some(InvoiceStatus::Draft | InvoiceStatus::Issued | InvoiceStatus::Overdue) => (Vec::new(), 0),
        };
        let shown = draft.into_iter().filter(|_| offset == 0 && limit > 0);
        Ok(InvoiceList { invoices: shown.chain(written).collect(), total: total + ahead })
    };
    app.store.read(read).await
}

/// Reads an invoice, or the present month's draft.
///
/// # Errors
/// `invoice_not_found`, `insufficient_scope`.
pub async fn get_invoice(app: &App, caller: &Caller, id: String) -> Result<InvoiceDetail> {
    let (pen, environment) = (app.pen(), caller.environment);
    let read = move |tx: &mut Tx| {
        let invoice = match InvoiceId::parse(&id) {
            Some(id) => match repo::get(tx, environment, id)? {
                Some(invoice) => Some(invoice),
                None => draft(tx, &pen, environment)?.filter(|draft| draft.id == id),
            },
            None => None,
        };
        let invoice = invoice.ok_or_else(|| Error::invoice_not_found(id.clone()))?;
        let settings = accounts::environment(tx, environment)?;
        let customer = settings.map(|settings| accounts::get(tx, settings.account)).transpose()?.flatten();
        let customer = customer.ok_or_else(|| Error::internal().because("a caller's account does not exist"))?;
        Ok(InvoiceDetail { invoice, customer })
    };
    let found = app.store.read(read).await?;
    permit(caller, Scope::BillingRead)?;
    Ok(found)
}

/// Schedules the invoice of an environment's first month.
///
/// # Errors
/// Faults of the store.
pub(crate) fn schedule_first(tx: &mut Tx, desk: &Desk) -> Result<()> {
    schedule(tx, desk, desk.now.start_of_month())
}

/// Due work: writes the invoice of the month that began at `month`, if anything was charged in it, and schedules the next.
///
/// # Errors
/// Faults of the store.
pub(crate) fn issue(tx: &mut Tx, desk: &Desk, month: Timestamp) -> Result<Done> {
    let open = uninvoiced(tx, desk.settings.id, month)?;
    if let Some(invoice) = open.map(|invoice| Invoice { issued_at: Some(desk.now), ..invoice })
        && repo::insert(tx, &invoice)?
    {
        let data = json!({ "number": invoice.number(), "month": month.date(), "amount": invoice.amount.to_string() });
        desk.event(tx, &invoice.id.to_string(), EventKind::InvoiceIssued, &data)?;
    }
    schedule(tx, desk, month.plus_months(1))?;
    Ok(Done::Finished)
}

fn schedule(tx: &mut Tx, desk: &Desk, month: Timestamp) -> Result<()> {
    let due_at = month.plus_months(1);
    if due_at == Timestamp::MAX {
        return Ok(()); // the calendar ends here
    }
    desk.schedule(tx, INVOICE_JOB, *desk.settings.id.as_bytes(), month.micros(), due_at)
}

/// The present month's invoice as it would be written now.
fn draft(tx: &mut Tx, pen: &Pen, environment: EnvironmentId) -> Result<Option<Invoice>> {
    let settings = accounts::environment(tx, environment)?;
    let clock = settings.ok_or_else(|| Error::internal().because("a caller's environment does not exist"))?.clock;
    uninvoiced(tx, environment, clock.at(pen.machine_now()).start_of_month())
}

/// What was charged up to the end of a month and is on no invoice yet; `None` where that is nothing.
fn uninvoiced(tx: &mut Tx, environment: EnvironmentId, month: Timestamp) -> Result<Option<Invoice>> {
    let wallet = ledger::wallet(tx, environment)?;
    let end = month.plus_months(1);
    let written = repo::all(tx, environment)?;
    if written.last().is_some_and(|last| last.period_start >= month) {
        return Ok(None); // only a clock that was set back comes here
    }
    let mut lines = totals::spent_by_category(tx, environment, Timestamp::default(), end)?;
    for earlier in written.into_iter().flat_map(|invoice| invoice.lines) {
        match lines.iter_mut().find(|line| line.category == earlier.category) {
            Some(line) => {
                line.count = line.count.saturating_sub(earlier.count);
                line.amount = line.amount.saturating_sub(earlier.amount);
            }
            None => lines.push(Line { count: -earlier.count, amount: -earlier.amount, ..earlier }),
        }
    }
    lines.retain(|line| (line.count, line.amount) != (0, 0));
    if lines.is_empty() {
        return Ok(None);
    }
    lines.sort_by_key(|line| line.category);
    let amount = lines.iter().map(|line| line.amount).fold(0, i64::saturating_add);
    Ok(Some(Invoice {
        id: invoice_id(environment, month),
        environment,
        period_start: month,
        period_end: end,
        lines,
        amount: Money::new(amount, wallet.currency),
        sequence: wallet.sequence,
        issued_at: None,
    }))
}

/// The id of an environment's invoice for a month, the same before and after it is written.
fn invoice_id(environment: EnvironmentId, month: Timestamp) -> InvoiceId {
    InvoiceId::from_bytes(*transfer_id(environment, &["invoice", &month.date()]).as_bytes())
}
