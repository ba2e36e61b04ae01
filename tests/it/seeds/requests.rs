//! Requests that are refused for what they are: their credential, their form, their number, what they name.

use http::Method;
use serde_json::json;
use tandem_domain::environment::RateLimit;
use tandem_kernel::{Environment::Test, KeyKind, Scope, SeededRng};
use tandem_testkit::Server;

use super::{
    LIST, PURCHASE, SEARCH,
    book::{Book, Shows::Sharper, code, status},
};
use crate::examples::{by_code, by_status};

/// Who is not let in.
pub async fn credentials(server: Server, book: Book) {
    let ada = server.account("Ada").await;
    let missing = server.client().get(LIST).await;
    let shows = [code("missing_authentication", "Authorization header is missing"), status(401, "Missing API key")];
    book.show("The request has neither `X-Auth-Token` nor `Authorization`.", &missing, &shows);
    let empty = server.client().header("x-auth-token", "").get(LIST).await;
    book.show("The header is there and empty.", &empty, &[code("missing_authentication", "No API key provided")]);

    let basic = server.client().header("authorization", "Basic YWRhOnNlY3JldA==").get(LIST).await;
    let shows =
        [code("invalid_api_key", "API key is missing from the request"), status(401, "Incorrect authorization header format")];
    book.show("There are credentials, but no API key among them.", basic.assert(401, by_code("invalid_api_key")), &shows);
    let malformed = server.client_with("sk_test_nonsense").get(LIST).await;
    book.show("No key has this form.", &malformed, &[code("invalid_api_key", "API key is malformed")]);
    let foreign = tandem_domain::key::KeyText::mint(KeyKind::Secret, Some(Test), &SeededRng::new(7));
    let unknown = server.client_with(foreign.as_str()).get(LIST).await;
    book.show("The key has a key's form, but was never issued.", &unknown, &[status(401, "Invalid API key")]);

    let key = ada.mint(Test, &[Scope::NumbersRead], None).await;
    server.client_with(&key.text).get(LIST).await.assert_status(200);
    ada.revoke(Test, key.id).await;
    let revoked = server.client_with(&key.text).get(LIST).await;
    book.show("The key worked a moment ago and was revoked.", &revoked, &[code("invalid_api_key", "API key has been revoked")]);
    let key = ada.mint(Test, &[Scope::NumbersRead], Some(server.now().plus_seconds(60))).await;
    server.client_with(&key.text).get(LIST).await.assert_status(200);
    server.pass_seconds(60);
    let expired = server.client_with(&key.text).get(LIST).await;
    let shows = [code("invalid_api_key", "API key has expired"), status(401, "Expired API key")];
    book.show("The key was made to expire after a minute, which has passed.", &expired, &shows);
}

/// What is malformed.
pub async fn input(server: Server, book: Book) {
    let ada = server.account("Ada").await;
    let missing = ada.test().post(PURCHASE, json!({})).await;
    missing.assert(400, by_code("missing_required_parameter"));
    let shows = [
        code("missing_required_parameter", "Required parameter was not included in the request"),
        Sharper("invalid_request_error", "Missing required parameters"),
        status(400, "Missing required parameters"),
    ];
    book.show("The body is an empty object.", &missing, &shows);
    let number = ada.test().post(PURCHASE, json!({ "phone_number": 14_155_551_234_u64 })).await;
    let shows = [code("invalid_request_error", "Invalid parameter format"), status(400, "Invalid parameter format")];
    book.show("The number is a JSON number.", number.assert(400, by_code("invalid_request_error")), &shows);
    let object = ada.test().post(PURCHASE, json!({ "phone_number": { "e164": "+14155551234" } })).await;
    let shows = [code("invalid_request_error", "Invalid parameter values")];
    book.show("The number is an object.", object.assert(400, by_status(400)), &shows);
    let cut = ada.test().send(Method::POST, PURCHASE, Some(br#"{"phone_number":"#.to_vec())).await;
    let shows = [code("invalid_request_error", "Malformed JSON request body"), status(400, "Invalid JSON in request body")];
    book.show("The body ends in the middle of the object.", &cut, &shows);

    let range = ada.test().get(&format!("{SEARCH}?limit=101")).await;
    let shows = [code("invalid_parameter", "Parameter value is outside valid range"), status(400, "Invalid query parameters")];
    book.show("A page has at most a hundred numbers.", range.assert(400, by_code("invalid_parameter")), &shows);
    let operation = ada.test().get(&format!("{LIST}?status=submitted")).await;
    let shows = [code("invalid_parameter", "Parameter value is invalid for the operation")];
    book.show("`submitted` is a state of ports; numbers have none of that name.", &operation, &shows);
    let combination = ada.test().get("/audian/v2/billing/usage?start_date=2024-01-31&end_date=2024-01-01").await;
    let shows = [code("invalid_parameter", "Parameter combination is invalid")];
    book.show("The period ends before it begins.", &combination, &shows);
}

/// Numbers and places that are none.
pub async fn numbers_and_places(server: Server, book: Book) {
    let ada = server.account("Ada").await;
    let buy = async |text: &str| ada.test().post(PURCHASE, json!({ "phone_number": text })).await;
    let format = buy("415-555-1234").await;
    format.assert(400, by_code("invalid_phone_number"));
    let shows = [code("invalid_phone_number", "Phone number is not in E.164 format")];
    book.show("The number is written as people write it at home.", &format, &shows);
    let shows = [code("invalid_phone_number", "Phone number contains invalid characters")];
    book.show("The last character is a letter.", &buy("+1415555123O").await, &shows);
    let shows = [code("invalid_phone_number", "Phone number is for an unsupported region")];
    book.show("No numbering plan has an area 000.", &buy("+10005551234").await, &shows);

    let format = ada.test().get(&format!("{SEARCH}?location=California")).await;
    let shows = [code("invalid_location", "Location code is not in the correct format")];
    book.show("A place is given by codes, not by its name.", format.assert(400, by_code("invalid_location")), &shows);
    let unsupported = ada.test().get(&format!("{SEARCH}?location=US-NY-415")).await;
    let shows = [code("invalid_location", "Location is not supported")];
    book.show("The area code 415 lies in another state.", &unsupported, &shows);
}

/// Too much at once, or in a month.
pub async fn limits(server: Server, book: Book) {
    let ada = server.account("Ada").await;
    ada.limit(Test, RateLimit { limit: 1000, period: 60_000, burst: 1, monthly_quota: None }).await;
    ada.test().get(LIST).await.assert_status(200);
    let rate = ada.test().get(LIST).await;
    rate.assert(429, by_code("rate_limit_error")).assert(429, by_status(429));
    rate.assert_header("retry-after", "60").assert_header("x-ratelimit-limit", "1000");
    rate.assert_header("x-ratelimit-remaining", "0").assert_header("x-ratelimit-reset", "1704067260");
    let shows = [code("rate_limit_error", "Request rate exceeds API limits"), status(429, "Too many requests in a short time")];
    book.show("The limit allows one request a minute, and it is 2024-01-01T00:00:00Z.", &rate, &shows);
    let eve = server.account("Eve").await;
    eve.limit(Test, RateLimit { limit: 1000, period: 60, burst: 100, monthly_quota: Some(1) }).await;
    eve.test().get(LIST).await.assert_status(200);
    let quota = eve.test().get(LIST).await;
    let shows = [code("rate_limit_error", "Monthly quota exceeded"), status(429, "Exceeding API quota")];
    book.show("The quota of this month, of a single request, is used up; the next month begins in 31 days.", &quota, &shows);
}

/// What does not exist, for the one who asks.
pub async fn lookups(server: Server, book: Book) {
    let (ada, eve) = (server.account("Ada").await, server.account("Eve").await);
    let invalid = ada.test().get(&format!("{LIST}/num_abc123")).await;
    let shows = [code("not_found_error", "Resource ID is invalid"), status(404, "Invalid resource ID")];
    book.show("Nothing has this id.", invalid.assert(404, by_code("not_found_error")), &shows);

    let bought = ada.test().post(PURCHASE, json!({ "number": "+14155550100" })).await;
    let own = format!("{LIST}/{}", bought.data_text("id"));
    let foreign = eve.test().get(&own).await;
    let shows = [code("not_found_error", "Resource belongs to another account")];
    book.show("The number with this id is another account's.", &foreign, &shows);
    let foreign = eve.test().get(&format!("{LIST}/+14155550100")).await;
    let shows = [status(404, "Resource belongs to another account")];
    book.show("The number is another account's.", foreign.assert(404, by_status(404)), &shows);

    ada.test().delete(&own).await.assert_status(200);
    let shows = [code("not_found_error", "Resource has been deleted"), status(404, "Resource has been deleted")];
    book.show("The number was released a moment ago.", &ada.test().get(&own).await, &shows);
}

/// What the key, the account or the object does not allow.
pub async fn permissions(server: Server, book: Book) {
    let ada = server.account("Ada").await;
    let reader = ada.test_with(&[Scope::NumbersRead]).await;
    let scope = reader.post(PURCHASE, json!({ "number": "+14155550100" })).await;
    let shows = [code("forbidden_error", "The key lacks the scope"), status(403, "Insufficient permissions")];
    book.show("The key may read numbers and nothing else.", scope.assert(403, by_status(403)), &shows);
    let bought = ada.test().post(PURCHASE, json!({ "number": "+14155550100" })).await;
    let porter = ada.test_with(&[Scope::PortsRead]).await;
    let denied = porter.get(&format!("{LIST}/{}", bought.data_text("id"))).await;
    let shows = [status(403, "Resource access denied")];
    book.show("The number is the account's, but the key may read ports and nothing else.", &denied, &shows);

    let port = ada.test().post("/audian/v2/ports", super::port_of("+14152007999")).await;
    let documents = format!("/audian/v2/ports/{}/documents", port.data_text("id"));
    let document = json!({ "type": "bill", "name": "bill.pdf", "content": "JVBERi0xLjQK" });
    for _ in 0..10 {
        ada.test().post(&documents, document.clone()).await.assert_status(201);
    }
    let full = ada.test().post(&documents, document).await;
    let shows = [code("operation_not_allowed", "Operation not available for this resource")];
    book.show("The port has ten documents already.", &full, &shows);

    let suspended = tandem_domain::account::AccountStatus::Suspended;
    ada.change(tandem_app::accounts::ChangeAccount { status: Some(suspended), ..Default::default() }).await;
    let shows = [code("operation_not_allowed", "Insufficient permissions"), status(403, "Account restrictions")];
    book.show("The operator has suspended the account.", &ada.test().get(LIST).await, &shows);
}
