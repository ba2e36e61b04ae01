//! A database that fails: what callers hear, for how long, and what is left of it afterwards.

use std::time::{Duration, Instant};

use serde_json::json;
use tandem_kernel::Environment::Test;
use tandem_testkit::{Engine, Server, Stage, on_both, until};

use crate::{
    examples,
    numbers::{LIST, PURCHASE, SEARCH, buy, found, row},
};

/// What a caller waits at the most, with a store that is told to wait a second.
const BOUND: Duration = Duration::from_secs(4);

on_both! {
    async fn a_database_that_stops_answering_is_told_of_in_time_and_recovers_by_itself(stage: Stage) {
        let (stage, outage) = stage.config(|config| config.store.patience_seconds = 1).breakable().await;
        let server = stage.start().await;
        let ada = server.account("Ada").await;
        let id = buy(&ada.test(), "+14155550100").await;
        let client = ada.test().idempotency("during the outage");
        outage.begin();
        let began = Instant::now();
        let refused = client.post(PURCHASE, json!({ "number": "+14155550101" })).await;
        refused.assert(503, examples::by_code("service_unavailable_error")).assert_header("retry-after", "2");
        assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
        ada.test().put(&format!("{LIST}/{id}/config"), json!({ "friendly_name": "x" })).await.assert_status(503);
        ada.test().get(&format!("{SEARCH}?location=US-NY")).await.assert_status(200);
        if stage.engine() == Engine::Postgres {
            ada.test().get(LIST).await.assert(503, examples::by_code("service_unavailable_error"));
            server.client().get("/readyz").await.assert_status(503);
        }
        outage.end();
        let bought = until("purchases are possible again", || async {
            let answer = client.post(PURCHASE, json!({ "number": "+14155550101" })).await;
            (answer.status != 503).then_some(answer)
        });
        bought.await.assert_status(201);
        until("reads are possible again", || async { (ada.test().get(LIST).await.status == 200).then_some(()) }).await;
        assert_eq!(found(&ada.test().get(LIST).await).1, 2);
        assert_eq!(ada.charges(Test).await.len(), 2);
    }

    async fn many_that_wait_in_an_outage_are_all_told_and_nothing_is_half_done(stage: Stage) {
        let (stage, outage) = stage.config(|config| config.store.patience_seconds = 1).breakable().await;
        let server = stage.start().await;
        let ada = server.account("Ada").await;
        ada.unlimited(Test).await;
        ada.test().get(LIST).await.assert_status(200);
        outage.begin();
        let began = Instant::now();
        let mut requests = tokio::task::JoinSet::new();
        for number in row(14_155_550_100, 40) {
            let client = ada.test().idempotency(&number);
            requests.spawn(async move { client.post(PURCHASE, json!({ "number": number })).await });
        }
        for answer in requests.join_all().await {
            answer.assert_status(503);
            assert!(answer.header("retry-after").is_some());
        }
        assert!(began.elapsed() < BOUND * 2, "{:?}", began.elapsed());
        outage.end();
        for number in row(14_155_550_100, 40) {
            let client = ada.test().idempotency(&number);
            let bought = until("purchases are possible again", || async {
                let answer = client.post(PURCHASE, json!({ "number": number })).await;
                (answer.status != 503).then_some(answer)
            });
            bought.await.assert_status(201);
        }
        assert_eq!(ada.charges(Test).await.len(), 40);
    }

    async fn a_queue_that_is_full_tells_callers_to_come_back(stage: Stage) {
        let (stage, outage) = stage.config(|config| config.store.queue = 8).breakable().await;
        let server = stage.start().await;
        let ada = server.account("Ada").await;
        ada.test().get(LIST).await.assert_status(200);
        outage.begin();
        let mut requests = tokio::task::JoinSet::new();
        for number in row(14_155_550_100, 40) {
            let client = ada.test();
            requests.spawn(async move { client.post(PURCHASE, json!({ "number": number })).await });
        }
        let mut turned_away = 0;
        while let Some(answer) = requests.join_next().await {
            let answer = answer.expect("an answer");
            answer.assert_status(503);
            if answer.header("retry-after") == Some("1") {
                answer.assert(503, examples::by_status(503));
                turned_away += 1;
            }
        }
        assert!(turned_away >= 20, "{turned_away}");
        outage.end();
        until("purchases are possible again", || async {
            (ada.test().post(PURCHASE, json!({ "number": "+14155550139" })).await.status != 503).then_some(())
        })
        .await;
    }

    async fn a_database_that_is_damaged_is_an_internal_error_without_a_word_about_it(server: Server) {
        let ada = server.account("Ada").await;
        buy(&ada.test(), "+14155550100").await;
        server.database().tamper("ALTER TABLE numbers RENAME TO misplaced");
        for answer in [ada.test().get(LIST).await, ada.test().post(PURCHASE, json!({ "number": "+14155550101" })).await] {
            answer.assert(500, examples::by_code("internal_server_error")).assert(500, examples::by_status(500));
        }
        server.database().tamper("ALTER TABLE misplaced RENAME TO numbers");
        assert_eq!(found(&ada.test().get(LIST).await).1, 1);
        buy(&ada.test(), "+14155550101").await;
        assert_eq!(ada.charges(Test).await.len(), 2);
    }

    async fn a_network_that_breaks_again_and_again_loses_and_doubles_nothing(stage: Stage) {
        if stage.engine() == Engine::Sqlite {
            return; // there is no network between an SQLite file and its server
        }
        let (stage, proxy) = stage.config(|config| config.store.patience_seconds = 2).proxied().await;
        let server = stage.start().await;
        let ada = server.account("Ada").await;
        ada.unlimited(Test).await;
        let breaking = {
            let proxy = proxy.clone();
            tokio::spawn(async move {
                for pause in (3..23).cycle().take(120) {
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                    proxy.cut();
                    proxy.mend();
                }
            })
        };
        for number in row(14_155_550_100, 40) {
            let client = ada.test().idempotency(&number);
            let bought = until("the purchase is answered", || async {
                let answer = client.post(PURCHASE, json!({ "number": number })).await;
                (answer.status < 500 && answer.status != 409).then_some(answer)
            });
            bought.await.assert_status(201);
        }
        breaking.await.expect("the network is whole again");
        until("reads are possible again", || async { (ada.test().get(LIST).await.status == 200).then_some(()) }).await;
        assert_eq!(found(&ada.test().get(LIST).await).1, 40);
        assert_eq!(ada.charges(Test).await.len(), 40);
    }
}
