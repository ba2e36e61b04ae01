//! The Telephony.io API.

mod account;
mod errors;
mod lookup;
mod verify;
mod voice;

use serde_json::json;
use tandem_catalogue::Dialect;

use crate::http::{
    Endpoint, Manner,
    manner::{Reading, bearer},
    reply::JSON,
};

/// How this dialect reads and speaks.
#[must_use]
pub fn manner() -> Manner {
    Manner {
        dialect: Dialect::TelephonyIo,
        prefix: "/telephony/api",
        documented: "/api",
        title: "Telephony.io API",
        credential: bearer,
        refuse: errors::refuse,
        error_type: JSON,
        challenge: r#"Bearer realm="Tandem""#,
        strict: false,
        reading: Reading::Exact,
        lenient_bodies: false,
        security: || ("Bearer", json!({ "type": "http", "scheme": "bearer" })),
        error_schema: errors::schema,
        endpoints,
    }
}

fn endpoints() -> Vec<Endpoint> {
    [account::endpoints(), lookup::endpoints(), verify::endpoints(), voice::endpoints()].concat()
}
