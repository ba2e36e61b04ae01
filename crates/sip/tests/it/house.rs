//! The adapter under test, its owner as a table, and telephones that say exactly what a test tells them to.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures_util::{SinkExt, StreamExt};
use tandem_sip::{
    Binding, Config, Credentials, Desk, Dialog, Event, Incoming, IncomingCall, Listen, NotStored, Notice, OwnerId, PeerId, Sip,
    Source, Transport,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    sync::mpsc,
    time::timeout,
};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message as Frame};

pub const PATIENCE: Duration = Duration::from_secs(15);
pub const REALM: &str = "tandem.test";
pub const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
pub const ANSWER: &str = "v=0\r\no=- 2 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n";

/// The owner: a table of users and trunks.
#[derive(Default)]
pub struct Table {
    pub users: Mutex<HashMap<String, Credentials>>,
    pub peers: Mutex<Vec<IpAddr>>,
    pub bindings: Mutex<HashMap<OwnerId, Vec<Binding>>>,
    pub notices: Mutex<Vec<Notice>>,
    pub full: std::sync::atomic::AtomicBool,
    pub questions: AtomicUsize,
}

impl Table {
    pub fn user(&self, name: &str, password: &str) {
        self.users.lock().unwrap().insert(name.to_owned(), Credentials::of(&format!("owner-{name}"), REALM, name, password));
    }

    pub fn told(&self, wanted: impl Fn(&Notice) -> bool) -> bool {
        self.notices.lock().unwrap().iter().any(wanted)
    }
}

#[async_trait]
impl Desk for Table {
    async fn credentials(&self, realm: &str, username: &str) -> Option<Credentials> {
        self.questions.fetch_add(1, Ordering::Relaxed);
        (realm == REALM).then(|| self.users.lock().unwrap().get(username).cloned())?
    }

    async fn identify(&self, source: &Source) -> Option<PeerId> {
        self.peers.lock().unwrap().contains(&source.address.ip()).then(|| PeerId("loopback".to_owned()))
    }

    async fn bindings(&self, owner: &OwnerId) -> Result<Vec<Binding>, NotStored> {
        Ok(self.bindings.lock().unwrap().get(owner).cloned().unwrap_or_default())
    }

    async fn store(&self, owner: &OwnerId, bindings: Vec<Binding>) -> Result<(), NotStored> {
        if self.full.load(Ordering::Relaxed) {
            return Err(NotStored::Full);
        }
        self.bindings.lock().unwrap().insert(owner.clone(), bindings);
        Ok(())
    }

    fn notice(&self, notice: Notice) {
        self.notices.lock().unwrap().push(notice);
    }
}

/// The adapter under test.
pub struct House {
    pub sip: Sip,
    pub calls: mpsc::Receiver<Incoming>,
    pub desk: Arc<Table>,
}

/// A configuration with datagrams and TCP on free ports, quick timers and generous limits.
pub fn config() -> Config {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let mut config = Config::new(vec![Listen::on(Transport::Udp, any), Listen::on(Transport::Tcp, any)], REALM);
    config.timers.glare = Duration::from_micros(200);
    config.timers.t4 = Duration::from_millis(200);
    config.limits.source_rate = 100_000;
    config.limits.source_burst = 100_000;
    config.limits.total_rate = 100_000;
    config.limits.total_burst = 100_000;
    config.session.expires = 0;
    config
}

impl House {
    /// One whose calls from loopback need no credentials.
    pub async fn open() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let house = Self::strict(change).await;
        house.desk.peers.lock().unwrap().push("127.0.0.1".parse().unwrap());
        house
    }

    /// One where loopback is anywhere.
    pub async fn strict(change: impl FnOnce(&mut Config)) -> Self {
        Self::over(Arc::default(), change).await
    }

    pub async fn over(desk: Arc<Table>, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = config();
        change(&mut config);
        let (sip, calls) = Sip::start(config, desk.clone()).await.expect("it starts");
        Self { sip, calls, desk }
    }

    pub fn at(&self, transport: Transport) -> SocketAddr {
        self.sip.addresses().iter().find(|bound| bound.transport == transport).expect("a listener").address
    }

    pub async fn phone(&self) -> Phone {
        Phone::udp(self.at(Transport::Udp)).await
    }

    pub async fn call(&mut self) -> IncomingCall {
        let Incoming::Call(call) = timeout(PATIENCE, self.calls.recv()).await.expect("a call in time").expect("a call");
        call
    }

    /// Waits until nothing is left, and asserts that it is so.
    pub async fn empty(&self) {
        timeout(PATIENCE, self.sip.idle()).await.unwrap_or_else(|_| panic!("left: {:?}", self.sip.load()));
        let load = self.sip.load();
        assert_eq!((load.dialogs, load.calls), (0, 0), "{load:?}");
    }

    /// A call from a phone that was answered and acknowledged.
    pub async fn talking(&mut self, phone: &mut Phone) -> (Line, Dialog) {
        let mut line = phone.line();
        phone.send(&line.invite(OFFER)).await;
        let call = self.call().await;
        let mut dialog = call.answer(ANSWER.into()).await.expect("a dialog");
        let ok = phone.status(200, "INVITE").await;
        line.learn(&ok);
        phone.send(&line.ack()).await;
        assert!(matches!(next(&mut dialog).await, Event::Confirmed { sdp: None }));
        (line, dialog)
    }
}

/// The next event of a call, in time.
pub async fn next(dialog: &mut Dialog) -> Event {
    timeout(PATIENCE, dialog.next()).await.expect("an event in time").expect("an event")
}

trait Socket: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Socket for S {}

enum Wire {
    Udp(UdpSocket, SocketAddr),
    Stream(Box<dyn Socket>, Vec<u8>),
    Ws(Box<WebSocketStream<TcpStream>>),
}

/// A telephone: a socket, and what comes through it.
pub struct Phone {
    wire: Wire,
    pub local: SocketAddr,
    pub server: SocketAddr,
    pub via: &'static str,
}

/// A message as it came.
#[derive(Debug, Clone)]
pub struct Message {
    pub start: String,
    pub fields: Vec<(String, String)>,
    pub body: String,
}

impl Message {
    fn read(octets: &[u8]) -> Self {
        let text = String::from_utf8_lossy(octets);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let start = lines.next().unwrap_or_default().to_owned();
        let fields =
            lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()));
        Self { start, fields: fields.collect(), body: body.to_owned() }
    }

    pub fn status(&self) -> u16 {
        self.start.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)?.parse().ok()).unwrap_or(0)
    }

    pub fn method(&self) -> &str {
        if self.status() > 0 { "" } else { self.start.split(' ').next().unwrap_or_default() }
    }

    pub fn get(&self, name: &str) -> &str {
        self.all(name).first().copied().unwrap_or_default()
    }

    pub fn all(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str()).collect()
    }

    pub fn tag(&self, name: &str) -> String {
        self.get(name).split(";tag=").nth(1).unwrap_or_default().split(';').next().unwrap_or_default().to_owned()
    }

    pub fn uri(&self) -> &str {
        self.start.split(' ').nth(1).unwrap_or_default()
    }
}

static NUMBER: AtomicU32 = AtomicU32::new(1);

pub fn number() -> u32 {
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

impl Phone {
    pub async fn udp(server: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let local = socket.local_addr().unwrap();
        Self { wire: Wire::Udp(socket, server), local, server, via: "UDP" }
    }

    pub async fn tcp(server: SocketAddr) -> Self {
        let socket = TcpStream::connect(server).await.unwrap();
        let local = socket.local_addr().unwrap();
        Self { wire: Wire::Stream(Box::new(socket), Vec::new()), local, server, via: "TCP" }
    }

    pub fn stream(
        socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        local: SocketAddr,
        server: SocketAddr,
        via: &'static str,
    ) -> Self {
        Self { wire: Wire::Stream(Box::new(socket), Vec::new()), local, server, via }
    }

    pub async fn ws(server: SocketAddr) -> Self {
        use tokio_tungstenite::tungstenite::client::IntoClientRequest;
        let socket = TcpStream::connect(server).await.unwrap();
        let local = socket.local_addr().unwrap();
        let mut request = format!("ws://{server}/").into_client_request().unwrap();
        request.headers_mut().insert("Sec-WebSocket-Protocol", "sip".parse().unwrap());
        let (socket, answer) = tokio_tungstenite::client_async(request, socket).await.unwrap();
        assert_eq!(answer.headers().get("Sec-WebSocket-Protocol").unwrap(), "sip");
        Self { wire: Wire::Ws(Box::new(socket)), local, server, via: "WS" }
    }

    /// Speaks with another server from now on, through the same socket.
    pub fn turn_to(&mut self, other: SocketAddr) {
        let Wire::Udp(_, server) = &mut self.wire else { panic!("a connection has one end") };
        (self.server, *server) = (other, other);
    }

    pub async fn send(&mut self, text: &str) {
        self.raw(text.as_bytes()).await;
    }

    pub async fn raw(&mut self, octets: &[u8]) {
        match &mut self.wire {
            Wire::Udp(socket, server) => drop(socket.send_to(octets, *server).await.unwrap()),
            Wire::Stream(socket, _) => socket.write_all(octets).await.unwrap(),
            Wire::Ws(socket) => socket.send(Frame::text(String::from_utf8_lossy(octets).into_owned())).await.unwrap(),
        }
    }

    /// The next message, or `None` where the connection ends.
    pub async fn take(&mut self) -> Option<Message> {
        timeout(PATIENCE, self.read()).await.expect("a message in time")
    }

    async fn read(&mut self) -> Option<Message> {
        let mut buffer = vec![0; 65_536];
        match &mut self.wire {
            Wire::Udp(socket, server) => loop {
                let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
                // A free port may have been somebody else's before, to whom still somebody speaks.
                if from == *server {
                    return Some(Message::read(&buffer[..length]));
                }
            },
            Wire::Ws(socket) => match socket.next().await?.ok()? {
                Frame::Text(text) => Some(Message::read(text.as_bytes())),
                Frame::Binary(octets) => Some(Message::read(&octets)),
                _ => None,
            },
            Wire::Stream(socket, read) => loop {
                while read.starts_with(b"\r\n") {
                    read.drain(..2); // the answer to a ping
                }
                if let Some(head) = read.windows(4).position(|four| four == b"\r\n\r\n") {
                    let message = Message::read(&read[..head + 4]);
                    let whole = head + 4 + message.get("Content-Length").parse::<usize>().unwrap_or(0);
                    if read.len() >= whole {
                        let message = Message::read(&read[..whole]);
                        read.drain(..whole);
                        return Some(message);
                    }
                }
                match socket.read(&mut buffer).await {
                    Ok(length) if length > 0 => read.extend_from_slice(&buffer[..length]),
                    _ => return None,
                }
            },
        }
    }

    /// Octets as they come, for what is no message.
    pub async fn octets(&mut self) -> Vec<u8> {
        let mut buffer = vec![0; 65_536];
        let length = match &mut self.wire {
            Wire::Udp(socket, _) => timeout(PATIENCE, socket.recv(&mut buffer)).await.expect("octets in time").unwrap(),
            Wire::Stream(socket, _) => timeout(PATIENCE, socket.read(&mut buffer)).await.expect("octets in time").unwrap_or(0),
            Wire::Ws(_) => panic!("a WebSocket has messages"),
        };
        buffer.truncate(length);
        buffer
    }

    /// The next message that is wanted; others are passed over.
    pub async fn until(&mut self, what: &str, wanted: impl Fn(&Message) -> bool) -> Message {
        let mut seen = Vec::new();
        let found = timeout(PATIENCE, async {
            loop {
                let message = self.read().await.unwrap_or_else(|| panic!("the connection ended before {what}"));
                if wanted(&message) {
                    return message;
                }
                seen.push(message.start);
            }
        });
        let found = found.await.ok();
        found.unwrap_or_else(|| panic!("{what} did not come, but {seen:?}"))
    }

    pub async fn status(&mut self, status: u16, method: &str) -> Message {
        self.until(&format!("{status} {method}"), |one| one.status() == status && one.get("CSeq").ends_with(method)).await
    }

    pub async fn request(&mut self, method: &str) -> Message {
        self.until(method, |one| one.method() == method).await
    }

    /// The final answer to a request.
    pub async fn last(&mut self, method: &str) -> Message {
        self.until(&format!("an answer to {method}"), |one| one.status() >= 200 && one.get("CSeq").ends_with(method)).await
    }

    /// Answers a request.
    pub async fn reply(&mut self, to: &Message, status: u16, fields: &str, body: &str) {
        self.reply_as(to, status, "phone", fields, body).await;
    }

    pub async fn reply_as(&mut self, to: &Message, status: u16, tag: &str, fields: &str, body: &str) {
        let mut text = format!("SIP/2.0 {status} Said\r\n");
        to.all("Via").iter().for_each(|via| text.push_str(&format!("Via: {via}\r\n")));
        let tag = if to.get("To").contains(";tag=") || status == 100 { String::new() } else { format!(";tag={tag}") };
        text.push_str(&format!("From: {}\r\nTo: {}{tag}\r\n", to.get("From"), to.get("To")));
        let contact = if fields.contains("Contact:") { String::new() } else { format!("Contact: {}\r\n", self.contact()) };
        text.push_str(&format!("Call-ID: {}\r\nCSeq: {}\r\n{contact}{fields}", to.get("Call-ID"), to.get("CSeq")));
        if !body.is_empty() {
            text.push_str("Content-Type: application/sdp\r\n");
        }
        text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        self.send(&text).await;
    }

    pub fn contact(&self) -> String {
        let transport = if self.via == "UDP" { String::new() } else { format!(";transport={}", self.via.to_lowercase()) };
        format!("<sip:phone@{}{transport}>", self.local)
    }

    /// A new call's state.
    pub fn line(&self) -> Line {
        let number = number();
        Line {
            call_id: format!("call-{number}@phone"),
            tag: format!("from{number}"),
            remote: String::new(),
            cseq: number * 100,
            via: self.via,
            local: self.local,
            target: format!("sip:+15550100@{}", self.server),
            contact: self.contact(),
            fields: String::new(),
            branch: String::new(),
        }
    }

    /// Asks whether the adapter is still there: again where a datagram is lost, as every telephone does.
    pub async fn alive(&mut self) {
        let text = self.line().write("OPTIONS", "", "");
        let call_id = Message::read(text.as_bytes()).get("Call-ID").to_owned();
        let asked = async {
            self.send(&text).await;
            loop {
                match timeout(Duration::from_millis(300), self.read()).await {
                    Ok(Some(one)) if one.get("Call-ID") == call_id && one.status() >= 200 => return one,
                    Ok(Some(_)) => {}
                    Ok(None) => panic!("the connection ended"),
                    Err(_) if self.via == "UDP" => self.send(&text).await,
                    Err(_) => {}
                }
            }
        };
        let answer = timeout(PATIENCE, asked).await.expect("it is still there");
        assert_eq!(answer.status(), 200, "{answer:?}");
    }
}

/// One call as the telephone knows it.
#[derive(Debug, Clone)]
pub struct Line {
    pub call_id: String,
    pub tag: String,
    pub remote: String,
    pub cseq: u32,
    pub via: &'static str,
    pub local: SocketAddr,
    pub target: String,
    pub contact: String,
    pub fields: String,
    pub branch: String,
}

impl Line {
    /// A request, with its number one higher than the last.
    pub fn write(&mut self, method: &str, fields: &str, body: &str) -> String {
        self.cseq += 1;
        self.branch = format!("z9hG4bK{}", number());
        self.same(method, fields, body)
    }

    /// A request with the last number and branch.
    pub fn same(&self, method: &str, fields: &str, body: &str) -> String {
        let to = if self.remote.is_empty() { String::new() } else { format!(";tag={}", self.remote) };
        let kind = if body.is_empty() || fields.contains("Content-Type") { "" } else { "Content-Type: application/sdp\r\n" };
        format!(
            "{method} {} SIP/2.0\r\nVia: SIP/2.0/{} {};branch={};rport\r\nMax-Forwards: 70\r\n\
             From: \"Alice\" <sip:alice@phone.test>;tag={}\r\nTo: <sip:bob@{REALM}>{to}\r\nCall-ID: {}\r\nCSeq: {} {method}\r\n\
             Contact: {}\r\n{}{fields}{kind}Content-Length: {}\r\n\r\n{body}",
            self.target,
            self.via,
            self.local,
            self.branch,
            self.tag,
            self.call_id,
            self.cseq,
            self.contact,
            self.fields,
            body.len()
        )
    }

    pub fn invite(&mut self, body: &str) -> String {
        self.write("INVITE", "", body)
    }

    /// The ACK of an answer that accepted.
    pub fn ack(&self) -> String {
        self.ack_with("")
    }

    pub fn ack_with(&self, body: &str) -> String {
        let mut ack = self.clone();
        ack.branch = format!("z9hG4bK{}", number());
        ack.same("ACK", "", body)
    }

    /// The ACK of an answer that refused.
    pub fn nack(&self, answer: &Message) -> String {
        let mut ack = self.clone();
        ack.remote = answer.tag("To");
        ack.same("ACK", "", "")
    }

    pub fn cancel(&self, fields: &str) -> String {
        self.same("CANCEL", fields, "")
    }

    /// Takes the other side's tag and contact from an answer.
    pub fn learn(&mut self, answer: &Message) {
        self.remote = answer.tag("To");
        let contact = answer.get("Contact");
        if !contact.is_empty() {
            self.target = contact.trim_start_matches('<').split('>').next().unwrap().to_owned();
        }
    }

    /// The line of a call that came to the telephone.
    pub fn called(phone: &Phone, invite: &Message) -> Self {
        let mut line = phone.line();
        line.call_id = invite.get("Call-ID").to_owned();
        line.remote = invite.tag("From");
        line.tag = "phone".to_owned();
        line.target = invite.get("Contact").trim_start_matches('<').split('>').next().unwrap().to_owned();
        line
    }
}
