//! A call of the machine with itself, for whoever looks whether calls can work at all: real SIP, and real packets on the ports of media to
//! an echo and back.

use std::{
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    sync::Arc,
    time::Duration,
};

use tandem_kernel::OsRng;
use tandem_media::{
    Codec, Media, MediaConfig, Path, Stream,
    rtp::{Header, Rtp},
    sdp::{Capabilities, Description, Direction, Local, Session},
};
use tandem_sip::{Config, Dial, Incoming, Listen, Progress, Sip, Source, Target, Transport};
use tokio::{
    net::UdpSocket,
    time::{Instant, sleep_until, timeout},
};

use crate::near::{Gate, Inside, bound};

/// Packets that are sent, one every 20 ms.
const PACKETS: u8 = 50;
/// How long any step may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo {
    /// Packets that were sent.
    pub sent: u32,
    /// Of them, those that came back.
    pub back: u32,
    /// How long half of them took at the most, there and back.
    pub usual: Duration,
    /// How long the slowest took.
    pub longest: Duration,
}

/// Calls at an address, with media on these ports.
///
/// # Errors
/// What did not work, in words.
pub async fn echo(address: IpAddr, ports: RangeInclusive<u16>) -> Result<Echo, String> {
    let gate = Arc::new(Gate::default());
    let start = || Sip::start(Config::new(vec![Listen::on(Transport::Udp, SocketAddr::new(address, 0))], "echo"), gate.clone());
    let (caller, _) = start().await.map_err(told)?;
    let (called, mut incoming) = start().await.map_err(told)?;
    gate.admit(bound(&caller), Inside::Ourselves);
    let media = Media::new(MediaConfig::new(address, ports));
    let heard = call(&caller, bound(&called), &mut incoming, &media, address).await;
    tokio::join!(caller.stop(Duration::ZERO), called.stop(Duration::ZERO));
    heard
}

fn told(fault: impl std::error::Error) -> String {
    fault.source().map_or_else(|| fault.to_string(), |cause| format!("{fault}: {cause}"))
}

fn plain() -> Capabilities {
    Capabilities { codecs: vec![Codec::Pcmu], ..Capabilities::default() }
}

/// A socket that speaks RTP without a stream, and its side of an agreement.
async fn socket(address: IpAddr) -> Result<(UdpSocket, Session), String> {
    let socket = UdpSocket::bind((address, 0)).await.map_err(|fault| format!("no socket at {address}: {fault}"))?;
    let port = socket.local_addr().map_err(told)?.port();
    let local = Local { address, port, rtcp: port.wrapping_add(1) };
    Ok((socket, Session::new(local, plain(), Arc::new(OsRng))))
}

fn read(sdp: &[u8]) -> Result<Description, String> {
    Description::parse(sdp).map_err(|fault| format!("a session description cannot be read: {fault}"))
}

/// A stream that has taken an offer, and its answer.
fn answered(media: &Media, offer: &Description) -> Result<(Stream, Description), String> {
    let (stream, _) = media.stream().map_err(told)?;
    let mut session = Session::new(stream.local(), plain(), media.rng());
    let (answer, agreed) = session.answer(offer, Direction::SendRecv).map_err(|refusal| refusal.to_string())?;
    stream.negotiated(&agreed);
    Ok((stream, answer))
}

async fn call(
    caller: &Sip,
    to: SocketAddr,
    incoming: &mut tokio::sync::mpsc::Receiver<Incoming>,
    media: &Media,
    address: IpAddr,
) -> Result<Echo, String> {
    let (speaker, mut ours) = socket(address).await?;
    let (mirror, mut theirs) = socket(address).await?;
    let offer = ours.offer(Direction::SendRecv).to_string().into_bytes();
    let mut dial = Dial::new(&format!("sip:echo@{to}"), &format!("sip:doctor@{}", bound(caller)), offer);
    dial.target = Target::Source(Source { transport: Transport::Udp, address: to });
    let mut outgoing = caller.dial(dial);
    let came = timeout(PATIENCE, incoming.recv()).await.ok().flatten();
    let Some(Incoming::Call(call)) = came else { return Err("an INVITE to ourselves did not come".to_owned()) };
    let (near, answer) = answered(media, &read(&call.offer().unwrap_or_default())?)?;
    let (far, _) = answered(media, &theirs.offer(Direction::SendRecv))?;
    near.connect(&Path::Relay(&far));
    let there =
        call.answer(answer.to_string().into_bytes()).await.map_err(|_| "the call ended before it was answered".to_owned())?;
    let here = loop {
        match timeout(PATIENCE, outgoing.next()).await.ok().flatten() {
            Some(Progress::Ringing { .. }) => {}
            Some(Progress::Answered { dialog, sdp }) => {
                let agreed = ours.accept(&read(&sdp.unwrap_or_default())?).map_err(|refusal| refusal.to_string())?;
                break (dialog, agreed.remote.ok_or("the answer names no address")?);
            }
            other => return Err(format!("a call to ourselves was not answered: {other:?}")),
        }
    };
    let echoing = tokio::spawn(async move {
        let mut buffer = [0; 2_048];
        while let Ok((length, from)) = mirror.recv_from(&mut buffer).await {
            let _ = mirror.send_to(buffer.get(..length).unwrap_or_default(), from).await; // what is lost does not come back
        }
    });
    let heard = speak(&speaker, here.1).await;
    echoing.abort();
    drop((here.0, there)); // says goodbye
    heard
}

/// Says something and hears what comes back.
async fn speak(socket: &UdpSocket, to: SocketAddr) -> Result<Echo, String> {
    let begun = Instant::now();
    let at = |packet: u8| begun + Duration::from_millis(20) * u32::from(packet);
    let (mut next, mut trips, mut buffer) = (0_u8, Vec::new(), [0; 2_048]);
    let end = at(PACKETS) + Duration::from_millis(500);
    loop {
        tokio::select! {
            received = socket.recv(&mut buffer) => {
                let length = received.map_err(told)?;
                // What is said tells which one it was: a relay gives packets other numbers.
                let packet = buffer.get(..length).and_then(Rtp::parse).and_then(|packet| packet.payload.first().copied());
                if let Some(packet) = packet.filter(|packet| *packet < next) {
                    trips.push(at(packet).elapsed());
                }
                if trips.len() == usize::from(PACKETS) {
                    break;
                }
            }
            () = sleep_until(at(next)), if next < PACKETS => {
                let header = Header {
                    marker: next == 0,
                    payload_type: 0,
                    sequence: u16::from(next),
                    timestamp: u32::from(next) * 160,
                    ssrc: 0x7a6e_646d,
                };
                let packet = [header.octets().as_slice(), &[next; 160]].concat();
                socket.send_to(&packet, to).await.map_err(|fault| format!("nothing can be sent to {to}: {fault}"))?;
                next += 1;
            }
            () = sleep_until(end) => break,
        }
    }
    trips.sort_unstable();
    let back = u32::try_from(trips.len()).unwrap_or(u32::MAX);
    let usual = trips.get(trips.len() / 2).copied().unwrap_or_default();
    Ok(Echo { sent: PACKETS.into(), back, usual, longest: trips.last().copied().unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_said_comes_back() {
        let echo = echo(IpAddr::from([127, 0, 0, 1]), 20_000..=29_999).await.expect("a call");
        assert_eq!((echo.sent, echo.back), (50, 50), "{echo:?}");
        assert!(echo.usual > Duration::ZERO && echo.longest >= echo.usual, "{echo:?}");
    }

    #[tokio::test]
    async fn without_ports_there_is_no_call() {
        let taken = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let port = taken.local_addr().expect("an address").port() & !1;
        let refused = echo(IpAddr::from([127, 0, 0, 1]), port..=port + 1).await;
        assert!(refused.is_err(), "{refused:?}");
    }
}
