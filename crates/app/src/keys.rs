//! Credentials: made, rotated, revoked.

use serde_json::json;
use tandem_catalogue::{Error, Result};
use tandem_domain::key::{Key, KeyState, KeyText, hash};
use tandem_kernel::{Environment, EnvironmentId, KeyId, KeyKind, Scope, Scopes, Timestamp};
use tandem_store::{
    Tx,
    repo::{accounts, invalidations::Stale, keys},
};

use crate::{
    App, Finish,
    accounts::{Operator, note_action, tell_others},
    app::Pen,
};

/// A key to make.
#[derive(Debug, Clone)]
pub struct MintKey {
    /// What it opens; none for an operator's key.
    pub environment: Option<EnvironmentId>,
    /// What sort it is.
    pub kind: KeyKind,
    /// What it may do.
    pub scopes: Scopes,
    /// Its owner's name for it.
    pub label: String,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
}

/// A key just made, with its text, which is never shown again.
#[derive(Clone)]
pub struct MintedKey {
    /// The key.
    pub key: Key,
    /// Its text.
    pub text: KeyText,
}

/// Makes a key.
///
/// # Errors
/// Faults of the store.
pub async fn mint(app: &App, actor: Operator, command: MintKey, finish: Finish<MintedKey>) -> Result<MintedKey> {
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let minted = mint_in(tx, &pen, &command)?;
        note_action(tx, &pen, &actor, "key.mint", &minted.key.id.to_string(), &json!({ "scopes": command.scopes.to_text() }))?;
        finish(tx, &minted)?;
        Ok(minted)
    };
    app.store.write(work).await
}

/// Lists the keys of an environment, or the operators', oldest first.
///
/// # Errors
/// Faults of the store.
pub async fn list(app: &App, environment: Option<EnvironmentId>) -> Result<Vec<Key>> {
    app.store.read(move |tx| keys::list(tx, environment)).await
}

/// Replaces a key by a new one with the same rights; the old one goes on working for `overlap` seconds.
///
/// # Errors
/// `resource_not_found`, `invalid_transition` for a key that does not work any more.
pub async fn rotate(
    app: &App,
    actor: Operator,
    environment: Option<EnvironmentId>,
    id: String,
    overlap: i64,
    finish: Finish<MintedKey>,
) -> Result<MintedKey> {
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let old = find(tx, environment, &id)?;
        let now = pen.machine_now();
        match old.state(now) {
            KeyState::Active => {}
            KeyState::Expired => return Err(Error::invalid_transition("key", "expired", "rotated")),
            KeyState::Revoked => return Err(Error::invalid_transition("key", "revoked", "rotated")),
        }
        let (kind, scopes, label) = (old.kind, old.scopes, old.label.clone());
        let minted = mint_in(tx, &pen, &MintKey { environment, kind, scopes, label, expires_at: None })?;
        let until = old.expires_at.unwrap_or(Timestamp::MAX).min(now.plus_seconds(overlap));
        keys::replace(tx, old.id, minted.key.id, until)?;
        tell_others(tx, &pen, Stale::Key, *old.id.as_bytes())?;
        note_action(tx, &pen, &actor, "key.rotate", &old.id.to_string(), &json!({ "overlap": overlap }))?;
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
/// `resource_not_found`.
pub async fn revoke(
    app: &App,
    actor: Operator,
    environment: Option<EnvironmentId>,
    id: String,
    finish: Finish<Key>,
) -> Result<Key> {
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let mut key = find(tx, environment, &id)?;
        let now = pen.machine_now();
        if key.revoked_at.is_none() {
            keys::revoke(tx, key.id, now)?;
            key.revoked_at = Some(now);
        }
        tell_others(tx, &pen, Stale::Key, *key.id.as_bytes())?;
        note_action(tx, &pen, &actor, "key.revoke", &key.id.to_string(), &json!({}))?;
        finish(tx, &key)?;
        Ok(key)
    };
    let key = app.store.write(work).await?;
    app.directory.forget_key(key.id);
    Ok(key)
}

/// Makes the first operator's key, or `None` where there is one already.
///
/// # Errors
/// Faults of the store.
pub async fn first_operator(app: &App) -> Result<Option<MintedKey>> {
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        if !keys::list(tx, None)?.is_empty() {
            return Ok(None);
        }
        let scopes = [Scope::Operator].into_iter().collect();
        let label = "first operator".to_owned();
        let command = MintKey { environment: None, kind: KeyKind::Operator, scopes, label, expires_at: None };
        mint_in(tx, &pen, &command).map(Some)
    };
    app.store.write(work).await
}

fn mint_in(tx: &mut Tx, pen: &Pen, command: &MintKey) -> Result<MintedKey> {
    let kind: Option<Environment> = match command.environment {
        Some(id) => accounts::environment(tx, id)?.map(|settings| settings.kind),
        None => None,
    };
    let text = KeyText::mint(command.kind, kind, &*pen.rng);
    let now = pen.machine_now();
    let prefix: String = text.as_str().rsplit_once('_').map_or(String::new(), |(prefix, _)| format!("{prefix}_"));
    let key = Key {
        id: KeyId::new(now, &*pen.rng),
        environment: command.environment,
        kind: command.kind,
        prefix,
        last_four: KeyText::last_four(text.as_str()).to_owned(),
        scopes: command.scopes,
        label: command.label.clone(),
        created_at: now,
        expires_at: command.expires_at,
        revoked_at: None,
        last_used_at: None,
        replaced_by: None,
    };
    keys::insert(tx, &key, &hash(text.as_str()))?;
    Ok(MintedKey { key, text })
}

fn find(tx: &mut Tx, environment: Option<EnvironmentId>, id: &str) -> Result<Key> {
    let key = match KeyId::parse(id) {
        Some(id) => keys::get(tx, environment, id)?,
        None => None,
    };
    key.ok_or_else(|| Error::resource_not_found("key", id.to_owned()))
}
