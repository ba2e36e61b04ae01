//! Conferences with telephones: who hears whom, and what those who lead can do about it.

use std::f64::consts::TAU;

use http::Method;
use serde_json::{Value, json};
use tandem_domain::recording::RecordingKind;
use tandem_kernel::Environment::{Live, Test};
use tandem_testkit::{
    Client, Exchange, Persona, Phone, Talk, on_both,
    phone::{Means, Outcome, PhoneOptions},
    recorded, to_record, until,
};

use super::calls::{CALLER, OURS, configure, record};
use crate::{gate::say, numbers::buy};

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
        ada.unlimited(Test).await;
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

    async fn add(&self, phone: &str) -> Value {
        let added = self.client.post(&format!("{}/participants", self.path), json!({ "phone_number": phone })).await;
        added.assert_status(201).body.clone()
    }

    /// The conference's recordings, when there are so many and the last is where it is to be.
    async fn recordings(&self, count: usize, status: &str) -> Vec<Value> {
        until(&format!("{count} recordings are there, the last {status}"), || async {
            let listed = self.client.get(&format!("{}/recordings", self.path)).await;
            let found = listed.assert_status(200).body["recordings"].as_array().expect("a list").clone();
            (found.len() == count && found.last().is_some_and(|last| last["status"] == status)).then_some(found)
        })
        .await
    }

    /// The samples of a recording in mono.
    async fn recording(&self, id: &str, rate: u32) -> Vec<i16> {
        let file = until("the sound is there", || async {
            let got = self.client.get(&format!("/audian/v2/recordings/{id}")).await;
            (got.status == 200).then(|| got.bytes().to_vec())
        })
        .await;
        assert_eq!(file[24..28], rate.to_le_bytes());
        assert_eq!(file[22..24], 1_u16.to_le_bytes());
        file[44..].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
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
        second.press("*6", Means::Tone).await;
        hears(&first, &[TONES[2]]).await;
        second.press("*6", Means::Tone).await;
        second.say(TONES[1]);
        hears(&first, &others(TONES[0])).await;
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
        assert!(!hall.person(CALLERS[1], "left").await["call_id"].is_null());
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
        assert_eq!(hall.ada.wallet(Test).await.held, 0);
    }

    async fn whoever_waits_hears_the_conferences_own_music(exchange: Exchange) {
        let hall = Hall::open(&exchange, json!({ "name": "Monday", "member_notification": false, "hold_music_id": "media_abc123" })).await;
        let alone = hall.call(&exchange, CALLERS[0]).await;
        alone.hears_something().await; // ours, as it names no recording
        alone.bye().await;
        record(&hall.client, 1).await;
        let tone: Vec<i16> = (0_i16..16_000).map(|at| if at % 8 < 4 { 8_000 } else { -8_000 }).collect();
        let music = recorded(&exchange, to_record(hall.ada.test.environment, RecordingKind::Call), &tone).await;
        hall.client.put(&hall.path, json!({ "hold_music_id": music.id.to_string() })).await.assert_status(200);
        let alone = hall.call(&exchange, CALLERS[0]).await;
        alone.hears(1_000).await;
        let other = hall.call(&exchange, CALLERS[1]).await;
        other.say(TONES[1]);
        hears(&alone, &[TONES[1]]).await;
        other.bye().await;
        alone.hears(1_000).await;
        alone.bye().await;
        record(&hall.client, 3).await;
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
        let plain = Phone::with(PhoneOptions { events: false, ..PhoneOptions::default() }).await;
        let other = plain.call(exchange.sip(), CALLERS[2], OURS).await.answered().await;
        let one = hall.call(&exchange, CALLERS[1]).await;
        one.press("9999#", Means::Event).await;
        one.press("4711#", Means::Tone).await; // gateways agree to events and let the tones pass all the same
        hall.person(CALLERS[1], "joined").await;
        other.press("47*4711", Means::Tone).await;
        hall.person(CALLERS[2], "joined").await;
        one.say(TONES[1]);
        hears(&other, &[TONES[1]]).await;
    }

    async fn whoever_is_added_is_called_and_paid_for(exchange: Exchange) {
        let hall = Hall::open(&exchange, json!({ "name": "Monday", "member_notification": false, "require_pin": true, "pin": "4711" })).await;
        let (grace, linus, busy) = ("+442079461001", "+442079461002", "+442079461003");
        let mut talks = Vec::new();
        for (to, tone) in [(grace, TONES[0]), (linus, TONES[1])] {
            let added = hall.add(to).await;
            assert_eq!((&added["status"], added["call_id"].is_string()), (&json!("invited"), true), "{added}");
            let arriving = hall.phone.incoming().await;
            assert_eq!((arriving.from().as_str(), arriving.to().as_str()), (OURS, to));
            let talk = arriving.answer().await;
            talk.say(tone);
            let joined = hall.person(to, "joined").await;
            assert_eq!((&joined["id"], &joined["call_id"]), (&added["id"], &added["call_id"]));
            talks.push(talk);
        }
        hears(&talks[0], &[TONES[1]]).await;
        hears(&talks[1], &[TONES[0]]).await;
        hall.add(busy).await;
        hall.phone.incoming().await.refuse(486).await;
        hall.person(busy, "left").await;
        let again = hall.add(busy).await;
        let arriving = hall.phone.incoming().await;
        arriving.ring().await;
        let one = format!("{}/participants/{}", hall.path, again["id"].as_str().expect("an id"));
        assert_eq!(hall.client.delete(&one).await.assert_status(200).body["status"], "removed");
        arriving.cancelled().await;
        let one = format!("{}/participants/{}", hall.path, hall.person(grace, "joined").await["id"].as_str().expect("an id"));
        assert_eq!(hall.client.delete(&one).await.assert_status(200).body["status"], "removed");
        talks[0].ended().await;
        talks[1].bye().await;
        let calls = record(&hall.client, 4).await;
        let paid = calls.iter().filter(|call| call["status"] == "completed");
        assert!(paid.clone().all(|call| call["direction"] == "outbound" && call["cost"].as_f64().is_some_and(|cost| cost > 0.0)), "{calls:?}");
        assert_eq!(paid.count(), 2);
        assert_eq!(hall.ada.wallet(Test).await.held, 0);
    }

    async fn who_cannot_be_called_is_not_added(exchange: Exchange) {
        let ada = exchange.account("Ada").await;
        let (client, operator) = (ada.live(), exchange.operator());
        let made = client.post(CONFERENCES, json!({ "name": "Monday" })).await;
        let people = format!("{CONFERENCES}/{}/participants", made.assert_status(201).body["id"].as_str().expect("an id"));
        let british = json!({ "phone_number": "+442079461001" });
        let refuses = |body: Value, code: &'static str| {
            let (client, people) = (client.clone(), people.clone());
            async move { say(&client, &[(Method::POST, people, body, code)]).await }
        };
        refuses(british.clone(), "operation_not_allowed").await;
        buy(&client, "+14155550100").await;
        refuses(british.clone(), "no_route").await;
        let trunk = json!({ "name": "all", "host": "sip.example.com", "direction": "outbound", "routes": [{ "prefix": "" }] });
        let id = exchange.add_trunk(trunk).await;
        operator.patch(&format!("/v1/trunks/{id}"), json!({ "state": "drained" })).await.assert_status(200);
        refuses(british.clone(), "trunks_unavailable").await;
        operator.patch(&format!("/v1/trunks/{id}"), json!({ "state": "active" })).await.assert_status(200);
        refuses(json!({ "phone_number": "+18765550100" }), "call_country_not_allowed").await;
        let policy = format!("/v1/accounts/{}/environments/live/calling-policy", ada.account);
        for (change, code) in [
            (json!({ "most_per_minute": 0.001 }), "call_too_dear"),
            (json!({ "most_per_minute": 1, "most_concurrent": 0 }), "call_limit_reached"),
        ] {
            operator.patch(&policy, change).await.assert_status(200);
            refuses(british.clone(), code).await;
        }
        operator.patch(&policy, json!({ "most_concurrent": 5 })).await.assert_status(200);
        ada.purse(Live, 0).await;
        refuses(british, "insufficient_funds").await;
        assert_eq!(client.get(&people).await.assert_status(200).body["participants"], json!([]));
    }

    async fn what_is_said_is_recorded(exchange: Exchange) {
        let conference = json!({ "name": "Monday", "allow_recording_by_participant": true, "member_notification": false });
        let hall = Hall::open(&exchange, conference).await;
        let (one, other) = (hall.call(&exchange, CALLERS[0]).await, hall.call(&exchange, CALLERS[1]).await);
        let (start, stop) = (format!("{}/recording/start", hall.path), format!("{}/recording/stop", hall.path));
        say(&hall.client, &[
            (Method::POST, stop.clone(), json!({}), "invalid_transition"),
            (Method::POST, start.clone(), json!({ "format": "mp3" }), "invalid_choice"),
        ]).await;
        one.say(TONES[0]);
        other.say(TONES[1]);
        hears(&one, &[TONES[1]]).await;
        let began = hall.client.post(&start, json!({ "name": "Minutes", "quality": "high" })).await;
        let began = began.assert_status(200).body.clone();
        assert_eq!((&began["status"], &began["name"], &began["format"], &began["conference_id"]),
                   (&json!("recording"), &json!("Minutes"), &json!("wav"), &json!(hall.id)));
        say(&hall.client, &[(Method::POST, start.clone(), json!({}), "invalid_transition")]).await;
        one.samples(1_500).await;
        one.hush();
        one.samples(1_500).await;
        let made = format!("{}/recordings/{}", hall.path, began["recording_id"].as_str().expect("an id"));
        say(&hall.client, &[(Method::DELETE, made, Value::Null, "invalid_transition")]).await;
        let over = hall.client.post(&stop, json!({})).await;
        let over = over.assert_status(200).body.clone();
        assert_eq!((&over["status"], &over["recording_id"]), (&json!("stopped"), &began["recording_id"]));
        assert!(over["duration"].as_i64().is_some_and(|seconds| seconds >= 3), "{over}");
        let samples = hall.recording(began["recording_id"].as_str().expect("an id"), 16_000).await;
        let loud = |second: f64, hertz: u16| {
            let from = (second * 16_000.0) as usize;
            let narrow: Vec<i16> = samples[from..from + 6_400].iter().step_by(2).copied().collect();
            loudness(&narrow, hertz) > 2_500.0
        };
        assert_eq!((loud(0.5, TONES[0]), loud(0.5, TONES[1]), loud(0.5, TONES[2])), (true, true, false));
        assert_eq!((loud(2.4, TONES[0]), loud(2.4, TONES[1])), (false, true), "who says nothing is not in it");
        // Participants may, by their keys.
        one.press("*1", Means::Event).await;
        let begun = hall.recordings(2, "recording").await;
        one.press("*1", Means::Event).await;
        hall.recordings(2, "completed").await;
        assert_eq!(begun[1]["name"], Value::Null);
        one.bye().await;
        other.bye().await;
        let told = hall.kinds().await;
        assert_eq!(told.iter().filter(|kind| *kind == "recording_started").count(), 2, "{told:?}");
    }

    async fn a_conference_that_is_to_be_recorded_is_from_the_first_to_the_last(exchange: Exchange) {
        let hall = Hall::open(&exchange, json!({ "name": "Monday", "record": true, "member_notification": false })).await;
        let talk = hall.call(&exchange, CALLERS[0]).await;
        talk.say(TONES[2]);
        hall.recordings(1, "recording").await;
        talk.samples(1_000).await;
        talk.bye().await;
        let kept = hall.recordings(1, "completed").await.remove(0);
        let samples = hall.recording(kept["recording_id"].as_str().expect("an id"), 8_000).await;
        let last = &samples[samples.len().saturating_sub(4_000)..];
        assert!(loudness(&last[..1_600], TONES[2]) > 2_500.0, "whoever is alone is recorded, and not the music");
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
        assert_eq!(refused(hall.outcome(&exchange, CALLERS[0]).await).0, 480, "the number leads nowhere");
    }
}
