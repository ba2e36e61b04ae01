//! What becomes of messages whose SMSC goes away with them.

use http::Method;
use serde_json::{Value, json};
use tandem_kernel::Environment::Live;
use tandem_testkit::{Client, Engine, Server, on_both, until, with_runtime};

use super::{
    flood::{Trial, own_number},
    magic,
    operator::{Outside, bound, with},
    reaches, send,
};
use crate::numbers::buy;

const OURS: &str = "+14155550100";

async fn added(server: &Server, described: Value) -> String {
    let added = server.operator().post("/v1/smscs", described).await;
    let id = added.assert_status(201).body["id"].as_str().expect("an id").to_owned();
    bound(server, &id).await;
    id
}

async fn sender(server: &Server) -> Client {
    let ada = server.account("Ada").await;
    ada.unlimited(Live).await;
    let client = ada.live();
    buy(&client, OURS).await;
    client
}

on_both! {
    async fn what_a_removed_smsc_may_have_is_ended_and_explained(server: Server) {
        let client = sender(&server).await;
        let outside = Outside::start().await;
        let id = added(&server, with(outside.described("going"), json!({ "answer_seconds": 600 }))).await;
        let unanswered = send(&client, OURS, &magic("message_unanswered"), "Anybody there?").await;
        until("it is submitted", || async { (outside.smsc.counts().taken == 1).then_some(()) }).await;
        server.operator().delete(&format!("/v1/smscs/{id}")).await.assert_status(200);
        let ended = reaches(&client, &unanswered, "expired").await;
        assert_eq!(ended["error_code"], "smsc_removed", "{ended}");
        let why = "segment 1 may have been submitted, but its SMSC was removed before it answered";
        assert_eq!(ended["error_message"], why);
        let explained = client.get(&format!("/v1/messages/{unanswered}/explain")).await;
        assert!(explained.assert_status(200).body.to_string().contains(why), "{}", explained.body);
        // Nobody else gets it; what follows goes elsewhere.
        let other = Outside::start().await;
        added(&server, other.described("other")).await;
        let next = send(&client, OURS, "+14155550190", "Next").await;
        reaches(&client, &next, "delivered").await;
        assert_eq!((outside.smsc.counts().taken, other.smsc.counts().taken), (1, 1));
    }

    async fn what_a_drained_or_removed_smsc_has_not_had_goes_elsewhere_at_once(server: Server) {
        let client = sender(&server).await;
        let (slow, slower, other) = (Outside::start().await, Outside::start().await, Outside::start().await);
        let slowly = json!({ "rate": 1 });
        let drained = added(&server, with(slow.described("drained"), slowly.clone())).await;
        let mut sent = Vec::new();
        for place in 100..130 {
            sent.push(send(&client, OURS, &format!("+14155557{place}"), "On your way").await);
        }
        server.operator().post(&format!("/v1/smscs/{drained}/drain"), json!({})).await.assert_status(200);
        let removed = added(&server, with(slower.described("removed"), slowly)).await;
        until("it has some", || async { (slower.smsc.counts().taken > 0).then_some(()) }).await;
        server.operator().delete(&format!("/v1/smscs/{removed}")).await.assert_status(200);
        added(&server, other.described("other")).await;
        for id in &sent {
            reaches(&client, id, "delivered").await;
        }
        let counts = [&slow, &slower, &other].map(|outside| outside.smsc.counts().taken);
        assert_eq!(counts.iter().sum::<u64>(), 30, "{counts:?}");
        assert!(counts[2] > 15, "{counts:?}");
    }
}

/// A message that went to the second choice, whose answer a crash lost, goes there again though the first choice is back.
async fn crashed(engine: Engine) {
    let (cheap, dear) = (Outside::start().await, Outside::start().await);
    let (described, port) = (cheap.described("cheap"), cheap.port);
    drop(cheap);
    until("the first choice is away", || async { tokio::net::TcpStream::connect(("127.0.0.1", port)).await.err() }).await;
    let mut trial = Trial::new(engine);
    trial.start().await;
    let waiting = json!({ "answer_seconds": 600 });
    trial.operator(Method::POST, "/v1/smscs", &with(described, json!({ "cost": 0.01 }))).await;
    trial.operator(Method::POST, "/v1/smscs", &with(dear.described("dear"), with(waiting, json!({ "cost": 0.02 })))).await;
    let from = own_number(&trial).await;
    let key = trial.text("/accounts/0/live_key");
    let body = json!({ "from": from, "to": magic("message_unanswered"), "body": "To the second choice" });
    let headers = [("x-auth-token", key.as_str())];
    let (status, answer, _) =
        trial.tandem().try_send(Method::POST, "/audian/v2/messages", &headers, &body).await.expect("an answer");
    assert_eq!(status, 201, "{answer}");
    until("the second choice has it", || async { (dear.smsc.counts().taken == 1).then_some(()) }).await;
    trial.tandem.take().expect("it runs").kill();
    let cheap = Outside::start_at(port).await;
    trial.start().await;
    until("it is delivered", || async {
        let delivered = trial.count("SELECT COUNT(*) FROM messages WHERE state = 'delivered'").await;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        (delivered == 1).then_some(())
    })
    .await;
    let (first, second) = (cheap.smsc.counts(), dear.smsc.counts());
    assert_eq!((first.taken, second.taken, second.repeated), (0, 1, 1));
}

#[test]
fn a_repetition_goes_to_the_second_choice_on_sqlite() {
    with_runtime(crashed(Engine::Sqlite));
}

#[test]
fn a_repetition_goes_to_the_second_choice_on_postgres() {
    with_runtime(crashed(Engine::Postgres));
}
