//! The operator's trunks.

use serde_json::{Value, json};
use tandem_app::{devices, trunks};
use tandem_domain::{digest::Ha1, trunk::Health};
use tandem_testkit::{Server, on_both};

const TRUNKS: &str = "/v1/trunks";

on_both! {
    async fn a_trunk_is_kept_as_it_was_described(server: Server) {
        let operator = server.operator();
        let body = json!({
            "name": "North", "serves": "live", "direction": "both", "host": "sip.example.com", "port": 5080, "transport": "tcp",
            "addresses": ["192.0.2.0/24", "2001:db8::1"], "plus": false, "capacity": 30, "codecs": ["pcma", "g722"], "srtp": "optional",
            "outgoing": [{ "prefix": "61", "strip": 2, "add": "0" }], "incoming": [{ "strip": 2 }],
            "routes": [{ "prefix": "61", "priority": 1 }, { "country": "US", "weight": 5 }],
            "registers": { "user": "tandem", "password": "correct horse" },
        });
        let added = operator.post(TRUNKS, body).await;
        let id = added.assert_status(201).body["id"].as_str().expect("an id").to_owned();
        assert!(!added.body.to_string().contains("horse"));
        let path = format!("{TRUNKS}/{id}");
        let mut read = operator.get(&path).await.assert_status(200).body.clone();
        assert_eq!(read, added.body);
        for member in ["id", "created_at", "changed_at"] {
            read[member].take();
        }
        read["health"]["since"].take();
        let expected = json!({
            "id": null, "name": "North", "state": "active", "serves": "live", "direction": "both", "host": "sip.example.com", "port": 5080,
            "transport": "tcp", "addresses": ["192.0.2.0/24", "2001:db8::1"], "user_name": null,
            "registers": { "user": "tandem", "auth_user": null, "expires_seconds": 3600 },
            "outgoing": [{ "prefix": "61", "strip": 2, "add": "0" }], "incoming": [{ "prefix": "", "strip": 2, "add": "" }], "plus": false,
            "routes": [{ "prefix": "61", "country": null, "priority": 1, "weight": 1 },
                       { "prefix": null, "country": "US", "priority": 0, "weight": 5 }],
            "capacity": 30, "codecs": ["pcma", "g722"], "srtp": "optional", "ping_seconds": 30,
            "health": { "state": "unknown", "since": null, "detail": null, "last_answer": null }, "created_at": null, "changed_at": null,
        });
        assert_eq!(read, expected);
        let change = json!({ "state": "drained", "capacity": null, "routes": null, "registers": null, "name": "Norther" });
        let changed = operator.patch(&path, change).await;
        let changed = &changed.assert_status(200).body;
        assert_eq!((&changed["state"], &changed["capacity"], &changed["routes"], &changed["registers"], &changed["name"]),
                   (&json!("drained"), &Value::Null, &json!([]), &Value::Null, &json!("Norther")));
        let listed = operator.get(TRUNKS).await;
        assert_eq!(listed.assert_status(200).body["data"], json!([changed]));
        assert_eq!(operator.delete(&path).await.assert_status(200).body, *changed);
        operator.get(&path).await.assert_status(404);
        server.account("Ada").await.live().get(TRUNKS).await.assert_status(403);
    }

    async fn what_makes_no_trunk_is_refused(server: Server) {
        let operator = server.operator();
        for (body, field) in [
            (json!({ "name": "x", "addresses": ["192.0.2.1"] }), "host"),
            (json!({ "name": "x", "host": "h" }), "addresses"),
            (json!({ "name": "x", "host": "h", "addresses": ["192.0.2.1/24"] }), "addresses"),
            (json!({ "name": "x", "host": "h:1/", "credentials": true }), "host"),
            (json!({ "name": "x", "host": "h", "credentials": true, "routes": [{ "prefix": "1", "country": "US" }] }), "routes.0"),
            (json!({ "name": "x", "host": "h", "credentials": true, "routes": [{}] }), "routes.0"),
            (json!({ "name": "x", "direction": "inbound", "credentials": true, "routes": [{ "prefix": "" }] }), "routes"),
            (json!({ "name": "x", "host": "h", "credentials": true, "codecs": [] }), "codecs"),
            (json!({ "name": "x", "host": "h", "registers": { "user": "u" } }), "registers.password"),
        ] {
            let refused = operator.post(TRUNKS, body).await;
            let pointer = format!("/{}", field.replace('.', "/"));
            assert_eq!(refused.assert_status(400).body["errors"][0]["pointer"], pointer.as_str(), "{refused}");
        }
        assert_eq!(operator.get(TRUNKS).await.body["data"], json!([]));
    }

    async fn credentials_are_shown_once_and_prove_the_trunk(server: Server) {
        let (operator, app) = (server.operator(), server.app());
        let body = json!({ "name": "South", "direction": "inbound", "credentials": true });
        let added = operator.idempotency("once").post(TRUNKS, body.clone()).await;
        let first = &added.assert_status(201).body;
        let (id, user, password) = (text(first, "id"), text(first, "user_name"), text(first, "password"));
        let again = operator.idempotency("once").post(TRUNKS, body).await;
        assert_eq!(again.assert_status(201).body["password"], Value::Null);
        assert_eq!(again.body["user_name"], user.as_str());
        let known = devices::credentials(&app, &user).await.expect("read").expect("known");
        assert_eq!(known.ha1, Ha1::of(&user, &password));
        let rotated = operator.post(&format!("{TRUNKS}/{id}/credentials"), json!({})).await;
        let (new_user, new_password) = (text(&rotated.assert_status(200).body, "user_name"), text(&rotated.body, "password"));
        assert!(devices::credentials(&app, &user).await.expect("read").is_none());
        let known = devices::credentials(&app, &new_user).await.expect("read").expect("known");
        assert_eq!(known.ha1, Ha1::of(&new_user, &new_password));
        let lonely = operator.delete(&format!("{TRUNKS}/{id}/credentials")).await;
        assert_eq!(lonely.assert_status(400).body["errors"][0]["pointer"], "/addresses");
        operator.patch(&format!("{TRUNKS}/{id}"), json!({ "addresses": ["127.0.0.1"] })).await.assert_status(200);
        operator.delete(&format!("{TRUNKS}/{id}/credentials")).await.assert_status(200);
        assert!(devices::credentials(&app, &new_user).await.expect("read").is_none());
    }

    async fn the_narrowest_range_says_who_it_is(server: Server) {
        let (operator, app) = (server.operator(), server.app());
        for (name, direction, range) in [("wide", "inbound", "10.0.0.0/8"), ("near", "inbound", "10.1.0.0/16"), ("out", "outbound", "10.1.1.1")] {
            let body = json!({ "name": name, "direction": direction, "addresses": [range], "host": "h" });
            operator.post(TRUNKS, body).await.assert_status(201);
        }
        for (address, expected) in [("10.9.9.9", Some("wide")), ("10.1.1.1", Some("near")), ("192.0.2.1", None)] {
            let found = trunks::identify(&app, address.parse().expect(address)).await.expect("read");
            assert_eq!(found.as_ref().map(|trunk| trunk.name.as_str()), expected, "{address}");
        }
        let trunk = trunks::list(&app).await.expect("read").remove(0);
        assert!(trunks::report_health(&app, trunk.id, Health::Down, Some("503".to_owned())).await.expect("written"));
        let since = operator.get(&format!("{TRUNKS}/{}", trunk.id)).await.body["health"]["since"].clone();
        server.pass_seconds(30);
        assert!(!trunks::report_health(&app, trunk.id, Health::Down, Some("503".to_owned())).await.expect("written"), "no news");
        assert!(trunks::report_health(&app, trunk.id, Health::Down, Some("504".to_owned())).await.expect("written"), "another fault");
        let read = operator.get(&format!("{TRUNKS}/{}", trunk.id)).await;
        assert_eq!(read.body["health"], json!({ "state": "down", "since": since, "detail": "504", "last_answer": null }));
        assert!(trunks::report_health(&app, trunk.id, Health::Up, None).await.expect("written"));
        let up = operator.get(&format!("{TRUNKS}/{}", trunk.id)).await.body["health"].clone();
        assert_eq!((&up["last_answer"], &up["detail"]), (&up["since"], &Value::Null));
        server.pass_seconds(30);
        assert!(!trunks::report_health(&app, trunk.id, Health::Up, None).await.expect("written"), "it still answers");
        let read = operator.get(&format!("{TRUNKS}/{}", trunk.id)).await.body["health"].clone();
        assert_eq!(read["since"], up["since"]);
        assert_ne!(read["last_answer"], up["last_answer"]);
        let gone = trunks::report_health(&app, trunk.id, Health::Down, None).await.expect("written");
        let after = operator.get(&format!("{TRUNKS}/{}", trunk.id)).await.body["health"].clone();
        assert_eq!((gone, &after["last_answer"]), (true, &read["last_answer"]), "it is known when it was last there");
    }
}

fn text(body: &Value, member: &str) -> String {
    body[member].as_str().unwrap_or_else(|| panic!("{member} in {body}")).to_owned()
}
