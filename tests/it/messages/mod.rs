//! Messages of the Audian dialect and our own, with an SMSC that does as the test says. The live environment has no other one.

mod media;
mod native;
mod parts;
mod refused;
mod send;
mod webhook;

use serde_json::{Value, json};
use tandem_app::messages::gateway::{self, Incoming, Outgoing, Receipt, ReceiptState, Route, Submitted, Taken};
use tandem_domain::message::Sender;
use tandem_kernel::{Environment::Live, PhoneNumber, SmscId};
use tandem_testkit::{Answer, Client, Persona, Server};

use crate::numbers::buy;

pub const MESSAGES: &str = "/audian/v2/messages";
/// Has voice, SMS and MMS.
pub const OURS: &str = "+14155550100";
pub const THEIRS: &str = "+14155550199";
const SMSC: SmscId = SmscId::from_bytes([5; 16]);

/// An account with a number in its live environment.
pub async fn sender(server: &Server) -> (Persona, Client) {
    let ada = server.account("Ada").await;
    let client = ada.live();
    buy(&client, OURS).await;
    (ada, client)
}

/// A text to one recipient.
pub fn text(body: &str) -> Value {
    json!({ "from": OURS, "to": THEIRS, "body": body })
}

/// Sends and answers the id.
pub async fn send(client: &Client, body: &Value) -> String {
    client.post(MESSAGES, body.clone()).await.assert_status(201).data_text("id")
}

pub async fn read(client: &Client, id: &str) -> Answer {
    let read = client.get(&format!("{MESSAGES}/{id}")).await;
    read.assert_status(200);
    read
}

/// What waits, as a bind sees it.
pub async fn claim(server: &Server) -> Vec<Outgoing> {
    let anywhere = [Route { smsc: SMSC, prefixes: Vec::new(), room: 1_000 }];
    gateway::claim(&server.app(), Live, &anywhere, 100).await.expect("a claim")
}

/// Takes all that waits.
pub async fn take_all(server: &Server) -> Vec<Outgoing> {
    let parts = claim(server).await;
    let taken = parts.iter().map(|part| said(part, Taken::Accepted { remote_id: remote(part) }));
    gateway::record(&server.app(), taken.collect()).await.expect("recorded");
    parts
}

pub fn said(part: &Outgoing, outcome: Taken) -> Submitted {
    Submitted { message: part.message, part: part.part, smsc: SMSC, outcome, claim: part.claim }
}

fn remote(part: &Outgoing) -> String {
    format!("{}/{}", part.message, part.part)
}

/// Reports on parts that were taken.
pub async fn report(server: &Server, parts: &[Outgoing], state: ReceiptState, error: Option<&str>) {
    let receipt = |part: &Outgoing| Receipt {
        smsc: SMSC,
        remote_ids: vec![remote(part)],
        state,
        error: error.map(str::to_owned),
        at: server.now(),
    };
    gateway::receipts(&server.app(), parts.iter().map(receipt).collect()).await.expect("receipts");
}

/// Somebody writes to the number.
pub async fn incoming(server: &Server, body: &str, id: &str) {
    let number = |text: &str| PhoneNumber::from_e164(text).expect(text);
    arrive(server, Sender::Number(number(THEIRS)), number(OURS), body, id).await;
}

/// Anybody writes to any number.
pub async fn incoming_from(server: &Server, from: Sender, to: PhoneNumber, body: &str) {
    arrive(server, from, to, body, "").await;
}

async fn arrive(server: &Server, from: Sender, to: PhoneNumber, body: &str, id: &str) {
    let message = Incoming { smsc: SMSC, kind: Live, from, to, body: body.to_owned(), id: id.to_owned() };
    gateway::receive(&server.app(), message).await.expect("taken in");
}
