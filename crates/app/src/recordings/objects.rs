//! The port for what is too large for the database.

use std::{
    fmt,
    ops::Range,
    path::Path,
    sync::{Arc, OnceLock},
};

use async_trait::async_trait;
use bytes::Bytes;

use super::Spool;
use crate::due::Bell;

/// Seconds after which an object store that did not answer may be asked again.
pub(super) const AFTER: i64 = 5;

/// Why an object store did not do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectFault {
    /// There is no such object.
    Missing,
    /// It does not answer, or will not, or has no room: this is what it said.
    Unavailable(String),
}

impl fmt::Display for ObjectFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no such object"),
            Self::Unavailable(why) => f.write_str(why),
        }
    }
}

/// An object's bytes as they come.
#[async_trait]
pub trait Chunks: Send {
    /// The next ones; none at the end.
    async fn next(&mut self) -> Option<Result<Bytes, ObjectFault>>;
}

/// Keeps objects: a folder, or a service.
#[async_trait]
pub trait Objects: Send + Sync {
    /// Keeps a file's bytes under a key, for good when this returns. What was kept under it before is gone.
    async fn put(&self, key: &str, file: &Path) -> Result<(), ObjectFault>;

    /// Some of an object's bytes.
    async fn get(&self, key: &str, range: Range<u64>) -> Result<Box<dyn Chunks>, ObjectFault>;

    /// Takes an object away. One that is not there is taken away.
    async fn delete(&self, key: &str) -> Result<(), ObjectFault>;
}

/// Where recordings are made and kept, once whoever ties the parts together has said so.
#[derive(Default)]
pub struct Archive {
    parts: OnceLock<(Arc<dyn Objects>, Spool)>,
    bell: Bell,
}

impl Archive {
    /// From now on recordings are kept there, and made in this folder. Said once.
    pub fn set(&self, objects: Arc<dyn Objects>, spool: Spool) {
        if self.parts.set((objects, spool)).is_err() {
            tracing::error!("where recordings are kept was said twice");
        }
    }

    /// Where they are kept.
    #[must_use]
    pub fn objects(&self) -> Option<&Arc<dyn Objects>> {
        self.parts.get().map(|(objects, _)| objects)
    }

    /// Where they are made.
    #[must_use]
    pub fn spool(&self) -> Option<&Spool> {
        self.parts.get().map(|(_, spool)| spool)
    }

    /// Nothing is recorded any more: the folder is for whoever starts next, though somebody may hold this platform still.
    pub fn close(&self) {
        if let Some(spool) = self.spool() {
            spool.release();
        }
    }

    /// Wakes whoever brings recordings there and takes them away.
    pub fn ring(&self) {
        self.bell.ring();
    }

    pub(super) async fn rung(&self) {
        self.bell.rung().await;
    }
}
