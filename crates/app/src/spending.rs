//! Whether an account's own limits allow a charge.

use serde_json::json;
use tandem_catalogue::Result;
use tandem_domain::{event::EventKind, spending::SpendingLimit};
use tandem_kernel::{EnvironmentId, Timestamp};
use tandem_store::{
    Tx,
    repo::{ledger, limits},
};

use crate::app::Desk;

/// What a month's limit leaves, for several charges of one unit of work. What is set aside counts as spent.
pub(crate) struct Budget {
    limit: Option<SpendingLimit>,
    spent: i64,
}

/// What a month has cost so far, and what is set aside for what has begun.
pub(crate) fn committed(tx: &mut Tx, environment: EnvironmentId, now: Timestamp) -> Result<i64> {
    let month = now.start_of_month();
    let spent = ledger::spent(tx, environment, month, month.plus_months(1))?;
    Ok(spent.saturating_add(ledger::wallet(tx, environment)?.held))
}

impl Budget {
    pub(crate) fn open(tx: &mut Tx, desk: &Desk) -> Result<Self> {
        let limit = limits::monthly(tx, desk.settings.id)?;
        let spent = if limit.is_some() { committed(tx, desk.settings.id, desk.now)? } else { 0 };
        Ok(Self { limit, spent })
    }

    /// Checks a charge of `more` millionths.
    pub(crate) fn check(&self, more: i64) -> Result<()> {
        self.limit.as_ref().map_or(Ok(()), |limit| limit.check(self.spent, more))
    }

    /// Counts a charge that was checked.
    pub(crate) fn take(&mut self, more: i64) {
        self.spent = self.spent.saturating_add(more);
    }

    /// Tells the owner of the threshold that the charges pass together, once a month.
    pub(crate) fn close(self, tx: &mut Tx, desk: &Desk) -> Result<()> {
        let Some(limit) = self.limit else { return Ok(()) };
        let Some(percent) = limit.reached(self.spent) else { return Ok(()) };
        let month = desk.now.start_of_month();
        if limits::told(tx, limit.id, month)? >= percent {
            return Ok(()); // what was set aside for something that was not done is spent anew
        }
        limits::set_told(tx, limit.id, month, percent)?;
        let data = json!({ "percentage": percent, "amount": limit.amount.to_string(), "month": month.date() });
        desk.event(tx, &limit.id.to_string(), EventKind::LimitReached, &data)
    }
}

/// Checks a charge of `more` millionths against the month's limit, and tells the owner of thresholds that it passes. Renewals
/// are not asked about: a number lost for want of a raised limit would cost its owner more.
///
/// # Errors
/// `spending_limit_reached`.
pub(crate) fn check(tx: &mut Tx, desk: &Desk, more: i64) -> Result<()> {
    let mut budget = Budget::open(tx, desk)?;
    budget.check(more)?;
    budget.take(more);
    budget.close(tx, desk)
}
