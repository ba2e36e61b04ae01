//! Statements that run for each delivery find their rows by an index, however many deliveries there were before.

use tandem_catalogue::Result;
use tandem_store::{Engine, Param, Tx, repo::deliveries};
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
}
