//! A telephone that speaks RTP over real sockets, and what tests say with it.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tandem_kernel::{OsRng, SeededRng};
use tandem_media::{
    Codec, Media, MediaConfig, Stream, StreamEvent,
    codec::{Decoder, Encoder},
    rtp::{Header, Rtp},
    sdp::{Capabilities, Direction, Local, Negotiated, Session},
    srtp::Context,
};
use tokio::{net::UdpSocket, sync::mpsc::Receiver, time::timeout};

pub const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// How long anything may take before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(10);

pub fn media() -> Media {
    Media::new(config())
}

pub fn config() -> MediaConfig {
    MediaConfig { rng: Arc::new(OsRng), ..MediaConfig::new(HERE, 20_000..=59_999) }
}

pub fn only(codec: Codec) -> Capabilities {
    Capabilities { codecs: vec![codec], ..Capabilities::default() }
}

pub struct Phone {
    pub rtp: UdpSocket,
    pub rtcp: UdpSocket,
    pub session: Session,
    pub agreed: Option<Negotiated>,
    pub to: SocketAddr,
    pub to_rtcp: SocketAddr,
    pub header: Header,
    pub sealing: Option<(Context, Context)>,
    encoder: Option<Encoder>,
    decoder: Option<Decoder>,
}

impl Phone {
    pub async fn new(capabilities: Capabilities, seed: u32) -> Self {
        let bind = || UdpSocket::bind((HERE, 0));
        let (rtp, rtcp) = (bind().await.unwrap(), bind().await.unwrap());
        let local = Local { address: HERE, port: rtp.local_addr().unwrap().port(), rtcp: rtcp.local_addr().unwrap().port() };
        let session = Session::new(local, capabilities, Arc::new(SeededRng::new(u64::from(seed))));
        let nowhere = SocketAddr::from((HERE, 9));
        let header = Header { marker: true, payload_type: 0, sequence: (seed * 1000) as u16, timestamp: seed * 77_777, ssrc: seed };
        Self {
            rtp,
            rtcp,
            session,
            agreed: None,
            to: nowhere,
            to_rtcp: nowhere,
            header,
            sealing: None,
            encoder: None,
            decoder: None,
        }
    }

    /// Calls a stream: offers, and both take the answer.
    pub fn call(&mut self, stream: &Stream, theirs: Capabilities) {
        let offer = self.session.offer(Direction::SendRecv);
        let mut session = Session::new(stream.local(), theirs, Arc::new(SeededRng::new(99)));
        let (answer, agreed) = session.answer(&offer, Direction::SendRecv).expect("an agreement");
        stream.negotiated(&agreed);
        let mine = self.session.accept(&answer).expect("an answer");
        (self.to, self.to_rtcp) = (mine.remote.unwrap(), mine.remote_rtcp.unwrap());
        self.header.payload_type = mine.send.payload;
        (self.encoder, self.decoder) = (Some(Encoder::new(mine.send.codec)), Some(Decoder::new(mine.send.codec)));
        self.sealing =
            mine.srtp.as_ref().map(|keys| (Context::new(keys.suite, &keys.ours), Context::new(keys.suite, &keys.theirs)));
        self.agreed = Some(mine);
    }

    pub async fn send(&mut self, payload: &[u8]) {
        self.send_as(self.header, payload).await;
        self.header.marker = false;
        self.header.sequence = self.header.sequence.wrapping_add(1);
        self.header.timestamp = self.header.timestamp.wrapping_add(160);
    }

    pub async fn send_as(&mut self, header: Header, payload: &[u8]) {
        let mut packet = [header.octets().as_slice(), payload].concat();
        if let Some((ours, _)) = &mut self.sealing {
            ours.protect(&mut packet).unwrap();
        }
        self.rtp.send_to(&packet, self.to).await.unwrap();
    }

    /// Says 20 ms of samples.
    pub async fn say(&mut self, samples: &[i16]) {
        let mut packet = Vec::new();
        self.encoder.as_mut().unwrap().encode(samples, &mut packet);
        self.send(&packet).await;
    }

    pub async fn receive(&mut self) -> (Header, Vec<u8>) {
        let mut buffer = vec![0; 2048];
        let (length, _) = timeout(PATIENCE, self.rtp.recv_from(&mut buffer)).await.expect("a packet").unwrap();
        buffer.truncate(length);
        if let Some((_, theirs)) = &mut self.sealing {
            theirs.unprotect(&mut buffer).expect("a good tag");
        }
        let packet = Rtp::parse(&buffer).expect("RTP");
        (packet.header, packet.payload.to_vec())
    }

    /// Forgets what has come so far.
    pub fn drain(&self) {
        while self.rtp.try_recv_from(&mut [0; 2048]).is_ok() {}
    }

    /// Hears packets of sound until so many samples are there.
    pub async fn hear(&mut self, count: usize) -> Vec<i16> {
        let (mut all, mut frame) = (Vec::new(), Vec::new());
        while all.len() < count {
            let (header, payload) = self.receive().await;
            if header.payload_type == self.header.payload_type {
                self.decoder.as_mut().unwrap().decode(&payload, &mut frame);
                all.extend_from_slice(&frame);
            }
        }
        all
    }
}

pub async fn told(events: &mut Receiver<StreamEvent>, wanted: impl Fn(&StreamEvent) -> bool) -> StreamEvent {
    loop {
        let event = timeout(PATIENCE, events.recv()).await.expect("an event in time").expect("a stream that lives");
        if wanted(&event) {
            return event;
        }
    }
}

/// A frame's worth of a tone, going on from `at` samples.
pub fn tone(hertz: f64, rate: u32, at: usize, count: usize) -> Vec<i16> {
    let step = hertz * std::f64::consts::TAU / f64::from(rate);
    (at..at + count).map(|n| (6000.0 * (n as f64 * step).sin()) as i16).collect()
}

/// How much of a signal is one tone, as its amplitude.
pub fn strength(samples: &[i16], hertz: f64, rate: u32) -> f64 {
    let step = hertz * std::f64::consts::TAU / f64::from(rate);
    let parts = samples.iter().enumerate().fold((0.0, 0.0), |(re, im), (n, sample)| {
        let phase = n as f64 * step;
        (re + f64::from(*sample) * phase.cos(), im + f64::from(*sample) * phase.sin())
    });
    (parts.0.powi(2) + parts.1.powi(2)).sqrt() * 2.0 / samples.len() as f64
}
