//! The codes that operations share, from their real causes, in each dialect.

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};
use tandem_app::accounts::ChangeAccount;
use tandem_domain::{account::AccountStatus, environment::RateLimit};
use tandem_kernel::{
    Environment::{Live, Test},
    Scope,
};
use tandem_testkit::{Server, Stage, on_both, until};

use super::{DOORS, say, says};

const MEBIBYTE: usize = 1024 * 1024;

/// Values that are wrong, by dialect: how they are sent, and what is said.
fn wrong_values() -> Vec<(Method, &'static str, Value, &'static str)> {
    let verify = "/telephony/api/verify/send";
    let (projects, native) = ("/fonedynamics/v2/Properties", "/v1/opt-outs");
    let project = |name: Value, domain: Value| json!({ "Name": name, "MainDomain": domain, "TimeZone": "UTC" });
    vec![
        (Method::POST, verify, json!({}), "missing_parameter"),
        (Method::POST, verify, json!({ "phone_number": 61_412_345_678_i64 }), "wrong_type"),
        (Method::POST, verify, json!({ "phone_number": {} }), "malformed_parameter"),
        (Method::POST, verify, json!({ "phone_number": "+61412345678", "code_length": 99 }), "out_of_range"),
        (Method::POST, verify, json!({ "phone_number": "+61412345678", "locale": "xx" }), "invalid_choice"),
        (Method::POST, verify, json!({ "phone_number": "+61412345678", "brand": "evil.com" }), "invalid_value"),
        (Method::POST, verify, json!({ "phone_number": "+61412345678", "brand": "" }), "too_short"),
        (Method::POST, verify, json!({ "phone_number": "+61412345678", "brand": "x".repeat(19) }), "too_long"),
        (Method::POST, projects, json!({}), "missing_parameter"),
        (Method::POST, projects, project(json!(1), json!("x")), "wrong_type"),
        (Method::POST, projects, project(json!("x".repeat(200)), json!("www.example.com")), "too_long"),
        (Method::GET, "/fonedynamics/v2/Properties?Results_Count=0", Value::Null, "out_of_range"),
        (Method::POST, native, json!({ "from": "+14155550100" }), "missing_parameter"),
        (Method::POST, native, json!({ "from": 1, "to": "+14155550199" }), "wrong_type"),
        (Method::POST, native, json!({ "from": "+14155550100", "to": {} }), "malformed_parameter"),
        (Method::POST, native, json!({ "from": "+14155550100", "to": "+14155550199", "fro": 1 }), "unknown_parameter"),
        (Method::GET, "/v1/opt-outs?limit=0", Value::Null, "out_of_range"),
    ]
}

on_both! {
    async fn credentials_are_looked_at_first(server: Server) {
        let ada = server.account("Ada").await;
        let powerless = ada.test_with(&[Scope::CallsRead]).await;
        let expired = ada.mint(Test, &[Scope::NumbersRead], Some(server.now().plus_seconds(60))).await;
        let revoked = ada.mint(Test, &[Scope::NumbersRead], None).await;
        ada.revoke(Test, revoked.id).await;
        server.pass_seconds(61);
        let with = |key: &str| server.client_with(key).of(ada.account);
        for door in DOORS {
            says(&server.client().get(door.list).await, "missing_authentication");
            says(&with("sk_test_nonsense").get(door.list).await, "invalid_api_key");
            says(&with(&expired.text).get(door.list).await, "expired_api_key");
            says(&with(&revoked.text).get(door.list).await, "revoked_api_key");
            says(&door.write(&powerless).await, "insufficient_scope");
            let below = door.list.rsplit_once('/').map_or("", |(before, _)| before);
            says(&ada.test().get(&format!("{below}/Nothing-here")).await, "path_not_found");
            says(&ada.test().delete(door.list).await, "method_not_allowed");
        }
        ada.change(ChangeAccount { status: Some(AccountStatus::Suspended), ..ChangeAccount::default() }).await;
        for door in DOORS {
            says(&ada.test().get(door.list).await, "account_suspended");
        }
    }

    async fn limits_are_told_in_each_dialect(server: Server) {
        let rate = RateLimit { limit: 1, period: 3600, burst: 4, monthly_quota: None };
        let (ada, eve) = (server.account("Ada").await, server.account("Eve").await);
        ada.limit(Test, rate).await;
        eve.limit(Test, RateLimit { burst: 100, monthly_quota: Some(1), ..rate }).await;
        for door in DOORS {
            ada.test().get(door.list).await;
            eve.test().get(door.list).await;
        }
        for door in DOORS {
            says(&ada.test().get(door.list).await, "rate_limited");
            says(&eve.test().get(door.list).await, "quota_exceeded");
        }
    }

    async fn bodies_are_read_before_anything_else(server: Server) {
        let ada = server.account("Ada").await;
        for door in DOORS {
            let send = async |bytes: Vec<u8>| ada.test().send(Method::POST, door.write, Some(bytes)).await;
            says(&send(b"{".to_vec()).await, "malformed_body");
            says(&send(vec![b' '; 2 * MEBIBYTE]).await, "body_too_large");
            let csv = ada.test().header("content-type", "text/csv");
            says(&door.write(&csv).await, "unsupported_media_type");
            says(&door.write(&ada.test().idempotency("")).await, "invalid_idempotency_key");
        }
        let project = format!("/fonedynamics/v2/Properties/{}", crate::fone::first_project(&ada));
        let login = json!({ "Email": "a@example.com", "Password": "short", "FirstName": "A", "LastName": "B", "Scopes": "Manage" });
        say(&ada.test(), &[
            (Method::POST, format!("{project}/OnlineLogins"), login, "too_short"),
            (Method::POST, format!("{project}/Messages"), json!({ "To": {}, "Text": "x" }), "malformed_parameter"),
        ]).await;
        let merge = ada.test().header("content-type", "application/merge-patch+json");
        say(&merge, &[(Method::PATCH, project, json!({ "TimeZone": "Mars" }), "unknown_time_zone")]).await;
        for (method, path, body, code) in wrong_values() {
            say(&ada.test(), &[(method, path.to_owned(), body, code)]).await;
        }
    }

    async fn a_key_of_two_bodies_and_a_damaged_database(server: Server) {
        let ada = server.account("Ada").await;
        for door in DOORS {
            let client = ada.test().idempotency(door.name);
            assert!(door.write(&client).await.status < 300);
            says(&client.post(door.write, json!({})).await, "idempotency_key_reused");
        }
        let eve = server.account("Eve").await;
        server.database().tamper("ALTER TABLE events RENAME TO misplaced");
        for door in DOORS {
            let answer = match door.name {
                "audian" => eve.test().post(door.write, json!({ "number": "+14155550101" })).await,
                "native" => eve.test().get("/v1/events").await,
                _ => door.write(&eve.test()).await,
            };
            says(&answer, "internal");
        }
        server.database().tamper("ALTER TABLE misplaced RENAME TO events");
    }

    async fn a_database_that_is_away_holds_a_request_and_those_like_it(stage: Stage) {
        let (stage, outage) = stage.config(|config| config.store.patience_seconds = 1).breakable().await;
        let server = stage.start().await;
        let ada = server.account("Ada").await;
        for door in DOORS {
            ada.test().get(door.list).await.assert_status(200);
        }
        outage.begin();
        for door in DOORS {
            let client = ada.test().idempotency(door.name);
            until("a repetition meets the first", || async {
                let mut requests = tokio::task::JoinSet::new();
                for _ in 0..3 {
                    let client = client.clone();
                    requests.spawn(async move { door.write(&client).await });
                }
                let answers = requests.join_all().await;
                let said = |code| answers.iter().any(|answer| answer.header("x-tandem-error") == Some(code));
                (said("request_in_progress") && said("unavailable")).then_some(())
            })
            .await;
        }
        outage.end();
    }

    async fn a_server_that_is_full_or_stops_takes_no_more(stage: Stage) {
        for door in DOORS {
            let stage = stage.clone().config(|config| {
                config.limits.requests = 1;
                config.limits.body_seconds = 1;
            });
            let server = stage.start().await;
            let ada = server.account("Ada").await;
            let body = (door.body)().to_string().into_bytes();
            let client = ada.test();
            let late = client.send_in_two(Method::POST, door.write, body.clone(), std::future::pending()).await;
            says(&late, "request_timeout");
            let stopped = Arc::new(tokio::sync::Notify::new());
            let stop = || {
                let (outside, other, stopped) = (server.clone(), client.clone(), stopped.clone());
                async move {
                    let full = until("the first has the only place", || async {
                        let answer = other.get(door.list).await;
                        (answer.status == 503).then_some(answer)
                    });
                    says(&full.await, "overloaded");
                    let app = outside.app();
                    tokio::spawn(async move {
                        outside.stop().await;
                        stopped.notify_one();
                    });
                    until("the server stops", || async { app.is_stopping().then_some(()) }).await;
                }
            };
            // Whoever looks whether the place is taken may have it for a moment.
            let refused = until("it has the only place", || async {
                let answer = client.send_in_two(Method::POST, door.write, body.clone(), stop()).await;
                (answer.header("x-tandem-error") != Some("overloaded")).then_some(answer)
            });
            says(&refused.await, "shutting_down");
            stopped.notified().await;
        }
    }

    async fn nothing_is_written_where_others_write_again_and_again(stage: Stage) {
        if stage.engine() == tandem_testkit::Engine::Sqlite {
            return; // an SQLite file has one writer, which nobody gets in the way of
        }
        let server = stage.start().await;
        let (ada, operator) = (server.account("Ada").await, server.operator());
        // What the engine says of a transaction that it gives up for another's sake, each time that it is tried.
        let give_up = "CREATE FUNCTION give_up() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'given up' USING ERRCODE = '40001'; END $$ \
                       LANGUAGE plpgsql";
        server.database().tamper(give_up);
        for table in ["events", "opt_outs"] {
            server.database().tamper(&format!("CREATE TRIGGER others BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION give_up()"));
        }
        for door in DOORS {
            says(&door.write(&ada.test()).await, "concurrent_modification");
        }
        for table in ["events", "opt_outs"] {
            server.database().tamper(&format!("DROP TRIGGER others ON {table}"));
        }
        operator.get("/v1/ports").await.assert_status(200);
        assert_eq!(ada.wallet(Live).await.held + ada.wallet(Test).await.held, 0);
    }
}
