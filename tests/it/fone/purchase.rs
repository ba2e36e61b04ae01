//! Buying numbers.

use serde_json::{Value, json};
use tandem_domain::sid::account_sid;
use tandem_kernel::{Environment::Test, Scope};
use tandem_testkit::{Answer, Persona, Server, Stage, on_both};

use super::{BASE, available::shelf, first_project};

const SYDNEY: &str = "+61292000100";

pub async fn project(persona: &Persona, name: &str) -> String {
    let body = json!({ "Name": name, "MainDomain": "www.example.com", "TimeZone": "UTC" });
    let made = persona.test().post(&format!("{BASE}/Properties"), body).await;
    made.assert_status(200).body["Property"]["PropertySid"].as_str().expect("a sid").to_owned()
}

pub async fn address(persona: &Persona, region: &str, country: &str) -> String {
    let path = format!("{BASE}/Accounts/{}/Addresses", account_sid(persona.account));
    let made =
        persona.test().post(&path, json!({ "Line1": "1 Main St", "City": "Town", "Region": region, "CountryCode": country })).await;
    made.assert_status(200).body["Address"]["AddressSid"].as_str().expect("a sid").to_owned()
}

pub async fn buy(persona: &Persona, project: &str, body: Value) -> Answer {
    persona.test().post(&format!("{BASE}/Properties/{project}/Numbers"), body).await
}

async fn shown(persona: &Persona, number: &str) -> Value {
    let path = format!("{BASE}/Numbers/{}", number.trim_start_matches('+'));
    persona.test().get(&path).await.assert_status(200).body["Number"].clone()
}

fn status(number: &Value) -> (&str, Option<&str>) {
    (number["Status"].as_str().expect("a status"), number["AddressSid"].as_str())
}

/// The events of a number, oldest first.
async fn events(persona: &Persona, number: &str) -> Vec<String> {
    let listed = persona.test().get("/audian/v2/numbers?limit=100").await;
    let own = listed.data()["numbers"].as_array().unwrap().iter().find(|one| one["number"] == number).expect("it is listed");
    let events = persona.test().get(&format!("/v1/events/{}", own["id"].as_str().unwrap())).await;
    let mut kinds: Vec<String> = events.assert_status(200).body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["kind"].as_str().unwrap().to_owned())
        .collect();
    kinds.sort();
    kinds
}

on_both! {
    async fn a_number_is_bought_for_a_project(server: Server) {
        let ada = server.account("Ada").await;
        let shop = project(&ada, "Shop").await;
        let bought = buy(&ada, &shop, json!({ "Number": "+14155550100" })).await;
        bought.assert(200, &json!({ "Number": "+14155550100", "Status": "Active" }));
        let number = shown(&ada, "+14155550100").await;
        assert_eq!((number["PropertySid"].as_str(), number["AddressRequirement"].as_str()), (Some(shop.as_str()), Some("None")));
        // What the other dialects sell belongs to the project that is there from the start.
        ada.test().post("/audian/v2/numbers/purchase", json!({ "number": "+14155550101" })).await.assert_status(201);
        assert_eq!(shown(&ada, "+14155550101").await["PropertySid"], first_project(&ada));
        let listed = ada.test().get("/audian/v2/numbers").await;
        assert_eq!(listed.data()["total"], 2);
        assert_eq!(ada.charges(Test).await.len(), 2);
        // So it is with a number that a carrier is asked for.
        buy(&ada, &shop, json!({ "Number": "+13105550100" })).await.assert(200, &json!({ "Number": "+13105550100", "Status": "Active" }));
        assert_eq!(shown(&ada, "+13105550100").await["PropertySid"], shop);
    }

    async fn a_number_waits_for_an_address_that_suits(stage: Stage) {
        let server = stage.offers(shelf).start().await;
        let ada = server.account("Ada").await;
        let first = first_project(&ada);
        address(&ada, "VIC", "AU").await;
        address(&ada, "NSW", "US").await;
        let pending = |number: &str| json!({ "Number": number, "Status": "Pending" });
        buy(&ada, &first, json!({ "Number": SYDNEY })).await.assert(200, &pending(SYDNEY));
        ada.test().post("/audian/v2/numbers/purchase", json!({ "number": "+61292000101" })).await.assert_status(201);
        buy(&ada, &first, json!({ "Number": "+61892000100" })).await.assert(200, &pending("+61892000100"));
        for number in [SYDNEY, "+61292000101", "+61892000100"] {
            assert_eq!(status(&shown(&ada, number).await), ("Pending", None), "{number}");
        }
        assert_eq!(ada.charges(Test).await.len(), 3);
        let office = address(&ada, "New South Wales", "AU").await;
        for number in [SYDNEY, "+61292000101"] {
            assert_eq!(status(&shown(&ada, number).await), ("Active", Some(office.as_str())), "{number}");
            assert_eq!(events(&ada, number).await, ["number.activated", "number.purchased"]);
        }
        assert_eq!(status(&shown(&ada, "+61892000100").await), ("Pending", None));
        assert_eq!(events(&ada, "+61892000100").await, ["number.purchased"]);
    }

    async fn the_first_address_that_suits_is_chosen_or_the_one_that_is_named(stage: Stage) {
        let server = stage.offers(shelf).start().await;
        let ada = server.account("Ada").await;
        let first = first_project(&ada);
        let (victoria, sydney) = (address(&ada, "VIC", "AU").await, address(&ada, "NSW", "AU").await);
        let later = address(&ada, "nsw", "AU").await;
        let active = |number: &str| json!({ "Number": number, "Status": "Active" });
        buy(&ada, &first, json!({ "Number": SYDNEY })).await.assert(200, &active(SYDNEY));
        assert_eq!(status(&shown(&ada, SYDNEY).await), ("Active", Some(sydney.as_str())));
        let named = json!({ "Number": "+61292000101", "AddressSid": later });
        buy(&ada, &first, named).await.assert(200, &active("+61292000101"));
        assert_eq!(status(&shown(&ada, "+61292000101").await), ("Active", Some(later.as_str())));
        // Melbourne's number wants an address anywhere in the country.
        buy(&ada, &first, json!({ "Number": "+61392000100", "AddressSid": "" })).await.assert(200, &active("+61392000100"));
        assert_eq!(status(&shown(&ada, "+61392000100").await), ("Active", Some(victoria.as_str())));
        // One that needs none may be given any.
        let abroad = json!({ "Number": "+14155550100", "AddressSid": sydney });
        buy(&ada, &first, abroad).await.assert(200, &active("+14155550100"));
        assert_eq!(status(&shown(&ada, "+14155550100").await), ("Active", Some(sydney.as_str())));
        let unsuitable = json!({ "Number": "+61292000102", "AddressSid": victoria });
        let message =
            format!("The AddressSid parameter names the address '{victoria}', which does not suit +61292000102: it needs one in AU-NSW");
        buy(&ada, &first, unsuitable).await.assert_fone_error(400, "PARAMETER_INVALID", &message, Some("AddressSid"));
        let message = format!("The address '{sydney}' is linked to 2 numbers and cannot be deleted");
        ada.test().delete(&format!("{BASE}/Addresses/{sydney}")).await.assert_fone_error(403, "ADDRESS_CANNOT_BE_DELETED", &message, None);
        for number in ["61292000100", "14155550100"] {
            ada.test().delete(&format!("{BASE}/Numbers/{number}")).await.assert_status(200);
        }
        ada.test().delete(&format!("{BASE}/Addresses/{sydney}")).await.assert(200, &json!({ "AddressSid": sydney }));
    }

    async fn what_cannot_be_bought_is_told_why(server: Server) {
        let (ada, bob) = (server.account("Ada").await, server.account("Bob").await);
        let (first, shop) = (first_project(&ada), project(&ada, "Shop").await);
        buy(&ada, &shop, json!({ "Number": "+14155550100" })).await.assert_status(200);
        let again = json!({ "Number": "+14155550100" });
        buy(&ada, &shop, again.clone()).await
            .assert_fone_error(403, "ALREADY_EXISTS", "This phone number is already in your account", None);
        buy(&ada, &first, again.clone()).await
            .assert_fone_error(403, "NUMBER_BELONGS_TO_DIFFERENT_PROPERTY", "+14155550100 belongs to a different property", None);
        buy(&bob, &first_project(&bob), again).await
            .assert_fone_error(400, "NUMBER_NOT_FOUND", "The number +14155550100 is not available", None);
        for (body, code, message, field) in [
            (json!({}), "PARAMETER_REQUIRED", "The 'Number' parameter is required", Some("Number")),
            (json!({ "Number": "12" }), "INVALID_PHONENUMBER_FORMAT", "'12' is not a phone number in E.164 format (+61412345678)", Some("Number")),
            (json!({ "Number": "+10005551234" }), "INVALID_PHONENUMBER_FORMAT",
                "The phone number +10005551234 is not a valid number of its country", Some("Number")),
            (json!({ "Number": "+14155551234" }), "NUMBER_NOT_FOUND", "The number +14155551234 is not available", None),
            (json!({ "Number": "+16282000060" }), "NUMBER_NOT_FOUND", "The number +16282000060 is not available", None),
            (json!({ "Number": "+14155550101", "AddressSid": "D1" }), "ADDRESS_NOT_FOUND", "The address 'D1' was not found", None),
        ] {
            buy(&ada, &shop, body).await.assert_fone_error(400, code, message, field);
        }
        let french = json!({ "Number": "+33123456789" });
        buy(&ada, &shop, french).await.assert_fone_error(403, "COUNTRY_UNAVAILABLE", "The country FR is not available", None);
        let body = json!({ "Number": "+14155550101" });
        let patch = ada.test().header("content-type", "application/merge-patch+json");
        for (active, status) in [(false, 403), (true, 200)] {
            let change = json!({ "Active": active }).to_string().into_bytes();
            patch.send(http::Method::PATCH, &format!("{BASE}/Properties/{shop}"), Some(change)).await.assert_status(204);
            let answer = buy(&ada, &shop, json!({ "Number": "+14155550109" })).await;
            assert_eq!(answer.status, status, "{answer}");
            if !active {
                answer.assert_fone_error(403, "FORBIDDEN", "The property 'Shop' is not active", None);
            }
        }
        buy(&ada, "S1", body.clone()).await.assert_fone_error(400, "PROPERTY_NOT_FOUND", "The property 'S1' was not found", None);
        let message = format!("The property '{shop}' was not found");
        buy(&bob, &shop, body.clone()).await.assert_fone_error(400, "PROPERTY_NOT_FOUND", &message, None);
        let his = address(&bob, "CA", "US").await;
        let foreign = json!({ "Number": "+14155550101", "AddressSid": his });
        let message = format!("The address '{his}' was not found");
        buy(&ada, &shop, foreign).await.assert_fone_error(400, "ADDRESS_NOT_FOUND", &message, None);
        let reader = ada.test_with(&[Scope::NumbersRead]).await;
        let forbidden = "You do not have permission to access this resource";
        reader.post(&format!("{BASE}/Properties/{shop}/Numbers"), body.clone()).await.assert_fone_error(403, "FORBIDDEN", forbidden, None);
        reader.post(&format!("{BASE}/Properties/S1/Numbers"), body.clone()).await
            .assert_fone_error(400, "PROPERTY_NOT_FOUND", "The property 'S1' was not found", None);
        ada.purse(Test, 0).await;
        let poor = buy(&ada, &shop, body).await;
        assert_eq!(poor.assert_status(403).body["ResponseStatus"]["ErrorCode"], "INSUFFICIENT_FUNDS");
    }

    async fn a_repetition_buys_once(server: Server) {
        let ada = server.account("Ada").await;
        let path = format!("{BASE}/Properties/{}/Numbers", project(&ada, "Shop").await);
        let client = ada.test().idempotency("once");
        let first = client.post(&path, json!({ "Number": "+13105550101" })).await;
        client.post(&path, json!({ "Number": "+13105550101" })).await.assert_replay_of(&first);
        assert_eq!(server.upstream().times_asked(), 1);
    }
}
