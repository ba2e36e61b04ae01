//! What was used, charged and may be spent, over the Audian dialect.

use serde_json::{Value, json};
use tandem_kernel::{Environment::Test, Scope};
use tandem_testkit::{Answer, Persona, Server, on_both};

use crate::{
    examples,
    numbers::{LIST, PURCHASE, buy, row},
};

const TRANSACTIONS: &str = "/audian/v2/billing/transactions";
const INVOICES: &str = "/audian/v2/billing/invoices";
const USAGE: &str = "/audian/v2/billing/usage";
const LIMITS: &str = "/audian/v2/billing/limits";
const MONTHLY: &str = "/audian/v2/billing/limits/monthly";

/// Type, amount and description of each transaction of a page, and the total.
fn listed(answer: &Answer) -> (Vec<(String, Value, String)>, i64) {
    let data = answer.assert_status(200).data();
    let text = |entry: &Value, name: &str| entry[name].as_str().expect("text").to_owned();
    let entries = data["transactions"].as_array().expect("a list").iter();
    let entries = entries.map(|entry| (text(entry, "type"), entry["amount"].clone(), text(entry, "description"))).collect();
    (entries, data["total"].as_i64().expect("a total"))
}

/// Sets a monthly limit.
async fn limit(persona: &Persona, amount: Value, action: &str) -> Answer {
    persona.test().put(MONTHLY, json!({ "amount": amount, "action": action, "notifications": [50, 100] })).await
}

on_both! {
    async fn what_moved_is_listed_newest_first(server: Server) {
        let ada = server.account("Ada").await;
        let id = buy(&ada.test(), "+12125550100").await;
        ada.advance_to("2024-02-01T00:00:00Z").await;
        let answer = ada.test().get(TRANSACTIONS).await;
        let (entries, total) = listed(&answer);
        assert_eq!(total, 3);
        assert_eq!(entries[0].1, json!(1.49));
        assert_eq!(entries[0].2, "+12125550100: month from 2024-02-01");
        assert_eq!((entries[1].0.as_str(), &entries[1].1), ("charge", &json!(2.49)));
        assert_eq!((entries[2].1.clone(), entries[2].2.as_str()), (json!(100), "Payment"));
        let newest = &answer.data()["transactions"][0];
        assert!(newest["id"].as_str().expect("an id").starts_with("txn_"));
        assert_eq!((&newest["reference"], &newest["currency"], &newest["status"]), (&json!(id), &json!("USD"), &json!("completed")));
        assert_eq!(newest["created_at"], "2024-02-01T00:00:00Z");
        assert_eq!(listed(&ada.test().get(&format!("{TRANSACTIONS}?limit=1&offset=1")).await), (vec![entries[1].clone()], 3));
        assert_eq!(listed(&ada.test().get(&format!("{TRANSACTIONS}?type=charge")).await).1, 2);
        let january = format!("{TRANSACTIONS}?type=charge&start_date=2024-01-01&end_date=2024-01-31");
        assert_eq!(listed(&ada.test().get(&january).await), (vec![entries[1].clone()], 1));
        for query in ["type=theft", "status=lost", "start_date=yesterday", "limit=0", "offset=-1"] {
            ada.test().get(&format!("{TRANSACTIONS}?{query}")).await.assert_status(400);
        }
    }

    async fn a_month_that_is_over_has_an_invoice(server: Server) {
        let ada = server.account("Ada").await;
        buy(&ada.test(), "+12125550100").await;
        buy(&ada.test(), "+14155550100").await;
        ada.advance_to("2024-03-02T00:00:00Z").await;
        let invoices = ada.test().get(INVOICES).await;
        let all = invoices.data()["invoices"].as_array().expect("invoices").clone();
        let periods: Vec<_> = all.iter().map(|invoice| (&invoice["period_start"], &invoice["period_end"], &invoice["amount"], &invoice["status"])).collect();
        assert_eq!(periods, [
            (&json!("2024-03-01"), &json!("2024-03-31"), &json!(2.48), &json!("draft")),
            (&json!("2024-02-01"), &json!("2024-02-29"), &json!(2.48), &json!("paid")),
            (&json!("2024-01-01"), &json!("2024-01-31"), &json!(3.48), &json!("paid")),
        ]);
        let id = all[2]["id"].as_str().expect("an id");
        let whole = ada.test().get(&format!("{INVOICES}/{id}")).await;
        let data = whole.assert_status(200).data();
        assert_eq!((&data["customer"]["name"], &data["customer"]["email"]), (&json!("Ada"), &json!("Ada@example.com")));
        let sum: f64 = data["lines"].as_array().expect("lines").iter().map(|line| line["amount"].as_f64().expect("an amount")).sum();
        assert!((sum - 3.48).abs() < 1e-9, "{whole}");
        assert_eq!(ada.test().get(&format!("{INVOICES}?status=draft")).await.data()["total"], 1);
        server.restart().await;
        ada.test().get(&format!("{INVOICES}/{id}")).await.assert(200, &whole.body);
        ada.test().get(&format!("{INVOICES}/inv_abc123")).await
            .assert_audian_error(404, "not_found_error", "not_found_error", "The invoice 'inv_abc123' was not found", None);
        server.account("Eve").await.test().get(&format!("{INVOICES}/{id}")).await.assert_status(404);
    }

    async fn usage_counts_requests_and_numbers(server: Server) {
        let ada = server.account("Ada").await;
        buy(&ada.test(), "+14155550100").await;
        for _ in 0..4 {
            ada.test().get(LIST).await.assert_status(200);
        }
        server.settle().await;
        let usage = ada.test().get(USAGE).await;
        let data = usage.assert_status(200).data();
        assert_eq!(data["billing_period"], json!({ "start": "2024-01-01T00:00:00Z", "end": "2024-02-01T00:00:00Z" }));
        assert_eq!(data["usage"]["api_calls"], json!({ "count": 5, "limit": null, "percentage": null, "cost": 0 }));
        assert_eq!(data["usage"]["phone_numbers"]["count"], 1);
        assert_eq!((&data["total_charges"], &data["currency"]), (&json!(0.99), &json!("USD")));
        for query in ["granularity=hour", "start_date=x", "start_date=2024-02-01&end_date=2024-01-01"] {
            ada.test().get(&format!("{USAGE}?{query}")).await.assert_status(400);
        }
    }

    async fn a_limit_that_blocks_is_kept(server: Server) {
        let ada = server.account("Ada").await;
        ada.test().get(LIMITS).await.assert(200, &json!({ "success": true, "data": { "limits": [] } }));
        let set = limit(&ada, json!(1.5), "block").await;
        let data = set.assert_status(200).data();
        assert_eq!((&data["type"], &data["amount"], &data["action"], &data["remaining"]), (&json!("monthly"), &json!(1.5), &json!("block"), &json!(1.5)));
        buy(&ada.test(), "+14155550100").await;
        let refused = ada.test().post(PURCHASE, json!({ "number": "+14155550101" })).await;
        let message = "The monthly spending limit of 1.5 does not allow this operation";
        refused.assert_audian_error(402, "insufficient_funds", "insufficient_funds_error", message, None);
        let limits = ada.test().get(LIMITS).await;
        let shown = &limits.data()["limits"][0];
        assert_eq!((&shown["current_usage"], &shown["remaining"], &shown["percentage_used"]), (&json!(0.99), &json!(0.51), &json!(66)));
        ada.advance_to("2024-02-01T00:00:00Z").await;
        assert_eq!(ada.charges(Test).await.len(), 2, "a renewal is not asked about");
        ada.advance_to("2024-02-02T00:00:00Z").await;
        ada.test().post(PURCHASE, json!({ "number": "+14155550101" })).await.assert_status(402);
        limit(&ada, json!(100), "block").await.assert_status(200);
        buy(&ada.test(), "+14155550101").await;
    }

    async fn a_limit_that_alerts_lets_pass(server: Server) {
        let ada = server.account("Ada").await;
        limit(&ada, json!(1), "alert").await.assert_status(200);
        for number in row(14_155_550_100, 3) {
            buy(&ada.test(), &number).await;
        }
        let told = server.count("SELECT COUNT(*) FROM events WHERE kind = 'limit.reached'").await;
        assert!(told > 0);
    }

    async fn a_limit_is_checked(server: Server) {
        let ada = server.account("Ada").await;
        for (body, param) in [
            (json!({}), "amount"),
            (json!({ "amount": "100" }), "amount"),
            (json!({ "amount": -1 }), "amount"),
            (json!({ "amount": 0.000_000_1 }), "amount"),
            (json!({ "amount": 1e300 }), "amount"),
            (json!({ "amount": 1, "action": "explode" }), "action"),
            (json!({ "amount": 1, "notifications": [0] }), "notifications"),
            (json!({ "amount": 1, "notifications": ["50"] }), "notifications"),
            (json!({ "amount": 1, "notifications": 50 }), "notifications"),
        ] {
            let refused = ada.test().put(MONTHLY, body).await;
            assert_eq!(refused.assert_status(400).body["error"]["param"], param, "{refused}");
        }
        ada.test().get(LIMITS).await.assert(200, &json!({ "success": true, "data": { "limits": [] } }));
        let reader = ada.test_with(&[Scope::BillingRead]).await;
        reader.get(LIMITS).await.assert_status(200);
        reader.put(MONTHLY, json!({ "amount": 1 })).await.assert(403, examples::by_status(403));
        let writer = ada.test_with(&[Scope::BillingWrite]).await;
        for path in [LIMITS, USAGE, TRANSACTIONS, INVOICES] {
            writer.get(path).await.assert(403, examples::by_status(403));
        }
    }
}
