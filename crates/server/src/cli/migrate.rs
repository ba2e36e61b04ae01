//! `tandem migrate`.

use serde_json::json;
use tandem_store::{Store, schema};

use crate::{
    config::{Config, without_password},
    failure::Result,
    output::{say, say_json},
    serve::prepare_data_dir,
};

/// Brings the schema up to date.
///
/// # Errors
/// What the database says.
pub async fn run(config: &Config, json: bool) -> Result<()> {
    prepare_data_dir(config)?;
    let url = config.database_url();
    // A file that is not there yet has no schema; any other trouble is told by opening it.
    let before = schema(&url).await.ok().and_then(|schema| schema.applied);
    Store::open(&config.store_options(false)).await?.close().await;
    let now = schema(&url).await?;
    if json {
        return Ok(say_json(&json!({ "before": before, "now": now.applied }))?);
    }
    let version = |version: Option<i64>| version.map_or_else(|| "nothing".to_owned(), |version| format!("version {version}"));
    let place = without_password(&url);
    if before == now.applied {
        return Ok(say(format_args!("{place} is up to date: {}", version(before)))?);
    }
    Ok(say(format_args!("{place}: from {} to {}", version(before), version(now.applied)))?)
}
