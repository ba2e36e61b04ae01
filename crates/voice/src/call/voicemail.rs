//! The caller may leave a message.

use std::time::Duration;

use tandem_app::{
    calls::Answer,
    recordings::{self, StartRecording},
};
use tandem_domain::{
    call::{Ending, Reason},
    recording::RecordingKind,
};
use tandem_kernel::RecordingId;
use tandem_media::{Path, dtmf::Keys, play::Prompt, record::Side};
use tokio::time::Instant;

use super::{Call, Step, say::Heard, wait::Stop};
use crate::record::{Shape, Source, Take};

/// What is said before the tone.
const GREETING: &str = "The person you are calling is not available. Please leave a message after the tone.";
const LANGUAGE: &str = "en-US";
/// The longest message.
const LONGEST: Duration = Duration::from_secs(300);
/// After how long a silence it is over.
const QUIET: Duration = Duration::from_secs(6);
/// Who spoke for less than this has left no message.
const SHORTEST: Duration = Duration::from_secs(1);
/// How often it is looked whether somebody still speaks.
const LOOK: Duration = Duration::from_millis(500);

impl Call {
    /// Answers, says that nobody is there, and takes a message until the caller hangs up, presses `#`, says nothing more, or has said enough.
    pub(super) async fn voicemail(&mut self) -> Step {
        if let Err(stop) = self.pick_up(Answer::default(), None).await {
            return Step::Stop(stop);
        }
        self.at = "leaving a message";
        self.end_recording().await; // what follows is a recording of its own
        self.listen_for_keys(true);
        let step = match self.greet().await {
            Some(step) => step,
            None => self.message().await,
        };
        self.listen_for_keys(false);
        step
    }

    /// What is said before the tone: the number's own words, or ours.
    async fn greeting(&self) -> Prompt {
        let (number, _) = self.live.parties();
        let own = match recordings::mailbox(&self.house.app, self.live.environment, number).await {
            Ok(mailbox) => mailbox.greeting.as_deref().and_then(RecordingId::parse),
            Err(_) => None, // it is read again for the message, where a fault counts
        };
        if let Some(id) = own {
            match self.kept(id).await {
                Ok(sound) => return Prompt::sounds([sound]),
                Err(error) => tracing::info!(id = %self.live.id, recording = %id, ?error, "a greeting cannot be played"),
            }
        }
        self.spoken(GREETING, LANGUAGE, 1).await
    }

    /// A key ends the words, not the call.
    async fn greet(&mut self) -> Option<Step> {
        let words = self.greeting().await.interrupted_by(Keys::ALL);
        if let Some(step) = self.say(&words).await {
            return Some(step);
        }
        self.say(&self.beep()).await
    }

    async fn message(&mut self) -> Step {
        let take = match self.leave().await {
            Ok(take) => take,
            Err(error) => {
                tracing::warn!(id = %self.live.id, ?error, "no message can be left");
                return Step::Stop(Stop::Failed(Ending::of(Reason::of_error(&error))));
            }
        };
        if let Some(leg) = self.first.leg() {
            leg.sound.stream.connect(&Path::Nothing);
            take.hear(&Source::Party(Side::Caller, &leg.sound.stream));
        }
        let step = self.spoken_to(&take).await;
        let (_, heard) = take.heard();
        if heard < SHORTEST {
            tracing::debug!(id = %self.live.id, ?heard, "a caller has left no message");
            take.discard().await;
        } else if let Err(error) = take.finish().await {
            tracing::warn!(id = %self.live.id, ?error, "the end of a message cannot be written yet");
        }
        step
    }

    /// Listens until the message is over.
    async fn spoken_to(&mut self, take: &Take) -> Step {
        let end = Instant::now() + LONGEST;
        loop {
            let look = Instant::now() + LOOK;
            match self.listen(None, Some(look.min(end))).await {
                Heard::Step(step) => return step,
                Heard::Key(key) if key.name() == '#' => break,
                Heard::Late if take.heard().0 >= QUIET || Instant::now() >= end => break,
                Heard::Key(_) | Heard::Played(_) | Heard::Late => {}
            }
        }
        self.say(&self.beep()).await.unwrap_or(Step::Stop(Stop::Ours(Reason::Normal)))
    }

    async fn leave(&mut self) -> tandem_catalogue::Result<Take> {
        let (number, from) = self.live.parties();
        let mailbox = recordings::mailbox(&self.house.app, self.live.environment, number).await?;
        let start = StartRecording {
            environment: self.live.environment,
            kind: RecordingKind::Voicemail,
            call: Some(self.live.id),
            conference: None,
            number: Some(number),
            from,
            name: None,
            format: "wav".to_owned(),
            participant: "caller".to_owned(),
            keep_days: Some(mailbox.delete_after_days),
        };
        Take::begin(&self.house, start, Shape { limit: LONGEST, ..Shape::default() }, &[]).await
    }
}
