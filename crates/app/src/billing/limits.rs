//! The limits that an owner sets on spending.

use serde_json::json;
use tandem_catalogue::{Error, Result};
use tandem_domain::{
    event::EventKind,
    spending::{LimitAction, SpendingLimit},
};
use tandem_kernel::{Caller, EnvironmentId, LimitId, Money, Scope, Timestamp};
use tandem_ledger::MOST;
use tandem_store::{
    Tx,
    repo::{accounts, ledger, limits as repo},
};

use super::MOST_NOTIFICATIONS;
use crate::{App, Finish, permit, spending::committed};

/// A limit on a calendar month's spending.
#[derive(Debug, Clone)]
pub struct SetMonthlyLimit {
    /// The most that a month may cost, in millionths.
    pub amount: i64,
    /// What happens then.
    pub action: LimitAction,
    /// Percentages at which the owner is told.
    pub notifications: Vec<i64>,
}

/// A limit and how much of it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitView {
    /// The limit, of the type `monthly`. It is active as long as it is there.
    pub limit: SpendingLimit,
    /// What this month cost so far.
    pub current_usage: Money,
    /// What this month may still cost beside what is set aside; nothing where the limit is passed.
    pub remaining: Money,
    /// How much of the limit is used, in hundredths of a percent; more than 10,000 where it is passed.
    pub used: i64,
}

/// Lists the limits of the caller's environment.
///
/// # Errors
/// `insufficient_scope`.
pub async fn limits(app: &App, caller: &Caller) -> Result<Vec<LimitView>> {
    permit(caller, Scope::BillingRead)?;
    let (pen, environment) = (app.pen(), caller.environment);
    let read = move |tx: &mut Tx| {
        let Some(limit) = repo::monthly(tx, environment)? else { return Ok(Vec::new()) };
        let settings = accounts::environment(tx, environment)?;
        let clock = settings.ok_or_else(|| Error::internal().because("a caller's environment does not exist"))?.clock;
        Ok(vec![view(tx, environment, limit, clock.at(pen.machine_now()))?])
    };
    app.store.read(read).await
}

/// Sets the limit on a month's spending. It holds at once, and for what the month has cost already.
///
/// # Errors
/// `out_of_range` for the amount or a percentage, `invalid_value` for too many of them, `insufficient_scope`.
pub async fn set_monthly_limit(
    app: &App,
    caller: &Caller,
    command: SetMonthlyLimit,
    finish: Finish<LimitView>,
) -> Result<LimitView> {
    let notifications = check(&command)?;
    permit(caller, Scope::BillingWrite)?;
    let (pen, environment) = (app.pen(), caller.environment);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, environment)?;
        let currency = ledger::wallet(tx, environment)?.currency;
        let before = repo::monthly(tx, environment)?;
        let limit = SpendingLimit {
            id: before.as_ref().map_or_else(|| desk.id(LimitId::new), |limit| limit.id),
            amount: Money::new(command.amount, currency),
            action: command.action,
            notifications: notifications.clone(),
            created_at: before.map_or(desk.now, |limit| limit.created_at),
        };
        repo::set_monthly(tx, environment, &limit)?;
        // Its owner knows what the month has cost already.
        let reached = limit.reached(committed(tx, environment, desk.now)?).unwrap_or(0);
        repo::set_told(tx, limit.id, desk.now.start_of_month(), reached)?;
        let data =
            json!({ "amount": limit.amount.to_string(), "action": limit.action.as_str(), "notifications": limit.notifications });
        desk.event(tx, &limit.id.to_string(), EventKind::LimitSet, &data)?;
        let view = view(tx, environment, limit, desk.now)?;
        finish(tx, &view)?;
        Ok(view)
    };
    app.store.write(work).await
}

/// The percentages in order and each once, after checking everything.
fn check(command: &SetMonthlyLimit) -> Result<Vec<i64>> {
    if !(0..=MOST).contains(&command.amount) {
        return Err(Error::out_of_range("amount", 0, MOST / Money::UNIT));
    }
    if command.notifications.len() > MOST_NOTIFICATIONS {
        return Err(Error::invalid_value("notifications", format!("must have at most {MOST_NOTIFICATIONS} entries")));
    }
    if command.notifications.iter().any(|percentage| !(1..=100).contains(percentage)) {
        return Err(Error::out_of_range("notifications", 1, 100));
    }
    let mut notifications = command.notifications.clone();
    notifications.sort_unstable();
    notifications.dedup();
    Ok(notifications)
}

fn view(tx: &mut Tx, environment: EnvironmentId, limit: SpendingLimit, now: Timestamp) -> Result<LimitView> {
    let month = now.start_of_month();
    let spent = ledger::spent(tx, environment, month, month.plus_months(1))?;
    let committed = committed(tx, environment, now)?;
    let currency = limit.amount.currency;
    let used = match i128::from(limit.amount.micros) {
        0 => 10_000, // nothing may be spent, so nothing is left
        amount => i64::try_from(i128::from(spent.max(0)) * 10_000 / amount).unwrap_or(i64::MAX),
    };
    Ok(LimitView {
        current_usage: Money::new(spent, currency),
        remaining: Money::new(limit.amount.micros.saturating_sub(committed).max(0), currency),
        used,
        limit,
    })
}
