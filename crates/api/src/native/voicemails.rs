//! `/voicemails`: messages that callers left for numbers. Their sound is that of the recording with the same id.

use http::{Method, StatusCode};
use serde::Serialize;
use tandem_app::recordings::{self, ListVoicemails};
use tandem_catalogue::{Code, Result};
use tandem_domain::recording::Recording;
use tandem_kernel::{RecordingId, Timestamp};
use utoipa::ToSchema;

use super::page::{CURSOR, LIMIT, Page, Window};
use crate::http::{Call, Endpoint, Field, Kind, Reply};

const TAG: &str = "Voicemails";
const ID: &[(&str, &str)] = &[("voicemail_id", "The message's id.")];
const LIST: &[Field] = &[
    Field::new("number", Kind::Phone, "Only messages for this number of yours.", r#""+14155550100""#),
    Field::new("unheard", Kind::Bool, "Only messages that nobody marked as heard.", "true"),
    LIMIT,
    CURSOR,
];
const CHANGE: &[Field] = &[Field::new("heard", Kind::Bool, "Whether somebody heard it.", "true").required()];

/// A message.
#[derive(Serialize, ToSchema)]
struct VoicemailDto {
    /// Its id: it is that of the recording too, which can be listened to.
    id: String,
    /// The number for which it was left.
    number: Option<String>,
    /// Who left it; null for a caller who hides the number.
    from: Option<String>,
    /// The call.
    call_id: Option<String>,
    /// `recording`, `processing` (on its way to the object store), `completed` or `failed`.
    status: &'static str,
    /// Whether somebody heard it.
    heard: bool,
    /// Since when.
    heard_at: Option<String>,
    /// Milliseconds; 0 until it is over.
    length_ms: i64,
    /// When it was left, by the environment's clock.
    left_at: String,
    /// When it is deleted; never if null.
    delete_at: Option<String>,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    const ONE: &str = "/voicemails/{voicemail_id}";
    const LOOKUP: &[Code] = &[Code::ResourceNotFound];
    let endpoints = [
        Endpoint::new("listVoicemails", Method::GET, "/voicemails", "List messages that callers left, the newest first.", list)
            .query(LIST)
            .answers::<Page<VoicemailDto>>(StatusCode::OK)
            .codes(&[Code::InvalidPhoneNumber, Code::UnassignedPhoneNumber, Code::OwnedNumberNotFound]),
        Endpoint::new("getVoicemail", Method::GET, ONE, "Read what is known of a message.", get)
            .path_docs(ID)
            .answers::<VoicemailDto>(StatusCode::OK)
            .codes(LOOKUP),
        Endpoint::new("markVoicemail", Method::PATCH, ONE, "Mark a message as heard, or as not heard.", mark)
            .path_docs(ID)
            .body(CHANGE)
            .answers::<VoicemailDto>(StatusCode::OK)
            .codes(LOOKUP),
        Endpoint::new("deleteVoicemail", Method::DELETE, ONE, "Delete a message.", delete)
            .path_docs(ID)
            .answers::<VoicemailDto>(StatusCode::OK)
            .codes(&[Code::ResourceNotFound, Code::InvalidTransition]),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG)).collect()
}

async fn list(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let (number, unheard) = (form.phone("number"), form.boolean("unheard").unwrap_or(false));
    let window = Window::read(&mut form);
    form.finish()?;
    let before = window.cursor.map(RecordingId::from_bytes);
    let wanted = ListVoicemails { number, unheard, before, limit: window.fetch() };
    let found = recordings::voicemails(&call.app, &call.caller()?, wanted).await?;
    Ok(Reply::json(StatusCode::OK, &window.page(found, |message| *message.id.as_bytes(), dto)))
}

async fn get(call: Call) -> Result<Reply> {
    let found = recordings::voicemail(&call.app, &call.caller()?, id(&call)).await?;
    Ok(shown(&found))
}

async fn mark(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let heard = form.boolean("heard").unwrap_or(true);
    form.finish()?;
    let caller = call.caller()?;
    call.answer(shown, |finish| recordings::mark(&call.app, &caller, id(&call), heard, finish)).await
}

async fn delete(call: Call) -> Result<Reply> {
    let caller = call.caller()?;
    call.answer(shown, |finish| recordings::delete_voicemail(&call.app, &caller, id(&call), finish)).await
}

fn id(call: &Call) -> String {
    call.param("voicemail_id").to_owned()
}

fn shown(message: &Recording) -> Reply {
    Reply::json(StatusCode::OK, &dto(message))
}

fn dto(message: &Recording) -> VoicemailDto {
    let time = |at: &Option<Timestamp>| at.as_ref().map(Timestamp::to_string);
    VoicemailDto {
        id: message.id.to_string(),
        number: message.number.map(|number| number.to_string()),
        from: message.from.map(|number| number.to_string()),
        call_id: message.call.map(|id| id.to_string()),
        status: message.state.as_str(),
        heard: message.heard_at.is_some(),
        heard_at: time(&message.heard_at),
        length_ms: message.length,
        left_at: message.started_at.to_string(),
        delete_at: time(&message.delete_at),
    }
}
