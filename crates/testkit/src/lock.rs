//! Somebody else who has the database.

use std::{
    sync::mpsc::{Receiver, Sender, channel},
    thread::JoinHandle,
};

use tokio_postgres::NoTls;

use crate::{Database, Engine, SqliteLock};

/// Another session that is at work on the database, as an operator's maintenance is: nothing else can be written while this lives.
/// Reading goes on.
pub struct WriteLock(#[allow(dead_code, reason = "held, not used")] Held);

#[allow(dead_code, reason = "held, not used")]
enum Held {
    Sqlite(SqliteLock),
    Postgres(PostgresLock),
}

impl WriteLock {
    /// Takes it.
    pub fn take(database: &Database) -> Self {
        Self(match database.engine() {
            Engine::Sqlite => Held::Sqlite(SqliteLock::take(database)),
            Engine::Postgres => Held::Postgres(PostgresLock::take(database.url())),
        })
    }
}

/// A session on a thread of its own. It has the table that every unit of work begins with.
struct PostgresLock {
    release: Option<Sender<()>>,
    session: Option<JoinHandle<()>>,
}

impl PostgresLock {
    fn take(url: String) -> Self {
        let (taken, is_taken) = channel();
        let (release, released) = channel();
        let session = std::thread::spawn(move || hold(&url, &taken, &released));
        is_taken.recv().expect("the lock is taken");
        Self { release: Some(release), session: Some(session) }
    }
}

impl Drop for PostgresLock {
    fn drop(&mut self) {
        drop(self.release.take());
        if let Some(session) = self.session.take() {
            let _ = session.join();
        }
    }
}

fn hold(url: &str, taken: &Sender<()>, released: &Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let client = runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a session");
        tokio::spawn(connection);
        client.batch_execute("BEGIN; LOCK TABLE environments IN EXCLUSIVE MODE").await.expect("the lock");
        client
    });
    taken.send(()).expect("somebody waits for the lock");
    let _ = released.recv(); // ends when the other end is dropped
    runtime.block_on(client.batch_execute("ROLLBACK")).expect("the lock is given back");
}
