//! Postal addresses.

use serde_json::{Value, json};
use tandem_domain::sid::account_sid;
use tandem_kernel::Scope;
use tandem_testkit::{Answer, Persona, Server, on_both};

use super::BASE;

fn addresses(persona: &Persona) -> String {
    format!("{BASE}/Accounts/{}/Addresses", account_sid(persona.account))
}

fn office() -> Value {
    json!({
        "Friendly": "Head office", "Reference": "HQ-1", "Line1": "1 George Street", "Line2": "Level 5", "City": "Sydney", "Region": "NSW",
        "CountryCode": "AU", "PostalCode": "2000",
    })
}

fn plain(city: &str, country: &str) -> Value {
    json!({ "Line1": "1 Main Street", "City": city, "CountryCode": country })
}

fn shown(persona: &Persona, sid: &str, sent: &Value) -> Value {
    json!({
        "AddressSid": sid, "AccountSid": account_sid(persona.account), "Friendly": sent["Friendly"], "Reference": sent["Reference"],
        "Line1": sent["Line1"], "Line2": sent["Line2"], "City": sent["City"], "Region": sent["Region"],
        "CountryCode": sent["CountryCode"], "PostalCode": sent["PostalCode"], "Status": "Verified",
    })
}

fn sid(made: &Answer) -> String {
    made.assert_status(200).body["Address"]["AddressSid"].as_str().expect("a sid").to_owned()
}

async fn create(persona: &Persona, body: Value) -> String {
    sid(&persona.test().post(&addresses(persona), body).await)
}

on_both! {
    async fn they_are_written_down_read_listed_and_taken_away(server: Server) {
        let ada = server.account("Ada").await;
        let made = ada.test().post(&addresses(&ada), office()).await;
        let first = sid(&made);
        assert!(first.len() == 32 && first.starts_with('D'), "{first}");
        made.assert(200, &json!({ "Address": shown(&ada, &first, &office()) }));
        ada.test().get(&format!("{BASE}/Addresses/{first}")).await.assert(200, &made.body);
        let second = create(&ada, plain("Paris", "fr")).await;
        let list = json!({
            "Addresses": [shown(&ada, &first, &office()), shown(&ada, &second, &plain("Paris", "FR"))], "TotalCount": 2, "NextPageToken": null,
        });
        ada.test().get(&addresses(&ada)).await.assert(200, &list);
        ada.test().delete(&format!("{BASE}/Addresses/{first}")).await.assert(200, &json!({ "AddressSid": first }));
        let message = format!("The address '{first}' was not found");
        let gone = format!("{BASE}/Addresses/{first}");
        ada.test().get(&gone).await.assert_fone_error(400, "ADDRESS_NOT_FOUND", &message, None);
        ada.test().delete(&gone).await.assert_fone_error(400, "ADDRESS_NOT_FOUND", &message, None);
        let left = json!({ "Addresses": [shown(&ada, &second, &plain("Paris", "FR"))], "TotalCount": 1, "NextPageToken": null });
        ada.test().get(&addresses(&ada)).await.assert(200, &left);
    }

    async fn a_list_has_what_is_exactly_so(server: Server) {
        let ada = server.account("Ada").await;
        let first = create(&ada, office()).await;
        for city in ["Paris", "Paris", "Lyon"] {
            create(&ada, plain(city, "FR")).await;
        }
        for (query, count) in [
            ("", 4), ("?Friendly=Head%20office", 1), ("?friendly=head%20office", 0), ("?Reference=HQ-1", 1), ("?City=Paris", 2),
            ("?Region=NSW", 1), ("?CountryCode=FR", 3), ("?CountryCode=fr&City=Lyon", 1), ("?PostalCode=2000", 1), ("?City=Par", 0),
        ] {
            let list = ada.test().get(&format!("{}{query}", addresses(&ada))).await;
            assert!(list.assert_status(200).body["TotalCount"] == count, "{query}{list}");
            assert!(list.body["Addresses"].as_array().unwrap().len() == count, "{query}{list}");
        }
        let page = ada.test().get(&format!("{}?CountryCode=FR&Results_Count=2", addresses(&ada))).await;
        let token = page.body["NextPageToken"].as_str().expect("more").to_owned();
        let rest = ada.test().get(&format!("{}?CountryCode=FR&Results_Count=2&PageToken={token}", addresses(&ada))).await;
        assert!(rest.body["Addresses"][0]["City"] == "Lyon" && rest.body["NextPageToken"].is_null() && rest.body["TotalCount"] == 3, "{rest}");
        let skipped = ada.test().get(&format!("{}?Results_Skip=3", addresses(&ada))).await;
        assert!(skipped.body["Addresses"][0]["City"] == "Lyon" && skipped.body["TotalCount"] == 4, "{skipped}");
        assert_eq!(page.body["Addresses"].as_array().unwrap().iter().filter(|address| address["AddressSid"] == first).count(), 0);
    }

    async fn what_is_wrong_is_named(server: Server) {
        let ada = server.account("Ada").await;
        for field in ["Line1", "City", "CountryCode"] {
            let mut body = office();
            body.as_object_mut().unwrap().remove(field);
            let message = format!("The '{field}' parameter is required");
            ada.test().post(&addresses(&ada), body).await.assert_fone_error(400, "PARAMETER_REQUIRED", &message, Some(field));
        }
        let long = "x".repeat(129);
        for (field, value, code, message) in [
            ("CountryCode", "Australia", "INVALID_COUNTRYCODE_FORMAT", "'Australia' is not an ISO 3166-1 country code"),
            ("CountryCode", "A1", "INVALID_COUNTRYCODE_FORMAT", "'A1' is not an ISO 3166-1 country code"),
            ("PostalCode", "20", "PARAMETER_TOO_SHORT", "The PostalCode parameter must have at least 3 characters"),
            ("PostalCode", "20000000000000000", "PARAMETER_TOO_LONG", "The PostalCode parameter must have at most 16 characters"),
            ("Line1", long.as_str(), "PARAMETER_TOO_LONG", "The Line1 parameter must have at most 128 characters"),
        ] {
            let mut body = office();
            body[field] = value.into();
            ada.test().post(&addresses(&ada), body).await.assert_fone_error(400, code, message, Some(field));
        }
        let nowhere = "There is no country 'ZZ'";
        ada.test().post(&addresses(&ada), plain("Nowhere", "ZZ")).await.assert_fone_error(400, "COUNTRY_NOT_FOUND", nowhere, None);
        let list = addresses(&ada);
        ada.test().get(&format!("{list}?CountryCode=ZZ")).await.assert_fone_error(400, "COUNTRY_NOT_FOUND", nowhere, None);
        ada.test().get(&format!("{list}?CountryCode=Z")).await
            .assert_fone_error(400, "INVALID_COUNTRYCODE_FORMAT", "'Z' is not an ISO 3166-1 country code", Some("CountryCode"));
        create(&ada, plain("McMurdo", "AQ")).await;
    }

    async fn somebody_elses_does_not_exist(server: Server) {
        let (ada, bob) = (server.account("Ada").await, server.account("Bob").await);
        let mine = create(&ada, office()).await;
        let message = format!("The address '{mine}' was not found");
        for client in [bob.test(), ada.live()] {
            let path = format!("{BASE}/Addresses/{mine}");
            client.get(&path).await.assert_fone_error(400, "ADDRESS_NOT_FOUND", &message, None);
            client.delete(&path).await.assert_fone_error(400, "ADDRESS_NOT_FOUND", &message, None);
        }
        let sid = account_sid(ada.account);
        let message = format!("The account '{sid}' was not found");
        bob.test().get(&addresses(&ada)).await.assert_fone_error(400, "ACCOUNT_NOT_FOUND", &message, None);
        bob.test().post(&addresses(&ada), office()).await.assert_fone_error(400, "ACCOUNT_NOT_FOUND", &message, None);
    }

    async fn scopes_guard_them(server: Server) {
        let ada = server.account("Ada").await;
        let mine = create(&ada, office()).await;
        let message = "You do not have permission to access this resource";
        let powerless = ada.test_with(&[Scope::Verify]).await;
        let reader = ada.test_with(&[Scope::NumbersRead]).await;
        let path = format!("{BASE}/Addresses/{mine}");
        powerless.get(&path).await.assert_fone_error(403, "FORBIDDEN", message, None);
        powerless.get(&addresses(&ada)).await.assert_fone_error(403, "FORBIDDEN", message, None);
        reader.get(&path).await.assert_status(200);
        reader.delete(&path).await.assert_fone_error(403, "FORBIDDEN", message, None);
        reader.post(&addresses(&ada), office()).await.assert_fone_error(403, "FORBIDDEN", message, None);
    }

    async fn a_repetition_writes_none_twice(server: Server) {
        let ada = server.account("Ada").await;
        let client = ada.test().idempotency("one");
        let first = client.post(&addresses(&ada), office()).await;
        client.post(&addresses(&ada), office()).await.assert_replay_of(&first);
        assert_eq!(ada.test().get(&addresses(&ada)).await.body["TotalCount"], 1);
    }
}
