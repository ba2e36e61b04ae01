//! A handset that never acknowledges an answer, as some behind a firewall do not. The SIP stack acknowledges by itself, so this one
//! writes its few messages without it.

use std::{net::SocketAddr, time::Duration};

use tandem_app::handsets::HandsetDial;
use tandem_kernel::EnvironmentId;
use tandem_media::sdp::Direction;
use tokio::{
    net::UdpSocket,
    time::{Instant, timeout_at},
};

use super::{
    Pocket,
    dial::seconds,
    handset::{Ready, begun},
    log::Entry,
    scenario::Says,
};
use crate::near::{ENVIRONMENT, Inside};

/// The first pause before an INVITE is sent again (RFC 3261 section 17.1.1.1).
const T1: Duration = Duration::from_millis(500);
/// Longer than anybody waits for an acknowledgement (64 T1).
const PATIENCE: Duration = Duration::from_secs(45);
const LARGEST: usize = 4_096;

/// One call of it.
struct Mute<'a> {
    pocket: &'a Pocket,
    socket: UdpSocket,
    own: SocketAddr,
    call_id: String,
    head: String,
    body: String,
    ready: Ready,
    entry: &'a Entry,
}

pub(super) async fn dial(pocket: &Pocket, environment: EnvironmentId, wanted: &HandsetDial) {
    let (Some(mut ready), Ok(socket)) = (pocket.ready(), UdpSocket::bind((pocket.exchange.ip(), 0)).await) else { return };
    let Ok(own) = socket.local_addr() else { return };
    let mut random = [0; 8];
    pocket.app.rng.fill(&mut random);
    let call_id = format!("{:016x}", u64::from_be_bytes(random));
    let begun = begun(true, wanted.from.to_string(), wanted.to.to_string(), call_id.clone(), pocket.now());
    let entry = pocket.log.begin(environment, wanted.from, begun);
    let body = ready.session.offer(Direction::SendRecv).to_string();
    let exchange = pocket.exchange;
    let head = format!(
        "Via: SIP/2.0/UDP {own};branch=z9hG4bK{call_id};rport\r\nMax-Forwards: 70\r\nFrom: <sip:{}@{own}>;tag={call_id}\r\n\
         To: <sip:{to}@{exchange}>\r\nCall-ID: {call_id}\r\nContact: <sip:{own}>\r\n{ENVIRONMENT}: {environment}\r\n",
        wanted.from,
        to = wanted.to,
    );
    pocket.gate.admit(own, Inside::Handset);
    let mut call = Mute { pocket, socket, own, call_id, head, body, ready, entry: &entry };
    let ended = call.run(&wanted.to.to_string(), seconds(wanted.ring_seconds)).await;
    pocket.gate.forget(own);
    if ended.is_none() {
        entry.ended(pocket, "network", None, None);
    }
}

impl Mute<'_> {
    async fn send(&self, text: &str) -> Option<()> {
        self.socket.send_to(text.as_bytes(), self.pocket.exchange).await.ok().map(drop)
    }

    /// Calls and waits until it is refused, or hung up on.
    async fn run(&mut self, to: &str, rings: Duration) -> Option<()> {
        let uri = format!("sip:{to}@{}", self.pocket.exchange);
        let (head, body) = (self.head.clone(), self.body.clone());
        let length = body.len();
        let invite = format!(
            "INVITE {uri} SIP/2.0\r\n{head}CSeq: 1 INVITE\r\nContent-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        self.send(&invite).await?;
        let mut again = Some(Instant::now() + T1);
        let mut end = Instant::now() + rings;
        let (mut buffer, mut answered) = (vec![0; LARGEST], false);
        loop {
            let until = again.unwrap_or(end).min(end);
            let Ok(received) = timeout_at(until, self.socket.recv_from(&mut buffer)).await else {
                if Instant::now() >= end {
                    return None;
                }
                self.send(&invite).await?;
                again = again.map(|at| at + T1 * 2);
                continue;
            };
            let (length, _) = received.ok()?;
            let text = String::from_utf8_lossy(buffer.get(..length)?).into_owned();
            let Some(status) = status_of(&text) else {
                if text.starts_with("BYE ") {
                    self.send(&self.agree(&text)).await?;
                    let reason = field(&text, "Reason").map(str::to_owned);
                    self.entry.ended(self.pocket, "platform", None, None);
                    self.entry.note(|call| call.reason = reason);
                    return Some(());
                }
                continue;
            };
            again = None;
            match status {
                100 => {}
                101..=199 => self.entry.note(|call| call.state = "ringing"),
                200..=299 => {
                    // It is repeated as long as it is not acknowledged.
                    if !std::mem::replace(&mut answered, true) {
                        self.hear(&text);
                    }
                    let now = self.pocket.now();
                    self.entry.note(|call| {
                        call.state = "answered";
                        call.answered_at.get_or_insert(now);
                    });
                    end = end.max(Instant::now() + PATIENCE);
                }
                refused => {
                    let tag = field(&text, "To").and_then(|to| to.split_once(";tag=")).map_or("", |(_, tag)| tag);
                    let head = head.replace("\r\nCall-ID", &format!(";tag={tag}\r\nCall-ID"));
                    self.send(&format!("ACK {uri} SIP/2.0\r\n{head}CSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n")).await?;
                    self.entry.ended(self.pocket, "platform", Some(refused), None);
                    return Some(());
                }
            }
        }
    }

    /// Speaks, once it is known where to.
    fn hear(&mut self, answer: &str) {
        if let Some((_, sdp)) = answer.split_once("\r\n\r\n") {
            self.ready.accept(sdp.as_bytes());
            self.ready.say(Says::Tones);
        }
    }

    /// The answer to a BYE.
    fn agree(&self, bye: &str) -> String {
        let mut answer = "SIP/2.0 200 OK\r\n".to_owned();
        for name in ["Via", "From", "To", "CSeq"] {
            answer.push_str(&format!("{name}: {}\r\n", field(bye, name).unwrap_or_default()));
        }
        answer.push_str(&format!("Call-ID: {}\r\nContact: <sip:{}>\r\nContent-Length: 0\r\n\r\n", self.call_id, self.own));
        answer
    }
}

fn status_of(text: &str) -> Option<u16> {
    text.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
}

/// The first value of a field, as we ourselves write it.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().take_while(|line| !line.is_empty()).find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))
}
