//! Messages that are sent later.

use serde_json::{Value, json};
use tandem_app::accounts::ChangeAccount;
use tandem_kernel::Environment::{Live, Test};
use tandem_testkit::{Server, Stage, on_both, until};

use super::{BASE, message, messages_of, native_id, sid_of};
use crate::{
    messages::{OURS, THEIRS, claim, sender, take_all},
    numbers::buy,
};

const DAWN: i64 = 1_704_067_200;

fn at(schedule: i64) -> Value {
    json!({ "From": OURS, "To": THEIRS, "Text": "Later", "Schedule": schedule })
}

on_both! {
    async fn it_is_sent_when_its_time_comes_and_once(stage: Stage) {
        let server = stage.start().await;
        let (ada, client) = sender(&server).await;
        let path = messages_of(&ada, Live);
        let sent = client.post(&path, at(DAWN + 3_600)).await;
        let sid = sid_of(&sent);
        let shown = message(&sent);
        assert_eq!((&shown["Status"], &shown["Scheduled"], &shown["Submitted"]), (&json!("Processing"), &json!(DAWN + 3_600), &Value::Null));
        assert_eq!((claim(&server).await.len(), ada.wallet(Live).await.held), (0, 10_000));
        let native = client.get(&format!("/audian/v2/messages/{}", native_id(&sid))).await;
        assert_eq!(native.assert_status(200).data()["status"], "scheduled");
        server.pass_seconds(3_599);
        server.run_due().await;
        assert_eq!(claim(&server).await.len(), 0);
        server.restart().await;
        server.pass_seconds(1);
        server.run_due().await;
        assert_eq!(take_all(&server).await.len(), 1);
        server.run_due().await;
        assert_eq!(claim(&server).await.len(), 0);
        let read = client.get(&format!("{BASE}/Messages/{sid}")).await;
        let shown = message(&read);
        assert_eq!((&shown["Status"], &shown["Submitted"]), (&json!("Submitted"), &json!(DAWN + 3_600)));
        let events = client.get(&format!("/v1/events/{}", native_id(&sid))).await;
        let kinds: Vec<_> = events.body["data"].as_array().expect("events").iter().map(|event| event["kind"].clone()).collect();
        assert_eq!(kinds, ["message.scheduled", "message.queued", "message.sent"]);
        assert_eq!(ada.wallet(Live).await.held, 0);
    }

    async fn while_it_waits_its_price_is_held_and_the_books_add_up(server: Server) {
        let (ada, client) = sender(&server).await;
        client.post(&messages_of(&ada, Live), at(DAWN + 3_600)).await.assert_status(200);
        assert_eq!(ada.wallet(Live).await.held, 10_000);
        let books = tandem_app::audit::verify_ledger(&server.app(), |_| {}).await.expect("a look");
        assert_eq!(books.faults, [""; 0]);
    }

    async fn the_bounds_are_fourteen_days_and_an_hour(server: Server) {
        let (ada, client) = sender(&server).await;
        let path = messages_of(&ada, Live);
        let said = "The Schedule parameter must be at most 14 days ahead and at most one hour ago";
        for schedule in [DAWN + 14 * 86_400 + 1, DAWN - 3_601, 0] {
            client.post(&path, at(schedule)).await.assert_fone_error(400, "PARAMETER_INVALID", said, Some("Schedule"));
        }
        for schedule in [DAWN, DAWN - 3_600] {
            client.post(&path, at(schedule)).await.assert_status(200);
            assert_eq!(take_all(&server).await.len(), 1);
        }
        client.post(&path, at(DAWN + 14 * 86_400)).await.assert_status(200);
        assert_eq!(claim(&server).await.len(), 0);
        server.pass_days(14);
        server.run_due().await;
        assert_eq!(take_all(&server).await.len(), 1);
    }

    async fn what_may_not_be_sent_any_more_fails_and_costs_nothing(server: Server) {
        let (ada, client) = sender(&server).await;
        let sid = sid_of(&client.post(&messages_of(&ada, Live), at(DAWN + 60)).await);
        ada.change(ChangeAccount { sms_enabled: Some(false), ..ChangeAccount::default() }).await;
        server.pass_seconds(60);
        server.run_due().await;
        let read = client.get(&format!("{BASE}/Messages/{sid}")).await;
        let shown = message(&read);
        assert_eq!((&shown["Status"], &shown["ErrorCode"]), (&json!("Failed"), &json!("operation_not_allowed")));
        assert_eq!((ada.wallet(Live).await.held, claim(&server).await.len()), (0, 0));
    }

    async fn the_test_environments_clock_decides_there(server: Server) {
        let ada = server.account("Ada").await;
        ada.unlimited(Test).await;
        let client = ada.test();
        let from = "+15035550100";
        buy(&client, from).await;
        let sent = client.post(&messages_of(&ada, Test), json!({ "From": from, "To": THEIRS, "Text": "Later", "Schedule": DAWN + 7 * 86_400 })).await;
        let sid = sid_of(&sent);
        ada.advance(7 * 86_400 - 1).await;
        let read = client.get(&format!("{BASE}/Messages/{sid}")).await;
        assert_eq!(message(&read)["Status"], "Processing");
        ada.advance(1).await;
        let delivered = until("it is delivered", || async {
            let read = client.get(&format!("{BASE}/Messages/{sid}")).await;
            (message(&read)["Status"] == "Delivered").then_some(read)
        })
        .await;
        assert_eq!(message(&delivered)["Scheduled"], DAWN + 7 * 86_400);
    }
}
