//! Numbers: lists, reads, configuration, release.

use serde_json::{Value, json};
use tandem_domain::sid::account_sid;
use tandem_kernel::{Environment::Test, Scope};
use tandem_testkit::{Answer, Persona, Server, Stage, on_both};

use super::{
    BASE,
    available::shelf,
    first_project,
    purchase::{address, buy, project},
};

const OURS: &str = "14155550100";

async fn configure(persona: &Persona, number: &str, body: Value) -> Answer {
    persona.test().post(&format!("{BASE}/Numbers/{number}"), body).await
}

/// Of a list: the numbers, the total and what leads on.
fn listed(answer: &Answer) -> (Vec<String>, i64, Option<String>) {
    let numbers = answer.assert_status(200).body["Numbers"].as_array().expect("a list").iter();
    let numbers = numbers.map(|number| number["Number"].as_str().expect("a number").to_owned()).collect();
    (numbers, answer.body["TotalCount"].as_i64().expect("a total"), answer.body["NextPageToken"].as_str().map(str::to_owned))
}

/// A number as it is just after its purchase.
fn fresh(persona: &Persona, number: &str) -> Value {
    json!({
        "Number": number, "AccountSid": account_sid(persona.account), "PropertySid": first_project(persona), "Friendly": null,
        "Type": "Local", "Capabilities": ["Voice", "SMS", "MMS"], "Status": "Active", "AddressSid": null, "AddressRequirement": "None",
        "CountryCode": "US", "Region": "CA", "City": "San Francisco", "RoutingMethod": null, "EndpointNumber": null, "Flow": null,
        "Recording": "Off", "Attribution_Source": null, "Attribution_Medium": null, "Attribution_Campaign": null,
        "Attribution_Content": null, "SendSmsFrom": null, "SendSmsTo": null, "SendEmailFrom": null, "SendEmailTo": null, "WebhookUri": null,
        "WebhookMethod": null,
    })
}

fn with(mut number: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().expect("members") {
        number[name] = value.clone();
    }
    number
}

async fn flow(persona: &Persona) -> String {
    let body = json!({ "name": "Main", "routing": [{ "pattern": "*", "destination_type": "voicemail" }] });
    let made = persona.test().post("/audian/v2/call-flows", body).await;
    made.body["call_flow_id"].as_str().expect("an id").to_owned()
}

on_both! {
    async fn a_number_is_described_field_by_field(server: Server) {
        let ada = server.account("Ada").await;
        buy(&ada, &first_project(&ada), json!({ "Number": "+14155550100" })).await.assert_status(200);
        let number = json!({ "Number": fresh(&ada, "+14155550100") });
        ada.test().get(&format!("{BASE}/Numbers/{OURS}")).await.assert(200, &number);
        ada.test().get(&format!("{BASE}/Numbers/%2B{OURS}")).await.assert(200, &number);
    }

    async fn they_are_listed_by_project_type_and_capability(stage: Stage) {
        let server = stage.offers(shelf).start().await;
        let ada = server.account("Ada").await;
        let (first, shop) = (first_project(&ada), project(&ada, "Shop").await);
        let bought = ["+61292000100", "+611800123456", "+61480000100", "+14155550100", "+611300123456", "+61292000101"];
        for (number, project) in bought.iter().zip([&shop, &shop, &first, &first, &shop, &shop]) {
            buy(&ada, project, json!({ "Number": number })).await.assert_status(200);
        }
        let list = async |path: String| listed(&ada.test().get(&path).await);
        let of = |places: &[usize]| places.iter().map(|place| bought[*place].to_owned()).collect::<Vec<_>>();
        let account = format!("{BASE}/Accounts/{}/Numbers", account_sid(ada.account));
        let shops = format!("{BASE}/Properties/{shop}/Numbers");
        for (path, found) in [
            (account.clone(), &[0, 1, 2, 3, 4, 5][..]),
            (shops.clone(), &[0, 1, 4, 5]),
            (format!("{BASE}/Properties/{first}/Numbers"), &[2, 3]),
            (format!("{account}?Type=Local"), &[0, 3, 5]),
            (format!("{shops}?type=local,TOLL-FREE"), &[0, 1, 5]),
            (format!("{account}?Capabilities=Voice,SMS"), &[2, 3]),
            (format!("{account}?Capabilites=mms"), &[3]),
            (format!("{account}?Type=National&Capabilities=MMS"), &[]),
        ] {
            assert_eq!(list(path.clone()).await, (of(found), found.len() as i64, None), "{path}");
        }
        let (page, total, token) = list(format!("{shops}?Results_Count=2")).await;
        assert_eq!((page, total), (of(&[0, 1]), 4));
        let token = token.expect("there are more");
        assert_eq!(list(format!("{shops}?Results_Count=3&PageToken={token}")).await, (of(&[4, 5]), 4, None));
        assert_eq!(list(format!("{shops}?Results_Skip=3")).await, (of(&[5]), 4, None));
        ada.test().delete(&format!("{BASE}/Numbers/611800123456")).await.assert_status(200);
        assert_eq!(list(shops.clone()).await, (of(&[0, 4, 5]), 3, None));
        for (query, code, message, field) in [
            ("Type=Mobile", "UNKNOWN_NUMBERTYPE", "'Mobile' is not a known number type", "Type"),
            ("Capabilities=Fax", "UNKNOWN_CAPABILITY", "'Fax' is not a known capability", "Capabilities"),
            ("Results_Count=0", "PARAMETER_INVALID", "The Results_Count parameter must be between 1 and 200", "Results_Count"),
        ] {
            for path in [&account, &shops] {
                ada.test().get(&format!("{path}?{query}")).await.assert_fone_error(400, code, message, Some(field));
            }
        }
    }

    async fn a_configuration_is_changed_in_parts_and_shows_in_both_dialects(server: Server) {
        let ada = server.account("Ada").await;
        buy(&ada, &first_project(&ada), json!({ "Number": "+14155550100" })).await.assert_status(200);
        let mut now = fresh(&ada, "+14155550100");
        for changes in [
            json!({ "Friendly": "Front desk" }),
            json!({ "RoutingMethod": "Endpoint", "EndpointNumber": "+14155550199" }),
            json!({ "Recording": "Call" }),
            json!({ "Attribution_Source": "google", "Attribution_Medium": "cpc", "Attribution_Campaign": "spring", "Attribution_Content": "b" }),
            json!({ "SendSmsFrom": "Acme", "SendSmsTo": "+61412345678", "SendEmailFrom": "a@example.com", "SendEmailTo": "b@example.com" }),
            json!({ "WebhookUri": "https://example.com/sms", "WebhookMethod": "POST" }),
            json!({ "WebhookMethod": "GET" }),
            json!({ "EndpointNumber": "+14155550198" }),
        ] {
            now = with(now, &changes);
            configure(&ada, OURS, changes).await.assert(200, &json!({ "Number": now }));
        }
        let config = ada.test().get(&format!("/audian/v2/numbers/%2B{OURS}/config")).await;
        assert_eq!(config.data()["friendly_name"], "Front desk");
        assert_eq!(config.data()["sms_webhook"], "https://example.com/sms");
        let forwarding = &config.data()["call_forwarding"];
        assert_eq!((&forwarding["enabled"], &forwarding["forward_to"]), (&json!(true), &json!("+14155550198")));
        assert_eq!(config.data()["recording"], json!({ "enabled": true, "format": "wav", "participant": "all" }));
        // The other dialect's changes show here, and what it alone knows stays.
        let theirs = json!({ "recording": { "enabled": true, "format": "mp3" }, "call_forwarding": { "enabled": false } });
        ada.test().put(&format!("/audian/v2/numbers/%2B{OURS}/config"), theirs).await.assert_status(200);
        now = with(now, &json!({ "RoutingMethod": null, "Recording": "Off", "Friendly": null, "Attribution_Source": null, "SendSmsTo": null }));
        let cleared = json!({ "recording": "off", "friendly": "", "attribution_source": null, "SendSmsTo": "" });
        configure(&ada, OURS, cleared).await.assert(200, &json!({ "Number": now }));
        let config = ada.test().get(&format!("/audian/v2/numbers/%2B{OURS}/config")).await;
        assert_eq!(config.data()["recording"], json!({ "enabled": false, "format": "mp3", "participant": "all" }));
    }

    async fn calls_go_to_a_flow_or_a_number(server: Server) {
        let ada = server.account("Ada").await;
        buy(&ada, &first_project(&ada), json!({ "Number": "+14155550100" })).await.assert_status(200);
        let flow = flow(&ada).await;
        let routed = async |body: Value| {
            let answer = configure(&ada, OURS, body).await;
            let number = answer.assert_status(200).body["Number"].clone();
            (number["RoutingMethod"].clone(), number["EndpointNumber"].clone(), number["Flow"].clone())
        };
        let (one, other) = ("+14155550199", "+14155550198");
        assert_eq!(routed(json!({ "RoutingMethod": "endpoint", "EndpointNumber": one })).await, (json!("Endpoint"), json!(one), json!(null)));
        assert_eq!(routed(json!({ "RoutingMethod": "Flow", "Flow": flow })).await, (json!("Flow"), json!(one), json!(flow)));
        assert_eq!(routed(json!({ "RoutingMethod": "Endpoint", "EndpointNumber": other })).await, (json!("Endpoint"), json!(other), json!(null)));
        assert_eq!(routed(json!({ "Flow": flow })).await, (json!("Flow"), json!(other), json!(flow)));
        assert_eq!(routed(json!({ "EndpointNumber": one })).await, (json!("Endpoint"), json!(one), json!(null)));
        assert_eq!(routed(json!({ "RoutingMethod": null, "Flow": flow })).await, (json!("Flow"), json!(one), json!(flow)));
        assert_eq!(routed(json!({ "RoutingMethod": "", "EndpointNumber": other })).await, (json!("Endpoint"), json!(other), json!(null)));
        assert_eq!(routed(json!({ "RoutingMethod": null })).await, (json!(null), json!(other), json!(null)));
        assert_eq!(routed(json!({ "EndpointNumber": "" })).await, (json!(null), json!(null), json!(null)));
    }

    async fn an_address_is_changed_or_taken_away(stage: Stage) {
        let server = stage.offers(shelf).start().await;
        let ada = server.account("Ada").await;
        let (sydney, other, victoria) = (address(&ada, "NSW", "AU").await, address(&ada, "NSW", "AU").await, address(&ada, "VIC", "AU").await);
        buy(&ada, &first_project(&ada), json!({ "Number": "+61292000100" })).await.assert(200, &json!({ "Number": "+61292000100", "Status": "Active" }));
        for (sent, status, kept) in [(json!(other), "Active", json!(other)), (json!(null), "Pending", json!(null)), (json!(sydney), "Active", json!(sydney))] {
            let answer = configure(&ada, "61292000100", json!({ "AddressSid": sent })).await;
            let number = &answer.assert_status(200).body["Number"];
            assert!(number["Status"] == status && number["AddressSid"] == kept, "{answer}");
        }
        let message =
            format!("The AddressSid parameter names the address '{victoria}', which does not suit +61292000100: it needs one in AU-NSW");
        configure(&ada, "61292000100", json!({ "AddressSid": victoria })).await
            .assert_fone_error(400, "PARAMETER_INVALID", &message, Some("AddressSid"));
        configure(&ada, "61292000100", json!({ "AddressSid": "D1" })).await
            .assert_fone_error(400, "ADDRESS_NOT_FOUND", "The address 'D1' was not found", None);
    }

    async fn what_is_wrong_is_named(server: Server) {
        let ada = server.account("Ada").await;
        buy(&ada, &first_project(&ada), json!({ "Number": "+14155550100" })).await.assert_status(200);
        let missing = "cf_01hzy3v7k2m8x4c6b9d1f5g7h0";
        let format = "'12' is not a phone number in E.164 format (+61412345678)";
        for (body, code, message, field) in [
            (json!({ "RoutingMethod": "Carrier pigeon" }), "UNKNOWN_ROUTING_METHOD", "'Carrier pigeon' is not a known routing method", Some("RoutingMethod")),
            (json!({ "Recording": "Always" }), "UNKNOWN_RECORDING_OPTION", "'Always' is not a known recording option", Some("Recording")),
            (json!({ "RoutingMethod": "Endpoint" }), "PARAMETER_REQUIRED", "The 'EndpointNumber' parameter is required", Some("EndpointNumber")),
            (json!({ "RoutingMethod": "Flow" }), "PARAMETER_REQUIRED", "The 'Flow' parameter is required", Some("Flow")),
            (json!({ "EndpointNumber": "12" }), "INVALID_PHONENUMBER_FORMAT", format, Some("EndpointNumber")),
            (json!({ "RoutingMethod": "Endpoint", "EndpointNumber": "12" }), "INVALID_PHONENUMBER_FORMAT", format, Some("EndpointNumber")),
            (json!({ "RoutingMethod": "Endpoint", "EndpointNumber": "" }), "PARAMETER_REQUIRED", "The 'EndpointNumber' parameter is required", Some("EndpointNumber")),
            (json!({ "EndpointNumber": 12 }), "INVALID_PHONENUMBER_FORMAT", format, Some("EndpointNumber")),
            (json!({ "SendSmsTo": "12" }), "INVALID_PHONENUMBER_FORMAT", format, Some("SendSmsTo")),
            (json!({ "Flow": missing }), "FLOW_NOT_FOUND", &format!("The flow '{missing}' was not found"), None),
            (json!({ "Flow": "nonsense" }), "FLOW_NOT_FOUND", "The flow 'nonsense' was not found", None),
            (json!({ "RoutingMethod": "Endpoint", "EndpointNumber": "+14155550100" }), "PARAMETER_INVALID",
                "The EndpointNumber parameter would make a loop: +14155550100 → +14155550100", Some("EndpointNumber")),
            (json!({ "EndpointNumber": "+14155550100" }), "PARAMETER_INVALID",
                "The EndpointNumber parameter would make a loop: +14155550100 → +14155550100", Some("EndpointNumber")),
            (json!({ "SendSmsTo": "+14155550100" }), "PARAMETER_INVALID",
                "The SendSmsTo parameter would make a loop: +14155550100 → +14155550100", Some("SendSmsTo")),
            (json!({ "WebhookMethod": "GET" }), "PARAMETER_REQUIRED", "The 'WebhookUri' parameter is required", Some("WebhookUri")),
            (json!({ "RoutingMethod": "Endpoint", "EndpointNumber": "+882161234567" }), "PARAMETER_INVALID",
                "The EndpointNumber parameter names +882161234567, which cannot be reached", Some("EndpointNumber")),
            (json!({ "Friendly": "x".repeat(129) }), "PARAMETER_TOO_LONG", "The Friendly parameter must have at most 128 characters", Some("Friendly")),
            (json!({ "Attribution_Source": "x".repeat(129) }), "PARAMETER_TOO_LONG",
                "The Attribution_Source parameter must have at most 128 characters", Some("Attribution_Source")),
            (json!({ "WebhookUri": "nonsense" }), "PARAMETER_INVALID",
                "The WebhookUri parameter must be an http or https URL without credentials and fragment, of at most 2048 characters", Some("WebhookUri")),
            (json!({ "WebhookUri": "https://example.com/#x" }), "PARAMETER_INVALID",
                "The WebhookUri parameter must be an http or https URL without credentials and fragment, of at most 2048 characters", Some("WebhookUri")),
            (json!({ "WebhookUri": "http://10.0.0.1/sms" }), "PARAMETER_INVALID",
                "The WebhookUri parameter must not lead to a private address", Some("WebhookUri")),
        ] {
            configure(&ada, OURS, body).await.assert_fone_error(400, code, message, field);
        }
        let names = "Friendly,AddressSid,Attribution_Source,Attribution_Medium,Attribution_Campaign,Attribution_Content,RoutingMethod,\
                     EndpointNumber,Flow,Recording,SendSmsFrom,SendSmsTo,SendEmailFrom,SendEmailTo,WebhookUri,WebhookMethod";
        let message = format!("At least one of {names} is required");
        configure(&ada, OURS, json!({})).await.assert_fone_error(400, "ONE_OF_SEVERAL_PARAMETERS_REQUIRED", &message, Some(names));
        let first = ada.test().get(&format!("{BASE}/Numbers/{OURS}")).await;
        first.assert(200, &json!({ "Number": fresh(&ada, "+14155550100") }));
    }

    async fn texts_are_handed_on_from_a_name_or_a_number_of_the_project(server: Server) {
        let (ada, bob) = (server.account("Ada").await, server.account("Bob").await);
        let (first, shop) = (first_project(&ada), project(&ada, "Shop").await);
        for (owner, project, number) in [(&ada, &first, "+14155550100"), (&ada, &first, "+14155550101"), (&ada, &shop, "+14155550102")] {
            buy(owner, project, json!({ "Number": number })).await.assert_status(200);
        }
        buy(&ada, &first, json!({ "Number": "+14153569377" })).await.assert_status(200);
        buy(&bob, &first_project(&bob), json!({ "Number": "+14155550103" })).await.assert_status(200);
        let not_owned = |number: &str| format!("The sender {number} is not a number of your account");
        let rule = "The SendSmsFrom parameter must be a number in E.164, or letters, digits and spaces";
        let long = "The SendSmsFrom parameter must have at most 11 characters";
        for (sender, status, code, message, field) in [
            ("+12125559999", 400, "NUMBER_NOT_FOUND", not_owned("+12125559999").as_str(), Some("SendSmsFrom")),
            ("+14155550103", 400, "NUMBER_NOT_FOUND", not_owned("+14155550103").as_str(), Some("SendSmsFrom")),
            ("+14155550102", 403, "NUMBER_BELONGS_TO_DIFFERENT_PROPERTY", "+14155550102 belongs to a different property", None),
            ("+14153569377", 403, "FORBIDDEN", "The number +14153569377 cannot send SMS", None),
            ("!!!", 400, "INVALID_PHONENUMBER_FORMAT", "'!!!' is not a phone number in E.164 format (+61412345678)", Some("SendSmsFrom")),
            ("1234", 400, "INVALID_PHONENUMBER_FORMAT", "'1234' is not a phone number in E.164 format (+61412345678)", Some("SendSmsFrom")),
            ("Shop!", 400, "PARAMETER_INVALID", rule, Some("SendSmsFrom")),
            ("Twelve chars", 400, "PARAMETER_TOO_LONG", long, Some("SendSmsFrom")),
        ] {
            configure(&ada, OURS, json!({ "SendSmsFrom": sender })).await.assert_fone_error(status, code, message, field);
        }
        for sender in ["+14155550101", "+14155550100", "Acme 24"] {
            let changed = configure(&ada, OURS, json!({ "SendSmsFrom": sender })).await;
            assert_eq!(changed.assert_status(200).body["Number"]["SendSmsFrom"], sender);
        }
    }

    async fn a_number_that_is_not_ones_own_does_not_exist(server: Server) {
        let (ada, bob) = (server.account("Ada").await, server.account("Bob").await);
        buy(&ada, &first_project(&ada), json!({ "Number": "+14155550100" })).await.assert_status(200);
        let message = "The requested number was not found";
        for client in [bob.test(), ada.live()] {
            let path = format!("{BASE}/Numbers/{OURS}");
            client.get(&path).await.assert_fone_error(400, "NUMBER_NOT_FOUND", message, None);
            client.post(&path, json!({ "Friendly": "x" })).await.assert_fone_error(400, "NUMBER_NOT_FOUND", message, None);
            client.delete(&path).await.assert_fone_error(400, "NUMBER_NOT_FOUND", message, None);
        }
        let format = "'12' is not a phone number in E.164 format (+61412345678)";
        ada.test().get(&format!("{BASE}/Numbers/12")).await.assert_fone_error(400, "INVALID_PHONENUMBER_FORMAT", format, Some("Number"));
        let account = account_sid(ada.account);
        let message = format!("The account '{account}' was not found");
        bob.test().get(&format!("{BASE}/Accounts/{account}/Numbers")).await.assert_fone_error(400, "ACCOUNT_NOT_FOUND", &message, None);
        let property = first_project(&ada);
        let message = format!("The property '{property}' was not found");
        bob.test().get(&format!("{BASE}/Properties/{property}/Numbers")).await.assert_fone_error(400, "PROPERTY_NOT_FOUND", &message, None);
    }

    async fn a_released_number_rests(server: Server) {
        let ada = server.account("Ada").await;
        let first = first_project(&ada);
        buy(&ada, &first, json!({ "Number": "+14155550100" })).await.assert_status(200);
        let path = format!("{BASE}/Numbers/{OURS}");
        let forbidden = "You do not have permission to access this resource";
        ada.test_with(&[Scope::NumbersRead]).await.delete(&path).await.assert_fone_error(403, "FORBIDDEN", forbidden, None);
        let releaser = ada.test_with(&[Scope::NumbersRelease]).await;
        releaser.post(&path, json!({ "Friendly": "x" })).await.assert_fone_error(403, "FORBIDDEN", forbidden, None);
        releaser.delete(&path).await.assert(200, &json!({ "Number": with(fresh(&ada, "+14155550100"), &json!({ "Status": "Released" })) }));
        ada.test().get(&path).await.assert_fone_error(400, "NUMBER_NOT_FOUND", "The requested number was not found", None);
        buy(&ada, &first, json!({ "Number": "+14155550100" })).await
            .assert_fone_error(400, "NUMBER_NOT_FOUND", "The number +14155550100 is not available", None);
        ada.advance(31 * 86_400).await;
        buy(&ada, &first, json!({ "Number": "+14155550100" })).await.assert_status(200);
        assert_eq!(ada.charges(Test).await.len(), 2);
    }
}
