//! What is let in.

use std::time::Duration;

use tandem_sip::{Fault, Notice, Transport};

use crate::house::{ANSWER, House, OFFER, PATIENCE, Phone};

#[tokio::test]
async fn too_many_requests_are_refused_before_they_are_anybodys() {
    let house = House::with(|config| {
        config.limits.source_rate = 0;
        config.limits.source_burst = 5;
        config.limits.retry_after = 9;
    })
    .await;
    let mut phone = house.phone().await;
    for sent in 0..8 {
        let mut line = phone.line();
        phone.send(&line.write("OPTIONS", "", "")).await;
        let answer = phone.last("OPTIONS").await;
        assert_eq!(answer.status(), if sent < 5 { 200 } else { 503 });
        assert!(sent < 5 || answer.get("Retry-After") == "9");
    }
    assert!(house.desk.told(|one| matches!(one, Notice::Refused { fault: Fault::Rate, status: 503, .. })));
    house.empty().await;
}

#[tokio::test]
async fn a_call_too_many_is_refused_and_those_that_are_there_go_on() {
    let mut house = House::with(|config| config.limits.calls = 2).await;
    let mut phones = Vec::new();
    for _ in 0..2 {
        let mut phone = house.phone().await;
        let (line, dialog) = house.talking(&mut phone).await;
        phones.push((phone, line, dialog));
    }
    let mut other = house.phone().await;
    let mut line = other.line();
    other.send(&line.invite(OFFER)).await;
    let refused = other.until("a refusal", |one| one.status() >= 200).await;
    assert!(refused.status() == 503 && refused.get("Retry-After") == "5");
    assert!(house.desk.told(|one| matches!(one, Notice::Refused { fault: Fault::Calls, .. })));
    let mut outgoing = house.sip.dial(crate::outbound::dial(&other));
    assert!(matches!(outgoing.next().await, Some(tandem_sip::Progress::Refused)));
    for (phone, line, _) in &mut phones {
        phone.send(&line.write("BYE", "", "")).await;
        assert_eq!(phone.last("BYE").await.status(), 200);
    }
    house.empty().await;
    let mut line = other.line();
    other.send(&line.invite(OFFER)).await;
    house.call().await.answer(ANSWER.into()).await.expect("there is room again");
}

#[tokio::test]
async fn calls_that_nobody_has_decided_about_keep_others_out() {
    let mut house = House::with(|config| config.limits.undecided = 2).await;
    let mut phones = Vec::new();
    for _ in 0..2 {
        let mut phone = house.phone().await;
        let mut line = phone.line();
        phone.send(&line.invite(OFFER)).await;
        let call = house.call().await;
        phones.push((phone, line, call));
    }
    let mut other = house.phone().await;
    let mut line = other.line();
    other.send(&line.invite(OFFER)).await;
    let refused = other.until("a refusal", |one| one.status() >= 200).await;
    assert!(refused.status() == 503 && refused.get("Retry-After") == "5");
    // One is taken, whoever has to be rung for it, and one is refused: there is room for two.
    let (_first, _, mut taken) = phones.remove(0);
    taken.settled();
    let (_second, _, dropped) = phones.remove(0);
    drop(dropped);
    let mut calls = Vec::new();
    for _ in 0..2 {
        let mut phone = house.phone().await;
        let mut line = phone.line();
        phone.send(&line.invite(OFFER)).await;
        calls.push((house.call().await, phone));
    }
    taken.answer(ANSWER.into()).await.expect("the one that was taken goes on");
}

#[tokio::test]
async fn who_guesses_is_banned() {
    let house = House::strict(|config| {
        config.limits.strikes = 6;
        config.limits.ban = Duration::from_secs(600);
    })
    .await;
    let mut phone = house.phone().await;
    let mut asked = 0;
    while !house.desk.told(|one| matches!(one, Notice::Banned { .. })) {
        let mut line = phone.line();
        let text = line.write("REGISTER", "", "").replace("To: <sip:bob@", &format!("To: <sip:{}@", 100 + asked));
        phone.send(&text).await;
        assert_eq!(phone.last("REGISTER").await.status(), 401);
        asked += 1;
        assert!(asked <= 6);
    }
    let banned = |one: &Notice| matches!(one, Notice::Banned { address, seconds: 600, fault: Fault::UnknownUser, strikes: 6 } if address.is_loopback());
    assert!(house.desk.told(banned));
    // Nothing is answered any more: not by datagrams, and a connection is closed.
    let questions = house.desk.questions.load(std::sync::atomic::Ordering::Relaxed);
    let mut line = phone.line();
    phone.send(&line.write("OPTIONS", "", "")).await;
    let mut tcp = Phone::tcp(house.at(Transport::Tcp)).await;
    assert!(tcp.take().await.is_none());
    assert_eq!(house.desk.questions.load(std::sync::atomic::Ordering::Relaxed), questions);
}

#[tokio::test]
async fn a_scanner_is_banned_at_once_and_a_trunk_never() {
    let house = House::strict(|_| {}).await;
    let mut phone = house.phone().await;
    let mut line = phone.line();
    phone.send(&line.write("OPTIONS", "User-Agent: friendly-scanner\r\n", "")).await;
    let told = async {
        while !house.desk.told(|one| matches!(one, Notice::Banned { fault: Fault::Scanner, .. })) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, told).await.expect("in time");
    assert!(Phone::tcp(house.at(Transport::Tcp)).await.take().await.is_none());

    let mut house = House::open().await;
    let mut phone = house.phone().await;
    let (mut line, dialog) = house.talking(&mut phone).await;
    drop(line.write("BYE", "", ""));
    phone.send(&phone.line().write("OPTIONS", "User-Agent: sipvicious\r\n", "")).await;
    assert_eq!(phone.last("OPTIONS").await.status(), 200);
    drop(dialog);
}

#[tokio::test]
async fn connections_are_counted() {
    let house = House::with(|config| config.limits.source_connections = 2).await;
    let mut first = Phone::tcp(house.at(Transport::Tcp)).await;
    first.alive().await;
    let mut second = Phone::tcp(house.at(Transport::Tcp)).await;
    second.alive().await;
    let mut third = Phone::tcp(house.at(Transport::Tcp)).await;
    assert!(third.take().await.is_none());
    assert!(house.desk.told(|one| matches!(one, Notice::TooManyConnections { .. })));
    first.alive().await;
}
