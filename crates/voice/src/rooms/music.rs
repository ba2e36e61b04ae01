//! What those hear who wait in a conference.

use std::time::Duration;

use tandem_app::recordings;
use tandem_catalogue::{Error, Result};
use tandem_domain::conference::Conference;
use tandem_kernel::{EnvironmentId, RecordingId};
use tandem_media::play::{Prompt, Repeat};
use tokio::{sync::OnceCell, time::timeout};

use crate::{call::read_wav, house::House};

/// Bytes of it at the most: some four minutes of 16 kHz.
const MOST: i64 = 8 << 20;
/// How long it may take until it is there.
const PATIENCE: Duration = Duration::from_secs(5);

/// A conference's music, read once for the room: the recording that the conference names, or ours.
pub(super) struct Music {
    environment: EnvironmentId,
    own: Option<RecordingId>,
    read: OnceCell<Prompt>,
}

impl Music {
    /// What a conference names. An id that is no recording's names nothing.
    pub fn of(conference: &Conference) -> Self {
        let own = conference.hold_music_id.as_deref().and_then(RecordingId::parse);
        Self { environment: conference.environment, own, read: OnceCell::new() }
    }

    /// The music, over and over.
    pub async fn prompt(&self, house: &House) -> Prompt {
        let Some(id) = self.own else { return Prompt::music() };
        self.read.get_or_init(|| self.load(house, id)).await.clone()
    }

    async fn load(&self, house: &House, id: RecordingId) -> Prompt {
        match timeout(PATIENCE, self.file(house, id)).await {
            Ok(Ok(own)) => return own,
            Ok(Err(error)) => tracing::info!(recording = %id, ?error, "a conference's own music cannot be played"),
            Err(_) => tracing::warn!(recording = %id, "a conference's own music does not come in time"),
        }
        Prompt::music()
    }

    async fn file(&self, house: &House, id: RecordingId) -> Result<Prompt> {
        let missing = || Error::resource_not_found("recording", id.to_string());
        let file = recordings::whole(&house.app, self.environment, id, MOST).await?.ok_or_else(missing)?;
        let sound = read_wav(file, "hold_music_id").await?;
        Ok(Prompt { repeat: Repeat::Forever, ..Prompt::sounds([sound]) })
    }
}
