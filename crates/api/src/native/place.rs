//! What paths name: accounts and their environments.

use tandem_catalogue::{Error, Result};
use tandem_kernel::{AccountId, Environment};

use crate::http::Call;

/// The words for environments.
pub const KINDS: &[&str] = &["live", "test"];
const ACCOUNT_ID: (&str, &str) = ("account_id", "The account's id.");
const KIND: (&str, &str) = ("environment", "`live` or `test`.");
const KEY_ID: (&str, &str) = ("key_id", "The key's id.");
/// An account in a path.
pub const ACCOUNT: &[(&str, &str)] = &[ACCOUNT_ID];
/// One of an account's environments in a path.
pub const ENVIRONMENT: &[(&str, &str)] = &[ACCOUNT_ID, KIND];
/// A key of one of an account's environments in a path.
pub const KEY_OF: &[(&str, &str)] = &[ACCOUNT_ID, KIND, KEY_ID];
/// A key in a path.
pub const KEY: &[(&str, &str)] = &[KEY_ID];
/// A kind of environment's inventory in a path.
pub const STOCK: &[(&str, &str)] = &[KIND];
/// A number of it.
pub const STOCKED: &[(&str, &str)] = &[KIND, ("number", "The number, in E.164.")];

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
