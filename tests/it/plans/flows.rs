//! Call flows and menus.

use serde_json::json;
use tandem_domain::{
    Features,
    address::Requirement,
    config::NumberConfig,
    flow::Place,
    number::{Number, NumberState},
    property::default_of,
};
use tandem_kernel::{Currency, Environment::Test, EnvironmentId, FlowId, MenuId, Money, NumberId, OsRng, PhoneNumber};
use tandem_store::repo::{call_flows, ivr_menus, numbers};
use tandem_testkit::{DAWN, LOCAL, Server, on_both};

use super::{analyze, looks};
use crate::call_flows::{all_to, flow, menu};

const EACH: usize = 60;

fn number(environment: EnvironmentId, place: u64) -> Number {
    Number {
        id: NumberId::new(DAWN, &OsRng),
        environment,
        property: default_of(environment),
        requirement: Requirement::None,
        address: None,
        phone: PhoneNumber::from_digits(16_282_200_000 + place),
        state: NumberState::Active,
        friendly_name: None,
        carrier: LOCAL.to_owned(),
        features: Features::default(),
        monthly: Money::new(0, Currency::USD),
        setup: Money::new(0, Currency::USD),
        config: NumberConfig { call_flow_id: place.is_multiple_of(2).then(|| format!("cf_{place}")), ..NumberConfig::default() },
        purchased_at: DAWN,
        periods_paid: 1,
        version: 1,
    }
}

on_both! {
    async fn flows_and_menus_are_found_by_their_indexes(server: Server) {
        let (ada, bob) = (server.account("Ada").await, server.account("Bob").await);
        let environment = bob.test.environment;
        let mut last = (String::new(), String::new());
        for persona in [&ada, &bob] {
            persona.unlimited(Test).await;
            for place in 0..EACH {
                let menu = menu(&persona.test(), &format!("Menu {place}"), json!({ "digit": "1", "destination_type": "voicemail" })).await;
                last = (flow(&persona.test(), &format!("Flow {place}"), json!([all_to("ivr_menu", &menu)])).await, menu);
            }
        }
        // A table that fits into a page is read whole, whatever indexes it has.
        let fill = server.app().store.clone();
        let filled = fill.write(move |tx| (0..2_000).try_for_each(|place| numbers::insert(tx, &number(environment, place))));
        filled.await.expect("filled");
        analyze(&server);
        let (flow, menu) = (FlowId::parse(&last.0).expect("a flow"), MenuId::parse(&last.1).expect("a menu"));
        let (_, found) = looks(&server, move |tx| call_flows::get(tx, environment, flow)).await;
        found[0].assert_bounded(if server.engine() == tandem_testkit::Engine::Sqlite { "f" } else { "call_flows" }, &["call_flows_pkey", "sqlite_autoindex_call_flows_1"], 2.0);
        let (_, found) = looks(&server, move |tx| ivr_menus::get(tx, environment, menu)).await;
        found[0].assert_bounded("ivr_menus", &["ivr_menus_pkey", "sqlite_autoindex_ivr_menus_1"], 1.0);
        let (_, found) = looks(&server, move |tx| call_flows::user_of(tx, environment, Place::Menu(menu))).await;
        found[0].assert_bounded("flow_links", &["flow_links_by_target"], 2.0);
        let (_, found) = looks(&server, move |tx| call_flows::user_of(tx, environment, Place::Flow(flow))).await;
        found[1].assert_bounded("numbers", &["numbers_by_flow"], 1.0);
        let (_, found) = looks(&server, move |tx| call_flows::links_of(tx, environment, &[Place::Flow(flow)])).await;
        found[0].assert_bounded("flow_links", &["flow_links_pkey", "sqlite_autoindex_flow_links_1"], 2.0);
        server.database().tamper("DELETE FROM numbers");
        let (all, _) = looks(&server, move |tx| call_flows::page(tx, environment, FlowId::from_bytes([0; 16]), 20, 0)).await;
        assert_eq!((all.0.len(), all.1), (20, i64::try_from(EACH).unwrap()));
    }
}
