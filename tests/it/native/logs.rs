//! Events, the request log, and explanations.

use serde_json::{Value, json};
use tandem_kernel::{Environment::Test, Scope};
use tandem_testkit::{Answer, Server, on_both};

use super::{buy, refused, text, walk};

fn request_id(answer: &Answer) -> String {
    answer.header("x-request-id").expect("every answer has one").to_owned()
}

on_both! {
    async fn what_happens_is_listed_in_its_order(server: Server) {
        let ada = server.account("Ada").await;
        let number = buy(&ada, "+14155550100").await;
        server.pass_seconds(1);
        ada.test().delete(&format!("/audian/v2/numbers/{}", number["id"].as_str().expect("an id"))).await.assert_status(200);
        let id = number["id"].as_str().expect("an id");
        for limit in [1, 100] {
            let events = walk(&ada.test(), "/v1/events", limit).await;
            let kinds: Vec<_> = events.iter().filter(|event| event["object_id"] == id).map(|event| event["kind"].clone()).collect();
            assert_eq!(kinds, ["number.purchased", "number.released"]);
            let of_object = walk(&ada.test(), &format!("/v1/events/{id}"), limit).await;
            let sequences: Vec<_> = of_object.iter().map(|event| event["sequence"].clone()).collect();
            assert_eq!(sequences, [1, 2]);
            assert_eq!(of_object[0]["data"]["number"], "+14155550100");
        }
        refused(&ada.live().get(&format!("/v1/events/{id}")).await, 404, "resource_not_found", None);
        let eve = server.account("Eve").await;
        refused(&eve.test().get(&format!("/v1/events/{id}")).await, 404, "resource_not_found", None);
        let buyer = ada.test_with(&[Scope::NumbersWrite]).await;
        refused(&buyer.get("/v1/events").await, 403, "insufficient_scope", None);
        refused(&buyer.get(&format!("/v1/events/{id}")).await, 403, "insufficient_scope", None);
    }

    async fn a_request_is_found_by_its_id(server: Server) {
        let ada = server.account("Ada").await;
        let refused_request = ada.test().post("/audian/v2/numbers/purchase", json!({ "number": "12", "account_pin": "4321" })).await;
        let id = request_id(&refused_request);
        let found = ada.test().get(&format!("/v1/requests/{id}")).await;
        found.assert_status(200);
        assert_eq!(text(&found, "/id"), id);
        assert_eq!((&found.body["status"], text(&found, "/code").as_str()), (&json!(400), "invalid_phone_number"));
        assert_eq!(text(&found, "/route"), "/audian/v2/numbers/purchase");
        assert_eq!(text(&found, "/key_last_four"), ada.test.key[ada.test.key.len() - 4..]);
        assert!(!found.text().contains("4321"), "{found}");
        server.operator().get(&format!("/v1/requests/{id}")).await.assert(200, &found.body);
        let eve = server.account("Eve").await;
        for other in [eve.test(), ada.live()] {
            refused(&other.get(&format!("/v1/requests/{id}")).await, 404, "resource_not_found", None);
            refused(&other.get(&format!("/v1/requests/{id}/explain")).await, 404, "resource_not_found", None);
        }
        let buyer = ada.test_with(&[Scope::NumbersWrite]).await;
        refused(&buyer.get(&format!("/v1/requests/{id}")).await, 403, "insufficient_scope", None);
        let lost = server.client().get("/audian/v2/numbers").await;
        server.operator().get(&format!("/v1/requests/{}", request_id(&lost))).await.assert_status(200);
    }

    async fn requests_are_listed_by_class(server: Server) {
        let ada = server.account("Ada").await;
        for number in ["+14155550100", "12", "+14155550100"] {
            ada.test().post("/audian/v2/numbers/purchase", json!({ "number": number })).await;
            server.pass_seconds(1);
        }
        let statuses = |items: Vec<Value>| items.iter().map(|item| item["status"].as_i64().expect("a status")).collect::<Vec<_>>();
        let of_buying = |items: Vec<Value>| items.into_iter().filter(|item| item["method"] == "POST").collect::<Vec<_>>();
        assert_eq!(statuses(of_buying(walk(&ada.test(), "/v1/requests", 1).await)), [409, 400, 201]);
        assert_eq!(statuses(walk(&ada.test(), "/v1/requests?status=4xx", 1).await), [409, 400]);
        assert_eq!(statuses(walk(&ada.test(), "/v1/requests?status=error", 100).await), [409, 400]);
        assert_eq!(statuses(of_buying(walk(&ada.test(), "/v1/requests?status=2xx", 100).await)), [201]);
        assert!(walk(&ada.test(), "/v1/requests?status=5xx", 100).await.is_empty());
        let whose = format!("/v1/requests?status=4xx&account_id={}&environment=test", ada.account);
        assert_eq!(statuses(walk(&server.operator(), &whose, 100).await), [409, 400]);
        assert_eq!(statuses(walk(&ada.test(), &whose, 100).await), [409, 400]);
        refused(&ada.test().get("/v1/requests?status=3xx").await, 400, "invalid_choice", Some("/status"));
    }

    async fn a_list_of_requests_has_an_owner(server: Server) {
        let (ada, eve) = (server.account("Ada").await, server.account("Eve").await);
        let operator = server.operator();
        refused(&operator.get("/v1/requests").await, 400, "missing_parameter", Some("/account_id"));
        let half = format!("/v1/requests?account_id={}", ada.account);
        refused(&operator.get(&half).await, 400, "missing_parameter", Some("/environment"));
        refused(&operator.get("/v1/requests?account_id=acc_abc123&environment=test").await, 404, "account_not_found", None);
        refused(&eve.test().get(&half).await, 404, "account_not_found", None);
        refused(&ada.test().get("/v1/requests?environment=live").await, 404, "resource_not_found", None);
        let buyer = ada.test_with(&[Scope::NumbersWrite]).await;
        refused(&buyer.get("/v1/requests").await, 403, "insufficient_scope", None);
    }

    async fn a_refused_purchase_is_explained(server: Server) {
        let ada = server.account("Ada").await;
        ada.purse(Test, 0).await;
        let attempt = ada.test().post("/audian/v2/numbers/purchase", json!({ "number": "+14155550100" })).await;
        attempt.assert_status(402);
        server.settle().await;
        let explained = ada.test().get(&format!("/v1/requests/{}/explain", request_id(&attempt))).await;
        explained.assert_status(200);
        assert_eq!(explained.body["subject"]["name"], "POST /audian/v2/numbers/purchase");
        assert_eq!(explained.body["subject"]["state"], "402 insufficient_funds");
        assert_eq!(explained.body["data"][0]["outcome"], "+14155550100 was not bought");
        let steps = explained.body["data"][0]["steps"].as_array().expect("steps");
        assert_eq!(steps.last().map(|step| step["met"].clone()), Some(json!(false)));
    }

    async fn a_number_and_its_charges_are_explained(server: Server) {
        let ada = server.account("Ada").await;
        let number = buy(&ada, "+12125550100").await;
        server.pass_seconds(1);
        ada.advance_to("2024-02-01T00:00:00Z").await;
        let id = number["id"].as_str().expect("an id");
        for name in [id, "+12125550100"] {
            let explained = walk(&ada.test(), &format!("/v1/numbers/{name}/explain"), 1).await;
            let decisions: Vec<_> = explained.iter().map(|explanation| explanation["decision"].clone()).collect();
            assert_eq!(decisions, ["purchase", "renewal"]);
        }
        let charges = ada.charges(Test).await;
        let purchase = ada.test().get(&format!("/v1/charges/{}/explain", charges[0].id)).await;
        purchase.assert_status(200);
        assert_eq!(purchase.body["transfer"]["amount"], 2.49);
        assert_eq!(purchase.body["before"], json!({ "available": 100, "held": 0 }));
        assert_eq!(purchase.body["after"], json!({ "available": 97.51, "held": 0 }));
        assert_eq!(purchase.body["object"], json!({ "id": id, "explained_at": format!("/v1/numbers/{id}/explain") }));
        assert_eq!(purchase.body["explanations"][0]["decision"], "purchase");
        let renewal = ada.test().get(&format!("/v1/charges/{}/explain", charges[1].id)).await;
        let decided: Vec<_> = renewal.body["explanations"].as_array().expect("a list").iter().map(|one| one["decision"].clone()).collect();
        assert_eq!(decided, ["renewal"]);
        ada.test().delete(&format!("/audian/v2/numbers/{id}")).await.assert_status(200);
        let gone = ada.test().get(&format!("/v1/numbers/{id}/explain")).await;
        assert_eq!(gone.body["subject"], json!({ "kind": "number", "id": id, "name": "+12125550100", "state": "released" }));
    }

    async fn a_hold_and_its_capture_are_explained(server: Server) {
        let ada = server.account("Ada").await;
        let number = buy(&ada, "+13105550100").await;
        let charges = ada.charges(Test).await;
        let [hold, capture] = &charges[..] else { panic!("{charges:?}") };
        let held = ada.test().get(&format!("/v1/charges/{}/explain", hold.id)).await;
        assert_eq!(held.body["hold"], json!({ "remaining": 0, "captured": 0.99 }));
        let captured = ada.test().get(&format!("/v1/charges/{}/explain", capture.id)).await;
        assert_eq!(text(&captured, "/drawn_on/id"), hold.id.to_string());
        assert_eq!(captured.body["object"]["id"], number["id"]);
        assert_eq!(captured.body["before"], json!({ "available": 99.01, "held": 0.99 }));
        assert_eq!(captured.body["explanations"][0]["decision"], "purchase");
    }

    async fn only_the_owner_is_told_why(server: Server) {
        let (ada, eve) = (server.account("Ada").await, server.account("Eve").await);
        let number = buy(&ada, "+14155550100").await;
        let id = number["id"].as_str().expect("an id");
        let charge = format!("/v1/charges/{}/explain", ada.charges(Test).await[0].id);
        let explain = format!("/v1/numbers/{id}/explain");
        for other in [eve.test(), ada.live()] {
            refused(&other.get(&explain).await, 404, "number_not_found", None);
            refused(&other.get(&charge).await, 404, "resource_not_found", None);
        }
        refused(&eve.test().get("/v1/numbers/+14155550100/explain").await, 404, "owned_number_not_found", None);
        let buyer = ada.test_with(&[Scope::NumbersWrite, Scope::BillingRead]).await;
        refused(&buyer.get(&explain).await, 403, "insufficient_scope", None);
        refused(&buyer.get(&charge).await, 403, "insufficient_scope", None);
        refused(&ada.test().get("/v1/ports/port_abc123/explain").await, 404, "port_not_found", None);
    }
}
