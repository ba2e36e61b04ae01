//! How much one core relays and mixes: `cargo run --release -p tandem-media --example figures`.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::indexing_slicing, reason = "a tool that is read by eye")]

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use tandem_kernel::OsRng;
use tandem_media::{
    Codec, Media, MediaConfig, Mix, Path, Rate,
    codec::{Decoder, Encoder},
    rtp::Header,
    sdp::{Capabilities, Direction, Local, Session},
};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const STREAMS: usize = 500;

fn main() {
    [3, 10, 50, 200].into_iter().for_each(mix);
    [25_000, 50_000, 100_000, 150_000, 200_000].into_iter().for_each(relay);
}

/// One turn: decode all, add, and encode for each.
fn mix(parties: usize) {
    let mut ends: Vec<(Decoder, Encoder)> = (0..parties).map(|_| (Decoder::new(Codec::Pcmu), Encoder::new(Codec::Pcmu))).collect();
    let packets: Vec<Vec<u8>> = (0..parties).map(|party| (0..160).map(|n| (n * 7 + party * 13) as u8).collect()).collect();
    let mut frames = vec![Vec::new(); parties];
    let (mut all, mut out, mut packet) = (Mix::default(), Vec::new(), Vec::new());
    let turns = 20_000;
    let before = processor_time();
    for _ in 0..turns {
        all.begin(Rate::Narrow.frame());
        for ((decoder, _), (packet, frame)) in ends.iter_mut().zip(packets.iter().zip(&mut frames)) {
            decoder.decode(packet, frame);
            all.add(frame);
        }
        for ((_, encoder), frame) in ends.iter_mut().zip(&frames) {
            all.without(Some(frame), &mut out);
            packet.clear();
            encoder.encode(&out, &mut packet);
        }
    }
    println!("mixer, {parties} parties: {:.1} us a turn", (processor_time() - before) * 1e6 / f64::from(turns));
}

/// Bound telephones: each even one speaks to the next.
fn relay(offered: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let media = Media::new(MediaConfig::new(HERE, 20_000..=39_999));
    let capabilities = || Capabilities { codecs: vec![Codec::Pcmu], ..Capabilities::default() };
    let (mut phones, mut streams, mut events) = (Vec::new(), Vec::new(), Vec::new());
    runtime.block_on(async {
        for _ in 0..STREAMS {
            let phone = UdpSocket::bind((HERE, 0)).unwrap();
            phone.set_nonblocking(true).unwrap();
            let port = phone.local_addr().unwrap().port();
            let (stream, receiver) = media.stream().unwrap();
            let local = Local { address: HERE, port, rtcp: port };
            let offer = Session::new(local, capabilities(), Arc::new(OsRng)).offer(Direction::SendRecv);
            let mut ours = Session::new(stream.local(), capabilities(), Arc::new(OsRng));
            stream.negotiated(&ours.answer(&offer, Direction::SendRecv).unwrap().1);
            phones.push((phone, SocketAddr::new(HERE, stream.local().port)));
            streams.push(stream);
            events.push(receiver);
        }
        streams.chunks(2).for_each(|pair| pair[0].connect(&Path::Relay(&pair[1])));
    });
    let generator = thread::spawn(move || generate(&phones, offered));
    let (mut processor, mut passed) = (0.0, 0);
    let relayed = || streams.iter().map(|stream| stream.quality().sent).sum::<u64>();
    runtime.block_on(async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let (before, first) = (processor_time(), relayed());
        tokio::time::sleep(Duration::from_secs(5)).await;
        (processor, passed) = (processor_time() - before, relayed() - first);
        while !generator.is_finished() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let (sent, received, seconds) = generator.join().unwrap();
    let lost = 100.0 * (1.0 - received.min(sent) as f64 / sent as f64);
    println!(
        "relay, {offered} packets/s offered, {:.0} sent: {lost:.3} % lost, {:.2} us of processor a packet, so {:.0} a second on one core",
        sent as f64 / seconds,
        processor / passed as f64 * 1e6,
        passed as f64 / processor,
    );
}

fn generate(phones: &[(UdpSocket, SocketAddr)], offered: u64) -> (u64, u64, f64) {
    let (mut sent, mut received, mut buffer) = (0u64, 0u64, [0; 2048]);
    let began = Instant::now();
    let length = Duration::from_secs(6);
    while began.elapsed() < length {
        let due = began.elapsed().as_micros() as u64 * offered / 1_000_000;
        while sent < due {
            let place = sent as usize % phones.len();
            let round = sent / phones.len() as u64;
            let (phone, to) = &phones[place];
            let header = Header {
                marker: false,
                payload_type: 0,
                sequence: round as u16,
                timestamp: round as u32 * 160,
                ssrc: place as u32,
            };
            let packet = [header.octets().as_slice(), &[0x55; 160]].concat();
            phone.send_to(&packet, to).unwrap();
            sent += 1;
            while phone.recv_from(&mut buffer).is_ok() {
                received += 1;
            }
        }
        thread::sleep(Duration::from_millis(1));
    }
    let seconds = began.elapsed().as_secs_f64();
    thread::sleep(Duration::from_millis(300));
    for (phone, _) in phones {
        while phone.recv_from(&mut buffer).is_ok() {
            received += 1;
        }
    }
    (sent, received, seconds)
}

/// Seconds that this thread has had a processor.
fn processor_time() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}
