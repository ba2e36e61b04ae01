//! Verifications, the sendings of their codes, and what each environment allows.

use serde::{Deserialize, Serialize};
use tandem_catalogue::Result;
use tandem_domain::verification::{Channel, History, Limits, Locale, Policy, Secret, State, Verification};
use tandem_kernel::{CallId, Country, EnvironmentId, KeyId, MessageId, PhoneNumber, Timestamp, VerificationId};

use super::expect_one;
use crate::{Fault, Param, Row, Tx, codec};

/// Verifications to a country whose ends are looked at.
const LATEST: i64 = 100;
/// Digits that numbers of one block may differ in.
const BLOCK: u64 = 10_000;

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, environment_id, key_id, phone, channel, brand, locale, code_length, state, code_mac, code_sealed, sends, \
             checks, created_at, sent_at, expires_at, ended_at, version FROM verifications ",
            $rest
        )
    };
}

/// What carries a code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Carrier {
    /// A message.
    Message(MessageId),
    /// A call that says it.
    Call(CallId),
}

/// One sending of a code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sending {
    /// What carries it.
    pub by: Carrier,
    /// When it was asked for.
    pub at: Timestamp,
}

/// Which verifications to list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// Only those of this number.
    pub phone: Option<PhoneNumber>,
    /// Only those in this state.
    pub state: Option<&'static str>,
}

#[derive(Serialize, Deserialize)]
struct PolicyRow {
    countries: Vec<String>,
    sends_per_number: i64,
    cooldown: i64,
    numbers_per_range: i64,
    sends_per_key: i64,
    sends_per_environment: i64,
    least_approval: i64,
    approval_sample: i64,
}

/// Adds a verification. A second pending one of a number is refused by the database.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn insert(tx: &mut Tx, verification: &Verification) -> Result<()> {
    let (mac, sealed) = secret_columns(&verification.state);
    tx.execute(
        "INSERT INTO verifications (id, environment_id, key_id, phone, country, channel, brand, locale, code_length, state, code_mac, \
         code_sealed, sends, checks, created_at, sent_at, expires_at, ended_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, \
         $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
        &[
            verification.id.as_bytes().into(),
            verification.environment.as_bytes().into(),
            verification.key.as_bytes().into(),
            verification.phone.digits().into(),
            (&country_of(verification.phone)).into(),
            verification.channel.as_str().into(),
            (&verification.brand).into(),
            verification.locale.as_str().into(),
            verification.code_length.into(),
            verification.state.as_str().into(),
            mac.into(),
            sealed.into(),
            verification.sends.into(),
            verification.checks.into(),
            verification.created_at.into(),
            verification.sent_at.into(),
            verification.expires_at.into(),
            verification.ended_at.into(),
            verification.version.into(),
        ],
    )?;
    Ok(())
}

/// Writes a verification over the version before it. With its end its code is gone.
///
/// # Errors
/// `concurrent_modification` where another change came first.
pub fn update(tx: &mut Tx, verification: &Verification) -> Result<()> {
    let (mac, sealed) = secret_columns(&verification.state);
    let changed = tx.execute(
        "UPDATE verifications SET brand = $1, locale = $2, state = $3, code_mac = $4, code_sealed = $5, sends = $6, checks = $7, \
         sent_at = $8, ended_at = $9, version = $10, channel = $12 WHERE id = $11 AND version + 1 = $10",
        &[
            (&verification.brand).into(),
            verification.locale.as_str().into(),
            verification.state.as_str().into(),
            mac.into(),
            sealed.into(),
            verification.sends.into(),
            verification.checks.into(),
            verification.sent_at.into(),
            verification.ended_at.into(),
            verification.version.into(),
            verification.id.as_bytes().into(),
            verification.channel.as_str().into(),
        ],
    )?;
    expect_one("verification", changed)
}

/// Reads a verification, whosesoever it is.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn by_id(tx: &mut Tx, id: VerificationId) -> Result<Option<Verification>> {
    let row = tx.first(columns!("WHERE id = $1"), &[id.as_bytes().into()])?;
    Ok(row.map(|row| verification(&row)).transpose()?)
}

/// Reads a verification of an environment.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn get(tx: &mut Tx, environment: EnvironmentId, id: VerificationId) -> Result<Option<Verification>> {
    Ok(by_id(tx, id)?.filter(|verification| verification.environment == environment))
}

/// The verification of a number that is pending; where none is, the one that was begun last.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn latest(tx: &mut Tx, environment: EnvironmentId, phone: PhoneNumber) -> Result<Option<Verification>> {
    let row = tx.first(
        columns!("WHERE environment_id = $1 AND phone = $2 ORDER BY (state = 'pending') DESC, id DESC LIMIT 1"),
        &[environment.as_bytes().into(), phone.digits().into()],
    )?;
    Ok(row.map(|row| verification(&row)).transpose()?)
}

/// An environment's verifications from the one before `before` back, newest first.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn list(
    tx: &mut Tx,
    environment: EnvironmentId,
    filter: Filter,
    before: VerificationId,
    limit: i64,
) -> Result<Vec<Verification>> {
    let (environment, before): (Param, Param) = (environment.as_bytes().into(), before.as_bytes().into());
    let phone: Param = filter.phone.map_or(0, PhoneNumber::digits).into();
    let state: Param = filter.state.unwrap_or("").into();
    let rows = match (filter.phone, filter.state) {
        (None, None) => tx.query(
            columns!("WHERE environment_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3"),
            &[environment, before, limit.into()],
        )?,
        (Some(_), None) => tx.query(
            columns!("WHERE environment_id = $1 AND id < $2 AND phone = $4 ORDER BY id DESC LIMIT $3"),
            &[environment, before, limit.into(), phone],
        )?,
        (None, Some(_)) => tx.query(
            columns!("WHERE environment_id = $1 AND id < $2 AND state = $4 ORDER BY id DESC LIMIT $3"),
            &[environment, before, limit.into(), state],
        )?,
        (Some(_), Some(_)) => tx.query(
            columns!("WHERE environment_id = $1 AND id < $2 AND phone = $4 AND state = $5 ORDER BY id DESC LIMIT $3"),
            &[environment, before, limit.into(), phone, state],
        )?,
    };
    Ok(rows.iter().map(verification).collect::<Result<_, Fault>>()?)
}

/// Notes that a verification's code was sent just now.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn note_sending(tx: &mut Tx, verification: &Verification, by: KeyId, carrier: Carrier) -> Result<()> {
    let (bytes, call) = match &carrier {
        Carrier::Message(id) => (id.as_bytes(), None),
        Carrier::Call(id) => (id.as_bytes(), Some(id.as_bytes())),
    };
    tx.execute(
        "INSERT INTO verification_sends (verification_id, number, environment_id, key_id, phone, block, message_id, at, call_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            verification.id.as_bytes().into(),
            verification.sends.into(),
            verification.environment.as_bytes().into(),
            by.as_bytes().into(),
            verification.phone.digits().into(),
            block(verification.phone).into(),
            bytes.into(),
            verification.sent_at.into(),
            call.into(),
        ],
    )?;
    Ok(())
}

/// The sendings of a verification's code, oldest first.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn sendings(tx: &mut Tx, id: VerificationId) -> Result<Vec<Sending>> {
    let rows = tx.query(
        "SELECT message_id, at, call_id FROM verification_sends WHERE verification_id = $1 ORDER BY number",
        &[id.as_bytes().into()],
    )?;
    let sendings = rows.iter().map(|row| {
        let by = match row.opt_array(2)? {
            Some(call) => Carrier::Call(CallId::from_bytes(call)),
            None => Carrier::Message(MessageId::from_bytes(row.array(0)?)),
        };
        Ok(Sending { by, at: row.time(1)? })
    });
    Ok(sendings.collect::<Result<_, Fault>>()?)
}

/// The pending verifications of these numbers, each with every message that its code was sent in.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn pending_of(tx: &mut Tx, environment: EnvironmentId, phones: &[PhoneNumber]) -> Result<Vec<(MessageId, Verification)>> {
    let keys: Vec<Param> = phones.iter().map(|phone| phone.digits().into()).collect();
    let rows = tx.query_in(
        "SELECT v.id, v.environment_id, v.key_id, v.phone, v.channel, v.brand, v.locale, v.code_length, v.state, v.code_mac, \
         v.code_sealed, v.sends, v.checks, v.created_at, v.sent_at, v.expires_at, v.ended_at, v.version, s.message_id \
         FROM verifications v JOIN verification_sends s ON s.verification_id = v.id \
         WHERE v.environment_id = $1 AND v.state = 'pending' AND v.phone IN",
        &[environment.as_bytes().into()],
        &keys,
        "ORDER BY s.message_id",
    )?;
    let found = rows.iter().map(|row| Ok((MessageId::from_bytes(row.array(18)?), verification(row)?)));
    Ok(found.collect::<Result<_, Fault>>()?)
}

/// What happened before a code is sent to `phone`, as far as the limits ask. `latest` is the number's last verification.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn history(
    tx: &mut Tx,
    environment: EnvironmentId,
    key: KeyId,
    phone: PhoneNumber,
    latest: Option<&Verification>,
    limits: &Limits,
    now: Timestamp,
) -> Result<History> {
    let hour = now.plus_seconds(-3_600);
    let of: Param = environment.as_bytes().into();
    let rows = tx.query(
        "SELECT at FROM verification_sends WHERE environment_id = $1 AND phone = $2 AND at > $3 ORDER BY at DESC LIMIT $4",
        &[of, phone.digits().into(), now.plus_seconds(-600).into(), limits.sends_per_number.into()],
    )?;
    let to_number = rows.iter().map(|row| row.time(0)).collect::<Result<_, Fault>>()?;
    let row = tx.first(
        "SELECT COUNT(DISTINCT phone) FROM verification_sends WHERE environment_id = $1 AND block = $2 AND at > $3 AND phone <> $4",
        &[of, block(phone).into(), hour.into(), phone.digits().into()],
    )?;
    let neighbours = row.ok_or_else(|| Fault::data("a count without a row"))?.int(0)?;
    let row = tx.first(
        "SELECT at FROM verification_sends WHERE environment_id = $1 AND key_id = $2 AND at > $3 ORDER BY at DESC LIMIT 1 OFFSET $4",
        &[of, key.as_bytes().into(), hour.into(), (limits.sends_per_key - 1).into()],
    )?;
    let key_full_since = row.map(|row| row.time(0)).transpose()?;
    let row = tx.first(
        "SELECT at FROM verification_sends WHERE environment_id = $1 AND at > $2 ORDER BY at DESC LIMIT 1 OFFSET $3",
        &[of, hour.into(), (limits.sends_per_environment - 1).into()],
    )?;
    let environment_full_since = row.map(|row| row.time(0)).transpose()?;
    let (ended, approved) = outcomes(tx, of, phone, limits, now)?;
    let locked = latest.filter(|latest| latest.state == State::MaxAttemptsReached).map(|latest| latest.expires_at);
    Ok(History { to_number, locked_until: locked, neighbours, key_full_since, environment_full_since, ended, approved })
}

fn outcomes(tx: &mut Tx, environment: Param, phone: PhoneNumber, limits: &Limits, now: Timestamp) -> Result<(i64, i64)> {
    let row = tx.first(
        "SELECT COUNT(*), CAST(SUM(CASE WHEN state = 'approved' THEN 1 ELSE 0 END) AS BIGINT) FROM (SELECT state FROM verifications \
         WHERE environment_id = $1 AND country = $2 AND ended_at > $3 AND state <> 'canceled' ORDER BY ended_at DESC LIMIT $4) latest",
        &[
            environment,
            (&country_of(phone)).into(),
            now.plus_days(-1).into(),
            limits.approval_sample.max(LATEST).into(),
        ],
    )?;
    let row = row.ok_or_else(|| Fault::data("a count without a row"))?;
    Ok((row.int(0)?, row.opt_int(1)?.unwrap_or(0)))
}

/// What an operator set for an environment's verifications; none where that is what is usual.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn policy(tx: &mut Tx, environment: EnvironmentId) -> Result<Option<Policy>> {
    let sql = "SELECT policy FROM verification_policies WHERE environment_id = $1";
    let Some(row) = tx.first(sql, &[environment.as_bytes().into()])? else { return Ok(None) };
    let row: PolicyRow = codec::from_text(row.text(0)?)?;
    Ok(Some(Policy {
        countries: row.countries.iter().filter_map(|code| Country::parse(code)).collect(),
        limits: Limits {
            sends_per_number: row.sends_per_number,
            cooldown: row.cooldown,
            numbers_per_range: row.numbers_per_range,
            sends_per_key: row.sends_per_key,
            sends_per_environment: row.sends_per_environment,
            least_approval: row.least_approval,
            approval_sample: row.approval_sample,
        },
    }))
}

/// Sets what an environment's verifications may do.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn set_policy(tx: &mut Tx, environment: EnvironmentId, policy: &Policy) -> Result<()> {
    let Limits {
        sends_per_number,
        cooldown,
        numbers_per_range,
        sends_per_key,
        sends_per_environment,
        least_approval,
        approval_sample,
    } = policy.limits;
    let row = PolicyRow {
        countries: policy.countries.iter().map(Country::to_string).collect(),
        sends_per_number,
        cooldown,
        numbers_per_range,
        sends_per_key,
        sends_per_environment,
        least_approval,
        approval_sample,
    };
    tx.execute(
        "INSERT INTO verification_policies (environment_id, policy) VALUES ($1, $2) \
         ON CONFLICT (environment_id) DO UPDATE SET policy = excluded.policy",
        &[environment.as_bytes().into(), (&codec::to_text(&row)).into()],
    )?;
    Ok(())
}

/// The number without its last four digits.
fn block(phone: PhoneNumber) -> u64 {
    phone.digits() / BLOCK
}

fn country_of(phone: PhoneNumber) -> String {
    phone.country().map(|country| country.to_string()).unwrap_or_default()
}

fn secret_columns(state: &State) -> (Option<&[u8; 32]>, Option<&[u8]>) {
    match state {
        State::Pending(secret) => (Some(&secret.mac), Some(&secret.sealed)),
        _ => (None, None),
    }
}

fn state_of(row: &Row) -> Result<State, Fault> {
    Ok(match (row.text(8)?, row.opt_array(9)?, row.opt_bytes(10)?) {
        ("pending", Some(mac), Some(sealed)) => State::Pending(Secret { mac, sealed: sealed.to_vec() }),
        ("approved", ..) => State::Approved,
        ("expired", ..) => State::Expired,
        ("max_attempts_reached", ..) => State::MaxAttemptsReached,
        ("canceled", ..) => State::Canceled,
        (state, ..) => return Err(Fault::data(format!("a verification in the state '{state}'"))),
    })
}

fn verification(row: &Row) -> Result<Verification, Fault> {
    Ok(Verification {
        id: VerificationId::from_bytes(row.array(0)?),
        environment: EnvironmentId::from_bytes(row.array(1)?),
        key: KeyId::from_bytes(row.array(2)?),
        phone: PhoneNumber::from_digits(u64::try_from(row.int(3)?).map_err(|_| Fault::shape(3))?),
        channel: row.word(4, Channel::parse)?,
        brand: row.text(5)?.to_owned(),
        locale: row.word(6, Locale::parse)?,
        code_length: row.int(7)?,
        state: state_of(row)?,
        sends: row.int(11)?,
        checks: row.int(12)?,
        created_at: row.time(13)?,
        sent_at: row.time(14)?,
        expires_at: row.time(15)?,
        ended_at: row.opt_time(16)?,
        version: row.int(17)?,
    })
}
