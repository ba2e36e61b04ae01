//! Handsets of the pocket network: real calls to and from telephones inside the program, by magic numbers; and calls between numbers of
//! the installation.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_kernel::Environment::Test;
use tandem_testkit::{
    Client, Exchange, Phone, Talk, on_both,
    phone::{By, Means},
    until,
};

use super::calls::{BEYOND, CALLER, OURS, books, configure, kinds, record};
use crate::numbers::buy;

/// A handset that does nothing special.
const USUAL: &str = "+14155550199";

/// The first number of a scenario.
async fn magic(client: &Client, name: &str) -> String {
    let listed = client.get("/v1/magic-numbers").await;
    let all = listed.assert_status(200).body["data"].as_array().expect("scenarios").clone();
    let found = all.iter().find(|scenario| scenario["name"] == name).unwrap_or_else(|| panic!("{name} is no scenario"));
    assert_eq!(found["purpose"], "call");
    found["numbers"][0].as_str().expect("a number").to_owned()
}

/// What a handset's last call is like, as soon as it is so.
async fn handset(client: &Client, number: &str, is_it: impl Fn(&Value) -> bool) -> Value {
    let path = format!("/v1/pocket/calls?number={}", number.replace('+', "%2B"));
    let last = std::sync::Mutex::new(Value::Null);
    let what = format!("the handset {number} has done so");
    let seen = until(&what, || async {
        let listed = client.get(&path).await;
        let found = listed.assert_status(200).body["data"].as_array().expect("calls").last().cloned().unwrap_or_default();
        last.lock().expect("no panic").clone_from(&found);
        is_it(&found).then_some(found)
    });
    match tokio::time::timeout(Duration::from_secs(58), seen).await {
        Ok(call) => call,
        Err(_) => panic!("the handset {number} never does so: {}", last.lock().expect("no panic")),
    }
}

fn has(call: &Value, tones: &[i64]) -> bool {
    let heard: Vec<i64> = call["tones"].as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
    tones.iter().all(|tone| heard.iter().any(|one| (one - tone).abs() <= tone / 50 + 3))
}

/// An account with a number, and a telephone that calls out from it as a device.
async fn desk(exchange: &Exchange) -> (tandem_testkit::Persona, Client, Phone, String) {
    let ada = exchange.account("Ada").await;
    ada.unlimited(Test).await;
    let client = ada.test();
    buy(&client, OURS).await;
    let (_, user, phone) = exchange.device(&client, "desk", Some(OURS)).await;
    (ada, client, phone, user)
}

async fn hears_its_tones(talk: &Talk) {
    for tone in [440, 554, 659] {
        talk.hears(tone).await;
    }
}

on_both! {
    async fn a_handset_answers_speaks_and_hears(exchange: Exchange) {
        let (ada, client, phone, user) = desk(&exchange).await;
        let mut calling = phone.call(exchange.sip(), &user, USUAL).await;
        assert_eq!(calling.ringing().await, 180);
        let talk = calling.answered().await;
        hears_its_tones(&talk).await;
        talk.say(1_000);
        talk.press("12#", Means::Event).await;
        talk.press("7", Means::Info).await;
        let known = handset(&client, USUAL, |call| has(call, &[1_000]) && call["digits"] == "12#7").await;
        assert_eq!((&known["direction"], &known["from"], &known["to"], &known["state"], &known["ended_by"]),
                   (&json!("taken"), &json!(OURS), &json!(USUAL), &json!("answered"), &Value::Null), "{known}");
        let level = known["level_db"].as_f64().expect("a level");
        assert!((-18.0..-12.0).contains(&level), "{level}");
        talk.bye().await;
        let known = handset(&client, USUAL, |call| call["state"] == "ended").await;
        assert_eq!(known["ended_by"], "platform");
        let call = record(&client, 1).await.remove(0);
        assert_eq!((&call["direction"], &call["endpoint"], &call["end"]["reason"]), (&json!("outbound"), &json!(USUAL), &json!("normal")));
        assert_eq!(kinds(&client, &call).await, ["call.initiated", "call.ringing", "call.answered", "call.completed"]);
        assert!(ada.wallet(Test).await.held == 0 && call["cost"].as_f64().is_some_and(|cost| cost > 0.0), "{call}");
        ada.live().get(&format!("/v1/pocket/calls?number={}", USUAL.replace('+', "%2B"))).await.assert_status(403);
        books(&exchange, &client).await;
    }

    async fn handsets_refuse_with_every_status_of_the_table(exchange: Exchange) {
        let (_, client, phone, user) = desk(&exchange).await;
        for (name, status, q850) in [
            ("call_busy", 486, 17), ("call_declined", 603, 21), ("call_unavailable", 480, 19), ("call_unknown", 404, 1),
            ("call_gone", 410, 22), ("call_forbidden", 403, 57), ("call_incomplete", 484, 28), ("call_not_acceptable", 488, 88),
            ("call_server_error", 500, 41), ("call_overloaded", 503, 34), ("call_busy_everywhere", 600, 17),
        ] {
            let number = magic(&client, name).await;
            let refused = phone.call(exchange.sip(), &user, &number).await.refused().await;
            assert_eq!((refused.status, refused.q850()), (status, Some(q850)), "{name}: {refused:?}");
            let known = handset(&client, &number, |call| call["state"] == "ended").await;
            assert_eq!((&known["ended_by"], &known["status"]), (&json!("handset"), &json!(status)), "{name}");
        }
        assert_eq!(books(&exchange, &client).await["cost"], 0.0);
    }

    async fn handsets_that_do_not_answer_are_given_up(exchange: Exchange) {
        let (_, client, phone, user) = desk(&exchange).await;
        let number = magic(&client, "call_no_answer").await;
        let mut calling = phone.call(exchange.sip(), &user, &number).await;
        calling.ringing().await;
        handset(&client, &number, |call| call["state"] == "ringing").await;
        calling.cancel().await;
        let known = handset(&client, &number, |call| call["state"] == "ended").await;
        assert_eq!((&known["ended_by"], &known["status"]), (&json!("platform"), &json!(487)));
        let number = magic(&client, "call_mute").await;
        let calling = phone.call(exchange.sip(), &user, &number).await;
        handset(&client, &number, |call| call["state"] == "calling").await;
        calling.cancel().await;
        handset(&client, &number, |call| call["state"] == "ended").await;
        let calls = record(&client, 2).await;
        assert!(calls.iter().all(|call| call["end"]["reason"] == "canceled"), "{calls:?}");
    }

    async fn handsets_hang_up_press_keys_beep_and_are_silent(exchange: Exchange) {
        let (_, client, phone, user) = desk(&exchange).await;
        let call = |name: &'static str| {
            let (client, phone, user, sip) = (&client, &phone, &user, exchange.sip());
            async move {
                let number = magic(client, name).await;
                (phone.call(sip, user, &number).await.answered().await, number)
            }
        };
        let machine = call("call_voicemail").await;
        machine.0.hears(1_000).await;
        machine.0.hears_nothing().await;
        machine.0.say(700);
        handset(&client, &machine.1, |call| has(call, &[700])).await;
        machine.0.bye().await;
        let (hangs, presses, silent, mute) =
            tokio::join!(call("call_hangs_up"), call("call_presses_digits"), call("call_silent"), call("call_one_way"));
        assert_eq!(hangs.0.ended().await.by, By::Them);
        assert_eq!(presses.0.digits(4).await, "123#");
        presses.0.bye().await;
        silent.0.hears_nothing().await;
        assert!(silent.0.quality().received > 0);
        silent.0.bye().await;
        mute.0.hears_nothing().await;
        assert_eq!(mute.0.quality().received, 0);
        mute.0.bye().await;
        record(&client, 5).await;
        books(&exchange, &client).await;
    }

    async fn a_handset_whose_power_goes_leaves_no_call_behind(exchange: Exchange) {
        let (_, client, phone, user) = desk(&exchange).await;
        let number = magic(&client, "call_vanishes").await;
        let talk = phone.call(exchange.sip(), &user, &number).await.answered().await;
        talk.hears(440).await;
        handset(&client, &number, |call| call["state"] == "ended").await;
        talk.hears_nothing().await;
        talk.bye().await;
        let call = record(&client, 1).await.remove(0);
        assert_eq!(call["end"]["reason"], "normal", "{call}");
    }

    async fn a_handset_calls_a_number_of_ours(exchange: Exchange) {
        let (ada, client, _, _) = desk(&exchange).await;
        let callee = Phone::listen().await;
        exchange.trunk(&callee, BEYOND).await;
        configure(&client, json!({ "call_forwarding": { "enabled": true, "forward_to": "+442079461001" } })).await;
        let dialled = client.post("/v1/pocket/calls", json!({ "from": USUAL, "to": OURS, "digits": "4,2#", "seconds": 5 })).await;
        assert_eq!(dialled.assert_status(202).body,
                   json!({ "from": USUAL, "to": OURS, "behaviour": "speaks", "digits": "4,2#", "seconds": 5, "ring_seconds": 60 }));
        let arriving = callee.incoming().await;
        assert_eq!(arriving.from(), USUAL);
        arriving.ring().await;
        handset(&client, USUAL, |call| call["state"] == "ringing").await;
        let talk = arriving.answer().await;
        talk.say(1_000);
        hears_its_tones(&talk).await;
        assert_eq!(talk.digits(3).await, "42#");
        let known = handset(&client, USUAL, |call| has(call, &[1_000])).await;
        assert_eq!(known["direction"], "made");
        assert_eq!(talk.ended().await.by, By::Them, "it hangs up after five seconds");
        let call = record(&client, 1).await.remove(0);
        assert_eq!((&call["initiated_by"], &call["from"], &call["direction"]), (&json!("pocket"), &json!(USUAL), &json!("inbound")));
        // It is refused as anybody would be.
        ada.purse(Test, 0).await;
        client.post("/v1/pocket/calls", json!({ "from": USUAL, "to": OURS })).await.assert_status(202);
        let known = handset(&client, USUAL, |call| call["state"] == "ended" && call["status"] == 402).await;
        assert!(known["reason"].as_str().is_some_and(|reason| reason.contains("insufficient_funds")), "{known}");
        let eve = exchange.account("Eve").await;
        let refused = eve.test().post("/v1/pocket/calls", json!({ "from": USUAL, "to": OURS })).await;
        assert_eq!(refused.assert_status(404).header("x-tandem-error"), Some("number_not_found"));
    }

    async fn an_answer_that_is_never_acknowledged_ends_the_call(exchange: Exchange) {
        let (_, client, _, _) = desk(&exchange).await;
        let callee = Phone::listen().await;
        exchange.trunk(&callee, BEYOND).await;
        configure(&client, json!({ "call_forwarding": { "enabled": true, "forward_to": "+442079461001" } })).await;
        let body = json!({ "from": USUAL, "to": OURS, "behaviour": "never_acknowledges" });
        client.post("/v1/pocket/calls", body).await.assert_status(202);
        let talk = callee.incoming().await.answer().await;
        handset(&client, USUAL, |call| call["state"] == "answered").await;
        assert_eq!(talk.ended().await.by, By::Them, "after 32 seconds without an ACK");
        let known = handset(&client, USUAL, |call| call["state"] == "ended").await;
        assert_eq!(known["ended_by"], "platform", "{known}");
        let call = record(&client, 1).await.remove(0);
        assert_eq!(kinds(&client, &call).await.last().map(String::as_str), Some("call.completed"));
    }

    async fn a_call_between_two_accounts_is_a_call_of_each(exchange: Exchange) {
        const BOBS: &str = "+442079460101";
        let (ada, bob) = (exchange.account("Ada").await, exchange.account("Bob").await);
        let (caller, callee) = (Phone::listen().await, Phone::listen().await);
        exchange.trunk(&callee, BEYOND).await;
        buy(&ada.test(), OURS).await;
        buy(&bob.test(), BOBS).await;
        let forward = |to: &str| json!({ "call_forwarding": { "enabled": true, "forward_to": to } });
        configure(&ada.test(), forward(BOBS)).await;
        bob.test().put(&format!("/audian/v2/numbers/{BOBS}/config"), forward("+442079461001")).await.assert_status(200);
        let calling = caller.call(exchange.sip(), CALLER, OURS).await;
        let arriving = callee.incoming().await;
        assert_eq!(arriving.from(), CALLER, "who calls is known to the end");
        assert_eq!(arriving.header("Max-Forwards"), Some("68"));
        let (there, here) = (arriving.answer().await, calling.answered().await);
        here.say(440);
        there.say(1_000);
        there.hears(440).await;
        here.hears(1_000).await;
        here.press("5", Means::Event).await;
        assert_eq!(there.digits(1).await, "5");
        there.bye().await;
        assert_eq!(here.ended().await.by, By::Them);
        for (persona, to, endpoint, by) in [(&ada, OURS, BOBS, "trunk"), (&bob, BOBS, "+442079461001", "internal")] {
            let call = record(&persona.test(), 1).await.remove(0);
            assert_eq!((&call["to"], &call["from"], &call["endpoint"], &call["initiated_by"], &call["end"]["reason"]),
                       (&json!(to), &json!(CALLER), &json!(endpoint), &json!(by), &json!("normal")), "{call}");
            assert_eq!(kinds(&persona.test(), &call).await.last().map(String::as_str), Some("call.completed"));
            books(&exchange, &persona.test()).await;
        }
        // In a circle.
        bob.test().put(&format!("/audian/v2/numbers/{BOBS}/config"), forward(OURS)).await.assert_status(200);
        let refused = caller.call(exchange.sip(), CALLER, OURS).await.refused().await;
        assert_eq!((refused.status, refused.q850()), (482, Some(25)), "{refused:?}");
        let refused = caller.call_with(exchange.sip(), CALLER, OURS, |dial| dial.max_forwards = 1).await.refused().await;
        assert_eq!(refused.status, 483, "{refused:?}");
        record(&ada.test(), 3).await;
    }
}
