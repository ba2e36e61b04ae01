//! Making, changing and deleting webhooks.

use serde_json::json;
use tandem_kernel::Scope;
use tandem_testkit::{Receiver, Server, Stage, on_both};

use super::{buy, listen, serve};

const AUDIAN: &str = "/audian/v2/webhooks";
const OURS: &str = "/v1/webhooks";

on_both! {
    async fn a_webhook_is_made_changed_and_deleted(server: Server) {
        let ada = server.account("Ada").await;
        let made = ada.test().post(AUDIAN, json!({ "url": "https://hooks.customer.example/hook", "events": ["number.purchased", "call.completed"] })).await;
        made.assert_status(201);
        let (id, secret) = (made.body["id"].as_str().expect("an id"), made.body["signing_secret"].as_str().expect("a secret"));
        assert!(id.starts_with("wh_") && secret.starts_with("whsec_"), "{made}");
        let shown = json!({
            "id": id, "url": "https://hooks.customer.example/hook", "events": ["number.purchased", "call.completed"], "status": "active",
            "created_at": "2024-01-01T00:00:00Z",
        });
        let one = format!("{AUDIAN}/{id}");
        ada.test().get(&one).await.assert(200, &shown);
        ada.test().get(AUDIAN).await.assert(200, &json!({ "webhooks": [shown], "total": 1, "limit": 20, "offset": 0 }));
        let changed = ada.test().put(&one, json!({ "events": ["*"], "enabled": false })).await;
        assert_eq!((&changed.body["events"], &changed.body["status"]), (&json!(["*"]), &json!("disabled")), "{changed}");
        assert_eq!(changed.body["disabled_reason"], "Its owner switched it off");
        let test = ada.test().post(&format!("{one}/test"), json!({})).await;
        test.assert_audian_error(409, "resource_conflict", "conflict_error", "The webhook is disabled and cannot be tested", None);
        let rotated = ada.test().post(&format!("{one}/rotate-secret"), json!({})).await;
        assert!(rotated.assert_status(200).body["signing_secret"].as_str().expect("a secret") != secret, "{rotated}");
        let gone = ada.test().delete(&one).await;
        assert_eq!(gone.assert_status(200).body["status"], "deleted");
        let message = format!("The webhook '{id}' was not found");
        ada.test().get(&one).await.assert_audian_error(404, "not_found_error", "not_found_error", &message, None);
        ada.test().get(AUDIAN).await.assert(200, &json!({ "webhooks": [], "total": 0, "limit": 20, "offset": 0 }));
    }

    async fn what_is_no_webhook_is_refused(server: Server) {
        let ada = server.account("Ada").await;
        let url = "https://hooks.customer.example/hook";
        for (body, code, param) in [
            (json!({ "events": ["*"] }), "missing_required_parameter", "url"),
            (json!({ "url": url }), "missing_required_parameter", "events"),
            (json!({ "url": 5, "events": ["*"] }), "invalid_request_error", "url"),
            (json!({ "url": "http://example.com", "events": ["*"] }), "invalid_parameter", "url"),
            (json!({ "url": "https://127.0.0.1/", "events": ["*"] }), "invalid_parameter", "url"),
            (json!({ "url": "https://[::ffff:10.0.0.1]/", "events": ["*"] }), "invalid_parameter", "url"),
            (json!({ "url": "https://localhost/", "events": ["*"] }), "invalid_parameter", "url"),
            (json!({ "url": "https://a:b@example.com/", "events": ["*"] }), "invalid_parameter", "url"),
            (json!({ "url": "nowhere", "events": ["*"] }), "invalid_parameter", "url"),
            (json!({ "url": url, "events": "*" }), "invalid_request_error", "events"),
            (json!({ "url": url, "events": [] }), "invalid_parameter", "events"),
            (json!({ "url": url, "events": ["number.sold"] }), "invalid_parameter", "events"),
            (json!({ "url": url, "events": ["Message.Received"] }), "invalid_parameter", "events"),
        ] {
            let refused = ada.test().post(AUDIAN, body).await;
            refused.assert_status(400);
            assert_eq!((&refused.body["error"]["code"], &refused.body["error"]["param"]), (&json!(code), &json!(param)), "{refused}");
        }
        let verify = ada.test().post(OURS, json!({ "url": url, "events": ["number.purchased"], "dialect": "telephony_io" })).await;
        assert_eq!(verify.assert_status(400).body["code"], "invalid_choice", "{verify}");
        let get = ada.test().post(OURS, json!({ "url": url, "events": ["*"], "method": "GET" })).await;
        assert_eq!(get.assert_status(400).body["code"], "invalid_value", "{get}");
    }

    async fn webhooks_are_their_owners_and_operators_see_all(server: Server) {
        let (ada, eve) = (server.account("Ada").await, server.account("Eve").await);
        let body = json!({ "url": "https://hooks.customer.example/", "events": ["*"], "description": "Billing" });
        let made = ada.test().post(OURS, body.clone()).await;
        let one = format!("{OURS}/{}", made.assert_status(201).body["id"].as_str().expect("an id"));
        assert_eq!((&made.body["dialect"], &made.body["method"]), (&json!("native"), &json!("POST")));
        for path in ["", "/deliveries"] {
            eve.test().get(&format!("{one}{path}")).await.assert_status(404);
            ada.live().get(&format!("{one}{path}")).await.assert_status(404);
            server.operator().get(&format!("{one}{path}")).await.assert_status(200);
        }
        for path in ["/enable", "/disable", "/rotate-secret", "/test"] {
            eve.test().post(&format!("{one}{path}"), json!({})).await.assert_status(404);
        }
        eve.test().delete(&one).await.assert_status(404);
        ada.test().get(&one.replace(OURS, AUDIAN)).await.assert_status(404); // another dialect's
        let reader = ada.test_with(&[Scope::NumbersRead]).await;
        for answer in [reader.get(&one).await, reader.get(OURS).await, reader.post(OURS, body.clone()).await, reader.delete(&one).await] {
            assert_eq!(answer.assert_status(403).body["code"], "insufficient_scope", "{answer}");
        }
        let operator = server.operator();
        assert_eq!(operator.post(OURS, body.clone()).await.assert_status(400).body["code"], "missing_parameter");
        let mut whose = body;
        whose["account_id"] = json!(ada.account.to_string());
        whose["environment"] = json!("test");
        operator.post(OURS, whose).await.assert_status(201);
        let query = format!("{OURS}?account_id={}&environment=test", ada.account);
        assert_eq!(operator.get(&query).await.body["data"].as_array().map(Vec::len), Some(2));
        assert_eq!(ada.test().get(OURS).await.body["data"].as_array().map(Vec::len), Some(2));
        let elsewhere = format!("{OURS}?account_id={}", eve.account);
        ada.test().get(&elsewhere).await.assert_status(404);
        let audited = server.count("SELECT COUNT(*) FROM audit WHERE action = 'webhook.create'").await;
        assert_eq!(audited, 1);
    }

    async fn a_secret_is_shown_once_and_kept_nowhere_in_the_open(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test().idempotency("once");
        let body = json!({ "url": "https://hooks.customer.example/", "events": ["*"] });
        let made = client.post(AUDIAN, body.clone()).await;
        let secret = made.assert_status(201).body["signing_secret"].as_str().expect("a secret").to_owned();
        let again = client.post(AUDIAN, body).await;
        assert_eq!((again.status, &again.body["id"], again.body.get("signing_secret")), (201, &made.body["id"], None), "{again}");
        server.settle().await;
        let kept = server.read(|tx| {
            let mut all = Vec::new();
            for row in tx.query("SELECT secrets FROM webhooks", &[])?.iter().chain(&tx.query("SELECT body FROM idempotency", &[])?) {
                all.extend_from_slice(row.bytes(0)?);
            }
            for row in tx.query("SELECT body FROM requests", &[])? {
                all.extend_from_slice(row.text(0)?.as_bytes());
            }
            Ok(all)
        }).await;
        assert!(kept.len() > 100 && !String::from_utf8_lossy(&kept).contains(&secret));
    }

    async fn an_environment_takes_a_hundred_webhooks(server: Server) {
        let ada = server.account("Ada").await;
        ada.unlimited(tandem_kernel::Environment::Test).await;
        let body = json!({ "url": "https://hooks.customer.example/", "events": ["*"] });
        for _ in 0..100 {
            ada.test().post(AUDIAN, body.clone()).await.assert_status(201);
        }
        let refused = ada.test().post(AUDIAN, body).await;
        refused.assert_audian_error(403, "operation_not_allowed", "forbidden_error", "An environment takes at most 100 webhooks", None);
    }

    async fn nothing_is_queued_where_nobody_listens(stage: Stage) {
        let server = serve(&stage).await;
        let (ada, receiver) = (server.account("Ada").await, Receiver::start().await);
        buy(&ada, "+14155550100").await;
        assert_eq!(server.count("SELECT COUNT(*) FROM event_queue").await, 0);
        let (id, _) = listen(&ada.test(), "native", &receiver).await;
        buy(&ada, "+14155550101").await;
        receiver.wait(1).await;
        ada.test().post(&format!("{OURS}/{id}/disable"), json!({})).await.assert_status(200);
        buy(&ada, "+14155550102").await;
        assert_eq!(server.count("SELECT COUNT(*) FROM environments WHERE has_webhooks").await, 0);
        assert_eq!(server.count("SELECT COUNT(*) FROM event_queue").await, 0);
        ada.test().post(&format!("{OURS}/{id}/enable"), json!({})).await.assert_status(200);
        buy(&ada, "+14155550103").await;
        assert_eq!(receiver.wait(2).await.len(), 2);
    }
}
