//! A call is recorded: because its number's configuration says so, or because somebody ordered it.

use tandem_app::{
    calls::{Obeyed, RecordOrder},
    recordings::StartRecording,
};
use tandem_catalogue::{Error, Result};
use tandem_domain::{
    config,
    recording::{Recording as Row, RecordingKind, RecordingState},
};
use tandem_media::record::Side;

use super::Call;
use crate::record::{Shape, Source, Take};

/// What a call is recorded as where the format that its number's configuration names is not offered.
const USUAL: &str = "wav";

impl Call {
    /// Begins the recording that the configuration wants, once somebody has answered. A call goes on without one.
    pub(super) async fn record_as_configured(&mut self) {
        let Some(wanted) = self.recording.take() else { return };
        if self.take.is_some() {
            return;
        }
        let config::Recording { format, participant, .. } = wanted;
        let format = if format == "opus" { format } else { USUAL.to_owned() };
        if let Err(error) = self.record(format, participant).await {
            tracing::warn!(id = %self.live.id, ?error, "a call is not recorded though it should be");
        }
    }

    async fn record(&mut self, format: String, participant: String) -> Result<Row> {
        let start = StartRecording {
            environment: self.live.environment,
            kind: RecordingKind::Call,
            call: Some(self.live.id),
            conference: None,
            number: None,
            from: None,
            name: None,
            format,
            participant,
            keep_days: None,
        };
        let take = Take::begin(&self.house, start, Shape::default(), &[]).await?;
        let row = take.row().clone();
        self.take = Some(take);
        self.tap();
        Ok(row)
    }

    /// Records whoever is there now.
    pub(super) fn tap(&self) {
        let (Some(take), Some(first)) = (&self.take, self.first.leg()) else { return };
        let (ours, theirs) = if self.called { (Side::Callee, Side::Caller) } else { (Side::Caller, Side::Callee) };
        match (self.second.as_deref(), &self.bridge) {
            (None, Some(bridge)) => {
                take.hear(&Source::Party(ours, &first.sound.stream));
                if let Some(other) = bridge.recorded() {
                    take.hear(&Source::Party(theirs, &other));
                }
            }
            (Some(second), _) => {
                take.hear(&Source::Party(ours, &first.sound.stream));
                take.hear(&Source::Party(theirs, &second.sound.stream));
            }
            (None, None) => take.hear(&Source::Alone(ours, &first.sound.stream)),
        }
    }

    /// Ends the recording, where there is one.
    pub(super) async fn end_recording(&mut self) {
        if let Some(take) = self.take.take()
            && let Err(error) = take.finish().await
        {
            tracing::warn!(id = %self.live.id, ?error, "the end of a call's recording cannot be written yet");
        }
    }

    /// Follows an order about the recording.
    pub(super) async fn recorded(&mut self, order: RecordOrder) -> Result<Obeyed> {
        let row = match order {
            RecordOrder::Start { .. } if self.take.is_some() => {
                return Err(Error::invalid_transition("call", "being recorded", "recorded once more"));
            }
            RecordOrder::Start { format, participant } => self.record(format, participant).await?,
            RecordOrder::Stop => {
                let Some(take) = self.take.take() else { return Err(unrecorded("stopped")) };
                take.finish().await?
            }
            RecordOrder::Pause => {
                let Some(take) = &mut self.take else { return Err(unrecorded("paused")) };
                check(take.row(), RecordingState::Recording, "paused")?;
                take.pause().await?
            }
            RecordOrder::Resume => {
                let Some(take) = &mut self.take else { return Err(unrecorded("resumed")) };
                check(take.row(), RecordingState::Paused, "resumed")?;
                take.resume().await?
            }
        };
        Ok(Obeyed::Recording(Box::new(row)))
    }
}

fn unrecorded(action: &'static str) -> Error {
    Error::invalid_transition("recording", "not there", action)
}

fn check(row: &Row, wanted: RecordingState, action: &'static str) -> Result<()> {
    if row.state == wanted { Ok(()) } else { Err(Error::invalid_transition("recording", row.state.as_str(), action)) }
}
