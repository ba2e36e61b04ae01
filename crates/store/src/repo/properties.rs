//! Properties of environments.

use tandem_catalogue::Result;
use tandem_domain::property::{Property, windows_zone};
use tandem_kernel::{EnvironmentId, PropertyId};

use super::expect_one;
use crate::{Fault, Param, Row, Tx};

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, environment_id, name, main_domain, time_zone, sms_enabled, call_recording_enabled, integrations_enabled, active, \
             created_at, version FROM properties ",
            $rest
        )
    };
}

/// Adds a property.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn insert(tx: &mut Tx, property: &Property) -> Result<()> {
    tx.execute(
        "INSERT INTO properties (id, environment_id, name, main_domain, time_zone, sms_enabled, call_recording_enabled, \
         integrations_enabled, active, created_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        &[
            property.id.as_bytes().into(),
            property.environment.as_bytes().into(),
            (&property.name).into(),
            (&property.main_domain).into(),
            property.time_zone.into(),
            property.sms_enabled.into(),
            property.call_recording_enabled.into(),
            property.integrations_enabled.into(),
            property.active.into(),
            property.created_at.into(),
            property.version.into(),
        ],
    )?;
    Ok(())
}

/// Writes a property over the version before it.
///
/// # Errors
/// `concurrent_modification` where another change came first.
pub fn update(tx: &mut Tx, property: &Property) -> Result<()> {
    let changed = tx.execute(
        "UPDATE properties SET name = $1, main_domain = $2, time_zone = $3, sms_enabled = $4, call_recording_enabled = $5, \
         integrations_enabled = $6, active = $7, version = $8 WHERE id = $9 AND version + 1 = $8",
        &[
            (&property.name).into(),
            (&property.main_domain).into(),
            property.time_zone.into(),
            property.sms_enabled.into(),
            property.call_recording_enabled.into(),
            property.integrations_enabled.into(),
            property.active.into(),
            property.version.into(),
            property.id.as_bytes().into(),
        ],
    )?;
    expect_one("property", changed)
}

/// Reads an environment's property.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn get(tx: &mut Tx, environment: EnvironmentId, id: PropertyId) -> Result<Option<Property>> {
    let row =
        tx.first(columns!("WHERE id = $1 AND environment_id = $2"), &[id.as_bytes().into(), environment.as_bytes().into()])?;
    Ok(row.map(|row| property(&row)).transpose()?)
}

/// Reads those of these properties that an environment has.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn of_ids(tx: &mut Tx, environment: EnvironmentId, ids: &[PropertyId]) -> Result<Vec<Property>> {
    let keys: Vec<Param> = ids.iter().map(|id| id.as_bytes().into()).collect();
    let rows = tx.query_in(columns!("WHERE environment_id = $1 AND id IN"), &[environment.as_bytes().into()], &keys, "")?;
    Ok(rows.iter().map(property).collect::<Result<_, Fault>>()?)
}

/// An environment's properties, oldest first, from the one after `after`.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn list(tx: &mut Tx, environment: EnvironmentId, after: PropertyId, limit: i64, offset: i64) -> Result<Vec<Property>> {
    let rows = tx.query(
        columns!("WHERE environment_id = $1 AND id > $2 ORDER BY id LIMIT $3 OFFSET $4"),
        &[environment.as_bytes().into(), after.as_bytes().into(), limit.into(), offset.into()],
    )?;
    Ok(rows.iter().map(property).collect::<Result<_, Fault>>()?)
}

/// Which of these properties an environment has.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn existing(tx: &mut Tx, environment: EnvironmentId, ids: &[PropertyId]) -> Result<Vec<PropertyId>> {
    let keys: Vec<Param> = ids.iter().map(|id| id.as_bytes().into()).collect();
    let sql = "SELECT id FROM properties WHERE environment_id = $1 AND id IN";
    let rows = tx.query_in(sql, &[environment.as_bytes().into()], &keys, "")?;
    Ok(rows.iter().map(|row| Ok(PropertyId::from_bytes(row.array(0)?))).collect::<Result<_, Fault>>()?)
}

/// How many properties an environment has.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn count(tx: &mut Tx, environment: EnvironmentId) -> Result<i64> {
    let row = tx.first("SELECT COUNT(*) FROM properties WHERE environment_id = $1", &[environment.as_bytes().into()])?;
    Ok(row.ok_or_else(|| Fault::data("a count without a row"))?.int(0)?)
}

fn property(row: &Row) -> Result<Property, Fault> {
    Ok(Property {
        id: PropertyId::from_bytes(row.array(0)?),
        environment: EnvironmentId::from_bytes(row.array(1)?),
        name: row.text(2)?.to_owned(),
        main_domain: row.text(3)?.to_owned(),
        time_zone: row.word(4, windows_zone)?,
        sms_enabled: row.bool(5)?,
        call_recording_enabled: row.bool(6)?,
        integrations_enabled: row.bool(7)?,
        active: row.bool(8)?,
        created_at: row.time(9)?,
        version: row.int(10)?,
    })
}
