//! The demonstration: an account with funds, numbers to buy and keys of every kind, the same at every start.

mod numbers;
mod saved;
mod trunk;

use std::{net::SocketAddr, path::Path, sync::Arc};

use serde_json::{Value, json};
use tandem_app::{
    App,
    accounts::{self, MoveMoney, OpenAccount, Operator},
    keys::{self, MintKey},
    nothing_more,
};
use tandem_catalogue::Error;
use tandem_domain::{environment::EnvironmentSettings, key, sid::account_sid};
use tandem_kernel::{AccountId, Currency, Environment, EnvironmentId, KeyKind, Money, Scope, Scopes};
use tandem_store::{
    Tx,
    repo::{inventory, keys as stored, settings},
};

use crate::failure::{At, Result};

use self::{
    saved::Saved,
    trunk::{PORT, TARGET},
};

/// The setting that says which account it is.
const SETTING: &str = "demo_account";
/// What each of its wallets begins with, in millionths.
const FUNDS: i64 = 1000 * Money::UNIT;

/// The demonstration account and its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demo {
    /// The account.
    pub account: AccountId,
    /// A key for the operator's API.
    pub operator_key: String,
    /// Secret keys: live, test.
    pub secret: [String; 2],
    /// Publishable keys: live, test.
    pub publishable: [String; 2],
    /// Tokens: live, test.
    pub tokens: [String; 2],
}

/// Sees to it that the demonstration is there.
///
/// # Errors
/// Faults of the store, and a data directory that cannot be written to.
pub async fn ensure(app: &App, data_dir: &Path) -> Result<Demo> {
    let account = ensure_account(app).await?;
    ensure_numbers(app).await?;
    trunk::ensure(app).await?;
    let view = accounts::get(app, account).await?;
    let mut environments = Vec::new();
    for (settings, wallet) in &view.environments {
        if wallet.sequence == 0 {
            ensure_funds(app, settings).await?;
        }
        environments.push(settings.clone());
    }
    let file = saved::file(data_dir);
    let before = Saved::read(&file).at("cannot read", file.display())?.filter(|saved| saved.account == account.to_string());
    let demo = keys_of(app, account, &environments, before.unwrap_or_default()).await?;
    Saved::of(&demo).write(&file).at("cannot write", file.display())?;
    Ok(demo)
}

async fn ensure_account(app: &App) -> Result<AccountId> {
    let known = app.store.read(|tx| settings::get(tx, SETTING)).await?;
    if let Some(account) = known.as_deref().and_then(AccountId::parse) {
        return Ok(account);
    }
    let command = OpenAccount { name: "Demo".to_owned(), email: "demo@example.com".to_owned(), currency: Currency::USD };
    let finish = |tx: &mut Tx, view: &accounts::AccountView| {
        let first = settings::put_first(tx, SETTING, &view.account.id.to_string())?;
        if first { Ok(()) } else { Err(Error::concurrent_modification("account")) }
    };
    Ok(accounts::open(app, operator(), command, Arc::new(finish)).await?.account.id)
}

async fn ensure_funds(app: &App, settings: &EnvironmentSettings) -> Result<()> {
    let command = MoveMoney {
        account: settings.account,
        kind: settings.kind,
        amount: FUNDS,
        reference: "demo-funds".to_owned(),
        description: "Funds for the demonstration".to_owned(),
    };
    accounts::move_money(app, operator(), command, nothing_more()).await?;
    Ok(())
}

/// Numbers for the live environment, unless the operator has some of his own.
async fn ensure_numbers(app: &App) -> Result<()> {
    if !app.store.read(|tx| inventory::is_empty(tx, Environment::Live)).await? {
        return Ok(());
    }
    let (pen, offers) = (app.pen(), numbers::offers());
    app.store.write(move |tx| inventory::upsert_many(tx, Environment::Live, &offers, pen.machine_now())).await?;
    Ok(())
}

/// The keys of the file where they still work, new ones where they do not.
async fn keys_of(app: &App, account: AccountId, environments: &[EnvironmentSettings], saved: Saved) -> Result<Demo> {
    let id = |kind| environments.iter().find(|settings| settings.kind == kind).map(|settings| settings.id);
    let (live, test) = (id(Environment::Live), id(Environment::Test));
    let verify: Scopes = [Scope::Verify].into_iter().collect();
    let operate: Scopes = [Scope::Operator].into_iter().collect();
    let all = Scopes::account();
    Ok(Demo {
        account,
        operator_key: working(app, saved.operator_key, None, KeyKind::Operator, operate).await?,
        secret: [
            working(app, saved.live_key, live, KeyKind::Secret, all).await?,
            working(app, saved.test_key, test, KeyKind::Secret, all).await?,
        ],
        publishable: [
            working(app, saved.publishable_live_key, live, KeyKind::Publishable, verify).await?,
            working(app, saved.publishable_test_key, test, KeyKind::Publishable, verify).await?,
        ],
        tokens: [
            working(app, saved.live_token, live, KeyKind::Token, all).await?,
            working(app, saved.test_token, test, KeyKind::Token, all).await?,
        ],
    })
}

async fn working(app: &App, text: String, environment: Option<EnvironmentId>, kind: KeyKind, scopes: Scopes) -> Result<String> {
    let (hash, now) = (key::hash(&text), app.machine_now());
    let known = app.store.read(move |tx| stored::by_hash(tx, &hash)).await?;
    let works = |key: &key::Key| key.environment == environment && key.kind == kind && key.state(now) == key::KeyState::Active;
    if known.as_ref().is_some_and(works) {
        return Ok(text);
    }
    let command = MintKey { environment, kind, scopes, label: "demo".to_owned(), expires_at: None };
    Ok(keys::mint(app, operator(), command, nothing_more()).await?.text.as_str().to_owned())
}

fn operator() -> Operator {
    Operator("demo".to_owned())
}

impl Demo {
    /// The account as the ready file shows it.
    #[must_use]
    pub fn description(&self) -> Value {
        let ([live_key, test_key], [publishable_live_key, publishable_test_key]) = (&self.secret, &self.publishable);
        let [live_token, test_token] = &self.tokens;
        json!({
            "id": self.account.to_string(),
            "live_key": live_key,
            "test_key": test_key,
            "publishable_live_key": publishable_live_key,
            "publishable_test_key": publishable_test_key,
            "account_sid": account_sid(self.account),
            "live_token": live_token,
            "test_token": test_token,
        })
    }

    /// Three commands to begin with, which work as they stand: search, buy, configure.
    #[must_use]
    pub fn commands(&self, app: &App, base_url: &str) -> [String; 3] {
        let [_, key] = &self.secret;
        let (place, number) = numbers::suggestion(&app.stock, Environment::Test);
        let curl = |rest: String| format!("curl -sw '\\n' -H 'X-Auth-Token: {key}' {rest}");
        let audian = format!("{base_url}/audian/v2/numbers");
        let json = "-H 'Content-Type: application/json'";
        [
            curl(format!("'{audian}/search?location={place}&limit=3'")),
            curl(format!("-X POST {json} -d '{{\"number\":\"{number}\"}}' {audian}/purchase")),
            curl(format!(
                "-X PUT {json} -d '{{\"call_forwarding\":{{\"enabled\":true,\"forward_to\":\"{TARGET}\"}}}}' {audian}/{number}/config"
            )),
        ]
    }

    /// Three commands with which the number is called that the others configure: somebody who answers where it is forwarded to, a call
    /// without sound, and one with a telephone.
    #[must_use]
    pub fn calls(&self, app: &App, sip: SocketAddr) -> [String; 3] {
        let (_, number) = numbers::suggestion(&app.stock, Environment::Test);
        [
            format!("sipp -sn uas -i 127.0.0.1 -p {PORT}"),
            format!("sipp -sn uac -i 127.0.0.1 -s {number} -m 1 -d 5000 {sip}"),
            format!("baresip -n 127.0.0.1 -e '/uanew <sip:+14155550177@127.0.0.1>;regint=0' -e '/dial sip:{number}@{sip}'"),
        ]
    }
}
