//! The request log, read by operators and by the accounts whose requests they were.

use tandem_catalogue::{Error, Result};
use tandem_kernel::{AccountId, Caller, Environment, EnvironmentId, RequestId, Scope};
use tandem_store::{
    Tx,
    repo::requests::{self, Found},
};

use crate::{App, Asker, accounts::environment, permit};

/// Which requests to list, newest first.
#[derive(Debug, Clone)]
pub struct ListRequests {
    /// Whose: an operator has to say it, an account can only name itself.
    pub account: Option<String>,
    /// In which environment; as for the account.
    pub kind: Option<Environment>,
    /// The lowest and the highest status of the answer.
    pub status: (i64, i64),
    /// From the one before this.
    pub before: Option<RequestId>,
    /// How many.
    pub limit: i64,
}

/// Finds a request by its id.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`.
pub async fn get(app: &App, asker: Asker, id: String) -> Result<Found> {
    let owner = match asker {
        Asker::Operator => None,
        Asker::Account(caller) => Some(caller.environment),
    };
    let found = find(app, owner, &id).await?;
    if let Asker::Account(caller) = asker {
        permit(&caller, Scope::LogsRead)?;
    }
    Ok(found)
}

/// Lists an environment's requests.
///
/// # Errors
/// `missing_parameter` where an operator does not say whose, `account_not_found`, `resource_not_found`, `insufficient_scope`.
pub async fn list(app: &App, asker: Asker, command: ListRequests) -> Result<Vec<Found>> {
    let ListRequests { account, kind, status, before, limit } = command;
    let environment = match asker {
        Asker::Operator => named(app, account, kind).await?,
        Asker::Account(caller) => own(&caller, account, kind)?,
    };
    app.journal.flush(&app.store).await;
    let before = before.unwrap_or(RequestId::from_bytes([0xff; 16]));
    app.store.read(move |tx| requests::list(tx, environment, before, status, limit)).await
}

/// Finds a request that `owner` made, or anybody's where there is no owner. The log is written a moment after the answer: what is not
/// there yet is looked for once more.
///
/// # Errors
/// `resource_not_found`.
pub(crate) async fn find(app: &App, owner: Option<EnvironmentId>, id: &str) -> Result<Found> {
    let unknown = || Error::resource_not_found("request", id.to_owned());
    let known = RequestId::parse(id).ok_or_else(unknown)?;
    let look = || {
        app.store.read(move |tx| {
            let found = requests::get(tx, known)?;
            Ok(found.filter(|found| owner.is_none() || found.environment == owner))
        })
    };
    if let Some(found) = look().await? {
        return Ok(found);
    }
    app.journal.flush(&app.store).await;
    look().await?.ok_or_else(unknown)
}

async fn named(app: &App, account: Option<String>, kind: Option<Environment>) -> Result<EnvironmentId> {
    let account = account.ok_or_else(|| Error::missing_parameter("account_id"))?;
    let kind = kind.ok_or_else(|| Error::missing_parameter("environment"))?;
    let id = AccountId::parse(&account).ok_or_else(|| Error::account_not_found(account))?;
    app.store.read(move |tx: &mut Tx| environment(tx, id, kind)).await.map(|settings| settings.id)
}

fn own(caller: &Caller, account: Option<String>, kind: Option<Environment>) -> Result<EnvironmentId> {
    if let Some(other) = account.filter(|account| *account != caller.account.to_string()) {
        return Err(Error::account_not_found(other));
    }
    if let Some(other) = kind.filter(|kind| *kind != caller.kind) {
        return Err(Error::resource_not_found("environment", other.as_str()));
    }
    permit(caller, Scope::LogsRead)?;
    Ok(caller.environment)
}
