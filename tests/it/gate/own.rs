//! Codes of single operations that come about in the same few ways everywhere: what is named is not there, a number is none, a
//! webhook is off, money is out.

use http::Method;
use serde_json::{Value, json};
use tandem_catalogue::Code;
use tandem_kernel::{
    Environment::{Live, Test},
    Scope,
};
use tandem_testkit::{Persona, Server, Stage, on_both};

use super::{say, says};
use crate::numbers::buy;

const NOTHING: Value = Value::Null;

fn empty() -> Value {
    json!({})
}

fn webhook(url: &str) -> Value {
    json!({ "url": url, "events": ["*"] })
}

/// What says `invalid_phone_number` for 12 and `unassigned_phone_number` for +10005551234.
async fn phones(persona: &Persona, number: &str) {
    let config = format!("/audian/v2/numbers/{number}/config");
    for (wrong, code) in [("12", "invalid_phone_number"), ("+10005551234", "unassigned_phone_number")] {
        let query = wrong.replace('+', "%2B");
        let rule = json!({ "days": [1], "from": "09:00", "to": "17:00", "forward_to": wrong });
        let mut port = crate::seeds::port_of("+14155551234");
        port["phone_number"] = wrong.into();
        say(
            &persona.test(),
            &[
                (Method::PUT, config.clone(), json!({ "schedule": { "time_zone": "America/New_York", "rules": [rule] } }), code),
                (Method::POST, "/audian/v2/ports".into(), port, code),
                (Method::POST, "/audian/v2/messages".into(), json!({ "from": "+14155550100", "to": wrong, "body": "x" }), code),
                (Method::GET, format!("/audian/v2/messages?to={query}"), NOTHING, code),
                (Method::POST, "/telephony/api/verify/check".into(), json!({ "phone_number": wrong, "code": "1234" }), code),
                (Method::POST, "/telephony/api/verify/send".into(), json!({ "phone_number": wrong }), code),
                (Method::GET, format!("/v1/verifications?phone_number={query}"), NOTHING, code),
                (Method::GET, format!("/v1/messages?to={query}"), NOTHING, code),
                (Method::GET, format!("/v1/pocket/messages?to={query}"), NOTHING, code),
                (Method::POST, "/v1/pocket/messages".into(), json!({ "from": wrong, "to": "+14155550100", "text": "x" }), code),
                (Method::GET, format!("/v1/pocket/calls?number={query}"), NOTHING, code),
                (Method::POST, "/v1/pocket/calls".into(), json!({ "from": wrong, "to": "+14155550100" }), code),
                (Method::POST, "/v1/opt-outs".into(), json!({ "from": "+14155550100", "to": wrong }), code),
            ],
        )
        .await;
    }
}

on_both! {
    async fn numbers_that_are_none_and_numbers_of_others(server: Server) {
        let ada = server.account("Ada").await;
        let id = buy(&ada.test(), "+14155550100").await;
        phones(&ada, &id).await;
        let strange = "/audian/v2/numbers/+14155550199";
        say(&ada.test(), &[
            (Method::GET, strange.into(), NOTHING, "owned_number_not_found"),
            (Method::DELETE, strange.into(), NOTHING, "owned_number_not_found"),
            (Method::GET, format!("{strange}/config"), NOTHING, "owned_number_not_found"),
            (Method::PUT, format!("{strange}/config"), empty(), "owned_number_not_found"),
        ]).await;
        let sent = json!({ "from": "+14155550199", "to": "+14155550100", "text": "x" });
        buy(&ada.live(), "+14155550100").await;
        say(&ada.live(), &[
            (Method::GET, "/v1/pocket/messages?to=%2B14155550100".into(), NOTHING, "operation_not_allowed"),
            (Method::POST, "/v1/pocket/messages".into(), sent, "operation_not_allowed"),
            (Method::GET, "/v1/pocket/calls?number=%2B14155550100".into(), NOTHING, "operation_not_allowed"),
            (Method::POST, "/v1/pocket/calls".into(), json!({ "from": "+14155550199", "to": "+14155550100" }), "operation_not_allowed"),
            (Method::POST, "/v1/faults".into(), json!({ "effect": "duplicate", "on": "receipt" }), "operation_not_allowed"),
        ]).await;
    }

    async fn accounts_and_environments_that_are_not_there(server: Server) {
        let ada = server.account("Ada").await;
        let (nobody, nowhere) = ("/v1/accounts/acc_abc123/environments/test", format!("/v1/accounts/{}/environments/moon", ada.account));
        let credit = json!({ "amount": 1, "reference": "r" });
        for (method, rest, body) in [
            (Method::PATCH, "limits", json!({ "burst": 10 })),
            (Method::POST, "keys", empty()),
            (Method::GET, "keys", NOTHING),
            (Method::POST, "keys/key_abc123/rotate", empty()),
            (Method::DELETE, "keys/key_abc123", NOTHING),
            (Method::POST, "wallet/credits", credit),
            (Method::GET, "wallet", NOTHING),
            (Method::GET, "wallet/transfers", NOTHING),
            (Method::GET, "verification-policy", NOTHING),
            (Method::PATCH, "verification-policy", empty()),
        ] {
            say(&server.operator(), &[
                (method.clone(), format!("{nobody}/{rest}"), body.clone(), "account_not_found"),
                (method, format!("{nowhere}/{rest}"), body, "resource_not_found"),
            ]).await;
        }
        let hook = json!({ "account_id": "acc_abc123", "environment": "test", "url": "https://example.com/", "events": ["*"] });
        say(&server.operator(), &[
            (Method::POST, "/v1/webhooks".into(), hook, "account_not_found"),
            (Method::POST, "/v1/webhooks".into(), webhook("https://example.com/"), "missing_parameter"),
            (Method::GET, "/v1/webhooks?account_id=acc_abc123&environment=test".into(), NOTHING, "account_not_found"),
            (Method::GET, "/v1/webhooks".into(), NOTHING, "missing_parameter"),
        ]).await;
        let elsewhere = json!({ "environment": "live", "url": "https://example.com/", "events": ["*"] });
        say(&ada.test(), &[
            (Method::POST, "/v1/webhooks".into(), elsewhere, "resource_not_found"),
            (Method::GET, "/v1/webhooks?environment=live".into(), NOTHING, "resource_not_found"),
        ]).await;
    }

    async fn things_that_are_not_there(server: Server) {
        let ada = server.account("Ada").await;
        let from = json!({ "from": "2024-01-01T00:00:00Z" });
        let mut cases = Vec::new();
        for (method, rest, body) in [
            (Method::GET, "", NOTHING),
            (Method::PATCH, "", empty()),
            (Method::DELETE, "", NOTHING),
            (Method::POST, "/enable", empty()),
            (Method::POST, "/disable", empty()),
            (Method::POST, "/rotate-secret", empty()),
            (Method::POST, "/test", empty()),
            (Method::POST, "/replay", from),
            (Method::GET, "/deliveries", NOTHING),
        ] {
            cases.push((method, format!("/v1/webhooks/webhook_abc123{rest}"), body, "resource_not_found"));
        }
        for (method, rest, body) in [
            (Method::GET, "", NOTHING),
            (Method::PUT, "", empty()),
            (Method::DELETE, "", NOTHING),
            (Method::POST, "/rotate-secret", empty()),
            (Method::POST, "/test", empty()),
        ] {
            cases.push((method, format!("/audian/v2/webhooks/webhook_abc123{rest}"), body, "resource_not_found"));
        }
        cases.push((Method::GET, "/v1/deliveries/delivery_abc123".into(), NOTHING, "resource_not_found"));
        cases.push((Method::POST, "/v1/deliveries/delivery_abc123/replay".into(), empty(), "resource_not_found"));
        say(&ada.test(), &cases).await;
        say(&server.operator(), &[
            (Method::PATCH, "/v1/smscs/smsc_abc123".into(), empty(), "resource_not_found"),
            (Method::DELETE, "/v1/smscs/smsc_abc123".into(), NOTHING, "resource_not_found"),
            (Method::POST, "/v1/smscs/smsc_abc123/drain".into(), empty(), "resource_not_found"),
            (Method::POST, "/v1/operator-keys/key_abc123/rotate".into(), empty(), "resource_not_found"),
            (Method::POST, "/v1/ports/port_abc123/schedule".into(), json!({ "date": "2024-01-05" }), "port_not_found"),
            (Method::POST, "/v1/ports/port_abc123/reject".into(), json!({ "reason": "x" }), "port_not_found"),
            (Method::DELETE, "/v1/numbers/num_abc123/port-out".into(), NOTHING, "number_not_found"),
            (Method::POST, "/v1/numbers/num_abc123/port-out/complete".into(), empty(), "number_not_found"),
        ]).await;
    }

    async fn states_that_do_not_allow_it(server: Server) {
        let ada = server.account("Ada").await;
        let gone = ada.mint(Test, &[Scope::NumbersRead], None).await;
        ada.revoke(Test, gone.id).await;
        says(&ada.test().post(&format!("/v1/account/keys/{}/rotate", gone.id), empty()).await, "invalid_transition");
        let operator = server.operator();
        let spare = operator.post("/v1/operator-keys", empty()).await.body["id"].as_str().expect("an id").to_owned();
        operator.delete(&format!("/v1/operator-keys/{spare}")).await.assert_status(200);
        says(&operator.post(&format!("/v1/operator-keys/{spare}/rotate"), empty()).await, "invalid_transition");
        let id = buy(&ada.test(), "+14155550100").await;
        let out = format!("/v1/numbers/{id}/port-out");
        says(&operator.post(&format!("{out}/complete"), empty()).await, "invalid_transition");
        operator.post(&out, empty()).await.assert_status(200);
        says(&operator.post(&out, empty()).await, "invalid_transition");
        operator.delete(&out).await.assert_status(200);
    }

    async fn webhooks_that_are_off_and_one_too_many(stage: Stage) {
        let server = stage.config(|config| config.webhooks.allow_private = true).start().await;
        let ada = server.account("Ada").await;
        ada.unlimited(Test).await;
        let client = ada.test();
        let made = client.post("/audian/v2/webhooks", webhook("http://127.0.0.1:9/")).await;
        let id = made.assert_status(201).body["id"].as_str().expect("an id").to_owned();
        let tested = client.post(&format!("/v1/webhooks/{id}/test"), empty()).await;
        let delivery = tested.assert_status(202).body["id"].as_str().expect("an id").to_owned();
        client.put(&format!("/audian/v2/webhooks/{id}"), json!({ "enabled": false })).await.assert_status(200);
        say(&client, &[
            (Method::POST, format!("/audian/v2/webhooks/{id}/test"), empty(), "invalid_transition"),
            (Method::POST, format!("/v1/webhooks/{id}/test"), empty(), "invalid_transition"),
            (Method::POST, format!("/v1/webhooks/{id}/replay"), json!({ "from": "2024-01-01T00:00:00Z" }), "invalid_transition"),
            (Method::POST, format!("/v1/deliveries/{delivery}/replay"), empty(), "invalid_transition"),
        ]).await;
        let one = client.post("/v1/webhooks", webhook("http://127.0.0.1:9/one")).await;
        let one = format!("/v1/webhooks/{}", one.assert_status(201).body["id"].as_str().expect("an id"));
        assert_eq!(client.patch(&one, json!({ "description": "Ours" })).await.assert_status(200).body["description"], "Ours");
        client.delete(&one).await.assert_status(200);
        for number in 1..100 {
            client.post("/v1/webhooks", webhook(&format!("http://127.0.0.1:9/{number}"))).await.assert_status(201);
        }
        for path in ["/v1/webhooks", "/audian/v2/webhooks"] {
            says(&client.post(path, webhook("http://127.0.0.1:9/last")).await, "operation_not_allowed");
        }
    }

    async fn money_that_is_out(server: Server) {
        let ada = server.account("Ada").await;
        let limit = json!({ "amount": 0.001, "action": "block" });
        ada.test().put("/audian/v2/billing/limits/monthly", limit).await.assert_status(200);
        for path in ["/v1/lookup/+61412345678", "/telephony/api/lookup/+61412345678"] {
            says(&ada.test().get(path).await, "spending_limit_reached");
            says(&ada.test().get(&format!("{path}{}", "1".repeat(200))).await, "too_long");
        }
        let port = crate::seeds::port_of("+14155551234");
        says(&ada.test().post("/audian/v2/ports", port).await, "spending_limit_reached");
        ada.purse(Live, 0).await;
        for path in ["/v1/lookup/+61412345678", "/telephony/api/lookup/+61412345678"] {
            says(&ada.live().get(path).await, "insufficient_funds");
        }
    }

    async fn carriers_that_fail_when_a_port_is_called_off(server: Server) {
        let ada = server.account("Ada").await;
        for (number, code, seconds) in [("+16282010140", "carrier_unavailable", 60), ("+16282010130", "bad_gateway", 7200)] {
            let ported = ada.test().post("/audian/v2/ports", crate::seeds::port_of(number)).await;
            let id = ported.assert_status(202).data_text("id");
            ada.advance(seconds).await;
            says(&ada.test().delete(&format!("/audian/v2/ports/{id}")).await, code);
        }
    }

    async fn a_port_whose_number_somebody_else_has_cannot_be_completed(server: Server) {
        let (ada, eve, operator) = (server.account("Ada").await, server.account("Eve").await, server.operator());
        let ported = ada.live().post("/audian/v2/ports", crate::seeds::port_of("+14155551234")).await;
        let id = ported.assert_status(202).data_text("id");
        operator.post(&format!("/v1/ports/{id}/submit"), empty()).await.assert_status(200);
        operator.post(&format!("/v1/ports/{id}/schedule"), json!({ "date": "2024-01-05" })).await.assert_status(200);
        let file = b"number,features,monthly\n+14155551234,voice,0.99\n".to_vec();
        let csv = operator.header("content-type", "text/csv");
        csv.send(Method::POST, "/v1/inventory/imports?environment=live", Some(file)).await.assert_status(200);
        buy(&eve.live(), "+14155551234").await;
        says(&operator.post(&format!("/v1/ports/{id}/complete"), empty()).await, "port_not_possible_now");
        operator.post(&format!("/v1/ports/{id}/reject"), json!({ "reason": "Somebody here has it" })).await.assert_status(200);
    }

    async fn a_port_takes_so_many_documents(server: Server) {
        let ada = server.account("Ada").await;
        let ported = ada.test().post("/audian/v2/ports", crate::seeds::port_of("+16282010100")).await;
        let path = format!("/audian/v2/ports/{}/documents", ported.assert_status(202).data_text("id"));
        let document = json!({ "type": "bill", "name": "bill.pdf", "content": "JVBERi0xLjQK" });
        for _ in 0..10 {
            ada.test().post(&path, document.clone()).await.assert_status(201);
        }
        says(&ada.test().post(&path, document).await, "operation_not_allowed");
        says(&ada.test().delete("/audian/v2/ivr-menus/menu_abc123").await, "resource_not_found");
    }

    async fn numbers_that_may_not_send_in_fone_dynamics(server: Server) {
        let (ada, eve) = (server.account("Ada").await, server.account("Eve").await);
        let path = |persona: &Persona| format!("{}/Properties/{}/Messages", crate::fone::BASE, crate::fone::project_of(persona, Live));
        let from = |from: &str| json!({ "From": from, "To": "+14155550199", "Text": "x" });
        ada.live().post("/audian/v2/ports", crate::seeds::port_of("+14155551234")).await.assert_status(202);
        says(&ada.live().post(&path(&ada), from("+14155551234")).await, "number_porting");
        buy(&eve.live(), "+14155550100").await;
        eve.purse(Live, 0).await;
        server.pass_days(32);
        server.run_due().await;
        says(&eve.live().post(&path(&eve), from("+14155550100")).await, "sender_suspended");
    }

    async fn every_code_has_its_page(server: Server) {
        let client = server.client();
        let listed = client.get("/v1/errors").await;
        assert!(listed.assert_status(200).text().contains("rate_limited"));
        for code in Code::ALL {
            let page = client.get(&format!("/v1/errors/{}", code.name())).await;
            let (page, entry) = (page.assert_status(200).body.clone(), code.entry());
            let (causes, fix) = (page["causes"].as_array().map(Vec::len), page["resolution"].as_array().map(Vec::len));
            assert_eq!((page["code"].as_str(), causes, fix), (Some(entry.name), Some(entry.causes.len()), Some(entry.resolution.len())), "{page}");
        }
        says(&client.get("/v1/errors/nonsense").await, "resource_not_found");
        let kind = client.get("/v1/errors/nonsense").await.body["type"].as_str().expect("a type").to_owned();
        client.get(&kind).await.assert_status(308).assert_header("location", "/v1/errors/resource_not_found");
        client.get("/errors/nonsense").await.assert_status(404);
    }
}
