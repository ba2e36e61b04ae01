//! A telephone joins two calls of its own (REFER with Replaces) and leaves both.

use serde_json::{Value, json};
use tandem_kernel::Environment::Test;
use tandem_testkit::{
    Client, Exchange, Phone, on_both,
    phone::{By, Failed, Means},
};

use super::calls::{CALLER, OURS, TARGET, books, configure, kinds, record, scenery};

const ANOTHER: &str = "+442079462009";

/// What was kept of why a call was joined.
async fn joined(client: &Client, call: &Value) -> Value {
    let path = format!("/v1/calls/{}/explain", call["id"].as_str().expect("an id"));
    let explained = client.get(&path).await;
    let all = explained.assert_status(200).body["data"].as_array().expect("explanations").clone();
    all.into_iter().find(|one| one["decision"] == "join").unwrap_or_else(|| panic!("{path}: it is said why"))
}

on_both! {
    async fn a_device_joins_who_called_with_whom_it_called(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        let client = &scenery.client;
        let (id, user, desk) = exchange.device(client, "Desk", Some(OURS)).await;
        let ring = json!({ "strategy": "in_turn", "targets": [{ "device_id": id, "seconds": 20 }] });
        configure(client, json!({ "ring": ring, "call_forwarding": { "enabled": false } })).await;
        let calling = scenery.caller.call(exchange.sip(), CALLER, OURS).await;
        let (first, here) = (desk.incoming().await.answer().await, calling.answered().await);
        first.hold().await;
        here.hush();
        here.hears_something().await; // music
        let calling = desk.call(exchange.sip(), &user, TARGET).await;
        let (there, second) = (scenery.callee.incoming().await.answer().await, calling.answered().await);
        second.say(700);
        there.hears(700).await;
        assert_eq!(first.refer_to_call(&format!("sip:{TARGET}@{}", exchange.sip()), &second).await, Ok(202));
        assert_eq!(first.transferred().await, 200);
        assert_eq!((first.ended().await.by, second.ended().await.by), (By::Them, By::Them), "the telephone has left both");
        here.say(440);
        there.say(1_000);
        there.hears(440).await;
        here.hears(1_000).await;
        here.press("12", Means::Event).await;
        here.press("3", Means::Info).await;
        assert_eq!(there.digits(3).await, "123");
        there.hold().await;
        here.hush();
        here.hears_something().await; // music again
        there.resume().await;
        there.hears_nothing().await;
        here.say(440);
        there.hears(440).await;
        here.bye().await;
        assert_eq!(there.ended().await.by, By::Them);
        let calls = record(client, 2).await;
        for call in &calls {
            assert_eq!((&call["status"], &call["end"]["reason"]), (&json!("completed"), &json!("normal")), "{call}");
            let all = kinds(client, call).await;
            assert_eq!((all.first().map(String::as_str), all.last().map(String::as_str)), (Some("call.initiated"), Some("call.completed")));
            assert_eq!(all.iter().filter(|kind| *kind == "call.completed").count(), 1);
        }
        let (out, into) = (&calls[0], &calls[1]);
        assert_eq!((&out["direction"], &out["to"], &into["direction"], &into["from"]),
                   (&json!("outbound"), &json!(TARGET), &json!("inbound"), &json!(CALLER)));
        for (call, other) in [(out, into), (into, out)] {
            let why = joined(client, call).await;
            assert!(why.to_string().contains(other["id"].as_str().expect("an id")), "{why}");
        }
        assert!(out["cost"].as_f64() > Some(0.0) && into["cost"].as_f64() > Some(0.0), "each is paid for to its end: {out} {into}");
        assert_eq!(scenery.ada.wallet(Test).await.held, 0);
        books(&exchange, client).await;
    }

    async fn who_leaves_is_paid_no_more_and_either_may_end_both(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        let client = &scenery.client;
        let (first, there) = scenery.talk(&exchange).await;
        let another = Phone::listen().await;
        let calling = another.call(exchange.sip(), ANOTHER, OURS).await;
        let (second, aside) = (scenery.callee.incoming().await.answer().await, calling.answered().await);
        // A call cannot be joined with itself.
        assert_eq!(there.refer_to_call("sip:x@127.0.0.1", &there).await, Err(Failed::Refused(603)), "the same call");
        assert_eq!(there.refer_to_call("sip:x@127.0.0.1", &first).await, Err(Failed::Refused(603)), "the same call from the other side");
        assert_eq!(there.refer_to_call(&format!("sip:{OURS}@{}", exchange.sip()), &second).await, Ok(202));
        assert_eq!(there.transferred().await, 200);
        assert_eq!((there.ended().await.by, second.ended().await.by), (By::Them, By::Them));
        first.say(440);
        aside.say(1_000);
        aside.hears(440).await;
        first.hears(1_000).await;
        // Whoever is there now cannot be joined again, nor handed on.
        assert_eq!(first.refer(&format!("sip:{TARGET}@{}", exchange.sip())).await, Err(Failed::Refused(603)));
        first.listen(1_500).await;
        aside.bye().await;
        assert_eq!(first.ended().await.by, By::Them);
        let calls = record(client, 2).await;
        for call in &calls {
            let why = joined(client, call).await.to_string();
            assert!(why.contains("who has left is paid no more") && why.contains(TARGET), "{why}");
        }
        assert_eq!(scenery.ada.wallet(Test).await.held, 0);
        books(&exchange, client).await;
    }

    async fn what_both_say_is_recorded_after_a_call_was_joined(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        let client = &scenery.client;
        configure(client, json!({ "recording": { "enabled": true } })).await;
        let (first, there) = scenery.talk(&exchange).await;
        configure(client, json!({ "recording": { "enabled": false } })).await;
        let another = Phone::listen().await;
        let calling = another.call(exchange.sip(), ANOTHER, OURS).await;
        let (second, aside) = (scenery.callee.incoming().await.answer().await, calling.answered().await);
        assert_eq!(there.refer_to_call(&format!("sip:{OURS}@{}", exchange.sip()), &second).await, Ok(202));
        there.ended().await;
        first.say(440);
        aside.say(1_000);
        aside.hears(440).await;
        first.hears(1_000).await;
        first.listen(1_000).await;
        first.bye().await;
        aside.ended().await;
        record(client, 2).await;
        let listed = tandem_testkit::until("the recording is whole", || async {
            let listed = client.get("/v1/recordings?kind=call").await;
            let all = listed.assert_status(200).body["data"].as_array().expect("a list").clone();
            (all.len() == 1 && all[0]["status"] == "completed").then(|| all[0].clone())
        }).await;
        let id = listed["id"].as_str().expect("an id");
        let file = client.get(&format!("/audian/v2/recordings/{id}")).await.assert_status(200).bytes().to_vec();
        for (side, hertz) in [(0, 440.0), (1, 1_000.0)] {
            let frames = file[44..].chunks_exact(4).map(|frame| i16::from_le_bytes([frame[2 * side], frame[2 * side + 1]]));
            let samples: Vec<i16> = frames.collect();
            let tail = &samples[samples.len() - 4_000..samples.len() - 1_600];
            assert!(tandem_testkit::phone::Reading::of(tail).is_tone(hertz), "side {side}: {:?}", tandem_testkit::phone::Reading::of(tail));
        }
    }
}
