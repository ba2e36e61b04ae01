//! Conferences with telephones: who hears whom, and what those who lead can do about it.

use std::f64::consts::TAU;

use serde_json::{Value, json};
use tandem_testkit::{
    Client, Exchange, Persona, Phone, Talk, on_both,
    phone::{Means, Outcome},
    until,
};

use super::calls::{CALLER, OURS, configure, record};
use crate::numbers::buy;

const CONFERENCES: &str = "/audian/v2/conferences";
const CALLERS: [&str; 3] = [CALLER, "+442079462003", "+442079462004"];
/// What each says: none of them a harmonic of another, nor a tone of the room's.
const TONES: [u16; 3] = [500, 730, 1_150];

/// A conference that a number leads to, and somebody who may call it.
struct Hall {
    ada: Persona,
    client: Client,
    phone: Phone,
    path: String,
    id: String,
}

impl Hall {
    async fn open(exchange: &Exchange, conference: Value) -> Self {
        let ada = exchange.account("Ada").await;
        let (client, phone) = (ada.test(), Phone::listen().await);
        exchange.trunk(&phone, "442079461").await;
        buy(&client, OURS).await;
        let made = client.post(CONFERENCES, conference).await;
        let id = made.assert_status(201).body["id"].as_str().expect("an id").to_owned();
        configure(&client, json!({ "conference": { "conference_id": id } })).await;
        Self { ada, client, phone, path: format!("{CONFERENCES}/{id}"), id }
    }

    async fn outcome(&self, exchange: &Exchange, from: &str) -> Outcome {
        self.phone.call(exchange.sip(), from, OURS).await.outcome().await
    }

    async fn call(&self, exchange: &Exchange, from: &str) -> Talk {
        self.phone.call(exchange.sip(), from, OURS).await.answered().await
    }

    async fn post(&self, rest: &str) -> Value {
        self.client.post(&format!("{}/{rest}", self.path), json!({})).await.assert_status(200).body.clone()
    }

    async fn people(&self) -> Vec<Value> {
        let listed = self.client.get(&format!("{}/participants", self.path)).await;
        listed.assert_status(200).body["participants"].as_array().expect("a list").clone()
    }

    /// The participant with a number, when it is where it is to be.
    async fn person(&self, phone: &str, status: &str) -> Value {
        until(&format!("{phone} is {status}"), || async {
            self.people().await.into_iter().rev().find(|one| one["phone_number"] == phone && one["status"] == status)
        })
        .await
    }

    async fn kinds(&self) -> Vec<String> {
        let read = self.client.get(&format!("/v1/events/{}", self.id)).await;
        let events = read.assert_status(200).body["data"].as_array().expect("events").clone();
        let names = events.iter().map(|event| event["kind"].as_str().expect("a kind").trim_start_matches("conference.").to_owned());
        names.collect()
    }
}

/// How loud a frequency is in a sound at 8000 Hz: the amplitude of its sine.
#[expect(clippy::cast_precision_loss, reason = "a stretch is short")]
pub fn loudness(samples: &[i16], hertz: u16) -> f64 {
    let turn = TAU * f64::from(hertz) / 8_000.0;
    let (mut real, mut imaginary) = (0.0, 0.0);
    for (place, sample) in samples.iter().enumerate() {
        let angle = turn * place as f64;
        real += f64::from(*sample) * angle.cos();
        imaginary += f64::from(*sample) * angle.sin();
    }
    2.0 * real.hypot(imaginary) / samples.len() as f64
}

/// Waits until of all three tones just these are heard.
async fn hears(talk: &Talk, wanted: &[u16]) {
    let what = format!("{wanted:?} are heard and nothing else");
    until(&what, || async {
        let stretch = talk.samples(200).await;
        let fits = |hertz: u16| {
            let loud = loudness(&stretch, hertz);
            if wanted.contains(&hertz) { loud > 2_500.0 } else { loud < 400.0 }
        };
        TONES.into_iter().all(fits).then_some(())
    })
    .await;
}

fn others(mine: u16) -> Vec<u16> {
    TONES.into_iter().filter(|tone| *tone != mine).collect()
}

on_both! {
    async fn each_of_three_hears_the_other_two(exchange: Exchange) {
        let hall = Hall::open(&exchange, json!({ "name": "Monday", "member_notification": false })).await;
        let mut talks = Vec::new();
        for (from, tone) in CALLERS.into_iter().zip(TONES) {
            let talk = hall.call(&exchange, from).await;
            if talks.is_empty() {
                talk.hears_something().await; // music, as nobody else is there
            }
            talk.say(tone);
            talks.push(talk);
        }
        for (talk, tone) in talks.iter().zip(TONES) {
            hears(talk, &others(tone)).await;
        }
        let [first, second, third] = talks.try_into().unwrap_or_else(|_| panic!("three"));
        let person = |place: usize| hall.person(CALLERS[place], "joined");
        let two = format!("participants/{}", person(1).await["id"].as_str().expect("an id"));
        hall.post(&format!("{two}/mute")).await;
        hears(&first, &[TONES[2]]).await;
        hears(&second, &others(TONES[1])).await;
        second.press("*6", Means::Event).await;
        hears(&first, &others(TONES[0])).await;
        assert_eq!(person(1).await["muted"], false);
        hall.post(&format!("{two}/hold")).await;
        hears(&first, &[TONES[2]]).await;
        hears(&second, &[]).await;
        second.hears_something().await;
        hall.post(&format!("{two}/resume")).await;
        hears(&second, &others(TONES[1])).await;
        assert_eq!(hall.post("mute-all").await["participants_muted"], 3);
        hears(&third, &[]).await;
        hall.post(&format!("{two}/disconnect")).await;
        second.ended().await;
        assert_eq!(hall.person(CALLERS[1], "left").await["call_id"].is_null(), false);
        third.bye().await;
        hall.person(CALLERS[2], "left").await;
        first.hears_something().await; // alone again
        let ended = hall.client.delete(&hall.path).await;
        assert_eq!(ended.assert_status(200).body["status"], "ended");
        first.ended().await;
        let calls = record(&hall.client, 3).await;
        assert!(calls.iter().all(|call| call["end"]["reason"] == "normal" && call["status"] == "completed"), "{calls:?}");
        let told = hall.kinds().await;
        let of = |kind: &str| told.iter().filter(|known| *known == kind).count();
        assert_eq!((of("started"), of("participant_joined"), of("participant_left"), of("emptied"), of("ended")), (1, 3, 2, 0, 1), "{told:?}");
        assert_eq!(hall.ada.wallet(tandem_kernel::Environment::Test).await.held, 0);
    }

    async fn the_pin_opens_and_three_wrong_ones_end_the_call(exchange: Exchange) {
        let conference = json!({ "name": "Monday", "require_pin": true, "pin": "4711", "member_notification": false });
        let hall = Hall::open(&exchange, conference).await;
        let wrong = hall.call(&exchange, CALLERS[0]).await;
        wrong.hears_something().await;
        for pin in ["1234#", "123456", "#"] {
            wrong.press(pin, Means::Event).await;
            wrong.hears_something().await;
        }
        let ended = wrong.ended().await;
        let reason = ended.reasons.first().expect("a reason");
        assert_eq!(reason.cause, 21, "{ended:?}");
        let call = record(&hall.client, 1).await.remove(0);
        assert_eq!((&call["end"]["reason"], &call["status"]), (&json!("wrong_pin"), &json!("completed")), "{call}");
        assert_eq!(hall.people().await, Vec::<Value>::new());
        assert_eq!(hall.kinds().await, ["created", "participant_refused"]);
        let (one, other) = (hall.call(&exchange, CALLERS[1]).await, hall.call(&exchange, CALLERS[2]).await);
        one.press("9999#4711#", Means::Event).await;
        hall.person(CALLERS[1], "joined").await;
        other.press("47*4711", Means::Tone).await;
        hall.person(CALLERS[2], "joined").await;
        one.say(TONES[1]);
        hears(&other, &[TONES[1]]).await;
    }

    async fn nobody_comes_in_too_early_too_late_or_too_many(exchange: Exchange) {
        let soon = exchange.now().plus_seconds(3_600).to_string();
        let hall = Hall::open(&exchange, json!({ "name": "Monday", "max_participants": 2, "scheduled_for": soon })).await;
        let refused = |outcome: Outcome| match outcome {
            Outcome::Refused(refused) => (refused.status, refused.q850()),
            other => panic!("refused was expected: {other:?}"),
        };
        assert_eq!(refused(hall.outcome(&exchange, CALLERS[0]).await), (480, Some(27)));
        hall.client.put(&hall.path, json!({ "scheduled_for": null })).await.assert_status(200);
        let (first, second, third) = tokio::join!(
            hall.outcome(&exchange, CALLERS[0]), hall.outcome(&exchange, CALLERS[1]), hall.outcome(&exchange, CALLERS[2])
        );
        let (inside, outside): (Vec<_>, Vec<_>) = [first, second, third].into_iter().partition(|outcome| matches!(outcome, Outcome::Answered(_)));
        assert_eq!((inside.len(), outside.len()), (2, 1));
        assert_eq!(outside.into_iter().map(refused).collect::<Vec<_>>(), [(486, Some(17))]);
        hall.client.delete(&hall.path).await.assert_status(200);
        for outcome in inside {
            let Outcome::Answered(talk) = outcome else { panic!("a talk") };
            talk.ended().await;
        }
        assert_eq!(refused(hall.outcome(&exchange, CALLERS[0]).await).0, 410);
    }
}
