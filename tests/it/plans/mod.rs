//! That reading takes a bounded number of rows, however many there are: which queries a use of the store runs, and how the engine goes
//! about them.

mod calls;
mod flows;

use tandem_catalogue::Result;
use tandem_store::Tx;
use tandem_testkit::{Engine, Server};

/// A query with the engine's plan for it.
#[derive(Debug)]
pub struct Look {
    pub sql: String,
    pub plan: Vec<String>,
    engine: Engine,
}

/// Runs `body` and looks at each query that it ran.
pub async fn looks<T, F>(server: &Server, body: F) -> (T, Vec<Look>)
where
    T: Send + 'static,
    F: Fn(&mut Tx) -> Result<T> + Send + 'static,
{
    let engine = server.engine();
    server
        .read(move |tx| {
            let (done, ran) = tx.recorded(|tx| body(tx))?;
            let looks = ran.iter().map(|ran| Ok(Look { sql: ran.sql.clone(), plan: tx.plan(ran)?, engine }));
            Ok((done, looks.collect::<Result<Vec<_>>>()?))
        })
        .await
}

/// Has the engine count its rows, so that its plans are those of a database in use.
pub fn analyze(server: &Server) {
    server.database().tamper("ANALYZE");
}

impl Look {
    /// Checks that the query finds what it wants in `table` by one of its indexes, and reads at most so many rows.
    #[track_caller]
    pub fn assert_bounded(&self, table: &str, indexes: &[&str], most: f64) {
        let shown = format!("on {:?}\n{}\n{}", self.engine, self.sql, self.plan.join("\n"));
        let used = |line: &String| indexes.iter().any(|index| line.contains(index));
        let touching: Vec<&String> = self.plan.iter().filter(|line| self.touches(line, table)).collect();
        assert!(!touching.is_empty(), "{table} was expected {shown}");
        assert!(touching.iter().all(|line| used(line)), "one of {indexes:?} was expected {shown}");
        match self.engine {
            Engine::Sqlite => {
                assert!(touching.iter().all(|line| line.contains("SEARCH ")), "a whole table is read {shown}");
                assert!(!self.plan.iter().any(|line| line.contains("TEMP B-TREE")), "rows are sorted {shown}");
            }
            Engine::Postgres => {
                let sorted = self.plan.iter().any(|line| line.contains("Sort Key"));
                assert!(!sorted, "rows are sorted {shown}");
                let read = self.rows_read();
                assert!(read <= most, "{read} rows were read, {most} at the most were expected {shown}");
            }
        }
    }

    /// Whether a line of the plan is about reading a table.
    fn touches(&self, line: &str, table: &str) -> bool {
        match self.engine {
            Engine::Sqlite => ["SEARCH", "SCAN"].iter().any(|verb| {
                let words = line.strip_prefix(verb).map(str::trim_start).unwrap_or("");
                words.split(' ').next() == Some(table)
            }),
            Engine::Postgres => line.contains("Scan") && line.split(' ').any(|word| word == table),
        }
    }

    /// The rows that all scans of a plan of PostgreSQL looked at, also those that they left out.
    fn rows_read(&self) -> f64 {
        let after = |line: &str, name: &str| -> Option<f64> {
            let (_, rest) = line.split_once(name)?;
            rest.split([' ', ')']).next()?.parse().ok()
        };
        let mut loops = 1.0;
        let read = self.plan.iter().map(|line| {
            if line.contains("(actual ") {
                loops = after(line, "loops=").unwrap_or(1.0);
            }
            let scanned = if line.contains("Scan") { after(line, "rows=").unwrap_or(0.0) } else { 0.0 };
            let left_out =
                after(line, "Rows Removed by Filter: ").or(after(line, "Rows Removed by Index Recheck: ")).unwrap_or(0.0);
            (scanned + left_out) * loops
        });
        read.sum()
    }
}
