//! Recordings: where they are made and kept.

use tandem_app::{App, recordings::Spool};

use crate::{
    config::Config,
    failure::{At, Failure, Result},
};

/// Takes a folder to make recordings in and completes what was left there, before anything is recorded.
///
/// # Errors
/// What the file system says, or what is wrong with the configuration.
pub async fn open(app: &App, config: &Config) -> Result<()> {
    let objects = config.objects()?;
    let (spool, left) = Spool::open(&config.spool(), &*app.rng).at("cannot make recordings in", config.spool().display())?;
    app.archive.set(objects, spool);
    let recovered = tandem_voice::recover(app, left).await;
    recovered.map_err(|error| Failure::new(format!("recordings that were left cannot be completed: {}", error.code().name())))
}
