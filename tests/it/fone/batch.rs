//! Many messages at once.

use serde_json::{Value, json};
use tandem_kernel::Environment::Live;
use tandem_testkit::{Persona, Server, on_both};

use super::{BASE, project_of};
use crate::messages::{OURS, THEIRS, claim, sender, take_all};

fn batch_of(persona: &Persona) -> String {
    format!("{BASE}/Properties/{}/BatchMessages", project_of(persona, Live))
}

fn to(last: usize) -> String {
    format!("+141555502{last:02}")
}

on_both! {
    async fn what_became_of_each_is_told_in_order(server: Server) {
        let (ada, client) = sender(&server).await;
        let client = client.idempotency("batch");
        let messages = json!({ "messages": [
            { "From": OURS, "To": THEIRS, "Text": "one", "ExternalId": "1" },
            { "From": OURS, "Text": "two" },
            { "From": OURS, "To": "nobody", "Text": "three" },
            { "From": "+14155550101", "To": THEIRS, "Text": "four" },
            "five",
            { "From": OURS, "To": THEIRS, "Text": "six", "Schedule": 1 },
            { "From": OURS, "To": THEIRS, "Text": "я".repeat(71) },
        ] });
        let sent = client.post(&batch_of(&ada), messages.clone()).await;
        let items = sent.assert_status(200).body.as_array().expect("a list").clone();
        let told: Vec<(Option<&str>, Option<&str>, Option<&str>)> = items.iter()
            .map(|item| (item["Text"].as_str().filter(|text| text.len() < 9), item["ErrorCode"].as_str(), item["Message"].as_str())).collect();
        assert_eq!(told, [
            (Some("one"), None, None),
            (None, Some("PARAMETER_REQUIRED"), Some("The 'To' parameter is required")),
            (None, Some("INVALID_PHONENUMBER_FORMAT"), Some("'nobody' is not a phone number in E.164 format (+61412345678)")),
            (None, Some("NUMBER_NOT_FOUND"), Some("The sender +14155550101 is not a number of your account")),
            (None, Some("PARAMETER_INVALID"), Some("The Messages parameter must be a list of objects")),
            (None, Some("PARAMETER_INVALID"), Some("The Schedule parameter must be at most 14 days ahead and at most one hour ago")),
            (None, None, None),
        ]);
        assert!(items[1].get("MessageSid").is_none() && items[1].as_object().unwrap().len() == 2, "{sent}");
        assert_eq!((&items[6]["NumSegments"], &items[0]["ExternalId"]), (&json!(2), &json!("1")));
        let sid = items[0]["MessageSid"].as_str().expect("a sid");
        client.get(&format!("{BASE}/Messages/{sid}")).await.assert(200, &json!({ "Message": items[0] }));
        client.post(&batch_of(&ada), messages).await.assert_replay_of(&sent);
        assert_eq!(ada.wallet(Live).await.held, 30_000);
        // Two to one recipient go one after the other.
        assert_eq!((take_all(&server).await.len(), take_all(&server).await.len()), (1, 2));
        assert_eq!(ada.wallet(Live).await.held, 0);
    }

    async fn the_money_decides_from_which_on_they_fail(server: Server) {
        let (ada, client) = sender(&server).await;
        ada.purse(Live, 35_000).await;
        let messages: Vec<Value> = (0..5).map(|last| json!({ "From": OURS, "To": to(last), "Text": "Hello" })).collect();
        let sent = client.post(&batch_of(&ada), json!({ "Messages": messages })).await;
        let items = sent.assert_status(200).body.as_array().expect("a list").clone();
        let codes: Vec<&Value> = items.iter().map(|item| &item["ErrorCode"]).collect();
        let broke = json!("INSUFFICIENT_FUNDS");
        assert_eq!(codes, [&Value::Null, &Value::Null, &Value::Null, &broke, &broke]);
        let wallet = ada.wallet(Live).await;
        assert_eq!((wallet.available, wallet.held, claim(&server).await.len()), (5_000, 30_000, 3));
        ada.purse(Live, 1_000_000).await;
        client.put("/audian/v2/billing/limits/monthly", json!({ "amount": 1.03, "action": "block" })).await.assert_status(200);
        let messages: Vec<Value> = (10..13).map(|last| json!({ "From": OURS, "To": to(last), "Text": "Hello" })).collect();
        let sent = client.post(&batch_of(&ada), json!({ "Messages": messages })).await;
        let accepted = sent.assert_status(200).body.as_array().expect("a list").iter().filter(|item| item["MessageSid"].is_string()).count();
        assert_eq!(accepted, 1, "0.99 were spent on the number, and 0.03 are set aside: {sent}");
    }

    async fn a_batch_has_a_thousand_at_the_most(server: Server) {
        let (ada, client) = sender(&server).await;
        let message = |n: usize| json!({ "From": OURS, "To": format!("+1415555{:04}", 1000 + n), "Text": "Hello" });
        let many = |count: usize| json!({ "Messages": (0..count).map(message).collect::<Vec<_>>() });
        let said = "The Messages parameter must have 1 to 1000 entries";
        for count in [0, 1001] {
            client.post(&batch_of(&ada), many(count)).await.assert_fone_error(400, "PARAMETER_INVALID", said, Some("Messages"));
        }
        client.post(&batch_of(&ada), json!({ "Messages": "none" })).await
            .assert_fone_error(400, "PARAMETER_INVALID", "The Messages parameter must be a list of objects", Some("Messages"));
        client.post(&batch_of(&ada), json!({})).await
            .assert_fone_error(400, "PARAMETER_REQUIRED", "The 'Messages' parameter is required", Some("Messages"));
        let sent = client.post(&batch_of(&ada), many(1000)).await;
        let items = sent.assert_status(200).body.as_array().expect("a list").clone();
        assert!(items.len() == 1000 && items.iter().all(|item| item["MessageSid"].is_string()));
        let wallet = ada.wallet(Live).await;
        assert_eq!(wallet.held, 10_000_000);
        let nowhere = client.post(&format!("{BASE}/Properties/S123/BatchMessages"), many(1)).await;
        nowhere.assert_fone_error(400, "PROPERTY_NOT_FOUND", "The property 'S123' was not found", None);
    }
}
