//! `/recordings`: what was recorded of calls and conferences, and messages that callers left.

use http::{Method, StatusCode};
use serde::Serialize;
use tandem_app::recordings;
use tandem_catalogue::{Code, Result};
use tandem_domain::recording::{Recording, RecordingKind};
use tandem_kernel::{RecordingId, Timestamp};
use utoipa::ToSchema;

use super::page::{CURSOR, LIMIT, Page, Window};
use crate::http::{Call, Endpoint, Field, Kind, Reply, audio};

const TAG: &str = "Recordings";
const ID: &[(&str, &str)] = &[("recording_id", "The recording's id.")];
const LIST: &[Field] =
    &[Field::new("kind", Kind::Choice(RecordingKind::WORDS), "Only recordings of this kind.", r#""call""#), LIMIT, CURSOR];

/// A recording.
#[derive(Serialize, ToSchema)]
struct RecordingDto {
    /// Its id.
    id: String,
    /// `call`, `conference` or `voicemail`.
    kind: &'static str,
    /// The call.
    call_id: Option<String>,
    /// The conference.
    conference_id: Option<String>,
    /// The number for which a message was left.
    number: Option<String>,
    /// Who left it.
    from: Option<String>,
    /// Your name for it.
    name: Option<String>,
    /// `recording`, `paused`, `processing` (on its way to the object store), `completed` or `failed`.
    status: &'static str,
    /// `wav` or `opus`.
    format: String,
    /// Whom it has: `all`, `caller` or `callee`.
    participant: String,
    /// Bytes; 0 until it is over.
    size: i64,
    /// Milliseconds; 0 until it is over.
    length_ms: i64,
    /// When it began, by the environment's clock.
    started_at: String,
    /// When it ended.
    stopped_at: Option<String>,
    /// When it is deleted; never if null.
    delete_at: Option<String>,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    const ONE: &str = "/recordings/{recording_id}";
    let endpoints = [
        Endpoint::new("listRecordings", Method::GET, "/recordings", "List your recordings, the newest first.", list)
            .query(LIST)
            .answers::<Page<RecordingDto>>(StatusCode::OK),
        Endpoint::new("getRecording", Method::GET, ONE, "Read what is known of a recording.", get)
            .path_docs(ID)
            .answers::<RecordingDto>(StatusCode::OK)
            .codes(&[Code::ResourceNotFound]),
        Endpoint::new(
            "listenToRecording",
            Method::GET,
            "/recordings/{recording_id}/audio",
            "Listen to a recording, whole or in part (`Range`).",
            listen,
        )
        .path_docs(ID)
        .answers::<Sound>(StatusCode::OK)
        .media_type(audio::WAV)
        .audio()
        .codes(&[Code::ResourceNotFound, Code::RecordingHasNoAudio, Code::RangeNotSatisfiable]),
        Endpoint::new("deleteRecording", Method::DELETE, ONE, "Delete a recording that is over, and what was said.", delete)
            .path_docs(ID)
            .answers::<RecordingDto>(StatusCode::OK)
            .codes(&[Code::ResourceNotFound, Code::InvalidTransition]),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG)).collect()
}

/// What is heard.
#[derive(Serialize, ToSchema)]
#[schema(value_type = String, format = Binary)]
struct Sound(#[allow(dead_code, reason = "only its schema is used")] Vec<u8>);

async fn list(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let kind = form.choice("kind").and_then(RecordingKind::parse);
    let window = Window::read(&mut form);
    form.finish()?;
    let before = window.cursor.map(RecordingId::from_bytes);
    let found = recordings::list(&call.app, &call.caller()?, kind, before, window.fetch()).await?;
    Ok(Reply::json(StatusCode::OK, &window.page(found, |recording| *recording.id.as_bytes(), dto)))
}

async fn get(call: Call) -> Result<Reply> {
    let found = recordings::get(&call.app, &call.caller()?, id(&call), None).await?;
    Ok(Reply::json(StatusCode::OK, &dto(&found)))
}

async fn listen(call: Call) -> Result<Reply> {
    let found = recordings::audible(&call.app, &call.caller()?, id(&call)).await?;
    audio::listen(&call, &found).await
}

async fn delete(call: Call) -> Result<Reply> {
    let caller = call.caller()?;
    let render = |recording: &Recording| Reply::json(StatusCode::OK, &dto(recording));
    call.answer(render, |finish| recordings::delete(&call.app, &caller, (id(&call), None), finish)).await
}

fn id(call: &Call) -> String {
    call.param("recording_id").to_owned()
}

fn dto(recording: &Recording) -> RecordingDto {
    let time = |at: &Option<Timestamp>| at.as_ref().map(Timestamp::to_string);
    RecordingDto {
        id: recording.id.to_string(),
        kind: recording.kind.as_str(),
        call_id: recording.call.map(|id| id.to_string()),
        conference_id: recording.conference.map(|id| id.to_string()),
        number: recording.number.map(|number| number.to_string()),
        from: recording.from.map(|number| number.to_string()),
        name: recording.name.clone(),
        status: recording.state.as_str(),
        format: recording.format.clone(),
        participant: recording.participant.clone(),
        size: recording.size,
        length_ms: recording.length,
        started_at: recording.started_at.to_string(),
        stopped_at: time(&recording.stopped_at),
        delete_at: time(&recording.delete_at),
    }
}
