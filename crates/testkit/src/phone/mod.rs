//! Telephones: user agents in the test's own process that speak real SIP and RTP over loopback, and do what a test tells them to.
//!
//! ```ignore
//! let (anna, ben) = (Phone::listen().await, Phone::listen().await);
//! let mut calling = anna.call(exchange.sip(), "+14155550177", "+14155550100").await;
//! let arriving = ben.incoming().await;
//! arriving.ring().await;
//! calling.ringing().await;
//! let (there, here) = (arriving.answer().await, calling.answered().await);
//! there.say(440);
//! here.hears(440).await;
//! here.bye().await;
//! there.ended().await;
//! ```
//!
//! Nothing here waits for ever: what does not come within [`PATIENCE`] fails the test.

mod calling;
mod lamp;
mod talk;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tandem_media::{
    Codec, Media, MediaConfig,
    sdp::{Capabilities, Session},
};
use tandem_sip::{
    Binding, Config, Credentials, Desk, Incoming, Listen, Login, NotStored, Notice, OwnerId, PeerId, Registration,
    RegistrationConfig, Sip, Source, Summary, Target, Trunk, TrunkConfig,
};
use tokio::sync::mpsc;

pub use calling::{Arriving, Calling, Outcome, Refused};
pub use lamp::Lamp;
pub use talk::{By, Means, Talk};
pub use tandem_media::{Reading, sdp::Security};
pub use tandem_sip::{Ended, Failed, Reason, Transport};

/// How long anything may take that a telephone waits for.
pub const PATIENCE: Duration = Duration::from_secs(45);
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Where telephones have their media; servers have them elsewhere.
const PORTS: std::ops::RangeInclusive<u16> = 34_000..=59_999;

/// What a telephone can do.
#[derive(Clone)]
pub struct PhoneOptions {
    /// How its requests travel.
    pub transport: Transport,
    /// Its codecs, the preferred first.
    pub codecs: Vec<Codec>,
    /// Whether it agrees to digits as events.
    pub events: bool,
    /// Encryption of what is said.
    pub security: Security,
    /// What it trusts where it speaks TLS.
    pub trust: Option<Arc<rustls::ClientConfig>>,
    /// Its certificate, where others are to reach it by TLS.
    pub certificate: Option<Arc<rustls::ServerConfig>>,
}

impl Default for PhoneOptions {
    fn default() -> Self {
        let codecs = vec![Codec::Pcmu, Codec::Pcma];
        Self { transport: Transport::Udp, codecs, events: true, security: Security::Off, trust: None, certificate: None }
    }
}

/// A telephone. Whoever calls it is let in; dropping it leaves the network without a word.
pub struct Phone {
    sip: Sip,
    media: Media,
    options: PhoneOptions,
    incoming: tokio::sync::Mutex<mpsc::Receiver<Incoming>>,
    line: Mutex<Option<Line>>,
    /// What it was told about waiting messages without having asked.
    told: Arc<Mutex<Vec<Summary>>>,
}

/// What a telephone is registered as.
struct Line {
    login: Login,
    _registration: Trunk,
}

impl Phone {
    /// A telephone on a free port, which speaks UDP and PCMU.
    pub async fn listen() -> Self {
        Self::with(PhoneOptions::default()).await
    }

    /// As [`Self::listen`], over TCP.
    pub async fn over_tcp() -> Self {
        Self::with(PhoneOptions { transport: Transport::Tcp, ..PhoneOptions::default() }).await
    }

    /// A telephone with other abilities.
    pub async fn with(options: PhoneOptions) -> Self {
        let any = SocketAddr::from((HERE, 0));
        let mut listen = vec![Listen::on(Transport::Udp, any), Listen::on(Transport::Tcp, any)];
        let secure = |tls| Listen { tls: Some(tls), ..Listen::on(Transport::Tls, any) };
        listen.extend(options.certificate.clone().map(secure));
        let mut config = Config::new(listen, "telephone");
        config.product = "Telephone".to_owned();
        config.trust.clone_from(&options.trust);
        config.session.expires = 0;
        let limits = &mut config.limits;
        (limits.source_rate, limits.source_burst, limits.total_rate, limits.total_burst) = (10_000, 10_000, 10_000, 10_000);
        let told = Arc::<Mutex<Vec<Summary>>>::default();
        let desk = Arc::new(Open(told.clone()));
        let (sip, incoming) = Sip::start(config, desk).await.expect("a telephone listens");
        let media = Media::new(MediaConfig::new(HERE, PORTS));
        Self { sip, media, options, incoming: incoming.into(), line: Mutex::default(), told }
    }

    /// Where it is called.
    pub fn address(&self) -> SocketAddr {
        let over = |transport| self.sip.addresses().iter().find(move |bound| bound.transport == transport);
        over(self.options.transport).or_else(|| over(Transport::Tcp)).expect("it listens").address
    }

    /// How its requests travel.
    pub fn transport(&self) -> Transport {
        self.options.transport
    }

    /// Registers at a server; whether it was let in, or the status that it was refused with. It stays registered until
    /// [`Self::unregister`].
    pub async fn register(&self, user: &str, password: &str, server: SocketAddr) -> Result<(), u16> {
        let login = Login { username: user.to_owned(), password: password.to_owned() };
        let retry = Duration::from_secs(3_600);
        let registration = RegistrationConfig { aor: format!("sip:{user}@{server}"), login: login.clone(), expires: 300, retry };
        let target = self.target(server);
        let config = TrunkConfig { uri: self.uri(None, server), target, ping: None, registration: Some(registration) };
        let trunk = self.sip.trunk(config);
        let mut said = trunk.watch_registration();
        let known = tokio::time::timeout(PATIENCE, said.wait_for(|state| *state != Registration::None)).await;
        let state = known.expect("the server answers a REGISTER").expect("the registration goes on").clone();
        match state {
            Registration::Held { .. } => {
                *self.line() = Some(Line { login, _registration: trunk });
                Ok(())
            }
            Registration::Refused { status, .. } => Err(status),
            other => panic!("{server} does not answer a REGISTER: {other:?}"),
        }
    }

    /// Leaves the network: nobody answers there any more.
    pub async fn close(self) {
        self.sip.stop(Duration::ZERO).await;
    }

    /// Takes the registration back. It does not wait for the answer.
    pub fn unregister(&self) {
        *self.line() = None;
    }

    fn line(&self) -> std::sync::MutexGuard<'_, Option<Line>> {
        locked(&self.line)
    }

    fn target(&self, server: SocketAddr) -> Target {
        let transport = self.options.transport;
        Target::Host { transport, host: server.ip().to_string(), port: Some(server.port()) }
    }

    fn uri(&self, user: Option<&str>, server: SocketAddr) -> String {
        let user = user.map(|user| format!("{user}@")).unwrap_or_default();
        let transport = match self.options.transport {
            Transport::Udp => String::new(),
            other => format!(";transport={other}"),
        };
        format!("sip:{user}{server}{transport}")
    }

    fn session(&self) -> (tandem_media::Stream, mpsc::Receiver<tandem_media::StreamEvent>, Session) {
        let (stream, events) = self.media.stream().expect("a telephone has ports");
        let PhoneOptions { codecs, events: digits, security, .. } = self.options.clone();
        let capabilities = Capabilities { codecs, events: digits, security, ..Capabilities::default() };
        let session = Session::new(stream.local(), capabilities, self.media.rng());
        (stream, events, session)
    }
}

/// The desk of a telephone: whoever calls is let in, and what is told of waiting messages is shown.
struct Open(Arc<Mutex<Vec<Summary>>>);

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Desk for Open {
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
        Err(NotStored::Full)
    }

    fn told(&self, _: &Source, summary: &Summary) -> bool {
        locked(&self.0).push(summary.clone());
        true
    }

    fn notice(&self, _: Notice) {}
}
