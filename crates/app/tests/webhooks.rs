//! Deliveries that are written down twice, and events that two processes hand out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod house;

use house::{House, caller, engines};
use serde_json::json;
use tandem_app::{
    nothing_more,
    webhooks::{self, CreateWebhook, Outcome, Owner, Who},
};
use tandem_catalogue::Dialect;
use tandem_domain::{
    event::EventKind,
    webhook::{Answer, Attempt, Method},
};
use tandem_kernel::{AttemptId, Caller, DeliveryId, Environment, OsRng};
use tandem_store::repo::{deliveries::Told, webhooks::Wanted};

/// An endpoint that is told of everything.
async fn listen(house: &House, who: &Caller) {
    let command = CreateWebhook {
        owner: Owner::default(),
        dialect: Dialect::Audian,
        url: "https://example.com/hook".into(),
        description: String::new(),
        events: vec!["*".into()],
        method: Method::Post,
    };
    webhooks::create(&house.app, Who::Account(*who), command, nothing_more()).await.expect("an endpoint");
}

async fn happen(house: &House, who: &Caller, things: i64) {
    let (pen, environment) = (house.app.pen(), who.environment);
    let happened = house.app.store.write(move |tx| {
        let desk = pen.open(tx, environment)?;
        (0..things).try_for_each(|thing| desk.event(tx, &format!("thing_{thing}"), EventKind::NumberConfigured, &json!({})))
    });
    happened.await.expect("it happens");
}

async fn count(house: &House, sql: &'static str) -> i64 {
    house.app.store.read(move |tx| tx.query(sql, &[])?[0].int(0).map_err(Into::into)).await.expect("counted")
}

fn refused(house: &House, told: &Told) -> Outcome {
    let now = house.app.machine_now();
    let attempt = Attempt {
        id: AttemptId::new(now, &OsRng),
        delivery: told.delivery.id,
        number: told.delivery.attempts + 1,
        url: "https://example.com/hook".into(),
        headers: Vec::new(),
        status: Some(422),
        answer: String::new(),
        fault: None,
        duration: 1,
        at: now,
    };
    Outcome { delivery: told.delivery.clone(), answer: Answer { status: Some(422), retry_after: None }, attempt }
}

#[tokio::test]
async fn a_delivery_that_is_given_up_is_told_of_once() {
    for engine in engines() {
        let house = House::new(engine.as_deref(), "2024-01-15T08:00:00Z").await;
        let who = caller(&house.account().await, Environment::Test);
        listen(&house, &who).await;
        happen(&house, &who, 1).await;
        while webhooks::fan_out(&house.app).await.expect("handed out") {}
        let given_up = "SELECT COUNT(*) FROM events WHERE kind = 'webhook.delivery_failed'";
        let taken = webhooks::claim(&house.app, Wanted { failing: true, most: 10, ..Wanted::default() }).await.expect("taken");
        let of = (who.environment, taken[0].id);
        let step = webhooks::step(&house.app, of, Vec::new(), Vec::new(), 10).await.expect("read");
        let outcomes = vec![refused(&house, &step.due[0])];
        // The answer to the first is lost: the lane makes the same step again. It holds something else meanwhile.
        for busy in [vec![DeliveryId::from_bytes([9; 16])], Vec::new()] {
            webhooks::step(&house.app, of, outcomes.clone(), busy, 10).await.expect("written");
        }
        assert_eq!(count(&house, given_up).await, 1);
    }
}

#[tokio::test]
async fn two_processes_hand_each_event_out_once() {
    for engine in engines() {
        let house = House::new(engine.as_deref(), "2024-01-15T08:00:00Z").await;
        let who = caller(&house.account().await, Environment::Test);
        listen(&house, &who).await;
        let other = house.another().await;
        for _ in 0..10 {
            happen(&house, &who, 200).await;
            let all = async |app| while webhooks::fan_out(app).await.expect("handed out") {};
            tokio::join!(all(&house.app), all(&other));
        }
        assert_eq!(count(&house, "SELECT COUNT(*) FROM deliveries").await, 2_000);
    }
}
