//! Listing and reading the account's numbers.

use serde_json::{Value, json};
use tandem_kernel::Environment::Test;
use tandem_testkit::{Server, on_both};

use super::{LIST, PURCHASE, buy, found, row};
use crate::examples;

on_both! {
    async fn numbers_are_listed_oldest_first_and_whole(server: Server) {
        let ada = server.account("Ada").await;
        let mut bought = Vec::new();
        for number in ["+14155550105", "+14155550101", "+14155550103"] {
            bought.push(ada.test().post(PURCHASE, json!({ "number": number })).await.data().clone());
            server.pass_seconds(1);
        }
        ada.test().get(LIST).await.assert(200, &json!({
            "success": true, "data": { "numbers": bought, "total": 3, "limit": 20, "offset": 0 },
        }));
        let page = json!({ "success": true, "data": { "numbers": [bought[1]], "total": 3, "limit": 1, "offset": 1 } });
        ada.test().get(&format!("{LIST}?limit=1&offset=1")).await.assert(200, &page);
        assert_eq!(found(&ada.test().get(&format!("{LIST}?offset=3")).await), (Vec::new(), 3));
    }

    async fn twenty_are_listed_unless_more_are_wanted(server: Server) {
        let ada = server.account("Ada").await;
        for number in row(14_155_550_100, 22) {
            buy(&ada.test(), &number).await;
            server.pass_seconds(1);
        }
        assert_eq!(found(&ada.test().get(LIST).await), (row(14_155_550_100, 20), 22));
        assert_eq!(found(&ada.test().get(&format!("{LIST}?limit=100")).await), (row(14_155_550_100, 22), 22));
        for query in ["limit=0", "limit=101"] {
            ada.test().get(&format!("{LIST}?{query}")).await.assert(400, examples::by_code("invalid_parameter"));
        }
    }

    async fn the_status_narrows_the_list(server: Server) {
        let ada = server.account("Ada").await;
        let dear = ada.test().post(PURCHASE, json!({ "number": "+12125550100" })).await;
        dear.assert_status(201);
        ada.purse(Test, 0).await;
        ada.advance_to("2024-02-01T00:00:00Z").await;
        ada.purse(Test, 5_000_000).await;
        server.run_due().await;
        ada.purse(Test, 0).await;
        ada.advance_to("2024-03-01T00:00:00Z").await;
        assert_eq!(found(&ada.test().get(&format!("{LIST}?status=suspended")).await).1, 1);
        assert_eq!(found(&ada.test().get(&format!("{LIST}?status=active")).await).1, 0);
        let message = "The status parameter must be one of: active, suspended, porting, porting_out";
        for status in ["nonsense", "released", "ACTIVE", ""] {
            let refused = ada.test().get(&format!("{LIST}?status={status}")).await;
            refused.assert_audian_error(400, "invalid_parameter", "invalid_request_error", message, Some("status"));
        }
    }

    async fn a_number_is_read_by_its_id_or_by_itself(server: Server) {
        let ada = server.account("Ada").await;
        let bought = ada.test().post(PURCHASE, json!({ "number": "+14155550100" })).await;
        let id = bought.data_text("id");
        for name in [id.as_str(), "+14155550100", "%2B14155550100"] {
            let read = ada.test().get(&format!("{LIST}/{name}")).await;
            read.assert(200, &bought.body);
        }
        ada.test().send(http::Method::HEAD, &format!("{LIST}/{id}"), None).await.assert_status(200);
    }

    async fn a_number_that_is_not_there_is_named(server: Server) {
        let ada = server.account("Ada").await;
        ada.test().get(&format!("{LIST}/num_abc123")).await
            .assert(404, examples::by_code("not_found_error"));
        ada.test().get(&format!("{LIST}/+14155550199")).await.assert(404, examples::by_status(404));
        for name in ["14155550100", "%00", "..%2f..", "%F0%9F%98%80", "port_00000000000000000000000000", &"x".repeat(5000)] {
            let answer = ada.test().get(&format!("{LIST}/{name}")).await;
            answer.assert_status(404);
            assert_eq!(answer.body["error"]["code"], "not_found_error");
        }
        ada.test().get(&format!("{LIST}/%FF")).await.assert_status(404);
        let id = buy(&ada.test(), "+14155550100").await;
        ada.test().delete(&format!("{LIST}/{id}")).await.assert_status(200);
        let gone = ada.test().get(&format!("{LIST}/{id}")).await;
        assert_eq!(gone.assert_status(404).body["error"]["message"], format!("The phone number '{id}' was not found"));
    }

    async fn methods_that_do_not_exist_are_named(server: Server) {
        let ada = server.account("Ada").await;
        let id = buy(&ada.test(), "+14155550100").await;
        for (answer, allowed) in [
            (ada.test().post(&format!("{LIST}/{id}"), json!({})).await, "DELETE, GET, HEAD"),
            (ada.test().delete(LIST).await, "GET, HEAD"),
            (ada.test().patch(&format!("{LIST}/{id}/config"), json!({})).await, "GET, HEAD, PUT"),
        ] {
            answer.assert_status(405).assert_header("allow", allowed);
            assert_eq!(answer.body["error"]["param"], Value::Null);
        }
    }
}
