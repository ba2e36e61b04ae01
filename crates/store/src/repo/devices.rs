//! SIP devices, and where they can be reached.

use tandem_catalogue::Result;
use tandem_domain::device::{Device, Registration};
use tandem_kernel::{DeviceId, EnvironmentId, PhoneNumber, Timestamp};

use super::expect_one;
use crate::{Fault, Param, Row, Tx};

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, environment_id, user_name, label, caller_id, max_registrations, enabled, created_at, updated_at, version, ha1 \
             FROM devices ",
            $rest
        )
    };
}

macro_rules! registration_columns {
    ($rest:literal) => {
        concat!(
            "SELECT device_id, contact, source, transport, user_agent, path, call_id, cseq, q, node, registered_at, expires_at \
             FROM registrations ",
            $rest
        )
    };
}

/// Adds a device. `ha1` is what it proves its password with, sealed.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn insert(tx: &mut Tx, device: &Device, ha1: &[u8]) -> Result<()> {
    tx.execute(
        "INSERT INTO devices (id, environment_id, user_name, label, caller_id, max_registrations, enabled, created_at, updated_at, \
         version, ha1) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        &[
            device.id.as_bytes().into(),
            device.environment.as_bytes().into(),
            (&device.user_name).into(),
            (&device.label).into(),
            device.caller_id.map(PhoneNumber::digits).into(),
            device.max_registrations.into(),
            device.enabled.into(),
            device.created_at.into(),
            device.updated_at.into(),
            device.version.into(),
            ha1.into(),
        ],
    )?;
    Ok(())
}

/// Writes a device over the version before it.
///
/// # Errors
/// `concurrent_modification` where another change came first.
pub fn update(tx: &mut Tx, device: &Device) -> Result<()> {
    let changed = tx.execute(
        "UPDATE devices SET label = $2, caller_id = $3, max_registrations = $4, enabled = $5, updated_at = $6, version = $7 \
         WHERE id = $1 AND version + 1 = $7",
        &[
            device.id.as_bytes().into(),
            (&device.label).into(),
            device.caller_id.map(PhoneNumber::digits).into(),
            device.max_registrations.into(),
            device.enabled.into(),
            device.updated_at.into(),
            device.version.into(),
        ],
    )?;
    expect_one("device", changed)
}

/// Gives a device another password.
///
/// # Errors
/// `concurrent_modification` where it is gone.
pub fn set_password(tx: &mut Tx, id: DeviceId, ha1: &[u8]) -> Result<()> {
    let changed = tx.execute("UPDATE devices SET ha1 = $2 WHERE id = $1", &[id.as_bytes().into(), ha1.into()])?;
    expect_one("device", changed)
}

/// Takes a device and its registrations away.
///
/// # Errors
/// `concurrent_modification` where it is gone.
pub fn delete(tx: &mut Tx, id: DeviceId) -> Result<()> {
    unregister_all(tx, id)?;
    let changed = tx.execute("DELETE FROM devices WHERE id = $1", &[id.as_bytes().into()])?;
    expect_one("device", changed)
}

/// Reads an environment's device.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn get(tx: &mut Tx, environment: EnvironmentId, id: DeviceId) -> Result<Option<Device>> {
    let row = tx.first(columns!("WHERE id = $1"), &[id.as_bytes().into()])?;
    let found = row.map(|row| device(&row)).transpose()?;
    Ok(found.filter(|device| device.environment == environment))
}

/// Reads a device, whoever has it.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn by_id(tx: &mut Tx, id: DeviceId) -> Result<Option<Device>> {
    let row = tx.first(columns!("WHERE id = $1"), &[id.as_bytes().into()])?;
    Ok(row.map(|row| device(&row)).transpose()?)
}

/// Reads those of many devices that an environment has, in no order.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn of_ids(tx: &mut Tx, environment: EnvironmentId, ids: &[DeviceId]) -> Result<Vec<Device>> {
    let keys: Vec<Param> = ids.iter().map(|id| id.as_bytes().into()).collect();
    let rows = tx.query_in(columns!("WHERE environment_id = $1 AND id IN"), &[environment.as_bytes().into()], &keys, "")?;
    Ok(rows.iter().map(device).collect::<Result<_, Fault>>()?)
}

/// The device that calls itself so, and what it proves its password with, sealed.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn by_user(tx: &mut Tx, user_name: &str) -> Result<Option<(Device, Vec<u8>)>> {
    let row = tx.first(columns!("WHERE user_name = $1"), &[user_name.into()])?;
    Ok(row.map(|row| Ok::<_, Fault>((device(&row)?, row.bytes(10)?.to_vec()))).transpose()?)
}

/// A page of an environment's devices from the one after `after`, the oldest first.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn page(tx: &mut Tx, environment: EnvironmentId, after: DeviceId, limit: i64) -> Result<Vec<Device>> {
    let rows = tx.query(
        columns!("WHERE environment_id = $1 AND id > $2 ORDER BY id LIMIT $3"),
        &[environment.as_bytes().into(), after.as_bytes().into(), limit.into()],
    )?;
    Ok(rows.iter().map(device).collect::<Result<_, Fault>>()?)
}

/// Where devices of all environments are registered: what they say themselves, and where they really come from.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn places(tx: &mut Tx, machine: Timestamp, limit: i64) -> Result<Vec<(String, String)>> {
    let rows =
        tx.query("SELECT contact, source FROM registrations WHERE expires_at > $1 LIMIT $2", &[machine.into(), limit.into()])?;
    let place = |row: &Row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()));
    Ok(rows.iter().map(place).collect::<Result<_, Fault>>()?)
}

/// An environment's devices whose calls come from a number.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn calling_from(tx: &mut Tx, environment: EnvironmentId, number: PhoneNumber) -> Result<Vec<DeviceId>> {
    let rows = tx.query(
        "SELECT id FROM devices WHERE environment_id = $1 AND caller_id = $2",
        &[environment.as_bytes().into(), number.digits().into()],
    )?;
    Ok(rows.iter().map(|row| row.array(0).map(DeviceId::from_bytes)).collect::<Result<_, Fault>>()?)
}

/// How many devices an environment has.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn count(tx: &mut Tx, environment: EnvironmentId) -> Result<i64> {
    let row = tx.first("SELECT COUNT(*) FROM devices WHERE environment_id = $1", &[environment.as_bytes().into()])?;
    Ok(row.map_or(Ok(0), |row| row.int(0))?)
}

/// Writes a registration down, in place of the one with the same contact.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn register(tx: &mut Tx, registration: &Registration) -> Result<()> {
    tx.execute(
        "INSERT INTO registrations (device_id, contact, source, transport, user_agent, path, call_id, cseq, q, node, registered_at, \
         expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (device_id, contact) DO UPDATE SET \
         source = excluded.source, transport = excluded.transport, user_agent = excluded.user_agent, path = excluded.path, \
         call_id = excluded.call_id, cseq = excluded.cseq, q = excluded.q, node = excluded.node, expires_at = excluded.expires_at",
        &[
            registration.device.as_bytes().into(),
            (&registration.contact).into(),
            (&registration.source).into(),
            (&registration.transport).into(),
            (&registration.user_agent).into(),
            (&registration.path).into(),
            (&registration.call_id).into(),
            registration.cseq.into(),
            registration.q.into(),
            (&registration.node).into(),
            registration.registered_at.into(),
            registration.expires_at.into(),
        ],
    )?;
    Ok(())
}

/// Takes one registration away; whether it was there.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn unregister(tx: &mut Tx, device: DeviceId, contact: &str) -> Result<bool> {
    let changed =
        tx.execute("DELETE FROM registrations WHERE device_id = $1 AND contact = $2", &[device.as_bytes().into(), contact.into()])?;
    Ok(changed > 0)
}

/// Takes all of a device's registrations away; how many those were.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn unregister_all(tx: &mut Tx, device: DeviceId) -> Result<u64> {
    tx.execute("DELETE FROM registrations WHERE device_id = $1", &[device.as_bytes().into()])
}

/// Forgets registrations that ended before `machine`, up to `limit`; how many those were.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn forget_ended(tx: &mut Tx, machine: Timestamp, limit: i64) -> Result<u64> {
    tx.execute(
        "DELETE FROM registrations WHERE (device_id, contact) IN \
         (SELECT device_id, contact FROM registrations WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)",
        &[machine.into(), limit.into()],
    )
}

/// The registrations of many devices that hold at an instant, those to be tried first in front.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn registrations(tx: &mut Tx, devices: &[DeviceId], machine: Timestamp) -> Result<Vec<Registration>> {
    let keys: Vec<Param> = devices.iter().map(|id| id.as_bytes().into()).collect();
    let rows = tx.query_in(registration_columns!("WHERE expires_at > $1 AND device_id IN"), &[machine.into()], &keys, "")?;
    let mut found = rows.iter().map(registration).collect::<Result<Vec<_>, Fault>>()?;
    found.sort_by(|one, other| (other.q, other.registered_at, &other.contact).cmp(&(one.q, one.registered_at, &one.contact)));
    Ok(found)
}

fn device(row: &Row) -> Result<Device, Fault> {
    let caller_id = row.opt_int(4)?.map(u64::try_from).transpose().map_err(|_| Fault::shape(4))?;
    Ok(Device {
        id: DeviceId::from_bytes(row.array(0)?),
        environment: EnvironmentId::from_bytes(row.array(1)?),
        user_name: row.text(2)?.to_owned(),
        label: row.text(3)?.to_owned(),
        caller_id: caller_id.map(PhoneNumber::from_digits),
        max_registrations: row.int(5)?,
        enabled: row.bool(6)?,
        created_at: row.time(7)?,
        updated_at: row.time(8)?,
        version: row.int(9)?,
    })
}

fn registration(row: &Row) -> Result<Registration, Fault> {
    Ok(Registration {
        device: DeviceId::from_bytes(row.array(0)?),
        contact: row.text(1)?.to_owned(),
        source: row.text(2)?.to_owned(),
        transport: row.text(3)?.to_owned(),
        user_agent: row.text(4)?.to_owned(),
        path: row.text(5)?.to_owned(),
        call_id: row.text(6)?.to_owned(),
        cseq: row.int(7)?,
        q: row.int(8)?,
        node: row.array(9)?,
        registered_at: row.time(10)?,
        expires_at: row.time(11)?,
    })
}
