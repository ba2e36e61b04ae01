//! Telephones and trunks over TCP and TLS, and certificates: whose are trusted, and one that is read anew.

use std::path::PathBuf;

use serde_json::{Value, json};
use tandem_testkit::{
    Authority, Client, Exchange, Phone, PhoneOptions, Stage, on_both,
    phone::{By, Outcome, Security, Transport},
    until,
};

use super::calls::{BEYOND, CALLER, OURS, TARGET, configure, record};
use crate::numbers::buy;

/// A server that answers SIP over TLS as well, whose certificate and whose trunks' are signed by the authority.
async fn secured(stage: Stage, authority: &Authority) -> Exchange {
    let folder = stage.database().folder().to_owned();
    let file = |name: &str| folder.join(name);
    authority.sign("127.0.0.1").write(&file("sip.pem"), &file("sip.key"));
    authority.write(&file("trunks.pem"));
    let stage = stage.config(|config| {
        config.voice.listen.push("tls:127.0.0.1:0".to_owned());
        config.voice.authorities = Some(file("trunks.pem"));
        (config.tls.certificate, config.tls.key) = (Some(file("sip.pem")), Some(file("sip.key")));
    });
    stage.exchange().await
}

/// A telephone that speaks a transport, and trusts the authority.
async fn telephone(transport: Transport, authority: &Authority) -> Phone {
    Phone::with(PhoneOptions { transport, trust: Some(authority.trust()), ..PhoneOptions::default() }).await
}

/// A telephone that is called over TLS, with a certificate for a host, and that encrypts what is said.
async fn exchange_beyond(authority: &Authority, signed_by: &Authority, host: &str) -> Phone {
    let (trust, certificate) = (Some(authority.trust()), Some(signed_by.sign(host).server()));
    let options =
        PhoneOptions { transport: Transport::Tls, trust, certificate, security: Security::Required, ..PhoneOptions::default() };
    Phone::with(options).await
}

fn trunk_to(phone: &Phone, more: Value) -> Value {
    let mut body = json!({
        "name": "beyond", "serves": "test", "direction": "outbound", "host": "127.0.0.1", "port": phone.address().port(),
        "transport": "tls", "srtp": "required", "ping_seconds": 1, "routes": [{ "prefix": BEYOND }],
    });
    let (Some(members), Value::Object(more)) = (body.as_object_mut(), more) else { panic!("an object") };
    members.extend(more);
    body
}

/// The trunk's health, as soon as it is so.
async fn health(operator: &Client, id: &str, is_it: impl Fn(&Value) -> bool) -> Value {
    until("the trunk's health is as expected", || async {
        let read = operator.get(&format!("/v1/trunks/{id}")).await;
        let health = read.assert_status(200).body["health"].clone();
        is_it(&health).then_some(health)
    })
    .await
}

async fn rings(client: &Client, device: &str) {
    let target = json!({ "device_id": device, "seconds": 20 });
    configure(client, json!({ "ring": { "strategy": "in_turn", "targets": [target] } })).await;
}

on_both! {
    async fn devices_speak_over_tcp_and_tls(stage: Stage) {
        let authority = Authority::default();
        let exchange = secured(stage, &authority).await;
        let ada = exchange.account("Ada").await;
        let (client, outside) = (ada.test(), Phone::listen().await);
        exchange.trunk(&outside, BEYOND).await;
        buy(&client, OURS).await;
        for (count, transport) in [(2, Transport::Tcp), (4, Transport::Tls)] {
            let phone = telephone(transport, &authority).await;
            let (device, user, phone) = exchange.device_with(&client, transport.name(), Some(OURS), phone).await;
            let held = client.get(&format!("/v1/devices/{device}/registrations")).await;
            assert_eq!(held.assert_status(200).body["data"][0]["transport"], transport.name());
            rings(&client, &device).await;
            let mut calling = outside.call(exchange.sip(), CALLER, OURS).await;
            let arriving = phone.incoming().await;
            arriving.ring().await;
            calling.ringing().await;
            let (there, here) = (arriving.answer().await, calling.answered().await);
            here.say(440);
            there.say(1_000);
            there.hears(440).await;
            here.hears(1_000).await;
            there.hold().await;
            there.resume().await;
            there.say(700);
            here.hears(700).await;
            here.bye().await;
            assert_eq!(there.ended().await.by, By::Them);
            let calling = phone.call(exchange.sip_for(&phone), &user, TARGET).await;
            let (there, here) = (outside.incoming().await.answer().await, calling.answered().await);
            here.say(440);
            there.say(1_000);
            there.hears(440).await;
            here.hears(1_000).await;
            there.bye().await;
            assert_eq!(here.ended().await.by, By::Them);
            let calls = record(&client, count).await;
            assert!(calls.iter().all(|call| call["end"]["reason"] == "normal"), "{calls:?}");
        }
    }

    async fn trunks_are_reached_over_tls_and_encrypt(stage: Stage) {
        let authority = Authority::default();
        let exchange = secured(stage, &authority).await;
        let ada = exchange.account("Ada").await;
        let (client, operator) = (ada.test(), exchange.operator());
        buy(&client, OURS).await;
        let (caller, beyond) = (Phone::listen().await, exchange_beyond(&authority, &authority, "127.0.0.1").await);
        exchange.trunk(&caller, "442079463").await; // whoever calls from this machine is its
        let trunk = exchange.add_trunk(trunk_to(&beyond, json!({}))).await;
        health(&operator, &trunk, |health| health["state"] == "up").await;
        configure(&client, json!({ "call_forwarding": { "enabled": true, "forward_to": TARGET } })).await;
        let calling = caller.call(exchange.sip(), CALLER, OURS).await;
        let (there, here) = (beyond.incoming().await.answer().await, calling.answered().await);
        here.say(440);
        there.say(1_000);
        there.hears(440).await;
        here.hears(1_000).await;
        here.bye().await;
        there.ended().await;
        // One that brings calls is held to it as well: what is not encrypted is refused.
        let change = json!({ "direction": "both", "addresses": ["127.0.0.1/32"] });
        operator.patch(&format!("/v1/trunks/{trunk}"), change).await.assert_status(200);
        until("whoever calls from this machine is the other trunk's now", || async {
            let mut calling = caller.call(exchange.sip(), CALLER, OURS).await;
            match calling.outcome().await {
                Outcome::Refused(refused) => (refused.status == 488).then_some(()),
                _ => None,
            }
        }).await;
    }

    async fn certificates_are_checked(stage: Stage) {
        let (authority, stranger) = (Authority::default(), Authority::default());
        let exchange = secured(stage, &authority).await;
        let operator = exchange.operator();
        let refused = |health: &Value| health["detail"].as_str().is_some_and(|detail| detail.starts_with("TLS failed: invalid peer certificate"));
        let misnamed = exchange_beyond(&authority, &authority, "sip.example.com").await;
        let trunk = exchange.add_trunk(trunk_to(&misnamed, json!({}))).await;
        let down = health(&operator, &trunk, refused).await;
        assert_eq!(down["state"], "down");
        assert!(down["detail"].as_str().is_some_and(|detail| detail.contains("127.0.0.1")), "names the host: {down}");
        let foreign = exchange_beyond(&authority, &stranger, "127.0.0.1").await;
        let change = json!({ "port": foreign.address().port() });
        operator.patch(&format!("/v1/trunks/{trunk}"), change).await.assert_status(200);
        let unknown = |health: &Value| refused(health) && health["detail"].as_str().is_some_and(|detail| detail.contains("UnknownIssuer"));
        health(&operator, &trunk, unknown).await;
        let right = exchange_beyond(&authority, &authority, "127.0.0.1").await;
        let change = json!({ "port": right.address().port() });
        operator.patch(&format!("/v1/trunks/{trunk}"), change).await.assert_status(200);
        let up = health(&operator, &trunk, |health| health["state"] == "up").await;
        assert_eq!((&up["detail"], up["last_answer"].is_string()), (&Value::Null, true), "{up}");
        let plain = operator.patch(&format!("/v1/trunks/{trunk}"), json!({ "transport": "udp" })).await;
        assert_eq!(plain.assert_status(400).body["errors"][0]["pointer"], "/srtp", "keys are never sent in the clear");
    }

    async fn a_certificate_is_read_again(stage: Stage) {
        let authority = Authority::default();
        let folder: PathBuf = stage.database().folder().to_owned();
        let exchange = secured(stage, &authority).await;
        let client = exchange.account("Ada").await.test();
        let phone = telephone(Transport::Tls, &authority).await;
        let (_, _, phone) = exchange.device_with(&client, "Desk", None, phone).await;
        let before = authority.shown_by(exchange.sip_tls(), "127.0.0.1").await.expect("one that is trusted");
        let fresh = authority.sign("127.0.0.1");
        fresh.write(&folder.join("sip.pem"), &folder.join("sip.key"));
        assert_eq!(authority.shown_by(exchange.sip_tls(), "127.0.0.1").await, Ok(before));
        exchange.reload();
        assert_eq!(authority.shown_by(exchange.sip_tls(), "127.0.0.1").await, Ok(fresh.der()));
        std::fs::write(folder.join("sip.pem"), "nothing").expect("a file");
        exchange.reload(); // the one that can be used stays
        assert_eq!(authority.shown_by(exchange.sip_tls(), "127.0.0.1").await, Ok(fresh.der()));
        drop(phone);
    }
}
