//! Opening the listeners.

use std::{fmt, io, net::SocketAddr, sync::Arc};

use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::{
    handshake::server::{ErrorResponse, Request, Response},
    http::{HeaderValue, StatusCode, header::SEC_WEBSOCKET_PROTOCOL},
    protocol::WebSocketConfig,
};

use super::{Flows, stream, udp};
use crate::{Bound, Listen, Source, Transport, wire::LARGEST};

/// Why the adapter did not start.
#[derive(Debug)]
pub enum StartError {
    /// A listener could not be opened.
    Bind {
        /// How it was to listen.
        transport: Transport,
        /// Where.
        address: SocketAddr,
        /// What was in the way.
        cause: io::Error,
    },
    /// A secure listener has no certificate.
    NoCertificate(SocketAddr),
    /// The stack refused to start.
    Stack(String),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bind { transport, address, .. } => write!(f, "cannot listen for SIP on {transport}:{address}"),
            Self::NoCertificate(address) => write!(f, "the secure SIP listener {address} has no certificate"),
            Self::Stack(what) => write!(f, "the SIP stack did not start: {what}"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Bind { cause, .. } => Some(cause),
            Self::NoCertificate(_) | Self::Stack(_) => None,
        }
    }
}

/// Opens one listener and serves it.
pub(crate) async fn listen(flows: &Arc<Flows>, listen: &Listen) -> Result<Bound, StartError> {
    let refused = |cause| StartError::Bind { transport: listen.transport, address: listen.address, cause };
    if matches!(listen.transport, Transport::Tls | Transport::Wss) && listen.tls.is_none() {
        return Err(StartError::NoCertificate(listen.address));
    }
    if listen.transport == Transport::Udp {
        let socket = Arc::new(UdpSocket::bind(listen.address).await.map_err(refused)?);
        let bound = bound(listen, socket.local_addr().map_err(refused)?);
        let stack = |fault: rsipstack::Error| StartError::Stack(fault.to_string());
        let connection = udp::connection(&socket, bound.advertised, flows.stop.clone()).await.map_err(stack)?;
        lock(&flows.udp).push((bound, connection.clone()));
        lock(&flows.bound).push(bound);
        tokio::spawn(udp::serve(Arc::clone(&flows.intake), socket, connection, flows.stop.clone()));
        return Ok(bound);
    }
    let listener = TcpListener::bind(listen.address).await.map_err(refused)?;
    let bound = bound(listen, listener.local_addr().map_err(refused)?);
    lock(&flows.bound).push(bound);
    let acceptor = listen.tls.clone().map(TlsAcceptor::from);
    tokio::spawn(accept(Arc::clone(flows), listener, bound, acceptor));
    Ok(bound)
}

fn lock<T>(shared: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn bound(listen: &Listen, address: SocketAddr) -> Bound {
    let advertised = listen.advertised.map_or(address, |told| match told.port() {
        0 => SocketAddr::new(told.ip(), address.port()),
        _ => told,
    });
    Bound { transport: listen.transport, address, advertised }
}

async fn accept(flows: Arc<Flows>, listener: TcpListener, bound: Bound, acceptor: Option<TlsAcceptor>) {
    // Handshakes that are under way: a connection counts only once it is through.
    let places = Arc::new(tokio::sync::Semaphore::new(1_024));
    loop {
        let accepted = tokio::select! {
            () = flows.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((socket, address)) = accepted else {
            // Out of file descriptors: others have to end first.
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            continue;
        };
        if flows.intake.admission.banned(address.ip()) {
            continue;
        }
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let (flows, acceptor) = (Arc::clone(&flows), acceptor.clone());
        tokio::spawn(async move {
            let patience = flows.timers.connect;
            let _ = tokio::time::timeout(patience, greet(&flows, socket, address, bound, acceptor)).await;
            drop(place);
        });
    }
}

async fn greet(
    flows: &Arc<Flows>,
    socket: TcpStream,
    address: SocketAddr,
    bound: Bound,
    acceptor: Option<TlsAcceptor>,
) -> Option<()> {
    let peer = Source { transport: bound.transport, address };
    socket.set_nodelay(true).ok()?;
    let local = bound.advertised;
    match (bound.transport, acceptor) {
        (Transport::Tls, Some(acceptor)) => {
            let socket = acceptor.accept(socket).await.ok()?;
            stream::start(flows, socket, peer, local)?;
        }
        (Transport::Wss, Some(acceptor)) => {
            let socket = acceptor.accept(socket).await.ok()?;
            let socket = tokio_tungstenite::accept_hdr_async_with_config(socket, subprotocol, Some(modest())).await.ok()?;
            stream::start_ws(flows, socket, peer, local)?;
        }
        (Transport::Ws, _) => {
            let socket = tokio_tungstenite::accept_hdr_async_with_config(socket, subprotocol, Some(modest())).await.ok()?;
            stream::start_ws(flows, socket, peer, local)?;
        }
        _ => {
            stream::start(flows, socket, peer, local)?;
        }
    }
    Some(())
}

fn modest() -> WebSocketConfig {
    WebSocketConfig::default().max_message_size(Some(LARGEST)).max_frame_size(Some(LARGEST))
}

/// A WebSocket has to be for SIP (RFC 7118 section 4.1).
#[expect(clippy::result_large_err, reason = "the library's type")]
fn subprotocol(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    let asked = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    if asked.flat_map(|value| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case("sip")) {
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("sip"));
        return Ok(response);
    }
    let mut refused = ErrorResponse::new(Some("the subprotocol sip is needed".to_owned()));
    *refused.status_mut() = StatusCode::BAD_REQUEST;
    Err(refused)
}
