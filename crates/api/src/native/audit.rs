//! `/audit`: what operators did. `/ledger/verification`: whether the books are right.

use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::Value;
use tandem_app::{actions, audit};
use tandem_catalogue::Result;
use tandem_kernel::EventId;
use tandem_store::repo::audit::Action;
use utoipa::ToSchema;

use super::page::{PAGE, Page, Window};
use crate::http::{Access, Call, Endpoint, Reply};

/// Something that an operator did, or an account about its keys.
#[derive(Serialize, ToSchema)]
struct ActionDto {
    /// Its id.
    id: String,
    /// The key that asked for it, or `cli`.
    operator: String,
    /// What was done.
    #[schema(example = "account.open")]
    action: String,
    /// To what.
    subject: String,
    /// With which values; no secrets.
    #[schema(value_type = Object)]
    detail: Value,
    /// When, by the machine's clock.
    at: String,
}

/// What was checked and what was found.
#[derive(Serialize, ToSchema)]
struct VerificationDto {
    /// Whether nothing is wrong.
    clean: bool,
    /// Wallets that were recomputed.
    wallets: u64,
    /// Transfers in them.
    transfers: u64,
    /// Numbers that were compared.
    numbers: u64,
    /// Invoices that were compared.
    invoices: u64,
    /// Numbers of the inventory that were compared.
    inventory: u64,
    /// What is wrong.
    faults: Vec<String>,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    let endpoints = [
        Endpoint::new("listActions", Method::GET, "/audit", "List what operators did, newest first.", list)
            .tag("Audit")
            .query(PAGE)
            .answers::<Page<ActionDto>>(StatusCode::OK),
        Endpoint::new(
            "verifyLedger",
            Method::GET,
            "/ledger/verification",
            "Recompute every wallet from its transfers, and compare what was sold with what was paid.",
            verify,
        )
        .tag("Ledger")
        .answers::<VerificationDto>(StatusCode::OK),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.access(Access::Operator)).collect()
}

async fn list(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let window = Window::read(&mut form);
    form.finish()?;
    let found = actions::list(&call.app, window.cursor.map(EventId::from_bytes), window.fetch()).await?;
    Ok(Reply::json(StatusCode::OK, &window.page(found, |action| *action.id.as_bytes(), dto)))
}

async fn verify(call: Call) -> Result<Reply> {
    let report = audit::verify_ledger(&call.app, |_| {}).await?;
    let dto = VerificationDto {
        clean: report.is_clean(),
        wallets: report.wallets,
        transfers: report.transfers,
        numbers: report.numbers,
        invoices: report.invoices,
        inventory: report.inventory,
        faults: report.faults,
    };
    Ok(Reply::json(StatusCode::OK, &dto))
}

fn dto(action: &Action) -> ActionDto {
    ActionDto {
        id: action.id.to_string(),
        operator: action.operator.clone(),
        action: action.action.clone(),
        subject: action.subject.clone(),
        detail: serde_json::from_str(&action.detail).unwrap_or_default(), // the store has it as it was written
        at: action.at.to_string(),
    }
}
