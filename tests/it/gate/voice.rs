//! Codes of trunks, devices, calls and conferences that come about in the same few ways: what is named is not there, a number is none.

use http::Method;
use serde_json::{Value, json};
use tandem_testkit::{Server, on_both};

use super::{say, says};

const NOTHING: Value = Value::Null;

on_both! {
    async fn what_is_not_there(server: Server) {
        let ada = server.account("Ada").await;
        let (trunk, device, conference) = ("/v1/trunks/trunk_abc", "/v1/devices/dev_sip_abc", "/audian/v2/conferences/conf_abc");
        let missing = "resource_not_found";
        say(&server.operator(), &[
            (Method::GET, trunk.into(), NOTHING, missing),
            (Method::PATCH, trunk.into(), json!({}), missing),
            (Method::DELETE, trunk.into(), NOTHING, missing),
            (Method::POST, format!("{trunk}/credentials"), json!({}), missing),
            (Method::DELETE, format!("{trunk}/credentials"), NOTHING, missing),
        ]).await;
        let phone = json!({ "phone_number": "+14155550199" });
        say(&ada.test(), &[
            (Method::GET, device.into(), NOTHING, missing),
            (Method::PATCH, device.into(), json!({}), missing),
            (Method::DELETE, device.into(), NOTHING, missing),
            (Method::POST, format!("{device}/rotate"), json!({}), missing),
            (Method::GET, format!("{device}/registrations"), NOTHING, missing),
            (Method::GET, "/v1/reconciliation/yesterday".into(), NOTHING, missing),
            (Method::GET, "/v1/calls/call_abc".into(), NOTHING, "call_not_found"),
            (Method::GET, "/v1/calls/call_abc/explain".into(), NOTHING, "call_not_found"),
            (Method::GET, "/v1/calls?cursor=00000000000000000000000000".into(), NOTHING, "call_not_found"),
            (Method::GET, "/audian/v2/calls/call_abc".into(), NOTHING, "call_not_found"),
            (Method::GET, "/audian/v2/calls?before=call_abc".into(), NOTHING, "call_not_found"),
            (Method::GET, "/audian/v2/calls/call_abc/recordings".into(), NOTHING, "call_not_found"),
            (Method::POST, "/audian/v2/calls/call_abc/record/start".into(), json!({}), "call_not_found"),
            (Method::POST, "/audian/v2/calls/call_abc/record/stop".into(), json!({}), "call_not_found"),
            (Method::POST, "/audian/v2/calls/call_abc/record/pause".into(), json!({}), "call_not_found"),
            (Method::POST, "/audian/v2/calls/call_abc/record/resume".into(), json!({}), "call_not_found"),
            (Method::GET, "/audian/v2/recordings/rec_abc".into(), NOTHING, missing),
            (Method::DELETE, "/audian/v2/recordings/rec_abc".into(), NOTHING, missing),
            (Method::GET, "/v1/recordings/rec_abc".into(), NOTHING, missing),
            (Method::GET, "/v1/recordings/rec_abc/audio".into(), NOTHING, missing),
            (Method::DELETE, "/v1/recordings/rec_abc".into(), NOTHING, missing),
            (Method::GET, "/v1/voicemails/rec_abc".into(), NOTHING, missing),
            (Method::PATCH, "/v1/voicemails/rec_abc".into(), json!({ "heard": true }), missing),
            (Method::DELETE, "/v1/voicemails/rec_abc".into(), NOTHING, missing),
            (Method::GET, conference.into(), NOTHING, missing),
            (Method::PUT, conference.into(), json!({}), missing),
            (Method::DELETE, conference.into(), NOTHING, missing),
            (Method::GET, format!("{conference}/participants"), NOTHING, missing),
            (Method::POST, format!("{conference}/participants"), phone, missing),
            (Method::DELETE, format!("{conference}/participants/part_abc"), NOTHING, missing),
            (Method::GET, format!("{conference}/recordings"), NOTHING, missing),
            (Method::GET, format!("{conference}/recordings/rec_abc"), NOTHING, missing),
            (Method::DELETE, format!("{conference}/recordings/rec_abc"), NOTHING, missing),
        ]).await;
        for (rest, code) in [("test", "account_not_found"), ("moon", missing)] {
            let account = if rest == "moon" { ada.account.to_string() } else { "acc_abc123".to_owned() };
            let policy = format!("/v1/accounts/{account}/environments/{rest}/calling-policy");
            say(&server.operator(), &[
                (Method::GET, policy.clone(), NOTHING, code),
                (Method::PATCH, policy, json!({}), code),
            ]).await;
        }
    }

    async fn numbers_that_are_none(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test();
        let made = client.post("/v1/devices", json!({ "label": "Desk" })).await;
        let device = format!("/v1/devices/{}", made.assert_status(201).body["id"].as_str().expect("an id"));
        let made = client.post("/audian/v2/conferences", json!({ "name": "Monday" })).await;
        let people = format!("/audian/v2/conferences/{}/participants", made.assert_status(201).body["id"].as_str().expect("an id"));
        for (wrong, code) in [("12", "invalid_phone_number"), ("+10005551234", "unassigned_phone_number")] {
            say(&client, &[
                (Method::POST, "/v1/devices".into(), json!({ "label": "x", "caller_id": wrong }), code),
                (Method::PATCH, device.clone(), json!({ "caller_id": wrong }), code),
                (Method::POST, "/v1/simulate/route".into(), json!({ "to": wrong }), code),
                (Method::POST, "/v1/simulate/route".into(), json!({ "to": "+14155550100", "path": [wrong] }), code),
                (Method::POST, people.clone(), json!({ "phone_number": wrong }), code),
                (Method::GET, format!("/v1/voicemails?number={}", wrong.replace('+', "%2B")), NOTHING, code),
            ]).await;
        }
        let theirs = json!({ "caller_id": "+14155550199" });
        say(&client, &[(Method::PATCH, device, theirs, "owned_number_not_found")]).await;
        let call = tandem_testkit::call(ada.test.environment, "+61412345678", "+14155550100", server.now());
        let call = ada.write_calls(tandem_kernel::Environment::Test, vec![call]).await.remove(0);
        let none = client.get(&format!("/audian/v2/calls/{}/recordings", call.id)).await;
        assert_eq!(none.assert_status(200).body["recordings"], json!([]));
        for order in ["start", "stop", "pause", "resume"] {
            let late = client.post(&format!("/audian/v2/calls/{}/record/{order}", call.id), json!({})).await;
            says(&late, "call_over");
        }
    }
}
