//! The Audian API v2, its flat family of paths.

mod billing;
mod billing_dto;
mod call_controls;
mod call_flows;
mod calls;
mod conference_controls;
mod conferences;
mod convert;
mod destinations;
mod dto;
mod errors;
mod ivr_menus;
mod messages;
mod messages_dto;
mod numbers;
mod ports;
mod recordings;
mod webhooks;

use http::HeaderMap;
use serde_json::json;
use tandem_catalogue::Dialect;

use crate::http::{
    Endpoint, Manner,
    manner::{Reading, Shown, bearer},
    reply::JSON,
};

/// How this dialect reads and speaks.
#[must_use]
pub fn manner() -> Manner {
    Manner {
        dialect: Dialect::Audian,
        prefix: "/audian/v2",
        documented: "/v2",
        title: "Audian API v2",
        credential,
        refuse: errors::refuse,
        error_type: JSON,
        challenge: r#"Bearer realm="Tandem""#,
        strict: false,
        reading: Reading::Exact,
        lenient_bodies: false,
        security: || ("ApiKey", json!({ "type": "apiKey", "in": "header", "name": "X-Auth-Token" })),
        error_schema: errors::schema,
        endpoints,
    }
}

fn endpoints() -> Vec<Endpoint> {
    [
        numbers::endpoints(),
        ports::endpoints(),
        billing::endpoints(),
        messages::endpoints(),
        webhooks::endpoints(),
        call_flows::endpoints(),
        ivr_menus::endpoints(),
        calls::endpoints(),
        call_controls::endpoints(),
        conferences::endpoints(),
        conference_controls::endpoints(),
        recordings::endpoints(),
    ]
    .concat()
}

/// `X-Auth-Token` carries the key itself; samples of the documentation also use a bearer token.
fn credential(headers: &HeaderMap) -> Shown {
    match headers.get("x-auth-token").map(|value| value.to_str().map(str::trim)) {
        Some(Ok(key)) if !key.is_empty() => Shown::Key(key.to_owned()),
        Some(Err(_)) => Shown::Nonsense,
        _ => bearer(headers),
    }
}
