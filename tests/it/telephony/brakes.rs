//! What keeps codes from being sent: too often, to the wrong places, to too many, for nothing.

use serde_json::{Value, json};
use tandem_domain::message::Sender;
use tandem_kernel::{Environment::Live, OptOutId, PhoneNumber};
use tandem_store::repo::optouts::{self, OptOut};
use tandem_testkit::{Answer, Client, Persona, Server, on_both};

use super::verify::{check, send, sent, wrong};

const PHONE: &str = "+61412345678";

async fn set(server: &Server, persona: &Persona, change: Value) {
    let path = format!("/v1/accounts/{}/environments/live/verification-policy", persona.account);
    server.operator().patch(&path, change).await.assert_status(200);
}

/// Why a request was refused: the rule that decided.
async fn decided(server: &Server, client: &Client, answer: &Answer) -> Value {
    server.settle().await;
    let request = answer.header("x-request-id").expect("an id");
    let explained = client.get(&format!("/v1/requests/{request}/explain")).await;
    explained.assert_status(200);
    let steps = explained.body["data"][0]["steps"].as_array().expect("steps").clone();
    steps.last().cloned().expect("a step")
}

fn throttled(answer: &Answer, seconds: i64) {
    answer
        .assert_telephony_error(
            429,
            "rate_limit_exceeded",
            &format!("Too many codes were sent. Please retry after {seconds} seconds"),
        )
        .assert_header("retry-after", &seconds.to_string());
}

on_both! {
    async fn a_number_gets_five_codes_in_ten_minutes_and_one_in_thirty_seconds(server: Server) {
        let ada = server.account("Ada").await;
        sent(&server, &ada.live(), PHONE).await;
        throttled(&send(&ada.live(), PHONE).await, 30);
        server.pass_seconds(29);
        throttled(&send(&ada.live(), PHONE).await, 1);
        server.pass_seconds(1);
        for _ in 0..4 {
            sent(&server, &ada.live(), PHONE).await;
            server.pass_seconds(30);
        }
        // The first of the five was 150 seconds ago.
        let sixth = send(&ada.live(), PHONE).await;
        throttled(&sixth, 450);
        assert_eq!(decided(&server, &ada.live(), &sixth).await, json!({
            "rule": "few codes were sent to the number", "compared": "5 in ten minutes, at most 5", "met": false,
        }));
        // Neither an approval nor a cancellation makes room.
        server.pass_seconds(449);
        throttled(&send(&ada.live(), PHONE).await, 1);
        server.pass_seconds(1);
        sent(&server, &ada.live(), PHONE).await;
        // Another account's sends are its own affair.
        let eve = server.account("Eve").await;
        sent(&server, &eve.live(), PHONE).await;
        assert_eq!(ada.wallet(Live).await.available, 100_000_000 - 6 * 50_000);
    }

    async fn a_country_that_is_not_on_the_list_gets_none(server: Server) {
        let ada = server.account("Ada").await;
        let nigerian = send(&ada.live(), "+2348031234567").await;
        nigerian.assert_telephony_error(403, "forbidden", "Codes may not be sent to numbers of NG");
        assert_eq!(decided(&server, &ada.live(), &nigerian).await, json!({
            "rule": "the number's country is one that codes may be sent to", "compared": "NG, 35 countries are allowed", "met": false,
        }));
        let own = ada.live().get("/v1/verification-policy").await;
        own.assert_status(200);
        assert_eq!((&own.body["usual"], &own.body["sends_per_number"]), (&json!(true), &json!(5)));
        set(&server, &ada, json!({ "countries": ["NG"] })).await;
        sent(&server, &ada.live(), "+2348031234567").await;
        send(&ada.live(), PHONE).await.assert_telephony_error(403, "forbidden", "Codes may not be sent to numbers of AU");
        let own = ada.live().get("/v1/verification-policy").await;
        assert_eq!((&own.body["usual"], &own.body["countries"]), (&json!(false), &json!(["NG"])));
        let test = ada.test().get("/v1/verification-policy").await;
        assert_eq!(test.body["usual"], true, "the other environment keeps its own");
        set(&server, &ada, json!({ "countries": [] })).await;
        send(&ada.live(), "+2348031234567").await.assert_status(403);
    }

    async fn what_is_no_handset_gets_none(server: Server) {
        let ada = server.account("Ada").await;
        for (phone, line) in [("+442079460123", "fixed_line"), ("+18005551234", "toll_free"), ("+447012345678", "personal_number")] {
            let refused = send(&ada.live(), phone).await;
            let message = format!("The phone number {phone} cannot get codes: its plan says {line}");
            refused.assert_telephony_error(400, "invalid_parameter", &message);
            assert_eq!(decided(&server, &ada.live(), &refused).await, json!({
                "rule": "the number can be a handset's", "compared": line, "met": false,
            }));
        }
        assert!(server.deliver(Live).await.is_empty());
    }

    async fn a_recipient_who_wants_no_messages_gets_none(server: Server) {
        let ada = server.account("Ada").await;
        let environment = ada.live.environment;
        let app = server.app();
        let (pen, phone) = (app.pen(), PhoneNumber::parse(PHONE).expect("a number"));
        let out = app.store.write(move |tx| {
            let desk = pen.open(tx, environment)?;
            let from = Sender::Name("Verify".to_owned());
            let out = OptOut { id: desk.id(OptOutId::new), from, to: phone, source: "STOP".to_owned(), created_at: desk.now };
            optouts::add(tx, environment, &out)
        });
        out.await.expect("it is written down");
        let refused = send(&ada.live(), PHONE).await;
        refused.assert_telephony_error(403, "forbidden", "+61412345678 asked to get no more messages from Verify");
        assert_eq!(ada.wallet(Live).await.available, 100_000_000);
        check(&ada.live(), PHONE, "123456").await.assert_status(404);
    }

    async fn a_monthly_limit_holds_codes_and_lookups_back(server: Server) {
        let ada = server.account("Ada").await;
        let limit = json!({ "amount": 0.05, "action": "block" });
        ada.live().put("/audian/v2/billing/limits/monthly", limit).await.assert_status(200);
        sent(&server, &ada.live(), PHONE).await;
        let beyond = |required: f64| json!({
            "error": "Insufficient credits to complete this request", "code": "insufficient_balance",
            "required_credits": required, "current_balance": 0,
        });
        send(&ada.live(), "+61412345679").await.assert(402, &beyond(0.05));
        ada.live().get("/telephony/api/lookup/+61412345678").await.assert(402, &beyond(0.01));
    }

    async fn a_run_of_neighbours_is_blocked(server: Server) {
        let ada = server.account("Ada").await;
        for last in 0..10 {
            sent(&server, &ada.live(), &format!("+6141234567{last}")).await;
        }
        let eleventh = send(&ada.live(), "+61412345000").await;
        let blocked = "No code is sent to this number now: codes were sent to too many of its neighbours";
        eleventh.assert_telephony_error(403, "forbidden", blocked).assert_no_header("retry-after");
        assert_eq!(decided(&server, &ada.live(), &eleventh).await["compared"], "10 neighbours in an hour, at most 10");
        // Numbers elsewhere are not its neighbours.
        sent(&server, &ada.live(), "+61422345000").await;
        server.pass_seconds(3_600);
        sent(&server, &ada.live(), "+61412345000").await;
    }

    async fn codes_that_nobody_uses_stop_the_country(server: Server) {
        let ada = server.account("Ada").await;
        set(&server, &ada, json!({ "approval_sample": 10, "least_approval_percent": 20 })).await;
        let mut codes = Vec::new();
        for last in 0..10 {
            let phone = format!("+61412{last}45678");
            let (_, text) = sent(&server, &ada.live(), &phone).await;
            codes.push((phone, text.code()));
        }
        check(&ada.live(), &codes[0].0, &codes[0].1).await.assert_status(200);
        server.pass_seconds(600);
        server.run_due().await;
        let next = send(&ada.live(), PHONE).await;
        let blocked = "No code is sent to this number now: too few of the codes that were sent to its country were used";
        next.assert_telephony_error(403, "forbidden", blocked);
        assert_eq!(decided(&server, &ada.live(), &next).await["compared"], "1 of 10 in a day; at least 20 % once 10 have ended");
        // Another country's codes are used as ever.
        sent(&server, &ada.live(), "+14155551234").await;
        set(&server, &ada, json!({ "least_approval_percent": 10 })).await;
        sent(&server, &ada.live(), PHONE).await;
    }

    async fn a_key_and_an_environment_send_so_many_an_hour(server: Server) {
        let ada = server.account("Ada").await;
        set(&server, &ada, json!({ "sends_per_key": 3, "sends_per_environment": 5 })).await;
        let browser = server.client_with(&ada.live.publishable);
        for last in 0..3 {
            sent(&server, &browser, &format!("+61412{last}45678")).await;
            server.pass_seconds(10);
        }
        let fourth = send(&browser, "+61432345678").await;
        throttled(&fourth, 3_570);
        assert_eq!(decided(&server, &ada.live(), &fourth).await["rule"], "the key's sends in an hour are within the limit");
        for last in 3..5 {
            sent(&server, &ada.live(), &format!("+61412{last}45678")).await;
        }
        let sixth = send(&ada.live(), "+61412545678").await;
        throttled(&sixth, 3_570);
        assert_eq!(decided(&server, &ada.live(), &sixth).await["rule"], "the environment's sends in an hour are within the limit");
        server.pass_seconds(3_570);
        sent(&server, &ada.live(), "+61412545678").await;
    }

    async fn what_was_decided_is_explained(server: Server) {
        let ada = server.account("Ada").await;
        let (id, text) = sent(&server, &ada.live(), PHONE).await;
        check(&ada.live(), PHONE, &wrong(&text.code())).await.assert_status(200);
        check(&ada.live(), PHONE, &text.code()).await.assert_status(200);
        let explained = ada.live().get(&format!("/v1/verifications/{id}/explain")).await;
        explained.assert_status(200);
        assert_eq!(explained.body["subject"], json!({ "kind": "verification", "id": id, "name": PHONE, "state": "approved" }));
        let decisions: Vec<_> = explained.body["data"].as_array().expect("a list").iter()
            .map(|decision| (decision["decision"].as_str().unwrap_or(""), decision["outcome"].as_str().unwrap_or("")))
            .collect();
        let handed_over = format!("the code was handed over as {} for 0.05", text.message);
        assert_eq!(decisions, [("verification", handed_over.as_str()), ("check", "pending"), ("check", "approved")]);
        assert_eq!(explained.body["data"][1]["steps"], json!([
            { "rule": "the code is the one that was sent", "compared": "check 1 of 5", "met": false },
        ]));
    }
}
