//! Ports of the operator's own carrier, documents, and numbers that leave.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod world;

use tandem_app::{
    Asker, Operation, nothing_more,
    numbers::{self, NumberRef},
    ports::{self, AddDocument, QueuePorts},
};
use tandem_catalogue::Code;
use tandem_domain::{
    document::{DocumentKind, MOST, MediaType},
    number::NumberState,
    port::{PortState, SILENCE_DAYS},
    purchase::OfferState,
};
use tandem_kernel::{Environment, PhoneNumber};
use tandem_testkit::on_both;
use world::{DAY, FEE, MONTH, PURSE, World, code, operator, random};

const PHONE: u64 = 16_135_550_142;

on_both! {
    async fn an_operator_works_a_port_from_the_queue(world: World) {
        let owner = world.owner("Ada").await;
        let (app, ada) = (&world.app, owner.live);
        let port = world.port(&ada, PHONE).await.expect("a port");
        world.pass_machine(3 * DAY).await;
        assert_eq!(world.state(&ada, &port).await, "pending", "nobody moved it");
        let ask = |state, after| QueuePorts { state, after, limit: 10 };
        let queued = ports::queue(app, ask(None, None)).await.expect("the queue");
        assert_eq!(queued.iter().map(|queued| (queued.port.id, queued.account)).collect::<Vec<_>>(), [(port.id, owner.account)]);
        assert!(ports::queue(app, ask(None, Some(port.id))).await.expect("the queue").is_empty());
        let id = || port.id.to_string();
        let date = app.machine_now().plus_days(3);
        assert_eq!(code(ports::schedule(app, operator(), id(), date, nothing_more()).await), Code::InvalidTransition);
        assert_eq!(code(ports::complete(app, operator(), id(), nothing_more()).await), Code::InvalidTransition);
        ports::submit(app, operator(), id(), nothing_more()).await.expect("it is with the losing carrier");
        assert_eq!(code(ports::submit(app, operator(), id(), nothing_more()).await), Code::InvalidTransition);
        for wrong in [date.plus_days(-5), date.plus_days(200)] {
            assert_eq!(code(ports::schedule(app, operator(), id(), wrong, nothing_more()).await), Code::InvalidValue);
        }
        ports::schedule(app, operator(), id(), date, nothing_more()).await.expect("a date");
        ports::schedule(app, operator(), id(), date.plus_days(1), nothing_more()).await.expect("a later date");
        assert_eq!(ports::queue(app, ask(Some("scheduled"), None)).await.expect("the queue").len(), 1);
        world.pass_machine(4 * DAY).await;
        let done = ports::complete(app, operator(), id(), nothing_more()).await.expect("it is here");
        assert!(matches!(done.state, PortState::Completed { .. }));
        assert_eq!(code(ports::complete(app, operator(), id(), nothing_more()).await), Code::InvalidTransition);
        world.run_due().await;
        assert_eq!(world.wallet(&ada).await, (PURSE - FEE - MONTH, 0));
        let offer = world.offer(Environment::Live, PHONE).await.expect("in the inventory");
        assert_eq!((offer.state, offer.carrier.as_str()), (OfferState::Assigned, "owned"));
        assert!(ports::queue(app, ask(None, None)).await.expect("the queue").is_empty());
        world.finish().await;
    }

    async fn an_operator_rejects_and_forgets(world: World) {
        let ada = world.owner("Ada").await.live;
        let (app, port) = (&world.app, world.port(&ada, PHONE).await.expect("a port"));
        let reject = |reason: &str| ports::reject(app, operator(), port.id.to_string(), reason.to_owned(), nothing_more());
        assert_eq!(code(reject("").await), Code::TooShort);
        reject("The name is another one").await.expect("it is rejected");
        assert_eq!(code(reject("Twice").await), Code::InvalidTransition);
        assert_eq!(world.wallet(&ada).await, (PURSE, 0));
        let forgotten = world.port(&ada, PHONE).await.expect("it may be tried again");
        world.pass_machine(10 * DAY).await;
        ports::submit(app, operator(), forgotten.id.to_string(), nothing_more()).await.expect("it is with the losing carrier");
        world.pass_machine(SILENCE_DAYS * DAY - 1).await;
        assert_eq!(world.state(&ada, &forgotten).await, "submitted");
        world.pass_machine(1).await;
        assert_eq!(world.state(&ada, &forgotten).await, "rejected");
        assert_eq!(code(ports::submit(app, operator(), "port_abc123".to_owned(), nothing_more()).await), Code::PortNotFound);
        world.finish().await;
    }

    async fn documents_support_a_port_while_it_is_open(world: World) {
        let ada = world.owner("Ada").await.test;
        let bob = world.owner("Bob").await.test;
        let (app, port) = (&world.app, world.port(&ada, PHONE).await.expect("a port"));
        let command = |content: &[u8]| AddDocument {
            port: port.id.to_string(),
            kind: DocumentKind::Loa,
            name: "loa.pdf".to_owned(),
            content: content.to_vec(),
        };
        let add = |content: &'static [u8]| ports::add_document(app, &ada, command(content), nothing_more());
        assert_eq!(code(add(b"plain text").await), Code::DocumentRefused);
        assert_eq!(code(ports::add_document(app, &bob, command(b"%PDF-1.7"), nothing_more()).await), Code::PortNotFound);
        let first = add(b"%PDF-1.7 first").await.expect("a document");
        assert_eq!((first.media_type, first.size), (MediaType::Pdf, 14));
        world.clock.advance_seconds(1);
        for _ in 1..MOST {
            add(b"\xff\xd8\xff more").await.expect("a document");
        }
        assert_eq!(code(add(b"%PDF-1.7 too many").await), Code::OperationNotAllowed);
        let (name, document) = (port.id.to_string(), first.id.to_string());
        for asker in [Asker::Account(ada), Asker::Operator] {
            let listed = ports::documents(app, asker, name.clone()).await.expect("documents");
            assert_eq!((listed.len(), listed.first()), (MOST, Some(&first)));
            let (read, content) = ports::document(app, asker, name.clone(), document.clone()).await.expect("the document");
            assert_eq!((&read, content.as_slice()), (&first, &b"%PDF-1.7 first"[..]));
            assert_eq!(code(ports::document(app, asker, name.clone(), "doc_abc".into()).await), Code::ResourceNotFound);
        }
        assert_eq!(code(ports::documents(app, Asker::Account(bob), name.clone()).await), Code::PortNotFound);
        ports::cancel(app, &ada, name, nothing_more()).await.expect("it is called off");
        assert_eq!(code(add(b"%PDF-1.7 too late").await), Code::InvalidTransition);
        world.finish().await;
    }

    async fn a_number_leaves_and_comes_back(world: World) {
        let ada = world.owner("Ada").await.live;
        let bob = world.owner("Bob").await.live;
        let (app, port) = (&world.app, arrive(&world, &ada).await);
        let id = || port.number.to_string();
        assert_eq!(code(ports::complete_port_out(app, operator(), id(), nothing_more()).await), Code::InvalidTransition);
        ports::start_port_out(app, operator(), id(), nothing_more()).await.expect("it begins to leave");
        assert_eq!(code(ports::start_port_out(app, operator(), id(), nothing_more()).await), Code::InvalidTransition);
        let number = NumberRef::Id(port.number);
        assert_eq!(code(numbers::release(app, &ada, number.clone(), nothing_more()).await), Code::NumberPorting);
        ports::cancel_port_out(app, operator(), id(), nothing_more()).await.expect("it stays");
        assert_eq!(code(ports::cancel_port_out(app, operator(), id(), nothing_more()).await), Code::InvalidTransition);
        ports::start_port_out(app, operator(), id(), nothing_more()).await.expect("it begins to leave again");
        world.pass_machine(35 * DAY).await;
        assert_eq!(world.number(&port).await.periods_paid, 2, "it is paid for until it has left");
        let gone = ports::complete_port_out(app, operator(), id(), nothing_more()).await.expect("it has left");
        assert!(matches!(gone.state, NumberState::Released { .. }));
        assert_eq!(code(numbers::get(app, &ada, number).await), Code::NumberNotFound);
        let paid = world.wallet(&ada).await;
        world.pass_machine(100 * DAY).await;
        assert_eq!(world.wallet(&ada).await, paid, "nothing is charged for a number that has left");
        let offer = world.offer(Environment::Live, PHONE).await.expect("it is still known");
        assert_eq!((offer.state, offer.holder), (OfferState::Assigned, None));
        let buy = numbers::PurchaseNumber::new(PhoneNumber::from_digits(PHONE));
        let bought = numbers::purchase(app, &bob, Operation(random()), buy, nothing_more()).await;
        assert_eq!(code(bought), Code::NumberNotAvailable);
        arrive(&world, &bob).await;
        assert!(world.has(&bob, PHONE).await);
        assert_eq!(code(ports::start_port_out(app, operator(), "num_abc".to_owned(), nothing_more()).await), Code::NumberNotFound);
        world.finish().await;
    }
}

/// Ports the number in by hand.
async fn arrive(world: &World, caller: &tandem_kernel::Caller) -> tandem_domain::port::Port {
    let port = world.port(caller, PHONE).await.expect("a port");
    let (app, id) = (&world.app, || port.id.to_string());
    ports::submit(app, operator(), id(), nothing_more()).await.expect("submitted");
    ports::schedule(app, operator(), id(), app.machine_now(), nothing_more()).await.expect("scheduled");
    let port = ports::complete(app, operator(), id(), nothing_more()).await.expect("completed");
    world.run_due().await;
    port
}
