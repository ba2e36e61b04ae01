//! Somebody's server that webhooks are delivered to.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::until;

/// How long a receiver thinks that answers late.
const LATE: Duration = Duration::from_millis(200);

/// How a receiver answers.
#[derive(Clone, Debug)]
pub enum Reaction {
    /// With a status and a short body.
    Status(u16),
    /// With a status, after a while.
    Late(u16),
    /// Not at all: it reads the request and keeps quiet.
    Hang,
    /// With these bytes, whatever they are.
    Raw(Vec<u8>),
    /// With 200 and a document.
    Json(Value),
    /// It closes the connection.
    Close,
}

/// A request that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The method.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The headers, their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
    /// The status that it was answered with; none where it was not.
    pub status: Option<u16>,
}

impl Received {
    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|fault| panic!("{fault} in {}", self.body))
    }

    /// A header.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("there is no {name} in {:?}", self.headers))
    }
}

#[derive(Default)]
struct State {
    received: Vec<Received>,
    reaction: Option<Reaction>,
}

/// A server that notes what it receives. It answers 200 unless told otherwise; gone when dropped.
pub struct Receiver {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Receiver {
    /// Starts one on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(talk(stream, shared.clone()));
            }
        });
        Self { address, state, task }
    }

    /// Where it is.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How it answers from now on.
    pub fn react(&self, reaction: Reaction) {
        lock(&self.state).reaction = Some(reaction);
    }

    /// What arrived so far.
    pub fn all(&self) -> Vec<Received> {
        lock(&self.state).received.clone()
    }

    /// Forgets what arrived so far and hands it out.
    pub fn take(&self) -> Vec<Received> {
        std::mem::take(&mut lock(&self.state).received)
    }

    /// How many requests arrived so far.
    pub fn count(&self) -> usize {
        lock(&self.state).received.len()
    }

    /// Waits until so many requests have arrived in all.
    pub async fn wait(&self, count: usize) -> Vec<Received> {
        until(&format!("{count} deliveries have arrived at {}", self.address), || async {
            (self.count() >= count).then(|| self.all())
        })
        .await
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn talk(stream: TcpStream, state: Arc<Mutex<State>>) {
    let _ = stream.set_nodelay(true); // a socket that is gone already needs none
    let mut stream = BufReader::new(stream);
    while let Some(mut received) = read(&mut stream).await {
        let reaction = lock(&state).reaction.clone().unwrap_or(Reaction::Status(200));
        received.status = match reaction {
            Reaction::Status(status) | Reaction::Late(status) => Some(status),
            Reaction::Json(_) => Some(200),
            Reaction::Raw(_) | Reaction::Close | Reaction::Hang => None,
        };
        lock(&state).received.push(received);
        if matches!(reaction, Reaction::Late(_)) {
            tokio::time::sleep(LATE).await;
        }
        let answer = match reaction {
            Reaction::Status(status) | Reaction::Late(status) => {
                format!("HTTP/1.1 {status} Said\r\ncontent-length: 2\r\n\r\nok").into_bytes()
            }
            Reaction::Raw(bytes) => bytes,
            Reaction::Json(document) => {
                let text = document.to_string();
                format!("HTTP/1.1 200 Said\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{text}", text.len())
                    .into_bytes()
            }
            Reaction::Close => return,
            Reaction::Hang => {
                let mut rest = Vec::new();
                let _ = stream.read_to_end(&mut rest).await; // until the other side gives up
                return;
            }
        };
        if stream.get_mut().write_all(&answer).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|length| *length > 0)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Received { method, path, headers, body: String::from_utf8_lossy(&body).into_owned(), status: None })
}
