//! The inventory as operators look after it.

use http::Method;
use serde_json::json;
use tandem_testkit::{Answer, Client, Server, on_both};

use super::{buy, refused, refuses};

const IMPORTS: &str = "/v1/inventory/imports";
const SEARCH: &str = "/audian/v2/numbers/search";
const CSV: &str = "number,features,monthly\n+14155550150,voice|sms,1.25\nnonsense,voice,1\n+14155550151,voice,1.25\n";

async fn import(client: &Client, query: &str, text: &str) -> Answer {
    let client = client.header("content-type", "text/csv");
    client.send(Method::POST, &format!("{IMPORTS}?{query}"), Some(text.as_bytes().to_vec())).await
}

on_both! {
    async fn good_lines_are_taken_in_and_bad_ones_named(server: Server) {
        let ada = server.account("Ada").await;
        let operator = server.operator();
        let taken = import(&operator, "environment=test", CSV).await;
        let bad = json!([{ "line": 3, "reason": "number: 'nonsense' is not written as + and 7 to 15 digits" }]);
        taken.assert(200, &json!({ "lines": 3, "loaded": 2, "unchanged": 0, "refused": 1, "bad_lines": bad }));
        let found = ada.test().get(&format!("{SEARCH}?pattern=4155550150")).await;
        assert_eq!(found.data()["numbers"][0]["price"]["monthly"], 1.25);
        assert_eq!(ada.live().get(&format!("{SEARCH}?pattern=4155550150")).await.data()["total"], 0);
        let again = import(&operator, "environment=test&format=csv", CSV).await;
        assert_eq!((&again.body["loaded"], &again.body["unchanged"]), (&json!(0), &json!(2)));
        buy(&ada, "+14155550150").await;
    }

    async fn json_lines_are_taken_in(server: Server) {
        let line = r#"{"number":"+14155550160","features":["voice"],"monthly":0.5,"setup":2,"address_requirement":"any"}"#;
        let taken = import(&server.operator(), "environment=live&format=jsonl", line).await;
        assert_eq!(taken.assert_status(200).body["loaded"], 1);
        let read = server.operator().get("/v1/inventory/live/+14155550160").await;
        read.assert(200, &json!({
            "number": "+14155550160", "environment": "live", "carrier": "owned", "state": "available", "features": ["voice"],
            "monthly": 0.5, "setup": 2, "currency": "USD", "address_requirement": "any", "holder": null,
        }));
    }

    async fn more_than_a_usual_body_is_taken_in(server: Server) {
        let lines = (0..40_000).map(|last| format!("+1415{},voice|sms,1.25\n", 2_000_000 + last));
        let text: String = std::iter::once("number,features,monthly\n".to_owned()).chain(lines).collect();
        assert!(text.len() > 1024 * 1024);
        let taken = import(&server.operator(), "environment=live", &text).await;
        taken.assert(200, &json!({ "lines": 40_000, "loaded": 40_000, "unchanged": 0, "refused": 0, "bad_lines": [] }));
        let logged = server.operator().get(&format!("/v1/requests/{}", taken.header("x-request-id").expect("an id"))).await;
        assert_eq!(logged.body["body"], format!("[{} bytes]", text.len()));
    }

    async fn a_file_that_is_too_large_is_refused_before_it_is_read(server: Server) {
        let text = "x".repeat(32 * 1024 * 1024 + 1);
        let refusal = import(&server.operator(), "environment=live", &text).await;
        refused(&refusal, 413, "body_too_large", None);
        assert!(refusal.body["detail"].as_str().is_some_and(|detail| detail.contains("33554432 bytes")), "{refusal}");
        let logged = server.operator().get(&format!("/v1/requests/{}", refusal.header("x-request-id").expect("an id"))).await;
        assert_eq!(logged.body["code"], "body_too_large");
    }

    async fn what_cannot_be_taken_in_is_refused(server: Server) {
        let operator = server.operator();
        refused(&import(&operator, "", CSV).await, 400, "missing_parameter", Some("/environment"));
        refused(&import(&operator, "environment=both", CSV).await, 400, "invalid_choice", Some("/environment"));
        refused(&import(&operator, "environment=test&format=xml", CSV).await, 400, "invalid_choice", Some("/format"));
        refused(&import(&operator, "environment=test", "number,feature,monthly\n").await, 400, "unknown_parameter", Some("/feature"));
        refused(&import(&operator, "environment=test", "").await, 400, "missing_parameter", Some("/number"));
    }

    async fn an_import_is_answered_again(server: Server) {
        let operator = server.operator().idempotency("import");
        let first = import(&operator, "environment=test", CSV).await;
        import(&operator, "environment=test", CSV).await.assert_replay_of(&first);
    }

    async fn a_number_is_set_aside_and_put_up_again(server: Server) {
        let ada = server.account("Ada").await;
        let (operator, path) = (server.operator(), "/v1/inventory/test/+14155550100");
        let reserved = operator.patch(path, json!({ "state": "reserved" })).await;
        assert_eq!(reserved.assert_status(200).body["state"], "reserved");
        assert_eq!(ada.test().get(&format!("{SEARCH}?pattern=4155550100")).await.data()["total"], 0);
        ada.test().post("/audian/v2/numbers/purchase", json!({ "number": "+14155550100" })).await.assert_status(422);
        let change = json!({ "state": "available", "monthly": 2.5, "setup": 1, "features": ["voice", "fax"], "address_requirement": "local" });
        let changed = operator.patch(path, change).await;
        operator.get(path).await.assert(200, &changed.body);
        let found = ada.test().get(&format!("{SEARCH}?pattern=4155550100&features=fax")).await;
        assert_eq!(found.data()["numbers"][0]["price"], json!({ "monthly": 2.5, "setup": 1 }));
        ada.live().get(&format!("{SEARCH}?pattern=4155550100")).await.assert_status(200);
        let number = buy(&ada, "+14155550100").await;
        assert_eq!(number["billing"]["monthly_cost"], 2.5);
    }

    async fn what_somebody_has_stays(server: Server) {
        let ada = server.account("Ada").await;
        buy(&ada, "+14155550100").await;
        let (operator, path) = (server.operator(), "/v1/inventory/test/+14155550100");
        let read = operator.get(path).await;
        let holder = json!({ "account_id": ada.account.to_string(), "environment_id": ada.test.environment.to_string() });
        assert_eq!((&read.body["state"], &read.body["holder"]), (&json!("assigned"), &holder));
        refused(&operator.patch(path, json!({ "monthly": 1 })).await, 409, "invalid_transition", None);
        refused(&operator.patch(path, json!({ "state": "available" })).await, 409, "invalid_transition", None);
    }

    async fn wrong_changes_are_named(server: Server) {
        let operator = server.operator();
        refuses(&operator, Method::PATCH, "/v1/inventory/test/+14155550100", &[
            (json!({ "state": "assigned" }), 400, "invalid_choice", Some("/state")),
            (json!({ "monthly": -1 }), 400, "out_of_range", Some("/monthly")),
            (json!({ "setup": "free" }), 400, "wrong_type", Some("/setup")),
            (json!({ "features": [] }), 400, "invalid_value", Some("/features")),
            (json!({ "features": ["video"] }), 400, "invalid_choice", Some("/features")),
            (json!({ "address_requirement": "some" }), 400, "invalid_choice", Some("/address_requirement")),
        ]).await;
        for path in ["/v1/inventory/test/+14155559999", "/v1/inventory/test/4155550100", "/v1/inventory/both/+14155550100"] {
            refused(&operator.patch(path, json!({})).await, 404, "resource_not_found", None);
            refused(&operator.get(path).await, 404, "resource_not_found", None);
        }
    }

    async fn the_inventory_is_counted(server: Server) {
        let ada = server.account("Ada").await;
        let operator = server.operator();
        let before = operator.get("/v1/inventory/test/summary").await;
        buy(&ada, "+14155550100").await;
        let after = operator.get("/v1/inventory/test/summary").await;
        assert_eq!(after.body["total"], before.body["total"]);
        let available = |answer: &Answer| answer.body["available"].as_i64().expect("a count");
        assert_eq!(available(&after), available(&before) - 1);
        let groups = after.body["groups"].as_array().expect("a list");
        assert!(groups.contains(&json!({ "carrier": "owned", "state": "assigned", "count": 1 })), "{after}");
    }
}
