//! What environments and their owners' limits leave for messages.

use std::time::{Duration, Instant};

use tandem_app::{
    billing::{self, SetMonthlyLimit},
    messages::Origin,
    nothing_more,
};
use tandem_domain::spending::LimitAction;

use super::*;

#[tokio::test]
async fn a_limit_counts_what_is_set_aside_and_tells_of_each_threshold_once() {
    for engine in engines() {
        let desk = Desk::new(engine.as_deref()).await;
        let set = |amount, notifications| {
            let command = SetMonthlyLimit { amount, action: LimitAction::Block, notifications };
            billing::set_monthly_limit(desk.app(), &desk.who, command, nothing_more())
        };
        let bought = set(0, vec![]).await.expect("a limit").current_usage.micros;
        let amount = bought + 25_000; // two messages and a half
        let limit = set(amount, vec![100 * (bought + 15_000) / amount]).await.expect("a limit");
        let id = limit.limit.id.to_string();
        let (first, second) = (desk.send("+14155550191", "one").await, desk.send("+14155550192", "two").await);
        let over = desk.try_send(text("+14155550193", "three")).await.expect_err("the limit is reached");
        assert_eq!(over.code(), Code::SpendingLimitReached);
        let shown = billing::limits(desk.app(), &desk.who).await.expect("a limit");
        assert_eq!((shown[0].current_usage.micros, shown[0].remaining.micros), (bought, 5_000));
        let parts = claim(desk.app()).await;
        assert_eq!(parts.iter().map(|part| part.message).collect::<Vec<_>>(), [first.id, second.id]);
        // What was given back may be spent again, and what was spent stays spent.
        record(desk.app(), vec![refused(&parts[0]), taken(&parts[1])]).await;
        desk.send("+14155550193", "three").await;
        let over = desk.try_send(text("+14155550194", "four")).await.expect_err("the limit is reached");
        assert_eq!(over.code(), Code::SpendingLimitReached);
        let environment = desk.who.environment;
        let told = desk.app().store.read(move |tx| events::of_object(tx, environment, &id, 0, 10)).await.expect("events");
        let kinds: Vec<_> = told.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(kinds, ["limit.set", "limit.set", "limit.reached"]);
    }
}

#[tokio::test]
async fn two_that_want_the_same_number_for_a_recipient_get_one_each() {
    for engine in engines() {
        let desk = Desk::new(engine.as_deref()).await;
        let account = desk.house.account().await;
        let rival = caller(&account, Environment::Test).environment;
        let lend = |environment, time: Duration| {
            let pen = desk.app().pen();
            let work = move |tx: &mut tandem_store::Tx| {
                let desk = pen.open(tx, environment)?;
                let leased = Draft::text(Origin::Leased, phone("+14155550199"), "Hello");
                let sent = messages::send_in(tx, &desk, leased)?;
                let until = Instant::now() + time;
                while Instant::now() < until {
                    std::thread::yield_now();
                }
                Ok(sent.from)
            };
            desk.app().store.write(work)
        };
        let (slow, quick) =
            tokio::join!(lend(desk.who.environment, Duration::from_millis(300)), lend(rival, Duration::from_millis(100)));
        assert_ne!(slow.expect("a number"), quick.expect("another"));
    }
}
