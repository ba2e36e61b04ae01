//! More is offered than is carried: what is too much is refused at once, and those who were let in are heard as before.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use serde_json::json;
use tandem_kernel::Environment::Test;
use tandem_testkit::{Phone, Stage, on_both, phone::Outcome};
use tokio::{net::UdpSocket, task::JoinSet, time::timeout};

use super::calls::{BEYOND, CALLER, OURS, TARGET, books, configure, record, scenery};
use crate::numbers::buy;

/// Calls that come in at once at the most.
const ROOM: usize = 3;

/// Asks a server by SIP whether it is there, from an address of our own on loopback; the statuses of its answers and what their
/// `Retry-After` say, until none comes any more.
async fn options(from: Ipv4Addr, server: SocketAddr, count: usize) -> Vec<(u16, Option<String>)> {
    let socket = UdpSocket::bind((from, 0)).await.expect("a socket");
    let own = socket.local_addr().expect("an address");
    for place in 0..count {
        let request = format!(
            "OPTIONS sip:{server} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{place}x{port};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:a@{own}>;tag=a{place}\r\nTo: <sip:{server}>\r\nCall-ID: {place}-{own}\r\nCSeq: 1 OPTIONS\r\n\
             Content-Length: 0\r\n\r\n",
            port = own.port(),
        );
        socket.send_to(request.as_bytes(), server).await.expect("a datagram goes out");
    }
    let (mut answers, mut room) = (Vec::new(), vec![0; 4_096]);
    while let Ok(Ok(length)) = timeout(Duration::from_secs(2), socket.recv(&mut room)).await {
        let text = String::from_utf8_lossy(&room[..length]).into_owned();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let after = text.lines().find_map(|line| line.strip_prefix("Retry-After: ").map(str::to_owned));
        answers.push((status, after));
        if answers.len() == count {
            break;
        }
    }
    answers
}

on_both! {
    async fn calls_beyond_the_room_are_refused_and_the_others_go_on(stage: Stage) {
        let exchange = stage.config(|config| config.voice.calls = u32::try_from(ROOM).expect("few")).exchange().await;
        let scenery = scenery(&exchange).await;
        let mut talks = Vec::new();
        for _ in 0..ROOM - 1 {
            talks.push(scenery.talk(&exchange).await);
        }
        let (here, there) = &talks[0];
        here.say(440);
        there.say(1_000);
        there.hears(440).await;
        // Ten times as many as there is room for come at once. One fits: it is rung, and the calls before it go on.
        let mut calls = JoinSet::new();
        for _ in 0..10 * ROOM {
            let mut call = scenery.caller.call(exchange.sip(), CALLER, OURS).await;
            calls.spawn(async move { call.outcome().await });
        }
        let arriving = scenery.callee.incoming().await;
        arriving.ring().await;
        for _ in 1..10 * ROOM {
            match calls.join_next().await.expect("an outcome").expect("no panic") {
                Outcome::Refused(refusal) => {
                    assert_eq!((refusal.status, refusal.retry_after.is_some_and(|seconds| seconds > 0)), (503, true), "{refusal:?}");
                }
                other => panic!("{other:?}"),
            }
        }
        let (heard, other) = (there.listen(1_000).await, here.listen(1_000).await);
        assert!(heard.is_tone(440.0) && other.is_tone(1_000.0), "{heard:?} {other:?}");
        let there = arriving.answer().await;
        let Outcome::Answered(here) = calls.join_next().await.expect("an outcome").expect("no panic") else { panic!("one is let in") };
        talks.push((here, there));
        for (here, there) in &talks {
            here.bye().await;
            there.ended().await;
        }
        record(&scenery.client, ROOM).await;
        // Afterwards it is as before.
        let (here, there) = scenery.talk(&exchange).await;
        here.bye().await;
        there.ended().await;
        record(&scenery.client, ROOM + 1).await;
        assert_eq!(scenery.ada.wallet(Test).await.held, 0);
        assert_eq!(books(&exchange, &scenery.client).await["closed"], json!(ROOM + 1), "what was refused at the door is no call");
    }

    async fn one_source_does_not_take_what_is_for_all(stage: Stage) {
        let exchange = stage.config(|config| config.voice.source_rate = 1).exchange().await;
        let ada = exchange.account("Ada").await;
        let (client, caller, callee) = (ada.test(), Phone::listen().await, Phone::listen().await);
        exchange.add_trunk(json!({
            "name": "honest", "serves": "test", "host": "127.0.0.1", "port": callee.address().port(), "addresses": ["127.0.0.1/32"],
            "routes": [{ "prefix": BEYOND }],
        })).await;
        buy(&client, OURS).await;
        configure(&client, json!({ "call_forwarding": { "enabled": true, "forward_to": TARGET } })).await;
        let calling = caller.call(exchange.sip(), CALLER, OURS).await;
        let there = callee.incoming().await.answer().await;
        let here = calling.answered().await;
        here.say(440);
        there.hears(440).await;
        let answers = options(Ipv4Addr::new(127, 0, 0, 9), exchange.sip(), 100).await;
        let heard = there.listen(400).await;
        let through = answers.iter().filter(|(status, _)| *status == 200).count();
        let refused = answers.iter().filter(|(status, after)| *status == 503 && after.as_deref() == Some("5")).count();
        assert_eq!(through + refused, 100, "{answers:?}");
        assert!((2..20).contains(&through), "a few at once are no flood, a hundred are: {through}");
        assert!(heard.is_tone(440.0), "{heard:?}");
        let others = options(Ipv4Addr::new(127, 0, 0, 10), exchange.sip(), 1).await;
        assert_eq!(others, [(200, None)], "whoever is somewhere else is heard");
        here.bye().await;
        there.ended().await;
        record(&client, 1).await;
    }
}
