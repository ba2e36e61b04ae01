//! Each code and each status of the documentation, from each of its causes, over the wire: `docs/coverage.md`.

mod book;
mod faults;
mod fone;
mod reference;
mod requests;
mod states;
mod telephony;

use std::path::Path;

use serde_json::{Value, json};
use tandem_testkit::{Engine, Scene, run};

use self::book::Book;

const LIST: &str = "/audian/v2/numbers";
const SEARCH: &str = "/audian/v2/numbers/search";
const PURCHASE: &str = "/audian/v2/numbers/purchase";
const PORTS: &str = "/audian/v2/ports";

/// What a port needs.
pub fn port_of(number: &str) -> Value {
    json!({
        "phone_number": number, "account_number": "A-1234567", "account_pin": "4321", "carrier_name": "Example Telecom",
        "billing_phone": number, "end_user_name": "Ada Lovelace",
        "end_user_address": {
            "street": "123 Market Street", "city": "San Francisco", "state": "CA", "postal_code": "94103", "country": "US",
        },
    })
}

/// The whole page, as an engine makes it.
fn page(engine: Engine) -> String {
    let book = Book::default();
    chapter(engine, &book, requests::credentials);
    chapter(engine, &book, requests::input);
    chapter(engine, &book, requests::numbers_and_places);
    chapter(engine, &book, requests::limits);
    chapter(engine, &book, requests::lookups);
    chapter(engine, &book, requests::permissions);
    chapter(engine, &book, states::successes);
    chapter(engine, &book, states::conflicts);
    chapter(engine, &book, states::transitions);
    chapter(engine, &book, states::funds);
    chapter(engine, &book, states::availability);
    chapter(engine, &book, states::ports);
    chapter(engine, &book, states::routing);
    chapter(engine, &book, states::features);
    chapter(engine, &book, faults::internal);
    chapter(engine, &book, faults::gateway);
    chapter(engine, &book, faults::outage);
    chapter(engine, &book, faults::overload);
    chapter(engine, &book, telephony::requests);
    chapter(engine, &book, telephony::credentials);
    chapter(engine, &book, telephony::funds);
    chapter(engine, &book, telephony::limits);
    chapter(engine, &book, telephony::internal);
    chapter(engine, &book, fone::requests);
    chapter(engine, &book, fone::states);
    chapter(engine, &book, fone::internal);
    book.page()
}

/// Each chapter has a database of its own.
fn chapter<S: Scene, R: Future<Output = ()>>(engine: Engine, book: &Book, scenario: impl FnOnce(S, Book) -> R) {
    run(engine, |scene| scenario(scene, book.clone()));
}

#[test]
fn every_documented_error_arises_from_its_causes() {
    let on_postgres = std::thread::spawn(|| page(Engine::Postgres));
    let found = page(Engine::Sqlite);
    let on_postgres = on_postgres.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    assert!(found == on_postgres, "{}", first_difference("on SQLite", &found, "on PostgreSQL", &on_postgres));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/coverage.md");
    if std::env::var_os("TANDEM_WRITE_DOCS").is_some() {
        std::fs::write(&path, &found).expect("docs/coverage.md can be written");
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == found, "docs/coverage.md is out of date, see its end: {}", first_difference("there", &kept, "now", &found));
}

fn first_difference(one: &str, left: &str, other: &str, right: &str) -> String {
    let lines = left.lines().chain(std::iter::once("(the end)")).zip(right.lines().chain(std::iter::once("(the end)")));
    let difference = lines.enumerate().find(|(_, (left, right))| left != right);
    difference.map_or_else(String::new, |(at, (left, right))| format!("line {}\n{one}: {left}\n{other}: {right}", at + 1))
}
