//! A server in this process, on a port of its own.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tandem_app::{
    App, Parts,
    accounts::{self, OpenAccount, Operator},
    carrier::{Carrier, Carriers},
    due, nothing_more,
};
use tandem_domain::purchase::Offer;
use tandem_kernel::{Clock, Currency, Environment, ManualClock, OsRng, Timestamp};
use tandem_store::{Options, Store, Tx, repo::inventory};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    Database, Engine, LOCAL, Persona, Stage, UPSTREAM, audit,
    carrier::{Control, Scripted},
    client::Client,
};

/// Where the machine's clock stands at first: an hour at which a minute's wait ends at the Unix second of the documented example.
pub const DAWN: Timestamp = Timestamp::from_micros(1_704_067_200_000_000);

/// A running server. Cheap to clone; gone with its scenario.
#[derive(Clone)]
pub struct Server(Arc<Inner>);

struct Inner {
    stage: Stage,
    clock: Arc<ManualClock>,
    upstream: Control,
    running: Mutex<Option<Running>>,
}

#[derive(Clone)]
struct Running {
    app: App,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Server {
    pub(crate) async fn start(stage: Stage) -> Self {
        let clock = Arc::new(ManualClock::new(stage.dawn));
        let server = Self(Arc::new(Inner { stage, clock, upstream: Control::default(), running: Mutex::default() }));
        server.launch(true).await;
        server
    }

    async fn launch(&self, fill: bool) {
        let stage = &self.0.stage;
        let url = stage.database_url.clone().unwrap_or_else(|| stage.database.url());
        let exclusive = stage.engine() == Engine::Sqlite;
        let options = Options { queue: stage.queue, patience: stage.patience, exclusive, ..Options::new(url) };
        let store = Store::open(&options).await.expect("the store opens");
        if fill {
            fill_shelves(&store, stage.offers.clone(), self.0.clock.now()).await;
        }
        let app = App::new(Parts {
            store,
            clock: self.0.clock.clone(),
            rng: Arc::new(OsRng),
            carriers: self.carriers(),
            settings: stage.settings.clone(),
        });
        for kind in [Environment::Live, Environment::Test] {
            app.stock.load(&app.store, kind).await.expect("the inventory is read");
        }
        let running = listen(app, stage).await;
        *self.running_slot() = Some(running);
    }

    fn carriers(&self) -> Carriers {
        let local: Arc<dyn Carrier> = Arc::new(Scripted::local(LOCAL, Control::default()));
        let remote: Arc<dyn Carrier> = Arc::new(Scripted::remote(UPSTREAM, self.0.upstream.clone()));
        Carriers::new(vec![local, remote], LOCAL, LOCAL)
    }

    fn running_slot(&self) -> std::sync::MutexGuard<'_, Option<Running>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn running(&self) -> Running {
        self.running_slot().clone().expect("the server runs")
    }

    /// Stops the server as an orderly shutdown does.
    pub async fn stop(&self) {
        let stopped = self.running_slot().take();
        let Some(Running { app, stop, task, .. }) = stopped else { return };
        stop.send_replace(true);
        let task = task.lock().expect("no panic while stopping").take();
        if let Some(task) = task {
            task.await.expect("the server ends well");
        }
        app.journal.flush(&app.store).await;
        app.store.close().await;
    }

    /// Starts it again on the same database, at a port of its own.
    pub async fn restart(&self) {
        self.stop().await;
        self.launch(false).await;
    }

    /// Looks over what the scenario left behind and stops.
    pub async fn finish(&self) {
        if self.running_slot().is_none() {
            self.launch(false).await;
        }
        self.settle().await;
        audit::leftovers(&self.app()).await;
        self.stop().await;
    }

    /// The platform behind the server.
    pub fn app(&self) -> App {
        self.running().app
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.running().address
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

    /// Moves the machine's clock. Work that falls due is done when [`Self::run_due`] is called.
    pub fn pass_seconds(&self, seconds: u32) {
        self.0.clock.advance_seconds(seconds);
    }

    /// As [`Self::pass_seconds`], in days.
    pub fn pass_days(&self, days: u32) {
        self.pass_seconds(days * 86_400);
    }

    /// Does all work that is due by the machine's clock.
    pub async fn run_due(&self) {
        let app = self.app();
        while due::run_due(&app).await.expect("due work is looked up") > 0 {}
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
        let opened = accounts::open(&self.app(), Self::operator(), command, nothing_more()).await.expect("an account");
        Persona::settle_in(self.clone(), opened).await
    }

    pub(crate) fn operator() -> Operator {
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

async fn fill_shelves(store: &Store, offers: Vec<Offer>, now: Timestamp) {
    let filled = store.write(move |tx| {
        for kind in [Environment::Live, Environment::Test] {
            inventory::upsert_many(tx, kind, &offers, now)?;
        }
        Ok(())
    });
    filled.await.expect("the shelves are filled");
}

async fn listen(app: App, stage: &Stage) -> Running {
    let options = tandem_api::Options { most_at_once: stage.most_at_once, ..tandem_api::Options::default() };
    let router = tandem_api::router(app.clone(), &options);
    let listener = TcpListener::bind(stage.address()).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (stop, mut stopped) = watch::channel(false);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(async move {
        let _ = stopped.wait_for(|stopped| *stopped).await; // a server that is forgotten stops as well
    });
    let task = tokio::spawn(async move { serving.await.expect("the server ends well") });
    Running { app, address, stop, task: Arc::new(Mutex::new(Some(task))) }
}
