//! `/requests`: the request log, for operators and for those whose requests they were.

use http::{Method, StatusCode};
use serde::Serialize;
use tandem_app::requests::{self, ListRequests};
use tandem_catalogue::{Code, Result};
use tandem_kernel::{Environment, RequestId};
use tandem_store::repo::requests::Found;
use utoipa::ToSchema;

use super::{
    page::{CURSOR, LIMIT, Page, Window},
    place::KINDS,
};
use crate::http::{Access, Call, Endpoint, Field, Kind, Reply};

const TAG: &str = "Requests";
const LIST: &[Field] = &[
    Field::new(
        "status",
        Kind::Choice(&["2xx", "4xx", "5xx", "error"]),
        "Only answers of this class; `error` is 4xx and 5xx.",
        r#""error""#,
    ),
    Field::new("account_id", Kind::Text { min: 1, max: 64 }, "Whose requests: an operator has to say it.", ""),
    Field::new("environment", Kind::Choice(KINDS), "In which environment: an operator has to say it.", r#""test""#),
    LIMIT,
    CURSOR,
];

/// A request, secrets left out.
#[derive(Serialize, ToSchema)]
struct RequestDto {
    /// Its id, as `X-Request-Id` names it.
    id: String,
    /// When it came, by the machine's clock.
    at: String,
    /// The environment whose key made it.
    environment_id: Option<String>,
    /// The dialect that answered.
    dialect: String,
    /// The last four characters of its key.
    key_last_four: String,
    /// The method.
    method: String,
    /// The pattern that its path fits.
    route: String,
    /// Path and query as they were sent.
    path: String,
    /// The status of the answer.
    status: i64,
    /// The code of the error, if it was one.
    code: Option<String>,
    /// How long it took, in microseconds.
    duration_us: i64,
    /// Unknown fields, and what was probably meant.
    hint: Option<String>,
    /// The body as it was sent, secrets left out.
    body: Option<String>,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    let endpoints = [
        Endpoint::new("listRequests", Method::GET, "/requests", "List requests, newest first.", list)
            .query(LIST)
            .answers::<Page<RequestDto>>(StatusCode::OK)
            .codes(&[Code::AccountNotFound, Code::ResourceNotFound]),
        Endpoint::new("getRequest", Method::GET, "/requests/{request_id}", "Find a request by its id.", get)
            .path_docs(&[("request_id", "The request's id, as `X-Request-Id` names it.")])
            .answers::<RequestDto>(StatusCode::OK)
            .codes(&[Code::ResourceNotFound]),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG).access(Access::Either)).collect()
}

async fn list(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let (status, account, kind) = (form.choice("status"), form.text("account_id"), form.choice("environment"));
    let window = Window::read(&mut form);
    form.finish()?;
    let command = ListRequests {
        account,
        kind: kind.and_then(Environment::parse),
        status: match status {
            Some("2xx") => (200, 299),
            Some("4xx") => (400, 499),
            Some("5xx") => (500, 599),
            Some("error") => (400, 599),
            _ => (100, 599),
        },
        before: window.cursor.map(RequestId::from_bytes),
        limit: window.fetch(),
    };
    let found = requests::list(&call.app, call.asker()?, command).await?;
    Ok(Reply::json(StatusCode::OK, &window.page(found, |found| *found.id.as_bytes(), dto)))
}

async fn get(call: Call) -> Result<Reply> {
    let found = requests::get(&call.app, call.asker()?, call.param("request_id").to_owned()).await?;
    Ok(Reply::json(StatusCode::OK, &dto(&found)))
}

fn dto(found: &Found) -> RequestDto {
    let [dialect, key_last_four, method, route, path, code, hint, body] = found.texts.clone();
    let some = |text: String| (!text.is_empty()).then_some(text);
    RequestDto {
        id: found.id.to_string(),
        at: found.at.to_string(),
        environment_id: found.environment.map(|id| id.to_string()),
        dialect,
        key_last_four,
        method,
        route,
        path,
        status: found.status,
        code: some(code),
        duration_us: found.duration,
        hint: some(hint),
        body: some(body),
    }
}
