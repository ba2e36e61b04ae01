//! What the administrative commands share: the platform without a server, and how its objects are named and shown.

use serde_json::{Value, json};
use tandem_app::{App, accounts::Operator};
use tandem_domain::{account::Account, environment::EnvironmentSettings};
use tandem_kernel::{AccountId, Currency, Environment, Money};

use crate::{config::Config, failure::Result, serve};

/// Opens the platform beside a server that may be running.
///
/// # Errors
/// What the database says.
pub async fn open(config: &Config) -> Result<App> {
    serve::office(config).await
}

/// Who acts, in the audit.
#[must_use]
pub fn operator() -> Operator {
    Operator("cli".to_owned())
}

/// Reads `live` or `test`.
///
/// # Errors
/// What is neither.
pub fn environment(text: &str) -> Result<Environment, String> {
    Environment::parse(text).ok_or_else(|| "use live or test".to_owned())
}

/// Reads an account's id.
///
/// # Errors
/// What is none.
pub fn account(text: &str) -> Result<AccountId, String> {
    AccountId::parse(text)
        .ok_or_else(|| "an account's id looks like acc_01m5zk…; `tandem admin accounts list` shows them".to_owned())
}

/// An amount with its currency.
#[must_use]
pub fn money(micros: i64, currency: Currency) -> String {
    format!("{} {currency}", Money::new(micros, currency))
}

/// An account for programs.
#[must_use]
pub fn account_json(account: &Account) -> Value {
    json!({
        "id": account.id.to_string(),
        "name": account.name,
        "email": account.email,
        "currency": account.currency.as_str(),
        "status": account.status.as_str(),
        "verified": account.verified,
        "sms_enabled": account.sms_enabled,
        "mms_enabled": account.mms_enabled,
        "message_countries": account.message_countries.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "created_at": account.created_at.to_string(),
    })
}

/// An environment's limits for programs.
#[must_use]
pub fn limits_json(settings: &EnvironmentSettings) -> Value {
    let rate = settings.rate;
    json!({ "limit": rate.limit, "period": rate.period, "burst": rate.burst, "monthly_quota": rate.monthly_quota })
}
