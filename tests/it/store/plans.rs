//! Statements that run again and again find their rows by an index, however many other rows there are.

use tandem_catalogue::Result;
use tandem_kernel::{Environment, EnvironmentId, MessageId, PhoneNumber};
use tandem_store::{
    Engine, Param, Tx,
    repo::{
        deliveries,
        outbox::{self, Lines, Place},
    },
};
use tandem_testkit::on_both;

use super::{Fresh, environment};

/// Ended deliveries of one webhook.
const ENDED: i64 = 5_000;

/// How the engine would go about a statement.
fn plan(tx: &mut Tx, sql: &str, params: &[Param]) -> Result<String> {
    let (ask, column) = match tx.engine() {
        Engine::Sqlite => ("EXPLAIN QUERY PLAN", 3),
        Engine::Postgres => ("EXPLAIN", 0),
    };
    let rows = tx.query_built(&format!("{ask} {sql}"), params)?;
    let lines: Vec<&str> = rows.iter().map(|row| row.text(column).expect("a line")).collect();
    Ok(lines.join("\n"))
}

on_both! {
    async fn deliveries_are_found_by_what_is_open(fresh: Fresh) {
        let settings = environment(&fresh.store, 1).await;
        let fill = move |tx: &mut Tx| {
            let (id, of) = ([7; 16], settings.id);
            tx.execute(
                "INSERT INTO webhooks (id, environment_id, target, url, description, method, events, state, secrets, places, created_at, \
                 version) VALUES ($1, $2, 'native', '', '', 'POST', '*', 'active', $1, 0, 0, 1)",
                &[(&id).into(), of.as_bytes().into()],
            )?;
            let rows: Vec<Vec<[u8; 16]>> = (0..ENDED).map(|place| vec![u128::from(place.unsigned_abs()).to_be_bytes()]).collect();
            let rows: Vec<Vec<Param>> = rows.iter().zip(0..).map(|(delivery, place)| {
                vec![(&delivery[0]).into(), (&id).into(), of.as_bytes().into(), Param::Int(place)]
            }).collect();
            tx.execute_many(
                "INSERT INTO deliveries (id, webhook_id, environment_id, event_id, kind, object, place, at, state, due_at, attempts, \
                 created_at, finished_at) VALUES ($1, $2, $3, $1, 'number.purchased', CAST(CAST($4 AS BIGINT) AS TEXT), $4, 0, 'delivered', 0, 1, 0, 0)",
                &rows,
            )?;
            tx.execute("ANALYZE deliveries", &[])
        };
        fresh.store.write(fill).await.expect("deliveries are there");
        let (webhook, now, object) = ([7; 16], Param::Int(1), "num_1");
        let read = move |tx: &mut Tx| {
            let webhook: Param = (&webhook).into();
            [
                ("promote", deliveries::PROMOTE, vec![webhook, object.into(), now]),
                ("due", deliveries::DUE, vec![webhook, now, now]),
                ("next due", deliveries::NEXT_DUE, vec![webhook]),
                ("hasten", deliveries::HASTEN, vec![webhook, now]),
                ("cancel", deliveries::CANCEL, vec![webhook, now]),
            ]
            .into_iter()
            .map(|(name, sql, params)| Ok((name, plan(tx, sql, &params)?)))
            .collect::<Result<Vec<_>>>()
        };
        for (name, plan) in fresh.store.write(read).await.expect("plans") {
            assert!(plan.contains("deliveries_open") || plan.contains("deliveries_due"), "{name}:\n{plan}");
            assert!(!plan.contains("deliveries_by_webhook") && !plan.contains("Seq Scan"), "{name}:\n{plan}");
        }
    }

    async fn messages_are_found_by_their_recipients(fresh: Fresh) {
        let place = |number: u64, recipient: u64| Place {
            message: MessageId::from_bytes(u128::from(number).to_be_bytes()),
            environment: EnvironmentId::from_bytes([1; 16]),
            recipient: PhoneNumber::from_digits(recipient),
        };
        let fill = move |tx: &mut Tx| {
            let american: Vec<Place> = (0..5_000).map(|number| place(number, 14_150_000_000 + number)).collect();
            let british = [place(6_000, 447_400_000_001), place(6_001, 447_500_000_001), place(6_002, 448_400_000_001)];
            outbox::add(tx, &american, Environment::Live)?;
            outbox::add(tx, &british, Environment::Live)?;
            tx.execute("ANALYZE outbox", &[])
        };
        fresh.store.write(fill).await.expect("messages wait");
        let lines = |prefix: &str, but: &[&str]| Lines { prefix: prefix.into(), but: but.iter().map(|but| (*but).into()).collect() };
        let store = &fresh.store;
        let ready = |lines: Vec<Lines>, most| async move {
            let found = store.write(move |tx| outbox::ready(tx, Environment::Live, &lines, most)).await.expect("found");
            found.iter().map(|(message, _)| u128::from_be_bytes(*message.as_bytes())).collect::<Vec<_>>()
        };
        for (wanted, most, found) in [
            (vec![lines("44", &[])], 10, vec![6_000, 6_001, 6_002]),
            (vec![lines("44", &[])], 2, vec![6_000, 6_001]),
            (vec![lines("44", &["447"])], 10, vec![6_002]),
            (vec![lines("44", &[]), lines("4474", &[])], 10, vec![6_000, 6_001, 6_002]),
            (vec![lines("", &["1"])], 10, vec![6_000, 6_001, 6_002]),
            (vec![lines("1", &[])], 2, vec![0, 1]),
            (vec![lines("", &[])], 1, vec![0]),
            (vec![lines("33", &[])], 10, vec![]),
            (vec![], 10, vec![]),
        ] {
            let what = format!("{wanted:?}");
            assert_eq!(ready(wanted, most).await, found, "{what}");
        }
        let plan = fresh.store.write(|tx| {
            let sql = format!("{} AND (digits BETWEEN $2 AND $3)", outbox::BY_DIGITS);
            plan(tx, &sql, &["live".into(), Param::Int(440_000_000_000_000), Param::Int(449_999_999_999_999)])
        });
        let plan = plan.await.expect("a plan");
        assert!(plan.contains("outbox_ready_by_digits"), "{plan}");
    }
}
