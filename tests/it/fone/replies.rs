//! What becomes of replies: handed on as text messages and as e-mails.

use serde_json::{Value, json};
use tandem_app::{due, messages::FORWARD_EMAIL_JOB};
use tandem_domain::message::Sender;
use tandem_kernel::{Environment::Live, PhoneNumber, Timestamp};
use tandem_store::repo::jobs::{self, Job};
use tandem_testkit::{Client, MailRelay, Persona, Server, Stage, on_both, until};

use super::{message, messages_of};
use crate::{
    messages::{OURS, THEIRS, claim, incoming, incoming_from, sender, take_all},
    numbers::buy,
};

const OFFICE: &str = "+14155550177";

async fn serve(stage: Stage, relay: &MailRelay) -> Server {
    let url = relay.url();
    let config = stage.config(|config| {
        config.mail.smtp = Some(url);
        config.mail.from = "no-reply@tandem.example".to_owned();
    });
    config.start().await
}

/// Sends a message that wants its replies handed on, and has it taken.
async fn ask(server: &Server, persona: &Persona, client: &Client, wishes: Value) {
    let mut body = json!({ "From": OURS, "To": THEIRS, "Text": "Will you come?" });
    body.as_object_mut().unwrap().extend(wishes.as_object().unwrap().clone());
    message(&client.post(&messages_of(persona, Live), body).await);
    take_all(server).await;
}

/// The first message that came in, and why it was handed on or not.
async fn explained(client: &Client) -> (Value, Vec<Value>) {
    let listed = client.get("/v1/messages?direction=inbound").await;
    let found = listed.assert_status(200).body["data"][0].clone();
    let path = format!("/v1/messages/{}/explain", found["id"].as_str().expect("an id"));
    let data = until("it is explained", || async {
        let explained = client.get(&path).await;
        let data = explained.assert_status(200).body["data"].as_array().expect("a list").clone();
        data.iter().any(|one| one["decision"] == "forward").then_some(data)
    })
    .await;
    (found, data.into_iter().filter(|one| one["decision"] == "forward").collect())
}

on_both! {
    async fn they_are_handed_on_as_text_messages(server: Server) {
        let (ada, client) = sender(&server).await;
        ask(&server, &ada, &client, json!({ "ForwardToSms": OFFICE })).await;
        incoming(&server, "Yes", "1").await;
        incoming(&server, "Yes", "1").await;
        server.run_due().await;
        let parts = claim(&server).await;
        let told: Vec<_> = parts.iter().map(|part| (part.from.to_string(), part.to.to_string(), part.encoding.read(&part.payload))).collect();
        assert_eq!(told, [(THEIRS.to_owned(), OFFICE.to_owned(), "Yes".to_owned())]);
        let (_, why) = explained(&client).await;
        assert!(why[0]["outcome"].as_str().unwrap().starts_with(&format!("handed on to {OFFICE} from {THEIRS} as msg_")), "{why:?}");
    }

    async fn from_whom_they_come_can_be_said(server: Server) {
        let (ada, client) = sender(&server).await;
        ask(&server, &ada, &client, json!({ "ForwardToSms": "+447400123456", "ForwardFromSms": "Acme" })).await;
        incoming(&server, "Yes", "1").await;
        server.run_due().await;
        let parts = claim(&server).await;
        assert_eq!(parts[0].from, Sender::Name("Acme".into()));
    }

    async fn they_come_from_no_number_that_was_given_back(server: Server) {
        let (ada, client) = sender(&server).await;
        let other = "+14155550101";
        buy(&client, other).await;
        let wishes = json!({ "ForwardToSms": OFFICE, "ForwardFromSms": other });
        ask(&server, &ada, &client, wishes.clone()).await;
        incoming(&server, "Yes", "1").await;
        server.run_due().await;
        assert_eq!(claim(&server).await[0].from.to_string(), other);
        client.delete(&format!("/fonedynamics/v2/Numbers/{}", &other[1..])).await.assert_status(200);
        incoming(&server, "Yes again", "2").await;
        server.run_due().await;
        assert_eq!(claim(&server).await.len(), 0);
    }

    async fn the_latest_message_decides(server: Server) {
        let (ada, client) = sender(&server).await;
        ask(&server, &ada, &client, json!({ "ForwardToSms": OFFICE })).await;
        server.pass_seconds(1);
        ask(&server, &ada, &client, json!({})).await;
        incoming(&server, "Yes", "1").await;
        let number = |text: &str| PhoneNumber::from_e164(text).expect(text);
        incoming_from(&server, Sender::Number(number("+14155550166")), number(OURS), "Who is this?").await;
        server.run_due().await;
        assert_eq!(claim(&server).await.len(), 0);
    }

    async fn the_numbers_own_wishes_stand_where_no_message_says_otherwise(server: Server) {
        let (ada, client) = sender(&server).await;
        let path = format!("/fonedynamics/v2/Numbers/{}", OURS.trim_start_matches('+'));
        let wishes = json!({ "SendSmsTo": "+447400123456", "SendSmsFrom": "Acme" });
        let configured = client.post(&path, wishes).await;
        assert_eq!(configured.assert_status(200).body["Number"]["SendSmsTo"], "+447400123456");
        incoming(&server, "Hello?", "1").await;
        server.run_due().await;
        let mut parts = claim(&server).await; // before the question takes all that waits
        ask(&server, &ada, &client, json!({ "ForwardToSms": OFFICE })).await;
        incoming(&server, "Yes", "2").await;
        server.run_due().await;
        parts.extend(claim(&server).await);
        let mut told: Vec<_> = parts.iter().map(|part| (part.from.to_string(), part.to.to_string())).collect();
        told.sort();
        assert_eq!(told, [(THEIRS.to_owned(), OFFICE.to_owned()), ("Acme".to_owned(), "+447400123456".to_owned())]);
    }

    async fn no_message_goes_round_in_circles(server: Server) {
        let (ada, client) = sender(&server).await;
        let eve = server.account("Eve").await;
        let other = "+14155550139";
        buy(&eve.live(), other).await;
        for (owner, number, to) in [(&ada.live(), OURS, other), (&eve.live(), other, OURS)] {
            let path = format!("/fonedynamics/v2/Numbers/{}", number.trim_start_matches('+'));
            owner.post(&path, json!({ "SendSmsTo": to })).await.assert_status(200);
        }
        incoming(&server, "Round we go", "1").await;
        server.run_due().await;
        let (_, why) = explained(&client).await;
        assert_eq!(why[0]["outcome"], "it was not handed on as a text message");
        assert_eq!(why[0]["steps"][0]["compared"], format!("{other}, {OURS}"));
        assert_eq!(claim(&server).await.len(), 0);
    }

    async fn what_cannot_be_paid_is_explained(server: Server) {
        let (ada, client) = sender(&server).await;
        ask(&server, &ada, &client, json!({ "ForwardToSms": OFFICE })).await;
        ada.purse(Live, 0).await;
        incoming(&server, "Yes", "1").await;
        server.run_due().await;
        let (_, why) = explained(&client).await;
        assert!(why[0]["outcome"].as_str().unwrap().starts_with(&format!("it was not handed on to {OFFICE}: ")), "{why:?}");
        assert_eq!(claim(&server).await.len(), 0);
    }

    async fn they_are_handed_on_as_emails(stage: Stage) {
        let relay = MailRelay::start().await;
        let server = serve(stage, &relay).await;
        let (ada, client) = sender(&server).await;
        ask(&server, &ada, &client, json!({ "ForwardToEmail": "office@example.com" })).await;
        incoming(&server, "Ja, gern – 👋", "1").await;
        let posted = relay.wait(1).await.remove(0);
        let (received, why) = explained(&client).await;
        assert_eq!((posted.from.as_str(), posted.to.as_slice()), ("no-reply@tandem.example", ["office@example.com".to_owned()].as_slice()));
        assert_eq!(posted.header("from"), "no-reply@tandem.example");
        assert_eq!(posted.header("subject"), format!("SMS from {THEIRS} to {OURS}"));
        assert_eq!(posted.header("message-id"), format!("<{}@tandem.example>", received["id"].as_str().unwrap()));
        assert_eq!(posted.body.trim_end(), "Ja, gern – 👋");
        assert_eq!(why[0]["outcome"], "handed on to office@example.com as an e-mail");
        ask(&server, &ada, &client, json!({ "ForwardToEmail": "office@example.com", "ForwardFromEmail": "sms@acme.example" })).await;
        incoming(&server, "No", "2").await;
        let posted = relay.wait(2).await.remove(1);
        assert_eq!((posted.from.as_str(), posted.header("from"), posted.header("sender")), ("no-reply@tandem.example", "sms@acme.example", "no-reply@tandem.example"));
        server.run_due().await;
        assert_eq!(relay.all().len(), 2);
    }

    async fn a_relay_that_is_busy_is_asked_again_and_one_that_refuses_is_not(stage: Stage) {
        let relay = MailRelay::start().await;
        let server = serve(stage, &relay).await;
        let (ada, client) = sender(&server).await;
        ask(&server, &ada, &client, json!({ "ForwardToEmail": "office@example.com" })).await;
        relay.refuse(Some("451 Come back later"));
        incoming(&server, "Yes", "1").await;
        until("the relay was asked", || async { (relay.tried() == 1).then_some(()) }).await;
        server.run_due().await;
        relay.refuse(None);
        server.restart().await;
        server.pass_seconds(120);
        server.run_due().await;
        assert_eq!(relay.wait(1).await.len(), 1);
        relay.refuse(Some("550 No such user"));
        server.pass_seconds(1);
        incoming(&server, "Yes again", "2").await;
        until("the relay was asked", || async { (relay.tried() == 3).then_some(()) }).await;
        let (_, why) = explained(&client).await;
        assert_eq!(why[0]["outcome"], "it was not handed on to office@example.com as an e-mail");
        assert!(why[0]["steps"][0]["compared"].as_str().unwrap().contains("No such user"), "{why:?}");
        server.pass_days(1);
        server.run_due().await;
        assert_eq!((relay.tried(), relay.all().len()), (3, 1));
    }

    async fn an_email_that_was_put_off_outlives_whoever_comes_late(stage: Stage) {
        let relay = MailRelay::start().await;
        let server = serve(stage, &relay).await;
        let (ada, client) = sender(&server).await;
        ask(&server, &ada, &client, json!({ "ForwardToEmail": "office@example.com" })).await;
        relay.refuse(Some("451 Come back later"));
        incoming(&server, "Yes", "1").await;
        let put_off = until("it is put off", || async {
            let jobs = server.read(|tx| jobs::due(tx, Timestamp::MAX, 100)).await;
            jobs.into_iter().find(|job| job.kind == FORWARD_EMAIL_JOB && job.attempts == 1)
        }).await;
        relay.refuse(None);
        // As it was when it was looked up, before somebody else was at it.
        due::perform(&server.app(), Job { due_at: server.now(), attempts: 0, ..put_off }).await;
        server.pass_seconds(120);
        server.run_due().await;
        assert_eq!(relay.wait(1).await.len(), 1);
    }

    async fn a_relay_that_is_gone_is_given_up_after_three_days(stage: Stage) {
        let relay = MailRelay::start().await;
        let server = serve(stage, &relay).await;
        let (ada, client) = sender(&server).await;
        ask(&server, &ada, &client, json!({ "ForwardToEmail": "office@example.com" })).await;
        drop(relay);
        incoming(&server, "Yes", "1").await;
        let tried = || async {
            server.run_due().await;
            server.pass_days(1); // an attempt that was under way counts from when it began
            let listed = client.get("/v1/messages?direction=inbound").await;
            let path = format!("/v1/messages/{}/explain", listed.assert_status(200).body["data"][0]["id"].as_str().expect("an id"));
            let told = client.get(&path).await.assert_status(200).body["data"].as_array().expect("a list").clone();
            told.iter().any(|one| one["decision"] == "forward").then_some(())
        };
        until("it is given up", tried).await;
        let (_, why) = explained(&client).await;
        assert_eq!(why[0]["outcome"], "it was not handed on to office@example.com as an e-mail");
    }

    async fn without_a_relay_the_message_says_so(server: Server) {
        let (ada, client) = sender(&server).await;
        ask(&server, &ada, &client, json!({ "ForwardToEmail": "office@example.com" })).await;
        incoming(&server, "Yes", "1").await;
        let (_, why) = explained(&client).await;
        assert_eq!(why[0]["outcome"], "it was not handed on to office@example.com as an e-mail");
        assert_eq!(why[0]["steps"][0], json!({ "rule": "an e-mail relay is configured", "compared": "none is", "met": false }));
    }
}
