//! `/calls`: calls as this dialect shows them: bare objects.

use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};
use tandem_app::calls::{self, CallView};
use tandem_catalogue::{Code, Result};
use tandem_domain::call::Detail;
use tandem_kernel::{CallId, Timestamp, uuid_text};
use utoipa::ToSchema;

use crate::http::{Call, Endpoint, Field, Kind, Reply, reply::number as amount};

pub const TAG: &str = "Calls";
pub const ID: &[(&str, &str)] = &[("call_id", "The call's id.")];
const LIST: &[Field] = &[
    super::numbers::LIMIT,
    Field::new(
        "before",
        Kind::Text { min: 1, max: 64 },
        "The call before which the page ends: the last one of the page before.",
        "",
    ),
];

/// A call.
#[derive(Serialize, ToSchema)]
struct CallDto {
    /// Its id.
    #[schema(example = "call_01hzy3v7k2m8x4c6b9d1f5g7h0")]
    call_id: String,
    /// The same as a UUID.
    call_uuid: String,
    /// `inbound` or `outbound`.
    call_type: &'static str,
    /// Who called; `anonymous` for a caller who hides the number.
    from: String,
    /// Which number was called.
    to: String,
    /// `initiated`, `ringing`, `answered`, `held`, `completed` or `failed`.
    status: &'static str,
    /// When it began.
    #[schema(format = "date-time")]
    created_at: String,
    /// When it was taken.
    #[schema(format = "date-time")]
    answered_at: Option<String>,
    /// When it ended.
    #[schema(format = "date-time")]
    ended_at: Option<String>,
    /// Seconds that were spoken; null while it goes on.
    duration: Option<i64>,
    /// Why it ended: `normal`, `busy`, `no_answer` and the like; null while it goes on.
    completion_reason: Option<&'static str>,
    /// What it cost; null while it goes on.
    #[schema(value_type = Option<f64>)]
    cost: Option<Value>,
    /// Seconds that it may ring, where that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<i64>,
    /// Seconds that it may last; left out once it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_duration: Option<i64>,
    /// Your labels.
    #[schema(value_type = Object)]
    tags: Map<String, Value>,
    /// Your fields.
    #[schema(value_type = Object)]
    custom_fields: Map<String, Value>,
}

/// A page of calls.
#[derive(Serialize, ToSchema)]
struct CallsDto {
    /// The page, the newest first.
    calls: Vec<CallDto>,
    /// How many were asked for.
    limit: i64,
    /// What to send as `before` for the next page; null on the last one.
    next: Option<String>,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    let endpoints = [
        Endpoint::new("listCalls", Method::GET, "/calls", "List your calls, those that go on too, the newest first.", list)
            .query(LIST)
            .answers::<CallsDto>(StatusCode::OK)
            .codes(&[Code::CallNotFound]),
        Endpoint::new("getCall", Method::GET, "/calls/{call_id}", "Read one of your calls.", get)
            .path_docs(ID)
            .answers::<CallDto>(StatusCode::OK)
            .codes(&[Code::CallNotFound]),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG).ours()).collect()
}

async fn list(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let (limit, before) = (form.int("limit").unwrap_or(20), form.text("before"));
    form.finish()?;
    let missing = |text: String| tandem_catalogue::Error::call_not_found(text);
    let before = before.map(|text| CallId::parse(&text).ok_or_else(|| missing(text))).transpose()?;
    let mut found = calls::list_shown(&call.app, &call.caller()?, before, limit + 1).await?;
    let size = usize::try_from(limit).unwrap_or(0);
    let more = found.len() > size;
    found.truncate(size);
    let next = found.last().filter(|_| more).map(|view| view.id().to_string());
    Ok(Reply::json(StatusCode::OK, &CallsDto { calls: found.iter().map(dto).collect(), limit, next }))
}

async fn get(call: Call) -> Result<Reply> {
    let found = calls::find_shown(&call.app, &call.caller()?, call.param("call_id").to_owned()).await?;
    Ok(Reply::json(StatusCode::OK, &dto(&found)))
}

fn dto(view: &CallView) -> CallDto {
    let id = view.id();
    match view {
        CallView::Live(live) => CallDto {
            call_id: id.to_string(),
            call_uuid: uuid_text(*id.as_bytes()),
            call_type: live.direction.as_str(),
            from: live.caller(),
            to: live.to.to_string(),
            status: if live.detail.held { "held" } else { view.status() },
            created_at: live.started_at.to_string(),
            answered_at: live.answered_at.map(|at| live.started_at.plus_micros(at.micros() - live.begun_at.micros()).to_string()),
            ended_at: None,
            duration: None,
            completion_reason: None,
            cost: None,
            timeout: live.detail.timeout,
            max_duration: Some(live.longest),
            tags: live.detail.tags.clone(),
            custom_fields: live.detail.custom_fields.clone(),
        },
        CallView::Over(call, outcome) => {
            let detail: Option<&Detail> = outcome.as_ref().map(|outcome| &outcome.detail);
            CallDto {
                call_id: id.to_string(),
                call_uuid: uuid_text(*id.as_bytes()),
                call_type: call.direction.as_str(),
                from: call.caller(),
                to: call.to.to_string(),
                status: view.status(),
                created_at: call.started_at.to_string(),
                answered_at: call.answered_at.as_ref().map(Timestamp::to_string),
                ended_at: Some(call.ended_at.to_string()),
                duration: Some(call.duration),
                completion_reason: outcome.as_ref().map(|outcome| outcome.reason.as_str()),
                cost: outcome.as_ref().map(|outcome| amount(outcome.cost)),
                timeout: detail.and_then(|detail| detail.timeout),
                max_duration: None,
                tags: detail.map(|detail| detail.tags.clone()).unwrap_or_default(),
                custom_fields: detail.map(|detail| detail.custom_fields.clone()).unwrap_or_default(),
            }
        }
    }
}
