//! What operators did.

use tandem_catalogue::Result;
use tandem_kernel::EventId;
use tandem_store::repo::audit::{self, Action};

use crate::App;

/// Operators' actions from the one before `before` back, newest first.
///
/// # Errors
/// Faults of the store.
pub async fn list(app: &App, before: Option<EventId>, limit: i64) -> Result<Vec<Action>> {
    let before = before.unwrap_or(EventId::from_bytes([0xff; 16]));
    app.store.read(move |tx| audit::list(tx, before, limit)).await
}
