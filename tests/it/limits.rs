//! How much one caller may ask for.

use serde_json::json;
use tandem_domain::environment::RateLimit;
use tandem_kernel::Environment;
use tandem_testkit::{Answer, Server, Stage, on_both, until};

use crate::examples;

const LIST: &str = "/audian/v2/numbers";
const PURCHASE: &str = "/audian/v2/numbers/purchase";

fn rate(limit: u32, period: u32, burst: u32) -> RateLimit {
    RateLimit { limit, period, burst, monthly_quota: None }
}

fn assert_limits<'a>(answer: &'a Answer, limit: &str, remaining: &str, reset: &str) -> &'a Answer {
    answer
        .assert_header("x-ratelimit-limit", limit)
        .assert_header("x-ratelimit-remaining", remaining)
        .assert_header("x-ratelimit-reset", reset)
}

on_both! {
    async fn the_documented_example_of_a_refusal(server: Server) {
        let ada = server.account("Ada").await;
        ada.limit(Environment::Test, rate(1000, 60_000, 1)).await;
        assert_limits(ada.test().get(LIST).await.assert_status(200), "1000", "0", "1704067260");
        let refused = ada.test().get(LIST).await;
        refused.assert(429, examples::by_code("rate_limit_error")).assert(429, examples::by_status(429));
        assert_limits(refused.assert_header("retry-after", "60"), "1000", "0", "1704067260");
        server.pass_seconds(59);
        ada.test().get(LIST).await.assert_status(429).assert_header("retry-after", "1");
        server.pass_seconds(1);
        ada.test().get(LIST).await.assert_status(200);
    }

    async fn every_authenticated_answer_tells_its_limit(server: Server) {
        let ada = server.account("Ada").await;
        assert_limits(&ada.test().get(LIST).await, "1000", "99", "1704067201").assert_status(200);
        assert_limits(&ada.test().get(&format!("{LIST}/num_abc123")).await, "1000", "98", "1704067201").assert_status(404);
        assert_limits(&ada.test().post(PURCHASE, json!({})).await, "1000", "97", "1704067201").assert_status(400);
        let refused = server.client_with(&ada.test.publishable).get(LIST).await;
        assert_limits(&refused, "1000", "96", "1704067201").assert_status(403);
        assert_limits(&ada.live().get(LIST).await, "1000", "99", "1704067201").assert_status(200);
        server.pass_seconds(6);
        assert_limits(&ada.test().get(LIST).await, "1000", "99", "1704067207").assert_status(200);
    }

    async fn a_burst_passes_and_the_next_waits(server: Server) {
        let ada = server.account("Ada").await;
        for _ in 0..100 {
            ada.test().get(LIST).await.assert_status(200);
        }
        ada.test().get(LIST).await.assert_status(429).assert_header("retry-after", "1").assert_header("x-ratelimit-remaining", "0");
        ada.live().get(LIST).await.assert_status(200);
        server.account("Eve").await.test().get(LIST).await.assert_status(200);
    }

    async fn a_refused_purchase_buys_nothing(server: Server) {
        let ada = server.account("Ada").await;
        ada.limit(Environment::Test, rate(60, 60, 1)).await;
        ada.test().get(LIST).await.assert_status(200);
        ada.test().post(PURCHASE, json!({ "number": "+14155550100" })).await.assert_status(429);
        assert_eq!(ada.charges(Environment::Test).await, []);
        server.pass_seconds(1);
        ada.test().post(PURCHASE, json!({ "number": "+14155550100" })).await.assert_status(201);
    }

    async fn a_monthly_quota_is_refused_until_the_next_month(server: Server) {
        let ada = server.account("Ada").await;
        ada.limit(Environment::Test, RateLimit { monthly_quota: Some(3), ..rate(1000, 60, 100) }).await;
        for _ in 0..3 {
            ada.test().get(LIST).await.assert_status(200);
        }
        let seconds = 31 * 86_400;
        let message = format!("Too many requests. Please retry after {seconds} seconds");
        let refused = ada.test().get(LIST).await;
        refused.assert_audian_error(429, "rate_limit_error", "rate_limit_error", &message, None)
            .assert_header("retry-after", &seconds.to_string());
        assert_limits(&refused, "1000", "0", "1706745600");
        ada.live().get(LIST).await.assert_status(200);
        server.restart().await;
        ada.test().get(LIST).await.assert_status(429);
        server.pass_days(31);
        ada.test().get(LIST).await.assert_status(200);
    }

    async fn callers_without_a_key_are_counted_by_address(stage: Stage) {
        let server = stage.config(|config| config.limits.anonymous_per_minute = 3).start().await;
        let ada = server.account("Ada").await;
        for client in [server.client(), server.client_with("sk_test_nonsense"), server.client().header("authorization", "Basic eA==")] {
            client.get(LIST).await.assert_status(401);
        }
        let message = "Too many requests. Please retry after 20 seconds";
        server.client().get(LIST).await
            .assert_audian_error(429, "rate_limit_error", "rate_limit_error", message, None)
            .assert_header("retry-after", "20");
        server.client().get("/audian/v2/nowhere").await.assert_status(429);
        ada.test().get(LIST).await.assert_status(200);
        server.pass_seconds(20);
        server.client().get(LIST).await.assert_status(401);
    }

    async fn more_at_once_than_the_machine_takes_is_told_to_come_back(stage: Stage) {
        let server = stage.config(|config| config.limits.requests = 1).start().await;
        let ada = server.account("Ada").await;
        server.upstream().think();
        let buyer = ada.test();
        let first = tokio::spawn(async move { buyer.post(PURCHASE, json!({ "number": "+13105550100" })).await });
        until("the carrier is asked", || async { (server.upstream().times_asked() == 1).then_some(()) }).await;
        let refused = ada.test().get(LIST).await;
        refused.assert(503, examples::by_status(503)).assert_header("retry-after", "1");
        server.upstream().answer();
        first.await.expect("an answer").assert_status(201);
        ada.test().get(LIST).await.assert_status(200);
    }
}
