//! The file that says where the server answers and with which keys.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::failure::{At, Result};

/// A ready file that is there; dropping it removes it.
#[derive(Debug)]
pub struct ReadyFile(PathBuf);

impl ReadyFile {
    /// Writes the file: whoever sees it sees the whole of it, and only this user does, since it holds keys.
    ///
    /// # Errors
    /// A folder that is not there or may not be written to.
    pub fn write(path: &Path, content: &Value) -> Result<Self> {
        write_private(path, format!("{content:#}\n").as_bytes()).at("cannot write", path.display())?;
        Ok(Self(path.to_owned()))
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        if let Err(fault) = fs::remove_file(&self.0) {
            tracing::warn!(%fault, file = %self.0.display(), "the ready file could not be removed");
        }
    }
}

/// Removes a ready file that nobody stands by any more.
///
/// # Errors
/// What the file system says, but not that there is none.
pub fn forget(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(fault).at("cannot remove", path.display()),
        _ => Ok(()),
    }
}

/// Writes a file that nobody else may read, in one step.
///
/// # Errors
/// What the file system says.
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let part = PathBuf::from(format!("{}.part-{}", path.display(), std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&part).and_then(|mut file| {
        io::Write::write_all(&mut file, content)?;
        file.sync_all()
    });
    let renamed = written.and_then(|()| fs::rename(&part, path));
    if renamed.is_err() {
        let _ = fs::remove_file(&part); // it may never have been there
    }
    renamed
}

/// Makes a folder that nobody else may look into; one that is there stays as it is.
///
/// # Errors
/// What the file system says.
pub fn make_private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
