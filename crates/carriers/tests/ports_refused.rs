//! Ports that are refused when they are asked for: each for its own reason, in order, with nothing kept.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod world;

use tandem_app::{
    Operation, nothing_more, numbers,
    ports::{self, ListPorts},
};
use tandem_catalogue::{Code, Dialect};
use tandem_kernel::{Caller, Environment, PhoneNumber, Scope};
use tandem_testkit::on_both;
use world::{FEE, PURSE, World, code, magic, random};

on_both! {
    async fn the_losing_carrier_is_asked_first(world: World) {
        for (name, expected) in [
            ("port_ineligible", Code::CannotPortIneligible),
            ("port_unsupported_carrier", Code::CannotPortCarrier),
            ("port_nonsense", Code::BadGateway),
            ("port_down", Code::CarrierUnavailable),
        ] {
            let ada = world.owner(name).await.test;
            let refusal = world.port(&ada, magic(name)).await.expect_err(name);
            assert_eq!(refusal.code(), expected);
            if expected == Code::CannotPortCarrier {
                assert!(refusal.render(Dialect::Native).message.contains("Prairie Mutual Telephone"));
            }
            nothing_kept(&world, &ada).await;
            world.app.journal.flush(&world.app.store).await;
            let kept = world.explanations(&ada, ada.request).await;
            let steps = kept.first().map(|kept| kept.steps.iter().map(|step| step.met).collect::<Vec<_>>());
            assert_eq!(steps, Some(vec![true, true, true, true, false]), "what was looked at before the carrier decided");
        }
        world.finish().await;
    }

    async fn a_carrier_that_fails_again_and_again_is_left_alone(world: World) {
        let ada = world.owner("Ada").await.test;
        for phone in magic("port_down")..magic("port_down") + 5 {
            assert_eq!(code(world.port(&ada, phone).await), Code::CarrierUnavailable);
        }
        let refusal = world.port(&ada, 16_135_550_142).await.expect_err("the circuit is open");
        assert_eq!((refusal.code(), refusal.retry_after()), (Code::CarrierUnavailable, Some(10)));
        let bob = world.owner("Bob").await.test;
        world.port(&bob, 16_135_550_143).await.expect("another environment does not feel it");
        world.clock.advance_seconds(10);
        world.port(&ada, 16_135_550_142).await.expect("it is asked again");
        world.finish().await;
    }

    async fn what_we_know_of_the_number_comes_before_the_carrier(world: World) {
        let owner = world.owner("Ada").await;
        let (ada, bob) = (owner.test, world.owner("Bob").await.test);
        let bought = PhoneNumber::from_digits(magic("purchase_slow"));
        let buy = |phone| numbers::PurchaseNumber::new(phone);
        numbers::purchase(&world.app, &ada, Operation(random()), buy(bought), nothing_more()).await.expect("a number");
        let paid = world.wallet(&ada).await;
        let for_sale = magic("purchase_slow") + 1;
        for (caller, phone, expected) in [
            (&ada, bought.digits(), Code::AlreadyExists),
            (&bob, bought.digits(), Code::PortNotPossibleNow),
            (&bob, for_sale, Code::PortNotPossibleNow),
            (&bob, magic("purchase_reserved"), Code::PortNotPossibleNow),
        ] {
            assert_eq!(code(world.port(caller, phone).await), expected, "{phone}");
        }
        let ineligible = magic("port_ineligible");
        world.verify(owner.account, false).await;
        assert_eq!(code(world.port(&ada, bought.digits()).await), Code::AlreadyExists);
        assert_eq!(code(world.port(&ada, for_sale).await), Code::PortNotPossibleNow);
        assert_eq!(code(world.port(&ada, ineligible).await), Code::CannotPortUnverified);
        world.verify(owner.account, true).await;
        assert_eq!(code(world.port(&ada, ineligible).await), Code::CannotPortIneligible);
        assert_eq!(world.wallet(&ada).await, paid);
        world.port(&ada, 16_135_550_142).await.expect("an ordinary number");
        assert_eq!(code(world.port(&ada, 16_135_550_142).await), Code::CannotPortPending);
        assert_eq!(code(world.port(&bob, 16_135_550_142).await), Code::CannotPortPending);
        world.port(&owner.live, 16_135_550_142).await.expect("the live environment is another world");
        world.finish().await;
    }

    async fn money_comes_last(world: World) {
        let owner = world.owner("Ada").await;
        let ada = owner.test;
        world.move_money(owner.account, Environment::Test, FEE - 1 - PURSE).await;
        assert_eq!(code(world.port(&ada, magic("port_ineligible")).await), Code::CannotPortIneligible);
        let refusal = world.port(&ada, 16_135_550_142).await.expect_err("one millionth is missing");
        assert_eq!(refusal.code(), Code::InsufficientFunds);
        assert_eq!(refusal.render(Dialect::Audian).message, "Your account does not have sufficient funds for this operation");
        assert_eq!(world.wallet(&ada).await, (FEE - 1, 0));
        assert!(!world.has(&ada, 16_135_550_142).await);
        world.move_money(owner.account, Environment::Test, 1).await;
        world.port(&ada, 16_135_550_142).await.expect("now it covers the fee");
        assert_eq!(world.wallet(&ada).await, (0, FEE));
        world.finish().await;
    }

    async fn scopes_and_other_accounts_are_kept_apart(world: World) {
        let ada = world.owner("Ada").await.test;
        let bob = world.owner("Bob").await.test;
        let without = |scope: Scope| Caller { scopes: ada.scopes.iter().filter(|had| *had != scope).collect(), ..ada };
        assert_eq!(code(world.port(&without(Scope::PortsWrite), 16_135_550_142).await), Code::InsufficientScope);
        let port = world.port(&ada, 16_135_550_142).await.expect("a port");
        let (app, id) = (&world.app, port.id.to_string());
        assert_eq!(code(ports::get(app, &without(Scope::PortsRead), id.clone()).await), Code::InsufficientScope);
        assert_eq!(code(ports::cancel(app, &without(Scope::PortsWrite), id.clone(), nothing_more()).await), Code::InsufficientScope);
        for id in [id, "port_abc123".to_owned(), String::new()] {
            assert_eq!(code(ports::get(app, &bob, id.clone()).await), Code::PortNotFound);
            assert_eq!(code(ports::cancel(app, &bob, id, nothing_more()).await), Code::PortNotFound);
        }
        world.finish().await;
    }
}

async fn nothing_kept(world: &World, caller: &Caller) {
    assert_eq!(world.wallet(caller).await, (PURSE, 0));
    let listed = ports::list(&world.app, caller, ListPorts { state: None, limit: 10, offset: 0 }).await.expect("a list");
    assert_eq!(listed.total, 0);
    let command = numbers::ListNumbers { state: None, limit: 10, offset: 0 };
    assert_eq!(numbers::list(&world.app, caller, command).await.expect("a list").total, 0);
}
