//! The parts that the platform is put together from.

use std::{path::Path, sync::Arc};

use tandem_app::{
    App, Parts,
    carrier::{Carrier, Carriers},
};
use tandem_carriers::{Owned, Simulated, simulated};
use tandem_domain::purchase::Offer;
use tandem_kernel::{Clock, Rng};
use tandem_store::Store;

use super::{ready::make_private_folder, secret};
use crate::{
    config::Config,
    failure::{At, Result},
};

/// The carriers that come with the platform: your own numbers for the live environments, the pocket network for the test ones.
#[must_use]
pub fn carriers() -> Carriers {
    let all: Vec<Arc<dyn Carrier>> = vec![Arc::new(Owned::default()), Arc::new(Simulated)];
    Carriers::new(all, Owned::NAME, Simulated::NAME)
}

/// The numbers that the test environments begin with.
pub fn test_inventory() -> Vec<Offer> {
    simulated::inventory()
}

/// Opens the database and ties everything to it. `exclusive` is for a server, of which an SQLite file has one; a server also
/// makes the secret key where there is none yet.
///
/// # Errors
/// What the database and the file system say.
pub async fn app(config: &Config, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>, carriers: Carriers, exclusive: bool) -> Result<App> {
    prepare_data_dir(config)?;
    let store = Store::open(&config.store_options(exclusive)).await?;
    let secret = secret::obtain(&store, &config.secret_key_file(), &rng, exclusive).await?;
    Ok(App::new(Parts { store, clock, rng, secret, carriers, settings: config.settings() }))
}

/// Makes the folders that are written to.
///
/// # Errors
/// What the file system says.
pub fn prepare_data_dir(config: &Config) -> Result<()> {
    make_private_folder(&config.data_dir).at("cannot make the data directory", config.data_dir.display())?;
    let file = config.database_file();
    match file.as_deref().and_then(Path::parent) {
        Some(folder) if folder != Path::new("") => make_private_folder(folder).at("cannot make", folder.display()),
        _ => Ok(()),
    }
}
