//! Session timers (RFC 4028).

use tandem_sip::{By, Event, Progress};

use crate::{
    house::{ANSWER, House, Line, OFFER, next},
    outbound::dial,
};

async fn house(expires: u32) -> House {
    House::with(|config| {
        config.session.expires = expires;
        config.session.least = 1;
    })
    .await
}

#[tokio::test]
async fn a_session_that_is_too_short_is_refused() {
    let house = House::with(|config| config.session.expires = 1800).await;
    let mut phone = house.phone().await;
    let mut line = phone.line();
    phone.send(&line.write("INVITE", "Supported: timer\r\nSession-Expires: 30\r\n", OFFER)).await;
    let refused = phone.last("INVITE").await;
    assert_eq!((refused.status(), refused.get("Min-SE")), (422, "90"));
    phone.send(&line.nack(&refused)).await;
    house.empty().await;
}

#[tokio::test]
async fn the_caller_refreshes_or_the_call_is_over() {
    let mut house = house(1800).await;
    let mut phone = house.phone().await;
    let mut line = phone.line();
    phone.send(&line.write("INVITE", "Supported: timer\r\nx: 2\r\n", OFFER)).await;
    let mut dialog = house.call().await.answer(ANSWER.into()).await.unwrap();
    let ok = phone.status(200, "INVITE").await;
    assert_eq!((ok.get("Session-Expires"), ok.get("Require")), ("2;refresher=uac", "timer"));
    line.learn(&ok);
    phone.send(&line.ack()).await;
    next(&mut dialog).await;
    phone.send(&line.write("UPDATE", "Supported: timer\r\nSession-Expires: 2;refresher=uac\r\n", "")).await;
    assert_eq!(phone.last("UPDATE").await.get("Session-Expires"), "2;refresher=uac");
    let bye = phone.request("BYE").await;
    assert!(bye.get("Reason").starts_with("SIP;cause=408"));
    phone.reply(&bye, 200, "", "").await;
    assert!(matches!(next(&mut dialog).await, Event::Ended(ended) if ended.by == By::SessionExpired));
    house.empty().await;
}

/// Who does not know timers is refreshed by us, with an UPDATE where it takes that and a re-INVITE where not.
#[tokio::test]
async fn we_refresh() {
    for (allow, method) in [("Allow: INVITE, UPDATE\r\n", "UPDATE"), ("", "INVITE")] {
        let mut house = house(2).await;
        let mut phone = house.phone().await;
        let mut line = phone.line();
        phone.send(&line.write("INVITE", allow, OFFER)).await;
        let mut dialog = house.call().await.answer(ANSWER.into()).await.unwrap();
        let ok = phone.status(200, "INVITE").await;
        assert_eq!((ok.get("Session-Expires"), ok.get("Require")), ("2;refresher=uas", ""));
        line.learn(&ok);
        phone.send(&line.ack()).await;
        next(&mut dialog).await;
        for _ in 0..2 {
            let refresh = phone.request(method).await;
            assert_eq!(
                (refresh.get("Session-Expires"), refresh.body.as_str()),
                ("2;refresher=uac", if method == "INVITE" { ANSWER } else { "" })
            );
            phone.reply(&refresh, 200, "Session-Expires: 2;refresher=uac\r\n", if method == "INVITE" { ANSWER } else { "" }).await;
            if method == "INVITE" {
                phone.request("ACK").await;
            }
        }
        phone.send(&line.write("BYE", "", "")).await;
        phone.last("BYE").await;
        house.empty().await;
    }
}

#[tokio::test]
async fn a_call_of_ours_asks_for_a_timer_and_keeps_it() {
    let house = house(2).await;
    let mut phone = house.phone().await;
    let mut outgoing = house.sip.dial(dial(&phone));
    let invite = phone.request("INVITE").await;
    assert_eq!((invite.get("Session-Expires"), invite.get("Min-SE"), invite.get("Supported")), ("2", "1", "timer"));
    phone.reply(&invite, 422, "Min-SE: 4\r\n", "").await;
    phone.request("ACK").await;
    let again = phone.until("another INVITE", |one| one.method() == "INVITE" && one.get("CSeq") != invite.get("CSeq")).await;
    assert_eq!((again.get("Session-Expires"), again.get("Min-SE")), ("4", "4"));
    phone.reply(&again, 200, "Session-Expires: 2;refresher=uac\r\nAllow: UPDATE\r\nRequire: timer\r\n", ANSWER).await;
    phone.request("ACK").await;
    let Some(Progress::Answered { mut dialog, .. }) = outgoing.next().await else { panic!("it was answered") };
    let refresh = phone.request("UPDATE").await;
    assert_eq!(refresh.get("Session-Expires"), "2;refresher=uac");
    phone.reply(&refresh, 481, "", "").await;
    let bye = phone.request("BYE").await;
    phone.reply(&bye, 481, "", "").await;
    assert!(matches!(next(&mut dialog).await, Event::Ended(ended) if ended.by == By::Transport));
    house.empty().await;
}

#[tokio::test]
async fn a_session_that_the_callee_does_not_refresh_is_over() {
    let house = house(2).await;
    let mut phone = house.phone().await;
    let mut outgoing = house.sip.dial(dial(&phone));
    let invite = phone.request("INVITE").await;
    phone.reply(&invite, 200, "Session-Expires: 2;refresher=uas\r\nRequire: timer\r\n", ANSWER).await;
    phone.request("ACK").await;
    let Some(Progress::Answered { mut dialog, .. }) = outgoing.next().await else { panic!("it was answered") };
    let mut line = Line::called(&phone, &invite);
    phone.send(&line.write("INVITE", "Supported: timer\r\nSession-Expires: 2;refresher=uac\r\n", OFFER)).await;
    let Event::Offer(offer) = next(&mut dialog).await else { panic!("a refresh") };
    offer.accept(ANSWER.into());
    assert_eq!(phone.status(200, "INVITE").await.get("Session-Expires"), "2;refresher=uac");
    phone.send(&line.ack()).await;
    let bye = phone.request("BYE").await;
    phone.reply(&bye, 200, "", "").await;
    assert!(matches!(next(&mut dialog).await, Event::Ended(ended) if ended.by == By::SessionExpired));
    house.empty().await;
}
