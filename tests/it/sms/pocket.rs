//! The pocket network: every magic recipient, handsets, faults.

use serde_json::json;
use tandem_kernel::{
    Environment::{Live, Test},
    Scope,
};
use tandem_testkit::{Client, Persona, Server, on_both, until};

use super::{reaches, send};
use crate::numbers::buy;

const OURS: &str = "+15035550100";
const HANDSET: &str = "+14155550777";

async fn sender(server: &Server) -> (Persona, Client) {
    let ada = server.account("Ada").await;
    ada.unlimited(Test).await;
    let client = ada.test();
    buy(&client, OURS).await;
    (ada, client)
}

async fn texts(client: &Client, number: &str) -> Vec<(String, String, i64)> {
    let path = format!("/v1/pocket/messages?to={}", number.replace('+', "%2B"));
    let found = client.get(&path).await;
    let list = found.assert_status(200).body["data"].as_array().expect("a list").clone();
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    list.iter().map(|one| (text(&one["from"]), text(&one["text"]), one["segments"].as_i64().expect("a number"))).collect()
}

on_both! {
    async fn every_magic_recipient_does_what_is_said_of_it(server: Server) {
        let (ada, client) = sender(&server).await;
        let listed = server.client().get("/v1/magic-numbers").await;
        let listed = listed.assert_status(200).body["data"].as_array().expect("a list").clone();
        let mut sent = Vec::new();
        for scenario in listed.iter().filter(|scenario| scenario["purpose"] == "message") {
            let name = scenario["name"].as_str().expect("a name").to_owned();
            let to = scenario["numbers"][3].as_str().expect("a number").to_owned();
            sent.push((name, send(&client, OURS, &to, "A magic text").await));
        }
        assert_eq!(sent.len(), 23);
        for (name, id) in &sent {
            let state = match name.as_str() {
                "message_undeliverable" | "message_rejected" | "message_deleted" => "undelivered",
                "message_expired" => "expired",
                "message_refused" => "failed",
                "message_unknown" | "message_silent" | "message_delayed" => "sent",
                _ => "delivered",
            };
            reaches(&client, id, state).await;
        }
        let of = |wanted: &str| sent.iter().find(|(name, _)| name == wanted).map(|(_, id)| id.clone()).expect("sent");
        ada.advance(3_601).await;
        reaches(&client, &of("message_delayed"), "delivered").await;
        ada.advance(4 * 86_400).await;
        for name in ["message_unknown", "message_silent"] {
            reaches(&client, &of(name), "expired").await;
        }
        // Each has exactly one event that ends it.
        for (name, id) in &sent {
            let events = client.get(&format!("/v1/events/{id}")).await;
            let kinds: Vec<String> = events.assert_status(200).body["data"].as_array().expect("a list").iter()
                .map(|event| event["kind"].as_str().expect("a kind").to_owned()).collect();
            let ends = ["message.delivered", "message.undelivered", "message.expired", "message.failed"];
            assert_eq!(kinds.iter().filter(|kind| ends.contains(&kind.as_str())).count(), 1, "{name}: {kinds:?}");
        }
    }

    async fn a_handset_gets_texts_whole_and_answers(server: Server) {
        let (_ada, client) = sender(&server).await;
        let long = "Ünïcödé 👋 ".repeat(30);
        let plain = "a".repeat(500);
        for text in ["Hello [you] €", &long, &plain] {
            let id = send(&client, OURS, HANDSET, text).await;
            reaches(&client, &id, "delivered").await;
        }
        let received = texts(&client, HANDSET).await;
        assert_eq!(received, [
            (OURS.to_owned(), "Hello [you] €".to_owned(), 1),
            (OURS.to_owned(), long.clone(), 5),
            (OURS.to_owned(), plain, 4),
        ]);
        let reply = json!({ "from": HANDSET, "to": OURS, "text": long });
        client.post("/v1/pocket/messages", reply.clone()).await.assert(202, &reply);
        let listed = until("the reply is there", || async {
            let listed = client.get("/audian/v2/messages?direction=inbound").await;
            let found = listed.assert_status(200).data()["messages"].as_array().expect("a list").clone();
            (!found.is_empty()).then_some(found)
        }).await;
        assert_eq!((&listed[0]["body"], &listed[0]["from"], &listed[0]["status"]), (&json!(long), &json!(HANDSET), &json!("received")));
        // Nobody else sees the handset's messages, and there is none in a live environment.
        let bob = server.account("Bob").await;
        assert_eq!(texts(&bob.test(), HANDSET).await, []);
        let refused = bob.live().get("/v1/pocket/messages?to=%2B14155550777").await;
        refused.assert_status(403);
        assert_eq!(refused.body["code"], "operation_not_allowed");
        bob.test().post("/v1/pocket/messages", json!({ "from": HANDSET, "to": OURS, "text": "?" })).await.assert_status(404);
        let unable = bob.test_with(&[Scope::MessagesRead]).await;
        unable.get("/v1/pocket/messages?to=%2B14155550777").await.assert_status(403);
        assert_eq!(bob.side(Live).kind, Live);
    }

    async fn faults_happen_as_the_rules_say(server: Server) {
        let (_ada, client) = sender(&server).await;
        let rule = client.post("/v1/faults", json!({ "effect": "error", "status": 0x45, "probability": 1, "seed": 7 })).await;
        rule.assert_status(201);
        let id = rule.body["id"].as_str().expect("an id").to_owned();
        assert_eq!((&rule.body["on"], &rule.body["status"], &rule.body["probability"]), (&json!("submit"), &json!(0x45), &json!(1)));
        until("the rule is in force", || async {
            let sent = send(&client, OURS, HANDSET, "Refused?").await;
            until("it has ended", || async {
                let read = client.get(&format!("/audian/v2/messages/{sent}")).await;
                let state = read.data()["status"].as_str().expect("a state").to_owned();
                ["delivered", "failed"].contains(&state.as_str()).then_some(state)
            }).await.eq("failed").then_some(())
        }).await;
        assert_eq!(client.get("/v1/faults").await.assert_status(200).body["data"].as_array().map(Vec::len), Some(1));
        client.delete(&format!("/v1/faults/{id}")).await.assert_status(200);
        client.delete(&format!("/v1/faults/{id}")).await.assert_status(404);
        for (effect, on) in [("drop", "submit"), ("delay", "submit"), ("delay", "receipt"), ("duplicate", "receipt"), ("reorder", "receipt")] {
            let rule = json!({ "effect": effect, "on": on, "probability": 0.5, "seed": 11, "milliseconds": 50 });
            client.post("/v1/faults", rule).await.assert_status(201);
        }
        let mut sent = Vec::new();
        for place in 0..10 {
            sent.push(send(&client, OURS, &format!("+1415555072{place}"), "Through thick and thin").await);
        }
        for id in sent {
            reaches(&client, &id, "delivered").await;
        }
        for place in 0..10 {
            assert_eq!(texts(&client, &format!("+1415555072{place}")).await.len(), 1, "{place}");
        }
        let bob = server.account("Bob").await;
        assert_eq!(bob.test().get("/v1/faults").await.body["data"], json!([]));
        bob.live().post("/v1/faults", json!({ "effect": "drop" })).await.assert_status(403);
        bob.test().post("/v1/faults", json!({ "effect": "error", "on": "receipt" })).await.assert_status(400);
    }
}
