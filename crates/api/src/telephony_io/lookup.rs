//! `/lookup`: what is known of a number.

use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::Value;
use tandem_app::lookup::LookedUp;
use tandem_catalogue::{Code, Result};
use utoipa::ToSchema;

use crate::http::{
    Call, Endpoint, Reply,
    lookup::{self, KnownDto},
    reply::number as amount,
};

/// What is known of a number.
#[derive(Serialize, ToSchema)]
struct LookupDto {
    /// Always true: the question was answered.
    success: bool,
    #[serde(flatten)]
    known: KnownDto,
    /// What the answer cost: nothing for what is no number.
    #[serde(rename = "creditsUsed")]
    #[schema(value_type = f64, example = 0.01)]
    credits_used: Value,
}

impl LookupDto {
    fn of(found: &LookedUp) -> Self {
        Self { success: true, known: KnownDto::of(found), credits_used: amount(found.price) }
    }
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            "lookUpNumber",
            Method::GET,
            "/lookup/{number}",
            "What is known of a number, for a price where anything is.",
            look_up,
        )
        .tag("Lookup")
        .path_docs(&[("number", "The number in E.164, its `+` included.")])
        .answers::<LookupDto>(StatusCode::OK)
        .codes(&[Code::TooLong, Code::InsufficientFunds, Code::SpendingLimitReached])
        .priced()
        .ours(),
    ]
}

async fn look_up(call: Call) -> Result<Reply> {
    lookup::look_up(&call, |found| Reply::json(StatusCode::OK, &LookupDto::of(found))).await
}
