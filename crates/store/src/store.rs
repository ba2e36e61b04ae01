//! The store: where units of work go in.

use std::{
    path::PathBuf,
    sync::{Arc, RwLock},
    time::{Duration, Instant},
};

use crossbeam_channel::{Sender, TrySendError};
use tandem_catalogue::{Error, Result};

use crate::{
    driver::{
        Engine,
        postgres::Postgres,
        sqlite::{self, Sqlite},
        target::Target,
        work::{Task, Work},
    },
    fault::Fault,
    migrate,
    tx::Tx,
};

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// `sqlite:PATH` or `postgres://…`.
    pub url: String,
    /// Units of work that may wait; one more is refused with `overloaded`.
    pub queue: usize,
    /// How long a caller waits for a unit of work.
    pub patience: Duration,
    /// Connections (PostgreSQL) that write.
    pub writers: usize,
    /// Connections that read.
    pub readers: usize,
    /// Whether this process is the server, of which an SQLite file has one.
    pub exclusive: bool,
}

impl Options {
    /// The usual settings for `url`.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), queue: 4096, patience: Duration::from_secs(5), writers: 6, readers: 3, exclusive: false }
    }
}

/// A database and the threads that talk to it. Cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    engine: Engine,
    patience: Duration,
    driver: RwLock<Option<Driver>>,
}

#[derive(Clone, Copy)]
enum Queue {
    Writes,
    Reads,
}

enum Driver {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Store {
    /// Opens the database and brings its schema up to date.
    ///
    /// # Errors
    /// A fault in words for the operator: the URL is unknown, the file is another server's, the database does not answer.
    pub async fn open(options: &Options) -> Result<Self, Fault> {
        match options.url.split_once(':') {
            Some(("sqlite", path)) => Self::open_sqlite(PathBuf::from(path), options).await,
            Some(("postgres" | "postgresql", _)) => Self::open_postgres(options).await,
            _ => Err(Fault::Broken(format!("'{}' is no database URL: use sqlite:PATH or postgres://…", options.url).into())),
        }
    }

    async fn open_sqlite(path: PathBuf, options: &Options) -> Result<Self, Fault> {
        let settings = options.clone();
        let opened = tokio::task::spawn_blocking(move || {
            migrate::sqlite(&mut sqlite::connect(&path)?)?;
            Sqlite::open(&path, settings.queue, settings.readers, settings.exclusive)
        });
        let sqlite = opened.await.map_err(|fault| Fault::Broken(fault.into()))??;
        Ok(Self::assemble(Engine::Sqlite, Driver::Sqlite(sqlite), options))
    }

    async fn open_postgres(options: &Options) -> Result<Self, Fault> {
        let target = Target::parse(&options.url)?;
        migrate::postgres(&target).await?;
        let postgres = Postgres::open(&target, options.queue, options.writers, options.readers)?;
        Ok(Self::assemble(Engine::Postgres, Driver::Postgres(postgres), options))
    }

    fn assemble(engine: Engine, driver: Driver, options: &Options) -> Self {
        Self(Arc::new(Inner { engine, patience: options.patience, driver: RwLock::new(Some(driver)) }))
    }

    /// Which engine holds the data.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.0.engine
    }

    /// How many units of work wait: to write, and to read.
    #[must_use]
    pub fn waiting(&self) -> (usize, usize) {
        let waits = |queue| self.sender(queue).map_or(0, |sender| sender.len());
        (waits(Queue::Writes), waits(Queue::Reads))
    }

    /// Runs a unit of work: what it wrote is durable when this returns `Ok`, and undone otherwise.
    ///
    /// The closure may run more than once; it must touch nothing outside its `Tx`.
    ///
    /// # Errors
    /// What the closure refused, or `unavailable`, `overloaded` and `internal` for faults of the database. After `unavailable`
    /// from a commit that was cut short the work may have been done: only the same id tells.
    pub async fn write<T, F>(&self, body: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx) -> Result<T> + Send + 'static,
    {
        self.send(Queue::Writes, self.0.patience, body).await
    }

    /// Runs queries that see one state of the database.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn read<T, F>(&self, body: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx) -> Result<T> + Send + 'static,
    {
        self.send(Queue::Reads, self.0.patience, body).await
    }

    /// As [`Self::read`], for the long scans of a start or an audit.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn scan<T, F>(&self, body: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx) -> Result<T> + Send + 'static,
    {
        self.send(Queue::Reads, Duration::from_secs(600), body).await
    }

    async fn send<T, F>(&self, queue: Queue, patience: Duration, body: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx) -> Result<T> + Send + 'static,
    {
        let (task, answer) = Task::new(body, Instant::now() + patience);
        let sender = self.sender(queue).ok_or_else(|| Error::shutting_down(1))?;
        sender.try_send(Box::new(task)).map_err(|fault| match fault {
            TrySendError::Full(_) => Error::from(Fault::Full),
            TrySendError::Disconnected(_) => Error::shutting_down(1),
        })?;
        match tokio::time::timeout(patience, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Error::internal().because("a database thread went away")),
            Err(elapsed) => Err(Fault::Unreachable(elapsed.into()).into()),
        }
    }

    fn sender(&self, queue: Queue) -> Option<Sender<Box<dyn Work>>> {
        let driver = self.0.driver.read().ok()?;
        let (writes, reads) = match driver.as_ref()? {
            Driver::Sqlite(sqlite) => (&sqlite.writes, &sqlite.reads),
            Driver::Postgres(postgres) => (&postgres.writes, &postgres.reads),
        };
        Some(match queue {
            Queue::Writes => writes.clone(),
            Queue::Reads => reads.clone(),
        })
    }

    /// Finishes what waits and closes the connections. Later units of work are refused.
    pub async fn close(&self) {
        let driver = self.0.driver.write().ok().and_then(|mut driver| driver.take());
        let closed = tokio::task::spawn_blocking(move || match driver {
            Some(Driver::Sqlite(sqlite)) => sqlite.close(),
            Some(Driver::Postgres(postgres)) => postgres.close(),
            None => {}
        });
        let _ = closed.await; // nothing more can be done for a thread that panicked
    }
}
