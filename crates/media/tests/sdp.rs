//! Descriptions and agreements, as two parties make them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

use std::{net::IpAddr, sync::Arc};

use proptest::prelude::*;
use tandem_kernel::SeededRng;
use tandem_media::{
    Codec,
    sdp::{
        Address, Attribute, Capabilities, Description, Direction, Local, Negotiated, Origin, Preference, Refusal, SdpFault,
        Section, Security, Session,
    },
};

fn local(port: u16) -> Local {
    Local { address: IpAddr::from([192, 0, 2, 1]), port, rtcp: port + 1 }
}

fn session(port: u16, capabilities: Capabilities) -> Session {
    Session::new(local(port), capabilities, Arc::new(SeededRng::new(u64::from(port))))
}

fn parsed(text: &str) -> Description {
    text.parse().expect("a description")
}

const PHONE: &str = "v=0\r\no=bob 2890844526 2890844526 IN IP4 host.example.com\r\ns=\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n\
    m=audio 49170 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
    a=fmtp:101 0-16\r\na=ptime:30\r\na=rtcp:53020\r\n\
    m=video 51372 RTP/AVP 31\r\na=rtpmap:31 H261/90000\r\n";

#[test]
fn a_telephones_offer_is_answered_and_its_video_refused() {
    let (answer, agreed) =
        session(4000, Capabilities::default()).answer(&parsed(PHONE), Direction::SendRecv).expect("an agreement");
    let text = answer.to_string();
    let lines: Vec<&str> = text.lines().skip(2).collect();
    assert_eq!(
        lines,
        [
            "s=-",
            "c=IN IP4 192.0.2.1",
            "t=0 0",
            "m=audio 4000 RTP/AVP 8 101",
            "a=rtpmap:8 PCMA/8000",
            "a=rtpmap:101 telephone-event/8000",
            "a=fmtp:101 0-15",
            "a=ptime:30",
            "a=sendrecv",
            "m=video 0 RTP/AVP 31",
        ]
    );
    assert_eq!(agreed.remote, Some("198.51.100.7:49170".parse().unwrap()));
    assert_eq!(agreed.remote_rtcp, Some("198.51.100.7:53020".parse().unwrap()));
    assert_eq!((agreed.send.codec, agreed.send.payload, agreed.ptime), (Codec::Pcma, 8, 30));
    assert_eq!(agreed.send_events.map(|events| events.payload), Some(101));
}

#[test]
fn our_order_decides_where_it_is_wanted() {
    let ours = Capabilities { preference: Preference::Ours, ..Capabilities::default() };
    let (_, agreed) = session(4000, ours).answer(&parsed(PHONE), Direction::SendRecv).expect("an agreement");
    assert_eq!(agreed.send.codec, Codec::Pcmu);
}

#[test]
fn two_of_us_agree_and_put_each_other_on_hold() {
    let (mut a, mut b) = (session(4000, Capabilities::default()), session(5000, Capabilities::default()));
    let agree = |a: &mut Session, b: &mut Session, from_a, from_b| -> (Negotiated, Negotiated) {
        let offer = parsed(&a.offer(from_a).to_string());
        let (answer, theirs) = b.answer(&offer, from_b).expect("an agreement");
        (a.accept(&parsed(&answer.to_string())).expect("an answer that fits"), theirs)
    };
    let (ours, theirs) = agree(&mut a, &mut b, Direction::SendRecv, Direction::SendRecv);
    assert_eq!((ours.direction, theirs.direction), (Direction::SendRecv, Direction::SendRecv));
    assert!(ours.rtcp_mux && theirs.rtcp_mux);
    assert_eq!(ours.send, theirs.send);
    let first = a.said().unwrap().origin.clone();
    let (ours, theirs) = agree(&mut a, &mut b, Direction::SendOnly, Direction::SendRecv);
    assert_eq!((ours.direction, theirs.direction), (Direction::SendOnly, Direction::RecvOnly));
    let (ours, theirs) = agree(&mut b, &mut a, Direction::Inactive, Direction::SendRecv);
    assert_eq!((ours.direction, theirs.direction), (Direction::Inactive, Direction::Inactive));
    let (ours, theirs) = agree(&mut a, &mut b, Direction::SendRecv, Direction::SendRecv);
    assert_eq!((ours.direction, theirs.direction), (Direction::SendRecv, Direction::SendRecv));
    let last = a.said().unwrap().origin.clone();
    assert_eq!((first.session == last.session, first.version.as_str(), last.version.as_str()), (true, "1", "4"));
}

#[test]
fn an_unchanged_offer_keeps_its_version() {
    let mut a = session(4000, Capabilities::default());
    assert_eq!(a.offer(Direction::SendRecv), a.offer(Direction::SendRecv));
}

#[test]
fn hold_the_old_way_stops_what_we_send() {
    let held = PHONE.replace("c=IN IP4 198.51.100.7", "c=IN IP4 0.0.0.0");
    let (answer, agreed) =
        session(4000, Capabilities::default()).answer(&parsed(&held), Direction::SendRecv).expect("an agreement");
    assert_eq!((agreed.direction, agreed.remote), (Direction::RecvOnly, None));
    assert_eq!(answer.media[0].direction(), Some(Direction::RecvOnly));
}

#[test]
fn keys_are_exchanged_and_an_encrypted_section_is_taken_before_a_plain_one() {
    let secure = || Capabilities { security: Security::Required, ..Capabilities::default() };
    let (mut a, mut b) = (session(4000, secure()), session(5000, Capabilities::default()));
    let offer = a.offer(Direction::SendRecv);
    assert_eq!(offer.media[0].protocol, "RTP/SAVP");
    let (answer, theirs) = b.answer(&parsed(&offer.to_string()), Direction::SendRecv).expect("an agreement");
    let ours = a.accept(&parsed(&answer.to_string())).expect("an answer");
    let (ours, theirs) = (ours.srtp.expect("keys"), theirs.srtp.expect("keys"));
    assert!(ours.ours == theirs.theirs && ours.theirs == theirs.ours && ours.ours != ours.theirs);
    assert_eq!(answer.media[0].cryptos().len(), 1);
    // Keys are in what is sent and in nothing that is logged.
    assert!(answer.to_string().contains("inline:") && !format!("{answer:?}{ours:?}").contains("inline"));

    let mut both = parsed(PHONE);
    both.media.truncate(1);
    both.media.push(offer.media[0].clone());
    let (answer, agreed) = session(6000, Capabilities::default()).answer(&both, Direction::SendRecv).expect("an agreement");
    assert_eq!((answer.media[0].port, answer.media[1].port, agreed.srtp.is_some()), (0, 6000, true));
    // A later offer of ours keeps both sections in their places, and the encryption.
    let mut again = session(6000, Capabilities::default());
    again.answer(&both, Direction::SendRecv).expect("an agreement");
    let offer = again.offer(Direction::SendOnly);
    assert_eq!((offer.media.len(), offer.media[0].port, offer.media[1].protocol.as_str()), (2, 0, "RTP/SAVP"));
}

#[test]
fn what_cannot_be_agreed_on_is_refused_with_its_reason() {
    let answer = |capabilities, text: &str| session(4000, capabilities).answer(&parsed(text), Direction::SendRecv).map(|_| ());
    let with = |security| Capabilities { security, ..Capabilities::default() };
    assert_eq!(answer(with(Security::Required), PHONE), Err(Refusal::Security));
    let secure = session(1, with(Security::Required)).offer(Direction::SendRecv).to_string();
    assert_eq!(answer(with(Security::Off), &secure), Err(Refusal::Security));
    let only = Capabilities { codecs: vec![Codec::Opus], ..Capabilities::default() };
    assert_eq!(answer(only, PHONE), Err(Refusal::NoCommonCodec));
    assert_eq!(answer(Capabilities::default(), &PHONE.replace("49170", "0")), Err(Refusal::NoAudio));
    assert_eq!(
        answer(Capabilities::default(), &PHONE.replace("m=audio 49170 RTP/AVP", "m=audio 4 UDP/TLS/RTP/SAVPF")),
        Err(Refusal::NoAudio)
    );

    let mut a = session(4000, Capabilities::default());
    let offer = a.offer(Direction::SendRecv);
    let mut short = offer.clone();
    short.media.clear();
    assert_eq!(a.accept(&short), Err(Refusal::Mismatch));
    let mut refused = offer.clone();
    refused.media[0].port = 0;
    assert_eq!(a.accept(&refused), Err(Refusal::NoAudio));
    assert_eq!(session(5000, Capabilities::default()).accept(&offer), Err(Refusal::Mismatch));
}

#[test]
fn a_number_keeps_its_meaning_when_we_offer_in_a_session_of_theirs() {
    let theirs = PHONE.replace("101", "97");
    let opus = Capabilities { codecs: vec![Codec::Pcma, Codec::Opus], ..Capabilities::default() };
    let mut us = session(4000, opus);
    us.answer(&parsed(&theirs), Direction::SendRecv).expect("an agreement");
    let offer = us.offer(Direction::SendRecv);
    assert_eq!(offer.media[0].formats, ["8", "107", "97", "110"]);
}

#[test]
fn a_text_that_is_no_description_says_why() {
    let fault = |text: &[u8]| Description::parse(text).expect_err("no description");
    assert_eq!(fault(b""), SdpFault::Origin);
    assert_eq!(fault(b"hello"), SdpFault::Version);
    assert_eq!(fault(b"v=1\r\n"), SdpFault::Version);
    assert_eq!(fault(b"v=0\r\no=x\r\n"), SdpFault::Origin);
    assert_eq!(fault(b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\nm=audio\r\n"), SdpFault::Line(3));
    assert_eq!(fault(b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\nm=audio 70000 RTP/AVP 0\r\n"), SdpFault::Line(3));
    assert_eq!(fault(b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\nc=IN IP6 192.0.2.1\r\n"), SdpFault::Line(3));
    assert_eq!(fault(&vec![b'v'; 70_000]), SdpFault::TooLarge);
    let many = format!("v=0\no=- 1 1 IN IP4 192.0.2.1\n{}", "m=audio 1 RTP/AVP 0\n".repeat(33));
    assert_eq!(fault(many.as_bytes()), SdpFault::TooLarge);
}

fn token() -> impl Strategy<Value = String> {
    "[A-Za-z0-9/._-]{1,12}"
}

fn address() -> impl Strategy<Value = Address> {
    let name = (any::<bool>(), "[a-z]{1,8}\\.example").prop_map(|(v6, name)| Address::Name { v6, name });
    prop_oneof![
        any::<[u8; 4]>().prop_map(|ip| Address::Ip(ip.into())),
        any::<[u8; 16]>().prop_map(|ip| Address::Ip(ip.into())),
        name
    ]
}

fn attributes() -> impl Strategy<Value = Vec<Attribute>> {
    let attribute = ("[a-z-]{1,12}", proptest::option::of("([!-~]([ -~]{0,30}[!-~])?)?"));
    proptest::collection::vec(attribute.prop_map(|(name, value)| Attribute { name, value }), 0..6)
}

fn section() -> impl Strategy<Value = Section> {
    let formats = proptest::collection::vec(token(), 1..6);
    (token(), any::<u16>(), token(), formats, proptest::option::of(address()), attributes()).prop_map(
        |(kind, port, protocol, formats, connection, attributes)| Section { kind, port, protocol, formats, connection, attributes },
    )
}

prop_compose! {
    fn description()(
        user in token(), session in "[0-9]{1,24}", version in "[0-9]{1,24}", origin in address(), name in "[!-~]([ -~]{0,20}[!-~])?",
        connection in proptest::option::of(address()), attributes in attributes(), media in proptest::collection::vec(section(), 0..5),
    ) -> Description {
        Description { origin: Origin { user, session, version, address: origin }, name, connection, attributes, media }
    }
}

/// Offers that a telephone could make: any mixture of formats, sections, directions and keys.
fn offer() -> impl Strategy<Value = Description> {
    let line = proptest::sample::select(vec![
        "a=rtpmap:96 opus/48000/2",
        "a=rtpmap:97 telephone-event/8000",
        "a=rtpmap:98 telephone-event/48000",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:9 G722/8000",
        "a=rtpmap:8 PCMA/8000/1",
        "a=rtpmap:8 pcma/16000",
        "a=rtpmap:99 x/0",
        "a=ptime:0",
        "a=ptime:60",
        "a=maxptime:30",
        "a=maxptime:5",
        "a=sendonly",
        "a=inactive",
        "a=recvonly",
        "a=rtcp-mux",
        "a=rtcp:9 IN IP4 192.0.2.9",
        "a=rtcp:0",
        "c=IN IP4 0.0.0.0",
        "c=IN IP6 2001:db8::1",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4",
        "a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20",
        "a=crypto:3 F8 inline:x",
        "a=crypto:4",
    ]);
    let head = (
        "(audio|video|image)",
        any::<u16>(),
        "RTP/(AVP|SAVP|AVPF|SAVPF)",
        "(0|8|9|96|97|98|99|127|200|x)( (0|8|9|96|97|98|99|127|200|x)){0,5}",
    );
    let section = (head, proptest::collection::vec(line, 0..8));
    proptest::collection::vec(section, 0..4).prop_map(|sections| {
        let sections = sections.into_iter().map(|((kind, port, protocol, formats), lines)| {
            format!(
                "m={kind} {port} {protocol} {formats}\r\n{}",
                lines.iter().map(|line| format!("{line}\r\n")).collect::<String>()
            )
        });
        let text =
            format!("v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n{}", sections.collect::<String>());
        parsed(&text)
    })
}

fn security() -> impl Strategy<Value = Security> {
    proptest::sample::select(vec![Security::Off, Security::Allowed, Security::Required])
}

fn fits(offer: &Description, answer: &Description, agreed: &Negotiated) {
    assert_eq!(offer.media.len(), answer.media.len());
    let mut taken = 0;
    for (offered, answered) in offer.media.iter().zip(&answer.media) {
        assert_eq!((&offered.kind, &offered.protocol), (&answered.kind, &answered.protocol));
        assert!(answered.formats.iter().all(|format| offered.formats.contains(format)));
        if answered.port == 0 {
            continue;
        }
        taken += 1;
        assert_ne!(offered.port, 0);
        let theirs = offered.direction().unwrap_or_default();
        let ours = answered.direction().expect("a direction");
        assert!(!ours.sends() || theirs.receives());
        assert!(!ours.receives() || theirs.sends());
        assert_eq!(ours, agreed.direction);
        assert!(!answered.rtcp_mux() || offered.rtcp_mux());
        assert!(offered.maxptime().is_none_or(|most| agreed.ptime <= most || agreed.ptime == 10));
        let tags: Vec<u32> = offered.cryptos().iter().map(|crypto| crypto.tag).collect();
        assert!(answered.cryptos().iter().all(|crypto| tags.contains(&crypto.tag)));
        assert_eq!(answered.cryptos().len(), usize::from(offered.protocol.contains("SAVP")));
    }
    assert_eq!(taken, 1);
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_it_was(description in description()) {
        prop_assert_eq!(parsed(&description.to_string()), description);
    }

    #[test]
    fn no_text_breaks_the_reader(text in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = Description::parse(&text);
    }

    #[test]
    fn no_change_to_a_real_text_breaks_the_reader_or_the_answer(
        at in 0..PHONE.len(), cut in 0..40usize, put in proptest::collection::vec(any::<u8>(), 0..20),
    ) {
        let mut text = PHONE.as_bytes().to_vec();
        let end = (at + cut).min(text.len());
        text.splice(at..end, put);
        if let Ok(read) = Description::parse(&text) {
            let _ = session(4000, Capabilities::default()).answer(&read, Direction::SendRecv);
            let mut offerer = session(4000, Capabilities::default());
            offerer.offer(Direction::SendRecv);
            let _ = offerer.accept(&read);
        }
    }

    #[test]
    fn an_answer_always_fits_its_offer(offer in offer(), security in security(), ours in any::<bool>()) {
        let preference = if ours { Preference::Ours } else { Preference::Theirs };
        let capabilities = Capabilities { codecs: Codec::ALL.to_vec(), security, preference, ..Capabilities::default() };
        let mut session = session(4000, capabilities);
        if let Ok((answer, agreed)) = session.answer(&offer, Direction::SendRecv) {
            fits(&offer, &parsed(&answer.to_string()), &agreed);
            let again = session.offer(Direction::SendRecv);
            prop_assert_eq!(again.media.len(), offer.media.len());
        }
    }

    #[test]
    fn two_of_us_always_agree_where_a_codec_is_common(seed in any::<u64>(), masks in any::<(u8, u8)>()) {
        let of = |mask: u8| Codec::ALL.into_iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1).map(|(_, codec)| codec).collect::<Vec<_>>();
        let capabilities = |codecs| Capabilities { codecs, ..Capabilities::default() };
        let (codecs_a, codecs_b) = (of(masks.0), of(masks.1));
        let common = codecs_a.iter().any(|codec| codecs_b.contains(codec));
        let rng = Arc::new(SeededRng::new(seed));
        let mut a = Session::new(local(4000), capabilities(codecs_a), rng.clone());
        let mut b = Session::new(local(5000), capabilities(codecs_b), rng);
        let answered = b.answer(&a.offer(Direction::SendRecv), Direction::SendRecv);
        prop_assert_eq!(answered.is_ok(), common);
        if let Ok((answer, theirs)) = answered {
            let ours = a.accept(&answer).expect("an agreement");
            prop_assert_eq!(ours.send, theirs.send);
            prop_assert!(ours.receive.contains(&ours.send));
        }
    }
}
