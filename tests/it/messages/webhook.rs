//! What owners are told of messages: the number's own webhook, and endpoints that ask for events.

use serde_json::{Value, json};
use tandem_app::messages::gateway::ReceiptState;
use tandem_testkit::{Receiver, Server, Stage, on_both};

use super::{OURS, THEIRS, incoming, report, send, sender, take_all, text};

async fn serve(stage: Stage) -> Server {
    stage.config(|config| config.webhooks.allow_private = true).start().await
}

on_both! {
    async fn a_numbers_own_webhook_is_told_of_what_comes_in(stage: Stage) {
        let server = serve(stage).await;
        let ((_, client), receiver) = (sender(&server).await, Receiver::start().await);
        let number = client.get(&format!("/audian/v2/numbers/{OURS}")).await.data_text("id");
        let config = json!({ "sms_webhook": receiver.url("/sms") });
        client.put(&format!("/audian/v2/numbers/{OURS}/config"), config).await.assert_status(200);
        incoming(&server, "Is my table ready?", "1").await;
        incoming(&server, "Is my table ready?", "1").await;
        incoming(&server, "STOP", "2").await;
        let told = receiver.wait(2).await;
        let first = told[0].json();
        let id = first["data"]["message_id"].as_str().expect("an id").to_owned();
        assert_eq!((told[0].path.as_str(), &first["event"]), ("/sms", &json!("message.received")));
        assert_eq!(first["data"], json!({
            "message_id": id, "number_id": number, "direction": "inbound", "channel": "sms", "status": "received",
            "from": THEIRS, "to": OURS, "body": "Is my table ready?", "segments": 1, "encoding": "gsm7", "price": "0", "currency": "USD",
            "property_id": first["data"]["property_id"],
        }));
        let texts: Vec<Value> = told.iter().map(|told| told.json()["data"]["body"].clone()).collect();
        assert!(texts.contains(&json!("STOP")), "{texts:?}");
        client.get(&format!("{}/{id}", super::MESSAGES)).await.assert_status(200);
    }

    async fn an_endpoint_is_told_of_a_messages_life_in_order(stage: Stage) {
        let server = serve(stage).await;
        let ((_, client), receiver) = (sender(&server).await, Receiver::start().await);
        let body = json!({ "url": receiver.url("/hook"), "events": ["message.queued", "message.sent", "message.undelivered"], "dialect": "audian" });
        client.post("/v1/webhooks", body).await.assert_status(201);
        let id = send(&client, &text("Hello")).await;
        let parts = take_all(&server).await;
        report(&server, &parts, ReceiptState::Undelivered, Some("027")).await;
        let told: Vec<Value> = receiver.wait(3).await.iter().map(tandem_testkit::Received::json).collect();
        let events: Vec<&Value> = told.iter().map(|told| &told["event"]).collect();
        assert_eq!(events, ["message.queued", "message.sent", "message.undelivered"]);
        assert!(told.iter().all(|told| told["data"]["message_id"] == id.as_str()), "{told:?}");
        assert_eq!((&told[2]["data"]["error_code"], &told[2]["data"]["to"]), (&json!("027"), &json!(THEIRS)));
    }
}
