//! Taking connections and speaking HTTP on them.

use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo, routing::future::RouteFuture};
use hyper::{Request, body::Incoming};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use metrics::gauge;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};
use tower::Service;

use super::tls::Certificate;
use crate::{
    config::{Config, Limits},
    failure::{At, Failure, Result},
};

/// How every HTTP/2 connection begins; no request line of HTTP/1 does.
const HTTP_2: &[u8] = b"PRI";
/// Bytes of a request's head at the most.
const LARGEST_HEAD: usize = 64 * 1024;
/// Requests at once on one HTTP/2 connection.
const STREAMS: u32 = 128;
/// How long the machine is left alone when it refuses us a connection, for want of descriptors for one.
const REST: Duration = Duration::from_millis(50);

/// Binds an address: a host name or an address, and a port; port 0 is any that is free.
///
/// # Errors
/// What is no address, or is in use.
pub async fn bind(address: &str) -> Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|fault| {
        let failure = Failure::new(format!("cannot listen on {address}: {fault}"));
        match fault.kind() {
            io::ErrorKind::AddrInUse => {
                failure.hint("another program has that port; choose one with --listen, port 0 for any that is free")
            }
            io::ErrorKind::InvalidInput => failure.hint("an address is written as 127.0.0.1:8080 or [::1]:8080"),
            _ => failure,
        }
    })
}

/// Where the life of a front is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Connections are taken.
    Open,
    /// None are taken; those that are there end after the request that they are at.
    Closing,
    /// What is still there is cut.
    Cut,
}

/// A front: one router, one speaker of HTTP, one set of limits, behind any number of listeners.
pub struct Front {
    router: Router,
    http1: Builder<TokioExecutor>,
    http2: Builder<TokioExecutor>,
    connections: u32,
    slots: Arc<Semaphore>,
    patience: Duration,
    phase: watch::Sender<Phase>,
}

/// The protocol that a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Http1,
    Http2,
}

impl Front {
    /// A front that serves `router`.
    #[must_use]
    pub fn new(router: Router, limits: &Limits) -> Self {
        let patience = Duration::from_secs(limits.header_seconds.max(1).into());
        let builder = || {
            let mut builder = Builder::new(TokioExecutor::new());
            builder.http1().timer(TokioTimer::new()).header_read_timeout(patience).max_buf_size(LARGEST_HEAD);
            let mut http2 = builder.http2();
            http2.timer(TokioTimer::new()).max_concurrent_streams(STREAMS);
            http2.max_header_list_size(u32::try_from(LARGEST_HEAD).unwrap_or(u32::MAX));
            http2.keep_alive_interval(patience).keep_alive_timeout(patience);
            builder
        };
        Self {
            router,
            http1: builder().http1_only(),
            http2: builder().http2_only(),
            connections: limits.connections.max(1),
            slots: Arc::new(Semaphore::new(usize::try_from(limits.connections.max(1)).unwrap_or(Semaphore::MAX_PERMITS))),
            patience,
            phase: watch::Sender::new(Phase::Open),
        }
    }

    /// Takes connections until the front closes; each runs on as a task of its own.
    pub async fn take(self: Arc<Self>, listener: TcpListener, certificate: Option<Certificate>) {
        let mut phase = self.phase.subscribe();
        loop {
            let (stream, peer, slot) = tokio::select! {
                accepted = self.accept(&listener) => accepted,
                () = until(&mut phase, Phase::Closing) => return,
            };
            let (front, certificate) = (self.clone(), certificate.clone());
            tokio::spawn(async move {
                let open = gauge!("tandem_connections");
                open.increment(1.0);
                let mut phase = front.phase.subscribe();
                let served = tokio::select! {
                    served = front.serve(stream, peer, certificate) => served,
                    () = until(&mut phase, Phase::Cut) => Err(Failure::new("cut: the server stops")),
                };
                if let Err(fault) = served {
                    tracing::debug!(fault = fault.message, %peer, "a connection ended badly");
                }
                open.decrement(1.0);
                drop(slot);
            });
        }
    }

    async fn accept(&self, listener: &TcpListener) -> (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>) {
        let slot = self.slots.clone().acquire_owned().await.ok(); // the semaphore is never closed
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => return (stream, peer, slot),
                Err(fault) => {
                    tracing::warn!(%fault, "a connection could not be taken");
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }

    async fn serve(&self, stream: TcpStream, peer: SocketAddr, certificate: Option<Certificate>) -> Result<()> {
        stream.set_nodelay(true)?;
        match certificate {
            None => {
                let Some(protocol) = self.begun(protocol(&stream)).await? else { return Ok(()) };
                self.speak(stream, protocol, peer).await
            }
            Some(certificate) => {
                let Some(stream) = self.begun(certificate.acceptor().accept(stream)).await? else { return Ok(()) };
                let protocol = if stream.get_ref().1.alpn_protocol() == Some(b"h2") { Protocol::Http2 } else { Protocol::Http1 };
                self.speak(stream, protocol, peer).await
            }
        }
    }

    /// Waits for a connection to begin: not for ever, and not while the front closes.
    async fn begun<T>(&self, beginning: impl Future<Output = io::Result<T>>) -> Result<Option<T>> {
        let mut phase = self.phase.subscribe();
        tokio::select! {
            begun = tokio::time::timeout(self.patience, beginning) => match begun {
                Ok(begun) => Ok(Some(begun?)),
                Err(_) => Err(Failure::new("it was too slow to begin")),
            },
            () = until(&mut phase, Phase::Closing) => Ok(None),
        }
    }

    async fn speak(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        protocol: Protocol,
        peer: SocketAddr,
    ) -> Result<()> {
        let builder = match protocol {
            Protocol::Http1 => &self.http1,
            Protocol::Http2 => &self.http2,
        };
        let handler = Handler { router: self.router.clone(), peer };
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), handler));
        let mut phase = self.phase.subscribe();
        tokio::select! {
            ended = connection.as_mut() => return ended.at("HTTP with", peer),
            () = until(&mut phase, Phase::Closing) => connection.as_mut().graceful_shutdown(),
        }
        connection.await.at("HTTP with", peer)
    }

    /// Takes no more connections and waits for those that are there to finish their requests, but no longer than `patience`.
    pub async fn close(&self, patience: Duration) {
        self.phase.send_replace(Phase::Closing);
        let all = self.slots.acquire_many(self.connections);
        if tokio::time::timeout(patience, all).await.is_err() {
            let left = usize::try_from(self.connections).unwrap_or(0).saturating_sub(self.slots.available_permits());
            tracing::warn!(left, "connections did not end in time and are cut");
        }
        self.cut();
    }

    /// Ends everything at once.
    pub fn cut(&self) {
        self.phase.send_replace(Phase::Cut);
    }
}

/// Waits until the front has come to `phase`, or is gone.
async fn until(current: &mut watch::Receiver<Phase>, phase: Phase) {
    let _ = current.wait_for(|current| *current as u8 >= phase as u8).await; // an error means that the front is gone
}

/// Looks at the first bytes without taking them.
async fn protocol(stream: &TcpStream) -> io::Result<Protocol> {
    let mut head = [0; HTTP_2.len()];
    loop {
        let seen = stream.peek(&mut head).await?;
        let (got, wanted) = (head.get(..seen).unwrap_or_default(), HTTP_2.get(..seen).unwrap_or_default());
        if seen == 0 || got != wanted {
            return Ok(Protocol::Http1);
        }
        if seen == HTTP_2.len() {
            return Ok(Protocol::Http2);
        }
        // What is there is seen again at once: the rest is waited for in small steps. Only a very odd client gets here.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What answers the requests of one connection.
#[derive(Clone)]
struct Handler {
    router: Router,
    peer: SocketAddr,
}

impl hyper::service::Service<Request<Incoming>> for Handler {
    type Response = axum::response::Response;
    type Error = Infallible;
    type Future = RouteFuture<Infallible>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(self.peer));
        self.router.clone().call(request)
    }
}

/// The addresses at which a running server is reached.
#[must_use]
pub fn base_url(config: &Config, plain: SocketAddr) -> String {
    if let Some(url) = &config.public_url {
        return url.trim_end_matches('/').to_owned();
    }
    let host = match plain.ip() {
        ip if ip.is_unspecified() => "127.0.0.1".to_owned(),
        std::net::IpAddr::V4(ip) => ip.to_string(),
        std::net::IpAddr::V6(ip) => format!("[{ip}]"),
    };
    format!("http://{host}:{}", plain.port())
}
