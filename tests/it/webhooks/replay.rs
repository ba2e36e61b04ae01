//! Telling again what was told, or what was missed.

use serde_json::json;
use tandem_testkit::{Reaction, Receiver, Stage, on_both, until};

use super::{ada, buy, configure, listen, serve, wait_for, wait_until};

on_both! {
    async fn a_delivery_is_made_once_more(stage: Stage) {
        let server = serve(&stage).await;
        let (ada, receiver) = (ada(&server).await, Receiver::start().await);
        let (hook, _) = listen(&ada.test(), "native", &receiver).await;
        buy(&ada, "+14155550100").await;
        let first = wait_until(&ada.test(), &hook, "number.purchased", "delivered").await;
        let client = ada.test().idempotency("again");
        let path = format!("/v1/deliveries/{first}/replay");
        let again = client.post(&path, json!({})).await;
        let second = again.assert_status(202).body["id"].as_str().expect("an id").to_owned();
        client.post(&path, json!({})).await.assert_replay_of(&again);
        wait_for(&ada.test(), &second, "delivered").await;
        let received = receiver.all();
        assert_eq!((received.len(), &received[0].body), (2, &received[1].body));
        assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
        let eve = server.account("Eve").await;
        eve.test().post(&path, json!({})).await.assert_status(404);
        eve.test().get(&format!("/v1/deliveries/{first}")).await.assert_status(404);
        ada.test().post(&format!("/v1/webhooks/{hook}/disable"), json!({})).await.assert_status(200);
        assert_eq!(ada.test().post(&path, json!({})).await.assert_status(409).body["code"], "invalid_transition");
    }

    async fn what_was_missed_is_told_later(stage: Stage) {
        let server = serve(&stage).await;
        let (ada, receiver) = (ada(&server).await, Receiver::start().await);
        let (hook, _) = listen(&ada.test(), "audian", &receiver).await;
        let id = buy(&ada, "+14155550100").await;
        receiver.wait(1).await;
        ada.advance(3600).await;
        receiver.react(Reaction::Status(400));
        configure(&ada, &id, "Refused").await;
        wait_until(&ada.test(), &hook, "number.configured", "failed").await;
        receiver.react(Reaction::Status(200));
        ada.test().post(&format!("/v1/webhooks/{hook}/disable"), json!({})).await.assert_status(200);
        configure(&ada, &id, "Unheard").await;
        ada.test().post(&format!("/v1/webhooks/{hook}/enable"), json!({})).await.assert_status(200);
        until("what is under way has arrived", || async {
            let open = "SELECT COUNT(*) FROM deliveries WHERE state IN ('waiting', 'pending')";
            (server.count(open).await == 0 && server.count("SELECT COUNT(*) FROM event_queue").await == 0).then_some(())
        }).await;
        receiver.take();
        let path = format!("/v1/webhooks/{hook}/replay");
        let later = ada.test().post(&path, json!({ "from": "2030-01-01" })).await;
        later.assert(202, &json!({ "deliveries": 0, "next_cursor": null }));
        let missed = ada.test().post(&path, json!({ "from": "2024-01-01T00:30:00Z", "events": ["number.configured"] })).await;
        missed.assert(202, &json!({ "deliveries": 2, "next_cursor": null }));
        let sequences: Vec<String> = receiver.wait(2).await.iter().map(|received| received.json()["event"].as_str().expect("a name").to_owned()).collect();
        assert_eq!(sequences, ["number.configured", "number.configured"]);
        until("both have arrived", || async {
            let open = "SELECT COUNT(*) FROM deliveries WHERE state IN ('waiting', 'pending')";
            (server.count(open).await == 0).then_some(())
        }).await;
        let again = ada.test().post(&path, json!({ "from": "2024-01-01", "events": ["number.configured"] })).await;
        again.assert(202, &json!({ "deliveries": 0, "next_cursor": null }));
        let all = ada.test().post(&path, json!({ "from": "2024-01-01", "only": "all", "events": ["number.purchased", "number.configured"] })).await;
        all.assert(202, &json!({ "deliveries": 3, "next_cursor": null }));
        receiver.wait(5).await;
        let bad = ada.test().post(&path, json!({ "from": "2024-01-01", "events": ["Message.Received"] })).await;
        assert_eq!(bad.assert_status(400).body["code"], "invalid_choice");
        assert_eq!(ada.test().post(&path, json!({})).await.assert_status(400).body["code"], "missing_parameter");
    }
}
