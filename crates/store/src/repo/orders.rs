//! Orders for numbers at carriers: what is under way between the hold and its capture.

use tandem_catalogue::Result;
use tandem_domain::{Features, address::Requirement};
use tandem_kernel::{AddressId, EnvironmentId, Money, OrderId, PhoneNumber, PropertyId, Timestamp, TransferId};

use super::expect_one;
use crate::{Fault, Row, Tx};

/// Where an order is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OrderState {
    /// With the carrier.
    Pending,
    /// The number is the account's.
    Completed,
    /// The carrier refused or failed.
    Failed,
}

impl OrderState {
    /// The word that the store uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Completed, Self::Failed].into_iter().find(|state| state.as_str() == text)
    }
}

/// An order for a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its id; the carrier knows it, so asking twice orders once.
    pub id: OrderId,
    /// Whose it is.
    pub environment: EnvironmentId,
    /// The request that made it: a repetition of the request finds it.
    pub operation: [u8; 16],
    /// The number.
    pub phone: PhoneNumber,
    /// Who carries it.
    pub carrier: String,
    /// The name that the buyer gave it.
    pub friendly_name: Option<String>,
    /// What the number can do.
    pub features: Features,
    /// What a month costs.
    pub monthly: Money,
    /// What getting it costs.
    pub setup: Money,
    /// The hold of the price; none for what is free.
    pub hold: Option<TransferId>,
    /// The property that is to have the number.
    pub property: PropertyId,
    /// The address that the buyer named for it.
    pub address: Option<AddressId>,
    /// Which address the number's country wants.
    pub requirement: Requirement,
    /// Where it is.
    pub state: OrderState,
    /// When it was made.
    pub created_at: Timestamp,
}

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, environment_id, operation, phone, carrier, friendly_name, features, monthly, setup, currency, hold_id, state, \
             created_at, property_id, address_id, address_requirement FROM orders ",
            $rest
        )
    };
}

/// Adds an order.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn insert(tx: &mut Tx, order: &Order) -> Result<()> {
    tx.execute(
        "INSERT INTO orders (id, environment_id, operation, phone, carrier, friendly_name, features, monthly, setup, currency, hold_id, \
         state, created_at, property_id, address_id, address_requirement) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        &[
            order.id.as_bytes().into(),
            order.environment.as_bytes().into(),
            (&order.operation).into(),
            order.phone.digits().into(),
            (&order.carrier).into(),
            order.friendly_name.as_ref().into(),
            i64::from(order.features.bits()).into(),
            order.monthly.micros.into(),
            order.setup.micros.into(),
            order.monthly.currency.as_str().into(),
            order.hold.as_ref().map(TransferId::as_bytes).into(),
            order.state.as_str().into(),
            order.created_at.into(),
            order.property.as_bytes().into(),
            order.address.as_ref().map(AddressId::as_bytes).into(),
            order.requirement.as_str().into(),
        ],
    )?;
    Ok(())
}

/// Reads an order.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn get(tx: &mut Tx, id: OrderId) -> Result<Option<Order>> {
    let row = tx.first(columns!("WHERE id = $1"), &[id.as_bytes().into()])?;
    Ok(row.map(|row| order(&row)).transpose()?)
}

/// The last order that an operation made since an instant, whatever became of it.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn of_operation(tx: &mut Tx, environment: EnvironmentId, operation: &[u8; 16], since: Timestamp) -> Result<Option<Order>> {
    let row = tx.first(
        columns!("WHERE environment_id = $1 AND operation = $2 AND created_at >= $3 ORDER BY id DESC LIMIT 1"),
        &[environment.as_bytes().into(), operation.into(), since.into()],
    )?;
    Ok(row.map(|row| order(&row)).transpose()?)
}

/// Closes a pending order.
///
/// # Errors
/// `concurrent_modification` where it is closed already.
pub fn close(tx: &mut Tx, id: OrderId, state: OrderState) -> Result<()> {
    let changed = tx.execute(
        "UPDATE orders SET state = $1 WHERE id = $2 AND state = 'pending'",
        &[state.as_str().into(), id.as_bytes().into()],
    )?;
    expect_one("order", changed)
}

fn order(row: &Row) -> Result<Order, Fault> {
    Ok(Order {
        id: OrderId::from_bytes(row.array(0)?),
        environment: EnvironmentId::from_bytes(row.array(1)?),
        operation: row.array(2)?,
        phone: PhoneNumber::from_digits(u64::try_from(row.int(3)?).map_err(|_| Fault::shape(3))?),
        carrier: row.text(4)?.to_owned(),
        friendly_name: row.opt_text(5)?.map(str::to_owned),
        features: Features::from_bits(u8::try_from(row.int(6)?).map_err(|_| Fault::shape(6))?),
        monthly: row.money(7, 9)?,
        setup: row.money(8, 9)?,
        hold: row.opt_array(10)?.map(TransferId::from_bytes),
        state: row.word(11, OrderState::parse)?,
        created_at: row.time(12)?,
        property: PropertyId::from_bytes(row.array(13)?),
        address: row.opt_array(14)?.map(AddressId::from_bytes),
        requirement: row.word(15, Requirement::parse)?,
    })
}
