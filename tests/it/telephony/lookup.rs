//! Lookups: what is known, what is not, and what they cost.

use http::Method;
use serde_json::{Value, json};
use tandem_kernel::{
    Environment::{Live, Test},
    Scope,
};
use tandem_testkit::{Server, on_both};

const LOOKUP: &str = "/telephony/api/lookup";
const AUSTRALIAN: &str = "+61412345678";

fn asked(number: &str) -> String {
    format!("{LOOKUP}/{number}")
}

fn none(asked: &str, reason: &str) -> Value {
    json!({
        "success": true, "phone_number": asked, "valid": false, "reason": reason, "calling_code": null, "country_code": null,
        "country_name": null, "region_code": null, "region": null, "place": null, "line_type": null, "carrier": null,
        "time_zones": null, "national_format": null, "international_format": null, "notes": {}, "creditsUsed": 0,
    })
}

on_both! {
    async fn what_is_known_is_told_with_what_is_not(server: Server) {
        let ada = server.account("Ada").await;
        let mobile = ada.test().get(&asked(AUSTRALIAN)).await;
        mobile.assert(200, &json!({
            "success": true, "phone_number": AUSTRALIAN, "valid": true, "reason": null, "calling_code": 61, "country_code": "AU",
            "country_name": "Australia", "region_code": null, "region": null, "place": null, "line_type": "mobile",
            "carrier": "Optus",
            "time_zones": mobile.body["time_zones"],
            "national_format": "0412 345 678", "international_format": "+61 412 345 678",
            "notes": {
                "region": "The number is not tied to a part of its country.",
                "place": "The number is not tied to a place, or its place is not published.",
                "carrier": "To whom the number was first allocated; it may have been ported since.",
                "time_zones": "The number can be in any of these.",
            },
            "creditsUsed": 0.01,
        }));
        let zones = mobile.body["time_zones"].as_array().expect("a list");
        assert!(zones.contains(&json!("Australia/Sydney")) && zones.contains(&json!("Australia/Perth")), "{mobile}");
        ada.test().get(&asked("%2B14155551234")).await.assert(200, &json!({
            "success": true, "phone_number": "+14155551234", "valid": true, "reason": null, "calling_code": 1, "country_code": "US",
            "country_name": "United States", "region_code": "CA", "region": "California", "place": "San Francisco, CA",
            "line_type": "fixed_line_or_mobile", "carrier": null, "time_zones": ["America/Los_Angeles"],
            "national_format": "(415) 555-1234", "international_format": "+1 415-555-1234",
            "notes": {
                "line_type": "The numbering plan does not tell mobile numbers from landlines.",
                "carrier": "Carriers of +1 are not published.",
            },
            "creditsUsed": 0.01,
        }));
        assert_eq!(ada.wallet(Test).await.available, 99_980_000);
        let charges: Vec<_> = ada.charges(Test).await.into_iter().map(|charge| (charge.amount, charge.description)).collect();
        assert_eq!(charges, [(10_000, format!("Lookup of {AUSTRALIAN}")), (10_000, "Lookup of +14155551234".to_owned())]);
    }

    async fn what_is_no_number_says_why_and_costs_nothing(server: Server) {
        let ada = server.account("Ada").await;
        ada.purse(Test, 0).await;
        for (text, reason) in [
            ("nonsense", "not_a_number"),
            ("4155551234", "not_a_number"),
            ("+999123456789", "unknown_calling_code"),
            ("+1415555", "too_short"),
            ("+141555512345", "too_long"),
            ("+10005551234", "not_assigned"),
        ] {
            ada.test().get(&asked(text)).await.assert(200, &none(text, reason));
        }
        let long = "The number parameter must have at most 64 characters";
        ada.test().get(&asked(&"1".repeat(65))).await.assert_telephony_error(400, "invalid_parameter", long);
        assert!(ada.charges(Test).await.is_empty());
    }

    async fn a_lookup_is_charged_once_for_each_time_it_is_asked_for(server: Server) {
        let ada = server.account("Ada").await;
        let repeatable = ada.test().idempotency("a");
        let first = repeatable.get(&asked(AUSTRALIAN)).await;
        first.assert_status(200);
        for _ in 0..3 {
            repeatable.get(&asked(AUSTRALIAN)).await.assert_replay_of(&first);
        }
        let other = "The Idempotency-Key was used before with another request";
        repeatable.get(&asked("+14155551234")).await.assert_telephony_error(400, "invalid_parameter", other);
        assert_eq!(ada.wallet(Test).await.available, 99_990_000);
        ada.test().get(&asked(AUSTRALIAN)).await.assert_status(200);
        ada.test().send(Method::HEAD, &asked(AUSTRALIAN), None).await.assert_status(200);
        assert_eq!(ada.wallet(Test).await.available, 99_980_000, "a head costs nothing");
        assert_eq!(ada.wallet(Live).await.available, 100_000_000);
    }

    async fn who_cannot_pay_or_may_not_ask_is_told_nothing(server: Server) {
        let ada = server.account("Ada").await;
        ada.purse(Test, 9_999).await;
        ada.test().get(&asked(AUSTRALIAN)).await.assert(402, &json!({
            "error": "Insufficient credits to complete this request", "code": "insufficient_balance",
            "required_credits": 0.01, "current_balance": 0.009_999,
        }));
        let forbidden = "This API key is not allowed to do that";
        server.client_with(&ada.test.publishable).get(&asked(AUSTRALIAN)).await.assert_telephony_error(403, "forbidden", forbidden);
        ada.test_with(&[Scope::Verify]).await.get(&asked(AUSTRALIAN)).await.assert_telephony_error(403, "forbidden", forbidden);
        assert_eq!(ada.wallet(Test).await.available, 9_999);
    }

    async fn our_own_api_tells_the_same(server: Server) {
        let ada = server.account("Ada").await;
        let theirs = ada.test().get(&asked(AUSTRALIAN)).await;
        let ours = ada.test().get(&format!("/v1/lookup/{AUSTRALIAN}")).await;
        ours.assert_status(200);
        let mut expected = theirs.body.as_object().cloned().expect("an object");
        expected.shift_remove("success");
        let price = expected.shift_remove("creditsUsed").expect("a price");
        expected.insert("price".to_owned(), price);
        assert_eq!(ours.text(), Value::from(expected).to_string());
        assert_eq!(ada.wallet(Test).await.available, 99_980_000);
    }
}
