//! Recordings: their sound, how long they are kept, and what becomes of them when something dies in between.

use std::path::{Path, PathBuf};

use http::Method;
use serde_json::{Value, json};
use tandem_app::recordings::{self, Made, StartRecording};
use tandem_catalogue::Code;
use tandem_domain::recording::{Recording, RecordingKind, RecordingState};
use tandem_kernel::{ConferenceId, PhoneNumber, Scope};
use tandem_testkit::{Server, on_both, recorded, recording, to_record, until, wav, whole};

const CONFERENCES: &str = "/audian/v2/conferences";

/// A second of a tone.
fn tone() -> Vec<i16> {
    (0_i16..8_000).map(|at| if at % 16 < 8 { 8_000 } else { -8_000 }).collect()
}

/// Where the object store has a recording.
fn kept(server: &Server, recording: &Recording) -> PathBuf {
    server.database().folder().join("recordings").join(&recording.object)
}

/// Where its file is until then.
fn made(server: &Server, recording: &Recording) -> PathBuf {
    server.app().archive.spool().expect("a folder").file(recording.id, &recording.format)
}

async fn gone(path: &Path) {
    until("the file is gone", || async { (!path.exists()).then_some(()) }).await;
}

on_both! {
    async fn a_recording_is_listened_to_whole_and_in_part(server: Server) {
        let (ada, eve) = (server.account("Ada").await, server.account("Eve").await);
        let client = ada.test();
        let made = recorded(&server, to_record(ada.test.environment, RecordingKind::Call), &tone()).await;
        assert_eq!((made.state, made.size, made.length, made.spool), (RecordingState::Completed, 16_044, 1_000, None));
        let file = wav(&tone());
        for path in [format!("/audian/v2/recordings/{}", made.id), format!("/v1/recordings/{}/audio", made.id)] {
            let all = client.get(&path).await;
            assert_eq!(all.assert_status(200).bytes(), file);
            all.assert_header("content-type", "audio/wav").assert_header("content-length", "16044").assert_header("accept-ranges", "bytes");
            let tag = all.header("etag").expect("a tag").to_owned();
            for (range, bytes, told) in [
                ("bytes=0-43", &file[..44], "bytes 0-43/16044"),
                ("bytes=16000-", &file[16_000..], "bytes 16000-16043/16044"),
                ("bytes=-10", &file[16_034..], "bytes 16034-16043/16044"),
                ("bytes=16043-99999", &file[16_043..], "bytes 16043-16043/16044"),
            ] {
                let part = client.header("range", range).header("if-range", &tag).get(&path).await;
                assert_eq!(part.assert_status(206).bytes(), bytes);
                part.assert_header("content-range", told).assert_header("content-length", &bytes.len().to_string()).assert_header("etag", &tag);
            }
            let other = client.header("range", "bytes=0-43").header("if-range", "\"another\"").get(&path).await;
            assert_eq!(other.assert_status(200).bytes().len(), 16_044);
            let beyond = client.header("range", "bytes=16044-").get(&path).await;
            beyond.assert_status(416).assert_header("content-range", "bytes */16044").assert_header("x-tandem-error", "range_not_satisfiable");
            let head = client.send(Method::HEAD, &path, None).await;
            assert_eq!((head.assert_status(200).bytes().len(), head.header("content-length")), (0, Some("16044")));
            assert_eq!(eve.test().get(&path).await.assert_status(404).header("x-tandem-error"), Some("resource_not_found"));
            ada.live().get(&path).await.assert_status(404);
            ada.test_with(&[Scope::NumbersRead]).await.get(&path).await.assert_status(403);
        }
        let known = client.header("accept", "application/json").get(&format!("/audian/v2/recordings/{}", made.id)).await;
        assert_eq!(known.assert_status(200).body, json!({
            "recording_id": made.id.to_string(), "call_id": null, "conference_id": null, "name": null, "status": "completed",
            "format": "wav", "participant": "all", "duration": 1, "size": 16_044, "started_at": made.started_at.to_string(),
            "stopped_at": made.stopped_at.expect("a time").to_string(), "delete_at": null,
        }));
        let native = client.get(&format!("/v1/recordings/{}", made.id)).await;
        assert_eq!(native.assert_status(200).body, json!({
            "id": made.id.to_string(), "kind": "call", "call_id": null, "conference_id": null, "number": null, "from": null, "name": null,
            "status": "completed", "format": "wav", "participant": "all", "size": 16_044, "length_ms": 1_000,
            "started_at": made.started_at.to_string(), "stopped_at": made.stopped_at.expect("a time").to_string(), "delete_at": null,
        }));
        let events = client.get(&format!("/v1/events/{}", made.id)).await;
        let named: Vec<&str> = events.assert_status(200).body["data"].as_array().expect("a list").iter().filter_map(|event| event["kind"].as_str()).collect();
        assert_eq!(named, ["recording.completed"]);
        client.delete(&format!("/audian/v2/recordings/{}", made.id)).await.assert_status(200);
        client.get(&format!("/audian/v2/recordings/{}", made.id)).await.assert_status(404);
        gone(&kept(&server, &made)).await;
    }

    async fn what_is_still_being_made_has_no_sound_and_stays(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test();
        let begun = recording(&server, to_record(ada.test.environment, RecordingKind::Call), &wav(&tone())).await;
        let path = format!("/audian/v2/recordings/{}", begun.id);
        for state in ["recording", "paused"] {
            let early = client.get(&path).await;
            assert_eq!(early.assert_status(409).header("x-tandem-error"), Some("recording_has_no_audio"));
            let early = client.get(&format!("/v1/recordings/{}/audio", begun.id)).await;
            assert_eq!(early.assert_status(409).header("x-tandem-error"), Some("recording_has_no_audio"));
            for path in [&path, &format!("/v1/recordings/{}", begun.id)] {
                assert_eq!(client.delete(path).await.assert_status(409).header("x-tandem-error"), Some("invalid_transition"));
            }
            assert_eq!(client.get(&format!("/v1/recordings/{}", begun.id)).await.body["status"], state);
            recordings::pause(&server.app(), begun.environment, begun.id, true).await.expect("it waits");
        }
        recordings::complete(&server.app(), begun.environment, begun.id, Made::Nothing).await.expect("it has failed");
        assert_eq!(client.get(&path).await.assert_status(409).header("x-tandem-error"), Some("recording_has_no_audio"));
        client.delete(&format!("/v1/recordings/{}", begun.id)).await.assert_status(200);
    }

    async fn recordings_are_kept_as_long_as_they_are_to_be(server: Server) {
        let ada = server.account("Ada").await;
        let (client, app) = (ada.test(), server.app());
        let environment = ada.test.environment;
        let made = client.post(CONFERENCES, json!({ "name": "Monday" })).await;
        let id = made.assert_status(201).body["id"].as_str().expect("an id").to_owned();
        let start = |keep_days| StartRecording {
            conference: ConferenceId::parse(&id), name: Some("Minutes".to_owned()), keep_days,
            ..to_record(environment, RecordingKind::Conference)
        };
        let long = recorded(&server, start(None), &tone()[..7_999]).await;
        let brief = recorded(&server, start(Some(7)), &tone()).await;
        let path = format!("{CONFERENCES}/{id}/recordings");
        let again = recordings::complete(&app, environment, long.id, Made::Nothing).await.expect("a replay");
        assert_eq!(again, long);
        let code = recordings::pause(&app, environment, long.id, true).await.expect_err("it is whole").code();
        assert_eq!(code, Code::InvalidTransition);
        let listed = client.get(&path).await;
        let found = listed.assert_status(200).body["recordings"].as_array().expect("a list").clone();
        assert_eq!((found.len(), &found[0]["status"], &found[0]["duration"], &found[0]["delete_at"]), (2, &json!("completed"), &json!(1), &Value::Null));
        client.post("/v1/clock/advance", json!({ "by": "P8D" })).await.assert_status(200);
        assert_eq!(client.get(&path).await.body["recordings"].as_array().map(Vec::len), Some(1), "seven days are over");
        gone(&kept(&server, &brief)).await;
        client.get(&format!("{path}/{}", brief.id)).await.assert_status(404);
        assert_eq!(client.get(&format!("{path}/{}", long.id)).await.assert_status(200).body["name"], "Minutes");
        assert!(kept(&server, &long).exists());
        client.delete(&format!("{path}/{}", long.id)).await.assert_status(200);
        gone(&kept(&server, &long)).await;
        until("nothing is left to remove", || async {
            recordings::removals(&app, String::new(), 10).await.expect("read").is_empty().then_some(())
        }).await;
    }

    async fn what_a_process_leaves_that_dies_is_completed_as_far_as_it_goes(server: Server) {
        let ada = server.account("Ada").await;
        let start = || to_record(ada.test.environment, RecordingKind::Call);
        // The head of the file says that nothing is in it yet, and it ends within a sample.
        let mut cut = wav(&tone());
        cut[40..44].fill(0);
        cut.push(7);
        let cut = recording(&server, start(), &cut).await;
        let empty = recording(&server, start(), &wav(&[])).await;
        let lost = recording(&server, start(), b"").await;
        std::fs::remove_file(made(&server, &lost)).expect("removed");
        let stray = made(&server, &cut).with_file_name("rec_01hzy3v7k2m8x4c6b9d1f5g7h0.wav");
        std::fs::write(&stray, b"x").expect("written");
        server.restart().await;
        let ends = [whole(&server, &cut).await, whole(&server, &empty).await, whole(&server, &lost).await];
        assert_eq!(ends.each_ref().map(|end| end.state), [RecordingState::Completed, RecordingState::Failed, RecordingState::Failed]);
        assert_eq!((ends[0].size, ends[0].length), (16_044, 1_000));
        let heard = ada.test().get(&format!("/audian/v2/recordings/{}", cut.id)).await;
        assert_eq!(heard.assert_status(200).bytes(), wav(&tone()));
        for path in [made(&server, &cut), made(&server, &empty), stray] {
            gone(&path).await;
        }
    }

    async fn bytes_that_the_object_store_does_not_take_stay_until_it_does(server: Server) {
        let ada = server.account("Ada").await;
        let folder = server.database().folder().join("recordings");
        std::fs::remove_dir_all(&folder).expect("removed");
        std::fs::write(&folder, b"no folder").expect("written");
        let file = wav(&tone());
        let begun = recording(&server, to_record(ada.test.environment, RecordingKind::Call), &file).await;
        recordings::stop(&server.app(), begun.environment, begun.id, (16_044, 1_000)).await.expect("it ends");
        let path = format!("/v1/recordings/{}", begun.id);
        assert_eq!(ada.test().get(&path).await.body["status"], "processing");
        assert_eq!(ada.test().delete(&path).await.assert_status(409).header("x-tandem-error"), Some("invalid_transition"));
        // It dies while that is so: what is under way is done again by the next one.
        server.stop().await;
        std::fs::remove_file(&folder).expect("removed");
        server.restart().await;
        assert_eq!(whole(&server, &begun).await.state, RecordingState::Completed);
        assert_eq!(std::fs::read(kept(&server, &begun)).expect("kept"), file);
        gone(&made(&server, &begun)).await;
        // Bytes that are there, and whose row does not say so: they are put there once more.
        let again = recording(&server, to_record(ada.test.environment, RecordingKind::Call), &file).await;
        let place = kept(&server, &again);
        std::fs::create_dir_all(place.parent().expect("a folder")).expect("made");
        std::fs::write(&place, &file[..100]).expect("written");
        server.restart().await;
        assert_eq!(whole(&server, &again).await.state, RecordingState::Completed);
        assert_eq!(std::fs::read(place).expect("kept"), file);
    }

    async fn messages_are_listed_heard_and_deleted(server: Server) {
        let (ada, eve) = (server.account("Ada").await, server.account("Eve").await);
        let number = "+14155550100";
        let client = ada.test();
        client.post("/audian/v2/numbers/purchase", json!({ "number": number })).await.assert_status(201);
        let left = |from: &str| StartRecording {
            number: PhoneNumber::parse(number).ok(), from: PhoneNumber::parse(from).ok(), keep_days: Some(30), participant: "caller".to_owned(),
            ..to_record(ada.test.environment, RecordingKind::Voicemail)
        };
        let first = recorded(&server, left("+14155550198"), &tone()).await;
        let second = recorded(&server, left("+14155550199"), &tone()).await;
        recorded(&server, to_record(ada.test.environment, RecordingKind::Call), &tone()).await;
        let list = format!("/v1/voicemails?number={}", number.replace('+', "%2B"));
        let listed = client.get(&list).await;
        let dto = |message: &Recording, heard: Value| json!({
            "id": message.id.to_string(), "number": number, "from": message.from.map(|from| from.to_string()), "call_id": null,
            "status": "completed", "heard": !heard.is_null(), "heard_at": heard, "length_ms": 1_000, "left_at": message.started_at.to_string(),
            "delete_at": message.delete_at.map(|at| at.to_string()),
        });
        assert_eq!(listed.assert_status(200).body["data"], json!([dto(&second, Value::Null), dto(&first, Value::Null)]));
        assert_eq!(recordings::waiting(&server.app(), ada.test.environment, PhoneNumber::parse(number).expect("a number")).await.expect("read"), (2, 0));
        let one = format!("/v1/voicemails/{}", first.id);
        let heard = client.patch(&one, json!({ "heard": true })).await;
        assert_eq!(heard.assert_status(200).body, dto(&first, heard.body["heard_at"].clone()));
        assert!(heard.body["heard_at"].is_string());
        assert_eq!(client.patch(&one, json!({ "heard": true })).await.assert_status(200).body, heard.body);
        assert_eq!(client.get(&one).await.assert_status(200).body, heard.body);
        assert_eq!(recordings::waiting(&server.app(), ada.test.environment, PhoneNumber::parse(number).expect("a number")).await.expect("read"), (1, 1));
        for list in [format!("{list}&unheard=true"), "/v1/voicemails?unheard=true&limit=1".to_owned()] {
            assert_eq!(client.get(&list).await.assert_status(200).body["data"], json!([dto(&second, Value::Null)]));
        }
        assert_eq!(client.get("/v1/recordings?kind=voicemail").await.assert_status(200).body["data"].as_array().map(Vec::len), Some(2));
        assert_eq!(client.get("/v1/recordings").await.assert_status(200).body["data"].as_array().map(Vec::len), Some(3));
        for (path, code) in [(&list, "owned_number_not_found"), (&one, "resource_not_found")] {
            assert_eq!(eve.test().get(path).await.assert_status(404).header("x-tandem-error"), Some(code));
        }
        client.patch(&one, json!({ "heard": false })).await.assert_status(200);
        client.delete(&one).await.assert_status(200);
        client.get(&one).await.assert_status(404);
        let begun = recording(&server, left("+14155550197"), b"").await;
        let early = client.delete(&format!("/v1/voicemails/{}", begun.id)).await;
        assert_eq!(early.assert_status(409).header("x-tandem-error"), Some("invalid_transition"));
        gone(&kept(&server, &first)).await;
    }
}
