//! Billing over months of a moved clock, on every engine at hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod house;

use house::{House, at, caller, engines, operator};
use tandem_app::{
    accounts,
    billing::{self, ListInvoices, ListTransactions, ReadUsage, SetMonthlyLimit},
    holds, nothing_more,
};
use tandem_catalogue::Code;
use tandem_domain::{
    billing::{Granularity, InvoiceStatus, Transaction, TransactionStatus, TransactionType},
    spending::LimitAction,
};
use tandem_kernel::{Caller, Environment, Scope, Timestamp, TransferId};
use tandem_ledger::{Cause, Posting, TransferKind, transfer_id};
use tandem_store::repo::{events, ledger};

const A: &str = "+14155550101";
const B: &str = "+14155550102";
const MONTH: i64 = 990_000;
const FIRST: i64 = 1_990_000;

/// The days on which something was charged for this object.
async fn charged(house: &House, who: &Caller, reference: &str) -> Vec<String> {
    let transfers = house.transfers(who.environment).await.into_iter();
    transfers.filter(|transfer| transfer.spent().is_some() && transfer.reference == reference).map(|paid| paid.at.date()).collect()
}

async fn invoices(house: &House, who: &Caller, status: Option<InvoiceStatus>) -> Vec<(String, i64)> {
    let mut found = Vec::new();
    loop {
        let offset = i64::try_from(found.len()).expect("few");
        let command = ListInvoices { status, limit: 4, offset, ..ListInvoices::default() };
        let page = billing::list_invoices(&house.app, who, command).await.expect("invoices");
        found.extend(page.invoices.iter().map(|invoice| (invoice.period_start.date(), invoice.amount.micros)));
        if page.invoices.is_empty() || i64::try_from(found.len()).expect("few") >= page.total {
            assert_eq!(i64::try_from(found.len()).expect("few"), page.total);
            return found;
        }
    }
}

async fn transactions(house: &House, who: &Caller, command: ListTransactions) -> (Vec<Transaction>, i64) {
    let command = ListTransactions { limit: 100, ..command };
    let page = billing::transactions(&house.app, who, command).await.expect("transactions");
    (page.transactions, page.total)
}

#[tokio::test]
async fn thirteen_months_are_charged_once_each_and_invoiced() {
    for engine in engines() {
        let house = House::new(engine.as_deref(), "2023-12-31T10:00:00Z").await;
        let account = house.account().await;
        let who = caller(&account, Environment::Test);
        let first = house.buy(&who, A).await.expect("a number");
        house.advance(&who, "2024-02-29T12:00:00Z").await;
        let second = house.buy(&who, B).await.expect("a number");
        house.advance(&who, "2025-01-31T10:00:00Z").await;
        house.advance(&who, "2025-02-28T12:00:00Z").await;

        let months = charged(&house, &who, &first.id.to_string()).await;
        let expected = [
            "2024-01-31",
            "2024-02-29",
            "2024-03-31",
            "2024-04-30",
            "2024-05-31",
            "2024-06-30",
            "2024-07-31",
            "2024-08-31",
            "2024-09-30",
            "2024-10-31",
            "2024-11-30",
            "2024-12-31",
            "2025-01-31",
            "2025-02-28",
        ];
        assert_eq!(months, expected, "a month without a 31st is charged on its last day");
        let months = charged(&house, &who, &second.id.to_string()).await;
        assert_eq!(
            (months.len(), months.first().map(String::as_str), months.last().map(String::as_str)),
            (12, Some("2024-03-29"), Some("2025-02-28"))
        );

        let paid = invoices(&house, &who, Some(InvoiceStatus::Paid)).await;
        let all = invoices(&house, &who, None).await;
        assert_eq!((paid.len(), all.len()), (14, 15), "{all:?}");
        assert_eq!(all.first().map(|draft| draft.0.as_str()), Some("2025-02-01"));
        assert_eq!(invoices(&house, &who, Some(InvoiceStatus::Draft)).await, all[..1]);
        assert_eq!(invoices(&house, &who, Some(InvoiceStatus::Overdue)).await, []);
        let transfers = house.transfers(who.environment).await;
        for (month, amount) in &all {
            let (start, end) = (at(month), at(month).plus_months(1));
            let within = transfers.iter().filter(|transfer| transfer.at >= start && transfer.at < end);
            assert_eq!(within.filter_map(|transfer| transfer.spent()).map(|spent| spent.amount).sum::<i64>(), *amount, "{month}");
        }
        assert_eq!(all.iter().map(|invoice| invoice.1).sum::<i64>(), 2 * FIRST + (14 + 12) * MONTH);

        let idle = caller(&account, Environment::Live);
        assert_eq!(invoices(&house, &idle, None).await, []);
        house.assert_sound().await;
    }
}

#[tokio::test]
async fn a_year_of_downtime_is_made_up_for_once() {
    for engine in engines() {
        let house = House::new(engine.as_deref(), "2024-01-30T08:00:00Z").await;
        let account = house.account().await;
        let who = caller(&account, Environment::Live);
        let number = house.buy(&who, A).await.expect("a number");
        house.sleep_until("2025-03-01T00:00:00Z");
        let other = house.another().await; // another node, and both are at it at the same time
        let both =
            async { tokio::join!(house.work(), async { while tandem_app::due::run_due(&other).await.expect("due work") > 0 {} }) };
        both.await;
        assert_eq!(
            charged(&house, &who, &number.id.to_string()).await,
            vec!["2025-03-01"; 13],
            "all that is due, when it could be done"
        );
        let all = invoices(&house, &who, None).await;
        assert_eq!(all, [("2025-03-01".to_owned(), 13 * MONTH), ("2024-01-01".to_owned(), FIRST)]);
        for midnight in ["2025-03-31T00:00:00Z", "2025-04-01T00:00:00Z"] {
            house.sleep_until(midnight);
            house.work().await;
        }
        assert_eq!(invoices(&house, &who, Some(InvoiceStatus::Paid)).await.first(), Some(&("2025-03-01".to_owned(), 14 * MONTH)));
        house.assert_sound().await;
    }
}

#[tokio::test]
async fn an_invoice_is_the_same_before_and_after_it_is_written() {
    let house = House::new(None, "2024-05-10T08:00:00Z").await;
    let account = house.account().await;
    let who = caller(&account, Environment::Test);
    house.buy(&who, A).await.expect("a number");
    let list = || billing::list_invoices(&house.app, &who, ListInvoices { limit: 20, ..ListInvoices::default() });
    let draft = list().await.expect("a draft").invoices.remove(0);
    let id = draft.id.to_string();
    let read = billing::get_invoice(&house.app, &who, id.clone()).await.expect("the draft");
    assert_eq!(
        (read.invoice.clone(), read.invoice.status(), read.customer.name.as_str()),
        (draft.clone(), InvoiceStatus::Draft, "Ada")
    );
    assert_eq!((draft.lines.len(), draft.lines[0].count, draft.amount.micros), (1, 1, FIRST));
    assert!(draft.number().starts_with("INV-202405-"));
    house.advance(&who, "2024-06-01T00:00:00Z").await;
    let written = billing::get_invoice(&house.app, &who, id.clone()).await.expect("the invoice").invoice;
    assert_eq!((written.status(), written.issued_at), (InvoiceStatus::Paid, Some(at("2024-06-01"))));
    assert_eq!((written.number(), written.amount, written.lines.clone()), (draft.number(), draft.amount, draft.lines));
    let stranger = caller(&house.account().await, Environment::Test);
    for (who, id) in [(&stranger, id.as_str()), (&who, "inv_abc123"), (&who, "")] {
        let refused = billing::get_invoice(&house.app, who, id.to_owned()).await.expect_err("nobody else's business");
        assert_eq!(refused.code(), Code::InvoiceNotFound);
    }
    let blind = Caller { scopes: [Scope::NumbersRead].into_iter().collect(), ..who };
    let refused = billing::get_invoice(&house.app, &blind, id).await.expect_err("no right to read it");
    assert_eq!(refused.code(), Code::InsufficientScope);
}

#[tokio::test]
async fn whatever_is_changed_beside_the_platform_is_found() {
    for engine in engines() {
        let house = House::new(engine.as_deref(), "2024-01-15T08:00:00Z").await;
        let account = house.account().await;
        let who = caller(&account, Environment::Test);
        house.buy(&who, A).await.expect("a number");
        house.advance(&who, "2024-03-20T00:00:00Z").await;
        house.assert_sound().await;
        for (change, back, expected) in [
            (
                "UPDATE transfers SET amount = amount + 1 WHERE sequence = 2",
                "amount = amount - 1 WHERE sequence = 2",
                "does not have the hash",
            ),
            (
                "UPDATE transfers SET description = 'x' || description",
                "description = SUBSTR(description, 2)",
                "does not have the hash",
            ),
            ("UPDATE wallets SET available = available + 1", "available = available - 1", "the wallet keeps"),
            (
                "UPDATE daily_totals SET amount = amount + 1",
                "amount = amount - 1",
                "the total of 2024-01-15 (charge, numbers) is kept as 1990001",
            ),
            ("UPDATE invoices SET amount = amount + 1", "amount = amount - 1", "its invoices sum to"),
            ("UPDATE numbers SET periods_paid = periods_paid + 1", "periods_paid = periods_paid - 1", "should have 3 charges"),
            ("UPDATE numbers SET phone = phone + 1", "phone = phone - 1", "but the inventory has it as available"),
            (
                "UPDATE inventory SET state = 'available' WHERE holder IS NOT NULL",
                "state = 'assigned' WHERE holder IS NOT NULL",
                "held by env_",
            ),
            ("UPDATE inventory SET holder = NULL WHERE state = 'assigned'", "", "held by nobody"),
        ] {
            house.tamper(change).await;
            let faults = house.faults().await;
            assert!(faults.iter().any(|fault| fault.contains(expected)), "{change}: {faults:?}");
            if !back.is_empty() {
                let table = change.split(' ').nth(1).expect("a table");
                house.tamper(&format!("UPDATE {table} SET {back}")).await;
                house.assert_sound().await;
            }
        }
    }
}

#[tokio::test]
async fn a_wallet_whose_history_was_cut_is_found() {
    let house = House::new(None, "2024-01-15T08:00:00Z").await;
    let who = caller(&house.account().await, Environment::Test);
    house.buy(&who, A).await.expect("a number");
    house.advance(&who, "2024-04-20T00:00:00Z").await;
    house.tamper("DELETE FROM transfers WHERE kind = 'charge' AND sequence = 3").await;
    let faults = house.faults().await.join("\n");
    for expected in
        ["transfer 4 does not follow the transfer before it", "should have 3 charges of 2.97 USD", "2 of 1.98 USD in all were made"]
    {
        assert!(faults.contains(expected), "{expected}: {faults}");
    }
    house.tamper("DELETE FROM jobs WHERE kind = 'number.renew'").await;
    assert!(house.faults().await.iter().any(|fault| fault.contains("is not scheduled")));
}

#[tokio::test]
async fn a_limit_that_blocks_holds_until_the_month_is_over() {
    for engine in engines() {
        let house = House::new(engine.as_deref(), "2024-01-15T08:00:00Z").await;
        let who = caller(&house.account().await, Environment::Test);
        assert_eq!(billing::limits(&house.app, &who).await.expect("no limits"), []);
        let command = SetMonthlyLimit { amount: 2_500_000, action: LimitAction::Block, notifications: vec![80, 50, 80] };
        let set = billing::set_monthly_limit(&house.app, &who, command, nothing_more()).await.expect("a limit");
        assert_eq!((set.used, set.remaining.micros, &set.limit.notifications[..]), (0, 2_500_000, &[50, 80][..]));
        house.buy(&who, A).await.expect("within the limit");
        let refused = house.buy(&who, B).await.expect_err("beyond it");
        assert_eq!(refused.code(), Code::SpendingLimitReached);
        let views = billing::limits(&house.app, &who).await.expect("limits");
        assert_eq!(
            (views.len(), views[0].used, views[0].current_usage.micros, views[0].remaining.micros),
            (1, 7_960, FIRST, 510_000)
        );
        assert_eq!(views[0].limit.id, set.limit.id);
        let (name, environment) = (set.limit.id.to_string(), who.environment);
        let told = house.app.store.read(move |tx| events::of_object(tx, environment, &name, 0, 10)).await.expect("events");
        let kinds: Vec<_> = told.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(kinds, ["limit.set", "limit.reached"], "half of it is passed, four fifths are not");
        house.advance(&who, "2024-02-01T00:00:00Z").await;
        house.buy(&who, B).await.expect("a new month");
        house.assert_sound().await;
    }
}

#[tokio::test]
async fn a_limit_is_checked_before_it_is_set() {
    let house = House::new(None, "2024-01-15T08:00:00Z").await;
    let who = caller(&house.account().await, Environment::Live);
    let limit = |amount, notifications: Vec<i64>| SetMonthlyLimit { amount, action: LimitAction::Alert, notifications };
    for (command, code) in [
        (limit(-1, vec![]), Code::OutOfRange),
        (limit(i64::MAX, vec![]), Code::OutOfRange),
        (limit(1, vec![0]), Code::OutOfRange),
        (limit(1, vec![50, 101]), Code::OutOfRange),
        (limit(1, (1..=11).collect()), Code::InvalidValue),
    ] {
        let refused = billing::set_monthly_limit(&house.app, &who, command, nothing_more()).await.expect_err("no limit");
        assert_eq!(refused.code(), code);
    }
    let reader = Caller { scopes: [Scope::BillingRead].into_iter().collect(), ..who };
    let refused = billing::set_monthly_limit(&house.app, &reader, limit(1, vec![]), nothing_more()).await.expect_err("no right");
    assert_eq!(refused.code(), Code::InsufficientScope);
    let nothing = billing::set_monthly_limit(&house.app, &who, limit(0, vec![]), nothing_more()).await.expect("a limit of nothing");
    assert_eq!((nothing.used, nothing.remaining.micros), (10_000, 0));
}

/// Sets 5 aside for a day.
async fn hold(house: &House, who: &Caller, name: &'static str) -> TransferId {
    let (pen, environment) = (house.app.pen(), who.environment);
    let placed = house.app.store.write(move |tx| {
        let desk = pen.open(tx, environment)?;
        holds::place(tx, &desk, 5_000_000, desk.now.plus_days(1), cause(who_pays(environment, name, "hold"), name))
    });
    placed.await.expect("a hold")
}

async fn capture(house: &House, who: &Caller, name: &'static str, hold: TransferId, amount: i64) {
    let (pen, environment) = (house.app.pen(), who.environment);
    let posted = house.app.store.write(move |tx| {
        let desk = pen.open(tx, environment)?;
        let cause = cause(who_pays(environment, name, "capture"), name);
        ledger::post(tx, environment, vec![(Posting::Capture(hold, amount), cause)], desk.now).map(drop)
    });
    posted.await.expect("a capture");
}

fn who_pays(environment: tandem_kernel::EnvironmentId, name: &str, step: &str) -> TransferId {
    transfer_id(environment, &[name, step])
}

fn cause(id: TransferId, name: &str) -> Cause {
    Cause { id, reference: format!("call_{name}"), description: format!("Call {name}"), purpose: "for this call".into() }
}

#[tokio::test]
async fn what_nobody_claims_goes_back_once() {
    for engine in engines() {
        let house = House::new(engine.as_deref(), "2024-01-15T08:00:00Z").await;
        let who = caller(&house.account().await, Environment::Test);
        let (lost, part, whole) =
            (hold(&house, &who, "lost").await, hold(&house, &who, "part").await, hold(&house, &who, "whole").await);
        assert_eq!(hold(&house, &who, "lost").await, lost, "the same cause, the same hold");
        capture(&house, &who, "part", part, 3_000_000).await;
        capture(&house, &who, "whole", whole, 5_000_000).await;
        house.assert_sound().await;
        let by_status = |status| ListTransactions { status: Some(status), ..ListTransactions::default() };
        let (pending, total) = transactions(&house, &who, by_status(TransactionStatus::Pending)).await;
        assert_eq!((pending.iter().map(|shown| shown.id).collect::<Vec<_>>(), total), (vec![part, lost], 2));

        house.advance(&who, "2024-01-20T00:00:00Z").await;
        house.work().await;
        let shown =
            transactions(&house, &who, ListTransactions { kind: Some(TransactionType::Charge), ..ListTransactions::default() })
                .await;
        let states: Vec<_> = shown.0.iter().map(|shown| (shown.id, shown.status, shown.amount.micros)).collect();
        let expected = [
            (whole, TransactionStatus::Completed, 5_000_000),
            (part, TransactionStatus::Completed, 3_000_000),
            (lost, TransactionStatus::Cancelled, 5_000_000),
        ];
        assert_eq!((&states[..], shown.1), (&expected[..], 3));
        assert_eq!(transactions(&house, &who, by_status(TransactionStatus::Cancelled)).await.1, 1);
        assert_eq!(transactions(&house, &who, by_status(TransactionStatus::Completed)).await.1, 3, "and the credit");
        let released = house.transfers(who.environment).await.into_iter().filter(|moved| moved.kind == TransferKind::Release);
        let mut released: Vec<_> = released.map(|moved| (moved.amount, moved.hold)).collect();
        released.sort_unstable_by_key(|moved| moved.0);
        assert_eq!(released, [(2_000_000, Some(part)), (5_000_000, Some(lost))]);
        house.assert_sound().await;
    }
}

#[tokio::test]
async fn a_hold_that_nobody_will_settle_is_found() {
    let house = House::new(None, "2024-01-15T08:00:00Z").await;
    let who = caller(&house.account().await, Environment::Test);
    hold(&house, &who, "lost").await;
    house.assert_sound().await;
    house.tamper("DELETE FROM jobs WHERE kind = 'hold.expire'").await;
    assert!(house.faults().await.iter().any(|fault| fault.contains("for call_lost is open with 5 USD")));
}

#[tokio::test]
async fn an_order_whose_answer_was_lost_keeps_its_hold_however_long_it_takes() {
    let house = House::new(None, "2024-01-15T08:00:00Z").await;
    let who = caller(&house.account().await, Environment::Test);
    house.buy(&who, "+13105550101").await.expect_err("the carrier says nothing");
    house.advance(&who, "2024-02-20T00:00:00Z").await;
    let (pending, _) =
        transactions(&house, &who, ListTransactions { status: Some(TransactionStatus::Pending), ..ListTransactions::default() })
            .await;
    assert_eq!(pending.iter().map(|shown| shown.amount.micros).collect::<Vec<_>>(), [FIRST]);
    house.assert_sound().await;
    house.tamper("UPDATE orders SET state = 'failed'").await;
    let faults = house.faults().await.join("\n");
    assert!(faults.contains("nothing is under way that settles it") && faults.contains("which has no order for it"), "{faults}");
}

#[tokio::test]
async fn transactions_are_filtered_and_counted() {
    for engine in engines() {
        let house = House::new(engine.as_deref(), "2024-01-15T08:00:00Z").await;
        let account = house.account().await;
        let who = caller(&account, Environment::Test);
        house.buy(&who, A).await.expect("a number");
        house.advance(&who, "2024-03-20T00:00:00Z").await;
        house.pay(&account, Environment::Test, -10_000_000, "back").await.expect("a withdrawal");
        let of = |kind| ListTransactions { kind: Some(kind), ..ListTransactions::default() };
        let (all, total) = transactions(&house, &who, ListTransactions::default()).await;
        assert_eq!((all.len(), total), (5, 5));
        assert!(all.windows(2).all(|pair| pair[0].created_at >= pair[1].created_at));
        for (kind, amounts) in [
            (TransactionType::Charge, vec![MONTH, MONTH, FIRST]),
            (TransactionType::Credit, vec![100_000_000]),
            (TransactionType::Adjustment, vec![-10_000_000]),
            (TransactionType::Payment, vec![]),
            (TransactionType::Fee, vec![]),
            (TransactionType::Refund, vec![]),
        ] {
            let (shown, total) = transactions(&house, &who, of(kind)).await;
            assert_eq!(shown.iter().map(|shown| shown.amount.micros).collect::<Vec<_>>(), amounts, "{kind:?}");
            assert_eq!(usize::try_from(total), Ok(amounts.len()));
        }
        for (status, count) in [(TransactionStatus::Completed, 5), (TransactionStatus::Failed, 0), (TransactionStatus::Pending, 0)]
        {
            let command = ListTransactions { status: Some(status), ..ListTransactions::default() };
            assert_eq!(transactions(&house, &who, command).await.1, count, "{status:?}");
        }
        let february =
            ListTransactions { from: Some(at("2024-02-01")), until: Some(at("2024-03-01")), ..ListTransactions::default() };
        let (shown, total) = transactions(&house, &who, february).await;
        assert_eq!((shown[0].created_at, total), (at("2024-02-15T08:00:00Z"), 1));
        for (from, until, count) in [
            ("2024-02-15T07:59:59Z", "2024-02-15T08:00:01Z", 1),
            ("2024-02-15T08:00:01Z", "2024-03-15T08:00:01Z", 1),
            ("2024-01-15T08:00:01Z", "2024-03-15T08:00:01Z", 2),
            ("2024-02-15T08:00:01Z", "2024-02-16T00:00:00Z", 0),
        ] {
            let command = ListTransactions { from: Some(at(from)), until: Some(at(until)), ..ListTransactions::default() };
            let (shown, total) = transactions(&house, &who, command).await;
            assert_eq!((shown.len(), total), (count, i64::try_from(count).expect("few")), "{from} to {until}");
        }
        let second = ListTransactions { limit: 2, offset: 3, ..ListTransactions::default() };
        let page = billing::transactions(&house.app, &who, second).await.expect("the end");
        assert_eq!((page.transactions, page.total), (all[3..].to_vec(), 5));
        let backwards =
            ListTransactions { from: Some(at("2024-02-01")), until: Some(at("2024-02-01")), ..ListTransactions::default() };
        let refused = billing::transactions(&house.app, &who, backwards).await.expect_err("no time at all");
        assert_eq!(refused.code(), Code::InvalidValue);
    }
}

#[tokio::test]
async fn usage_sums_what_was_charged_and_expects_what_will_be() {
    for engine in engines() {
        let house = House::new(engine.as_deref(), "2024-01-10T08:00:00Z").await;
        let who = caller(&house.account().await, Environment::Test);
        house.buy(&who, A).await.expect("a number");
        house.advance(&who, "2024-01-20T00:00:00Z").await;
        house.buy(&who, B).await.expect("a number");
        let read = |from: Option<Timestamp>, until: Option<Timestamp>, granularity| {
            billing::usage(&house.app, &who, ReadUsage { from, until, granularity })
        };
        let january = read(None, None, Granularity::Month).await.expect("January");
        assert_eq!((january.start, january.end), (at("2024-01-01"), at("2024-02-01")));
        let numbers = january.phone_numbers;
        assert_eq!((numbers.count, numbers.unit_cost.micros, numbers.monthly_cost.micros), (2, MONTH, 2 * MONTH));
        assert_eq!((january.total_charges.micros, january.estimated_final_charge.micros), (2 * FIRST, 2 * FIRST));
        assert_eq!((january.charges.len(), january.charges[0].count), (1, 2));
        assert_eq!((january.sms_messages.count, january.voice_minutes.cost.micros, january.api_calls.limit), (0, 0, None));

        let quarter = read(Some(at("2024-01-01")), Some(at("2024-04-01")), Granularity::Month).await.expect("a quarter");
        assert_eq!(quarter.estimated_final_charge.micros, 2 * FIRST + 4 * MONTH, "two months of each are to come");
        let months: Vec<_> = quarter.steps.iter().map(|step| step.charges.micros).collect();
        assert_eq!(months, [2 * FIRST, 0, 0]);
        let days = read(Some(at("2024-01-10")), Some(at("2024-01-21")), Granularity::Day).await.expect("days");
        let charged: Vec<_> = days.steps.iter().map(|step| step.charges.micros).collect();
        assert_eq!((charged.len(), charged[0], charged[10], charged.iter().sum::<i64>()), (11, FIRST, FIRST, 2 * FIRST));
        let before = read(Some(at("2024-01-01")), Some(at("2024-01-15")), Granularity::Month).await.expect("what is over");
        assert_eq!((before.phone_numbers.count, before.estimated_final_charge), (1, before.total_charges));

        house.advance(&who, "2024-04-01T00:00:00Z").await;
        let after = read(Some(at("2024-01-01")), Some(at("2024-04-01")), Granularity::Month).await.expect("the quarter");
        assert_eq!(after.total_charges, quarter.estimated_final_charge, "it came as expected");
        assert_eq!(after.total_charges, after.estimated_final_charge);
    }
}

#[tokio::test]
async fn accounts_that_nothing_is_charged_to_cost_a_job_a_month() {
    let house = House::new(None, "2024-01-15T08:00:00Z").await;
    let command =
        accounts::OpenAccount { name: "Idle".into(), email: "idle@example.com".into(), currency: tandem_kernel::Currency::USD };
    let account = accounts::open(&house.app, operator(), command, nothing_more()).await.expect("an account");
    let who = caller(&account, Environment::Test);
    house.advance(&who, "2026-01-15T08:00:00Z").await;
    let jobs = house.app.store.read(move |tx| tandem_store::repo::jobs::first_until(tx, who.environment, Timestamp::MAX));
    let job = jobs.await.expect("jobs").expect("the next invoice");
    assert_eq!((job.kind.as_str(), job.due_at), (billing::INVOICE_JOB, at("2026-02-01")));
    assert_eq!(invoices(&house, &who, None).await, []);
}
