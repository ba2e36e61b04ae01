//! How this dialect says errors: flat, `{"error":TEXT,"code":CODE}`, and what is missing where money is.

use serde::Serialize;
use serde_json::{Value, json};
use tandem_catalogue::{Dialect, Error, Value as Said};

use crate::http::{
    manner::status,
    reply::{Reply, number as amount},
};

/// The members in the order in which the documentation shows them.
#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    required_credits: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_balance: Option<Value>,
}

/// Says an error.
pub fn refuse(error: &Error, _request: &str) -> Reply {
    let said = error.render(Dialect::TelephonyIo);
    let credits = |name| match error.value(name) {
        Some(Said::Money(money)) if said.status == 402 => Some(amount(money.micros)),
        _ => None,
    };
    let (required_credits, current_balance) = (credits("required"), credits("available"));
    Reply::json(status(said.status), &Body { error: &said.message, code: said.code, required_credits, current_balance })
}

/// The schema of an error.
pub fn schema() -> Value {
    json!({
        "type": "object",
        "required": ["error", "code"],
        "additionalProperties": false,
        "properties": {
            "error": { "type": "string", "description": "What is wrong, for people." },
            "code": { "type": "string", "description": "What is wrong, for programs." },
            "required_credits": { "type": "number", "description": "What the operation costs; with `insufficient_balance` only." },
            "current_balance": { "type": "number", "description": "What can be spent; with `insufficient_balance` only." },
        },
    })
}
