//! SMSCs that answer as a test says, whatever that makes of their own rules.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};
use tandem_kernel::Environment::Live;
use tandem_sms::wire::status;
use tandem_testkit::{Server, on_both, until};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};

use super::{
    operator::{Outside, bound, with},
    reaches, send,
};
use crate::numbers::buy;

const OURS: &str = "+14155550100";
const SUBMIT: u32 = 0x04;

/// An SMSC whose answer to the nth submit of all is the nth of a script, the last one for all others; none for some.
struct Scripted {
    port: u16,
    submits: Arc<AtomicUsize>,
    accepting: AbortHandle,
}

impl Scripted {
    async fn start(script: &'static [Option<u32>]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let (port, submits) = (listener.local_addr().expect("an address").port(), Arc::new(AtomicUsize::new(0)));
        let counted = submits.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, script, counted.clone()));
            }
        });
        Self { port, submits, accepting: accepting.abort_handle() }
    }

    fn described(&self) -> Value {
        json!({ "name": "scripted", "host": "127.0.0.1", "port": self.port, "system_id": "us", "password": "secret", "window": 10,
                "answer_seconds": 1, "cost": 0.01 })
    }

    async fn submitted(&self, times: usize) {
        let what = format!("{times} submits");
        until(&what, || async { (self.submits.load(Ordering::SeqCst) >= times).then_some(()) }).await;
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(mut stream: TcpStream, script: &[Option<u32>], submits: Arc<AtomicUsize>) -> Option<()> {
    loop {
        let length = stream.read_u32().await.ok()?;
        let (id, _, sequence) = (stream.read_u32().await.ok()?, stream.read_u32().await.ok()?, stream.read_u32().await.ok()?);
        let mut body = vec![0; usize::try_from(length).ok()?.checked_sub(16)?];
        stream.read_exact(&mut body).await.ok()?;
        let answer = match id {
            SUBMIT => {
                let number = submits.fetch_add(1, Ordering::SeqCst);
                script.get(number).or(script.last()).copied().flatten()
            }
            id if id & 0x8000_0000 != 0 => None,
            _ => Some(status::OK),
        };
        let Some(told) = answer else { continue };
        let named: &[u8] = if matches!(id, SUBMIT | 0x09) { b"id\0" } else { b"" };
        let length = 16 + u32::try_from(named.len()).ok()?;
        for word in [length, id | 0x8000_0000, told, sequence] {
            stream.write_u32(word).await.ok()?;
        }
        stream.write_all(named).await.ok()?;
    }
}

/// Sends a message to the scripted SMSC, beside which there is a dearer one.
async fn begin(server: &Server, scripted: &Scripted, other: &Outside) -> (tandem_testkit::Client, String) {
    let ada = server.account("Ada").await;
    ada.unlimited(Live).await;
    let client = ada.live();
    buy(&client, OURS).await;
    for described in [scripted.described(), with(other.described("other"), json!({ "cost": 0.5 }))] {
        let added = server.operator().post("/v1/smscs", described).await;
        bound(server, added.assert_status(201).body["id"].as_str().expect("an id")).await;
    }
    let id = send(&client, OURS, "+14155550190", "Hello").await;
    (client, id)
}

on_both! {
    async fn what_may_have_been_submitted_goes_nowhere_else_whatever_is_said_of_its_repetition(server: Server) {
        let script = &[None, Some(status::WRONG_STATE), Some(status::WRONG_STATE), Some(status::OK)];
        let (scripted, other) = (Scripted::start(script).await, Outside::start().await);
        let (client, id) = begin(&server, &scripted, &other).await;
        scripted.submitted(4).await;
        reaches(&client, &id, "sent").await;
        assert_eq!(other.smsc.counts().taken, 0);
    }

    async fn a_repetition_that_is_refused_may_have_arrived(server: Server) {
        let script = &[None, Some(0x45)]; // ESME_RSUBMITFAIL says nothing of the message
        let (scripted, other) = (Scripted::start(script).await, Outside::start().await);
        let (client, id) = begin(&server, &scripted, &other).await;
        let ended = reaches(&client, &id, "expired").await;
        assert_eq!((&ended["error_code"], other.smsc.counts().taken), (&json!("refused_again"), 0));
        let why = "segment 1 may have been submitted, but its SMSC refused it when it was offered again";
        assert_eq!(ended["error_message"], why);
    }
}
