//! What is done to those who take part in a conference, and its recording. Bare objects, as those of the actions on calls.

use http::{Method, StatusCode};
use serde::Serialize;
use tandem_app::conferences::{self, Controlled, MutedAll, RecordConference};
use tandem_catalogue::{Code, Result};
use tandem_domain::{conference::Control, recording::Recording};
use tandem_kernel::Timestamp;
use utoipa::ToSchema;

use super::{
    call_controls::FORMAT,
    conferences::{CONFERENCE, PARTICIPANT, TAG, id},
};
use crate::http::{Call, Endpoint, Field, Kind, Reply};

const QUALITIES: &[&str] = &["standard", "high"];
const RECORD: &[Field] = &[
    Field::new("name", Kind::Text { min: 1, max: 128 }, "Your name for the recording.", r#""Minutes""#),
    FORMAT,
    Field::new(
        "quality",
        Kind::Choice(QUALITIES),
        "8,000 or 16,000 samples in a second; standard where it is left out.",
        r#""high""#,
    ),
];

/// Something that was done to a participant.
#[derive(Serialize, ToSchema)]
struct ParticipantActionDto {
    /// The conference's id.
    #[schema(example = "conf_01hzy3v7k2m8x4c6b9d1f5g7h0")]
    conference_id: String,
    /// The participant's id.
    #[schema(example = "part_01hzy3v7k2m8x4c6b9d1f5g7h0")]
    participant_id: String,
    /// `muted`, `unmuted`, `held`, `resumed` or `disconnected`.
    status: &'static str,
    /// When it was muted.
    #[schema(format = "date-time", nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    muted_at: Option<String>,
    /// When it was let be heard again.
    #[schema(format = "date-time", nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    unmuted_at: Option<String>,
    /// When it was put on hold.
    #[schema(format = "date-time", nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    held_at: Option<String>,
    /// When it came back.
    #[schema(format = "date-time", nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    resumed_at: Option<String>,
    /// When its call was ended.
    #[schema(format = "date-time", nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    disconnected_at: Option<String>,
}

/// That all were muted.
#[derive(Serialize, ToSchema)]
struct MuteAllDto {
    /// The conference's id.
    #[schema(example = "conf_01hzy3v7k2m8x4c6b9d1f5g7h0")]
    conference_id: String,
    /// `muted`.
    status: &'static str,
    /// How many were not muted before.
    participants_muted: usize,
    /// When.
    #[schema(format = "date-time")]
    muted_at: String,
}

/// A recording that began.
#[derive(Serialize, ToSchema)]
struct ConferenceRecordingStartedDto {
    /// The conference's id.
    conference_id: String,
    /// The recording's id.
    #[schema(example = "rec_01hzy3v7k2m8x4c6b9d1f5g7h0")]
    recording_id: String,
    /// `recording`.
    status: &'static str,
    /// Your name for it.
    name: Option<String>,
    /// `wav` or `opus`.
    format: String,
    /// When it began.
    #[schema(format = "date-time")]
    started_at: String,
}

/// A recording that ended.
#[derive(Serialize, ToSchema)]
struct ConferenceRecordingStoppedDto {
    /// The conference's id.
    conference_id: String,
    /// The recording's id.
    #[schema(example = "rec_01hzy3v7k2m8x4c6b9d1f5g7h0")]
    recording_id: String,
    /// `stopped`.
    status: &'static str,
    /// When it ended.
    #[schema(format = "date-time")]
    stopped_at: Option<String>,
    /// Seconds.
    duration: i64,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    const CHANGE: &[Code] = &[Code::ResourceNotFound, Code::ConferenceOver, Code::InvalidTransition];
    macro_rules! action {
        ($id:literal, $action:literal, $what:literal, $control:expr) => {
            Endpoint::new(
                $id,
                Method::POST,
                concat!("/conferences/{conference_id}/participants/{participant_id}/", $action),
                $what,
                |call| act(call, $control),
            )
            .path_docs(&[CONFERENCE, PARTICIPANT])
            .answers::<ParticipantActionDto>(StatusCode::OK)
            .codes(CHANGE)
        };
    }
    let endpoints = [
        action!("muteParticipant", "mute", "Mute somebody: the others do not hear what is said.", Control::Mute),
        action!("unmuteParticipant", "unmute", "Let somebody be heard again.", Control::Unmute),
        action!("holdParticipant", "hold", "Put somebody on hold: music is heard, and nobody else.", Control::Hold),
        action!("resumeParticipant", "resume", "Let somebody take part again who was on hold.", Control::Resume),
        action!("disconnectParticipant", "disconnect", "Hang somebody up, who may call again.", Control::Disconnect),
        Endpoint::new(
            "muteAllParticipants",
            Method::POST,
            "/conferences/{conference_id}/mute-all",
            "Mute all participants but the presenters.",
            mute_all,
        )
        .path_docs(&[CONFERENCE])
        .answers::<MuteAllDto>(StatusCode::OK)
        .codes(&[Code::ResourceNotFound, Code::ConferenceOver]),
        Endpoint::new(
            "startConferenceRecording",
            Method::POST,
            "/conferences/{conference_id}/recording/start",
            "Record a conference in which somebody is.",
            record,
        )
        .path_docs(&[CONFERENCE])
        .body(RECORD)
        .answers::<ConferenceRecordingStartedDto>(StatusCode::OK)
        .codes(CHANGE),
        Endpoint::new(
            "stopConferenceRecording",
            Method::POST,
            "/conferences/{conference_id}/recording/stop",
            "End the recording of a conference.",
            stop,
        )
        .path_docs(&[CONFERENCE])
        .answers::<ConferenceRecordingStoppedDto>(StatusCode::OK)
        .codes(CHANGE),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG)).collect()
}

async fn act(call: Call, control: Control) -> Result<Reply> {
    let (caller, named) = (call.caller()?, (id(&call), call.param("participant_id").to_owned()));
    let render = move |done: &Controlled| Reply::json(StatusCode::OK, &action(done, control));
    call.answer(render, |finish| conferences::control(&call.app, &caller, named, control, finish)).await
}

fn action(done: &Controlled, control: Control) -> ParticipantActionDto {
    let when = |this: Control| (control == this).then(|| done.at.to_string());
    ParticipantActionDto {
        conference_id: done.participant.conference.to_string(),
        participant_id: done.participant.id.to_string(),
        status: control.done(),
        muted_at: when(Control::Mute),
        unmuted_at: when(Control::Unmute),
        held_at: when(Control::Hold),
        resumed_at: when(Control::Resume),
        disconnected_at: when(Control::Disconnect),
    }
}

async fn mute_all(call: Call) -> Result<Reply> {
    let caller = call.caller()?;
    let render = |done: &MutedAll| {
        let dto = MuteAllDto {
            conference_id: done.conference.to_string(),
            status: "muted",
            participants_muted: done.muted,
            muted_at: done.at.to_string(),
        };
        Reply::json(StatusCode::OK, &dto)
    };
    call.answer(render, |finish| conferences::mute_all(&call.app, &caller, id(&call), finish)).await
}

async fn record(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (name, format, quality) = (form.text("name"), form.choice("format"), form.choice("quality"));
    form.finish()?;
    let wanted = RecordConference { name, format: format.unwrap_or("wav").to_owned(), high: quality == Some("high") };
    let caller = call.caller()?;
    let render = |recording: &Recording| {
        let dto = ConferenceRecordingStartedDto {
            conference_id: recording.conference.map(|id| id.to_string()).unwrap_or_default(),
            recording_id: recording.id.to_string(),
            status: "recording",
            name: recording.name.clone(),
            format: recording.format.clone(),
            started_at: recording.started_at.to_string(),
        };
        Reply::json(StatusCode::OK, &dto)
    };
    call.answer(render, |finish| conferences::record(&call.app, &caller, id(&call), wanted, finish)).await
}

async fn stop(call: Call) -> Result<Reply> {
    let caller = call.caller()?;
    let render = |recording: &Recording| {
        let dto = ConferenceRecordingStoppedDto {
            conference_id: recording.conference.map(|id| id.to_string()).unwrap_or_default(),
            recording_id: recording.id.to_string(),
            status: "stopped",
            stopped_at: recording.stopped_at.as_ref().map(Timestamp::to_string),
            duration: recording.seconds(),
        };
        Reply::json(StatusCode::OK, &dto)
    };
    call.answer(render, |finish| conferences::stop_recording(&call.app, &caller, id(&call), finish)).await
}
