//! An account's own handling of its keys, with a key that may do that.
//!
//! Whoever may make keys must not come by rights that it does not have: a new or rotated key has at most those of the one that asked.

use serde_json::json;
use tandem_catalogue::{Error, Result};
use tandem_domain::{account::Account, environment::EnvironmentSettings, key::Key};
use tandem_kernel::{Caller, KeyKind, Scope, Scopes, Timestamp};
use tandem_store::{
    Fault, Tx,
    repo::{accounts, keys},
};

use crate::{
    App, Finish,
    accounts::{Operator, note_action},
    keys::{MintKey, MintedKey, check_new, find, mint_in, revoke_in, rotate_in},
    permit,
};

/// A key to make for the caller's own environment.
#[derive(Debug, Clone)]
pub struct MintOwnKey {
    /// What sort it is.
    pub kind: KeyKind,
    /// What it may do; what the caller may, if none.
    pub scopes: Option<Scopes>,
    /// Its owner's name for it.
    pub label: String,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
}

/// Who a key is: the account, the environment and the key itself.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The account.
    pub account: Account,
    /// The environment.
    pub settings: EnvironmentSettings,
    /// The key.
    pub key: Key,
    /// The environment's time.
    pub now: Timestamp,
}

/// Who the caller is. Every key may ask.
///
/// # Errors
/// `insufficient_scope` for a publishable key: whoever reads the page that it is on must not read whose it is.
pub async fn identify(app: &App, caller: &Caller) -> Result<Identity> {
    let (machine, caller) = (app.machine_now(), *caller);
    let read = move |tx: &mut Tx| {
        let gone = || Fault::data("a caller whose key or account is gone");
        let settings = accounts::environment(tx, caller.environment)?.ok_or_else(gone)?;
        let account = accounts::get(tx, caller.account)?.ok_or_else(gone)?;
        let key = keys::find(tx, caller.key)?.ok_or_else(gone)?;
        let now = settings.clock.at(machine);
        Ok(Identity { account, settings, key, now })
    };
    let identity = app.store.read(read).await?;
    match identity.key.kind {
        KeyKind::Publishable => Err(Error::insufficient_scope(Scope::Keys.as_str())),
        KeyKind::Secret | KeyKind::Token | KeyKind::Operator => Ok(identity),
    }
}

/// Lists the keys of the caller's environment, oldest first.
///
/// # Errors
/// `insufficient_scope`.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<Key>> {
    permit(caller, Scope::Keys)?;
    let environment = caller.environment;
    app.store.read(move |tx| keys::list(tx, Some(environment))).await
}

/// Makes a key.
///
/// # Errors
/// What is wrong with it, `insufficient_scope` also for a right that the caller does not have itself.
pub async fn mint(app: &App, caller: &Caller, command: MintOwnKey, finish: Finish<MintedKey>) -> Result<MintedKey> {
    let MintOwnKey { kind, scopes, label, expires_at } = command;
    let scopes = scopes.unwrap_or_else(|| usual(kind, caller));
    check_new(kind, scopes, expires_at, app.machine_now())?;
    permit(caller, Scope::Keys)?;
    within(caller, scopes)?;
    let command = MintKey { environment: Some(caller.environment), kind, scopes, label, expires_at };
    let (pen, actor) = (app.pen(), actor(caller));
    let work = move |tx: &mut Tx| {
        let minted = mint_in(tx, &pen, &command)?;
        note_action(tx, &pen, &actor, "key.mint", &minted.key.id.to_string(), &json!({ "scopes": command.scopes.to_text() }))?;
        finish(tx, &minted)?;
        Ok(minted)
    };
    app.store.write(work).await
}

/// Replaces a key by a new one with the same rights; the old one goes on working for `overlap` seconds.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope` also where the key has a right that the caller has not, `invalid_transition` for a key
/// that does not work any more.
pub async fn rotate(app: &App, caller: &Caller, id: String, overlap: i64, finish: Finish<MintedKey>) -> Result<MintedKey> {
    let (pen, caller) = (app.pen(), *caller);
    let work = move |tx: &mut Tx| {
        let old = find(tx, Some(caller.environment), &id)?;
        permit(&caller, Scope::Keys)?;
        within(&caller, old.scopes)?;
        let minted = rotate_in(tx, &pen, &actor(&caller), &old, overlap)?;
        finish(tx, &minted)?;
        Ok((minted, old.id))
    };
    let (minted, old) = app.store.write(work).await?;
    app.directory.forget_key(old);
    Ok(minted)
}

/// Revokes a key at once.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`.
pub async fn revoke(app: &App, caller: &Caller, id: String, finish: Finish<Key>) -> Result<Key> {
    let (pen, caller) = (app.pen(), *caller);
    let work = move |tx: &mut Tx| {
        let key = find(tx, Some(caller.environment), &id)?;
        permit(&caller, Scope::Keys)?;
        let key = revoke_in(tx, &pen, &actor(&caller), key)?;
        finish(tx, &key)?;
        Ok(key)
    };
    let key = app.store.write(work).await?;
    app.directory.forget_key(key.id);
    Ok(key)
}

/// What a key may do where its maker does not say: as much as the maker, as far as its kind allows.
fn usual(kind: KeyKind, caller: &Caller) -> Scopes {
    let usual = crate::keys::usual_scopes(kind);
    match kind {
        KeyKind::Publishable => usual,
        _ => usual.iter().filter(|scope| caller.scopes.has(*scope)).collect(),
    }
}

/// Refuses rights that the caller does not have.
fn within(caller: &Caller, scopes: Scopes) -> Result<()> {
    match scopes.iter().find(|scope| !caller.scopes.has(*scope)) {
        Some(scope) => Err(Error::insufficient_scope(scope.as_str())),
        None => Ok(()),
    }
}

fn actor(caller: &Caller) -> Operator {
    Operator(caller.key.to_string())
}
