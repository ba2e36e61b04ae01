//! People who may sign in.

use serde::{Deserialize, Serialize};
use tandem_catalogue::Result;
use tandem_domain::login::{Login, Permission, Rights};
use tandem_kernel::{EnvironmentId, LoginId, PropertyId};

use super::expect_one;
use crate::{Fault, Row, Tx, codec};

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, environment_id, email, password, first_name, last_name, enabled, permissions, created_at, version FROM logins ",
            $rest
        )
    };
}

/// A permission as its column keeps it.
#[derive(Serialize, Deserialize)]
struct PermissionRow {
    property: Option<String>,
    rights: String,
}

/// Adds a login.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn insert(tx: &mut Tx, login: &Login) -> Result<()> {
    tx.execute(
        "INSERT INTO logins (id, environment_id, email, email_key, password, first_name, last_name, enabled, permissions, created_at, \
         version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        &[
            login.id.as_bytes().into(),
            login.environment.as_bytes().into(),
            (&login.email).into(),
            (&login.email.to_lowercase()).into(),
            (&login.password).into(),
            (&login.first_name).into(),
            (&login.last_name).into(),
            login.enabled.into(),
            (&permissions_text(login)).into(),
            login.created_at.into(),
            login.version.into(),
        ],
    )?;
    Ok(())
}

/// Writes a login over the version before it.
///
/// # Errors
/// `concurrent_modification` where another change came first.
pub fn update(tx: &mut Tx, login: &Login) -> Result<()> {
    let changed = tx.execute(
        "UPDATE logins SET email = $1, email_key = $2, password = $3, first_name = $4, last_name = $5, enabled = $6, permissions = $7, \
         version = $8 WHERE id = $9 AND version + 1 = $8",
        &[
            (&login.email).into(),
            (&login.email.to_lowercase()).into(),
            (&login.password).into(),
            (&login.first_name).into(),
            (&login.last_name).into(),
            login.enabled.into(),
            (&permissions_text(login)).into(),
            login.version.into(),
            login.id.as_bytes().into(),
        ],
    )?;
    expect_one("login", changed)
}

/// Reads an environment's login.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn get(tx: &mut Tx, environment: EnvironmentId, id: LoginId) -> Result<Option<Login>> {
    let row =
        tx.first(columns!("WHERE id = $1 AND environment_id = $2"), &[id.as_bytes().into(), environment.as_bytes().into()])?;
    Ok(row.map(|row| login(&row)).transpose()?)
}

/// Reads an environment's login by its address, whatever the case of its letters.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn by_email(tx: &mut Tx, environment: EnvironmentId, email: &str) -> Result<Option<Login>> {
    let key = email.to_lowercase();
    let row =
        tx.first(columns!("WHERE environment_id = $1 AND email_key = $2"), &[environment.as_bytes().into(), (&key).into()])?;
    Ok(row.map(|row| login(&row)).transpose()?)
}

/// An environment's logins, oldest first, from the one after `after`.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn list(tx: &mut Tx, environment: EnvironmentId, after: LoginId, limit: i64, offset: i64) -> Result<Vec<Login>> {
    let rows = tx.query(
        columns!("WHERE environment_id = $1 AND id > $2 ORDER BY id LIMIT $3 OFFSET $4"),
        &[environment.as_bytes().into(), after.as_bytes().into(), limit.into(), offset.into()],
    )?;
    Ok(rows.iter().map(login).collect::<Result<_, Fault>>()?)
}

/// How many logins an environment has.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn count(tx: &mut Tx, environment: EnvironmentId) -> Result<i64> {
    let row = tx.first("SELECT COUNT(*) FROM logins WHERE environment_id = $1", &[environment.as_bytes().into()])?;
    Ok(row.ok_or_else(|| Fault::data("a count without a row"))?.int(0)?)
}

fn permissions_text(login: &Login) -> String {
    let rows = login.permissions.iter().map(|permission| PermissionRow {
        property: permission.property.map(|property| property.to_string()),
        rights: permission.rights.to_text(),
    });
    codec::to_text(&rows.collect::<Vec<_>>())
}

fn permission(row: &PermissionRow) -> Option<Permission> {
    let property = match &row.property {
        Some(text) => Some(PropertyId::parse(text)?),
        None => None,
    };
    Some(Permission { property, rights: Rights::parse(&row.rights)? })
}

fn login(row: &Row) -> Result<Login, Fault> {
    let kept: Vec<PermissionRow> = codec::from_text(row.text(7)?)?;
    let permissions = kept.iter().map(permission).collect::<Option<_>>().ok_or_else(|| Fault::shape(7))?;
    Ok(Login {
        id: LoginId::from_bytes(row.array(0)?),
        environment: EnvironmentId::from_bytes(row.array(1)?),
        email: row.text(2)?.to_owned(),
        password: row.text(3)?.to_owned(),
        first_name: row.text(4)?.to_owned(),
        last_name: row.text(5)?.to_owned(),
        enabled: row.bool(6)?,
        permissions,
        created_at: row.time(8)?,
        version: row.int(9)?,
    })
}
