//! The request log on its way to a store whose answers get lost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod house;

use std::{sync::Mutex, time::Duration};

use house::{House, caller};
use tandem_app::{Journal, JournalEntry};
use tandem_kernel::{Environment, OsRng, RequestId};
use tandem_store::{
    Options, Store,
    repo::{requests::Logged, usage},
};

/// How long the store is waited for, and something that takes longer.
const PATIENCE: Duration = Duration::from_millis(300);
const LONGER: Duration = Duration::from_millis(600);

#[tokio::test]
async fn what_was_written_though_nobody_heard_of_it_is_counted_once() {
    let house = House::new(None, "2024-01-15T08:00:00Z").await;
    let environment = caller(&house.account().await, Environment::Test).environment;
    let now = house.app.machine_now();
    let mut options = Options::new(house.url());
    options.patience = PATIENCE;
    let (store, journal) = (Store::open(&options).await.expect("a store"), Journal::default());
    let note = || {
        let request = Logged {
            id: RequestId::new(now, &OsRng),
            environment: Some(environment),
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
            at: now,
        };
        journal.note(JournalEntry { request, key: None });
    };
    note();
    note();
    // The writer is kept until both wait for it: they are written together, and the second takes long.
    let (open, gate) = std::sync::mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let keeper = store.clone();
    let (begun, begins) = tokio::sync::mpsc::unbounded_channel();
    let kept = tokio::spawn(async move {
        let keep = move |_: &mut tandem_store::Tx| {
            begun.send(()).expect("somebody waits");
            gate.lock().expect("alone").recv().expect("it is opened");
            Ok(())
        };
        keeper.write(keep).await
    });
    let mut begins = begins;
    begins.recv().await.expect("the writer is busy");
    let long = store.write(|_| {
        std::thread::sleep(LONGER);
        Ok(())
    });
    let (_, late, ()) = tokio::join!(journal.flush(&store), long, async { open.send(()).expect("it waits") });
    assert!(late.is_err(), "nobody waits so long");
    let _ = kept.await.expect("no panic"); // it may be one of those that are written together
    note();
    journal.flush(&house.app.store).await;
    let (from, to) = (now.start_of_day(), now.plus_days(1));
    let counted = house.app.store.read(move |tx| {
        let requests = tx.query("SELECT COUNT(*) FROM requests", &[])?[0].int(0)?;
        Ok((requests, usage::sum(tx, environment, "api_calls", from, to)?))
    });
    assert_eq!(counted.await.expect("counted"), (3, 3));
}
