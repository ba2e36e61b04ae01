//! The OpenAPI document of a dialect, made from the descriptions of its operations and the catalogue.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Map, Value, json};
use tandem_catalogue::{Code, Dialect};

use super::{
    endpoint::{Access, Endpoint},
    field::{Field, Kind, allow_blank, object_schema},
    manner::Manner,
    reply::JSON,
};

/// Errors that every operation with a key may answer.
const ALWAYS: &[Code] = &[
    Code::MissingAuthentication,
    Code::InvalidApiKey,
    Code::ExpiredApiKey,
    Code::RevokedApiKey,
    Code::InsufficientScope,
    Code::AccountSuspended,
    Code::RateLimited,
    Code::QuotaExceeded,
    Code::Internal,
    Code::Unavailable,
    Code::Overloaded,
    Code::ShuttingDown,
];
/// Errors that every operation with parameters or a body may answer.
const WITH_FIELDS: &[Code] = &[
    Code::MissingParameter,
    Code::WrongType,
    Code::MalformedParameter,
    Code::OutOfRange,
    Code::InvalidChoice,
    Code::InvalidValue,
    Code::TooShort,
    Code::TooLong,
];
/// Errors that every operation may answer whose repetitions get the first answer.
const ONCE: &[Code] = &[Code::RequestInProgress, Code::IdempotencyKeyReused, Code::InvalidIdempotencyKey];
/// Errors that every operation that changes something may answer.
const UNSAFE: &[Code] =
    &[Code::MalformedBody, Code::UnsupportedMediaType, Code::BodyTooLarge, Code::RequestTimeout, Code::ConcurrentModification];

/// Errors of paths and methods that are no operation.
const OUTSIDE: [Code; 2] = [Code::PathNotFound, Code::MethodNotAllowed];

/// All codes that an operation may answer.
#[must_use]
pub fn codes(endpoint: &Endpoint, strict: bool) -> Vec<Code> {
    let mut codes: Vec<Code> = endpoint.codes.to_vec();
    match endpoint.access {
        Access::Anybody => codes.extend([Code::RateLimited, Code::Internal, Code::Overloaded, Code::ShuttingDown]),
        Access::Account | Access::Operator | Access::Either => codes.extend(ALWAYS),
    }
    if endpoint.body.is_some() || !endpoint.query.is_empty() {
        codes.extend(WITH_FIELDS);
    }
    codes.extend(strict.then_some(Code::UnknownParameter));
    if endpoint.is_once() {
        codes.extend(ONCE);
    }
    if endpoint.is_unsafe() {
        codes.extend(UNSAFE);
    }
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// The whole document.
#[must_use]
pub fn document(manner: &Manner) -> Value {
    let endpoints = (manner.endpoints)();
    let (scheme, security) = (manner.security)();
    let mut schemas: BTreeMap<String, Value> = BTreeMap::new();
    schemas.insert("Error".to_owned(), (manner.error_schema)());
    let mut paths: Map<String, Value> = Map::new();
    for endpoint in &endpoints {
        if let Some(shape) = endpoint.answer {
            let mut gathered = Vec::new();
            (shape.gather)(&mut gathered);
            for (name, schema) in gathered {
                schemas.insert(name, serde_json::to_value(schema).unwrap_or_default());
            }
        }
        let operations = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        if let Some(operations) = operations.as_object_mut() {
            operations.insert(endpoint.method.as_str().to_ascii_lowercase(), operation(manner, endpoint, scheme));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": manner.title,
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Served by Tandem. Operations and members that are marked x-origin: ours are additions to the documented API.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": manner.prefix }],
        "x-codes-outside-operations": OUTSIDE.map(Code::name),
        "paths": paths,
        "components": { "schemas": schemas, "parameters": { "IdempotencyKey": idempotency_key() }, "securitySchemes": { scheme: security } },
    })
}

fn operation(manner: &Manner, endpoint: &Endpoint, scheme: &str) -> Value {
    let mut operation = json!({
        "operationId": endpoint.id,
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "parameters": parameters(endpoint, manner.reading.ignores_blanks()),
        "responses": responses(manner, endpoint),
    });
    let Some(members) = operation.as_object_mut() else { return operation };
    if endpoint.access != Access::Anybody {
        members.insert("security".to_owned(), json!([{ scheme: [] }]));
        members.insert("x-access".to_owned(), endpoint.access.as_str().into());
    }
    if endpoint.is_once() {
        members.insert("x-idempotency-key".to_owned(), "optional; see components.parameters.IdempotencyKey".into());
    }
    let own: Vec<&str> = endpoint.codes.iter().map(|code| code.name()).collect();
    members.insert("x-own-codes".to_owned(), own.into());
    if endpoint.ours {
        members.insert("x-origin".to_owned(), "ours".into());
    }
    if let Some(fields) = endpoint.body {
        let required = fields.iter().any(|field| field.required);
        let blanks = manner.reading.ignores_blanks() && endpoint.method != Method::PATCH;
        let content = json!({ endpoint.body_type: { "schema": object_schema(fields, blanks) } });
        members.insert("requestBody".to_owned(), json!({ "required": required, "content": content }));
    } else if endpoint.raw_body {
        let types = endpoint.raw_types.iter();
        let content: Map<String, Value> =
            types.map(|name| ((*name).to_owned(), json!({ "schema": { "type": "string", "format": "binary" } }))).collect();
        members.insert("requestBody".to_owned(), json!({ "required": true, "content": content }));
    }
    operation
}

fn parameters(endpoint: &Endpoint, blanks: bool) -> Vec<Value> {
    let path = endpoint.path_docs.iter().map(|(name, doc)| {
        json!({ "name": name, "in": "path", "required": true, "description": doc, "schema": { "type": "string", "minLength": 1 } })
    });
    let query = endpoint.query.iter().map(|field| query_parameter(field, blanks));
    path.chain(query).collect()
}

/// Not a parameter of each operation: whoever generates requests from the document would use one key for many.
fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key", "in": "header", "required": false, "x-origin": "ours",
        "description": "Taken by every operation that changes or costs something: a repetition with the same key and body gets the first answer.",
        "schema": { "type": "string", "minLength": 1, "maxLength": 255 },
    })
}

fn query_parameter(field: &Field, blanks: bool) -> Value {
    let mut schema = field.kind.schema(blanks);
    if blanks && !field.required && field.kind.is_text() {
        allow_blank(&mut schema);
    }
    // `name=` is an empty list, which generators of requests take for a list of one empty word.
    if let (Kind::Choices(_), Some(Value::Array(words))) = (field.kind, schema.pointer_mut("/items/enum")) {
        words.push("".into());
    }
    json!({ "name": field.name, "in": "query", "required": field.required, "description": field.doc, "schema": schema,
            "style": "form", "explode": false })
}

fn responses(manner: &Manner, endpoint: &Endpoint) -> Value {
    let mut responses: Map<String, Value> = Map::new();
    let mut success = json!({ "description": "Done.", "headers": headers(endpoint.access) });
    if let (Some(shape), Some(members)) = (endpoint.answer, success.as_object_mut()) {
        let schema = serde_json::to_value((shape.schema)()).unwrap_or_default();
        members.insert("content".to_owned(), json!({ endpoint.media_type: { "schema": schema } }));
    }
    if endpoint.audio {
        sound(&mut success);
        let mut part = success.clone();
        if let Some(members) = part.as_object_mut() {
            members.insert("description".to_owned(), "The part that `Range` asks for.".into());
            let content = members.get_mut("content").and_then(Value::as_object_mut);
            content.map(|content| content.remove(JSON));
        }
        if let Some(headers) = part.get_mut("headers").and_then(Value::as_object_mut) {
            headers.insert("ETag".to_owned(), header("For `If-Range`."));
            headers.insert("Content-Range".to_owned(), header("Which bytes these are, and of how many."));
        }
        responses.insert("206".to_owned(), part);
    }
    responses.insert(endpoint.success.as_str().to_owned(), success);
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes(endpoint, manner.strict) {
        by_status.entry(code.entry().wire(manner.dialect).status).or_default().push(code);
    }
    for (status, codes) in by_status {
        responses.insert(status.to_string(), refusal(manner, status, &codes));
    }
    responses.into()
}

/// Adds sound to what an answer may be.
fn sound(success: &mut Value) {
    let Some(members) = success.as_object_mut() else { return };
    let mut content: Map<String, Value> = super::audio::TYPES
        .iter()
        .map(|name| ((*name).to_owned(), json!({ "schema": { "type": "string", "format": "binary" } })))
        .collect();
    if let Some(Value::Object(described)) = members.remove("content") {
        content.extend(described);
    }
    members.insert("content".to_owned(), content.into());
}

fn refusal(manner: &Manner, status: u16, codes: &[Code]) -> Value {
    let lines: Vec<String> = codes
        .iter()
        .map(|code| format!("`{}` ({}): {}", code.entry().wire(manner.dialect).code, code.name(), code.entry().title))
        .collect();
    let names: Vec<&str> = codes.iter().map(|code| code.name()).collect();
    let mut headers = json!({
        "X-Request-Id": header("The request's id, by which the log finds it."),
        "X-Tandem-Error": {
            "description": "The code of the catalogue behind this answer: `GET /v1/errors/CODE` and `tandem explain CODE` tell of its \
                causes and what to do. Not with the answer to a repetition.",
            "schema": { "type": "string", "enum": names },
            "x-origin": "ours",
        },
    });
    if let (429 | 503, Some(members)) = (status, headers.as_object_mut()) {
        members.insert("Retry-After".to_owned(), json!({ "description": "Seconds to wait.", "schema": { "type": "integer" } }));
    }
    let mut content = json!({ "schema": { "$ref": "#/components/schemas/Error" } });
    if let (Dialect::Audian, Some(members)) = (manner.dialect, content.as_object_mut()) {
        let examples: Map<String, Value> = codes
            .iter()
            .map(|code| {
                let wire = code.entry().wire(manner.dialect);
                (
                    code.name().to_owned(),
                    json!({ "value": { "error": { "code": wire.code, "message": wire.message, "type": wire.kind } } }),
                )
            })
            .collect();
        members.insert("examples".to_owned(), examples.into());
    }
    json!({
        "description": lines.join("; "),
        "headers": headers,
        "content": { manner.error_type: content },
        "x-codes": codes.iter().map(|code| code.name()).collect::<Vec<_>>(),
    })
}

fn headers(access: Access) -> Value {
    let mut headers = json!({ "X-Request-Id": header("The request's id, by which the log finds it.") });
    if let (Access::Account, Some(members)) = (access, headers.as_object_mut()) {
        for (name, doc) in [
            ("X-RateLimit-Limit", "Requests in a period."),
            ("X-RateLimit-Remaining", "Requests that could come at once now."),
            ("X-RateLimit-Reset", "When the whole burst is there again, in Unix seconds."),
        ] {
            members.insert(name.to_owned(), json!({ "description": doc, "schema": { "type": "integer" } }));
        }
    }
    headers
}

fn header(doc: &str) -> Value {
    json!({ "description": doc, "schema": { "type": "string" } })
}
