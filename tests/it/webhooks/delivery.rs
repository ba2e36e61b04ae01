//! What arrives, signed and in order.

use serde_json::{Map, json};
use tandem_app::webhooks::{NumberWebhook, notify_in};
use tandem_kernel::{Clock, Environment, SystemClock};
use tandem_testkit::{Reaction, Received, Receiver, Server, Stage, on_both, until};

use super::{ada, buy, configure, listen, serve, wait_for, wait_until};

/// A server whose clock shows the present: receivers compare the time of a delivery with theirs.
async fn serve_today(stage: &Stage) -> Server {
    serve(&stage.clone().dawn(&SystemClock.now().to_string())).await
}

/// Whether the published library takes a delivery for genuine.
fn genuine(secret: &str, received: &Received) -> bool {
    let mut headers = http::HeaderMap::new();
    for (name, value) in &received.headers {
        headers.insert(http::HeaderName::try_from(name.as_str()).expect("a name"), value.parse().expect("a value"));
    }
    let receiver = standardwebhooks::Webhook::new(secret).expect("a secret");
    receiver.verify(received.body.as_bytes(), &headers).is_ok()
}

fn names(received: &[Received], member: &str) -> Vec<String> {
    received.iter().map(|received| received.json()[member].as_str().expect("a name").to_owned()).collect()
}

on_both! {
    async fn audian_is_told_as_its_pages_say(stage: Stage) {
        let server = serve(&stage).await;
        let (ada, receiver) = (ada(&server).await, Receiver::start().await);
        listen(&ada.test(), "audian", &receiver).await;
        let id = buy(&ada, "+14155550100").await;
        let received = receiver.wait(1).await.remove(0);
        let body = received.json();
        assert_eq!((received.method.as_str(), received.path.as_str()), ("POST", "/hook"));
        let keys: Vec<&str> = body.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(keys, ["id", "timestamp", "event", "version", "data"]);
        assert_eq!((&body["event"], &body["version"], &body["data"]["number_id"]), (&json!("number.purchased"), &json!("v1"), &json!(id)));
        assert_eq!(body["timestamp"], "2024-01-01T00:00:00Z");
        assert_eq!(received.header("content-type"), "application/json");
        assert_eq!(received.header("user-agent"), "AudianWebhook/1.0");
        assert_eq!(received.header("x-audian-event"), "number.purchased");
        assert_eq!(received.header("x-audian-timestamp"), "1704067200");
        assert!(received.header("x-audian-delivery-id").starts_with("delv_"));
        assert_eq!(received.header("x-audian-signature").len(), 64);
        let shown = wait_for(&ada.test(), received.header("x-audian-delivery-id"), "delivered").await;
        let attempt = &shown["attempt_log"][0];
        assert_eq!((&shown["attempts"], &attempt["number"], &attempt["status"]), (&json!(1), &json!(1), &json!(200)), "{shown}");
        assert_eq!((&attempt["answer"], &attempt["error"], &shown["payload"]), (&json!("ok"), &json!(null), &json!(received.body)));
        let sent = attempt["headers"].as_array().expect("headers");
        assert!(sent.iter().any(|header| header["name"] == "X-Audian-Signature"), "{shown}");
    }

    async fn ours_are_verified_by_the_published_library(stage: Stage) {
        let server = serve_today(&stage).await;
        let (ada, receiver) = (ada(&server).await, Receiver::start().await);
        let (id, secret) = listen(&ada.test(), "native", &receiver).await;
        buy(&ada, "+14155550100").await;
        let received = receiver.wait(1).await.remove(0);
        assert!(genuine(&secret, &received) && received.header("webhook-id").starts_with("evt_"));
        assert_eq!(received.json()["type"], "number.purchased");
        let rotated = ada.test().post(&format!("/v1/webhooks/{id}/rotate-secret"), json!({ "overlap_seconds": 60 })).await;
        let fresh = rotated.body["signing_secret"].as_str().expect("a secret").to_owned();
        assert_eq!(rotated.body["previous_secret_until"], json!(server.now().plus_seconds(60).to_string()));
        buy(&ada, "+14155550101").await;
        let received = receiver.wait(2).await.remove(1);
        assert!(genuine(&secret, &received) && genuine(&fresh, &received));
        server.pass_seconds(61);
        buy(&ada, "+14155550102").await;
        let received = receiver.wait(3).await.remove(2);
        assert!(!genuine(&secret, &received) && genuine(&fresh, &received));
    }

    async fn a_test_event_reaches_the_one_that_is_tested(stage: Stage) {
        let server = serve(&stage).await;
        let ada = ada(&server).await;
        for dialect in ["native", "audian", "telephony_io", "fonedynamics"] {
            let (receiver, other) = (Receiver::start().await, Receiver::start().await);
            let (id, _) = listen(&ada.test(), dialect, &receiver).await;
            listen(&ada.test(), "native", &other).await;
            let tested = ada.test().post(&format!("/v1/webhooks/{id}/test"), json!({})).await;
            assert_eq!((tested.status, &tested.body["event"], &tested.body["status"]), (202, &json!("webhook.test"), &json!("pending")));
            let received = receiver.wait(1).await.remove(0);
            assert!(received.body.contains("webhook.test"), "{received:?}");
            wait_for(&ada.test(), tested.body["id"].as_str().expect("an id"), "delivered").await;
            assert_eq!(other.count(), 0);
        }
    }

    async fn what_happens_to_one_object_is_told_in_order(stage: Stage) {
        let server = serve(&stage).await;
        let (ada, receiver) = (ada(&server).await, Receiver::start().await);
        listen(&ada.test(), "native", &receiver).await;
        receiver.react(Reaction::Status(500));
        let (one, other) = (buy(&ada, "+14155550100").await, buy(&ada, "+14155550101").await);
        for round in 0..5 {
            configure(&ada, &one, &format!("One {round}")).await;
            configure(&ada, &other, &format!("Other {round}")).await;
        }
        until("the first of each object was tried", || async { (receiver.count() >= 2).then_some(()) }).await;
        receiver.react(Reaction::Status(200));
        receiver.take();
        ada.advance(10).await;
        let received = receiver.wait(12).await;
        for object in [&one, &other] {
            let told: Vec<i64> = received
                .iter()
                .map(Received::json)
                .filter(|body| body["data"]["object_id"] == object.as_str())
                .map(|body| body["data"]["sequence"].as_i64().expect("a sequence"))
                .collect();
            assert_eq!(told, [1, 2, 3, 4, 5, 6]);
        }
    }

    async fn an_endpoint_hears_of_what_it_asked_for(stage: Stage) {
        let server = serve(&stage).await;
        let (ada, receiver) = (ada(&server).await, Receiver::start().await);
        let body = json!({ "url": receiver.url("/a?b=c"), "events": ["number.configured"], "dialect": "audian" });
        ada.test().post("/v1/webhooks", body).await.assert_status(201);
        let id = buy(&ada, "+14155550100").await;
        configure(&ada, &id, "Front desk").await;
        let received = receiver.wait(1).await;
        assert_eq!((names(&received, "event"), received[0].path.as_str()), (vec!["number.configured".to_owned()], "/a?b=c"));
        until("nothing is left in the queue", || async {
            (server.count("SELECT COUNT(*) FROM event_queue").await == 0).then_some(())
        }).await;
        assert_eq!(server.count("SELECT COUNT(*) FROM deliveries").await, 1);
    }

    async fn a_numbers_webhook_is_told_and_signed_both_ways(stage: Stage) {
        let server = serve_today(&stage).await;
        let (ada, receiver) = (ada(&server).await, Receiver::start().await);
        let (app, environment, url) = (server.app(), ada.side(Environment::Test).environment, receiver.url("/sms"));
        let pen = app.pen();
        let mut payload = Map::new();
        payload.insert("from".to_owned(), json!("+14155550199"));
        payload.insert("body".to_owned(), json!("Grüße"));
        let news = NumberWebhook { url, event: "message.received", payload, object: "msg_1".to_owned() };
        let told = app.store.write(move |tx| {
            let desk = pen.open(tx, environment)?;
            notify_in(tx, &desk, &news)?;
            notify_in(tx, &desk, &news)
        });
        let second = told.await.expect("told");
        let received = receiver.wait(2).await;
        let body = received[1].json();
        assert_eq!((&body["event"], &body["data"]), (&json!("message.received"), &json!({ "message_id": "msg_1", "from": "+14155550199", "body": "Grüße" })));
        assert_eq!(received[1].header("x-audian-delivery-id"), second.to_string());
        let secret = ada.test().get("/v1/number-webhooks/secret").await.body["signing_secret"].as_str().expect("a secret").to_owned();
        assert!(received.iter().all(|received| genuine(&secret, received)));
        let other = ada.live().get("/v1/number-webhooks/secret").await;
        assert_ne!(other.body["signing_secret"], json!(secret));
        assert_eq!(ada.test().get("/v1/webhooks").await.body["data"], json!([]));
        wait_for(&ada.test(), &second.to_string(), "delivered").await;
    }

    async fn fone_dynamics_is_called_by_get_with_everything_in_the_query(stage: Stage) {
        let server = serve(&stage).await;
        let (ada, receiver) = (ada(&server).await, Receiver::start().await);
        let body = json!({ "url": receiver.url("/fd?key=1"), "events": ["*"], "dialect": "fonedynamics", "method": "GET" });
        let made = ada.test().post("/v1/webhooks", body).await;
        let id = made.assert_status(201).body["id"].as_str().expect("an id").to_owned();
        ada.test().post(&format!("/v1/webhooks/{id}/test"), json!({})).await.assert_status(202);
        let received = receiver.wait(1).await.remove(0);
        assert_eq!((received.method.as_str(), received.body.as_str()), ("GET", ""));
        assert!(received.path.starts_with("/fd?key=1&Action=Webhook&Event=webhook.test&Account.Sid=A"), "{received:?}");
    }

    async fn two_servers_hand_each_event_out_once(stage: Stage) {
        if stage.engine() == tandem_testkit::Engine::Sqlite {
            return; // an SQLite file has one server
        }
        let (first, second) = (serve(&stage).await, serve(&stage).await);
        let (ada, receiver) = (ada(&first).await, Receiver::start().await);
        let (hook, _) = listen(&ada.test(), "native", &receiver).await;
        let id = buy(&ada, "+14155550100").await;
        for round in 0..50 {
            configure(&ada, &id, &format!("Round {round}")).await;
        }
        let received = receiver.wait(51).await;
        let told: Vec<i64> = received.iter().map(|received| received.json()["data"]["sequence"].as_i64().expect("a sequence")).collect();
        assert_eq!(told, (1..=51).collect::<Vec<_>>());
        wait_until(&ada.test(), &hook, "number.configured", "delivered").await;
        assert_eq!(second.count("SELECT COUNT(*) FROM deliveries").await, 51);
    }
}
