//! A server that telephones can call.

use std::{net::SocketAddr, ops::Deref};

use serde_json::{Value, json};
use tandem_server::config::Voice;

use crate::{Client, Phone, Scene, Server, Stage};

/// A running server that answers SIP on free ports over UDP and TCP, and whose time passes: calls last as long as they last.
#[derive(Clone)]
pub struct Exchange(Server);

impl Deref for Exchange {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.0
    }
}

impl Scene for Exchange {
    async fn set(stage: Stage) -> Self {
        stage.exchange().await
    }
}

impl Stage {
    /// Starts a server that carries calls.
    pub async fn exchange(self) -> Exchange {
        let listen = ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"].map(str::to_owned);
        let stage = self.flowing().config(|config| {
            config.voice.listen.splice(..0, listen);
            if config.voice.source_rate == Voice::default().source_rate {
                config.voice.source_rate = 10_000;
            }
            config.limits.shutdown_seconds = config.limits.shutdown_seconds.min(1); // who still speaks at the end is hung up
        });
        Exchange(stage.start().await)
    }
}

impl Exchange {
    /// Where it answers SIP over UDP; the same port answers over TCP where [`Self::sip_tcp`] says so.
    pub fn sip(&self) -> SocketAddr {
        self.sip_over("udp")
    }

    /// Where it answers SIP over TCP.
    pub fn sip_tcp(&self) -> SocketAddr {
        self.sip_over("tcp")
    }

    /// Where it answers SIP over TLS, where it does.
    pub fn sip_tls(&self) -> SocketAddr {
        self.sip_over("tls")
    }

    /// Adds a trunk of the test environments: whoever calls from this machine without credentials is its, and calls to numbers that
    /// begin so (without `+`) go to the telephone. Its id.
    pub async fn trunk(&self, phone: &Phone, prefix: &str) -> String {
        let address = phone.address();
        let body = json!({
            "name": format!("loopback {prefix}"), "serves": "test", "direction": "both", "host": address.ip(), "port": address.port(),
            "transport": phone.transport().name(), "addresses": ["127.0.0.0/8"], "routes": [{ "prefix": prefix }],
        });
        self.add_trunk(body).await
    }

    /// Adds a trunk as the operator describes it. Its id.
    pub async fn add_trunk(&self, body: Value) -> String {
        let added = self.operator().post("/v1/trunks", body).await;
        added.assert_status(201).body["id"].as_str().expect("an id").to_owned()
    }

    /// Adds a device, which registers with a telephone of its own. Its id, its user name and the telephone.
    pub async fn device(&self, client: &Client, label: &str, caller_id: Option<&str>) -> (String, String, Phone) {
        self.device_with(client, label, caller_id, Phone::listen().await).await
    }

    /// As [`Self::device`], with a telephone that is there.
    pub async fn device_with(
        &self,
        client: &Client,
        label: &str,
        caller_id: Option<&str>,
        phone: Phone,
    ) -> (String, String, Phone) {
        let added = client.post("/v1/devices", json!({ "label": label, "caller_id": caller_id })).await;
        let body = &added.assert_status(201).body;
        let text = |member: &str| body[member].as_str().unwrap_or_else(|| panic!("{member} in {body}")).to_owned();
        let (user, password) = (text("user_name"), text("password"));
        phone.register(&user, &password, self.sip_for(&phone)).await.expect("a device is let in");
        (text("id"), user, phone)
    }

    /// Where it answers SIP as a telephone speaks it.
    pub fn sip_for(&self, phone: &Phone) -> SocketAddr {
        self.sip_over(phone.transport().name())
    }
}
