//! Requests that are refused for how things stand: successes first, then conflicts, money, availability, ports and routing.

use serde_json::{Value, json};
use tandem_app::accounts::ChangeAccount;
use tandem_kernel::{Environment, Environment::Test};
use tandem_testkit::{Answer, NOWHERE, Persona, Server, Stage, until};

use super::{
    LIST, PORTS, PURCHASE,
    book::{Book, code, status},
    port_of,
};
use crate::examples::{by_code, by_status};

/// What succeeds: each member of the documentation's example is there, with its value but for the letters of ids.
pub async fn successes(stage: Stage, book: Book) {
    let offers = |kind: Environment| {
        let mut offers = tandem_testkit::shelf(kind);
        offers.push(tandem_testkit::offer(NOWHERE, tandem_testkit::LOCAL, &["voice", "sms"]));
        offers
    };
    let server = stage.dawn("2024-01-01T12:00:00Z").offers(offers).start().await;
    let ada = server.account("Ada").await;
    let bought = ada.test().post(PURCHASE, json!({ "number": NOWHERE })).await;
    assert_like(&bought, by_status(201));
    book.show("The number is for sale.", &bought, &[status(201, "A new resource was created")]);
    let read = ada.test().get(&format!("{LIST}/{}", bought.data_text("id"))).await;
    assert_like(&read, by_status(200));
    book.show("The number is the account's.", &read, &[status(200, "The request was successful")]);
    let ported = ada.test().post(PORTS, port_of("+14152007999")).await;
    assert_like(&ported, by_status(202));
    book.show("Another carrier has the number.", &ported, &[status(202, "The request was accepted for processing")]);
}

fn assert_like(answer: &Answer, example: &Value) {
    let data = answer.data();
    for (name, value) in example["data"].as_object().expect("an object") {
        let like = match value.as_str().filter(|_| name == "id").and_then(|id| id.split_once('_')) {
            Some((prefix, _)) => data[name].as_str().is_some_and(|id| id.starts_with(&format!("{prefix}_"))),
            None => data[name] == *value,
        };
        assert!(like, "{name} is not as in {example}{answer}");
    }
}

/// What is there already, and what is under way.
pub async fn conflicts(server: Server, book: Book) {
    let ada = server.account("Ada").await;
    let body = json!({ "number": "+14155550100" });
    ada.test().post(PURCHASE, body.clone()).await.assert_status(201);
    let again = ada.test().post(PURCHASE, body).await;
    let shows =
        [code("already_exists", "Resource with the same identifier already exists"), status(409, "Resource already exists")];
    book.show("The account has bought the number before.", again.assert(409, by_code("already_exists")), &shows);
    let duplicate = ada.test().post(PORTS, port_of("+14155550100")).await;
    let shows = [code("already_exists", "Attempting to create a duplicate resource")];
    book.show("The number to port is in the account already.", &duplicate, &shows);

    slow_purchase(&server, &ada, &book).await;

    server.upstream().think();
    let client = ada.test().idempotency("9f1c5c8e-1");
    let buyer = client.clone();
    let first = tokio::spawn(async move { buyer.post(PURCHASE, json!({ "number": "+13105550100" })).await });
    until("the carrier is asked", || async { (server.upstream().times_asked() == 1).then_some(()) }).await;
    let meanwhile = client.post(PURCHASE, json!({ "number": "+13105550100" })).await;
    let shows = [code("conflict_error", "The same request is being processed already"), status(409, "Duplicate request")];
    book.show("The carrier is still thinking about the same request, which has the same `Idempotency-Key`.", &meanwhile, &shows);
    server.upstream().answer();
    first.await.expect("an answer").assert_status(201);
    let reused = client.post(PURCHASE, json!({ "number": "+13105550101" })).await;
    let shows = [code("validation_error", "An Idempotency-Key was used before with another request")];
    book.show("The `Idempotency-Key` was used to buy another number.", &reused, &shows);
}

/// A purchase while the same account's purchase of the number is at a slow carrier.
async fn slow_purchase(server: &Server, ada: &Persona, book: &Book) {
    let buyer = ada.test();
    let first = tokio::spawn(async move { buyer.post(PURCHASE, json!({ "number": "+16282000040" })).await });
    let ordered = || async { (server.count("SELECT COUNT(*) FROM orders").await == 1).then_some(()) };
    until("the number is ordered", ordered).await;
    let meanwhile = ada.test().post(PURCHASE, json!({ "number": "+16282000040" })).await;
    meanwhile.assert(409, by_status(409));
    let shows = [code("conflict_error", "A purchase of the number by this account is under way")];
    book.show("The same account's first purchase is at its carrier, which takes two seconds to answer.", &meanwhile, &shows);
    first.await.expect("an answer").assert_status(201);
}

/// Ports and numbers that do not allow a change now.
pub async fn transitions(server: Server, book: Book) {
    let ada = server.account("Ada").await;
    let port = ada.test().post(PORTS, port_of("+16282010010")).await;
    let config = format!("{LIST}/{}/config", port.data_text("number_id"));
    let porting = ada.test().put(&config, json!({ "friendly_name": "Front desk" })).await;
    porting.assert(409, by_code("resource_conflict"));
    let shows = [code("resource_conflict", "Conflicting operations")];
    book.show("The number is on its way here and was not yet let go by its carrier.", &porting, &shows);
    ada.advance(5 * 86_400).await;
    let completed = ada.test().delete(&format!("{PORTS}/{}", port.data_text("id"))).await;
    let shows = [code("resource_conflict", "Invalid state transition"), status(409, "Invalid state transition")];
    book.show("Five days later the port is completed and cannot be called off any more.", &completed, &shows);

    let port = ada.test().post(PORTS, port_of("+16282010011")).await;
    let path = format!("{PORTS}/{}", port.data_text("id"));
    let (one, other) = (ada.test(), ada.test());
    let (one, other) = tokio::join!(one.delete(&path), other.delete(&path));
    let (done, refused) = if one.status == 200 { (one, other) } else { (other, one) };
    done.assert_status(200);
    // Which of the two is refused is chance, and with it what it is told of its limit.
    let repeated = ada.test().delete(&path).await;
    assert_eq!(refused.assert_status(409).text(), repeated.text());
    let shows = [code("resource_conflict", "Concurrent modification")];
    book.show(
        "Two requests call the port off at the same time. One is answered 200; the other, and every later one, so:",
        &repeated,
        &shows,
    );
}

/// Money that is not there.
pub async fn funds(server: Server, book: Book) {
    let ada = server.account("Ada").await;
    ada.purse(Test, 500_000).await;
    let purchase = ada.test().post(PURCHASE, json!({ "number": "+14155550100" })).await;
    let shows = [code("insufficient_funds", "Account balance is too low"), status(402, "Insufficient account balance")];
    book.show("The wallet has 0.50, and the number costs 0.99.", purchase.assert(402, by_code("insufficient_funds")), &shows);

    let eve = server.account("Eve").await;
    eve.credit(Test, -100_000_000).await;
    let port = eve.test().post(PORTS, port_of("+14152007999")).await;
    let shows = [code("insufficient_funds", "Payment method failed"), status(402, "Credit card declined")];
    book.show(
        "The payment into the wallet was called back, and the operator took it out again.",
        port.assert(402, by_status(402)),
        &shows,
    );

    let bob = server.account("Bob").await;
    bob.test().post(PURCHASE, json!({ "number": "+14155550101" })).await.assert_status(201);
    bob.purse(Test, 500_000).await;
    bob.advance(31 * 86_400).await;
    let listed = bob.test().get(LIST).await;
    assert_eq!(listed.data()["numbers"][0]["status"], "suspended");
    let expired = bob.test().post(PURCHASE, json!({ "number": "+14155550102" })).await;
    let shows = [code("insufficient_funds", "Subscription expired"), status(402, "Subscription expired")];
    book.show("The wallet has 0.50. The month of a number that the account has is over, its renewal could not be paid, and the number is suspended; nor is there money for another one.", &expired, &shows);
}

/// Numbers that cannot be had.
pub async fn availability(server: Server, book: Book) {
    let (ada, eve) = (server.account("Ada").await, server.account("Eve").await);
    eve.test().post(PURCHASE, json!({ "number": "+14155550100" })).await.assert_status(201);
    let taken = ada.test().post(PURCHASE, json!({ "number": "+14155550100" })).await;
    let shows = [code("number_not_available", "Number has been purchased by another user")];
    book.show("Another account has bought the number.", &taken, &shows);
    let nowhere = ada.test().post(PURCHASE, json!({ "number": NOWHERE })).await;
    let shows = [code("number_not_available", "Number is no longer available")];
    book.show("The number is in no inventory.", nowhere.assert(422, by_code("number_not_available")), &shows);
    let gone = ada.test().post(PURCHASE, json!({ "number": "+16282000050" })).await;
    book.show("The carrier sold the number to somebody else a moment ago.", &gone, &shows);
    let reserved = ada.test().post(PURCHASE, json!({ "number": "+16282000060" })).await;
    book.show("The inventory has the number set aside.", &reserved, &[code("number_not_available", "Number is reserved")]);
}

/// Numbers that cannot be ported.
pub async fn ports(server: Server, book: Book) {
    let ada = server.account("Ada").await;
    let port = async |number: &str| ada.test().post(PORTS, port_of(number)).await;
    let ineligible = port("+16282010070").await;
    let shows = [code("cannot_port_number", "Number is not eligible for porting")];
    book.show("The losing carrier does not let the number go.", ineligible.assert(422, by_code("cannot_port_number")), &shows);
    let shows = [code("cannot_port_number", "Number is from an unsupported carrier")];
    book.show("The number is with a carrier that ports cannot come from.", &port("+16282010080").await, &shows);
    port("+16282010010").await.assert_status(202);
    let shows = [code("cannot_port_number", "Number already pending port"), status(422, "Invalid resource state")];
    book.show("A port of the number is under way.", &port("+16282010010").await, &shows);
    let own = port("+14155550100").await;
    let shows = [
        code("validation_error", "The number to port is in the platform's own inventory"),
        status(422, "Business logic validation failure"),
    ];
    book.show("The number can be bought here: there is nothing to port.", own.assert(422, by_status(422)), &shows);
    ada.change(ChangeAccount { verified: Some(false), ..ChangeAccount::default() }).await;
    let shows = [code("cannot_port_number", "Account verification incomplete")];
    book.show("The operator has not verified the account.", &port("+16282010011").await, &shows);
}

/// Routes that lead nowhere.
pub async fn routing(server: Server, book: Book) {
    let ada = server.account("Ada").await;
    ada.test().post(PURCHASE, json!({ "number": "+14155550100" })).await.assert_status(201);
    let config = async |body: Value| ada.test().put(&format!("{LIST}/+14155550100/config"), body).await;
    let invalid = config(json!({ "call_forwarding": { "enabled": true, "forwardTo": "12" } })).await;
    invalid.assert(422, by_code("invalid_routing_configuration"));
    let shows =
        [code("invalid_routing_configuration", "Destination number is invalid"), status(422, "Semantic errors in the request")];
    book.show("The target is no phone number.", &invalid, &shows);
    let unreachable = config(json!({ "call_forwarding": { "enabled": true, "forward_to": "+882161234567" } })).await;
    let shows = [code("invalid_routing_configuration", "Call forwarding target is unreachable")];
    book.show("No trunk carries calls to satellite phones.", &unreachable, &shows);
    let conference = config(json!({ "conference": { "conference_id": "conf_abc123" } })).await;
    let shows = [code("invalid_routing_configuration", "Conference settings are invalid")];
    book.show("There is no conference with this id.", &conference, &shows);
}

/// What an account or a number cannot do.
pub async fn features(server: Server, book: Book) {
    let ada = server.account("Ada").await;
    ada.test().post(PURCHASE, json!({ "number": "+14155550100" })).await.assert_status(201);
    let body = json!({ "from": "+14155550100", "to": "+14155550199", "media_urls": ["https://example.com/menu.jpg"] });
    let picture = ada.test().post("/audian/v2/messages", body).await;
    let shows = [code("operation_not_allowed", "Feature not enabled on account")];
    book.show("The operator has not enabled MMS for the account.", picture.assert(403, by_code("operation_not_allowed")), &shows);
}
