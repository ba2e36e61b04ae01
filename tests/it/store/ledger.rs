//! Wallets, transfers and holds as the store keeps them.

use tandem_catalogue::{Code, Result};
use tandem_kernel::{EnvironmentId, Timestamp, TransferId};
use tandem_ledger::{Cause, Posting, Transfer, transfer_id};
use tandem_store::{Store, repo::ledger};
use tandem_testkit::{DAWN, on_both};
use tokio::task::JoinSet;

use super::{Fresh, environment};

const LATER: Timestamp = Timestamp::from_micros(DAWN.micros() + 86_400_000_000);

async fn post(store: &Store, wallet: EnvironmentId, name: &str, posting: Posting) -> Result<Transfer> {
    let id = transfer_id(wallet, &[name]);
    let cause = Cause { id, reference: name.to_owned(), description: "a test".to_owned(), purpose: "for a test".into() };
    let posted = store.write(move |tx| ledger::post(tx, wallet, vec![(posting, cause.clone())], DAWN)).await?;
    Ok(posted.into_iter().next().expect("a transfer"))
}

async fn balances(store: &Store, wallet: EnvironmentId) -> (i64, i64) {
    let wallet = store.read(move |tx| ledger::wallet(tx, wallet)).await.expect("a wallet");
    (wallet.available, wallet.held)
}

async fn faults(store: &Store, wallet: EnvironmentId) -> Vec<String> {
    store.read(move |tx| ledger::audit(tx, wallet)).await.expect("an audit")
}

on_both! {
    async fn money_moves_and_the_chain_holds(fresh: Fresh) {
        let (store, wallet) = (&fresh.store, environment(&fresh.store, 1).await.id);
        let hold = transfer_id(wallet, &["hold"]);
        for (name, posting, after) in [
            ("credit", Posting::Credit(1000), (1000, 0)),
            ("charge", Posting::Charge(100), (900, 0)),
            ("hold", Posting::Hold(500, LATER), (400, 500)),
            ("capture", Posting::Capture(hold, 300), (400, 200)),
            ("release", Posting::Release(hold, 200), (600, 0)),
            ("refund", Posting::Refund(50), (650, 0)),
            ("withdrawal", Posting::Withdraw(650), (0, 0)),
        ] {
            let transfer = post(store, wallet, name, posting).await.expect(name);
            assert_eq!((transfer.available_after, transfer.held_after), after, "{name}");
            assert_eq!(balances(store, wallet).await, after, "{name}");
        }
        assert_eq!(faults(store, wallet).await, [""; 0]);
        let history = store.read(move |tx| ledger::history(tx, wallet, i64::MAX, 100)).await.expect("transfers");
        assert_eq!(history.iter().map(|transfer| transfer.sequence).collect::<Vec<_>>(), [7, 6, 5, 4, 3, 2, 1]);
        assert!(history.windows(2).all(|pair| pair[0].previous == pair[1].hash));
    }

    async fn a_cause_moves_money_once(fresh: Fresh) {
        let (store, wallet) = (&fresh.store, environment(&fresh.store, 1).await.id);
        let first = post(store, wallet, "credit", Posting::Credit(1000)).await.expect("credited");
        for _ in 0..3 {
            assert_eq!(post(store, wallet, "credit", Posting::Credit(1000)).await.expect("a replay"), first);
        }
        for other in [Posting::Credit(999), Posting::Charge(1000)] {
            assert_eq!(post(store, wallet, "credit", other).await.expect_err("another posting").code(), Code::TransferConflict);
        }
        assert_eq!(balances(store, wallet).await, (1000, 0));
    }

    async fn nothing_is_spent_that_is_not_there(fresh: Fresh) {
        let (store, wallet) = (&fresh.store, environment(&fresh.store, 1).await.id);
        post(store, wallet, "credit", Posting::Credit(100)).await.expect("credited");
        post(store, wallet, "hold", Posting::Hold(60, LATER)).await.expect("held");
        for posting in [Posting::Charge(41), Posting::Hold(41, LATER), Posting::Withdraw(41)] {
            assert_eq!(post(store, wallet, "more", posting).await.expect_err("too much").code(), Code::InsufficientFunds);
        }
        let hold = transfer_id(wallet, &["hold"]);
        assert!(post(store, wallet, "more", Posting::Capture(hold, 61)).await.is_err());
        assert!(post(store, wallet, "more", Posting::Release(transfer_id(wallet, &["no hold"]), 1)).await.is_err());
        assert_eq!(balances(store, wallet).await, (40, 60));
        assert_eq!(faults(store, wallet).await, [""; 0]);
    }

    async fn a_hold_of_another_wallet_is_none(fresh: Fresh) {
        let store = &fresh.store;
        let (own, other) = (environment(store, 1).await.id, environment(store, 2).await.id);
        post(store, own, "credit", Posting::Credit(100)).await.expect("credited");
        post(store, own, "hold", Posting::Hold(60, LATER)).await.expect("held");
        let stolen = post(store, other, "capture", Posting::Capture(transfer_id(own, &["hold"]), 60)).await;
        assert!(stolen.is_err());
        assert_eq!((balances(store, own).await, balances(store, other).await), ((40, 60), (0, 0)));
    }

    async fn several_postings_are_all_or_none(fresh: Fresh) {
        let (store, wallet) = (&fresh.store, environment(&fresh.store, 1).await.id);
        let cause = move |name: &str| Cause {
            id: transfer_id(wallet, &[name]), reference: name.to_owned(), description: String::new(), purpose: "for a test".into(),
        };
        let refused = store.write(move |tx| {
            let postings = vec![(Posting::Credit(100), cause("in")), (Posting::Charge(70), cause("one")), (Posting::Charge(70), cause("two"))];
            ledger::post(tx, wallet, postings, DAWN)
        });
        assert_eq!(refused.await.expect_err("too much").code(), Code::InsufficientFunds);
        assert_eq!(balances(store, wallet).await, (0, 0));
        let posted = store.write(move |tx| {
            ledger::post(tx, wallet, vec![(Posting::Credit(100), cause("in")), (Posting::Charge(70), cause("one"))], DAWN)
        });
        assert_eq!(posted.await.expect("posted").len(), 2);
        assert_eq!(balances(store, wallet).await, (30, 0));
    }

    async fn two_hundred_charges_at_once_and_money_for_three(fresh: Fresh) {
        let (store, wallet) = (fresh.store.clone(), environment(&fresh.store, 1).await.id);
        post(&store, wallet, "credit", Posting::Credit(3 * 99 + 1)).await.expect("credited");
        let mut charges = JoinSet::new();
        for index in 0..200 {
            let store = store.clone();
            charges.spawn(async move { post(&store, wallet, &format!("charge {index}"), Posting::Charge(99)).await });
        }
        let mut paid = 0;
        for outcome in charges.join_all().await {
            match outcome {
                Ok(_) => paid += 1,
                Err(error) => assert_eq!(error.code(), Code::InsufficientFunds),
            }
        }
        assert_eq!((paid, balances(&store, wallet).await), (3, (1, 0)));
        assert_eq!(faults(&store, wallet).await, [""; 0]);
    }

    async fn one_cause_two_hundred_times_at_once_is_one(fresh: Fresh) {
        let (store, wallet) = (fresh.store.clone(), environment(&fresh.store, 1).await.id);
        post(&store, wallet, "credit", Posting::Credit(1000)).await.expect("credited");
        let mut charges = JoinSet::new();
        for _ in 0..200 {
            let store = store.clone();
            charges.spawn(async move { post(&store, wallet, "charge", Posting::Charge(99)).await });
        }
        let transfers: Vec<Transfer> = charges.join_all().await.into_iter().map(|outcome| outcome.expect("posted")).collect();
        assert!(transfers.iter().all(|transfer| *transfer == transfers[0]));
        assert_eq!(balances(&store, wallet).await, (901, 0));
    }

    async fn whoever_changes_the_books_is_found_out(fresh: Fresh) {
        let store = &fresh.store;
        let wallet = environment(store, 1).await.id;
        for name in ["one", "two", "three"] {
            post(store, wallet, name, Posting::Credit(1000)).await.expect("credited");
        }
        post(store, wallet, "hold", Posting::Hold(10, LATER)).await.expect("held");
        for (forge, mend) in [
            ("UPDATE transfers SET amount = 1001 WHERE sequence = 2", "UPDATE transfers SET amount = 1000 WHERE sequence = 2"),
            ("UPDATE transfers SET reference = 'x' WHERE sequence = 1", "UPDATE transfers SET reference = 'one' WHERE sequence = 1"),
            ("UPDATE transfers SET posted_at = posted_at + 1 WHERE sequence = 3", "UPDATE transfers SET posted_at = posted_at - 1 WHERE sequence = 3"),
            ("UPDATE wallets SET available = available + 1", "UPDATE wallets SET available = available - 1"),
            ("UPDATE wallets SET sequence = 5", "UPDATE wallets SET sequence = 4"),
            ("UPDATE holds SET remaining = remaining - 1", "UPDATE holds SET remaining = remaining + 1"),
        ] {
            store.write(move |tx| tx.execute(forge, &[])).await.expect(forge);
            assert_ne!(faults(store, wallet).await, [""; 0], "{forge}");
            store.write(move |tx| tx.execute(mend, &[])).await.expect(mend);
            assert_eq!(faults(store, wallet).await, [""; 0], "{mend}");
        }
        store.write(|tx| tx.execute("DELETE FROM transfers WHERE sequence = 2", &[])).await.expect("deleted");
        assert_ne!(faults(store, wallet).await, [""; 0]);
    }

    async fn a_transfer_that_is_not_there_is_none(fresh: Fresh) {
        let none = fresh.store.read(|tx| ledger::transfer(tx, TransferId::from_bytes([9; 16]))).await;
        assert_eq!(none.expect("read"), None);
    }
}
