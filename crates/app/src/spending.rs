//! Whether an account's own limits allow a charge.

use serde_json::json;
use tandem_catalogue::Result;
use tandem_domain::event::EventKind;
use tandem_store::{
    Tx,
    repo::{ledger, limits},
};

use crate::app::Desk;

/// Checks a charge of `more` millionths against the month's limit, and tells the owner of thresholds that it passes. Renewals
/// are not asked about: a number lost for want of a raised limit would cost its owner more.
///
/// # Errors
/// `spending_limit_reached`.
pub(crate) fn check(tx: &mut Tx, desk: &Desk, more: i64) -> Result<()> {
    let Some(limit) = limits::monthly(tx, desk.settings.id)? else { return Ok(()) };
    let month = desk.now.start_of_month();
    let spent = ledger::spent(tx, desk.settings.id, month, month.plus_months(1))?;
    limit.check(spent, more)?;
    if let Some(percent) = limit.passed(spent, spent.saturating_add(more)) {
        let data = json!({ "percentage": percent, "amount": limit.amount.to_string(), "month": month.date() });
        desk.event(tx, &limit.id.to_string(), EventKind::LimitReached, &data)?;
    }
    Ok(())
}
