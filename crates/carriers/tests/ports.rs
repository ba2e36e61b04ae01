//! The life of ports that the pocket network answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod world;

use futures_util::future::join_all;
use tandem_app::{
    Operation, due, nothing_more,
    numbers::{self, ConfigureNumber, NumberRef, SearchNumbers},
    ports::{self, ListPorts},
};
use tandem_catalogue::Code;
use tandem_domain::{
    config::{ConfigChange, Patch},
    inventory::Pattern,
    number::NumberState,
    port::{ESTIMATE_DAYS, PortState, SILENCE_DAYS},
    purchase::OfferState,
};
use tandem_kernel::{Environment, PhoneNumber, Timestamp};
use tandem_store::repo::jobs;
use tandem_testkit::on_both;
use world::{DAY, FEE, HOUR, MONTH, PURSE, World, code, magic, operator, random};

/// A number that no page mentions.
const ORDINARY: u64 = 16_135_550_142;

on_both! {
    async fn an_accepted_port_becomes_a_number(world: World) {
        let ada = world.owner("Ada").await.test;
        let port = world.port(&ada, ORDINARY).await.expect("a port");
        assert_eq!((port.state.as_str(), port.state.carrier_status()), ("pending", "pending_transfer"));
        assert_eq!(port.estimated_completion, port.created_at.plus_days(ESTIMATE_DAYS));
        assert_eq!(world.wallet(&ada).await, (PURSE - FEE, FEE));
        assert_eq!(world.number(&port).await.state, NumberState::Porting { port: port.id });
        untouchable(&world, &ada, &port).await;
        for (after, state) in [(HOUR - 1, "pending"), (1, "submitted"), (22 * HOUR, "submitted"), (HOUR, "scheduled")] {
            world.pass(&ada, after).await;
            assert_eq!(world.state(&ada, &port).await, state);
        }
        untouchable(&world, &ada, &port).await;
        let date = port.created_at.plus_days(4);
        let scheduled = world.get(&ada, &port).await;
        assert_eq!((scheduled.state, scheduled.estimated_completion), (PortState::Scheduled { at: date }, date));
        assert_eq!(world.wallet(&ada).await, (PURSE - FEE, FEE));
        world.pass(&ada, 3 * DAY).await;
        let done = world.get(&ada, &port).await;
        assert_eq!(done.state, PortState::Completed { at: date });
        assert_eq!(done.details.account_pin, None);
        let number = world.number(&port).await;
        assert_eq!((number.state, number.purchased_at, number.periods_paid), (NumberState::Active, date, 1));
        assert_eq!(world.wallet(&ada).await, (PURSE - FEE - MONTH, 0));
        let offer = world.offer(Environment::Test, ORDINARY).await.expect("in the inventory");
        assert_eq!((offer.state, offer.holder, offer.carrier.as_str()), (OfferState::Assigned, Some(ada.environment), "simulated"));
        let story = ["port.created", "port.submitted", "port.scheduled", "port.completed"];
        assert_eq!(world.events(&ada, port.id).await, story);
        assert_eq!(world.events(&ada, port.number).await, ["number.porting", "number.ported_in", "number.renewed"]);
        assert_eq!(world.explanations(&ada, port.id).await.len(), story.len(), "one for each decision");
        world.pass(&ada, 62 * DAY).await;
        assert_eq!(world.number(&port).await.periods_paid, 3);
        assert_eq!(code(world.port(&ada, ORDINARY).await), Code::AlreadyExists);
        world.finish().await;
    }

    async fn a_number_that_came_is_for_sale_when_it_was_given_back_and_has_rested(world: World) {
        let ada = world.owner("Ada").await.test;
        world.port(&ada, ORDINARY).await.expect("a port");
        world.pass(&ada, 4 * DAY).await;
        let phone = NumberRef::Phone(PhoneNumber::from_digits(ORDINARY));
        numbers::release(&world.app, &ada, phone, nothing_more()).await.expect("it can be given back");
        let found = async || {
            let pattern = Pattern::parse("6135550142").expect("a pattern");
            let command = SearchNumbers { pattern: Some(pattern), limit: 5, ..SearchNumbers::default() };
            numbers::search(&world.app, &ada, command).await.expect("a search").total
        };
        assert_eq!(found().await, 0);
        assert_eq!(code(world.port(&ada, ORDINARY).await), Code::PortNotPossibleNow);
        world.pass(&ada, 30 * DAY).await;
        assert_eq!(found().await, 1);
        world.finish().await;
    }

    async fn a_first_month_without_money_suspends_and_is_paid_once_there_is_some(world: World) {
        let owner = world.owner("Ada").await;
        let ada = owner.test;
        let port = world.port(&ada, ORDINARY).await.expect("a port");
        world.move_money(owner.account, Environment::Test, FEE - PURSE).await;
        world.pass(&ada, 5 * DAY).await;
        assert_eq!(world.state(&ada, &port).await, "completed");
        assert!(matches!(world.number(&port).await.state, NumberState::Suspended { .. }));
        assert_eq!(world.wallet(&ada).await, (0, 0));
        world.move_money(owner.account, Environment::Test, FEE).await;
        world.run_due().await;
        assert_eq!(world.number(&port).await.state, NumberState::Active);
        assert_eq!(world.wallet(&ada).await, (FEE - MONTH, 0));
        world.finish().await;
    }

    async fn a_rejected_port_leaves_nothing_but_its_reason(world: World) {
        let ada = world.owner("Ada").await.test;
        for (name, word) in [
            ("port_rejected_name", "name"),
            ("port_rejected_account_number", "account number"),
            ("port_rejected_address", "address"),
            ("port_rejected_pin", "PIN"),
            ("port_rejected_inactive", "not active"),
        ] {
            let phone = magic(name);
            let port = world.port(&ada, phone).await.expect(name);
            world.pass(&ada, DAY).await;
            let PortState::Rejected { reason } = world.get(&ada, &port).await.state else { panic!("{name} is not rejected") };
            assert!(reason.contains(word), "{reason}");
            assert_eq!(world.wallet(&ada).await, (PURSE, 0));
            assert!(matches!(world.number(&port).await.state, NumberState::Released { .. }));
            assert!(!world.has(&ada, phone).await);
            assert_eq!(world.events(&ada, port.id).await.last().map(String::as_str), Some("port.rejected"));
            world.port(&ada, phone).await.expect("it may be tried again");
            world.pass(&ada, DAY).await;
        }
        world.finish().await;
    }

    async fn a_port_can_be_called_off_until_it_has_ended(world: World) {
        let ada = world.owner("Ada").await.test;
        for after in [0, 2 * HOUR, 2 * DAY] {
            let port = world.port(&ada, ORDINARY).await.expect("a port");
            world.pass(&ada, after).await;
            let canceled = ports::cancel(&world.app, &ada, port.id.to_string(), nothing_more()).await.expect("it is called off");
            assert_eq!(canceled.state, PortState::Canceled);
            assert_eq!(world.wallet(&ada).await, (PURSE, 0));
            assert!(!world.has(&ada, ORDINARY).await);
            world.pass(&ada, 10 * DAY).await;
            assert_eq!(world.state(&ada, &port).await, "canceled");
            assert_eq!(code(ports::cancel(&world.app, &ada, port.id.to_string(), nothing_more()).await), Code::InvalidTransition);
        }
        let port = world.port(&ada, ORDINARY).await.expect("a port");
        world.pass(&ada, 4 * DAY).await;
        assert_eq!(code(ports::cancel(&world.app, &ada, port.id.to_string(), nothing_more()).await), Code::InvalidTransition);
        world.finish().await;
    }

    async fn a_silent_carrier_has_refused_after_thirty_days(world: World) {
        let ada = world.owner("Ada").await.test;
        let port = world.port(&ada, magic("port_silent")).await.expect("a port");
        world.pass(&ada, SILENCE_DAYS * DAY - 1).await;
        assert_eq!(world.state(&ada, &port).await, "pending");
        world.pass(&ada, 1).await;
        let PortState::Rejected { reason } = world.get(&ada, &port).await.state else { panic!("it is not rejected") };
        assert_eq!(reason, "The losing carrier did not answer for 30 days");
        assert_eq!(world.wallet(&ada).await, (PURSE, 0));
        world.finish().await;
    }

    async fn carriers_that_fail_on_the_way_are_asked_again(world: World) {
        for name in ["port_late_down", "port_late_nonsense"] {
            let ada = world.owner(name).await.test;
            let port = world.port(&ada, magic(name)).await.expect(name);
            world.pass(&ada, DAY + HOUR).await;
            assert_eq!(world.state(&ada, &port).await, "scheduled", "{name}");
            let failed = world.app.store.read(move |tx| jobs::first_until(tx, ada.environment, Timestamp::MAX)).await;
            let failed = failed.expect("the store is read").expect("a job").attempts;
            assert!((1..5).contains(&failed), "{name} failed {failed} times");
            world.pass(&ada, 3 * DAY).await;
            assert_eq!(world.state(&ada, &port).await, "completed", "{name}");
        }
        let ada = world.owner("slow").await.test;
        let port = world.port(&ada, magic("port_slow")).await.expect("a port");
        for (after, state) in [(DAY, "pending"), (DAY, "submitted"), (5 * DAY, "scheduled"), (7 * DAY, "completed")] {
            world.pass(&ada, after).await;
            assert_eq!(world.state(&ada, &port).await, state);
        }
        world.finish().await;
    }

    async fn a_repeated_request_ports_once(world: World) {
        let ada = world.owner("Ada").await.test;
        let operation = Operation(random());
        let first = world.port_again(&ada, operation, ORDINARY).await.expect("a port");
        let again = join_all((0..10).map(|_| world.port_again(&ada, operation, ORDINARY))).await;
        for port in again {
            assert_eq!(port.expect("the same port").id, first.id);
        }
        let listed = ports::list(&world.app, &ada, ListPorts { state: Some("pending"), limit: 10, offset: 0 }).await.expect("a list");
        assert_eq!((listed.ports.len(), listed.total), (1, 1));
        assert_eq!(world.wallet(&ada).await, (PURSE - FEE, FEE));
        world.finish().await;
    }

    async fn many_accounts_that_want_one_number_at_once_make_one_port(world: World) {
        let mut owners = Vec::new();
        for place in 0..12 {
            owners.push(world.owner(&format!("owner {place}")).await.test);
        }
        let outcomes = join_all(owners.iter().flat_map(|owner| [world.port(owner, ORDINARY), world.port(owner, ORDINARY)])).await;
        let (ports, refusals): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
        assert_eq!(ports.len(), 1);
        for refusal in refusals {
            assert_eq!(code(refusal), Code::CannotPortPending);
        }
        world.finish().await;
    }

    async fn due_work_that_is_done_many_times_at_once_is_done_once(world: World) {
        let ada = world.owner("Ada").await.test;
        let port = world.port(&ada, ORDINARY).await.expect("a port");
        while !world.get(&ada, &port).await.state.is_final() {
            let due = world.app.store.read(move |tx| jobs::first_until(tx, ada.environment, Timestamp::MAX)).await;
            let due = due.expect("the store is read").expect("an open port has its job");
            let now = world.app.machine_now();
            world.clock.advance_seconds(u32::try_from(due.due_at.seconds() - now.seconds()).unwrap_or(0) + 1);
            join_all((0..8).map(|_| due::perform(&world.app, due.clone()))).await;
        }
        world.run_due().await;
        assert_eq!(world.wallet(&ada).await, (PURSE - FEE - MONTH, 0));
        world.finish().await;
    }

    async fn whoever_comes_first_ends_a_port(world: World) {
        for round in 0..6 {
            let ada = world.owner("Ada").await.test;
            let phone = ORDINARY + round;
            let port = world.port(&ada, phone).await.expect("a port");
            world.pass(&ada, 4 * DAY - 1).await;
            let due = world.app.store.read(move |tx| jobs::first_until(tx, ada.environment, Timestamp::MAX)).await;
            let due = due.expect("the store is read").expect("an open port has its job");
            world.clock.advance_seconds(1);
            let (app, id) = (&world.app, || port.id.to_string());
            let (called_off, rejected, (), completed) = tokio::join!(
                ports::cancel(app, &ada, id(), nothing_more()),
                ports::reject(app, operator(), id(), "too late".to_owned(), nothing_more()),
                due::perform(app, due),
                ports::complete(app, operator(), id(), nothing_more()),
            );
            let ended = [called_off, rejected, completed].into_iter().filter(Result::is_ok).count();
            assert!(ended <= 1, "two ways at once");
            world.run_due().await;
            let arrived = matches!(world.get(&ada, &port).await.state, PortState::Completed { .. });
            assert_eq!(world.wallet(&ada).await, if arrived { (PURSE - FEE - MONTH, 0) } else { (PURSE, 0) });
            assert_eq!(world.has(&ada, phone).await, arrived);
        }
        world.finish().await;
    }

    async fn a_number_that_was_sold_here_meanwhile_does_not_arrive_twice(world: World) {
        let ada = world.owner("Ada").await.test;
        let bob = world.owner("Bob").await.test;
        let port = world.port(&ada, ORDINARY).await.expect("a port");
        let like = world.offer(Environment::Test, magic("purchase_slow")).await.expect("a number for sale");
        let imported = tandem_domain::purchase::Offer { phone: PhoneNumber::from_digits(ORDINARY), ..like };
        let put = world.app.store.write(move |tx| tandem_store::repo::inventory::put(tx, Environment::Test, &imported, world::epoch()));
        put.await.expect("an import");
        let buy = numbers::PurchaseNumber::new(PhoneNumber::from_digits(ORDINARY));
        numbers::purchase(&world.app, &bob, Operation(random()), buy, nothing_more()).await.expect("Bob buys it");
        world.pass(&ada, 5 * DAY).await;
        let PortState::Rejected { reason } = world.get(&ada, &port).await.state else { panic!("it is not rejected") };
        assert!(reason.contains("another account"), "{reason}");
        assert_eq!(world.wallet(&ada).await, (PURSE, 0));
        assert!(world.has(&bob, ORDINARY).await);
        world.finish().await;
    }
}

/// A number on its way can be read, and neither changed nor given back.
async fn untouchable(world: &World, caller: &tandem_kernel::Caller, port: &tandem_domain::port::Port) {
    let number = numbers::get(&world.app, caller, NumberRef::Id(port.number)).await.expect("it can be read");
    assert_eq!(number.state.as_str(), "porting");
    let command = ConfigureNumber { number: NumberRef::Id(port.number), change: ConfigChange::default(), address: Patch::Keep };
    assert_eq!(code(numbers::configure(&world.app, caller, command, nothing_more()).await), Code::NumberPorting);
    assert_eq!(code(numbers::release(&world.app, caller, NumberRef::Id(port.number), nothing_more()).await), Code::NumberPorting);
}
