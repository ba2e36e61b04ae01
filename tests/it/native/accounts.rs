//! Accounts, their environments and limits.

use http::Method;
use serde_json::{Value, json};
use tandem_testkit::{Server, on_both};

use super::{of, refused, refuses, text, walk};

const ACCOUNTS: &str = "/v1/accounts";

on_both! {
    async fn an_account_is_opened_with_both_environments(server: Server) {
        let operator = server.operator();
        let opened = operator.post(ACCOUNTS, json!({ "name": "Analytical Engines", "email": "ada@example.com" })).await;
        opened.assert_status(201);
        assert_eq!(opened.body["name"], "Analytical Engines");
        assert_eq!(opened.body["status"], "active");
        assert_eq!(opened.body["currency"], "USD");
        let environments = opened.body["environments"].as_array().expect("a list");
        let kinds: Vec<_> = environments.iter().map(|environment| &environment["environment"]).collect();
        assert_eq!(kinds, ["live", "test"]);
        for environment in environments {
            let limits = json!({ "rate_limit": 1000, "period_seconds": 60, "burst": 100, "monthly_quota": null });
            assert_eq!(environment["limits"], limits);
            assert_eq!(environment["clock"], json!({ "offset_seconds": 0, "frozen_at": null }));
            assert_eq!(environment["wallet"]["available"], 0);
        }
        let id = text(&opened, "/id");
        operator.get(&format!("{ACCOUNTS}/{id}")).await.assert(200, &opened.body);
        let read = operator.get(&format!("{ACCOUNTS}/{id}/environments")).await;
        read.assert(200, &json!({ "data": environments }));
    }

    async fn accounts_are_listed_page_by_page(server: Server) {
        let operator = server.operator();
        let mut opened = Vec::new();
        for name in ["Ada", "Babbage", "Clara"] {
            let answer = operator.post(ACCOUNTS, json!({ "name": name, "email": "x@example.com" })).await;
            opened.push(answer.body["id"].clone());
            server.pass_seconds(1);
        }
        for limit in [1, 2, 3, 100] {
            let listed: Vec<Value> = walk(&operator, ACCOUNTS, limit).await.iter().map(|account| account["id"].clone()).collect();
            assert_eq!(listed, opened);
        }
    }

    async fn what_is_not_named_stays(server: Server) {
        let ada = server.account("Ada").await;
        let operator = server.operator();
        let path = format!("{ACCOUNTS}/{}", ada.account);
        let before = operator.get(&path).await.body;
        operator.patch(&path, json!({})).await.assert(200, &before);
        let changed = operator.patch(&path, json!({ "name": "Ada & Co", "verified": false, "mms_enabled": true })).await;
        changed.assert_status(200);
        assert_eq!(changed.body["name"], "Ada & Co");
        assert_eq!(changed.body["email"], before["email"]);
        assert_eq!((&changed.body["verified"], &changed.body["mms_enabled"]), (&json!(false), &json!(true)));
        operator.get(&path).await.assert(200, &changed.body);
    }

    async fn changes_at_the_same_time_all_hold(server: Server) {
        let ada = server.account("Ada").await;
        let path = format!("{ACCOUNTS}/{}", ada.account);
        for round in 0..12 {
            let (name, email, verified) = (format!("Ada {round}"), format!("ada{round}@example.com"), round % 2 == 0);
            let (one, two, three) = (server.operator(), server.operator(), server.operator());
            let (one, two, three) = tokio::join!(
                one.patch(&path, json!({ "name": name })),
                two.patch(&path, json!({ "email": email })),
                three.patch(&path, json!({ "verified": verified })),
            );
            [one, two, three].iter().for_each(|changed| { changed.assert_status(200); });
            let body = server.operator().get(&path).await.body;
            assert_eq!((&body["name"], &body["email"], &body["verified"]), (&json!(name), &json!(email), &json!(verified)));
        }
    }

    async fn a_suspended_account_is_refused_and_a_closed_one_unknown(server: Server) {
        let ada = server.account("Ada").await;
        let operator = server.operator();
        let path = format!("{ACCOUNTS}/{}", ada.account);
        operator.patch(&path, json!({ "status": "suspended" })).await.assert_status(200);
        refused(&ada.test().get("/v1/account").await, 403, "account_suspended", None);
        operator.patch(&path, json!({ "status": "active" })).await.assert_status(200);
        ada.test().get("/v1/account").await.assert_status(200);
        operator.patch(&path, json!({ "status": "closed" })).await.assert_status(200);
        refused(&ada.test().get("/v1/account").await, 401, "invalid_api_key", None);
    }

    async fn limits_hold_at_once_and_one_by_one(server: Server) {
        let ada = server.account("Ada").await;
        let (operator, path) = (server.operator(), of(&ada, "test", "limits"));
        let set = operator.patch(&path, json!({ "rate_limit": 7, "monthly_quota": 9 })).await;
        set.assert(200, &json!({ "rate_limit": 7, "period_seconds": 60, "burst": 100, "monthly_quota": 9 }));
        ada.test().get("/v1/account").await.assert_status(200).assert_header("x-ratelimit-limit", "7");
        ada.live().get("/v1/account").await.assert_header("x-ratelimit-limit", "1000");
        let kept = operator.patch(&path, json!({ "burst": 3 })).await;
        kept.assert(200, &json!({ "rate_limit": 7, "period_seconds": 60, "burst": 3, "monthly_quota": 9 }));
        let cleared = operator.patch(&path, json!({ "monthly_quota": null })).await;
        assert_eq!(cleared.body["monthly_quota"], Value::Null);
        operator.patch(&path, json!({ "monthly_quota": 0 })).await.assert_status(200);
        refused(&ada.test().get("/v1/account").await, 429, "quota_exceeded", None);
    }

    async fn wrong_fields_are_named(server: Server) {
        let ada = server.account("Ada").await;
        let operator = server.operator();
        refuses(&operator, Method::POST, ACCOUNTS, &[
            (json!({ "email": "a@b" }), 400, "missing_parameter", Some("/name")),
            (json!({ "name": "Ada" }), 400, "missing_parameter", Some("/email")),
            (json!({ "name": 1, "email": "a@b" }), 400, "wrong_type", Some("/name")),
            (json!({ "name": "x".repeat(129), "email": "a@b" }), 400, "too_long", Some("/name")),
            (json!({ "name": "Ada", "email": "nobody" }), 400, "invalid_value", Some("/email")),
            (json!({ "name": "Ada", "email": "a@b", "currency": "XXX" }), 400, "invalid_choice", Some("/currency")),
            (json!([]), 400, "malformed_body", None),
        ]).await;
        refuses(&operator, Method::PATCH, &format!("{ACCOUNTS}/{}", ada.account), &[
            (json!({ "name": "" }), 400, "too_short", Some("/name")),
            (json!({ "email": "a b@c" }), 400, "invalid_value", Some("/email")),
            (json!({ "status": "gone" }), 400, "invalid_choice", Some("/status")),
            (json!({ "verified": "yes" }), 400, "wrong_type", Some("/verified")),
            (json!({ "sms_enabled": 1 }), 400, "wrong_type", Some("/sms_enabled")),
            (json!({ "mms_enabled": [] }), 400, "wrong_type", Some("/mms_enabled")),
        ]).await;
        refuses(&operator, Method::PATCH, &of(&ada, "test", "limits"), &[
            (json!({ "rate_limit": 0 }), 400, "out_of_range", Some("/rate_limit")),
            (json!({ "period_seconds": 86_401 }), 400, "out_of_range", Some("/period_seconds")),
            (json!({ "burst": 1.5 }), 400, "wrong_type", Some("/burst")),
            (json!({ "monthly_quota": -1 }), 400, "out_of_range", Some("/monthly_quota")),
        ]).await;
        refused(&operator.patch("/v1/accounts/acc_abc123", json!({})).await, 404, "account_not_found", None);
        refused(&operator.patch(&of(&ada, "staging", "limits"), json!({})).await, 404, "resource_not_found", None);
    }

    async fn an_account_is_opened_once(server: Server) {
        let operator = server.operator().idempotency("open-ada");
        let body = json!({ "name": "Ada", "email": "ada@example.com" });
        let first = operator.post(ACCOUNTS, body.clone()).await;
        first.assert_status(201).assert_no_header("idempotent-replayed");
        operator.post(ACCOUNTS, body).await.assert_replay_of(&first);
        let other = operator.post(ACCOUNTS, json!({ "name": "Eve", "email": "eve@example.com" })).await;
        refused(&other, 422, "idempotency_key_reused", None);
        assert_eq!(walk(&server.operator(), ACCOUNTS, 100).await.len(), 1);
    }

    async fn a_key_tells_whose_it_is(server: Server) {
        let ada = server.account("Ada").await;
        let identity = ada.test().get("/v1/account").await;
        identity.assert_status(200);
        assert_eq!(text(&identity, "/account/id"), ada.account.to_string());
        assert_eq!(text(&identity, "/environment/environment"), "test");
        assert_eq!(text(&identity, "/environment/now"), server.now().to_string());
        assert_eq!(text(&identity, "/key/id"), ada.test.key_id.to_string());
        let publishable = server.client_with(&ada.live.publishable).get("/v1/account").await;
        refused(&publishable, 403, "insufficient_scope", None);
    }
}
