//! Long texts from handsets while the server is killed between their parts.

use http::Method;
use serde_json::json;
use tandem_testkit::{Engine, until, with_runtime};

use super::{
    flood::{Trial, own_number},
    operator::Outside,
};

const THEIRS: &str = "14155550191";

async fn killed(engine: Engine) {
    // Each delivery waits for the one before it.
    let outside = Outside::start_with(0, |options| options.deliveries = 1).await;
    let mut trial = Trial::new(engine);
    trial.start().await;
    trial.operator(Method::POST, "/v1/smscs", &outside.described("slow")).await;
    let ours = own_number(&trial).await;
    let texts: Vec<String> = (0..5).map(|number| format!("{number}. {}", "Long and longer. ".repeat(80))).collect();
    for (place, text) in texts.iter().enumerate() {
        assert!(outside.smsc.send(None, THEIRS, &ours, text));
        assert!(outside.smsc.send(None, THEIRS, &ours, &format!("Short {place}")));
    }
    for delivered in [4, 15, 30] {
        until("some have come", || async { (outside.smsc.counts().delivered >= delivered).then_some(()) }).await;
        trial.tandem.take().expect("it runs").kill();
        trial.start().await;
    }
    let all = outside.smsc.counts();
    until("all have come", || async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        (trial.count("SELECT COUNT(*) FROM messages WHERE direction = 'inbound'").await == 10).then_some(())
    })
    .await;
    let key = trial.text("/accounts/0/live_key");
    let path = "/audian/v2/messages?direction=inbound&limit=100";
    let (_, listed, _) =
        trial.tandem().try_send(Method::GET, path, &[("x-auth-token", &key)], &json!(null)).await.expect("an answer");
    let mut came: Vec<&str> =
        listed["data"]["messages"].as_array().expect("a list").iter().filter_map(|message| message["body"].as_str()).collect();
    came.sort_unstable();
    let mut sent: Vec<String> = texts.iter().cloned().chain((0..5).map(|place| format!("Short {place}"))).collect();
    sent.sort_unstable();
    assert_eq!(came, sent, "{all:?}");
    assert_eq!(trial.count("SELECT COUNT(*) FROM incoming_parts WHERE done_at IS NULL").await, 0);
    assert_eq!(trial.count("SELECT COUNT(*) FROM jobs WHERE kind = 'message.incomplete'").await, 0);
}

#[test]
fn on_sqlite() {
    with_runtime(killed(Engine::Sqlite));
}

#[test]
fn on_postgres() {
    with_runtime(killed(Engine::Postgres));
}
