//! Connections that are open, and opening others (RFC 3261 section 18.1.1, RFC 5626).

use std::{
    collections::HashMap,
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use rsipstack::transport::SipConnection;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::{Intake, stream};
use crate::{Bound, Source, Transport};

/// A way to one peer: a connection, or our socket for datagrams.
#[derive(Clone)]
pub(crate) struct Flow {
    /// What the stack sends through.
    pub connection: SipConnection,
    /// The peer.
    pub peer: Source,
    /// Our address as the peer is told it.
    pub local: SocketAddr,
    /// Ends with the connection. Datagrams have none that could end.
    pub closed: CancellationToken,
}

/// Why somebody cannot be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreached {
    /// The host's name leads to no address.
    NoAddress(String),
    /// No connection can be opened.
    Connection(String),
    /// TLS failed: the certificate is not of an authority that is trusted, or not the host's.
    Tls(String),
    /// It took too long.
    TimedOut,
    /// There are as many connections as there may be, or none of this sort can be opened.
    NotOurs(&'static str),
}

impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAddress(host) => write!(f, "the name {host} leads to no address"),
            Self::Connection(fault) => write!(f, "no connection: {fault}"),
            Self::Tls(fault) => write!(f, "TLS failed: {fault}"),
            Self::TimedOut => f.write_str("no connection in time"),
            Self::NotOurs(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Unreached {}

/// What all connections share.
pub(crate) struct Flows {
    pub intake: Arc<Intake>,
    pub trust: Option<Arc<rustls::ClientConfig>>,
    pub timers: crate::Timers,
    pub limits: crate::Limits,
    /// Ends everything.
    pub stop: CancellationToken,
    pub udp: Mutex<Vec<(Bound, SipConnection)>>,
    pub bound: Mutex<Vec<Bound>>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    flows: HashMap<Source, Flow>,
    each: HashMap<IpAddr, usize>,
}

impl Flows {
    pub fn new(intake: Arc<Intake>, config: &crate::Config, stop: CancellationToken) -> Self {
        let (trust, timers, limits) = (config.trust.clone(), config.timers.clone(), config.limits.clone());
        Self { intake, trust, timers, limits, stop, udp: Mutex::default(), bound: Mutex::default(), open: Mutex::default() }
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a connection. Gives it back where there are too many.
    pub fn keep(&self, flow: Flow) -> bool {
        let mut open = self.open();
        let address = flow.peer.address.ip();
        let each = open.each.get(&address).copied().unwrap_or(0);
        if open.flows.len() >= self.limits.connections || each >= self.limits.source_connections {
            return false;
        }
        if open.flows.insert(flow.peer, flow).is_none() {
            open.each.insert(address, each + 1);
        }
        true
    }

    /// Forgets a connection that has ended.
    pub fn forget(&self, peer: Source) {
        let mut open = self.open();
        if open.flows.remove(&peer).is_some()
            && let Some(each) = open.each.get_mut(&peer.address.ip())
        {
            *each -= 1;
            if *each == 0 {
                open.each.remove(&peer.address.ip());
            }
        }
    }

    /// How many connections are open.
    pub fn count(&self) -> usize {
        self.open().flows.len()
    }

    /// The way back to where a request came from.
    pub fn back(&self, source: Source) -> Option<Flow> {
        match source.transport {
            Transport::Udp => self.datagrams(source.address),
            _ => self.open().flows.get(&source).cloned(),
        }
    }

    fn datagrams(&self, address: SocketAddr) -> Option<Flow> {
        let udp = self.udp.lock().unwrap_or_else(PoisonError::into_inner);
        let (bound, connection) = udp.iter().find(|(bound, _)| bound.address.is_ipv4() == address.is_ipv4())?;
        let (peer, closed) = (Source { transport: Transport::Udp, address }, CancellationToken::new());
        Some(Flow { connection: connection.clone(), peer, local: bound.advertised, closed })
    }

    /// The way to an address: the connection that is open, or a new one. `name` is what the certificate has to be for.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn reach(self: &Arc<Self>, peer: Source, name: &str) -> Result<Flow, Unreached> {
        if let Some(flow) = self.back(peer).filter(|flow| !flow.closed.is_cancelled()) {
            return Ok(flow);
        }
        let connect = self.connect(peer, name);
        let flow = tokio::time::timeout(self.timers.connect, connect).await.unwrap_or(Err(Unreached::TimedOut));
        flow.inspect_err(|fault| match fault {
            Unreached::Tls(_) => tracing::warn!(%peer, host = name, %fault, "a peer's certificate is refused"),
            _ => tracing::debug!(%peer, %fault, "cannot connect"),
        })
    }

    async fn connect(self: &Arc<Self>, peer: Source, name: &str) -> Result<Flow, Unreached> {
        const MANY: Unreached = Unreached::NotOurs("there are too many connections");
        let fault = |fault: io::Error| Unreached::Connection(fault.to_string());
        let open = async || {
            let socket = TcpStream::connect(peer.address).await?;
            socket.set_nodelay(true)?;
            let local = self.local(peer.transport, socket.local_addr()?);
            Ok((socket, local))
        };
        match peer.transport {
            Transport::Tcp => {
                let (socket, local) = open().await.map_err(fault)?;
                stream::start(self, socket, peer, local).ok_or(MANY)
            }
            Transport::Tls => {
                let trust = self.trust.clone().ok_or_else(|| Unreached::Tls("no certificates are trusted".to_owned()))?;
                let server = ServerName::try_from(name.to_owned());
                let server = server.map_err(|_| Unreached::Tls(format!("'{name}' is no name that a certificate could be for")))?;
                let (socket, local) = open().await.map_err(fault)?;
                let socket = tokio_rustls::TlsConnector::from(trust).connect(server, socket).await;
                let socket = socket.map_err(|fault| Unreached::Tls(fault.to_string()))?;
                stream::start(self, socket, peer, local).ok_or(MANY)
            }
            Transport::Udp | Transport::Ws | Transport::Wss => Err(Unreached::NotOurs("no connection of ours can be opened there")),
        }
    }

    /// Whether a listener of ours speaks an address's version of IP.
    pub fn speaks(&self, address: SocketAddr) -> bool {
        let bound = self.bound.lock().unwrap_or_else(PoisonError::into_inner);
        bound.iter().any(|bound| bound.address.is_ipv4() == address.is_ipv4())
    }

    /// What we tell a peer that our address is: that of a listener, where it can call back, or of the connection itself.
    fn local(&self, transport: Transport, own: SocketAddr) -> SocketAddr {
        let bound = self.bound.lock().unwrap_or_else(PoisonError::into_inner);
        bound
            .iter()
            .find(|bound| bound.transport == transport && bound.address.is_ipv4() == own.is_ipv4())
            .map_or(own, |bound| bound.advertised)
    }
}
