//! How this dialect says errors: `{"ResponseStatus":{"ErrorCode","Message"[,"Errors"]}}`.

use serde::Serialize;
use serde_json::{Value, json};
use tandem_catalogue::{Dialect, Error, Rendered};

use crate::http::{manner::status, reply::Reply};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope {
    response_status: Body,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    error_code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Detail>,
}

/// A parameter at fault. Only its name is documented.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Detail {
    field_name: String,
    error_code: &'static str,
    message: String,
}

/// Says an error. All parameters at fault are listed; the first gives the code.
pub fn refuse(error: &Error, _request: &str) -> Reply {
    let said = error.render(Dialect::FoneDynamics);
    let others = error.others().iter().map(|other| other.render(Dialect::FoneDynamics));
    let first =
        Rendered { status: said.status, code: said.code, kind: said.kind, message: said.message.clone(), field: said.field };
    let errors = std::iter::once(first).chain(others).filter_map(detail).collect();
    let body = Body { error_code: said.code, message: said.message, errors };
    Reply::json(status(said.status), &Envelope { response_status: body })
}

fn detail(said: Rendered) -> Option<Detail> {
    let field_name = said.field.filter(|field| !field.is_empty())?;
    Some(Detail { field_name, error_code: said.code, message: said.message })
}

/// The schema of an error.
pub fn schema() -> Value {
    json!({
        "type": "object",
        "required": ["ResponseStatus"],
        "additionalProperties": false,
        "properties": { "ResponseStatus": {
            "type": "object",
            "required": ["ErrorCode", "Message"],
            "additionalProperties": false,
            "properties": {
                "ErrorCode": { "type": "string", "description": "What is wrong, for programs." },
                "Message": { "type": "string", "description": "What is wrong, for people." },
                "Errors": { "type": "array", "items": {
                    "type": "object",
                    "required": ["FieldName", "ErrorCode", "Message"],
                    "additionalProperties": false,
                    "properties": {
                        "FieldName": { "type": "string", "description": "The parameter at fault; several are joined with a comma." },
                        "ErrorCode": { "type": "string", "description": "As above, for this parameter.", "x-origin": "ours" },
                        "Message": { "type": "string", "description": "As above, for this parameter.", "x-origin": "ours" },
                    },
                } },
            },
        } },
    })
}
