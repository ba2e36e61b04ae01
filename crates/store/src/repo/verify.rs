//! What an audit reads: everything of an environment that has to agree with its ledger.

use tandem_catalogue::Result;
use tandem_kernel::{EnvironmentId, NumberId, OrderId, PhoneNumber, PortId, TransferId};

use crate::{Fault, Row, Tx};

/// What an audit has to know of a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// Its id.
    pub id: NumberId,
    /// The telephone number.
    pub phone: PhoneNumber,
    /// The word for its state.
    pub state: String,
    /// Millionths that a month costs.
    pub monthly: i64,
    /// Millionths that getting it cost.
    pub setup: i64,
    /// Months that were paid for.
    pub periods_paid: i64,
    /// The kind and the data of its first event.
    pub origin: Option<(String, String)>,
}

/// An environment's numbers from the one after `after`, released ones too, each with how it came here.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn numbers(tx: &mut Tx, environment: EnvironmentId, after: NumberId, limit: i64) -> Result<Vec<Number>> {
    let rows = tx.query(
        "SELECT id, phone, state, monthly, setup, periods_paid FROM numbers WHERE environment_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        &[environment.as_bytes().into(), after.as_bytes().into(), limit.into()],
    )?;
    let mut numbers = rows.iter().map(number).collect::<Result<Vec<_>, Fault>>()?;
    for number in &mut numbers {
        let first = "SELECT kind, data FROM events WHERE object = $1 AND sequence = 1";
        let event = tx.first(first, &[(&number.id.to_string()).into()])?;
        number.origin = event.map(|row| Ok::<_, Fault>((row.text(0)?.to_owned(), row.text(1)?.to_owned()))).transpose()?;
    }
    Ok(numbers)
}

/// Whether a step of an object is scheduled.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn is_scheduled(tx: &mut Tx, kind: &str, subject: &[u8; 16], step: i64) -> Result<bool> {
    let sql = "SELECT step FROM jobs WHERE kind = $1 AND subject = $2 AND step = $3";
    Ok(tx.first(sql, &[kind.into(), subject.into(), step.into()])?.is_some())
}

/// An environment's pending orders and what they hold.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn pending_orders(tx: &mut Tx, environment: EnvironmentId) -> Result<Vec<(OrderId, PhoneNumber, Option<TransferId>)>> {
    let rows = tx.query(
        "SELECT id, phone, hold_id FROM orders WHERE environment_id = $1 AND state = 'pending'",
        &[environment.as_bytes().into()],
    )?;
    let orders = rows.iter().map(|row| Ok((OrderId::from_bytes(row.array(0)?), phone(row, 1)?, hold(row, 2)?)));
    Ok(orders.collect::<Result<_, Fault>>()?)
}

/// An environment's open ports and what they hold.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn open_ports(tx: &mut Tx, environment: EnvironmentId) -> Result<Vec<(PortId, Option<TransferId>)>> {
    let rows = tx.query(
        "SELECT id, hold_id FROM ports WHERE environment_id = $1 AND state IN ('pending', 'submitted', 'scheduled')",
        &[environment.as_bytes().into()],
    )?;
    Ok(rows.iter().map(|row| Ok((PortId::from_bytes(row.array(0)?), hold(row, 1)?))).collect::<Result<_, Fault>>()?)
}

/// Whether an environment has a number now. Asked of each assigned number of the inventory, so it reads an index only.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn has(tx: &mut Tx, environment: EnvironmentId, phone: PhoneNumber) -> Result<bool> {
    let sql = "SELECT phone FROM numbers WHERE environment_id = $1 AND phone = $2 AND state <> 'released'";
    Ok(tx.first(sql, &[environment.as_bytes().into(), phone.digits().into()])?.is_some())
}

/// Whether an environment has an order for a number under way.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn is_ordered(tx: &mut Tx, environment: EnvironmentId, phone: PhoneNumber) -> Result<bool> {
    let sql = "SELECT phone FROM orders WHERE environment_id = $1 AND phone = $2 AND state = 'pending'";
    Ok(tx.first(sql, &[environment.as_bytes().into(), phone.digits().into()])?.is_some())
}

fn phone(row: &Row, column: usize) -> Result<PhoneNumber, Fault> {
    u64::try_from(row.int(column)?).map(PhoneNumber::from_digits).map_err(|_| Fault::shape(column))
}

fn hold(row: &Row, column: usize) -> Result<Option<TransferId>, Fault> {
    Ok(row.opt_array(column)?.map(TransferId::from_bytes))
}

fn number(row: &Row) -> Result<Number, Fault> {
    Ok(Number {
        id: NumberId::from_bytes(row.array(0)?),
        phone: phone(row, 1)?,
        state: row.text(2)?.to_owned(),
        monthly: row.int(3)?,
        setup: row.int(4)?,
        periods_paid: row.int(5)?,
        origin: None,
    })
}
