//! How this dialect says errors: `{"error":{"code","message","type"[,"param"]}}`.

use serde::Serialize;
use serde_json::{Value, json};
use tandem_catalogue::{Dialect, Error};

use crate::http::{manner::status, reply::Reply};

#[derive(Serialize)]
struct Envelope<'a> {
    error: Body<'a>,
}

/// The members in the order in which the documentation shows them.
#[derive(Serialize)]
struct Body<'a> {
    code: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// Says an error.
pub fn refuse(error: &Error, _request: &str) -> Reply {
    let said = error.render(Dialect::Audian);
    // The documentation names a nested member by its own name alone; the place of an item in a list is no name.
    let is_name = |part: &&str| !part.bytes().all(|byte| byte.is_ascii_digit());
    let param = said.field.as_deref().map(|field| field.rsplit('.').find(is_name).unwrap_or(field));
    let body = Body { code: said.code, message: &said.message, param, kind: said.kind };
    Reply::json(status(said.status), &Envelope { error: body })
}

/// The schema of an error.
pub fn schema() -> Value {
    json!({
        "type": "object",
        "required": ["error"],
        "additionalProperties": false,
        "properties": { "error": {
            "type": "object",
            "required": ["code", "message", "type"],
            "additionalProperties": false,
            "properties": {
                "code": { "type": "string" },
                "message": { "type": "string" },
                "type": { "type": "string" },
                "param": { "type": "string", "description": "The parameter at fault, as the caller spelled it." },
            },
        } },
    })
}
