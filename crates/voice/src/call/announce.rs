//! The caller hears a recording; then the call ends.

use tandem_app::{calls::Answer, recordings};
use tandem_catalogue::{Error, Result};
use tandem_domain::call::{Ending, Reason};
use tandem_kernel::RecordingId;
use tandem_media::play::{Prompt, Sound};

use super::{Call, Step, say::read_wav, wait::Stop};

/// The largest recording that is played.
const LARGEST: i64 = 40_000_000;

impl Call {
    pub(super) async fn announce(&mut self, id: RecordingId) -> Step {
        let sound = match self.kept(id).await {
            Ok(sound) => sound,
            Err(error) => {
                tracing::warn!(id = %self.live.id, recording = %id, ?error, "a recording cannot be played");
                return Step::Stop(Stop::Failed(Ending::of(Reason::OutOfService)));
            }
        };
        if let Err(stop) = self.pick_up(Answer::default(), None).await {
            return Step::Stop(stop);
        }
        self.at = "hearing a recording";
        self.say(&Prompt::sounds([sound])).await.unwrap_or(Step::Stop(Stop::Ours(Reason::Normal)))
    }

    /// A recording as it is played.
    pub(super) async fn kept(&self, id: RecordingId) -> Result<Sound> {
        let missing = || Error::resource_not_found("recording", id.to_string());
        let file = recordings::whole(&self.house.app, self.live.environment, id, LARGEST).await?.ok_or_else(missing)?;
        read_wav(file, "recording").await
    }
}
