//! Requests that belong to no call.

use crate::house::{House, OFFER, Phone};
use tandem_sip::Transport;

#[tokio::test]
async fn options_are_answered() {
    let house = House::open().await;
    for mut phone in [house.phone().await, Phone::tcp(house.at(Transport::Tcp)).await] {
        let mut line = phone.line();
        phone.send(&line.write("OPTIONS", "", "")).await;
        let answer = phone.last("OPTIONS").await;
        assert_eq!(answer.status(), 200);
        assert!(["INVITE", "UPDATE", "REFER", "INFO"].iter().all(|method| answer.get("Allow").contains(method)));
        assert_eq!((answer.get("Accept"), answer.get("Supported")), ("application/sdp", "timer"));
        assert!(answer.get("Via").contains(&format!("rport={}", phone.local.port())), "{}", answer.get("Via"));
    }
}

#[tokio::test]
async fn what_is_not_for_us_is_refused() {
    let house = House::open().await;
    let mut phone = house.phone().await;
    let cases = [
        ("MESSAGE", "", "", 405),
        ("SUBSCRIBE", "Event: presence\r\n", "", 489),
        ("PUBLISH", "", "", 405),
        ("FLY", "", "", 501),
        ("BYE", "", "", 481),
        ("NOTIFY", "Event: x\r\n", "", 481),
        ("OPTIONS", "Require: 100rel, gruu\r\n", "", 420),
        ("INVITE", "Require: 100rel\r\n", OFFER, 420),
        ("INVITE", "Content-Type: text/plain\r\n", "hello", 415),
        ("INVITE", "Accept: text/plain\r\n", OFFER, 406),
    ];
    for (method, fields, body, status) in cases {
        let mut line = phone.line();
        phone.send(&line.write(method, fields, body)).await;
        let answer = phone.last(method).await;
        assert_eq!(answer.status(), status, "{method} {fields}");
        match status {
            405 | 501 => assert!(answer.get("Allow").contains("INVITE"), "{answer:?}"),
            489 => assert_eq!(answer.get("Allow-Events"), "message-summary"),
            420 => assert!(answer.get("Unsupported").contains("100rel")),
            415 => assert_eq!(answer.get("Accept"), "application/sdp"),
            _ => {}
        }
        if method == "INVITE" {
            phone.send(&line.nack(&answer)).await;
        }
    }
    house.empty().await;
}

#[tokio::test]
async fn the_last_hop_is_the_last() {
    let house = House::open().await;
    let mut phone = house.phone().await;
    let mut line = phone.line();
    phone.send(&line.invite(OFFER).replace("Max-Forwards: 70", "Max-Forwards: 0")).await;
    let refused = phone.last("INVITE").await;
    assert_eq!(refused.status(), 483);
    phone.send(&line.nack(&refused)).await;
    let mut line = phone.line();
    phone.send(&line.write("OPTIONS", "", "").replace("Max-Forwards: 70", "Max-Forwards: 0")).await;
    assert_eq!(phone.last("OPTIONS").await.status(), 200);
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_answer() {
    let house = House::open().await;
    let mut phone = house.phone().await;
    for (method, status) in [("OPTIONS", 200), ("FLY", 501), ("BYE", 481)] {
        let mut line = phone.line();
        phone.send(&line.write(method, "", "")).await;
        let first = phone.last(method).await;
        phone.send(&line.same(method, "", "")).await;
        let second = phone.last(method).await;
        assert_eq!((first.status(), first.tag("To")), (status, second.tag("To")), "{method}");
    }
}

#[tokio::test]
async fn keep_alives_are_answered() {
    let house = House::open().await;
    for mut phone in [house.phone().await, Phone::tcp(house.at(Transport::Tcp)).await] {
        phone.raw(b"\r\n\r\n").await;
        assert_eq!(phone.octets().await, b"\r\n");
        phone.alive().await;
    }
}
