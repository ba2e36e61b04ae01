//! Copying an SQLite database while it is in use.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, backup::Backup};

use crate::{driver::sqlite, fault::Fault};

/// All pages in one step: the copy is of one moment, and writers go on meanwhile.
const ALL: std::ffi::c_int = -1;

/// Copies the SQLite database of `url` to a new file, whole or not at all; the size of the copy in bytes.
///
/// # Errors
/// A fault in words for the operator: the database is none of SQLite's, the file is there already, the disk is full.
pub async fn backup(url: &str, to: &Path) -> Result<u64, Fault> {
    let Some(("sqlite", from)) = url.split_once(':') else {
        return Err(Fault::Broken("only an SQLite database is copied so; use pg_dump for PostgreSQL".into()));
    };
    let (from, to) = (PathBuf::from(from), to.to_owned());
    let copied = tokio::task::spawn_blocking(move || copy(&from, &to));
    copied.await.map_err(|fault| Fault::Broken(fault.into()))?
}

fn copy(from: &Path, to: &Path) -> Result<u64, Fault> {
    for (path, wanted, wrong) in [(from, true, "there is no database"), (to, false, "there is a file already at")] {
        if path.exists() != wanted {
            return Err(Fault::Broken(format!("{wrong} {}", path.display()).into()));
        }
    }
    let part = PathBuf::from(format!("{}.part", to.display()));
    let outcome = copy_whole(from, &part).and_then(|size| {
        std::fs::rename(&part, to).map_err(|fault| Fault::Broken(fault.into()))?;
        Ok(size)
    });
    if outcome.is_err() {
        let _ = std::fs::remove_file(&part); // it may not be there yet
    }
    outcome
}

fn copy_whole(from: &Path, to: &Path) -> Result<u64, Fault> {
    let source = sqlite::connect(from)?;
    let mut target = Connection::open(to)?;
    Backup::new(&source, &mut target)?.step(ALL)?;
    // A copy that stands alone: without the side files of a database in use, and checked before it is called a backup.
    target.pragma_update(None, "journal_mode", "DELETE")?;
    let verdict: String = target.query_row("PRAGMA quick_check", [], |row| row.get(0))?;
    drop(target);
    if verdict != "ok" {
        return Err(Fault::data(format!("a database that does not copy well: {verdict}")));
    }
    let file = std::fs::File::open(to).and_then(|file| file.sync_all().and_then(|()| file.metadata()));
    file.map(|metadata| metadata.len()).map_err(|fault| Fault::Broken(fault.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, Store, repo::settings};

    #[tokio::test]
    async fn a_copy_of_a_database_in_use_opens_and_is_never_written_over() {
        let folder = std::env::temp_dir().join(format!("tandem-backup-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let (url, to) = (format!("sqlite:{}", folder.join("a.sqlite").display()), folder.join("b.sqlite"));
        let store = Store::open(&Options { exclusive: true, ..Options::new(&url) }).await.expect("a new store");
        store.write(|tx| settings::put_first(tx, "colour", "green")).await.expect("written");
        assert!(backup(&url, &to).await.expect("copied") > 0);
        assert!(matches!(backup(&url, &to).await, Err(Fault::Broken(_))), "a second copy to the same place");
        let copy = Store::open(&Options::new(format!("sqlite:{}", to.display()))).await.expect("the copy opens");
        let colour = copy.read(|tx| settings::get(tx, "colour")).await.expect("read");
        assert_eq!(colour.as_deref(), Some("green"));
        copy.close().await;
        store.close().await;
        std::fs::remove_dir_all(&folder).expect("removed");
    }
}
