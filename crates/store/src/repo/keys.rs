//! Credentials: hashes, never texts.

use tandem_catalogue::Result;
use tandem_domain::key::Key;
use tandem_kernel::{EnvironmentId, KeyId, KeyKind, Scopes, Timestamp};

use super::expect_one;
use crate::{Fault, Param, Row, Tx};

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, environment_id, kind, prefix, last_four, scopes, label, created_at, expires_at, revoked_at, last_used_at, \
             replaced_by FROM keys ",
            $rest
        )
    };
}

/// Adds a key.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn insert(tx: &mut Tx, key: &Key, hash: &[u8; 32]) -> Result<()> {
    tx.execute(
        "INSERT INTO keys (id, environment_id, kind, hash, prefix, last_four, scopes, label, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &[
            key.id.as_bytes().into(),
            key.environment.as_ref().map(EnvironmentId::as_bytes).into(),
            key.kind.as_str().into(),
            hash.into(),
            (&key.prefix).into(),
            (&key.last_four).into(),
            (&key.scopes.to_text()).into(),
            (&key.label).into(),
            key.created_at.into(),
            key.expires_at.into(),
        ],
    )?;
    Ok(())
}

/// Finds the key with this hash.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn by_hash(tx: &mut Tx, hash: &[u8; 32]) -> Result<Option<Key>> {
    let row = tx.first(columns!("WHERE hash = $1"), &[hash.into()])?;
    Ok(row.map(|row| key(&row)).transpose()?)
}

/// Reads a key of an environment, or an operator's where `environment` is none.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn get(tx: &mut Tx, environment: Option<EnvironmentId>, id: KeyId) -> Result<Option<Key>> {
    Ok(find(tx, id)?.filter(|key| key.environment == environment))
}

/// Reads a key, whosever it is: for the operator.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn find(tx: &mut Tx, id: KeyId) -> Result<Option<Key>> {
    let row = tx.first(columns!("WHERE id = $1"), &[id.as_bytes().into()])?;
    Ok(row.map(|row| key(&row)).transpose()?)
}

/// All keys of an environment, or the operators', oldest first.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn list(tx: &mut Tx, environment: Option<EnvironmentId>) -> Result<Vec<Key>> {
    let rows = match &environment {
        Some(id) => tx.query(columns!("WHERE environment_id = $1 ORDER BY created_at, id"), &[id.as_bytes().into()])?,
        None => tx.query(columns!("WHERE environment_id IS NULL ORDER BY created_at, id"), &[])?,
    };
    Ok(rows.iter().map(key).collect::<Result<_, Fault>>()?)
}

/// The operators' keys, and keeps others from changing them until this unit of work ends.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn lock_operators(tx: &mut Tx) -> Result<Vec<Key>> {
    tx.first_locked("SELECT id FROM keys WHERE environment_id IS NULL ORDER BY id", &[])?;
    list(tx, None)
}

/// Revokes a key from `at` on.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn revoke(tx: &mut Tx, id: KeyId, at: Timestamp) -> Result<()> {
    let changed = tx.execute("UPDATE keys SET revoked_at = $2 WHERE id = $1", &[id.as_bytes().into(), at.into()])?;
    expect_one("key", changed)
}

/// Names the key that replaces another, which works until `until`.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn replace(tx: &mut Tx, id: KeyId, by: KeyId, until: Timestamp) -> Result<()> {
    let changed = tx.execute(
        "UPDATE keys SET replaced_by = $2, expires_at = $3 WHERE id = $1",
        &[id.as_bytes().into(), by.as_bytes().into(), until.into()],
    )?;
    expect_one("key", changed)
}

/// Notes when keys were last used.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn note_use(tx: &mut Tx, uses: &[(KeyId, Timestamp)]) -> Result<()> {
    let rows: Vec<Vec<Param>> = uses.iter().map(|(id, at)| vec![id.as_bytes().into(), (*at).into()]).collect();
    tx.execute_many("UPDATE keys SET last_used_at = $2 WHERE id = $1", &rows)?;
    Ok(())
}

fn key(row: &Row) -> Result<Key, Fault> {
    Ok(Key {
        id: KeyId::from_bytes(row.array(0)?),
        environment: row.opt_array(1)?.map(EnvironmentId::from_bytes),
        kind: row.word(2, KeyKind::parse)?,
        prefix: row.text(3)?.to_owned(),
        last_four: row.text(4)?.to_owned(),
        scopes: Scopes::from_text(row.text(5)?),
        label: row.text(6)?.to_owned(),
        created_at: row.time(7)?,
        expires_at: row.opt_time(8)?,
        revoked_at: row.opt_time(9)?,
        last_used_at: row.opt_time(10)?,
        replaced_by: row.opt_array(11)?.map(KeyId::from_bytes),
    })
}
