//! Postal addresses of environments.

use tandem_catalogue::Result;
use tandem_domain::address::Address;
use tandem_kernel::{AddressId, Country, EnvironmentId};

use super::expect_one;
use crate::{Fault, Row, Tx};

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, environment_id, friendly, reference, line1, line2, city, region, country, postal_code, created_at FROM addresses ",
            $rest
        )
    };
}

/// What members an address of a list has; those that are none may be anything.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// See [`Address`]; so for all.
    pub friendly: Option<String>,
    /// See [`Address`].
    pub reference: Option<String>,
    /// See [`Address`].
    pub city: Option<String>,
    /// See [`Address`].
    pub region: Option<String>,
    /// See [`Address`].
    pub country: Option<Country>,
    /// See [`Address`].
    pub postal_code: Option<String>,
}

/// Adds an address.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn insert(tx: &mut Tx, address: &Address) -> Result<()> {
    tx.execute(
        "INSERT INTO addresses (id, environment_id, friendly, reference, line1, line2, city, region, country, postal_code, place, \
         created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        &[
            address.id.as_bytes().into(),
            address.environment.as_bytes().into(),
            address.friendly.as_ref().into(),
            address.reference.as_ref().into(),
            (&address.line1).into(),
            address.line2.as_ref().into(),
            (&address.city).into(),
            address.region.as_ref().into(),
            address.country.as_str().into(),
            address.postal_code.as_ref().into(),
            (&address.place()).into(),
            address.created_at.into(),
        ],
    )?;
    Ok(())
}

/// Takes an address away.
///
/// # Errors
/// `concurrent_modification` where it is not there.
pub fn delete(tx: &mut Tx, id: AddressId) -> Result<()> {
    let changed = tx.execute("DELETE FROM addresses WHERE id = $1", &[id.as_bytes().into()])?;
    expect_one("address", changed)
}

/// Reads an environment's address.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn get(tx: &mut Tx, environment: EnvironmentId, id: AddressId) -> Result<Option<Address>> {
    let row =
        tx.first(columns!("WHERE id = $1 AND environment_id = $2"), &[id.as_bytes().into(), environment.as_bytes().into()])?;
    Ok(row.map(|row| address(&row)).transpose()?)
}

/// The first address in a place.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn first_in(tx: &mut Tx, environment: EnvironmentId, place: &str) -> Result<Option<Address>> {
    let params = [environment.as_bytes().into(), place.into()];
    let row = if place.contains('-') {
        tx.first(columns!("WHERE environment_id = $1 AND place = $2 ORDER BY id LIMIT 1"), &params)?
    } else {
        tx.first(columns!("WHERE environment_id = $1 AND country = $2 ORDER BY id LIMIT 1"), &params)?
    };
    Ok(row.map(|row| address(&row)).transpose()?)
}

macro_rules! wanted {
    () => {
        "WHERE environment_id = $1 AND (friendly = $2 OR $2 IS NULL) AND (reference = $3 OR $3 IS NULL) AND (city = $4 OR $4 IS NULL) \
         AND (region = $5 OR $5 IS NULL) AND (country = $6 OR $6 IS NULL) AND (postal_code = $7 OR $7 IS NULL)"
    };
}

/// An environment's addresses, oldest first, from the one after `after`, and how many there are in all. An environment has few.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn list(
    tx: &mut Tx,
    environment: EnvironmentId,
    wanted: &Wanted,
    after: AddressId,
    limit: i64,
    offset: i64,
) -> Result<(Vec<Address>, i64)> {
    let country = wanted.country.map(|country| country.as_str().to_owned());
    let own = [
        environment.as_bytes().into(),
        wanted.friendly.as_ref().into(),
        wanted.reference.as_ref().into(),
        wanted.city.as_ref().into(),
        wanted.region.as_ref().into(),
        country.as_ref().into(),
        wanted.postal_code.as_ref().into(),
    ];
    let page = [after.as_bytes().into(), limit.into(), offset.into()];
    let sql = concat!(
        "SELECT id, environment_id, friendly, reference, line1, line2, city, region, country, postal_code, created_at FROM addresses ",
        wanted!(),
        " AND id > $8 ORDER BY id LIMIT $9 OFFSET $10"
    );
    let rows = tx.query(sql, &[&own[..], &page[..]].concat())?;
    let total = tx.first(concat!("SELECT COUNT(*) FROM addresses ", wanted!()), &own)?;
    let total = total.ok_or_else(|| Fault::data("a count without a row"))?.int(0)?;
    Ok((rows.iter().map(address).collect::<Result<_, Fault>>()?, total))
}

/// How many addresses an environment has.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn count(tx: &mut Tx, environment: EnvironmentId) -> Result<i64> {
    let row = tx.first("SELECT COUNT(*) FROM addresses WHERE environment_id = $1", &[environment.as_bytes().into()])?;
    Ok(row.ok_or_else(|| Fault::data("a count without a row"))?.int(0)?)
}

fn address(row: &Row) -> Result<Address, Fault> {
    let text = |column: usize| Ok::<_, Fault>(row.opt_text(column)?.map(str::to_owned));
    Ok(Address {
        id: AddressId::from_bytes(row.array(0)?),
        environment: EnvironmentId::from_bytes(row.array(1)?),
        friendly: text(2)?,
        reference: text(3)?,
        line1: row.text(4)?.to_owned(),
        line2: text(5)?,
        city: row.text(6)?.to_owned(),
        region: text(7)?,
        country: row.word(8, Country::parse)?,
        postal_code: text(9)?,
        created_at: row.time(10)?,
    })
}
