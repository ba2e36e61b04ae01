//! Sending and reading messages.

use serde_json::{Value, json};
use tandem_app::accounts::ChangeAccount;
use tandem_app::messages::gateway::ReceiptState;
use tandem_domain::sid::account_sid;
use tandem_kernel::{Environment::Live, Scope};
use tandem_ledger::TransferKind::{Capture, Charge, Hold};
use tandem_testkit::{Server, on_both};

use super::{BASE, message, messages_of, native_id, project_of, shop, sid_of};
use crate::{
    messages::{MESSAGES, OURS, THEIRS, claim, incoming, report, sender, take_all},
    numbers::buy,
};

/// Takes messages from names.
const BRITISH: &str = "+447400123456";
/// 2024-01-01 00:00:00, when a test begins.
const DAWN: i64 = 1_704_067_200;

fn text(body: &str) -> Value {
    json!({ "From": OURS, "To": THEIRS, "Text": body })
}

on_both! {
    async fn a_message_is_described_field_by_field(server: Server) {
        let (ada, client) = sender(&server).await;
        let path = messages_of(&ada, Live);
        let sent = client.post(&path, json!({ "From": OURS, "To": THEIRS, "Text": "Hello {you}", "ExternalId": "order-17" })).await;
        let sid = sid_of(&sent);
        assert!(sid.len() == 32 && sid.starts_with('M'));
        let mut expected = json!({ "Message": {
            "MessageSid": sid, "AccountSid": account_sid(ada.account), "PropertySid": project_of(&ada, Live),
            "From": OURS, "To": THEIRS, "Text": "Hello {you}", "DeliveryReceipt": true, "NumSegments": 1,
            "Status": "Processing", "Direction": "Transmit", "Scheduled": null, "Created": DAWN, "Submitted": null,
            "Delivered": null, "Received": null, "ErrorCode": null, "ExternalId": "order-17",
        } });
        sent.assert(200, &expected);
        let parts = take_all(&server).await;
        expected["Message"]["Status"] = json!("Submitted");
        expected["Message"]["Submitted"] = json!(DAWN);
        let read = format!("{BASE}/Messages/{sid}");
        client.get(&read).await.assert(200, &expected);
        server.pass_seconds(3);
        report(&server, &parts, ReceiptState::Delivered, None).await;
        expected["Message"]["Status"] = json!("Delivered");
        expected["Message"]["Delivered"] = json!(DAWN + 3);
        client.get(&read).await.assert(200, &expected);
        let movements: Vec<_> = ada.charges(Live).await.iter().map(|transfer| (transfer.kind, transfer.amount)).collect();
        assert_eq!(movements, [(Charge, 990_000), (Hold, 10_000), (Capture, 10_000)]);
    }

    async fn what_fails_says_why(server: Server) {
        let (ada, client) = sender(&server).await;
        let sid = sid_of(&client.post(&messages_of(&ada, Live), text("Hello")).await);
        let parts = take_all(&server).await;
        report(&server, &parts, ReceiptState::Undelivered, Some("027")).await;
        let read = client.get(&format!("{BASE}/Messages/{sid}")).await;
        let found = message(&read);
        assert_eq!((&found["Status"], &found["ErrorCode"], &found["Delivered"]), (&json!("Failed"), &json!("027"), &Value::Null));
        server.refuse_texts(Live).await;
        let sid = sid_of(&client.post(&messages_of(&ada, Live), text("Hello")).await);
        server.refuse_texts(Live).await;
        let read = client.get(&format!("{BASE}/Messages/{sid}")).await;
        let found = message(&read);
        assert_eq!((&found["Status"], &found["ErrorCode"], &found["Submitted"]), (&json!("Failed"), &json!("ESME_RINVDSTADR"), &Value::Null));
    }

    async fn all_dialects_show_the_same_messages(server: Server) {
        let (ada, client) = sender(&server).await;
        let path = messages_of(&ada, Live);
        let here = sid_of(&client.post(&path, text("from here")).await);
        let there = client.post(MESSAGES, json!({ "from": OURS, "to": THEIRS, "body": "from there" })).await.data_text("id");
        let id = native_id(&here);
        let shown = client.get(&format!("{MESSAGES}/{id}")).await;
        assert_eq!((&shown.assert_status(200).data()["body"], &shown.data()["status"]), (&json!("from here"), &json!("queued")));
        let found = client.get(&format!("{path}?Date_From={DAWN}&Date_To={}", DAWN + 1)).await;
        let texts: Vec<_> = found.assert_status(200).body["Messages"].as_array().unwrap().iter().map(|message| message["Text"].clone()).collect();
        assert_eq!(texts, ["from here", "from there"]);
        let sids: Vec<_> = found.body["Messages"].as_array().unwrap().iter().map(|message| native_id(message["MessageSid"].as_str().unwrap())).collect();
        assert_eq!(sids, [id.clone(), there]);
        let native = client.get(&format!("/v1/messages/{id}")).await;
        assert_eq!(native.assert_status(200).body["external_id"], Value::Null);
        incoming(&server, "an answer", "1").await;
        let found = client.get(&format!("{path}?Date_From={DAWN}&Date_To={}&Direction=receive", DAWN + 1)).await;
        let received = &found.assert_status(200).body["Messages"][0];
        assert_eq!(
            (&received["Status"], &received["Direction"], &received["Received"], &received["From"]),
            (&json!("Received"), &json!("Receive"), &json!(DAWN), &json!(THEIRS))
        );
        client.get(&format!("{BASE}/Messages/{}", received["MessageSid"].as_str().unwrap())).await
            .assert(200, &json!({ "Message": received }));
    }

    async fn names_send_where_networks_take_them(server: Server) {
        let (ada, client) = sender(&server).await;
        for name in ["Acme", "A", "Acme Ltd 12", "24x7"] {
            let sent = client.post(&messages_of(&ada, Live), json!({ "From": name, "To": BRITISH, "Text": "Hello" })).await;
            assert_eq!(message(&sent)["From"], name);
        }
    }

    async fn names_and_words_are_read_in_any_case_and_forms_too(server: Server) {
        let (ada, client) = sender(&server).await;
        let body = json!({ "from": OURS, "TO": THEIRS, "text": "Hello", "webhookuri": "https://example.com/x", "webhookmethod": "Get", "deliveryreceipt": false, "nonsense": 1 });
        let sent = client.post(&messages_of(&ada, Live), body).await;
        assert_eq!(message(&sent)["DeliveryReceipt"], false);
        let form = client.header("content-type", "application/x-www-form-urlencoded");
        let pairs = format!("From=%2B{}&To=%2B{}&Text=Caf%C3%A9&DeliveryReceipt=true", &OURS[1..], &THEIRS[1..]).into_bytes();
        let sent = form.send(http::Method::POST, &messages_of(&ada, Live), Some(pairs)).await;
        assert_eq!(message(&sent)["Text"], "Café");
    }

    async fn what_is_wrong_is_named(server: Server) {
        let (ada, client) = sender(&server).await;
        let path = messages_of(&ada, Live);
        for field in ["To", "Text"] {
            let mut body = text("Hello");
            body.as_object_mut().unwrap().remove(field);
            client.post(&path, body).await
                .assert_fone_error(400, "PARAMETER_REQUIRED", &format!("The '{field}' parameter is required"), Some(field));
        }
        let long = "x".repeat(129);
        for (field, value, code) in [
            ("To", json!("0412345678"), "INVALID_PHONENUMBER_FORMAT"),
            ("To", json!("+1415555"), "INVALID_PHONENUMBER_FORMAT"),
            ("To", json!("+99955512345"), "INVALID_PHONENUMBER_FORMAT"),
            ("From", json!("61499998888"), "INVALID_PHONENUMBER_FORMAT"),
            ("From", json!("+1415555010a"), "INVALID_PHONENUMBER_FORMAT"),
            ("From", json!("12345"), "INVALID_PHONENUMBER_FORMAT"),
            ("From", json!("Twelve chars"), "PARAMETER_TOO_LONG"),
            ("From", json!("Acme_Ltd"), "PARAMETER_INVALID"),
            ("From", json!("Ärzte"), "PARAMETER_INVALID"),
            ("Text", json!("x".repeat(1601)), "PARAMETER_TOO_LONG"),
            ("Text", json!("😀".repeat(793)), "PARAMETER_TOO_LONG"),
            ("Text", json!(17), "PARAMETER_INVALID"),
            ("Schedule", json!("soon"), "PARAMETER_INVALID"),
            ("Schedule", json!(DAWN + 14 * 86_400 + 1), "PARAMETER_INVALID"),
            ("Schedule", json!(DAWN - 3_601), "PARAMETER_INVALID"),
            ("DeliveryReceipt", json!("maybe"), "PARAMETER_INVALID"),
            ("DeliveryReceiptWebhookUri", json!("example.com"), "PARAMETER_INVALID"),
            ("DeliveryReceiptWebhookUri", json!("http://127.0.0.1/x"), "PARAMETER_INVALID"),
            ("DeliveryReceiptWebhookMethod", json!("PUT"), "PARAMETER_INVALID"),
            ("WebhookUri", json!("ftp://example.com/"), "PARAMETER_INVALID"),
            ("WebhookMethod", json!("HEAD"), "PARAMETER_INVALID"),
            ("ForwardToSms", json!("12"), "INVALID_PHONENUMBER_FORMAT"),
            ("ForwardFromSms", json!("#"), "INVALID_PHONENUMBER_FORMAT"),
            ("ForwardToEmail", json!("nobody"), "PARAMETER_INVALID"),
            ("ForwardFromEmail", json!("a@example.com, b@example.com"), "PARAMETER_INVALID"),
            ("ExternalId", json!(long), "PARAMETER_TOO_LONG"),
        ] {
            let mut body = text("Hello");
            body[field] = value.clone();
            let refused = client.post(&path, body).await;
            let status = &refused.body["ResponseStatus"];
            assert_eq!((refused.status, &status["ErrorCode"], &status["Errors"][0]["FieldName"]), (400, &json!(code), &json!(field)), "{value} {refused}");
        }
        assert_eq!((claim(&server).await.len(), ada.wallet(Live).await.held), (0, 0));
    }

    async fn a_sender_must_be_the_projects_own(server: Server) {
        let (ada, client) = sender(&server).await;
        let shop = shop(&client, true).await;
        let path = format!("{BASE}/Properties/{shop}/Messages");
        let message = format!("{OURS} belongs to a different property");
        client.post(&path, text("Hello")).await.assert_fone_error(403, "NUMBER_BELONGS_TO_DIFFERENT_PROPERTY", &message, None);
        let body = json!({ "From": "+14155550101", "To": THEIRS, "Text": "Hello" });
        let message = "The sender +14155550101 is not a number of your account";
        client.post(&path, body.clone()).await.assert_fone_error(400, "NUMBER_NOT_FOUND", message, Some("From"));
        client.post(&messages_of(&ada, Live), body).await.assert_fone_error(400, "NUMBER_NOT_FOUND", message, Some("From"));
        buy(&client, "+14153569377").await;
        let body = json!({ "From": "+14153569377", "To": THEIRS, "Text": "Hello" });
        client.post(&messages_of(&ada, Live), body).await
            .assert_fone_error(403, "FORBIDDEN", "The number +14153569377 cannot send SMS", None);
        let named = client.post(&path, json!({ "From": "Shop", "To": BRITISH, "Text": "Hello" })).await;
        assert_eq!(super::message(&named)["PropertySid"], shop.as_str());
    }

    async fn replies_are_handed_on_from_a_name_or_a_number_of_the_project(server: Server) {
        let (ada, client) = sender(&server).await;
        let path = messages_of(&ada, Live);
        let ask = |from: &str| json!({ "From": OURS, "To": THEIRS, "Text": "Hello", "ForwardToSms": BRITISH, "ForwardFromSms": from });
        let said = "The sender +12125559999 is not a number of your account";
        client.post(&path, ask("+12125559999")).await.assert_fone_error(400, "NUMBER_NOT_FOUND", said, Some("ForwardFromSms"));
        let batch = path.replace("/Messages", "/BatchMessages");
        let sent = client.post(&batch, json!({ "Messages": [ask("+12125559999"), ask(OURS)] })).await;
        let items = &sent.assert_status(200).body;
        assert!(items[0]["ErrorCode"] == "NUMBER_NOT_FOUND" && items[1]["MessageSid"].is_string(), "{sent}");
        buy(&client, "+14153569377").await;
        client.post(&path, ask("+14153569377")).await
            .assert_fone_error(403, "FORBIDDEN", "The number +14153569377 cannot send SMS", None);
        for from in [OURS, "Acme"] {
            client.post(&path, ask(from)).await.assert_status(200);
        }
    }

    async fn every_text_of_1600_letters_is_sent(server: Server) {
        let (ada, client) = sender(&server).await;
        for (letter, segments) in [("x", 11), ("€", 22), ("я", 24)] {
            let sent = client.post(&messages_of(&ada, Live), text(&letter.repeat(1600))).await;
            assert_eq!(message(&sent)["NumSegments"], segments);
            assert_eq!(take_all(&server).await.len(), segments);
        }
    }

    async fn what_a_form_leaves_empty_is_left_out(server: Server) {
        let (ada, client) = sender(&server).await;
        let path = messages_of(&ada, Live);
        let blank = json!({
            "From": OURS, "To": THEIRS, "Text": "Hello", "DeliveryReceiptWebhookUri": "", "DeliveryReceiptWebhookMethod": "", "ForwardToSms": "",
            "ForwardFromSms": "", "ForwardToEmail": "", "ForwardFromEmail": "", "WebhookUri": "", "WebhookMethod": "", "ExternalId": "",
        });
        let sent = client.post(&path, blank).await;
        assert_eq!((&message(&sent)["ExternalId"], &message(&sent)["DeliveryReceipt"]), (&Value::Null, &json!(true)));
        let form = client.header("content-type", "application/x-www-form-urlencoded");
        let post = async |body: &str| form.send(http::Method::POST, &path, Some(body.as_bytes().to_vec())).await;
        let (from, to) = (&OURS[1..], &THEIRS[1..]);
        let sent = post(&format!("From=+{from}&To=+{to}&Text=caf%E9+cr%E8me&Schedule=&DeliveryReceipt=&ExternalId=")).await;
        assert_eq!((&message(&sent)["Text"], &message(&sent)["From"], &message(&sent)["To"]), (&json!("café crème"), &json!(OURS), &json!(THEIRS)));
        let sent = post(&format!("From=%2B{from}&To=%2B{to}&Text=caf%C3%A9")).await;
        assert_eq!(message(&sent)["Text"], "café");
        for query in ["Status=&Direction=", "PageToken="] {
            let found = client.get(&format!("{path}?Date_From={DAWN}&Date_To={}&{query}", DAWN + 1)).await;
            assert_eq!(found.assert_status(200).body["Messages"].as_array().map(Vec::len), Some(3));
        }
        for (page, more) in [(2, true), (3, false)] {
            let found = client.get(&format!("{path}?Date_From={DAWN}&Date_To={}&Results_Count={page}", DAWN + 1)).await;
            assert_eq!((found.body["Messages"].as_array().map(Vec::len), found.body["NextPageToken"].is_string()), (Some(page), more), "{found}");
        }
    }

    async fn names_that_nobody_knows_are_told_within_lists_too(server: Server) {
        let (ada, client) = sender(&server).await;
        let batch = messages_of(&ada, Live).replace("/Messages", "/BatchMessages");
        let sent = client.post(&batch, json!({ "Messages": [{ "From": OURS, "To": THEIRS, "Text": "Hello", "ExternalIt": "x" }] })).await;
        assert_eq!(sent.assert_status(200).header("x-tandem-hint"), Some("Messages.0.ExternalIt is ignored; did you mean ExternalId?"));
    }

    async fn a_number_that_is_on_its_way_sends_nothing(server: Server) {
        let (ada, client) = sender(&server).await;
        let path = messages_of(&ada, Live);
        let ported = "+14152007999";
        let order = json!({
            "number": ported, "account_number": "A-1", "billing_phone": ported, "end_user_name": "Ada",
            "end_user_address": { "street": "1 Main St", "city": "Seattle", "state": "WA", "postal_code": "98101", "country": "US" },
        });
        client.post("/audian/v2/ports", order).await.assert_status(202);
        let refused = client.post(&path, json!({ "From": ported, "To": THEIRS, "Text": "Hello" })).await;
        assert_eq!((refused.status, &refused.body["ResponseStatus"]["ErrorCode"]), (403, &json!("FORBIDDEN")), "{refused}");
    }

    async fn a_number_that_is_not_paid_sends_nothing(server: Server) {
        let (ada, client) = sender(&server).await;
        let path = messages_of(&ada, Live);
        ada.purse(Live, 0).await;
        server.pass_days(32);
        server.run_due().await;
        let said = "The number +14155550100 is suspended until its renewal is paid";
        client.post(&path, text("Hello")).await.assert_fone_error(403, "FORBIDDEN", said, None);
    }

    async fn sms_must_be_on_for_the_account_and_the_project(server: Server) {
        let (ada, client) = sender(&server).await;
        let quiet = shop(&client, false).await;
        let named = json!({ "From": "Shop", "To": BRITISH, "Text": "Hello" });
        let said = "SMS is not enabled on the property 'Shop'";
        client.post(&format!("{BASE}/Properties/{quiet}/Messages"), named.clone()).await.assert_fone_error(403, "FORBIDDEN", said, None);
        let batch = json!({ "Messages": [named] });
        client.post(&format!("{BASE}/Properties/{quiet}/BatchMessages"), batch).await.assert_fone_error(403, "FORBIDDEN", said, None);
        let patch = client.header("content-type", "application/merge-patch+json");
        let off = json!({ "Active": false, "SmsEnabled": true }).to_string().into_bytes();
        patch.send(http::Method::PATCH, &format!("{BASE}/Properties/{quiet}"), Some(off)).await.assert_status(204);
        let named = json!({ "From": "Shop", "To": BRITISH, "Text": "Hello" });
        let said = "The property 'Shop' is not active";
        client.post(&format!("{BASE}/Properties/{quiet}/Messages"), named).await.assert_fone_error(403, "FORBIDDEN", said, None);
        ada.change(ChangeAccount { sms_enabled: Some(false), ..ChangeAccount::default() }).await;
        let said = "SMS is not enabled on your account";
        client.post(&messages_of(&ada, Live), text("Hello")).await.assert_fone_error(403, "FORBIDDEN", said, None);
    }

    async fn money_countries_and_wishes_are_respected(server: Server) {
        let (ada, client) = sender(&server).await;
        let path = messages_of(&ada, Live);
        incoming(&server, "STOP", "1").await;
        let said = format!("{THEIRS} asked to get no more messages from {OURS}");
        client.post(&path, text("Hello")).await.assert_fone_error(403, "FORBIDDEN", &said, None);
        let account = format!("/v1/accounts/{}", ada.account);
        server.operator().patch(&account, json!({ "message_countries": ["GB"] })).await.assert_status(200);
        let other = json!({ "From": OURS, "To": "+14155550198", "Text": "Hello" });
        client.post(&path, other.clone()).await
            .assert_fone_error(403, "COUNTRY_UNAVAILABLE", "Messages to US are not allowed for this account", None);
        server.operator().patch(&account, json!({ "message_countries": [] })).await.assert_status(200);
        ada.purse(Live, 9_999).await;
        let said = "Your account does not have sufficient funds to send this message";
        let refused = client.post(&path, other.clone()).await;
        assert_eq!((refused.status, &refused.body["ResponseStatus"]["ErrorCode"]), (403, &json!("INSUFFICIENT_FUNDS")), "{said} {refused}");
        ada.purse(Live, 1_000_000).await;
        client.put("/audian/v2/billing/limits/monthly", json!({ "amount": 0, "action": "block" })).await.assert_status(200);
        let refused = client.post(&path, other).await;
        assert_eq!(refused.status, 403, "{refused}");
    }

    async fn nobody_else_may(server: Server) {
        let (ada, client) = sender(&server).await;
        let path = messages_of(&ada, Live);
        let sid = sid_of(&client.post(&path, text("Hello")).await);
        let eve = server.account("Eve").await;
        let (property, read) = (project_of(&ada, Live), format!("{BASE}/Messages/{sid}"));
        let (no_property, no_message) = (format!("The property '{property}' was not found"), format!("The message '{sid}' was not found"));
        eve.live().post(&path, text("Hello")).await.assert_fone_error(400, "PROPERTY_NOT_FOUND", &no_property, None);
        eve.live().get(&format!("{path}?Date_From=0&Date_To=1")).await.assert_fone_error(400, "PROPERTY_NOT_FOUND", &no_property, None);
        eve.live().get(&read).await.assert_fone_error(400, "MESSAGE_NOT_FOUND", &no_message, None);
        ada.test().get(&read).await.assert_fone_error(400, "MESSAGE_NOT_FOUND", &no_message, None);
        client.get(&format!("{BASE}/Messages/M123")).await.assert_fone_error(400, "MESSAGE_NOT_FOUND", "The message 'M123' was not found", None);
        let reader = ada.mint(Live, &[Scope::MessagesRead], None).await;
        let writer = ada.mint(Live, &[Scope::MessagesWrite], None).await;
        let (reader, writer) = (server.client_with(reader.text).of(ada.account), server.client_with(writer.text).of(ada.account));
        let said = "You do not have permission to access this resource";
        reader.post(&path, text("Hello")).await.assert_fone_error(403, "FORBIDDEN", said, None);
        writer.get(&read).await.assert_fone_error(403, "FORBIDDEN", said, None);
        writer.get(&format!("{path}?Date_From=0&Date_To=1")).await.assert_fone_error(403, "FORBIDDEN", said, None);
        reader.get(&read).await.assert_status(200);
        writer.post(&path, text("Hello")).await.assert_status(200);
    }

    async fn a_repeated_request_sends_once(server: Server) {
        let (ada, client) = sender(&server).await;
        let client = client.idempotency("once");
        let first = client.post(&messages_of(&ada, Live), text("Hello")).await;
        client.post(&messages_of(&ada, Live), text("Hello")).await.assert_replay_of(&first);
        assert_eq!((ada.wallet(Live).await.held, claim(&server).await.len()), (10_000, 1));
    }
}
