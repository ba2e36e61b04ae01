//! Sound as packets, of many calls from one socket for each side: what is compared is the server between them.

use std::{
    collections::{HashMap, HashSet},
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// 20 ms of G.711.
const SAMPLES: u32 = 160;
const HEADER: usize = 12;
const PACKET: usize = HEADER + SAMPLES as usize;
/// How often a party speaks.
const EVERY: Duration = Duration::from_millis(20);
/// The parts of that time in which parties take turns, so that not all speak at once.
const TURNS: usize = 20;

/// An offer or an answer of PCMU alone.
pub fn description(at: SocketAddr) -> Vec<u8> {
    let (ip, port) = (at.ip(), at.port());
    format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n"
    )
    .into_bytes()
}

/// Where a description wants its sound: the server is on this machine, so the port says all.
pub fn port_of(sdp: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(sdp).ok()?;
    let media = text.lines().find_map(|line| line.strip_prefix("m=audio "))?;
    media.split(' ').next()?.parse().ok()
}

/// What arrived at one side.
pub struct Heard {
    packets: AtomicU64,
    /// Packets by the milliseconds that they took, the last for all that took longer.
    took: Vec<AtomicU64>,
    /// The server's ports that packets came from.
    from: Mutex<HashSet<u16>>,
}

impl Heard {
    fn new() -> Self {
        Self { packets: AtomicU64::new(0), took: (0..64).map(|_| AtomicU64::new(0)).collect(), from: Mutex::default() }
    }

    pub fn packets(&self) -> u64 {
        self.packets.load(Ordering::Relaxed)
    }

    /// Parties of these that heard nothing.
    pub fn silent(&self, ports: &[u16]) -> usize {
        let from = self.from.lock().unwrap_or_else(PoisonError::into_inner);
        ports.iter().filter(|port| !from.contains(port)).count()
    }

    /// Milliseconds within which so many thousandths of the packets came.
    pub fn within(&self, thousandths: u64) -> usize {
        let wanted = self.packets() * thousandths / 1_000;
        let mut seen = 0;
        self.took
            .iter()
            .position(|count| {
                seen += count.load(Ordering::Relaxed);
                seen >= wanted
            })
            .unwrap_or(self.took.len())
    }

    fn count(&self, took: Duration) {
        self.packets.fetch_add(1, Ordering::Relaxed);
        let place = usize::try_from(took.as_millis()).unwrap_or(usize::MAX).min(self.took.len() - 1);
        if let Some(count) = self.took.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// One side of all calls.
pub struct Side {
    socket: Arc<UdpSocket>,
    began: Instant,
    pub heard: Arc<Heard>,
    over: Arc<AtomicBool>,
    ear: JoinHandle<()>,
}

impl Side {
    /// A side that listens. Both sides of a run begin at the same instant.
    pub fn listen(began: Instant) -> std::io::Result<Self> {
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0")?);
        socket.set_read_timeout(Some(Duration::from_millis(200)))?;
        let (heard, over) = (Arc::new(Heard::new()), Arc::new(AtomicBool::new(false)));
        let ear = {
            let (socket, heard, over) = (socket.clone(), heard.clone(), over.clone());
            thread::spawn(move || listen(&socket, began, &heard, &over))
        };
        Ok(Self { socket, began, heard, over, ear })
    }

    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Says something to each of the server's ports for so long; how many packets that were.
    pub fn speak(&self, ports: Vec<u16>, lasts: Duration) -> JoinHandle<u64> {
        let (socket, began) = (self.socket.clone(), self.began);
        thread::spawn(move || speak(&socket, began, &ports, lasts))
    }

    /// Stops listening.
    pub fn close(self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = self.ear.join(); // it ends by itself
    }
}

fn listen(socket: &UdpSocket, began: Instant, heard: &Heard, over: &AtomicBool) {
    let mut packet = [0; 1_500];
    let mut from = HashSet::new();
    while !over.load(Ordering::Relaxed) {
        let Ok((size, source)) = socket.recv_from(&mut packet) else { continue };
        let sent = packet.get(HEADER..HEADER + 8).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
        if let (PACKET, Some(sent)) = (size, sent) {
            if from.insert(source.port()) {
                heard.from.lock().unwrap_or_else(PoisonError::into_inner).insert(source.port());
            }
            heard.count(began.elapsed().saturating_sub(Duration::from_nanos(sent)));
        }
    }
}

fn speak(socket: &UdpSocket, began: Instant, ports: &[u16], lasts: Duration) -> u64 {
    let mut packets: HashMap<u16, [u8; PACKET]> = ports.iter().map(|port| (*port, first(*port))).collect();
    let (end, step) = (Instant::now() + lasts, EVERY / u32::try_from(TURNS).unwrap_or(1));
    let (mut next, mut turn, mut sent) = (Instant::now(), 0, 0);
    while next < end {
        thread::sleep(next.saturating_duration_since(Instant::now()));
        for port in ports.iter().skip(turn).step_by(TURNS) {
            let Some(packet) = packets.get_mut(port) else { continue };
            let now = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
            packet[HEADER..HEADER + 8].copy_from_slice(&now.to_be_bytes());
            if socket.send_to(packet, ("127.0.0.1", *port)).is_ok() {
                sent += 1;
            }
            advance(packet);
        }
        turn = (turn + 1) % TURNS;
        next += step;
    }
    sent
}

fn first(port: u16) -> [u8; PACKET] {
    let mut packet = [0xff; PACKET];
    packet[..HEADER].copy_from_slice(&[0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    packet[8..12].copy_from_slice(&u32::from(port).to_be_bytes());
    packet
}

fn advance(packet: &mut [u8; PACKET]) {
    let number = u16::from_be_bytes([packet[2], packet[3]]).wrapping_add(1);
    let time = u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]).wrapping_add(SAMPLES);
    packet[2..4].copy_from_slice(&number.to_be_bytes());
    packet[4..8].copy_from_slice(&time.to_be_bytes());
}
