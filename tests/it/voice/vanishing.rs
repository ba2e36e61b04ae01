//! A trunk from which nothing is heard any more in the midst of a call.

use serde_json::json;
use tandem_kernel::Environment::Test;
use tandem_testkit::{Exchange, Stage, on_both, phone::By};

use super::calls::{books, kinds, scenery};

on_both! {
    async fn a_trunk_that_is_gone_ends_the_call(stage: Stage) {
        let exchange: Exchange = stage.config(|config| config.voice.silence_seconds = 2).exchange().await;
        let scenery = scenery(&exchange).await;
        let (here, there) = scenery.talk(&exchange).await;
        here.say(440);
        there.say(1_000);
        here.hears(1_000).await;
        there.hears(440).await;
        // No packet comes any more, and nobody says goodbye.
        there.vanish();
        assert_eq!(here.ended().await.by, By::Them, "who is left is told");
        let call = scenery.record().await;
        assert_eq!((&call["status"], &call["end"]["reason"], &call["end"]["sip_status"]), (&json!("completed"), &json!("failed"), &json!(502)), "{call}");
        assert_eq!(kinds(&scenery.client, &call).await.last().map(String::as_str), Some("call.completed"));
        let wallet = scenery.ada.wallet(Test).await;
        assert_eq!(wallet.held, 0, "what was not spoken is given back");
        assert!(call["cost"].as_f64() > Some(0.0), "it is paid until its end: {call}");
        books(&exchange, &scenery.client).await;
    }
}
