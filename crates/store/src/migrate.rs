//! The schema, one text for both engines.

use crate::{driver::target::Target, fault::Fault};

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// The newest version of the schema.
pub fn newest() -> i64 {
    let versions = embedded::migrations::runner().get_migrations().iter().map(|migration| i64::from(migration.version())).max();
    versions.unwrap_or(0)
}

/// Brings an SQLite file up to date.
pub fn sqlite(connection: &mut rusqlite::Connection) -> Result<(), Fault> {
    embedded::migrations::runner().run(connection).map_err(|fault| Fault::Broken(fault.into()))?;
    Ok(())
}

/// Brings a PostgreSQL database up to date; an advisory lock keeps two starting nodes apart.
pub async fn postgres(target: &Target) -> Result<(), Fault> {
    let (mut client, driver) = target.connect().await?;
    client.batch_execute("SET client_min_messages = warning; SELECT pg_advisory_lock(8317)").await?;
    embedded::migrations::runner().run_async(&mut client).await.map_err(|fault| Fault::Broken(fault.into()))?;
    drop(client);
    let _ = driver.await; // the connection ends when its client does
    Ok(())
}
