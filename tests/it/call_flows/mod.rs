//! Call flows and menus of the Audian dialect: what becomes of calls.

mod flows;
mod menus;
mod numbers;
mod refused;

use serde_json::{Value, json};
use tandem_testkit::{Answer, Client};

pub const FLOWS: &str = "/audian/v2/call-flows";
pub const MENUS: &str = "/audian/v2/ivr-menus";
pub const DAWN: &str = "2024-01-01T00:00:00Z";

/// Makes a flow with these rules and answers its id.
pub async fn flow(client: &Client, name: &str, routing: Value) -> String {
    let made = client.post(FLOWS, json!({ "name": name, "routing": routing })).await;
    made.assert_status(201).body["call_flow_id"].as_str().expect("an id").to_owned()
}

/// Makes a menu with one choice and answers its id.
pub async fn menu(client: &Client, name: &str, option: Value) -> String {
    let made = client.post(MENUS, json!({ "name": name, "prompt": "Press 1.", "options": [option] })).await;
    made.assert_status(201).body["menu_id"].as_str().expect("an id").to_owned()
}

/// A rule for everybody.
pub fn all_to(kind: &str, destination: &str) -> Value {
    json!({ "pattern": "*", "destination": destination, "destination_type": kind })
}

/// Checks that something was refused as routing that cannot work.
#[track_caller]
pub fn assert_unroutable(answer: &Answer, message: &str, param: &str) {
    answer.assert_audian_error(422, "invalid_routing_configuration", "validation_error", message, Some(param));
}
