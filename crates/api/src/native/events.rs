//! `/events`: the event log of an environment.

use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::Value;
use tandem_app::events;
use tandem_catalogue::{Code, Result};
use tandem_kernel::EventId;
use tandem_store::repo::events::Event;
use utoipa::ToSchema;

use super::page::{PAGE, Page, Window, number_of, numbered};
use crate::http::{Call, Endpoint, Reply};

const TAG: &str = "Events";

/// A change of state.
#[derive(Serialize, ToSchema)]
struct EventDto {
    /// Its id.
    id: String,
    /// The object.
    object_id: String,
    /// The object's first event is 1.
    sequence: i64,
    /// What happened: `number.purchased` and the like.
    #[schema(example = "number.purchased")]
    kind: String,
    /// More about it.
    #[schema(value_type = Object)]
    data: Value,
    /// When, by the environment's clock.
    at: String,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    let endpoints = [
        Endpoint::new("listEvents", Method::GET, "/events", "List what happened in your environment, oldest first.", list)
            .query(PAGE)
            .answers::<Page<EventDto>>(StatusCode::OK),
        Endpoint::new(
            "listObjectEvents",
            Method::GET,
            "/events/{object_id}",
            "List what happened to one object, oldest first.",
            of_object,
        )
        .path_docs(&[("object_id", "The object's id, of whatever kind.")])
        .query(PAGE)
        .answers::<Page<EventDto>>(StatusCode::OK)
        .codes(&[Code::ResourceNotFound]),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG)).collect()
}

async fn list(call: Call) -> Result<Reply> {
    let window = window(&call)?;
    let found = events::list(&call.app, &call.caller()?, window.cursor.map(EventId::from_bytes), window.fetch()).await?;
    Ok(Reply::json(StatusCode::OK, &window.page(found, |event| *event.id.as_bytes(), dto)))
}

async fn of_object(call: Call) -> Result<Reply> {
    let window = window(&call)?;
    let (object, after) = (call.param("object_id").to_owned(), window.cursor.map_or(0, number_of));
    let found = events::of_object(&call.app, &call.caller()?, object, after, window.fetch()).await?;
    Ok(Reply::json(StatusCode::OK, &window.page(found, |event| numbered(event.sequence), dto)))
}

fn window(call: &Call) -> Result<Window> {
    let mut form = call.query_form()?;
    let window = Window::read(&mut form);
    form.finish()?;
    Ok(window)
}

fn dto(event: &Event) -> EventDto {
    EventDto {
        id: event.id.to_string(),
        object_id: event.object.clone(),
        sequence: event.sequence,
        kind: event.kind.clone(),
        data: serde_json::from_str(&event.data).unwrap_or_default(), // the store has it as it was written
        at: event.at.to_string(),
    }
}
