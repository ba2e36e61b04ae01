//! What a scenario begins with and how it ends.

use std::sync::{Arc, Mutex};

use tandem_domain::purchase::Offer;
use tandem_kernel::{Environment, Timestamp};
use tandem_server::config::Config;

use crate::{Database, Engine, Outage, Proxy, Server, fixture, server::DAWN};

/// What the argument of a scenario can be.
pub trait Scene: Sized + Send {
    /// Sets it up.
    fn set(stage: Stage) -> impl Future<Output = Self> + Send;
}

impl Scene for Stage {
    async fn set(stage: Stage) -> Self {
        stage
    }
}

impl Scene for Server {
    async fn set(stage: Stage) -> Self {
        stage.start().await
    }
}

/// How the servers of a scenario are built.
#[derive(Clone)]
pub struct Stage {
    pub(crate) database: Database,
    pub(crate) config: Config,
    pub(crate) dawn: Timestamp,
    pub(crate) flows: bool,
    pub(crate) offers: fn(Environment) -> Vec<Offer>,
    _proxy: Option<Proxy>,
    servers: Arc<Mutex<Vec<Server>>>,
}

impl Stage {
    /// An empty stage on an engine.
    pub fn new(engine: Engine) -> Self {
        let database = Database::new(engine);
        let config = Config {
            listen: "127.0.0.1:0".to_owned(),
            data_dir: database.folder().to_owned(),
            database: Some(database.url()),
            ..Config::default()
        };
        Self { database, config, dawn: DAWN, flows: false, offers: fixture::shelf, _proxy: None, servers: Arc::default() }
    }

    /// Which engine the servers run on.
    pub fn engine(&self) -> Engine {
        self.database.engine()
    }

    /// The database that all servers of this stage share.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The machine's clock stands here at first.
    #[must_use]
    pub fn dawn(mut self, text: &str) -> Self {
        self.dawn = Timestamp::parse(text).expect(text);
        self
    }

    /// The machine's time passes by itself.
    #[must_use]
    pub const fn flowing(mut self) -> Self {
        self.flows = true;
        self
    }

    /// The inventory of each kind of environment.
    #[must_use]
    pub fn offers(mut self, offers: fn(Environment) -> Vec<Offer>) -> Self {
        self.offers = offers;
        self
    }

    /// Sets what an operator sets.
    #[must_use]
    pub fn config(mut self, set: impl FnOnce(&mut Config)) -> Self {
        set(&mut self.config);
        self
    }

    /// Makes the database one that can stop answering.
    pub async fn breakable(self) -> (Self, Outage) {
        let database = self.database.clone();
        match self.engine() {
            Engine::Sqlite => (self, Outage::of(database, None)),
            Engine::Postgres => {
                let (stage, proxy) = self.proxied().await;
                (stage, Outage::of(database, Some(proxy)))
            }
        }
    }

    /// Puts a stretch of network that can fail between the servers and PostgreSQL.
    pub async fn proxied(mut self) -> (Self, Proxy) {
        let url = self.database.url();
        let config: tokio_postgres::Config = url.parse().expect("a PostgreSQL URL");
        let (Some(tokio_postgres::config::Host::Tcp(host)), port) = (config.get_hosts().first(), config.get_ports().first()) else {
            panic!("{url} names no host");
        };
        let port = port.copied().unwrap_or(5432);
        let to = tokio::net::lookup_host((host.as_str(), port)).await.expect("a host").next().expect("an address");
        let proxy = Proxy::start(to).await;
        let authority = if url.contains(&format!("{host}:{port}")) { format!("{host}:{port}") } else { host.clone() };
        self._proxy = Some(proxy.clone()); // the servers need it until they are looked over
        self.config.database = Some(url.replace(&authority, &proxy.address().to_string()));
        (self, proxy)
    }

    /// Starts a server. All servers of a stage are looked over when the scenario ends.
    pub async fn start(&self) -> Server {
        let server = Server::start(self.clone()).await;
        self.servers.lock().expect("no panic while starting").push(server.clone());
        server
    }

    async fn finish(&self) {
        let servers = std::mem::take(&mut *self.servers.lock().expect("no panic while starting"));
        for server in servers {
            server.finish().await;
        }
    }
}

/// Runs a scenario on an engine, and looks over what it leaves behind.
pub fn run<S: Scene, R: Future<Output = ()>>(engine: Engine, scenario: impl FnOnce(S) -> R) {
    with_runtime(async {
        let stage = Stage::new(engine);
        scenario(S::set(stage.clone()).await).await;
        stage.finish().await;
    });
}

/// Runs a future to its end.
pub fn with_runtime<T>(work: impl Future<Output = T>) -> T {
    static LOG: std::sync::Once = std::sync::Once::new();
    LOG.call_once(|| {
        if std::env::var_os("RUST_LOG").is_some() {
            let filter = tracing_subscriber::EnvFilter::from_default_env();
            tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().init();
        }
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(work)
}
