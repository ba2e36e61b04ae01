//! Checking a code that somebody typed.

use subtle::ConstantTimeEq;
use tandem_catalogue::{Error, Result};
use tandem_domain::{
    Explanation,
    verification::{CHECKS, State, Verification},
};
use tandem_kernel::{Caller, PhoneNumber, Scope};
use tandem_store::{Tx, repo::verifications};

use super::{
    end::{end, told},
    mac_of,
};
use crate::{
    App, Finish,
    app::{Desk, Pen},
    permit,
};

/// A code to check.
#[derive(Clone)]
pub struct CheckVerification {
    /// The number that it was sent to.
    pub phone: PhoneNumber,
    /// The code, as somebody typed it.
    pub code: String,
}

/// What a check came to.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The verification afterwards.
    pub verification: Verification,
    /// Whether this check approved it.
    pub valid: bool,
}

/// Checks a code. Only a check that approves is `valid`; one of a verification that is over changes nothing.
///
/// # Errors
/// `verification_not_found`, `insufficient_scope`.
pub async fn check(app: &App, caller: &Caller, command: CheckVerification, finish: Finish<Checked>) -> Result<Checked> {
    let (pen, caller) = (app.pen(), *caller);
    let checked = app.store.write(move |tx| check_one(tx, &pen, &caller, &command, &finish)).await?;
    app.mailbox.ring();
    Ok(checked)
}

fn check_one(tx: &mut Tx, pen: &Pen, caller: &Caller, command: &CheckVerification, finish: &Finish<Checked>) -> Result<Checked> {
    let desk = pen.open(tx, caller.environment)?;
    let latest = verifications::latest(tx, caller.environment, command.phone)?;
    let verification = latest.ok_or_else(|| Error::verification_not_found(command.phone.to_string()))?;
    permit(caller, Scope::Verify)?;
    let checked = try_code(tx, &desk, verification, &command.code)?;
    finish(tx, &checked)?;
    Ok(checked)
}

fn try_code(tx: &mut Tx, desk: &Desk, verification: Verification, code: &str) -> Result<Checked> {
    let State::Pending(secret) = &verification.state else {
        return Ok(Checked { verification, valid: false });
    };
    if !verification.is_live(desk.now) {
        return Ok(Checked { verification: end(tx, desk, verification, State::Expired)?, valid: false });
    }
    let valid = bool::from(mac_of(&desk.pen.vault, verification.id, code).ct_eq(&secret.mac));
    let after = verification.checked(valid, desk.now);
    verifications::update(tx, &after)?;
    let mut why = Explanation::of("check", after.id.to_string());
    why.note("the code is the one that was sent", format!("check {} of {CHECKS}", after.checks), valid);
    desk.explain(tx, &why.concluding(after.state.as_str()))?;
    if after.ended_at.is_some() {
        told(tx, desk, &after)?;
    }
    Ok(Checked { verification: after, valid })
}
