//! `tandem admin accounts`.

use clap::{Subcommand, builder::NonEmptyStringValueParser};
use serde_json::{Value, json};
use tandem_app::{
    App,
    accounts::{self, AccountView, ChangeAccount, OpenAccount},
    nothing_more,
};
use tandem_domain::{account::AccountStatus, environment::RateLimit};
use tandem_kernel::{AccountId, Currency, Environment};

use super::office;
use crate::{
    config::Config,
    failure::Result,
    output::{Table, say, say_json},
};

/// Accounts that are read at a time.
const PAGE: i64 = 500;

/// Its commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List all accounts
    List,
    /// Open an account with a live and a test environment and empty wallets
    #[command(
        after_help = "Example:\n  tandem admin accounts create --name 'Ann Ltd' --email ann@example.com\n\nThen give it money and a key:\n  tandem admin wallet credit acc_… 50\n  tandem admin keys create --account acc_… --environment live"
    )]
    Create {
        /// Its name
        #[arg(long, value_parser = NonEmptyStringValueParser::new())]
        name: String,
        /// Where its owner reads
        #[arg(long, value_parser = NonEmptyStringValueParser::new())]
        email: String,
    },
    /// Show an account with its wallets and limits
    Show {
        /// The account
        #[arg(value_parser = office::account)]
        account: AccountId,
    },
    /// Change an account; what is not named stays
    #[command(
        after_help = "Examples:\n  tandem admin accounts set acc_… --status suspended\n  tandem admin accounts set acc_… --rate-limit 5000 --rate-burst 500 --environment live"
    )]
    Set(Box<Change>),
}

/// What to change.
#[derive(Debug, clap::Args)]
pub struct Change {
    /// The account
    #[arg(value_parser = office::account)]
    account: AccountId,
    /// Its name
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    name: Option<String>,
    /// Where its owner reads
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    email: Option<String>,
    /// active, suspended (keys are refused) or closed (keys are unknown)
    #[arg(long, value_parser = status)]
    status: Option<AccountStatus>,
    /// Whether its owner's identity was checked, which porting needs
    #[arg(long, value_name = "BOOL")]
    verified: Option<bool>,
    /// Whether it may send text messages
    #[arg(long, value_name = "BOOL")]
    sms: Option<bool>,
    /// Whether it may send picture messages
    #[arg(long, value_name = "BOOL")]
    mms: Option<bool>,
    /// Whose limits the following options set: live or test
    #[arg(long, value_parser = office::environment, default_value = "live")]
    environment: Environment,
    /// Requests a minute
    #[arg(long, value_name = "NUMBER")]
    rate_limit: Option<u32>,
    /// Requests at once
    #[arg(long, value_name = "NUMBER")]
    rate_burst: Option<u32>,
    /// Requests a month; 0 for no quota
    #[arg(long, value_name = "NUMBER")]
    monthly_quota: Option<u64>,
}

fn status(text: &str) -> Result<AccountStatus, String> {
    AccountStatus::parse(text).ok_or_else(|| format!("use one of {}", AccountStatus::CHOICES))
}

/// Does it.
///
/// # Errors
/// `account_not_found`, and faults of the store.
pub async fn run(config: &Config, command: Command, json: bool) -> Result<()> {
    let app = office::open(config).await?;
    let outcome = match command {
        Command::List => list(&app, json).await,
        Command::Create { name, email } => {
            let command = OpenAccount { name, email, currency: Currency::USD };
            let view = accounts::open(&app, office::operator(), command, nothing_more()).await?;
            show(&view, json)
        }
        Command::Show { account } => show(&accounts::get(&app, account).await?, json),
        Command::Set(change) => set(&app, *change, json).await,
    };
    app.store.close().await;
    outcome
}

async fn list(app: &App, json: bool) -> Result<()> {
    let mut all = Vec::new();
    loop {
        let page = accounts::list(app, all.last().map(|account: &tandem_domain::account::Account| account.id), PAGE).await?;
        if page.is_empty() {
            break;
        }
        all.extend(page);
    }
    if json {
        return Ok(say_json(&Value::Array(all.iter().map(office::account_json).collect()))?);
    }
    let mut table = Table::new(["ID", "NAME", "EMAIL", "STATUS", "OPENED"]);
    for account in all {
        let id = account.id.to_string();
        table.row([id, account.name, account.email, account.status.as_str().to_owned(), account.created_at.date()]);
    }
    Ok(table.say()?)
}

async fn set(app: &App, change: Change, json: bool) -> Result<()> {
    let command = ChangeAccount {
        name: change.name,
        email: change.email,
        status: change.status,
        verified: change.verified,
        sms_enabled: change.sms,
        mms_enabled: change.mms,
        message_countries: None,
    };
    let mut view = accounts::change(app, office::operator(), change.account, command, nothing_more()).await?;
    if change.rate_limit.is_some() || change.rate_burst.is_some() || change.monthly_quota.is_some() {
        let now = view.environments.iter().find(|(settings, _)| settings.kind == change.environment);
        let now = now.map_or_else(RateLimit::default, |(settings, _)| settings.rate);
        let rate = RateLimit {
            limit: change.rate_limit.unwrap_or(now.limit),
            burst: change.rate_burst.unwrap_or(now.burst),
            monthly_quota: change.monthly_quota.map_or(now.monthly_quota, |quota| (quota > 0).then_some(quota)),
            ..now
        };
        accounts::set_rate(app, office::operator(), change.account, change.environment, rate, nothing_more()).await?;
        view = accounts::get(app, change.account).await?;
    }
    show(&view, json)
}

fn show(view: &AccountView, json: bool) -> Result<()> {
    let AccountView { account, environments } = view;
    if json {
        let environments = environments.iter().map(|(settings, wallet)| {
            let rate = office::limits_json(settings);
            let (available, held) = (wallet.available, wallet.held);
            let wallet = json!({ "available_micros": available, "held_micros": held, "currency": wallet.currency.as_str() });
            (settings.kind.as_str().to_owned(), json!({ "id": settings.id.to_string(), "wallet": wallet, "rate_limit": rate }))
        });
        let mut shown = office::account_json(account);
        if let Some(members) = shown.as_object_mut() {
            members.insert("environments".to_owned(), Value::Object(environments.collect()));
        }
        return Ok(say_json(&shown)?);
    }
    say(format_args!("{}  {} <{}>", account.id, account.name, account.email))?;
    let can = |name: &'static str, may: bool| if may { name.to_owned() } else { format!("no {name}") };
    let rights = [can("verified", account.verified), can("SMS", account.sms_enabled), can("MMS", account.mms_enabled)].join(", ");
    say(format_args!("{}, {rights}, since {}", account.status.as_str(), account.created_at.date()))?;
    let mut table = Table::new(["", "AVAILABLE", "HELD", "REQUESTS A MINUTE", "AT ONCE", "MONTHLY QUOTA"]);
    for (settings, wallet) in environments {
        let (currency, rate) = (wallet.currency, settings.rate);
        let quota = rate.monthly_quota.map_or_else(|| "-".to_owned(), |quota| quota.to_string());
        let each_minute = u64::from(rate.limit).saturating_mul(60) / u64::from(rate.period.max(1));
        table.row([
            settings.kind.as_str().to_owned(),
            office::money(wallet.available, currency),
            office::money(wallet.held, currency),
            each_minute.to_string(),
            rate.burst.to_string(),
            quota,
        ]);
    }
    Ok(table.say()?)
}
