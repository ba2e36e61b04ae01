//! Calls that the Audian API makes and leads: transfers, hold, hanging up, menus, and every refusal of theirs over the wire.

use serde_json::{Value, json};
use tandem_kernel::Environment::Test;
use tandem_testkit::{
    Client, Exchange, Talk, on_both,
    phone::{By, Means},
    until,
};

use super::calls::{BEYOND, CALLER, OURS, Scenery, TARGET, books, configure, kinds, record, scenery};

/// Another number that the trunk carries calls to.
const OTHER: &str = "+442079461002";

async fn act(client: &Client, call: &str, action: &str, body: Value) -> Value {
    client.post(&format!("/audian/v2/calls/{call}/{action}"), body).await.assert_status(200).body.clone()
}

/// The id of the only call that goes on.
async fn live(client: &Client) -> String {
    until("a call was answered", || async {
        let listed = client.get("/audian/v2/calls").await;
        let calls = listed.assert_status(200).body["calls"].as_array().expect("calls").clone();
        let found = calls.iter().find(|call| call["status"] == "answered")?;
        Some(found["call_id"].as_str().expect("an id").to_owned())
    })
    .await
}

/// Calls from `OURS` to `TARGET`, which is answered.
async fn called(scenery: &Scenery, body: Value) -> (Value, Talk) {
    let made = scenery.client.post("/audian/v2/calls", body).await;
    let made = made.assert_status(202).body.clone();
    let arriving = scenery.callee.incoming().await;
    assert_eq!((arriving.from().as_str(), arriving.to().as_str()), (OURS, TARGET));
    arriving.ring().await;
    (made, arriving.answer().await)
}

async fn nowhere(scenery: &Scenery) {
    configure(&scenery.client, json!({ "call_forwarding": { "enabled": false } })).await;
}

on_both! {
    async fn a_call_of_ours_leads_to_where_the_number_leads(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        configure(&scenery.client, json!({ "call_forwarding": { "enabled": true, "forward_to": OTHER } })).await;
        let body = json!({ "from": OURS, "to": TARGET, "timeout": 20, "max_duration": 600, "tags": { "campaign": "spring" },
                           "custom_fields": { "order": 4711 } });
        let (made, customer) = called(&scenery, body).await;
        assert_eq!((&made["from"], &made["to"], &made["status"], &made["timeout"], &made["max_duration"], &made["tags"], &made["custom_fields"]),
                   (&json!(OURS), &json!(TARGET), &json!("initiated"), &json!(20), &json!(600), &json!({ "campaign": "spring" }),
                    &json!({ "order": 4711 })), "{made}");
        let arriving = scenery.callee.incoming().await;
        assert_eq!((arriving.from().as_str(), arriving.to().as_str()), (OURS, OTHER), "the agent sees a number of the account's");
        arriving.ring().await;
        customer.hears_something().await; // the tone of a telephone that rings
        let agent = arriving.answer().await;
        customer.say(440);
        agent.say(1_000);
        agent.hears(440).await;
        customer.hears(1_000).await;
        agent.bye().await;
        assert_eq!(customer.ended().await.by, By::Them);
        let call = scenery.record().await;
        assert_eq!(kinds(&scenery.client, &call).await, ["call.initiated", "call.ringing", "call.answered", "call.completed"]);
        let read = scenery.client.get(&format!("/audian/v2/calls/{}", made["call_id"].as_str().expect("an id"))).await;
        let read = &read.assert_status(200).body;
        assert_eq!((&read["status"], &read["call_type"], &read["completion_reason"], &read["tags"]),
                   (&json!("completed"), &json!("outbound"), &json!("normal"), &json!({ "campaign": "spring" })), "{read}");
        let wallet = scenery.ada.wallet(Test).await;
        assert_eq!(wallet.held, 0);
        books(&exchange, &scenery.client).await;
    }

    async fn a_call_of_ours_that_leads_nowhere_waits_for_orders(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        nowhere(&scenery).await;
        let (made, customer) = called(&scenery, json!({ "from": OURS, "to": TARGET })).await;
        customer.hears_something().await; // music
        let id = made["call_id"].as_str().expect("an id");
        let moved = act(&scenery.client, id, "transfer", json!({ "destination": OTHER })).await;
        assert_eq!((&moved["status"], &moved["transfer_to"]), (&json!("transferred"), &json!(OTHER)), "{moved}");
        let agent = scenery.callee.incoming().await.answer().await;
        customer.say(440);
        agent.hears(440).await;
        let ended = act(&scenery.client, id, "hangup", json!({})).await;
        assert_eq!((&ended["call_id"], &ended["status"]), (&json!(id), &json!("completed")), "{ended}");
        assert_eq!((customer.ended().await.by, agent.ended().await.by), (By::Them, By::Them));
        scenery.record().await;
        for action in ["hangup", "hold", "unhold", "transfer", "record/start", "record/stop", "record/pause", "record/resume"] {
            let body = if action == "transfer" { json!({ "destination": OTHER }) } else { json!({}) };
            let refused = scenery.client.post(&format!("/audian/v2/calls/{id}/{action}"), body.clone()).await;
            assert_eq!((refused.status, &refused.body["error"]["code"]), (409, &json!("resource_conflict")), "{action}: {}", refused.body);
            let unknown = scenery.client.post(&format!("/audian/v2/calls/call_unknown/{action}"), body).await;
            assert_eq!((unknown.status, &unknown.body["error"]["code"]), (404, &json!("not_found_error")), "{action}");
        }
        books(&exchange, &scenery.client).await;
    }

    async fn both_hear_music_while_an_order_holds_them(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        let (here, there) = scenery.talk(&exchange).await;
        here.say(440);
        there.hears(440).await;
        let id = live(&scenery.client).await;
        let again = scenery.client.post(&format!("/audian/v2/calls/{id}/unhold"), json!({})).await;
        assert_eq!((again.status, &again.body["error"]["code"]), (409, &json!("resource_conflict")), "{}", again.body);
        let held = act(&scenery.client, &id, "hold", json!({})).await;
        assert_eq!((&held["call_id"], &held["status"]), (&json!(id), &json!("held")), "{held}");
        let read = scenery.client.get(&format!("/audian/v2/calls/{id}")).await;
        assert_eq!(read.body["status"], "held");
        let again = scenery.client.post(&format!("/audian/v2/calls/{id}/hold"), json!({})).await;
        assert_eq!((again.status, &again.body["error"]["code"]), (409, &json!("resource_conflict")), "{}", again.body);
        here.hush();
        here.hears_something().await;
        there.hears_something().await;
        let joined = act(&scenery.client, &id, "unhold", json!({})).await;
        assert_eq!(joined["status"], "answered", "{joined}");
        here.say(440);
        there.hears(440).await;
        here.bye().await;
        there.ended().await;
        scenery.record().await;
        books(&exchange, &scenery.client).await;
    }

    async fn a_call_that_a_device_took_was_at_the_accounts_number(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        let (device, _, desk) = exchange.device(&scenery.client, "desk", Some(OURS)).await;
        configure(&scenery.client, json!({ "call_forwarding": null, "ring": { "targets": [{ "device_id": device }] } })).await;
        let dial = json!({ "from": "+14155550199", "to": OURS });
        scenery.client.post("/v1/pocket/calls", dial).await.assert_status(202);
        let talk = desk.incoming().await.answer().await;
        let id = live(&scenery.client).await;
        let moved = act(&scenery.client, &id, "transfer", json!({ "destination": OTHER })).await;
        assert_eq!((&moved["transfer_from"], &moved["transfer_to"]), (&json!(OURS), &json!(OTHER)), "{moved}");
        talk.ended().await;
        scenery.callee.incoming().await.answer().await.bye().await;
        scenery.record().await;
    }

    async fn a_call_is_handed_on_blindly_or_after_a_word(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        let (here, there) = scenery.talk(&exchange).await;
        let id = live(&scenery.client).await;
        let moved = act(&scenery.client, &id, "transfer", json!({ "destination": OTHER })).await;
        assert_eq!((&moved["transfer_from"], &moved["transfer_to"]), (&json!(TARGET), &json!(OTHER)), "{moved}");
        assert_eq!(there.ended().await.by, By::Them);
        let second = scenery.callee.incoming().await.answer().await;
        here.say(440);
        second.hears(440).await;

        let asked = json!({ "destination": TARGET, "transfer_type": "attended" });
        act(&scenery.client, &id, "transfer", asked).await;
        let third = scenery.callee.incoming().await.answer().await;
        second.say(1_000);
        third.hears(1_000).await;
        here.hush();
        here.hears_something().await; // music meanwhile
        second.bye().await;
        here.say(440);
        third.hears(440).await;
        third.bye().await;
        assert_eq!(here.ended().await.by, By::Them);
        let call = scenery.record().await;
        assert_eq!(call["end"]["reason"], "normal", "{call}");
        assert_eq!(scenery.ada.wallet(Test).await.held, 0);
        books(&exchange, &scenery.client).await;
    }

    async fn who_is_asked_before_a_transfer_may_decline(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        let (here, there) = scenery.talk(&exchange).await;
        let id = live(&scenery.client).await;
        act(&scenery.client, &id, "transfer", json!({ "destination": OTHER, "transfer_type": "attended" })).await;
        scenery.callee.incoming().await.refuse(486).await;
        here.say(440);
        there.hears(440).await;
        here.bye().await;
        there.ended().await;
        scenery.record().await;
    }

    async fn a_telephone_hands_its_call_on(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        let (here, there) = scenery.talk(&exchange).await;
        assert_eq!(there.refer(&format!("sip:{OTHER}@{}", exchange.sip())).await, Ok(202));
        let third = scenery.callee.incoming().await.answer().await;
        assert_eq!(there.transferred().await, 200);
        here.say(440);
        third.hears(440).await;
        here.bye().await;
        assert_eq!(third.ended().await.by, By::Them);
        let call = scenery.record().await;
        assert_eq!(call["end"]["reason"], "normal", "{call}");
        books(&exchange, &scenery.client).await;
    }

    async fn a_menu_is_answered_with_keys_of_all_kinds(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        let client = &scenery.client;
        let option = |digit: &str, number: &str| json!({ "digit": digit, "destination": number, "destination_type": "phone_number" });
        let menu = json!({ "name": "Main", "prompt": "Press one or two.", "options": [option("1", TARGET), option("2", OTHER)],
                           "timeout_seconds": 2, "max_attempts": 2 });
        let menu = client.post("/audian/v2/ivr-menus", menu).await.assert_status(201).body.clone();
        let rule = json!({ "pattern": "*", "destination": menu["menu_id"], "destination_type": "ivr_menu" });
        let flow = client.post("/audian/v2/call-flows", json!({ "name": "Office", "routing": [rule] })).await;
        let flow = flow.assert_status(201).body.clone();
        configure(client, json!({ "call_forwarding": { "enabled": false }, "call_flow_id": flow["call_flow_id"] })).await;
        for (keys, means, number) in [("1", Means::Event, TARGET), ("2", Means::Tone, OTHER), ("92", Means::Info, OTHER)] {
            let calling = scenery.caller.call(exchange.sip(), CALLER, OURS).await;
            let here = calling.answered().await;
            here.hears_something().await;
            here.press(keys, means).await;
            let arriving = scenery.callee.incoming().await;
            assert_eq!((arriving.from().as_str(), arriving.to().as_str()), (CALLER, number));
            let there = arriving.answer().await;
            here.say(440);
            there.hears(440).await;
            here.bye().await;
            there.ended().await;
        }
        record(client, 3).await;
        let here = scenery.caller.call(exchange.sip(), CALLER, OURS).await.answered().await;
        assert_eq!(here.ended().await.by, By::Them, "who presses nothing is hung up");
        record(client, 4).await;
        books(&exchange, client).await;
    }

    async fn what_a_call_carries_along_is_bounded(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        nowhere(&scenery).await;
        let many: serde_json::Map<String, Value> = (0..51).map(|n| (format!("m{n}"), json!(1))).collect();
        for (member, value) in [("timeout", json!(1)), ("max_duration", json!(0)), ("tags", json!(many)), ("custom_fields", json!({ "x": "y".repeat(9_000) }))] {
            let refused = scenery.client.post("/audian/v2/calls", json!({ "from": OURS, "to": TARGET, member: value })).await;
            assert_eq!((refused.status, &refused.body["error"]["code"], &refused.body["error"]["param"]),
                       (400, &json!("invalid_parameter"), &json!(member)), "{}", refused.body);
        }
        assert!(scenery.callee.next_within(std::time::Duration::from_millis(1)).await.is_none(), "nobody was called");
    }

    async fn the_same_request_calls_once(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        nowhere(&scenery).await;
        let once = scenery.client.idempotency("call-1");
        let body = json!({ "from": OURS, "to": TARGET });
        let first = once.post("/audian/v2/calls", body.clone()).await;
        let again = once.post("/audian/v2/calls", body).await;
        assert_eq!((first.status, &first.body), (again.status, &again.body));
        let there = scenery.callee.incoming().await.answer().await;
        assert!(scenery.callee.next_within(std::time::Duration::from_millis(200)).await.is_none());
        there.bye().await;
        scenery.record().await;
    }
}

/// That the numbers here are those of the trunk.
#[test]
fn the_other_number_is_carried_too() {
    assert!(OTHER[1..].starts_with(BEYOND) && TARGET[1..].starts_with(BEYOND));
}
