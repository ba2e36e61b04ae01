//! Due work of many environments.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod house;

use house::{House, caller, engines};
use tandem_app::due;
use tandem_kernel::{Environment, EnvironmentId};
use tandem_store::repo::jobs;

/// Schedules jobs of a kind that nobody knows, which are put off by a day.
async fn schedule(house: &House, environment: EnvironmentId, count: i64) {
    let pen = house.app.pen();
    let scheduled = house.app.store.write(move |tx| {
        let desk = pen.open(tx, environment)?;
        let due: Vec<_> = (0..count).map(|step| (*environment.as_bytes(), step, desk.now)).collect();
        desk.schedule_many(tx, "test", &due)
    });
    scheduled.await.expect("scheduled");
}

/// How many of them are due now.
async fn due_of(house: &House, environment: EnvironmentId) -> usize {
    let now = house.app.machine_now();
    let due = house.app.store.read(move |tx| jobs::due(tx, now, 1_000)).await.expect("looked up");
    due.iter().filter(|job| job.environment == environment && job.kind == "test").count()
}

#[tokio::test]
async fn an_environment_whose_clock_is_being_moved_hides_nobody_elses_work() {
    for engine in engines() {
        let house = House::new(engine.as_deref(), "2024-01-15T08:00:00Z").await;
        let (ada, eve) = (house.account().await, house.account().await);
        let (ada, eve) = (caller(&ada, Environment::Test).environment, caller(&eve, Environment::Test).environment);
        schedule(&house, ada, 100).await;
        schedule(&house, eve, 1).await;
        let turn = house.app.turns.take(ada).await;
        house.work().await;
        assert_eq!((due_of(&house, ada).await, due_of(&house, eve).await), (100, 0));
        drop(turn);
        while due::run_due(&house.app).await.expect("due work") > 0 {}
        assert_eq!((due_of(&house, ada).await, due_of(&house, eve).await), (0, 0));
    }
}
