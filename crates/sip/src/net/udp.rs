//! Datagrams.

use std::{net::SocketAddr, sync::Arc};

use async_trait::async_trait;
use rsipstack::{
    platform::net::UdpSocket as StackSocket,
    transport::{SipConnection, udp::UdpConnection},
};
use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

use super::{Intake, Taken};
use crate::{Source, Transport};

/// What the stack sends through. It never receives: the intake does.
struct Sender(Arc<UdpSocket>);

#[async_trait]
impl StackSocket for Sender {
    async fn recv_from(&self, _: &mut [u8]) -> rsipstack::Result<(usize, SocketAddr)> {
        std::future::pending().await
    }

    async fn send_to(&self, octets: &[u8], address: SocketAddr) -> rsipstack::Result<usize> {
        Ok(self.0.send_to(octets, address).await?)
    }

    fn local_addr(&self) -> rsipstack::Result<SocketAddr> {
        Ok(self.0.local_addr()?)
    }
}

/// The stack's side of a socket.
pub(crate) async fn connection(
    socket: &Arc<UdpSocket>,
    advertised: SocketAddr,
    stop: CancellationToken,
) -> rsipstack::Result<SipConnection> {
    let sender: Arc<dyn StackSocket> = Arc::new(Sender(Arc::clone(socket)));
    UdpConnection::from_socket(sender, Some(advertised), Some(stop)).await.map(SipConnection::Udp)
}

/// Reads a socket until the end.
pub(crate) async fn serve(intake: Arc<Intake>, socket: Arc<UdpSocket>, connection: SipConnection, stop: CancellationToken) {
    let mut buffer = vec![0; 65_536];
    loop {
        let received = tokio::select! {
            () = stop.cancelled() => return,
            received = socket.recv_from(&mut buffer) => received,
        };
        // An error is that of a datagram sent before (ICMP): the next one has nothing to do with it.
        let Ok((length, address)) = received else { continue };
        let datagram = buffer.get(..length).unwrap_or_default();
        if datagram.iter().all(u8::is_ascii_whitespace) {
            if datagram == b"\r\n\r\n" {
                let _ = socket.try_send_to(b"\r\n", address); // a keep-alive's answer may be lost like any datagram
            }
            continue;
        }
        let source = Source { transport: Transport::Udp, address };
        if let Taken::Answer(answer) = intake.take(datagram, source, &connection) {
            let _ = socket.send_to(&answer, address).await; // the request comes again where its answer is lost
        }
    }
}
