//! Numbers, of which an account may have a million.

use tandem_domain::{
    Features,
    address::Requirement,
    config::NumberConfig,
    number::{Number, NumberState},
    property::default_of,
};
use tandem_kernel::{AddressId, Currency, EnvironmentId, Money, NumberId, OsRng, PhoneNumber, PropertyId};
use tandem_store::{
    Tx,
    repo::{
        number_counts,
        numbers::{self, Owner},
    },
};
use tandem_testkit::{DAWN, Engine, LOCAL, Server, on_both};

use super::{Look, analyze, looks};

const NUMBERS: u64 = 6_000;
const PAGE: i64 = 50;

/// Every hundredth number can do messages, the last ten want an address.
fn number(environment: EnvironmentId, property: PropertyId, place: u64, address: AddressId) -> Number {
    let wants = place >= NUMBERS - 10;
    Number {
        id: NumberId::new(DAWN.plus_seconds(i64::try_from(place).expect("few")), &OsRng),
        environment,
        property,
        requirement: if wants { Requirement::Local } else { Requirement::None },
        address: (place.is_multiple_of(500) && !wants).then_some(address),
        phone: PhoneNumber::from_digits(if wants { 61_292_000_000 } else { 14_155_000_000 } + place),
        state: NumberState::Active,
        friendly_name: None,
        carrier: LOCAL.to_owned(),
        features: if place.is_multiple_of(100) { Features::VOICE.with(Features::SMS) } else { Features::VOICE },
        monthly: Money::new(0, Currency::USD),
        setup: Money::new(0, Currency::USD),
        config: NumberConfig::default(),
        purchased_at: DAWN,
        periods_paid: 1,
        version: 1,
    }
}

/// The stretches of a page may be put in order by sorting: they are no longer than the page. Each must be a stretch of the index.
fn assert_stretches(look: &Look, index: &str, engine: Engine) {
    let shown = format!("{}\n{}", look.sql, look.plan.join("\n"));
    let whole = |line: &&String| match engine {
        Engine::Sqlite => line.starts_with("SCAN numbers"),
        Engine::Postgres => line.contains("Seq Scan on numbers"),
    };
    assert!(look.plan.iter().filter(whole).count() == 0, "{shown}");
    assert!(look.plan.iter().any(|line| line.contains(index)), "{index} was expected {shown}");
}

on_both! {
    async fn however_many_there_are_a_page_reads_what_it_shows(server: Server) {
        let (ada, bob) = (server.account("Ada").await, server.account("Bob").await);
        let (environment, other) = (ada.test.environment, bob.test.environment);
        let (small, large) = (PropertyId::from_bytes([9; 16]), PropertyId::from_bytes([8; 16]));
        let own = AddressId::from_bytes([3; 16]);
        let store = server.app().store.clone();
        for begin in (0..NUMBERS).step_by(500) {
            let filled = store.write(move |tx| {
                (begin..begin + 500).try_for_each(|place| {
                    let property = match (place % 40, place % 2) {
                        (0, _) => small,
                        (_, 0) => large,
                        _ => default_of(environment),
                    };
                    numbers::insert(tx, &number(environment, property, place, own))?;
                    numbers::insert(tx, &number(other, default_of(other), place, AddressId::from_bytes([4; 16])))
                })
            });
            filled.await.expect("filled");
        }
        analyze(&server);
        let engine = server.engine();
        let zero = NumberId::from_bytes([0; 16]);
        for (owner, index, expected) in [
            (Owner::Environment(environment), "numbers_by_sort", NUMBERS),
            (Owner::Property(environment, small), "numbers_by_property", NUMBERS / 40),
            (Owner::Property(environment, large), "numbers_by_property", NUMBERS / 2 - NUMBERS / 40),
        ] {
            let counts = server.read(move |tx| number_counts::of(tx, owner)).await;
            assert_eq!(counts.iter().map(|(_, count)| *count).sum::<i64>(), i64::try_from(expected).unwrap());
            let sorts: Vec<i64> = counts.iter().map(|(sort, _)| *sort).collect();
            let (page, seen) = looks(&server, move |tx: &mut Tx| numbers::of_sorts(tx, owner, &sorts, zero, PAGE, 0)).await;
            assert_eq!(page.len(), 50);
            assert!(page.is_sorted_by_key(|number| number.id));
            assert_stretches(&seen[0], index, engine);
        }
        let (found, seen) = looks(&server, move |tx: &mut Tx| numbers::wanting(tx, environment, "AU-NSW", PAGE)).await;
        assert_eq!(found.len(), 10);
        seen[0].assert_bounded("numbers", &["numbers_wanting"], 10.0);
        let (linked, seen) = looks(&server, move |tx: &mut Tx| numbers::count_with_address(tx, own, 10_000)).await;
        assert_eq!(linked, 12);
        seen[0].assert_bounded("numbers", &["numbers_by_address"], 12.0);
        server.database().tamper("DELETE FROM numbers");
    }
}
