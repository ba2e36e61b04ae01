//! `/ports` and `/numbers/…/port-out`: the queue of ports, which operators work by hand where no carrier does it for them.

use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::Value;
use tandem_app::{
    Asker,
    ports::{self, QueuePorts, QueuedPort},
};
use tandem_catalogue::{Code, Error, Result};
use tandem_domain::{
    document::Document,
    number::Number,
    port::{Address, Port, PortState},
};
use tandem_kernel::{PortId, Timestamp};
use utoipa::ToSchema;

use super::page::{CURSOR, LIMIT, Page, Window};
use crate::http::{Access, Call, Endpoint, Field, Kind, Reply, reply::number as amount};

const TAG: &str = "Ports";
const STATES: &[&str] = &["pending", "submitted", "scheduled", "completed", "rejected", "canceled"];
const ID: &[(&str, &str)] = &[("port_id", "The port's id.")];
const DOCUMENT: &[(&str, &str)] = &[("port_id", "The port's id."), ("document_id", "The document's id.")];
const NUMBER: &[(&str, &str)] = &[("number_id", "The number's id.")];
const FILE: &str = "application/octet-stream";
const QUEUE: &[Field] = &[
    Field::new("status", Kind::Choice(STATES), "Only ports in this state; all that are open where it is not said.", r#""pending""#),
    LIMIT,
    CURSOR,
];
const SCHEDULE: &[Field] =
    &[Field::new("date", Kind::Time, "When the losing carrier lets the number go.", r#""2030-01-15""#).required()];
const REJECT: &[Field] =
    &[Field::new("reason", Kind::Text { min: 1, max: 128 }, "What the losing carrier says.", r#""The PIN is wrong""#).required()];

/// A number's move from another carrier to us.
#[derive(Serialize, ToSchema)]
struct PortDto {
    /// Its id.
    id: String,
    /// Whose it is; left out in the answers to steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<OwnerDto>,
    /// The environment that asked for it.
    environment_id: String,
    /// The number, in E.164.
    number: String,
    /// The number of the account that it becomes.
    number_id: String,
    /// `pending`, `submitted`, `scheduled`, `completed`, `rejected` or `canceled`.
    status: &'static str,
    /// Which of our carriers takes the number over.
    carrier: String,
    /// What the losing carrier needs to know.
    losing: LosingDto,
    /// What it costs when completed.
    #[schema(value_type = f64, example = 25)]
    fee: Value,
    /// What the fee is in.
    currency: String,
    /// The date that the losing carrier named.
    scheduled_for: Option<String>,
    /// Since when the number is here.
    completed_at: Option<String>,
    /// Why the losing carrier refused.
    reason: Option<String>,
    /// When it will probably be done.
    estimated_completion: String,
    /// When it was asked for.
    created_at: String,
    /// When its state last changed.
    updated_at: String,
}

/// Whose a port is.
#[derive(Serialize, ToSchema)]
struct OwnerDto {
    /// The account.
    account_id: String,
    /// `live` or `test`.
    environment: &'static str,
}

/// What the losing carrier needs to let a number go.
#[derive(Serialize, ToSchema)]
struct LosingDto {
    /// The losing carrier.
    carrier_name: Option<String>,
    /// The account there.
    account_number: String,
    /// Its PIN, while the port is open.
    account_pin: Option<String>,
    /// The number on its bill.
    billing_phone: String,
    /// The name on its bill.
    end_user_name: String,
    /// The address on its bill.
    end_user_address: AddressDto,
}

/// An address.
#[derive(Serialize, ToSchema)]
struct AddressDto {
    /// House number and street.
    street: String,
    /// City.
    city: String,
    /// State or province.
    state: String,
    /// Postal code.
    postal_code: String,
    /// ISO 3166-1 alpha-2.
    country: String,
}

/// The documents of a port.
#[derive(Serialize, ToSchema)]
struct DocumentsDto {
    /// Oldest first.
    data: Vec<DocumentDto>,
}

/// A document that supports a port.
#[derive(Serialize, ToSchema)]
struct DocumentDto {
    /// Its id.
    id: String,
    /// `loa`, `bill` or `other`.
    kind: &'static str,
    /// Its sender's name for it.
    name: String,
    /// What sort of file it is.
    media_type: &'static str,
    /// Its length in bytes.
    size: i64,
    /// When it was added.
    created_at: String,
}

/// A file.
#[derive(Serialize, ToSchema)]
#[schema(value_type = String, format = Binary)]
struct FileDto(#[allow(dead_code, reason = "only its schema is used")] Vec<u8>);

/// A number on its way to another carrier, or one that stays.
#[derive(Serialize, ToSchema)]
struct LeavingDto {
    /// Its id.
    id: String,
    /// E.164.
    number: String,
    /// The environment that has it, or had it.
    environment_id: String,
    /// `active`, `porting_out` or `released`.
    status: &'static str,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = queue_endpoints();
    endpoints.extend(steps());
    endpoints.extend(leaving());
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG).access(Access::Operator)).collect()
}

fn queue_endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("listPortQueue", Method::GET, "/ports", "List the ports of all accounts, oldest first.", queue)
            .query(QUEUE)
            .answers::<Page<PortDto>>(StatusCode::OK),
        Endpoint::new("inspectPort", Method::GET, "/ports/{port_id}", "Read a port.", inspect)
            .path_docs(ID)
            .answers::<PortDto>(StatusCode::OK)
            .codes(&[Code::PortNotFound]),
        Endpoint::new("listPortDocuments", Method::GET, "/ports/{port_id}/documents", "List a port's documents.", documents)
            .path_docs(ID)
            .answers::<DocumentsDto>(StatusCode::OK)
            .codes(&[Code::PortNotFound]),
        Endpoint::new(
            "readPortDocument",
            Method::GET,
            "/ports/{port_id}/documents/{document_id}",
            "Fetch a port's document.",
            document,
        )
        .path_docs(DOCUMENT)
        .media_type(FILE)
        .answers::<FileDto>(StatusCode::OK)
        .codes(&[Code::PortNotFound, Code::ResourceNotFound]),
    ]
}

fn steps() -> Vec<Endpoint> {
    const CODES: &[Code] = &[Code::PortNotFound, Code::InvalidTransition];
    let endpoints = [
        Endpoint::new("submitPort", Method::POST, "/ports/{port_id}/submit", "The losing carrier has the request.", submit)
            .codes(CODES),
        Endpoint::new("schedulePort", Method::POST, "/ports/{port_id}/schedule", "The losing carrier named a date.", schedule)
            .body(SCHEDULE)
            .codes(CODES),
        Endpoint::new("completePort", Method::POST, "/ports/{port_id}/complete", "The number is here.", complete).codes(&[
            Code::PortNotFound,
            Code::InvalidTransition,
            Code::PortNotPossibleNow,
        ]),
        Endpoint::new("rejectPort", Method::POST, "/ports/{port_id}/reject", "The losing carrier refuses.", reject)
            .body(REJECT)
            .codes(CODES),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.path_docs(ID).answers::<PortDto>(StatusCode::OK)).collect()
}

fn leaving() -> Vec<Endpoint> {
    const PATH: &str = "/numbers/{number_id}/port-out";
    let endpoints = [
        Endpoint::new("startPortOut", Method::POST, PATH, "Another carrier asks for a number.", start_port_out),
        Endpoint::new("cancelPortOut", Method::DELETE, PATH, "The number stays after all.", cancel_port_out),
        Endpoint::new(
            "completePortOut",
            Method::POST,
            "/numbers/{number_id}/port-out/complete",
            "The other carrier has the number.",
            complete_port_out,
        ),
    ];
    let answers = |endpoint: Endpoint| endpoint.path_docs(NUMBER).answers::<LeavingDto>(StatusCode::OK);
    endpoints.into_iter().map(|endpoint| answers(endpoint).codes(&[Code::NumberNotFound, Code::InvalidTransition])).collect()
}

async fn queue(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let state = form.choice("status");
    let window = Window::read(&mut form);
    form.finish()?;
    let command = QueuePorts { state, after: window.cursor.map(PortId::from_bytes), limit: window.fetch() };
    let found = ports::queue(&call.app, command).await?;
    Ok(Reply::json(StatusCode::OK, &window.page(found, |queued| *queued.port.id.as_bytes(), queued)))
}

async fn inspect(call: Call) -> Result<Reply> {
    let found = ports::inspect(&call.app, port_id(&call)).await?;
    Ok(Reply::json(StatusCode::OK, &queued(&found)))
}

async fn documents(call: Call) -> Result<Reply> {
    let found = ports::documents(&call.app, Asker::Operator, port_id(&call)).await?;
    let document = |document: &Document| DocumentDto {
        id: document.id.to_string(),
        kind: document.kind.as_str(),
        name: document.name.clone(),
        media_type: document.media_type.as_str(),
        size: document.size,
        created_at: document.created_at.to_string(),
    };
    Ok(Reply::json(StatusCode::OK, &DocumentsDto { data: found.iter().map(document).collect() }))
}

/// A file that an account sent is handed on to be saved, never to be shown by a browser as ours.
async fn document(call: Call) -> Result<Reply> {
    let id = call.param("document_id").to_owned();
    let (document, content) = ports::document(&call.app, Asker::Operator, port_id(&call), id).await?;
    let name = document.name.replace(['"', '\\'], "_");
    let reply = Reply::bytes(FILE, content).with("content-disposition", format!("attachment; filename=\"{name}\""));
    Ok(reply.with("x-content-type-options", "nosniff"))
}

async fn submit(call: Call) -> Result<Reply> {
    call.answer(moved, |finish| ports::submit(&call.app, call.operator(), port_id(&call), finish)).await
}

async fn schedule(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let date = form.time("date");
    form.finish()?;
    let date = date.ok_or_else(Error::internal)?;
    call.answer(moved, |finish| ports::schedule(&call.app, call.operator(), port_id(&call), date, finish)).await
}

async fn complete(call: Call) -> Result<Reply> {
    call.answer(moved, |finish| ports::complete(&call.app, call.operator(), port_id(&call), finish)).await
}

async fn reject(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let reason = form.text("reason");
    form.finish()?;
    let reason = reason.ok_or_else(Error::internal)?;
    call.answer(moved, |finish| ports::reject(&call.app, call.operator(), port_id(&call), reason, finish)).await
}

async fn start_port_out(call: Call) -> Result<Reply> {
    call.answer(left, |finish| ports::start_port_out(&call.app, call.operator(), number_id(&call), finish)).await
}

async fn cancel_port_out(call: Call) -> Result<Reply> {
    call.answer(left, |finish| ports::cancel_port_out(&call.app, call.operator(), number_id(&call), finish)).await
}

async fn complete_port_out(call: Call) -> Result<Reply> {
    call.answer(left, |finish| ports::complete_port_out(&call.app, call.operator(), number_id(&call), finish)).await
}

fn port_id(call: &Call) -> String {
    call.param("port_id").to_owned()
}

fn number_id(call: &Call) -> String {
    call.param("number_id").to_owned()
}

fn moved(port: &Port) -> Reply {
    Reply::json(StatusCode::OK, &dto(port))
}

fn left(number: &Number) -> Reply {
    let dto = LeavingDto {
        id: number.id.to_string(),
        number: number.phone.to_string(),
        environment_id: number.environment.to_string(),
        status: number.state.as_str(),
    };
    Reply::json(StatusCode::OK, &dto)
}

fn queued(found: &QueuedPort) -> PortDto {
    let owner = OwnerDto { account_id: found.account.to_string(), environment: found.kind.as_str() };
    PortDto { owner: Some(owner), ..dto(&found.port) }
}

fn dto(port: &Port) -> PortDto {
    let (scheduled_for, completed_at, reason) = match &port.state {
        PortState::Scheduled { at } => (Some(at), None, None),
        PortState::Completed { at } => (None, Some(at), None),
        PortState::Rejected { reason } => (None, None, Some(reason.clone())),
        PortState::Pending | PortState::Submitted | PortState::Canceled => (None, None, None),
    };
    PortDto {
        id: port.id.to_string(),
        owner: None,
        environment_id: port.environment.to_string(),
        number: port.details.phone.to_string(),
        number_id: port.number.to_string(),
        status: port.state.as_str(),
        carrier: port.carrier.clone(),
        losing: losing(port),
        fee: amount(port.fee.micros),
        currency: port.fee.currency.to_string(),
        scheduled_for: scheduled_for.map(Timestamp::to_string),
        completed_at: completed_at.map(Timestamp::to_string),
        reason,
        estimated_completion: port.estimated_completion.to_string(),
        created_at: port.created_at.to_string(),
        updated_at: port.updated_at.to_string(),
    }
}

fn losing(port: &Port) -> LosingDto {
    let details = port.details.clone();
    let Address { street, city, state, postal_code, country } = details.end_user_address;
    LosingDto {
        carrier_name: details.carrier_name,
        account_number: details.account_number,
        account_pin: details.account_pin,
        billing_phone: details.billing_phone.to_string(),
        end_user_name: details.end_user_name,
        end_user_address: AddressDto { street, city, state, postal_code, country },
    }
}
