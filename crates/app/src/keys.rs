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
        let minted = rotate_in(tx, &pen, &actor, &old, overlap)?;
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
/// `resource_not_found`, `invalid_transition` for the last operator's key that works: nobody could let another one in.
pub async fn revoke(
    app: &App,
    actor: Operator,
    environment: Option<EnvironmentId>,
    id: String,
    finish: Finish<Key>,
) -> Result<Key> {
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let operators = if environment.is_none() { keys::lock_operators(tx)? } else { Vec::new() };
        let key = find(tx, environment, &id)?;
        if environment.is_none() {
            check_not_last(&key, &operators, pen.machine_now())?;
        }
        let key = revoke_in(tx, &pen, &actor, key)?;
        finish(tx, &key)?;
        Ok(key)
    };
    let key = app.store.write(work).await?;
    app.directory.forget_key(key.id);
    Ok(key)
}

/// What a key may do where its maker does not say: everything that an account's key can, or what may be published.
#[must_use]
pub fn usual_scopes(kind: KeyKind) -> Scopes {
    match kind {
        KeyKind::Secret | KeyKind::Token => Scopes::account(),
        KeyKind::Publishable => [Scope::Verify].into_iter().collect(),
        KeyKind::Operator => [Scope::Operator].into_iter().collect(),
    }
}

/// Checks what a new key is asked to be.
///
/// # Errors
/// `invalid_value` for rights that its kind cannot have, and for a life that is over already.
pub fn check_new(kind: KeyKind, scopes: Scopes, expires_at: Option<Timestamp>, now: Timestamp) -> Result<()> {
    if scopes == Scopes::default() {
        return Err(Error::invalid_value("scopes", "must name at least one scope"));
    }
    if kind == KeyKind::Publishable && !usual_scopes(kind).contains(scopes) {
        return Err(Error::invalid_value("scopes", "must be verify alone for a publishable key"));
    }
    if expires_at.is_some_and(|at| at <= now) {
        return Err(Error::invalid_value("expires_at", "must lie in the future"));
    }
    Ok(())
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

/// Refuses a revocation after which no operator's key is left, or only such as end soon.
fn check_not_last(key: &Key, operators: &[Key], now: Timestamp) -> Result<()> {
    let works = |key: &Key| key.state(now) == KeyState::Active;
    let lasts = |other: &Key| other.expires_at.is_none() || key.expires_at.is_some();
    let stays = operators.iter().any(|other| other.id != key.id && works(other) && lasts(other));
    if works(key) && !stays {
        return Err(Error::invalid_transition("operator key", "the last one that works", "revoked"));
    }
    Ok(())
}

/// Replaces a key inside a unit of work.
pub(crate) fn rotate_in(tx: &mut Tx, pen: &Pen, actor: &Operator, old: &Key, overlap: i64) -> Result<MintedKey> {
    let now = pen.machine_now();
    match old.state(now) {
        KeyState::Active => {}
        KeyState::Expired => return Err(Error::invalid_transition("key", "expired", "rotated")),
        KeyState::Revoked => return Err(Error::invalid_transition("key", "revoked", "rotated")),
    }
    let (environment, kind, scopes, label) = (old.environment, old.kind, old.scopes, old.label.clone());
    let minted = mint_in(tx, pen, &MintKey { environment, kind, scopes, label, expires_at: None })?;
    let until = old.expires_at.unwrap_or(Timestamp::MAX).min(now.plus_seconds(overlap));
    keys::replace(tx, old.id, minted.key.id, until)?;
    tell_others(tx, pen, Stale::Key, *old.id.as_bytes())?;
    note_action(tx, pen, actor, "key.rotate", &old.id.to_string(), &json!({ "overlap": overlap }))?;
    Ok(minted)
}

/// Revokes a key inside a unit of work.
pub(crate) fn revoke_in(tx: &mut Tx, pen: &Pen, actor: &Operator, mut key: Key) -> Result<Key> {
    let now = pen.machine_now();
    if key.revoked_at.is_none() {
        keys::revoke(tx, key.id, now)?;
        key.revoked_at = Some(now);
    }
    tell_others(tx, pen, Stale::Key, *key.id.as_bytes())?;
    note_action(tx, pen, actor, "key.revoke", &key.id.to_string(), &json!({}))?;
    Ok(key)
}

pub(crate) fn mint_in(tx: &mut Tx, pen: &Pen, command: &MintKey) -> Result<MintedKey> {
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

pub(crate) fn find(tx: &mut Tx, environment: Option<EnvironmentId>, id: &str) -> Result<Key> {
    let key = match KeyId::parse(id) {
        Some(id) => keys::get(tx, environment, id)?,
        None => None,
    };
    key.ok_or_else(|| Error::resource_not_found("key", id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_catalogue::Code;

    fn key(id: u8, expires_at: Option<Timestamp>, revoked_at: Option<Timestamp>) -> Key {
        Key {
            id: KeyId::from_bytes([id; 16]),
            environment: None,
            kind: KeyKind::Operator,
            prefix: "op_".into(),
            last_four: "abcd".into(),
            scopes: usual_scopes(KeyKind::Operator),
            label: String::new(),
            created_at: Timestamp::default(),
            expires_at,
            revoked_at,
            last_used_at: None,
            replaced_by: None,
        }
    }

    #[test]
    fn the_last_operators_key_that_works_for_good_stays() {
        let now = Timestamp::from_micros(1_000_000);
        let (soon, past) = (Some(now.plus_seconds(60)), Some(Timestamp::from_micros(1)));
        let revocable = |key: &Key, others: &[Key]| check_not_last(key, others, now).is_ok();
        let lasting = key(1, None, None);
        assert!(!revocable(&lasting, std::slice::from_ref(&lasting)));
        assert!(!revocable(&lasting, &[lasting.clone(), key(2, soon, None), key(3, None, past), key(4, past, None)]));
        assert!(revocable(&lasting, &[lasting.clone(), key(2, None, None)]));
        let ending = key(5, soon, None);
        assert!(revocable(&ending, &[ending.clone(), key(6, soon, None)]));
        assert!(!revocable(&ending, std::slice::from_ref(&ending)));
        assert!(revocable(&key(7, None, past), &[]), "a key that does not work is nobody's last");
    }

    #[test]
    fn a_new_key_may_have_what_its_kind_allows() {
        let now = Timestamp::from_micros(1_000_000);
        let code = |kind, scopes, expires_at| check_new(kind, scopes, expires_at, now).err().map(|error| error.code());
        assert_eq!(code(KeyKind::Secret, Scopes::account(), None), None);
        assert_eq!(code(KeyKind::Publishable, usual_scopes(KeyKind::Publishable), Some(now.plus_seconds(1))), None);
        assert_eq!(code(KeyKind::Publishable, Scopes::account(), None), Some(Code::InvalidValue));
        assert_eq!(code(KeyKind::Secret, Scopes::default(), None), Some(Code::InvalidValue));
        assert_eq!(code(KeyKind::Secret, Scopes::account(), Some(now)), Some(Code::InvalidValue));
    }
}
