//! How a verification ends: each has one end, and one event that tells of it.

use tandem_catalogue::{Error, Result};
use tandem_domain::{
    Explanation,
    event::EventKind,
    verification::{State, Verification},
};
use tandem_kernel::{Caller, Scope, VerificationId};
use tandem_store::{
    Tx,
    repo::{jobs, verifications},
};

use super::data;
use crate::{App, Finish, app::Desk, due::Done, permit};

/// The due work that ends a verification whose time is over.
pub const EXPIRY_JOB: &str = "verification.expire";

/// Ends a pending verification.
pub(super) fn end(tx: &mut Tx, desk: &Desk, verification: Verification, state: State) -> Result<Verification> {
    let after = verification.ended(state, desk.now);
    verifications::update(tx, &after)?;
    let why = Explanation::of("verification", after.id.to_string());
    desk.explain(tx, &why.concluding(after.state.as_str()))?;
    told(tx, desk, &after)?;
    Ok(after)
}

/// Tells of an end that is written, and that nobody need come for it.
pub(super) fn told(tx: &mut Tx, desk: &Desk, verification: &Verification) -> Result<()> {
    jobs::cancel(tx, EXPIRY_JOB, verification.id.as_bytes())?;
    let kind = match verification.state {
        State::Pending(_) => return Ok(()),
        State::Approved => EventKind::VerifyChecked,
        State::Expired => EventKind::VerifyExpired,
        State::MaxAttemptsReached => EventKind::VerifyFailed,
        State::Canceled => EventKind::VerifyCanceled,
    };
    desk.event(tx, &verification.id.to_string(), kind, &data(verification))
}

/// Due work: ends a verification whose time is over, unless it has ended.
///
/// # Errors
/// Faults of the store.
pub fn expire(tx: &mut Tx, desk: &Desk, id: VerificationId) -> Result<Done> {
    match verifications::by_id(tx, id)? {
        Some(verification) if matches!(verification.state, State::Pending(_)) => {
            if verification.is_live(desk.now) {
                return Ok(Done::Again(verification.expires_at));
            }
            end(tx, desk, verification, State::Expired)?;
            Ok(Done::Finished)
        }
        _ => Ok(Done::Finished),
    }
}

/// Calls a verification off.
///
/// # Errors
/// `verification_not_found`, `insufficient_scope`, `invalid_transition` for one that is over.
pub async fn cancel(app: &App, caller: &Caller, id: String, finish: Finish<Verification>) -> Result<Verification> {
    let (pen, caller) = (app.pen(), *caller);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, caller.environment)?;
        let verification = super::read::find(tx, caller.environment, &id)?;
        permit(&caller, Scope::MessagesWrite)?;
        if !verification.is_live(desk.now) {
            let state = if matches!(verification.state, State::Pending(_)) { "expired" } else { verification.state.as_str() };
            return Err(Error::invalid_transition("verification", state, "canceled"));
        }
        let after = end(tx, &desk, verification, State::Canceled)?;
        finish(tx, &after)?;
        Ok(after)
    };
    let canceled = app.store.write(work).await?;
    app.mailbox.ring();
    Ok(canceled)
}
