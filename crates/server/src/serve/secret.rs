//! The installation's secret key: a file beside the database, never in it.

use std::{fs, io::ErrorKind, path::Path, sync::Arc};

use tandem_app::Vault;
use tandem_kernel::{Rng, hex};
use tandem_store::{Store, repo::settings};

use super::ready::write_private;
use crate::failure::{At, Failure, Result};

/// What the database keeps to tell which key is its own.
const CHECK: &str = "secret_key_check";
const HINT: &str =
    "give the file that was made with this database, with the setting secret_key; all processes of one database need a copy of it";

/// Reads the key. Where there is none, and the database has never known one either, `make` decides whether to make it.
///
/// # Errors
/// What the file system and the database say, and a key that is not this database's.
pub async fn obtain(store: &Store, file: &Path, rng: &Arc<dyn Rng>, make: bool) -> Result<Option<[u8; 32]>> {
    let known = store.read(|tx| settings::get(tx, CHECK)).await?;
    let mut key = load(file)?;
    if key.is_none() && known.is_none() && make {
        create(file, &**rng)?;
        key = load(file)?;
    }
    let Some(key) = key else {
        let missing =
            || Failure::new(format!("there is no secret key in {}, but this database has one", file.display())).hint(HINT);
        return if make && known.is_some() { Err(missing()) } else { Ok(None) };
    };
    let ours = hex(&Vault::new(Some(&key), rng.clone()).mac(CHECK, &[]));
    let kept = store.write(move |tx| {
        settings::put_first(tx, CHECK, &ours)?;
        Ok(settings::get(tx, CHECK)?.is_some_and(|kept| kept == ours))
    });
    if kept.await? {
        return Ok(Some(key));
    }
    Err(Failure::new(format!("the secret key in {} is not the one that this database was written with", file.display())).hint(HINT))
}

/// Makes a key, unless somebody else makes one at this moment.
fn create(file: &Path, rng: &dyn Rng) -> Result<()> {
    let mut key = [0; 32];
    rng.fill(&mut key);
    let part = file.with_extension(format!("new-{}", std::process::id()));
    write_private(&part, format!("{}\n", hex(&key)).as_bytes()).at("cannot write", part.display())?;
    let linked = fs::hard_link(&part, file);
    fs::remove_file(&part).at("cannot remove", part.display())?;
    match linked {
        Err(fault) if fault.kind() != ErrorKind::AlreadyExists => Err(fault).at("cannot write", file.display()),
        _ => Ok(()),
    }
}

fn load(file: &Path) -> Result<Option<[u8; 32]>> {
    match fs::read_to_string(file) {
        Ok(text) => read(text.trim()).map(Some).ok_or_else(|| {
            Failure::new(format!("{} does not hold a secret key of 64 hexadecimal digits", file.display())).hint(HINT)
        }),
        Err(fault) if fault.kind() == ErrorKind::NotFound => Ok(None),
        Err(fault) => Err(fault).at("cannot read", file.display()),
    }
}

fn read(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    let mut key = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_kernel::OsRng;

    #[test]
    fn a_key_is_made_once_and_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("secret.key");
        assert_eq!(load(&file), Ok(None));
        create(&file, &OsRng).expect("made");
        let first = load(&file).expect("read");
        create(&file, &OsRng).expect("left as it is");
        assert!(first.is_some() && load(&file) == Ok(first));
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1);
        fs::write(&file, "not a key").expect("written");
        assert!(load(&file).is_err());
    }
}
