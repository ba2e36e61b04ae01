//! Calls that are recorded, and messages that callers leave: what is in the file is what was said.

use http::Method;
use serde_json::{Value, json};
use tandem_domain::recording::RecordingKind;
use tandem_testkit::{
    Client, Database, Engine, Exchange, Phone, Talk, Tandem, on_both,
    phone::{By, Means, Reading},
    recorded, to_record, until, with_runtime,
};

use super::calls::{BEYOND, CALLER, OURS, TARGET, configure, kinds, record, scenery};

/// The samples of each channel of a WAV file.
fn channels(file: &[u8]) -> Vec<Vec<i16>> {
    assert_eq!((&file[..4], &file[8..16], &file[36..40]), (&b"RIFF"[..], &b"WAVEfmt "[..], &b"data"[..]));
    let count = usize::from(file[22]);
    let samples: Vec<i16> = file[44..].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
    (0..count).map(|channel| samples.iter().skip(channel).step_by(count).copied().collect()).collect()
}

/// What is heard in each fifth of a second: a frequency in hundreds of hertz, none where it is silent.
fn heard(samples: &[i16]) -> Vec<Option<i64>> {
    let hundreds = |reading: Reading| {
        #[expect(clippy::cast_possible_truncation, reason = "a frequency")]
        reading.tone.map(|tone| (tone / 100.0).round() as i64)
    };
    samples.chunks_exact(1_600).map(|stretch| hundreds(Reading::of(stretch))).collect()
}

/// How long a tone of so many hundreds of hertz is there, in seconds.
fn seconds(samples: &[i16], tone: i64) -> f64 {
    let count = heard(samples).into_iter().filter(|heard| *heard == Some(tone)).count();
    f64::from(u32::try_from(count).expect("few")) / 5.0
}

/// The environment's recordings of a kind, when so many of them are whole.
async fn whole(client: &Client, kind: &str, count: usize) -> Vec<Value> {
    until(&format!("{count} recordings are whole"), || async {
        let listed = client.get(&format!("/v1/recordings?kind={kind}")).await;
        let all = listed.assert_status(200).body["data"].as_array().expect("a list").clone();
        (all.iter().filter(|one| one["status"] == "completed").count() >= count).then_some(all)
    })
    .await
}

async fn file(client: &Client, recording: &Value) -> Vec<u8> {
    let id = recording["id"].as_str().expect("an id");
    client.get(&format!("/audian/v2/recordings/{id}")).await.assert_status(200).bytes().to_vec()
}

/// The call that goes on, as Audian's paths name it.
async fn going_on(client: &Client) -> String {
    let listed = client.get("/audian/v2/calls").await;
    let calls = listed.assert_status(200).body["calls"].as_array().expect("calls").clone();
    let live = calls.iter().find(|call| call["status"] == "answered").expect("one that goes on");
    format!("/audian/v2/calls/{}", live["call_id"].as_str().expect("an id"))
}

/// Lets so much of a call go by, by what this side hears: sound takes its time.
async fn pause(seconds: f64, talk: &Talk) {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few seconds")]
    talk.listen((seconds * 1_000.0) as usize).await;
}

on_both! {
    async fn a_number_that_records_keeps_what_both_said(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        configure(&scenery.client, json!({ "recording": { "enabled": true } })).await;
        let (here, there) = scenery.talk(&exchange).await;
        here.say(400);
        there.say(1_000);
        here.hears(1_000).await;
        there.hears(400).await;
        pause(1.5, &here).await;
        here.bye().await;
        assert_eq!(there.ended().await.by, By::Them);
        let recording = whole(&scenery.client, "call", 1).await.remove(0);
        assert_eq!((&recording["participant"], &recording["format"], &recording["delete_at"]), (&json!("all"), &json!("wav"), &Value::Null));
        let file = file(&scenery.client, &recording).await;
        let sides = channels(&file);
        assert_eq!((sides.len(), &recording["size"]), (2, &json!(file.len())));
        for (side, tone) in sides.iter().zip([4, 10]) {
            assert!(seconds(side, tone) >= 1.4, "{:?}", heard(side));
            let level = Reading::of(&side[side.len() / 2..side.len() / 2 + 1_600]).level.expect("a level");
            assert!((-17.0..-13.5).contains(&level), "it is as loud as it was said: {level}");
        }
        let call = scenery.record().await;
        assert_eq!(recording["call_id"], call["id"]);
        let listed = scenery.client.get(&format!("/audian/v2/calls/{}/recordings", call["id"].as_str().expect("an id"))).await;
        assert_eq!(listed.assert_status(200).body["recordings"][0]["recording_id"], recording["id"]);
        assert_eq!(kinds(&scenery.client, &recording).await, ["recording.completed"]);
    }

    async fn a_recording_begins_waits_goes_on_and_ends_as_it_is_told(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        let client = &scenery.client;
        let mut calling = scenery.caller.call(exchange.sip(), CALLER, OURS).await;
        let arriving = scenery.callee.incoming().await;
        arriving.ring().await;
        calling.ringing().await;
        let listed = client.get("/audian/v2/calls").await;
        let ringing = format!("/audian/v2/calls/{}", listed.body["calls"][0]["call_id"].as_str().expect("an id"));
        for order in ["start", "stop", "pause", "resume"] {
            let early = client.post(&format!("{ringing}/record/{order}"), json!({})).await;
            assert_eq!(early.assert_status(409).header("x-tandem-error"), Some("invalid_transition"));
        }
        let there = arriving.answer().await;
        let here = calling.answered().await;
        there.say(700);
        let call = going_on(client).await;
        for order in ["stop", "pause", "resume"] {
            let none = client.post(&format!("{call}/record/{order}"), json!({})).await;
            assert_eq!(none.assert_status(409).header("x-tandem-error"), Some("invalid_transition"));
        }
        let refused = client.post(&format!("{call}/record/start"), json!({ "format": "mp3" })).await;
        assert_eq!(refused.assert_status(400).header("x-tandem-error"), Some("invalid_choice"));
        here.say(400);
        there.hears(400).await;
        let begun = client.idempotency("one").post(&format!("{call}/record/start"), json!({ "participant": "caller" })).await;
        let id = begun.assert_status(200).body["recording_id"].as_str().expect("an id").to_owned();
        assert_eq!(begun.body, json!({
            "call_id": call.rsplit('/').next(), "recording_id": id, "status": "recording", "started_at": begun.body["started_at"],
            "stopped_at": null, "duration": null, "format": "wav",
        }));
        client.idempotency("one").post(&format!("{call}/record/start"), json!({ "participant": "caller" })).await.assert_replay_of(&begun);
        let twice = client.post(&format!("{call}/record/start"), json!({})).await;
        twice.assert_audian_error(409, "resource_conflict", "conflict_error", "The call is being recorded and cannot be recorded once more", None);
        pause(1.0, &here).await;
        let paused = client.post(&format!("{call}/record/pause"), json!({})).await;
        assert_eq!((&paused.assert_status(200).body["status"], &paused.body["recording_id"]), (&json!("paused"), &json!(id)));
        assert_eq!(client.post(&format!("{call}/record/pause"), json!({})).await.assert_status(409).header("x-tandem-error"), Some("invalid_transition"));
        here.say(1_500);
        there.hears(1_500).await;
        pause(0.6, &here).await;
        here.say(2_000);
        there.hears(2_000).await;
        let resumed = client.post(&format!("{call}/record/resume"), json!({})).await;
        assert_eq!(resumed.assert_status(200).body["status"], "recording");
        assert_eq!(client.post(&format!("{call}/record/resume"), json!({})).await.assert_status(409).header("x-tandem-error"), Some("invalid_transition"));
        pause(1.0, &here).await;
        let stopped = client.post(&format!("{call}/record/stop"), json!({})).await;
        assert_eq!((&stopped.assert_status(200).body["status"], &stopped.body["recording_id"]), (&json!("stopped"), &json!(id)));
        assert!((2..=4).contains(&stopped.body["duration"].as_i64().expect("seconds")), "{stopped}");
        let kept = file(client, &whole(client, "call", 1).await[0]).await;
        let sides = channels(&kept);
        let told = heard(&sides[0]);
        assert!(sides.len() == 1 && seconds(&sides[0], 4) >= 0.8 && seconds(&sides[0], 20) >= 0.8, "{told:?}");
        assert!(!told.contains(&Some(15)) && !told.contains(&Some(7)), "neither what was said meanwhile nor the other side: {told:?}");
        // The call goes on, and is recorded once more as it ends.
        let second = client.post(&format!("{call}/record/start"), json!({ "format": "opus" })).await;
        assert_eq!(second.assert_status(200).body["format"], "opus");
        pause(0.5, &here).await;
        here.bye().await;
        there.ended().await;
        let both = whole(client, "call", 2).await;
        let kept = file(client, &both[0]).await;
        assert!(kept.starts_with(b"OggS") && kept.windows(8).any(|at| at == b"OpusHead"));
        let head = client.send(Method::HEAD, &format!("/audian/v2/recordings/{}", both[0]["id"].as_str().expect("an id")), None).await;
        head.assert_status(200).assert_header("content-type", "audio/ogg");
        record(client, 1).await;
        let late = client.post(&format!("{call}/record/start"), json!({})).await;
        assert_eq!(late.assert_status(409).header("x-tandem-error"), Some("call_over"));
    }

    async fn who_is_not_answered_leaves_a_message(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        let client = &scenery.client;
        configure(client, json!({
            "voicemail": { "enabled": true, "delete_after_days": 7 }, "call_forwarding": { "rings_before_forward": 1 },
        })).await;
        let mut calling = scenery.caller.call(exchange.sip(), CALLER, OURS).await;
        let arriving = scenery.callee.incoming().await;
        arriving.ring().await;
        calling.ringing().await;
        arriving.refuse(486).await;
        let here = calling.answered().await;
        here.hears_something().await;
        here.press("1", Means::Event).await; // whoever knows the words need not hear them
        here.hears_nothing().await;
        here.say(600);
        pause(2.5, &here).await;
        here.press("#", Means::Tone).await;
        assert_eq!(here.ended().await.by, By::Them);
        let message = whole(client, "voicemail", 1).await.remove(0);
        assert_eq!((&message["number"], &message["from"], &message["participant"]), (&json!(OURS), &json!(CALLER), &json!("caller")));
        let sides = channels(&file(client, &message).await);
        assert!(sides.len() == 1 && seconds(&sides[0], 6) >= 1.8, "{:?}", heard(&sides[0]));
        let listed = client.get("/v1/voicemails?unheard=true").await;
        let left = &listed.assert_status(200).body["data"][0];
        assert_eq!((&left["id"], &left["from"], &left["heard"], left["delete_at"].is_string()), (&message["id"], &json!(CALLER), &json!(false), true));
        let call = scenery.record().await;
        assert_eq!((&call["status"], &left["call_id"]), (&json!("completed"), &call["id"]), "{call}");
        // The number's own greeting is heard in place of ours. Who says nothing then has left nothing.
        let tone: Vec<i16> = (0_i16..16_000).map(|at| if at % 8 < 4 { 8_000 } else { -8_000 }).collect();
        let greeting = recorded(&exchange, to_record(scenery.ada.test.environment, RecordingKind::Call), &tone).await;
        let wrong = client.put(&format!("/audian/v2/numbers/{OURS}/config"), json!({ "voicemail": { "greeting_id": "rec_abc" } })).await;
        assert_eq!((wrong.assert_status(422).body["error"]["param"].as_str(), wrong.header("x-tandem-error")), (Some("greeting_id"), Some("routing_target_missing")));
        configure(client, json!({ "voicemail": { "greeting_id": greeting.id.to_string() } })).await;
        let config = client.get(&format!("/audian/v2/numbers/{OURS}/config")).await;
        assert_eq!(config.data()["voicemail"]["greeting_id"], greeting.id.to_string());
        let calling = scenery.caller.call(exchange.sip(), CALLER, OURS).await;
        scenery.callee.incoming().await.refuse(486).await;
        let here = calling.answered().await;
        here.hears(1_000).await;
        here.press("1", Means::Event).await;
        here.hears_nothing().await;
        here.bye().await;
        record(client, 2).await;
        let left = client.get("/v1/recordings?kind=voicemail").await;
        assert_eq!(left.assert_status(200).body["data"].as_array().map(Vec::len), Some(1), "{left}");
        client.post("/v1/clock/advance", json!({ "by": "P8D" })).await.assert_status(200);
        assert_eq!(client.get("/v1/voicemails").await.body["data"], json!([]));
    }
}

/// A call of which the process dies: what was said until then is there, whoever takes its place.
async fn cut_off(engine: Engine) {
    let database = Database::new(engine);
    let mut tandem = Tandem::start(database.folder(), &database.url()).await;
    let (caller, callee) = (Phone::listen().await, Phone::listen().await);
    let trunk = json!({
        "name": "beyond", "serves": "test", "direction": "outbound", "host": "127.0.0.1", "port": callee.address().port(),
        "routes": [{ "prefix": BEYOND }],
    });
    ask(&tandem, Method::POST, "/v1/trunks", trunk).await;
    let found = ask(&tandem, Method::GET, "/audian/v2/numbers/search?location=US&features=voice&limit=1", Value::Null).await;
    let number = found["data"]["numbers"][0]["number"].as_str().expect("a number").to_owned();
    ask(&tandem, Method::POST, "/audian/v2/numbers/purchase", json!({ "number": number })).await;
    let config = json!({
        "call_forwarding": { "enabled": true, "forward_to": TARGET }, "recording": { "enabled": true, "participant": "caller" },
    });
    ask(&tandem, Method::PUT, &format!("/audian/v2/numbers/{number}/config"), config).await;
    let sip = tandem.ready["sip"].as_str().and_then(|sip| sip.parse().ok()).expect("an address for SIP");
    let calling = caller.call(sip, CALLER, &number).await;
    let there = callee.incoming().await.answer().await;
    let here = calling.answered().await;
    here.say(500);
    there.hears(500).await;
    pause(3.0, &there).await;
    tandem.kill();
    tandem = Tandem::start(database.folder(), &database.url()).await;
    let recording = until("what was recorded is whole", || async {
        let listed = ask(&tandem, Method::GET, "/v1/recordings", Value::Null).await;
        listed["data"].as_array()?.iter().find(|one| one["status"] == "completed").cloned()
    })
    .await;
    let (length, size) = (recording["length_ms"].as_i64().expect("a length"), recording["size"].as_i64().expect("a size"));
    assert!(length >= 2_000 && size == 44 + length * 16, "{recording}");
    let path = format!("/v1/events/{}", recording["id"].as_str().expect("an id"));
    let events = ask(&tandem, Method::GET, &path, Value::Null).await;
    let kinds: Vec<&Value> = events["data"].as_array().expect("events").iter().map(|event| &event["kind"]).collect();
    assert_eq!(kinds, ["recording.completed"]);
}

/// Asks with the key that a path wants.
async fn ask(tandem: &Tandem, method: Method, path: &str, body: Value) -> Value {
    let account = &tandem.ready["accounts"][0];
    let key = if path.starts_with("/v1/trunks") { &tandem.ready["operator_key"] } else { &account["test_key"] };
    let key = key.as_str().expect("a key");
    let bearer = format!("Bearer {key}");
    let header = if path.starts_with("/v1") { ("authorization", bearer.as_str()) } else { ("x-auth-token", key) };
    let (status, answer, _) = tandem.try_send(method, path, &[header], &body).await.expect("an answer");
    assert!((200..300).contains(&status), "{path}: {status} {answer}");
    answer
}

#[test]
fn what_a_killed_process_recorded_is_there_on_sqlite() {
    with_runtime(cut_off(Engine::Sqlite));
}

#[test]
fn what_a_killed_process_recorded_is_there_on_postgres() {
    with_runtime(cut_off(Engine::Postgres));
}
