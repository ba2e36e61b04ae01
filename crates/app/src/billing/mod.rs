//! Billing: what was used, what was paid, what is invoiced, and the limits that owners set on it.

mod invoices;
mod limits;
mod transactions;
mod usage;

pub use invoices::{INVOICE_JOB, InvoiceDetail, InvoiceList, ListInvoices, get_invoice, list_invoices};
pub use limits::{LimitView, SetMonthlyLimit, limits, set_monthly_limit};
pub use transactions::{ListTransactions, TransactionList, transactions};
pub use usage::{ApiCalls, Metered, NumbersHeld, ReadUsage, SMS_MESSAGES, Usage, UsageStep, VOICE_SECONDS, usage};

pub(crate) use invoices::{issue, schedule_first};

use tandem_catalogue::{Error, Result};
use tandem_kernel::Timestamp;

/// The most percentages at which an owner is told, of one limit.
pub const MOST_NOTIFICATIONS: usize = 10;

/// The instants between which something is listed: from the first on, up to before the second.
fn between(from: Option<Timestamp>, until: Option<Timestamp>) -> Result<(Timestamp, Timestamp)> {
    let (from, until) = (from.unwrap_or_default(), until.unwrap_or(Timestamp::MAX));
    if from < until { Ok((from, until)) } else { Err(Error::invalid_value("end_date", "must not lie before start_date")) }
}
