//! What processes on one database tell each other, and what is forgotten with time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod house;

use std::time::Duration;

use house::{House, caller, engines, operator, phone};
use tandem_app::{
    App, Operation,
    accounts::{self, ChangeAccount},
    housekeeping,
    keys::{self, MintKey},
    nothing_more,
    numbers::{self, PurchaseNumber},
};
use tandem_catalogue::Code;
use tandem_domain::{
    account::AccountStatus,
    inventory::Query,
    purchase::{Offer, OfferState},
};
use tandem_kernel::{Currency, Environment, EnvironmentId, KeyKind, Money, PhoneNumber, RequestId, Scopes};
use tandem_store::repo::{
    idempotency::{self, Answer},
    invalidations::{Stale, inventory_subject, number_subject},
    inventory,
    requests::{self, Logged},
};
use tokio::sync::watch;

/// Waits until something holds, as long as notes may take.
async fn soon<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    for _ in 0..100 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never came to pass that {what}");
}

/// Keeps house until the returned sender says stop.
async fn keep(app: &App) -> (watch::Sender<bool>, tokio::task::JoinHandle<()>) {
    let (sender, stop) = watch::channel(false);
    let kept = tokio::spawn(housekeeping::run(app.clone(), stop));
    tokio::time::sleep(Duration::from_millis(700)).await; // what was there before is looked through
    (sender, kept)
}

async fn end((sender, kept): (watch::Sender<bool>, tokio::task::JoinHandle<()>)) {
    sender.send(true).expect("somebody listens");
    tokio::time::timeout(Duration::from_secs(2), kept).await.expect("it stops at once").expect("without a panic");
}

fn found(app: &App, number: u64) -> bool {
    let page = app.stock.search(Environment::Test, &Query { limit: 100, ..Query::default() });
    page.numbers.iter().any(|entry| entry.number == number)
}

async fn change_inventory(app: &App, offer: Offer, stale: Stale) {
    let pen = app.pen();
    let written = app.store.write(move |tx| {
        inventory::put(tx, Environment::Test, &offer, pen.machine_now())?;
        let subject = match stale {
            Stale::Number => number_subject(Environment::Test, offer.phone),
            _ => inventory_subject(Environment::Test),
        };
        accounts::tell_others(tx, &pen, stale, subject)
    });
    written.await.expect("a change");
}

async fn offer(app: &App, number: u64) -> Offer {
    let any = app.store.read(|tx| inventory::get(tx, Environment::Test, phone("+14155550110"))).await;
    Offer { phone: PhoneNumber::from_digits(number), ..any.expect("the store answers").expect("a number") }
}

#[tokio::test]
async fn what_another_process_revokes_or_stops_is_refused_here() {
    for engine in engines() {
        let house = House::new(engine.as_deref(), "2024-01-15T08:00:00Z").await;
        let account = house.account().await;
        let environment = Some(caller(&account, Environment::Test).environment);
        let command =
            MintKey { environment, kind: KeyKind::Secret, scopes: Scopes::account(), label: String::new(), expires_at: None };
        let mint = || keys::mint(&house.app, operator(), command.clone(), nothing_more());
        let (first, second) = (mint().await.expect("a key"), mint().await.expect("a key"));
        for key in [&first, &second] {
            house.app.directory.authenticate(key.text.as_str()).await.expect("it works");
        }
        let other = house.another().await;
        let kept = keep(&house.app).await;
        keys::revoke(&other, operator(), environment, first.key.id.to_string(), nothing_more()).await.expect("revoked");
        soon("the key is refused", async || {
            let refused = house.app.directory.authenticate(first.text.as_str()).await;
            refused.is_err_and(|error| error.code() == Code::RevokedApiKey)
        })
        .await;
        let change = ChangeAccount { status: Some(AccountStatus::Suspended), ..ChangeAccount::default() };
        accounts::change(&other, operator(), account.account.id, change, nothing_more()).await.expect("suspended");
        soon("the account is refused", async || {
            let principal = house.app.directory.authenticate(second.text.as_str()).await.expect("the key itself is good");
            principal.environment.expect("an account's key").check_status().is_err()
        })
        .await;
        end(kept).await;
    }
}

#[tokio::test]
async fn what_another_process_does_to_the_inventory_is_found_here() {
    for engine in engines() {
        let house = House::new(engine.as_deref(), "2024-01-15T08:00:00Z").await;
        let (app, other) = (&house.app, house.another().await);
        let kept = keep(app).await;
        let (new, imported, own) = (14_155_550_190, 14_155_550_191, 14_155_550_192);
        change_inventory(&other, offer(app, new).await, Stale::Number).await;
        soon("a number that nobody here knew is found", async || found(app, new)).await;
        let dearer = Offer { monthly: Money::new(7_000_000, Currency::USD), ..offer(app, new).await };
        change_inventory(&other, dearer, Stale::Number).await;
        let kept_price = |app: &App| app.stock.get(Environment::Test, PhoneNumber::from_digits(new)).map(|entry| entry.monthly);
        soon("a new price is known", async || kept_price(app) == Some(7_000_000)).await;
        change_inventory(&other, Offer { state: OfferState::Reserved, ..offer(app, new).await }, Stale::Number).await;
        soon("a number that is gone is not found", async || !found(app, new)).await;
        change_inventory(app, offer(app, own).await, Stale::Inventory).await;
        tokio::time::sleep(Duration::from_millis(1200)).await;
        assert!(!found(app, own), "an import of our own is in memory already, so nothing is read again for it");
        change_inventory(&other, offer(app, imported).await, Stale::Inventory).await;
        soon("another's import is found", async || found(app, imported) && found(app, own)).await;
        end(kept).await;
    }
}

#[tokio::test]
async fn nodes_of_one_database_see_each_others_purchases() {
    for engine in engines().into_iter().flatten() {
        let house = House::new(Some(&engine), "2024-01-15T08:00:00Z").await;
        let who = caller(&house.account().await, Environment::Test);
        let other = house.another().await;
        let kept = keep(&house.app).await;
        let number = phone("+14155550120");
        assert!(found(&house.app, number.digits()));
        let command = PurchaseNumber::new(number);
        let bought = numbers::purchase(&other, &who, Operation([7; 16]), command, nothing_more()).await.expect("bought elsewhere");
        soon("a number that was sold elsewhere is not found", async || !found(&house.app, number.digits())).await;
        let by_id = numbers::NumberRef::Id(bought.id);
        numbers::release(&other, &who, by_id, nothing_more()).await.expect("given back elsewhere");
        house.advance(&who, "2024-03-01T00:00:00Z").await;
        soon("it is for sale again", async || found(&house.app, number.digits())).await;
        end(kept).await;
    }
}

#[tokio::test]
async fn what_is_out_of_date_is_forgotten_and_nothing_else() {
    for engine in engines() {
        let house = House::new(engine.as_deref(), "2024-01-15T08:00:00Z").await;
        let environment = caller(&house.account().await, Environment::Test).environment;
        leave(&house, environment, 1, 2_500).await;
        house.sleep_until("2024-01-16T07:59:00Z");
        leave(&house, environment, 2, 1).await;
        housekeeping::forget(&house.app).await.expect("forgotten");
        assert_eq!(left(&house).await, (2_501, 2_501, 1), "a day is not over, a quarter of an hour is");
        house.sleep_until("2024-01-16T08:01:00Z");
        housekeeping::forget(&house.app).await.expect("forgotten");
        assert_eq!(left(&house).await, (1, 2_501, 1));
        house.sleep_until("2024-02-14T12:00:00Z");
        housekeeping::forget(&house.app).await.expect("forgotten");
        assert_eq!(left(&house).await, (0, 1, 0));
    }
}

/// Leaves answers, requests and a note.
async fn leave(house: &House, environment: EnvironmentId, series: u8, count: u16) {
    let pen = house.app.pen();
    let written = house.app.store.write(move |tx| {
        let now = pen.machine_now();
        let answer = Answer { fingerprint: [0; 32], status: 200, body: Vec::new() };
        let mut key = [series; 32];
        for index in 0..count {
            key[..2].copy_from_slice(&index.to_be_bytes());
            idempotency::keep(tx, environment, &key, &answer, now, now)?;
        }
        let log: Vec<Logged> = (0..count).map(|_| logged(RequestId::new(now, &*pen.rng), now)).collect();
        requests::append(tx, &log)?;
        accounts::tell_others(tx, &pen, Stale::Environment, *environment.as_bytes())
    });
    written.await.expect("written");
}

fn logged(id: RequestId, at: tandem_kernel::Timestamp) -> Logged {
    Logged {
        id,
        environment: None,
        dialect: "native",
        key_last_four: String::new(),
        method: "GET".into(),
        route: "/".into(),
        path: "/".into(),
        status: 200,
        code: "",
        duration: 1,
        hint: String::new(),
        body: String::new(),
        at,
    }
}

/// How many answers, requests and notes there are.
async fn left(house: &House) -> (i64, i64, i64) {
    let counted = house.app.store.read(|tx| {
        let mut count = |sql: &'static str| -> tandem_catalogue::Result<i64> { Ok(tx.query(sql, &[])?[0].int(0)?) };
        let answers = count("SELECT COUNT(*) FROM idempotency")?;
        let requests = count("SELECT COUNT(*) FROM requests")?;
        Ok((answers, requests, count("SELECT COUNT(*) FROM invalidations")?))
    });
    counted.await.expect("counted")
}
