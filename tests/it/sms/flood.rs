//! Many messages through one bind whose connection is cut again and again, while the server is killed twice: each ends once, and
//! none is sent twice.
//!
//! Some thousands by default; `TANDEM_TEST_FLOOD` says how many.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::Method;
use serde_json::{Value, json};
use tandem_store::{Options, Store};
use tandem_testkit::{Database, Engine, Tandem, with_runtime};
use tokio::sync::Semaphore;

use super::operator::Outside;

const USUAL: usize = 1_500;
/// How often the connection is cut.
const CUT: Duration = Duration::from_millis(2_500);
/// Requests at once.
const SENDERS: usize = 32;
/// How long nothing may happen.
const PATIENCE: Duration = Duration::from_secs(60);
const AWAY: Duration = Duration::from_millis(300);

/// The binary on a database, to be killed and started again.
pub struct Trial {
    pub database: Database,
    pub tandem: Option<Tandem>,
}

impl Trial {
    pub fn new(engine: Engine) -> Self {
        Self { database: Database::new(engine), tandem: None }
    }

    pub async fn start(&mut self) {
        self.tandem = Some(Tandem::start(self.database.folder(), &self.database.url()).await);
    }

    pub fn tandem(&self) -> &Tandem {
        self.tandem.as_ref().expect("it runs")
    }

    pub fn text(&self, pointer: &str) -> String {
        self.tandem().ready.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer}")).to_owned()
    }

    pub async fn operator(&self, method: Method, path: &str, body: &Value) -> Value {
        let key = format!("Bearer {}", self.text("/operator_key"));
        let (status, answer, _) = self.tandem().try_send(method, path, &[("authorization", &key)], body).await.expect("an answer");
        assert!(status < 300, "{path}: {answer}");
        answer
    }

    pub async fn count(&self, sql: &'static str) -> usize {
        let store = Store::open(&Options { exclusive: false, ..Options::new(self.database.url()) }).await.expect("the store opens");
        let count = store.read(move |tx| Ok(tx.first(sql, &[])?.expect("a row").int(0)?)).await.expect("counted");
        store.close().await;
        usize::try_from(count).expect("a count")
    }

    /// Queues messages to `count` recipients.
    async fn queue(&self, from: &str, first: usize, count: usize) {
        let key = self.text("/accounts/0/live_key");
        let room = Arc::new(Semaphore::new(SENDERS));
        let sender = tandem_testkit::Sender::new(&self.text("/base_url"));
        let mut sending = tokio::task::JoinSet::new();
        for number in first..first + count {
            let permit = room.clone().acquire_owned().await.expect("open");
            let body = json!({ "from": from, "to": format!("+1415{:07}", 5_000_000 + number), "body": format!("Number {number}") });
            let (key, sender) = (key.clone(), sender.clone());
            sending.spawn(async move {
                let status = sender.post("/audian/v2/messages", &[("x-auth-token", &key)], &body).await;
                assert_eq!(status, 201);
                drop(permit);
            });
        }
        while let Some(sent) = sending.join_next().await {
            sent.expect("sent");
        }
    }
}

async fn flood(engine: Engine) {
    let count = std::env::var("TANDEM_TEST_FLOOD").ok().and_then(|text| text.parse().ok()).unwrap_or(USUAL);
    let outside = Outside::start().await;
    let mut trial = Trial::new(engine);
    trial.start().await;
    let account = trial.text("/accounts/0/id");
    let limits = format!("/v1/accounts/{account}/environments/live");
    let free = json!({ "rate_limit": 4_000_000, "period_seconds": 1, "burst": 4_000_000 });
    trial.operator(Method::PATCH, &format!("{limits}/limits"), &free).await;
    let credit = json!({ "amount": 100_000, "reference": "flood", "description": "flood" });
    trial.operator(Method::POST, &format!("{limits}/wallet/credits"), &credit).await;
    let mut described = outside.described("flood");
    (described["window"], described["answer_seconds"]) = (json!(100), json!(5));
    trial.operator(Method::POST, "/v1/smscs", &described).await;
    let from = own_number(&trial).await;
    let began = Instant::now();
    trial.queue(&from, 0, count / 2).await;
    for part in 0..2 {
        trial.tandem.take().expect("it runs").kill();
        tokio::time::sleep(AWAY).await;
        trial.start().await;
        let cutter = cut(&outside);
        trial.queue(&from, count / 2 + part * (count / 4), count / 4).await;
        cutter.abort();
    }
    let queued = began.elapsed();
    let all = count / 2 + 2 * (count / 4);
    let cutter = cut(&outside);
    let (mut last, mut moved) = (0, Instant::now());
    loop {
        let ended = trial.count("SELECT COUNT(*) FROM messages WHERE state = 'delivered'").await;
        if ended == all {
            break;
        }
        if ended > last {
            (last, moved) = (ended, Instant::now());
        }
        assert!(moved.elapsed() < PATIENCE, "{ended} of {all} were delivered, and nothing happens");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    cutter.abort();
    let counts = outside.smsc.counts();
    eprintln!("{all} messages: queued after {queued:?}, delivered after {:?}; {counts:?}", began.elapsed());
    // Each name was taken once: a repetition was known as one.
    assert_eq!(usize::try_from(counts.taken), Ok(all));
    let events = "SELECT COUNT(*) FROM events WHERE kind IN ('message.delivered', 'message.undelivered', 'message.expired', 'message.failed')";
    assert_eq!(trial.count(events).await, all);
    assert_eq!(trial.count("SELECT COUNT(*) FROM early_receipts").await, 0, "every receipt is matched");
    trial.tandem.take().expect("it runs").kill();
    Tandem::command(trial.database.folder(), &trial.database.url(), &["admin", "verify-ledger"]);
}

fn cut(outside: &Outside) -> tokio::task::JoinHandle<()> {
    let smsc = outside.smsc.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(CUT).await;
            smsc.cut_all();
        }
    })
}

/// A number of the demonstration account that can send.
pub async fn own_number(trial: &Trial) -> String {
    let key = trial.text("/accounts/0/live_key");
    let headers = [("x-auth-token", key.as_str())];
    let path = "/audian/v2/numbers/search?location=US&features=sms&limit=1";
    let (_, found, _) = trial.tandem().try_send(Method::GET, path, &headers, &Value::Null).await.expect("an answer");
    let number = found["data"]["numbers"][0]["number"].as_str().expect("a number").to_owned();
    let (status, answer, _) = trial
        .tandem()
        .try_send(Method::POST, "/audian/v2/numbers/purchase", &headers, &json!({ "number": number }))
        .await
        .expect("an answer");
    assert_eq!(status, 201, "{answer}");
    number
}

#[test]
fn on_sqlite() {
    with_runtime(flood(Engine::Sqlite));
}

#[test]
fn on_postgres() {
    with_runtime(flood(Engine::Postgres));
}
