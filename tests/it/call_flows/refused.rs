//! What making and changing refuse alike, and what only making does.

use serde_json::{Value, json};
use tandem_domain::flow::{CallFlow, Choice, Destination, IvrMenu, Pattern, Rule};
use tandem_kernel::{FlowId, MenuId, OsRng};
use tandem_store::repo::{call_flows, ivr_menus};
use tandem_testkit::{Answer, Client, DAWN as NOW, Server, on_both};

use super::{FLOWS, MENUS, all_to, flow, menu};
use crate::numbers::{LIST, buy};

const OURS: &str = "+14155550100";
/// Comes by a port that stays open.
const PORTING: &str = "+16282010100";

/// The code of a refusal of making something, and of the same change of something.
async fn codes(client: &Client, path: &str, id: &str, base: &Value, change: Value) -> [String; 2] {
    let mut body = base.clone();
    body.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
    let code = |answer: Answer| format!("{} {}", answer.status, answer.body["error"]["code"].as_str().unwrap_or(""));
    [code(client.post(path, body).await), code(client.put(&format!("{path}/{id}"), change).await)]
}

/// A row of flows, each leading to the next; the first of them.
async fn row(client: &Client, length: usize) -> String {
    let mut to = flow(client, "Last", json!([all_to("voicemail", "")])).await;
    for place in 1..length {
        to = flow(client, &format!("Flow {place}"), json!([all_to("call_flow", &to)])).await;
    }
    to
}

on_both! {
    async fn a_flow_is_refused_when_it_is_made_and_when_it_is_changed(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test();
        ada.unlimited(tandem_kernel::Environment::Test).await;
        buy(&client, OURS).await;
        client.post("/audian/v2/ports", crate::probe::values::port_of(PORTING)).await.assert_status(202);
        let id = flow(&client, "Main", json!([all_to("voicemail", "")])).await;
        let other = flow(&client, "Other", json!([all_to("voicemail", "")])).await;
        client.put(&format!("{LIST}/{OURS}/config"), json!({ "call_flow_id": other })).await.assert_status(200);
        let long = row(&client, 11).await;
        let base = json!({ "name": "x", "routing": [all_to("voicemail", "")] });
        let routing = |rule: Value| json!({ "routing": [rule] });
        for (change, code) in [
            (json!({ "phone_number": "12" }), "400 invalid_phone_number"),
            (json!({ "phone_number": "+10005551234" }), "400 invalid_phone_number"),
            (routing(json!({ "pattern": "*", "destination_type": "hangup", "conditions": { "hour": 1 } })), "400 invalid_parameter"),
            (routing(all_to("ivr_menu", "menu_1")), "422 invalid_routing_configuration"),
            (routing(all_to("phone_number", "12")), "422 invalid_routing_configuration"),
            (routing(all_to("phone_number", "+882161234567")), "422 invalid_routing_configuration"),
            (routing(all_to("call_flow", &long)), "422 invalid_routing_configuration"),
            (routing(all_to("hangup", "x")), "422 invalid_routing_configuration"),
            (json!({ "phone_number": OURS }), "409 already_exists"),
            (json!({ "phone_number": PORTING }), "409 resource_conflict"),
        ] {
            assert_eq!(codes(&client, FLOWS, &id, &base, change.clone()).await, [code, code], "{change}");
        }
        let missing = client.put(&format!("{FLOWS}/cf_abc123"), json!({})).await;
        missing.assert_audian_error(404, "not_found_error", "not_found_error", "The flow 'cf_abc123' was not found", None);
    }

    async fn a_menu_is_refused_when_it_is_made_and_when_it_is_changed(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test();
        ada.unlimited(tandem_kernel::Environment::Test).await;
        let id = menu(&client, "Main", json!({ "digit": "1", "destination_type": "voicemail" })).await;
        let long = row(&client, 11).await;
        let base = json!({ "name": "x", "prompt": "x", "options": [{ "digit": "1", "destination_type": "voicemail" }] });
        let option = |kind: &str, destination: &str| json!({ "options": [{ "digit": "1", "destination": destination, "destination_type": kind }] });
        for (change, code) in [
            (option("call_flow", "cf_1"), "422 invalid_routing_configuration"),
            (option("phone_number", "12"), "422 invalid_routing_configuration"),
            (option("phone_number", "+882161234567"), "422 invalid_routing_configuration"),
            (json!({ "fallback": { "destination": long, "destination_type": "call_flow" } }), "422 invalid_routing_configuration"),
            (option("voicemail", "x"), "422 invalid_routing_configuration"),
        ] {
            assert_eq!(codes(&client, MENUS, &id, &base, change.clone()).await, [code, code], "{change}");
        }
        let missing = client.put(&format!("{MENUS}/menu_abc123"), json!({})).await;
        missing.assert_audian_error(404, "not_found_error", "not_found_error", "The IVR menu 'menu_abc123' was not found", None);
    }

    async fn an_environment_takes_a_thousand_of_each(server: Server) {
        let ada = server.account("Ada").await;
        let environment = ada.test.environment;
        let app = server.app();
        let filled = app.store.write(move |tx| {
            for _ in 0..1000 {
                let rule = Rule { pattern: Pattern::parse("*").expect("a pattern"), to: Destination::Hangup, conditions: Default::default() };
                call_flows::insert(tx, &CallFlow {
                    id: FlowId::new(NOW, &OsRng), environment, name: "x".to_owned(), description: String::new(), phone: None, active: true,
                    routing: vec![rule], created_at: NOW, updated_at: NOW, version: 1,
                })?;
                ivr_menus::insert(tx, &IvrMenu {
                    id: MenuId::new(NOW, &OsRng), environment, name: "x".to_owned(), prompt: "x".to_owned(),
                    options: vec![Choice { digit: "1".to_owned(), to: Destination::Hangup }], language: "en".to_owned(), voice: "male".to_owned(),
                    max_digits: 1, timeout_seconds: 5, max_attempts: 3, fallback: Destination::Hangup, created_at: NOW, updated_at: NOW, version: 1,
                })?;
            }
            Ok(())
        });
        filled.await.expect("filled");
        let refused = ada.test().post(FLOWS, json!({ "name": "x", "routing": [all_to("hangup", "")] })).await;
        let message = "An environment takes at most 1000 call flows";
        refused.assert_audian_error(403, "operation_not_allowed", "forbidden_error", message, None);
        let refused = ada.test().post(MENUS, json!({ "name": "x", "prompt": "x", "options": [{ "digit": "1", "destination_type": "hangup" }] })).await;
        let message = "An environment takes at most 1000 IVR menus";
        refused.assert_audian_error(403, "operation_not_allowed", "forbidden_error", message, None);
    }
}
