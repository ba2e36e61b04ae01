//! That reading takes a bounded number of rows, however many there are: which queries a use of the store runs, and how the engine goes
//! about them.

mod calls;
mod conferences;
mod flows;
mod messages;
mod numbers;

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
    /// Checks that the query finds what it wants in `table` by one of these indexes, without sorting, and reads at most so many of its rows.
    #[track_caller]
    pub fn assert_bounded(&self, table: &str, indexes: &[&str], most: f64) {
        let shown = format!("on {:?}\n{}\n{}", self.engine, self.sql, self.plan.join("\n"));
        let used = |line: &String| indexes.iter().any(|index| line.contains(index));
        let touching: Vec<&String> = self.plan.iter().filter(|line| self.touches(line, table)).collect();
        assert!(!touching.is_empty(), "{table} was expected {shown}");
        match self.engine {
            Engine::Sqlite => {
                assert!(touching.iter().all(|line| used(line)), "one of {indexes:?} was expected {shown}");
                assert!(touching.iter().all(|line| line.contains("SEARCH ")), "a whole table is read {shown}");
                assert!(!self.plan.iter().any(|line| line.contains("TEMP B-TREE")), "rows are sorted {shown}");
            }
            Engine::Postgres => {
                assert!(!touching.iter().any(|line| line.contains("Seq Scan")), "a whole table is read {shown}");
                assert!(self.plan.iter().any(used), "one of {indexes:?} was expected {shown}");
                assert!(!self.plan.iter().any(|line| line.contains("Sort Key")), "rows are sorted {shown}");
                let read = self.rows_read(table);
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

    /// The rows of a table that a plan of PostgreSQL looked at, also those that it left out.
    fn rows_read(&self, table: &str) -> f64 {
        let after = |line: &str, name: &str| -> Option<f64> {
            let (_, rest) = line.split_once(name)?;
            rest.split([' ', ')']).next()?.parse().ok()
        };
        // What is said below a node is about it.
        let (mut within, mut loops) = (false, 1.0);
        let read = self.plan.iter().map(|line| {
            let mut rows = 0.0;
            if line.contains("(actual ") {
                within = self.touches(line, table);
                loops = after(line, "loops=").unwrap_or(1.0);
                rows = after(line, "rows=").unwrap_or(0.0);
            }
            let left_out =
                ["Rows Removed by Filter: ", "Rows Removed by Index Recheck: "].into_iter().find_map(|name| after(line, name));
            if within { (rows + left_out.unwrap_or(0.0)) * loops } else { 0.0 }
        });
        read.sum()
    }
}
