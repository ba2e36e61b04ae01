//! Webhooks: endpoints of each dialect, deliveries to them, retries and replays.

mod crowd;
mod delivery;
mod endpoints;
mod failing;
mod killed;
mod replay;

use serde_json::{Value, json};
use tandem_kernel::Environment;
use tandem_testkit::{Client, Persona, Receiver, Server, Stage};

/// A server whose webhooks may lead to this machine.
pub async fn serve(stage: &Stage) -> Server {
    stage.clone().config(|config| config.webhooks.allow_private = true).start().await
}

/// An account that may ask as often as it likes: tests wait for deliveries by asking.
async fn ada(server: &Server) -> Persona {
    let ada = server.account("Ada").await;
    ada.unlimited(Environment::Test).await;
    ada
}

/// Makes a webhook of a dialect for everything and hands back its id and secret.
pub async fn listen(client: &Client, dialect: &str, receiver: &Receiver) -> (String, String) {
    let body = json!({ "url": receiver.url("/hook"), "events": ["*"], "dialect": dialect });
    let made = client.post("/v1/webhooks", body).await;
    made.assert_status(201);
    let text = |name: &str| made.body[name].as_str().unwrap_or_else(|| panic!("no {name}{made}")).to_owned();
    (text("id"), text("signing_secret"))
}

/// Buys a number in the test environment: its id.
async fn buy(persona: &Persona, number: &str) -> String {
    let bought = persona.test().post("/audian/v2/numbers/purchase", json!({ "number": number })).await;
    bought.assert_status(201).data_text("id")
}

/// Configures a number: one more event about it.
async fn configure(persona: &Persona, id: &str, name: &str) {
    let path = format!("/audian/v2/numbers/{id}/config");
    persona.test().put(&path, json!({ "friendly_name": name })).await.assert_status(200);
}

/// Waits until a delivery is in a state, and hands back what is shown of it.
async fn wait_for(client: &Client, id: &str, status: &str) -> Value {
    tandem_testkit::until(&format!("{id} is {status}"), || async {
        let shown = client.get(&format!("/v1/deliveries/{id}")).await;
        (shown.body["status"] == status).then(|| shown.body.clone())
    })
    .await
}

/// Waits until a webhook has a delivery of an event in a state: its id.
async fn wait_until(client: &Client, webhook: &str, event: &str, status: &str) -> String {
    tandem_testkit::until(&format!("{webhook} has a {status} {event}"), || async {
        let listed = client.get(&format!("/v1/webhooks/{webhook}/deliveries?status={status}&limit=100")).await;
        let found = listed.assert_status(200).body["data"].as_array().expect("a list").clone();
        found.iter().find(|delivery| delivery["event"] == event).map(|delivery| delivery["id"].as_str().expect("an id").to_owned())
    })
    .await
}
