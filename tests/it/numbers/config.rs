//! Configuring a number.

use serde_json::{Value, json};
use tandem_testkit::{Answer, Client, Server, on_both};

use super::{LIST, buy};
use crate::examples;

async fn put(client: &Client, number: &str, change: Value) -> Answer {
    client.put(&format!("{LIST}/{number}/config"), change).await
}

/// Checks a refusal, and that nothing was changed.
async fn assert_refuses(client: &Client, number: &str, change: Value, refusal: (u16, &str, &str, &str)) {
    let before = client.get(&format!("{LIST}/{number}/config")).await;
    let (status, code, message, param) = refusal;
    let kind = if status == 422 { "validation_error" } else { "invalid_request_error" };
    put(client, number, change).await.assert_audian_error(status, code, kind, message, Some(param));
    client.get(&format!("{LIST}/{number}/config")).await.assert(200, &before.body);
}

on_both! {
    async fn a_new_number_has_no_configuration(server: Server) {
        let ada = server.account("Ada").await;
        let id = buy(&ada.test(), "+14155550100").await;
        let empty = json!({ "success": true, "data": { "id": id, "number": "+14155550100", "friendly_name": null } });
        ada.test().get(&format!("{LIST}/{id}/config")).await.assert(200, &empty);
        put(&ada.test(), &id, json!({})).await.assert(200, &empty);
    }

    async fn the_documented_example(server: Server) {
        let ada = server.account("Ada").await;
        let id = buy(&ada.test(), "+14155550100").await;
        let configured = put(&ada.test(), &id, json!({
            "friendly_name": "Main Office Line",
            "call_forwarding": { "enabled": true, "forward_to": "+14155559876", "rings_before_forward": 4 },
            "voicemail": { "enabled": true, "transcription": true },
            "sms_webhook": "https://example.com/sms",
            "voice_webhook": "http://example.com:8080/voice?x=1",
        })).await;
        configured.assert(200, &json!({ "success": true, "data": {
            "id": id,
            "number": "+14155550100",
            "friendly_name": "Main Office Line",
            "call_forwarding": { "enabled": true, "forward_to": "+14155559876", "rings_before_forward": 4 },
            "voicemail": { "enabled": true, "transcription": true, "delete_after_days": 30 },
            "sms_webhook": "https://example.com/sms",
            "voice_webhook": "http://example.com:8080/voice?x=1",
        } }));
        for name in [id.as_str(), "+14155550100"] {
            ada.test().get(&format!("{LIST}/{name}/config")).await.assert(200, &configured.body);
        }
        let read = ada.test().get(&format!("{LIST}/{id}")).await;
        assert_eq!(read.data()["friendly_name"], "Main Office Line");
        server.restart().await;
        ada.test().get(&format!("{LIST}/{id}/config")).await.assert(200, &configured.body);
    }

    async fn a_change_merges_and_null_clears(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test();
        let id = buy(&client, "+14155550100").await;
        let data = |answer: Answer| answer.assert_status(200).data().clone();
        put(&client, &id, json!({
            "friendly_name": "One", "voicemail": { "enabled": true, "delete_after_days": 7 }, "sms_webhook": "https://example.com/a",
            "call_forwarding": { "enabled": true, "forward_to": "+14155559876", "when_unavailable": true, "rings_before_forward": 12 },
        })).await.assert_status(200);
        let changed = data(put(&client, &id, json!({ "call_forwarding": { "rings_before_forward": 1 } })).await);
        assert_eq!(changed["call_forwarding"], json!({
            "enabled": true, "forward_to": "+14155559876", "when_unavailable": true, "rings_before_forward": 1,
        }));
        assert_eq!((&changed["friendly_name"], &changed["sms_webhook"]), (&json!("One"), &json!("https://example.com/a")));
        let changed = data(put(&client, &id, json!({ "call_forwarding": { "when_unavailable": null }, "sms_webhook": null })).await);
        assert_eq!(changed["call_forwarding"], json!({ "enabled": true, "forward_to": "+14155559876", "rings_before_forward": 1 }));
        assert_eq!(changed.get("sms_webhook"), None);
        let changed = data(put(&client, &id, json!({ "voicemail": { "delete_after_days": null } })).await);
        assert_eq!(changed["voicemail"], json!({ "enabled": true, "transcription": false, "delete_after_days": 30 }));
        let changed = data(put(&client, &id, json!({ "voicemail": null, "call_forwarding": null, "friendly_name": null })).await);
        assert_eq!(changed, json!({ "id": id, "number": "+14155550100", "friendly_name": null }));
    }

    async fn forwarding_off_keeps_the_target(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test();
        let id = buy(&client, "+14155550100").await;
        put(&client, &id, json!({ "call_forwarding": { "enabled": true, "forward_to": "+14155559876" } })).await.assert_status(200);
        let off = put(&client, &id, json!({ "call_forwarding": { "enabled": false } })).await;
        assert_eq!(off.data()["call_forwarding"], json!({ "enabled": false, "forward_to": "+14155559876" }));
        let refusal = (422, "invalid_routing_configuration", "The call forward destination must be a valid phone number", "forwardTo");
        assert_refuses(&client, &id, json!({ "call_forwarding": { "enabled": true, "forward_to": null } }), (refusal.0, refusal.1, refusal.2, "forward_to")).await;
        put(&client, &id, json!({ "call_forwarding": { "enabled": false, "forward_to": null } })).await.assert_status(200);
        assert_refuses(&client, &id, json!({ "call_forwarding": { "enabled": true } }), refusal).await;
    }

    async fn a_forward_target_must_be_a_number_that_is_reached(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test();
        let id = buy(&client, "+14155550100").await;
        for target in ["12", "", "4155551234", "+10005551234", "sip:bob@example.com"] {
            let refused = put(&client, &id, json!({ "call_forwarding": { "enabled": true, "forwardTo": target } })).await;
            refused.assert(422, examples::by_code("invalid_routing_configuration"));
            let named = (422, "invalid_routing_configuration", "The call forward destination must be a valid phone number", "forward_to");
            assert_refuses(&client, &id, json!({ "call_forwarding": { "forward_to": target } }), named).await;
        }
        let unreached = (422, "invalid_routing_configuration", "The call forward destination +882161234567 cannot be reached", "forward_to");
        let change = json!({ "call_forwarding": { "enabled": true, "forward_to": "+882161234567" } });
        assert_refuses(&client, &id, change.clone(), unreached).await;
        put(&client, &id, change).await;
        for (field, kind) in [("conference", "conference"), ("call_flow_id", "call flow")] {
            let change = if field == "conference" { json!({ "conference": { "conference_id": "x_1" } }) } else { json!({ "call_flow_id": "x_1" }) };
            let param = if field == "conference" { "conference_id" } else { field };
            let message = format!("The {kind} 'x_1' does not exist");
            put(&client, &id, change.clone()).await;
            assert_refuses(&client, &id, change, (422, "invalid_routing_configuration", &message, param)).await;
        }
    }

    async fn a_forward_may_not_lead_back(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test();
        let mut ids = Vec::new();
        for number in ["+14155550100", "+14155550101", "+14155550102"] {
            ids.push(buy(&client, number).await);
        }
        let to = |target: &str| json!({ "call_forwarding": { "enabled": true, "forward_to": target } });
        let own = "Forwarding to +14155550100 would loop: +14155550100 → +14155550100";
        assert_refuses(&client, &ids[0], to("+14155550100"), (422, "invalid_routing_configuration", own, "forward_to")).await;
        put(&client, &ids[0], to("+14155550101")).await.assert_status(200);
        put(&client, &ids[1], to("+14155550102")).await.assert_status(200);
        let around = "Forwarding to +14155550100 would loop: +14155550102 → +14155550100 → +14155550101 → +14155550102";
        assert_refuses(&client, &ids[2], to("+14155550100"), (422, "invalid_routing_configuration", around, "forward_to")).await;
        put(&client, &ids[1], json!({ "call_forwarding": { "enabled": false } })).await.assert_status(200);
        put(&client, &ids[2], to("+14155550100")).await.assert_status(200);
    }

    async fn members_out_of_range_or_of_another_type_are_named(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test();
        let id = buy(&client, "+14155550100").await;
        let url = "must be an http or https URL without credentials and fragment, of at most 2048 characters";
        let (sms, voice) = (format!("The sms_webhook parameter {url}"), "The voice_webhook parameter must name a host");
        let (range, syntax) = ("invalid_parameter", "invalid_request_error");
        for (change, code, message, param) in [
            (json!({ "call_forwarding": { "rings_before_forward": 0 } }), range, "The call_forwarding.rings_before_forward parameter must be between 1 and 12", "rings_before_forward"),
            (json!({ "call_forwarding": { "rings_before_forward": 13 } }), range, "The call_forwarding.rings_before_forward parameter must be between 1 and 12", "rings_before_forward"),
            (json!({ "call_forwarding": { "rings_before_forward": "4" } }), syntax, "The call_forwarding.rings_before_forward parameter must be a whole number", "rings_before_forward"),
            (json!({ "call_forwarding": { "enabled": "yes" } }), syntax, "The call_forwarding.enabled parameter must be true or false", "enabled"),
            (json!({ "call_forwarding": true }), syntax, "The call_forwarding parameter must be an object", "call_forwarding"),
            (json!({ "voicemail": { "delete_after_days": 366 } }), range, "The voicemail.delete_after_days parameter must be between 1 and 365", "delete_after_days"),
            (json!({ "voicemail": { "delete_after_days": 1.5 } }), syntax, "The voicemail.delete_after_days parameter must be a whole number", "delete_after_days"),
            (json!({ "voicemail": [] }), syntax, "The voicemail parameter must be an object", "voicemail"),
            (json!({ "sms_webhook": "ftp://example.com" }), range, sms.as_str(), "sms_webhook"),
            (json!({ "sms_webhook": "https://user:pass@example.com" }), range, sms.as_str(), "sms_webhook"),
            (json!({ "voice_webhook": "http://127.0.0.1/" }), range, "The voice_webhook parameter must not lead to a private address", "voice_webhook"),
            (json!({ "voice_webhook": "https://" }), range, voice, "voice_webhook"),
            (json!({ "voice_webhook": 7 }), syntax, "The voice_webhook parameter must be a string", "voice_webhook"),
            (json!({ "recording": { "enabled": true, "format": "flac" } }), range, "The recording.format parameter must be one of: wav, mp3, opus", "format"),
            (json!({ "recording": { "format": "wav" } }), "missing_required_parameter", "The 'recording.enabled' parameter is required", "enabled"),
            (json!({ "friendly_name": "" }), range, "The friendly_name parameter must have at least 1 characters", "friendly_name"),
        ] {
            assert_refuses(&client, &id, change, (400, code, message, param)).await;
        }
    }

    async fn what_is_ours_is_kept_as_well(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test();
        let id = buy(&client, "+14155550100").await;
        let rule = json!({ "days": [1, 2, 3, 4, 5], "from": "09:00", "to": "17:30", "forward_to": "+14155559876" });
        let schedule = json!({ "time_zone": "America/New_York", "rules": [rule] });
        let recording = json!({ "enabled": true, "format": "mp3", "participant": "caller" });
        let kept = put(&client, &id, json!({ "schedule": schedule, "recording": recording })).await;
        assert_eq!((&kept.data()["schedule"], &kept.data()["recording"]), (&schedule, &recording));
        for (schedule, reason) in [
            (json!({ "time_zone": "Mars/Olympus", "rules": [rule] }), "'Mars/Olympus' is no IANA time zone"),
            (json!({ "time_zone": "UTC", "rules": [{ "days": [], "from": "09:00", "to": "17:00", "forward_to": "+14155559876" }] }), "days are 1 (Monday) to 7 (Sunday)"),
            (json!({ "time_zone": "UTC", "rules": [{ "days": [1], "from": "24:00", "to": "17:00", "forward_to": "+14155559876" }] }), "'24:00' is no time of day as HH:MM"),
        ] {
            let message = format!("The routing configuration is invalid: {reason}");
            let refusal = (422, "invalid_routing_configuration", message.as_str(), "schedule");
            assert_refuses(&client, &id, json!({ "schedule": schedule }), refusal).await;
        }
    }

    async fn a_number_that_is_not_there_has_no_configuration(server: Server) {
        let ada = server.account("Ada").await;
        ada.test().get(&format!("{LIST}/num_abc123/config")).await.assert(404, examples::by_code("not_found_error"));
        put(&ada.test(), "num_abc123", json!({ "friendly_name": "x" })).await.assert(404, examples::by_code("not_found_error"));
        put(&ada.test(), "+14155550199", json!({})).await.assert(404, examples::by_status(404));
    }

    async fn changes_at_once_all_count(server: Server) {
        let ada = server.account("Ada").await;
        let id = buy(&ada.test(), "+14155550100").await;
        let mut changes = tokio::task::JoinSet::new();
        for name in 0..40 {
            let (client, id) = (ada.test(), id.clone());
            changes.spawn(async move { put(&client, &id, json!({ "friendly_name": format!("{name}") })).await });
        }
        for answer in changes.join_all().await {
            answer.assert_status(200);
        }
        let versions = server.count("SELECT version FROM numbers").await;
        assert_eq!(versions, 41);
    }
}
