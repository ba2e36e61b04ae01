//! What operators did, and whether the books are right.

use serde_json::json;
use tandem_testkit::{Server, on_both};

use super::{buy, of, text, walk};

on_both! {
    async fn what_operators_do_is_noted(server: Server) {
        let operator = server.operator();
        let opened = operator.post("/v1/accounts", json!({ "name": "Ada", "email": "ada@example.com" })).await;
        let id = text(&opened, "/id");
        server.pass_seconds(1);
        operator.patch(&format!("/v1/accounts/{id}"), json!({ "verified": false })).await.assert_status(200);
        server.pass_seconds(1);
        operator.patch("/v1/inventory/test/+14155550100", json!({ "monthly": 3 })).await.assert_status(200);
        for limit in [1, 100] {
            let actions = walk(&operator, "/v1/audit", limit).await;
            let done: Vec<_> = actions.iter().map(|action| action["action"].clone()).collect();
            assert_eq!(done, ["inventory.change", "account.change", "account.open"]);
            assert_eq!(actions[2]["subject"], id.as_str());
            assert_eq!(actions[2]["detail"], json!({ "name": "Ada" }));
            assert!(actions[0]["operator"].as_str().expect("a key's id").starts_with("key_"));
        }
    }

    async fn the_books_are_verified(server: Server) {
        let ada = server.account("Ada").await;
        buy(&ada, "+14155550100").await;
        let operator = server.operator();
        let clean = operator.get("/v1/ledger/verification").await;
        clean.assert_status(200);
        assert_eq!((&clean.body["clean"], &clean.body["wallets"], &clean.body["numbers"]), (&json!(true), &json!(2), &json!(1)), "{clean}");
        assert_eq!((&clean.body["transfers"], &clean.body["faults"]), (&json!(3), &json!([])), "{clean}");
        let app = server.app();
        let tampered = app.store.write(|tx| tx.execute("UPDATE wallets SET available = available + 1", &[]));
        tampered.await.expect("the store is written");
        let faulty = operator.get("/v1/ledger/verification").await;
        assert_eq!(faulty.body["clean"], false);
        assert_eq!(faulty.body["faults"].as_array().map(Vec::len), Some(2), "{faulty}");
        let restored = app.store.write(|tx| tx.execute("UPDATE wallets SET available = available - 1", &[]));
        restored.await.expect("the store is written");
        operator.get(&of(&ada, "test", "wallet")).await.assert_status(200);
    }
}
