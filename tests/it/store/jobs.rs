//! Due work, first answers, versions: what keeps two that work at once apart.

use tandem_catalogue::{Code, Result};
use tandem_domain::{Explanation, environment::EnvironmentClock};
use tandem_kernel::{EnvironmentId, ExplanationId, JobId, SeededRng, Timestamp};
use tandem_store::{
    Store, Tx,
    repo::{
        explanations,
        idempotency::{self, Answer},
        jobs::{self, Job},
        settings,
    },
};
use tandem_testkit::{DAWN, Engine, on_both};
use tokio::task::JoinSet;

use super::{Fresh, environment, put, turnstile};

fn job(environment: EnvironmentId, seed: u64, step: i64, due_at: Timestamp) -> Job {
    let id = JobId::new(DAWN, &SeededRng::new(seed));
    Job { id, environment, kind: "test".to_owned(), subject: [1; 16], step, due_at, attempts: 0 }
}

async fn schedule(store: &Store, job: Job, clock: EnvironmentClock) {
    store.write(move |tx| jobs::schedule(tx, &job, clock)).await.expect("scheduled");
}

async fn due(store: &Store, now: Timestamp) -> Vec<i64> {
    let due = store.read(move |tx| jobs::due(tx, now, 100)).await.expect("looked up");
    due.iter().map(|job| job.step).collect()
}

/// Claims a job and counts that it was done, in one unit of work.
fn work(tx: &mut Tx, id: JobId) -> Result<bool> {
    let Some(job) = jobs::claim(tx, id)? else { return Ok(false) };
    let done: u32 = settings::get(tx, "done")?.map_or(0, |text| text.parse().expect("a number"));
    put(tx, "done", &(done + 1).to_string())?;
    jobs::finish(tx, job.id)?;
    Ok(true)
}

on_both! {
    async fn jobs_fall_due_in_order_and_are_scheduled_once(fresh: Fresh) {
        let (store, environment) = (&fresh.store, environment(&fresh.store, 1).await.id);
        let clock = EnvironmentClock::default();
        for (seed, step, seconds) in [(1, 3, 30), (2, 1, 10), (3, 2, 20), (4, 1, 99)] {
            schedule(store, job(environment, seed, step, DAWN.plus_seconds(seconds)), clock).await;
        }
        assert_eq!(due(store, DAWN).await, [0; 0]);
        assert_eq!(due(store, DAWN.plus_seconds(20)).await, [1, 2]);
        assert_eq!(due(store, DAWN.plus_seconds(99)).await, [1, 2, 3]);
        let first = store.read(move |tx| jobs::first_until(tx, environment, DAWN.plus_seconds(99))).await.expect("looked up");
        assert_eq!(first.map(|job| (job.step, job.due_at)), Some((1, DAWN.plus_seconds(10))));
    }

    async fn a_job_is_done_by_one_of_many(fresh: Fresh) {
        let (store, environment) = (fresh.store.clone(), environment(&fresh.store, 1).await.id);
        let job = job(environment, 1, 1, DAWN);
        let id = job.id;
        schedule(&store, job, EnvironmentClock::default()).await;
        let mut workers = JoinSet::new();
        for _ in 0..50 {
            let store = store.clone();
            workers.spawn(async move { store.write(move |tx| work(tx, id)).await.expect("worked") });
        }
        let did = workers.join_all().await.into_iter().filter(|did| *did).count();
        assert_eq!((did, fresh.value("done").await.as_deref()), (1, Some("1")));
        assert_eq!(due(&store, DAWN).await, [0; 0]);
    }

    async fn a_worker_that_fails_leaves_the_job_as_it_was(fresh: Fresh) {
        let (store, environment) = (fresh.store.clone(), environment(&fresh.store, 1).await.id);
        let job = job(environment, 1, 1, DAWN);
        let id = job.id;
        schedule(&store, job, EnvironmentClock::default()).await;
        let failed = store.write(move |tx| {
            work(tx, id)?;
            panic!("this worker panics for a test");
            #[allow(unreachable_code, reason = "gives the closure its type")]
            Ok(())
        });
        assert_eq!(failed.await.expect_err("a panic").code(), Code::Internal);
        assert_eq!((due(&store, DAWN).await, fresh.value("done").await), (vec![1], None));
        assert!(store.write(move |tx| work(tx, id)).await.expect("worked"));
    }

    async fn whoever_comes_while_another_is_at_it_goes_on_to_something_else(fresh: Fresh) {
        if fresh.stage.engine() == Engine::Sqlite {
            return; // an SQLite file has one writer, so nobody comes meanwhile
        }
        let (store, environment) = (fresh.store.clone(), environment(&fresh.store, 1).await.id);
        let job = job(environment, 1, 1, DAWN);
        let id = job.id;
        schedule(&store, job, EnvironmentClock::default()).await;
        let (gate, keeper) = turnstile();
        let first = {
            let store = store.clone();
            tokio::spawn(async move {
                store.write(move |tx| {
                    let claimed = jobs::claim(tx, id)?;
                    gate.pass();
                    Ok(claimed.is_some())
                })
                .await
            })
        };
        let keeper = keeper.begun().await;
        assert!(!store.write(move |tx| work(tx, id)).await.expect("worked"));
        keeper.let_go();
        assert!(first.await.expect("no panic").expect("worked"));
    }

    async fn a_clock_that_stands_keeps_jobs_asleep(fresh: Fresh) {
        let (store, environment) = (&fresh.store, environment(&fresh.store, 1).await.id);
        let still = EnvironmentClock::default().frozen(true, DAWN);
        schedule(store, job(environment, 1, 1, DAWN.plus_seconds(10)), still).await;
        assert_eq!(due(store, DAWN.plus_days(1000)).await, [0; 0]);
        let moved = still.moved_to(DAWN.plus_seconds(10), DAWN);
        store.write(move |tx| jobs::rewind(tx, environment, still, moved)).await.expect("moved");
        assert_eq!(due(store, DAWN).await, [1]);
        let ahead = EnvironmentClock::default().moved_to(DAWN.plus_days(-1), DAWN);
        store.write(move |tx| jobs::rewind(tx, environment, moved, ahead)).await.expect("moved");
        assert_eq!(due(store, DAWN.plus_days(1)).await, [0; 0]);
        assert_eq!(due(store, DAWN.plus_days(1).plus_seconds(10)).await, [1]);
    }

    async fn a_job_that_is_put_off_counts_its_failures(fresh: Fresh) {
        let (store, environment) = (&fresh.store, environment(&fresh.store, 1).await.id);
        let job = job(environment, 1, 1, DAWN);
        let id = job.id;
        schedule(store, job, EnvironmentClock::default()).await;
        let later = DAWN.plus_seconds(60);
        for failed in [true, false, true] {
            store.write(move |tx| jobs::postpone(tx, id, later, Some(later), failed)).await.expect("put off");
        }
        assert_eq!(due(store, DAWN.plus_seconds(59)).await, [0; 0]);
        let found = store.read(move |tx| jobs::due(tx, later, 1)).await.expect("looked up");
        assert_eq!((found[0].attempts, found[0].due_at), (2, later));
        store.write(|tx| jobs::cancel(tx, "test", &[1; 16])).await.expect("cancelled");
        assert_eq!(due(store, later).await, [0; 0]);
    }

    async fn of_two_first_answers_one_is_kept(fresh: Fresh) {
        let (store, environment) = (fresh.store.clone(), environment(&fresh.store, 1).await.id);
        let keep = move |tx: &mut Tx, body: u8, now: Timestamp| {
            let answer = Answer { fingerprint: [body; 32], status: 201, body: vec![body] };
            idempotency::keep(tx, environment, &[5; 32], &answer, now.plus_days(-1), now)
        };
        let mut keepers = JoinSet::new();
        for body in 1..=40 {
            let store = store.clone();
            keepers.spawn(async move { (body, store.write(move |tx| keep(tx, body, DAWN)).await) });
        }
        let mut kept = Vec::new();
        for (body, outcome) in keepers.join_all().await {
            match outcome {
                Ok(()) => kept.push(body),
                Err(error) => assert_eq!(error.code(), Code::RequestInProgress),
            }
        }
        assert_eq!(kept.len(), 1);
        let found = store.read(move |tx| idempotency::find(tx, environment, &[5; 32], DAWN)).await.expect("read");
        assert_eq!(found.map(|answer| (answer.status, answer.body)), Some((201, kept)));
        let tomorrow = DAWN.plus_days(2);
        store.write(move |tx| keep(tx, 99, tomorrow)).await.expect("the old answer gives way");
        let purged = store.write(move |tx| idempotency::purge(tx, tomorrow)).await.expect("purged");
        assert_eq!(purged, 0);
        let purged = store.write(move |tx| idempotency::purge(tx, tomorrow.plus_seconds(1))).await.expect("purged");
        assert_eq!(purged, 1);
    }

    async fn an_explanation_kept_again_after_a_lost_answer_is_one(fresh: Fresh) {
        let (store, environment) = (fresh.store.clone(), environment(&fresh.store, 1).await.id);
        let id = ExplanationId::new(DAWN, &SeededRng::new(1));
        for _ in 0..2 {
            let explanation = Explanation::of("purchase", "req_1");
            store.write(move |tx| explanations::keep(tx, id, environment, &explanation, DAWN)).await.expect("kept");
        }
        assert_eq!(fresh.count("SELECT COUNT(*) FROM explanations").await, 1);
    }
}
