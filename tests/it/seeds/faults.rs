//! Faults of the parts behind the server: the database, the carriers, the machine.

use serde_json::json;
use tandem_testkit::{Server, Stage, WriteLock, carrier::Trouble, until};

use super::{
    LIST, PORTS, PURCHASE,
    book::{Book, code, status},
    port_of,
};
use crate::examples::{by_code, by_status};

/// What nobody foresaw.
pub async fn internal(server: Server, book: Book) {
    let ada = server.account("Ada").await;
    ada.test().post(PURCHASE, json!({ "number": "+14155550100" })).await.assert_status(201);

    server.database().tamper("ALTER TABLE numbers RENAME TO numbers_away");
    let broken = ada.test().get(LIST).await;
    server.database().tamper("ALTER TABLE numbers_away RENAME TO numbers");
    let shows = [
        code("internal_server_error", "Database error"),
        status(500, "Database error"),
        status(500, "Temporary service disruption"),
    ];
    book.show("Somebody has renamed a table in the database; it works again when it has its name back.", &broken, &shows);
    broken.assert(500, by_code("internal_server_error")).assert(500, by_status(500));
    ada.test().get(LIST).await.assert_status(200);

    server.database().tamper("UPDATE numbers SET state = 'nonsense'");
    let unreadable = ada.test().get(LIST).await;
    server.database().tamper("UPDATE numbers SET state = 'active'");
    unreadable.assert(500, by_status(500));
    let shows = [code("internal_server_error", "Unexpected server-side error")];
    book.show("A row in the database means nothing to the server.", &unreadable, &shows);

    server.upstream().trouble(Trouble::Panic);
    let panicked = ada.test().post(PURCHASE, json!({ "number": "+13105550100" })).await;
    server.upstream().trouble(Trouble::None);
    let shows = [code("internal_server_error", "Third-party service failure"), status(500, "Server-side bug")];
    book.show("The adapter of a carrier panics over what that carrier does.", panicked.assert(500, by_status(500)), &shows);
}

/// Carriers whose answers make no sense.
pub async fn gateway(server: Server, book: Book) {
    let ada = server.account("Ada").await;
    let order = ada.test().post(PURCHASE, json!({ "number": "+16282000020" })).await;
    let shows = [code("bad_gateway_error", "A carrier's answer cannot be understood"), status(502, "Upstream service failure")];
    book.show("The carrier answers nonsense to the order.", &order, &shows);
    let lost = ada.test().post(PURCHASE, json!({ "number": "+16282000030" })).await;
    let shows = [status(502, "Network connectivity issue")];
    book.show("The carrier took the order, but its answer was garbled on the way. A minute later it is asked again, and the number is the account's.", &lost, &shows);
    let port = ada.test().post(PORTS, port_of("+16282010110")).await;
    let shows = [status(502, "Service misconfiguration")];
    book.show("Whatever answers questions about ports at the carrier's address is not what it should be.", &port, &shows);
}

/// Parts that are down.
pub async fn outage(stage: Stage, book: Book) {
    let server = stage.config(|config| config.store.patience_seconds = 1).start().await;
    let ada = server.account("Ada").await;
    let down = ada.test().post(PURCHASE, json!({ "number": "+16282000010" })).await;
    down.assert(503, by_code("service_unavailable_error"));
    let shows = [code("service_unavailable_error", "Temporary outage"), status(503, "Temporary service outage")];
    book.show("The carrier refuses the connection. Nothing is charged.", &down, &shows);
    let lock = WriteLock::take(server.database());
    let maintenance = ada.test().post(PURCHASE, json!({ "number": "+14155550100" })).await;
    drop(lock);
    maintenance.assert(503, by_code("service_unavailable_error"));
    let shows = [code("service_unavailable_error", "Server maintenance"), status(503, "Server maintenance")];
    book.show("An operator is at work on the database and has it locked against writing.", &maintenance, &shows);
    let works = || async { (ada.test().post(PURCHASE, json!({ "number": "+14155550101" })).await.status == 201).then_some(()) };
    until("the database takes writes again", works).await;
}

/// More at once than the machine takes.
pub async fn overload(stage: Stage, book: Book) {
    let server = stage.config(|config| config.limits.requests = 1).start().await;
    let ada = server.account("Ada").await;
    server.upstream().think();
    let buyer = ada.test();
    let first = tokio::spawn(async move { buyer.post(PURCHASE, json!({ "number": "+13105550100" })).await });
    until("the carrier is asked", || async { (server.upstream().times_asked() == 1).then_some(()) }).await;
    let refused = ada.test().get(LIST).await;
    let shows = [code("service_unavailable_error", "Service overload"), status(503, "Service overload")];
    book.show(
        "The server is set to work on one request at a time, and is at work on one.",
        refused.assert(503, by_status(503)),
        &shows,
    );
    server.upstream().answer();
    first.await.expect("an answer").assert_status(201);
}
