//! Telephones show how many messages wait (RFC 3842): those that asked for it, and those that were told without having asked.

use serde_json::json;
use tandem_app::recordings::StartRecording;
use tandem_domain::recording::{Recording, RecordingKind};
use tandem_kernel::PhoneNumber;
use tandem_testkit::{
    Exchange, Persona, Phone, on_both,
    phone::{Means, Transport},
    recorded, to_record,
};

use super::calls::{CALLER, OURS, configure, scenery};
use crate::numbers::buy;

const SECOND: &str = "+442079460102";

/// A message for a number.
async fn left(exchange: &Exchange, ada: &Persona, number: &str) -> Recording {
    let start = StartRecording {
        number: PhoneNumber::parse(number).ok(),
        keep_days: Some(1),
        ..to_record(ada.test.environment, RecordingKind::Voicemail)
    };
    recorded(exchange, start, &[1_000; 8_000]).await
}

fn one(message: &Recording) -> String {
    format!("/v1/voicemails/{}", message.id)
}

on_both! {
    async fn who_asks_is_told_at_once_and_of_every_change(exchange: Exchange) {
        let ada = exchange.account("Ada").await;
        let client = ada.test();
        buy(&client, OURS).await;
        let first = left(&exchange, &ada, OURS).await;
        for (name, phone) in [("Desk", Phone::listen().await), ("Tcp", Phone::over_tcp().await)] {
            let server = exchange.sip_for(&phone);
            assert!(matches!(phone.subscribe(server, 300).await, Err(401)), "nobody is told who does not prove who it is");
            let (_, _, phone) = exchange.device_with(&client, name, Some(OURS), phone).await;
            assert!(matches!(phone.subscribe(server, 5).await, Err(423)), "too short");
            let (mut lamp, granted) = phone.subscribe(server, 300).await.expect("it is let in");
            assert_eq!((granted, lamp.shows().await), (300, (1, 0)));
            let second = left(&exchange, &ada, OURS).await;
            assert_eq!(lamp.shows().await, (2, 0));
            client.patch(&one(&second), json!({ "heard": true })).await.assert_status(200);
            assert_eq!(lamp.shows().await, (1, 1));
            client.patch(&one(&second), json!({ "heard": true })).await.assert_status(200);
            lamp.stays().await;
            assert_eq!(lamp.again(120).await, 200, "more time");
            assert_eq!(lamp.shows().await, (1, 1));
            client.delete(&one(&second)).await.assert_status(200);
            assert_eq!(lamp.shows().await, (1, 0));
            assert_eq!(lamp.again(0).await, 200, "the end");
            assert_eq!((lamp.shows().await, lamp.over().await), ((1, 0), "timeout".to_owned()));
            let (mut once, granted) = phone.subscribe(server, 0).await.expect("it is told once");
            assert_eq!((granted, once.shows().await, once.over().await), (0, (1, 0), "timeout".to_owned()));
            if phone.transport() == Transport::Tcp {
                client.delete(&one(&first)).await.assert_status(200);
            }
        }
    }

    async fn who_did_not_ask_is_told_all_the_same(exchange: Exchange) {
        let scenery = scenery(&exchange).await;
        let (ada, client) = (&scenery.ada, &scenery.client);
        let (id, user, desk) = exchange.device(client, "Desk", None).await;
        let (_, _, stranger) = exchange.device(client, "Other", None).await;
        configure(client, json!({
            "ring": { "strategy": "in_turn", "targets": [{ "device_id": id, "seconds": 5 }] },
            "voicemail": { "enabled": true }, "call_forwarding": { "enabled": false },
        })).await;
        // A message that a caller really leaves.
        let calling = scenery.caller.call(exchange.sip(), CALLER, OURS).await;
        desk.incoming().await.refuse(486).await;
        let here = calling.answered().await;
        here.hears_something().await;
        here.press("1", Means::Event).await;
        here.hears_nothing().await;
        here.say(600);
        here.listen(2_000).await;
        here.bye().await;
        assert_eq!(desk.lights(1, 0).await.account, None, "it has no number of its own");
        // The messages of several numbers are counted together.
        buy(client, SECOND).await;
        let ring = json!({ "strategy": "in_turn", "targets": [{ "device_id": id, "seconds": 5 }] });
        client.put(&format!("/audian/v2/numbers/{SECOND}/config"), json!({ "ring": ring })).await.assert_status(200);
        let second = left(&exchange, ada, SECOND).await;
        desk.lights(2, 0).await;
        client.patch(&one(&second), json!({ "heard": true })).await.assert_status(200);
        desk.lights(1, 1).await;
        client.patch(&format!("/v1/devices/{id}"), json!({ "caller_id": SECOND })).await.assert_status(200);
        // It comes anew, and something waits: it is told; one for which nothing waits is not.
        let rotated = client.post(&format!("/v1/devices/{id}/rotate"), json!({})).await;
        let password = rotated.assert_status(200).body["password"].as_str().expect("a password").to_owned();
        let anew = Phone::listen().await;
        anew.register(&user, &password, exchange.sip()).await.expect("let in");
        assert_eq!(anew.lights(1, 1).await.account, Some(format!("sip:{SECOND}@127.0.0.1")));
        // Messages go when their days are over, by the environment's clock.
        client.post("/v1/clock/advance", json!({ "by": "P2D" })).await.assert_status(200);
        anew.lights(1, 0).await;
        assert_eq!(stranger.told(), 0);
    }
}
