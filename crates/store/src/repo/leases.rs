//! Senders that are lent: which numbers a recipient has answers for, and whose.

use tandem_catalogue::Result;
use tandem_kernel::{Environment, EnvironmentId, MessageId, PhoneNumber, Timestamp};

use crate::{Fault, Param, Row, Tx};

/// A number that is lent for messages to one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Who gets messages from it.
    pub recipient: PhoneNumber,
    /// The number.
    pub number: PhoneNumber,
    /// To whom it is lent.
    pub environment: EnvironmentId,
    /// For which message.
    pub message: MessageId,
    /// Until when, by the environment's clock.
    pub expires_at: Timestamp,
}

/// Adds leases; how many of them were free. Environments share the numbers, so that another may have been quicker.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn add(tx: &mut Tx, kind: Environment, leases: &[Lease]) -> Result<u64> {
    let rows = leases.iter().map(|lease| {
        vec![
            kind.as_str().into(),
            lease.recipient.digits().into(),
            lease.number.digits().into(),
            lease.environment.as_bytes().into(),
            lease.message.as_bytes().into(),
            lease.expires_at.into(),
        ]
    });
    tx.insert_many(
        "INSERT INTO leases (kind, recipient, number, environment_id, message_id, expires_at)",
        "ON CONFLICT (kind, recipient, number) DO NOTHING",
        &rows.collect::<Vec<Vec<Param>>>(),
    )
}

/// All leases for messages to these recipients, whosever they are.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn of_recipients(tx: &mut Tx, kind: Environment, recipients: &[PhoneNumber]) -> Result<Vec<Lease>> {
    let keys: Vec<Param> = recipients.iter().map(|recipient| recipient.digits().into()).collect();
    let rows = tx.query_in(
        "SELECT recipient, number, environment_id, message_id, expires_at FROM leases WHERE kind = $1 AND recipient IN",
        &[kind.as_str().into()],
        &keys,
        "",
    )?;
    Ok(rows.iter().map(lease).collect::<Result<_, Fault>>()?)
}

/// Whose answer it is that a recipient writes to a number.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn find(tx: &mut Tx, kind: Environment, recipient: PhoneNumber, number: PhoneNumber) -> Result<Option<Lease>> {
    let row = tx.first(
        "SELECT recipient, number, environment_id, message_id, expires_at FROM leases WHERE kind = $1 AND recipient = $2 AND number = $3",
        &[kind.as_str().into(), recipient.digits().into(), number.digits().into()],
    )?;
    Ok(row.map(|row| lease(&row)).transpose()?)
}

/// Ends the leases of an environment whose time is over.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn end(tx: &mut Tx, environment: EnvironmentId, now: Timestamp) -> Result<()> {
    let sql = "DELETE FROM leases WHERE environment_id = $1 AND expires_at <= $2";
    tx.execute(sql, &[environment.as_bytes().into(), now.into()]).map(drop)
}

fn lease(row: &Row) -> Result<Lease, Fault> {
    let phone = |column| -> Result<PhoneNumber, Fault> {
        u64::try_from(row.int(column)?).map(PhoneNumber::from_digits).map_err(|_| Fault::shape(column))
    };
    Ok(Lease {
        recipient: phone(0)?,
        number: phone(1)?,
        environment: EnvironmentId::from_bytes(row.array(2)?),
        message: MessageId::from_bytes(row.array(3)?),
        expires_at: row.time(4)?,
    })
}
