//! Codes that are said in calls.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use http::Method;
use serde_json::{Value, json};
use tandem_app::calls::{self, MadeCall, Obeyed, Order, Switchboard};
use tandem_domain::verification::Locale;
use tandem_kernel::{CallId, Environment::Test};
use tandem_testkit::{Client, Exchange, Persona, Phone, Server, on_both, phone::By, until};

use super::verify::{SEND, check};
use crate::{
    gate::say,
    numbers::buy,
    voice::calls::{BEYOND, OURS, TARGET, books, kinds, record},
};

const HANDSETS: [(&str, &str); 3] = [("en", "+14155550197"), ("es", "+14155550198"), ("fr", "+14155550199")];

async fn spoken(client: &Client, phone: &str, more: Value) -> Value {
    let mut body = json!({ "phone_number": phone, "channel": "voice", "brand": "Acme" });
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    client.post(SEND, body).await.assert_status(200).body.clone()
}

/// What a handset's last call was like, once it is over.
async fn handset(client: &Client, phone: &str) -> Value {
    let path = format!("/v1/pocket/calls?number={}", phone.replace('+', "%2B"));
    let over = until("the handset's call is over", || async {
        let listed = client.get(&path).await;
        let last = listed.assert_status(200).body["data"].as_array().expect("calls").last().cloned().unwrap_or_default();
        (last["state"] == "ended").then_some(last)
    });
    tokio::time::timeout(Duration::from_secs(58), over).await.expect("a code is said within a minute")
}

async fn magic(client: &Client, name: &str) -> String {
    let listed = client.get("/v1/magic-numbers").await;
    let all = listed.assert_status(200).body["data"].as_array().expect("scenarios").clone();
    let found = all.iter().find(|scenario| scenario["name"] == name).unwrap_or_else(|| panic!("{name} is no scenario"));
    found["numbers"][0].as_str().expect("a number").to_owned()
}

async fn events(client: &Client, id: &Value) -> Vec<Value> {
    let found = client.get(&format!("/v1/events/{}", id.as_str().expect("an id"))).await;
    found.assert_status(200).body["data"].as_array().expect("events").clone()
}

async fn undelivered(client: &Client, id: &Value, times: usize) -> Value {
    until("it is told that nobody heard the code", || async {
        let found = events(client, id).await;
        let mut told: Vec<Value> = found.into_iter().filter(|event| event["kind"] == "verify.undelivered").collect();
        (told.len() >= times).then(|| told.pop().expect("one"))
    })
    .await
}

/// Somebody who takes calls to be carried and dies.
struct Dead;

#[async_trait]
impl Switchboard for Dead {
    async fn carry(&self, _: MadeCall) {}

    async fn speaks(&self, locale: Locale) -> bool {
        locale == Locale::En
    }

    async fn order(&self, _: CallId, _: Order) -> tandem_catalogue::Result<Obeyed> {
        Ok(Obeyed::Done)
    }
}

async fn ada(exchange: &Exchange) -> (Persona, Client) {
    let ada = exchange.account("Ada").await;
    ada.unlimited(Test).await;
    let client = ada.test();
    (ada, client)
}

on_both! {
    async fn a_code_is_said_digit_by_digit_in_each_language(exchange: Exchange) {
        let (ada, client) = ada(&exchange).await;
        let before = ada.wallet(Test).await.available;
        let mut sent = Vec::new();
        for (locale, phone) in HANDSETS {
            let again = client.idempotency(locale);
            let answer = spoken(&again, phone, json!({ "locale": locale, "code_length": 5 })).await;
            assert_eq!(answer, json!({
                "success": true, "verification_id": answer["verification_id"], "phone_number": phone, "channel": "voice", "status": "pending",
                "expires_at": answer["expires_at"], "creditsUsed": 0.05,
            }));
            assert_eq!(spoken(&again, phone, json!({ "locale": locale, "code_length": 5 })).await, answer, "asked for again");
            sent.push(answer["verification_id"].clone());
        }
        for ((_, phone), id) in HANDSETS.into_iter().zip(&sent) {
            let heard = handset(&client, phone).await;
            let said: Vec<&str> = heard["spoken"].as_str().expect("digits").split(' ').collect();
            // A machine that is too busy loses some of what is said; that is why it is said twice.
            let whole: Vec<&str> = said.into_iter().filter(|code| code.len() == 5).collect();
            assert!(!whole.is_empty() && whole.iter().all(|code| *code == whole[0]), "the same twice: {heard}");
            assert_eq!((&heard["ended_by"], &heard["from"]), (&json!("platform"), &json!("anonymous")), "{heard}");
            let approved = check(&client, phone, whole[0]).await;
            assert_eq!((&approved.assert_status(200).body["valid"], &approved.body["verification_id"]), (&json!(true), id));
            let kinds: Vec<Value> = events(&client, id).await.iter().map(|event| event["kind"].clone()).collect();
            assert_eq!(kinds, ["verify.sent", "verify.checked"]);
        }
        let calls = record(&client, 3).await;
        assert_eq!(calls.len(), 3, "one call for each");
        let (last, id) = (&calls[0], sent[2].as_str().expect("an id"));
        assert_eq!((&last["status"], &last["end"]["reason"], &last["cost"], &last["initiated_by"], &last["tags"]),
                   (&json!("completed"), &json!("normal"), &json!(0.05), &json!("verification"), &json!({ "verification_id": id })), "{last}");
        assert_eq!(kinds(&client, last).await, ["call.initiated", "call.ringing", "call.answered", "call.completed"]);
        let detail = client.get(&format!("/v1/verifications/{id}")).await.assert_status(200).body.clone();
        assert_eq!((&detail["verification"]["channel"], &detail["messages"][0]["call_id"], &detail["messages"][0]["message_id"]),
                   (&json!("voice"), &last["id"], &Value::Null));
        let why = client.get(&format!("/v1/verifications/{id}/explain")).await;
        let why = why.assert_status(200).body["data"].as_array().expect("decisions").clone();
        assert!(why.iter().any(|one| one["outcome"] == "the code was heard"), "{why:?}");
        let after = ada.wallet(Test).await;
        assert_eq!((before - after.available, after.held), (150_000, 0));
        books(&exchange, &client).await;
    }

    async fn a_code_that_nobody_hears_is_told_of_and_can_be_sent_again(exchange: Exchange) {
        let (ada, client) = ada(&exchange).await;
        let (busy, hasty) = (magic(&client, "call_busy").await, magic(&client, "call_hangs_up").await);
        let before = ada.wallet(Test).await.available;
        let sent = spoken(&client, &busy, json!({})).await;
        let id = &sent["verification_id"];
        let told = undelivered(&client, id, 1).await;
        assert_eq!((&told["data"]["error_code"], &told["data"]["channel"], &told["data"]["status"]),
                   (&json!("callee_busy"), &json!("voice"), &json!("pending")), "{told}");
        record(&client, 1).await;
        assert_eq!(ada.wallet(Test).await.available, before, "nobody answered");
        client.post(SEND, json!({ "phone_number": busy, "channel": "voice" })).await.assert_status(429);
        client.post("/v1/clock/advance", json!({ "by": "PT31S" })).await.assert_status(200);
        assert_eq!(&spoken(&client, &busy, json!({})).await["verification_id"], id);
        undelivered(&client, id, 2).await;
        client.post("/v1/clock/advance", json!({ "by": "PT31S" })).await.assert_status(200);
        let texted = client.post(SEND, json!({ "phone_number": busy })).await;
        assert_eq!((&texted.assert_status(200).body["verification_id"], &texted.body["channel"]), (id, &json!("sms")));
        let detail = client.get(&format!("/v1/verifications/{}", id.as_str().expect("an id"))).await.assert_status(200).body.clone();
        let ways: Vec<bool> = detail["messages"].as_array().expect("sendings").iter().map(|one| one["call_id"].is_string()).collect();
        assert_eq!(ways, [true, true, false]);
        let left = spoken(&client, &hasty, json!({})).await;
        let told = undelivered(&client, &left["verification_id"], 1).await;
        assert_eq!(told["data"]["error_code"], "normal", "somebody answered and hung up before the code was said: {told}");
        record(&client, 3).await;
        let spent = before - ada.wallet(Test).await.available;
        assert!(spent >= 50_000, "a call that was answered is paid: {spent}");
    }

    async fn a_telephone_behind_a_trunk_hears_it_too_and_the_call_takes_no_orders(exchange: Exchange) {
        let (_ada, client) = ada(&exchange).await;
        let callee = Phone::listen().await;
        exchange.trunk(&callee, BEYOND).await;
        buy(&client, OURS).await;
        spoken(&client, TARGET, json!({})).await;
        let arriving = callee.incoming().await;
        assert_eq!(arriving.from(), OURS, "a number of the account's is shown");
        assert_eq!(arriving.header("Tandem-Dictates"), None, "nothing is told outside");
        let there = arriving.answer().await;
        there.hears_something().await;
        let id = client.get("/v1/calls?limit=1").await.assert_status(200).body["data"][0]["id"].as_str().expect("an id").to_owned();
        let path = format!("/audian/v2/calls/{id}");
        say(&client, &[
            (Method::POST, format!("{path}/transfer"), json!({ "destination": TARGET }), "invalid_transition"),
            (Method::POST, format!("{path}/record/start"), json!({}), "invalid_transition"),
        ]).await;
        assert_eq!(there.ended().await.by, By::Them, "after the code was said twice");
        let call = record(&client, 1).await.remove(0);
        assert_eq!((&call["end"]["reason"], &call["disposition"]), (&json!("normal"), &json!("ivr")));
    }

    async fn no_code_is_said_against_a_rule(exchange: Exchange) {
        let ada = exchange.account("Ada").await;
        let (client, callee, operator) = (ada.live(), Phone::listen().await, exchange.operator());
        let address = callee.address();
        let trunk = json!({ "name": "all", "host": address.ip(), "port": address.port(), "direction": "outbound", "ping_seconds": null,
                            "routes": [{ "prefix": "44" }] });
        let trunk = format!("/v1/trunks/{}", exchange.add_trunk(trunk).await);
        let policy = format!("/v1/accounts/{}/environments/live/calling-policy", ada.account);
        let refuses = |phone: &'static str, code: &'static str| {
            let client = client.clone();
            async move { say(&client, &[(Method::POST, SEND.to_owned(), json!({ "phone_number": phone, "channel": "voice" }), code)]).await }
        };
        refuses("+819012345678", "no_route").await;
        refuses("+448001111111", "verification_not_mobile").await;
        operator.patch(&trunk, json!({ "state": "drained" })).await.assert_status(200);
        refuses(TARGET, "trunks_unavailable").await;
        operator.patch(&trunk, json!({ "state": "active" })).await.assert_status(200);
        for (change, code) in [
            (json!({ "countries": ["US"] }), "call_country_not_allowed"),
            (json!({ "countries": ["GB"], "most_per_minute": 0.001 }), "call_too_dear"),
            (json!({ "most_per_minute": 1, "most_concurrent": 0 }), "call_limit_reached"),
        ] {
            operator.patch(&policy, change).await.assert_status(200);
            refuses(TARGET, code).await;
        }
        operator.patch(&policy, json!({ "most_concurrent": 5 })).await.assert_status(200);
        ada.purse(tandem_kernel::Environment::Live, 49_999).await;
        refuses(TARGET, "insufficient_funds").await;
        assert_eq!(client.get("/v1/calls").await.assert_status(200).body["data"], json!([]));
        assert_eq!(client.get("/v1/verifications").await.assert_status(200).body["data"], json!([]), "nothing of it was kept");
    }

    async fn whoever_was_to_say_it_dies(server: Server) {
        let ada = server.account("Ada").await;
        let (client, app) = (ada.test(), server.app());
        assert!(app.switchboard.set(Arc::new(Dead)).is_ok());
        calls::pulse(&app).await.expect("said");
        let silent = client.post(SEND, json!({ "phone_number": HANDSETS[0].1, "channel": "voice", "locale": "fr" })).await;
        assert_eq!(silent.header("x-tandem-error"), Some("verification_channel_unavailable"));
        let before = ada.wallet(Test).await;
        let sent = spoken(&client, HANDSETS[0].1, json!({})).await;
        let wallet = ada.wallet(Test).await;
        assert_eq!((before.available - wallet.available, wallet.held), (50_000, 50_000), "set aside");
        server.pass_seconds(60);
        assert_eq!(calls::reconcile(&app).await.expect("looked"), 1);
        let told = undelivered(&client, &sent["verification_id"], 1).await;
        assert_eq!(told["data"]["error_code"], "call_failed");
        let wallet = ada.wallet(Test).await;
        assert_eq!((wallet.available, wallet.held), (before.available, 0), "and given back");
        assert_eq!(calls::reconcile(&app).await.expect("looked"), 0);
        server.run_due().await;
    }
}
