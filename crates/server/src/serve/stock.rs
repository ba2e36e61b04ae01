//! The inventory at the start of a server: made up where it is to be, read, and indexed.

use std::{sync::Arc, time::Instant};

use tandem_app::App;
use tandem_kernel::Environment;
use tandem_store::repo::inventory;

use super::{parts, tasks::Tasks};
use crate::failure::Result;

/// Numbers that one unit of work carries.
const CHUNK: usize = 10_000;
const KINDS: [Environment; 2] = [Environment::Live, Environment::Test];

/// Fills the inventory of the test environments where it is empty.
///
/// # Errors
/// Faults of the store.
pub async fn seed(app: &App) -> Result<()> {
    if !app.store.read(|tx| inventory::is_empty(tx, Environment::Test)).await? {
        return Ok(());
    }
    let offers = parts::test_inventory();
    for chunk in offers.chunks(CHUNK) {
        let (pen, chunk) = (app.pen(), Arc::new(chunk.to_vec()));
        app.store.write(move |tx| inventory::upsert_many(tx, Environment::Test, &chunk, pen.machine_now())).await?;
    }
    tracing::info!(numbers = offers.len(), "the test environments have an inventory now");
    Ok(())
}

/// Reads the inventory into memory.
///
/// # Errors
/// Faults of the store.
pub async fn load(app: &App) -> Result<()> {
    let [live, test] = KINDS;
    tokio::try_join!(load_one(app, live), load_one(app, test))?;
    Ok(())
}

async fn load_one(app: &App, kind: Environment) -> Result<()> {
    let began = Instant::now();
    let numbers = app.stock.load(&app.store, kind).await?;
    tracing::info!(environment = kind.as_str(), numbers, seconds = began.elapsed().as_secs_f64(), "the inventory is read");
    Ok(())
}

/// Makes searches for digits in the middle quick, beside the first requests.
pub fn build_grams(app: &App) {
    for kind in KINDS {
        let app = app.clone();
        Tasks::once("index", move || app.stock.build_grams(kind));
    }
}
