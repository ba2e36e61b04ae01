//! `tandem admin keys`.

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};
use tandem_app::{
    App, accounts,
    keys::{self, MintKey, MintedKey},
    nothing_more,
};
use tandem_catalogue::Error;
use tandem_domain::key::{Key, KeyState};
use tandem_kernel::{AccountId, Environment, EnvironmentId, KeyId, KeyKind, Scope, Scopes, Timestamp};
use tandem_store::repo::keys as stored;

use super::office;
use crate::{
    config::Config,
    failure::{Failure, Result},
    nearest::nearest,
    output::{Table, remark, say, say_json},
};

/// Its commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List keys; their texts are known to nobody
    List(Whose),
    /// Make a key and print it, this once
    #[command(
        after_help = "Examples:\n  tandem admin keys create --account acc_… --environment live\n  tandem admin keys create --account acc_… --kind secret --scopes numbers:read,billing:read --label 'read only'\n  tandem admin keys create --operator --label 'night shift'"
    )]
    Create(Create),
    /// Make a key with the same rights; the old one goes on working for a while
    #[command(after_help = "Example:\n  tandem admin keys rotate key_… --overlap 24h")]
    Rotate {
        /// The old key's id
        #[arg(value_parser = key)]
        key: KeyId,
        /// For how long the old one goes on working: 90s, 15m, 24h, 7d
        #[arg(long, default_value = "24h", value_parser = seconds)]
        overlap: i64,
    },
    /// End a key at once
    Revoke {
        /// The key's id
        #[arg(value_parser = key)]
        key: KeyId,
    },
}

/// Whose keys.
#[derive(Debug, clap::Args)]
#[group(skip)]
#[command(group = clap::ArgGroup::new("owner").args(["account", "operator"]).required(true))]
pub struct Whose {
    /// The account
    #[arg(long, value_parser = office::account)]
    account: Option<AccountId>,
    /// Which of its environments: live or test
    #[arg(long, value_parser = office::environment, requires = "account")]
    environment: Option<Environment>,
    /// The operators' own
    #[arg(long)]
    operator: bool,
}

/// What to make.
#[derive(Debug, clap::Args)]
pub struct Create {
    #[command(flatten)]
    whose: Whose,
    /// What sort of key
    #[arg(long, value_enum, default_value = "secret")]
    kind: Kind,
    /// What it may do, separated by commas; everything if not given
    #[arg(long, value_delimiter = ',', value_parser = scope)]
    scopes: Vec<Scope>,
    /// A name to know it by
    #[arg(long, default_value = "")]
    label: String,
    /// When it stops working: a date, or an instant such as 2027-01-31T12:00:00Z
    #[arg(long, value_parser = instant)]
    expires: Option<Timestamp>,
}

/// Sorts of an account's keys.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// For servers
    Secret,
    /// Safe to publish: may start and check verifications
    Publishable,
    /// The password that goes with an AccountSid
    Token,
}

fn key(text: &str) -> Result<KeyId, String> {
    KeyId::parse(text).ok_or_else(|| "a key's id looks like key_01m5zk…; `tandem admin keys list` shows them".to_owned())
}

fn scope(text: &str) -> Result<Scope, String> {
    let known = || Scope::ALL.iter().filter(|scope| **scope != Scope::Operator).map(|scope| scope.as_str());
    Scope::parse(text).filter(|scope| *scope != Scope::Operator).ok_or_else(|| match nearest(text, known()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("use some of {}", known().collect::<Vec<_>>().join(", ")),
    })
}

fn instant(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| "use 2027-01-31 or 2027-01-31T12:00:00Z".to_owned())
}

fn seconds(text: &str) -> Result<i64, String> {
    let unit = |letter| match letter {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(3600),
        'd' => Some(86_400),
        _ => None,
    };
    let last = text.chars().last().and_then(unit);
    let number = text.get(..text.len().saturating_sub(1)).and_then(|number| number.parse::<u32>().ok());
    last.zip(number)
        .map(|(unit, number)| i64::from(number) * unit)
        .ok_or_else(|| "use a number with s, m, h or d, as in 24h".to_owned())
}

/// Does it.
///
/// # Errors
/// `account_not_found`, `resource_not_found`, and faults of the store.
pub async fn run(config: &Config, command: Command, json: bool) -> Result<()> {
    let app = office::open(config).await?;
    let outcome = work(&app, command, json).await;
    app.store.close().await;
    outcome
}

async fn work(app: &App, command: Command, json: bool) -> Result<()> {
    match command {
        Command::List(whose) => list(app, &whose, json).await,
        Command::Create(create) => {
            let environments = whose(app, &create.whose).await?;
            let [(_, environment)] = environments.as_slice() else {
                return Err(
                    Failure::new("say which environment the key opens").hint("add --environment live or --environment test")
                );
            };
            let command = mint(*environment, create);
            shown_once(&keys::mint(app, office::operator(), command, nothing_more()).await?, json)
        }
        Command::Rotate { key, overlap } => {
            let environment = owner(app, key).await?;
            let minted = keys::rotate(app, office::operator(), environment, key.to_string(), overlap, nothing_more()).await?;
            shown_once(&minted, json)
        }
        Command::Revoke { key } => {
            let environment = owner(app, key).await?;
            let revoked = keys::revoke(app, office::operator(), environment, key.to_string(), nothing_more()).await?;
            if json { Ok(say_json(&key_json(app, &revoked))?) } else { Ok(say(format_args!("{} is revoked", revoked.id))?) }
        }
    }
}

fn mint(environment: Option<EnvironmentId>, create: Create) -> MintKey {
    let kind = match (environment, create.kind) {
        (None, _) => KeyKind::Operator,
        (Some(_), Kind::Secret) => KeyKind::Secret,
        (Some(_), Kind::Publishable) => KeyKind::Publishable,
        (Some(_), Kind::Token) => KeyKind::Token,
    };
    let usual = match kind {
        KeyKind::Operator => [Scope::Operator].into_iter().collect(),
        KeyKind::Publishable => [Scope::Verify].into_iter().collect(),
        KeyKind::Secret | KeyKind::Token => Scopes::account(),
    };
    let scopes = if create.scopes.is_empty() { usual } else { create.scopes.into_iter().collect() };
    MintKey { environment, kind, scopes, label: create.label, expires_at: create.expires }
}

/// The environments that are meant, with their names; none with an id is the operators.
async fn whose(app: &App, whose: &Whose) -> Result<Vec<(&'static str, Option<EnvironmentId>)>> {
    let Some(account) = whose.account else { return Ok(vec![("operator", None)]) };
    let environments = accounts::get(app, account).await?.environments.into_iter().map(|(settings, _)| settings);
    let meant = environments.filter(|settings| whose.environment.is_none_or(|kind| kind == settings.kind));
    Ok(meant.map(|settings| (settings.kind.as_str(), Some(settings.id))).collect())
}

async fn owner(app: &App, key: KeyId) -> Result<Option<EnvironmentId>> {
    let found = app.store.read(move |tx| stored::find(tx, key)).await?;
    Ok(found.ok_or_else(|| Error::resource_not_found("key", key.to_string()))?.environment)
}

async fn list(app: &App, of: &Whose, json: bool) -> Result<()> {
    let mut table = Table::new(["ID", "OPENS", "KEY", "STATE", "LAST USED", "LABEL", "SCOPES"]);
    let mut all = Vec::new();
    for (opens, environment) in whose(app, of).await? {
        for key in keys::list(app, environment).await? {
            let used = key.last_used_at.map_or_else(|| "-".to_owned(), |at| at.to_string());
            let text = format!("{}…{}", key.prefix, key.last_four);
            let scopes = if key.scopes == Scopes::account() { "all".to_owned() } else { key.scopes.to_text() };
            table.row([key.id.to_string(), opens.to_owned(), text, state(app, &key).to_owned(), used, key.label.clone(), scopes]);
            all.push(key_json(app, &key));
        }
    }
    if json { Ok(say_json(&Value::Array(all))?) } else { Ok(table.say()?) }
}

fn state(app: &App, key: &Key) -> &'static str {
    match key.state(app.machine_now()) {
        KeyState::Active => "active",
        KeyState::Expired => "expired",
        KeyState::Revoked => "revoked",
    }
}

fn key_json(app: &App, key: &Key) -> Value {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    json!({
        "id": key.id.to_string(),
        "environment": key.environment.map(|id| id.to_string()),
        "kind": key.kind.as_str(),
        "prefix": key.prefix,
        "last_four": key.last_four,
        "state": state(app, key),
        "scopes": key.scopes.iter().map(Scope::as_str).collect::<Vec<_>>(),
        "label": key.label,
        "created_at": key.created_at.to_string(),
        "expires_at": time(key.expires_at),
        "revoked_at": time(key.revoked_at),
        "last_used_at": time(key.last_used_at),
        "replaced_by": key.replaced_by.map(|id| id.to_string()),
    })
}

fn shown_once(minted: &MintedKey, json: bool) -> Result<()> {
    let text = minted.text.as_str();
    if json {
        return Ok(say_json(&json!({ "id": minted.key.id.to_string(), "key": text }))?);
    }
    say(text)?;
    remark(format_args!("This is {}. Keep the text: only its hash is kept here.", minted.key.id));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_their_unit() {
        assert_eq!(seconds("90s"), Ok(90));
        assert_eq!(seconds("24h"), Ok(86_400));
        for text in ["", "h", "24", "-1h", "1w", "1é"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_misspelt_scope_names_the_nearest() {
        assert_eq!(scope("number:read").expect_err("it is misspelt"), "did you mean numbers:read?");
        assert!(scope("operator").is_err(), "no account's key may have it");
    }
}
