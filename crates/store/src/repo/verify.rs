//! What an audit reads: everything of an environment that has to agree with its ledger.

use std::collections::HashMap;

use tandem_catalogue::Result;
use tandem_domain::purchase::OfferState;
use tandem_kernel::{CallId, Environment, EnvironmentId, MessageId, NumberId, OrderId, PhoneNumber, PortId, TransferId};

use crate::{Fault, Param, Row, Tx};

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
    /// Whether the next month is scheduled.
    pub scheduled: bool,
    /// What the inventory says of it: where it is, and who has it.
    pub offer: Option<(String, Option<EnvironmentId>)>,
    /// The kind and the data of its first event.
    pub origin: Option<(String, String)>,
}

/// An environment's numbers from the one after `after`, released ones too. `renewal` is the kind of due work that charges months.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn numbers(
    tx: &mut Tx,
    (environment, kind): (EnvironmentId, Environment),
    renewal: &str,
    after: NumberId,
    limit: i64,
) -> Result<Vec<Number>> {
    let rows = tx.query(
        "SELECT n.id, n.phone, n.state, n.monthly, n.setup, n.periods_paid, i.state, i.holder, \
         EXISTS (SELECT 1 FROM jobs j WHERE j.kind = $1 AND j.subject = n.id AND j.step = n.periods_paid) FROM numbers n \
         LEFT JOIN inventory i ON i.kind = $2 AND i.number = n.phone WHERE n.environment_id = $3 AND n.id > $4 ORDER BY n.id LIMIT $5",
        &[renewal.into(), kind.as_str().into(), environment.as_bytes().into(), after.as_bytes().into(), limit.into()],
    )?;
    let mut numbers = rows.iter().map(number).collect::<Result<Vec<_>, Fault>>()?;
    let mut origins = origins(tx, &numbers)?;
    for number in &mut numbers {
        number.origin = origins.remove(&number.id.to_string());
    }
    Ok(numbers)
}

/// The first event of each number.
fn origins(tx: &mut Tx, numbers: &[Number]) -> Result<HashMap<String, (String, String)>> {
    if numbers.is_empty() {
        return Ok(HashMap::new());
    }
    let names: Vec<String> = numbers.iter().map(|number| number.id.to_string()).collect();
    let places: Vec<String> = (1..=names.len()).map(|place| format!("${place}")).collect();
    let sql = format!("SELECT object, kind, data FROM events WHERE object IN ({}) AND sequence = 1", places.join(", "));
    let rows = tx.query_built(&sql, &names.iter().map(Param::from).collect::<Vec<_>>())?;
    let text = |row: &Row, column| row.text(column).map(str::to_owned);
    let origins = rows.iter().map(|row| Ok((text(row, 0)?, (text(row, 1)?, text(row, 2)?))));
    Ok(origins.collect::<Result<_, Fault>>()?)
}

/// What an audit has to know of a number of the inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shelved {
    /// The telephone number.
    pub phone: PhoneNumber,
    /// Where it is.
    pub state: OfferState,
    /// Who has it, if anybody.
    pub holder: Option<EnvironmentId>,
    /// Whether the holder has the number.
    pub had: bool,
    /// Whether the holder has an order for it under way.
    pub ordered: bool,
}

/// Numbers of the inventory in order, from the one after `after`.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn inventory(tx: &mut Tx, kind: Environment, after: u64, limit: i64) -> Result<Vec<Shelved>> {
    let rows = tx.query(
        "SELECT i.number, i.state, i.holder, EXISTS (SELECT 1 FROM numbers n WHERE n.environment_id = i.holder AND n.phone = i.number \
         AND n.state <> 'released'), EXISTS (SELECT 1 FROM orders o WHERE o.environment_id = i.holder AND o.phone = i.number \
         AND o.state = 'pending') FROM inventory i WHERE i.kind = $1 AND i.number > $2 ORDER BY i.number LIMIT $3",
        &[kind.as_str().into(), after.into(), limit.into()],
    )?;
    let shelved = rows.iter().map(|row| {
        let (state, holder) = (row.word(1, OfferState::parse)?, row.opt_array(2)?.map(EnvironmentId::from_bytes));
        Ok(Shelved { phone: phone(row, 0)?, state, holder, had: row.bool(3)?, ordered: row.bool(4)? })
    });
    Ok(shelved.collect::<Result<_, Fault>>()?)
}

/// Whether a step of an object is scheduled.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn is_scheduled(tx: &mut Tx, kind: &str, subject: &[u8; 16], step: i64) -> Result<bool> {
    let sql = "SELECT step FROM jobs WHERE kind = $1 AND subject = $2 AND step = $3";
    Ok(tx.first(sql, &[kind.into(), subject.into(), step.into()])?.is_some())
}

/// An environment's pending orders and what they hold.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn pending_orders(tx: &mut Tx, environment: EnvironmentId) -> Result<Vec<(OrderId, Option<TransferId>)>> {
    let rows = tx.query(
        "SELECT id, hold_id FROM orders WHERE environment_id = $1 AND state = 'pending'",
        &[environment.as_bytes().into()],
    )?;
    let orders = rows.iter().map(|row| Ok((OrderId::from_bytes(row.array(0)?), hold(row, 1)?)));
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

/// An environment's messages that are not sent yet and what they hold.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn unsent_messages(tx: &mut Tx, environment: EnvironmentId) -> Result<Vec<(MessageId, Option<TransferId>)>> {
    let rows = tx.query(
        "SELECT id, hold_id FROM messages WHERE environment_id = $1 AND state IN ('queued', 'sending', 'sent') AND state <> 'sent' \
         UNION ALL SELECT id, hold_id FROM messages WHERE environment_id = $1 AND state = 'scheduled'",
        &[environment.as_bytes().into()],
    )?;
    Ok(rows.iter().map(|row| Ok((MessageId::from_bytes(row.array(0)?), hold(row, 1)?))).collect::<Result<_, Fault>>()?)
}

/// An environment's calls that go on, with each thing that they hold.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn live_calls(tx: &mut Tx, environment: EnvironmentId) -> Result<Vec<(CallId, Option<TransferId>)>> {
    let rows = tx.query(
        "SELECT c.id, k.hold_id FROM live_calls c JOIN call_holds k ON k.call_id = c.id WHERE c.environment_id = $1",
        &[environment.as_bytes().into()],
    )?;
    Ok(rows.iter().map(|row| Ok((CallId::from_bytes(row.array(0)?), hold(row, 1)?))).collect::<Result<_, Fault>>()?)
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
        scheduled: row.bool(8)?,
        offer: row
            .opt_text(6)?
            .map(|state| Ok::<_, Fault>((state.to_owned(), row.opt_array(7)?.map(EnvironmentId::from_bytes))))
            .transpose()?,
        origin: None,
    })
}
