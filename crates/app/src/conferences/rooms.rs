//! The port to where conferences really happen. Rows say who is to be heard; rooms follow them.

use std::sync::Arc;

use async_trait::async_trait;
use tandem_catalogue::Result;
use tandem_domain::recording::Recording;
use tandem_kernel::ConferenceId;

use crate::App;

/// How a conference is to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordConference {
    /// Its owner's name for the recording.
    pub name: Option<String>,
    /// `wav` or `opus`.
    pub format: String,
    /// Whether with 16,000 samples in a second, and not with 8,000.
    pub high: bool,
}

impl Default for RecordConference {
    fn default() -> Self {
        Self { name: None, format: "wav".to_owned(), high: false }
    }
}

/// Whoever holds the rooms of this process.
#[async_trait]
pub trait Rooms: Send + Sync {
    /// What the store says of a conference or of who takes part has changed.
    fn stir(&self, conference: ConferenceId);

    /// Records a conference from now on. `None` where this process has no room of it.
    ///
    /// # Errors
    /// `invalid_transition` for one that is recorded already, and faults of the store.
    async fn record(&self, conference: ConferenceId, wanted: RecordConference) -> Result<Option<Recording>>;

    /// Ends the recording. `None` where this process has no room of it.
    ///
    /// # Errors
    /// `invalid_transition` for one that is not recorded, and faults of the store.
    async fn stop_recording(&self, conference: ConferenceId) -> Result<Option<Recording>>;
}

/// See [`Rooms::stir`]. Where calls are not carried there is nobody to tell.
pub(super) fn stir(app: &App, conference: ConferenceId) {
    if let Some(rooms) = app.rooms.get() {
        rooms.stir(conference);
    }
}

/// The rooms of this process.
pub(super) fn rooms(app: &App) -> Option<Arc<dyn Rooms>> {
    app.rooms.get().cloned()
}
