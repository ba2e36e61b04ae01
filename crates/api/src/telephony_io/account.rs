//! `/account`: the balance.

use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::Value;
use tandem_app::wallets::{self, Whose};
use tandem_catalogue::Result;
use utoipa::ToSchema;

use crate::http::{Call, Endpoint, Reply, reply::number as amount};

/// What there is to spend. A credit is a unit of the account's currency.
#[derive(Serialize, ToSchema)]
struct BalanceDto {
    /// Always true.
    success: bool,
    /// Credits that can be spent.
    #[schema(value_type = f64, example = 99.95)]
    balance: Value,
    /// Credits that are set aside for work that has begun.
    #[schema(value_type = f64, example = 0.05)]
    held: Value,
    /// What a credit is a unit of.
    #[schema(example = "USD")]
    currency: String,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("getBalance", Method::GET, "/account/balance", "Read your balance; it costs nothing.", balance)
            .tag("Account")
            .answers::<BalanceDto>(StatusCode::OK),
    ]
}

async fn balance(call: Call) -> Result<Reply> {
    let wallet = wallets::read(&call.app, Whose::Own(call.caller()?)).await?.wallet;
    let dto = BalanceDto {
        success: true,
        balance: amount(wallet.available),
        held: amount(wallet.held),
        currency: wallet.currency.to_string(),
    };
    Ok(Reply::json(StatusCode::OK, &dto))
}
