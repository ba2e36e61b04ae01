//! What other processes on the same database have in memory and must read again.

use tandem_catalogue::Result;
use tandem_kernel::{Environment, EventId, PhoneNumber, Timestamp};

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
    /// How many messages wait for a number, which is named as for [`Self::Number`].
    Mailbox,
}

impl Stale {
    const ALL: [Self; 5] = [Self::Key, Self::Environment, Self::Number, Self::Inventory, Self::Mailbox];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Environment => "environment",
            Self::Number => "number",
            Self::Inventory => "inventory",
            Self::Mailbox => "mailbox",
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
    /// The process that left the note.
    pub node: [u8; 16],
}

/// What a note about a kind of environment's inventory names: the kind in the first eight bytes.
#[must_use]
pub fn inventory_subject(kind: Environment) -> [u8; 16] {
    let mut subject = [0; 16];
    for (to, from) in subject.iter_mut().zip(kind.as_str().bytes()) {
        *to = from;
    }
    subject
}

/// What a note about one number names: the kind of environment in the first eight bytes, the digits in the last eight.
#[must_use]
pub fn number_subject(kind: Environment, phone: PhoneNumber) -> [u8; 16] {
    let mut subject = inventory_subject(kind);
    for (to, from) in subject.iter_mut().skip(8).zip(phone.digits().to_be_bytes()) {
        *to = from;
    }
    subject
}

impl Note {
    /// The kind of environment that a note about inventory or a number names.
    #[must_use]
    pub fn kind(&self) -> Option<Environment> {
        let (kind, _) = self.subject.split_at(8);
        Environment::parse(std::str::from_utf8(kind).ok()?.trim_end_matches('\0'))
    }

    /// The number that a note about one names.
    #[must_use]
    pub fn phone(&self) -> PhoneNumber {
        let (_, digits) = self.subject.split_at(8);
        PhoneNumber::from_digits(digits.try_into().map_or(0, u64::from_be_bytes))
    }
}

/// Leaves a note.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn leave(tx: &mut Tx, note: Note, now: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO invalidations (id, kind, subject, node, at) VALUES ($1, $2, $3, $4, $5)",
        &[note.id.as_bytes().into(), note.stale.as_str().into(), (&note.subject).into(), (&note.node).into(), now.into()],
    )?;
    Ok(())
}

/// The notes left since an instant. Clocks and commits are not in step, so a reader asks again for some seconds that it has seen.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn since(tx: &mut Tx, at: Timestamp) -> Result<Vec<Note>> {
    let rows = tx.query("SELECT id, kind, subject, node FROM invalidations WHERE at >= $1 ORDER BY at", &[at.into()])?;
    let notes = rows.iter().map(|row| {
        let (id, stale) = (EventId::from_bytes(row.array(0)?), row.word(1, Stale::parse)?);
        Ok(Note { id, stale, subject: row.array(2)?, node: row.array(3)? })
    });
    Ok(notes.collect::<Result<_, Fault>>()?)
}

/// Forgets notes older than `before`.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn purge(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    tx.execute("DELETE FROM invalidations WHERE at < $1", &[before.into()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_names_kind_and_number() {
        let phone = PhoneNumber::from_digits(14_155_550_123);
        let note = |subject| Note { id: EventId::from_bytes([1; 16]), stale: Stale::Number, subject, node: [2; 16] };
        for kind in [Environment::Live, Environment::Test] {
            let named = note(number_subject(kind, phone));
            assert_eq!((named.kind(), named.phone()), (Some(kind), phone));
            assert_eq!(note(inventory_subject(kind)).kind(), Some(kind));
        }
        assert_eq!(note([7; 16]).kind(), None);
    }
}
