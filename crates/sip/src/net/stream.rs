//! One connection: TCP, TLS or a WebSocket. Two tasks, one for each direction, and nothing queued without a bound.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use rsipstack::{
    sip::SipMessage,
    transport::{SipConnection, TransportEvent, channel::ChannelConnection},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf},
    sync::mpsc,
};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};
use tokio_util::sync::CancellationToken;

use super::{
    Flow, Flows, Taken,
    framing::{Frame, frame},
};
use crate::{
    Notice, Source,
    wire::{Raw, Reply, reply},
};

/// Messages that wait to be written.
const QUEUE: usize = 64;
/// How long a message may take to be read to its end once it has begun.
const PATIENCE: Duration = Duration::from_secs(30);

type Octets = mpsc::Sender<Vec<u8>>;

/// Both ends of a new connection's queue.
struct Ends {
    flow: Flow,
    messages: mpsc::Receiver<TransportEvent>,
    octets: Octets,
    more: mpsc::Receiver<Vec<u8>>,
}

fn ends(flows: &Arc<Flows>, peer: Source, local: SocketAddr) -> Option<Ends> {
    let closed = flows.stop.child_token();
    let (sender, messages) = mpsc::channel(QUEUE);
    let (octets, more) = mpsc::channel(QUEUE);
    let connection = connection(sender, peer, closed.clone())?;
    let flow = Flow { connection, peer, local, closed };
    if !flows.keep(flow.clone()) {
        flows.intake.desk.notice(Notice::TooManyConnections { source: peer });
        return None;
    }
    Some(Ends { flow, messages, octets, more })
}

fn connection(sender: mpsc::Sender<TransportEvent>, peer: Source, closed: CancellationToken) -> Option<SipConnection> {
    // What comes in goes to the stack through the intake, not through the channel.
    let (_, nothing) = mpsc::unbounded_channel();
    let made = ChannelConnection::create_connection_bounded(nothing, sender, peer.stack(), Some(closed));
    // The future is ready at once: it waits for nothing.
    futures_util::FutureExt::now_or_never(made)?.ok().map(SipConnection::Channel)
}

/// Serves a connection of octets.
pub(crate) fn start<S>(flows: &Arc<Flows>, socket: S, peer: Source, local: SocketAddr) -> Option<Flow>
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let Ends { flow, messages, octets, more } = ends(flows, peer, local)?;
    let (reader, writer) = tokio::io::split(socket);
    let (reading, writing) = (flow.clone(), flow.clone());
    let patience = flows.timers.connect;
    tokio::spawn(async move { write(writer, messages, more, patience, writing.closed).await });
    let flows = Arc::clone(flows);
    tokio::spawn(async move {
        tokio::select! {
            () = reading.closed.cancelled() => {}
            () = read(&flows, reader, &reading, &octets) => {}
        }
        reading.closed.cancel();
        flows.forget(reading.peer);
    });
    Some(flow)
}

async fn read<S: AsyncRead>(flows: &Arc<Flows>, mut socket: ReadHalf<S>, flow: &Flow, octets: &Octets) {
    let mut read = Vec::with_capacity(4096);
    loop {
        let patience = if read.is_empty() { flows.timers.idle } else { PATIENCE };
        match tokio::time::timeout(patience, socket.read_buf(&mut read)).await {
            Ok(Ok(octets)) if octets > 0 => {}
            _ => return,
        }
        loop {
            let used = match frame(&read) {
                Frame::More => break,
                Frame::Skip(used) => used,
                Frame::Ping(used) => {
                    let _ = octets.try_send(b"\r\n".to_vec()); // a peer that does not read its answers gets none
                    used
                }
                Frame::Message(used) => {
                    if !take(flows, read.get(..used).unwrap_or_default(), flow, octets).await {
                        return;
                    }
                    used
                }
                Frame::Lost(status, reason) => {
                    lost(flows, &read, flow, octets, status, reason).await;
                    return;
                }
            };
            read.drain(..used);
        }
    }
}

async fn take(flows: &Arc<Flows>, message: &[u8], flow: &Flow, octets: &Octets) -> bool {
    while flows.intake.full() {
        // The stack is behind: this connection is not read until it has caught up.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    if flows.intake.admission.banned(flow.peer.address.ip()) {
        return false;
    }
    match flows.intake.take(message, flow.peer, &flow.connection) {
        Taken::Answer(answer) => octets.send(answer).await.is_ok(),
        Taken::Passed | Taken::Dropped => true,
    }
}

/// A stream whose next message cannot be found is answered, where it can be, and ended.
async fn lost(flows: &Arc<Flows>, read: &[u8], flow: &Flow, octets: &Octets, status: u16, reason: &str) {
    let what = Reply { status, reason, retry_after: None, product: &flows.intake.product };
    let answer = Raw::cut(read).filter(|raw| raw.method().is_some()).and_then(|raw| reply(&raw, flow.peer.address, &what));
    if let Some(answer) = answer {
        let _ = octets.send(answer).await; // the writer may have ended already
        // An empty text is the end, once what stands before it has been written.
        let _ = octets.send(Vec::new()).await;
        let _ = tokio::time::timeout(flows.timers.connect, flow.closed.cancelled()).await;
    }
}

async fn write<S: AsyncWrite>(
    mut socket: WriteHalf<S>,
    mut messages: mpsc::Receiver<TransportEvent>,
    mut more: mpsc::Receiver<Vec<u8>>,
    patience: Duration,
    closed: CancellationToken,
) {
    loop {
        let octets = tokio::select! {
            () = closed.cancelled() => break,
            event = messages.recv() => match event {
                Some(TransportEvent::Incoming(message, ..)) => written(&message),
                Some(_) => continue,
                None => break,
            },
            octets = more.recv() => match octets.filter(|octets| !octets.is_empty()) {
                Some(octets) => octets,
                None => break,
            },
        };
        let all = async { socket.write_all(&octets).await.is_ok() && socket.flush().await.is_ok() };
        if !tokio::time::timeout(patience, all).await.unwrap_or(false) {
            break;
        }
    }
    let _ = tokio::time::timeout(patience, socket.shutdown()).await;
    closed.cancel();
}

/// A message as it leaves, without what only the stack needed.
pub(crate) fn written(message: &SipMessage) -> Vec<u8> {
    message.to_bytes()
}

/// Serves a WebSocket (RFC 7118): each of its messages is one of ours.
pub(crate) fn start_ws<S>(flows: &Arc<Flows>, socket: WebSocketStream<S>, peer: Source, local: SocketAddr) -> Option<Flow>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Ends { flow, mut messages, octets, mut more } = ends(flows, peer, local)?;
    let (flows, ours) = (Arc::clone(flows), flow.clone());
    tokio::spawn(async move {
        let (mut sink, mut stream) = socket.split();
        loop {
            let out = tokio::select! {
                () = ours.closed.cancelled() => break,
                message = tokio::time::timeout(flows.timers.idle, stream.next()) => match message {
                    Ok(Some(Ok(message))) => match ws_message(&flows, message, &ours, &octets).await {
                        Some(pong) => pong,
                        None => break,
                    },
                    _ => break,
                },
                event = messages.recv() => match event {
                    Some(TransportEvent::Incoming(message, ..)) => Some(ws_written(written(&message))),
                    Some(_) => None,
                    None => break,
                },
                octets = more.recv() => octets.map(ws_written),
            };
            let Some(out) = out else { continue };
            if !tokio::time::timeout(flows.timers.connect, sink.send(out)).await.is_ok_and(|sent| sent.is_ok()) {
                break;
            }
        }
        ours.closed.cancel();
        flows.forget(ours.peer);
        let _ = tokio::time::timeout(flows.timers.connect, sink.close()).await;
    });
    Some(flow)
}

fn ws_written(octets: Vec<u8>) -> Message {
    match String::from_utf8(octets) {
        Ok(text) => Message::text(text),
        Err(binary) => Message::binary(binary.into_bytes()),
    }
}

/// `None` ends the connection; otherwise what is to be sent at once.
async fn ws_message(flows: &Arc<Flows>, message: Message, flow: &Flow, octets: &Octets) -> Option<Option<Message>> {
    let body = match message {
        Message::Text(text) => text.as_bytes().to_vec(),
        Message::Binary(body) => body.to_vec(),
        Message::Close(_) => return None,
        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => return Some(None),
    };
    if body == b"\r\n\r\n" {
        return Some(Some(Message::text("\r\n")));
    }
    take(flows, &body, flow, octets).await.then_some(None)
}
