//! The numbers that this installation can sell, has sold or has taken over.

use tandem_catalogue::Result;
use tandem_domain::{
    Features, NumberType,
    inventory::Entry,
    purchase::{Offer, OfferState},
};
use tandem_kernel::{Environment, EnvironmentId, PhoneNumber, Timestamp};

use super::expect_one;
use crate::{Fault, Param, Row, Tx};

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT number, carrier, features, monthly, setup, currency, address_requirement, state, holder FROM inventory ",
            $rest
        )
    };
}

/// Reads a number.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn get(tx: &mut Tx, kind: Environment, phone: PhoneNumber) -> Result<Option<Offer>> {
    let row = tx.first(columns!("WHERE kind = $1 AND number = $2"), &[kind.as_str().into(), phone.digits().into()])?;
    Ok(row.map(|row| offer(&row)).transpose()?)
}

/// Reads a number and keeps others from changing it until this unit of work ends.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn lock(tx: &mut Tx, kind: Environment, phone: PhoneNumber) -> Result<Option<Offer>> {
    let row = tx.first_locked(columns!("WHERE kind = $1 AND number = $2"), &[kind.as_str().into(), phone.digits().into()])?;
    Ok(row.map(|row| offer(&row)).transpose()?)
}

/// What the search index knows of each number, its type among the features, in order, from the one after `after`.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn entries(tx: &mut Tx, kind: Environment, after: u64, limit: i64) -> Result<Vec<Entry>> {
    let rows = tx.query(
        "SELECT number, features, monthly, setup, CASE address_requirement WHEN 'none' THEN 0 WHEN 'any' THEN 1 ELSE 2 END, \
         CASE state WHEN 'available' THEN 1 ELSE 0 END FROM inventory WHERE kind = $1 AND number > $2 ORDER BY number LIMIT $3",
        &[kind.as_str().into(), after.into(), limit.into()],
    )?;
    // Numbers that differ in the last two digits only are of one type; asking the plan about each would take longer than all the rest.
    let mut last: Option<(u64, u8)> = None;
    let entries = rows.iter().map(|row| {
        let plain = entry(row)?;
        let hundred = plain.number / 100;
        let bit = match last {
            Some((same, bit)) if same == hundred => bit,
            _ => NumberType::of(PhoneNumber::from_digits(plain.number)).bit(),
        };
        last = Some((hundred, bit));
        Ok(Entry { features: plain.features | bit, ..plain })
    });
    Ok(entries.collect::<Result<_, Fault>>()?)
}

/// Moves a number from one state to another, if it is in the former.
///
/// # Errors
/// `concurrent_modification` where it is not.
pub fn shift(
    tx: &mut Tx,
    kind: Environment,
    phone: PhoneNumber,
    (from, to): (OfferState, OfferState),
    holder: Option<EnvironmentId>,
    now: Timestamp,
) -> Result<()> {
    let changed = tx.execute(
        "UPDATE inventory SET state = $1, holder = $2, changed_at = $3 WHERE kind = $4 AND number = $5 AND state = $6",
        &[
            to.as_str().into(),
            holder.as_ref().map(EnvironmentId::as_bytes).into(),
            now.into(),
            kind.as_str().into(),
            phone.digits().into(),
            from.as_str().into(),
        ],
    )?;
    expect_one("number", changed)
}

/// Adds a number, or answers `false` where it is there already.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn insert(tx: &mut Tx, kind: Environment, offer: &Offer, now: Timestamp) -> Result<bool> {
    let changed = tx.execute(
        "INSERT INTO inventory (kind, number, carrier, features, monthly, setup, currency, address_requirement, state, holder, changed_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (kind, number) DO NOTHING",
        &row_of(kind, offer, now),
    )?;
    Ok(changed == 1)
}

/// Adds a number, or writes over the one that is there: for a number that came from another carrier.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn put(tx: &mut Tx, kind: Environment, offer: &Offer, now: Timestamp) -> Result<()> {
    let changed = tx.execute(
        "INSERT INTO inventory (kind, number, carrier, features, monthly, setup, currency, address_requirement, state, holder, changed_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (kind, number) DO UPDATE SET carrier = excluded.carrier, \
         features = excluded.features, monthly = excluded.monthly, setup = excluded.setup, currency = excluded.currency, \
         address_requirement = excluded.address_requirement, state = excluded.state, holder = excluded.holder, \
         changed_at = excluded.changed_at",
        &row_of(kind, offer, now),
    )?;
    expect_one("number", changed)
}

/// Adds numbers, and brings prices and features of those that are for sale up to date. Numbers in anybody's possession stay as they are.
/// Returns how many rows were added or differed. No number may be there twice.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn upsert_many(tx: &mut Tx, kind: Environment, offers: &[Offer], now: Timestamp) -> Result<u64> {
    let rows: Vec<Vec<Param>> = offers.iter().map(|offer| row_of(kind, offer, now)).collect();
    tx.insert_many(
        "INSERT INTO inventory (kind, number, carrier, features, monthly, setup, currency, address_requirement, state, holder, changed_at)",
        "ON CONFLICT (kind, number) DO UPDATE SET features = excluded.features, monthly = excluded.monthly, setup = excluded.setup, \
         currency = excluded.currency, address_requirement = excluded.address_requirement, changed_at = excluded.changed_at \
         WHERE inventory.state = 'available' AND (inventory.features <> excluded.features OR inventory.monthly <> excluded.monthly \
         OR inventory.setup <> excluded.setup OR inventory.address_requirement <> excluded.address_requirement)",
        &rows,
    )
}

/// How many numbers there are.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn is_empty(tx: &mut Tx, kind: Environment) -> Result<bool> {
    Ok(tx.first("SELECT number FROM inventory WHERE kind = $1 LIMIT 1", &[kind.as_str().into()])?.is_none())
}

fn row_of<'a>(kind: Environment, offer: &'a Offer, now: Timestamp) -> Vec<Param<'a>> {
    vec![
        kind.as_str().into(),
        offer.phone.digits().into(),
        (&offer.carrier).into(),
        i64::from(offer.features.bits()).into(),
        offer.monthly.micros.into(),
        offer.setup.micros.into(),
        Param::Text(offer.monthly.currency.as_str()),
        (&offer.address_requirement).into(),
        offer.state.as_str().into(),
        offer.holder.as_ref().map(EnvironmentId::as_bytes).into(),
        now.into(),
    ]
}

fn entry(row: &Row) -> Result<Entry, Fault> {
    Ok(Entry {
        number: u64::try_from(row.int(0)?).map_err(|_| Fault::shape(0))?,
        features: u8::try_from(row.int(1)?).map_err(|_| Fault::shape(1))?,
        monthly: row.int(2)?,
        setup: row.int(3)?,
        needs_address: u8::try_from(row.int(4)?).map_err(|_| Fault::shape(4))?,
        available: row.int(5)? != 0,
    })
}

fn offer(row: &Row) -> Result<Offer, Fault> {
    let digits = u64::try_from(row.int(0)?).map_err(|_| Fault::shape(0))?;
    let bits = u8::try_from(row.int(2)?).map_err(|_| Fault::shape(2))?;
    Ok(Offer {
        phone: PhoneNumber::from_digits(digits),
        carrier: row.text(1)?.to_owned(),
        features: Features::from_bits(bits),
        monthly: row.money(3, 5)?,
        setup: row.money(4, 5)?,
        address_requirement: row.text(6)?.to_owned(),
        state: row.word(7, OfferState::parse)?,
        holder: row.opt_array(8)?.map(EnvironmentId::from_bytes),
    })
}
