//! What the owner decides.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tandem_kernel::{Clock, SystemClock};

use crate::Transport;

/// A listener to open.
#[derive(Debug, Clone)]
pub struct Listen {
    /// How messages come.
    pub transport: Transport,
    /// The address to bind. Port 0 takes any that is free; [`Sip::addresses`](crate::Sip::addresses) tells which.
    pub address: SocketAddr,
    /// What Via and Contact tell the world, where that is another address (a NAT in front). Port 0 means the port that was bound.
    pub advertised: Option<SocketAddr>,
    /// The certificate, for TLS and secure WebSockets.
    pub tls: Option<Arc<rustls::ServerConfig>>,
}

impl Listen {
    /// A listener without a certificate.
    #[must_use]
    pub const fn on(transport: Transport, address: SocketAddr) -> Self {
        Self { transport, address, advertised: None, tls: None }
    }
}

/// Everything that the adapter is told at its start.
#[derive(Clone)]
pub struct Config {
    /// The listeners. Requests go out through the first that fits.
    pub listen: Vec<Listen>,
    /// The realm of the challenges (RFC 3261 section 22.1).
    pub realm: String,
    /// Whether challenges offer SHA-256 in front of MD5 (RFC 8760). Answers by either are taken, whatever is offered.
    pub sha256: bool,
    /// What `Server` and `User-Agent` say.
    pub product: String,
    /// What outgoing TLS trusts. Without it a call by TLS fails.
    pub trust: Option<Arc<rustls::ClientConfig>>,
    /// The key that nonces are made with. Several nodes that share it accept each other's; without it there is one for each start.
    pub nonce_key: Option<[u8; 32]>,
    /// How long a nonce may be used.
    pub nonce_life: Duration,
    /// The clock that nonces age by.
    pub clock: Arc<dyn Clock>,
    /// How much is let in.
    pub limits: Limits,
    /// The protocol's timers.
    pub timers: Timers,
    /// Registrations.
    pub registrar: RegistrarConfig,
    /// Session timers.
    pub session: SessionConfig,
}

impl Config {
    /// The defaults, with these listeners and this realm.
    #[must_use]
    pub fn new(listen: Vec<Listen>, realm: &str) -> Self {
        Self {
            listen,
            realm: realm.to_owned(),
            sha256: true,
            product: "Tandem".to_owned(),
            trust: None,
            nonce_key: None,
            nonce_life: Duration::from_secs(300),
            clock: Arc::new(SystemClock),
            limits: Limits::default(),
            timers: Timers::default(),
            registrar: RegistrarConfig::default(),
            session: SessionConfig::default(),
        }
    }
}

/// How much is let in before anything is remembered about it.
#[derive(Debug, Clone)]
pub struct Limits {
    /// New requests a second from one address.
    pub source_rate: u32,
    /// How many of them may come at once.
    pub source_burst: u32,
    /// The same for addresses that are a trunk's.
    pub trusted_rate: u32,
    /// New requests a second from all.
    pub total_rate: u32,
    /// How many of them may come at once.
    pub total_burst: u32,
    /// Calls at one time, in whatever state.
    pub calls: usize,
    /// Of them, calls that came in. Where fewer than all may, those find room for the calls that they lead to.
    pub incoming: usize,
    /// Calls that came in and of which their owner has not said yet that they are taken: see [`IncomingCall::settled`](crate::IncomingCall::settled).
    /// Those that are taken are not to wait behind more than these.
    pub undecided: usize,
    /// Messages that wait for the stack.
    pub backlog: usize,
    /// Connections at one time.
    pub connections: usize,
    /// Connections of one address.
    pub source_connections: usize,
    /// Addresses that are remembered, with their rate and their faults.
    pub sources: usize,
    /// Faults after which an address is banned: wrong credentials and unknown users.
    pub strikes: u32,
    /// How long faults count, and how long a ban lasts.
    pub ban: Duration,
    /// What `Retry-After` says when a request is refused with 503.
    pub retry_after: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            source_rate: 50,
            source_burst: 100,
            trusted_rate: 1_000,
            total_rate: 2_000,
            total_burst: 4_000,
            calls: 4_000,
            incoming: usize::MAX,
            undecided: usize::MAX,
            backlog: 8_192,
            connections: 8_192,
            source_connections: 256,
            sources: 65_536,
            strikes: 12,
            ban: Duration::from_secs(600),
            retry_after: 5,
        }
    }
}

/// The protocol's timers (RFC 3261 section 17.1.1.1 and annex A).
#[derive(Debug, Clone)]
pub struct Timers {
    /// T1, the estimate of a round trip.
    pub t1: Duration,
    /// T2, the longest interval between two retransmissions.
    pub t2: Duration,
    /// T4, how long a message may stay in the network.
    pub t4: Duration,
    /// 64 T1: when a transaction without an answer is given up.
    pub timeout: Duration,
    /// The unit of the wait after two re-INVITEs met (RFC 3261 section 14.1: 10 ms).
    pub glare: Duration,
    /// How long a connection may be silent.
    pub idle: Duration,
    /// How long opening a connection or writing to it may take.
    pub connect: Duration,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
            timeout: Duration::from_secs(32),
            glare: Duration::from_millis(10),
            idle: Duration::from_secs(900),
            connect: Duration::from_secs(5),
        }
    }
}

/// What registrations may ask (RFC 3261 section 10.3).
#[derive(Debug, Clone)]
pub struct RegistrarConfig {
    /// The shortest, in seconds. A shorter one is refused with 423.
    pub least: u32,
    /// The longest: more is cut down to it.
    pub most: u32,
    /// What a device gets that does not ask.
    pub usual: u32,
    /// Bindings of one user.
    pub bindings: usize,
}

impl Default for RegistrarConfig {
    fn default() -> Self {
        Self { least: 60, most: 3_600, usual: 600, bindings: 10 }
    }
}

/// Session timers (RFC 4028).
#[derive(Debug, Clone)]
pub struct SessionConfig {
    /// What we ask for, in seconds; 0 asks for nothing.
    pub expires: u32,
    /// The shortest that we take: a call that asks for less is refused with 422.
    pub least: u32,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self { expires: 1_800, least: 90 }
    }
}
