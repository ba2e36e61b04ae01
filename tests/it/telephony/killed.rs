//! A server that is killed while it sends codes: each request sends one, and charges for one.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tandem_kernel::{OsRng, Rng, SeededRng};
use tandem_store::{Options, Store};
use tandem_testkit::{Database, Engine, Tandem, with_runtime};

use super::verify::SEND;

const NUMBERS: usize = 5;
const KILLS_EACH: usize = 4;
/// How long after a request it is killed at the latest, in microseconds.
const LATEST: u64 = 15_000;

async fn ask(tandem: &Tandem, number: &str) -> Option<(u16, Value, bool)> {
    let key = format!("Bearer {}", tandem.ready["accounts"][0]["test_key"].as_str().expect("a key"));
    let headers = [("authorization", key.as_str()), ("idempotency-key", number)];
    tandem.try_send(Method::POST, SEND, &headers, &json!({ "phone_number": number })).await
}

async fn survive(engine: Engine) {
    let database = Database::new(engine);
    let mut seed = [0; 8];
    OsRng.fill(&mut seed);
    let seed = u64::from_le_bytes(seed);
    eprintln!("killed at the moments of {seed}");
    let random = SeededRng::new(seed);
    let numbers: Vec<String> = (0..NUMBERS).map(|place| format!("+61412{place}45678")).collect();
    let mut answers: Vec<Value> = vec![Value::Null; NUMBERS];
    let mut note = |place: usize, outcome: Option<(u16, Value, bool)>| {
        let Some((status, body, _)) = outcome else { return };
        assert_eq!(status, 200, "{body}");
        let before = std::mem::replace(&mut answers[place], body.clone());
        assert!(before.is_null() || before == body, "answered {before} before, now {body}");
    };
    for kill in 0..NUMBERS * KILLS_EACH {
        let place = kill / KILLS_EACH;
        let mut tandem = Tandem::start(database.folder(), &database.url()).await;
        let moment = Duration::from_micros(random.next() % LATEST);
        let outcome = tokio::time::timeout(moment, ask(&tandem, &numbers[place])).await.ok().flatten();
        tandem.kill();
        note(place, outcome);
    }
    let tandem = Tandem::start(database.folder(), &database.url()).await;
    for (place, number) in numbers.iter().enumerate() {
        let outcome = ask(&tandem, number).await;
        assert!(outcome.is_some(), "{number} is answered");
        note(place, outcome);
    }
    drop(tandem);
    Tandem::command(database.folder(), &database.url(), &["admin", "verify-ledger"]);
    let store = Store::open(&Options::new(database.url())).await.expect("the store opens");
    for (what, sql) in [
        ("verifications", "SELECT COUNT(*) FROM verifications"),
        ("sendings", "SELECT COUNT(*) FROM verification_sends"),
        ("messages", "SELECT COUNT(*) FROM messages"),
        ("holds", "SELECT COUNT(*) FROM transfers WHERE kind = 'hold'"),
        ("events", "SELECT COUNT(*) FROM events WHERE kind = 'verify.sent'"),
    ] {
        let count = store.read(move |tx| Ok(tx.first(sql, &[])?.expect("a row").int(0)?)).await.expect("counted");
        assert_eq!(usize::try_from(count), Ok(NUMBERS), "{what}");
    }
    store.close().await;
}

#[test]
fn on_sqlite() {
    with_runtime(survive(Engine::Sqlite));
}

#[test]
fn on_postgres() {
    with_runtime(survive(Engine::Postgres));
}
