//! Our own API: search, explanations, and who wants no messages.

use serde_json::json;
use tandem_app::messages::gateway::{self, ReceiptState, Taken};
use tandem_kernel::Scope;
use tandem_testkit::{Answer, Server, on_both};

use super::{OURS, THEIRS, claim, incoming, report, said, send, sender, take_all, text};

fn bodies(answer: &Answer) -> Vec<&str> {
    let listed = answer.assert_status(200).body["data"].as_array().expect("a list").iter();
    listed.map(|message| message["body"].as_str().expect("a text")).collect()
}

on_both! {
    async fn messages_are_searched(server: Server) {
        let (_, client) = sender(&server).await;
        for body in ["Your table is ready", "100% off_today", "Tisch frei"] {
            send(&client, &text(body)).await;
        }
        incoming(&server, "Thanks for the TABLE", "1").await;
        for (query, expected) in [
            ("", vec!["Thanks for the TABLE", "Tisch frei", "100% off_today", "Your table is ready"]),
            ("?text=table", vec!["Thanks for the TABLE", "Your table is ready"]),
            ("?text=table&direction=outbound", vec!["Your table is ready"]),
            ("?text=%25", vec!["100% off_today"]),
            ("?text=f_t", vec!["100% off_today"]),
            ("?status=queued&limit=1", vec!["Tisch frei"]),
            ("?from=%2B14155550199", vec!["Thanks for the TABLE"]),
            ("?until=2023-12-31", vec![]),
        ] {
            assert_eq!(bodies(&client.get(&format!("/v1/messages{query}")).await), expected, "{query}");
        }
        let first = client.get("/v1/messages?limit=3").await;
        let next = first.body["next_cursor"].as_str().expect("a next page");
        let last = client.get(&format!("/v1/messages?limit=3&cursor={next}")).await;
        assert_eq!((bodies(&last), &last.body["next_cursor"]), (vec!["Your table is ready"], &json!(null)));
        client.get("/v1/messages?colour=red").await.assert_status(400);
    }

    async fn a_message_is_explained_from_price_to_receipt(server: Server) {
        let (ada, client) = sender(&server).await;
        let id = send(&client, &text(&format!("{}я", "a".repeat(70)))).await;
        let parts = claim(&server).await;
        let unsent = vec![said(&parts[0], Taken::NotSent), said(&parts[1], Taken::NotSent)];
        gateway::record(&server.app(), unsent).await.expect("recorded");
        let parts = take_all(&server).await;
        report(&server, &parts[..1], ReceiptState::Delivered, None).await;
        report(&server, &parts[1..], ReceiptState::Rejected, Some("088")).await;
        let explained = client.get(&format!("/v1/messages/{id}/explain")).await;
        let body = &explained.assert_status(200).body;
        let smsc = &body["segments"][0]["smsc_id"];
        assert_eq!(body["subject"], json!({ "kind": "message", "id": id, "name": format!("{OURS} to {THEIRS}"), "state": "undelivered" }));
        let at = "2024-01-01T00:00:00Z";
        let segment = |number: u8, status: &str, error: Option<&str>| json!({
            "segment": number, "status": status, "smsc_id": smsc, "remote_id": format!("{id}/{number}"), "error": error,
            "submitted_at": at, "receipt_at": at,
        });
        assert_eq!(body["segments"], json!([segment(1, "delivered", None), segment(2, "rejected", Some("088"))]));
        let decisions: Vec<_> = body["data"].as_array().expect("decisions").iter().map(|one| (one["decision"].as_str(), one["outcome"].as_str())).collect();
        assert_eq!(decisions, [
            (Some("send"), Some("queued in 2 segments for 0.02")),
            (Some("delivery"), Some("the message is queued again, with those segments that were not submitted")),
            (Some("delivery"), Some("the message is undelivered: segment 2 was rejected: 088")),
        ]);
        let steps = body["data"][0]["steps"].as_array().expect("steps");
        let step = |rule: &str| steps.iter().find(|step| step["rule"] == rule).unwrap_or_else(|| panic!("{rule}: {explained}"));
        assert_eq!(step("GSM 03.38 can write the text")["compared"], "'я' (U+044F) is not in GSM 03.38");
        assert_eq!(step("the text fits into one segment")["compared"], "71 units; 70 fit alone, 67 in each of several segments: 2 segments");
        assert_eq!(step("the longest listed beginning of the recipient's number is '1'")["met"], true);
        assert_eq!(step("the wallet holds the price")["compared"], "0.02");
        client.get(&format!("/v1/messages/{id}")).await.assert_status(200);
        let charge = ada.charges(tandem_kernel::Environment::Live).await.last().expect("a capture").id;
        let charge = client.get(&format!("/v1/charges/{charge}/explain")).await;
        assert_eq!(charge.assert_status(200).body["object"]["explained_at"], format!("/v1/messages/{id}/explain"));
        server.account("Eve").await.live().get(&format!("/v1/messages/{id}/explain")).await.assert_status(404);
    }

    async fn opt_outs_are_kept_for_sender_and_recipient(server: Server) {
        let (ada, client) = sender(&server).await;
        incoming(&server, "Arrêt svp", "1").await;
        incoming(&server, "ARRET", "2").await;
        let replies = claim(&server).await;
        assert_eq!(replies.len(), 1, "the wish is answered once");
        assert!(replies[0].encoding.read(&replies[0].payload).contains("DEMARRER"));
        let listed = client.get("/v1/opt-outs").await;
        let entry = &listed.assert_status(200).body["data"][0];
        let id = entry["id"].as_str().expect("an id");
        assert_eq!(*entry, json!({ "id": id, "from": OURS, "to": THEIRS, "source": "Arrêt", "created_at": "2024-01-01T00:00:00Z" }));
        let again = client.post("/v1/opt-outs", json!({ "from": OURS, "to": THEIRS })).await;
        again.assert(201, entry);
        let by_hand = client.post("/v1/opt-outs", json!({ "from": "Acme", "to": "+447400123456" })).await;
        assert_eq!(by_hand.assert_status(201).body["source"], "api");
        let refused = client.post(super::MESSAGES, json!({ "from": "Acme", "to": "+447400123456", "body": "Hello" })).await;
        assert_eq!(refused.assert_status(403).body["error"]["message"], "+447400123456 asked to get no more messages from Acme");
        let second = client.get("/v1/opt-outs?limit=1").await;
        let next = second.body["next_cursor"].as_str().expect("a next page");
        assert_eq!(client.get(&format!("/v1/opt-outs?cursor={next}")).await.body["data"][0], by_hand.body);
        server.account("Eve").await.live().delete(&format!("/v1/opt-outs/{id}")).await.assert_status(404);
        let reader = ada.mint(tandem_kernel::Environment::Live, &[Scope::MessagesRead], None).await;
        server.client_with(reader.text).delete(&format!("/v1/opt-outs/{id}")).await.assert_status(403);
        client.delete(&format!("/v1/opt-outs/{id}")).await.assert(200, entry);
        client.delete(&format!("/v1/opt-outs/{id}")).await.assert_status(404);
        send(&client, &text("Hello")).await;
        let events = client.get(&format!("/v1/events/{id}")).await;
        let kinds: Vec<_> = events.body["data"].as_array().expect("events").iter().map(|event| event["kind"].clone()).collect();
        assert_eq!(kinds, ["recipient.opted_out", "recipient.opted_in"]);
    }

    async fn help_is_given_and_messages_come_again(server: Server) {
        let (_, client) = sender(&server).await;
        for (index, (word, answered)) in [
            ("HILFE", Some("STOPP")),
            ("start", None),
            ("sair agora", Some("VOLTAR")),
            ("Começar", Some("SAIR")),
            ("I will stop by", None),
        ].into_iter().enumerate() {
            incoming(&server, word, &index.to_string()).await;
            let replies = take_all(&server).await;
            let texts: Vec<String> = replies.iter().map(|part| part.encoding.read(&part.payload)).collect();
            assert_eq!(texts.len(), answered.iter().count(), "{word}: {texts:?}");
            assert!(answered.is_none_or(|hint| texts[0].contains(hint)), "{word}: {texts:?}");
        }
        send(&client, &text("Hello")).await;
        let replies = client.get("/v1/messages?direction=outbound&text=nummer").await;
        assert_eq!(replies.assert_status(200).body["data"][0]["price"], 0);
    }
}
