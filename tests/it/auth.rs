//! Who is let in, and what those hear who are not.

use serde_json::json;
use tandem_app::accounts::ChangeAccount;
use tandem_domain::{account::AccountStatus, key::KeyText};
use tandem_kernel::{Environment, KeyKind, Scope, SeededRng};
use tandem_testkit::{Answer, Server, on_both};

use crate::examples;

const LIST: &str = "/audian/v2/numbers";

fn assert_missing(answer: &Answer) -> &Answer {
    answer.assert_no_header("x-ratelimit-limit").assert_audian_error(
        401,
        "missing_authentication",
        "authentication_error",
        "Authentication credentials were not provided",
        None,
    )
}

fn assert_invalid(answer: &Answer) -> &Answer {
    answer.assert_no_header("x-ratelimit-limit").assert(401, examples::by_code("invalid_api_key"))
}

fn assert_expired(answer: &Answer) -> &Answer {
    let message = "The API key provided is invalid or has expired";
    answer.assert_audian_error(401, "invalid_api_key", "authentication_error", message, None)
}

on_both! {
    async fn a_key_opens_its_environment_in_either_header(server: Server) {
        let ada = server.account("Ada").await;
        let nothing = json!({ "success": true, "data": { "numbers": [], "total": 0, "limit": 20, "offset": 0 } });
        ada.test().get(LIST).await.assert(200, &nothing);
        ada.live().get(LIST).await.assert(200, &nothing);
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let client = server.client().header("authorization", format!("{scheme} {}", ada.test.key));
            client.get(LIST).await.assert(200, &nothing);
        }
        let both = server.client_with(&ada.test.key).header("authorization", "Bearer nonsense");
        both.get(LIST).await.assert(200, &nothing);
    }

    async fn no_credential_is_said_to_be_missing(server: Server) {
        assert_missing(&server.client().get(LIST).await);
        assert_missing(&server.client().header("x-auth-token", "").get(LIST).await);
        assert_missing(&server.client().header("x-auth-token", "  ").get(LIST).await);
        assert_missing(&server.client().header("authorization", "").get(LIST).await);
        assert_missing(&server.client().header("authorization", "Bearer ").get(LIST).await);
        assert_missing(&server.client().header("x-auth-token", "").header("authorization", "Bearer").get(LIST).await);
    }

    async fn a_key_that_was_never_issued_is_invalid(server: Server) {
        let foreign = KeyText::mint(KeyKind::Secret, Some(Environment::Test), &SeededRng::new(7));
        assert_invalid(&server.client_with(foreign.as_str()).get(LIST).await);
        assert_invalid(&server.client_with("sk_test_nonsense").get(LIST).await);
        for text in ["sk_test_", "?", "null", "sk_test_é", &"x".repeat(4000)] {
            assert_invalid(&server.client_with(text).get(LIST).await);
        }
        assert_invalid(&server.client().header("authorization", "Basic dXNlcjpwYXNz").get(LIST).await);
        let ada = server.account("Ada").await;
        let mut altered = ada.test.key.clone();
        let last = altered.pop().expect("a character");
        altered.push(if last == 'a' { 'b' } else { 'a' });
        assert_invalid(&server.client_with(altered).get(LIST).await);
    }

    async fn a_key_of_the_wrong_sort_is_invalid(server: Server) {
        let ada = server.account("Ada").await;
        let relabelled = ada.test.key.replace("sk_test_", "sk_live_");
        assert_invalid(&server.client_with(relabelled).get(LIST).await);
        assert_invalid(&server.client_with(server.operator_key()).get(LIST).await);
    }

    async fn an_expired_key_says_so(server: Server) {
        let ada = server.account("Ada").await;
        let key = ada.mint(Environment::Test, &[Scope::NumbersRead], Some(server.now().plus_seconds(60))).await;
        let client = server.client_with(&key.text);
        client.get(LIST).await.assert_status(200);
        server.pass_seconds(59);
        client.get(LIST).await.assert_status(200);
        server.pass_seconds(1);
        assert_expired(&client.get(LIST).await);
        server.restart().await;
        assert_expired(&client.get(LIST).await);
    }

    async fn a_revoked_key_is_refused_from_the_next_request_on(server: Server) {
        let ada = server.account("Ada").await;
        let key = ada.mint(Environment::Test, &[Scope::NumbersRead], None).await;
        let client = server.client_with(&key.text);
        client.get(LIST).await.assert_status(200);
        ada.revoke(Environment::Test, key.id).await;
        assert_invalid(&client.get(LIST).await);
        ada.test().get(LIST).await.assert_status(200);
    }

    async fn a_rotated_key_works_beside_its_successor_for_the_overlap(server: Server) {
        let ada = server.account("Ada").await;
        let old = ada.mint(Environment::Test, &[Scope::NumbersRead], None).await;
        let client = server.client_with(&old.text);
        client.get(LIST).await.assert_status(200);
        let new = ada.rotate(Environment::Test, old.id, 3600).await;
        assert_ne!(new.text, old.text);
        let successor = server.client_with(&new.text);
        successor.get(LIST).await.assert_status(200);
        client.get(LIST).await.assert_status(200);
        server.pass_seconds(3599);
        client.get(LIST).await.assert_status(200);
        server.pass_seconds(1);
        assert_expired(&client.get(LIST).await);
        successor.get(LIST).await.assert_status(200);
    }

    async fn a_rotation_without_overlap_ends_the_old_key_at_once(server: Server) {
        let ada = server.account("Ada").await;
        let old = ada.mint(Environment::Test, &[Scope::NumbersRead], None).await;
        let client = server.client_with(&old.text);
        client.get(LIST).await.assert_status(200);
        ada.rotate(Environment::Test, old.id, 0).await;
        assert_expired(&client.get(LIST).await);
    }

    async fn a_key_without_the_scope_is_forbidden(server: Server) {
        let ada = server.account("Ada").await;
        let publishable = server.client_with(&ada.test.publishable);
        publishable.get(LIST).await.assert(403, examples::by_status(403));
        let reader = ada.test_with(&[Scope::NumbersRead]).await;
        reader.get(LIST).await.assert_status(200);
        let body = json!({ "number": "+14155550100" });
        reader.post("/audian/v2/numbers/purchase", body.clone()).await.assert(403, examples::by_status(403));
        assert_eq!(ada.charges(Environment::Test).await, []);
        let writer = ada.test_with(&[Scope::NumbersWrite]).await;
        writer.post("/audian/v2/numbers/purchase", body).await.assert_status(201);
        writer.get(LIST).await.assert(403, examples::by_status(403));
    }

    async fn permission_is_asked_for_after_the_lookup_and_before_the_state(server: Server) {
        let ada = server.account("Ada").await;
        let powerless = ada.test_with(&[]).await;
        let bought = ada.test().post("/audian/v2/numbers/purchase", json!({ "number": "+14155550100" })).await;
        let own = format!("{LIST}/{}", bought.data_text("id"));
        powerless.get(&own).await.assert(403, examples::by_status(403));
        powerless.delete(&own).await.assert(403, examples::by_status(403));
        powerless.put(&format!("{own}/config"), json!({ "friendly_name": "x" })).await.assert(403, examples::by_status(403));
        powerless.get(&format!("{LIST}/num_abc123")).await.assert(404, examples::by_code("not_found_error"));
        let malformed = powerless.post("/audian/v2/numbers/purchase", json!({})).await;
        malformed.assert(400, examples::by_code("missing_required_parameter"));
    }

    async fn what_belongs_to_others_does_not_exist(server: Server) {
        let (ada, eve) = (server.account("Ada").await, server.account("Eve").await);
        let bought = ada.test().post("/audian/v2/numbers/purchase", json!({ "number": "+14155550100" })).await;
        let id = bought.data_text("id");
        for thief in [eve.test(), eve.live(), ada.live()] {
            let message = format!("The phone number '{id}' was not found");
            let body = json!({ "error": { "code": "not_found_error", "message": message, "type": "not_found_error" } });
            thief.get(&format!("{LIST}/{id}")).await.assert(404, &body);
            thief.delete(&format!("{LIST}/{id}")).await.assert(404, &body);
            thief.get(&format!("{LIST}/{id}/config")).await.assert(404, &body);
            thief.put(&format!("{LIST}/{id}/config"), json!({ "friendly_name": "mine" })).await.assert(404, &body);
            thief.get(&format!("{LIST}/+14155550100")).await.assert(404, examples::by_status(404));
        }
        ada.test().get(&format!("{LIST}/{id}")).await.assert(200, &bought.body);
    }

    async fn a_suspended_account_is_let_in_and_refused(server: Server) {
        let ada = server.account("Ada").await;
        ada.test().get(LIST).await.assert_status(200);
        ada.change(ChangeAccount { status: Some(AccountStatus::Suspended), ..ChangeAccount::default() }).await;
        let refused = ada.test().get(LIST).await;
        refused.assert_audian_error(403, "operation_not_allowed", "forbidden_error", "The account is suspended", None);
        refused.assert_header("x-ratelimit-limit", "1000");
        ada.change(ChangeAccount { status: Some(AccountStatus::Active), ..ChangeAccount::default() }).await;
        ada.test().get(LIST).await.assert_status(200);
        ada.change(ChangeAccount { status: Some(AccountStatus::Closed), ..ChangeAccount::default() }).await;
        assert_invalid(&ada.test().get(LIST).await);
    }
}
