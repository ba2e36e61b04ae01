//! Units of work: all of it or nothing, whatever happens.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tandem_catalogue::{Code, Error, Result};
use tandem_store::{Store, Tx};
use tandem_testkit::{Engine, on_both, until};
use tokio::task::{JoinHandle, JoinSet};

use super::{Fresh, Keeper, put, turnstile};

/// What the tests' own refusals look like.
fn refusal() -> Error {
    Error::missing_parameter("colour")
}

fn code<T>(outcome: Result<T>) -> Code {
    match outcome {
        Ok(_) => panic!("a refusal was expected"),
        Err(error) => error.code(),
    }
}

/// As `put`, with the next statement.
fn put_later(tx: &mut Tx, name: &str, value: &str) -> Result<()> {
    let sql = "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    tx.later(sql, &[vec![name.into(), value.into()]])
}

/// A unit of work that has begun and goes on when its keeper says so.
async fn held_up(store: &Store) -> (JoinHandle<Result<()>>, Keeper) {
    let (gate, keeper) = turnstile();
    let store = store.clone();
    let work = tokio::spawn(async move {
        store
            .write(move |_| {
                gate.pass();
                Ok(())
            })
            .await
    });
    (work, keeper.begun().await)
}

on_both! {
    async fn what_is_committed_is_there_for_everybody(fresh: Fresh) {
        fresh.store.write(|tx| put(tx, "colour", "green")).await.expect("written");
        assert_eq!(fresh.value("colour").await.as_deref(), Some("green"));
        fresh.store.close().await;
        let again = fresh.opened_again().await;
        let colour = again.read(|tx| tandem_store::repo::settings::get(tx, "colour")).await.expect("read");
        assert_eq!(colour.as_deref(), Some("green"));
    }

    async fn what_is_done_later_is_done_in_order_and_before_anybody_looks(fresh: Fresh) {
        let last = fresh.store.write(|tx| {
            put_later(tx, "colour", "green")?;
            let seen = tandem_store::repo::settings::get(tx, "colour")?;
            let many: Vec<String> = (0..100).map(|number| number.to_string()).collect();
            many.iter().try_for_each(|value| put_later(tx, "colour", value))?;
            Ok(seen)
        });
        assert_eq!(last.await.expect("written").as_deref(), Some("green"));
        assert_eq!(fresh.value("colour").await.as_deref(), Some("99"));
        let refused = fresh.store.write(|tx| {
            put_later(tx, "colour", "red")?;
            Err::<(), _>(refusal())
        });
        assert_eq!(code(refused.await), Code::MissingParameter);
        assert_eq!(fresh.value("colour").await.as_deref(), Some("99"));
    }

    async fn what_fails_later_undoes_everything(fresh: Fresh) {
        fresh.store.write(|tx| put(tx, "colour", "green")).await.expect("written");
        // At the end, with a statement behind it, and with one whose own fault is an answer.
        for behind in 0..3 {
            let failed = fresh.store.write(move |tx| {
                put(tx, "shape", "round")?;
                tx.later("INSERT INTO settings (name, value) VALUES ($1, $2)", &[vec!["colour".into(), "red".into()]])?;
                match behind {
                    0 => {}
                    1 => drop(tandem_store::repo::settings::get(tx, "shape")?),
                    _ => drop(tx.insert_unique("INSERT INTO settings (name, value) VALUES ($1, $2)", &["size".into(), "small".into()])?),
                }
                Ok(())
            });
            assert_eq!(code(failed.await), Code::ConcurrentModification, "{behind}");
            assert_eq!((fresh.value("colour").await.as_deref(), fresh.value("shape").await), (Some("green"), None));
        }
        fresh.store.write(|tx| put(tx, "colour", "blue")).await.expect("the connection is well");
    }

    async fn a_refusal_undoes_everything_and_is_the_answer(fresh: Fresh) {
        let refused = fresh.store.write(|tx| {
            put(tx, "colour", "green")?;
            put(tx, "shape", "round")?;
            Err::<(), _>(refusal())
        });
        assert_eq!(code(refused.await), Code::MissingParameter);
        assert_eq!((fresh.value("colour").await, fresh.value("shape").await), (None, None));
    }

    async fn refusals_and_panics_undo_nothing_of_their_neighbours(fresh: Fresh) {
        let mut work = JoinSet::new();
        for index in 0..300_u32 {
            let store = fresh.store.clone();
            work.spawn(async move {
                let outcome = store.write(move |tx| {
                    put(tx, &format!("value {index}"), "there")?;
                    match index % 3 {
                        0 => Ok(()),
                        1 => Err(refusal()),
                        _ => panic!("this unit of work panics for a test"),
                    }
                });
                (index, outcome.await)
            });
        }
        for (index, outcome) in work.join_all().await {
            match index % 3 {
                0 => outcome.expect("committed"),
                1 => assert_eq!(code(outcome), Code::MissingParameter),
                _ => assert_eq!(code(outcome), Code::Internal),
            }
        }
        assert_eq!(fresh.count("SELECT COUNT(*) FROM settings").await, 100);
    }

    async fn a_failed_statement_cannot_be_talked_over(fresh: Fresh) {
        let talked_over = fresh.store.write(|tx| {
            put(tx, "colour", "green")?;
            let _ = tx.execute("UPDATE nowhere SET x = 1", &[]);
            Ok(())
        });
        assert_eq!(code(talked_over.await), Code::Internal);
        assert_eq!(fresh.value("colour").await, None);
        fresh.store.write(|tx| put(tx, "colour", "red")).await.expect("the store works on");
    }

    async fn a_broken_constraint_is_an_internal_error_and_undoes_all(fresh: Fresh) {
        let environment = super::environment(&fresh.store, 1).await;
        let overdrawn = fresh.store.write(move |tx| {
            put(tx, "colour", "green")?;
            let sql = "UPDATE wallets SET available = available - 1 WHERE environment_id = $1";
            tx.execute(sql, &[environment.id.as_bytes().into()])
        });
        assert_eq!(code(overdrawn.await), Code::Internal);
        assert_eq!(fresh.value("colour").await, None);
        let orphan = fresh.store.write(|tx| {
            let sql = "INSERT INTO wallets (environment_id, currency, available, held, sequence, head) VALUES ($1, 'USD', 0, 0, 0, $1)";
            tx.execute(sql, &[(&[7_u8; 16]).into()])
        });
        assert_eq!(code(orphan.await), Code::Internal, "a wallet without an environment");
    }

    async fn a_row_that_is_there_already_is_tried_again_and_then_refused(fresh: Fresh) {
        fresh.store.write(|tx| put(tx, "colour", "green")).await.expect("written");
        let runs = Arc::new(AtomicU32::new(0));
        let counted = runs.clone();
        let doubled = fresh.store.write(move |tx| {
            counted.fetch_add(1, Ordering::SeqCst);
            tx.execute("INSERT INTO settings (name, value) VALUES ('colour', 'red')", &[])
        });
        assert_eq!(code(doubled.await), Code::ConcurrentModification);
        assert!((2..50).contains(&runs.load(Ordering::SeqCst)), "a bounded number of times");
        assert_eq!(fresh.value("colour").await.as_deref(), Some("green"));
    }

    async fn whoever_was_overtaken_begins_anew(fresh: Fresh) {
        let runs = Arc::new(AtomicU32::new(0));
        let counted = runs.clone();
        let done = fresh.store.write(move |tx| {
            let run = counted.fetch_add(1, Ordering::SeqCst);
            put(tx, &format!("run {run}"), "")?;
            if run < 2 { Err(tx.overtaken("colour")) } else { Ok(run) }
        });
        assert_eq!(done.await.expect("the third run"), 2);
        assert_eq!(fresh.count("SELECT COUNT(*) FROM settings").await, 1);
        let never = fresh.store.write(|tx| Err::<(), _>(tx.overtaken("colour")));
        assert_eq!(code(never.await), Code::ConcurrentModification);
    }

    async fn whoever_expects_a_double_may_refuse_it_in_words(fresh: Fresh) {
        let insert = |tx: &mut Tx| {
            put(tx, "beside", "it")?;
            match tx.insert_unique("INSERT INTO settings (name, value) VALUES ('colour', 'red')", &[])? {
                true => Ok(()),
                false => Err(refusal()),
            }
        };
        fresh.store.write(insert).await.expect("the first");
        fresh.store.write(|tx| tx.execute("DELETE FROM settings WHERE name = 'beside'", &[])).await.expect("removed");
        assert_eq!(code(fresh.store.write(insert).await), Code::MissingParameter);
        assert_eq!(fresh.value("beside").await, None);
    }

    async fn a_full_queue_is_told_at_once(fresh: Fresh) {
        let fresh = fresh.reopened(|options| (options.queue, options.writers) = (2, 1)).await;
        let (first, keeper) = held_up(&fresh.store).await;
        let mut waiting = JoinSet::new();
        for index in 0..6 {
            let store = fresh.store.clone();
            waiting.spawn(async move { store.write(move |tx| put(tx, &format!("value {index}"), "")).await });
        }
        let mut refused = 0;
        while refused < 4 {
            let outcome = waiting.join_next().await.expect("four are refused").expect("no panic");
            let error = outcome.expect_err("the others wait");
            assert_eq!((error.code(), error.retry_after()), (Code::Overloaded, Some(1)));
            refused += 1;
        }
        keeper.let_go();
        first.await.expect("no panic").expect("committed");
        for outcome in waiting.join_all().await {
            outcome.expect("what had a place was done");
        }
        assert_eq!(fresh.count("SELECT COUNT(*) FROM settings").await, 2);
    }

    async fn work_that_nobody_waits_for_any_more_is_not_begun(fresh: Fresh) {
        let fresh = fresh.reopened(|options| (options.writers, options.patience) = (1, Duration::from_millis(300))).await;
        let (first, keeper) = held_up(&fresh.store).await;
        let late = fresh.store.write(|tx| put(tx, "late", "")).await.expect_err("it waits in vain");
        assert_eq!((late.code(), late.retry_after()), (Code::Unavailable, Some(2)));
        keeper.let_go();
        let _ = first.await.expect("no panic"); // it was given up as well, by then
        until("the queue has run dry", || async { (fresh.store.waiting() == (0, 0)).then_some(()) }).await;
        fresh.store.write(|tx| put(tx, "next", "")).await.expect("the store works on");
        assert_eq!(fresh.value("late").await, None);
    }

    async fn closing_finishes_what_waits_and_refuses_what_comes_later(fresh: Fresh) {
        let mut work = JoinSet::new();
        for index in 0..50 {
            let store = fresh.store.clone();
            work.spawn(async move { store.write(move |tx| put(tx, &format!("value {index}"), "")).await });
        }
        until("something waits or is done", || async { Some(()) }).await;
        fresh.store.close().await;
        let mut done = 0;
        for outcome in work.join_all().await {
            match outcome {
                Ok(()) => done += 1,
                Err(error) => assert_eq!(error.code(), Code::ShuttingDown),
            }
        }
        assert_eq!(code(fresh.store.read(|tx| tx.query("SELECT 1", &[])).await), Code::ShuttingDown);
        let again = fresh.opened_again().await;
        let there = again.read(|tx| Ok(tx.first("SELECT COUNT(*) FROM settings", &[])?.expect("a row").int(0)?)).await;
        assert_eq!(there.expect("read"), done);
    }

    async fn a_reading_sees_one_state(fresh: Fresh) {
        fresh.store.write(|tx| put(tx, "colour", "green")).await.expect("written");
        let (gate, keeper) = turnstile();
        let store = fresh.store.clone();
        let reading = tokio::spawn(async move {
            store.read(move |tx| {
                let before = tandem_store::repo::settings::get(tx, "colour")?;
                gate.pass();
                Ok((before, tandem_store::repo::settings::get(tx, "colour")?))
            })
            .await
        });
        let keeper = keeper.begun().await;
        fresh.store.write(|tx| put(tx, "colour", "red")).await.expect("written meanwhile");
        keeper.let_go();
        let (before, after) = reading.await.expect("no panic").expect("read");
        assert_eq!((before.as_deref(), after.as_deref()), (Some("green"), Some("green")));
        assert_eq!(fresh.value("colour").await.as_deref(), Some("red"));
    }

    async fn a_reading_leaves_nothing_behind(fresh: Fresh) {
        let _ = fresh.store.read(|tx| put(tx, "colour", "green")).await;
        assert_eq!(fresh.value("colour").await, None);
    }

    async fn writers_at_once_do_not_lose_what_the_others_wrote(fresh: Fresh) {
        fresh.store.write(|tx| put(tx, "count", "0")).await.expect("written");
        let mut work = JoinSet::new();
        for _ in 0..200 {
            let store = fresh.store.clone();
            work.spawn(async move {
                store.write(|tx| {
                    let row = tx.first_locked("SELECT value FROM settings WHERE name = $1", &["count".into()])?;
                    let count: u32 = row.expect("a row").text(0)?.parse().expect("a number");
                    put(tx, "count", &(count + 1).to_string())
                })
                .await
            });
        }
        for outcome in work.join_all().await {
            outcome.expect("written");
        }
        assert_eq!(fresh.value("count").await.as_deref(), Some("200"));
    }

    async fn two_that_lock_in_opposite_order_both_end(fresh: Fresh) {
        fresh.store.write(|tx| put(tx, "a", "0").and_then(|()| put(tx, "b", "0"))).await.expect("written");
        let mut work = JoinSet::new();
        for index in 0..4 {
            let store = fresh.store.clone();
            work.spawn(async move {
                let names = if index % 2 == 0 { ["a", "b"] } else { ["b", "a"] };
                store.write(move |tx| {
                    for name in names {
                        let row = tx.first_locked("SELECT value FROM settings WHERE name = $1", &[name.into()])?;
                        let count: u32 = row.expect("a row").text(0)?.parse().expect("a number");
                        put(tx, name, &(count + 1).to_string())?;
                    }
                    Ok(())
                })
                .await
            });
        }
        let mut done = 0;
        for outcome in work.join_all().await {
            match outcome {
                Ok(()) => done += 1,
                // Who waited longer for a lock than one may is told to come back.
                Err(error) => assert!(matches!(error.code(), Code::ConcurrentModification | Code::Unavailable), "{error:?}"),
            }
        }
        assert!(done > 0, "{done}");
        let expected = Some(done.to_string());
        assert_eq!((fresh.value("a").await, fresh.value("b").await), (expected.clone(), expected));
    }

    async fn one_slow_reader_does_not_hold_writers_up(fresh: Fresh) {
        let (gate, keeper) = turnstile();
        let store = fresh.store.clone();
        let reading = tokio::spawn(async move {
            store.read(move |tx| {
                tx.query("SELECT name FROM settings", &[])?;
                gate.pass();
                Ok(())
            })
            .await
        });
        let keeper = keeper.begun().await;
        for index in 0..20 {
            fresh.store.write(move |tx| put(tx, &format!("value {index}"), "")).await.expect("written");
        }
        keeper.let_go();
        reading.await.expect("no panic").expect("read");
        assert_eq!(fresh.count("SELECT COUNT(*) FROM settings").await, 20);
    }

    async fn the_engine_is_the_one_that_was_asked_for(fresh: Fresh) {
        let expected = match fresh.stage.engine() {
            Engine::Sqlite => tandem_store::Engine::Sqlite,
            Engine::Postgres => tandem_store::Engine::Postgres,
        };
        assert_eq!(fresh.store.engine(), expected);
        let seen = fresh.store.read(|tx| Ok(tx.engine())).await.expect("read");
        assert_eq!(seen, expected);
    }
}
