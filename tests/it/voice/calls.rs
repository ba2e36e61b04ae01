//! Calls between telephones, with sound: a number is called, and its configuration sends the call on through a trunk.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tandem_domain::call::{Direction, rates};
use tandem_kernel::{Environment::Test, PhoneNumber};
use tandem_testkit::{
    Client, Exchange, Persona, Phone, Talk, on_both,
    phone::{By, Means, Outcome, Reading},
    until,
};

use crate::numbers::buy;

pub const OURS: &str = "+442079460100";
/// Numbers that the trunk carries calls to begin so.
pub const BEYOND: &str = "442079461";
pub const TARGET: &str = "+442079461001";
pub const CALLER: &str = "+442079462002";

/// Whoever calls, the number that is called, and whoever is called in the end.
pub struct Scenery {
    pub ada: Persona,
    pub client: Client,
    pub caller: Phone,
    pub callee: Phone,
}

/// Two telephones behind a trunk, and a number that is forwarded to the second.
pub async fn scenery(exchange: &Exchange) -> Scenery {
    let ada = exchange.account("Ada").await;
    let (client, caller, callee) = (ada.test(), Phone::listen().await, Phone::listen().await);
    exchange.trunk(&callee, BEYOND).await;
    buy(&client, OURS).await;
    configure(&client, json!({ "call_forwarding": { "enabled": true, "forward_to": TARGET } })).await;
    Scenery { ada, client, caller, callee }
}

pub async fn configure(client: &Client, config: Value) {
    client.put(&format!("/audian/v2/numbers/{OURS}/config"), config).await.assert_status(200);
}

/// What a call through `OURS` to `TARGET` costs, in millionths.
pub fn cost(seconds: i64) -> i64 {
    let number = |text: &str| PhoneNumber::parse(text).expect(text);
    rates::of(Direction::Inbound, number(OURS)).cost(seconds) + rates::of(Direction::Outbound, number(TARGET)).cost(seconds)
}

/// An amount as a record says it.
fn money(micros: i64) -> f64 {
    f64::from(i32::try_from(micros).expect("little")) / 1e6
}

impl Scenery {
    /// A call that was taken: the caller's side and the callee's.
    pub async fn talk(&self, exchange: &Exchange) -> (Talk, Talk) {
        let mut calling = self.caller.call(exchange.sip(), CALLER, OURS).await;
        let arriving = self.callee.incoming().await;
        arriving.ring().await;
        calling.ringing().await;
        let there = arriving.answer().await;
        (calling.answered().await, there)
    }

    /// The record of the only call, when it is written.
    pub async fn record(&self) -> Value {
        record(&self.client, 1).await.remove(0)
    }
}

/// The records of so many calls that are over, when they are written; the last first.
pub async fn record(client: &Client, count: usize) -> Vec<Value> {
    until(&format!("{count} calls have their record"), || async {
        let listed = client.get("/v1/calls?limit=100").await;
        let calls = listed.assert_status(200).body["data"].as_array().expect("calls").clone();
        let over = calls.iter().filter(|call| !call["end"].is_null()).count();
        (over >= count).then_some(calls)
    })
    .await
}

/// The kinds of a call's events, in their order.
pub async fn kinds(client: &Client, call: &Value) -> Vec<String> {
    let path = format!("/v1/events/{}", call["id"].as_str().expect("an id"));
    let read = client.get(&path).await;
    let events = read.assert_status(200).body["data"].as_array().expect("events").clone();
    events.iter().map(|event| event["kind"].as_str().expect("a kind").to_owned()).collect()
}

/// Holds the day's books against each other.
pub async fn books(exchange: &Exchange, client: &Client) -> Value {
    let day = exchange.now().date();
    let books = client.get(&format!("/v1/reconciliation/{day}")).await.assert_status(200).body.clone();
    assert_eq!(books["agrees"], true, "{books}");
    books
}

on_both! {
    async fn each_hears_the_other_and_either_may_hang_up(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        let (here, there) = scenery.talk(&exchange).await;
        here.say(440);
        there.say(1_000);
        there.hears(440).await;
        let level = here.hears(1_000).await.level.expect("a level");
        assert!((-17.0..-13.5).contains(&level), "what is said is as loud as it was: {level}");
        here.press("12#", Means::Event).await;
        there.press("0*", Means::Event).await;
        assert_eq!((there.digits(3).await, here.digits(2).await), ("12#".to_owned(), "0*".to_owned()));
        here.press("7", Means::Info).await;
        assert_eq!(there.digits(4).await, "12#7");
        here.bye().await;
        assert_eq!(there.ended().await.by, By::Them);
        let call = scenery.record().await;
        assert_eq!((&call["status"], &call["direction"], &call["from"], &call["to"], &call["end"]["reason"]),
                   (&json!("completed"), &json!("inbound"), &json!(CALLER), &json!(OURS), &json!("normal")), "{call}");
        assert_eq!(kinds(&scenery.client, &call).await, ["call.initiated", "call.ringing", "call.answered", "call.completed"]);
        let (here, there) = scenery.talk(&exchange).await;
        there.bye().await;
        assert_eq!(here.ended().await.by, By::Them);
        record(&scenery.client, 2).await;
        assert_eq!(books(&exchange, &scenery.client).await["terminal_events"], 2);
    }

    async fn who_is_called_hears_who_calls_and_who_sent_the_call_on(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        let calling = scenery.caller.call(exchange.sip(), CALLER, OURS).await;
        let arriving = scenery.callee.incoming().await;
        assert_eq!((arriving.from().as_str(), arriving.to().as_str()), (CALLER, TARGET));
        let diversion = arriving.header("Diversion").expect("a Diversion");
        assert!(diversion.contains(OURS), "{diversion}");
        assert_eq!(arriving.header("Max-Forwards"), Some("69"));
        calling.cancel().await;
        let ended = arriving.cancelled().await;
        assert_eq!(ended.by, By::Them);
        let call = scenery.record().await;
        assert_eq!((&call["end"]["reason"], &call["end"]["sip_status"]), (&json!("canceled"), &json!(487)), "{call}");
        assert_eq!(scenery.ada.wallet(Test).await.held, 0);
    }

    async fn a_refusal_comes_back_as_it_was_said(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        for (status, reason, q850) in [(486, "busy", 17), (603, "rejected", 21), (480, "no_answer", 19), (404, "unassigned", 1)] {
            let calling = scenery.caller.call(exchange.sip(), CALLER, OURS).await;
            scenery.callee.incoming().await.refuse(status).await;
            let refused = calling.refused().await;
            assert_eq!((refused.status, refused.q850()), (status, Some(q850)), "{refused:?}");
            let call = until("the refused call is over", || async {
                let calls = record(&scenery.client, 1).await;
                calls.into_iter().find(|call| !call["end"].is_null() && refused.text().contains(call["id"].as_str().expect("an id")))
            }).await;
            assert_eq!((&call["end"]["reason"], &call["status"]), (&json!(reason), &json!("failed")), "{call}");
            assert_eq!(kinds(&scenery.client, &call).await.last().map(String::as_str), Some("call.failed"));
        }
        assert_eq!(books(&exchange, &scenery.client).await["cost"], 0.0);
    }

    async fn nobody_has_the_number(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        let refused = scenery.caller.call(exchange.sip(), CALLER, "+442079460104").await.refused().await;
        assert_eq!((refused.status, refused.q850()), (404, Some(1)));
        let refused = scenery.caller.call(exchange.sip(), CALLER, "reception").await.refused().await;
        assert_eq!((refused.status, refused.q850()), (484, Some(28)), "no number at all");
    }

    async fn who_is_on_hold_hears_music(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        let (here, there) = scenery.talk(&exchange).await;
        there.say(1_000);
        here.hears(1_000).await;
        here.hold().await;
        let music = there.hears_something().await;
        assert!(!music.is_tone(440.0), "{music:?}");
        here.say(440);
        here.hears_nothing().await;
        here.resume().await;
        there.hears(440).await;
        here.hears(1_000).await;
        there.hold().await;
        here.hears_something().await;
        there.resume().await;
        there.hears(440).await;
        here.bye().await;
        there.ended().await;
        record(&scenery.client, 1).await;
    }

    async fn what_both_do_at_once_is_done_once(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        let (here, there) = scenery.talk(&exchange).await;
        tokio::join!(here.hold(), there.hold());
        tokio::join!(here.resume(), there.resume());
        here.say(440);
        there.hears(440).await;
        tokio::join!(here.bye(), there.bye());
        let call = scenery.record().await;
        assert_eq!(kinds(&scenery.client, &call).await, ["call.initiated", "call.ringing", "call.answered", "call.completed"]);
        // Whoever is rung answers as the caller gives up: either is right, and it is one of them for all.
        let calling = scenery.caller.call(exchange.sip(), CALLER, OURS).await;
        let arriving = scenery.callee.incoming().await;
        let ((), answered) = tokio::join!(calling.given_up(), arriving.try_answer());
        if let Ok(there) = answered {
            there.ended().await;
        }
        let calls = record(&scenery.client, 2).await;
        let told = kinds(&scenery.client, &calls[0]).await;
        assert_eq!(told.iter().filter(|kind| ["call.completed", "call.failed"].contains(&kind.as_str())).count(), 1, "{told:?}");
        assert_eq!(scenery.ada.wallet(Test).await.held, 0);
        books(&exchange, &scenery.client).await;
    }

    async fn telephones_over_tcp_are_telephones_too(exchange: Exchange) {
        let ada = exchange.account("Ada").await;
        let client = ada.test();
        let (caller, callee) = (Phone::over_tcp().await, Phone::over_tcp().await);
        exchange.trunk(&callee, BEYOND).await;
        buy(&client, OURS).await;
        configure(&client, json!({ "call_forwarding": { "enabled": true, "forward_to": TARGET } })).await;
        let calling = caller.call(exchange.sip_tcp(), CALLER, OURS).await;
        let there = callee.incoming().await.answer().await;
        let here = calling.answered().await;
        here.say(600);
        there.hears(600).await;
        there.bye().await;
        here.ended().await;
        record(&client, 1).await;
    }

    async fn devices_register_call_and_are_called(exchange: Exchange) {
        let ada = exchange.account("Ada").await;
        let client = ada.test();
        buy(&client, OURS).await;
        let callee = Phone::listen().await;
        exchange.trunk(&callee, BEYOND).await;
        let (desk, user, phone) = exchange.device(&client, "desk", Some(OURS)).await;
        configure(&client, json!({ "ring": { "strategy": "in_turn", "targets": [{ "device_id": desk }] } })).await;
        let caller = Phone::listen().await;
        let calling = caller.call(exchange.sip(), CALLER, OURS).await;
        let arriving = phone.incoming().await;
        assert_eq!(arriving.from(), CALLER);
        let (there, here) = (arriving.answer().await, calling.answered().await);
        here.say(440);
        there.hears(440).await;
        there.bye().await;
        here.ended().await;
        let calling = phone.call(exchange.sip(), &user, "02079461001").await; // as it is dialled in Britain
        let arriving = callee.incoming().await;
        assert_eq!((arriving.from().as_str(), arriving.to().as_str()), (OURS, TARGET));
        let (there, here) = (arriving.answer().await, calling.answered().await);
        there.say(880);
        here.hears(880).await;
        here.bye().await;
        there.ended().await;
        let calls = record(&client, 2).await;
        assert_eq!(calls[0]["direction"], "outbound");
        phone.unregister();
        until("the device is gone", || async {
            let held = client.get(&format!("/v1/devices/{desk}/registrations")).await;
            (held.assert_status(200).body["data"] == json!([])).then_some(())
        }).await;
        assert_eq!(Phone::listen().await.register(&user, "a guess", exchange.sip()).await, Err(401));
    }

    async fn the_end_of_the_money_ends_the_call(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        scenery.ada.purse(Test, cost(8)).await;
        let calling = scenery.caller.call(exchange.sip(), CALLER, OURS).await;
        let there = scenery.callee.incoming().await.answer().await;
        let began = Instant::now();
        let here = calling.answered().await;
        there.say(440);
        let warned = here.samples(5_000).await; // beeps, and then words, as the tests' machines have something that speaks
        let stretches: Vec<Reading> = warned.chunks_exact(1_600).map(Reading::of).collect();
        let beeps = stretches.iter().filter(|stretch| stretch.is_tone(1_000.0)).count();
        let words = stretches.iter().filter(|stretch| stretch.level.is_some() && stretch.tone.is_none()).count();
        assert!(beeps >= 1 && words >= 3, "{stretches:?}");
        here.hears(440).await;
        let ended = here.ended().await;
        let lasted = here.ended_at().await.duration_since(began);
        assert!((7_500..10_000).contains(&lasted.as_millis()), "{lasted:?}");
        assert_eq!((ended.by, ended.reasons.first().map(|reason| reason.cause)), (By::Them, Some(50)), "{ended:?}");
        there.ended().await;
        let call = scenery.record().await;
        assert_eq!(call["end"]["reason"], "funds_ended", "{call}");
        assert_eq!((call["duration"].as_i64(), &call["cost"]), (Some(8), &json!(money(cost(8)))), "{call}");
        let wallet = scenery.ada.wallet(Test).await;
        assert_eq!((wallet.available, wallet.held), (0, 0));
        let refused = scenery.caller.call(exchange.sip(), CALLER, OURS).await.refused().await;
        assert_eq!((refused.status, refused.q850()), (402, Some(50)));
        books(&exchange, &scenery.client).await;
    }

    async fn a_hundred_calls_on_one_wallet_never_overspend(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        let policy = format!("/v1/accounts/{}/environments/test/calling-policy", scenery.ada.account);
        let most = json!({ "most_concurrent": 1_000, "calls_per_minute": 10_000 });
        exchange.operator().patch(&policy, most).await.assert_status(200);
        let funds = cost(60) * 20 + cost(5);
        scenery.ada.purse(Test, funds).await;
        let answering = async {
            let mut talks = Vec::new();
            while let Some(arriving) = scenery.callee.next_within(Duration::from_secs(3)).await {
                talks.extend(arriving.try_answer().await.ok());
            }
            talks
        };
        let calling = async {
            let mut calls = Vec::new();
            for _ in 0..100 {
                calls.push(scenery.caller.call(exchange.sip(), CALLER, OURS).await);
            }
            let (mut talks, mut refused) = (Vec::new(), 0);
            for mut call in calls {
                match call.outcome().await {
                    Outcome::Answered(talk) => talks.push(talk),
                    Outcome::Refused(refusal) if refusal.status == 402 => refused += 1,
                    other => panic!("{other:?}"),
                }
            }
            (talks, refused)
        };
        let (there, (here, refused)) = tokio::join!(answering, calling);
        assert_eq!((here.len() + refused, there.len()), (100, here.len()));
        assert!((20..=21).contains(&here.len()), "{} calls on the money of 20 minutes and 5 seconds", here.len());
        let audit = tandem_app::audit::verify_ledger(&exchange.app(), |_| {}).await.expect("the books can be checked");
        assert_eq!(audit.faults, Vec::<String>::new(), "while people speak");
        let wallet = scenery.ada.wallet(Test).await;
        assert!(wallet.available >= 0 && wallet.available + wallet.held <= funds, "{wallet:?}");
        for talk in &here {
            talk.bye().await;
        }
        for talk in &there {
            talk.ended().await;
        }
        record(&scenery.client, here.len()).await;
        let wallet = until("all is given back", || async {
            let wallet = scenery.ada.wallet(Test).await;
            (wallet.held == 0).then_some(wallet)
        }).await;
        assert!((0..funds).contains(&wallet.available), "{wallet:?}");
        books(&exchange, &scenery.client).await;
    }
}
