//! Any sequence of postings keeps the books in balance, and any change to them shows.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::HashMap;

use proptest::prelude::*;
use tandem_catalogue::Code;
use tandem_kernel::{Currency, EnvironmentId, Timestamp, TransferId};
use tandem_ledger::{Audit, Book, Cause, MOST, OpenHold, Posting, Transfer, TransferKind, Wallet, transfer_id};

const WALLET: EnvironmentId = EnvironmentId::from_bytes([7; 16]);

#[derive(Debug, Clone)]
enum Step {
    Credit(i64),
    Withdraw(i64),
    Charge(i64),
    Hold(i64),
    Capture(prop::sample::Index, i64),
    Release(prop::sample::Index, i64),
    Refund(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let amount = -5_i64..2_000;
    let step = prop_oneof![
        3 => amount.clone().prop_map(Step::Credit),
        1 => amount.clone().prop_map(Step::Withdraw),
        2 => amount.clone().prop_map(Step::Charge),
        3 => amount.clone().prop_map(Step::Hold),
        2 => (any::<prop::sample::Index>(), amount.clone()).prop_map(|(hold, amount)| Step::Capture(hold, amount)),
        2 => (any::<prop::sample::Index>(), amount.clone()).prop_map(|(hold, amount)| Step::Release(hold, amount)),
        1 => amount.prop_map(Step::Refund),
    ];
    prop::collection::vec(step, 0..60)
}

#[derive(Default)]
struct Books {
    transfers: Vec<Transfer>,
    holds: HashMap<TransferId, i64>,
}

/// Does the steps, those that are refused left out.
fn post_all(steps: &[Step]) -> (Wallet, Books) {
    let (mut wallet, mut books) = (Wallet::empty(WALLET, Currency::USD), Books::default());
    for (number, step) in steps.iter().enumerate() {
        let mut open: Vec<_> = books.holds.keys().copied().collect();
        open.sort_unstable();
        let pick = |index: &prop::sample::Index| if open.is_empty() { transfer_id(WALLET, &["none"]) } else { *index.get(&open) };
        let posting = match step {
            Step::Credit(amount) => Posting::Credit(*amount),
            Step::Withdraw(amount) => Posting::Withdraw(*amount),
            Step::Charge(amount) => Posting::Charge(*amount),
            Step::Hold(amount) => Posting::Hold(*amount, Timestamp::MAX),
            Step::Capture(hold, amount) => Posting::Capture(pick(hold), *amount),
            Step::Release(hold, amount) => Posting::Release(pick(hold), *amount),
            Step::Refund(amount) => Posting::Refund(*amount),
        };
        let hold = posting.hold().and_then(|hold| books.holds.get(&hold)).map(|remaining| OpenHold { remaining: *remaining });
        let id = transfer_id(WALLET, &["step", &number.to_string()]);
        let cause = Cause { id, reference: format!("step {number}"), description: String::new(), purpose: "here".into() };
        let Ok((after, transfer)) = wallet.post(posting, hold, cause, Timestamp::from_micros(number as i64)) else { continue };
        wallet = after;
        match transfer.kind {
            TransferKind::Hold => drop(books.holds.insert(transfer.id, transfer.amount)),
            TransferKind::Capture | TransferKind::Release => {
                *books.holds.get_mut(&transfer.hold.unwrap()).unwrap() -= transfer.amount;
            }
            _ => {}
        }
        books.holds.retain(|_, remaining| *remaining > 0);
        books.transfers.push(transfer);
    }
    (wallet, books)
}

fn audit(wallet: &Wallet, books: &Books) -> Vec<String> {
    let mut audit = Audit::of(wallet);
    books.transfers.iter().for_each(|transfer| audit.take(transfer));
    audit.finish(wallet, &books.holds)
}

proptest! {
    #[test]
    fn books_balance_after_any_postings(steps in steps()) {
        let (wallet, books) = post_all(&steps);
        let mut sums: HashMap<&str, i64> = HashMap::new();
        for transfer in &books.transfers {
            let (from, to) = transfer.kind.books();
            *sums.entry(from.as_str()).or_default() -= transfer.amount;
            *sums.entry(to.as_str()).or_default() += transfer.amount;
        }
        prop_assert_eq!(sums.values().sum::<i64>(), 0);
        prop_assert_eq!(sums.get(Book::Available.as_str()).copied().unwrap_or(0), wallet.available);
        prop_assert_eq!(sums.get(Book::Held.as_str()).copied().unwrap_or(0), wallet.held);
        prop_assert!(wallet.available >= 0 && wallet.held >= 0);
        prop_assert_eq!(audit(&wallet, &books), Vec::<String>::new());
    }

    #[test]
    fn a_changed_or_missing_transfer_shows(steps in steps(), which in any::<prop::sample::Index>(), how in 0..4) {
        let (wallet, mut books) = post_all(&steps);
        prop_assume!(!books.transfers.is_empty());
        let index = which.index(books.transfers.len());
        match how {
            0 => books.transfers[index].amount += 1,
            1 => books.transfers[index].description.push('x'),
            2 => books.transfers[index].available_after -= 1,
            _ => drop(books.transfers.remove(index)),
        }
        prop_assert!(!audit(&wallet, &books).is_empty());
    }
}

#[test]
fn what_the_balance_does_not_cover_is_refused_with_both_amounts() {
    let wallet = Wallet { available: 990_000, ..Wallet::empty(WALLET, Currency::USD) };
    let cause = Cause {
        id: transfer_id(WALLET, &["x"]),
        reference: String::new(),
        description: String::new(),
        purpose: "to purchase this number".into(),
    };
    let error = wallet.post(Posting::Charge(990_001), None, cause, Timestamp::default()).expect_err("too much");
    assert_eq!(error.code(), Code::InsufficientFunds);
    let said = error.render(tandem_catalogue::Dialect::Native).message;
    assert_eq!(said, "The balance of 0.99 does not cover 0.990001 to purchase this number");
}

#[test]
fn what_was_set_aside_may_always_come_back() {
    let cause = |step: &str| Cause {
        id: transfer_id(WALLET, &[step]),
        reference: String::new(),
        description: String::new(),
        purpose: "here".into(),
    };
    let full = Wallet { available: MOST, ..Wallet::empty(WALLET, Currency::USD) };
    let (held, hold) = full.post(Posting::Hold(1, Timestamp::MAX), None, cause("hold"), Timestamp::default()).expect("a hold");
    for posting in [Posting::Credit(1), Posting::Refund(1)] {
        let error = held.post(posting, None, cause("more"), Timestamp::default()).expect_err("too much");
        assert_eq!(error.code(), Code::BalanceOverflow);
    }
    let open = Some(OpenHold { remaining: 1 });
    let (back, _) = held.post(Posting::Release(hold.id, 1), open, cause("back"), Timestamp::default()).expect("it comes back");
    assert_eq!((back.available, back.held), (MOST, 0));
    // A wallet in which there was more before that was refused.
    let over = Wallet { available: MOST, held: 1, ..Wallet::empty(WALLET, Currency::USD) };
    over.post(Posting::Release(hold.id, 1), open, cause("over"), Timestamp::default()).expect("it comes back");
}
