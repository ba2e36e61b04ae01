//! What the documents promise, held against what a run of the tests has seen.
//!
//! Each dialect's OpenAPI document lists, for each operation, the codes that are its own and those that every operation may answer.
//! A code of an operation's own has to be seen on that operation, one of the others at least once in the dialect, and each operation
//! has to succeed once. There is no list of exceptions: a code that cannot be provoked does not belong into the document.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
};

use serde_json::Value;
use tandem_catalogue::{Code, Dialect};

/// Something that a run of the tests has to show.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Cell {
    /// The dialect's word.
    pub dialect: &'static str,
    /// The operation; none where any of the dialect will do.
    pub operation: Option<String>,
    /// The code; none for a success.
    pub code: Option<String>,
}

/// An operation as its document describes it.
pub struct Operation {
    /// Its name.
    pub id: String,
    /// The status of its success.
    pub success: u16,
    /// The codes that are its own.
    pub own: Vec<String>,
    /// Every code that it may answer, by status.
    pub allowed: BTreeMap<u16, Vec<String>>,
}

/// A dialect as its document describes it.
pub struct Table {
    /// Which one.
    pub dialect: Dialect,
    /// Its operations, in the document's order.
    pub operations: Vec<Operation>,
    /// The codes that many operations share.
    pub shared: BTreeSet<String>,
}

fn words(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

impl Table {
    fn of(dialect: Dialect, document: &Value) -> Self {
        let paths = document["paths"].as_object().into_iter().flatten();
        let all = paths.flat_map(|(_, operations)| operations.as_object().into_iter().flatten());
        let operations: Vec<Operation> = all.map(|(_, operation)| describe(operation)).collect();
        let anywhere = operations.iter().flat_map(|operation| {
            let codes = operation.allowed.values().flatten();
            codes.filter(|code| !operation.own.contains(code)).cloned()
        });
        let shared = anywhere.chain(words(&document["x-codes-outside-operations"])).collect();
        Self { dialect, operations, shared }
    }

    /// Everything that a run has to show.
    fn cells(&self) -> impl Iterator<Item = Cell> {
        let dialect = self.dialect.as_str();
        let own = self.operations.iter().flat_map(move |operation| {
            let cell = move |code: Option<&String>| Cell { dialect, operation: Some(operation.id.clone()), code: code.cloned() };
            std::iter::once(None).chain(operation.own.iter().map(Some)).map(cell)
        });
        own.chain(self.shared.iter().map(move |code| Cell { dialect, operation: None, code: Some(code.clone()) }))
    }
}

fn describe(operation: &Value) -> Operation {
    let responses = operation["responses"].as_object().into_iter().flatten();
    let mut allowed = BTreeMap::new();
    let mut success = 0;
    for (status, response) in responses {
        let Ok(status) = status.parse() else { continue };
        match response.get("x-codes") {
            Some(codes) => drop(allowed.insert(status, words(codes))),
            None => success = status,
        }
    }
    let id = operation["operationId"].as_str().unwrap_or("?").to_owned();
    Operation { id, success, own: words(&operation["x-own-codes"]), allowed }
}

/// The tables of all dialects that are served.
#[must_use]
pub fn tables() -> Vec<Table> {
    let served = Dialect::ALL.into_iter().filter_map(|dialect| Some((dialect, tandem_api::openapi(dialect)?)));
    served.map(|(dialect, document)| Table::of(dialect, &document)).collect()
}

/// What a run has shown.
#[derive(Default)]
pub struct Seen {
    cells: BTreeSet<Cell>,
    /// Answers that the documents do not allow.
    pub wrong: BTreeSet<String>,
    /// Different exchanges that were kept.
    pub exchanges: usize,
}

impl Seen {
    /// Reads what a run has written into a folder.
    ///
    /// # Errors
    /// Why it cannot be read, in words.
    pub fn read(folder: &Path, tables: &[Table]) -> Result<Self, String> {
        let mut seen = Self::default();
        let files = std::fs::read_dir(folder).map_err(|fault| format!("{}: {fault}", folder.display()))?;
        for file in files {
            let path = file.map_err(|fault| fault.to_string())?.path();
            let text = std::fs::read_to_string(&path).map_err(|fault| format!("{}: {fault}", path.display()))?;
            for line in text.lines() {
                let line: Value = serde_json::from_str(line).map_err(|fault| format!("{}: {fault}", path.display()))?;
                seen.note(&line, tables);
            }
        }
        Ok(seen)
    }

    fn note(&mut self, line: &Value, tables: &[Table]) {
        let Some(table) = tables.iter().find(|table| line["dialect"] == table.dialect.as_str()) else { return };
        let (dialect, code) = (table.dialect.as_str(), line["code"].as_str().map(str::to_owned));
        let status = line["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(0);
        self.exchanges += 1;
        let operation = line["operation"].as_str().and_then(|id| table.operations.iter().find(|operation| operation.id == id));
        match (operation, &code) {
            (Some(operation), None) if status == operation.success => {
                self.cells.insert(Cell { dialect, operation: Some(operation.id.clone()), code: None });
            }
            (Some(operation), Some(code)) => {
                if !operation.allowed.get(&status).is_some_and(|codes| codes.contains(code)) {
                    self.wrong.insert(format!("{dialect} {}: {status} {code} is not in the document", operation.id));
                }
                self.cells.insert(Cell { dialect, operation: Some(operation.id.clone()), code: Some(code.clone()) });
            }
            _ => {}
        }
        if let Some(code) = code {
            self.cells.insert(Cell { dialect, operation: None, code: Some(code) });
        }
    }

    fn has(&self, cell: &Cell) -> bool {
        self.cells.contains(cell)
    }
}

/// What is missing, one line for each, and what is wrong with the catalogue.
#[must_use]
pub fn faults(tables: &[Table], seen: &Seen) -> Vec<String> {
    let mut faults: Vec<String> = seen.wrong.iter().cloned().collect();
    for cell in tables.iter().flat_map(Table::cells).filter(|cell| !seen.has(cell)) {
        let Cell { dialect, operation, code } = cell;
        faults.push(match (operation, code) {
            (Some(operation), Some(code)) => format!("{dialect} {operation}: no test provoked {code}"),
            (Some(operation), None) => format!("{dialect} {operation}: no test saw it succeed"),
            (None, code) => format!("{dialect}: no test provoked {}", code.unwrap_or_default()),
        });
    }
    let listed: BTreeSet<&str> = tables
        .iter()
        .flat_map(|table| table.shared.iter().chain(table.operations.iter().flat_map(|operation| &operation.own)))
        .map(String::as_str)
        .collect();
    for code in Code::ALL {
        let entry = code.entry();
        // What has a status of SIP's is said to telephones.
        if !listed.contains(entry.name) && entry.sip.is_none() {
            faults.push(format!("{}: no operation of any dialect answers it", entry.name));
        }
        for (what, there) in [
            ("causes", !entry.causes.is_empty()),
            ("a resolution", !entry.resolution.is_empty()),
            ("a trigger", !entry.trigger.is_empty()),
        ] {
            if !there {
                faults.push(format!("{}: it has no {what}", entry.name));
            }
        }
    }
    faults
}

/// How much of each dialect was seen, in a few lines.
#[must_use]
pub fn summary(tables: &[Table], seen: &Seen) -> String {
    let mut text = format!("{} different exchanges\n", seen.exchanges);
    for table in tables {
        let count = |wanted: fn(&Cell) -> bool| {
            let cells: Vec<Cell> = table.cells().filter(wanted).collect();
            let there = cells.iter().filter(|cell| seen.has(cell)).count();
            format!("{there} of {}", cells.len())
        };
        let _ = writeln!(
            text,
            "{:<14} operations that succeed {:>11}, codes of their own {:>11}, codes of all {:>9}",
            table.dialect.as_str(),
            count(|cell| cell.code.is_none()),
            count(|cell| cell.operation.is_some() && cell.code.is_some()),
            count(|cell| cell.operation.is_none()),
        ); // writing to a string cannot fail
    }
    text
}

fn name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Audian => "Audian",
        Dialect::FoneDynamics => "Fone Dynamics",
        Dialect::TelephonyIo => "Telephony.io",
        Dialect::Native => "our own",
    }
}

/// The tables as a page shows them: what the gate holds every run against.
#[must_use]
pub fn page(tables: &[Table]) -> String {
    let mut text = String::new();
    side_by_side(&mut text, tables);
    for table in tables {
        let (dialect, shared) = (name(table.dialect), table.shared.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>());
        let _ = writeln!(text, "### Operations of {dialect}\n\nCodes that many of them share: {}.\n", shared.join(", "));
        let _ = writeln!(text, "| Operation | Success | Codes of its own |\n|---|---|---|");
        for operation in &table.operations {
            let own: Vec<String> = operation.own.iter().map(|code| format!("`{code}`")).collect();
            let _ = writeln!(text, "| `{}` | {} | {} |", operation.id, operation.success, own.join(", "));
        }
        text.push('\n');
    }
    text
}

/// One row for each code: how the dialects say it that have it.
fn side_by_side(text: &mut String, tables: &[Table]) {
    let head: Vec<&str> = tables.iter().map(|table| name(table.dialect)).collect();
    let _ = writeln!(text, "| Code of the catalogue | {} |", head.join(" | "));
    let _ = writeln!(text, "|---|{}", "---|".repeat(tables.len()));
    for code in Code::ALL {
        let cells: Vec<String> = tables
            .iter()
            .map(|table| {
                let own = table.operations.iter().any(|operation| operation.own.iter().any(|own| own == code.name()));
                let wire = code.entry().wire(table.dialect);
                if own || table.shared.contains(code.name()) { format!("{} `{}`", wire.status, wire.code) } else { String::new() }
            })
            .collect();
        let _ = writeln!(text, "| `{}` | {} |", code.name(), cells.join(" | "));
    }
    text.push('\n');
}
