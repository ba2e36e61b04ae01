//! Calls with sound through a server: `voice SERVER CALLEE NUMBER CALLS SECONDS`.
//!
//! Makes `CALLS` calls to `NUMBER` at `SERVER`, which sends them on to `CALLEE`, an address of this program, and lets both sides of
//! each speak (50 packets a second of G.711, numbered) for `SECONDS`. Prints, as JSON, how many calls were up, the packets that were
//! sent and came through, and how many were missed between them.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a measurement is read from its output; packets have the length that they are given here"
)]

use std::{
    error::Error,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use tandem_sip::{
    Binding, Config, Credentials, Desk, Dial, Dialog, Incoming, Listen, NotStored, Notice, OwnerId, PeerId, Progress, Sip, Source,
    Target, Transport,
};
use tokio::{sync::mpsc, task::JoinSet, time::timeout};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// A packet's time, and its octets of G.711 at 8 kHz.
const TICK: Duration = Duration::from_millis(20);
const OCTETS: usize = 160;
const HEAD: usize = 12;
/// Calls that are set up a second: what is measured is the sound.
const PACE: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(40);

struct Anybody;

#[async_trait]
impl Desk for Anybody {
    async fn credentials(&self, _: &str, _: &str) -> Option<Credentials> {
        None
    }

    async fn identify(&self, _: &Source) -> Option<PeerId> {
        Some(PeerId("anybody".to_owned()))
    }

    async fn bindings(&self, _: &OwnerId) -> Result<Vec<Binding>, NotStored> {
        Ok(Vec::new())
    }

    async fn store(&self, _: &OwnerId, _: Vec<Binding>) -> Result<(), NotStored> {
        Ok(())
    }

    fn notice(&self, _: Notice) {}
}

/// One side of a call: speaks to where the other side's description says.
struct Speaker {
    socket: UdpSocket,
    packet: [u8; HEAD + OCTETS],
    sent: u16,
    heard: Option<u16>,
}

/// What came of speaking.
#[derive(Default)]
struct Counts {
    sent: AtomicU64,
    received: AtomicU64,
    missed: AtomicU64,
}

impl Speaker {
    fn new(ssrc: u32) -> Outcome<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_nonblocking(true)?;
        let mut packet = [0xff; HEAD + OCTETS];
        packet[..HEAD].copy_from_slice(&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        packet[8..HEAD].copy_from_slice(&ssrc.to_be_bytes());
        Ok(Self { socket, packet, sent: 0, heard: None })
    }

    fn describe(&self) -> Outcome<Vec<u8>> {
        let port = self.socket.local_addr()?.port();
        let text = format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n\
             a=rtpmap:0 PCMU/8000\r\n"
        );
        Ok(text.into_bytes())
    }

    fn towards(&self, sdp: &[u8]) -> Outcome<()> {
        let text = String::from_utf8_lossy(sdp);
        let port = text.lines().find_map(|line| line.strip_prefix("m=audio ")?.split(' ').next()?.parse::<u16>().ok());
        self.socket.connect((Ipv4Addr::LOCALHOST, port.ok_or("a description without audio")?))?;
        Ok(())
    }

    fn tick(&mut self, counts: &Counts) {
        let mut room = [0; 2_048];
        while let Ok(length) = self.socket.recv(&mut room) {
            if length < HEAD || room[1] & 0x7f != 0 {
                continue;
            }
            let number = u16::from_be_bytes([room[2], room[3]]);
            if let Some(last) = self.heard {
                let step = number.wrapping_sub(last);
                counts.missed.fetch_add(if (2..1_000).contains(&step) { u64::from(step) - 1 } else { 0 }, Ordering::Relaxed);
            }
            self.heard = Some(number);
            counts.received.fetch_add(1, Ordering::Relaxed);
        }
        self.sent = self.sent.wrapping_add(1);
        self.packet[2..4].copy_from_slice(&self.sent.to_be_bytes());
        let time = u32::from(self.sent).wrapping_mul(160);
        self.packet[4..8].copy_from_slice(&time.to_be_bytes());
        if self.socket.send(&self.packet).is_ok() {
            counts.sent.fetch_add(1, Ordering::Relaxed);
        }
    }
}

type Speakers = Arc<Mutex<Vec<Speaker>>>;

/// Lets all speak, each in its own part of the tick, until it is over. How late the latest round was.
fn speak(speakers: &Speakers, counts: &Counts, over: &AtomicBool) -> Duration {
    let (mut next, mut latest) = (Instant::now(), Duration::ZERO);
    while !over.load(Ordering::Relaxed) {
        let mut all = speakers.lock().unwrap_or_else(PoisonError::into_inner);
        let part = all.len().div_ceil(20).max(1);
        let parts = all.chunks_mut(part).count().max(1);
        let mut chunk = 0;
        let begun = next;
        for some in all.chunks_mut(part) {
            for one in some {
                one.tick(counts);
            }
            chunk += 1;
            let due = begun + TICK * chunk / u32::try_from(parts).unwrap_or(20);
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        drop(all);
        next += TICK;
        latest = latest.max(Instant::now().saturating_duration_since(next));
        thread::sleep(next.saturating_duration_since(Instant::now()));
        if latest > Duration::from_secs(1) {
            next = Instant::now(); // it does not catch up with what nobody could
        }
    }
    latest
}

async fn listen(address: SocketAddr) -> Outcome<(Sip, mpsc::Receiver<Incoming>)> {
    let mut config = Config::new(vec![Listen::on(Transport::Udp, address)], "bench");
    config.session.expires = 0;
    let limits = &mut config.limits;
    (limits.trusted_rate, limits.total_rate, limits.total_burst, limits.calls) = (100_000, 100_000, 100_000, 100_000);
    (limits.source_rate, limits.source_burst, limits.incoming) = (100_000, 100_000, 100_000);
    Ok(Sip::start(config, Arc::new(Anybody)).await?)
}

async fn take(mut incoming: mpsc::Receiver<Incoming>, speakers: Speakers) {
    let mut ssrc = 1 << 20;
    while let Some(Incoming::Call(call)) = incoming.recv().await {
        ssrc += 1;
        let speakers = speakers.clone();
        tokio::spawn(async move {
            let taken = async {
                let speaker = Speaker::new(ssrc)?;
                speaker.towards(&call.offer().ok_or("a call without an offer")?)?;
                let sdp = speaker.describe()?;
                let dialog = call.answer(sdp).await.map_err(|ended| format!("{ended:?}"))?;
                speakers.lock().unwrap_or_else(PoisonError::into_inner).push(speaker);
                Outcome::Ok(dialog)
            };
            if let Ok(mut dialog) = taken.await {
                while dialog.next().await.is_some() {}
            }
        });
    }
}

async fn call(sip: Sip, server: SocketAddr, number: String, ssrc: u32, speakers: Speakers) -> Outcome<Dialog> {
    let speaker = Speaker::new(ssrc)?;
    let mut dial = Dial::new(&format!("sip:{number}@{server}"), "sip:+14155550177@127.0.0.1", speaker.describe()?);
    dial.target = Target::Source(Source { transport: Transport::Udp, address: server });
    let mut outgoing = sip.dial(dial);
    loop {
        match timeout(PATIENCE, outgoing.next()).await?.ok_or("a call that is over")? {
            Progress::Ringing { .. } => {}
            Progress::Answered { dialog, sdp } => {
                speaker.towards(&sdp.ok_or("an answer without a description")?)?;
                speakers.lock().unwrap_or_else(PoisonError::into_inner).push(speaker);
                return Ok(dialog);
            }
            other => return Err(format!("{other:?}").into()),
        }
    }
}

async fn run(server: SocketAddr, callee: SocketAddr, number: &str, calls: u32, seconds: u64) -> Outcome<()> {
    let speakers = Speakers::default();
    let (_called, incoming) = listen(callee).await?;
    tokio::spawn(take(incoming, speakers.clone()));
    let (caller, _nobody) = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    let mut setting_up = JoinSet::new();
    let mut pace = tokio::time::interval(PACE);
    for place in 0..calls {
        pace.tick().await;
        setting_up.spawn(call(caller.clone(), server, number.to_owned(), place + 1, speakers.clone()));
    }
    let (mut dialogs, mut failed) = (Vec::new(), 0);
    while let Some(call) = setting_up.join_next().await {
        match call? {
            Ok(dialog) => dialogs.push(dialog),
            Err(fault) => {
                failed += 1;
                if failed < 4 {
                    eprintln!("a call failed: {fault}");
                }
            }
        }
    }
    println!(
        "{}",
        serde_json::json!({ "up": dialogs.len(), "failed": failed, "speakers": speakers.lock().map_or(0, |all| all.len()) })
    );
    let (counts, over) = (Arc::new(Counts::default()), Arc::new(AtomicBool::new(false)));
    let speaking = {
        let (speakers, counts, over) = (speakers.clone(), counts.clone(), over.clone());
        thread::spawn(move || speak(&speakers, &counts, &over))
    };
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    over.store(true, Ordering::Relaxed);
    let latest = speaking.join().map_err(|_| "the speakers have failed")?;
    let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
    println!(
        "{}",
        serde_json::json!({ "sent": read(&counts.sent), "received": read(&counts.received), "missed": read(&counts.missed),
                            "latest_ms": u64::try_from(latest.as_millis())? })
    );
    let mut ending = JoinSet::new();
    for dialog in dialogs {
        ending.spawn(async move { dialog.control().bye(Vec::new()).await });
    }
    while ending.join_next().await.is_some() {}
    Ok(())
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [server, callee, number, calls, seconds] = arguments.as_slice() else {
        return Err("voice SERVER CALLEE NUMBER CALLS SECONDS".into());
    };
    run(server.parse()?, callee.parse()?, number, calls.parse()?, seconds.parse()?).await
}
