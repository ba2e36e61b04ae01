//! Mutated descriptions, RTP, RTCP, and what else comes to ports of media (STUN, DTLS, ZRTP, T.38): nothing panics, what is remembered is
//! bounded, and calls go on.
//!
//! `TANDEM_MEDIA_FUZZ=1000000` takes that many of each instead of ten thousand, `TANDEM_MEDIA_SEED` begins elsewhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod common;

use std::{
    sync::{
        Arc, Once,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use common::{HERE, Phone, media, only};
use tandem_kernel::SeededRng;
use tandem_media::{
    Codec, ConferenceOptions, Path, Tones,
    sdp::{Capabilities, Description, Direction, Local, Security, Session},
};
use tokio::{net::UdpSocket, time::timeout};

static PANICS: AtomicUsize = AtomicUsize::new(0);
static HOOK: Once = Once::new();

fn count_panics() {
    HOOK.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            PANICS.fetch_add(1, Ordering::Relaxed);
            eprintln!("{panic}");
        }));
    });
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

fn below(rng: &SeededRng, bound: usize) -> usize {
    usize::try_from(rng.next() % bound.max(1) as u64).unwrap()
}

fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096
}

/// One of a corpus, changed in up to six places.
fn mutate(rng: &SeededRng, corpus: &[Vec<u8>], pieces: &[&[u8]], longest: usize) -> Vec<u8> {
    let mut octets = corpus[below(rng, corpus.len())].clone();
    for _ in 0..below(rng, 6) {
        let length = octets.len();
        let (one, two) = (below(rng, length + 1), below(rng, length + 1));
        let (from, to) = (one.min(two), one.max(two));
        match below(rng, 7) {
            0 if from < length => octets[from] ^= 1 << below(rng, 8),
            1 => drop(octets.drain(from..to.min(from + 40))),
            2 => drop(octets.splice(from..from, pieces[below(rng, pieces.len())].iter().copied())),
            3 => {
                let piece = octets[from..to.min(from + 100)].to_vec();
                drop(octets.splice(to..to, piece));
            }
            4 => {
                let other = &corpus[below(rng, corpus.len())];
                octets.truncate(from);
                octets.extend(&other[below(rng, other.len() + 1)..]);
            }
            5 => octets.truncate(from),
            _ => {
                let octet = octets.get(from).copied().unwrap_or(b'A');
                drop(octets.splice(from..from, vec![octet; below(rng, 400)]));
            }
        }
    }
    octets.truncate(longest);
    octets
}

const OFFERS: [&str; 5] = [
    "v=0\r\no=bob 2890844526 2890844526 IN IP4 host.example.com\r\ns=\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\nm=audio 49170 RTP/AVP 8 0 101\r\n\
     a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:30\r\na=rtcp:53020\r\n\
     m=video 51372 RTP/AVP 31\r\na=rtpmap:31 H261/90000\r\n",
    "v=0\r\no=- 1 1 IN IP6 2001:db8::1\r\ns=-\r\nt=0 0\r\na=sendonly\r\nm=audio 4000 RTP/SAVP 0 9\r\nc=IN IP6 2001:db8::1\r\n\
     a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4\r\n\
     a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj\r\na=rtcp-mux\r\n",
    "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 6000 RTP/AVPF 111 110\r\na=rtpmap:111 opus/48000/2\r\n\
     a=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:110 telephone-event/48000\r\na=maxptime:40\r\na=rtcp:6001 IN IP4 198.51.100.9\r\n",
    "v=0\no=- 1 1 IN IP4 10.0.0.1\ns=-\nc=IN IP4 10.0.0.1\nt=0 0\nm=audio 0 RTP/AVP 0\nm=audio 7000/2 RTP/AVP 18 0 13\na=inactive\n",
    "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1/127/3\r\nb=AS:64\r\nt=0 0\r\nk=clear:x\r\nm=image 4000 udptl t38\r\n\
     a=T38FaxVersion:0\r\nm=audio 65535 UDP/TLS/RTP/SAVPF 0\r\na=fingerprint:sha-256 00:11\r\na=ice-ufrag:x\r\n",
];
const WORDS: [&[u8]; 20] = [
    b"\r\n",
    b"\n",
    b"=",
    b":",
    b";",
    b"/",
    b" ",
    b"|",
    b"\0",
    b"\xff",
    b"m=audio 1 RTP/AVP 0\r\n",
    b"a=rtpmap:",
    b"a=crypto:1 ",
    b"inline:",
    b"4294967296",
    b"-1",
    b"65536",
    b"c=IN IP4 ",
    b"a=sendrecv\r\n",
    b"a=ptime:0\r\n",
];

#[test]
fn mutated_descriptions_do_no_harm() {
    count_panics();
    let (many, seed) = (number("TANDEM_MEDIA_FUZZ", 10_000), number("TANDEM_MEDIA_SEED", 4566));
    let rng = SeededRng::new(seed);
    let corpus: Vec<Vec<u8>> = OFFERS.iter().map(|offer| offer.as_bytes().to_vec()).collect();
    let local = Local { address: HERE, port: 4000, rtcp: 4001 };
    let session = |security| {
        let capabilities = Capabilities { codecs: Codec::ALL.to_vec(), security, ..Capabilities::default() };
        Session::new(local, capabilities, Arc::new(SeededRng::new(1)))
    };
    let before = resident();
    let (mut read, mut agreed, mut accepted) = (0_u64, 0_u64, 0_u64);
    let mut kept = session(Security::Allowed);
    for turn in 0..many {
        let octets = mutate(&rng, &corpus, &WORDS, 20_000);
        let Ok(offer) = Description::parse(&octets) else { continue };
        read += 1;
        let security = [Security::Off, Security::Allowed, Security::Required][below(&rng, 3)];
        if let Ok((answer, _)) = session(security).answer(&offer, Direction::SendRecv) {
            agreed += 1;
            assert_eq!(Description::parse(answer.to_string().as_bytes()), Ok(answer), "what we write can be read");
        }
        // As the answer to an offer of ours, and as one offer of many within a call.
        let mut ours = session(security);
        ours.offer(Direction::SendRecv);
        accepted += u64::from(ours.accept(&offer).is_ok());
        let _ = kept.answer(&offer, Direction::SendRecv); // a refusal leaves it as it was
        if turn % 100 == 0 {
            kept = session(Security::Allowed);
        }
    }
    let grown = resident().saturating_sub(before) / 1_048_576;
    eprintln!(
        "{many} descriptions from seed {seed}: {read} read, {agreed} answered, {accepted} taken as answers, {grown} MiB more"
    );
    assert_eq!(PANICS.load(Ordering::Relaxed), 0, "something panicked");
    assert!(read > many / 20 && agreed > many / 100, "{read} read, {agreed} answered");
    assert!(grown < 128, "{grown} MiB");
}

/// What comes to ports of media, and what is taken for it.
fn packets() -> Vec<Vec<u8>> {
    let rtp = |first: u8, kind: u8, payload: &[u8]| [&[first, kind, 0, 1, 0, 0, 0, 160, 0, 0, 0, 7][..], payload].concat();
    let stun = |kind: u8, attributes: &[u8]| {
        let length = u16::try_from(attributes.len()).unwrap().to_be_bytes();
        [&[0, kind][..], &length, &[0x21, 0x12, 0xa4, 0x42], &[9; 12], attributes].concat()
    };
    vec![
        rtp(0x80, 0, &[0x55; 160]),
        rtp(0x80, 0x80, &[0x7f; 160]),
        rtp(0x80, 8, &[0x2a; 80]),
        rtp(0x80, 9, &[1; 160]),
        rtp(0x80, 101, &[5, 0x0a, 0, 160]),
        rtp(0x80, 0xe5, &[5, 0x8a, 3, 32]),
        rtp(0x80, 13, &[40]),
        rtp(0xa0, 0, &[0, 0, 0, 4]),                                     // padding
        rtp(0x83, 0, &[1; 40]),                                          // contributing sources
        rtp(0x90, 0, &[0xbe, 0xde, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9]), // an extension
        rtp(0x80, 0, &[]),
        [&[0x80, 200, 0, 6][..], &[1; 24]].concat(), // reports
        [&[0x81, 201, 0, 7][..], &[2; 28]].concat(),
        [&[0x81, 200, 0, 12][..], &[3; 48], &[0x81, 202, 0, 3], &[0, 0, 0, 7, 1, 4, b'a', b'b', b'c', b'd', 0, 0]].concat(),
        [&[0x81, 203, 0, 1][..], &[0, 0, 0, 7]].concat(), // goodbye
        [&[0x9f, 204, 0xff, 0xff][..], &[4; 12]].concat(),
        stun(1, &[]),
        stun(1, &[0, 6, 0, 9, b'a', b':', b'b', b'c', b'd', b'e', b'f', b'g', b'h', 0, 0, 0, 0x80, 0x28, 0, 4, 1, 2, 3, 4]),
        [&[1, 1, 0, 12, 0x21, 0x12, 0xa4, 0x42][..], &[9; 12], &[0, 0x20, 0, 8, 0, 1, 0xff, 0xff, 1, 2, 3, 4]].concat(),
        [&[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 40, 1][..], &[0; 39]].concat(), // DTLS
        [&[0x10, 0, 0, 1][..], b"ZRTP", &[0; 24]].concat(),
        vec![0, 0, 6, 0xc0, 1, 2, 3, 4, 5, 0], // T.38
        Vec::new(),
        vec![0x80],
        vec![0xff; 1_400],
    ]
}

const PARTS: [&[u8]; 10] = [
    &[0x80, 200],
    &[0x81, 203, 0, 1],
    &[0xff, 0xff],
    &[0, 0, 0, 0],
    &[0x21, 0x12, 0xa4, 0x42],
    &[0xbe, 0xde, 0xff, 0xff],
    &[0x80, 0],
    &[0],
    &[101, 0x80],
    &[0x90],
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mutated_packets_do_no_harm() {
    count_panics();
    let (many, seed) = (number("TANDEM_MEDIA_FUZZ", 10_000), number("TANDEM_MEDIA_SEED", 3550));
    let (rng, corpus) = (SeededRng::new(seed), packets());
    let media = media();
    let sides = [
        (only(Codec::Pcmu), Capabilities::default()),
        (only(Codec::Pcmu), Capabilities::default()),
        (only(Codec::G722), Capabilities { codecs: Codec::ALL.to_vec(), ..Capabilities::default() }),
        (
            Capabilities { security: Security::Required, ..only(Codec::Pcma) },
            Capabilities { security: Security::Required, ..Capabilities::default() },
        ),
    ];
    let (mut phones, mut streams) = (Vec::new(), Vec::new());
    for (seed, (theirs, ours)) in (1..).zip(sides) {
        let (stream, events) = media.stream().unwrap();
        let mut phone = Phone::new(theirs, seed).await;
        phone.call(&stream, ours);
        stream.listen_for_tones(Tones::Always);
        phones.push(phone);
        streams.push((stream, events));
    }
    // A relay as it is, one that is put into another form, and a conference.
    streams[0].0.connect(&Path::Relay(&streams[1].0));
    let conference = media.conference(ConferenceOptions::default());
    let members = [streams[2].0.join(&conference).unwrap(), streams[3].0.join(&conference).unwrap()];
    let mut hearing = streams[2].0.hear();
    let heard = tokio::spawn(async move { while hearing.next().await.is_some() {} });
    let stranger = UdpSocket::bind((HERE, 0)).await.unwrap();
    let (before, mut most, mut sequence) = (resident(), 0, 0_u16);
    for sent in 0..many {
        let mut octets = mutate(&rng, &corpus, &PARTS, 4_000);
        let place = below(&rng, phones.len());
        let phone = &mut phones[place];
        // Most seem to go on with what the telephone says.
        if below(&rng, 4) > 0 && octets.len() >= 12 && octets[0] >> 6 == 2 {
            sequence = sequence.wrapping_add(1);
            octets[2..4].copy_from_slice(&sequence.to_be_bytes());
            octets[8..12].copy_from_slice(&phone.header.ssrc.to_be_bytes());
        }
        if place == 3
            && below(&rng, 2) > 0
            && let Some((ours, _)) = &mut phone.sealing
        {
            let _ = ours.protect(&mut octets); // what is too short stays as it is
        }
        let to = if below(&rng, 5) == 0 { phone.to_rtcp } else { phone.to };
        let socket = match below(&rng, 8) {
            0 => &stranger,
            1 => &phone.rtcp,
            _ => &phone.rtp,
        };
        let _ = socket.send_to(&octets, to).await; // one that is too large is not sent
        if sent % 1_000 == 999 {
            phones.iter().for_each(Phone::drain);
            most = most.max(resident());
            tokio::time::sleep(Duration::from_millis(2)).await; // lets the sockets be emptied
        }
    }
    // A new call through the same streams passes as ever.
    phones.iter().for_each(Phone::drain);
    for (place, other) in [(0, 1), (1, 0)] {
        let mut fresh = Phone::new(only(Codec::Pcmu), 100 + u32::try_from(place).unwrap()).await;
        fresh.call(&streams[place].0, Capabilities::default());
        phones[place] = fresh;
        let _ = other;
    }
    streams[0].0.connect(&Path::Relay(&streams[1].0));
    let passed = async {
        loop {
            phones[0].send(&[0x33; 160]).await;
            if let Ok((_, payload)) = timeout(Duration::from_millis(200), phones[1].receive()).await
                && payload == [0x33; 160]
            {
                return;
            }
        }
    };
    timeout(Duration::from_secs(20), passed).await.expect("a call goes on after all that");
    let refused: u64 = streams.iter().map(|(stream, _)| stream.quality().refused).sum();
    drop((members, streams, conference));
    let _ = heard.await;
    let grown = most.max(resident()).saturating_sub(before) / 1_048_576;
    eprintln!("{many} packets from seed {seed}: {refused} refused, {grown} MiB more at most");
    assert_eq!(PANICS.load(Ordering::Relaxed), 0, "something panicked");
    assert!(refused > many / 20, "{refused} refused");
    assert!(grown < 128, "{grown} MiB");
}
