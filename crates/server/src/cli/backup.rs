//! `tandem admin backup`.

use std::path::PathBuf;

use serde_json::json;
use tandem_store::backup;

use crate::{
    config::{Config, without_password},
    failure::{Failure, Result},
    output::{say, say_json},
};

const EXAMPLES: &str =
    "The copy is of one moment, is checked, and appears under its name only when it is whole. The server goes on meanwhile.
To go back to it: stop the server, put the file in the place of tandem.sqlite (and remove tandem.sqlite-wal), start it.
The secret key in secret.key is not part of the copy. Keep a copy of it too, in another place: without it the server does not start
on this database, and what is sealed in it stays sealed.

Example:
  tandem admin backup /backups/tandem-$(date +%F).sqlite";

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The copy; a file that is there already is never written over
    file: PathBuf,
}

/// Copies the database.
///
/// # Errors
/// A database that is none of SQLite's, and what the file system says.
pub async fn run(config: &Config, args: &Args, json: bool) -> Result<()> {
    let url = config.database_url();
    if config.database_file().is_none() {
        let hint = format!("use its own: pg_dump --format=custom --file={} '{}'", args.file.display(), without_password(&url));
        return Err(Failure::new("PostgreSQL is not backed up by copying a file").hint(hint));
    }
    if args.file.exists() {
        return Err(Failure::new(format!("{} is there already", args.file.display()))
            .hint("a backup never writes over a file: choose another name"));
    }
    let bytes = backup(&url, &args.file).await?;
    if json {
        return Ok(say_json(&json!({ "file": args.file, "bytes": bytes }))?);
    }
    Ok(say(format_args!("{} holds the database: {bytes} bytes", args.file.display()))?)
}
