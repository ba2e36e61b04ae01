//! What is not sent, and what is said of it.

use serde_json::{Value, json};
use tandem_app::accounts::ChangeAccount;
use tandem_kernel::{Environment::Live, Scope};
use tandem_testkit::{Answer, Client, Server, on_both};

use super::{MESSAGES, OURS, THEIRS, claim, incoming, send, sender, text};
use crate::numbers::buy;

async fn from(client: &Client, sender: &str) -> Answer {
    client.post(MESSAGES, json!({ "from": sender, "to": THEIRS, "body": "Hello" })).await
}

#[track_caller]
fn assert_invalid(answer: &Answer, code: &str, message: &str, param: &str) {
    answer.assert_audian_error(400, code, "invalid_request_error", message, Some(param));
}

#[track_caller]
fn assert_not_allowed(answer: &Answer, message: &str) {
    answer.assert_audian_error(403, "operation_not_allowed", "forbidden_error", message, None);
}

on_both! {
    async fn what_is_malformed_is_named(server: Server) {
        let (_, client) = sender(&server).await;
        let with = async |name: &str, value: Value| {
            let mut body = text("Hello");
            body[name] = value;
            client.post(MESSAGES, body).await
        };
        for name in ["from", "to", "body"] {
            let refused = with(name, Value::Null).await;
            assert_invalid(&refused, "missing_required_parameter", &format!("The '{name}' parameter is required"), name);
        }
        let e164 = "The phone number must be in E.164 format (+1XXXXXXXXXX)";
        assert_invalid(&with("to", json!("415-555-1234")).await, "invalid_phone_number", e164, "to");
        assert_invalid(&with("from", json!("(415) 555-0100")).await, "invalid_phone_number", e164, "from");
        assert_invalid(&with("from", json!("4155550100")).await, "invalid_phone_number", e164, "from");
        assert_eq!(with("from", json!("Much too long a name")).await.assert_status(400).body["error"]["param"], "from");
        assert_eq!(with("from", json!("Ärzte")).await.assert_status(400).body["error"]["code"], "invalid_parameter");
        assert_eq!(with("media_urls", json!("https://example.com")).await.assert_status(400).body["error"]["param"], "media_urls");
        let long = with("body", json!("😀".repeat(793))).await;
        assert_invalid(&long, "invalid_parameter", "The text takes 25 segments, 24 is the most", "body");
        let renamed = client.post(MESSAGES, json!({ "from": OURS, "to": THEIRS, "text": "я".repeat(1609) })).await;
        assert_invalid(&renamed, "invalid_parameter", "The text takes 25 segments, 24 is the most", "text");
        assert!(claim(&server).await.is_empty());
    }

    async fn a_sender_must_be_an_active_number_of_the_account(server: Server) {
        let (ada, client) = sender(&server).await;
        let eve = server.account("Eve").await;
        buy(&eve.live(), "+14155550101").await;
        let message = |number: &str| format!("The sender {number} is not a number of your account");
        for number in ["+14155550101", "+14155550102"] {
            assert_not_allowed(&from(&client, number).await, &message(number));
        }
        assert_not_allowed(&from(&ada.test(), OURS).await, &message(OURS));
        assert_not_allowed(&from(&client, "12345").await, &message("12345"));
        buy(&client, "+14153569377").await;
        assert_not_allowed(&from(&client, "+14153569377").await, "The number +14153569377 cannot send SMS");
        let named = from(&client, "Acme").await;
        let said = "Messages to +14155550199 must come from a number, not from a name";
        named.assert_audian_error(422, "validation_error", "validation_error", said, None);
        let ported = client.post("/audian/v2/ports", json!({
            "number": "+14152007999", "account_number": "A-1", "billing_phone": "+14152007999", "end_user_name": "Ada",
            "end_user_address": { "street": "1 Main St", "city": "Seattle", "state": "WA", "postal_code": "98101", "country": "US" },
        })).await;
        ported.assert_status(202);
        assert_eq!(from(&client, "+14152007999").await.assert_status(409).body["error"]["code"], "resource_conflict");
    }

    async fn a_suspended_number_sends_nothing(server: Server) {
        let (ada, client) = sender(&server).await;
        ada.purse(Live, 0).await;
        server.pass_days(32);
        server.run_due().await;
        assert_not_allowed(&from(&client, OURS).await, "The number +14155550100 is suspended until its renewal is paid");
    }

    async fn an_account_sends_what_it_may(server: Server) {
        let (ada, client) = sender(&server).await;
        let picture = json!({ "from": OURS, "to": THEIRS, "media_urls": ["https://example.com/a.jpg"] });
        assert_not_allowed(&client.post(MESSAGES, picture.clone()).await, "MMS is not enabled on your account");
        ada.change(ChangeAccount { sms_enabled: Some(false), ..ChangeAccount::default() }).await;
        assert_not_allowed(&client.post(MESSAGES, text("Hello")).await, "SMS is not enabled on your account");
        ada.change(ChangeAccount { mms_enabled: Some(true), ..ChangeAccount::default() }).await;
        buy(&client, "+14155550101").await;
        let lacking = json!({ "from": "+14155550101", "to": THEIRS, "media_urls": ["https://example.com/a.jpg"] });
        assert_not_allowed(&client.post(MESSAGES, lacking).await, "The number +14155550101 cannot send MMS");
    }

    async fn messages_go_to_the_countries_of_the_list(server: Server) {
        let (ada, client) = sender(&server).await;
        let path = format!("/v1/accounts/{}", ada.account);
        let changed = server.operator().patch(&path, json!({ "message_countries": ["GB", "CA", "GB"] })).await;
        assert_eq!(changed.assert_status(200).body["message_countries"], json!(["CA", "GB"]));
        assert_not_allowed(&client.post(MESSAGES, text("Hello")).await, "Messages to US are not allowed for this account");
        send(&client, &json!({ "from": OURS, "to": "+447400123456", "body": "Hello" })).await;
        server.operator().patch(&path, json!({ "message_countries": ["ZZ"] })).await.assert_status(400);
        let all = server.operator().patch(&path, json!({ "message_countries": [] })).await;
        assert_eq!(all.assert_status(200).body["message_countries"], json!([]));
        send(&client, &text("Hello")).await;
    }

    async fn a_key_needs_the_scope(server: Server) {
        let (ada, client) = sender(&server).await;
        let id = send(&client, &text("Hello")).await;
        let reader = ada.mint(Live, &[Scope::MessagesRead], None).await;
        let writer = ada.mint(Live, &[Scope::MessagesWrite], None).await;
        let (reader, writer) = (server.client_with(reader.text), server.client_with(writer.text));
        reader.get(&format!("{MESSAGES}/{id}")).await.assert_status(200);
        writer.post(MESSAGES, text("Hello")).await.assert_status(201);
        let said = "You do not have permission to access this resource";
        for refused in [reader.post(MESSAGES, text("Hello")).await, writer.get(MESSAGES).await, writer.get(&format!("{MESSAGES}/{id}")).await] {
            refused.assert_audian_error(403, "forbidden_error", "forbidden_error", said, None);
        }
        let missing = writer.get(&format!("{MESSAGES}/msg_00000000000000000000000000")).await;
        missing.assert_audian_error(404, "not_found_error", "not_found_error", "The message 'msg_00000000000000000000000000' was not found", None);
        let eve = server.account("Eve").await;
        eve.live().get(&format!("{MESSAGES}/{id}")).await.assert_status(404);
    }

    async fn money_must_be_there_and_allowed(server: Server) {
        let (ada, client) = sender(&server).await;
        ada.purse(Live, 15_000).await;
        send(&client, &text("Hello")).await;
        let refused = client.post(MESSAGES, text("Hello")).await;
        let said = "Your account does not have sufficient funds to send this message";
        refused.assert_audian_error(402, "insufficient_funds", "insufficient_funds_error", said, None);
        ada.purse(Live, 1_000_000).await;
        let limit = json!({ "amount": 1, "action": "block" });
        client.put("/audian/v2/billing/limits/monthly", limit).await.assert_status(200);
        client.post(MESSAGES, text(&"a".repeat(200))).await.assert_status(402);
        assert_eq!(claim(&server).await.len(), 1);
    }

    async fn who_wants_none_gets_none(server: Server) {
        let (_, client) = sender(&server).await;
        incoming(&server, "STOP", "1").await;
        let refused = client.post(MESSAGES, text("Hello")).await;
        assert_not_allowed(&refused, &format!("{THEIRS} asked to get no more messages from {OURS}"));
        let explained = client.get(&format!("/v1/requests/{}/explain", refused.header("x-request-id").expect("an id"))).await;
        server.settle().await;
        assert!(explained.status == 200 || explained.status == 404, "{explained}");
        let explained = client.get(&format!("/v1/requests/{}/explain", refused.header("x-request-id").expect("an id"))).await;
        assert_eq!(explained.assert_status(200).body["data"][0]["decision"], "send");
        incoming(&server, "START", "2").await;
        send(&client, &text("Hello")).await;
    }
}
