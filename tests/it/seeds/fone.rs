//! Every code of Fone Dynamics' page of errors.

use http::Method;
use serde_json::{Value, json};
use tandem_domain::sid::account_sid;
use tandem_kernel::{Environment::Test, Scope};
use tandem_testkit::{Answer, Server, Stage};

use super::book::{Book, Shows, fone, fone_status};
use crate::fone::{BASE, available::shelf, first_project};

/// A story, how it is told, and what it is an example of.
type Scenes<'a> = &'a [(&'static str, Method, String, Value, &'a [Shows])];

async fn tell(client: &tandem_testkit::Client, book: &Book, scenes: Scenes<'_>) {
    for (story, method, path, body, shows) in scenes {
        let bytes = (!body.is_null()).then(|| body.to_string().into_bytes());
        book.show(story, &client.send(method.clone(), path, bytes).await, shows);
    }
}

fn sid(made: &Answer, pointer: &str) -> String {
    let found = made.assert_status(200).body.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no {pointer}{made}")).to_owned()
}

/// What is not there, not known, or not as it should be.
pub async fn requests(stage: Stage, book: Book) {
    let server = stage.offers(shelf).start().await;
    let ada = server.account("Ada").await;
    let (account, project) = (account_sid(ada.account), first_project(&ada));
    let (numbers, countries) = (format!("{BASE}/Properties/{project}/Numbers"), format!("{BASE}/Countries"));
    let login = json!({ "Email": "a@example.com", "Password": "short", "FirstName": "A", "LastName": "B", "Scopes": "Manage" });
    let address = json!({ "Line1": "1 Main St", "City": "Sydney", "CountryCode": "Australia" });
    ada.test().post(&numbers, json!({ "Number": "+14155550100" })).await.assert_status(200);
    let own = format!("{BASE}/Numbers/14155550100");
    tell(
        &ada.test(),
        &book,
        &[
            (
                "A project without anything.",
                Method::POST,
                format!("{BASE}/Properties"),
                json!({}),
                &[fone("PARAMETER_REQUIRED"), fone_status(400)],
            ),
            (
                "A page of no projects.",
                Method::GET,
                format!("{BASE}/Properties?Results_Count=0"),
                Value::Null,
                &[fone("PARAMETER_INVALID")],
            ),
            (
                "A password of five letters.",
                Method::POST,
                format!("{BASE}/Properties/{project}/OnlineLogins"),
                login,
                &[fone("PARAMETER_TOO_SHORT")],
            ),
            (
                "A name of 129 letters.",
                Method::POST,
                format!("{BASE}/Properties"),
                json!({ "Name": "x".repeat(129), "MainDomain": "www.example.com", "TimeZone": "UTC" }),
                &[fone("PARAMETER_TOO_LONG")],
            ),
            (
                "A configuration that changes nothing.",
                Method::POST,
                own.clone(),
                json!({}),
                &[fone("ONE_OF_SEVERAL_PARAMETERS_REQUIRED")],
            ),
            (
                "An address that never was.",
                Method::GET,
                format!("{BASE}/Addresses/D123"),
                Value::Null,
                &[fone("ADDRESS_NOT_FOUND")],
            ),
            (
                "A number that somebody else may have.",
                Method::GET,
                format!("{BASE}/Numbers/14155550199"),
                Value::Null,
                &[fone("NUMBER_NOT_FOUND")],
            ),
            (
                "No city has this name.",
                Method::GET,
                format!("{countries}/US/AvailableNumbers?City=Atlantis"),
                Value::Null,
                &[fone("LOCATION_NOT_FOUND")],
            ),
            (
                "No country has this code.",
                Method::GET,
                format!("{countries}/ZZ/AvailableNumbers"),
                Value::Null,
                &[fone("COUNTRY_NOT_FOUND")],
            ),
            (
                "France exists, and no number of it is offered.",
                Method::GET,
                format!("{countries}/FR/AvailableNumbers"),
                Value::Null,
                &[fone("COUNTRY_UNAVAILABLE")],
            ),
            (
                "A project that never was.",
                Method::GET,
                format!("{BASE}/Properties/S123"),
                Value::Null,
                &[fone("PROPERTY_NOT_FOUND")],
            ),
            (
                "Another account's sid.",
                Method::GET,
                format!("{BASE}/Accounts/A123/Numbers"),
                Value::Null,
                &[fone("ACCOUNT_NOT_FOUND")],
            ),
            ("A call that never was.", Method::GET, format!("{BASE}/Calls/C123"), Value::Null, &[fone("CALL_NOT_FOUND")]),
            (
                "Calls cannot be beamed.",
                Method::POST,
                own.clone(),
                json!({ "RoutingMethod": "Teleport" }),
                &[fone("UNKNOWN_ROUTING_METHOD")],
            ),
            (
                "Calls are recorded or not.",
                Method::POST,
                own.clone(),
                json!({ "Recording": "Sometimes" }),
                &[fone("UNKNOWN_RECORDING_OPTION")],
            ),
            (
                "No number can smell.",
                Method::GET,
                format!("{numbers}?Capabilities=Smell"),
                Value::Null,
                &[fone("UNKNOWN_CAPABILITY")],
            ),
            (
                "No call ends so.",
                Method::GET,
                format!("{BASE}/Accounts/{account}/Calls?Disposition=Nonsense"),
                Value::Null,
                &[fone("UNKNOWN_DISPOSITION")],
            ),
            (
                "No number is of this type.",
                Method::GET,
                format!("{numbers}?Type=Imaginary"),
                Value::Null,
                &[fone("UNKNOWN_NUMBERTYPE")],
            ),
            (
                "The number is written as people write it at home.",
                Method::POST,
                numbers.clone(),
                json!({ "Number": "0412 345 678" }),
                &[fone("INVALID_PHONENUMBER_FORMAT")],
            ),
            (
                "The country is written in full.",
                Method::POST,
                format!("{BASE}/Accounts/{account}/Addresses"),
                address,
                &[fone("INVALID_COUNTRYCODE_FORMAT")],
            ),
        ],
    )
    .await;
}

/// Who is not let in, and what would be an invalid state.
pub async fn states(stage: Stage, book: Book) {
    let server = stage.offers(shelf).start().await;
    let ada = server.account("Ada").await;
    let project = first_project(&ada);
    book.show("The request has no credential.", &server.client().get(&format!("{BASE}/Properties")).await, &[fone_status(401)]);
    let reader = ada.test_with(&[Scope::NumbersRead]).await;
    let refused = reader.get(&format!("{BASE}/Properties")).await;
    book.show("The credential has the scope for numbers only.", &refused, &[fone("FORBIDDEN"), fone_status(403)]);
    let made = json!({ "Name": "Shop", "MainDomain": "www.example.com", "TimeZone": "UTC" });
    let other = sid(&ada.test().post(&format!("{BASE}/Properties"), made).await, "/Property/PropertySid");
    ada.test().post(&format!("{BASE}/Properties/{project}/Numbers"), json!({ "Number": "+14155550100" })).await.assert_status(200);
    let again = ada.test().post(&format!("{BASE}/Properties/{other}/Numbers"), json!({ "Number": "+14155550100" })).await;
    let shows = [fone("NUMBER_BELONGS_TO_DIFFERENT_PROPERTY")];
    book.show("The number is bought for one project and asked for by another.", &again, &shows);
    let address = json!({ "Line1": "1 George St", "City": "Sydney", "Region": "NSW", "CountryCode": "AU" });
    let addresses = format!("{BASE}/Accounts/{}/Addresses", account_sid(ada.account));
    let address = sid(&ada.test().post(&addresses, address).await, "/Address/AddressSid");
    ada.test().post(&format!("{BASE}/Properties/{project}/Numbers"), json!({ "Number": "+61292000100" })).await.assert_status(200);
    let kept = ada.test().delete(&format!("{BASE}/Addresses/{address}")).await;
    book.show("A number of Sydney is registered with the address.", &kept, &[fone("ADDRESS_CANNOT_BE_DELETED")]);
}

/// An error on the server.
pub async fn internal(server: Server, book: Book) {
    let ada = server.account("Ada").await;
    ada.limit(Test, tandem_domain::environment::RateLimit::default()).await;
    server.database().tamper("ALTER TABLE properties RENAME TO misplaced");
    let answer = ada.test().get(&format!("{BASE}/Properties")).await;
    book.show("Somebody renamed a table of the database.", &answer, &[fone_status(500)]);
    server.database().tamper("ALTER TABLE misplaced RENAME TO properties");
}
