//! Making, reading, changing and deleting call flows.

use serde_json::json;
use tandem_kernel::Scope;
use tandem_testkit::{Receiver, Server, on_both};

use super::{DAWN, FLOWS, MENUS, all_to, assert_unroutable, flow, menu};
use crate::webhooks::{listen, serve};

on_both! {
    async fn a_flow_is_made_read_changed_and_deleted(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test();
        let menu = menu(&client, "Main", json!({ "digit": "1", "destination_type": "voicemail" })).await;
        let office = json!({ "callers": ["+61", "anonymous"], "time_zone": "Australia/Sydney", "days": [1, 2], "from": "09:00", "to": "17:00" });
        let made = client.post(FLOWS, json!({
            "name": "Main line", "description": "Office hours",
            "routing": [
                { "pattern": "[1-3]", "destination": menu, "destination_type": "ivr_menu", "conditions": office },
                { "pattern": "1[0-9]", "destination": "+14155550199", "destination_type": "phone_number" },
                { "pattern": "*", "destination_type": "hangup" },
            ],
        })).await;
        let id = made.body["call_flow_id"].as_str().expect("an id").to_owned();
        assert!(id.starts_with("cf_"), "{made}");
        let rules = json!([
            { "pattern": "[1-3]", "destination": menu, "destination_type": "ivr_menu", "conditions": office },
            { "pattern": "1[0-9]", "destination": "+14155550199", "destination_type": "phone_number", "conditions": {} },
            { "pattern": "*", "destination": null, "destination_type": "hangup", "conditions": {} },
        ]);
        let shown = json!({
            "call_flow_id": id, "name": "Main line", "phone_number": null, "routing": rules, "created_at": DAWN,
            "description": "Office hours", "active": true, "updated_at": DAWN, "version": 1,
        });
        made.assert(201, &shown);
        client.get(&format!("{FLOWS}/{id}")).await.assert(200, &shown);
        client.get(FLOWS).await.assert(200, &json!({ "call_flows": [shown], "total": 1, "limit": 20, "offset": 0 }));
        client.get(&format!("{FLOWS}?offset=1&limit=5")).await.assert(200, &json!({ "call_flows": [], "total": 1, "limit": 5, "offset": 1 }));
        server.restart().await;
        ada.advance(60).await;
        let changed = client.put(&format!("{FLOWS}/{id}"), json!({ "active": false, "description": null })).await;
        let shown = json!({
            "call_flow_id": id, "name": "Main line", "phone_number": null, "routing": rules, "created_at": DAWN,
            "description": "", "active": false, "updated_at": "2024-01-01T00:01:00Z", "version": 2,
        });
        changed.assert(200, &shown);
        let explained = client.get(&format!("/v1/call-flows/{id}/explain")).await;
        assert_eq!(explained.body["data"][0]["outcome"], "the call flow was accepted", "{explained}");
        assert_eq!(explained.body["data"][0]["steps"][0]["rule"], "the IVR menu exists", "{explained}");
        client.delete(&format!("{FLOWS}/{id}")).await.assert(200, &shown);
        let gone = format!("The flow '{id}' was not found");
        client.get(&format!("{FLOWS}/{id}")).await.assert_audian_error(404, "not_found_error", "not_found_error", &gone, None);
        client.delete(&format!("{MENUS}/{menu}")).await.assert_status(200);
    }

    async fn what_is_wrong_is_named(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test();
        let missing = |field: &str| ("missing_required_parameter", format!("The '{field}' parameter is required"));
        let wrong = |field: &str, rule: &str| ("invalid_parameter", format!("The {field} parameter {rule}"));
        let hours = |members: serde_json::Value| json!({ "pattern": "*", "destination_type": "hangup", "conditions": members });
        let kinds = "must be one of: ivr_menu, phone_number, call_flow, conference, recording, sip_device, voicemail, hangup";
        for (body, (code, message), param) in [
            (json!({ "routing": [hours(json!({}))] }), missing("name"), "name"),
            (json!({ "name": "x" }), missing("routing"), "routing"),
            (json!({ "name": "x", "routing": [] }), missing("routing"), "routing"),
            (json!({ "name": "x", "routing": [{ "pattern": "*" }] }), missing("routing.0.destination_type"), "destination_type"),
            (json!({ "name": "x", "routing": [{ "destination_type": "hangup" }] }), missing("routing.0.pattern"), "pattern"),
            (json!({ "name": "x", "routing": [{ "pattern": "*", "destination_type": "ivr_menu" }] }), missing("routing.0.destination"), "destination"),
            (json!({ "name": "x", "routing": [{ "pattern": "*", "destination_type": "teleport" }] }), wrong("routing.0.destination_type", kinds), "destination_type"),
            (json!({ "name": "x", "routing": [{ "pattern": "[3-1]", "destination_type": "hangup" }] }), wrong("routing.0.pattern", "must have digits and ranges such as 1-3 between [ and ]"), "pattern"),
            (json!({ "name": "x", "routing": [hours(json!({ "time_zone": "Mars/Olympus", "days": [1] }))] }), wrong("routing.0.conditions.time_zone", "must be an IANA time zone, but is 'Mars/Olympus'"), "time_zone"),
            (json!({ "name": "x", "routing": [hours(json!({ "days": [1] }))] }), missing("routing.0.conditions.time_zone"), "time_zone"),
            (json!({ "name": "x", "routing": [hours(json!({ "caller": ["+61"] }))] }), ("invalid_parameter", "There is no parameter 'routing.0.conditions.caller'; did you mean 'callers'?".to_owned()), "caller"),
            (json!({ "name": "x", "phone_number": "12", "routing": [hours(json!({}))] }), ("invalid_phone_number", "The phone_number parameter must be in E.164 format".to_owned()), "phone_number"),
        ] {
            let refused = client.post(FLOWS, body).await;
            assert_eq!(refused.body["error"]["code"], code, "{refused}");
            if code != "invalid_phone_number" {
                refused.assert_audian_error(400, code, "invalid_request_error", &message, Some(param));
            }
        }
        client.get(FLOWS).await.assert(200, &json!({ "call_flows": [], "total": 0, "limit": 20, "offset": 0 }));
    }

    async fn dead_references_are_refused(server: Server) {
        let (ada, bob) = (server.account("Ada").await, server.account("Bob").await);
        let theirs = menu(&bob.test(), "Bob's", json!({ "digit": "1", "destination_type": "hangup" })).await;
        let client = ada.test();
        for (kind, destination, message) in [
            ("ivr_menu", theirs.as_str(), format!("The IVR menu '{theirs}' does not exist")),
            ("ivr_menu", "menu_abc123", "The IVR menu 'menu_abc123' does not exist".to_owned()),
            ("call_flow", "cf_abc123", "The call flow 'cf_abc123' does not exist".to_owned()),
            ("conference", "conf_0000000000000000000000000a", "The conference 'conf_0000000000000000000000000a' does not exist".to_owned()),
            ("recording", "rec_0000000000000000000000000a", "The recording 'rec_0000000000000000000000000a' does not exist".to_owned()),
            ("phone_number", "12", "The call forward destination must be a valid phone number".to_owned()),
            ("phone_number", "+882161234567", "The call forward destination +882161234567 cannot be reached".to_owned()),
            ("hangup", "+14155550199", "The routing configuration is invalid: 'hangup' takes no destination".to_owned()),
        ] {
            let refused = client.post(FLOWS, json!({ "name": "x", "routing": [all_to(kind, destination)] })).await;
            assert_unroutable(&refused, &message, "destination");
        }
        assert_eq!(client.get(FLOWS).await.body["total"], 0);
    }

    async fn what_never_ends_is_refused(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test();
        let last = flow(&client, "Last", json!([all_to("voicemail", "")])).await;
        let middle = flow(&client, "Middle", json!([all_to("call_flow", &last)])).await;
        let back = json!({ "routing": [all_to("call_flow", &middle)] });
        let refused = client.put(&format!("{FLOWS}/{last}"), back).await;
        assert_unroutable(&refused, &format!("Forwarding to {middle} would loop: {last} → {middle} → {last}"), "destination");
        let own = client.put(&format!("{FLOWS}/{last}"), json!({ "routing": [all_to("call_flow", &last)] })).await;
        assert_unroutable(&own, &format!("Forwarding to {last} would loop: {last} → {last}"), "destination");
        // What a caller chooses, or an hour decides, comes to an end.
        let again = menu(&client, "Again", json!({ "digit": "9", "destination": middle, "destination_type": "call_flow" })).await;
        client.put(&format!("{FLOWS}/{last}"), json!({ "routing": [all_to("ivr_menu", &again)] })).await.assert_status(200);
        let night = json!({ "time_zone": "UTC", "days": [7] });
        let at_night = json!([{ "pattern": "*", "destination": last, "destination_type": "call_flow", "conditions": night }, all_to("voicemail", "")]);
        client.put(&format!("{FLOWS}/{last}"), json!({ "routing": at_night })).await.assert_status(200);
        let fallback = json!({ "fallback": { "destination": middle, "destination_type": "call_flow" } });
        client.put(&format!("{MENUS}/{again}"), fallback).await.assert_status(200);
        let refused = client.put(&format!("{FLOWS}/{last}"), json!({ "routing": [all_to("ivr_menu", &again)] })).await;
        assert_unroutable(&refused, &format!("Forwarding to {again} would loop: {last} → {again} → {middle} → {last}"), "destination");
    }

    async fn what_is_in_use_is_not_deleted(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test();
        let menu = menu(&client, "Main", json!({ "digit": "1", "destination_type": "voicemail" })).await;
        let first = flow(&client, "First", json!([all_to("ivr_menu", &menu)])).await;
        let second = flow(&client, "Second", json!([all_to("call_flow", &first)])).await;
        for (path, kind, id, user) in [(MENUS, "IVR menu", &menu, &first), (FLOWS, "call flow", &first, &second)] {
            let message = format!("The {kind} '{id}' is used by {user} and cannot be deleted");
            let kept = client.delete(&format!("{path}/{id}")).await;
            kept.assert_audian_error(409, "resource_conflict", "conflict_error", &message, None);
        }
        for (path, id) in [(FLOWS, second), (FLOWS, first), (MENUS, menu)] {
            client.delete(&format!("{path}/{id}")).await.assert_status(200);
        }
    }

    async fn only_its_owner_with_the_right_key_sees_it(server: Server) {
        let (ada, bob) = (server.account("Ada").await, server.account("Bob").await);
        let id = flow(&ada.test(), "Main", json!([all_to("hangup", "")])).await;
        let (path, gone) = (format!("{FLOWS}/{id}"), format!("The flow '{id}' was not found"));
        for client in [bob.test(), ada.live()] {
            for answer in [client.get(&path).await, client.put(&path, json!({})).await, client.delete(&path).await] {
                answer.assert_audian_error(404, "not_found_error", "not_found_error", &gone, None);
            }
        }
        let reader = ada.test_with(&[Scope::CallsRead]).await;
        reader.get(&path).await.assert_status(200);
        for answer in [reader.post(FLOWS, json!({ "name": "x", "routing": [all_to("hangup", "")] })).await, reader.delete(&path).await] {
            let message = "You do not have permission to access this resource";
            answer.assert_audian_error(403, "forbidden_error", "forbidden_error", message, None);
        }
        ada.test_with(&[]).await.get(FLOWS).await.assert_status(403);
    }

    async fn changes_at_once_all_count_and_a_repetition_changes_nothing(server: Server) {
        let ada = server.account("Ada").await;
        let id = flow(&ada.test(), "Main", json!([all_to("hangup", "")])).await;
        let mut changes = tokio::task::JoinSet::new();
        for name in 0..20 {
            let (client, path) = (ada.test(), format!("{FLOWS}/{id}"));
            changes.spawn(async move { client.put(&path, json!({ "name": format!("{name}") })).await });
        }
        for answer in changes.join_all().await {
            answer.assert_status(200);
        }
        let once = ada.test().header("idempotency-key", "make it once");
        let body = json!({ "name": "Once", "routing": [all_to("hangup", "")] });
        let first = once.post(FLOWS, body.clone()).await;
        once.post(FLOWS, body).await.assert_replay_of(&first);
        let all = ada.test().get(FLOWS).await;
        assert_eq!((&all.body["total"], &all.body["call_flows"][0]["version"]), (&json!(2), &json!(21)), "{all}");
    }

    async fn webhooks_hear_of_it(stage: tandem_testkit::Stage) {
        let server = serve(&stage).await;
        let (ada, receiver) = (server.account("Ada").await, Receiver::start().await);
        listen(&ada.test(), "audian", &receiver).await;
        let menu = menu(&ada.test(), "Main", json!({ "digit": "1", "destination_type": "voicemail" })).await;
        let id = flow(&ada.test(), "Line", json!([all_to("ivr_menu", &menu)])).await;
        ada.test().delete(&format!("{FLOWS}/{id}")).await.assert_status(200);
        let told = receiver.wait(3).await;
        let mut told: Vec<_> = told.iter().map(|received| (received.json()["event"].clone(), received.json()["data"].clone())).collect();
        told.sort_by_key(|(event, _)| event.to_string());
        assert_eq!(told, [
            (json!("call_flow.created"), json!({ "call_flow_id": id, "name": "Line", "version": 1 })),
            (json!("call_flow.deleted"), json!({ "call_flow_id": id, "name": "Line", "version": 1 })),
            (json!("ivr_menu.created"), json!({ "ivr_menu_id": menu, "menu_id": menu, "name": "Main", "version": 1 })),
        ]);
    }
}
