//! Projects, which are also called properties.

use serde_json::{Value, json};
use tandem_domain::sid::account_sid;
use tandem_testkit::{Answer, Persona, Server, on_both};

use super::first_project;

const PROJECTS: &str = "/fonedynamics/v2/Properties";

fn project(persona: &Persona, sid: &str, name: &str, domain: &str, zone: &str, flags: [bool; 4]) -> Value {
    let [sms, recording, integrations, active] = flags;
    json!({
        "AccountSid": account_sid(persona.account), "PropertySid": sid, "Name": name, "MainDomain": domain, "TimeZone": zone,
        "SmsEnabled": sms, "CallRecordingEnabled": recording, "IntegrationsEnabled": integrations, "Active": active,
    })
}

async fn create(persona: &Persona, name: &str) -> String {
    let body = json!({ "Name": name, "MainDomain": "www.example.com", "TimeZone": "AUS Eastern Standard Time" });
    let made = persona.test().post(PROJECTS, body).await;
    made.assert_status(200).body["Property"]["PropertySid"].as_str().expect("a sid").to_owned()
}

async fn patch(persona: &Persona, sid: &str, body: Value) -> Answer {
    let client = persona.test().header("content-type", "application/merge-patch+json");
    client.patch(&format!("{PROJECTS}/{sid}"), body).await
}

on_both! {
    async fn an_environment_has_one_from_the_start(server: Server) {
        let ada = server.account("Ada").await;
        let first = project(&ada, &first_project(&ada), "Default", "", "UTC", [true, false, false, true]);
        let list = json!({ "Projects": [first], "TotalCount": 1, "NextPageToken": null });
        ada.test().get(PROJECTS).await.assert(200, &list);
        let other = ada.live().get(PROJECTS).await;
        assert!(other.body["Projects"][0]["PropertySid"] != first["PropertySid"], "{other}");
    }

    async fn they_are_made_read_changed_and_listed(server: Server) {
        let ada = server.account("Ada").await;
        let body = json!({ "Name": "Shop", "MainDomain": "shop.example.com", "TimeZone": "aus eastern standard time", "SmsEnabled": true });
        let made = ada.test().post(PROJECTS, body).await;
        let sid = made.body["Property"]["PropertySid"].as_str().expect("a sid").to_owned();
        let zone = "AUS Eastern Standard Time";
        let shop = project(&ada, &sid, "Shop", "shop.example.com", zone, [true, false, false, true]);
        made.assert(200, &json!({ "Property": shop }));
        ada.test().get(&format!("{PROJECTS}/{sid}")).await.assert(200, &json!({ "Property": shop }));
        let changes = json!({ "Name": "Shop 2", "TimeZone": "UTC", "CallRecordingEnabled": true, "IntegrationsEnabled": true, "Active": false });
        patch(&ada, &sid, changes).await.assert_empty(204).assert_no_header("content-type");
        let shop = project(&ada, &sid, "Shop 2", "shop.example.com", "UTC", [true, true, true, false]);
        ada.test().get(&format!("{PROJECTS}/{sid}")).await.assert(200, &json!({ "Property": shop }));
        patch(&ada, &sid, json!({})).await.assert_empty(204);
        let list = ada.test().get(&format!("{PROJECTS}?results_skip=1")).await;
        list.assert(200, &json!({ "Projects": [shop], "TotalCount": 2, "NextPageToken": null }));
    }

    async fn pages_lead_on(server: Server) {
        let ada = server.account("Ada").await;
        for name in ["a", "b", "c"] {
            create(&ada, name).await;
        }
        let mut names = Vec::new();
        let mut path = format!("{PROJECTS}?Results_Count=2");
        loop {
            let page = ada.test().get(&path).await;
            assert!(page.assert_status(200).body["TotalCount"] == 4, "{page}");
            names.extend(page.body["Projects"].as_array().unwrap().iter().map(|project| project["Name"].clone()));
            let Some(token) = page.body["NextPageToken"].as_str() else { break };
            path = format!("{PROJECTS}?Results_Count=2&PageToken={token}");
        }
        assert_eq!(names, ["Default", "a", "b", "c"]);
        for (query, code, message, field) in [
            ("Results_Count=0", "PARAMETER_INVALID", "The Results_Count parameter must be between 1 and 200", "Results_Count"),
            ("Results_Count=201", "PARAMETER_INVALID", "The Results_Count parameter must be between 1 and 200", "Results_Count"),
            ("Results_Skip=-1", "PARAMETER_INVALID", "The Results_Skip parameter must be between 0 and 10000", "Results_Skip"),
            ("Results_Skip=x", "PARAMETER_INVALID", "The Results_Skip parameter must be a whole number", "Results_Skip"),
            ("PageToken=x", "PARAMETER_INVALID", "The PageToken parameter must be a NextPageToken of an earlier answer", "PageToken"),
        ] {
            ada.test().get(&format!("{PROJECTS}?{query}")).await.assert_fone_error(400, code, message, Some(field));
        }
    }

    async fn what_is_wrong_is_named(server: Server) {
        let ada = server.account("Ada").await;
        let good = json!({ "Name": "Shop", "MainDomain": "shop.example.com", "TimeZone": "UTC" });
        for field in ["Name", "MainDomain", "TimeZone"] {
            let mut body = good.clone();
            body.as_object_mut().unwrap().remove(field);
            let message = format!("The '{field}' parameter is required");
            ada.test().post(PROJECTS, body).await.assert_fone_error(400, "PARAMETER_REQUIRED", &message, Some(field));
        }
        for (field, value, code, message) in [
            ("TimeZone", json!("Sydney"), "UNKNOWN_TIME_ZONE", "'Sydney' is not a known time zone"),
            ("Name", json!("x".repeat(129)), "PARAMETER_TOO_LONG", "The Name parameter must have at most 128 characters"),
            ("SmsEnabled", json!("yes"), "PARAMETER_INVALID", "The SmsEnabled parameter must be true or false"),
        ] {
            let mut body = good.clone();
            body[field] = value;
            ada.test().post(PROJECTS, body).await.assert_fone_error(400, code, message, Some(field));
        }
        let several = ada.test().post(PROJECTS, json!({})).await;
        let names: Vec<_> = several.body["ResponseStatus"]["Errors"].as_array().unwrap().iter().map(|error| error["FieldName"].clone()).collect();
        assert_eq!(names, ["Name", "MainDomain", "TimeZone"]);
        let sid = create(&ada, "Shop").await;
        patch(&ada, &sid, json!({ "Name": "" })).await
            .assert_fone_error(400, "PARAMETER_TOO_SHORT", "The Name parameter must have at least 1 characters", Some("Name"));
        let message = "The content type 'application/json' is not supported; send application/merge-patch+json";
        ada.test().patch(&format!("{PROJECTS}/{sid}"), json!({})).await
            .assert_fone_error(415, "UNSUPPORTED_MEDIA_TYPE", message, None);
    }

    async fn somebody_elses_does_not_exist(server: Server) {
        let (ada, bob) = (server.account("Ada").await, server.account("Bob").await);
        let sid = create(&ada, "Shop").await;
        let message = format!("The property '{sid}' was not found");
        bob.test().get(&format!("{PROJECTS}/{sid}")).await.assert_fone_error(400, "PROPERTY_NOT_FOUND", &message, None);
        ada.live().get(&format!("{PROJECTS}/{sid}")).await.assert_fone_error(400, "PROPERTY_NOT_FOUND", &message, None);
        patch(&bob, &sid, json!({ "Name": "Mine" })).await.assert_fone_error(400, "PROPERTY_NOT_FOUND", &message, None);
    }
}
