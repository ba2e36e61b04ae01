//! Sending, and what becomes of it.

use serde_json::json;
use tandem_app::messages::gateway::{self, ReceiptState, Taken};
use tandem_kernel::Environment::Live;
use tandem_ledger::TransferKind::{Capture, Charge, Hold, Release};
use tandem_testkit::{Answer, Server, on_both};

use super::{MESSAGES, OURS, THEIRS, claim, incoming, read, report, said, send, sender, take_all, text};

fn ids(answer: &Answer) -> Vec<String> {
    let listed = answer.assert_status(200).data()["messages"].as_array().expect("a list").iter();
    listed.map(|message| message["id"].as_str().expect("an id").to_owned()).collect()
}

on_both! {
    async fn a_message_is_described_field_by_field(server: Server) {
        let (ada, client) = sender(&server).await;
        let sent = client.post(MESSAGES, text("Hello {you}")).await;
        let id = sent.data_text("id");
        assert!(id.starts_with("msg_"));
        sent.assert(201, &json!({ "success": true, "data": {
            "id": id,
            "direction": "outbound",
            "type": "sms",
            "status": "queued",
            "from": OURS,
            "to": THEIRS,
            "body": "Hello {you}",
            "media_urls": [],
            "segments": 1,
            "encoding": "gsm7",
            "price": 0.01,
            "created_at": "2024-01-01T00:00:00Z",
        } }));
        client.get(&format!("{MESSAGES}/{id}")).await.assert(200, &sent.body);
        assert_eq!(ada.wallet(Live).await.held, 10_000);
        let parts = take_all(&server).await;
        let taken = read(&client, &id).await;
        assert_eq!((&taken.data()["status"], &taken.data()["sent_at"]), (&json!("sent"), &json!("2024-01-01T00:00:00Z")));
        server.pass_seconds(3);
        report(&server, &parts, ReceiptState::Delivered, None).await;
        let delivered = read(&client, &id).await;
        let data = delivered.data();
        assert_eq!((&data["status"], &data["completed_at"]), (&json!("delivered"), &json!("2024-01-01T00:00:03Z")));
        let movements: Vec<_> = ada.charges(Live).await.iter().map(|transfer| (transfer.kind, transfer.amount)).collect();
        assert_eq!(movements, [(Charge, 990_000), (Hold, 10_000), (Capture, 10_000)]);
        let events = client.get(&format!("/v1/events/{id}")).await;
        let kinds: Vec<_> = events.body["data"].as_array().expect("events").iter().map(|event| event["kind"].clone()).collect();
        assert_eq!(kinds, ["message.queued", "message.sent", "message.delivered"]);
        let usage = client.get("/audian/v2/billing/usage").await;
        assert_eq!(usage.data()["usage"]["sms_messages"], json!({ "count": 1, "unit_cost": 0.01, "cost": 0.01 }));
    }

    async fn what_does_not_arrive_says_why(server: Server) {
        let (ada, client) = sender(&server).await;
        let id = send(&client, &text("Hello")).await;
        let parts = take_all(&server).await;
        report(&server, &parts, ReceiptState::Undelivered, Some("027")).await;
        let data = read(&client, &id).await.data().clone();
        assert_eq!((&data["status"], &data["error_code"]), (&json!("undelivered"), &json!("027")));
        assert_eq!(data["error_message"], "segment 1 was undelivered: 027");

        let id = send(&client, &text("Hello")).await;
        let parts = claim(&server).await;
        let refused = said(&parts[0], Taken::Refused { status: 0x0b, name: "ESME_RINVDSTADR" });
        gateway::record(&server.app(), vec![refused]).await.expect("recorded");
        let data = read(&client, &id).await.data().clone();
        assert_eq!((&data["status"], &data["error_code"]), (&json!("failed"), &json!("ESME_RINVDSTADR")));
        assert_eq!(ada.charges(Live).await.last().expect("a movement").kind, Release);

        let id = send(&client, &text("Hello")).await;
        server.pass_days(3);
        server.run_due().await;
        let data = read(&client, &id).await.data().clone();
        assert_eq!((&data["status"], &data["error_code"]), (&json!("expired"), &json!("expired")));
        assert_eq!((ada.wallet(Live).await.held, claim(&server).await.len()), (0, 0));
    }

    async fn segments_and_prices_follow_from_text_and_destination(server: Server) {
        let (_, client) = sender(&server).await;
        for (to, body, encoding, segments, price) in [
            (THEIRS, "a".repeat(160), "gsm7", 1, json!(0.01)),
            (THEIRS, "a".repeat(161), "gsm7", 2, json!(0.02)),
            (THEIRS, "€".repeat(81), "gsm7", 2, json!(0.02)),
            (THEIRS, "я".repeat(70), "ucs2", 1, json!(0.01)),
            (THEIRS, "😀".repeat(36), "ucs2", 2, json!(0.02)),
            ("+447400123456", "hello".to_owned(), "gsm7", 1, json!(0.04)),
            ("+491701234567", "я".repeat(71), "ucs2", 2, json!(0.19)),
        ] {
            let sent = client.post(MESSAGES, json!({ "from": OURS, "to": to, "body": body })).await;
            let data = sent.assert_status(201).data();
            assert_eq!((&data["encoding"], &data["segments"], &data["price"]), (&json!(encoding), &json!(segments), &price), "{sent}");
        }
    }

    async fn a_repeated_request_sends_once(server: Server) {
        let (ada, client) = sender(&server).await;
        let client = client.idempotency("once");
        let first = client.post(MESSAGES, text("Hello")).await;
        client.post(MESSAGES, text("Hello")).await.assert_replay_of(&first);
        assert_eq!(ada.wallet(Live).await.held, 10_000);
        assert_eq!(claim(&server).await.len(), 1);
    }

    async fn a_name_is_a_sender_where_networks_take_one(server: Server) {
        let (_, client) = sender(&server).await;
        let sent = client.post(MESSAGES, json!({ "from": "Acme Ltd", "to": "+447400123456", "body": "Hello" })).await;
        assert_eq!(sent.assert_status(201).data()["from"], "Acme Ltd");
    }

    async fn lists_are_filtered_and_come_in_pages(server: Server) {
        let (ada, client) = sender(&server).await;
        let first = send(&client, &text("one")).await;
        server.pass_seconds(60);
        let second = send(&client, &json!({ "from": OURS, "to": "+14155550198", "body": "two" })).await;
        let parts = take_all(&server).await;
        report(&server, &parts[..1], ReceiptState::Delivered, None).await;
        server.pass_seconds(60);
        incoming(&server, "an answer", "1").await;
        let all = client.get(MESSAGES).await;
        let received = ids(&all)[0].clone();
        assert_eq!(ids(&all), [received.clone(), second.clone(), first.clone()]);
        assert_eq!((&all.data()["total"], &all.data()["limit"], &all.data()["offset"]), (&json!(3), &json!(20), &json!(0)));
        for (query, expected) in [
            ("direction=inbound", vec![&received]),
            ("direction=outbound", vec![&second, &first]),
            ("status=delivered", vec![&first]),
            ("status=received", vec![&received]),
            ("from=%2B14155550199", vec![&received]),
            ("to=%2B14155550199", vec![&first]),
            ("to=%2B14155550100", vec![&received]),
            ("start_date=2024-01-01T00:01:00Z", vec![&received, &second]),
            ("end_date=2024-01-01T00:01:00Z", vec![&first]),
            ("limit=1&offset=1", vec![&second]),
            ("direction=outbound&status=queued", vec![]),
        ] {
            let found = client.get(&format!("{MESSAGES}?{query}")).await;
            assert_eq!(ids(&found).iter().collect::<Vec<_>>(), expected, "{query}");
        }
        assert!(ids(&ada.test().get(MESSAGES).await).is_empty(), "the other environment has none");
        let received = read(&client, &received).await;
        assert_eq!((&received.data()["body"], &received.data()["price"]), (&json!("an answer"), &json!(0)));
    }
}
