//! Who has a message: claims whose answer was lost, processes that were taken for dead, texts that nobody can read, and lines.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use super::*;

/// Keeps a thread of the store busy.
async fn spin(app: &App, time: Duration, begun: Option<&AtomicBool>) {
    let (node, now, begun_here) = (app.node, app.machine_now(), Arc::new(AtomicBool::new(false)));
    let (told, beat) = (begun_here.clone(), begun.is_some());
    let busy = move |tx: &mut tandem_store::Tx| {
        if beat {
            outbox::beat(tx, &node, now)?; // so that on PostgreSQL the next beat waits for this
        }
        told.store(true, Ordering::SeqCst);
        let until = Instant::now() + time;
        while Instant::now() < until {
            std::thread::yield_now();
        }
        Ok(())
    };
    let watch = async {
        while let (Some(begun), false) = (begun, begun_here.load(Ordering::SeqCst)) {
            begun.store(false, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        begun.inspect(|begun| begun.store(true, Ordering::SeqCst));
    };
    let _ = tokio::join!(app.store.write(busy), watch); // given up, as what is meant to be
}

/// Waits until a condition of the store's is true.
async fn comes(desk: &Desk, id: MessageId, state: MessageState) {
    for _ in 0..1_000 {
        if desk.state(id).await == state {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{id} does not become {state:?}");
}

/// Calls `work` behind something slow, so that it is committed after its caller has given up.
async fn too_late<T>(desk: &Desk, app: &App, work: impl Future<Output = Result<T>>) {
    desk.house.clock.advance_seconds(3); // it is time to say that this process is alive
    let postgres = app.store.engine() == Engine::Postgres;
    let first = if postgres { 4 * PATIENCE } else { PATIENCE / 20 };
    let begun = AtomicBool::new(false);
    let work = async {
        while postgres && !begun.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        work.await
    };
    let (_, outcome, _) = tokio::join!(spin(app, first, Some(&begun)), work, spin(app, 2 * PATIENCE, None));
    assert_eq!(outcome.err().map(|fault| fault.code()), Some(Code::Unavailable));
}

const PATIENCE: Duration = Duration::from_millis(500);

async fn persistently<R: Future<Output = Result<Vec<Outgoing>>>>(work: impl Fn() -> R) -> Vec<Outgoing> {
    for _ in 0..500 {
        match work().await {
            Ok(found) if !found.is_empty() => return found,
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    panic!("nothing comes");
}

#[tokio::test]
async fn what_a_claim_took_whose_answer_was_lost_is_handed_out() {
    for engine in engines() {
        let desk = Desk::new(engine.as_deref()).await;
        let app = desk.house.impatient(PATIENCE).await;
        let routes = anywhere();
        let first = desk.send("+14155550199", "one").await;
        too_late(&desk, &app, gateway::claim(&app, Environment::Test, &routes, 10)).await;
        comes(&desk, first.id, MessageState::Sending).await;
        let second = desk.send("+14155550198", "two").await;
        let found = persistently(|| gateway::claim(&app, Environment::Test, &routes, 10)).await;
        assert_eq!(
            found.iter().map(|part| (part.message, part.again, part.smsc)).collect::<Vec<_>>(),
            [(first.id, false, Some(SMSC))]
        );
        let rest = persistently(|| gateway::claim(&app, Environment::Test, &routes, 10)).await;
        assert_eq!(rest.iter().map(|part| part.message).collect::<Vec<_>>(), [second.id], "each is handed out once");
        record(desk.app(), found.iter().chain(&rest).map(taken).collect()).await;
        assert_eq!(desk.state(first.id).await, MessageState::Sent);
        // Where nothing more is claimed, the next look after what others left finds it.
        let third = desk.send("+14155550197", "three").await;
        too_late(&desk, &app, gateway::claim(&app, Environment::Test, &routes, 10)).await;
        comes(&desk, third.id, MessageState::Sending).await;
        let found = persistently(|| gateway::recover(&app, Environment::Test)).await;
        assert_eq!(found.iter().map(|part| (part.message, part.again)).collect::<Vec<_>>(), [(third.id, false)]);
        // The same where a process takes over what another had.
        let fourth = desk.send("+14155550196", "four").await;
        assert_eq!(claim(desk.app()).await.len(), 1);
        desk.house.clock.advance_seconds(11);
        too_late(&desk, &app, gateway::recover(&app, Environment::Test)).await;
        let found = persistently(|| gateway::recover(&app, Environment::Test)).await;
        assert_eq!(found.iter().map(|part| (part.message, part.again)).collect::<Vec<_>>(), [(fourth.id, true)]);
        assert!(gateway::recover(&app, Environment::Test).await.is_ok_and(|found| found.is_empty()));
    }
}

#[tokio::test]
async fn whoever_was_taken_for_dead_puts_nothing_back() {
    for engine in engines() {
        let desk = Desk::new(engine.as_deref()).await;
        let queued = desk.send("+14155550199", "Hello").await;
        let parts = claim(desk.app()).await;
        let other = desk.house.another().await;
        desk.house.clock.advance_seconds(11);
        let lost = gateway::recover(&other, Environment::Test).await.expect("what was lost");
        assert_eq!(lost.len(), 1);
        record(desk.app(), vec![answer(&parts[0], Taken::NotSent)]).await;
        assert_eq!(desk.state(queued.id).await, MessageState::Sending);
        assert!(claim(desk.app()).await.is_empty(), "it is the other's");
        record(&other, vec![answer(&lost[0], Taken::NotSent)]).await;
        assert_eq!(claim(desk.app()).await.len(), 1);
    }
}

#[tokio::test]
async fn what_was_not_sent_is_said_once_however_often_it_is_written() {
    for engine in engines() {
        let desk = Desk::new(engine.as_deref()).await;
        let queued = desk.send("+14155550199", "Hello").await;
        let parts = claim(desk.app()).await;
        let unsent = vec![answer(&parts[0], Taken::NotSent)];
        record(desk.app(), unsent.clone()).await;
        let again = claim(desk.app()).await;
        record(desk.app(), unsent).await; // the answer to the first was lost
        assert_eq!(desk.state(queued.id).await, MessageState::Sending);
        assert!(claim(desk.app()).await.is_empty(), "it is with its SMSC");
        record(desk.app(), again.iter().map(taken).collect()).await;
        assert_eq!(desk.state(queued.id).await, MessageState::Sent);
    }
}

#[tokio::test]
async fn what_cannot_be_read_has_failed_and_holds_nobody_up() {
    for engine in engines() {
        let desk = Desk::new(engine.as_deref()).await;
        let terms = Terms::Priced(50_000);
        let sealed = Draft { shown_body: Some("Your code is ******".into()), terms, ..text("+14155550199", "Your code is 481516") };
        let sealed = desk.try_send(sealed).await.expect("queued");
        let behind = desk.send("+14155550199", "behind").await;
        let other = desk.house.of_another_secret().await;
        assert!(claim(&other).await.is_empty());
        let failed = desk.read(sealed.id).await;
        let failure = failed.failure.expect("a reason");
        assert_eq!((failed.state, failure.code.as_str()), (MessageState::Failed, "unreadable"));
        assert_eq!(failure.reason, "its text was sealed with another secret key");
        assert_eq!(desk.movements(sealed.id).await, [(TransferKind::Hold, 50_000), (TransferKind::Release, 50_000)]);
        assert_eq!(desk.events(sealed.id).await, ["message.queued", "message.failed"]);
        assert_eq!(claim(&other).await.iter().map(|part| part.message).collect::<Vec<_>>(), [behind.id]);
        desk.house.assert_sound().await;
    }
}

#[tokio::test]
async fn nobody_comes_forward_while_one_of_the_line_is_taken() {
    for engine in engines() {
        let desk = Desk::new(engine.as_deref()).await;
        let later = Draft { scheduled_at: Some(at("2024-01-01T13:00:00Z")), ..text("+14155550199", "older") };
        let older = desk.try_send(later).await.expect("scheduled");
        let taken_first = desk.send("+14155550199", "taken").await;
        let parts = claim(desk.app()).await;
        assert_eq!(parts.iter().map(|part| part.message).collect::<Vec<_>>(), [taken_first.id]);
        let short = desk.try_send(Draft { validity: Some(7_200), ..text("+14155550199", "short") }).await.expect("queued");
        desk.house.advance(&desk.who, "2024-01-01T15:00:00Z").await;
        assert_eq!((desk.state(older.id).await, desk.state(short.id).await), (MessageState::Queued, MessageState::Expired));
        assert!(claim(desk.app()).await.is_empty(), "one is with its recipient's SMSC");
        record(desk.app(), vec![taken(&parts[0])]).await;
        assert_eq!(claim(desk.app()).await.iter().map(|part| part.message).collect::<Vec<_>>(), [older.id]);
    }
}
