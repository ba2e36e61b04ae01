//! Taking in numbers that the operator has, from CSV or JSON lines: what is good is loaded, what is bad is reported line by line.
//!
//! The text is read and checked on a thread of its own while the store writes what was checked before.

mod line;
mod offer;
mod read;

use std::{io::Read, time::Duration};

use serde_json::json;
use tandem_catalogue::{Error, Result};
use tandem_domain::{inventory::Entry, purchase::Offer};
use tandem_kernel::Environment;
use tandem_store::{
    Tx,
    repo::{
        invalidations::{Stale, inventory_subject},
        inventory,
    },
};
use tokio::sync::mpsc;

use crate::{
    App,
    accounts::{Operator, note_action, tell_others},
    stock,
};

pub use read::{ChunkReader, Chunks, chunks};

/// Who carries imported numbers: the operator's own trunks.
pub const OWNED: &str = "owned";
/// Numbers that are sorted together: neighbours in the store are then written together, which spares most of the writing.
const BATCH: usize = 100_000;
/// Numbers that one unit of work carries: some tens of milliseconds, after which others get their turn.
const CHUNK: usize = 10_000;
/// Numbers that the index takes in at a time: each time costs it more than the numbers themselves.
const SHELF: usize = 250_000;

/// How the lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A header that names the columns, then one line for each number.
    Csv,
    /// A JSON object on each line.
    JsonLines,
}

/// Numbers to take in.
#[derive(Debug, Clone)]
pub struct ImportInventory {
    /// Whose inventory: the live one, or that of all test environments.
    pub kind: Environment,
    /// How the lines are written.
    pub format: Format,
    /// Whether this process answers searches, so that its own index takes the numbers in as well.
    pub searched_here: bool,
    /// How long to leave the store to others between two units of work: an SQLite file has one writer at a time.
    pub pause: Duration,
}

/// A line that was not loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// The first line of the text is 1.
    pub line: u64,
    /// Why not.
    pub reason: String,
}

/// How far an import is, and in the end what it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Imported {
    /// Bytes of the text that were dealt with.
    pub bytes: u64,
    /// Lines with something on them, the header left out.
    pub lines: u64,
    /// Numbers that are new, or whose price or features changed.
    pub loaded: u64,
    /// Numbers that were there already, stand there twice, or are in somebody's possession and stay as they are.
    pub unchanged: u64,
    /// Bad lines.
    pub refused: u64,
}

/// What an import reports while it runs.
#[derive(Debug)]
pub enum Step<'a> {
    /// A line was not loaded.
    Refused(&'a BadLine),
    /// Everything up to here is in the store.
    Reached(Imported),
}

/// Loads every good line of `source` and reports every bad one. Doing it again loads nothing new.
///
/// # Errors
/// `missing_parameter` and `unknown_parameter` where the header lacks a column or has a strange one, `malformed_body` where the text
/// breaks off, and faults of the store. What [`Step::Reached`] reported before is loaded.
pub async fn import(
    app: &App,
    operator: Operator,
    command: ImportInventory,
    source: impl Read + Send + 'static,
    mut report: impl FnMut(Step<'_>) + Send,
) -> Result<Imported> {
    let (batches, mut incoming) = mpsc::channel(1);
    let format = command.format;
    let reading = tokio::task::spawn_blocking(move || read::batches(source, format, &batches));
    let mut load = Load { app, command: &command, imported: Imported::default(), shelf: Vec::new() };
    let mut outcome = Ok(());
    while let Some(batch) = incoming.recv().await {
        batch.refused.iter().for_each(|bad| report(Step::Refused(bad)));
        outcome = load.take(batch).await;
        if outcome.is_err() {
            break;
        }
        report(Step::Reached(load.imported));
    }
    drop(incoming); // a reader that is cut short ends at its next batch, which nobody waits for
    if outcome.is_ok() {
        outcome = reading.await.map_err(|fault| Error::internal().because(fault))?;
    }
    let concluded = load.conclude(operator).await;
    outcome.and(concluded).map(|()| load.imported)
}

/// An import in progress.
struct Load<'a> {
    app: &'a App,
    command: &'a ImportInventory,
    imported: Imported,
    shelf: Vec<Entry>,
}

impl Load<'_> {
    async fn take(&mut self, batch: read::Batch) -> Result<()> {
        for chunk in batch.offers.chunks(CHUNK) {
            self.write(chunk).await?;
        }
        let imported = &mut self.imported;
        let good = batch.lines.saturating_sub(count(batch.refused.len()));
        imported.unchanged = imported.unchanged.saturating_add(good.saturating_sub(count(batch.offers.len())));
        imported.bytes = imported.bytes.saturating_add(batch.bytes);
        imported.lines = imported.lines.saturating_add(batch.lines);
        imported.refused = imported.refused.saturating_add(count(batch.refused.len()));
        Ok(())
    }

    async fn write(&mut self, chunk: &[Offer]) -> Result<()> {
        let (pen, kind, offers) = (self.app.pen(), self.command.kind, chunk.to_vec());
        let work = move |tx: &mut Tx| inventory::upsert_many(tx, kind, &offers, pen.machine_now());
        let changed = self.app.store.write(work).await?;
        let imported = &mut self.imported;
        imported.loaded = imported.loaded.saturating_add(changed);
        imported.unchanged = imported.unchanged.saturating_add(count(chunk.len()).saturating_sub(changed));
        if self.command.searched_here {
            self.shelf.extend(chunk.iter().map(stock::entry));
            if self.shelf.len() >= SHELF {
                self.shelve().await?;
            }
        }
        if !self.command.pause.is_zero() {
            tokio::time::sleep(self.command.pause).await;
        }
        Ok(())
    }

    /// Tells whoever searches the inventory, and notes who did this. Also where the import was cut short.
    async fn conclude(&mut self, operator: Operator) -> Result<()> {
        self.shelve().await?;
        if self.imported.loaded == 0 {
            return Ok(());
        }
        let (pen, kind, imported) = (self.app.pen(), self.command.kind, self.imported);
        let note = move |tx: &mut Tx| {
            tell_others(tx, &pen, Stale::Inventory, inventory_subject(kind))?;
            let detail = json!({ "lines": imported.lines, "loaded": imported.loaded, "refused": imported.refused });
            note_action(tx, &pen, &operator, "inventory.import", kind.as_str(), &detail)
        };
        self.app.store.write(note).await
    }

    async fn shelve(&mut self) -> Result<()> {
        if self.shelf.is_empty() {
            return Ok(());
        }
        let (app, kind, entries) = (self.app.clone(), self.command.kind, std::mem::take(&mut self.shelf));
        let shelved = tokio::task::spawn_blocking(move || app.stock.insert(kind, &entries));
        shelved.await.map_err(|fault| Error::internal().because(fault))?
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
