//! A server that is killed in the middle of deliveries: everything arrives, what happened to one object in its order.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use http::Method;
use serde_json::{Value, json};
use tandem_testkit::{Database, Engine, Received, Receiver, Tandem, with_runtime};

const KILLS: usize = 8;
const NUMBERS: usize = 4;
/// Events about each number between two kills.
const EVENTS: usize = 15;
/// Others take over what a process held that was killed when its lease runs out, and not before.
const PATIENCE: Duration = Duration::from_secs(120);

async fn start(database: &Database) -> Tandem {
    Tandem::start_with(database.folder(), &database.url(), &[("TANDEM_WEBHOOKS__ALLOW_PRIVATE", "true")]).await
}

async fn send(tandem: &Tandem, method: Method, path: &str, body: Value) -> Value {
    let key = tandem.ready["accounts"][0]["test_key"].as_str().expect("a key").to_owned();
    let bearer = format!("Bearer {key}");
    let answer = tandem.try_send(method, path, &[("x-auth-token", &key), ("authorization", &bearer)], &body).await;
    let (status, body, _) = answer.expect("an answer");
    assert!(status < 300, "{path}: {status} {body}");
    body
}

/// Which sequences of each object arrived, in the order of their arrival.
fn told(received: &[Received]) -> BTreeMap<String, Vec<i64>> {
    let mut told: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for body in received.iter().map(Received::json) {
        let object = body["data"]["object_id"].as_str().expect("an object").to_owned();
        told.entry(object).or_default().push(body["data"]["sequence"].as_i64().expect("a sequence"));
    }
    told
}

async fn scenario(engine: Engine) {
    let (database, receiver) = (Database::new(engine), Receiver::start().await);
    let mut tandem = start(&database).await;
    let events = ["number.purchased", "number.configured"];
    send(&tandem, Method::POST, "/v1/webhooks", json!({ "url": receiver.url("/"), "events": events })).await;
    let found = send(&tandem, Method::GET, "/audian/v2/numbers/search?limit=20", Value::Null).await;
    let mut ids = Vec::new();
    for offer in found["data"]["numbers"].as_array().expect("numbers").iter().take(NUMBERS) {
        let bought = send(&tandem, Method::POST, "/audian/v2/numbers/purchase", json!({ "number": offer["number"] })).await;
        ids.push(bought["data"]["id"].as_str().expect("an id").to_owned());
    }
    for kill in 0..KILLS {
        for event in 0..EVENTS {
            for id in &ids {
                let path = format!("/audian/v2/numbers/{id}/config");
                send(&tandem, Method::PUT, &path, json!({ "friendly_name": format!("{kill} {event}") })).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(u64::try_from(kill).expect("few") * 3)).await; // at another moment each time
        tandem.kill();
        tandem = start(&database).await;
    }
    let last = i64::try_from(1 + KILLS * EVENTS).expect("few");
    let complete = |told: &BTreeMap<String, Vec<i64>>| ids.iter().all(|id| told.get(id).is_some_and(|told| told.contains(&last)));
    let began = Instant::now();
    while !complete(&told(&receiver.all())) {
        assert!(began.elapsed() < PATIENCE, "not everything has arrived: {:?}", told(&receiver.all()));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let told = told(&receiver.all());
    for (object, told) in told {
        let mut fresh: Vec<i64> = Vec::new();
        for sequence in told {
            let newest = fresh.last().copied().unwrap_or(0);
            assert!(sequence <= newest + 1, "{object}: {sequence} came after {newest}");
            if sequence == newest + 1 {
                fresh.push(sequence); // an earlier one is a repetition
            }
        }
        assert_eq!(fresh.len(), usize::try_from(last).expect("few"), "{object}");
    }
}

#[test]
fn nothing_is_lost_on_sqlite() {
    with_runtime(scenario(Engine::Sqlite));
}

#[test]
fn nothing_is_lost_on_postgres() {
    with_runtime(scenario(Engine::Postgres));
}
