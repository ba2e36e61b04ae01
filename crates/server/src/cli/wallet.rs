//! `tandem admin wallet`.

use clap::Subcommand;
use serde_json::{Value, json};
use tandem_app::{
    App,
    accounts::{self, MoveMoney},
    nothing_more,
};
use tandem_kernel::{AccountId, Currency, Environment, Money, uuid_v7};
use tandem_ledger::Transfer;
use tandem_store::repo::ledger;

use super::office;
use crate::{
    config::Config,
    failure::Result,
    output::{Table, say, say_json},
};

/// Its commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Put money into a wallet, or take some out with a negative amount
    #[command(
        after_help = "Examples:\n  tandem admin wallet credit acc_… 50 --reference 'invoice 17'\n  tandem admin wallet credit acc_… -12.50 --description 'paid back'\n\nThe same reference moves money once: repeat the command without fear."
    )]
    Credit {
        /// The account
        #[arg(value_parser = office::account)]
        account: AccountId,
        /// The amount in units, with at most six decimals
        #[arg(value_parser = amount, allow_negative_numbers = true)]
        amount: i64,
        /// Which of its wallets: live or test
        #[arg(long, value_parser = office::environment, default_value = "live")]
        environment: Environment,
        /// What the payment is known by outside; made up if not given
        #[arg(long)]
        reference: Option<String>,
        /// For the account's owner to read
        #[arg(long)]
        description: Option<String>,
    },
    /// Show an account's wallets
    Show {
        /// The account
        #[arg(value_parser = office::account)]
        account: AccountId,
    },
    /// List what moved, newest first
    History {
        /// The account
        #[arg(value_parser = office::account)]
        account: AccountId,
        /// Which of its wallets: live or test
        #[arg(long, value_parser = office::environment, default_value = "live")]
        environment: Environment,
        /// How many transfers
        #[arg(long, default_value = "50", value_name = "NUMBER", value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
    },
}

fn amount(text: &str) -> Result<i64, String> {
    Money::parse_micros(text).ok_or_else(|| "an amount is written as 50 or 12.50, with at most six decimals".to_owned())
}

/// Does it.
///
/// # Errors
/// `account_not_found`, `insufficient_funds`, `transfer_conflict`, and faults of the store.
pub async fn run(config: &Config, command: Command, json: bool) -> Result<()> {
    let app = office::open(config).await?;
    let outcome = match command {
        Command::Credit { account, amount, environment, reference, description } => {
            let reference = reference.unwrap_or_else(|| format!("cli-{}", uuid_v7(app.machine_now(), &*app.rng)));
            let usual = if amount < 0 { "Paid back" } else { "Credit" };
            let description = description.unwrap_or_else(|| usual.to_owned());
            let command = MoveMoney { account, kind: environment, amount, reference, description };
            credit(&app, command, json).await
        }
        Command::Show { account } => show(&app, account, json).await,
        Command::History { account, environment, limit } => history(&app, account, environment, limit, json).await,
    };
    app.store.close().await;
    outcome
}

async fn credit(app: &App, command: MoveMoney, json: bool) -> Result<()> {
    let (account, kind) = (command.account, command.kind);
    let transfer = accounts::move_money(app, office::operator(), command, nothing_more()).await?;
    if json {
        return Ok(say_json(&transfer_json(&transfer))?);
    }
    let currency = accounts::get(app, account).await?.account.currency;
    let (moved, left) = (office::money(transfer.amount, currency), office::money(transfer.available_after, currency));
    Ok(say(format_args!("{} {moved} ({}): {left} in the {} wallet", transfer.kind.as_str(), transfer.id, kind.as_str()))?)
}

async fn show(app: &App, account: AccountId, json: bool) -> Result<()> {
    let view = accounts::get(app, account).await?;
    if json {
        let wallets = view.environments.iter().map(|(settings, wallet)| {
            let currency = wallet.currency.as_str();
            let wallet = json!({ "available_micros": wallet.available, "held_micros": wallet.held, "currency": currency, "transfers": wallet.sequence });
            (settings.kind.as_str().to_owned(), wallet)
        });
        return Ok(say_json(&Value::Object(wallets.collect()))?);
    }
    let mut table = Table::new(["WALLET", "AVAILABLE", "HELD", "TRANSFERS"]);
    for (settings, wallet) in view.environments {
        let shown = |micros| office::money(micros, wallet.currency);
        table.row([settings.kind.as_str().to_owned(), shown(wallet.available), shown(wallet.held), wallet.sequence.to_string()]);
    }
    Ok(table.say()?)
}

async fn history(app: &App, account: AccountId, kind: Environment, limit: i64, json: bool) -> Result<()> {
    let read = move |tx: &mut tandem_store::Tx| {
        let settings = accounts::environment(tx, account, kind)?;
        let wallet = ledger::wallet(tx, settings.id)?;
        Ok((wallet.currency, ledger::history(tx, settings.id, i64::MAX, limit)?))
    };
    let (currency, transfers) = app.store.read(read).await?;
    if json {
        return Ok(say_json(&Value::Array(transfers.iter().map(transfer_json).collect()))?);
    }
    Ok(table(&transfers, currency).say()?)
}

fn table(transfers: &[Transfer], currency: Currency) -> Table<7> {
    let mut table = Table::new(["WHEN", "KIND", "AMOUNT", "AVAILABLE", "HELD", "REFERENCE", "DESCRIPTION"]);
    for transfer in transfers {
        table.row([
            transfer.at.to_string(),
            transfer.kind.as_str().to_owned(),
            office::money(transfer.amount, currency),
            office::money(transfer.available_after, currency),
            office::money(transfer.held_after, currency),
            transfer.reference.clone(),
            transfer.description.clone(),
        ]);
    }
    table
}

fn transfer_json(transfer: &Transfer) -> Value {
    json!({
        "id": transfer.id.to_string(),
        "kind": transfer.kind.as_str(),
        "amount_micros": transfer.amount,
        "available_after_micros": transfer.available_after,
        "held_after_micros": transfer.held_after,
        "reference": transfer.reference,
        "description": transfer.description,
        "at": transfer.at.to_string(),
    })
}
