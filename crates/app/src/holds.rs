//! Money that is set aside for work that may never report back.
//!
//! Orders and ports set money aside and settle it themselves: due work of their own asks the carrier until it answers, so their
//! holds are posted to the ledger directly and never lapse here. So are those of calls: a test environment's clock may be moved while
//! people speak, and [`crate::calls::reconcile`] ends calls whose process is gone. Whatever has nobody that is sure to come back places
//! its hold with [`place`]: what is left of it at its deadline goes back to the wallet, once.

use serde_json::json;
use tandem_catalogue::{Error, Result};
use tandem_domain::{Explanation, event::EventKind};
use tandem_kernel::{Money, Timestamp, TransferId};
use tandem_ledger::{Cause, Posting, transfer_id};
use tandem_store::{
    Tx,
    repo::{jobs, ledger},
};

use crate::{app::Desk, due::Done};

/// The due work that gives back what is left of a hold at its deadline.
pub const HOLD_JOB: &str = "hold.expire";

/// Sets money aside until `deadline`, by the environment's clock. The same cause sets it aside once.
///
/// # Errors
/// `insufficient_funds`, `out_of_range` for an amount that is none.
pub fn place(tx: &mut Tx, desk: &Desk, amount: i64, deadline: Timestamp, cause: Cause) -> Result<TransferId> {
    let id = cause.id;
    ledger::post(tx, desk.settings.id, vec![(Posting::Hold(amount, deadline), cause)], desk.now)?;
    desk.schedule(tx, HOLD_JOB, *id.as_bytes(), 0, deadline)?;
    Ok(id)
}

/// Says that nothing is left of a hold, so that nobody comes for it at its deadline. A hold for which this is forgotten is looked
/// at once in vain.
///
/// # Errors
/// Faults of the store.
pub fn settled(tx: &mut Tx, id: TransferId) -> Result<()> {
    jobs::cancel(tx, HOLD_JOB, id.as_bytes())
}

/// Due work: gives back what is left of a hold.
///
/// # Errors
/// Faults of the store.
pub(crate) fn expire(tx: &mut Tx, desk: &Desk, id: TransferId) -> Result<Done> {
    let wallet = desk.settings.id;
    let Some(open) = ledger::open_hold(tx, wallet, id)? else { return Ok(Done::Finished) };
    let hold = ledger::transfer(tx, id)?.ok_or_else(|| Error::internal().because("a hold without its transfer"))?;
    let name = id.to_string();
    let cause = Cause {
        id: transfer_id(wallet, &[&name, "expiry"]),
        reference: hold.reference.clone(),
        description: format!("{}: given back at its deadline", hold.description),
        purpose: "for this operation".into(),
    };
    ledger::post(tx, wallet, vec![(Posting::Release(id, open.remaining), cause)], desk.now)?;
    let left = Money::new(open.remaining, ledger::wallet(tx, wallet)?.currency);
    desk.event(tx, &name, EventKind::HoldExpired, &json!({ "amount": left.to_string(), "reference": hold.reference }))?;
    let mut explanation = Explanation::of("hold", name);
    let deadline = hold.deadline.unwrap_or(desk.now);
    explanation.note("the hold was settled before its deadline", format!("{deadline}, {left} left"), false);
    desk.explain(tx, &explanation.concluding(format!("{left} went back to the wallet")))?;
    Ok(Done::Finished)
}
