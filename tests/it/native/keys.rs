//! Keys of accounts and of operators.

use http::Method;
use serde_json::{Value, json};
use tandem_kernel::Scope;
use tandem_testkit::{Answer, Client, Server, on_both};

use super::{of, refused, refuses, text, walk};

const OWN: &str = "/v1/account/keys";
const OPERATORS: &str = "/v1/operator-keys";

fn shown(answer: &Answer) -> String {
    answer.assert_status(201);
    text(answer, "/text")
}

async fn walk_first(client: &Client) -> Answer {
    let page = client.get(&format!("{OPERATORS}?limit=1")).await;
    page.assert_status(200);
    page
}

async fn works(client: &Client) {
    client.get("/v1/account").await.assert_status(200);
}

on_both! {
    async fn an_operator_makes_lists_and_revokes_keys(server: Server) {
        let ada = server.account("Ada").await;
        let (operator, path) = (server.operator(), of(&ada, "test", "keys"));
        let made = operator.post(&path, json!({ "label": "Back office", "scopes": ["numbers:read", "logs:read"] })).await;
        let key = shown(&made);
        assert!(key.starts_with("sk_test_") && made.body.get("note").is_none(), "{made}");
        assert_eq!(made.body["scopes"], json!(["numbers:read", "logs:read"]));
        works(&server.client_with(&key)).await;
        server.settle().await; // when it was last used is written a moment later
        let id = text(&made, "/id");
        let listed = walk(&operator, &path, 2).await;
        assert_eq!(listed.len(), 3);
        let found = listed.iter().find(|key| key["id"] == id.as_str()).expect("the key");
        assert_eq!((&found["label"], &found["status"]), (&json!("Back office"), &json!("active")));
        assert!(found.get("text").is_none() && !listed.iter().any(|listed| listed.to_string().contains(&key)));
        let revoked = operator.delete(&format!("{path}/{id}")).await;
        revoked.assert_status(200);
        assert_eq!(revoked.body["status"], "revoked");
        refused(&server.client_with(&key).get("/v1/account").await, 401, "revoked_api_key", None);
        operator.delete(&format!("{path}/{id}")).await.assert(200, &revoked.body);
        refused(&operator.post(&format!("{path}/{id}/rotate"), json!({})).await, 409, "invalid_transition", None);
    }

    async fn a_key_of_each_kind_has_the_rights_of_its_kind(server: Server) {
        let ada = server.account("Ada").await;
        let (operator, path) = (server.operator(), of(&ada, "live", "keys"));
        let publishable = operator.post(&path, json!({ "kind": "publishable" })).await;
        assert!(shown(&publishable).starts_with("pk_live_"));
        assert_eq!(publishable.body["scopes"], json!(["verify"]));
        let token = operator.post(&path, json!({ "kind": "token" })).await;
        assert!(shown(&token).starts_with("tk_live_"));
        assert_eq!(token.body["scopes"].as_array().map(Vec::len), Some(19));
    }

    async fn the_text_of_a_key_is_not_kept(server: Server) {
        let ada = server.account("Ada").await;
        let path = of(&ada, "test", "keys");
        let operator = server.operator().idempotency("once");
        let made = operator.post(&path, json!({ "label": "once" })).await;
        let key = shown(&made);
        let again = operator.post(&path, json!({ "label": "once" })).await;
        again.assert_status(201).assert_header("idempotent-replayed", "true");
        assert_eq!(again.body["id"], made.body["id"]);
        assert!(again.body.get("text").is_none() && again.body["note"].is_string(), "{again}");
        assert_eq!(walk(&server.operator(), &path, 100).await.len(), 3);
        let kept = server.read(|tx| Ok(tx.query("SELECT body FROM idempotency", &[])?.iter().map(|row| row.bytes(0).expect("bytes").to_vec()).collect::<Vec<_>>())).await;
        assert!(!kept.is_empty());
        assert!(kept.iter().all(|body| !String::from_utf8_lossy(body).contains(&key)));
    }

    async fn a_rotated_key_works_for_the_overlap(server: Server) {
        let ada = server.account("Ada").await;
        let (operator, path) = (server.operator(), of(&ada, "test", "keys"));
        let rotate = format!("{path}/{}/rotate", ada.test.key_id);
        let made = operator.post(&rotate, json!({ "overlap_seconds": 60 })).await;
        let successor = server.client_with(shown(&made));
        works(&successor).await;
        works(&ada.test()).await;
        server.pass_seconds(61);
        refused(&ada.test().get("/v1/account").await, 401, "expired_api_key", None);
        works(&successor).await;
        let listed = walk(&operator, &path, 100).await;
        let old = listed.iter().find(|key| key["id"] == ada.test.key_id.to_string()).expect("the old key");
        assert_eq!((&old["status"], &old["replaced_by"]), (&json!("expired"), &made.body["id"]));
    }

    async fn wrong_wishes_for_keys_are_refused(server: Server) {
        let ada = server.account("Ada").await;
        let (operator, path) = (server.operator(), of(&ada, "test", "keys"));
        let cases: &[(Value, u16, &str, Option<&str>)] = &[
            (json!({ "kind": "operator" }), 400, "invalid_choice", Some("/kind")),
            (json!({ "scopes": ["operator"] }), 400, "invalid_choice", Some("/scopes")),
            (json!({ "scopes": "numbers:read" }), 400, "wrong_type", Some("/scopes")),
            (json!({ "scopes": [] }), 400, "invalid_value", Some("/scopes")),
            (json!({ "kind": "publishable", "scopes": ["numbers:read"] }), 400, "invalid_value", Some("/scopes")),
            (json!({ "label": "x".repeat(129) }), 400, "too_long", Some("/label")),
            (json!({ "expires_at": "tomorrow" }), 400, "invalid_value", Some("/expires_at")),
            (json!({ "expires_at": "2020-01-01" }), 400, "invalid_value", Some("/expires_at")),
        ];
        refuses(&operator, Method::POST, &path, cases).await;
        refuses(&ada.test(), Method::POST, OWN, cases).await;
        let rotate = format!("{path}/{}/rotate", ada.test.key_id);
        refuses(&operator, Method::POST, &rotate, &[
            (json!({ "overlap_seconds": -1 }), 400, "out_of_range", Some("/overlap_seconds")),
            (json!({ "overlap_seconds": 2_592_001 }), 400, "out_of_range", Some("/overlap_seconds")),
        ]).await;
        let elsewhere = of(&ada, "live", &format!("keys/{}", ada.test.key_id));
        refused(&operator.delete(&elsewhere).await, 404, "resource_not_found", None);
    }

    async fn an_account_handles_its_own_keys(server: Server) {
        let ada = server.account("Ada").await;
        let made = ada.test().post(OWN, json!({ "label": "mine", "scopes": ["keys", "numbers:read"] })).await;
        let modest = server.client_with(shown(&made));
        let inherited = modest.post(OWN, json!({})).await;
        shown(&inherited);
        assert_eq!(inherited.body["scopes"], json!(["numbers:read", "keys"]));
        assert_eq!(walk(&modest, OWN, 1).await.len(), 4);
        let id = text(&inherited, "/id");
        let rotated = modest.post(&format!("{OWN}/{id}/rotate"), json!({})).await;
        shown(&rotated);
        modest.delete(&format!("{OWN}/{}", text(&rotated, "/id"))).await.assert_status(200);
        assert_eq!(walk(&ada.live(), OWN, 100).await.len(), 2);
    }

    async fn nobody_comes_by_rights_through_a_key(server: Server) {
        let ada = server.account("Ada").await;
        let modest = ada.test_with(&[Scope::Keys, Scope::NumbersRead]).await;
        let more = modest.post(OWN, json!({ "scopes": ["numbers:write"] })).await;
        refused(&more, 403, "insufficient_scope", None);
        refused(&modest.post(OWN, json!({ "kind": "publishable" })).await, 403, "insufficient_scope", None);
        let greater = modest.post(&format!("{OWN}/{}/rotate", ada.test.key_id), json!({})).await;
        refused(&greater, 403, "insufficient_scope", None);
        let reader = ada.test_with(&[Scope::NumbersRead]).await;
        refused(&reader.get(OWN).await, 403, "insufficient_scope", None);
        refused(&reader.post(OWN, json!({})).await, 403, "insufficient_scope", None);
        refused(&reader.delete(&format!("{OWN}/{}", ada.test.key_id)).await, 403, "insufficient_scope", None);
        let eve = server.account("Eve").await;
        for path in [format!("{OWN}/{}", ada.test.key_id), format!("{OWN}/key_abc123")] {
            refused(&eve.test().delete(&path).await, 404, "resource_not_found", None);
            refused(&eve.test().post(&format!("{path}/rotate"), json!({})).await, 404, "resource_not_found", None);
        }
        works(&ada.test()).await;
    }

    async fn two_operators_cannot_shut_each_other_out(server: Server) {
        for _ in 0..10 {
            let first = server.operator();
            let made = first.post(OPERATORS, json!({})).await;
            let (second, first_id) = (server.client_with(shown(&made)), text(&walk_first(&first).await, "/data/0/id"));
            let (one, other) = (format!("{OPERATORS}/{}", text(&made, "/id")), format!("{OPERATORS}/{first_id}"));
            let (_, revoked) = tokio::join!(first.delete(&one), second.delete(&other));
            let (first_works, second_works) = (first.get(OPERATORS).await.status == 200, second.get(OPERATORS).await.status == 200);
            assert!(first_works != second_works, "{revoked}");
            if second_works {
                return; // the first key is gone for good
            }
        }
    }

    async fn the_last_operators_key_stays(server: Server) {
        let first = server.operator();
        let listed = walk(&first, OPERATORS, 100).await;
        assert_eq!(listed.len(), 1);
        let id = listed[0]["id"].as_str().expect("an id").to_owned();
        let last = first.delete(&format!("{OPERATORS}/{id}")).await;
        refused(&last, 409, "invalid_transition", None);
        assert_eq!(last.body["detail"], "The operator key is the last one that works and cannot be revoked");
        let ending = first.post(OPERATORS, json!({ "label": "guest", "expires_at": "2024-01-02" })).await;
        shown(&ending);
        refused(&first.delete(&format!("{OPERATORS}/{id}")).await, 409, "invalid_transition", None);
        let second = server.client_with(shown(&first.post(OPERATORS, json!({ "label": "second" })).await));
        second.get(OPERATORS).await.assert_status(200);
        second.delete(&format!("{OPERATORS}/{id}")).await.assert_status(200);
        refused(&first.get(OPERATORS).await, 401, "revoked_api_key", None);
        let rotated = second.post(&format!("{OPERATORS}/{}/rotate", text(&ending, "/id")), json!({ "overlap_seconds": 0 })).await;
        server.client_with(shown(&rotated)).get(OPERATORS).await.assert_status(200);
        let mistaken = second.delete(&format!("{OPERATORS}/key_abc123")).await;
        refused(&mistaken, 404, "resource_not_found", None);
    }
}
