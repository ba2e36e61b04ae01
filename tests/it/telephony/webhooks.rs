//! What a customer's endpoint hears of verifications.

use serde_json::{Value, json};
use tandem_kernel::Environment::Live;
use tandem_testkit::{Receiver, Stage, on_both};

use super::verify::{check, sent, wrong};

const PHONE: &str = "+61412345678";

on_both! {
    async fn an_approval_is_told_once_and_nothing_else(stage: Stage) {
        let server = stage.config(|config| config.webhooks.allow_private = true).start().await;
        let (ada, theirs, ours) = (server.account("Ada").await, Receiver::start().await, Receiver::start().await);
        for (dialect, receiver) in [("telephony_io", &theirs), ("native", &ours)] {
            let body = json!({ "url": receiver.url("/hook"), "events": ["*"], "dialect": dialect });
            ada.live().post("/v1/webhooks", body).await.assert_status(201);
        }
        let (id, text) = sent(&server, &ada.live(), PHONE).await;
        check(&ada.live(), PHONE, &wrong(&text.code())).await.assert_status(200);
        for _ in 0..3 {
            check(&ada.live(), PHONE, &text.code()).await.assert_status(200);
        }
        // Ours hears of the message and of each step; theirs of the approval alone.
        let heard = ours.wait(4).await;
        let kinds: Vec<Value> = heard.iter().map(|heard| heard.json()["type"].clone()).collect();
        for kind in ["message.queued", "message.sent", "verify.sent", "verify.checked"] {
            assert!(kinds.iter().any(|heard| heard == kind), "{kind} in {kinds:?}");
        }
        let [told] = theirs.wait(1).await.try_into().expect("one delivery");
        let body = told.json();
        assert_eq!(body["event"], "verify.checked");
        assert_eq!(body["data"], json!({ "verification_id": id, "phone_number": PHONE, "channel": "sms", "status": "approved" }));
        assert_eq!(body.to_string(), told.body, "it survives parsing and writing");
        let signature = told.header("x-telephony-signature");
        assert!(signature.len() == 64 && signature.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase()));
        let code = text.code();
        for heard in heard.iter().chain([&told]) {
            assert!(!heard.body.contains(&code), "the code is in a delivery");
        }
        assert_eq!(server.deliver(Live).await, []);
    }
}
