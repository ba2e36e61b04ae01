//! What paths name: accounts and their environments.

use tandem_catalogue::{Error, Result};
use tandem_kernel::{AccountId, Environment};

use crate::http::Call;

/// The words for environments.
pub const KINDS: &[&str] = &["live", "test"];
/// An account in a path.
pub const ACCOUNT: &[(&str, &str)] = &[("account_id", "The account's id.")];
/// One of an account's environments in a path.
pub const ENVIRONMENT: &[(&str, &str)] = &[("account_id", "The account's id."), ("environment", "`live` or `test`.")];

/// The account that the path names.
pub fn account(call: &Call) -> Result<AccountId> {
    let text = call.param("account_id");
    AccountId::parse(text).ok_or_else(|| Error::account_not_found(text.to_owned()))
}

/// The kind of environment that the path names.
pub fn kind(call: &Call) -> Result<Environment> {
    let text = call.param("environment");
    Environment::parse(text).ok_or_else(|| Error::resource_not_found("environment", text.to_owned()))
}
