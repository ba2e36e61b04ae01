//! Accounts, as the operator opens and changes them, and the money that comes into their wallets.

use serde_json::json;
use tandem_catalogue::{Error, Result};
use tandem_domain::{
    account::{Account, AccountStatus},
    config::Patch,
    environment::{EnvironmentClock, EnvironmentSettings, RateLimit},
    event::EventKind,
    property::Property,
};
use tandem_kernel::{AccountId, Country, Currency, Environment, EnvironmentId, EventId};
use tandem_ledger::{Cause, Posting, Transfer, Wallet, transfer_id};
use tandem_store::{
    Tx,
    repo::{accounts, audit, invalidations, jobs, ledger, properties},
};

use crate::{App, Finish, app::Pen, billing, numbers::RENEWAL_JOB};

/// Who acts: an operator's key, or the command line.
#[derive(Debug, Clone)]
pub struct Operator(pub String);

/// An account to open.
#[derive(Debug, Clone)]
pub struct OpenAccount {
    /// Its name.
    pub name: String,
    /// Where its owner reads.
    pub email: String,
    /// The currency of its wallets.
    pub currency: Currency,
}

/// A change of an account; members that are none stay.
#[derive(Debug, Clone, Default)]
pub struct ChangeAccount {
    /// Its name.
    pub name: Option<String>,
    /// Where its owner reads.
    pub email: Option<String>,
    /// Whether it may work.
    pub status: Option<AccountStatus>,
    /// Whether its owner's identity was checked.
    pub verified: Option<bool>,
    /// Whether it may send text messages.
    pub sms_enabled: Option<bool>,
    /// Whether it may send picture messages.
    pub mms_enabled: Option<bool>,
    /// The countries that its messages may go to; an empty list for all.
    pub message_countries: Option<Vec<Country>>,
}

/// A change of an environment's limits; members that are none stay.
#[derive(Debug, Clone, Default)]
pub struct ChangeRate {
    /// Requests in a period.
    pub limit: Option<u32>,
    /// Seconds of the period.
    pub period: Option<u32>,
    /// Requests that may come at once.
    pub burst: Option<u32>,
    /// Requests in a month.
    pub monthly_quota: Patch<u64>,
}

impl ChangeRate {
    fn of(&self, rate: RateLimit) -> RateLimit {
        RateLimit {
            limit: self.limit.unwrap_or(rate.limit),
            period: self.period.unwrap_or(rate.period),
            burst: self.burst.unwrap_or(rate.burst),
            monthly_quota: match self.monthly_quota {
                Patch::Keep => rate.monthly_quota,
                Patch::Clear => None,
                Patch::Set(quota) => Some(quota),
            },
        }
    }
}

/// An account with its environments and their wallets: live, then test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountView {
    /// The account.
    pub account: Account,
    /// Its environments.
    pub environments: Vec<(EnvironmentSettings, Wallet)>,
}

/// Notes an operator's action in the unit of work that does it.
///
/// # Errors
/// Faults of the store.
pub fn note_action(
    tx: &mut Tx,
    pen: &Pen,
    operator: &Operator,
    action: &str,
    subject: &str,
    detail: &serde_json::Value,
) -> Result<()> {
    let at = pen.machine_now();
    let action = audit::Action {
        id: EventId::new(at, &*pen.rng),
        operator: operator.0.clone(),
        action: action.to_owned(),
        subject: subject.to_owned(),
        detail: detail.to_string(),
        at,
    };
    audit::note(tx, &action)
}

/// Tells other processes on the same database to read something again.
///
/// # Errors
/// Faults of the store.
pub fn tell_others(tx: &mut Tx, pen: &Pen, stale: invalidations::Stale, subject: [u8; 16]) -> Result<()> {
    let at = pen.machine_now();
    let note = invalidations::Note { id: EventId::new(at, &*pen.rng), stale, subject, node: pen.node };
    invalidations::leave(tx, note, at)
}

/// Opens an account with both its environments and empty wallets.
///
/// # Errors
/// Faults of the store.
pub async fn open(app: &App, operator: Operator, command: OpenAccount, finish: Finish<AccountView>) -> Result<AccountView> {
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let now = pen.machine_now();
        let account = Account {
            id: AccountId::new(now, &*pen.rng),
            name: command.name.clone(),
            email: command.email.clone(),
            currency: command.currency,
            status: AccountStatus::Active,
            verified: true,
            sms_enabled: true,
            mms_enabled: false,
            message_countries: Vec::new(),
            created_at: now,
        };
        accounts::insert(tx, &account)?;
        for kind in [Environment::Live, Environment::Test] {
            let settings = EnvironmentSettings {
                id: EnvironmentId::new(now, &*pen.rng),
                account: account.id,
                kind,
                clock: EnvironmentClock::default(),
                rate: RateLimit::default(),
                has_webhooks: false,
            };
            accounts::insert_environment(tx, &settings, now)?;
            ledger::open(tx, settings.id, account.currency)?;
            properties::insert(tx, &Property::of_environment(settings.id, now))?;
            let desk = pen.open(tx, settings.id)?;
            desk.event(tx, &account.id.to_string(), EventKind::AccountCreated, &json!({ "environment": kind.as_str() }))?;
            billing::schedule_first(tx, &desk)?;
        }
        note_action(tx, &pen, &operator, "account.open", &account.id.to_string(), &json!({ "name": account.name }))?;
        let view = view(tx, account)?;
        finish(tx, &view)?;
        Ok(view)
    };
    app.store.write(work).await
}

/// Reads an account.
///
/// # Errors
/// `account_not_found`.
pub async fn get(app: &App, id: AccountId) -> Result<AccountView> {
    let read = move |tx: &mut Tx| {
        let account = find(tx, id)?;
        view(tx, account)
    };
    app.store.read(read).await
}

/// Lists accounts in the order in which they were opened, from the one after `after`.
///
/// # Errors
/// Faults of the store.
pub async fn list(app: &App, after: Option<AccountId>, limit: i64) -> Result<Vec<Account>> {
    let after = after.unwrap_or(AccountId::from_bytes([0; 16]));
    app.store.read(move |tx| accounts::list(tx, after, limit)).await
}

/// Changes an account.
///
/// # Errors
/// `account_not_found`.
pub async fn change(
    app: &App,
    operator: Operator,
    id: AccountId,
    command: ChangeAccount,
    finish: Finish<AccountView>,
) -> Result<AccountView> {
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let environments = accounts::environments(tx, id)?;
        // Before the account is read: two changes at once would write back what they read of each other's.
        let desks = environments.iter().map(|settings| pen.open(tx, settings.id)).collect::<Result<Vec<_>>>()?;
        let mut account = find(tx, id)?;
        let ChangeAccount { name, email, status, verified, sms_enabled, mms_enabled, message_countries } = command.clone();
        account.name = name.unwrap_or(account.name);
        account.email = email.unwrap_or(account.email);
        account.status = status.unwrap_or(account.status);
        account.verified = verified.unwrap_or(account.verified);
        account.sms_enabled = sms_enabled.unwrap_or(account.sms_enabled);
        account.mms_enabled = mms_enabled.unwrap_or(account.mms_enabled);
        account.message_countries = message_countries.unwrap_or(account.message_countries);
        accounts::update(tx, &account)?;
        let data = json!({ "status": account.status.as_str(), "verified": account.verified });
        let view = view(tx, account)?;
        for desk in &desks {
            desk.event(tx, &id.to_string(), EventKind::AccountUpdated, &data)?;
            tell_others(tx, &pen, invalidations::Stale::Environment, *desk.settings.id.as_bytes())?;
        }
        note_action(tx, &pen, &operator, "account.change", &id.to_string(), &data)?;
        finish(tx, &view)?;
        Ok(view)
    };
    let changed = app.store.write(work).await?;
    for (settings, _) in &changed.environments {
        app.directory.forget_environment(settings.id);
    }
    Ok(changed)
}

/// Sets the limits of one of an account's environments.
///
/// # Errors
/// `account_not_found`.
pub async fn set_rate(
    app: &App,
    operator: Operator,
    id: AccountId,
    kind: Environment,
    rate: RateLimit,
    finish: Finish<EnvironmentSettings>,
) -> Result<EnvironmentSettings> {
    let monthly_quota = rate.monthly_quota.map_or(Patch::Clear, Patch::Set);
    let command = ChangeRate { limit: Some(rate.limit), period: Some(rate.period), burst: Some(rate.burst), monthly_quota };
    change_rate(app, operator, id, kind, command, finish).await
}

/// Changes some of the limits of one of an account's environments.
///
/// # Errors
/// `account_not_found`.
pub async fn change_rate(
    app: &App,
    operator: Operator,
    id: AccountId,
    kind: Environment,
    command: ChangeRate,
    finish: Finish<EnvironmentSettings>,
) -> Result<EnvironmentSettings> {
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let found = environment(tx, id, kind)?;
        let mut settings = pen.open(tx, found.id)?.settings;
        let rate = command.of(settings.rate);
        settings.rate = rate;
        accounts::set_rate(tx, settings.id, rate)?;
        tell_others(tx, &pen, invalidations::Stale::Environment, *settings.id.as_bytes())?;
        let detail = json!({ "environment": kind.as_str(), "limit": rate.limit, "period": rate.period, "burst": rate.burst });
        note_action(tx, &pen, &operator, "environment.limits", &id.to_string(), &detail)?;
        finish(tx, &settings)?;
        Ok(settings)
    };
    let settings = app.store.write(work).await?;
    app.directory.forget_environment(settings.id);
    Ok(settings)
}

/// Money for a wallet, or out of it.
#[derive(Debug, Clone)]
pub struct MoveMoney {
    /// Whose wallet.
    pub account: AccountId,
    /// Which of the account's two.
    pub kind: Environment,
    /// Millionths; below zero takes money out.
    pub amount: i64,
    /// What the payment is known by outside: the same reference moves money once.
    pub reference: String,
    /// For the owner to read.
    pub description: String,
}

/// Credits a wallet, or takes money out of it that was paid back. Renewals that were not paid for are tried again at once.
///
/// # Errors
/// `account_not_found`, `transfer_conflict` for a reference used with another amount, `insufficient_funds`, `balance_overflow`.
pub async fn move_money(app: &App, operator: Operator, command: MoveMoney, finish: Finish<Transfer>) -> Result<Transfer> {
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let settings = environment(tx, command.account, command.kind)?;
        let desk = pen.open(tx, settings.id)?;
        let posting = match command.amount {
            amount @ 0.. => Posting::Credit(amount),
            amount => Posting::Withdraw(amount.saturating_neg()),
        };
        let cause = Cause {
            id: transfer_id(settings.id, &["payment", &command.reference]),
            reference: command.reference.clone(),
            description: command.description.clone(),
            purpose: "for this operation".into(),
        };
        let new = ledger::transfer(tx, cause.id)?.is_none();
        let posted = ledger::post(tx, settings.id, vec![(posting, cause)], desk.now)?;
        let transfer = posted.into_iter().next().ok_or_else(Error::internal)?;
        if !new {
            finish(tx, &transfer)?; // money moved when the reference was first used
            return Ok(transfer);
        }
        let detail = json!({ "amount": transfer.amount, "kind": transfer.kind.as_str(), "reference": transfer.reference });
        desk.event(tx, &command.account.to_string(), EventKind::WalletCredited, &detail)?;
        note_action(tx, &pen, &operator, "wallet.move", &command.account.to_string(), &detail)?;
        jobs::hasten_suspended(tx, settings.id, RENEWAL_JOB, desk.now, desk.settings.clock)?;
        finish(tx, &transfer)?;
        Ok(transfer)
    };
    let transfer = app.store.write(work).await?;
    app.bell.ring();
    Ok(transfer)
}

/// An environment of an account.
///
/// # Errors
/// `account_not_found`.
pub fn environment(tx: &mut Tx, account: AccountId, kind: Environment) -> Result<EnvironmentSettings> {
    let found = accounts::environments(tx, account)?.into_iter().find(|settings| settings.kind == kind);
    found.ok_or_else(|| Error::account_not_found(account.to_string()))
}

/// Finds an environment of an account.
///
/// # Errors
/// `account_not_found`.
pub async fn find_environment(app: &App, account: AccountId, kind: Environment) -> Result<EnvironmentSettings> {
    app.store.read(move |tx| environment(tx, account, kind)).await
}

fn find(tx: &mut Tx, id: AccountId) -> Result<Account> {
    accounts::get(tx, id)?.ok_or_else(|| Error::account_not_found(id.to_string()))
}

fn view(tx: &mut Tx, account: Account) -> Result<AccountView> {
    let settings = accounts::environments(tx, account.id)?;
    let environments = settings.into_iter().map(|settings| Ok((settings.clone(), ledger::wallet(tx, settings.id)?)));
    Ok(AccountView { account, environments: environments.collect::<Result<_>>()? })
}
