//! The clock of a test environment.

use http::Method;
use serde_json::json;
use tandem_kernel::Scope;
use tandem_testkit::{Engine, Server, Stage, on_both, until};

use super::{buy, refused, refuses, text};

const ADVANCE: &str = "/v1/clock/advance";

on_both! {
    async fn a_clock_is_moved_by_seconds_by_the_calendar_and_to_an_instant(server: Server) {
        let ada = server.account("Ada").await;
        let clock = ada.test().get("/v1/clock").await;
        clock.assert(200, &json!({
            "now": "2024-01-01T00:00:00Z", "target": "2024-01-01T00:00:00Z", "frozen": false, "ran": 0, "arrived": true,
        }));
        for (body, now) in [
            (json!({ "by_seconds": 90 }), "2024-01-01T00:01:30Z"),
            (json!({ "to": "2024-01-31T10:00:00Z" }), "2024-01-31T10:00:00Z"),
            (json!({ "by": "P1M" }), "2024-02-29T10:00:00Z"),
            (json!({ "by": "P1DT2H" }), "2024-03-01T12:00:00Z"),
            (json!({ "by_seconds": 0 }), "2024-03-01T12:00:00Z"),
        ] {
            let moved = ada.test().post(ADVANCE, body).await;
            moved.assert_status(200);
            assert_eq!((text(&moved, "/now").as_str(), &moved.body["arrived"]), (now, &json!(true)), "{moved}");
        }
        assert_eq!(text(&ada.test().get("/v1/clock").await, "/now"), "2024-03-01T12:00:00Z");
        assert_eq!(text(&ada.live().get("/v1/clock").await, "/now"), server.now().to_string());
    }

    async fn other_servers_learn_that_a_clock_was_moved(stage: Stage) {
        if stage.engine() == Engine::Sqlite {
            return; // an SQLite file has one server
        }
        let (one, two) = (stage.start().await, stage.start().await);
        let ada = one.account("Ada").await;
        let elsewhere = two.client_with(&ada.test.key);
        assert_eq!(text(&elsewhere.get("/v1/clock").await, "/now"), "2024-01-01T00:00:00Z");
        ada.test().post(ADVANCE, json!({ "by": "P1M" })).await.assert_status(200);
        until("the other knows", || async {
            (text(&elsewhere.get("/v1/clock").await, "/now") == "2024-02-01T00:00:00Z").then_some(())
        }).await;
    }

    async fn work_on_the_way_is_done(server: Server) {
        let ada = server.account("Ada").await;
        buy(&ada, "+14155550100").await;
        let moved = ada.test().post(ADVANCE, json!({ "by": "P3M" })).await;
        assert!(moved.body["ran"].as_u64() >= Some(3), "{moved}");
        assert_eq!(ada.charges(tandem_kernel::Environment::Test).await.len(), 4);
    }

    async fn a_clock_stands_still_and_runs_on(server: Server) {
        let ada = server.account("Ada").await;
        let still = ada.test().post(ADVANCE, json!({ "frozen": true })).await;
        assert_eq!(still.body["frozen"], true);
        server.pass_seconds(60);
        assert_eq!(text(&ada.test().get("/v1/clock").await, "/now"), "2024-01-01T00:00:00Z");
        ada.test().post(ADVANCE, json!({ "by_seconds": 5, "frozen": false })).await.assert_status(200);
        server.pass_seconds(60);
        assert_eq!(text(&ada.test().get("/v1/clock").await, "/now"), "2024-01-01T00:01:05Z");
    }

    async fn a_clock_moves_one_way_and_only_in_the_test_environment(server: Server) {
        let ada = server.account("Ada").await;
        refuses(&ada.test(), Method::POST, ADVANCE, &[
            (json!({}), 400, "one_of_required", None),
            (json!({ "by_seconds": -1 }), 400, "out_of_range", Some("/by_seconds")),
            (json!({ "by_seconds": "1" }), 400, "wrong_type", Some("/by_seconds")),
            (json!({ "by": "a month" }), 400, "invalid_value", Some("/by")),
            (json!({ "by": "-P1M" }), 400, "invalid_value", Some("/by")),
            (json!({ "to": "2023-12-31" }), 400, "invalid_value", Some("/to")),
            (json!({ "to": "soon" }), 400, "invalid_value", Some("/to")),
            (json!({ "frozen": "yes" }), 400, "wrong_type", Some("/frozen")),
            (json!({ "by_seconds": 1, "by": "P1D" }), 400, "invalid_value", Some("/by")),
            (json!({ "by_seconds": 1, "to": "2025-01-01" }), 400, "invalid_value", Some("/to")),
        ]).await;
        refused(&ada.live().post(ADVANCE, json!({ "by_seconds": 1 })).await, 422, "clock_not_movable", None);
        let reader = ada.test_with(&[Scope::LogsRead]).await;
        reader.get("/v1/clock").await.assert_status(200);
        refused(&reader.post(ADVANCE, json!({ "by_seconds": 1 })).await, 403, "insufficient_scope", None);
        let simulator = ada.test_with(&[Scope::Simulate]).await;
        refused(&simulator.get("/v1/clock").await, 403, "insufficient_scope", None);
        simulator.post(ADVANCE, json!({ "by_seconds": 1 })).await.assert_status(200);
    }

    async fn a_movement_is_answered_again(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test().idempotency("advance");
        let first = client.post(ADVANCE, json!({ "by_seconds": 3600 })).await;
        client.post(ADVANCE, json!({ "by_seconds": 3600 })).await.assert_replay_of(&first);
        assert_eq!(text(&ada.test().get("/v1/clock").await, "/now"), "2024-01-01T01:00:00Z");
        // As after a crash that came before the answer was kept.
        server.app().store.write(|tx| tx.execute("DELETE FROM idempotency", &[])).await.expect("forgotten");
        let again = client.post(ADVANCE, json!({ "by_seconds": 3600 })).await;
        again.assert_status(200);
        assert_eq!((text(&again, "/now"), text(&again, "/target")), ("2024-01-01T01:00:00Z".to_owned(), text(&first, "/target")));
    }
}
