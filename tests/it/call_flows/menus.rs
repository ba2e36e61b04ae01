//! Making, reading, changing and deleting menus.

use serde_json::json;
use tandem_testkit::{Server, on_both};

use super::{DAWN, MENUS, all_to, assert_unroutable, flow, menu};

on_both! {
    async fn a_menu_is_made_read_changed_and_deleted(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test();
        let made = client.post(MENUS, json!({
            "name": "Main", "prompt": "Press 1 for sales, 2 for support.",
            "options": [
                { "digit": "1", "destination": "+14155550199", "destination_type": "phone_number" },
                { "digit": "2", "destination_type": "voicemail" },
            ],
        })).await;
        let id = made.body["menu_id"].as_str().expect("an id").to_owned();
        assert!(id.starts_with("menu_"), "{made}");
        let options = json!([
            { "digit": "1", "destination": "+14155550199", "destination_type": "phone_number" },
            { "digit": "2", "destination": null, "destination_type": "voicemail" },
        ]);
        let shown = json!({
            "menu_id": id, "name": "Main", "prompt": "Press 1 for sales, 2 for support.", "options": options, "created_at": DAWN,
            "language": "en-US", "voice": "female", "max_digits": 1, "timeout_seconds": 5, "max_attempts": 3,
            "fallback": { "destination": null, "destination_type": "hangup" }, "updated_at": DAWN, "version": 1,
        });
        made.assert(201, &shown);
        client.get(&format!("{MENUS}/{id}")).await.assert(200, &shown);
        client.get(MENUS).await.assert(200, &json!({ "ivr_menus": [shown], "total": 1, "limit": 20, "offset": 0 }));
        let changed = client.put(&format!("{MENUS}/{id}"), json!({
            "options": [{ "digit": "12", "destination": id, "destination_type": "ivr_menu" }], "language": "de", "voice": "male",
            "max_digits": 2, "timeout_seconds": 60, "max_attempts": 10, "fallback": { "destination_type": "voicemail" },
        })).await;
        let shown = json!({
            "menu_id": id, "name": "Main", "prompt": "Press 1 for sales, 2 for support.",
            "options": [{ "digit": "12", "destination": id, "destination_type": "ivr_menu" }], "created_at": DAWN,
            "language": "de", "voice": "male", "max_digits": 2, "timeout_seconds": 60, "max_attempts": 10,
            "fallback": { "destination": null, "destination_type": "voicemail" }, "updated_at": DAWN, "version": 2,
        });
        changed.assert(200, &shown);
        server.restart().await;
        client.get(&format!("{MENUS}/{id}")).await.assert(200, &shown);
        let explained = client.get(&format!("/v1/ivr-menus/{id}/explain")).await;
        assert_eq!(explained.body["data"][1]["outcome"], "the change of the menu was accepted", "{explained}");
        client.delete(&format!("{MENUS}/{id}")).await.assert(200, &shown);
        let gone = format!("The IVR menu '{id}' was not found");
        client.get(&format!("{MENUS}/{id}")).await.assert_audian_error(404, "not_found_error", "not_found_error", &gone, None);
    }

    async fn what_is_wrong_is_named(server: Server) {
        let client = server.account("Ada").await.test();
        let menu = |options: serde_json::Value| json!({ "name": "x", "prompt": "Press 1.", "options": options });
        let to = |digit: &str| json!({ "digit": digit, "destination_type": "hangup" });
        let missing = |field: &str| ("missing_required_parameter", format!("The '{field}' parameter is required"));
        let wrong = |field: &str, rule: &str| ("invalid_parameter", format!("The {field} parameter {rule}"));
        for (body, (code, message), param) in [
            (json!({ "prompt": "x", "options": [to("1")] }), missing("name"), "name"),
            (json!({ "name": "x", "options": [to("1")] }), missing("prompt"), "prompt"),
            (json!({ "name": "x", "prompt": "x" }), missing("options"), "options"),
            (menu(json!([{ "digit": "1" }])), missing("options.0.destination_type"), "destination_type"),
            (menu(json!([to("x")])), wrong("options.0.digit", "must have the keys 0 to 9, * and # only"), "digit"),
            (menu(json!([to("12")])), wrong("options.0.digit", "must have at most as many keys as max_digits says, which is 1"), "digit"),
            (menu(json!([to("1"), to("1")])), wrong("options.1.digit", "must be another for each option, but 1 is there twice"), "digit"),
            (json!({ "name": "x", "prompt": "x", "options": [to("1")], "max_digits": 11 }), wrong("max_digits", "must be between 1 and 10"), "max_digits"),
            (json!({ "name": "x", "prompt": "x", "options": [to("1")], "language": "English" }), wrong("language", "must be a language such as en-US"), "language"),
        ] {
            client.post(MENUS, body).await.assert_audian_error(400, code, "invalid_request_error", &message, Some(param));
        }
    }

    async fn where_it_leads_is_there_and_comes_to_an_end(server: Server) {
        let client = server.account("Ada").await.test();
        let option = json!({ "digit": "1", "destination": "menu_abc123", "destination_type": "ivr_menu" });
        let refused = client.post(MENUS, json!({ "name": "x", "prompt": "x", "options": [option] })).await;
        assert_unroutable(&refused, "The IVR menu 'menu_abc123' does not exist", "destination");
        let first = menu(&client, "First", json!({ "digit": "1", "destination_type": "voicemail" })).await;
        let line = flow(&client, "Line", json!([all_to("ivr_menu", &first)])).await;
        let fallback = json!({ "fallback": { "destination": line, "destination_type": "call_flow" } });
        let refused = client.put(&format!("{MENUS}/{first}"), fallback).await;
        assert_unroutable(&refused, &format!("Forwarding to {line} would loop: {first} → {line} → {first}"), "destination");
    }
}
