//! Wallets and their transfers.

use http::Method;
use serde_json::json;
use tandem_kernel::{Environment::Test, Scope};
use tandem_testkit::{Server, on_both};

use super::{buy, of, refused, refuses, walk};

on_both! {
    async fn money_comes_in_once_for_each_reference(server: Server) {
        let ada = server.account("Ada").await;
        let (operator, credits) = (server.operator(), of(&ada, "test", "wallet/credits"));
        let body = json!({ "amount": 12.5, "reference": "bank 1", "description": "Bank transfer" });
        let credited = operator.post(&credits, body.clone()).await;
        credited.assert_status(201);
        assert_eq!((&credited.body["kind"], &credited.body["amount"]), (&json!("credit"), &json!(12.5)));
        assert_eq!(credited.body["available_after"], 112.5);
        operator.post(&credits, body).await.assert(201, &credited.body);
        let other = operator.post(&credits, json!({ "amount": 13, "reference": "bank 1" })).await;
        refused(&other, 409, "transfer_conflict", None);
        let wallet = operator.get(&of(&ada, "test", "wallet")).await;
        assert_eq!((&wallet.body["available"], &wallet.body["transfers"]), (&json!(112.5), &json!(2)));
        ada.test().get("/v1/wallet").await.assert(200, &wallet.body);
        let noted = walk(&ada.test(), &format!("/v1/events/{}", ada.account), 100).await;
        let moved = noted.iter().filter(|event| event["data"]["reference"] == "bank 1").count();
        assert_eq!(moved, 1);
    }

    async fn money_is_paid_back_as_far_as_it_goes(server: Server) {
        let ada = server.account("Ada").await;
        let (operator, credits) = (server.operator(), of(&ada, "test", "wallet/credits"));
        let paid = operator.post(&credits, json!({ "amount": -99.999999, "reference": "back" })).await;
        paid.assert_status(201);
        assert_eq!((&paid.body["kind"], &paid.body["available_after"]), (&json!("withdrawal"), &json!(0.000001)));
        let more = operator.post(&credits, json!({ "amount": -1, "reference": "more" })).await;
        refused(&more, 402, "insufficient_funds", None);
        assert_eq!((&more.body["required"], &more.body["available"]), (&json!(1), &json!(0.000001)));
    }

    async fn wrong_credits_are_named(server: Server) {
        let ada = server.account("Ada").await;
        let (operator, credits) = (server.operator(), of(&ada, "test", "wallet/credits"));
        refuses(&operator, Method::POST, &credits, &[
            (json!({ "reference": "x" }), 400, "missing_parameter", Some("/amount")),
            (json!({ "amount": 1 }), 400, "missing_parameter", Some("/reference")),
            (json!({ "amount": "1", "reference": "x" }), 400, "wrong_type", Some("/amount")),
            (json!({ "amount": 0, "reference": "x" }), 400, "invalid_value", Some("/amount")),
            (json!({ "amount": 0.0000001, "reference": "x" }), 400, "invalid_value", Some("/amount")),
            (json!({ "amount": 1e10, "reference": "x" }), 400, "out_of_range", Some("/amount")),
            (json!({ "amount": 1, "reference": "x".repeat(129) }), 400, "too_long", Some("/reference")),
            (json!({ "amount": 1, "reference": "x", "description": 1 }), 400, "wrong_type", Some("/description")),
            (json!({ "amount": 1e9, "reference": "x" }), 422, "balance_overflow", Some("/amount")),
        ]).await;
        let nobody = "/v1/accounts/acc_abc123/environments/test/wallet/credits";
        refused(&operator.post(nobody, json!({ "amount": 1, "reference": "x" })).await, 404, "account_not_found", None);
    }

    async fn transfers_are_listed_newest_first_and_chained(server: Server) {
        let ada = server.account("Ada").await;
        for number in ["+14155550100", "+14155550101", "+14155550102"] {
            buy(&ada, number).await;
        }
        for limit in [1, 3, 100] {
            let transfers = walk(&ada.test(), "/v1/wallet/transfers", limit).await;
            let sequences: Vec<_> = transfers.iter().map(|transfer| transfer["sequence"].clone()).collect();
            assert_eq!(sequences, [4, 3, 2, 1]);
            assert!(transfers.windows(2).all(|pair| pair[0]["previous_hash"] == pair[1]["hash"]));
            assert_eq!(transfers, walk(&server.operator(), &of(&ada, "test", "wallet/transfers"), limit).await);
        }
        let wallet = ada.test().get("/v1/wallet").await;
        assert_eq!(wallet.body["head"], walk(&ada.test(), "/v1/wallet/transfers", 1).await[0]["hash"]);
        assert_eq!(walk(&ada.live(), "/v1/wallet/transfers", 100).await.len(), 1);
    }

    async fn a_wallet_is_read_with_the_right_to(server: Server) {
        let ada = server.account("Ada").await;
        let writer = ada.test_with(&[Scope::NumbersWrite]).await;
        for path in ["/v1/wallet", "/v1/wallet/transfers"] {
            refused(&writer.get(path).await, 403, "insufficient_scope", None);
        }
        let reader = ada.test_with(&[Scope::BillingRead]).await;
        reader.get("/v1/wallet").await.assert_status(200);
    }

    async fn a_credit_is_answered_again(server: Server) {
        let ada = server.account("Ada").await;
        let credits = of(&ada, "test", "wallet/credits");
        let operator = server.operator().idempotency("credit");
        let first = operator.post(&credits, json!({ "amount": 1, "reference": "x" })).await;
        first.assert_status(201);
        operator.post(&credits, json!({ "amount": 1, "reference": "x" })).await.assert_replay_of(&first);
        assert_eq!(ada.wallet(Test).await.available, 101_000_000);
    }
}
