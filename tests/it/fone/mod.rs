//! The Fone Dynamics API.

mod addresses;
pub mod available;
mod batch;
mod calls;
mod credentials;
mod find;
mod flows;
mod leases;
mod logins;
mod messages;
mod numbers;
mod projects;
pub mod purchase;
mod replies;
mod schedule;
mod webhooks;

use serde_json::{Value, json};
use tandem_domain::sid::{letter, sid};
use tandem_kernel::{Environment, MessageId};
use tandem_testkit::{Answer, Client, Persona};

/// Where the dialect is served.
pub const BASE: &str = "/fonedynamics/v2";

/// The sid of the project that the test environment has from the start.
pub fn first_project(persona: &Persona) -> String {
    sid(letter::PROPERTY, persona.test.environment.as_bytes())
}

/// The sid of a side's first project.
pub fn project_of(persona: &Persona, kind: Environment) -> String {
    sid(letter::PROPERTY, persona.side(kind).environment.as_bytes())
}

/// Where the messages of an environment's first project are.
pub fn messages_of(persona: &Persona, kind: Environment) -> String {
    format!("{BASE}/Properties/{}/Messages", project_of(persona, kind))
}

/// The id that other dialects know a message by.
pub fn native_id(message_sid: &str) -> String {
    MessageId::from_bytes(tandem_domain::sid::parse_sid(letter::MESSAGE, message_sid).expect(message_sid)).to_string()
}

/// Makes a project that may send text messages: its sid.
pub async fn shop(client: &Client, sms: bool) -> String {
    let body = json!({ "Name": "Shop", "MainDomain": "shop.example.com", "TimeZone": "UTC", "SmsEnabled": sms });
    let made = client.post(&format!("{BASE}/Properties"), body).await;
    made.assert_status(200).body["Property"]["PropertySid"].as_str().expect("a sid").to_owned()
}

/// The message of an answer.
pub fn message(answer: &Answer) -> &Value {
    &answer.assert_status(200).body["Message"]
}

/// The sid of an answer's message.
pub fn sid_of(answer: &Answer) -> String {
    message(answer)["MessageSid"].as_str().expect("a sid").to_owned()
}
