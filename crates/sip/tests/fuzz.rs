//! Mutated messages: nothing panics, what is remembered is bounded, and the adapter goes on answering.
//!
//! `TANDEM_SIP_FUZZ=1000000` sends that many datagrams instead of ten thousand, `TANDEM_SIP_SEED` begins elsewhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "it/house.rs"]
#[expect(dead_code, reason = "shared with the other tests")]
mod house;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use house::{ANSWER, House, OFFER};
use tandem_kernel::SeededRng;
use tandem_sip::{Incoming, Refusal, Transport};
use tokio::net::UdpSocket;

static PANICS: AtomicUsize = AtomicUsize::new(0);

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

/// What is mutated: the messages of RFC 4475, and the plain ones of a call.
fn corpus(house: &House) -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rfc4475");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut corpus: Vec<Vec<u8>> = files.into_iter().map(|file| std::fs::read(file).unwrap()).collect();
    let server = house.at(Transport::Udp);
    let bases = [
        ("INVITE", OFFER),
        ("ACK", ""),
        ("BYE", ""),
        ("CANCEL", ""),
        ("OPTIONS", ""),
        ("UPDATE", ANSWER),
        ("REFER", ""),
        ("NOTIFY", "SIP/2.0 200"),
    ];
    for (method, body) in bases {
        let text = format!(
            "{method} sip:+15550100@{server} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKf;rport\r\nMax-Forwards: 70\r\n\
             From: \"A\" <sip:a@x>;tag=f\r\nTo: <sip:b@x>\r\nCall-ID: fuzz\r\nCSeq: 7 {method}\r\nContact: <sip:a@127.0.0.1:5070>\r\n\
             Supported: timer\r\nSession-Expires: 1800;refresher=uac\r\nAuthorization: Digest username=\"a\",realm=\"tandem.test\",nonce=\"n\",\
             uri=\"sip:x\",response=\"0\",qop=auth,nc=00000001,cnonce=\"c\"\r\nRefer-To: <sip:c@x?Replaces=1%3Bto-tag%3D2>\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        corpus.push(text.into_bytes());
    }
    corpus
}

const PIECES: [&[u8]; 22] = [
    b"\r\n",
    b"\r\n\r\n",
    b":",
    b";",
    b",",
    b"<",
    b">",
    b"\"",
    b"\\",
    b"\0",
    b"\xff\xfe",
    b"%00",
    b"=",
    b"@",
    b"?",
    b"4294967296",
    b"-1",
    b"SIP/2.0",
    b"Content-Length: 99999\r\n",
    b"Via: \r\n",
    b"[::1]",
    b";tag=",
];

fn mutate(rng: &SeededRng, corpus: &[Vec<u8>]) -> Vec<u8> {
    let below = |bound: usize| usize::try_from(rng.next() % bound.max(1) as u64).unwrap();
    let mut octets = corpus[below(corpus.len())].clone();
    // Each is a call of its own, most of the time.
    if below(4) > 0
        && let Some(at) = octets.windows(7).position(|seven| seven.eq_ignore_ascii_case(b"call-id"))
        && let Some(end) = octets[at..].iter().position(|octet| *octet == b'\r')
    {
        octets.splice(at + end..at + end, format!("{}", rng.next()).into_bytes());
    }
    for _ in 0..below(6) {
        let length = octets.len();
        let (from, to) = (below(length), below(length));
        let (from, to) = (from.min(to), from.max(to));
        match below(7) {
            0 if length > 0 => octets[from] ^= 1 << below(8),
            1 => drop(octets.drain(from..to.min(from + 40))),
            2 => drop(octets.splice(from..from, PIECES[below(PIECES.len())].iter().copied())),
            3 => {
                let piece = octets[from..to.min(from + 200)].to_vec();
                octets.splice(to..to, piece);
            }
            4 => {
                let other = &corpus[below(corpus.len())];
                let piece = other[below(other.len())..].to_vec();
                octets.truncate(from);
                octets.extend(piece);
            }
            5 => octets.truncate(from.max(1)),
            _ => drop(octets.splice(from..from, vec![octets.get(from).copied().unwrap_or(b'A'); below(3_000)])),
        }
    }
    octets.truncate(60_000);
    octets
}

fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096
}

async fn open() -> House {
    let mut house = House::with(|config| {
        config.timers.t1 = Duration::from_millis(50);
        config.timers.timeout = Duration::from_millis(500);
        config.limits.backlog = 512;
        config.limits.strikes = u32::MAX;
    })
    .await;
    let (_, nothing) = tokio::sync::mpsc::channel(1);
    let mut calls = std::mem::replace(&mut house.calls, nothing);
    tokio::spawn(async move {
        let mut count = 0;
        while let Some(Incoming::Call(call)) = calls.recv().await {
            count += 1;
            tokio::spawn(async move {
                // Everything that is read of a call is read of a strange one too.
                let _ = (
                    call.called(),
                    call.calling(),
                    call.calling_name(),
                    call.asserted(),
                    call.diversions(),
                    call.history(),
                    call.offer(),
                );
                match count % 3 {
                    0 => drop(call.answer(ANSWER.into()).await),
                    1 => call.refuse(Refusal::of(486)).await,
                    _ => drop(call),
                }
            });
        }
    });
    house
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mutated_messages_do_no_harm() {
    std::panic::set_hook(Box::new(|panic| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        eprintln!("{panic}");
    }));
    let (many, seed) = (number("TANDEM_SIP_FUZZ", 10_000), number("TANDEM_SIP_SEED", 4475));
    let house = open().await;
    let (corpus, rng) = (corpus(&house), SeededRng::new(seed));
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (mut answers, mut most) = (0_u64, 0);
    let before = resident();
    let mut buffer = vec![0; 65_536];
    for sent in 0..many {
        let octets = mutate(&rng, &corpus);
        let _ = socket.send_to(&octets, house.at(Transport::Udp)).await; // one that is empty or too large is not sent
        while socket.try_recv(&mut buffer).is_ok() {
            answers += 1;
        }
        if sent % 250 == 249 {
            house.phone().await.alive().await;
            most = most.max(resident());
            assert!(house.sip.load().backlog <= 1_024, "{:?}", house.sip.load());
        }
    }
    house.phone().await.alive().await;
    house.empty().await;
    let ended = async {
        while house.sip.load().transactions > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(30), ended).await;
    assert!(ended.is_ok(), "transactions are left: {:?}", house.sip.load());
    let grown = most.saturating_sub(before) / 1_048_576;
    eprintln!("{many} datagrams from seed {seed}: {answers} answers, {grown} MiB more at most, {:?}", house.sip.load());
    assert_eq!(PANICS.load(Ordering::Relaxed), 0, "something panicked");
    assert!(answers > many / 20, "only {answers} answers");
    assert!(grown < 512, "{grown} MiB");
}
