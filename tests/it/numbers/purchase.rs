//! Buying a number.

use http::Method;
use serde_json::{Value, json};
use tandem_kernel::Environment::{Live, Test};
use tandem_ledger::TransferKind;
use tandem_testkit::{NOWHERE, Persona, Server, carrier::Trouble, on_both};

use super::{LIST, PURCHASE, SEARCH, buy, found, one, row};
use crate::examples;

/// What was asked of a wallet: kind and amount of each movement.
async fn movements(persona: &Persona) -> Vec<(TransferKind, i64)> {
    persona.charges(Test).await.iter().map(|transfer| (transfer.kind, transfer.amount)).collect()
}

on_both! {
    async fn a_bought_number_is_described_field_by_field(server: Server) {
        let ada = server.account("Ada").await;
        let bought = ada.test().post(PURCHASE, json!({ "number": "+14155550100", "friendly_name": "Front desk" })).await;
        let id = bought.data_text("id");
        assert!(id.starts_with("num_") && id.len() == 30);
        bought.assert(201, &json!({
            "success": true,
            "data": {
                "id": id,
                "number": "+14155550100",
                "friendly_name": "Front desk",
                "status": "active",
                "features": ["voice", "sms", "mms"],
                "location": "San Francisco, CA",
                "purchased_at": "2024-01-01T00:00:00Z",
                "expires_at": "2025-01-01T00:00:00Z",
                "billing": { "monthly_cost": 0.99, "next_charge": "2024-02-01T00:00:00Z" },
            },
        }));
        ada.test().get(&format!("{LIST}/{id}")).await.assert(200, &bought.body);
        let dear = ada.test().post(PURCHASE, json!({ "number": "+12125550100" })).await;
        assert_eq!(dear.data()["friendly_name"], Value::Null);
        assert_eq!(dear.data()["billing"], json!({ "monthly_cost": 1.49, "next_charge": "2024-02-01T00:00:00Z" }));
        assert_eq!(movements(&ada).await, [(TransferKind::Charge, 990_000), (TransferKind::Charge, 2_490_000)]);
    }

    async fn the_number_can_be_spelled_as_the_reference_does(server: Server) {
        let ada = server.account("Ada").await;
        for (name, number) in [("number", "+14155550100"), ("phone_number", "+14155550101"), ("phoneNumber", "+14155550102")] {
            ada.test().post(PURCHASE, one(name, number.into())).await.assert_status(201).assert_no_header("x-tandem-hint");
        }
        ada.test().post(PURCHASE, json!({ "number": "+14155550103", "friendlyName": "Bell" })).await.assert_status(201);
        for name in ["number", "phone_number", "phoneNumber"] {
            let message = "The phone number must be in E.164 format (+1XXXXXXXXXX)";
            let refused = ada.test().post(PURCHASE, one(name, "12".into())).await;
            refused.assert_audian_error(400, "invalid_phone_number", "invalid_request_error", message, Some(name));
        }
    }

    async fn one_bought_before_is_already_there(server: Server) {
        let ada = server.account("Ada").await;
        buy(&ada.test(), "+14155550100").await;
        ada.purse(Test, 0).await;
        let again = ada.test().post(PURCHASE, json!({ "number": "+14155550100" })).await;
        again.assert(409, examples::by_code("already_exists"));
        ada.live().post(PURCHASE, json!({ "number": "+14155550100" })).await.assert_status(201);
    }

    async fn one_that_cannot_be_had_is_not_available(server: Server) {
        let (ada, eve) = (server.account("Ada").await, server.account("Eve").await);
        ada.purse(Test, 0).await;
        ada.test().post(PURCHASE, json!({ "number": NOWHERE })).await
            .assert(422, examples::by_code("number_not_available"));
        let refusal = |number: &str| json!({ "error": {
            "code": "number_not_available", "message": format!("{number} is no longer available"), "type": "validation_error",
        } });
        buy(&eve.test(), "+14155550100").await;
        ada.test().post(PURCHASE, json!({ "number": "+14155550100" })).await.assert(422, &refusal("+14155550100"));
        ada.test().post(PURCHASE, json!({ "number": "+16282000060" })).await.assert(422, &refusal("+16282000060"));
        let kept = buy(&eve.test(), "+14155550101").await;
        eve.test().delete(&format!("{LIST}/{kept}")).await.assert_status(200);
        ada.test().post(PURCHASE, json!({ "number": "+14155550101" })).await.assert(422, &refusal("+14155550101"));
    }

    async fn without_funds_nothing_is_bought(server: Server) {
        let ada = server.account("Ada").await;
        ada.purse(Test, 989_999).await;
        for number in ["+14155550100", "+13105550100"] {
            ada.test().post(PURCHASE, json!({ "number": number })).await
                .assert(402, examples::by_code("insufficient_funds"));
        }
        assert_eq!(movements(&ada).await, []);
        assert_eq!(server.upstream().times_asked(), 0);
        assert_eq!(found(&ada.test().get(LIST).await), (Vec::new(), 0));
        ada.purse(Test, 990_000).await;
        buy(&ada.test(), "+14155550100").await;
        assert_eq!(ada.wallet(Test).await.available, 0);
    }

    async fn a_number_that_is_none_is_refused_with_its_fault(server: Server) {
        let ada = server.account("Ada").await;
        let format = "The phone number must be in E.164 format (+1XXXXXXXXXX)";
        for text in ["415-555-1234", "(415) 555-1234", "4155551234", "+1415555123a", "+1 415 555 1234", "+", "+1", "++14155551234", "+04155551234"] {
            let refused = ada.test().post(PURCHASE, json!({ "number": text })).await;
            refused.assert_audian_error(400, "invalid_phone_number", "invalid_request_error", format, Some("number"));
        }
        ada.test().post(PURCHASE, json!({ "phone_number": "415-555-1234" })).await
            .assert(400, examples::by_code("invalid_phone_number"));
        for text in ["+10005551234", "+99955512345", "+141555512345"] {
            let message = format!("The phone number {text} is not a valid number of its country");
            let refused = ada.test().post(PURCHASE, json!({ "number": text })).await;
            refused.assert_audian_error(400, "invalid_phone_number", "invalid_request_error", &message, Some("number"));
        }
        ada.test().post(PURCHASE, json!({ "phone_number": 14_155_551_234_u64 })).await
            .assert(400, examples::by_code("invalid_request_error"));
        for value in [json!({}), json!(["+14155550100"]), json!(true)] {
            ada.test().post(PURCHASE, json!({ "phone_number": value })).await.assert(400, examples::by_status(400));
        }
    }

    async fn a_missing_number_is_named_as_the_reference_does(server: Server) {
        let ada = server.account("Ada").await;
        for body in [json!({}), json!({ "number": null }), json!({ "number": "" }), json!({ "friendly_name": 7 })] {
            let refused = ada.test().post(PURCHASE, body.clone()).await;
            let param = if body.get("number").is_some() { "number" } else { "phone_number" };
            let message = format!("The '{param}' parameter is required");
            refused.assert_audian_error(400, "missing_required_parameter", "invalid_request_error", &message, Some(param));
        }
        ada.test().post(PURCHASE, json!({})).await
            .assert(400, examples::by_code("missing_required_parameter"));
        ada.test().send(Method::POST, PURCHASE, None).await.assert(400, examples::by_code("missing_required_parameter"));
    }

    async fn a_body_that_is_no_object_is_refused(server: Server) {
        let ada = server.account("Ada").await;
        for body in [" \n", "{", "{\"number\":", "nonsense", "{'number':'+14155550100'}", "\u{feff}{}", "{\"number\":\"\\ud800\"}"] {
            let refused = ada.test().send(Method::POST, PURCHASE, Some(body.as_bytes().to_vec())).await;
            refused.assert_status(400);
            assert_eq!(refused.body["error"]["code"], "invalid_request_error");
            assert!(refused.body["error"]["message"].as_str().expect("text").starts_with("The request body is not valid: JSON expected, "));
        }
        for body in ["[]", "\"x\"", "12", "null", "true"] {
            let message = "The request body is not valid: it must be a JSON object";
            let refused = ada.test().send(Method::POST, PURCHASE, Some(body.as_bytes().to_vec())).await;
            refused.assert_audian_error(400, "invalid_request_error", "invalid_request_error", message, None);
        }
        ada.test().send(Method::POST, PURCHASE, Some(vec![0xff, 0xfe])).await.assert_status(400);
        let deep = "[".repeat(100_000);
        ada.test().send(Method::POST, PURCHASE, Some(deep.into_bytes())).await.assert_status(400);
    }

    async fn a_body_of_another_type_or_too_large_is_refused(server: Server) {
        let ada = server.account("Ada").await;
        let body = json!({ "number": "+14155550100" });
        let csv = ada.test().header("content-type", "text/csv").post(PURCHASE, body.clone()).await;
        let message = "The content type 'text/csv' is not supported; send application/json";
        csv.assert_audian_error(415, "invalid_request_error", "invalid_request_error", message, None);
        let huge = ada.test().post(PURCHASE, json!({ "number": "x".repeat(2 * 1024 * 1024) })).await;
        let message = "The request body is larger than 1048576 bytes";
        huge.assert_audian_error(413, "invalid_request_error", "invalid_request_error", message, None);
        for content_type in ["application/json; charset=utf-8", "Application/JSON", "application/vnd.api+json"] {
            let client = ada.test().header("content-type", content_type);
            client.post(PURCHASE, json!({ "number": NOWHERE })).await.assert_status(422);
        }
        let patched = ada.test().patch(PURCHASE, body).await;
        let message = "PATCH is not allowed here; allowed: POST";
        patched.assert_audian_error(405, "invalid_request_error", "invalid_request_error", message, None).assert_header("allow", "POST");
        let message = "There is nothing at /audian/v2/numbers/purchase/now";
        ada.test().post(&format!("{PURCHASE}/now"), json!({})).await
            .assert_audian_error(404, "not_found_error", "not_found_error", message, None);
    }

    async fn an_unknown_member_is_ignored_and_named(server: Server) {
        let ada = server.account("Ada").await;
        let bought = ada.test().post(PURCHASE, json!({ "number": "+14155550100", "friendlyname": "Bell", "color": "red" })).await;
        bought.assert_status(201)
            .assert_header("x-tandem-hint", "friendlyname is ignored; did you mean friendly_name?; color is ignored");
        assert_eq!(bought.data()["friendly_name"], Value::Null);
    }

    async fn a_name_is_checked_before_anything_is_bought(server: Server) {
        let ada = server.account("Ada").await;
        for (name, code, message) in [
            (json!("x".repeat(129)), "invalid_parameter", "The friendly_name parameter must have at most 128 characters"),
            (json!(""), "invalid_parameter", "The friendly_name parameter must have at least 1 characters"),
            (json!("a\u{7}b"), "invalid_parameter", "The friendly_name parameter must not have control characters"),
            (json!("a\u{0}b"), "invalid_parameter", "The friendly_name parameter must not have null characters"),
            (json!(12), "invalid_request_error", "The friendly_name parameter must be a string"),
            (json!(["x"]), "invalid_request_error", "The friendly_name parameter must be a string"),
        ] {
            let refused = ada.test().post(PURCHASE, json!({ "number": "+14155550100", "friendly_name": name })).await;
            refused.assert_audian_error(400, code, "invalid_request_error", message, Some("friendly_name"));
        }
        let longest = "ü".repeat(128);
        let bought = ada.test().post(PURCHASE, json!({ "number": "+14155550100", "friendly_name": longest })).await;
        assert_eq!(bought.assert_status(201).data()["friendly_name"], longest);
        let unnamed = ada.test().post(PURCHASE, json!({ "number": "+14155550101", "friendly_name": null })).await;
        assert_eq!(unnamed.assert_status(201).data()["friendly_name"], Value::Null);
    }

    async fn a_carrier_that_is_down_sells_nothing(server: Server) {
        let ada = server.account("Ada").await;
        server.upstream().trouble(Trouble::Down);
        let refused = ada.test().post(PURCHASE, json!({ "number": "+13105550100" })).await;
        refused.assert(503, examples::by_code("service_unavailable_error")).assert_header("retry-after", "5");
        assert_eq!(movements(&ada).await, [(TransferKind::Hold, 990_000), (TransferKind::Release, 990_000)]);
        let offers = ada.test().get(&format!("{SEARCH}?location=US-CA-310&limit=1")).await;
        assert_eq!(found(&offers), (row(13_105_550_100, 1), 20));
        server.upstream().trouble(Trouble::None);
        buy(&ada.test(), "+13105550100").await;
    }

    async fn a_carrier_that_fails_again_and_again_is_left_alone(server: Server) {
        let (ada, eve) = (server.account("Ada").await, server.account("Eve").await);
        server.upstream().trouble(Trouble::Down);
        for number in row(13_105_550_100, 5) {
            ada.test().post(PURCHASE, json!({ "number": number })).await.assert_status(503).assert_header("retry-after", "5");
        }
        server.upstream().trouble(Trouble::None);
        let open = eve.test().post(PURCHASE, json!({ "number": "+13105550105" })).await;
        open.assert(503, examples::by_code("service_unavailable_error")).assert_header("retry-after", "10");
        assert_eq!(server.upstream().times_asked(), 5);
        assert_eq!(eve.wallet(Test).await.held, 0);
        server.pass_seconds(10);
        buy(&eve.test(), "+13105550105").await;
        buy(&ada.test(), "+13105550100").await;
    }

    async fn a_carrier_that_answers_nonsense_is_asked_again_by_due_work(server: Server) {
        let ada = server.account("Ada").await;
        server.upstream().trouble(Trouble::Nonsense);
        let refused = ada.test().post(PURCHASE, json!({ "number": "+13105550100" })).await;
        let message = "The carrier gave an answer that could not be understood";
        refused.assert_audian_error(502, "bad_gateway_error", "server_error", message, None);
        assert_eq!(ada.wallet(Test).await.held, 990_000);
        server.upstream().trouble(Trouble::None);
        server.pass_seconds(60);
        server.run_due().await;
        assert_eq!(found(&ada.test().get(LIST).await), (row(13_105_550_100, 1), 1));
        assert_eq!(movements(&ada).await, [(TransferKind::Hold, 990_000), (TransferKind::Capture, 990_000)]);
        assert_eq!(server.upstream().times_asked(), 1);
    }

    async fn the_magic_numbers_do_as_their_page_says(server: Server) {
        let ada = server.account("Ada").await;
        let post = |number: &str| {
            let (client, body) = (ada.test(), json!({ "number": number }));
            async move { client.post(PURCHASE, body).await }
        };
        post("+16282000010").await.assert_status(503).assert_header("retry-after", "5");
        post("+16282000020").await.assert_status(502);
        post("+16282000030").await.assert_status(502);
        post("+16282000050").await.assert_status(422);
        ada.advance(60).await;
        assert_eq!(found(&ada.test().get(LIST).await), (row(16_282_000_030, 1), 1));
        assert_eq!(ada.wallet(Test).await.available, 100_000_000 - 990_000);
        let offers = ada.test().get(&format!("{SEARCH}?pattern=62820000x0")).await;
        assert_eq!(found(&offers).0, ["+16282000010", "+16282000020", "+16282000040"]);
        buy(&ada.test(), "+15035550100").await;
    }

    async fn a_number_that_went_to_somebody_else_is_not_offered_again(server: Server) {
        let ada = server.account("Ada").await;
        server.upstream().trouble(Trouble::Gone);
        let refused = ada.test().post(PURCHASE, json!({ "number": "+13105550100" })).await;
        let message = "+13105550100 is no longer available";
        refused.assert_audian_error(422, "number_not_available", "validation_error", message, None);
        assert_eq!(ada.wallet(Test).await.held, 0);
        server.upstream().trouble(Trouble::None);
        ada.test().post(PURCHASE, json!({ "number": "+13105550100" })).await.assert_status(422);
        assert_eq!(found(&ada.test().get(&format!("{SEARCH}?location=US-CA-310")).await).1, 19);
    }

    async fn a_bug_in_an_adapter_says_nothing_and_loses_nothing(server: Server) {
        let ada = server.account("Ada").await;
        server.upstream().trouble(Trouble::Panic);
        let failed = ada.test().post(PURCHASE, json!({ "number": "+13105550100" })).await;
        failed.assert(500, examples::by_code("internal_server_error")).assert(500, examples::by_status(500));
        server.upstream().trouble(Trouble::None);
        server.pass_seconds(60);
        server.run_due().await;
        assert_eq!(ada.wallet(Test).await.held, 0);
        buy(&ada.test(), "+13105550100").await;
        assert_eq!(ada.wallet(Test).await.available, 100_000_000 - 990_000);
    }

    async fn the_two_environments_share_nothing(server: Server) {
        let ada = server.account("Ada").await;
        buy(&ada.test(), "+14155550100").await;
        buy(&ada.live(), "+14155550100").await;
        buy(&ada.live(), "+14155550101").await;
        assert_eq!((ada.charges(Test).await.len(), ada.charges(Live).await.len()), (1, 2));
        assert_eq!(found(&ada.test().get(LIST).await).1, 1);
        assert_eq!(found(&ada.live().get(LIST).await).1, 2);
    }
}
