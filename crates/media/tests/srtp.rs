//! Encrypted packets, against vectors and against those who change them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

use tandem_media::{
    sdp::{Key, Suite},
    srtp::Context,
};

fn octets(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap()).collect()
}

fn context(suite: Suite) -> Context {
    Context::new(suite, &Key::new(octets("e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6").try_into().unwrap()))
}

const STRONG: Suite = Suite::AesCm128HmacSha1_80;

fn packet(sequence: u16) -> Vec<u8> {
    let mut packet = octets("800f1234decafbadcafebabeabababababababababababababababab");
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
    packet
}

/// The packets that libsrtp checks itself with.
#[test]
fn whole_packets_are_those_of_another_implementation() {
    let mut rtp = packet(0x1234);
    context(STRONG).protect(&mut rtp).unwrap();
    assert_eq!(rtp, octets("800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb"));
    let mut rtcp = octets("81c8000bcafebabeabababababababababababababababab");
    context(STRONG).protect_rtcp(&mut rtcp).unwrap();
    assert_eq!(rtcp, octets("81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798"));
}

#[test]
fn what_is_encrypted_is_read_once_and_not_when_it_was_changed() {
    for suite in Suite::ALL {
        let (mut ours, mut theirs) = (context(suite), context(suite));
        let mut sealed = packet(7);
        ours.protect(&mut sealed).unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(theirs.unprotect(&mut changed), None, "{at}");
        }
        (0..sealed.len()).for_each(|length| assert_eq!(theirs.unprotect(&mut sealed[..length].to_vec()), None));
        let mut opened = sealed.clone();
        theirs.unprotect(&mut opened).unwrap();
        assert_eq!(opened, packet(7));
        assert_eq!(theirs.unprotect(&mut sealed), None);
    }
}

#[test]
fn the_rollover_counter_goes_on_through_loss_and_disorder() {
    let (mut ours, mut theirs) = (context(STRONG), context(STRONG));
    let mut sealed: Vec<Vec<u8>> = (0..70_000u32).map(|n| packet((n + 65_000) as u16)).collect();
    sealed.iter_mut().for_each(|packet| ours.protect(packet).unwrap());
    sealed.swap(535, 537);
    for (at, packet) in sealed.iter_mut().enumerate().filter(|(at, _)| at % 100 != 3) {
        assert_eq!(theirs.unprotect(packet), Some(()), "{at}");
    }
}

#[test]
fn reports_are_read_once_and_not_when_they_were_changed() {
    let (mut ours, mut theirs) = (context(STRONG), context(STRONG));
    let plain = octets("80c90001cafebabe0102030405060708");
    for _ in 0..3 {
        let mut sealed = plain.clone();
        ours.protect_rtcp(&mut sealed).unwrap();
        let mut changed = sealed.clone();
        changed[9] ^= 1;
        assert_eq!(theirs.unprotect_rtcp(&mut changed), None);
        let mut again = sealed.clone();
        theirs.unprotect_rtcp(&mut sealed).unwrap();
        assert_eq!(sealed, plain);
        assert_eq!(theirs.unprotect_rtcp(&mut again), None);
    }
    assert_eq!(theirs.unprotect_rtcp(&mut vec![0x80, 200, 0, 0]), None);
}
