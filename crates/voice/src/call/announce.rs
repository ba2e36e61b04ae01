//! The caller hears a recording; then the call ends.

use std::time::Duration;

use tandem_app::{calls::Answer, recordings};
use tandem_catalogue::{Error, Result};
use tandem_domain::call::{Ending, Reason};
use tandem_kernel::RecordingId;
use tandem_media::{
    Rate,
    play::{Part, Prompt, Sound},
};

use super::{Call, Step, wait::Stop};

/// The longest recording that is played, and the largest.
const LONGEST: Duration = Duration::from_secs(600);
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
        let prompt = Prompt { parts: vec![Part::Sound(sound)], ..Prompt::sounds([]) };
        self.say(&prompt).await.unwrap_or(Step::Stop(Stop::Ours(Reason::Normal)))
    }

    /// A recording as it is played.
    pub(super) async fn kept(&self, id: RecordingId) -> Result<Sound> {
        let missing = || Error::resource_not_found("recording", id.to_string());
        let file = recordings::whole(&self.house.app, self.live.environment, id, LARGEST).await?.ok_or_else(missing)?;
        // Ten minutes are read within some milliseconds, beside the runtime's own threads.
        let read = tokio::task::spawn_blocking(move || Sound::read_wav(file.as_slice(), LONGEST, Rate::Narrow)).await;
        read.map_err(|fault| Error::internal().because(fault))?
            .map_err(|fault| Error::invalid_value("recording", fault.to_string()))
    }
}
