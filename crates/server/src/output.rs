//! What a command says on standard output, and on standard error beside its logs.

use std::io::{self, Write};

use serde_json::Value;

/// Says one line.
///
/// # Errors
/// Where nobody listens any more.
pub fn say(line: impl std::fmt::Display) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{line}")
}

/// Says a JSON document.
///
/// # Errors
/// Where nobody listens any more.
pub fn say_json(value: &Value) -> io::Result<()> {
    say(format_args!("{value:#}"))
}

/// Says one line to the person at the terminal, beside what a program reads.
pub fn remark(line: impl std::fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{line}"); // nobody is left to tell
}

/// Rows under a heading, their columns aligned.
#[derive(Debug)]
pub struct Table<const N: usize> {
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    /// An empty table.
    #[must_use]
    pub fn new(heading: [&str; N]) -> Self {
        Self { rows: vec![heading.map(str::to_owned)] }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells);
    }

    /// Says the table.
    ///
    /// # Errors
    /// Where nobody listens any more.
    pub fn say(&self) -> io::Result<()> {
        let mut widths = [0; N];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        for row in &self.rows {
            let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
            say(cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}
