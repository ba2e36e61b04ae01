//! What stands against calls that an account has us make, and against leading them elsewhere: each refusal comes from its real cause.

use http::Method;
use serde_json::{Value, json};
use tandem_kernel::Environment::Live;
use tandem_testkit::{Client, Exchange, Persona, Phone, Talk, on_both, until};

use super::calls::TARGET;
use crate::{gate::say, numbers::buy};

const CALLS: &str = "/audian/v2/calls";
const TRIGGER: &str = "/telephony/api/voice/trigger-call";
const OURS: &str = "+14155550100";
/// The beginning of the numbers that the trunk carries calls to.
const BRITAIN: &str = "44";
const JAMAICA: &str = "+18765550100";

/// A live environment with a number and a trunk to a telephone.
struct Scene {
    ada: Persona,
    client: Client,
    operator: Client,
    callee: Phone,
    trunk: String,
    policy: String,
}

async fn scene(exchange: &Exchange) -> Scene {
    let ada = exchange.account("Ada").await;
    let (client, callee) = (ada.live(), Phone::listen().await);
    buy(&client, OURS).await;
    let address = callee.address();
    let trunk = json!({ "name": "all", "host": address.ip(), "port": address.port(), "direction": "outbound", "ping_seconds": null,
                        "routes": [{ "prefix": BRITAIN }, { "prefix": "1876" }] });
    let trunk = exchange.add_trunk(trunk).await;
    let policy = format!("/v1/accounts/{}/environments/live/calling-policy", ada.account);
    Scene { client, operator: exchange.operator(), callee, trunk, policy, ada }
}

impl Scene {
    async fn trunk(&self, state: &str) {
        self.operator.patch(&format!("/v1/trunks/{}", self.trunk), json!({ "state": state })).await.assert_status(200);
    }

    async fn policy(&self, change: Value) {
        self.operator.patch(&self.policy, change).await.assert_status(200);
    }

    /// A call that was taken, and waits for orders.
    async fn waiting(&self) -> (String, Talk) {
        let made = self.client.post(CALLS, json!({ "from": OURS, "to": TARGET })).await;
        let id = made.assert_status(202).body["call_id"].as_str().expect("an id").to_owned();
        let talk = self.callee.incoming().await.answer().await;
        let path = format!("{CALLS}/{id}");
        until("it is answered", || async { (self.client.get(&path).await.body["status"] == "answered").then_some(()) }).await;
        (path, talk)
    }
}

/// The requests that make a call to a number, in each dialect.
fn requests(number: &str) -> [(Method, String, Value); 2] {
    [
        (Method::POST, CALLS.to_owned(), json!({ "from": OURS, "to": number })),
        (Method::POST, TRIGGER.to_owned(), json!({ "agentPhone": number, "leadPhone": TARGET, "leadName": "Ada" })),
    ]
}

async fn refuses(client: &Client, number: &str, code: &'static str) {
    for (method, path, body) in requests(number) {
        say(client, &[(method, path, body, code)]).await;
    }
}

on_both! {
    async fn nobody_is_called_against_a_rule(exchange: Exchange) {
        let scene = scene(&exchange).await;
        let (client, post) = (&scene.client, Method::POST);
        for (wrong, code) in [("12", "invalid_phone_number"), ("+10005551234", "unassigned_phone_number")] {
            refuses(client, wrong, code).await;
        }
        refuses(client, "+819012345678", "no_route").await;
        refuses(client, JAMAICA, "call_country_not_allowed").await;
        scene.trunk("drained").await;
        refuses(client, TARGET, "trunks_unavailable").await;
        scene.trunk("active").await;
        let stranger = json!({ "from": TARGET, "to": TARGET });
        let led = |kind: &str, to: &str| {
            json!({ "from": OURS, "to": TARGET, "call_control": { "destination_type": kind, "destination": to } })
        };
        say(client, &[
            (post.clone(), CALLS.into(), stranger, "caller_id_not_allowed"),
            (post.clone(), CALLS.into(), led("ivr_menu", "menu_unknown"), "routing_target_missing"),
            (post.clone(), CALLS.into(), led("voicemail", "menu_unknown"), "invalid_routing"),
            (post.clone(), CALLS.into(), led("phone_number", "0207"), "forward_target_invalid"),
            (post.clone(), CALLS.into(), led("phone_number", OURS), "call_loop"),
        ]).await;
        let device = client.post("/v1/devices", json!({ "label": "Desk" })).await;
        let ring = json!({ "ring": { "strategy": "in_turn", "targets": [{ "device_id": device.assert_status(201).body["id"] }] } });
        client.put(&format!("/audian/v2/numbers/{OURS}/config"), ring).await.assert_status(200);
        say(client, &[(post, CALLS.into(), json!({ "from": OURS, "to": TARGET }), "callee_unreachable")]).await;
        client.put(&format!("/audian/v2/numbers/{OURS}/config"), json!({ "ring": null })).await.assert_status(200);
        scene.policy(json!({ "most_per_minute": 0.001 })).await;
        refuses(client, TARGET, "call_too_dear").await;
        scene.policy(json!({ "most_per_minute": 1, "most_concurrent": 0 })).await;
        refuses(client, TARGET, "call_limit_reached").await;
        scene.policy(json!({ "most_concurrent": 5 })).await;
        let limit = json!({ "amount": 1, "action": "block" });
        client.put("/audian/v2/billing/limits/monthly", limit).await.assert_status(200);
        refuses(client, TARGET, "spending_limit_reached").await;
        client.put("/audian/v2/billing/limits/monthly", json!({ "amount": 1000, "action": "block" })).await.assert_status(200);
        scene.ada.purse(Live, 0).await;
        refuses(client, TARGET, "insufficient_funds").await;
        assert_eq!(client.get(CALLS).await.assert_status(200).body["calls"], json!([]));
        let bert = exchange.account("Bert").await.live();
        let (method, path, body) = requests(TARGET)[1].clone();
        say(&bert, &[(method, path, body, "operation_not_allowed")]).await;
    }

    async fn no_call_is_led_against_a_rule(exchange: Exchange) {
        let scene = scene(&exchange).await;
        let (path, talk) = scene.waiting().await;
        let (client, transfer) = (&scene.client, format!("{path}/transfer"));
        let refuses = |body: Value, code: &'static str| {
            let (client, transfer) = (client.clone(), transfer.clone());
            async move { say(&client, &[(Method::POST, transfer, body, code)]).await }
        };
        let to = |number: &str| json!({ "destination": number });
        refuses(to("12"), "invalid_phone_number").await;
        refuses(to("+10005551234"), "unassigned_phone_number").await;
        refuses(json!({ "destination": TARGET, "caller_id": TARGET }), "caller_id_not_allowed").await;
        refuses(to("+819012345678"), "no_route").await;
        refuses(to(JAMAICA), "call_country_not_allowed").await;
        refuses(to(OURS), "call_loop").await;
        scene.trunk("drained").await;
        refuses(to(TARGET), "trunks_unavailable").await;
        scene.trunk("active").await;
        scene.policy(json!({ "most_per_minute": 0.001 })).await;
        refuses(to(TARGET), "call_too_dear").await;
        let held = (Method::POST, format!("{path}/hold"), json!({}), "invalid_transition"); // there is nobody else
        let unheld = (Method::POST, format!("{path}/unhold"), json!({}), "invalid_transition");
        let recorded = ["stop", "pause", "resume"].map(|order| (Method::POST, format!("{path}/record/{order}"), json!({}), "invalid_transition"));
        say(client, &[held, unheld]).await;
        say(client, &recorded).await;
        talk.bye().await;
        until("it is over", || async { (client.get(&path).await.body["status"] == "completed").then_some(()) }).await;
        let late = ["hold", "unhold", "hangup", "record/start"].map(|order| (Method::POST, format!("{path}/{order}"), json!({}), "call_over"));
        say(client, &late).await;
        refuses(to(TARGET), "call_over").await;
        let none = ["transfer", "hold", "unhold", "hangup"].map(|order| {
            let body = if order == "transfer" { to(TARGET) } else { json!({}) };
            (Method::POST, format!("{CALLS}/call_abc/{order}"), body, "call_not_found")
        });
        say(client, &none).await;
        say(client, &[(Method::GET, "/telephony/api/voice/calls/call_abc".into(), Value::Null, "call_not_found")]).await;
    }

    async fn a_call_that_rings_is_only_ended(exchange: Exchange) {
        let scene = scene(&exchange).await;
        let made = scene.client.post(CALLS, json!({ "from": OURS, "to": TARGET })).await;
        let path = format!("{CALLS}/{}", made.assert_status(202).body["call_id"].as_str().expect("an id"));
        let arriving = scene.callee.incoming().await;
        let early = ["hold", "unhold", "record/start"].map(|order| (Method::POST, format!("{path}/{order}"), json!({}), "invalid_transition"));
        say(&scene.client, &early).await;
        say(&scene.client, &[(Method::POST, format!("{path}/transfer"), json!({ "destination": TARGET }), "invalid_transition")]).await;
        scene.client.post(&format!("{path}/hangup"), json!({})).await.assert_status(200);
        arriving.cancelled().await;
        let read = || async { Some(scene.client.get(&path).await.body.clone()).filter(|call| call["status"] == "failed") };
        assert_eq!(until("it is over", read).await["completion_reason"], "canceled");
    }
}
