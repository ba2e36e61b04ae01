//! Numbers in accounts' possession.

use tandem_catalogue::Result;
use tandem_domain::{
    Features,
    number::{Number, NumberState},
};
use tandem_kernel::{Environment, EnvironmentId, NumberId, PhoneNumber, PortId, Timestamp};

use super::expect_one;
use crate::{Fault, Param, Row, Tx, codec};

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, environment_id, phone, state, friendly_name, carrier, features, monthly, setup, currency, config, purchased_at, \
             periods_paid, grace_until, released_at, port_id, version FROM numbers ",
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
         purchased_at, periods_paid, grace_until, released_at, port_id, version, call_flow) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
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
        ],
    )?;
    Ok(())
}

/// Writes a number over the version before it.
///
/// # Errors
/// `concurrent_modification` where another change came first.
pub fn update(tx: &mut Tx, number: &Number) -> Result<()> {
    let (grace, released, port) = state_columns(&number.state);
    let changed = tx.execute(
        "UPDATE numbers SET state = $1, friendly_name = $2, config = $3, purchased_at = $4, periods_paid = $5, grace_until = $6, \
         released_at = $7, port_id = $8, version = $9, call_flow = $11 WHERE id = $10 AND version + 1 = $9",
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
        ],
    )?;
    expect_one("number", changed)
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

/// The flow that a number leads to: none once it is released.
fn flow_column(number: &Number) -> Option<&String> {
    let current = !matches!(number.state, NumberState::Released { .. });
    number.config.call_flow_id.as_ref().filter(|_| current)
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
    })
}
