//! PostgreSQL, and engines that speak its protocol: a pool of connections, each owned by a thread of its own.

use std::{collections::HashMap, future::Future, thread::JoinHandle, time::Duration};

use crossbeam_channel::{Receiver, Sender, bounded};
use futures_util::future::{join, try_join_all};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{
    Client, Statement,
    types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked},
};

use super::{
    Engine, Session,
    target::Target,
    work::{Verdict, Work},
};
use crate::{
    fault::Fault,
    row::{Param, Row, Value},
};

/// How long one statement may take before the connection is given up.
const STATEMENT: Duration = Duration::from_secs(5);
const CONNECT: Duration = Duration::from_secs(3);
/// Settings of every connection: the server gives up a little before we do, and frees its locks.
const SETTINGS: &str = "SET statement_timeout = 4500; SET lock_timeout = 3000; SET idle_in_transaction_session_timeout = 15000; \
                        SET TIME ZONE 'UTC'; SET client_min_messages = warning";
/// Statements that are put off at the most: so many are sent in their order.
const MOST_PENDING: usize = 30;
/// How often a unit of work runs whose end meets another transaction.
const MOST_RUNS: u32 = 12;
const BEGIN_WRITE: &str = "BEGIN";
const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// The threads that own the connections.
pub struct Postgres {
    pub writes: Sender<Box<dyn Work>>,
    pub reads: Sender<Box<dyn Work>>,
    threads: Vec<JoinHandle<()>>,
}

impl Postgres {
    /// Starts the threads; each connects when it first has work.
    pub fn open(target: &Target, queue: usize, writers: usize, readers: usize) -> Result<Self, Fault> {
        let (writes, write_queue) = bounded(queue);
        let (reads, read_queue) = bounded(queue);
        let mut threads = Vec::with_capacity(writers + readers);
        for (count, begin, queue) in [(writers, BEGIN_WRITE, write_queue), (readers, BEGIN_READ, read_queue)] {
            for _ in 0..count {
                threads.push(Worker::start(target.clone(), begin, queue.clone())?);
            }
        }
        Ok(Self { writes, reads, threads })
    }

    /// Lets the queues run dry and ends the threads.
    pub fn close(self) {
        let Self { writes, reads, threads } = self;
        drop((writes, reads));
        for thread in threads {
            let _ = thread.join(); // a thread that panicked has nothing left to tell
        }
    }
}

struct Worker {
    runtime: Runtime,
    target: Target,
    begin: &'static str,
    connection: Option<Connection>,
}

struct Connection {
    client: Client,
    statements: HashMap<String, Statement>,
    pending: Vec<Pending>,
}

/// A statement that is sent with the next one: its answer is looked at, and not waited for alone.
struct Pending {
    statement: Statement,
    params: Vec<Held>,
}

/// A value that is kept.
enum Held {
    Null,
    Int(i64),
    Bool(bool),
    Text(String),
    Bytes(Vec<u8>),
}

impl Held {
    fn of(param: &Param) -> Self {
        match *param {
            Param::Null => Self::Null,
            Param::Int(value) => Self::Int(value),
            Param::Bool(value) => Self::Bool(value),
            Param::Text(value) => Self::Text(value.to_owned()),
            Param::Bytes(value) => Self::Bytes(value.to_vec()),
        }
    }

    const fn param(&self) -> Param<'_> {
        match self {
            Self::Null => Param::Null,
            Self::Int(value) => Param::Int(*value),
            Self::Bool(value) => Param::Bool(*value),
            Self::Text(value) => Param::Text(value.as_str()),
            Self::Bytes(value) => Param::Bytes(value.as_slice()),
        }
    }
}

impl Connection {
    /// Does some work behind what was put off, without a wait in between; a fault of the latter is the one that counts.
    fn run<T>(
        &mut self,
        runtime: &Runtime,
        limit: Duration,
        work: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, Fault> {
        let (pending, client) = (std::mem::take(&mut self.pending), &self.client);
        let both = async {
            let sent =
                pending.iter().map(|one| client.execute_raw(&one.statement, one.params.iter().map(|held| Bound(held.param()))));
            let (before, done) = join(try_join_all(sent), work(client)).await;
            before?;
            done
        };
        runtime.block_on(within(limit, both))
    }
}

impl Worker {
    fn start(target: Target, begin: &'static str, queue: Receiver<Box<dyn Work>>) -> Result<JoinHandle<()>, Fault> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|fault| Fault::Broken(fault.into()))?;
        let mut worker = Self { runtime, target, begin, connection: None };
        let body = move || {
            while let Ok(mut work) = queue.recv() {
                let outcome = if work.is_abandoned() { Err(Fault::late()) } else { worker.serve(work.as_mut()) };
                work.finish(outcome);
            }
        };
        std::thread::Builder::new().name("store-postgres".to_owned()).spawn(body).map_err(|fault| Fault::Broken(fault.into()))
    }

    fn serve(&mut self, work: &mut dyn Work) -> Result<(), Fault> {
        let mut runs = 0;
        loop {
            runs += 1;
            self.begin()?;
            if work.is_abandoned() {
                let _ = self.roll_back(); // nothing was done; a connection that cannot even do this is given up
                return Err(Fault::late());
            }
            let verdict = self.session()?.run(work);
            let ended = if verdict == Verdict::Commit { self.command("COMMIT") } else { self.roll_back() };
            match (verdict, ended) {
                (Verdict::Retry, _) => {}
                (Verdict::Commit, Err(Fault::Conflict(fault) | Fault::Unique(fault))) if runs < MOST_RUNS => {
                    tracing::debug!(%fault, "a commit met another transaction and is repeated");
                }
                (Verdict::Commit, ended) => return ended,
                // The answer is a refusal or a fault already; a connection that cannot roll back is given up.
                (Verdict::Rollback, _) => return Ok(()),
            }
        }
    }

    /// Begins a transaction; a connection that was lost while idle is replaced once.
    fn begin(&mut self) -> Result<(), Fault> {
        if self.connection.is_some() && self.command(self.begin).is_ok() {
            return Ok(());
        }
        let connect = async {
            let (client, _) = self.target.connect().await?;
            client.batch_execute(SETTINGS).await?;
            Ok::<_, Fault>(client)
        };
        let client = self.runtime.block_on(within(CONNECT, connect))?;
        self.connection = Some(Connection { client, statements: HashMap::new(), pending: Vec::new() });
        self.command(self.begin)
    }

    fn session(&mut self) -> Result<PostgresSession<'_>, Fault> {
        let connection = self.connection.as_mut().ok_or_else(|| Fault::Unreachable("no connection".into()))?;
        Ok(PostgresSession { runtime: &self.runtime, connection })
    }

    /// Undoes everything; what was put off is never done.
    fn roll_back(&mut self) -> Result<(), Fault> {
        self.connection.iter_mut().for_each(|connection| connection.pending.clear());
        self.command("ROLLBACK")
    }

    fn command(&mut self, sql: &str) -> Result<(), Fault> {
        let Some(connection) = &mut self.connection else { return Err(Fault::Unreachable("no connection".into())) };
        let outcome = connection.run(&self.runtime, STATEMENT, async |client| client.batch_execute(sql).await);
        if matches!(outcome, Err(Fault::Unreachable(_))) {
            self.connection = None;
        }
        outcome
    }
}

async fn within<T, E: Into<Fault>>(limit: Duration, work: impl Future<Output = Result<T, E>>) -> Result<T, Fault> {
    match tokio::time::timeout(limit, work).await {
        Ok(outcome) => outcome.map_err(Into::into),
        Err(elapsed) => Err(Fault::Unreachable(elapsed.into())),
    }
}

struct PostgresSession<'a> {
    runtime: &'a Runtime,
    connection: &'a mut Connection,
}

impl PostgresSession<'_> {
    fn run(mut self, work: &mut dyn Work) -> Verdict {
        work.run(&mut self)
    }

    fn prepare(&mut self, sql: &str) -> Result<Statement, Fault> {
        if let Some(statement) = self.connection.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.runtime.block_on(within(STATEMENT, self.connection.client.prepare(sql)))?;
        self.connection.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

impl Session for PostgresSession<'_> {
    fn engine(&self) -> Engine {
        Engine::Postgres
    }

    fn execute(&mut self, sql: &str, params: &[Param]) -> Result<u64, Fault> {
        let statement = self.prepare(sql)?;
        self.connection.run(self.runtime, STATEMENT, async |client| client.execute_raw(&statement, bound(params)).await)
    }

    fn query(&mut self, sql: &str, params: &[Param]) -> Result<Vec<Row>, Fault> {
        let statement = self.prepare(sql)?;
        let bound: Vec<Bound> = bound(params).collect();
        let bound: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        let rows = self.connection.run(self.runtime, STATEMENT, async |client| client.query(&statement, &bound).await)?;
        rows.iter().map(owned).collect()
    }

    fn execute_many(&mut self, sql: &str, rows: &[Vec<Param>]) -> Result<u64, Fault> {
        let statement = self.prepare(sql)?;
        self.connection.run(self.runtime, STATEMENT * 4, async |client| {
            // Sent one behind the other without waiting for answers: the driver pipelines what is polled together.
            let changed = try_join_all(rows.iter().map(|row| client.execute_raw(&statement, bound(row)))).await?;
            Ok(changed.into_iter().sum())
        })
    }

    fn later(&mut self, sql: &str, rows: &[Vec<Param>]) -> Result<(), Fault> {
        if self.connection.pending.len() + rows.len() > MOST_PENDING {
            return self.execute_many(sql, rows).map(drop);
        }
        let statement = self.prepare(sql)?;
        let pending = rows.iter().map(|row| Pending { statement: statement.clone(), params: row.iter().map(Held::of).collect() });
        self.connection.pending.extend(pending);
        Ok(())
    }

    fn settle(&mut self) -> Result<(), Fault> {
        if self.connection.pending.is_empty() {
            return Ok(());
        }
        self.connection.run(self.runtime, STATEMENT, async |_| Ok(()))
    }
}

fn bound<'a>(params: &'a [Param<'a>]) -> impl ExactSizeIterator<Item = Bound<'a>> {
    params.iter().copied().map(Bound)
}

#[derive(Debug)]
struct Bound<'a>(Param<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self.0 {
            Param::Null => Ok(IsNull::Yes),
            Param::Int(value) => value.to_sql(ty, out),
            Param::Bool(value) => value.to_sql(ty, out),
            Param::Text(value) => value.to_sql(ty, out),
            Param::Bytes(value) => value.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::BOOL | Type::TEXT | Type::BYTEA)
    }

    to_sql_checked!();
}

fn owned(row: &tokio_postgres::Row) -> Result<Row, Fault> {
    let columns = row.columns().iter().enumerate();
    let values = columns.map(|(index, column)| {
        Ok(match *column.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(index)?.map_or(Value::Null, Value::Int),
            Type::INT4 => row.try_get::<_, Option<i32>>(index)?.map_or(Value::Null, |value| Value::Int(value.into())),
            Type::BOOL => row.try_get::<_, Option<bool>>(index)?.map_or(Value::Null, |value| Value::Int(value.into())),
            Type::TEXT | Type::VARCHAR => row.try_get::<_, Option<String>>(index)?.map_or(Value::Null, Value::Text),
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(index)?.map_or(Value::Null, Value::Bytes),
            _ => return Err(Fault::shape(index)),
        })
    });
    values.collect::<Result<_, Fault>>().map(Row)
}
