//! What other processes on the same database have in memory and must read again.

use tandem_catalogue::Result;
use tandem_kernel::{EventId, Timestamp};

use crate::{Fault, Tx};

/// What was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stale {
    /// A key: its id.
    Key,
    /// An account or one of its environments: the environment's id.
    Environment,
    /// One number of the inventory: its digits in the last eight bytes, its kind of environment in the first.
    Number,
    /// The whole inventory, after an import.
    Inventory,
}

impl Stale {
    const ALL: [Self; 4] = [Self::Key, Self::Environment, Self::Number, Self::Inventory];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Environment => "environment",
            Self::Number => "number",
            Self::Inventory => "inventory",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stale| stale.as_str() == text)
    }
}

/// A note that something was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Note {
    /// Its id.
    pub id: EventId,
    /// What was changed.
    pub stale: Stale,
    /// Which of them.
    pub subject: [u8; 16],
}

/// Leaves a note.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn leave(tx: &mut Tx, note: Note, now: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO invalidations (id, kind, subject, at) VALUES ($1, $2, $3, $4)",
        &[note.id.as_bytes().into(), note.stale.as_str().into(), (&note.subject).into(), now.into()],
    )?;
    Ok(())
}

/// The notes left since an instant. Clocks and commits are not in step, so a reader asks again for some seconds that it has seen.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn since(tx: &mut Tx, at: Timestamp) -> Result<Vec<Note>> {
    let rows = tx.query("SELECT id, kind, subject FROM invalidations WHERE at >= $1 ORDER BY at", &[at.into()])?;
    let notes = rows.iter().map(|row| {
        Ok(Note { id: EventId::from_bytes(row.array(0)?), stale: row.word(1, Stale::parse)?, subject: row.array(2)? })
    });
    Ok(notes.collect::<Result<_, Fault>>()?)
}

/// Forgets notes older than `before`.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn purge(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    tx.execute("DELETE FROM invalidations WHERE at < $1", &[before.into()])
}
