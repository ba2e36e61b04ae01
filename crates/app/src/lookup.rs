//! Looking a telephone number up, for a price that is charged once for what is known and not at all for what is no number.

use tandem_catalogue::Result;
use tandem_domain::lookup::{self, Known};
use tandem_kernel::{Caller, Scope, TransferId, Unfit};
use tandem_ledger::{Cause, Posting, transfer_id};
use tandem_store::{Tx, repo::ledger};

use crate::{App, Finish, Operation, app::Desk, permit, spending};

/// A number that was looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookedUp {
    /// What was asked about.
    pub asked: String,
    /// What is known of it, or why it is no number.
    pub answer: Result<Known, Unfit>,
    /// What it cost, in millionths.
    pub price: i64,
}

/// Looks a number up. `free` is for those who only ask whether there is an answer.
///
/// # Errors
/// `insufficient_scope`, then `spending_limit_reached` and `insufficient_funds`.
pub async fn look_up(
    app: &App,
    caller: &Caller,
    operation: Operation,
    asked: String,
    free: bool,
    finish: Finish<LookedUp>,
) -> Result<LookedUp> {
    permit(caller, Scope::NumbersRead)?;
    let answer = lookup::look_up(&asked);
    let price = if answer.is_ok() && !free { app.settings.lookup_price } else { 0 };
    let found = LookedUp { asked, answer, price };
    let (pen, caller) = (app.pen(), *caller);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, caller.environment)?;
        charge(tx, &desk, &caller, operation, &found)?;
        finish(tx, &found)?;
        Ok(found.clone())
    };
    app.store.write(work).await
}

fn charge(tx: &mut Tx, desk: &Desk, caller: &Caller, operation: Operation, found: &LookedUp) -> Result<()> {
    if found.price == 0 {
        return Ok(());
    }
    // A repetition that found its answer lost is the same operation.
    let id = transfer_id(desk.settings.id, &[&TransferId::from_bytes(operation.0).to_string(), "lookup"]);
    if ledger::transfer(tx, id)?.is_some() {
        return Ok(());
    }
    spending::check(tx, desk, found.price)?;
    let cause = Cause {
        id,
        reference: caller.request.to_string(),
        description: format!("Lookup of {}", found.asked),
        purpose: "to look this number up".into(),
    };
    ledger::post(tx, desk.settings.id, vec![(Posting::Charge(found.price), cause)], desk.now).map(drop)
}
