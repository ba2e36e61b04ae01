//! `/recordings`: what was said in calls and conferences, to listen to; `/calls/{call_id}/record`: a call's recording as it is made.

use http::{Method, StatusCode};
use serde::Serialize;
use tandem_app::{
    calls::{self, Controlled, Obeyed, RecordOrder},
    recordings,
};
use tandem_catalogue::{Code, Error, Result};
use tandem_domain::recording::Recording;
use utoipa::ToSchema;

use super::conferences::{CallRecordingDto, recording_dto};
use crate::http::{Call, Endpoint, Field, Kind, Reply, audio};

const TAG: &str = "Recordings";
const ONE: &str = "/recordings/{recording_id}";
const ID: &[(&str, &str)] = &[("recording_id", "The recording's id.")];

const CALL: &[(&str, &str)] = &[("call_id", "The call's id.")];
const START: &[Field] = &[
    Field::new(
        "format",
        Kind::Choice(&["wav", "mp3", "opus"]),
        "The file's format; wav where it is left out. mp3 is not offered.",
        r#""wav""#,
    ),
    Field::new("participant", Kind::Choice(&["all", "caller", "callee"]), "Who is recorded; all where it is left out.", r#""all""#),
];

/// A recording that has begun.
#[derive(Serialize, ToSchema)]
struct RecordingStartedDto {
    /// The call's id.
    call_id: String,
    /// The recording's id.
    #[schema(example = "rec_01hzy3v7k2m8x4c6b9d1f5g7h0")]
    recording_id: String,
    /// `recording`.
    status: &'static str,
    /// When it began.
    #[schema(format = "date-time")]
    started_at: String,
    /// `wav` or `opus`.
    format: String,
    /// `all`, `caller` or `callee`.
    participant: String,
}

/// A recording that has ended.
#[derive(Serialize, ToSchema)]
struct RecordingStoppedDto {
    /// The call's id.
    call_id: String,
    /// The recording's id.
    recording_id: String,
    /// `stopped`.
    status: &'static str,
    /// When it ended.
    #[schema(format = "date-time")]
    stopped_at: String,
    /// Seconds.
    duration: i64,
}

/// A recording that waits.
#[derive(Serialize, ToSchema)]
struct RecordingPausedDto {
    /// The call's id.
    call_id: String,
    /// The recording's id.
    recording_id: String,
    /// `paused`.
    status: &'static str,
    /// Since when.
    #[schema(format = "date-time")]
    paused_at: String,
}

/// A recording that goes on.
#[derive(Serialize, ToSchema)]
struct RecordingResumedDto {
    /// The call's id.
    call_id: String,
    /// The recording's id.
    recording_id: String,
    /// `recording`.
    status: &'static str,
    /// Since when.
    #[schema(format = "date-time")]
    resumed_at: String,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    const ORDER: &[Code] = &[Code::CallNotFound, Code::CallOver, Code::InvalidTransition];
    let documented = [
        Endpoint::new("startRecording", Method::POST, "/calls/{call_id}/record/start", "Record a call that was answered.", start)
            .path_docs(CALL)
            .body(START)
            .answers::<RecordingStartedDto>(StatusCode::OK)
            .codes(&[Code::CallNotFound, Code::CallOver, Code::InvalidTransition, Code::RecordingFormatNotOffered]),
        Endpoint::new("stopRecording", Method::POST, "/calls/{call_id}/record/stop", "End a call's recording.", stop)
            .path_docs(CALL)
            .answers::<RecordingStoppedDto>(StatusCode::OK)
            .codes(ORDER),
        Endpoint::new(
            "pauseRecording",
            Method::POST,
            "/calls/{call_id}/record/pause",
            "Leave out of a call's recording what is said from now on.",
            pause,
        )
        .path_docs(CALL)
        .answers::<RecordingPausedDto>(StatusCode::OK)
        .codes(ORDER),
        Endpoint::new("resumeRecording", Method::POST, "/calls/{call_id}/record/resume", "Go on with a call's recording.", resume)
            .path_docs(CALL)
            .answers::<RecordingResumedDto>(StatusCode::OK)
            .codes(ORDER),
    ];
    let documented = documented.into_iter().map(|endpoint| endpoint.tag(TAG));
    documented.chain(ours()).collect()
}

fn ours() -> Vec<Endpoint> {
    let endpoints = [
        Endpoint::new(
            "getRecording",
            Method::GET,
            ONE,
            "Listen to a recording, whole or in part (`Range`). With `Accept: application/json` it answers what is known of it instead.",
            get,
        )
        .path_docs(ID)
        .answers::<CallRecordingDto>(StatusCode::OK)
        .audio()
        .codes(&[Code::ResourceNotFound, Code::RecordingHasNoAudio, Code::RangeNotSatisfiable]),
        Endpoint::new("deleteRecording", Method::DELETE, ONE, "Delete a recording.", delete)
            .path_docs(ID)
            .answers::<CallRecordingDto>(StatusCode::OK)
            .codes(&[Code::ResourceNotFound, Code::InvalidTransition]),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG).ours()).collect()
}

async fn get(call: Call) -> Result<Reply> {
    let (caller, id) = (call.caller()?, call.param("recording_id").to_owned());
    if audio::wants_json(&call.headers) {
        let found = recordings::get(&call.app, &caller, id, None).await?;
        return Ok(Reply::json(StatusCode::OK, &recording_dto(&found)));
    }
    let found = recordings::audible(&call.app, &caller, id).await?;
    audio::listen(&call, &found).await
}

async fn delete(call: Call) -> Result<Reply> {
    let (caller, named) = (call.caller()?, (call.param("recording_id").to_owned(), None));
    let render = |recording: &Recording| Reply::json(StatusCode::OK, &recording_dto(recording));
    call.answer(render, |finish| recordings::delete(&call.app, &caller, named, finish)).await
}

async fn start(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (format, participant) = (form.choice("format").unwrap_or("wav"), form.choice("participant").unwrap_or("all"));
    form.finish()?;
    let order = RecordOrder::Start { format: format.to_owned(), participant: participant.to_owned() };
    let (call_id, recording, _) = ordered(&call, order).await?;
    let body = RecordingStartedDto {
        call_id,
        recording_id: recording.id.to_string(),
        status: "recording",
        started_at: recording.started_at.to_string(),
        format: recording.format,
        participant: recording.participant,
    };
    Ok(call.done(Reply::json(StatusCode::OK, &body)).await)
}

async fn stop(call: Call) -> Result<Reply> {
    let (call_id, recording, at) = ordered(&call, RecordOrder::Stop).await?;
    let body = RecordingStoppedDto {
        call_id,
        recording_id: recording.id.to_string(),
        status: "stopped",
        stopped_at: recording.stopped_at.map_or(at, |at| at.to_string()),
        duration: recording.seconds(),
    };
    Ok(call.done(Reply::json(StatusCode::OK, &body)).await)
}

async fn pause(call: Call) -> Result<Reply> {
    let (call_id, recording, paused_at) = ordered(&call, RecordOrder::Pause).await?;
    let body = RecordingPausedDto { call_id, recording_id: recording.id.to_string(), status: "paused", paused_at };
    Ok(call.done(Reply::json(StatusCode::OK, &body)).await)
}

async fn resume(call: Call) -> Result<Reply> {
    let (call_id, recording, resumed_at) = ordered(&call, RecordOrder::Resume).await?;
    let body = RecordingResumedDto { call_id, recording_id: recording.id.to_string(), status: "recording", resumed_at };
    Ok(call.done(Reply::json(StatusCode::OK, &body)).await)
}

/// The call, its recording, and when the order was followed.
async fn ordered(call: &Call, order: RecordOrder) -> Result<(String, Recording, String)> {
    let done = calls::record(&call.app, &call.caller()?, call.param("call_id").to_owned(), order).await?;
    let Controlled { live, at, obeyed: Obeyed::Recording(recording) } = done else {
        return Err(Error::internal().because("an order about a recording was followed without one"));
    };
    Ok((live.id.to_string(), *recording, at.to_string()))
}
