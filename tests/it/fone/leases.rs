//! Senders that are leased.

use serde_json::{Value, json};
use tandem_domain::message::Sender;
use tandem_kernel::{
    Environment::{Live, Test},
    PhoneNumber,
};
use tandem_testkit::{Client, Server, Stage, on_both};

use super::{BASE, message, messages_of, sid_of};
use crate::messages::{THEIRS, incoming_from, take_all};

const LENT: [&str; 7] =
    ["+14155559000", "+14155559001", "+14155559002", "+14155559003", "+14155559004", "+14155559005", "+14155559006"];

async fn serve(stage: Stage) -> Server {
    stage.config(|config| config.messages.leased_numbers = vec![format!("{}..{}", LENT[0], LENT[6])]).start().await
}

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::from_e164(text).expect(text)
}

/// Sends without a sender: from whom it came.
async fn lease(client: &Client, path: &str, to: &str) -> String {
    let sent = client.post(path, json!({ "To": to, "Text": "Hello" })).await;
    message(&sent)["From"].as_str().expect("a sender").to_owned()
}

on_both! {
    async fn each_message_has_a_sender_of_its_own_and_five_at_the_most(stage: Stage) {
        let server = serve(stage).await;
        let ada = server.account("Ada").await;
        let (client, path) = (ada.live(), messages_of(&ada, Live));
        let mut senders = Vec::new();
        for from in [Value::Null, json!(""), json!("  "), json!("Acme"), Value::Null] {
            let sent = client.post(&path, json!({ "From": from, "To": THEIRS, "Text": "Hello" })).await;
            senders.push(message(&sent)["From"].as_str().expect("a sender").to_owned());
        }
        assert!(senders.iter().all(|sender| LENT.contains(&sender.as_str())));
        let distinct: std::collections::BTreeSet<&String> = senders.iter().collect();
        assert_eq!(distinct.len(), 5);
        let said = format!("The From parameter must name a sender: {THEIRS} has 5 leased senders already");
        let sixth = json!({ "To": THEIRS, "Text": "Hello" });
        client.post(&path, sixth.clone()).await.assert_fone_error(400, "PARAMETER_INVALID", &said, Some("From"));
        lease(&client, &path, "+14155550198").await;
        // Another account can have the two that are left for this recipient, and no more.
        let bob = server.account("Bob").await;
        let theirs = messages_of(&bob, Live);
        for _ in 0..2 {
            let sender = lease(&bob.live(), &theirs, THEIRS).await;
            assert!(!senders.contains(&sender));
            senders.push(sender);
        }
        let said = format!("No sender can be leased for messages to {THEIRS}");
        bob.live().post(&theirs, sixth.clone()).await.assert_fone_error(403, "FORBIDDEN", &said, None);
        server.pass_days(29);
        client.post(&path, sixth).await.assert_status(400);
        server.pass_days(1);
        server.run_due().await;
        lease(&client, &path, THEIRS).await;
    }

    async fn a_batch_counts_its_own(stage: Stage) {
        let server = serve(stage).await;
        let ada = server.account("Ada").await;
        let messages: Vec<Value> = (0..6).map(|_| json!({ "To": THEIRS, "Text": "Hello" })).collect();
        let path = messages_of(&ada, Live).replace("/Messages", "/BatchMessages");
        let sent = ada.live().post(&path, json!({ "Messages": messages })).await;
        let items = sent.assert_status(200).body.as_array().expect("a list").clone();
        let senders: std::collections::BTreeSet<&str> = items.iter().filter_map(|item| item["From"].as_str()).collect();
        assert_eq!((senders.len(), &items[5]["ErrorCode"]), (5, &json!("PARAMETER_INVALID")), "{sent}");
    }

    async fn an_answer_finds_its_message(stage: Stage) {
        let server = serve(stage).await;
        let ada = server.account("Ada").await;
        let (client, path) = (ada.live(), messages_of(&ada, Live));
        let first = client.post(&path, json!({ "To": THEIRS, "Text": "one" })).await;
        let second = client.post(&path, json!({ "To": THEIRS, "Text": "two" })).await;
        take_all(&server).await;
        let from = |text: &str| Sender::Number(number(text));
        let to = |answer: &tandem_testkit::Answer| number(message(answer)["From"].as_str().expect("a sender"));
        incoming_from(&server, from(THEIRS), to(&first), "to the first").await;
        incoming_from(&server, from(THEIRS), to(&second), "to the second").await;
        incoming_from(&server, from("+14155550198"), to(&second), "from a stranger").await;
        let found = client.get(&format!("{path}?Date_From=0&Date_To=9999999999&Direction=Receive")).await;
        let received = found.assert_status(200).body["Messages"].as_array().expect("a list").clone();
        assert_eq!(received.iter().map(|message| &message["Text"]).collect::<Vec<_>>(), ["to the first", "to the second"]);
        for (sent, received) in [&first, &second].iter().zip(&received) {
            let id = super::native_id(received["MessageSid"].as_str().expect("a sid"));
            let native = client.get(&format!("/v1/messages/{id}")).await;
            assert_eq!(native.assert_status(200).body["reply_to"], super::native_id(&sid_of(sent)));
        }
    }

    async fn who_wants_none_gets_none_from_any_of_them(stage: Stage) {
        let server = serve(stage).await;
        let ada = server.account("Ada").await;
        let (client, path) = (ada.live(), messages_of(&ada, Live));
        let lent = lease(&client, &path, THEIRS).await;
        take_all(&server).await;
        incoming_from(&server, Sender::Number(number(THEIRS)), number(&lent), "STOP").await;
        let said = format!("{THEIRS} asked to get no more messages from {lent}");
        client.post(&path, json!({ "To": THEIRS, "Text": "Hello" })).await.assert_fone_error(403, "FORBIDDEN", &said, None);
        incoming_from(&server, Sender::Number(number(THEIRS)), number(&lent), "START").await;
        lease(&client, &path, THEIRS).await;
    }

    async fn nothing_is_leased_where_there_is_nothing(server: Server) {
        let ada = server.account("Ada").await;
        let said = format!("No sender can be leased for messages to {THEIRS}");
        ada.live().post(&messages_of(&ada, Live), json!({ "To": THEIRS, "Text": "Hello" })).await
            .assert_fone_error(403, "FORBIDDEN", &said, None);
        let lent = lease(&ada.test(), &messages_of(&ada, Test), THEIRS).await;
        assert!(lent.starts_with("+1628209"), "the pocket network has some: {lent}");
        let reply = json!({ "from": THEIRS, "to": lent, "text": "Hi" });
        let handset = ada.test().post("/v1/pocket/messages", reply.clone()).await;
        handset.assert(202, &reply);
        let query = format!("{}?Date_From=0&Date_To=9999999999&Status=Received", messages_of(&ada, Test));
        let found = tandem_testkit::until("the answer is there", || async {
            let found = ada.test().get(&query).await;
            (!found.assert_status(200).body["Messages"].as_array().expect("a list").is_empty()).then_some(found)
        })
        .await;
        assert_eq!((&found.body["Messages"][0]["Text"], &found.body["Messages"][0]["To"]), (&json!("Hi"), &json!(lent)));
        let sid = found.body["Messages"][0]["MessageSid"].as_str().expect("a sid").to_owned();
        ada.test().get(&format!("{BASE}/Messages/{sid}")).await.assert_status(200);
    }
}
