//! What is heard before somebody answers.

use serde_json::json;
use tandem_kernel::Environment::Test;
use tandem_testkit::{Exchange, on_both, phone::By};

use super::calls::{CALLER, OURS, books, configure, kinds, record, scenery};

/// Another number that the trunk carries calls to.
const OTHER: &str = "+442079461002";

on_both! {
    async fn a_caller_hears_the_telephone_that_rings_and_is_not_heard(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        let mut calling = scenery.caller.call(exchange.sip(), CALLER, OURS).await;
        let mut arriving = scenery.callee.incoming().await;
        arriving.ring_with(600).await;
        assert_eq!((calling.ringing().await, calling.early), (183, true));
        calling.hears(600).await;
        calling.say(440);
        calling.press("12");
        let (heard, keys) = arriving.overhears(1_500).await;
        assert_eq!((heard.level, keys), (None, 0), "nobody speaks for nothing");
        let there = arriving.answer().await;
        let here = calling.answered().await;
        here.say(440);
        there.hears(440).await;
        there.say(1_000);
        here.hears(1_000).await;
        here.press("7", tandem_testkit::phone::Means::Event).await;
        assert_eq!(there.digits(1).await, "7");
        here.bye().await;
        assert_eq!(there.ended().await.by, By::Them);
        let call = scenery.record().await;
        assert_eq!(kinds(&scenery.client, &call).await, ["call.initiated", "call.ringing", "call.answered", "call.completed"]);
        books(&exchange, &scenery.client).await;
    }

    async fn it_costs_nothing_where_nobody_answers(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        let before = scenery.ada.wallet(Test).await.available;
        let mut calling = scenery.caller.call(exchange.sip(), CALLER, OURS).await;
        let mut arriving = scenery.callee.incoming().await;
        arriving.ring_with(600).await;
        assert_eq!(calling.ringing().await, 183);
        calling.hears(600).await;
        arriving.refuse(486).await;
        assert_eq!(calling.refused().await.status, 486);
        let call = scenery.record().await;
        assert_eq!((&call["end"]["reason"], &call["duration"]), (&json!("busy"), &json!(0)));
        let wallet = scenery.ada.wallet(Test).await;
        assert_eq!((wallet.available, wallet.held), (before, 0));
    }

    async fn another_one_answers_than_was_heard(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        let ring = json!({ "strategy": "in_turn", "targets": [{ "number": OTHER, "ring_seconds": 20 }] });
        configure(&scenery.client, json!({ "ring": ring })).await;
        let mut calling = scenery.caller.call(exchange.sip(), CALLER, OURS).await;
        let mut first = scenery.callee.incoming().await;
        assert_eq!(first.to(), OTHER);
        first.ring_with(600).await;
        assert_eq!(calling.ringing().await, 183);
        calling.hears(600).await;
        first.refuse(480).await;
        let second = scenery.callee.incoming().await;
        second.ring().await;
        let there = second.answer().await;
        let here = calling.answered().await;
        there.say(1_000);
        here.hears(1_000).await;
        here.say(440);
        there.hears(440).await;
        here.bye().await;
        there.ended().await;
        record(&scenery.client, 1).await;
    }

    async fn of_several_that_ring_none_is_heard(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        let both = json!([{ "number": OTHER, "ring_seconds": 20 }, { "number": "+442079461003", "ring_seconds": 20 }]);
        configure(&scenery.client, json!({ "ring": { "strategy": "at_once", "targets": both } })).await;
        let mut calling = scenery.caller.call(exchange.sip(), CALLER, OURS).await;
        let (mut one, other) = (scenery.callee.incoming().await, scenery.callee.incoming().await);
        one.ring_with(600).await;
        assert_eq!((calling.ringing().await, calling.early), (180, false));
        let there = other.answer().await;
        let here = calling.answered().await;
        there.say(1_000);
        here.hears(1_000).await;
        one.cancelled().await;
        here.bye().await;
        there.ended().await;
        record(&scenery.client, 1).await;
    }
}
