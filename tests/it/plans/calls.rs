//! Calls, of which an account may have ten million.

use tandem_domain::call::{Call, Disposition, Filter};
use tandem_kernel::{CallId, Environment::Test, EnvironmentId, PhoneNumber, PropertyId};
use tandem_store::repo::calls::{self, Found, MOST_SEEN, Stretch};
use tandem_testkit::{DAWN, Persona, Server, call, on_both};

use super::{Look, analyze, looks};

/// More than one look goes through.
const CALLS: i64 = MOST_SEEN + 4_000;
const BUSY: &str = "+61299998888";
const RARE: &str = "+61299996666";
const PAGE: i64 = 200;

/// Very many calls to one number and a few to another, at the end.
async fn fill(persona: &Persona) {
    let environment = persona.test.environment;
    for begin in (0..CALLS).step_by(2_000) {
        let one = |place: i64| {
            let rare = place > CALLS - 20;
            let from = format!("+6141{:07}", place % 5_000);
            Call {
                disposition: if rare { Disposition::Failed } else { Disposition::Answered },
                endpoint: PhoneNumber::from_e164(if rare { RARE } else { BUSY }),
                ..call(environment, &from, if rare { RARE } else { BUSY }, DAWN.plus_seconds(place))
            }
        };
        persona.write_calls(Test, (begin..begin + 2_000).map(one).collect()).await;
    }
}

async fn list(server: &Server, environment: EnvironmentId, filter: Filter, stretch: Stretch) -> (Found, Vec<Look>) {
    looks(server, move |tx| calls::list(tx, environment, &filter, &stretch)).await
}

on_both! {
    async fn however_many_there_are_a_bounded_number_is_read(server: Server) {
        let (ada, bob) = (server.account("Ada").await, server.account("Bob").await);
        fill(&ada).await;
        bob.write_calls(Test, (0..100).map(|place| call(bob.test.environment, "+61412345678", BUSY, DAWN.plus_seconds(place))).collect()).await;
        analyze(&server);
        let environment = ada.test.environment;
        let property = Some(PropertyId::from_bytes(*environment.as_bytes()));
        let number = |text| PhoneNumber::from_e164(text).expect(text);
        let page = Stretch { limit: PAGE, ..Stretch::default() };
        let some = |count: i64| f64::from(i32::try_from(count).expect("few"));

        // A plain page, wherever it begins, reads what it shows.
        let (first, seen) = list(&server, environment, Filter::default(), page).await;
        seen[0].assert_bounded("calls", &["calls_by_environment"], some(PAGE));
        assert_eq!((first.calls.len(), seen.len(), first.seen), (200, 1, None));
        let late = Stretch { after: Some((DAWN.plus_seconds(CALLS - 500), CallId::from_bytes([0; 16]))), ..page };
        let (_, seen) = list(&server, environment, Filter::default(), late).await;
        seen[0].assert_bounded("calls", &["calls_by_environment"], some(PAGE));
        let (_, seen) = list(&server, environment, Filter { property, ..Filter::default() }, late).await;
        seen[0].assert_bounded("calls", &["calls_by_property"], some(PAGE));
        let (_, seen) = list(&server, environment, Filter::default(), Stretch { skip: 10_000, ..page }).await;
        seen[0].assert_bounded("calls", &["calls_by_environment"], some(PAGE + 10_000));

        // So does one that begins with the newest.
        let (newest, seen) = looks(&server, move |tx| calls::newest(tx, environment, None, PAGE)).await;
        seen[0].assert_bounded("calls", &["calls_by_environment"], some(PAGE));
        let last = newest.last().map(|call| (call.started_at, call.id));
        let (older, seen) = looks(&server, move |tx| calls::newest(tx, environment, last, PAGE)).await;
        seen[0].assert_bounded("calls", &["calls_by_environment"], some(PAGE));
        assert_eq!((newest.len(), older.len()), (200, 200));
        assert!(older[0].started_at < newest[199].started_at);

        // One number is found by its own index, however rare it is.
        for filter in [Filter { to: vec![number(RARE)], ..Filter::default() }, Filter { endpoints: vec![number(RARE)], ..Filter::default() }] {
            let index = if filter.to.is_empty() { "calls_by_endpoint" } else { "calls_by_callee" };
            let (found, seen) = list(&server, environment, filter.clone(), page).await;
            assert_eq!((found.calls.len(), found.seen), (19, None), "{filter:?}");
            seen[0].assert_bounded("calls", &[index], 19.0);
            let (found, seen) = list(&server, environment, Filter { property, dispositions: vec![Disposition::Failed], ..filter }, page).await;
            assert_eq!((found.calls.len(), found.seen), (19, None));
            seen.iter().for_each(|look| look.assert_bounded("calls", &[index], 19.0));
        }

        // What no index knows is looked for in a stretch; the next look goes on from there.
        let rare = Filter { property, dispositions: vec![Disposition::Failed], ..Filter::default() };
        let (found, seen) = list(&server, environment, rare.clone(), page).await;
        let last = found.seen.expect("the look ended");
        assert_eq!((found.calls.len(), seen.len()), (0, 2));
        seen.iter().for_each(|look| look.assert_bounded("calls", &["calls_by_property"], some(MOST_SEEN)));
        let begun = server.read(move |tx| calls::get(tx, environment, last)).await.expect("a call").started_at;
        assert_eq!(begun, DAWN.plus_seconds(MOST_SEEN - 1));
        let (found, seen) = list(&server, environment, rare, Stretch { after: Some((begun, last)), ..page }).await;
        assert_eq!((found.calls.len(), found.seen), (19, None));
        seen.iter().for_each(|look| look.assert_bounded("calls", &["calls_by_property"], some(MOST_SEEN)));

        // So is what was written since a token was given out.
        let busy = Filter { dispositions: vec![Disposition::Failed], ..Filter::default() };
        let (found, seen) = looks(&server, move |tx| calls::since(tx, environment, &busy, 0, PAGE)).await;
        assert_eq!(found.len(), 0);
        seen[0].assert_bounded("calls", &["calls_written"], some(MOST_SEEN));
        let (found, seen) = looks(&server, move |tx| calls::since(tx, environment, &Filter::default(), CALLS - 50, PAGE)).await;
        assert_eq!(found.len(), 50);
        seen[0].assert_bounded("calls", &["calls_written"], 50.0);
        let (_, seen) = looks(&server, move |tx| calls::written(tx, environment)).await;
        seen[0].assert_bounded("call_sequences", &["call_sequences", "sqlite_autoindex_call_sequences_1"], 2.0);
        let (_, seen) = looks(&server, move |tx| calls::get(tx, environment, last)).await;
        seen[0].assert_bounded("calls", &["calls_pkey", "sqlite_autoindex_calls_1"], 1.0);
    }
}
