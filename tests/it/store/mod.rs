//! The store by itself: the same behaviour on both engines.

mod jobs;
mod ledger;
mod plans;
mod rows;
mod schema;
mod tls;
mod units;

use std::{
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};

use tandem_catalogue::Result;
use tandem_domain::{
    account::{Account, AccountStatus},
    environment::{EnvironmentClock, EnvironmentSettings, RateLimit},
};
use tandem_kernel::{AccountId, Currency, Environment, EnvironmentId, SeededRng};
use tandem_store::{
    Options, Store, Tx,
    repo::{accounts, ledger as books, settings},
};
use tandem_testkit::{DAWN, Scene, Stage};

/// A store on an empty database.
struct Fresh {
    store: Store,
    stage: Stage,
}

impl Scene for Fresh {
    async fn set(stage: Stage) -> Self {
        let store = open(&stage, |_| {}).await;
        Self { store, stage }
    }
}

impl Fresh {
    /// The same database opened once more, by somebody else.
    async fn opened_again(&self) -> Store {
        open(&self.stage, |_| {}).await
    }

    /// Closes the store and opens it again with other settings.
    async fn reopened(self, set: impl FnOnce(&mut Options)) -> Self {
        self.store.close().await;
        let store = open(&self.stage, set).await;
        Self { store, ..self }
    }

    async fn value(&self, name: &'static str) -> Option<String> {
        self.store.read(move |tx| settings::get(tx, name)).await.expect("a value is read")
    }

    async fn count(&self, sql: &'static str) -> i64 {
        self.store.read(move |tx| Ok(tx.first(sql, &[])?.expect("a row").int(0)?)).await.expect("rows are counted")
    }
}

async fn open(stage: &Stage, set: impl FnOnce(&mut Options)) -> Store {
    let mut options = Options::new(stage.database().url());
    set(&mut options);
    Store::open(&options).await.expect("the store opens")
}

/// Writes a value, whatever was there.
fn put(tx: &mut Tx, name: &str, value: &str) -> Result<()> {
    let sql = "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    tx.execute(sql, &[name.into(), value.into()]).map(drop)
}

/// An account with one environment and its empty wallet.
async fn environment(store: &Store, seed: u64) -> EnvironmentSettings {
    let rng = SeededRng::new(seed);
    let account = Account {
        id: AccountId::new(DAWN, &rng),
        name: "Ada".to_owned(),
        email: "ada@example.com".to_owned(),
        currency: Currency::USD,
        status: AccountStatus::Active,
        verified: true,
        sms_enabled: true,
        mms_enabled: false,
        message_countries: Vec::new(),
        created_at: DAWN,
    };
    let settings = EnvironmentSettings {
        id: EnvironmentId::new(DAWN, &rng),
        account: account.id,
        kind: Environment::Test,
        clock: EnvironmentClock::default(),
        rate: RateLimit::default(),
        has_webhooks: false,
    };
    let made = settings.clone();
    let opened = store.write(move |tx| {
        accounts::insert(tx, &account)?;
        accounts::insert_environment(tx, &made, DAWN)?;
        books::open(tx, made.id, Currency::USD)
    });
    opened.await.expect("an account is opened");
    settings
}

/// A unit of work that begins, says so, and then waits until it is let go on.
#[derive(Clone)]
#[expect(clippy::type_complexity, reason = "the two ends of a channel, shared; a name for each would say no more")]
struct Turnstile(Arc<(Mutex<Sender<()>>, Mutex<Receiver<()>>)>);

/// The other side of a [`Turnstile`].
struct Keeper {
    begun: Receiver<()>,
    go: Sender<()>,
}

fn turnstile() -> (Turnstile, Keeper) {
    let ((begin, begun), (go, gone)) = (channel(), channel());
    (Turnstile(Arc::new((Mutex::new(begin), Mutex::new(gone)))), Keeper { begun, go })
}

impl Turnstile {
    fn pass(&self) {
        self.0.0.lock().expect("one at a time").send(()).expect("the keeper is there");
        self.0.1.lock().expect("one at a time").recv_timeout(Duration::from_secs(20)).expect("the keeper lets it go on");
    }
}

impl Keeper {
    /// Waits until the unit of work has begun.
    async fn begun(self) -> Self {
        let waited = tokio::task::spawn_blocking(move || {
            self.begun.recv_timeout(Duration::from_secs(20)).expect("the unit of work begins");
            self
        });
        waited.await.expect("the keeper waits")
    }

    fn let_go(&self) {
        self.go.send(()).expect("the unit of work waits");
    }
}
