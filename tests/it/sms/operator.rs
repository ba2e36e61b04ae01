//! The operator's SMSCs: ours plays one of somebody else's, outside the server.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tandem_kernel::Environment::Live;
use tandem_sms::smsc::{Esme, Options, Smsc};
use tandem_testkit::{Server, on_both, until};
use tokio::{net::TcpListener, sync::watch};

use super::{reaches, send};
use crate::numbers::buy;

const OURS: &str = "+14155550100";

/// An SMSC outside the server. It ends with its scenario.
pub struct Outside {
    pub smsc: Smsc,
    pub port: u16,
    stop: watch::Sender<bool>,
}

impl Outside {
    pub async fn start() -> Self {
        Self::start_at(0).await
    }

    /// At a port where one was before.
    pub async fn start_at(port: u16) -> Self {
        Self::start_with(port, |_| {}).await
    }

    /// With other limits than the usual ones.
    pub async fn start_with(port: u16, edit: impl FnOnce(&mut Options)) -> Self {
        let platform = Esme { system_id: "us".to_owned(), password: "secret".to_owned(), numbers: Vec::new() };
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (stop, stopped) = watch::channel(false);
        let mut options = Options::new(platform);
        edit(&mut options);
        let smsc = Smsc::new(options);
        tokio::spawn(smsc.clone().run(Arc::new(listener), stopped));
        Self { smsc, port, stop }
    }

    pub fn described(&self, name: &str) -> Value {
        json!({ "name": name, "host": "127.0.0.1", "port": self.port, "system_id": "us", "password": "secret", "window": 10,
                "name_parts": true, "answer_seconds": 2 })
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

pub async fn bound(server: &Server, id: &str) -> Value {
    until("the SMSC is bound", || async {
        let read = server.operator().get(&format!("/v1/smscs/{id}")).await;
        (read.assert_status(200).body["bind"]["state"] == "bound").then(|| read.body.clone())
    })
    .await
}

pub fn with(mut described: Value, more: Value) -> Value {
    for (name, value) in more.as_object().expect("members") {
        described[name] = value.clone();
    }
    described
}

on_both! {
    async fn messages_wait_for_an_smsc_and_go_by_prefix_and_cost(server: Server) {
        let ada = server.account("Ada").await;
        ada.unlimited(Live).await;
        let client = ada.live();
        buy(&client, OURS).await;
        let early = send(&client, OURS, "+14155550190", "Before there is any").await;
        let (dear, cheap, british) = (Outside::start().await, Outside::start().await, Outside::start().await);
        let operator = server.operator();
        let add = |outside: &Outside, name: &str, more: Value| {
            let (operator, body) = (operator.clone(), with(outside.described(name), more));
            async move {
                let added = operator.post("/v1/smscs", body).await;
                added.assert_status(201);
                assert!(!added.body.to_string().contains("secret"));
                added.body["id"].as_str().expect("an id").to_owned()
            }
        };
        let dear_id = add(&dear, "dear", json!({ "cost": 0.02 })).await;
        bound(&server, &dear_id).await;
        reaches(&client, &early, "delivered").await;
        assert_eq!(dear.smsc.counts().taken, 1);
        let cheap_id = add(&cheap, "cheap", json!({ "cost": 0.01, "long": "sar", "mode": "transceiver", "version": "5.0" })).await;
        let british_id = add(&british, "british", json!({ "cost": 0.5, "prefixes": [44], "long": "payload", "rate": 100 })).await;
        bound(&server, &cheap_id).await;
        bound(&server, &british_id).await;
        let short = "Short".to_owned();
        for (to, text) in [("+14155550191", "x".repeat(400)), ("+447400123456", "я".repeat(200)), ("+447400123457", short)] {
            let id = send(&client, OURS, to, &text).await;
            reaches(&client, &id, "delivered").await;
        }
        assert_eq!((dear.smsc.counts().taken, cheap.smsc.counts().taken, british.smsc.counts().taken), (1, 3, 2));
        assert_eq!(server.count("SELECT COUNT(*) FROM early_receipts").await, 0, "no receipt is left");
        assert_eq!(cheap.smsc.received(None, "+14155550191").len(), 0, "the operator's SMSC has no environments of ours");
        operator.post(&format!("/v1/smscs/{cheap_id}/drain"), json!({})).await.assert_status(200);
        until("it is drained", || async {
            let id = send(&client, OURS, "+14155550192", "To the other").await;
            reaches(&client, &id, "delivered").await;
            (dear.smsc.counts().taken > 1).then_some(())
        }).await;
        let read = bound(&server, &dear_id).await;
        assert_eq!((&read["state"], &read["cost"], &read["bind"]["refused"]), (&json!("active"), &json!(0.02), &json!(0)));
        let changed = operator.patch(&format!("/v1/smscs/{dear_id}"), json!({ "window": 3, "plus": true })).await;
        assert_eq!((&changed.assert_status(200).body["window"], &changed.body["plus"]), (&json!(3), &json!(true)));
        operator.patch(&format!("/v1/smscs/{dear_id}"), json!({ "tls": true })).await.assert_status(400);
        operator.delete(&format!("/v1/smscs/{british_id}")).await.assert_status(200);
        operator.get(&format!("/v1/smscs/{british_id}")).await.assert_status(404);
        let listed = operator.get("/v1/smscs").await;
        assert_eq!(listed.assert_status(200).body["data"].as_array().map(Vec::len), Some(2));
        client.get("/v1/smscs").await.assert_status(403);
    }

    async fn a_connection_that_breaks_loses_and_repeats_nothing(server: Server) {
        let ada = server.account("Ada").await;
        ada.unlimited(Live).await;
        let client = ada.live();
        buy(&client, OURS).await;
        let outside = Outside::start().await;
        let added = server.operator().post("/v1/smscs", outside.described("fragile")).await;
        let id = added.assert_status(201).body["id"].as_str().expect("an id").to_owned();
        bound(&server, &id).await;
        let cutter = {
            let smsc = outside.smsc.clone();
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(Duration::from_millis(150)).await;
                    smsc.cut_all();
                }
            })
        };
        let mut sent = Vec::new();
        for place in 100..150 {
            sent.push(send(&client, OURS, &format!("+14155557{place}"), "Through all of it").await);
        }
        for id in &sent {
            reaches(&client, id, "delivered").await;
        }
        cutter.abort();
        assert_eq!(outside.smsc.counts().taken, 50);
        let wrong = with(outside.described("wrong"), json!({ "password": "other" }));
        let added = server.operator().post("/v1/smscs", wrong).await;
        let id = added.assert_status(201).body["id"].as_str().expect("an id").to_owned();
        until("the refusal is told", || async {
            let read = server.operator().get(&format!("/v1/smscs/{id}")).await;
            let error = read.body["bind"]["last_error"].as_str().unwrap_or_default().to_owned();
            error.contains("ESME_RINVPASWD").then_some(())
        }).await;
    }
}
