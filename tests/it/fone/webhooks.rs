//! What webhooks are told of messages: those that a message names, and those that are registered.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tandem_app::messages::gateway::ReceiptState;
use tandem_domain::sid::account_sid;
use tandem_kernel::Environment::Live;
use tandem_testkit::{Client, Persona, Reaction, Receiver, Server, Stage, on_both};

use super::{message, messages_of, project_of};
use crate::messages::{OURS, THEIRS, incoming, report, sender, take_all};

async fn serve(stage: Stage) -> Server {
    stage.config(|config| config.webhooks.allow_private = true).start().await
}

fn pairs(text: &str) -> BTreeMap<String, String> {
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        let mut bytes = Vec::new();
        let mut rest = text.as_bytes();
        while let [first, after @ ..] = rest {
            match (first, after) {
                (b'%', [high, low, more @ ..]) => {
                    let digits = [*high, *low];
                    bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
                    rest = more;
                }
                _ => {
                    bytes.push(*first);
                    rest = after;
                }
            }
        }
        String::from_utf8(bytes).unwrap()
    };
    text.split('&').map(|pair| pair.split_once('=').expect("a pair")).map(|(name, value)| (decode(name), decode(value))).collect()
}

async fn send(persona: &Persona, client: &Client, wishes: Value) -> String {
    let mut body = json!({ "From": OURS, "To": THEIRS, "Text": "Hello & welcome" });
    body.as_object_mut().unwrap().extend(wishes.as_object().unwrap().clone());
    message(&client.post(&messages_of(persona, Live), body).await)["MessageSid"].as_str().unwrap().to_owned()
}

fn expected(persona: &Persona, event: &str, sid: &str, (from, to): (&str, &str), text: &str) -> BTreeMap<String, String> {
    let account = account_sid(persona.account);
    let property = project_of(persona, Live);
    let pairs = [
        ("Action", "Webhook"),
        ("Event", event),
        ("Account.Sid", &account),
        ("Property.Sid", &property),
        ("Message.Sid", sid),
        ("Message.From", from),
        ("Message.To", to),
        ("Message.Text", text),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

on_both! {
    async fn a_messages_own_urls_hear_of_its_receipt_and_of_replies(stage: Stage) {
        let server = serve(stage).await;
        let ((ada, client), receiver) = (sender(&server).await, Receiver::start().await);
        let wishes = json!({
            "DeliveryReceiptWebhookUri": receiver.url("/receipt?order=17"), "DeliveryReceiptWebhookMethod": "Get",
            "WebhookUri": receiver.url("/reply"), "WebhookMethod": "Post",
        });
        let sid = send(&ada, &client, wishes).await;
        let parts = take_all(&server).await;
        report(&server, &parts, ReceiptState::Delivered, None).await;
        let told = receiver.wait(1).await.remove(0);
        let (path, query) = told.path.split_once("?order=17&").expect("the query is kept");
        assert_eq!((told.method.as_str(), path, told.body.as_str()), ("GET", "/receipt", ""));
        assert_eq!(pairs(query), expected(&ada, "Message.DeliveryReceiptReceived", &sid, (OURS, THEIRS), "Hello & welcome"));
        incoming(&server, "Thänks", "1").await;
        let told = receiver.wait(2).await.remove(1);
        let shown = pairs(&told.body);
        assert_eq!((told.method.as_str(), told.path.as_str(), told.header("content-type")), ("POST", "/reply", "application/x-www-form-urlencoded"));
        assert_eq!(shown, expected(&ada, "Message.Received", &shown["Message.Sid"], (THEIRS, OURS), "Thänks"));
        assert!(told.header("webhook-signature").starts_with("v1,"));
        client.get(&format!("{}/Messages/{}", super::BASE, shown["Message.Sid"])).await.assert_status(200);
    }

    async fn a_numbers_webhook_speaks_the_dialect_that_set_it(stage: Stage) {
        let server = serve(stage).await;
        let ((ada, client), receiver) = (sender(&server).await, Receiver::start().await);
        let path = format!("{}/Numbers/{}", super::BASE, OURS.trim_start_matches('+'));
        let (mut heard, url) = (0, receiver.url("/sms"));
        for (change, shown) in [
            (json!({ "WebhookUri": url }), "POST"),
            (json!({ "WebhookMethod": "Get" }), "GET"),
            (json!({ "WebhookUri": url, "WebhookMethod": "POST" }), "POST"),
        ] {
            let number = client.post(&path, change).await;
            let number = &number.assert_status(200).body["Number"];
            assert_eq!((&number["WebhookUri"], &number["WebhookMethod"]), (&json!(url), &json!(shown)));
            heard += 1;
            incoming(&server, "Hello?", &heard.to_string()).await;
            let told = receiver.wait(heard).await.remove(heard - 1);
            let said = if shown == "GET" { told.path.split_once('?').expect("a query").1.to_owned() } else { told.body.clone() };
            let said = pairs(&said);
            assert_eq!(told.method, shown);
            assert_eq!(said, expected(&ada, "Message.Received", &said["Message.Sid"], (THEIRS, OURS), "Hello?"));
        }
        let config = json!({ "sms_webhook": receiver.url("/audian") });
        client.put(&format!("/audian/v2/numbers/{OURS}/config"), config).await.assert_status(200);
        let number = client.get(&path).await;
        assert_eq!(number.body["Number"]["WebhookMethod"], "POST");
        incoming(&server, "Hello?", "9").await;
        let told = receiver.wait(heard + 1).await.remove(heard);
        assert_eq!((told.path.as_str(), &told.json()["event"]), ("/audian", &json!("message.received")));
        let number = client.post(&path, json!({ "WebhookUri": null })).await;
        assert_eq!((&number.body["Number"]["WebhookUri"], &number.body["Number"]["WebhookMethod"]), (&Value::Null, &Value::Null));
    }

    async fn a_receipt_that_is_not_wanted_is_not_told(stage: Stage) {
        let server = serve(stage).await;
        let ((ada, client), receiver) = (sender(&server).await, Receiver::start().await);
        let body = json!({ "url": receiver.url("/all"), "events": ["*"], "dialect": "fonedynamics" });
        client.post("/v1/webhooks", body).await.assert_status(201);
        let wishes = json!({ "DeliveryReceipt": false, "DeliveryReceiptWebhookUri": receiver.url("/receipt") });
        send(&ada, &client, wishes).await;
        let parts = take_all(&server).await;
        report(&server, &parts, ReceiptState::Delivered, None).await;
        let sid = send(&ada, &client, json!({})).await;
        let parts = take_all(&server).await;
        report(&server, &parts, ReceiptState::Undelivered, None).await;
        let told = receiver.wait(1).await;
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].path.as_str(), &pairs(&told[0].body)), ("/all", &expected(&ada, "Message.DeliveryReceiptReceived", &sid, (OURS, THEIRS), "Hello & welcome")));
    }

    async fn registered_webhooks_come_in_both_methods(stage: Stage) {
        let server = serve(stage).await;
        let ((ada, client), receiver) = (sender(&server).await, Receiver::start().await);
        for method in ["GET", "POST"] {
            let body = json!({ "url": receiver.url(&format!("/{method}")), "events": ["Message.Received"], "dialect": "fonedynamics", "method": method });
            client.post("/v1/webhooks", body).await.assert_status(201);
        }
        incoming(&server, "Hello", "1").await;
        let told = receiver.wait(2).await;
        let got = told.iter().find(|told| told.method == "GET").expect("one by GET");
        let posted = told.iter().find(|told| told.method == "POST").expect("one by POST");
        let shown = pairs(&posted.body);
        assert_eq!(shown, expected(&ada, "Message.Received", &shown["Message.Sid"], (THEIRS, OURS), "Hello"));
        assert_eq!((got.path.as_str(), got.body.as_str()), (format!("/GET?{}", posted.body).as_str(), ""));
    }

    async fn what_fails_is_tried_again_also_after_a_restart(stage: Stage) {
        let server = serve(stage).await;
        let ((ada, client), receiver) = (sender(&server).await, Receiver::start().await);
        receiver.react(Reaction::Status(500));
        send(&ada, &client, json!({ "WebhookUri": receiver.url("/reply") })).await;
        take_all(&server).await;
        incoming(&server, "Hello", "1").await;
        receiver.wait(1).await;
        receiver.react(Reaction::Status(200));
        server.restart().await;
        server.pass_days(1);
        let told = receiver.wait(2).await;
        assert_eq!((told[0].status, told[1].status, &told[0].body), (Some(500), Some(200), &told[1].body));
        // Nobody registered such a place, so nobody is shown it.
        let listed = client.get("/v1/webhooks").await;
        assert_eq!(listed.assert_status(200).body["data"], json!([]));
    }
}
