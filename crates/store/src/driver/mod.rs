//! The two engines under one interface.

pub mod postgres;
pub mod sqlite;
pub mod target;
pub mod work;

use crate::{
    fault::Fault,
    row::{Param, Row},
};

/// Which engine a statement runs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Engine {
    /// SQLite, in the process.
    Sqlite,
    /// PostgreSQL, or an engine that speaks its protocol.
    Postgres,
}

/// A connection in the middle of a transaction.
pub trait Session {
    /// Which engine this is.
    fn engine(&self) -> Engine;
    /// Runs a statement; the number of rows that it changed.
    fn execute(&mut self, sql: &str, params: &[Param]) -> Result<u64, Fault>;
    /// Runs a query.
    fn query(&mut self, sql: &str, params: &[Param]) -> Result<Vec<Row>, Fault>;
    /// Runs one statement for many rows of parameters.
    fn execute_many(&mut self, sql: &str, rows: &[Vec<Param>]) -> Result<u64, Fault>;
    /// The same, at the latest with the next statement or the end of the transaction, where a fault shows.
    fn later(&mut self, sql: &str, rows: &[Vec<Param>]) -> Result<(), Fault> {
        self.execute_many(sql, rows).map(drop)
    }
    /// Does what was put off, and waits for it.
    fn settle(&mut self) -> Result<(), Fault> {
        Ok(())
    }
}
