//! Where packets enter and leave: what a stream wants of whoever moves them, and the plain way with one task for each stream.
//!
//! A stream knows no socket. Another [`Driver`] (one thread over many sockets with `recvmmsg`, or with `io_uring`) takes the place of
//! [`TokioDriver`] without a change to anything else.

use std::{io, net::SocketAddr, sync::Arc, time::Instant};

use tokio::{net::UdpSocket, sync::Notify};

/// Which socket of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// RTP, and RTCP where both share a port.
    Rtp,
    /// RTCP.
    Rtcp,
}

/// One stream as a driver sees it. Nothing here waits.
pub trait Endpoint: Send + Sync {
    /// A datagram has come. It may be changed in its place.
    fn datagram(&self, channel: Channel, datagram: &mut Vec<u8>, from: SocketAddr, now: Instant);
    /// When [`Self::wake`] is to be called; asked after every call of the others and after every change.
    fn deadline(&self, now: Instant) -> Instant;
    /// The deadline has come.
    fn wake(&self, now: Instant);
    /// Told when the deadline may have become earlier, or the end has come.
    fn changed(&self) -> &Notify;
    /// Whether it is over: then the driver lets go of it and of the sockets.
    fn is_over(&self) -> bool;
    /// The driver cannot go on with it, by a fault of its own or of the endpoint's.
    fn failed(&self);
}

/// The way out. Nothing here waits: what does not fit into the socket's buffer is lost, as it would be on the way.
pub trait Wire: Send + Sync {
    /// Sends; whether it left.
    fn send(&self, channel: Channel, datagram: &[u8], to: SocketAddr) -> bool;
    /// Moves packets to an endpoint until it is over.
    fn attach(self: Arc<Self>, endpoint: Arc<dyn Endpoint>);
}

/// Who moves packets.
pub trait Driver: Send + Sync {
    /// Takes a pair of sockets, which do not block.
    ///
    /// # Errors
    /// Where they cannot be registered.
    fn open(&self, rtp: std::net::UdpSocket, rtcp: std::net::UdpSocket) -> io::Result<Arc<dyn Wire>>;
}

/// One task of tokio's for each stream.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioDriver;

impl Driver for TokioDriver {
    fn open(&self, rtp: std::net::UdpSocket, rtcp: std::net::UdpSocket) -> io::Result<Arc<dyn Wire>> {
        let rtp = UdpSocket::from_std(rtp)?;
        if rtp.local_addr()?.is_ipv4() {
            // Not every system lets us; sound goes all the same.
            let _ = rtp.set_tos_v4(EXPEDITED);
        }
        Ok(Arc::new(Pair { rtp, rtcp: UdpSocket::from_std(rtcp)? }))
    }
}

/// The mark of packets that must not wait: Expedited Forwarding (RFC 3246).
const EXPEDITED: u32 = 0xB8;
/// Datagrams that are read in a row before others get their turn.
const BATCH: usize = 16;
/// Octets of a datagram that are read; what is longer is no telephone's.
const LARGEST: usize = 2_048;

struct Pair {
    rtp: UdpSocket,
    rtcp: UdpSocket,
}

impl Wire for Pair {
    fn send(&self, channel: Channel, datagram: &[u8], to: SocketAddr) -> bool {
        let socket = match channel {
            Channel::Rtp => &self.rtp,
            Channel::Rtcp => &self.rtcp,
        };
        socket.try_send_to(datagram, to).is_ok()
    }

    fn attach(self: Arc<Self>, endpoint: Arc<dyn Endpoint>) {
        tokio::spawn(run(self, endpoint));
    }
}

/// Tells that a task died, which nobody waits for.
struct Watch<'a>(&'a dyn Endpoint);

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.failed();
        }
    }
}

async fn run(pair: Arc<Pair>, endpoint: Arc<dyn Endpoint>) {
    let _watch = Watch(endpoint.as_ref());
    let (mut buffer, mut reports) = (Vec::with_capacity(LARGEST), Vec::with_capacity(LARGEST));
    let sleep = tokio::time::sleep_until(endpoint.deadline(now()).into());
    tokio::pin!(sleep);
    while !endpoint.is_over() {
        let deadline = endpoint.deadline(now()).into();
        if sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        tokio::select! {
            outcome = receive(&pair.rtp, Channel::Rtp, &mut buffer, endpoint.as_ref()) => pause(outcome).await,
            outcome = receive(&pair.rtcp, Channel::Rtcp, &mut reports, endpoint.as_ref()) => pause(outcome).await,
            () = sleep.as_mut() => endpoint.wake(now()),
            () = endpoint.changed().notified() => {}
        }
    }
}

/// A socket that cannot be read at all must not take the processor.
async fn pause(outcome: io::Result<()>) {
    if let Err(fault) = outcome {
        tracing::warn!(%fault, "a media socket cannot be read");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

/// Waits for datagrams and takes up to a batch of them.
async fn receive(socket: &UdpSocket, channel: Channel, buffer: &mut Vec<u8>, endpoint: &dyn Endpoint) -> io::Result<()> {
    socket.readable().await?;
    for _ in 0..BATCH {
        buffer.clear();
        match socket.try_recv_buf_from(buffer) {
            Ok((_, from)) => endpoint.datagram(channel, buffer, from, now()),
            Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => break,
            // An ICMP message about something that we sent.
            Err(fault) if fault.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}

/// The runtime's present, which tests can move.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
