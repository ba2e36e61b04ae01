//! Codes sent and checked, in every way that a user or somebody else can try.

use serde_json::{Value, json};
use tandem_kernel::{
    Environment::{Live, Test},
    Scope,
};
use tandem_testkit::{Answer, Client, Server, Text, on_both};

pub const SEND: &str = "/telephony/api/verify/send";
pub const CHECK: &str = "/telephony/api/verify/check";
const PHONE: &str = "+61412345678";

pub async fn send(client: &Client, phone: &str) -> Answer {
    client.post(SEND, json!({ "phone_number": phone })).await
}

pub async fn check(client: &Client, phone: &str, code: &str) -> Answer {
    client.post(CHECK, json!({ "phone_number": phone, "code": code })).await
}

/// Sends a code and reads it off the handset.
pub async fn sent(server: &Server, client: &Client, phone: &str) -> (String, Text) {
    let answer = send(client, phone).await;
    answer.assert_status(200);
    let [text] = server.deliver(Live).await.try_into().expect("one message");
    (answer.body["verification_id"].as_str().expect("an id").to_owned(), text)
}

/// A code that is not this one.
pub fn wrong(code: &str) -> String {
    let flip = |digit: char| if digit == '9' { '0' } else { '9' };
    code.chars().map(flip).collect()
}

fn checked(id: &str, status: &str, valid: bool, remaining: i64) -> Value {
    json!({
        "success": true, "verification_id": id, "phone_number": PHONE, "status": status, "valid": valid,
        "attempts_remaining": remaining, "creditsUsed": 0,
    })
}

async fn events(client: &Client, id: &str) -> Vec<String> {
    let found = client.get(&format!("/v1/events/{id}")).await;
    found.assert_status(200);
    let kinds = found.body["data"].as_array().expect("events").iter().map(|event| event["kind"].as_str().unwrap_or("?"));
    kinds.map(str::to_owned).collect()
}

on_both! {
    async fn a_code_is_sent_and_approved_once(server: Server) {
        let ada = server.account("Ada").await;
        let answer = ada.live().post(SEND, json!({ "phone_number": PHONE, "brand": "Acme" })).await;
        let id = answer.body["verification_id"].as_str().expect("an id").to_owned();
        assert!(id.starts_with("verify_"));
        answer.assert(200, &json!({
            "success": true, "verification_id": id, "phone_number": PHONE, "channel": "sms", "status": "pending",
            "expires_at": "2024-01-01T00:10:00Z", "creditsUsed": 0.05,
        }));
        assert_eq!((ada.wallet(Live).await.available, ada.wallet(Live).await.held), (99_950_000, 50_000), "held until it leaves");
        let [text] = server.deliver(Live).await.try_into().expect("one message");
        let code = text.code();
        assert_eq!(code.len(), 6);
        assert_eq!((text.from.as_str(), text.to.as_str()), ("Verify", PHONE));
        assert_eq!(text.body, format!("{code} is your Acme code. It works for 10 minutes. Do not share it with anyone."));
        assert_eq!((ada.wallet(Live).await.available, ada.wallet(Live).await.held), (99_950_000, 0), "paid when it left");
        check(&ada.live(), PHONE, &code).await.assert(200, &checked(&id, "approved", true, 0));
        for code in [code.clone(), wrong(&code)] {
            check(&ada.live(), PHONE, &code).await.assert(200, &checked(&id, "approved", false, 0));
        }
        assert_eq!(events(&ada.live(), &id).await, ["verify.sent", "verify.checked"]);
        assert_eq!(ada.wallet(Live).await.available, 99_950_000, "checks cost nothing");
    }

    async fn language_length_and_brand_are_the_callers(server: Server) {
        let ada = server.account("Ada").await;
        for (last, body, length, begins) in [
            (0, json!({ "code_length": 4, "locale": "es", "brand": "Café 24" }), 4, "es tu clave de Café 24. Es valida durante 10 minutos."),
            (1, json!({ "code_length": 10, "locale": "fr" }), 10, "est votre code Telephony.io. Il est valable 10 minutes."),
            (2, json!({ "channel": "sms", "locale": "en", "brand": "Telephony.io" }), 6, "is your Telephony.io code."),
        ] {
            let mut body = body;
            body["phone_number"] = format!("+6141234567{last}").into();
            ada.live().post(SEND, body).await.assert_status(200);
            let [text] = server.deliver(Live).await.try_into().expect("one message");
            let code = text.code();
            assert_eq!(code.len(), length, "{text:?}");
            assert!(text.body.starts_with(&format!("{code} {begins}")), "{text:?}");
        }
    }

    async fn the_fifth_wrong_code_ends_it(server: Server) {
        let ada = server.account("Ada").await;
        let (id, text) = sent(&server, &ada.live(), PHONE).await;
        let (code, wrong) = (text.code(), wrong(&text.code()));
        for left in (1..5).rev() {
            check(&ada.live(), PHONE, &wrong).await.assert(200, &checked(&id, "pending", false, left));
        }
        // A code of another length is a wrong one as well.
        check(&ada.live(), PHONE, "1234").await.assert(200, &checked(&id, "max_attempts_reached", false, 0));
        check(&ada.live(), PHONE, &code).await.assert(200, &checked(&id, "max_attempts_reached", false, 0));
        assert_eq!(events(&ada.live(), &id).await, ["verify.sent", "verify.failed"]);
        // Until its time is over there is no new code to guess at.
        server.pass_seconds(100);
        send(&ada.live(), PHONE).await
            .assert_telephony_error(429, "rate_limit_exceeded", "Too many codes were sent. Please retry after 500 seconds")
            .assert_header("retry-after", "500");
        server.pass_seconds(500);
        let (another, _) = sent(&server, &ada.live(), PHONE).await;
        assert_ne!(another, id);
    }

    async fn the_fifth_right_code_counts(server: Server) {
        let ada = server.account("Ada").await;
        let (id, text) = sent(&server, &ada.live(), PHONE).await;
        for _ in 0..4 {
            check(&ada.live(), PHONE, &wrong(&text.code())).await.assert_status(200);
        }
        check(&ada.live(), PHONE, &text.code()).await.assert(200, &checked(&id, "approved", true, 0));
    }

    async fn a_late_code_is_expired_whether_or_not_somebody_came_for_it(server: Server) {
        let ada = server.account("Ada").await;
        let (id, text) = sent(&server, &ada.live(), PHONE).await;
        server.pass_seconds(599);
        check(&ada.live(), PHONE, &wrong(&text.code())).await.assert(200, &checked(&id, "pending", false, 4));
        server.pass_seconds(1);
        check(&ada.live(), PHONE, &text.code()).await.assert(200, &checked(&id, "expired", false, 0));
        server.run_due().await;
        assert_eq!(events(&ada.live(), &id).await, ["verify.sent", "verify.expired"]);
        let (id, _) = sent(&server, &ada.live(), PHONE).await;
        server.pass_seconds(600);
        server.run_due().await;
        assert_eq!(events(&ada.live(), &id).await, ["verify.sent", "verify.expired"]);
        check(&ada.live(), PHONE, "1234").await.assert(200, &checked(&id, "expired", false, 0));
    }

    async fn sending_again_keeps_id_code_and_end(server: Server) {
        let ada = server.account("Ada").await;
        let (id, first) = sent(&server, &ada.live(), PHONE).await;
        check(&ada.live(), PHONE, &wrong(&first.code())).await.assert_status(200);
        server.pass_seconds(30);
        let again = ada.live().post(SEND, json!({ "phone_number": PHONE, "code_length": 10, "locale": "fr", "brand": "Acme" })).await;
        again.assert(200, &json!({
            "success": true, "verification_id": id, "phone_number": PHONE, "channel": "sms", "status": "pending",
            "expires_at": "2024-01-01T00:10:00Z", "creditsUsed": 0.05,
        }));
        let [second] = server.deliver(Live).await.try_into().expect("one message");
        assert_eq!(second.code(), first.code());
        assert!(second.body.contains("votre code Acme. Il est valable 10 minutes."), "{second:?}");
        check(&ada.live(), PHONE, &wrong(&first.code())).await.assert(200, &checked(&id, "pending", false, 3));
        server.pass_seconds(541);
        let (same, third) = sent(&server, &ada.live(), PHONE).await;
        assert_eq!(same, id);
        assert!(third.body.contains("It works for 1 minute."), "{third:?}");
        check(&ada.live(), PHONE, &first.code()).await.assert(200, &checked(&id, "approved", true, 0));
        assert_eq!(events(&ada.live(), &id).await, ["verify.sent", "verify.sent", "verify.sent", "verify.checked"]);
        assert_eq!(ada.wallet(Live).await.available, 99_850_000, "each sending is paid");
        let detail = ada.live().get(&format!("/v1/verifications/{id}")).await;
        assert_eq!(detail.body["messages"].as_array().map(Vec::len), Some(3), "{detail}");
        assert_eq!(detail.body["verification"]["sends"], 3, "{detail}");
    }

    async fn two_hundred_right_codes_at_once_approve_once(server: Server) {
        let ada = server.account("Ada").await;
        ada.unlimited(Live).await;
        let (id, text) = sent(&server, &ada.live(), PHONE).await;
        let tasks: Vec<_> = (0..200)
            .map(|_| {
                let (client, code) = (ada.live(), text.code());
                tokio::spawn(async move { check(&client, PHONE, &code).await })
            })
            .collect();
        let mut approvals = 0;
        for task in tasks {
            let answer = task.await.expect("an answer");
            answer.assert_status(200);
            assert_eq!(answer.body["status"], "approved", "{answer}");
            approvals += i32::from(answer.body["valid"] == true);
        }
        assert_eq!(approvals, 1);
        assert_eq!(events(&ada.live(), &id).await, ["verify.sent", "verify.checked"]);
    }

    async fn two_hundred_guesses_at_once_are_five(server: Server) {
        let ada = server.account("Ada").await;
        ada.unlimited(Live).await;
        let (id, text) = sent(&server, &ada.live(), PHONE).await;
        let wrong = wrong(&text.code());
        let tasks: Vec<_> = (0..200)
            .map(|_| {
                let (client, code) = (ada.live(), wrong.clone());
                tokio::spawn(async move { check(&client, PHONE, &code).await })
            })
            .collect();
        let mut pending = 0;
        for task in tasks {
            let answer = task.await.expect("an answer");
            pending += i32::from(answer.body["status"] == "pending");
        }
        assert_eq!(pending, 4, "the fifth ends it");
        assert_eq!(events(&ada.live(), &id).await, ["verify.sent", "verify.failed"]);
    }

    async fn a_repeated_check_spends_no_attempt(server: Server) {
        let ada = server.account("Ada").await;
        let (id, text) = sent(&server, &ada.live(), PHONE).await;
        let once = ada.live().idempotency("check-1");
        let first = check(&once, PHONE, &wrong(&text.code())).await;
        first.assert(200, &checked(&id, "pending", false, 4));
        for _ in 0..9 {
            check(&once, PHONE, &wrong(&text.code())).await.assert_replay_of(&first);
        }
        let once = ada.live().idempotency("check-2");
        let first = check(&once, PHONE, &text.code()).await;
        first.assert(200, &checked(&id, "approved", true, 0));
        check(&once, PHONE, &text.code()).await.assert_replay_of(&first);
    }

    async fn a_repeated_send_sends_and_charges_once(server: Server) {
        let ada = server.account("Ada").await;
        let once = ada.live().idempotency("send-1");
        let first = send(&once, PHONE).await;
        first.assert_status(200);
        for _ in 0..5 {
            send(&once, PHONE).await.assert_replay_of(&first);
        }
        assert_eq!(server.deliver(Live).await.len(), 1);
        assert_eq!(ada.wallet(Live).await.available, 99_950_000);
    }

    async fn another_accounts_or_environments_code_does_not_exist(server: Server) {
        let (ada, eve) = (server.account("Ada").await, server.account("Eve").await);
        let (id, text) = sent(&server, &ada.live(), PHONE).await;
        let nothing = format!("There is no verification of '{PHONE}'");
        for client in [eve.live(), ada.test(), eve.test()] {
            check(&client, PHONE, &text.code()).await.assert_telephony_error(404, "not_found", &nothing);
        }
        let nobody = "There is no verification of '+61412345679'";
        check(&ada.live(), "+61412345679", &text.code()).await.assert_telephony_error(404, "not_found", nobody);
        // Both may verify the same number, each with a code of its own.
        let (other, second) = sent(&server, &eve.live(), PHONE).await;
        assert_ne!(other, id);
        check(&ada.live(), PHONE, &text.code()).await.assert(200, &checked(&id, "approved", true, 0));
        check(&eve.live(), PHONE, &second.code()).await.assert(200, &checked(&other, "approved", true, 0));
    }

    async fn what_is_malformed_is_refused_before_anything_else(server: Server) {
        let ada = server.account("Ada").await;
        ada.purse(Live, 0).await;
        let refused = async |path: &str, body: Value, message: &str| {
            ada.live().post(path, body).await.assert_telephony_error(400, "invalid_parameter", message);
        };
        let brand = "The brand parameter must have 1 to 18 letters, digits, spaces and - & ' . , ! + only, at least one letter, \
                     and must not read as a link";
        refused(SEND, json!({}), "The 'phone_number' parameter is required").await;
        refused(SEND, json!({ "phone_number": "0412345678" }), "Invalid phone number format").await;
        refused(SEND, json!({ "phone_number": "+61112345678" }), "Invalid phone number format").await;
        refused(SEND, json!({ "phone_number": 61_412_345_678_i64 }), "The phone_number parameter must be in E.164 format").await;
        refused(SEND, json!({ "phone_number": PHONE, "code_length": 3 }), "The code_length parameter must be between 4 and 10").await;
        refused(SEND, json!({ "phone_number": PHONE, "code_length": 11 }), "The code_length parameter must be between 4 and 10").await;
        refused(SEND, json!({ "phone_number": PHONE, "code_length": "6" }), "The code_length parameter must be a whole number").await;
        refused(SEND, json!({ "phone_number": PHONE, "channel": "fax" }), "The channel parameter must be one of: sms, voice").await;
        refused(SEND, json!({ "phone_number": PHONE, "locale": "de" }), "The locale parameter must be one of: en, es, fr").await;
        refused(SEND, json!({ "phone_number": PHONE, "brand": "evil.com" }), brand).await;
        refused(SEND, json!({ "phone_number": PHONE, "brand": "<b>" }), brand).await;
        let voice = "The channel parameter names a channel that is not available here: voice";
        refused(SEND, json!({ "phone_number": PHONE, "channel": "voice" }), voice).await;
        refused(CHECK, json!({ "phone_number": PHONE }), "The 'code' parameter is required").await;
        refused(CHECK, json!({ "code": "123456" }), "The 'phone_number' parameter is required").await;
        refused(CHECK, json!({ "phone_number": PHONE, "code": "123" }), "The code parameter must have 4 to 10 digits").await;
        refused(CHECK, json!({ "phone_number": PHONE, "code": "12345678901" }), "The code parameter must have 4 to 10 digits").await;
        refused(CHECK, json!({ "phone_number": PHONE, "code": "12a456" }), "The code parameter must have 4 to 10 digits").await;
        refused(CHECK, json!({ "phone_number": PHONE, "code": 123_456 }), "The code parameter must be a string").await;
        assert!(server.deliver(Live).await.is_empty());
    }

    async fn a_code_that_cannot_be_paid_for_is_not_sent(server: Server) {
        let ada = server.account("Ada").await;
        ada.purse(Live, 49_999).await;
        let answer = send(&ada.live(), PHONE).await;
        answer.assert(402, &json!({
            "error": "Insufficient credits to complete this request", "code": "insufficient_balance",
            "required_credits": 0.05, "current_balance": 0.049_999,
        }));
        check(&ada.live(), PHONE, "123456").await.assert_status(404);
        assert!(server.deliver(Live).await.is_empty());
        ada.purse(Live, 50_000).await;
        // It never began, so it need not rest.
        sent(&server, &ada.live(), PHONE).await;
        assert_eq!(ada.wallet(Live).await.available, 0);
    }

    async fn twenty_sends_with_money_for_one_are_one(server: Server) {
        let ada = server.account("Ada").await;
        ada.purse(Live, 50_000).await;
        let tasks: Vec<_> = (0..20)
            .map(|last| {
                let client = ada.live();
                tokio::spawn(async move { send(&client, &format!("+614{last:02}345678")).await.status })
            })
            .collect();
        let mut statuses = Vec::new();
        for task in tasks {
            statuses.push(task.await.expect("an answer"));
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [&[200][..], &[402; 19]].concat());
        assert_eq!(ada.wallet(Live).await.held, 50_000);
    }

    async fn what_never_left_is_not_paid(server: Server) {
        let ada = server.account("Ada").await;
        let id = send(&ada.live(), PHONE).await.body["verification_id"].as_str().expect("an id").to_owned();
        assert_eq!(server.refuse_texts(Live).await.len(), 1);
        let wallet = ada.wallet(Live).await;
        assert_eq!((wallet.available, wallet.held), (100_000_000, 0));
        assert_eq!(events(&ada.live(), &id).await, ["verify.sent", "verify.undelivered"]);
        let told = ada.live().get(&format!("/v1/events/{id}")).await.body["data"][1]["data"].clone();
        let message = ada.live().get(&format!("/v1/verifications/{id}")).await.body["messages"][0]["message_id"].clone();
        assert_eq!(told, json!({
            "verification_id": id, "phone_number": PHONE, "channel": "sms", "status": "pending", "message_id": message,
            "error_code": "ESME_RINVDSTADR", "error_message": told["error_message"],
        }));
        let why = ada.live().get(&format!("/v1/verifications/{id}/explain")).await;
        assert!(why.text().contains("the code did not arrive; until 2024-01-01T00:10:00Z it can be sent again"), "{why}");
        server.pass_seconds(30);
        let (again, text) = sent(&server, &ada.live(), PHONE).await;
        assert_eq!(again, id, "it can be sent again");
        check(&ada.live(), PHONE, &text.code()).await.assert(200, &checked(&id, "approved", true, 0));
        assert_eq!(ada.wallet(Live).await.available, 99_950_000);
        assert_eq!(events(&ada.live(), &id).await, ["verify.sent", "verify.undelivered", "verify.sent", "verify.checked"]);
    }

    async fn a_publishable_key_verifies_and_does_nothing_else(server: Server) {
        let ada = server.account("Ada").await;
        let browser = server.client_with(&ada.live.publishable);
        let (id, text) = sent(&server, &browser, PHONE).await;
        check(&browser, PHONE, &text.code()).await.assert(200, &checked(&id, "approved", true, 0));
        let forbidden = "This API key is not allowed to do that";
        for path in ["/telephony/api/account/balance", "/telephony/api/lookup/+61412345678"] {
            browser.get(path).await.assert_telephony_error(403, "forbidden", forbidden);
        }
        for path in ["/v1/verifications".to_owned(), format!("/v1/verifications/{id}"), format!("/v1/verifications/{id}/explain")] {
            browser.get(&path).await.assert_status(403);
        }
        let reader = ada.test_with(&[Scope::MessagesRead]).await;
        send(&reader, PHONE).await.assert_telephony_error(403, "forbidden", forbidden);
        assert_eq!(ada.wallet(Test).await.available, 100_000_000);
    }

    async fn a_canceled_code_works_no_more(server: Server) {
        let ada = server.account("Ada").await;
        let (id, text) = sent(&server, &ada.live(), PHONE).await;
        let cancel = format!("/v1/verifications/{id}/cancel");
        let canceled = ada.live().post(&cancel, json!({})).await;
        canceled.assert_status(200);
        assert_eq!(canceled.body["status"], "canceled");
        check(&ada.live(), PHONE, &text.code()).await.assert(200, &checked(&id, "canceled", false, 0));
        ada.live().post(&cancel, json!({})).await.assert_status(409);
        assert_eq!(events(&ada.live(), &id).await, ["verify.sent", "verify.canceled"]);
        server.pass_seconds(601);
        server.run_due().await;
        assert_eq!(events(&ada.live(), &id).await.len(), 2);
        let listed = ada.live().get("/v1/verifications?status=canceled").await;
        assert_eq!(listed.body["data"][0]["id"], id.as_str(), "{listed}");
        assert_eq!(ada.live().get("/v1/verifications?status=pending").await.body["data"], json!([]));
        assert_eq!(ada.live().get("/v1/verifications?phone_number=%2B61412345678").await.body["data"][0]["id"], id.as_str());
    }

    async fn the_virtual_clock_ends_it_too(server: Server) {
        let ada = server.account("Ada").await;
        let id = send(&ada.test(), PHONE).await.body["verification_id"].as_str().expect("an id").to_owned();
        ada.advance(599).await;
        assert_eq!(ada.test().get(&format!("/v1/verifications/{id}")).await.body["verification"]["status"], "pending");
        ada.advance(1).await;
        assert_eq!(ada.test().get(&format!("/v1/verifications/{id}")).await.body["verification"]["status"], "expired");
        assert_eq!(events(&ada.test(), &id).await, ["verify.sent", "verify.expired"]);
    }
}
