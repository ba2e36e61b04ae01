//! Wallets and the transfers that made them: an account's own, and all of them for operators.

use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::Value;
use tandem_app::{
    accounts::{self, MoveMoney},
    wallets::{self, Whose},
};
use tandem_catalogue::{Code, Error, Result};
use tandem_kernel::{Timestamp, hex};
use tandem_ledger::{MOST, Transfer, Wallet};
use utoipa::ToSchema;

use super::{
    page::{PAGE, Page, Window, number_of, numbered},
    place,
};
use crate::http::{Access, Call, Endpoint, Field, Kind, Reply, reply::number as amount};

const TAG: &str = "Wallets";
const CREDIT: &[Field] = &[
    Field::new("amount", Kind::Amount { min: -MOST, max: MOST }, "What comes in; below zero, what is paid back. Not zero.", "100")
        .required(),
    Field::new(
        "reference",
        Kind::Text { min: 1, max: 128 },
        "What the payment is known by outside. The same reference moves money once.",
        r#""invoice 2024-017""#,
    )
    .required(),
    Field::new("description", Kind::Text { min: 0, max: 256 }, "For the account's owner to read.", r#""Bank transfer""#),
];

/// A wallet.
#[derive(Serialize, ToSchema)]
pub struct WalletDto {
    /// What its units are.
    currency: String,
    /// What can be spent.
    #[schema(value_type = f64, example = 99.01)]
    available: Value,
    /// What is set aside for work that has begun.
    #[schema(value_type = f64, example = 0)]
    held: Value,
    /// How many transfers made it.
    transfers: i64,
    /// The hash of the last of them, in hexadecimal.
    head: String,
}

/// A movement of money.
#[derive(Serialize, ToSchema)]
pub struct TransferDto {
    /// Its id.
    id: String,
    /// The wallet's first transfer is 1.
    sequence: i64,
    /// `credit`, `withdrawal`, `charge`, `hold`, `capture`, `release` or `refund`.
    kind: &'static str,
    /// How much, in units of the wallet's currency.
    #[schema(value_type = f64, example = 0.99)]
    amount: Value,
    /// The object for whose sake, or what a payment is known by outside.
    reference: String,
    /// For the owner to read.
    description: String,
    /// The hold that a capture or release draws on.
    hold_id: Option<String>,
    /// When a hold lapses.
    deadline: Option<String>,
    /// When, by the environment's clock.
    at: String,
    /// What can be spent afterwards.
    #[schema(value_type = f64)]
    available_after: Value,
    /// What is set aside afterwards.
    #[schema(value_type = f64)]
    held_after: Value,
    /// The hash of the transfer before, in hexadecimal.
    previous_hash: String,
    /// The hash of this one, which covers all its members.
    hash: String,
}

impl WalletDto {
    /// The wallet on the wire.
    pub fn of(wallet: &Wallet) -> Self {
        Self {
            currency: wallet.currency.to_string(),
            available: amount(wallet.available),
            held: amount(wallet.held),
            transfers: wallet.sequence,
            head: hex(&wallet.head),
        }
    }
}

impl TransferDto {
    /// The transfer on the wire.
    pub fn of(transfer: &Transfer) -> Self {
        Self {
            id: transfer.id.to_string(),
            sequence: transfer.sequence,
            kind: transfer.kind.as_str(),
            amount: amount(transfer.amount),
            reference: transfer.reference.clone(),
            description: transfer.description.clone(),
            hold_id: transfer.hold.map(|id| id.to_string()),
            deadline: transfer.deadline.as_ref().map(Timestamp::to_string),
            at: transfer.at.to_string(),
            available_after: amount(transfer.available_after),
            held_after: amount(transfer.held_after),
            previous_hash: hex(&transfer.previous),
            hash: hex(&transfer.hash),
        }
    }
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    const PATH: &str = "/accounts/{account_id}/environments/{environment}/wallet";
    const CREDITS: &str = "/accounts/{account_id}/environments/{environment}/wallet/credits";
    const TRANSFERS: &str = "/accounts/{account_id}/environments/{environment}/wallet/transfers";
    const LOOKUP: &[Code] = &[Code::AccountNotFound, Code::ResourceNotFound];
    let operators = [
        Endpoint::new("moveMoney", Method::POST, CREDITS, "Credit a wallet, or take out what is paid back.", credit)
            .path_docs(place::ENVIRONMENT)
            .body(CREDIT)
            .answers::<TransferDto>(StatusCode::CREATED)
            .codes(&[
                Code::AccountNotFound,
                Code::ResourceNotFound,
                Code::TransferConflict,
                Code::InsufficientFunds,
                Code::BalanceOverflow,
            ]),
        Endpoint::new("getWallet", Method::GET, PATH, "Read a wallet.", get)
            .path_docs(place::ENVIRONMENT)
            .answers::<WalletDto>(StatusCode::OK)
            .codes(LOOKUP),
        Endpoint::new("listTransfers", Method::GET, TRANSFERS, "List a wallet's transfers, newest first.", transfers)
            .path_docs(place::ENVIRONMENT)
            .query(PAGE)
            .answers::<Page<TransferDto>>(StatusCode::OK)
            .codes(LOOKUP),
    ];
    let own = [
        Endpoint::new("getOwnWallet", Method::GET, "/wallet", "Read your wallet.", get_own).answers::<WalletDto>(StatusCode::OK),
        Endpoint::new(
            "listOwnTransfers",
            Method::GET,
            "/wallet/transfers",
            "List your wallet's transfers, newest first.",
            own_transfers,
        )
        .query(PAGE)
        .answers::<Page<TransferDto>>(StatusCode::OK),
    ];
    let operators = operators.into_iter().map(|endpoint| endpoint.access(Access::Operator));
    operators.chain(own).map(|endpoint| endpoint.tag(TAG)).collect()
}

async fn credit(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (micros, reference, description) = (form.amount("amount"), form.text("reference"), form.text("description"));
    form.finish()?;
    let micros = micros.ok_or_else(Error::internal)?;
    if micros == 0 {
        return Err(Error::invalid_value("amount", "must not be zero"));
    }
    let command = MoveMoney {
        account: place::account(&call)?,
        kind: place::kind(&call)?,
        amount: micros,
        reference: reference.ok_or_else(Error::internal)?,
        description: description.unwrap_or_default(),
    };
    let render = |transfer: &Transfer| Reply::json(StatusCode::CREATED, &TransferDto::of(transfer));
    call.answer(render, |finish| accounts::move_money(&call.app, call.operator(), command, finish)).await
}

async fn get(call: Call) -> Result<Reply> {
    read(&call, named(&call)?).await
}

async fn get_own(call: Call) -> Result<Reply> {
    read(&call, Whose::Own(call.caller()?)).await
}

async fn transfers(call: Call) -> Result<Reply> {
    let window = window(&call)?;
    list(&call, named(&call)?, window).await
}

async fn own_transfers(call: Call) -> Result<Reply> {
    let window = window(&call)?;
    list(&call, Whose::Own(call.caller()?), window).await
}

fn named(call: &Call) -> Result<Whose> {
    Ok(Whose::Of(place::account(call)?, place::kind(call)?))
}

fn window(call: &Call) -> Result<Window> {
    let mut form = call.query_form()?;
    let window = Window::read(&mut form);
    form.finish()?;
    Ok(window)
}

async fn read(call: &Call, whose: Whose) -> Result<Reply> {
    let view = wallets::read(&call.app, whose).await?;
    Ok(Reply::json(StatusCode::OK, &WalletDto::of(&view.wallet)))
}

async fn list(call: &Call, whose: Whose, window: Window) -> Result<Reply> {
    let found = wallets::transfers(&call.app, whose, window.cursor.map(number_of), window.fetch()).await?;
    Ok(Reply::json(StatusCode::OK, &window.page(found, |transfer| numbered(transfer.sequence), TransferDto::of)))
}
