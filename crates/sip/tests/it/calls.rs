//! Calls to us.

use std::time::Duration;

use tandem_sip::{By, Event, Reason, Refusal, Transport};

use crate::house::{ANSWER, House, Message, OFFER, PATIENCE, Phone, next};

#[tokio::test]
async fn a_call_rings_is_answered_and_ended_by_the_caller() {
    let mut house = House::open().await;
    let mut phone = house.phone().await;
    let mut line = phone.line();
    let fields = "P-Asserted-Identity: <sip:+15550111@trunk.test>\r\nDiversion: <sip:+1@x>;reason=unconditional, <sip:+2@x>\r\n";
    phone.send(&line.write("INVITE", fields, OFFER)).await;
    let call = house.call().await;
    assert_eq!(
        (call.called().as_deref(), call.calling().as_deref(), call.calling_name().as_deref()),
        (Some("+15550100"), Some("alice"), Some("Alice"))
    );
    assert_eq!(
        (call.asserted(), call.diversions()),
        (vec!["sip:+15550111@trunk.test".to_owned()], vec!["sip:+1@x".into(), "sip:+2@x".into()])
    );
    assert_eq!((call.offer(), call.max_forwards(), call.source().address), (Some(OFFER.into()), 70, phone.local));
    assert_eq!(phone.status(100, "INVITE").await.tag("To"), "");
    call.ring(180, None).await;
    let ringing = phone.status(180, "INVITE").await;
    assert!(!ringing.tag("To").is_empty() && ringing.body.is_empty());
    call.ring(183, Some(ANSWER.into())).await;
    let early = phone.status(183, "INVITE").await;
    assert_eq!((early.body.as_str(), early.get("Content-Type"), early.tag("To")), (ANSWER, "application/sdp", ringing.tag("To")));
    let mut dialog = call.answer(ANSWER.into()).await.expect("a dialog");
    let ok = phone.status(200, "INVITE").await;
    assert_eq!((ok.body.as_str(), ok.tag("To")), (ANSWER, ringing.tag("To")));
    assert_eq!(ok.get("Contact"), format!("<sip:{}>", house.at(Transport::Udp)));
    line.learn(&ok);
    phone.send(&line.ack()).await;
    assert!(matches!(next(&mut dialog).await, Event::Confirmed { sdp: None }));
    assert_eq!(house.sip.load().dialogs, 1);
    phone.send(&line.write("BYE", "Reason: Q.850;cause=16;text=\"done\"\r\n", "")).await;
    assert_eq!(phone.last("BYE").await.status(), 200);
    let Event::Ended(ended) = next(&mut dialog).await else { panic!("it has ended") };
    assert_eq!((ended.by, ended.reasons), (By::Them, vec![Reason::q850(16, "done")]));
    assert!(dialog.next().await.is_none());
    house.empty().await;
}

#[tokio::test]
async fn a_call_is_ended_by_us() {
    let mut house = House::open().await;
    let mut phone = house.phone().await;
    let (line, mut dialog) = house.talking(&mut phone).await;
    dialog.control().bye(vec![Reason::q850(16, "Normal clearing")]).await;
    let bye = phone.request("BYE").await;
    assert_eq!((bye.get("Reason"), bye.get("Call-ID")), ("Q.850;cause=16;text=\"Normal clearing\"", line.call_id.as_str()));
    assert_eq!(
        (bye.tag("From"), bye.tag("To"), bye.uri()),
        (line.remote.clone(), line.tag.clone(), format!("sip:phone@{}", phone.local).as_str())
    );
    phone.reply(&bye, 200, "", "").await;
    assert!(matches!(next(&mut dialog).await, Event::Ended(ended) if ended.by == By::Us));
    house.empty().await;
}

#[tokio::test]
async fn both_hang_up_at_once() {
    let mut house = House::open().await;
    let mut phone = house.phone().await;
    let (mut line, mut dialog) = house.talking(&mut phone).await;
    dialog.control().bye(Vec::new()).await;
    let bye = phone.request("BYE").await;
    phone.send(&line.write("BYE", "", "")).await;
    assert_eq!(phone.last("BYE").await.status(), 200);
    phone.reply(&bye, 200, "", "").await;
    assert!(matches!(next(&mut dialog).await, Event::Ended(_)));
    house.empty().await;
}

#[tokio::test]
async fn a_call_is_refused_with_reasons() {
    let mut house = House::open().await;
    let mut phone = house.phone().await;
    let mut line = phone.line();
    phone.send(&line.invite(OFFER)).await;
    let reasons =
        vec![Reason::q850(34, "no circuit"), Reason { protocol: "Tandem".into(), cause: 1203, text: Some("req_1".into()) }];
    house.call().await.refuse(Refusal { status: 503, reasons, retry_after: Some(7), contacts: Vec::new() }).await;
    let refused = phone.status(503, "INVITE").await;
    assert_eq!(refused.all("Reason"), ["Q.850;cause=34;text=\"no circuit\"", "Tandem;cause=1203;text=\"req_1\""]);
    assert_eq!(refused.get("Retry-After"), "7");
    phone.send(&line.nack(&refused)).await;
    house.empty().await;

    let mut line = phone.line();
    phone.send(&line.invite(OFFER)).await;
    house.call().await.refuse(Refusal { status: 302, contacts: vec!["sip:else@where.test".into()], ..Refusal::default() }).await;
    let moved = phone.status(302, "INVITE").await;
    assert_eq!(moved.get("Contact"), "<sip:else@where.test>");
    phone.send(&line.nack(&moved)).await;
    house.empty().await;
}

#[tokio::test]
async fn a_caller_gives_up() {
    let mut house = House::open().await;
    let mut phone = house.phone().await;
    let mut line = phone.line();
    phone.send(&line.invite(OFFER)).await;
    let call = house.call().await;
    call.ring(180, None).await;
    let ringing = phone.status(180, "INVITE").await;
    phone.send(&line.cancel("Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n")).await;
    let ended = tokio::time::timeout(PATIENCE, call.cancelled()).await.expect("in time");
    assert_eq!((ended.by, ended.reasons), (By::Them, vec![Reason::sip(200, "Call completed elsewhere")]));
    let (cancelled, terminated) = both(&mut phone, |one| one.get("CSeq").ends_with("CANCEL"), |one| one.status() == 487).await;
    assert_eq!((cancelled.status(), terminated.tag("To")), (200, ringing.tag("To")));
    phone.send(&line.nack(&terminated)).await;
    assert!(call.answer(ANSWER.into()).await.is_err());
    house.empty().await;
}

/// Two messages in whichever order.
async fn both(phone: &mut Phone, first: impl Fn(&Message) -> bool, second: impl Fn(&Message) -> bool) -> (Message, Message) {
    let one = phone.until("either", |one| first(one) || second(one)).await;
    match first(&one) {
        true => (one, phone.until("the second", second).await),
        false => (phone.until("the first", first).await, one),
    }
}

#[tokio::test]
async fn a_cancel_that_comes_after_the_answer_changes_nothing() {
    let mut house = House::open().await;
    let mut phone = house.phone().await;
    let mut line = phone.line();
    phone.send(&line.invite(OFFER)).await;
    let mut dialog = house.call().await.answer(ANSWER.into()).await.expect("a dialog");
    phone.send(&line.cancel("")).await;
    let (ok, cancelled) = both(
        &mut phone,
        |one| one.status() == 200 && one.get("CSeq").ends_with("INVITE"),
        |one| one.get("CSeq").ends_with("CANCEL"),
    )
    .await;
    assert_eq!(cancelled.status(), 200);
    line.learn(&ok);
    phone.send(&line.ack()).await;
    assert!(matches!(next(&mut dialog).await, Event::Confirmed { .. }));
    phone.send(&line.write("BYE", "", "")).await;
    assert_eq!(phone.last("BYE").await.status(), 200);
    house.empty().await;
}

#[tokio::test]
async fn what_nobody_holds_ends() {
    let mut house = House::open().await;
    let mut phone = house.phone().await;
    let mut line = phone.line();
    phone.send(&line.invite(OFFER)).await;
    drop(house.call().await);
    let refused = phone.status(480, "INVITE").await;
    phone.send(&line.nack(&refused)).await;
    house.empty().await;

    let (_, dialog) = house.talking(&mut phone).await;
    let control = dialog.control();
    drop(dialog);
    let bye = phone.request("BYE").await;
    phone.reply(&bye, 200, "", "").await;
    house.empty().await;
    assert!(control.info("text/plain", Vec::new()).await.is_err());
}

#[tokio::test]
async fn an_answer_that_is_never_acknowledged_ends_the_call() {
    let mut house = House::with(|config| {
        config.timers.t1 = Duration::from_millis(20);
        config.timers.timeout = Duration::from_millis(400);
    })
    .await;
    let mut phone = house.phone().await;
    let mut line = phone.line();
    phone.send(&line.invite(OFFER)).await;
    let mut dialog = house.call().await.answer(ANSWER.into()).await.expect("a dialog");
    phone.status(200, "INVITE").await;
    phone.status(200, "INVITE").await; // it is repeated until the ACK
    let bye = phone.request("BYE").await;
    phone.reply(&bye, 200, "", "").await;
    assert!(matches!(next(&mut dialog).await, Event::Ended(ended) if ended.by == By::Transport));
    house.empty().await;
}

#[tokio::test]
async fn a_call_without_an_offer_gets_ours() {
    let mut house = House::open().await;
    let mut phone = house.phone().await;
    let mut line = phone.line();
    phone.send(&line.invite("")).await;
    let call = house.call().await;
    assert_eq!(call.offer(), None);
    let mut dialog = call.answer(OFFER.into()).await.expect("a dialog");
    let ok = phone.status(200, "INVITE").await;
    assert_eq!(ok.body, OFFER);
    line.learn(&ok);
    phone.send(&line.ack_with(ANSWER)).await;
    assert!(matches!(next(&mut dialog).await, Event::Confirmed { sdp: Some(sdp) } if sdp == ANSWER.as_bytes()));
    phone.send(&line.write("BYE", "", "")).await;
    phone.last("BYE").await;
    house.empty().await;
}

#[tokio::test]
async fn a_route_is_kept() {
    let mut house = House::open().await;
    let mut phone = house.phone().await;
    let mut line = phone.line();
    let local = phone.local;
    line.contact = "<sip:far@192.0.2.200:5099>".to_owned();
    phone.send(&line.write("INVITE", &format!("Record-Route: <sip:{local};lr>, <sip:second.test;lr>\r\n"), OFFER)).await;
    let mut dialog = house.call().await.answer(ANSWER.into()).await.expect("a dialog");
    let ok = phone.status(200, "INVITE").await;
    assert_eq!(ok.get("Record-Route"), format!("<sip:{local};lr>, <sip:second.test;lr>"));
    line.learn(&ok);
    phone.send(&line.ack()).await;
    next(&mut dialog).await;
    dialog.control().bye(Vec::new()).await;
    let bye = phone.request("BYE").await;
    assert_eq!(bye.uri(), "sip:far@192.0.2.200:5099");
    assert_eq!(bye.all("Route"), [format!("<sip:{local};lr>"), "<sip:second.test;lr>".to_owned()]);
    phone.reply(&bye, 200, "", "").await;
    house.empty().await;
}

#[tokio::test]
async fn stopping_refuses_new_calls_and_hangs_up_old_ones() {
    let mut house = House::open().await;
    let mut phone = house.phone().await;
    let (_, mut dialog) = house.talking(&mut phone).await;
    let stopping = tokio::spawn(house.sip.clone().stop(Duration::from_millis(300)));
    let mut other = Phone::udp(house.at(Transport::Udp)).await;
    let refused = loop {
        let mut line = other.line();
        other.send(&line.invite(OFFER)).await;
        let answer = other.until("an answer", |one| one.status() != 100).await;
        if answer.status() == 503 {
            break answer;
        }
    };
    assert!(!refused.get("Retry-After").is_empty());
    let bye = phone.request("BYE").await;
    assert!(bye.get("Reason").starts_with("Q.850;cause=41"));
    phone.reply(&bye, 200, "", "").await;
    assert!(matches!(next(&mut dialog).await, Event::Ended(ended) if ended.by == By::Us));
    tokio::time::timeout(PATIENCE, stopping).await.expect("in time").expect("stopped");
}
