//! The installation's own network: calls from us to us, and to and from the handsets of the pocket network. It is on loopback,
//! whatever addresses others are told.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    ops::RangeInclusive,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tandem_app::App;
use tandem_kernel::EnvironmentId;
use tandem_media::{Media, MediaConfig};
use tandem_sip::{
    Binding, Config, Credentials, Desk, Incoming, IncomingCall, Limits, Listen, NotStored, Notice, OwnerId, PeerId, Sip, Source,
    StartError, Target, Transport,
};
use tokio::sync::mpsc;

use crate::{config::VoiceConfig, pocket::Pocket};

/// The field that says which environment a call belongs to. Only ours is believed.
pub(crate) const ENVIRONMENT: &str = "Tandem-Environment";
/// The field that says in which language a code is said.
pub(crate) const DICTATES: &str = "Tandem-Dictates";
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Whoever calls within the installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inside {
    /// We ourselves: a call to a number of another environment of ours.
    Ourselves,
    /// A handset of the pocket network.
    Handset,
}

/// Who calls from where: sockets of this process, which nobody else can have.
#[derive(Default)]
pub(crate) struct Gate(Mutex<HashMap<SocketAddr, Inside>>);

impl Gate {
    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<SocketAddr, Inside>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a socket of ours in.
    pub fn admit(&self, address: SocketAddr, who: Inside) {
        self.known().insert(address, who);
    }

    /// It is not ours any more.
    pub fn forget(&self, address: SocketAddr) {
        self.known().remove(&address);
    }

    /// Whose a socket is.
    pub fn of(&self, source: Source) -> Option<Inside> {
        if source.transport == Transport::Udp { self.known().get(&source.address).copied() } else { None }
    }
}

#[async_trait]
impl Desk for Gate {
    async fn credentials(&self, _: &str, _: &str) -> Option<Credentials> {
        None
    }

    async fn identify(&self, source: &Source) -> Option<PeerId> {
        self.of(*source).map(|who| PeerId(format!("{who:?}")))
    }

    async fn bindings(&self, _: &OwnerId) -> Result<Vec<Binding>, NotStored> {
        Ok(Vec::new())
    }

    async fn store(&self, _: &OwnerId, _: Vec<Binding>) -> Result<(), NotStored> {
        Err(NotStored::Full)
    }

    fn notice(&self, notice: Notice) {
        tracing::debug!(?notice, "the installation's own network refuses somebody");
    }
}

/// See the module.
pub(crate) struct Near {
    /// What our calls go out through.
    pub out: Sip,
    /// The media of both.
    pub media: Media,
    pub pocket: Arc<Pocket>,
    inside: Sip,
    gate: Arc<Gate>,
}

impl Near {
    /// Opens it, on ports of its own. What comes in comes through the receiver.
    ///
    /// # Errors
    /// Where loopback has no ports.
    pub async fn start(app: &App, config: &VoiceConfig) -> Result<(Self, mpsc::Receiver<Incoming>), StartError> {
        let gate = Arc::new(Gate::default());
        let start = || Sip::start(settings(config.limits.calls), gate.clone());
        let (out, _) = start().await?;
        let (inside, incoming) = start().await?;
        let (handsets, ringing) = start().await?;
        gate.admit(bound(&out), Inside::Ourselves);
        gate.admit(bound(&handsets), Inside::Handset);
        let media = media(config.media_ports.clone());
        let pocket = Pocket::new(app.clone(), handsets, bound(&inside), media.clone(), gate.clone(), config.speech.clone());
        tokio::spawn(pocket.clone().serve(ringing));
        Ok((Self { out, media, pocket, inside, gate }, incoming))
    }

    /// A call to a number of this installation.
    pub fn to_ourselves(&self, environment: EnvironmentId, uri_user: &str) -> (String, Target, (String, String)) {
        towards(bound(&self.inside), environment, uri_user)
    }

    /// A call to a handset.
    pub fn to_handset(&self, environment: EnvironmentId, uri_user: &str) -> (String, Target, (String, String)) {
        towards(self.pocket.address(), environment, uri_user)
    }

    /// Who calls, where that is somebody of the installation's own network.
    pub fn caller(&self, call: &IncomingCall) -> Option<Inside> {
        self.gate.of(call.source())
    }

    /// Refuses new calls, gives those that there are some time to end, and hangs up what is left.
    pub async fn stop(&self, patience: Duration) {
        tokio::join!(self.out.clone().stop(patience), self.inside.clone().stop(patience), self.pocket.stop(patience));
    }
}

/// The environment that a call of ours belongs to.
pub(crate) fn environment_of(call: &IncomingCall) -> Option<EnvironmentId> {
    call.header(ENVIRONMENT).and_then(EnvironmentId::parse)
}

fn towards(address: SocketAddr, environment: EnvironmentId, user: &str) -> (String, Target, (String, String)) {
    let target = Target::Source(Source { transport: Transport::Udp, address });
    (format!("sip:{user}@{address}"), target, (ENVIRONMENT.to_owned(), environment.to_string()))
}

pub(crate) fn bound(sip: &Sip) -> SocketAddr {
    sip.addresses().first().map_or_else(|| SocketAddr::new(HERE, 0), |bound| bound.address)
}

fn settings(calls: usize) -> Config {
    let mut config = Config::new(vec![Listen::on(Transport::Udp, SocketAddr::new(HERE, 0))], "inside");
    let most = u32::try_from(calls).unwrap_or(u32::MAX).saturating_mul(10);
    config.limits = Limits {
        source_rate: most,
        source_burst: most,
        trusted_rate: most,
        total_rate: most,
        total_burst: most,
        calls,
        incoming: calls,
        ..Limits::default()
    };
    config
}

fn media(ports: RangeInclusive<u16>) -> Media {
    Media::new(MediaConfig::new(HERE, ports))
}
