//! The magic numbers that are bought.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod world;

use std::time::Duration;

use tandem_app::{
    Operation, nothing_more,
    numbers::{self, PurchaseNumber, SearchNumbers},
};
use tandem_catalogue::{Code, Result};
use tandem_domain::{inventory::Pattern, number::Number};
use tandem_kernel::{Caller, PhoneNumber};
use tandem_testkit::on_both;
use world::{MONTH, PURSE, World, code, magic, random};

on_both! {
    async fn a_carrier_that_is_down_costs_nothing(world: World) {
        let ada = world.owner("Ada").await.test;
        let phone = magic("purchase_down");
        assert_eq!(code(buy(&world, &ada, phone).await), Code::CarrierUnavailable);
        assert_eq!(world.wallet(&ada).await, (PURSE, 0));
        assert!(is_for_sale(&world, &ada, phone).await);
        world.pass(&ada, 120).await;
        assert!(!world.has(&ada, phone).await);
        world.finish().await;
    }

    async fn nonsense_holds_the_money_until_the_carrier_says_that_it_knows_nothing(world: World) {
        let ada = world.owner("Ada").await.test;
        let phone = magic("purchase_nonsense");
        assert_eq!(code(buy(&world, &ada, phone).await), Code::BadGateway);
        assert_eq!(world.wallet(&ada).await, (PURSE - MONTH, MONTH));
        assert_eq!(code(buy(&world, &ada, phone).await), Code::PurchaseInProgress);
        world.pass(&ada, 60).await;
        assert_eq!(world.wallet(&ada).await, (PURSE, 0));
        assert!(is_for_sale(&world, &ada, phone).await);
        world.finish().await;
    }

    async fn an_answer_that_was_lost_is_found_again(world: World) {
        let ada = world.owner("Ada").await.test;
        let phone = magic("purchase_lost_answer");
        assert_eq!(code(buy(&world, &ada, phone).await), Code::BadGateway);
        assert!(!world.has(&ada, phone).await);
        world.pass(&ada, 60).await;
        assert!(world.has(&ada, phone).await);
        assert_eq!(world.wallet(&ada).await, (PURSE - MONTH, 0));
        world.finish().await;
    }

    async fn a_slow_carrier_is_not_asked_twice(world: World) {
        let ada = world.owner("Ada").await.test;
        let phone = magic("purchase_slow");
        let again = async {
            tokio::time::sleep(Duration::from_millis(700)).await;
            buy(&world, &ada, phone).await
        };
        let (first, second) = tokio::join!(buy(&world, &ada, phone), again);
        first.expect("late, but well");
        assert_eq!(code(second), Code::PurchaseInProgress);
        assert_eq!(world.wallet(&ada).await, (PURSE - MONTH, 0));
        world.finish().await;
    }

    async fn what_is_gone_or_set_aside_is_not_to_be_had(world: World) {
        let ada = world.owner("Ada").await.test;
        for name in ["purchase_gone", "purchase_reserved"] {
            for _ in 0..2 {
                assert_eq!(code(buy(&world, &ada, magic(name)).await), Code::NumberNotAvailable, "{name}");
            }
            assert!(!is_for_sale(&world, &ada, magic(name)).await);
        }
        assert_eq!(world.wallet(&ada).await, (PURSE, 0));
        world.finish().await;
    }
}

async fn buy(world: &World, caller: &Caller, phone: u64) -> Result<Number> {
    let command = PurchaseNumber::new(PhoneNumber::from_digits(phone));
    numbers::purchase(&world.app, caller, Operation(random()), command, nothing_more()).await
}

async fn is_for_sale(world: &World, caller: &Caller, phone: u64) -> bool {
    let national = phone.to_string().split_off(1);
    let pattern = Pattern::parse(&national).expect("a pattern");
    let command = SearchNumbers { pattern: Some(pattern), limit: 1, ..SearchNumbers::default() };
    numbers::search(&world.app, caller, command).await.expect("a search").total == 1
}
