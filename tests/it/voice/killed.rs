//! The process is killed while telephones speak: another one ends their calls by what is known.

use std::{net::SocketAddr, time::Duration};

use http::Method;
use serde_json::{Value, json};
use tandem_testkit::{Database, Engine, Phone, Talk, Tandem, until, with_runtime};

use super::calls::{BEYOND, CALLER, TARGET};

const CALLS: usize = 60;

struct House {
    database: Database,
    tandem: Tandem,
}

impl House {
    async fn ask(&self, method: Method, path: &str, body: Value) -> Value {
        let account = &self.tandem.ready["accounts"][0];
        let key = if path.starts_with("/v1/trunks") || path.starts_with("/v1/accounts") {
            &self.tandem.ready["operator_key"]
        } else {
            &account["test_key"]
        };
        let key = key.as_str().expect("a key");
        let bearer = format!("Bearer {key}");
        let header = if path.starts_with("/v1") { ("authorization", bearer.as_str()) } else { ("x-auth-token", key) };
        let asked = || async {
            let (status, answer, _) = self.tandem.try_send(method.clone(), path, &[header], &body).await.expect("an answer");
            if status == 429 {
                tokio::time::sleep(Duration::from_secs(1)).await; // as the answer asks
                return None;
            }
            assert!((200..300).contains(&status), "{path}: {status} {answer}");
            Some(answer)
        };
        until("a request is answered", asked).await
    }

    fn sip(&self) -> SocketAddr {
        self.tandem.ready["sip"].as_str().and_then(|sip| sip.parse().ok()).expect("an address for SIP")
    }
}

async fn survive(engine: Engine) {
    let database = Database::new(engine);
    let tandem = Tandem::start(database.folder(), &database.url()).await;
    let mut house = House { database, tandem };
    let (caller, callee) = (Phone::listen().await, Phone::listen().await);
    let trunk = json!({
        "name": "beyond", "serves": "test", "direction": "outbound", "host": "127.0.0.1", "port": callee.address().port(),
        "routes": [{ "prefix": BEYOND }],
    });
    house.ask(Method::POST, "/v1/trunks", trunk).await;
    let account = house.tandem.ready["accounts"][0]["id"].as_str().expect("an id").to_owned();
    let policy = format!("/v1/accounts/{account}/environments/test/calling-policy");
    house.ask(Method::PATCH, &policy, json!({ "most_concurrent": 1_000, "calls_per_minute": 10_000 })).await;
    let found = house.ask(Method::GET, "/audian/v2/numbers/search?location=US&features=voice&limit=1", Value::Null).await;
    let number = found["data"]["numbers"][0]["number"].as_str().expect("a number").to_owned();
    house.ask(Method::POST, "/audian/v2/numbers/purchase", json!({ "number": number })).await;
    let forward = json!({ "call_forwarding": { "enabled": true, "forward_to": TARGET } });
    house.ask(Method::PUT, &format!("/audian/v2/numbers/{number}/config"), forward).await;
    // A third speaks, a third rings, a third is on its way.
    let (mut talks, mut waiting): (Vec<Talk>, Vec<_>) = (Vec::new(), Vec::new());
    for place in 0..CALLS {
        let mut call = caller.call(house.sip(), CALLER, &number).await;
        let arriving = callee.incoming().await;
        if place % 3 < 2 {
            arriving.ring().await;
            call.ringing().await;
        }
        if place % 3 == 0 {
            talks.push(arriving.answer().await);
            talks.push(call.answered().await);
        } else {
            waiting.push((arriving, call));
        }
    }
    let begun = house.ask(Method::GET, "/v1/calls?limit=100", Value::Null).await;
    assert_eq!(begun["data"].as_array().map(Vec::len), Some(CALLS));
    house.tandem.kill();
    drop(waiting);
    house.tandem = Tandem::start(house.database.folder(), &house.database.url()).await;
    let calls = until("every call has its record", || async {
        let listed = house.ask(Method::GET, "/v1/calls?limit=100", Value::Null).await;
        let calls = listed["data"].as_array().expect("calls").clone();
        (calls.len() == CALLS && calls.iter().all(|call| !call["end"].is_null())).then_some(calls)
    })
    .await;
    let mut answered = 0;
    for call in &calls {
        let events = house.ask(Method::GET, &format!("/v1/events/{}", call["id"].as_str().expect("an id")), Value::Null).await;
        let kinds: Vec<&str> =
            events["data"].as_array().expect("events").iter().filter_map(|event| event["kind"].as_str()).collect();
        let terminal = kinds.iter().filter(|kind| ["call.completed", "call.failed"].contains(kind)).count();
        assert_eq!((terminal, &call["end"]["reason"]), (1, &json!("lost")), "{kinds:?} {call}");
        answered += usize::from(kinds.contains(&"call.answered"));
    }
    assert_eq!(answered, talks.len() / 2);
    let day = calls[0]["started_at"].as_str().expect("a time")[..10].to_owned();
    let books = house.ask(Method::GET, &format!("/v1/reconciliation/{day}"), Value::Null).await;
    assert_eq!((&books["agrees"], &books["live"], &books["held"]), (&json!(true), &json!(0), &json!(0)), "{books}");
    Tandem::command(house.database.folder(), &house.database.url(), &["admin", "verify-ledger"]);
    // It carries calls as before.
    let call = caller.call(house.sip(), CALLER, &number).await;
    let there = callee.incoming().await.answer().await;
    let here = call.answered().await;
    here.say(440);
    there.hears(440).await;
    here.bye().await;
}

#[test]
fn on_sqlite() {
    with_runtime(survive(Engine::Sqlite));
}

#[test]
fn on_postgres() {
    with_runtime(survive(Engine::Postgres));
}
