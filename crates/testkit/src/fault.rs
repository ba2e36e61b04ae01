//! Faults of the database, from outside the server.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::AbortHandle,
};

use crate::Database;

/// Another process that is in the middle of writing to the SQLite file: nothing else can be written while this lives.
pub struct SqliteLock(#[allow(dead_code, reason = "held, not used")] rusqlite::Connection);

impl SqliteLock {
    /// Takes the file's write lock.
    pub fn take(database: &Database) -> Self {
        let connection = rusqlite::Connection::open(database.file()).expect("the file opens");
        connection.busy_timeout(std::time::Duration::from_secs(5)).expect("a timeout");
        connection.execute_batch("BEGIN EXCLUSIVE").expect("nobody else is writing");
        Self(connection)
    }
}

/// A database that can stop answering and go on: SQLite by another process that has the file, PostgreSQL by a network that is
/// stalled.
pub struct Outage {
    database: Database,
    proxy: Option<Proxy>,
    lock: Mutex<Option<SqliteLock>>,
}

impl Outage {
    pub(crate) fn of(database: Database, proxy: Option<Proxy>) -> Self {
        Self { database, proxy, lock: Mutex::default() }
    }

    /// From now on nothing is written any more.
    pub fn begin(&self) {
        match &self.proxy {
            Some(proxy) => proxy.stall(),
            None => *self.lock.lock().expect("no panic while locking") = Some(SqliteLock::take(&self.database)),
        }
    }

    /// It is over.
    pub fn end(&self) {
        match &self.proxy {
            Some(proxy) => proxy.mend(),
            None => *self.lock.lock().expect("no panic while locking") = None,
        }
    }
}

/// How a [`Proxy`] treats what comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Weather {
    Fair,
    Stalled,
    Cut,
}

/// A stretch of network before a PostgreSQL server that can be stalled, so that nothing comes through, or cut.
#[derive(Clone)]
pub struct Proxy(Arc<Inner>);

struct Inner {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
    accepting: AbortHandle,
    carrying: Arc<Mutex<Vec<AbortHandle>>>,
}

impl Proxy {
    /// Begins to carry between a port of its own and `to`.
    pub async fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (weather, watched) = watch::channel(Weather::Fair);
        let carrying: Arc<Mutex<Vec<AbortHandle>>> = Arc::default();
        let carried = carrying.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *watched.borrow() == Weather::Cut {
                    continue; // dropped: the connection is reset
                }
                let task = tokio::spawn(carry(client, to, watched.clone()));
                carried.lock().expect("no panic while carrying").push(task.abort_handle());
            }
        });
        Self(Arc::new(Inner { address, weather, accepting: accepting.abort_handle(), carrying }))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// Lets nothing through any more, without a word to either side.
    pub fn stall(&self) {
        self.0.weather.send_replace(Weather::Stalled);
    }

    /// Breaks every connection and takes no new one.
    pub fn cut(&self) {
        self.0.weather.send_replace(Weather::Cut);
        for task in self.0.carrying.lock().expect("no panic while carrying").drain(..) {
            task.abort();
        }
    }

    /// Carries on as if nothing had been.
    pub fn mend(&self) {
        self.0.weather.send_replace(Weather::Fair);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.accepting.abort();
        for task in self.carrying.lock().expect("no panic while carrying").drain(..) {
            task.abort();
        }
    }
}

async fn carry(client: TcpStream, to: SocketAddr, weather: watch::Receiver<Weather>) {
    let Ok(server) = TcpStream::connect(to).await else { return };
    let (client_in, client_out) = client.into_split();
    let (server_in, server_out) = server.into_split();
    tokio::join!(pump(client_in, server_out, weather.clone()), pump(server_in, client_out, weather));
}

async fn pump(
    from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut weather: watch::Receiver<Weather>,
) {
    use tokio::io::AsyncWriteExt;
    let mut bytes = [0; 16 * 1024];
    loop {
        if from.readable().await.is_err() || weather.wait_for(|weather| *weather == Weather::Fair).await.is_err() {
            return;
        }
        match from.try_read(&mut bytes) {
            Ok(0) => return,
            Ok(length) => {
                if to.write_all(&bytes[..length]).await.is_err() {
                    return;
                }
            }
            Err(fault) if fault.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}
