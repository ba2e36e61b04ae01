//! Streams, over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod common;

use std::time::Duration;

use common::{HERE, PATIENCE, Phone, config, media, only, told};
use tandem_media::{
    Codec, Media, MediaConfig, MediaError, Path, StreamEvent,
    dtmf::{Digit, Key, Means},
    rtp::{Header, rtcp},
    sdp::{Capabilities, Direction, Local, Security, Session},
};
use tokio::{net::UdpSocket, time::timeout};

fn plain() -> Capabilities {
    only(Codec::Pcmu)
}

/// Two telephones in a call.
async fn bridged(
    media: &Media,
    a: Capabilities,
    b: Capabilities,
) -> [(Phone, tandem_media::Stream, tokio::sync::mpsc::Receiver<StreamEvent>); 2] {
    let mut sides = Vec::new();
    for (seed, capabilities) in [(1, a), (2, b)] {
        let (stream, events) = media.stream().unwrap();
        let mut phone = Phone::new(capabilities.clone(), seed).await;
        phone.call(&stream, Capabilities { codecs: Codec::ALL.to_vec(), ..Capabilities::default() });
        sides.push((phone, stream, events));
    }
    let sides: [_; 2] = sides.try_into().ok().unwrap();
    sides[0].1.connect(&Path::Relay(&sides[1].1));
    sides
}

#[tokio::test]
async fn a_range_of_ports_is_used_up_and_given_back() {
    let mut found = None;
    for start in (31_000..59_000u16).step_by(10) {
        let media = Media::new(MediaConfig::new(HERE, start..=start + 3));
        if let (Ok(first), Ok(second)) = (media.stream(), media.stream()) {
            found = Some((media, first, second));
            break;
        }
    }
    let (media, first, second) = found.expect("four free ports");
    let ports = [&first, &second].map(|(stream, _)| stream.local().port);
    assert!(ports.iter().all(|port| port % 2 == 0) && ports[0] != ports[1]);
    let Err(fault) = media.stream() else { panic!("a third stream on two pairs") };
    assert_eq!((fault.kind(), matches!(fault, MediaError::PortsExhausted)), ("ports_exhausted", true));
    drop(first);
    // The task lets go of the sockets when it gets its turn.
    let again = timeout(PATIENCE, async {
        loop {
            match media.stream() {
                Ok(again) => return again.0.local().port,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    });
    assert_eq!(again.await.unwrap(), ports[0]);
}

#[tokio::test]
async fn packets_pass_as_they_are_under_one_source_over_a_change_of_partner() {
    let media = media();
    let [(mut a, stream_a, _ea), (mut b, stream_b, _eb)] = bridged(&media, plain(), plain()).await;
    a.send(&[1; 160]).await;
    a.send(&[2; 160]).await;
    let (first, payload) = b.receive().await;
    assert_eq!((payload, first.marker, first.payload_type), (vec![1; 160], true, 0));
    let (second, payload) = b.receive().await;
    assert_eq!(payload, [2; 160]);
    let next =
        Header { marker: false, sequence: first.sequence.wrapping_add(1), timestamp: first.timestamp.wrapping_add(160), ..first };
    assert_eq!(second, next);
    b.send(&[3; 160]).await;
    assert_eq!(a.receive().await.1, [3; 160]);

    let (stream_c, _ec) = media.stream().unwrap();
    let mut c = Phone::new(plain(), 3).await;
    c.call(&stream_c, Capabilities::default());
    stream_b.connect(&Path::Relay(&stream_c));
    c.send(&[4; 160]).await;
    let (third, payload) = b.receive().await;
    assert_eq!(
        (payload, third.marker, third.ssrc, third.sequence),
        (vec![4; 160], true, first.ssrc, second.sequence.wrapping_add(1))
    );
    assert!(third.timestamp.wrapping_sub(second.timestamp) < 8000 * 10);
    // The first one is connected to nobody now.
    a.send(&[5; 160]).await;
    c.send(&[6; 160]).await;
    assert_eq!(b.receive().await.1, [6; 160]);
    assert_eq!(stream_a.quality().received, 3);
    assert_eq!(stream_b.quality().sent, 4);
}

#[tokio::test]
async fn loss_stays_visible_and_payload_types_are_translated() {
    let media = media();
    let [(mut a, _sa, mut events), (mut b, _sb, _eb)] = bridged(&media, plain(), plain()).await;
    a.send(&[1; 160]).await;
    a.header.sequence += 2;
    a.send(&[2; 160]).await;
    let [first, second] = [b.receive().await.0, b.receive().await.0];
    assert_eq!(second.sequence.wrapping_sub(first.sequence), 3);
    let event = a.agreed.as_ref().unwrap().send_events.unwrap();
    let header = Header { marker: true, payload_type: event.payload, ..a.header };
    for flags in [10, 0x8A, 0x8A, 0x8A] {
        let header = Header { sequence: a.header.sequence, ..header };
        a.send_as(header, &[5, flags, 3, 32]).await;
        a.header.sequence += 1;
    }
    let digit = told(&mut events, |event| matches!(event, StreamEvent::Digit(_))).await;
    let wanted = Digit { key: Key::new('5').unwrap(), duration: Duration::from_millis(100), means: Means::Event };
    assert_eq!(digit, StreamEvent::Digit(wanted));
    for _ in 0..4 {
        let (header, payload) = b.receive().await;
        assert_eq!((header.payload_type, payload[0]), (b.agreed.as_ref().unwrap().receive_events[0].payload, 5));
    }
    assert!(events.try_recv().is_err());
}

#[tokio::test]
async fn a_stranger_is_neither_heard_nor_spoken_to() {
    let media = media();
    let [(mut a, stream_a, mut events), (mut b, _sb, _eb)] = bridged(&media, plain(), plain()).await;
    a.send(&[1; 160]).await;
    b.receive().await;
    let stranger = UdpSocket::bind((HERE, 0)).await.unwrap();
    for sequence in 0..20 {
        let header = Header { sequence, ..a.header };
        stranger.send_to(&[header.octets().as_slice(), &[9; 160]].concat(), a.to).await.unwrap();
    }
    stranger.send_to(b"no packet at all", a.to).await.unwrap();
    a.send(&[2; 160]).await;
    assert_eq!(b.receive().await.1, [2; 160]);
    assert_eq!(stream_a.quality().refused, 21);
    assert_eq!(told(&mut events, |_| true).await, StreamEvent::Heard);
    b.send(&[3; 160]).await;
    assert_eq!(a.receive().await.1, [3; 160]);
}

#[tokio::test]
async fn a_telephone_behind_a_translator_is_found_by_its_packets() {
    let media = media();
    let [(mut a, _sa, mut events), (mut b, _sb, _eb)] = bridged(&media, plain(), plain()).await;
    // Its packets come from elsewhere than its description says.
    a.rtp = UdpSocket::bind((HERE, 0)).await.unwrap();
    let real = a.rtp.local_addr().unwrap();
    a.send(&[1; 160]).await;
    assert_eq!(told(&mut events, |event| matches!(event, StreamEvent::Source(_))).await, StreamEvent::Source(real));
    b.send(&[2; 160]).await;
    assert_eq!(a.receive().await.1, [2; 160]);
}

#[tokio::test]
async fn reports_go_both_ways_and_goodbye_is_told() {
    let media = media();
    let own = Capabilities { rtcp_mux: false, ..plain() };
    let [(mut a, stream_a, mut events), (mut b, _sb, _eb)] = bridged(&media, own, plain()).await;
    for n in 0..10 {
        a.send(&[n; 160]).await;
        b.send(&[n; 160]).await;
        a.receive().await;
        b.receive().await;
    }
    a.header.sequence += 10;
    a.send(&[1; 160]).await;
    b.receive().await;
    let mut buffer = vec![0; 2048];
    let (length, _) = timeout(PATIENCE, a.rtcp.recv_from(&mut buffer)).await.expect("a report").unwrap();
    let parts = rtcp::parse(&buffer[..length]);
    let [rtcp::Rtcp::Report { ssrc, sent: Some(sent), blocks }] = parts.as_slice() else { panic!("{parts:?}") };
    assert_eq!(sent.packets, 10);
    assert_eq!(sent.octets, 1600);
    assert_eq!((blocks[0].ssrc, blocks[0].lost, blocks[0].fraction), (1, 10, 121));

    let last = rtcp::middle(sent.ntp);
    let block = rtcp::Block { ssrc: *ssrc, fraction: 64, lost: 1, highest: 1, jitter: 1, last, delay: 0 };
    let ours = rtcp::Sent { ntp: 1 << 32, timestamp: 1, packets: 1, octets: 1 };
    a.rtcp.send_to(&rtcp::write(1, Some(ours), Some(block), "a", true), a.to_rtcp).await.unwrap();
    assert_eq!(told(&mut events, |event| *event == StreamEvent::Bye).await, StreamEvent::Bye);
    let quality = stream_a.quality();
    assert_eq!(quality.lost_there, Some(0.25));
    assert!(quality.round_trip.is_some_and(|trip| trip < PATIENCE), "{quality:?}");
    assert!((quality.received, quality.lost) == (11, 10) && quality.score.is_some_and(|score| score < 2.0), "{quality:?}");

    drop(stream_a);
    let (length, _) = timeout(PATIENCE, a.rtcp.recv_from(&mut buffer)).await.expect("goodbye").unwrap();
    assert_eq!(rtcp::parse(&buffer[..length]).last(), Some(&rtcp::Rtcp::Bye(vec![*ssrc])));
}

#[tokio::test]
async fn silence_is_told_once_and_its_end_as_well() {
    let media = Media::new(MediaConfig { silence: Duration::from_millis(150), ..config() });
    let [(mut a, _sa, mut events), _b] = bridged(&media, plain(), plain()).await;
    a.send(&[1; 160]).await;
    assert_eq!(told(&mut events, |_| true).await, StreamEvent::Heard);
    let StreamEvent::Silent(length) = told(&mut events, |_| true).await else { panic!("no silence") };
    assert!(length >= Duration::from_millis(150));
    a.send(&[2; 160]).await;
    assert_eq!(told(&mut events, |_| true).await, StreamEvent::Heard);
}

#[tokio::test]
async fn a_party_on_hold_is_not_spoken_to() {
    let media = media();
    let (stream, _events) = media.stream().unwrap();
    let mut phone = Phone::new(plain(), 1).await;
    phone.call(&stream, plain());
    let mut ours = Session::new(stream.local(), plain(), std::sync::Arc::new(tandem_kernel::SeededRng::new(5)));
    let offer = phone.session.offer(Direction::Inactive);
    let (_, agreed) = ours.answer(&offer, Direction::SendRecv).unwrap();
    assert_eq!(agreed.direction, Direction::Inactive);
    stream.negotiated(&agreed);
    let mut playing = stream
        .play(&tandem_media::play::Prompt::sounds([tandem_media::play::Sound::new(tandem_media::Rate::Narrow, [5; 800].into())]))
        .unwrap();
    assert_eq!(timeout(PATIENCE, playing.finished()).await.unwrap(), tandem_media::Outcome::Finished);
    assert_eq!(stream.quality().sent, 0);
}

#[tokio::test]
async fn encrypted_and_plain_telephones_speak_with_each_other() {
    let media = media();
    let secure = Capabilities { security: Security::Required, ..plain() };
    let [(mut a, stream_a, _ea), (mut b, _sb, _eb)] = bridged(&media, secure, plain()).await;
    a.send(&[1; 160]).await;
    assert_eq!(b.receive().await.1, [1; 160]);
    b.send(&[2; 160]).await;
    assert_eq!(a.receive().await.1, [2; 160]);
    // Not encrypted, or with another key: not heard.
    let header = Header { sequence: a.header.sequence, ..a.header };
    a.rtp.send_to(&[header.octets().as_slice(), &[9; 170]].concat(), a.to).await.unwrap();
    a.send(&[3; 160]).await;
    assert_eq!(b.receive().await.1, [3; 160]);
    assert_eq!(stream_a.quality().refused, 1);
}

/// Where the machine has IPv6.
#[tokio::test]
async fn addresses_of_the_sixth_version_work_as_well() {
    let here = std::net::IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);
    let Ok(phone) = UdpSocket::bind((here, 0)).await else { return };
    let media = Media::new(MediaConfig::new(here, 20_000..=59_999));
    let (stream, mut events) = media.stream().unwrap();
    let port = phone.local_addr().unwrap().port();
    let rng = std::sync::Arc::new(tandem_kernel::SeededRng::new(6));
    let offer = Session::new(Local { address: here, port, rtcp: port }, plain(), rng.clone()).offer(Direction::SendRecv);
    let (answer, agreed) = Session::new(stream.local(), plain(), rng).answer(&offer, Direction::SendRecv).unwrap();
    assert!(answer.to_string().contains("c=IN IP6 ::1"));
    stream.negotiated(&agreed);
    let header = Header { marker: true, payload_type: 0, sequence: 1, timestamp: 1, ssrc: 1 };
    phone.send_to(&[header.octets().as_slice(), &[1; 160]].concat(), (here, stream.local().port)).await.unwrap();
    assert_eq!(told(&mut events, |_| true).await, StreamEvent::Heard);
    stream.play(&tandem_media::play::Prompt::music()).unwrap();
    let mut buffer = vec![0; 2048];
    let (length, from) = timeout(PATIENCE, phone.recv_from(&mut buffer)).await.expect("a packet").unwrap();
    assert_eq!((length, from.port()), (172, stream.local().port));
}

#[tokio::test]
async fn what_is_muted_goes_nowhere_and_is_no_loss_afterwards() {
    let media = media();
    let [(mut a, stream_a, _ea), (mut b, _sb, _eb)] = bridged(&media, plain(), plain()).await;
    a.send(&[1; 160]).await;
    let (before, _) = b.receive().await;
    stream_a.mute(true);
    for _ in 0..30 {
        a.send(&[2; 160]).await;
    }
    let counted = timeout(PATIENCE, async {
        while stream_a.quality().received < 31 {
            tokio::task::yield_now().await;
        }
    });
    counted.await.unwrap();
    stream_a.mute(false);
    a.send(&[3; 160]).await;
    let (after, payload) = b.receive().await;
    assert_eq!((payload, after.sequence, after.marker), (vec![3; 160], before.sequence.wrapping_add(1), true));
}

#[tokio::test]
async fn no_datagram_ends_a_stream() {
    use tandem_kernel::{Rng, SeededRng};

    let media = media();
    let secure = Capabilities { security: Security::Required, rtcp_mux: false, ..plain() };
    for capabilities in [plain(), secure] {
        let [(mut a, stream_a, _ea), (mut b, _sb, _eb)] = bridged(&media, capabilities, only(Codec::Pcma)).await;
        a.send(&[1; 160]).await;
        let rng = SeededRng::new(17);
        let good = [a.header.octets().as_slice(), &[7; 170]].concat();
        let report = rtcp::write(1, None, None, "a", true);
        for round in 0..4000usize {
            let mut datagram = vec![0; round % 97];
            rng.fill(&mut datagram);
            let (of, at) = if round % 2 == 0 { (&good, round % good.len()) } else { (&report, round % report.len()) };
            let mut changed = of.clone();
            changed[at] ^= 1 << (round % 8);
            for bad in [datagram, changed] {
                // Its own socket, so that the lock lets it through. A full buffer on the way is no fault.
                let _ = a.rtp.send_to(&bad, a.to).await;
                let _ = a.rtcp.send_to(&bad, a.to_rtcp).await;
            }
            if round % 50 == 0 {
                tokio::task::yield_now().await;
            }
        }
        let quality = stream_a.quality();
        assert!(quality.refused > 100, "{quality:?}");
        a.header.sequence = a.header.sequence.wrapping_add(20_000);
        b.drain();
        let speaks = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(20));
            loop {
                ticks.tick().await;
                a.send(&[0x55; 160]).await;
            }
        };
        tokio::select! {
            (header, _) = b.receive() => assert_eq!(header.payload_type, 8),
            () = speaks => unreachable!("it speaks until it is heard"),
        }
    }
}
