//! Somebody's mail relay.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::until;

/// An e-mail that a relay took.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Posted {
    /// From whom, as the envelope says.
    pub from: String,
    /// To whom, as the envelope says.
    pub to: Vec<String>,
    /// The headers, as they came.
    pub headers: Vec<(String, String)>,
    /// The body, decoded.
    pub body: String,
}

impl Posted {
    /// A header.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or_else(|| panic!("there is no {name} in {self:?}"), |(_, value)| value)
    }
}

#[derive(Default)]
struct State {
    posted: Vec<Posted>,
    refusal: Option<&'static str>,
    tried: usize,
}

/// A relay that speaks SMTP and keeps what it takes; gone when dropped.
pub struct MailRelay {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl MailRelay {
    /// Starts one on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = shared.clone();
                tokio::spawn(async move { talk(stream, &state).await });
            }
        });
        Self { address, state, task }
    }

    /// Where it is, as a configuration names it.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// What it says to recipients from now on instead of taking them: `550 No such user`.
    pub fn refuse(&self, answer: Option<&'static str>) {
        lock(&self.state).refusal = answer;
    }

    /// How many e-mails it was offered.
    pub fn tried(&self) -> usize {
        lock(&self.state).tried
    }

    /// What it took so far.
    pub fn all(&self) -> Vec<Posted> {
        lock(&self.state).posted.clone()
    }

    /// Waits until it has taken so many.
    pub async fn wait(&self, count: usize) -> Vec<Posted> {
        until(&format!("{count} e-mails have come"), || async {
            let all = self.all();
            (all.len() >= count).then_some(all)
        })
        .await
    }
}

impl Drop for MailRelay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A session of RFC 5321, as far as a client needs it. It ends when the client is gone.
async fn talk(stream: TcpStream, state: &Mutex<State>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut mail = Posted::default();
    say(&mut stream, "220 relay.example.com ESMTP").await?;
    loop {
        let line = hear(&mut stream).await?;
        let verb = line.get(..4).unwrap_or(&line).to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => "250-relay.example.com\r\n250-8BITMIME\r\n250 SMTPUTF8",
            "MAIL" => {
                mail = Posted { from: address(&line), ..Posted::default() };
                lock(state).tried += 1;
                "250 OK"
            }
            "RCPT" => {
                let refusal = lock(state).refusal;
                if refusal.is_none() {
                    mail.to.push(address(&line));
                }
                refusal.unwrap_or("250 OK")
            }
            "DATA" => {
                say(&mut stream, "354 Go on").await?;
                read(&mut stream, &mut mail).await?;
                lock(state).posted.push(mail.clone());
                "250 Queued as 1"
            }
            "QUIT" => {
                say(&mut stream, "221 Bye").await?;
                return None;
            }
            _ => "250 OK",
        };
        say(&mut stream, answer).await?;
    }
}

/// What stands in angle brackets.
fn address(line: &str) -> String {
    line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or("", |(address, _)| address).to_owned()
}

async fn read(stream: &mut BufReader<TcpStream>, mail: &mut Posted) -> Option<()> {
    loop {
        let line = hear(stream).await?;
        if line.is_empty() {
            break;
        }
        match (line.strip_prefix(' '), mail.headers.last_mut(), line.split_once(": ")) {
            (Some(more), Some((_, value)), _) => value.push_str(more),
            (_, _, Some((name, value))) => mail.headers.push((name.to_owned(), value.to_owned())),
            _ => {}
        }
    }
    let mut lines = Vec::new();
    loop {
        let line = hear(stream).await?;
        if line == "." {
            break;
        }
        lines.push(line.strip_prefix('.').map(str::to_owned).unwrap_or(line));
    }
    let coding = mail.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-transfer-encoding"));
    mail.body = decoded(coding.map_or("", |(_, value)| value), &lines);
    Some(())
}

fn decoded(coding: &str, lines: &[String]) -> String {
    match coding {
        "base64" => {
            use base64::Engine;
            let bytes = base64::engine::general_purpose::STANDARD.decode(lines.concat()).expect("base64");
            String::from_utf8(bytes).expect("UTF-8")
        }
        "quoted-printable" => unquoted(&lines.join("\r\n")),
        _ => lines.join("\r\n"),
    }
}

fn unquoted(text: &str) -> String {
    let text = text.replace("=\r\n", "");
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, after @ ..] = rest {
        match (first, after) {
            (b'=', [high, low, more @ ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).expect("digits");
                bytes.push(u8::from_str_radix(digits, 16).expect("hexadecimal digits"));
                rest = more;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}

async fn hear(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let length = stream.read_line(&mut line).await.ok()?;
    (length > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
}

async fn say(stream: &mut BufReader<TcpStream>, line: &str) -> Option<()> {
    stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).await.ok()
}
