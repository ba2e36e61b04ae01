//! Messages over real SMPP: through the SMSC of the pocket network, and through one of the operator's.

mod failover;
mod flood;
mod operator;
mod parts;
mod pocket;
mod scripted;

use std::time::Duration;

use serde_json::{Value, json};
use tandem_sms::smsc::scenarios;
use tandem_testkit::{Client, until};

use crate::messages::MESSAGES;

/// A recipient of that kind, for the pocket network's SMSC and ours outside.
pub fn magic(name: &str) -> String {
    let found = scenarios().iter().find(|scenario| scenario.name == name).unwrap_or_else(|| panic!("no {name}"));
    found.numbers().nth(5).expect("a number").to_string()
}

/// Sends a text and answers the id.
pub async fn send(client: &Client, from: &str, to: &str, body: &str) -> String {
    client.post(MESSAGES, json!({ "from": from, "to": to, "body": body })).await.assert_status(201).data_text("id")
}

/// Waits until a message is in a state.
pub async fn reaches(client: &Client, id: &str, state: &str) -> Value {
    let what = format!("{id} is {state}");
    until(&what, || async {
        let read = client.get(&format!("{MESSAGES}/{id}")).await;
        let found = read.assert_status(200).data()["status"] == state;
        if found {
            return Some(read.data().clone());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        None
    })
    .await
}
