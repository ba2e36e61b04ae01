//! Connections that are open, and opening others (RFC 3261 section 18.1.1, RFC 5626).

use std::{
    collections::HashMap,
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
    pub async fn reach(self: &Arc<Self>, peer: Source, name: &str) -> Option<Flow> {
        if let Some(flow) = self.back(peer).filter(|flow| !flow.closed.is_cancelled()) {
            return Some(flow);
        }
        let connect = self.connect(peer, name);
        match tokio::time::timeout(self.timers.connect, connect).await {
            Ok(Ok(flow)) => Some(flow),
            Ok(Err(fault)) => {
                tracing::debug!(%peer, %fault, "cannot connect");
                None
            }
            Err(_) => None,
        }
    }

    async fn connect(self: &Arc<Self>, peer: Source, name: &str) -> std::io::Result<Flow> {
        let refused = |why: &str| std::io::Error::new(std::io::ErrorKind::Unsupported, why.to_owned());
        match peer.transport {
            Transport::Tcp => {
                let socket = TcpStream::connect(peer.address).await?;
                socket.set_nodelay(true)?;
                let local = self.local(Transport::Tcp, socket.local_addr()?);
                stream::start(self, socket, peer, local).ok_or_else(|| refused("too many connections"))
            }
            Transport::Tls => {
                let trust = self.trust.clone().ok_or_else(|| refused("no certificates are trusted"))?;
                let socket = TcpStream::connect(peer.address).await?;
                socket.set_nodelay(true)?;
                let local = self.local(Transport::Tls, socket.local_addr()?);
                let name = ServerName::try_from(name.to_owned()).map_err(|_| refused("no name for the certificate"))?;
                let socket = tokio_rustls::TlsConnector::from(trust).connect(name, socket).await?;
                stream::start(self, socket, peer, local).ok_or_else(|| refused("too many connections"))
            }
            Transport::Udp | Transport::Ws | Transport::Wss => Err(refused("no connection of ours can be opened there")),
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
