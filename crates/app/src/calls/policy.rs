//! What an environment's calls may do: read by its owner, set by an operator.

use serde_json::json;
use tandem_catalogue::Result;
use tandem_domain::call::Policy;
use tandem_kernel::{AccountId, Caller, Country, Environment, EnvironmentId, Scope};
use tandem_store::{Tx, repo::live_calls};

use crate::{
    App, Finish,
    accounts::{Operator, environment, note_action},
    permit,
};

/// Whose.
#[derive(Debug, Clone, Copy)]
pub enum Whose {
    /// The caller's own.
    Own(Caller),
    /// Any account's: for an operator.
    Of(AccountId, Environment),
}

impl Whose {
    fn environment(&self, tx: &mut Tx) -> Result<EnvironmentId> {
        match self {
            Self::Own(caller) => permit(caller, Scope::CallsRead).map(|()| caller.environment),
            Self::Of(account, kind) => Ok(environment(tx, *account, *kind)?.id),
        }
    }
}

/// What applies, and whether an operator set it.
#[derive(Debug, Clone)]
pub struct PolicyView {
    /// What applies.
    pub policy: Policy,
    /// Whether it is what is usual.
    pub usual: bool,
}

/// Reads what applies.
///
/// # Errors
/// `account_not_found`, `insufficient_scope`.
pub async fn read_policy(app: &App, whose: Whose) -> Result<PolicyView> {
    let read = move |tx: &mut Tx| {
        let environment = whose.environment(tx)?;
        let set = live_calls::policy(tx, environment)?;
        Ok(PolicyView { usual: set.is_none(), policy: set.unwrap_or_default() })
    };
    app.store.read(read).await
}

/// Sets what applies from now on. Calls that go on are not ended by it.
///
/// # Errors
/// `account_not_found`.
pub async fn set_policy(
    app: &App,
    actor: Operator,
    (account, kind): (AccountId, Environment),
    change: impl Fn(&mut Policy) + Send + Sync + 'static,
    finish: Finish<PolicyView>,
) -> Result<PolicyView> {
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let id = environment(tx, account, kind)?.id;
        pen.open(tx, id)?;
        let mut policy = live_calls::policy(tx, id)?.unwrap_or_default();
        change(&mut policy);
        live_calls::set_policy(tx, id, &policy)?;
        let countries: Vec<String> = policy.countries.iter().map(Country::to_string).collect();
        let data = json!({
            "countries": countries.join(" "), "most_per_minute": policy.most_per_minute, "most_per_day": policy.most_per_day,
            "calls_per_minute": policy.calls_per_minute, "most_concurrent": policy.most_concurrent, "longest": policy.longest,
        });
        note_action(tx, &pen, &actor, "calling.policy", &id.to_string(), &data)?;
        let view = PolicyView { policy, usual: false };
        finish(tx, &view)?;
        Ok(view)
    };
    app.store.write(work).await
}
