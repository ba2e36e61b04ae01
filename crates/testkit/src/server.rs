//! A server in this process, on a port of its own.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use tandem_app::{
    App,
    accounts::{self, OpenAccount, Operator},
    carrier::{Carrier, Carriers},
    due, nothing_more,
};
use tandem_carriers::{Owned, Simulated};
use tandem_kernel::{Clock, Currency, Environment, OsRng, Timestamp};
use tandem_server::serve::{self, Running, Setup};
use tandem_store::{
    Store, Tx,
    repo::{inventory, jobs},
};

use crate::{
    Database, Engine, Persona, Stage, UPSTREAM, audit,
    carrier::{Control, Scripted},
    client::Client,
    clock::StageClock,
    until,
};

/// Where the machine's clock stands at first: an hour at which a minute's wait ends at the Unix second of the documented example.
pub const DAWN: Timestamp = Timestamp::from_micros(1_704_067_200_000_000);

/// A running server. Cheap to clone; gone with its scenario.
#[derive(Clone)]
pub struct Server(Arc<Inner>);

struct Inner {
    stage: Stage,
    clock: Arc<StageClock>,
    upstream: Control,
    operator_key: OnceLock<String>,
    running: Mutex<Option<Running>>,
}

impl Server {
    pub(crate) async fn start(stage: Stage) -> Self {
        let clock = Arc::new(StageClock::new(stage.dawn, stage.flows));
        fill_shelves(&stage).await;
        let server = Self(Arc::new(Inner {
            stage,
            clock,
            upstream: Control::default(),
            operator_key: OnceLock::new(),
            running: Mutex::default(),
        }));
        server.launch().await;
        server
    }

    async fn launch(&self) {
        let clock: Arc<dyn Clock> = self.0.clock.clone();
        let setup = Setup { config: self.0.stage.config.clone(), clock, rng: Arc::new(OsRng), carriers: Some(self.carriers()) };
        let running = serve::start(setup).await.unwrap_or_else(|failure| panic!("the server does not start: {failure}"));
        if let Some(key) = &running.operator_key {
            self.0.operator_key.get_or_init(|| key.clone());
        }
        *self.slot() = Some(running);
    }

    fn carriers(&self) -> Carriers {
        let upstream = Scripted { name: UPSTREAM, control: self.0.upstream.clone() };
        let all: Vec<Arc<dyn Carrier>> = vec![Arc::new(Owned::default()), Arc::new(Simulated), Arc::new(upstream)];
        Carriers::new(all, Owned::NAME, Simulated::NAME)
    }

    fn slot(&self) -> MutexGuard<'_, Option<Running>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops the server as an orderly shutdown does.
    pub async fn stop(&self) {
        let running = self.slot().take();
        if let Some(running) = running {
            running.stop().await;
        }
    }

    /// Starts it again on the same database, at a port of its own.
    pub async fn restart(&self) {
        self.stop().await;
        self.launch().await;
    }

    /// Looks over what the scenario left behind and stops.
    pub async fn finish(&self) {
        if self.slot().is_none() {
            self.launch().await;
        }
        audit::leftovers(&self.app()).await;
        self.stop().await;
    }

    /// The platform behind the server.
    pub fn app(&self) -> App {
        self.slot().as_ref().expect("the server runs").app.clone()
    }

    /// Has it read its certificate again.
    pub fn reload(&self) {
        self.slot().as_ref().expect("the server runs").reload();
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.slot().as_ref().expect("the server runs").addr
    }

    /// Where it answers SIP by a transport.
    pub(crate) fn sip_over(&self, transport: &str) -> SocketAddr {
        let slot = self.slot();
        let all = slot.as_ref().expect("the server runs").sip_addresses();
        let found = all.into_iter().find(|(name, _)| name == transport);
        found.unwrap_or_else(|| panic!("the server does not answer SIP over {transport}")).1
    }

    /// The database.
    pub fn database(&self) -> &Database {
        self.0.stage.database()
    }

    /// Which engine it runs on.
    pub fn engine(&self) -> Engine {
        self.0.stage.engine()
    }

    /// The carrier [`UPSTREAM`].
    pub fn upstream(&self) -> &Control {
        &self.0.upstream
    }

    /// The machine's time.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Moves the machine's clock. Work that falls due is done a moment later, or at once by [`Self::run_due`].
    pub fn pass_seconds(&self, seconds: u32) {
        self.0.clock.advance_seconds(seconds);
    }

    /// As [`Self::pass_seconds`], in days.
    pub fn pass_days(&self, days: u32) {
        self.pass_seconds(days * 86_400);
    }

    /// Waits until all work is done that is due by the machine's clock, and helps with it.
    pub async fn run_due(&self) {
        let app = self.app();
        until("no work is due any more", || async {
            due::run_due(&app).await.expect("due work is looked up");
            let now = app.machine_now();
            let left = app.store.read(move |tx| jobs::due(tx, now, 1)).await.expect("due work is looked up");
            left.is_empty().then_some(())
        })
        .await;
    }

    /// Writes down what is still on its way to the request log.
    pub async fn settle(&self) {
        let app = self.app();
        app.journal.flush(&app.store).await;
    }

    /// A client without credentials.
    pub fn client(&self) -> Client {
        Client::new(self.clone(), None)
    }

    /// A client that shows `key`.
    pub fn client_with(&self, key: impl Into<String>) -> Client {
        Client::new(self.clone(), Some(key.into()))
    }

    /// An account with 100 in each wallet and a key of each sort.
    pub async fn account(&self, name: &str) -> Persona {
        let command = OpenAccount { name: name.to_owned(), email: format!("{name}@example.com"), currency: Currency::USD };
        let opened = accounts::open(&self.app(), Self::actor(), command, nothing_more()).await.expect("an account");
        Persona::settle_in(self.clone(), opened).await
    }

    /// A client that shows the operator's key.
    pub fn operator(&self) -> Client {
        self.client_with(self.operator_key())
    }

    /// The operator's key, made at the first start.
    pub fn operator_key(&self) -> &str {
        self.0.operator_key.get().expect("the first start made one")
    }

    pub(crate) fn actor() -> Operator {
        Operator("testkit".to_owned())
    }

    /// Reads from the store.
    pub async fn read<T: Send + 'static>(&self, body: impl Fn(&mut Tx) -> tandem_catalogue::Result<T> + Send + 'static) -> T {
        self.app().store.read(body).await.expect("the store is read")
    }

    /// How many rows a query counts: `SELECT COUNT(*) …`.
    pub async fn count(&self, sql: &'static str) -> i64 {
        self.read(move |tx| Ok(tx.first(sql, &[])?.expect("a row").int(0)?)).await
    }
}

/// Puts the inventory into the database before the server begins: where it finds one, it makes up none.
async fn fill_shelves(stage: &Stage) {
    let store =
        Store::open(&stage.config.store_options(false)).await.unwrap_or_else(|fault| panic!("the store does not open: {fault:?}"));
    let (offers, now) = (stage.offers, stage.dawn);
    let filled = store.write(move |tx| {
        for kind in [Environment::Live, Environment::Test] {
            inventory::upsert_many(tx, kind, &offers(kind), now)?;
        }
        Ok(())
    });
    filled.await.expect("the shelves are filled");
    store.close().await;
}
