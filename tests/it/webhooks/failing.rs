//! Endpoints that fail: retries, giving up, switching off, and what a receiver cannot make us do.

use serde_json::json;
use tandem_domain::event::EventKind;
use tandem_kernel::{Environment::Test, Timestamp};
use tandem_testkit::{Reaction, Received, Receiver, Stage, on_both, until};

use super::{ada, buy, configure, listen, serve, wait_for, wait_until};

/// Seconds that each step of a moved clock takes: shorter than a day, so that no retry is skipped for long.
const STEP: i64 = 3600;

on_both! {
    async fn an_endpoint_that_was_down_for_two_days_gets_everything_in_order(stage: Stage) {
        let server = serve(&stage).await;
        let (ada, receiver) = (ada(&server).await, Receiver::start().await);
        let (hook, _) = listen(&ada.test(), "native", &receiver).await;
        receiver.react(Reaction::Close);
        let ids = [buy(&ada, "+14155550100").await, buy(&ada, "+14155550101").await, buy(&ada, "+14155550102").await];
        for hour in 0..48 {
            if hour % 4 == 0 {
                for id in &ids {
                    configure(&ada, id, &format!("Hour {hour}")).await;
                }
            }
            ada.advance(STEP).await;
        }
        until("it was tried several times", || async { (receiver.count() > 3).then_some(()) }).await;
        let listed = ada.test().get(&format!("/v1/webhooks/{hook}")).await;
        assert_eq!((&listed.body["status"], listed.body["failing_since"].is_string()), (&json!("active"), true), "{listed}");
        receiver.react(Reaction::Status(204));
        receiver.take();
        ada.advance(86_400).await;
        receiver.wait(3 * 13).await;
        until("everything has arrived", || async {
            (server.count("SELECT COUNT(*) FROM deliveries WHERE state <> 'delivered'").await == 0).then_some(())
        }).await;
        let received = receiver.all();
        for id in &ids {
            let of = received.iter().map(Received::json).filter(|body| body["data"]["object_id"] == id.as_str());
            let told: Vec<i64> = of.map(|body| body["data"]["sequence"].as_i64().expect("a sequence")).collect();
            assert!(told.is_sorted() && told.starts_with(&[1, 2, 3]) && told.ends_with(&[12, 13]) && told.len() == 13, "{told:?}");
        }
        assert!(ada.test().get(&format!("/v1/webhooks/{hook}")).await.body["failing_since"].is_null());
    }

    async fn audians_deliveries_are_tried_five_times_and_their_owner_is_told(stage: Stage) {
        let server = serve(&stage).await;
        let (ada, receiver, watcher) = (ada(&server).await, Receiver::start().await, Receiver::start().await);
        let (hook, _) = listen(&ada.test(), "audian", &receiver).await;
        receiver.react(Reaction::Status(500));
        ada.test().post("/v1/clock/advance", json!({ "frozen": true })).await.assert_status(200);
        buy(&ada, "+14155550100").await;
        let body = json!({ "url": watcher.url("/"), "events": ["webhook.delivery_failed"] });
        ada.test().post("/v1/webhooks", body).await.assert_status(201);
        receiver.wait(1).await;
        ada.advance(59).await;
        assert_eq!(receiver.count(), 1, "the second is not due yet");
        // One jump over all retries: each is made at its own time.
        ada.advance(4 * 3600).await;
        let failed = wait_until(&ada.test(), &hook, "number.purchased", "failed").await;
        let alert = watcher.wait(1).await.remove(0).json();
        assert_eq!((&alert["type"], &alert["data"]["delivery_id"], &alert["data"]["attempts"], &alert["data"]["status"]),
            (&json!("webhook.delivery_failed"), &json!(failed), &json!(5), &json!(500)));
        let shown = ada.test().get(&format!("/v1/deliveries/{failed}")).await;
        let log = shown.body["attempt_log"].as_array().expect("attempts").clone();
        let at: Vec<i64> = log.iter().map(|attempt| {
            Timestamp::parse(attempt["at"].as_str().expect("a time")).expect("a time").seconds()
        }).collect();
        let waits: Vec<i64> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
        for (wait, documented) in waits.iter().zip([60, 300, 900, 1800]) {
            assert!((documented..=documented + 60).contains(wait), "{waits:?}");
        }
        assert_eq!((waits.len(), receiver.count()), (4, 5), "{shown}");
        ada.advance(86_400).await;
        assert_eq!(receiver.count(), 5);
    }

    async fn a_refusal_is_final_for_audian_but_not_too_many_requests(stage: Stage) {
        let server = serve(&stage).await;
        let (ada, refuses, busy) = (ada(&server).await, Receiver::start().await, Receiver::start().await);
        let (first, _) = listen(&ada.test(), "audian", &refuses).await;
        let (second, _) = listen(&ada.test(), "audian", &busy).await;
        refuses.react(Reaction::Status(422));
        busy.react(Reaction::Status(429));
        buy(&ada, "+14155550100").await;
        let failed = wait_until(&ada.test(), &first, "number.purchased", "failed").await;
        let shown = ada.test().get(&format!("/v1/deliveries/{failed}")).await;
        assert_eq!((&shown.body["attempt_log"][0]["error"], &shown.body["attempts"]), (&json!("it answered 422 Unprocessable Entity"), &json!(1)), "{shown}");
        until("the other is tried again later", || async {
            let listed = ada.test().get(&format!("/v1/webhooks/{second}/deliveries")).await;
            let first = listed.body["data"].as_array().and_then(|all| all.last().cloned()).unwrap_or_default();
            (first["attempts"] == 1 && first["status"] == "pending").then_some(())
        }).await;
    }

    async fn an_endpoint_that_is_gone_is_switched_off(stage: Stage) {
        let server = serve(&stage).await;
        let (ada, receiver, watcher) = (ada(&server).await, Receiver::start().await, Receiver::start().await);
        let (hook, _) = listen(&ada.test(), "native", &receiver).await;
        ada.test().post("/v1/webhooks", json!({ "url": watcher.url("/"), "events": ["webhook.disabled"] })).await.assert_status(201);
        receiver.react(Reaction::Status(410));
        buy(&ada, "+14155550100").await;
        let alert = watcher.wait(1).await.remove(0).json();
        assert_eq!((&alert["data"]["object_id"], &alert["data"]["reason"]), (&json!(hook), &json!("It answered 410 Gone")));
        let shown = ada.test().get(&format!("/v1/webhooks/{hook}")).await;
        assert_eq!((&shown.body["status"], &shown.body["disabled_reason"]), (&json!("disabled"), &json!("It answered 410 Gone")));
    }

    async fn an_endpoint_that_fails_for_days_is_switched_off_and_goes_on_where_it_was(stage: Stage) {
        let server = serve(&stage).await;
        let (ada, receiver) = (ada(&server).await, Receiver::start().await);
        let (hook, _) = listen(&ada.test(), "native", &receiver).await;
        receiver.react(Reaction::Status(503));
        let id = buy(&ada, "+14155550100").await;
        receiver.wait(1).await;
        configure(&ada, &id, "Waits").await;
        until("it was switched off", || async {
            ada.advance(86_400).await;
            let shown = ada.test().get(&format!("/v1/webhooks/{hook}")).await;
            (shown.body["status"] == "disabled").then_some(())
        }).await;
        let events = ada.test().get(&format!("/v1/events/{hook}")).await;
        assert!(events.text().contains("webhook.disabled"), "{events}");
        receiver.react(Reaction::Status(200));
        receiver.take();
        ada.test().post(&format!("/v1/webhooks/{hook}/enable"), json!({})).await.assert_status(200);
        ada.advance(2 * 86_400).await;
        until("what waited has arrived", || async {
            receiver.all().iter().any(|received| received.json()["type"] == "number.configured").then_some(())
        }).await;
    }

    async fn what_waits_behind_the_answer_that_switches_an_endpoint_off_arrives_when_it_is_on_again(stage: Stage) {
        let server = serve(&stage).await;
        let (ada, receiver) = (ada(&server).await, Receiver::start().await);
        let (hook, _) = listen(&ada.test(), "native", &receiver).await;
        receiver.react(Reaction::Status(503));
        buy(&ada, "+14155550100").await;
        until("it is known to fail", || async {
            let shown = ada.test().get(&format!("/v1/webhooks/{hook}")).await;
            shown.body["failing_since"].is_string().then_some(())
        }).await;
        receiver.react(Reaction::Late(410));
        let (pen, environment) = (server.app().pen(), ada.side(Test).environment);
        let happen = move |tx: &mut tandem_store::Tx| {
            let desk = pen.open(tx, environment)?;
            (1..=3).try_for_each(|thing| desk.event(tx, &format!("thing_{thing}"), EventKind::AccountUpdated, &json!({})))
        };
        server.app().store.write(happen).await.expect("three things happen at once");
        server.app().mailbox.ring();
        until("it was switched off", || async {
            let shown = ada.test().get(&format!("/v1/webhooks/{hook}")).await;
            (shown.body["status"] == "disabled").then_some(())
        }).await;
        receiver.react(Reaction::Status(200));
        receiver.take();
        ada.test().post(&format!("/v1/webhooks/{hook}/enable"), json!({})).await.assert_status(200);
        until("the others have arrived", || async {
            let told = receiver.all().iter().filter(|received| received.json()["type"] == "account.updated").count();
            (told >= 2).then_some(())
        }).await;
    }

    async fn redirects_are_not_followed_and_long_answers_not_read(stage: Stage) {
        let server = serve(&stage).await;
        let (ada, receiver, elsewhere) = (ada(&server).await, Receiver::start().await, Receiver::start().await);
        let (hook, _) = listen(&ada.test(), "audian", &receiver).await;
        let test = || async {
            let tested = ada.test().post(&format!("/v1/webhooks/{hook}/test"), json!({})).await;
            tested.assert_status(202).body["id"].as_str().expect("an id").to_owned()
        };
        let place = elsewhere.url("/");
        receiver.react(Reaction::Raw(format!("HTTP/1.1 302 Found\r\nlocation: {place}\r\ncontent-length: 0\r\n\r\n").into_bytes()));
        let redirected = test().await;
        let shown = until("it was tried", || async {
            let shown = ada.test().get(&format!("/v1/deliveries/{redirected}")).await;
            (shown.body["attempts"] == 1).then_some(shown)
        }).await;
        let said = format!("it answered 302 with a redirect to {place}, and redirects are not followed");
        assert_eq!(shown.body["attempt_log"][0]["error"], json!(said), "{shown}");
        assert_eq!(elsewhere.count(), 0);
        let mut huge = b"HTTP/1.1 200 OK\r\ncontent-length: 50000000\r\n\r\n".to_vec();
        huge.extend(vec![b'x'; 50_000_000]);
        receiver.react(Reaction::Raw(huge));
        ada.advance(121).await;
        let delivered = wait_for(&ada.test(), &redirected, "delivered").await;
        assert_eq!(delivered["attempt_log"][1]["answer"].as_str().map(str::len), Some(2048), "{delivered}");
        receiver.react(Reaction::Raw(b"this is no HTTP\r\n\r\n".to_vec()));
        let nonsense = test().await;
        let shown = until("it was tried", || async {
            let shown = ada.test().get(&format!("/v1/deliveries/{nonsense}")).await;
            (shown.body["attempts"] == 1).then_some(shown)
        }).await;
        assert!(shown.body["attempt_log"][0]["error"].as_str().expect("words").starts_with("the connection failed: "), "{shown}");
    }

    async fn nothing_is_sent_to_a_private_address_unless_allowed(stage: Stage) {
        let server = serve(&stage).await;
        let (ada, receiver) = (ada(&server).await, Receiver::start().await);
        let (hook, _) = listen(&ada.test(), "native", &receiver).await;
        server.stop().await;
        let strict = stage.clone().config(|config| config.webhooks.allow_private = false).start().await;
        let client = strict.client_with(&ada.test.key);
        client.post(&format!("/v1/webhooks/{hook}/test"), json!({})).await.assert_status(202);
        let id = wait_until(&client, &hook, "webhook.test", "pending").await;
        let shown = until("it was tried", || async {
            let shown = client.get(&format!("/v1/deliveries/{id}")).await;
            (shown.body["attempts"] == 1).then_some(shown)
        }).await;
        let words = "no connection: 127.0.0.1 leads to 127.0.0.1, which is not a public address";
        assert_eq!((&shown.body["attempt_log"][0]["error"], receiver.count()), (&json!(words), 0), "{shown}");
        strict.stop().await;
    }

    async fn an_endpoint_that_keeps_quiet_is_given_up_in_time(stage: Stage) {
        let server = stage.clone().config(|config| {
            config.webhooks.allow_private = true;
            config.webhooks.timeout_seconds = 1;
        }).start().await;
        let (ada, receiver) = (ada(&server).await, Receiver::start().await);
        let (hook, _) = listen(&ada.test(), "native", &receiver).await;
        receiver.react(Reaction::Hang);
        ada.test().post(&format!("/v1/webhooks/{hook}/test"), json!({})).await.assert_status(202);
        let id = wait_until(&ada.test(), &hook, "webhook.test", "pending").await;
        let shown = until("it was given up", || async {
            let shown = ada.test().get(&format!("/v1/deliveries/{id}")).await;
            (shown.body["attempts"] == 1).then_some(shown)
        }).await;
        assert_eq!(shown.body["attempt_log"][0]["error"], "no answer within 1 seconds", "{shown}");
    }
}
