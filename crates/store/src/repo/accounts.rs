//! Accounts and their environments.

use tandem_catalogue::Result;
use tandem_domain::{
    account::{Account, AccountStatus},
    environment::{EnvironmentClock, EnvironmentSettings, RateLimit},
};
use tandem_kernel::{AccountId, Country, Environment, EnvironmentId};

use super::expect_one;
use crate::{Fault, Param, Row, Tx};

const ACCOUNT: &str = "SELECT id, name, email, currency, status, verified, sms_enabled, mms_enabled, created_at, message_countries FROM accounts WHERE id = $1";
const ACCOUNTS: &str = "SELECT id, name, email, currency, status, verified, sms_enabled, mms_enabled, created_at, message_countries FROM accounts \
                        WHERE id > $1 ORDER BY id LIMIT $2";

macro_rules! environments {
    ($rest:literal) => {
        concat!(
            "SELECT id, account_id, kind, clock_offset, clock_frozen_at, rate_limit, rate_period, rate_burst, monthly_quota, has_webhooks \
             FROM environments ",
            $rest
        )
    };
}

/// Adds an account.
///
/// # Errors
/// Faults of the store; so for every function of the repositories that names no other.
pub fn insert(tx: &mut Tx, account: &Account) -> Result<()> {
    tx.execute(
        "INSERT INTO accounts (id, name, email, currency, status, verified, sms_enabled, mms_enabled, created_at, \
         message_countries) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &[
            account.id.as_bytes().into(),
            (&account.name).into(),
            (&account.email).into(),
            account.currency.as_str().into(),
            account.status.as_str().into(),
            account.verified.into(),
            account.sms_enabled.into(),
            account.mms_enabled.into(),
            account.created_at.into(),
            (&countries(account)).into(),
        ],
    )?;
    Ok(())
}

/// Writes an account's members, all but its id, currency and age.
#[expect(clippy::missing_errors_doc, reason = "as `insert`")]
pub fn update(tx: &mut Tx, account: &Account) -> Result<()> {
    let changed = tx.execute(
        "UPDATE accounts SET name = $2, email = $3, status = $4, verified = $5, sms_enabled = $6, mms_enabled = $7, \
         message_countries = $8 WHERE id = $1",
        &[
            account.id.as_bytes().into(),
            (&account.name).into(),
            (&account.email).into(),
            account.status.as_str().into(),
            account.verified.into(),
            account.sms_enabled.into(),
            account.mms_enabled.into(),
            (&countries(account)).into(),
        ],
    )?;
    expect_one("account", changed)
}

/// Reads an account.
#[expect(clippy::missing_errors_doc, reason = "as `insert`")]
pub fn get(tx: &mut Tx, id: AccountId) -> Result<Option<Account>> {
    let row = tx.first(ACCOUNT, &[id.as_bytes().into()])?;
    Ok(row.map(|row| account(&row)).transpose()?)
}

/// Reads accounts in the order of their ids, from the one after `after`.
#[expect(clippy::missing_errors_doc, reason = "as `insert`")]
pub fn list(tx: &mut Tx, after: AccountId, limit: i64) -> Result<Vec<Account>> {
    let rows = tx.query(ACCOUNTS, &[after.as_bytes().into(), limit.into()])?;
    Ok(rows.iter().map(account).collect::<Result<_, Fault>>()?)
}

/// Adds an environment.
#[expect(clippy::missing_errors_doc, reason = "as `insert`")]
pub fn insert_environment(tx: &mut Tx, environment: &EnvironmentSettings, now: tandem_kernel::Timestamp) -> Result<()> {
    let rate = environment.rate;
    tx.execute(
        "INSERT INTO environments (id, account_id, kind, clock_offset, clock_frozen_at, rate_limit, rate_period, rate_burst, \
         monthly_quota, created_at, has_webhooks) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        &[
            environment.id.as_bytes().into(),
            environment.account.as_bytes().into(),
            environment.kind.as_str().into(),
            environment.clock.offset.into(),
            environment.clock.frozen_at.into(),
            i64::from(rate.limit).into(),
            i64::from(rate.period).into(),
            i64::from(rate.burst).into(),
            rate.monthly_quota.into(),
            now.into(),
            environment.has_webhooks.into(),
        ],
    )?;
    Ok(())
}

/// Reads an environment.
#[expect(clippy::missing_errors_doc, reason = "as `insert`")]
pub fn environment(tx: &mut Tx, id: EnvironmentId) -> Result<Option<EnvironmentSettings>> {
    let row = tx.first(environments!("WHERE id = $1"), &[id.as_bytes().into()])?;
    Ok(row.map(|row| settings(&row)).transpose()?)
}

/// Reads an environment and keeps others from changing what belongs to it until this unit of work ends: every unit of work
/// that decides on an environment's objects begins with this, so that such decisions come one after the other.
#[expect(clippy::missing_errors_doc, reason = "as `insert`")]
pub fn lock_environment(tx: &mut Tx, id: EnvironmentId) -> Result<Option<EnvironmentSettings>> {
    let row = tx.first_locked(environments!("WHERE id = $1"), &[id.as_bytes().into()])?;
    Ok(row.map(|row| settings(&row)).transpose()?)
}

/// Reads many environments by their ids, in no order; those that do not exist are left out.
#[expect(clippy::missing_errors_doc, reason = "as `insert`")]
pub fn environments_of(tx: &mut Tx, ids: &[EnvironmentId]) -> Result<Vec<EnvironmentSettings>> {
    let keys: Vec<Param> = ids.iter().map(|id| id.as_bytes().into()).collect();
    let rows = tx.query_in(environments!("WHERE id IN"), &[], &keys, "")?;
    Ok(rows.iter().map(settings).collect::<Result<_, Fault>>()?)
}

/// Reads an account's environments: live, then test.
#[expect(clippy::missing_errors_doc, reason = "as `insert`")]
pub fn environments(tx: &mut Tx, account: AccountId) -> Result<Vec<EnvironmentSettings>> {
    let rows = tx.query(environments!("WHERE account_id = $1 ORDER BY kind"), &[account.as_bytes().into()])?;
    Ok(rows.iter().map(settings).collect::<Result<_, Fault>>()?)
}

/// Moves an environment's clock.
#[expect(clippy::missing_errors_doc, reason = "as `insert`")]
pub fn set_clock(tx: &mut Tx, id: EnvironmentId, clock: EnvironmentClock) -> Result<()> {
    let changed = tx.execute(
        "UPDATE environments SET clock_offset = $2, clock_frozen_at = $3 WHERE id = $1",
        &[id.as_bytes().into(), clock.offset.into(), clock.frozen_at.into()],
    )?;
    expect_one("environment", changed)
}

/// Says whether anybody wants to hear of an environment's events.
#[expect(clippy::missing_errors_doc, reason = "as `insert`")]
pub fn set_has_webhooks(tx: &mut Tx, id: EnvironmentId, has: bool) -> Result<()> {
    let changed = tx.execute("UPDATE environments SET has_webhooks = $2 WHERE id = $1", &[id.as_bytes().into(), has.into()])?;
    expect_one("environment", changed)
}

/// Sets an environment's limits.
#[expect(clippy::missing_errors_doc, reason = "as `insert`")]
pub fn set_rate(tx: &mut Tx, id: EnvironmentId, rate: RateLimit) -> Result<()> {
    let changed = tx.execute(
        "UPDATE environments SET rate_limit = $2, rate_period = $3, rate_burst = $4, monthly_quota = $5 WHERE id = $1",
        &[
            id.as_bytes().into(),
            i64::from(rate.limit).into(),
            i64::from(rate.period).into(),
            i64::from(rate.burst).into(),
            rate.monthly_quota.into(),
        ],
    )?;
    expect_one("environment", changed)
}

fn account(row: &Row) -> Result<Account, Fault> {
    Ok(Account {
        id: AccountId::from_bytes(row.array(0)?),
        name: row.text(1)?.to_owned(),
        email: row.text(2)?.to_owned(),
        currency: row.currency(3)?,
        status: row.word(4, AccountStatus::parse)?,
        verified: row.bool(5)?,
        sms_enabled: row.bool(6)?,
        mms_enabled: row.bool(7)?,
        created_at: row.time(8)?,
        message_countries: row.text(9)?.split_whitespace().filter_map(Country::parse).collect(),
    })
}

fn countries(account: &Account) -> String {
    account.message_countries.iter().map(Country::as_str).collect::<Vec<_>>().join(" ")
}

fn settings(row: &Row) -> Result<EnvironmentSettings, Fault> {
    let small = |column| row.int(column).map(|value| u32::try_from(value).unwrap_or(u32::MAX));
    Ok(EnvironmentSettings {
        id: EnvironmentId::from_bytes(row.array(0)?),
        account: AccountId::from_bytes(row.array(1)?),
        kind: row.word(2, Environment::parse)?,
        clock: EnvironmentClock { offset: row.int(3)?, frozen_at: row.opt_time(4)? },
        rate: RateLimit {
            limit: small(5)?,
            period: small(6)?,
            burst: small(7)?,
            monthly_quota: row.opt_int(8)?.and_then(|quota| u64::try_from(quota).ok()),
        },
        has_webhooks: row.bool(9)?,
    })
}
