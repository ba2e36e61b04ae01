//! A server that is killed at random moments and started again: the same request gets the same answer, and is done once.

use std::{collections::BTreeMap, time::Duration};

use http::Method;
use serde_json::{Value, json};
use tandem_kernel::{OsRng, Rng, SeededRng};
use tandem_store::{Options, Store};
use tandem_testkit::{Database, Engine, Tandem, with_runtime};

const PURCHASE: &str = "/audian/v2/numbers/purchase";
/// How often it is killed.
const KILLS: usize = 100;
/// How often while it is asked for one number.
const KILLS_EACH: usize = 4;
/// How long after a request it is killed at the latest, in microseconds: a purchase takes some milliseconds.
const LATEST: u64 = 15_000;

/// Answers by number, as they were first seen.
type Answers = BTreeMap<String, Value>;

struct Trial {
    database: Database,
    answers: Answers,
}

impl Trial {
    async fn start(&self) -> Tandem {
        Tandem::start(self.database.folder(), &self.database.url()).await
    }

    /// Asks for a number and notes the answer, if there is one: it must be the one that was given before.
    fn note(&mut self, number: &str, outcome: Option<(u16, Value, bool)>) {
        let Some((status, body, replayed)) = outcome else { return };
        assert_eq!(status, 201, "{number}: {body}");
        let before = self.answers.insert(number.to_owned(), body.clone());
        assert!(before.is_none_or(|before| replayed && before == body), "{number} was answered otherwise before, now {body}");
    }

    /// The books, as the command for the operator checks them.
    fn verify(&self) {
        Tandem::command(self.database.folder(), &self.database.url(), &["admin", "verify-ledger"]);
    }
}

async fn purchase(tandem: &Tandem, environment: &str, number: &str) -> Option<(u16, Value, bool)> {
    let key = tandem.ready["accounts"][0][environment].as_str().expect("a key");
    let headers = [("x-auth-token", key), ("idempotency-key", number)];
    tandem.try_send(Method::POST, PURCHASE, &headers, &json!({ "number": number })).await
}

/// Numbers for sale in an environment.
async fn for_sale(tandem: &Tandem, environment: &str, count: usize) -> Vec<String> {
    let key = tandem.ready["accounts"][0][environment].as_str().expect("a key");
    let path = format!("/audian/v2/numbers/search?location=US&features=sms&limit={count}");
    let (_, found, _) = tandem.try_send(Method::GET, &path, &[("x-auth-token", key)], &Value::Null).await.expect("an answer");
    let numbers = found["data"]["numbers"].as_array().expect("numbers").iter();
    numbers.map(|offer| offer["number"].as_str().expect("a number").to_owned()).collect()
}

async fn survive(engine: Engine) {
    let mut trial = Trial { database: Database::new(engine), answers: Answers::new() };
    let tandem = trial.start().await;
    let (carried, owned) = (for_sale(&tandem, "test_key", KILLS).await, for_sale(&tandem, "live_key", KILLS).await);
    drop(tandem);
    let mut seed = [0; 8];
    OsRng.fill(&mut seed);
    let seed = u64::from_le_bytes(seed);
    eprintln!("killed at the moments of {seed}");
    let random = SeededRng::new(seed);
    let mut asked = Vec::new();
    for kill in 0..KILLS {
        // One number of a carrier that is asked, and one of our own, in turn.
        let (environment, numbers) =
            if (kill / KILLS_EACH).is_multiple_of(2) { ("test_key", &carried) } else { ("live_key", &owned) };
        let number = numbers[kill / KILLS_EACH].clone();
        let mut tandem = trial.start().await;
        let moment = Duration::from_micros(random.next() % LATEST);
        // Whatever came of it by then: an answer, or nothing.
        let outcome = tokio::time::timeout(moment, purchase(&tandem, environment, &number)).await.ok().flatten();
        tandem.kill();
        trial.note(&number, outcome);
        asked.push((environment, number));
        trial.verify();
    }
    asked.dedup();
    let tandem = trial.start().await;
    for (environment, number) in &asked {
        let outcome = purchase(&tandem, environment, number).await;
        assert!(outcome.is_some(), "{number} is answered");
        trial.note(number, outcome);
    }
    drop(tandem);
    trial.verify();
    assert_eq!(trial.answers.len(), asked.len());
    let store = Store::open(&Options::new(trial.database.url())).await.expect("the store opens");
    for (what, sql) in [
        ("numbers", "SELECT COUNT(*) FROM numbers"),
        ("charges", "SELECT COUNT(*) FROM transfers WHERE kind IN ('charge', 'capture')"),
        ("purchases", "SELECT COUNT(*) FROM events WHERE kind = 'number.purchased'"),
    ] {
        let count = store.read(move |tx| Ok(tx.first(sql, &[])?.expect("a row").int(0)?)).await.expect("counted");
        assert_eq!(usize::try_from(count), Ok(asked.len()), "{what}");
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
