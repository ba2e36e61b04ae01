//! The folder in which this process makes recordings, until the object store has them.
//!
//! Beside each other under one root there is a folder for each process that runs at the same time. A process keeps its folder locked, so
//! that the next one knows which of them were left by processes that died, and completes what is in them.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use tandem_kernel::{RecordingId, Rng};

/// The file that is locked, with the folder's id in it.
const OWNER: &str = "owner";
/// Processes that may share one root.
const MOST: usize = 64;

/// See the module.
pub struct Spool {
    folder: PathBuf,
    id: [u8; 16],
    owner: File,
}

/// A file that was left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Whose it is.
    pub recording: RecordingId,
    /// Where it is.
    pub path: PathBuf,
}

impl Spool {
    /// Takes the first free folder under `root`, and all others that are left over, each of which is made where it is not there.
    ///
    /// # Errors
    /// What the file system says; that all of them are taken.
    pub fn open(root: &Path, rng: &dyn Rng) -> io::Result<(Self, Vec<Self>)> {
        let (mut own, mut left) = (None, Vec::new());
        for place in 0..MOST {
            let folder = root.join(place.to_string());
            if !folder.exists() {
                if own.is_some() {
                    break;
                }
                fs::create_dir_all(&folder)?;
            }
            match (Self::take(folder, rng)?, &own) {
                (Some(spool), None) => own = Some(spool),
                (Some(spool), Some(_)) => left.push(spool),
                (None, _) => {}
            }
        }
        let own = own.ok_or_else(|| io::Error::other("all folders for recordings are taken by other processes"))?;
        Ok((own, left))
    }

    /// Takes a folder, unless another process has it.
    fn take(folder: PathBuf, rng: &dyn Rng) -> io::Result<Option<Self>> {
        let mut owner = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(folder.join(OWNER))?;
        match owner.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(fault)) => return Err(fault),
        }
        let mut id = [0; 16];
        if owner.metadata()?.len() == 16 {
            owner.read_exact(&mut id)?;
        } else {
            rng.fill(&mut id);
            owner.set_len(0)?;
            owner.write_all(&id)?;
            owner.sync_all()?;
        }
        Ok(Some(Self { folder, id, owner }))
    }

    /// What rows call it.
    #[must_use]
    pub const fn id(&self) -> [u8; 16] {
        self.id
    }

    /// Gives it up, for whoever starts next.
    pub(super) fn release(&self) {
        if let Err(fault) = self.owner.unlock() {
            tracing::warn!(%fault, "the folder for recordings cannot be given up");
        }
    }

    /// The file of a recording.
    #[must_use]
    pub fn file(&self, recording: RecordingId, format: &str) -> PathBuf {
        self.folder.join(format!("{recording}.{format}"))
    }

    /// The files that are in it.
    ///
    /// # Errors
    /// What the file system says.
    pub async fn left(&self) -> io::Result<Vec<Left>> {
        let mut left = Vec::new();
        let mut entries = tokio::fs::read_dir(&self.folder).await?;
        while let Some(entry) = entries.next_entry().await? {
            let path = entry.path();
            let name = path.file_stem().and_then(|name| name.to_str()).and_then(RecordingId::parse);
            left.extend(name.map(|recording| Left { recording, path }));
        }
        Ok(left)
    }
}
