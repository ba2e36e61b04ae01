//! The event log of an environment.

use tandem_catalogue::{Error, Result};
use tandem_kernel::{Caller, EventId, Scope};
use tandem_store::repo::events::{self, Event};

use crate::{App, permit};

/// An environment's events from the one after `after`, oldest first.
///
/// # Errors
/// `insufficient_scope`.
pub async fn list(app: &App, caller: &Caller, after: Option<EventId>, limit: i64) -> Result<Vec<Event>> {
    permit(caller, Scope::LogsRead)?;
    let (environment, after) = (caller.environment, after.unwrap_or(EventId::from_bytes([0; 16])));
    app.store.read(move |tx| events::after(tx, environment, after, limit)).await
}

/// The events of one object from the one after the sequence `after`, oldest first.
///
/// # Errors
/// `resource_not_found` where nothing ever happened to such an object, `insufficient_scope`.
pub async fn of_object(app: &App, caller: &Caller, object: String, after: i64, limit: i64) -> Result<Vec<Event>> {
    let (environment, name) = (caller.environment, object.clone());
    let read = move |tx: &mut tandem_store::Tx| {
        let exists = !events::of_object(tx, environment, &name, 0, 1)?.is_empty();
        Ok(if exists { Some(events::of_object(tx, environment, &name, after, limit)?) } else { None })
    };
    let found = app.store.read(read).await?.ok_or_else(|| Error::resource_not_found("object", object))?;
    permit(caller, Scope::LogsRead)?;
    Ok(found)
}
