//! Messages a second through the whole path, against a bare SMPP client and server in the same run.
//!
//! `sms BASE KEY OPERATOR FROM COUNT SENDERS`: binds the server at `BASE` to an SMSC in here, sends `COUNT` messages over its API from
//! `SENDERS` connections, and waits until all are receipted. Prints both rates, their ratio, and the 99th percentile of the time from
//! the API's answer to the submit.

use std::{
    collections::HashMap,
    error::Error,
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use rusmpp::{
    Pdu,
    pdus::{BindTransceiver, BindTransceiverResp, DeliverSmResp, SubmitSmResp},
};
use tandem_sms::wire::{Address, Pipe, Short, clipped, command};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const WINDOW: usize = 100;
const LARGEST: usize = 64 * 1024;
/// Recipients begin here: one for each message.
const FIRST: usize = 14_155_000_000;

/// The SMSC: takes everything, and sends a receipt for it.
#[derive(Default)]
struct Taken {
    count: AtomicUsize,
    receipted: AtomicUsize,
    arrived: Mutex<HashMap<String, Instant>>,
}

async fn serve(stream: TcpStream, taken: Arc<Taken>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut pipe = Pipe::new(Box::new(stream), LARGEST);
    let mut sequence = 0;
    loop {
        while let Some(frame) = pipe.take().map_err(|bad| io::Error::other(format!("{bad:?}")))? {
            match frame.pdu {
                Some(Pdu::BindTransceiver(_)) => {
                    pipe.put(&command(0, frame.sequence, BindTransceiverResp::new(clipped("bare"), None)));
                }
                Some(Pdu::SubmitSm(submit)) => {
                    let id = taken.count.fetch_add(1, Ordering::Relaxed).to_string();
                    let short = Short::from(&submit);
                    let mut arrived = taken.arrived.lock().unwrap_or_else(PoisonError::into_inner);
                    arrived.insert(short.to.text.clone(), Instant::now());
                    drop(arrived);
                    pipe.put(&command(0, frame.sequence, SubmitSmResp::builder().message_id(clipped(&id)).build()));
                    let text =
                        format!("id:{id} sub:001 dlvrd:001 submit date:2401011200 done date:2401011200 stat:DELIVRD err:000 text:");
                    sequence += 1;
                    let receipt =
                        Short { from: short.to, to: short.from, esm_class: 4, text: text.into_bytes(), ..Short::default() };
                    pipe.put(&command(0, sequence, receipt.deliver()));
                }
                Some(Pdu::DeliverSmResp(_)) => {
                    taken.receipted.fetch_add(1, Ordering::Relaxed);
                }
                Some(Pdu::EnquireLink) => {
                    pipe.put(&command(0, frame.sequence, Pdu::EnquireLinkResp));
                }
                Some(Pdu::Unbind) => {
                    pipe.put(&command(0, frame.sequence, Pdu::UnbindResp));
                    return pipe.finish().await;
                }
                _ => {}
            }
        }
        pipe.turn().await?;
    }
}

/// A bare client with a full window: how long `count` messages and their receipts take.
async fn bare(port: u16, count: usize) -> Outcome<Duration> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    let mut pipe = Pipe::new(Box::new(stream), LARGEST);
    let bind = BindTransceiver::builder().system_id(clipped("bare")).interface_version(0x34.into()).build();
    pipe.put(&command(0, 1, bind));
    let (mut sequence, mut open, mut sent, mut receipts) = (1, 0, 0, 0);
    let began = Instant::now();
    let address = |text: String| Address { ton: 1, npi: 1, text };
    while receipts < count {
        while let Some(frame) = pipe.take().map_err(|bad| io::Error::other(format!("{bad:?}")))? {
            match frame.pdu {
                Some(Pdu::SubmitSmResp(_)) => open -= 1,
                Some(Pdu::DeliverSm(_)) => {
                    receipts += 1;
                    pipe.put(&command(0, frame.sequence, DeliverSmResp::default()));
                }
                _ => {}
            }
        }
        while open < WINDOW && sent < count {
            (open, sent, sequence) = (open + 1, sent + 1, sequence + 1);
            let (from, to) = (address("14155550100".to_owned()), address(format!("{}", 10_000_000_000 + sent)));
            let short = Short {
                from,
                to,
                text: b"A message of the usual length, more or less".to_vec(),
                registered: 1,
                ..Short::default()
            };
            pipe.put(&command(0, sequence, short.submit()));
        }
        if receipts < count {
            pipe.turn().await?;
        }
    }
    Ok(began.elapsed())
}

/// One connection to the API.
struct Caller(BufReader<TcpStream>);

impl Caller {
    async fn open(base: &str) -> Outcome<Self> {
        let stream = TcpStream::connect(base.trim_start_matches("http://")).await?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    async fn post(&mut self, path: &str, key: &str, body: &str) -> Outcome<u16> {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.0.get_mut().write_all([head.as_bytes(), body.as_bytes()].concat().as_slice()).await?;
        let (mut line, mut status, mut length) = (String::new(), 0, 0);
        loop {
            line.clear();
            self.0.read_line(&mut line).await?;
            let trimmed = line.trim_end();
            if trimmed.is_empty() {
                break;
            }
            if status == 0 {
                status = trimmed.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(599);
            }
            if let Some(told) = trimmed.to_ascii_lowercase().strip_prefix("content-length:") {
                length = told.trim().parse()?;
            }
        }
        let mut answer = vec![0; length];
        self.0.read_exact(&mut answer).await?;
        Ok(status)
    }
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [base, key, operator, from, count, senders] = arguments.as_slice() else {
        return Err("usage: sms BASE KEY OPERATOR FROM COUNT SENDERS".into());
    };
    let (count, senders): (usize, usize) = (count.parse()?, senders.parse()?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let taken = Arc::new(Taken::default());
    let of = taken.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, of.clone()));
        }
    });
    let yardstick = per_second(count, bare(port, count).await?);
    taken.receipted.store(0, Ordering::Relaxed);
    let smsc = format!(
        r#"{{"name":"bench","host":"127.0.0.1","port":{port},"system_id":"bench","password":"bench","window":{WINDOW},"receipt_ids":"same"}}"#
    );
    let added = Caller::open(base).await?.post("/v1/smscs", operator, &smsc).await?;
    if added != 201 {
        return Err(format!("the SMSC is not added: {added}").into());
    }
    let began = Instant::now();
    let mut sending = JoinSet::new();
    for sender in 0..senders {
        let (base, key, from) = (base.clone(), key.clone(), from.clone());
        sending.spawn(async move {
            let mut caller = Caller::open(&base).await?;
            let mut answered = Vec::new();
            for number in (sender..count).step_by(senders) {
                let to = FIRST + number;
                let body = format!(r#"{{"from":"{from}","to":"+{to}","body":"A message of the usual length, more or less"}}"#);
                match caller.post("/audian/v2/messages", &key, &body).await? {
                    201 => answered.push((to.to_string(), Instant::now())),
                    status => return Err(format!("a message is answered with {status}").into()),
                }
            }
            Outcome::Ok(answered)
        });
    }
    let mut answered = Vec::new();
    while let Some(sent) = sending.join_next().await {
        answered.extend(sent??);
    }
    let accepted = began.elapsed();
    while taken.receipted.load(Ordering::Relaxed) < count {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let whole = per_second(count, began.elapsed());
    let arrived = taken.arrived.lock().unwrap_or_else(PoisonError::into_inner);
    let mut waits: Vec<Duration> = answered
        .iter()
        .filter_map(|(to, answered)| arrived.get(to).map(|arrived| arrived.saturating_duration_since(*answered)))
        .collect();
    waits.sort_unstable();
    let p99 = waits.get(waits.len() * 99 / 100).copied().unwrap_or_default();
    let line = format!(
        "bare {yardstick:.0}/s   whole path {whole:.0}/s (accepted {:.0}/s)   ratio {:.3}   p99 from answer to submit {:.1} ms\n",
        per_second(count, accepted),
        whole / yardstick,
        p99.as_secs_f64() * 1e3
    );
    io::Write::write_all(&mut io::stdout(), line.as_bytes())?;
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a rate is read by eye")]
fn per_second(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}
