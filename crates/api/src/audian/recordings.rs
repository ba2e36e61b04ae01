//! `/recordings`: what was said in calls and conferences, to listen to.

use http::{Method, StatusCode};
use tandem_app::recordings;
use tandem_catalogue::{Code, Result};
use tandem_domain::recording::Recording;

use super::conferences::{CallRecordingDto, recording_dto};
use crate::http::{Call, Endpoint, Reply, audio};

const TAG: &str = "Recordings";
const ONE: &str = "/recordings/{recording_id}";
const ID: &[(&str, &str)] = &[("recording_id", "The recording's id.")];

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
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
