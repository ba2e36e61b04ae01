//! Streams without sockets: another driver in the place of the usual one, and time that only the test moves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tandem_kernel::SeededRng;
use tandem_media::{
    Channel, Codec, Driver, Endpoint, Media, MediaConfig, Path, Rate, Stream, StreamEvent, Wire,
    play::{Prompt, Sound},
    rtp::{Header, Rtp},
    sdp::{Capabilities, Direction, Local, Session},
};
use tokio::sync::mpsc::Receiver;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const THERE: SocketAddr = SocketAddr::new(HERE, 9000);

type Sent = Arc<Mutex<Vec<Vec<u8>>>>;

/// Keeps what is sent, and who would be told what comes.
#[derive(Default)]
struct Desk {
    lines: Mutex<Vec<Arc<Line>>>,
}

#[derive(Default)]
struct Line {
    sent: Sent,
    endpoint: Mutex<Option<Arc<dyn Endpoint>>>,
}

impl Driver for Desk {
    fn open(&self, _: UdpSocket, _: UdpSocket) -> io::Result<Arc<dyn Wire>> {
        let line = Arc::new(Line::default());
        self.lines.lock().unwrap().push(line.clone());
        Ok(line)
    }
}

impl Wire for Line {
    fn send(&self, _: Channel, datagram: &[u8], _: SocketAddr) -> bool {
        self.sent.lock().unwrap().push(datagram.to_vec());
        true
    }

    fn attach(self: Arc<Self>, endpoint: Arc<dyn Endpoint>) {
        *self.endpoint.lock().unwrap() = Some(endpoint);
    }
}

impl Line {
    fn endpoint(&self) -> Arc<dyn Endpoint> {
        self.endpoint.lock().unwrap().clone().unwrap()
    }

    fn packet(&self, sequence: u16, payload: &[u8], now: Instant) {
        let header = Header { marker: false, payload_type: 0, sequence, timestamp: u32::from(sequence) * 160, ssrc: 5 };
        let mut datagram = [header.octets().as_slice(), payload].concat();
        self.endpoint().datagram(Channel::Rtp, &mut datagram, THERE, now);
    }

    /// Wakes the stream whenever it wants to be, until then.
    fn run(&self, from: Instant, until: Instant) {
        let endpoint = self.endpoint();
        let mut now = from;
        loop {
            let next = endpoint.deadline(now);
            if next > until {
                return;
            }
            now = next.max(now);
            endpoint.wake(now);
        }
    }

    fn sounds(&self) -> Vec<(Header, Vec<u8>)> {
        let sent = std::mem::take(&mut *self.sent.lock().unwrap());
        sent.iter()
            .filter(|datagram| !tandem_media::rtp::is_rtcp(datagram))
            .map(|datagram| {
                let packet = Rtp::parse(datagram).unwrap();
                (packet.header, packet.payload.to_vec())
            })
            .collect()
    }
}

fn opened(desk: &Arc<Desk>, media: &Media, codec: Codec) -> (Stream, Receiver<StreamEvent>, Arc<Line>) {
    let capabilities = || Capabilities { codecs: vec![codec], ..Capabilities::default() };
    let (stream, events) = media.stream().unwrap();
    let theirs = Local { address: HERE, port: THERE.port(), rtcp: THERE.port() + 1 };
    let offer = Session::new(theirs, capabilities(), Arc::new(SeededRng::new(1))).offer(Direction::SendRecv);
    let mut session = Session::new(stream.local(), capabilities(), Arc::new(SeededRng::new(2)));
    stream.negotiated(&session.answer(&offer, Direction::SendRecv).unwrap().1);
    let line = desk.lines.lock().unwrap().last().unwrap().clone();
    (stream, events, line)
}

fn media() -> (Arc<Desk>, Media) {
    let desk = Arc::new(Desk::default());
    (desk.clone(), Media::new(MediaConfig { driver: desk, ..MediaConfig::new(HERE, 20_000..=59_999) }))
}

fn after(start: Instant, millis: u64) -> Instant {
    start + Duration::from_millis(millis)
}

#[tokio::test(start_paused = true)]
async fn what_is_lost_and_late_is_heard_as_a_fading_echo_of_what_was_before() {
    let (desk, media) = media();
    let (a, _ea, line_a) = opened(&desk, &media, Codec::Pcmu);
    let (b, _eb, line_b) = opened(&desk, &media, Codec::Pcma);
    a.connect(&Path::Relay(&b));
    let start = tokio::time::Instant::now().into_std();
    let mut encoder = tandem_media::codec::Encoder::new(Codec::Pcmu);
    let mut loud = Vec::new();
    encoder.encode(&[8000; 160], &mut loud);
    // 3 comes before 2; 5 never comes, and 6 after 8.
    for (millis, sequence) in [(0, 1), (20, 3), (30, 2), (60, 4), (130, 7), (150, 8), (160, 6), (170, 9)] {
        line_a.run(start, after(start, millis));
        line_a.packet(sequence, &loud, after(start, millis));
    }
    line_a.run(start, after(start, 400));
    let mut decoder = tandem_media::codec::Decoder::new(Codec::Pcma);
    let mut frame = Vec::new();
    let heard: Vec<i16> = line_b
        .sounds()
        .iter()
        .map(|(_, payload)| {
            decoder.decode(payload, &mut frame);
            (frame[0] + 500) / 1000
        })
        .collect();
    // Four that came; a gap that is bridged; what was lost in it; four more, and the end that is bridged as well.
    assert_eq!(heard, [8, 8, 8, 8, 8, 5, 3, 0, 8, 8, 8, 8, 8, 5, 3]);
    assert_eq!((a.quality().lost, a.quality().late), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn sound_goes_out_every_twenty_milliseconds_and_goes_on_after_a_pause_by_the_clock() {
    let (desk, media) = media();
    let (stream, _events, line) = opened(&desk, &media, Codec::Pcmu);
    let start = tokio::time::Instant::now().into_std();
    let prompt = Prompt::sounds([Sound::new(Rate::Narrow, vec![1000; 480].into())]);
    stream.play(&prompt).unwrap();
    line.run(start, after(start, 990));
    stream.play(&prompt).unwrap();
    line.run(after(start, 1000), after(start, 2000));
    let sent: Vec<(bool, u16, u32)> =
        line.sounds().iter().map(|(header, _)| (header.marker, header.sequence, header.timestamp)).collect();
    let (first, began) = (sent[0].1, sent[0].2);
    let wanted = [(true, 0), (false, 160), (false, 320), (true, 8000), (false, 8160), (false, 8320)];
    let wanted: Vec<_> = wanted
        .iter()
        .zip(0u16..)
        .map(|((marker, ticks), n)| (*marker, first.wrapping_add(n), began.wrapping_add(*ticks)))
        .collect();
    assert_eq!(sent, wanted);
}

#[tokio::test(start_paused = true)]
async fn a_stream_whose_driver_breaks_says_so() {
    let (desk, media) = media();
    let (_stream, mut events, line) = opened(&desk, &media, Codec::Pcmu);
    line.endpoint().failed();
    assert_eq!(events.recv().await, Some(StreamEvent::Failed));
    assert!(line.endpoint().is_over());
}
