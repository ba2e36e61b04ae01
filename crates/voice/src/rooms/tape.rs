//! The recording of a room.

use tandem_app::{
    conferences::{self, RecordConference},
    recordings::StartRecording,
};
use tandem_catalogue::{Error, Result};
use tandem_domain::recording::{Recording, RecordingKind};
use tandem_media::Rate;

use super::Room;
use crate::{
    house::House,
    record::{Shape, Source, Take},
};

/// Whether a room is recorded.
#[derive(Default)]
pub(super) enum Recorder {
    #[default]
    Idle,
    /// Its file is being opened.
    Begins,
    On(Take),
}

impl Room {
    /// Records it from now on.
    ///
    /// # Errors
    /// `invalid_transition` for one that is recorded already, and what keeps a recording from beginning.
    pub(super) async fn record(&self, house: &House, wanted: RecordConference) -> Result<Recording> {
        let claim = Claim::new(self)?;
        let start = StartRecording {
            environment: self.environment,
            kind: RecordingKind::Conference,
            call: None,
            conference: Some(self.id),
            number: None,
            from: None,
            name: wanted.name,
            format: wanted.format,
            participant: "all".to_owned(),
            keep_days: None,
        };
        let rate = if wanted.high { Rate::Wide } else { Rate::Narrow };
        let shape = Shape { stereo: false, rate, ..Shape::default() };
        let take = Take::begin(house, start, shape, &[Source::Room(&self.mixer)]).await?;
        let row = take.row().clone();
        claim.keep(take);
        if let Err(error) = conferences::recorded(&house.app, &row).await {
            tracing::warn!(id = %row.id, ?error, "that a conference is recorded cannot be told");
        }
        Ok(row)
    }

    /// Ends the recording.
    ///
    /// # Errors
    /// `invalid_transition` for one that is not recorded, and faults of the store.
    pub(super) async fn stop_recording(&self) -> Result<Recording> {
        let taken = {
            let mut state = self.state();
            match std::mem::take(&mut state.recorder) {
                Recorder::On(take) => Some(take),
                other => {
                    state.recorder = other;
                    None
                }
            }
        };
        match taken {
            Some(take) => {
                self.mixer.stop_recording();
                take.finish().await
            }
            None => Err(Error::invalid_transition("conference", "not recorded", "told to stop")),
        }
    }

    pub(super) fn is_recorded(&self) -> bool {
        !matches!(self.state().recorder, Recorder::Idle)
    }
}

/// A recording that begins. Where it does not, another may.
struct Claim<'a>(&'a Room);

impl<'a> Claim<'a> {
    fn new(room: &'a Room) -> Result<Self> {
        let mut state = room.state();
        if !matches!(state.recorder, Recorder::Idle) {
            return Err(Error::invalid_transition("conference", "being recorded", "recorded"));
        }
        state.recorder = Recorder::Begins;
        Ok(Self(room))
    }

    fn keep(self, take: Take) {
        self.0.state().recorder = Recorder::On(take);
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        if matches!(state.recorder, Recorder::Begins) {
            state.recorder = Recorder::Idle;
        }
    }
}
