//! What a unit of work asks of the engine and how the engine goes about it: for tests that no statement reads a whole table.

use tandem_catalogue::Result;

use crate::{
    driver::{Engine, Session},
    fault::Fault,
    row::{Param, Row},
    tx::Tx,
};

/// A query that was run, with its values.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Its text.
    pub sql: String,
    /// How many rows it returned.
    pub rows: usize,
    values: Vec<Kept>,
}

#[derive(Clone, Debug)]
enum Kept {
    Null,
    Int(i64),
    Bool(bool),
    Text(String),
    Bytes(Vec<u8>),
}

impl Tx<'_> {
    /// Runs `body` and tells which queries it ran.
    #[expect(clippy::missing_errors_doc, reason = "what `body` fails with")]
    pub fn recorded<T>(&mut self, body: impl FnOnce(&mut Tx) -> Result<T>) -> Result<(T, Vec<Ran>)> {
        let mut recorder = Recorder { session: self.session(), ran: Vec::new() };
        let done = body(&mut Tx::new(&mut recorder))?;
        Ok((done, recorder.ran))
    }

    /// How the engine goes about a query, in its own words. PostgreSQL runs it and tells of rows as well.
    #[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
    pub fn plan(&mut self, ran: &Ran) -> Result<Vec<String>> {
        let values: Vec<Param> = ran.values.iter().map(Kept::param).collect();
        let (how, column) = match self.engine() {
            Engine::Sqlite => ("EXPLAIN QUERY PLAN", 3),
            Engine::Postgres => ("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF)", 0),
        };
        let rows = self.query_built(&format!("{how} {}", ran.sql), &values)?;
        Ok(rows.iter().map(|row| row.text(column).map(str::to_owned)).collect::<Result<_, Fault>>()?)
    }
}

/// Hands everything on and writes queries down.
struct Recorder<'a> {
    session: &'a mut dyn Session,
    ran: Vec<Ran>,
}

impl Session for Recorder<'_> {
    fn engine(&self) -> Engine {
        self.session.engine()
    }

    fn execute(&mut self, sql: &str, params: &[Param]) -> Result<u64, Fault> {
        self.session.execute(sql, params)
    }

    fn query(&mut self, sql: &str, params: &[Param]) -> Result<Vec<Row>, Fault> {
        let found = self.session.query(sql, params)?;
        let values = params.iter().map(Kept::of).collect();
        self.ran.push(Ran { sql: sql.to_owned(), rows: found.len(), values });
        Ok(found)
    }

    fn execute_many(&mut self, sql: &str, rows: &[Vec<Param>]) -> Result<u64, Fault> {
        self.session.execute_many(sql, rows)
    }
}

impl Kept {
    fn of(param: &Param) -> Self {
        match *param {
            Param::Null => Self::Null,
            Param::Int(value) => Self::Int(value),
            Param::Bool(value) => Self::Bool(value),
            Param::Text(text) => Self::Text(text.to_owned()),
            Param::Bytes(bytes) => Self::Bytes(bytes.to_vec()),
        }
    }

    fn param(&self) -> Param<'_> {
        match self {
            Self::Null => Param::Null,
            Self::Int(value) => Param::Int(*value),
            Self::Bool(value) => Param::Bool(*value),
            Self::Text(text) => Param::Text(text),
            Self::Bytes(bytes) => Param::Bytes(bytes),
        }
    }
}
