//! Rules by which the simulated SMSC fails for one test environment.

use tandem_catalogue::{Error, Result};
use tandem_kernel::{Caller, Environment, FaultId, Scope};
use tandem_store::repo::smscs::{self, FaultRule};

use super::manage::tell;
use crate::{App, Finish, permit};

/// Rules that an environment may have.
const MOST: usize = 50;

/// A rule to add. Words are those of the pages.
#[derive(Clone, Debug)]
pub struct AddFault {
    /// `submit` or `receipt`.
    pub place: String,
    /// `error`, `delay`, `drop`, `duplicate` or `reorder`.
    pub effect: String,
    /// The status of an error, the milliseconds of a delay.
    pub value: i64,
    /// How often, in millionths.
    pub probability: i64,
    /// Where its dice begin.
    pub seed: i64,
}

/// Adds a rule.
///
/// # Errors
/// `insufficient_scope`, `operation_not_allowed` in a live environment, `invalid_value` for one rule too many.
pub async fn add_fault(app: &App, caller: &Caller, command: AddFault, finish: Finish<FaultRule>) -> Result<FaultRule> {
    allowed(caller)?;
    let (pen, environment) = (app.pen(), caller.environment);
    let added = app.store.write(move |tx| {
        let desk = pen.open(tx, environment)?;
        if smscs::faults(tx, Some(environment))?.len() >= MOST {
            return Err(Error::operation_not_allowed(format!("an environment has at most {MOST} fault rules")));
        }
        let rule = FaultRule {
            id: desk.id(FaultId::new),
            environment,
            place: command.place.clone(),
            effect: command.effect.clone(),
            value: command.value,
            probability: command.probability,
            seed: command.seed,
            created_at: desk.now,
        };
        smscs::add_fault(tx, &rule)?;
        finish(tx, &rule)?;
        Ok(rule)
    });
    let rule = added.await?;
    tell(app);
    Ok(rule)
}

/// Lists the rules, the oldest first.
///
/// # Errors
/// `insufficient_scope`.
pub async fn list_faults(app: &App, caller: &Caller) -> Result<Vec<FaultRule>> {
    permit(caller, Scope::Simulate)?;
    let environment = caller.environment;
    app.store.read(move |tx| smscs::faults(tx, Some(environment))).await
}

/// Takes a rule away.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`.
pub async fn remove_fault(app: &App, caller: &Caller, id: String, finish: Finish<FaultRule>) -> Result<FaultRule> {
    let (pen, caller) = (app.pen(), *caller);
    let removed = app.store.write(move |tx| {
        let desk = pen.open(tx, caller.environment)?;
        let parsed = FaultId::parse(&id);
        let found = smscs::faults(tx, Some(desk.settings.id))?.into_iter().find(|rule| Some(rule.id) == parsed);
        let rule = found.ok_or_else(|| Error::resource_not_found("fault rule", id.clone()))?;
        permit(&caller, Scope::Simulate)?;
        smscs::remove_fault(tx, desk.settings.id, rule.id)?;
        finish(tx, &rule)?;
        Ok(rule)
    });
    let rule = removed.await?;
    tell(app);
    Ok(rule)
}

pub(crate) fn allowed(caller: &Caller) -> Result<()> {
    permit(caller, Scope::Simulate)?;
    match caller.kind {
        Environment::Test => Ok(()),
        Environment::Live => Err(Error::operation_not_allowed("only test environments are simulated".to_owned())),
    }
}
