//! Changes of a session, and the other requests within a call.

use std::time::Duration;

use tandem_sip::{By, Event, Failed, ReinviteError};

use crate::house::{ANSWER, House, OFFER, next};

const HELD: &str =
    "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=sendonly\r\n";

#[tokio::test]
async fn they_offer() {
    let mut house = House::open().await;
    let mut phone = house.phone().await;
    let (mut line, mut dialog) = house.talking(&mut phone).await;
    for method in ["INVITE", "UPDATE"] {
        phone.send(&line.write(method, "", HELD)).await;
        let Event::Offer(offer) = next(&mut dialog).await else { panic!("an offer") };
        assert_eq!((offer.sdp.as_deref(), offer.update), (Some(HELD.as_bytes()), method == "UPDATE"));
        offer.accept(ANSWER.into());
        let ok = phone.last(method).await;
        assert_eq!((ok.status(), ok.body.as_str(), ok.tag("To")), (200, ANSWER, line.remote.clone()));
        if method == "INVITE" {
            phone.send(&line.ack()).await;
        }
        phone.send(&line.write(method, "", HELD)).await;
        let Event::Offer(offer) = next(&mut dialog).await else { panic!("an offer") };
        offer.refuse(488);
        let refused = phone.last(method).await;
        assert_eq!(refused.status(), 488);
        if method == "INVITE" {
            phone.send(&line.nack(&refused)).await;
        }
    }
    phone.send(&line.write("UPDATE", "", "")).await;
    assert_eq!(phone.last("UPDATE").await.status(), 200);
    phone.send(&line.write("INVITE", "", HELD)).await;
    let Event::Offer(offer) = next(&mut dialog).await else { panic!("an offer") };
    drop(offer);
    let refused = phone.last("INVITE").await;
    assert_eq!(refused.status(), 500);
    phone.send(&line.nack(&refused)).await;
    phone.send(&line.write("BYE", "", "")).await;
    phone.last("BYE").await;
    house.empty().await;
}

#[tokio::test]
async fn they_offer_twice_before_an_answer() {
    let mut house = House::open().await;
    let mut phone = house.phone().await;
    let (mut line, mut dialog) = house.talking(&mut phone).await;
    phone.send(&line.invite(HELD)).await;
    let Event::Offer(offer) = next(&mut dialog).await else { panic!("an offer") };
    let first = line.clone();
    phone.send(&line.write("UPDATE", "", HELD)).await;
    let refused = phone.last("UPDATE").await;
    assert!(refused.status() == 500 && refused.get("Retry-After").parse::<u32>().unwrap() <= 10);
    phone.send(&first.cancel("")).await;
    assert_eq!(phone.status(487, "INVITE").await.tag("To"), line.remote);
    offer.accept(ANSWER.into()); // too late, and harmless
    phone.send(&line.write("BYE", "", "")).await;
    phone.last("BYE").await;
    assert!(matches!(next(&mut dialog).await, Event::Ended(ended) if ended.by == By::Them));
    house.empty().await;
}

#[tokio::test]
async fn we_offer() {
    let mut house = House::open().await;
    let mut phone = house.phone().await;
    let (_, mut dialog) = house.talking(&mut phone).await;
    let control = dialog.control();
    let offering = tokio::spawn(async move { control.reinvite(HELD.into()).await });
    let invite = phone.request("INVITE").await;
    assert_eq!(invite.body, HELD);
    phone.reply(&invite, 200, "", ANSWER).await;
    phone.request("ACK").await;
    assert_eq!(offering.await.unwrap(), Ok(Some(ANSWER.into())));
    let control = dialog.control();
    let offering = tokio::spawn(async move { control.reinvite(HELD.into()).await });
    let invite = phone.request("INVITE").await;
    assert_eq!(dialog.control().reinvite(HELD.into()).await, Err(ReinviteError::Pending));
    phone.reply(&invite, 488, "", "").await;
    phone.request("ACK").await;
    assert_eq!(offering.await.unwrap(), Err(ReinviteError::Failed(Failed::Refused(488))));
    // 481: there is no such dialog any more (RFC 3261 section 12.2.1.2).
    let control = dialog.control();
    let offering = tokio::spawn(async move { control.reinvite(HELD.into()).await });
    let invite = phone.request("INVITE").await;
    phone.reply(&invite, 481, "", "").await;
    assert!(offering.await.unwrap().is_err());
    let bye = phone.request("BYE").await;
    phone.reply(&bye, 481, "", "").await;
    assert!(matches!(next(&mut dialog).await, Event::Ended(ended) if ended.by == By::Transport));
    house.empty().await;
}

#[tokio::test]
async fn both_offer_at_once() {
    let mut house = House::open().await;
    let mut phone = house.phone().await;
    let (mut line, mut dialog) = house.talking(&mut phone).await;
    let control = dialog.control();
    let offering = tokio::spawn(async move { control.reinvite(HELD.into()).await });
    let ours = phone.request("INVITE").await;
    phone.send(&line.invite(OFFER)).await;
    let refused = phone.status(491, "INVITE").await;
    phone.send(&line.nack(&refused)).await;
    phone.reply(&ours, 491, "", "").await;
    phone.request("ACK").await;
    // Theirs comes first this time, and ours follows after its wait.
    let again = phone.request("INVITE").await;
    assert_eq!(again.body, HELD);
    assert!(
        again.get("CSeq").split(' ').next().unwrap().parse::<u32>().unwrap()
            > ours.get("CSeq").split(' ').next().unwrap().parse::<u32>().unwrap()
    );
    phone.reply(&again, 200, "", ANSWER).await;
    phone.request("ACK").await;
    assert_eq!(offering.await.unwrap(), Ok(Some(ANSWER.into())));
    phone.send(&line.invite(OFFER)).await;
    let Event::Offer(offer) = next(&mut dialog).await else { panic!("an offer") };
    offer.accept(ANSWER.into());
    phone.status(200, "INVITE").await;
    phone.send(&line.ack()).await;
    phone.send(&line.write("BYE", "", "")).await;
    phone.last("BYE").await;
    house.empty().await;
}

#[tokio::test]
async fn infos_go_both_ways() {
    let mut house = House::open().await;
    let mut phone = house.phone().await;
    let (mut line, mut dialog) = house.talking(&mut phone).await;
    let kind = "Content-Type: application/dtmf-relay\r\n";
    phone.send(&line.write("INFO", kind, "Signal=5\r\n")).await;
    let Event::Info(info) = next(&mut dialog).await else { panic!("an INFO") };
    assert_eq!((info.kind.as_str(), info.body.as_slice()), ("application/dtmf-relay", b"Signal=5\r\n".as_slice()));
    info.accept();
    assert_eq!(phone.last("INFO").await.status(), 200);
    phone.send(&line.write("INFO", kind, "Signal=5\r\n")).await;
    let Event::Info(info) = next(&mut dialog).await else { panic!("an INFO") };
    info.refuse(415);
    assert_eq!(phone.last("INFO").await.status(), 415);
    let control = dialog.control();
    let sending = tokio::spawn(async move { control.info("application/dtmf-relay", b"Signal=9\r\n".to_vec()).await });
    let info = phone.request("INFO").await;
    assert_eq!((info.body.as_str(), info.get("Content-Type")), ("Signal=9\r\n", "application/dtmf-relay"));
    phone.reply(&info, 200, "", "").await;
    assert_eq!(sending.await.unwrap(), Ok(200));
    phone.send(&line.write("BYE", "", "")).await;
    phone.last("BYE").await;
    house.empty().await;
}

#[tokio::test]
async fn transfers_go_both_ways() {
    let mut house = House::open().await;
    let mut phone = house.phone().await;
    let (mut line, mut dialog) = house.talking(&mut phone).await;
    let fields =
        "Refer-To: <sip:carol@x.test?Replaces=abc%40x%3Bto-tag%3D1%3Bfrom-tag%3D2>\r\nReferred-By: <sip:alice@phone.test>\r\n";
    phone.send(&line.write("REFER", fields, "")).await;
    let Event::Refer(refer) = next(&mut dialog).await else { panic!("a REFER") };
    assert_eq!((refer.to.as_str(), refer.replaces.as_deref()), ("sip:carol@x.test", Some("abc@x;to-tag=1;from-tag=2")));
    assert_eq!(refer.by.as_deref(), Some("sip:alice@phone.test"));
    refer.accept();
    assert_eq!(phone.last("REFER").await.status(), 202);
    let control = dialog.control();
    let notifying = tokio::spawn(async move { control.notify_refer(200, "OK").await });
    let notify = phone.request("NOTIFY").await;
    assert_eq!((notify.body.as_str(), notify.get("Event")), ("SIP/2.0 200 OK\r\n", "refer"));
    assert!(notify.get("Subscription-State").starts_with("terminated"));
    phone.reply(&notify, 200, "", "").await;
    assert_eq!(notifying.await.unwrap(), Ok(200));

    let control = dialog.control();
    let referring =
        tokio::spawn(async move { control.refer("sip:carol@x.test", Some("abc@x;to-tag=1"), Some("sip:us@x.test")).await });
    let refer = phone.request("REFER").await;
    assert_eq!(
        (refer.get("Refer-To"), refer.get("Referred-By")),
        ("<sip:carol@x.test?Replaces=abc%40x%3Bto-tag%3D1>", "<sip:us@x.test>")
    );
    phone.reply(&refer, 202, "", "").await;
    assert_eq!(referring.await.unwrap(), Ok(202));
    for (state, status) in [("active", 180), ("terminated;reason=noresource", 200)] {
        let fields = format!("Event: refer\r\nSubscription-State: {state}\r\nContent-Type: message/sipfrag\r\n");
        phone.send(&line.write("NOTIFY", &fields, &format!("SIP/2.0 {status} Said\r\n"))).await;
        assert_eq!(phone.last("NOTIFY").await.status(), 200);
        assert!(
            matches!(next(&mut dialog).await, Event::Notified { status: said, last } if said == status && last == (status == 200))
        );
    }
    phone.send(&line.write("NOTIFY", "Event: presence\r\n", "")).await;
    assert_eq!(phone.last("NOTIFY").await.status(), 489);
    phone.send(&line.write("BYE", "", "")).await;
    phone.last("BYE").await;
    house.empty().await;
}

#[tokio::test]
async fn what_is_out_of_order_is_refused() {
    let mut house = House::open().await;
    let mut phone = house.phone().await;
    let (mut line, _dialog) = house.talking(&mut phone).await;
    line.cseq -= 10;
    phone.send(&line.write("INFO", "", "")).await;
    assert_eq!(phone.last("INFO").await.status(), 500);
    line.cseq += 10;
    for (method, status) in [("OPTIONS", 200), ("PRACK", 481), ("MESSAGE", 405), ("SUBSCRIBE", 405)] {
        phone.send(&line.write(method, "", "")).await;
        assert_eq!(phone.last(method).await.status(), status, "{method}");
    }
    phone.send(&line.write("BYE", "", "")).await;
    phone.last("BYE").await;
    house.empty().await;
    phone.send(&line.write("BYE", "", "")).await;
    assert_eq!(phone.last("BYE").await.status(), 481);
}

#[tokio::test]
async fn a_peer_that_is_silent_is_given_up() {
    let mut house = House::with(|config| {
        config.timers.t1 = Duration::from_millis(20);
        config.timers.timeout = Duration::from_millis(300);
    })
    .await;
    let mut phone = house.phone().await;
    let (_, mut dialog) = house.talking(&mut phone).await;
    assert!(dialog.control().info("text/plain", b"x".to_vec()).await.is_err());
    assert!(matches!(next(&mut dialog).await, Event::Ended(ended) if ended.by == By::Transport));
    house.empty().await;
}
