//! Whether trunks answer, and our registrations with them, over real SIP.

use serde_json::{Value, json};
use tandem_kernel::Environment::Test;
use tandem_testkit::{Client, Exchange, Phone, on_both, until};

use crate::numbers::buy;

const TRUNKS: &str = "/v1/trunks";

fn text(body: &Value, member: &str) -> String {
    body[member].as_str().unwrap_or_else(|| panic!("{member} in {body}")).to_owned()
}

/// The trunk's health, as soon as it is so.
async fn health(operator: &Client, path: &str, state: &str) -> Value {
    until(&format!("the trunk is {state}"), || async {
        let read = operator.get(path).await;
        let health = read.assert_status(200).body["health"].clone();
        (health["state"] == state).then_some(health)
    })
    .await
}

on_both! {
    async fn trunks_that_do_not_answer_get_no_calls(exchange: Exchange) {
        let (operator, ada) = (exchange.operator(), exchange.account("Ada").await);
        let client = ada.test();
        buy(&client, "+442079460100").await;
        let (first, second) = (Phone::over_tcp().await, Phone::over_tcp().await);
        let address = first.address();
        let body = json!({
            "name": "beyond", "serves": "test", "direction": "outbound", "host": "127.0.0.1", "port": address.port(), "transport": "tcp",
            "ping_seconds": 1, "routes": [{ "prefix": "442079461" }],
        });
        let path = format!("{TRUNKS}/{}", exchange.add_trunk(body).await);
        let up = health(&operator, &path, "up").await;
        assert_eq!(up["detail"], Value::Null);
        let route = json!({ "from": "+442079460100", "to": "+442079461001" });
        let asked = client.post("/v1/simulate/route", route.clone()).await;
        assert_eq!(asked.assert_status(200).body["plan"]["stages"][0]["attempts"][0]["kind"], "trunk");
        first.close().await;
        health(&operator, &path, "down").await;
        let refused = |health: &Value| health["detail"].as_str().is_some_and(|detail| detail.starts_with("no connection: "));
        until("it is known why", || async {
            let read = operator.get(&path).await;
            refused(&read.body["health"]).then_some(())
        })
        .await;
        let asked = client.post("/v1/simulate/route", route.clone()).await;
        assert_ne!(asked.assert_status(200).body["plan"]["stages"][0]["attempts"][0]["kind"], "trunk", "{asked}");
        operator.patch(&path, json!({ "port": second.address().port() })).await.assert_status(200);
        health(&operator, &path, "up").await;
        let asked = client.post("/v1/simulate/route", route).await;
        assert_eq!(asked.assert_status(200).body["plan"]["stages"][0]["attempts"][0]["kind"], "trunk");
        operator.patch(&path, json!({ "ping_seconds": null })).await.assert_status(200);
        assert_eq!(health(&operator, &path, "unknown").await["detail"], Value::Null);
    }

    async fn we_register_with_trunks_that_want_it(exchange: Exchange) {
        let (operator, ada) = (exchange.operator(), exchange.account("Ada").await);
        ada.unlimited(Test).await;
        // The registrar of another company, which is ourselves here.
        let device = ada.test().post("/v1/devices", json!({ "label": "company" })).await;
        let body = &device.assert_status(201).body;
        let (id, user, password) = (text(body, "id"), text(body, "user_name"), text(body, "password"));
        let held = format!("/v1/devices/{id}/registrations");
        let registers = |password: &str| json!({ "user": user, "password": password, "expires_seconds": 120 });
        let trunk = json!({
            "name": "company", "serves": "test", "direction": "outbound", "host": "127.0.0.1", "port": exchange.sip().port(),
            "ping_seconds": null, "registers": registers(&password),
        });
        let path = format!("{TRUNKS}/{}", exchange.add_trunk(trunk).await);
        health(&operator, &path, "up").await;
        let bindings = ada.test().get(&held).await;
        let contact = text(&bindings.assert_status(200).body["data"][0], "contact");
        assert!(contact.contains(&user), "{contact}");
        operator.patch(&path, json!({ "registers": registers("a guess") })).await.assert_status(200);
        let down = health(&operator, &path, "down").await;
        assert_eq!(down["detail"], "our registration was refused with 401");
        operator.patch(&path, json!({ "registers": registers(&password) })).await.assert_status(200);
        health(&operator, &path, "up").await;
        operator.delete(&path).await.assert_status(200);
        until("the registration is taken back", || async {
            let bindings = ada.test().get(&held).await;
            (bindings.assert_status(200).body["data"] == json!([])).then_some(())
        }).await;
    }
}
