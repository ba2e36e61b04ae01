//! Ports and the documents that support them.

use serde::{Deserialize, Serialize};
use tandem_catalogue::Result;
use tandem_domain::{
    document::{Document, DocumentKind, MediaType},
    port::{Address, Port, PortDetails, PortState},
};
use tandem_kernel::{DocumentId, Environment, EnvironmentId, NumberId, PhoneNumber, PortId, Timestamp, TransferId};

use super::expect_one;
use crate::{Fault, Row, Tx, codec};

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, environment_id, number_id, carrier, phone, account_number, account_pin, carrier_name, billing_phone, \
             end_user_name, end_user_address, state, reason, scheduled_for, completed_at, fee, currency, hold_id, \
             estimated_completion, created_at, updated_at, version FROM ports ",
            $rest
        )
    };
}

macro_rules! document_columns {
    ($rest:literal) => {
        concat!("SELECT id, port_id, kind, name, media_type, size, created_at FROM documents ", $rest)
    };
}

#[derive(Serialize, Deserialize)]
struct AddressRow {
    street: String,
    city: String,
    state: String,
    postal_code: String,
    country: String,
}

/// Adds a port, with the operation that asked for it. A second open port of one telephone number within a kind of environment
/// is refused by the database.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn insert(tx: &mut Tx, kind: Environment, operation: &[u8; 16], port: &Port) -> Result<()> {
    let (reason, scheduled, completed) = state_columns(&port.state);
    tx.execute(
        "INSERT INTO ports (id, environment_id, kind, operation, phone, number_id, carrier, state, account_number, account_pin, \
         carrier_name, billing_phone, end_user_name, end_user_address, fee, currency, hold_id, reason, scheduled_for, completed_at, \
         estimated_completion, created_at, updated_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, \
         $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)",
        &[
            port.id.as_bytes().into(),
            port.environment.as_bytes().into(),
            kind.as_str().into(),
            operation.into(),
            port.details.phone.digits().into(),
            port.number.as_bytes().into(),
            (&port.carrier).into(),
            port.state.as_str().into(),
            (&port.details.account_number).into(),
            port.details.account_pin.as_ref().into(),
            port.details.carrier_name.as_ref().into(),
            port.details.billing_phone.digits().into(),
            (&port.details.end_user_name).into(),
            (&address_to_text(&port.details.end_user_address)).into(),
            port.fee.micros.into(),
            port.fee.currency.as_str().into(),
            port.hold.as_ref().map(TransferId::as_bytes).into(),
            reason.into(),
            scheduled.into(),
            completed.into(),
            port.estimated_completion.into(),
            port.created_at.into(),
            port.updated_at.into(),
            port.version.into(),
        ],
    )?;
    Ok(())
}

/// Writes a port over the version before it: its state, its dates, and a PIN that is no longer needed.
///
/// # Errors
/// `concurrent_modification` where another change came first.
pub fn update(tx: &mut Tx, port: &Port) -> Result<()> {
    let (reason, scheduled, completed) = state_columns(&port.state);
    let changed = tx.execute(
        "UPDATE ports SET state = $1, reason = $2, scheduled_for = $3, completed_at = $4, account_pin = $5, estimated_completion = $6, \
         updated_at = $7, version = $8 WHERE id = $9 AND version + 1 = $8",
        &[
            port.state.as_str().into(),
            reason.into(),
            scheduled.into(),
            completed.into(),
            port.details.account_pin.as_ref().into(),
            port.estimated_completion.into(),
            port.updated_at.into(),
            port.version.into(),
            port.id.as_bytes().into(),
        ],
    )?;
    expect_one("port", changed)
}

/// Reads a port by its id, whoever asked for it.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn by_id(tx: &mut Tx, id: PortId) -> Result<Option<Port>> {
    let row = tx.first(columns!("WHERE id = $1"), &[id.as_bytes().into()])?;
    Ok(row.map(|row| port(&row)).transpose()?)
}

/// Reads a port of an environment.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn get(tx: &mut Tx, environment: EnvironmentId, id: PortId) -> Result<Option<Port>> {
    Ok(by_id(tx, id)?.filter(|port| port.environment == environment))
}

/// The port that an operation asked for, while it is open.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn open_of_operation(tx: &mut Tx, environment: EnvironmentId, operation: &[u8; 16]) -> Result<Option<Port>> {
    let row = tx.first(
        columns!("WHERE environment_id = $1 AND operation = $2 AND state IN ('pending', 'submitted', 'scheduled')"),
        &[environment.as_bytes().into(), operation.into()],
    )?;
    Ok(row.map(|row| port(&row)).transpose()?)
}

/// The open port of a telephone number within a kind of environment, whoever asked for it.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn open_of_phone(tx: &mut Tx, kind: Environment, phone: PhoneNumber) -> Result<Option<Port>> {
    let row = tx.first(
        columns!("WHERE kind = $1 AND phone = $2 AND state IN ('pending', 'submitted', 'scheduled')"),
        &[kind.as_str().into(), phone.digits().into()],
    )?;
    Ok(row.map(|row| port(&row)).transpose()?)
}

/// An environment's ports, oldest first, and how many there are in all.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn list(tx: &mut Tx, environment: EnvironmentId, state: Option<&str>, limit: i64, offset: i64) -> Result<(Vec<Port>, i64)> {
    let environment = environment.as_bytes();
    let (rows, total) = match state {
        Some(state) => (
            tx.query(
                columns!("WHERE environment_id = $1 AND state = $2 ORDER BY id LIMIT $3 OFFSET $4"),
                &[environment.into(), state.into(), limit.into(), offset.into()],
            )?,
            tx.first("SELECT COUNT(*) FROM ports WHERE environment_id = $1 AND state = $2", &[environment.into(), state.into()])?,
        ),
        None => (
            tx.query(
                columns!("WHERE environment_id = $1 ORDER BY id LIMIT $2 OFFSET $3"),
                &[environment.into(), limit.into(), offset.into()],
            )?,
            tx.first("SELECT COUNT(*) FROM ports WHERE environment_id = $1", &[environment.into()])?,
        ),
    };
    let total = total.ok_or_else(|| Fault::data("a count without a row"))?.int(0)?;
    Ok((rows.iter().map(port).collect::<Result<_, Fault>>()?, total))
}

/// The ports of all environments from the one after `after`, oldest first: those in a state, or all that are open.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn queue(tx: &mut Tx, state: Option<&str>, after: PortId, limit: i64) -> Result<Vec<Port>> {
    let rows = match state {
        Some(state) => tx.query(
            columns!("WHERE state = $1 AND id > $2 ORDER BY id LIMIT $3"),
            &[state.into(), after.as_bytes().into(), limit.into()],
        )?,
        None => tx.query(
            columns!("WHERE state IN ('pending', 'submitted', 'scheduled') AND id > $1 ORDER BY id LIMIT $2"),
            &[after.as_bytes().into(), limit.into()],
        )?,
    };
    Ok(rows.iter().map(port).collect::<Result<_, Fault>>()?)
}

/// Adds a document.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn add_document(tx: &mut Tx, document: &Document, content: &[u8]) -> Result<()> {
    tx.execute(
        "INSERT INTO documents (id, port_id, kind, name, media_type, size, content, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &[
            document.id.as_bytes().into(),
            document.port.as_bytes().into(),
            document.kind.as_str().into(),
            (&document.name).into(),
            document.media_type.as_str().into(),
            document.size.into(),
            content.into(),
            document.created_at.into(),
        ],
    )?;
    Ok(())
}

/// A port's documents without their contents, oldest first.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn documents(tx: &mut Tx, port: PortId) -> Result<Vec<Document>> {
    let rows = tx.query(document_columns!("WHERE port_id = $1 ORDER BY id"), &[port.as_bytes().into()])?;
    Ok(rows.iter().map(document).collect::<Result<_, Fault>>()?)
}

/// A port's document and its content.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn document_with_content(tx: &mut Tx, port: PortId, id: DocumentId) -> Result<Option<(Document, Vec<u8>)>> {
    let of = [id.as_bytes().into(), port.as_bytes().into()];
    let Some(row) = tx.first(document_columns!("WHERE id = $1 AND port_id = $2"), &of)? else { return Ok(None) };
    let content = tx.first("SELECT content FROM documents WHERE id = $1 AND port_id = $2", &of)?;
    let content = content.ok_or_else(|| Fault::data("a document without its content"))?;
    Ok(Some((document(&row)?, content.bytes(0)?.to_vec())))
}

type StateColumns<'a> = (Option<&'a str>, Option<Timestamp>, Option<Timestamp>);

const fn state_columns(state: &PortState) -> StateColumns<'_> {
    match state {
        PortState::Pending | PortState::Submitted | PortState::Canceled => (None, None, None),
        PortState::Scheduled { at } => (None, Some(*at), None),
        PortState::Completed { at } => (None, None, Some(*at)),
        PortState::Rejected { reason } => (Some(reason.as_str()), None, None),
    }
}

fn state_of(row: &Row) -> Result<PortState, Fault> {
    Ok(match (row.text(11)?, row.opt_text(12)?, row.opt_time(13)?, row.opt_time(14)?) {
        ("pending", ..) => PortState::Pending,
        ("submitted", ..) => PortState::Submitted,
        ("scheduled", _, Some(at), _) => PortState::Scheduled { at },
        ("completed", _, _, Some(at)) => PortState::Completed { at },
        ("rejected", Some(reason), ..) => PortState::Rejected { reason: reason.to_owned() },
        ("canceled", ..) => PortState::Canceled,
        (state, ..) => return Err(Fault::data(format!("a port in the state '{state}'"))),
    })
}

fn address_to_text(address: &Address) -> String {
    let Address { street, city, state, postal_code, country } = address.clone();
    codec::to_text(&AddressRow { street, city, state, postal_code, country })
}

fn address(text: &str) -> Result<Address, Fault> {
    let AddressRow { street, city, state, postal_code, country } = codec::from_text(text)?;
    Ok(Address { street, city, state, postal_code, country })
}

fn phone(row: &Row, column: usize) -> Result<PhoneNumber, Fault> {
    Ok(PhoneNumber::from_digits(u64::try_from(row.int(column)?).map_err(|_| Fault::shape(column))?))
}

fn port(row: &Row) -> Result<Port, Fault> {
    Ok(Port {
        id: PortId::from_bytes(row.array(0)?),
        environment: EnvironmentId::from_bytes(row.array(1)?),
        number: NumberId::from_bytes(row.array(2)?),
        carrier: row.text(3)?.to_owned(),
        details: PortDetails {
            phone: phone(row, 4)?,
            account_number: row.text(5)?.to_owned(),
            account_pin: row.opt_text(6)?.map(str::to_owned),
            carrier_name: row.opt_text(7)?.map(str::to_owned),
            billing_phone: phone(row, 8)?,
            end_user_name: row.text(9)?.to_owned(),
            end_user_address: address(row.text(10)?)?,
        },
        state: state_of(row)?,
        fee: row.money(15, 16)?,
        hold: row.opt_array(17)?.map(TransferId::from_bytes),
        estimated_completion: row.time(18)?,
        created_at: row.time(19)?,
        updated_at: row.time(20)?,
        version: row.int(21)?,
    })
}

fn document(row: &Row) -> Result<Document, Fault> {
    Ok(Document {
        id: DocumentId::from_bytes(row.array(0)?),
        port: PortId::from_bytes(row.array(1)?),
        kind: row.word(2, DocumentKind::parse)?,
        name: row.text(3)?.to_owned(),
        media_type: row.word(4, MediaType::parse)?,
        size: row.int(5)?,
        created_at: row.time(6)?,
    })
}
