//! Verifications as accounts and operators see them.

use http::Method;
use serde_json::json;
use tandem_kernel::Environment::Live;
use tandem_testkit::{Server, on_both};

use super::{of, refused, refuses, text, walk};

const SEND: &str = "/telephony/api/verify/send";

on_both! {
    async fn they_are_listed_newest_first_and_read(server: Server) {
        let (ada, eve) = (server.account("Ada").await, server.account("Eve").await);
        let mut ids = Vec::new();
        for last in 0..5 {
            let body = json!({ "phone_number": format!("+6141234567{last}"), "brand": "Acme", "locale": "fr", "code_length": 8 });
            let sent = ada.test().post(SEND, body).await;
            ids.insert(0, text(&sent, "/verification_id"));
        }
        for limit in [1, 2, 100] {
            let listed: Vec<_> = walk(&ada.test(), "/v1/verifications", limit).await.iter().map(|it| it["id"].clone()).collect();
            assert_eq!(listed, ids);
        }
        assert_eq!(walk(&eve.test(), "/v1/verifications", 10).await.len(), 0);
        assert_eq!(walk(&ada.live(), "/v1/verifications", 10).await.len(), 0);
        let path = format!("/v1/verifications/{}", ids[0]);
        let detail = ada.test().get(&path).await;
        let message = text(&detail, "/messages/0/message_id");
        assert!(message.starts_with("msg_"));
        detail.assert(200, &json!({
            "verification": {
                "id": ids[0], "phone_number": "+61412345674", "channel": "sms", "brand": "Acme", "locale": "fr", "code_length": 8,
                "status": "pending", "sends": 1, "checks": 0, "attempts_remaining": 5, "key_id": ada.test.key_id.to_string(),
                "created_at": "2024-01-01T00:00:00Z", "sent_at": "2024-01-01T00:00:00Z", "expires_at": "2024-01-01T00:10:00Z",
                "ended_at": null,
            },
            "messages": [{ "message_id": message, "call_id": null, "at": "2024-01-01T00:00:00Z" }],
        }));
        refused(&eve.test().get(&path).await, 404, "verification_not_found", None);
        refused(&ada.test().post("/v1/verifications/verify_none/cancel", json!({})).await, 404, "verification_not_found", None);
    }

    async fn an_operator_sets_what_they_may_do(server: Server) {
        let ada = server.account("Ada").await;
        let (operator, path) = (server.operator(), of(&ada, "live", "verification-policy"));
        let usual = operator.get(&path).await;
        assert_eq!(usual.body, ada.live().get("/v1/verification-policy").await.body);
        assert_eq!((&usual.body["usual"], &usual.body["sends_per_key"]), (&json!(true), &json!(600)));
        let set = operator.patch(&path, json!({ "countries": ["US", "AU", "US"], "cooldown_seconds": 60 })).await;
        set.assert(200, &json!({
            "usual": false, "countries": ["AU", "US"], "sends_per_number": 5, "cooldown_seconds": 60, "numbers_per_range": 10,
            "sends_per_key": 600, "sends_per_environment": 2000, "least_approval_percent": 10, "approval_sample": 30,
        }));
        assert_eq!(ada.live().get("/v1/verification-policy").await.body, set.body);
        refuses(&operator, Method::PATCH, &path, &[
            (json!({ "countries": ["XX"] }), 400, "invalid_choice", Some("/countries")),
            (json!({ "cooldown_seconds": 29 }), 400, "out_of_range", Some("/cooldown_seconds")),
            (json!({ "sends_per_number": 6 }), 400, "out_of_range", Some("/sends_per_number")),
            (json!({ "country": "US" }), 400, "unknown_parameter", Some("/country")),
        ]).await;
        refused(&ada.live().patch(&path, json!({})).await, 403, "insufficient_scope", None);
        let actions = walk(&operator, "/v1/audit", 10).await;
        let noted = actions.iter().find(|action| action["action"] == "verification.policy").expect("it is noted");
        assert_eq!(noted["detail"], json!({ "countries": "AU US" }));
        let body = json!({ "phone_number": "+61412345678" });
        ada.live().post(SEND, body.clone()).await.assert_status(200);
        server.pass_seconds(59);
        ada.live().post(SEND, body.clone()).await.assert_status(429).assert_header("retry-after", "1");
        server.pass_seconds(1);
        ada.live().post(SEND, body).await.assert_status(200);
        assert_eq!(server.deliver(Live).await.len(), 2);
    }
}
