//! Databases that are made for one test and thrown away after it.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use tempfile::TempDir;
use tokio_postgres::NoTls;

/// The environment variable with the URL of a PostgreSQL cluster in which tests may make databases.
const POSTGRES: &str = "TANDEM_TEST_POSTGRES";

/// Which engine a test runs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Engine {
    /// SQLite, a file of its own for each test.
    Sqlite,
    /// PostgreSQL, a database of its own for each test.
    Postgres,
}

impl Engine {
    /// Its name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// An empty database; gone with its last handle.
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
    folder: TempDir,
    kind: Kind,
}

enum Kind {
    Sqlite,
    Postgres { cluster: String, name: String },
}

impl Database {
    /// Makes one.
    pub fn new(engine: Engine) -> Self {
        let folder = tempfile::Builder::new().prefix("tandem-test-").tempdir().expect("a temporary folder");
        let kind = match engine {
            Engine::Sqlite => Kind::Sqlite,
            Engine::Postgres => {
                static COUNT: AtomicU32 = AtomicU32::new(0);
                let cluster = std::env::var(POSTGRES).unwrap_or_else(|_| {
                    panic!("{POSTGRES} names no PostgreSQL cluster; run ./test, or tools/postgres for a cluster of your own")
                });
                let name = format!("tandem_test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
                command(&cluster, &format!("CREATE DATABASE {name} TEMPLATE template0"));
                Kind::Postgres { cluster, name }
            }
        };
        Self(Arc::new(Inner { folder, kind }))
    }

    /// Which engine it is on.
    pub fn engine(&self) -> Engine {
        match self.0.kind {
            Kind::Sqlite => Engine::Sqlite,
            Kind::Postgres { .. } => Engine::Postgres,
        }
    }

    /// What a store opens.
    pub fn url(&self) -> String {
        match &self.0.kind {
            Kind::Sqlite => format!("sqlite:{}", self.file().display()),
            Kind::Postgres { cluster, name } => with_database(cluster, name),
        }
    }

    /// A folder that goes with it.
    pub fn folder(&self) -> &Path {
        self.0.folder.path()
    }

    /// The file of an SQLite database.
    pub fn file(&self) -> PathBuf {
        match &self.0.kind {
            Kind::Sqlite => self.folder().join("tandem.sqlite"),
            Kind::Postgres { name, .. } => panic!("{name} is no file"),
        }
    }

    /// Runs SQL beside the server, as an operator with an editor might.
    pub fn tamper(&self, sql: &str) {
        match &self.0.kind {
            Kind::Sqlite => {
                let connection = rusqlite::Connection::open(self.file()).expect("the file opens");
                connection.busy_timeout(std::time::Duration::from_secs(5)).expect("a timeout");
                connection.execute_batch(sql).expect(sql);
            }
            Kind::Postgres { .. } => command(&self.url(), sql),
        }
    }
}

impl Drop for Kind {
    fn drop(&mut self) {
        if let Self::Postgres { cluster, name } = self {
            command(cluster, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}

/// The cluster's URL with another database in it.
fn with_database(cluster: &str, name: &str) -> String {
    let (head, tail) = cluster.split_once('?').map_or((cluster, String::new()), |(head, tail)| (head, format!("?{tail}")));
    let scheme = head.find("://").map_or(0, |at| at + 3);
    let authority = head[scheme..].find('/').map_or(head, |slash| &head[..scheme + slash]);
    format!("{authority}/{name}{tail}")
}

/// Runs a statement to its end, on a thread of its own, so that it also works where a runtime is running or ending.
fn command(url: &str, sql: &str) {
    std::thread::scope(|scope| {
        let outcome = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
                let driver = tokio::spawn(connection);
                client.batch_execute(sql).await?;
                drop(client);
                let _ = driver.await;
                Ok::<_, tokio_postgres::Error>(())
            })
        });
        if let Err(fault) = outcome.join().expect("the thread ends") {
            panic!("{sql}: {fault:?}");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_of_a_url_is_replaced() {
        for (cluster, expected) in [
            ("postgres://u@127.0.0.1:5432/postgres", "postgres://u@127.0.0.1:5432/x"),
            ("postgres://u@127.0.0.1:5432", "postgres://u@127.0.0.1:5432/x"),
            ("postgres://u@h/postgres?sslmode=disable", "postgres://u@h/x?sslmode=disable"),
        ] {
            assert_eq!(with_database(cluster, "x"), expected);
        }
    }
}
