//! SQLite: one writer thread that commits many units of work at once, a few readers beside it.

use std::{
    fs::{File, OpenOptions},
    path::{Path, PathBuf},
    thread::JoinHandle,
    time::Duration,
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rusqlite::{Connection, OpenFlags, Statement, config::DbConfig, types::ToSqlOutput, types::ValueRef};

use super::{
    Engine, Session,
    work::{Verdict, Work},
};
use crate::{
    fault::Fault,
    row::{Param, Row, Value},
};

/// How many units of work one commit carries at the most.
const GROUP: usize = 256;
/// How long a statement waits for another process that has the file.
const BUSY: Duration = Duration::from_millis(2000);
/// How often the write-ahead log is folded into the file, beside the writer.
const CHECKPOINT: Duration = Duration::from_millis(200);
const STATEMENTS: usize = 256;

/// The threads that own the connections.
pub struct Sqlite {
    pub writes: Sender<Box<dyn Work>>,
    pub reads: Sender<Box<dyn Work>>,
    threads: Vec<JoinHandle<()>>,
    stop: Sender<()>,
    _lock: Option<File>,
}

impl Sqlite {
    /// Opens the file and starts the threads. `exclusive` refuses a file that another server has.
    pub fn open(path: &Path, queue: usize, readers: usize, exclusive: bool) -> Result<Self, Fault> {
        let lock = if exclusive { Some(lock(path)?) } else { None };
        let writer = connect(path)?;
        let (writes, write_queue) = bounded(queue);
        let (reads, read_queue) = bounded(queue);
        let (stop, stopped) = bounded(1);
        let mut threads = vec![spawn("store-writer", move || write_loop(&writer, &write_queue))?];
        for _ in 0..readers {
            let (reader, queue) = (connect(path)?, read_queue.clone());
            threads.push(spawn("store-reader", move || read_loop(&reader, &queue))?);
        }
        let checkpointer = connect(path)?;
        threads.push(spawn("store-checkpoint", move || checkpoint_loop(&checkpointer, &stopped))?);
        Ok(Self { writes, reads, threads, stop, _lock: lock })
    }

    /// Lets the queues run dry and ends the threads.
    pub fn close(self) {
        let Self { writes, reads, threads, stop, _lock } = self;
        drop((writes, reads, stop));
        for thread in threads {
            let _ = thread.join(); // a thread that panicked has nothing left to tell
        }
    }
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Fault> {
    std::thread::Builder::new().name(name.to_owned()).spawn(body).map_err(|fault| Fault::Broken(fault.into()))
}

fn lock(path: &Path) -> Result<File, Fault> {
    let name = PathBuf::from(format!("{}.lock", path.display()));
    let open = OpenOptions::new().create(true).truncate(false).write(true).open(&name);
    let file = open.map_err(|fault| Fault::Broken(fault.into()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(_) => Err(Fault::Broken(format!("another server has the database {} open", path.display()).into())),
    }
}

/// Opens a connection with the settings that make a commit survive a loss of power.
pub fn connect(path: &Path) -> Result<Connection, Fault> {
    let connection = Connection::open_with_flags(path, OpenFlags::default())?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "cache_size", -65_536)?; // KiB
    // Without this a statement is compiled anew for other values, in case a better plan exists for them.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

fn write_loop(connection: &Connection, queue: &Receiver<Box<dyn Work>>) {
    while let Ok(first) = queue.recv() {
        let mut group = Vec::with_capacity(GROUP);
        let outcome = run_group(connection, first, queue, &mut group);
        let fault = outcome.err().map(|fault| {
            let _ = connection.execute_batch("ROLLBACK"); // fails where BEGIN did
            tracing::error!(?fault, "a group of units of work could not be committed");
            fault.to_string_lossy()
        });
        for work in group {
            work.finish(fault.as_ref().map_or(Ok(()), |(unreachable, text)| Err(Fault::again(*unreachable, text))));
        }
    }
}

/// Runs what waits, and commits it together. A savepoint for each unit of work would copy every page that it changes, to be able
/// to undo it alone; but few are undone after they wrote, so the first pass goes without, and one that has to be undone makes the
/// whole group run again with them. That is allowed: a unit of work touches nothing outside the database.
fn run_group(
    connection: &Connection,
    first: Box<dyn Work>,
    queue: &Receiver<Box<dyn Work>>,
    group: &mut Vec<Box<dyn Work>>,
) -> Result<(), Fault> {
    if first.is_abandoned() {
        first.finish(Err(Fault::late()));
        return Ok(());
    }
    let begun = execute(connection, "BEGIN IMMEDIATE");
    group.push(first);
    begun?;
    let mut next = 0;
    while let Some(work) = group.get_mut(next) {
        let stands = run_bare(connection, work.as_mut());
        still_open(connection)?;
        if !stands {
            execute(connection, "ROLLBACK")?;
            return run_apart(connection, group);
        }
        if group.len() >= GROUP {
            break;
        }
        let Some(work) = waiting(queue) else { break };
        group.push(work);
        next += 1;
    }
    execute(connection, "COMMIT")
}

/// The next unit of work that somebody still waits for.
fn waiting(queue: &Receiver<Box<dyn Work>>) -> Option<Box<dyn Work>> {
    queue.try_iter().find_map(|work| {
        if !work.is_abandoned() {
            return Some(work);
        }
        work.finish(Err(Fault::late()));
        None
    })
}

/// Runs one unit of work among the others; `false` where what it wrote must be undone.
fn run_bare(connection: &Connection, work: &mut dyn Work) -> bool {
    if work.is_abandoned() {
        return true; // whoever waited was told that it failed while the file was another's
    }
    let mut session = SqliteSession { connection, wrote: false };
    match work.run(&mut session) {
        Verdict::Commit => true,
        Verdict::Rollback => !session.wrote,
        Verdict::Retry => false,
    }
}

/// Runs a group again whose first run was undone. What is not begun again must not be told of its first run.
fn run_apart(connection: &Connection, group: &mut Vec<Box<dyn Work>>) -> Result<(), Fault> {
    execute(connection, "BEGIN IMMEDIATE")?;
    let mut next = 0;
    while let Some(work) = group.get_mut(next) {
        if work.is_abandoned() {
            group.remove(next).finish(Err(Fault::late()));
            continue;
        }
        run_one(connection, work.as_mut())?;
        still_open(connection)?;
        next += 1;
    }
    execute(connection, "COMMIT")
}

/// SQLite gives a whole transaction up after some faults; what ran on would be committed by itself.
fn still_open(connection: &Connection) -> Result<(), Fault> {
    if connection.is_autocommit() {
        return Err(Fault::Broken("the transaction was given up under a unit of work".into()));
    }
    Ok(())
}

/// Runs one unit of work in a savepoint, so that its refusal undoes nothing of the others.
fn run_one(connection: &Connection, work: &mut dyn Work) -> Result<(), Fault> {
    loop {
        execute(connection, "SAVEPOINT work")?;
        match work.run(&mut SqliteSession { connection, wrote: false }) {
            Verdict::Commit => return execute(connection, "RELEASE work"),
            verdict => {
                execute(connection, "ROLLBACK TO work")?;
                execute(connection, "RELEASE work")?;
                if verdict == Verdict::Rollback {
                    return Ok(());
                }
            }
        }
    }
}

fn execute(connection: &Connection, sql: &'static str) -> Result<(), Fault> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

fn read_loop(connection: &Connection, queue: &Receiver<Box<dyn Work>>) {
    while let Ok(mut work) = queue.recv() {
        if work.is_abandoned() {
            work.finish(Err(Fault::late()));
            continue;
        }
        let outcome = execute(connection, "BEGIN").map(|()| {
            work.run(&mut SqliteSession { connection, wrote: false });
        });
        let _ = execute(connection, "ROLLBACK"); // reads leave nothing; fails where BEGIN did
        work.finish(outcome);
    }
}

fn checkpoint_loop(connection: &Connection, stopped: &Receiver<()>) {
    while stopped.recv_timeout(CHECKPOINT) == Err(RecvTimeoutError::Timeout) {
        checkpoint(connection, "PRAGMA wal_checkpoint(PASSIVE)");
    }
    checkpoint(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
}

fn checkpoint(connection: &Connection, pragma: &str) {
    if let Err(fault) = connection.query_row(pragma, [], |_| Ok(())) {
        tracing::warn!(%fault, "the write-ahead log could not be folded in; the next round tries again");
    }
}

struct SqliteSession<'a> {
    connection: &'a Connection,
    /// Whether it ran anything that may have changed rows.
    wrote: bool,
}

struct Bound<'a>(&'a Param<'a>);

impl rusqlite::ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self.0 {
            Param::Null => ValueRef::Null,
            Param::Int(value) => ValueRef::Integer(value),
            Param::Bool(value) => ValueRef::Integer(value.into()),
            Param::Text(value) => ValueRef::Text(value.as_bytes()),
            Param::Bytes(value) => ValueRef::Blob(value),
        }))
    }
}

/// Binds `$1`, `$2`, … by their numbers: SQLite takes them for names and counts them as they first appear.
fn bind(statement: &mut Statement, params: &[Param]) -> Result<(), Fault> {
    for index in 1..=statement.parameter_count() {
        let number = statement.parameter_name(index).and_then(|name| name.strip_prefix('$')).and_then(|name| name.parse().ok());
        let param = number.and_then(|number: usize| params.get(number.checked_sub(1)?));
        let param = param.ok_or_else(|| Fault::Broken("a statement has a parameter without a value".into()))?;
        statement.raw_bind_parameter(index, Bound(param))?;
    }
    Ok(())
}

impl Session for SqliteSession<'_> {
    fn engine(&self) -> Engine {
        Engine::Sqlite
    }

    fn execute(&mut self, sql: &str, params: &[Param]) -> Result<u64, Fault> {
        let mut statement = self.connection.prepare_cached(sql)?;
        self.wrote = true;
        bind(&mut statement, params)?;
        let changed = statement.raw_execute()?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    fn query(&mut self, sql: &str, params: &[Param]) -> Result<Vec<Row>, Fault> {
        let mut statement = self.connection.prepare_cached(sql)?;
        self.wrote |= !statement.readonly();
        let columns = statement.column_count();
        bind(&mut statement, params)?;
        let mut rows = statement.raw_query();
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(Row((0..columns).map(|column| row.get_ref(column).map(owned)).collect::<Result<_, _>>()?));
        }
        Ok(out)
    }

    fn execute_many(&mut self, sql: &str, rows: &[Vec<Param>]) -> Result<u64, Fault> {
        let mut statement = self.connection.prepare_cached(sql)?;
        self.wrote = true;
        let mut changed: u64 = 0;
        for row in rows {
            bind(&mut statement, row)?;
            changed = changed.saturating_add(u64::try_from(statement.raw_execute()?).unwrap_or(u64::MAX));
        }
        Ok(changed)
    }
}

fn owned(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null | ValueRef::Real(_) => Value::Null,
        ValueRef::Integer(value) => Value::Int(value),
        ValueRef::Text(value) => Value::Text(String::from_utf8_lossy(value).into_owned()),
        ValueRef::Blob(value) => Value::Bytes(value.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tandem_catalogue::Error;

    use super::*;
    use crate::{Tx, driver::work::Task};

    #[test]
    fn what_was_undone_and_is_not_done_again_is_no_success() {
        let connection = Connection::open_in_memory().expect("a database");
        connection.execute_batch("CREATE TABLE marks (name TEXT)").expect("a table");
        let (writes, queue) = bounded::<Box<dyn Work>>(2);
        let deadline = Instant::now() + Duration::from_millis(50);
        let mark = |tx: &mut Tx| tx.execute("INSERT INTO marks (name) VALUES ('late')", &[]);
        let (first, answer) = Task::new(mark, deadline);
        // Undone after the other's deadline, which takes the whole group with it.
        let spoil = move |tx: &mut Tx| {
            while Instant::now() < deadline {
                std::thread::yield_now();
            }
            tx.execute("INSERT INTO marks (name) VALUES ('never')", &[])?;
            Err::<(), _>(Error::internal())
        };
        let (second, _refusal) = Task::new(spoil, deadline + Duration::from_secs(20));
        writes.send(Box::new(first)).expect("room");
        writes.send(Box::new(second)).expect("room");
        drop(writes);
        write_loop(&connection, &queue);
        let written: i64 = connection.query_row("SELECT COUNT(*) FROM marks", [], |row| row.get(0)).expect("counted");
        let told = answer.blocking_recv().expect("an answer");
        assert_eq!((written, told.map_err(|error| error.code())), (0, Err(tandem_catalogue::Code::Unavailable)));
    }
}
