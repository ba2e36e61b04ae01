//! Which schema a database has, asked without changing anything.

use std::{path::PathBuf, str::FromStr};

use rusqlite::{Connection, OpenFlags};
use tokio_postgres::{Config, NoTls};

use crate::{fault::Fault, migrate};

const APPLIED: &str = "SELECT MAX(version) FROM refinery_schema_history";

/// The version of a database's schema beside the newest that this program knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Schema {
    /// What the database has; none where it was never set up.
    pub applied: Option<i64>,
    /// What this program would bring it to.
    pub newest: i64,
}

/// Asks a database for the version of its schema.
///
/// # Errors
/// A fault in words for the operator: the database does not answer, or there is none.
pub async fn schema(url: &str) -> Result<Schema, Fault> {
    let newest = migrate::newest();
    let applied = match url.split_once(':') {
        Some(("sqlite", path)) => {
            let path = PathBuf::from(path);
            let asked = tokio::task::spawn_blocking(move || sqlite(&path));
            asked.await.map_err(|fault| Fault::Broken(fault.into()))??
        }
        _ => postgres(&Config::from_str(url)?).await?,
    };
    Ok(Schema { applied, newest })
}

fn sqlite(path: &std::path::Path) -> Result<Option<i64>, Fault> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let known = "SELECT COUNT(*) FROM sqlite_master WHERE name = 'refinery_schema_history'";
    match connection.query_row(known, [], |row| row.get::<_, i64>(0))? {
        0 => Ok(None),
        _ => Ok(connection.query_row(APPLIED, [], |row| row.get(0))?),
    }
}

async fn postgres(config: &Config) -> Result<Option<i64>, Fault> {
    let (client, connection) = config.connect(NoTls).await?;
    let driver = tokio::spawn(connection);
    let known = client.query_one("SELECT to_regclass('refinery_schema_history') IS NOT NULL", &[]).await?;
    let applied = match known.try_get::<_, bool>(0)? {
        true => client.query_one(APPLIED, &[]).await?.try_get::<_, Option<i32>>(0)?,
        false => None,
    };
    drop(client);
    let _ = driver.await; // the connection ends when its client does
    Ok(applied.map(i64::from))
}
