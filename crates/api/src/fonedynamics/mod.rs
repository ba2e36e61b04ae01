//! The Fone Dynamics API v2.

mod addresses;
mod available;
mod calls;
mod convert;
mod errors;
mod flows;
mod logins;
mod messages;
mod messages_dto;
mod numbers;
mod numbers_dto;
mod page;
mod properties;

use serde_json::json;
use tandem_catalogue::Dialect;

use crate::http::{
    Endpoint, Manner,
    manner::{Reading, basic},
    reply::JSON,
};

/// How this dialect reads and speaks.
#[must_use]
pub fn manner() -> Manner {
    Manner {
        dialect: Dialect::FoneDynamics,
        prefix: "/fonedynamics/v2",
        documented: "/v2",
        title: "Fone Dynamics API v2",
        credential: basic,
        refuse: errors::refuse,
        error_type: JSON,
        challenge: r#"Basic realm="Tandem", charset="UTF-8""#,
        strict: false,
        reading: Reading::AnyCase,
        lenient_bodies: true,
        security: || ("Basic", json!({ "type": "http", "scheme": "basic" })),
        error_schema: errors::schema,
        endpoints,
    }
}

fn endpoints() -> Vec<Endpoint> {
    let numbers = [addresses::endpoints(), available::endpoints(), numbers::endpoints()].concat();
    let others = [calls::endpoints(), flows::endpoints(), logins::endpoints(), messages::endpoints(), properties::endpoints()];
    [numbers, others.concat()].concat()
}
