//! `/opt-outs`: who wants no messages from whom.

use http::{Method, StatusCode};
use serde::Serialize;
use tandem_app::messages;
use tandem_catalogue::{Code, Error, Result};
use tandem_kernel::OptOutId;
use tandem_store::repo::optouts::OptOut;
use utoipa::ToSchema;

use super::page::{PAGE, Page, Window};
use crate::http::{Call, Endpoint, Field, Kind, Reply};

const TAG: &str = "Opt-outs";
const ADD: &[Field] = &[
    Field::new("from", Kind::Sender, "From whom no messages are wanted: a number or a name.", r#""+14155550123""#).required(),
    Field::new("to", Kind::Phone, "Who wants none, in E.164.", r#""+14155550199""#).required(),
];

/// Somebody who wants no messages from a sender.
#[derive(Serialize, ToSchema)]
struct OptOutDto {
    /// Its id.
    id: String,
    /// From whom no messages are wanted.
    from: String,
    /// Who wants none.
    to: String,
    /// The word that they wrote, or `api`.
    source: String,
    /// Since when, by the environment's clock.
    created_at: String,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    let endpoints = [
        Endpoint::new("listOptOuts", Method::GET, "/opt-outs", "List who wants no messages from whom, oldest first.", list)
            .query(PAGE)
            .answers::<Page<OptOutDto>>(StatusCode::OK),
        Endpoint::new("addOptOut", Method::POST, "/opt-outs", "Put somebody on the list of those who want no messages.", add)
            .body(ADD)
            .answers::<OptOutDto>(StatusCode::CREATED)
            .codes(&[Code::InvalidPhoneNumber, Code::UnassignedPhoneNumber]),
        Endpoint::new("removeOptOut", Method::DELETE, "/opt-outs/{opt_out_id}", "Take somebody off the list.", remove)
            .path_docs(&[("opt_out_id", "The entry's id.")])
            .answers::<OptOutDto>(StatusCode::OK)
            .codes(&[Code::ResourceNotFound]),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG)).collect()
}

async fn list(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let window = Window::read(&mut form);
    form.finish()?;
    let after = window.cursor.map(OptOutId::from_bytes);
    let found = messages::list_opt_outs(&call.app, &call.caller()?, after, window.fetch()).await?;
    Ok(Reply::json(StatusCode::OK, &window.page(found, |entry| *entry.id.as_bytes(), dto)))
}

async fn add(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (from, to) = (form.sender("from"), form.phone("to"));
    form.finish()?;
    let (from, to) = (from.ok_or_else(Error::internal)?, to.ok_or_else(Error::internal)?);
    let caller = call.caller()?;
    let render = |entry: &OptOut| Reply::json(StatusCode::CREATED, &dto(entry));
    call.answer(render, |finish| messages::add_opt_out(&call.app, &caller, from, to, finish)).await
}

async fn remove(call: Call) -> Result<Reply> {
    let caller = call.caller()?;
    let id = call.param("opt_out_id").to_owned();
    let render = |entry: &OptOut| Reply::json(StatusCode::OK, &dto(entry));
    call.answer(render, |finish| messages::remove_opt_out(&call.app, &caller, id, finish)).await
}

fn dto(entry: &OptOut) -> OptOutDto {
    OptOutDto {
        id: entry.id.to_string(),
        from: entry.from.to_string(),
        to: entry.to.to_string(),
        source: entry.source.clone(),
        created_at: entry.created_at.to_string(),
    }
}
