//! A unit of work in progress.

use tandem_catalogue::{Error, Result};

use crate::{
    driver::{Engine, Session},
    fault::Fault,
    row::{Param, Row},
};

/// Rows that one statement inserts where that is quicker: at the most, and at the least.
const ROWS: usize = 512;
const FEW: usize = 8;
/// Keys that one statement looks up at the most.
const KEYS: usize = 256;

/// A unit of work in progress: statements run here become durable together or not at all.
pub struct Tx<'a> {
    session: &'a mut dyn Session,
    doomed: bool,
}

impl<'a> Tx<'a> {
    pub(crate) fn new(session: &'a mut dyn Session) -> Self {
        Self { session, doomed: false }
    }

    /// Runs a statement and returns how many rows it changed.
    ///
    /// # Errors
    /// The fault as an error of the catalogue; the unit of work is then doomed and cannot be committed. So for all methods here.
    pub fn execute(&mut self, sql: &'static str, params: &[Param]) -> Result<u64> {
        let outcome = self.session.execute(sql, params);
        self.doom(outcome)
    }

    /// As [`Self::execute`], but a row that a unique index refuses is `false`. Only for the last statement of a unit of work
    /// or where the caller ends it with an error: an engine may have given the transaction up.
    #[expect(clippy::missing_errors_doc, reason = "as `execute`")]
    pub fn insert_unique(&mut self, sql: &'static str, params: &[Param]) -> Result<bool> {
        let settled = self.session.settle(); // or its fault would be taken for this statement's
        self.doom(settled)?;
        match self.session.execute(sql, params) {
            Err(Fault::Unique(_)) => {
                self.doomed = true;
                Ok(false)
            }
            outcome => self.doom(outcome).map(|_| true),
        }
    }

    /// Runs a query and returns its rows.
    #[expect(clippy::missing_errors_doc, reason = "as `execute`")]
    pub fn query(&mut self, sql: &'static str, params: &[Param]) -> Result<Vec<Row>> {
        let outcome = self.session.query(sql, params);
        self.doom(outcome)
    }

    /// Runs a query that was put together at run time from constant parts; its text must not hold a caller's words.
    #[expect(clippy::missing_errors_doc, reason = "as `execute`")]
    pub fn query_built(&mut self, sql: &str, params: &[Param]) -> Result<Vec<Row>> {
        let outcome = self.session.query(sql, params);
        self.doom(outcome)
    }

    /// The first row of a query, if there is one.
    #[expect(clippy::missing_errors_doc, reason = "as `execute`")]
    pub fn first(&mut self, sql: &'static str, params: &[Param]) -> Result<Option<Row>> {
        Ok(self.query(sql, params)?.into_iter().next())
    }

    /// As [`Self::first`], and keeps others from changing the row until this unit of work ends. `sql` is a plain `SELECT`.
    #[expect(clippy::missing_errors_doc, reason = "as `execute`")]
    pub fn first_locked(&mut self, sql: &'static str, params: &[Param]) -> Result<Option<Row>> {
        match self.engine() {
            Engine::Sqlite => self.first(sql, params), // one writer: nobody else is changing anything
            Engine::Postgres => Ok(self.query_built(&format!("{sql} FOR UPDATE"), params)?.into_iter().next()),
        }
    }

    /// Runs one statement for many rows of parameters, as fast as the engine can.
    #[expect(clippy::missing_errors_doc, reason = "as `execute`")]
    pub fn execute_many(&mut self, sql: &'static str, rows: &[Vec<Param>]) -> Result<u64> {
        if rows.is_empty() {
            return Ok(0);
        }
        let outcome = self.session.execute_many(sql, rows);
        self.doom(outcome)
    }

    /// Runs a statement for rows of parameters at the latest with the next statement, or at the end of the unit of work: for what
    /// nothing here depends on. An engine that is far away is not waited for then.
    #[expect(clippy::missing_errors_doc, reason = "as `execute`")]
    pub fn later(&mut self, sql: &'static str, rows: &[Vec<Param>]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let outcome = self.session.later(sql, rows);
        self.doom(outcome)
    }

    /// Inserts many rows: `head` ends before `VALUES`, `tail` is what follows it and names no parameters. Where `tail` updates rows
    /// that are there already, no two of `rows` may be about the same one.
    #[expect(clippy::missing_errors_doc, reason = "as `execute`")]
    pub fn insert_many(&mut self, head: &'static str, tail: &'static str, rows: &[Vec<Param>]) -> Result<u64> {
        let Some(width) = rows.first().map(Vec::len) else { return Ok(0) };
        // A round trip costs PostgreSQL more than a row; SQLite has none.
        let (mut changed, mut rest) = (0, rows);
        while self.engine() == Engine::Postgres && rest.len() >= FEW {
            // The largest power of two, so that engines compile few statements.
            let count = (1 << rest.len().ilog2()).min(ROWS);
            let (together, others) = rest.split_at(count);
            let outcome = self.session.execute(&values(head, tail, width, count), &together.concat());
            changed += self.doom(outcome)?;
            rest = others;
        }
        if rest.is_empty() {
            return Ok(changed);
        }
        let outcome = self.session.execute_many(&values(head, tail, width, 1), rest);
        Ok(changed + self.doom(outcome)?)
    }

    /// As [`Self::insert_many`]; a few rows as [`Self::later`] does it.
    #[expect(clippy::missing_errors_doc, reason = "as `execute`")]
    pub fn insert_later(&mut self, head: &'static str, tail: &'static str, rows: &[Vec<Param>]) -> Result<()> {
        match rows.first().map(Vec::len) {
            None => Ok(()),
            Some(width) if rows.len() < FEW => {
                let outcome = self.session.later(&values(head, tail, width, 1), rows);
                self.doom(outcome)
            }
            Some(_) => self.insert_many(head, tail, rows).map(drop),
        }
    }

    /// Looks many keys up: `head` ends with `IN` and names the parameters `fixed`, `tail` is what follows the list. A key that is there
    /// twice is looked up once.
    #[expect(clippy::missing_errors_doc, reason = "as `execute`")]
    pub fn query_in(&mut self, head: &'static str, fixed: &[Param], keys: &[Param], tail: &'static str) -> Result<Vec<Row>> {
        let mut found = Vec::new();
        for chunk in keys.chunks(KEYS) {
            let (list, params) = listed(fixed, chunk);
            found.extend(self.query_built(&format!("{head} {list} {tail}"), &params)?);
        }
        Ok(found)
    }

    /// Changes the rows of many keys alike; `head` ends with `IN` and names the parameters `fixed`.
    #[expect(clippy::missing_errors_doc, reason = "as `execute`")]
    pub fn execute_in(&mut self, head: &'static str, fixed: &[Param], keys: &[Param]) -> Result<u64> {
        let mut changed = 0;
        for chunk in keys.chunks(KEYS) {
            let (list, params) = listed(fixed, chunk);
            let outcome = self.session.execute(&format!("{head} {list}"), &params);
            changed += self.doom(outcome)?;
        }
        Ok(changed)
    }

    /// Which engine runs this; only the functions that hide their differences ask.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.session.engine()
    }

    /// The connection.
    pub(crate) fn session(&mut self) -> &mut dyn Session {
        self.session
    }

    /// The refusal of a unit of work that found out that another was quicker: what it wrote is undone, and it runs again on what is there
    /// then, a bounded number of times.
    #[must_use]
    pub fn overtaken(&mut self, kind: &'static str) -> Error {
        self.doomed = true;
        Error::concurrent_modification(kind)
    }

    pub(crate) const fn is_doomed(&self) -> bool {
        self.doomed
    }

    fn doom<T>(&mut self, outcome: std::result::Result<T, Fault>) -> Result<T> {
        outcome.map_err(|fault| {
            self.doomed = true;
            fault.into()
        })
    }
}

/// A list of keys behind other parameters, and all of their values. The last key is repeated up to a power of two, so that engines
/// compile few statements.
fn listed<'a>(fixed: &[Param<'a>], keys: &[Param<'a>]) -> (String, Vec<Param<'a>>) {
    let width = keys.len().next_power_of_two();
    let last = keys.last().copied().unwrap_or(Param::Null);
    let padded = keys.iter().copied().chain(std::iter::repeat(last)).take(width);
    let params: Vec<Param> = fixed.iter().copied().chain(padded).collect();
    let places: Vec<String> = (fixed.len() + 1..=params.len()).map(|place| format!("${place}")).collect();
    (format!("({})", places.join(", ")), params)
}

/// The text that inserts `rows` rows of `width` values.
fn values(head: &str, tail: &str, width: usize, rows: usize) -> String {
    let row = |row: usize| {
        let parameters = (1..=width).map(|column| format!("${}", row * width + column));
        format!("({})", parameters.collect::<Vec<_>>().join(", "))
    };
    let rows = (0..rows).map(row).collect::<Vec<_>>().join(", ");
    format!("{head} VALUES {rows} {tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_in_the_order_of_their_appearance() {
        assert_eq!(
            values("INSERT INTO a (b, c)", "ON CONFLICT DO NOTHING", 2, 2),
            "INSERT INTO a (b, c) VALUES ($1, $2), ($3, $4) ON CONFLICT DO NOTHING"
        );
    }
}
