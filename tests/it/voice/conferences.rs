//! Conferences, as far as nobody speaks.

use serde_json::{Value, json};
use tandem_app::conferences;
use tandem_kernel::ConferenceId;
use tandem_testkit::{Server, on_both};

const CONFERENCES: &str = "/audian/v2/conferences";

on_both! {
    async fn a_conference_is_made_changed_and_ended(server: Server) {
        let (ada, eve) = (server.account("Ada").await, server.account("Eve").await);
        let client = ada.test();
        let made = client.post(CONFERENCES, json!({ "name": "Monday" })).await;
        let body = &made.assert_status(201).body;
        let (id, created) = (body["id"].as_str().expect("an id").to_owned(), body["created_at"].clone());
        let expected = json!({
            "id": id, "name": "Monday", "status": "active", "scheduled_for": null, "max_participants": 100, "require_pin": false,
            "has_pin": false, "record": false, "hold_music_id": null, "mute_on_entry": false, "allow_recording_by_participant": false,
            "member_notification": true, "created_at": created, "updated_at": created, "ended_at": null,
        });
        assert_eq!(*body, expected);
        let path = format!("{CONFERENCES}/{id}");
        assert_eq!(client.get(&path).await.assert_status(200).body, expected);
        for (body, param) in [
            (json!({ "name": "x", "require_pin": true }), "pin"),
            (json!({ "name": "x", "pin": "123" }), "pin"),
            (json!({ "name": "x", "pin": "12a4" }), "pin"),
            (json!({ "name": "x", "max_participants": 0 }), "max_participants"),
        ] {
            let refused = client.post(CONFERENCES, body).await;
            assert_eq!((&refused.assert_status(400).body["error"]["code"], &refused.body["error"]["param"]),
                       (&json!("invalid_parameter"), &json!(param)), "{refused}");
        }
        let nameless = client.post(CONFERENCES, json!({})).await;
        assert_eq!(nameless.assert_status(400).body["error"]["code"], "missing_required_parameter");
        let change = json!({ "require_pin": true, "pin": "4711", "scheduled_for": "2090-01-01T00:00:00Z", "max_participants": 2 });
        let changed = client.put(&path, change).await;
        let changed = &changed.assert_status(200).body;
        assert_eq!((&changed["status"], &changed["has_pin"], &changed["max_participants"]), (&json!("scheduled"), &json!(true), &json!(2)));
        assert!(!changed.to_string().contains("4711"));
        let app = server.app();
        let environment = ada.test.environment;
        let parsed = ConferenceId::parse(&id).expect("an id");
        let kept = server.read(move |tx| tandem_store::repo::conferences::get(tx, environment, parsed)).await.expect("kept");
        assert!(conferences::check_pin(&app, &kept, "4711") && !conferences::check_pin(&app, &kept, "4712"));
        let cleared = client.put(&path, json!({ "pin": null })).await;
        assert_eq!(cleared.assert_status(400).body["error"]["param"], "pin");
        assert_eq!(client.get(CONFERENCES).await.assert_status(200).body["total"], 1);
        for other in [eve.test(), ada.live()] {
            other.get(&path).await.assert_status(404);
            other.delete(&path).await.assert_status(404);
        }
        let ended = client.delete(&path).await;
        assert_eq!(ended.assert_status(200).body["status"], "ended");
        for answer in [client.delete(&path).await, client.put(&path, json!({ "name": "x" })).await] {
            assert_eq!(answer.assert_status(409).body["error"]["code"], "resource_conflict");
        }
    }

    async fn participants_come_and_go(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test();
        let made = client.post(CONFERENCES, json!({ "name": "Monday", "max_participants": 2, "mute_on_entry": true })).await;
        let path = format!("{CONFERENCES}/{}/participants", made.assert_status(201).body["id"].as_str().expect("an id"));
        let added = client.post(&path, json!({ "phone_number": "+14155550199", "name": "Grace", "role": "presenter", "muted": false })).await;
        let grace = added.assert_status(201).body.clone();
        assert_eq!((&grace["status"], &grace["role"], &grace["muted"]), (&json!("invited"), &json!("presenter"), &json!(false)));
        let again = client.post(&path, json!({ "phone_number": "+14155550199" })).await;
        assert_eq!(again.assert_status(409).header("x-tandem-error"), Some("resource_exists"));
        let second = client.post(&path, json!({ "phone_number": "+14155550198" })).await;
        assert_eq!((&second.assert_status(201).body["role"], &second.body["muted"]), (&json!("listener"), &json!(true)));
        let third = client.post(&path, json!({ "phone_number": "+14155550197" })).await;
        assert_eq!(third.assert_status(409).header("x-tandem-error"), Some("conference_full"));
        let one = format!("{path}/{}", grace["id"].as_str().expect("an id"));
        assert_eq!(client.delete(&one).await.assert_status(200).body["status"], "removed");
        assert_eq!(client.delete(&one).await.assert_status(409).header("x-tandem-error"), Some("invalid_transition"));
        client.delete(&format!("{path}/part_abc")).await.assert_status(404);
        client.post(&path, json!({ "phone_number": "+14155550197" })).await.assert_status(201);
        let listed = client.get(&path).await;
        let states: Vec<Value> = listed.assert_status(200).body["participants"].as_array().expect("a list").iter().map(|one| one["status"].clone()).collect();
        assert_eq!(states, [json!("removed"), json!("invited"), json!("invited")]);
        client.delete(path.trim_end_matches("/participants")).await.assert_status(200);
        let late = client.post(&path, json!({ "phone_number": "+14155550196" })).await;
        assert_eq!(late.assert_status(409).header("x-tandem-error"), Some("conference_over"));
        let left = client.delete(&one).await;
        assert_eq!(left.assert_status(409).header("x-tandem-error"), Some("conference_over"));
        assert_eq!(client.get(&path).await.body["participants"][1]["status"], "left");
    }
}
