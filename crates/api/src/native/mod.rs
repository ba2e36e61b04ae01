//! Our own API, `/v1`: for operators, and for accounts that want more than the dialects show.

mod catalogue;
mod front;
mod problem;

use serde_json::json;
use tandem_catalogue::Dialect;

use crate::http::{Endpoint, Manner, manner::bearer, reply::PROBLEM};

pub(crate) use front::front;

/// How this dialect reads and speaks.
#[must_use]
pub fn manner() -> Manner {
    Manner {
        dialect: Dialect::Native,
        prefix: "/v1",
        documented: "/v1",
        title: "Tandem API v1",
        credential: bearer,
        refuse: problem::refuse,
        error_type: PROBLEM,
        challenge: r#"Bearer realm="Tandem""#,
        strict: true,
        security: || ("Bearer", json!({ "type": "http", "scheme": "bearer" })),
        error_schema: problem::schema,
        endpoints,
    }
}

fn endpoints() -> Vec<Endpoint> {
    catalogue::endpoints()
}
