//! Calls that we make.

use std::time::Duration;

use tandem_sip::{By, Dial, Event, Login, Outgoing, Progress, Reason, Source, Target, Transport};
use tokio::time::timeout;

use crate::house::{ANSWER, House, Line, OFFER, PATIENCE, Phone, next};

pub fn dial(phone: &Phone) -> Dial {
    let mut dial = Dial::new("sip:bob@callee.test", "sip:+15550100@tandem.test", OFFER.into());
    dial.target = Target::Source(Source { transport: Transport::Udp, address: phone.local });
    dial
}

async fn progress(outgoing: &mut Outgoing) -> Progress {
    timeout(PATIENCE, outgoing.next()).await.expect("in time").expect("progress")
}

#[tokio::test]
async fn a_call_is_answered_and_ended_by_the_callee() {
    let house = House::open().await;
    let mut phone = house.phone().await;
    let mut wanted = dial(&phone);
    wanted.name = Some("Tandem \"test\"".to_owned());
    wanted.fields.push(("P-Asserted-Identity".to_owned(), "<sip:+15550100@tandem.test>\r\nX-Evil: 1".to_owned()));
    wanted.max_forwards = 42;
    let mut outgoing = house.sip.dial(wanted);
    let invite = phone.request("INVITE").await;
    assert_eq!((invite.uri(), invite.body.as_str(), invite.get("Max-Forwards")), ("sip:bob@callee.test", OFFER, "42"));
    assert!(invite.get("From").starts_with("\"Tandem \\\"test\\\"\" <sip:+15550100@tandem.test>;tag="));
    assert_eq!((invite.get("X-Evil"), invite.get("Call-ID")), ("", outgoing.call_id()));
    phone.reply(&invite, 100, "", "").await;
    phone.reply(&invite, 180, "", "").await;
    assert!(matches!(progress(&mut outgoing).await, Progress::Ringing { status: 180, sdp: None }));
    phone.reply(&invite, 183, "", ANSWER).await;
    assert!(matches!(progress(&mut outgoing).await, Progress::Ringing { status: 183, sdp: Some(_) }));
    phone.reply(&invite, 200, "", ANSWER).await;
    let ack = phone.request("ACK").await;
    assert_eq!((ack.uri(), ack.tag("To").as_str()), (format!("sip:phone@{}", phone.local).as_str(), "phone"));
    let Progress::Answered { mut dialog, sdp } = progress(&mut outgoing).await else { panic!("it was answered") };
    assert_eq!(sdp.as_deref(), Some(ANSWER.as_bytes()));
    assert!(outgoing.next().await.is_none());
    drop(outgoing);
    phone.reply(&invite, 200, "", ANSWER).await; // as if the ACK was lost
    assert_eq!(phone.request("ACK").await.get("CSeq"), ack.get("CSeq"));
    let mut line = Line::called(&phone, &invite);
    phone.send(&line.write("BYE", "", "")).await;
    assert_eq!(phone.last("BYE").await.status(), 200);
    assert!(matches!(next(&mut dialog).await, Event::Ended(ended) if ended.by == By::Them));
    house.empty().await;
}

#[tokio::test]
async fn addresses_stay_as_they_are_written() {
    let house = House::open().await;
    let mut phone = house.phone().await;
    for uri in
        ["sip:+1%20555%2340@callee.test;user=phone", "sip:a;isub=1@callee.test:5080;lr", "sips:b@callee.test", "tel:+15550100"]
    {
        let mut wanted = dial(&phone);
        wanted.uri = uri.to_owned();
        let mut outgoing = house.sip.dial(wanted);
        let invite = phone.request("INVITE").await;
        assert_eq!((invite.uri(), invite.get("To")), (uri, format!("<{uri}>").as_str()));
        let local = phone.local;
        phone.reply(&invite, 200, &format!("Contact: <sip:%23far%20away@{local}>\r\n"), ANSWER).await;
        let ack = phone.request("ACK").await;
        let Progress::Answered { dialog, .. } = progress(&mut outgoing).await else { panic!("it was answered") };
        drop(dialog);
        let bye = phone.request("BYE").await;
        assert_eq!(ack.uri(), bye.uri());
        phone.reply(&bye, 200, "", "").await;
        house.empty().await;
    }
}

#[tokio::test]
async fn a_call_is_refused() {
    let house = House::open().await;
    let mut phone = house.phone().await;
    let mut outgoing = house.sip.dial(dial(&phone));
    let invite = phone.request("INVITE").await;
    phone.reply(&invite, 486, "Reason: Q.850;cause=17;text=\"User busy\"\r\nRetry-After: 30 (lunch)\r\n", "").await;
    let ack = phone.request("ACK").await;
    assert_eq!((ack.get("Via"), ack.tag("To").as_str()), (invite.get("Via"), "phone"));
    let Progress::Failed { status, reasons, retry_after, .. } = progress(&mut outgoing).await else { panic!("it was refused") };
    assert_eq!((status, reasons, retry_after), (486, vec![Reason::q850(17, "User busy")], Some(30)));
    house.empty().await;
}

#[tokio::test]
async fn a_challenge_is_answered_once() {
    for (asks, answers, status) in [("WWW-Authenticate", "Authorization", 401), ("Proxy-Authenticate", "Proxy-Authorization", 407)]
    {
        let house = House::open().await;
        let mut phone = house.phone().await;
        let mut wanted = dial(&phone);
        wanted.login = Some(Login { username: "trunk".into(), password: "secret".into() });
        let mut outgoing = house.sip.dial(wanted);
        let first = phone.request("INVITE").await;
        let challenge = format!(
            "{asks}: Digest realm=\"t\", nonce=\"n1\", algorithm=SHA-512-256\r\n{asks}: Digest realm=\"t\", nonce=\"n2\", algorithm=SHA-256, qop=\"auth\", opaque=\"o\"\r\n"
        );
        phone.reply(&first, status, &challenge, "").await;
        phone.request("ACK").await;
        let second = phone.request("INVITE").await;
        let shown = second.get(answers);
        assert!(
            ["username=\"trunk\"", "nonce=\"n2\"", "algorithm=SHA-256", "nc=00000001", "opaque=\"o\""]
                .iter()
                .all(|part| shown.contains(part)),
            "{shown}"
        );
        assert_ne!(first.get("CSeq"), second.get("CSeq"));
        assert_ne!(first.get("Via"), second.get("Via"));
        phone.reply(&second, status, &challenge, "").await;
        phone.request("ACK").await;
        assert!(matches!(progress(&mut outgoing).await, Progress::Failed { status: said, .. } if said == status));
        house.empty().await;
    }
}

#[tokio::test]
async fn a_call_is_given_up_only_after_something_was_heard() {
    let house = House::open().await;
    let mut phone = house.phone().await;
    let mut outgoing = house.sip.dial(dial(&phone));
    let invite = phone.request("INVITE").await;
    outgoing.cancel(vec![Reason::sip(200, "Call completed elsewhere")]);
    phone.request("INVITE").await; // it is repeated: no CANCEL yet
    phone.reply(&invite, 180, "", "").await;
    let cancel = phone.request("CANCEL").await;
    assert_eq!((cancel.get("Via"), cancel.get("Reason")), (invite.get("Via"), "SIP;cause=200;text=\"Call completed elsewhere\""));
    assert_eq!(cancel.get("CSeq").split(' ').next(), invite.get("CSeq").split(' ').next());
    phone.reply(&cancel, 200, "", "").await;
    phone.reply(&invite, 487, "", "").await;
    phone.request("ACK").await;
    assert!(matches!(progress(&mut outgoing).await, Progress::Cancelled));
    house.empty().await;
}

#[tokio::test]
async fn a_call_that_is_answered_while_it_is_given_up_is_hung_up() {
    let house = House::open().await;
    let mut phone = house.phone().await;
    let mut outgoing = house.sip.dial(dial(&phone));
    let invite = phone.request("INVITE").await;
    phone.reply(&invite, 180, "", "").await;
    assert!(matches!(progress(&mut outgoing).await, Progress::Ringing { .. }));
    drop(outgoing);
    let cancel = phone.request("CANCEL").await;
    phone.reply(&invite, 200, "", ANSWER).await;
    phone.reply(&cancel, 481, "", "").await;
    phone.request("ACK").await;
    let bye = phone.request("BYE").await;
    phone.reply(&bye, 200, "", "").await;
    house.empty().await;
}

#[tokio::test]
async fn a_call_rings_too_long() {
    let house = House::open().await;
    let mut phone = house.phone().await;
    let mut wanted = dial(&phone);
    wanted.ring = Duration::from_millis(200);
    let mut outgoing = house.sip.dial(wanted);
    let invite = phone.request("INVITE").await;
    phone.reply(&invite, 180, "", "").await;
    let cancel = phone.request("CANCEL").await;
    phone.reply(&cancel, 200, "", "").await;
    phone.reply(&invite, 487, "", "").await;
    phone.request("ACK").await;
    assert!(matches!(progress(&mut outgoing).await, Progress::Ringing { .. }));
    assert!(matches!(progress(&mut outgoing).await, Progress::TimedOut));
    house.empty().await;
}

#[tokio::test]
async fn a_call_is_not_answered_by_the_network() {
    let house = House::with(|config| {
        config.timers.t1 = Duration::from_millis(20);
        config.timers.timeout = Duration::from_millis(300);
    })
    .await;
    let phone = house.phone().await;
    let mut outgoing = house.sip.dial(dial(&phone));
    let said = progress(&mut outgoing).await;
    assert!(matches!(said, Progress::TimedOut | Progress::Failed { status: 408, .. }), "{said:?}");
    let mut wanted = dial(&phone);
    wanted.target = Target::Host { transport: Transport::Tcp, host: "127.0.0.1".into(), port: Some(1) };
    assert!(matches!(progress(&mut house.sip.dial(wanted)).await, Progress::Unreachable));
    house.empty().await;
}

#[tokio::test]
async fn a_contact_may_be_a_name() {
    let house = House::open().await;
    let mut phone = house.phone().await;
    let mut outgoing = house.sip.dial(dial(&phone));
    let invite = phone.request("INVITE").await;
    let contact = format!("sip:far@localhost:{}", phone.local.port());
    phone.reply(&invite, 200, &format!("Contact: <{contact}>\r\n"), ANSWER).await;
    assert_eq!(phone.request("ACK").await.uri(), contact);
    let Progress::Answered { dialog, .. } = progress(&mut outgoing).await else { panic!("it was answered") };
    drop(dialog);
    let bye = phone.request("BYE").await;
    assert_eq!(bye.uri(), contact);
    phone.reply(&bye, 200, "", "").await;
    house.empty().await;
}

#[tokio::test]
async fn a_second_fork_that_answers_is_hung_up() {
    let house = House::open().await;
    let mut phone = house.phone().await;
    let mut outgoing = house.sip.dial(dial(&phone));
    let invite = phone.request("INVITE").await;
    phone.reply_as(&invite, 180, "one", "", "").await;
    phone.reply_as(&invite, 180, "two", "", "").await;
    phone.reply_as(&invite, 200, "two", "", ANSWER).await;
    assert_eq!(phone.request("ACK").await.tag("To"), "two");
    phone.reply_as(&invite, 200, "one", "", ANSWER).await;
    assert_eq!(phone.request("ACK").await.tag("To"), "one");
    let bye = phone.request("BYE").await;
    assert_eq!(bye.tag("To"), "one");
    phone.reply(&bye, 200, "", "").await;
    let dialog = loop {
        if let Progress::Answered { dialog, .. } = progress(&mut outgoing).await {
            break dialog;
        }
    };
    assert_eq!(dialog.id().remote_tag, "two");
    drop(dialog);
    let bye = phone.request("BYE").await;
    assert_eq!(bye.tag("To"), "two");
    phone.reply(&bye, 200, "", "").await;
    house.empty().await;
}
