//! People who may sign in.

use serde_json::{Value, json};
use tandem_domain::sid::account_sid;
use tandem_kernel::Scope;
use tandem_testkit::{Answer, Persona, Server, on_both};

use super::{BASE, first_project};

const LOGINS: &str = "/fonedynamics/v2/OnlineLogins";
const PASSWORD: &str = "correct horse battery";

fn wanted(email: &str) -> Value {
    json!({ "Email": email, "Password": PASSWORD, "FirstName": "Grace", "LastName": "Hopper", "Scopes": "reporting,Manage" })
}

async fn create(persona: &Persona, body: Value) -> Answer {
    persona.test().post(&format!("{BASE}/Properties/{}/OnlineLogins", first_project(persona)), body).await
}

async fn patch(persona: &Persona, sid: &str, body: Value) -> Answer {
    persona.test().header("content-type", "application/merge-patch+json").patch(&format!("{LOGINS}/{sid}"), body).await
}

fn sid(made: &Answer) -> String {
    made.assert_status(200).body["OnlineLogin"]["OnlineLoginSid"].as_str().expect("a sid").to_owned()
}

on_both! {
    async fn they_are_made_read_changed_and_listed(server: Server) {
        let ada = server.account("Ada").await;
        let made = create(&ada, wanted("Grace@example.com")).await;
        let sid = sid(&made);
        assert!(sid.len() == 36 && sid == sid.to_lowercase(), "{sid}");
        let grace = |enabled: bool, first: &str, permissions: Value| json!({
            "OnlineLoginSid": sid, "Email": "Grace@example.com", "Created": 1_704_067_200, "Enabled": enabled, "FirstName": first,
            "LastName": "Hopper", "Permissions": permissions,
        });
        let project = first_project(&ada);
        let first = grace(false, "Grace", json!([{ "PropertySid": project, "Scopes": "Manage,Reporting" }]));
        made.assert(200, &json!({ "OnlineLogin": first }));
        ada.test().get(&format!("{LOGINS}/{sid}")).await.assert(200, &json!({ "OnlineLogin": first }));
        let permissions = json!([{ "AccountSid": account_sid(ada.account), "Scopes": "Billing" }, { "propertysid": project, "Scopes": "Admin" }]);
        let changes = json!({ "Enabled": true, "FirstName": "G.", "Password": "another password", "Permissions": permissions });
        patch(&ada, &sid, changes).await.assert_empty(204);
        let permissions = json!([{ "AccountSid": account_sid(ada.account), "Scopes": "Billing" }, { "PropertySid": project, "Scopes": "Admin" }]);
        let second = grace(true, "G.", permissions);
        ada.test().get(LOGINS).await.assert(200, &json!({ "OnlineLogins": [second], "TotalCount": 1, "NextPageToken": null }));
        patch(&ada, &sid, json!({ "Permissions": [] })).await.assert_empty(204);
        assert_eq!(ada.test().get(LOGINS).await.body["OnlineLogins"][0]["Permissions"], json!([]));
    }

    async fn passwords_are_in_no_row_and_no_log(server: Server) {
        let ada = server.account("Ada").await;
        let made = create(&ada, wanted("grace@example.com")).await;
        assert!(!made.text().contains(PASSWORD), "{made}");
        server.settle().await;
        let kept = server.read(|tx| tx.query("SELECT password FROM logins", &[])).await;
        assert!(kept[0].text(0).unwrap().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", kept[0].text(0).unwrap());
        let logged = server.read(|tx| tx.query("SELECT body FROM requests WHERE method = 'POST'", &[])).await;
        assert!(!logged.is_empty() && logged.iter().all(|row| !row.text(0).unwrap().contains(PASSWORD)));
    }

    async fn an_address_is_used_once_in_an_environment(server: Server) {
        let (ada, bob) = (server.account("Ada").await, server.account("Bob").await);
        let first = sid(&create(&ada, wanted("grace@example.com")).await);
        let other = sid(&create(&ada, wanted("hopper@example.com")).await);
        let message = "The login 'GRACE@example.com' exists already";
        create(&ada, wanted("GRACE@example.com")).await.assert_fone_error(403, "ALREADY_EXISTS", message, None);
        patch(&ada, &other, json!({ "Email": "GRACE@example.com" })).await.assert_fone_error(403, "ALREADY_EXISTS", message, None);
        patch(&ada, &first, json!({ "Email": "GRACE@example.com" })).await.assert_empty(204);
        create(&bob, wanted("grace@example.com")).await.assert_status(200);
    }

    async fn what_is_wrong_is_named(server: Server) {
        let ada = server.account("Ada").await;
        for field in ["Email", "Password", "FirstName", "LastName", "Scopes"] {
            let mut body = wanted("grace@example.com");
            body.as_object_mut().unwrap().remove(field);
            let message = format!("The '{field}' parameter is required");
            create(&ada, body).await.assert_fone_error(400, "PARAMETER_REQUIRED", &message, Some(field));
        }
        for (field, value, code) in [
            ("Password", json!("short"), "PARAMETER_TOO_SHORT"),
            ("Password", json!("x".repeat(129)), "PARAMETER_TOO_LONG"),
            ("Email", json!("grace"), "PARAMETER_INVALID"),
            ("Scopes", json!("Manage,Everything"), "PARAMETER_INVALID"),
            ("Enabled", json!(1), "PARAMETER_INVALID"),
        ] {
            let mut body = wanted("grace@example.com");
            body[field] = value;
            let refused = create(&ada, body).await;
            let status = &refused.assert_status(400).body["ResponseStatus"];
            assert!(status["ErrorCode"] == code && status["Errors"][0]["FieldName"] == field, "{refused}");
        }
        let sid = sid(&create(&ada, wanted("grace@example.com")).await);
        let (own, project) = (account_sid(ada.account), first_project(&ada));
        let grant = |entry: Value| json!({ "Permissions": [entry] });
        let none = "At least one of Permissions.0.AccountSid,Permissions.0.PropertySid is required";
        patch(&ada, &sid, grant(json!({ "Scopes": "Admin" }))).await
            .assert_fone_error(400, "ONE_OF_SEVERAL_PARAMETERS_REQUIRED", none, Some("Permissions.0.AccountSid,Permissions.0.PropertySid"));
        let both = "The Permissions.0.PropertySid parameter must be left out beside an AccountSid";
        patch(&ada, &sid, grant(json!({ "AccountSid": own, "PropertySid": project, "Scopes": "Admin" }))).await
            .assert_fone_error(400, "PARAMETER_INVALID", both, Some("Permissions.0.PropertySid"));
        patch(&ada, &sid, grant(json!({ "AccountSid": "A1", "Scopes": "Admin" }))).await
            .assert_fone_error(400, "ACCOUNT_NOT_FOUND", "The account 'A1' was not found", None);
        patch(&ada, &sid, grant(json!({ "PropertySid": "S1", "Scopes": "Admin" }))).await
            .assert_fone_error(400, "PROPERTY_NOT_FOUND", "The property 'S1' was not found", None);
        let unknown = format!("{BASE}/Properties/S1/OnlineLogins");
        ada.test().post(&unknown, wanted("x@example.com")).await
            .assert_fone_error(400, "PROPERTY_NOT_FOUND", "The property 'S1' was not found", None);
    }

    async fn somebody_elses_does_not_exist(server: Server) {
        let (ada, bob) = (server.account("Ada").await, server.account("Bob").await);
        let sid = sid(&create(&ada, wanted("grace@example.com")).await);
        let message = format!("The login '{sid}' was not found");
        bob.test().get(&format!("{LOGINS}/{sid}")).await.assert_fone_error(400, "ONLINE_LOGIN_NOT_FOUND", &message, None);
        patch(&bob, &sid, json!({ "Enabled": true })).await.assert_fone_error(400, "ONLINE_LOGIN_NOT_FOUND", &message, None);
        let reader = ada.test_with(&[Scope::PropertiesRead]).await;
        let forbidden = "You do not have permission to access this resource";
        reader.get(LOGINS).await.assert_fone_error(403, "FORBIDDEN", forbidden, None);
        reader.get(&format!("{LOGINS}/{sid}")).await.assert_fone_error(403, "FORBIDDEN", forbidden, None);
    }
}
