//! How this dialect says errors: RFC 9457, with the code of the catalogue, whether a retry helps, whether money may have moved,
//! where each fault is, and what to do.

use serde::Serialize;
use serde_json::{Value, json};
use tandem_catalogue::{Dialect, Error};

use crate::http::{
    manner::status,
    reply::{PROBLEM, Reply, number},
};

#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    request_id: &'a str,
    retry: Retry,
    charged: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault>,
    fix: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    required: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<Value>,
}

#[derive(Serialize)]
struct Retry {
    helps: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    after_seconds: Option<i64>,
}

#[derive(Serialize)]
struct Fault {
    pointer: String,
    code: &'static str,
    detail: String,
}

/// Says an error.
pub fn refuse(error: &Error, request: &str) -> Reply {
    let said = error.render(Dialect::Native);
    let entry = error.code().entry();
    let amount = |name| match error.value(name) {
        Some(tandem_catalogue::Value::Money(money)) => Some(number(money.micros)),
        _ => None,
    };
    let problem = Problem {
        r#type: format!("/errors/{}", entry.name),
        title: entry.title,
        status: said.status,
        detail: &said.message,
        code: entry.name,
        request_id: request,
        retry: Retry { helps: entry.retry.as_str(), after_seconds: error.retry_after() },
        charged: if entry.charged { "maybe" } else { "no" },
        errors: std::iter::once(error).chain(error.others()).filter_map(fault).collect(),
        fix: entry.resolution.to_vec(),
        required: amount("required"),
        available: amount("available"),
    };
    let mut reply = Reply::json(status(said.status), &problem);
    reply.media_type = PROBLEM;
    reply
}

fn fault(error: &Error) -> Option<Fault> {
    let said = error.render(Dialect::Native);
    let pointer = said.field?.split('.').fold(String::new(), |pointer, part| {
        let part = part.replace('~', "~0").replace('/', "~1");
        format!("{pointer}/{part}")
    });
    Some(Fault { pointer, code: error.code().name(), detail: said.message })
}

/// The schema of an error.
pub fn schema() -> Value {
    json!({
        "type": "object",
        "required": ["type", "title", "status", "detail", "code", "request_id", "retry", "charged", "fix"],
        "properties": {
            "type": { "type": "string", "format": "uri-reference" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string" },
            "code": { "type": "string" },
            "request_id": { "type": "string" },
            "retry": {
                "type": "object",
                "required": ["helps"],
                "properties": {
                    "helps": { "type": "string", "enum": ["never", "later", "after"] },
                    "after_seconds": { "type": "integer" },
                },
            },
            "charged": { "type": "string", "enum": ["no", "maybe"] },
            "errors": { "type": "array", "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": { "pointer": { "type": "string" }, "code": { "type": "string" }, "detail": { "type": "string" } },
            } },
            "fix": { "type": "array", "items": { "type": "string" } },
            "required": { "type": "number" },
            "available": { "type": "number" },
        },
    })
}
