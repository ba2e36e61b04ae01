//! Numbers in accounts' possession.

use tandem_catalogue::Result;
use tandem_domain::{
    Features,
    address::Requirement,
    number::{Number, NumberState},
};
use tandem_kernel::{AddressId, Environment, EnvironmentId, NumberId, PhoneNumber, PortId, PropertyId, Timestamp};

use super::{expect_all, expect_one, number_counts};
use crate::{Fault, Param, Row, Tx, codec};

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, environment_id, phone, state, friendly_name, carrier, features, monthly, setup, currency, config, purchased_at, \
             periods_paid, grace_until, released_at, port_id, version, property_id, address_id, address_requirement FROM numbers ",
            $rest
        )
    };
}

/// Adds a number. A second current number with the same telephone number in one environment is refused by the database.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn insert(tx: &mut Tx, number: &Number) -> Result<()> {
    let (grace, released, port) = state_columns(&number.state);
    tx.execute(
        "INSERT INTO numbers (id, environment_id, phone, state, friendly_name, carrier, features, monthly, setup, currency, config, \
         purchased_at, periods_paid, grace_until, released_at, port_id, version, call_flow, property_id, address_id, address_requirement, wants, \
         sort) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)",
        &[
            number.id.as_bytes().into(),
            number.environment.as_bytes().into(),
            number.phone.digits().into(),
            number.state.as_str().into(),
            number.friendly_name.as_ref().into(),
            (&number.carrier).into(),
            i64::from(number.features.bits()).into(),
            number.monthly.micros.into(),
            number.setup.micros.into(),
            number.monthly.currency.as_str().into(),
            (&codec::config_to_text(&number.config)).into(),
            number.purchased_at.into(),
            i64::from(number.periods_paid).into(),
            grace.into(),
            released.into(),
            port.as_ref().map(PortId::as_bytes).into(),
            number.version.into(),
            flow_column(number).into(),
            number.property.as_bytes().into(),
            number.address.as_ref().map(AddressId::as_bytes).into(),
            number.requirement.as_str().into(),
            number.wants().as_ref().into(),
            number.sort().into(),
        ],
    )?;
    let released = matches!(number.state, NumberState::Released { .. });
    number_counts::add(tx, number, if released { 0 } else { 1 })
}

/// Writes a number over the version before it.
///
/// # Errors
/// `concurrent_modification` where another change came first.
pub fn update(tx: &mut Tx, number: &Number) -> Result<()> {
    let (grace, released, port) = state_columns(&number.state);
    let changed = tx.execute(
        "UPDATE numbers SET state = $1, friendly_name = $2, config = $3, purchased_at = $4, periods_paid = $5, grace_until = $6, \
         released_at = $7, port_id = $8, version = $9, call_flow = $11, address_id = $12, wants = $13 WHERE id = $10 AND version + 1 = $9",
        &[
            number.state.as_str().into(),
            number.friendly_name.as_ref().into(),
            (&codec::config_to_text(&number.config)).into(),
            number.purchased_at.into(),
            i64::from(number.periods_paid).into(),
            grace.into(),
            released.into(),
            port.as_ref().map(PortId::as_bytes).into(),
            number.version.into(),
            number.id.as_bytes().into(),
            flow_column(number).into(),
            number.address.as_ref().map(AddressId::as_bytes).into(),
            number.wants().as_ref().into(),
        ],
    )?;
    expect_one("number", changed)?;
    match number.state {
        NumberState::Released { .. } => number_counts::add(tx, number, -1), // nothing is written of it after that
        _ => Ok(()),
    }
}

/// Reads a number by its id, whoever has it.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn by_id(tx: &mut Tx, id: NumberId) -> Result<Option<Number>> {
    let row = tx.first(columns!("WHERE id = $1"), &[id.as_bytes().into()])?;
    Ok(row.map(|row| number(&row)).transpose()?)
}

/// Reads a number that an environment has now, by its id.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn get(tx: &mut Tx, environment: EnvironmentId, id: NumberId) -> Result<Option<Number>> {
    let found = by_id(tx, id)?;
    Ok(found.filter(|number| number.environment == environment && !matches!(number.state, NumberState::Released { .. })))
}

/// Reads a number that an environment has now, by its telephone number.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn by_phone(tx: &mut Tx, environment: EnvironmentId, phone: PhoneNumber) -> Result<Option<Number>> {
    let row = tx.first(
        columns!("WHERE environment_id = $1 AND phone = $2 AND state <> 'released'"),
        &[environment.as_bytes().into(), phone.digits().into()],
    )?;
    Ok(row.map(|row| number(&row)).transpose()?)
}

/// Which of many telephone numbers somebody has now in environments of a kind.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn held(tx: &mut Tx, kind: Environment, phones: &[PhoneNumber]) -> Result<Vec<PhoneNumber>> {
    let keys: Vec<Param> = phones.iter().map(|phone| phone.digits().into()).collect();
    let rows = tx.query_in(
        "SELECT phone FROM numbers WHERE state <> 'released' AND EXISTS (SELECT 1 FROM environments e \
         WHERE e.id = numbers.environment_id AND e.kind = $1) AND phone IN",
        &[kind.as_str().into()],
        &keys,
        "",
    )?;
    let phone = |row: &Row| u64::try_from(row.int(0)?).map(PhoneNumber::from_digits).map_err(|_| Fault::shape(0));
    Ok(rows.iter().map(phone).collect::<Result<_, Fault>>()?)
}

/// Reads those of many telephone numbers that an environment has now, in no order.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn by_phones(tx: &mut Tx, environment: EnvironmentId, phones: &[PhoneNumber]) -> Result<Vec<Number>> {
    let keys: Vec<Param> = phones.iter().map(|phone| phone.digits().into()).collect();
    let head = columns!("WHERE environment_id = $1 AND state <> 'released' AND phone IN");
    let rows = tx.query_in(head, &[environment.as_bytes().into()], &keys, "")?;
    Ok(rows.iter().map(number).collect::<Result<_, Fault>>()?)
}

/// Reads a number that any environment of a kind has now, by its telephone number: whose an incoming call or message is.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn of_kind(tx: &mut Tx, kind: Environment, phone: PhoneNumber) -> Result<Option<Number>> {
    let row = tx.first(
        columns!(
            "WHERE phone = $1 AND state <> 'released' AND EXISTS (SELECT 1 FROM environments e WHERE e.id = numbers.environment_id \
             AND e.kind = $2)"
        ),
        &[phone.digits().into(), kind.as_str().into()],
    )?;
    Ok(row.map(|row| number(&row)).transpose()?)
}

/// The numbers that an environment has now, oldest first, and how many there are in all.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn list(tx: &mut Tx, environment: EnvironmentId, state: Option<&str>, limit: i64, offset: i64) -> Result<(Vec<Number>, i64)> {
    let environment = environment.as_bytes();
    let (rows, total) = match state {
        Some(state) => (
            tx.query(
                columns!("WHERE environment_id = $1 AND state = $2 ORDER BY id LIMIT $3 OFFSET $4"),
                &[environment.into(), state.into(), limit.into(), offset.into()],
            )?,
            tx.first("SELECT COUNT(*) FROM numbers WHERE environment_id = $1 AND state = $2", &[environment.into(), state.into()])?,
        ),
        None => (
            tx.query(
                columns!("WHERE environment_id = $1 AND state <> 'released' ORDER BY id LIMIT $2 OFFSET $3"),
                &[environment.into(), limit.into(), offset.into()],
            )?,
            tx.first("SELECT COUNT(*) FROM numbers WHERE environment_id = $1 AND state <> 'released'", &[environment.into()])?,
        ),
    };
    let total = total.ok_or_else(|| Fault::data("a count without a row"))?.int(0)?;
    Ok((rows.iter().map(number).collect::<Result<_, Fault>>()?, total))
}

/// The number that an environment has had longest, of those that are active and have these features.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn oldest_with(tx: &mut Tx, environment: EnvironmentId, features: Features) -> Result<Option<Number>> {
    let row = tx.first(
        columns!("WHERE environment_id = $1 AND state = 'active' AND (features & $2) = $2 ORDER BY id LIMIT 1"),
        &[environment.as_bytes().into(), i64::from(features.bits()).into()],
    )?;
    Ok(row.map(|row| number(&row)).transpose()?)
}

/// The flow that a number leads to: none once it is released.
fn flow_column(number: &Number) -> Option<&String> {
    let current = !matches!(number.state, NumberState::Released { .. });
    number.config.call_flow_id.as_ref().filter(|_| current)
}

/// Which numbers a list has.
#[derive(Clone, Copy, Debug)]
pub enum Owner {
    /// All of an environment.
    Environment(EnvironmentId),
    /// Those of a property of an environment.
    Property(EnvironmentId, PropertyId),
}

/// A page of the numbers that an owner has now and that are of one of these sorts, oldest first, from the one after `after`. Each sort
/// is a stretch of an index, so that what the filter leaves out is not read: put so that the order of ids alone is no way to walk it,
/// which PostgreSQL would choose where one property has much of a table and so would read all that lies between.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn of_sorts(tx: &mut Tx, owner: Owner, sorts: &[i64], after: NumberId, limit: i64, offset: i64) -> Result<Vec<Number>> {
    if sorts.is_empty() {
        return Ok(Vec::new());
    }
    let own = match &owner {
        Owner::Environment(id) => id.as_bytes(),
        Owner::Property(_, id) => id.as_bytes(),
    };
    let reach = limit.saturating_add(offset);
    let params = [own.into(), after.as_bytes().into(), reach.into(), limit.into(), offset.into()];
    let rows = tx.query_built(&page_of_sorts(&owner, sorts), &params)?;
    Ok(rows.iter().map(number).collect::<Result<_, Fault>>()?)
}

/// The text of that query.
#[must_use]
pub fn page_of_sorts(owner: &Owner, sorts: &[i64]) -> String {
    let column = match owner {
        Owner::Environment(_) => "environment_id",
        Owner::Property(..) => "property_id",
    };
    let stretch = |(place, sort): (usize, &i64)| {
        format!(
            "SELECT id FROM (SELECT id FROM numbers WHERE {column} = $1 AND (sort, id) > ({sort}, $2) AND sort <= {sort} \
             AND state <> 'released' ORDER BY sort, id LIMIT $3) AS sort_{place}"
        )
    };
    let stretches: Vec<String> = sorts.iter().enumerate().map(stretch).collect();
    let page = format!("SELECT id FROM ({}) AS found ORDER BY id LIMIT $4 OFFSET $5", stretches.join(" UNION ALL "));
    format!("{} ({page}) ORDER BY id", columns!("WHERE id IN"))
}

/// Numbers that need an address in a place, oldest first.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn wanting(tx: &mut Tx, environment: EnvironmentId, place: &str, limit: i64) -> Result<Vec<Number>> {
    let rows = tx.query(
        columns!("WHERE environment_id = $1 AND wants = $2 ORDER BY id LIMIT $3"),
        &[environment.as_bytes().into(), place.into(), limit.into()],
    )?;
    Ok(rows.iter().map(number).collect::<Result<_, Fault>>()?)
}

/// Registers numbers that need an address with one.
///
/// # Errors
/// `concurrent_modification` where another change came first.
pub fn register(tx: &mut Tx, address: AddressId, numbers: &[Number]) -> Result<()> {
    let row = |number: &Number| [*number.id.as_bytes(), *address.as_bytes()];
    let ids: Vec<[[u8; 16]; 2]> = numbers.iter().map(row).collect();
    let rows: Vec<Vec<Param>> = ids.iter().map(|[id, address]| vec![id.into(), address.into()]).collect();
    let sql = "UPDATE numbers SET address_id = $2, wants = NULL, version = version + 1 WHERE id = $1 AND wants IS NOT NULL";
    let changed = tx.execute_many(sql, &rows)?;
    expect_all("number", changed, numbers.len())
}

/// How many numbers are registered with an address; beyond `most` they are not counted.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn count_with_address(tx: &mut Tx, address: AddressId, most: i64) -> Result<i64> {
    let row = tx.first(
        "SELECT COUNT(*) FROM (SELECT id FROM numbers WHERE address_id = $1 AND state <> 'released' LIMIT $2) AS linked",
        &[address.as_bytes().into(), most.into()],
    )?;
    Ok(row.ok_or_else(|| Fault::data("a count without a row"))?.int(0)?)
}

fn state_columns(state: &NumberState) -> (Option<Timestamp>, Option<Timestamp>, Option<PortId>) {
    match *state {
        NumberState::Active | NumberState::PortingOut => (None, None, None),
        NumberState::Suspended { grace_until } => (Some(grace_until), None, None),
        NumberState::Porting { port } => (None, None, Some(port)),
        NumberState::Released { at } => (None, Some(at), None),
    }
}

fn number(row: &Row) -> Result<Number, Fault> {
    let state = match (row.text(3)?, row.opt_time(13)?, row.opt_time(14)?, row.opt_array(15)?) {
        ("active", ..) => NumberState::Active,
        ("porting_out", ..) => NumberState::PortingOut,
        ("suspended", Some(grace_until), ..) => NumberState::Suspended { grace_until },
        ("released", _, Some(at), _) => NumberState::Released { at },
        ("porting", _, _, Some(port)) => NumberState::Porting { port: PortId::from_bytes(port) },
        (state, ..) => return Err(Fault::data(format!("a number in the state '{state}'"))),
    };
    Ok(Number {
        id: NumberId::from_bytes(row.array(0)?),
        environment: EnvironmentId::from_bytes(row.array(1)?),
        phone: PhoneNumber::from_digits(u64::try_from(row.int(2)?).map_err(|_| Fault::shape(2))?),
        state,
        friendly_name: row.opt_text(4)?.map(str::to_owned),
        carrier: row.text(5)?.to_owned(),
        features: Features::from_bits(u8::try_from(row.int(6)?).map_err(|_| Fault::shape(6))?),
        monthly: row.money(7, 9)?,
        setup: row.money(8, 9)?,
        config: codec::config_from_text(row.text(10)?)?,
        purchased_at: row.time(11)?,
        periods_paid: i32::try_from(row.int(12)?).map_err(|_| Fault::shape(12))?,
        version: row.int(16)?,
        property: PropertyId::from_bytes(row.array(17)?),
        address: row.opt_array(18)?.map(AddressId::from_bytes),
        requirement: row.word(19, Requirement::parse)?,
    })
}
