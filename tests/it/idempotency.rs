//! A repetition of a request gets the first answer.

use serde_json::json;
use tandem_domain::environment::RateLimit;
use tandem_kernel::Environment::{Live, Test};
use tandem_testkit::{NOWHERE, Server, carrier::Trouble, on_both, until};

use crate::examples;

const LIST: &str = "/audian/v2/numbers";
const PURCHASE: &str = "/audian/v2/numbers/purchase";

on_both! {
    async fn a_repetition_gets_the_first_answer_and_is_charged_once(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test().idempotency("first");
        let first = client.post(PURCHASE, json!({ "number": "+14155550100" })).await;
        first.assert_status(201).assert_no_header("idempotent-replayed");
        for _ in 0..3 {
            client.post(PURCHASE, json!({ "number": "+14155550100" })).await.assert_replay_of(&first);
        }
        assert_eq!(ada.charges(Test).await.len(), 1);
        server.restart().await;
        client.post(PURCHASE, json!({ "number": "+14155550100" })).await.assert_replay_of(&first);
        let other = ada.test().idempotency("second").post(PURCHASE, json!({ "number": "+14155550100" })).await;
        other.assert(409, examples::by_code("already_exists"));
    }

    async fn a_key_with_another_request_is_refused(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test().idempotency("once");
        client.post(PURCHASE, json!({ "number": "+14155550100" })).await.assert_status(201);
        let message = "The Idempotency-Key was used before with another request";
        let refused = client.post(PURCHASE, json!({ "number": "+14155550101" })).await;
        refused.assert_audian_error(422, "validation_error", "validation_error", message, None);
        client.post(&format!("{PURCHASE}?x=1"), json!({ "number": "+14155550100" })).await.assert_status(422);
        client.put(&format!("{LIST}/+14155550100/config"), json!({ "friendly_name": "x" })).await.assert_status(422);
        client.delete(&format!("{LIST}/+14155550100")).await.assert_status(422);
        ada.test().get(&format!("{LIST}/+14155550100")).await.assert_status(200);
        assert_eq!(ada.charges(Test).await.len(), 1);
    }

    async fn a_repetition_while_the_first_still_runs_is_a_conflict(server: Server) {
        let ada = server.account("Ada").await;
        server.upstream().think();
        let client = ada.test().idempotency("slow");
        let buyer = client.clone();
        let first = tokio::spawn(async move { buyer.post(PURCHASE, json!({ "number": "+13105550100" })).await });
        until("the carrier is asked", || async { (server.upstream().times_asked() == 1).then_some(()) }).await;
        let message = "The same request is being processed already";
        let meanwhile = client.post(PURCHASE, json!({ "number": "+13105550100" })).await;
        meanwhile.assert_audian_error(409, "conflict_error", "conflict_error", message, None);
        client.post(PURCHASE, json!({ "number": "+13105550101" })).await.assert_status(422);
        server.upstream().answer();
        let first = first.await.expect("an answer");
        first.assert_status(201);
        client.post(PURCHASE, json!({ "number": "+13105550100" })).await.assert_replay_of(&first);
        assert_eq!(server.upstream().carried_out(), 1);
    }

    async fn due_work_does_not_undo_what_a_repetition_asks_for_at_that_moment(server: Server) {
        for round in 0..4 {
            let ada = server.account("Ada").await;
            let (client, number) = (ada.test().idempotency("again"), format!("+1310555010{round}"));
            server.upstream().trouble(Trouble::Panic);
            client.post(PURCHASE, json!({ "number": number })).await.assert_status(500);
            server.upstream().trouble(Trouble::None);
            server.upstream().think();
            let asked = server.upstream().times_asked();
            server.pass_seconds(60);
            until("due work asks what became of it", || async { (server.upstream().times_looked_up() == round + 1).then_some(()) }).await;
            let buyer = client.clone();
            let wanted = number.clone();
            let again = tokio::spawn(async move { buyer.post(PURCHASE, json!({ "number": wanted })).await });
            until("the carrier is asked", || async { (server.upstream().times_asked() == asked + 1).then_some(()) }).await;
            server.upstream().answer();
            again.await.expect("an answer").assert_status(201);
            server.run_due().await;
            ada.test().get(&format!("{LIST}/{number}")).await.assert_status(200);
            assert_eq!(server.upstream().carried_out(), round + 1);
        }
    }

    async fn a_caller_that_hangs_up_is_bought_its_number_all_the_same(server: Server) {
        let ada = server.account("Ada").await;
        server.upstream().think();
        let client = ada.test().idempotency("gone");
        let buyer = client.clone();
        let first = tokio::spawn(async move { buyer.post(PURCHASE, json!({ "number": "+13105550100" })).await });
        until("the carrier is asked", || async { (server.upstream().times_asked() == 1).then_some(()) }).await;
        first.abort();
        let _ = first.await;
        server.upstream().answer();
        let again = || async {
            let answer = client.post(PURCHASE, json!({ "number": "+13105550100" })).await;
            (answer.status != 409).then_some(answer)
        };
        until("the purchase is through", again).await.assert_status(201).assert_header("idempotent-replayed", "true");
        assert_eq!((server.upstream().carried_out(), server.upstream().times_asked()), (1, 1));
    }

    async fn refusals_are_remembered_too(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test().idempotency("poor");
        ada.purse(Test, 0).await;
        let refused = client.post(PURCHASE, json!({ "number": "+14155550100" })).await;
        refused.assert(402, examples::by_code("insufficient_funds"));
        ada.credit(Test, 5_000_000).await;
        client.post(PURCHASE, json!({ "number": "+14155550100" })).await.assert_replay_of(&refused);
        ada.test().idempotency("rich").post(PURCHASE, json!({ "number": "+14155550100" })).await.assert_status(201);
        let client = ada.test().idempotency("nowhere");
        let refused = client.post(PURCHASE, json!({ "number": NOWHERE })).await;
        refused.assert_status(422);
        client.post(PURCHASE, json!({ "number": NOWHERE })).await.assert_replay_of(&refused);
    }

    async fn what_says_nothing_about_the_request_is_not_remembered(server: Server) {
        let ada = server.account("Ada").await;
        ada.limit(Test, RateLimit { limit: 60, period: 60, burst: 1, monthly_quota: None }).await;
        ada.test().get(LIST).await.assert_status(200);
        let body = json!({ "number": "+14155550100" });
        server.client().idempotency("k").post(PURCHASE, body.clone()).await.assert_status(401);
        let client = ada.test().idempotency("k");
        client.post(PURCHASE, body.clone()).await.assert_status(429);
        server.pass_seconds(1);
        client.post(PURCHASE, body).await.assert_status(201).assert_no_header("idempotent-replayed");
        server.pass_seconds(1);
        server.upstream().trouble(Trouble::Down);
        let client = ada.test().idempotency("l");
        client.post(PURCHASE, json!({ "number": "+13105550100" })).await.assert_status(503);
        server.upstream().trouble(Trouble::None);
        server.pass_seconds(1);
        client.post(PURCHASE, json!({ "number": "+13105550100" })).await.assert_status(201).assert_no_header("idempotent-replayed");
    }

    async fn a_lost_answer_is_found_again_by_the_repetition(server: Server) {
        let ada = server.account("Ada").await;
        for (number, trouble, status) in [("+13105550100", Trouble::Silent, 503), ("+13105550101", Trouble::Nonsense, 502)] {
            let client = ada.test().idempotency(number);
            server.upstream().trouble(trouble);
            client.post(PURCHASE, json!({ "number": number })).await.assert_status(status);
            let meanwhile = ada.test().post(PURCHASE, json!({ "number": number })).await;
            meanwhile.assert(409, examples::by_status(409));
            server.upstream().trouble(Trouble::None);
            let found = client.post(PURCHASE, json!({ "number": number })).await;
            found.assert_status(201);
            client.post(PURCHASE, json!({ "number": number })).await.assert_replay_of(&found);
        }
        assert_eq!((server.upstream().carried_out(), server.upstream().times_asked()), (2, 4));
        assert_eq!(ada.wallet(Test).await.available, 100_000_000 - 2 * 990_000);
        assert_eq!(ada.wallet(Test).await.held, 0);
    }

    async fn keys_of_two_environments_do_not_meet(server: Server) {
        let (ada, eve) = (server.account("Ada").await, server.account("Eve").await);
        let body = json!({ "number": "+14155550100" });
        ada.test().idempotency("k").post(PURCHASE, body.clone()).await.assert_status(201);
        ada.live().idempotency("k").post(PURCHASE, body.clone()).await.assert_status(201).assert_no_header("idempotent-replayed");
        eve.test().idempotency("k").post(PURCHASE, json!({ "number": "+14155550101" })).await.assert_status(201);
        assert_eq!((ada.charges(Test).await.len(), ada.charges(Live).await.len()), (1, 1));
    }

    async fn a_key_that_cannot_be_one_is_refused(server: Server) {
        let ada = server.account("Ada").await;
        let message = "The Idempotency-Key header must have 1 to 255 printable characters";
        for key in [String::new(), "x".repeat(256), "schlüssel".to_owned()] {
            let answer = ada.test().idempotency(&key).post(PURCHASE, json!({ "number": "+14155550100" })).await;
            answer.assert_audian_error(400, "invalid_request_error", "invalid_request_error", message, None);
        }
        let longest = "x".repeat(255);
        ada.test().idempotency(&longest).post(PURCHASE, json!({ "number": "+14155550100" })).await.assert_status(201);
    }

    async fn answers_are_kept_for_a_day(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test().idempotency("day");
        let body = json!({ "number": "+14155550100" });
        let first = client.post(PURCHASE, body.clone()).await;
        server.pass_seconds(86_400);
        client.post(PURCHASE, body.clone()).await.assert_replay_of(&first);
        server.pass_seconds(1);
        let anew = client.post(PURCHASE, body.clone()).await;
        anew.assert(409, examples::by_code("already_exists")).assert_no_header("idempotent-replayed");
        client.post(PURCHASE, body).await.assert_replay_of(&anew);
    }

    async fn a_read_takes_no_notice(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test().idempotency("read");
        client.get(LIST).await.assert_status(200);
        ada.test().post(PURCHASE, json!({ "number": "+14155550100" })).await.assert_status(201);
        let listed = client.get(LIST).await;
        listed.assert_no_header("idempotent-replayed");
        assert_eq!(listed.data()["total"], 1);
    }

    async fn a_hundred_at_once_with_one_key_are_one(server: Server) {
        let ada = server.account("Ada").await;
        ada.unlimited(Test).await;
        let mut requests = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let client = ada.test().idempotency("together");
            requests.spawn(async move { client.post(PURCHASE, json!({ "number": "+14155550100" })).await });
        }
        let answers = requests.join_all().await;
        let bought: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert!(!bought.is_empty());
        assert!(bought.iter().all(|answer| answer.text() == bought[0].text()));
        assert_eq!(bought.iter().filter(|answer| answer.header("idempotent-replayed").is_none()).count(), 1);
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            answer.assert_status(409);
            assert_eq!(answer.body["error"]["code"], "conflict_error");
        }
        assert_eq!(ada.charges(Test).await.len(), 1);
    }
}
