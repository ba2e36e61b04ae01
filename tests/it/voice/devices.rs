//! SIP devices of an environment.

use serde_json::{Value, json};
use tandem_app::devices::{self, Binding};
use tandem_domain::digest::Ha1;
use tandem_kernel::DeviceId;
use tandem_testkit::{Server, on_both};

use crate::numbers::buy;

const DEVICES: &str = "/v1/devices";
const OURS: &str = "+14155550100";

fn binding(contact: &str, cseq: i64) -> Binding {
    Binding {
        contact: contact.to_owned(),
        source: "192.0.2.7:5062".to_owned(),
        transport: "udp".to_owned(),
        user_agent: "Telephone/1".to_owned(),
        path: String::new(),
        call_id: format!("{contact}-id"),
        cseq,
        q: 1000,
        expires: 600,
    }
}

fn text(body: &Value, member: &str) -> String {
    body[member].as_str().unwrap_or_else(|| panic!("{member} in {body}")).to_owned()
}

on_both! {
    async fn a_device_is_added_changed_and_taken_away(server: Server) {
        let (ada, eve) = (server.account("Ada").await, server.account("Eve").await);
        let client = ada.test();
        buy(&client, OURS).await;
        let added = client.idempotency("once").post(DEVICES, json!({ "label": "Desk", "caller_id": OURS })).await;
        let first = added.assert_status(201).body.clone();
        let (id, user, password) = (text(&first, "id"), text(&first, "user_name"), text(&first, "password"));
        assert_eq!((user.len(), password.len(), &first["realm"], &first["max_registrations"]), (12, 24, &json!("tandem"), &json!(5)));
        let again = client.idempotency("once").post(DEVICES, json!({ "label": "Desk", "caller_id": OURS })).await;
        assert_eq!((&again.body["id"], &again.body["password"]), (&first["id"], &Value::Null));
        let path = format!("{DEVICES}/{id}");
        let read = client.get(&path).await;
        assert_eq!((&read.assert_status(200).body["caller_id"], &read.body["password"]), (&json!(OURS), &Value::Null));
        let app = server.app();
        let known = devices::credentials(&app, &user).await.expect("read").expect("known");
        assert_eq!(known.ha1, Ha1::of(&user, &password));
        let changed = client.patch(&path, json!({ "label": "Door", "caller_id": null, "enabled": false })).await;
        let said = &changed.assert_status(200).body;
        assert_eq!((&said["label"], &said["caller_id"], &said["enabled"], &said["version"]), (&json!("Door"), &Value::Null, &json!(false), &json!(2)));
        assert!(devices::credentials(&app, &user).await.expect("read").is_none(), "one that is switched off is nobody");
        client.patch(&path, json!({ "enabled": true })).await.assert_status(200);
        let rotated = client.post(&format!("{path}/rotate"), json!({})).await;
        let fresh = text(&rotated.assert_status(200).body, "password");
        let known = devices::credentials(&app, &user).await.expect("read").expect("known");
        assert_eq!(known.ha1, Ha1::of(&user, &fresh));
        let theirs = client.post(DEVICES, json!({ "label": "x", "caller_id": "+14155550199" })).await;
        assert_eq!(theirs.assert_status(404).header("x-tandem-error"), Some("owned_number_not_found"));
        for (method, path) in [("GET", path.clone()), ("PATCH", path.clone()), ("DELETE", path.clone()), ("GET", format!("{path}/registrations"))] {
            eve.test().send(method.parse().expect("a method"), &path, None).await.assert_status(404);
            ada.live().send(method.parse().expect("a method"), &path, None).await.assert_status(404);
        }
        assert_eq!(client.get(DEVICES).await.assert_status(200).body["data"].as_array().map(Vec::len), Some(1));
        client.delete(&path).await.assert_status(200);
        client.get(&path).await.assert_status(404);
        let kinds: Vec<Value> = client.get(&format!("/v1/events/{id}")).await.assert_status(200).body["data"]
            .as_array().expect("events").iter().map(|event| event["kind"].clone()).collect();
        assert_eq!(kinds.first(), Some(&json!("device.created")));
        assert_eq!(kinds.last(), Some(&json!("device.deleted")));
    }

    async fn registrations_live_by_the_machines_clock(server: Server) {
        let ada = server.account("Ada").await;
        let (client, app) = (ada.test(), server.app());
        let added = client.post(DEVICES, json!({ "label": "Desk", "max_registrations": 2 })).await;
        let id = text(&added.assert_status(201).body, "id");
        let device = DeviceId::parse(&id).expect("an id");
        for (place, contact) in ["sip:a@192.0.2.7", "sip:b@192.0.2.7", "sip:c@192.0.2.7"].iter().enumerate() {
            let held = devices::register(&app, device, binding(contact, 1)).await.expect("registered");
            assert_eq!(held.len(), (place + 1).min(2));
            server.pass_seconds(1);
        }
        let path = format!("{DEVICES}/{id}/registrations");
        let contacts = |body: &Value| -> Vec<String> {
            body["data"].as_array().expect("a list").iter().map(|one| text(one, "contact")).collect()
        };
        let read = client.get(&path).await;
        assert_eq!(contacts(&read.assert_status(200).body), ["sip:c@192.0.2.7", "sip:b@192.0.2.7"], "the oldest gave way");
        assert_eq!(read.body["data"][0]["user_agent"], "Telephone/1");
        client.post("/v1/clock/advance", json!({ "by": "P30D" })).await.assert_status(200);
        assert_eq!(client.get(&path).await.body, read.body, "an environment's clock has nothing to do with it");
        let stale = devices::register(&app, device, Binding { expires: 1, ..binding("sip:c@192.0.2.7", 1) }).await.expect("read");
        assert_eq!(stale[0].expires_at.to_string(), text(&read.body["data"][0], "expires_at"), "an old request changes nothing");
        let left = devices::unregister(&app, device, "sip:c@192.0.2.7".to_owned()).await.expect("gone");
        assert_eq!(left.len(), 1);
        client.patch(&format!("{DEVICES}/{id}"), json!({ "enabled": false })).await.assert_status(200);
        assert_eq!(client.get(&path).await.body["data"], json!([]));
        let refused = devices::register(&app, device, binding("sip:d@192.0.2.7", 1)).await.expect("read");
        assert_eq!(refused, []);
    }
}
