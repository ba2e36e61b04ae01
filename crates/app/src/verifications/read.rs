//! Reading verifications and why they came out as they did.

use tandem_catalogue::{Error, Result};
use tandem_domain::verification::Verification;
use tandem_kernel::{Caller, EnvironmentId, ExplanationId, PhoneNumber, Scope, VerificationId};
use tandem_store::{
    Tx,
    repo::{
        explanations::{self, Kept},
        verifications::{self, Filter, Sending},
    },
};

use crate::{App, explain::Which, permit};

/// Which verifications to list, newest first.
#[derive(Debug, Clone, Copy)]
pub struct ListVerifications {
    /// Only those of this number.
    pub phone: Option<PhoneNumber>,
    /// Only those in this state.
    pub state: Option<&'static str>,
    /// From the one before this.
    pub before: Option<VerificationId>,
    /// How many.
    pub limit: i64,
}

/// A verification with the sendings of its code.
#[derive(Debug, Clone)]
pub struct VerificationView {
    /// The verification.
    pub verification: Verification,
    /// How its code was sent, oldest first.
    pub sendings: Vec<Sending>,
}

pub(super) fn find(tx: &mut Tx, environment: EnvironmentId, id: &str) -> Result<Verification> {
    let found = match VerificationId::parse(id) {
        Some(id) => verifications::get(tx, environment, id)?,
        None => None,
    };
    found.ok_or_else(|| Error::verification_not_found(id.to_owned()))
}

/// Lists verifications.
///
/// # Errors
/// `insufficient_scope`.
pub async fn list(app: &App, caller: &Caller, query: ListVerifications) -> Result<Vec<Verification>> {
    permit(caller, Scope::MessagesRead)?;
    let environment = caller.environment;
    let before = query.before.unwrap_or(VerificationId::from_bytes([0xff; 16]));
    let filter = Filter { phone: query.phone, state: query.state };
    app.store.read(move |tx| verifications::list(tx, environment, filter, before, query.limit)).await
}

/// Reads a verification.
///
/// # Errors
/// `verification_not_found`, `insufficient_scope`.
pub async fn get(app: &App, caller: &Caller, id: String) -> Result<VerificationView> {
    let caller = *caller;
    let read = move |tx: &mut Tx| {
        let verification = find(tx, caller.environment, &id)?;
        permit(&caller, Scope::MessagesRead)?;
        let sendings = verifications::sendings(tx, verification.id)?;
        Ok(VerificationView { verification, sendings })
    };
    app.store.read(read).await
}

/// Explains what was decided about a verification.
///
/// # Errors
/// `verification_not_found`, `insufficient_scope`.
pub async fn explain(app: &App, caller: &Caller, id: String, which: Which) -> Result<(Verification, Vec<Kept>)> {
    let caller = *caller;
    let read = move |tx: &mut Tx| {
        let verification = find(tx, caller.environment, &id)?;
        permit(&caller, Scope::LogsRead)?;
        let after = which.after.unwrap_or(ExplanationId::from_bytes([0; 16]));
        let kept = explanations::of(tx, caller.environment, &id, after, which.limit)?;
        Ok((verification, kept))
    };
    app.store.read(read).await
}
