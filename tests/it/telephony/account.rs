//! The balance, and what every operation of the dialect does alike.

use http::Method;
use serde_json::json;
use tandem_app::accounts::ChangeAccount;
use tandem_domain::{account::AccountStatus, environment::RateLimit};
use tandem_kernel::{
    Environment::{Live, Test},
    Scope,
};
use tandem_testkit::{Server, Stage, on_both};

const BALANCE: &str = "/telephony/api/account/balance";
const KEY: &str = "Invalid or missing API key";

on_both! {
    async fn the_balance_is_read_for_nothing(server: Server) {
        let ada = server.account("Ada").await;
        ada.test().get(BALANCE).await.assert(200, &json!({ "success": true, "balance": 100, "held": 0, "currency": "USD" }));
        ada.purse(Test, 0).await;
        for _ in 0..3 {
            ada.test().get(BALANCE).await.assert(200, &json!({ "success": true, "balance": 0, "held": 0, "currency": "USD" }));
        }
        ada.purse(Live, 250_000).await;
        ada.live().get(BALANCE).await.assert(200, &json!({ "success": true, "balance": 0.25, "held": 0, "currency": "USD" }));
        assert!(ada.charges(Test).await.is_empty());
    }

    async fn only_a_secret_key_with_the_scope_reads_it(server: Server) {
        let ada = server.account("Ada").await;
        server.client().get(BALANCE).await.assert_telephony_error(401, "unauthorized", KEY);
        server.client_with("sk_test_nonsense").get(BALANCE).await.assert_telephony_error(401, "unauthorized", KEY);
        server.client().header("authorization", "Basic YWRhOnNlY3JldA==").get(BALANCE).await
            .assert_telephony_error(401, "unauthorized", KEY)
            .assert_header("www-authenticate", r#"Bearer realm="Tandem""#);
        let gone = ada.mint(Test, &[Scope::BillingRead], None).await;
        server.client_with(&gone.text).get(BALANCE).await.assert_status(200);
        ada.revoke(Test, gone.id).await;
        server.client_with(&gone.text).get(BALANCE).await.assert_telephony_error(401, "unauthorized", KEY);
        let forbidden = "This API key is not allowed to do that";
        server.client_with(&ada.test.publishable).get(BALANCE).await.assert_telephony_error(403, "forbidden", forbidden);
        ada.test_with(&[Scope::Verify]).await.get(BALANCE).await.assert_telephony_error(403, "forbidden", forbidden);
        ada.change(ChangeAccount { status: Some(AccountStatus::Suspended), ..ChangeAccount::default() }).await;
        ada.test().get(BALANCE).await.assert_telephony_error(403, "forbidden", "The account is suspended");
    }

    async fn what_is_not_there_is_refused_in_the_dialects_words(server: Server) {
        let ada = server.account("Ada").await;
        let nothing = "There is nothing at /telephony/api/account/ballance";
        ada.test().get("/telephony/api/account/ballance").await.assert_telephony_error(404, "not_found", nothing);
        ada.test().send(Method::DELETE, BALANCE, None).await
            .assert_telephony_error(405, "invalid_parameter", "DELETE is not allowed here; allowed: GET, HEAD")
            .assert_header("allow", "GET, HEAD");
        ada.limit(Test, RateLimit { limit: 1000, period: 60_000, burst: 1, monthly_quota: None }).await;
        ada.test().get(BALANCE).await.assert_status(200).assert_header("x-ratelimit-remaining", "0");
        ada.test().get(BALANCE).await
            .assert_telephony_error(429, "rate_limit_exceeded", "Too many requests. Please retry after 60 seconds")
            .assert_header("retry-after", "60");
    }

    async fn it_is_served_on_its_own_host_under_the_documented_path(stage: Stage) {
        let server = stage.config(|config| config.hosts.telephony_io = vec!["www.telephony.example".to_owned()]).start().await;
        let ada = server.account("Ada").await;
        let host = server.client().header("host", "www.telephony.example").header("authorization", format!("Bearer {}", ada.test.key));
        let balance = json!({ "success": true, "balance": 100, "held": 0, "currency": "USD" });
        host.get("/api/account/balance").await.assert(200, &balance);
        host.get(BALANCE).await.assert(200, &balance);
        server.client_with(&ada.test.key).get("/api/account/balance").await.assert_status(404);
    }
}
