//! `/pocket` and `/faults`: the simulated network of a test environment.

use http::{Method, StatusCode};
use serde::Serialize;
use tandem_app::smscs::{self, AddFault, PocketMessage, SendFrom};
use tandem_catalogue::{Code, Error, Result};
use tandem_store::repo::smscs::FaultRule;
use utoipa::ToSchema;

use crate::http::{Call, Endpoint, Field, Kind, Reply};

const TAG: &str = "Simulation";
const FAULT: &[(&str, &str)] = &[("fault_id", "The rule's id.")];
const EFFECTS: &[&str] = &["error", "delay", "drop", "duplicate", "reorder"];
const PLACES: &[&str] = &["submit", "receipt"];
const WHOLE: i64 = 1_000_000;
/// The status of an error and the milliseconds of a delay where nothing is said.
const USUAL_STATUS: i64 = 0x08;
const USUAL_MILLIS: i64 = 500;
/// The largest whole number that every JSON reader reads exactly.
const LARGEST_SEED: i64 = 9_007_199_254_740_991;
const READ: &[Field] = &[Field::new("to", Kind::Phone, "Whose messages, in E.164.", r#""+14155550100""#).required()];
const SEND: &[Field] = &[
    Field::new("from", Kind::Phone, "The handset's number, in E.164.", r#""+14155550199""#).required(),
    Field::new("to", Kind::Phone, "A number of your environment.", r#""+14155550100""#).required(),
    Field::new("text", Kind::Text { min: 0, max: 1_600 }, "The text.", r#""STOP""#).required(),
];
const ADD: &[Field] = &[
    Field::new("effect", Kind::Choice(EFFECTS), "What goes wrong.", r#""delay""#).required(),
    Field::new(
        "on",
        Kind::Choice(PLACES),
        "Where: the submit of a segment, or its receipt; `submit` where it is not said.",
        r#""submit""#,
    ),
    Field::new("probability", Kind::Amount { min: 0, max: WHOLE }, "How often, from 0 to 1; always where it is not said.", "0.25"),
    Field::new("seed", Kind::Int { min: 0, max: LARGEST_SEED }, "Where the dice begin: the same seed gives the same run.", "7"),
    Field::new("status", Kind::Int { min: 1, max: 0xffff_ffff }, "The command status of an `error`; 8 where it is not said.", "88"),
    Field::new("milliseconds", Kind::Int { min: 1, max: 600_000 }, "How long a `delay` takes, and a `reorder` at the most.", "500"),
];

/// Messages of a handset.
#[derive(Serialize, ToSchema)]
struct ReceivedDto {
    /// The oldest first; the last hundred are kept, in the memory of the process that answers.
    data: Vec<PocketMessageDto>,
}

/// A message that a handset received.
#[derive(Serialize, ToSchema)]
struct PocketMessageDto {
    /// From whom.
    from: String,
    /// The whole text.
    text: String,
    /// Of how many segments it was put together.
    segments: u64,
    /// When, by the machine's clock.
    at: String,
}

/// A message that a handset sends.
#[derive(Serialize, ToSchema)]
struct SentDto {
    /// The handset's number.
    from: String,
    /// Your number.
    to: String,
    /// The text.
    text: String,
}

/// A rule by which the simulated SMSC fails.
#[derive(Serialize, ToSchema)]
struct FaultDto {
    /// Its id.
    id: String,
    /// What goes wrong.
    effect: String,
    /// Where.
    on: String,
    /// How often, from 0 to 1.
    #[schema(value_type = f64, example = 0.25)]
    probability: serde_json::Value,
    /// Where the dice begin.
    seed: i64,
    /// The command status of an error.
    status: Option<i64>,
    /// How long a delay takes, and a reorder at the most.
    milliseconds: Option<i64>,
    /// When it was added.
    created_at: String,
}

/// All rules.
#[derive(Serialize, ToSchema)]
struct FaultsDto {
    /// The oldest first; the first whose dice say so applies.
    data: Vec<FaultDto>,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    let endpoints = [
        Endpoint::new(
            "listPocketMessages",
            Method::GET,
            "/pocket/messages",
            "List what a simulated handset received from your test environment.",
            received,
        )
        .query(READ)
        .answers::<ReceivedDto>(StatusCode::OK)
        .codes(&[Code::InvalidPhoneNumber, Code::UnassignedPhoneNumber, Code::OperationNotAllowed]),
        Endpoint::new(
            "sendPocketMessage",
            Method::POST,
            "/pocket/messages",
            "Let a simulated handset send a message to your number.",
            send,
        )
        .body(SEND)
        .answers::<SentDto>(StatusCode::ACCEPTED)
        .codes(&[Code::InvalidPhoneNumber, Code::UnassignedPhoneNumber, Code::NumberNotFound, Code::OperationNotAllowed]),
        Endpoint::new("addFault", Method::POST, "/faults", "Let the simulated SMSC fail for your test environment.", add)
            .body(ADD)
            .answers::<FaultDto>(StatusCode::CREATED)
            .codes(&[Code::OperationNotAllowed]),
        Endpoint::new("listFaults", Method::GET, "/faults", "List your fault rules, oldest first.", list)
            .answers::<FaultsDto>(StatusCode::OK),
        Endpoint::new("removeFault", Method::DELETE, "/faults/{fault_id}", "Take a fault rule away.", remove)
            .path_docs(FAULT)
            .answers::<FaultDto>(StatusCode::OK)
            .codes(&[Code::ResourceNotFound]),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG)).collect()
}

async fn received(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let to = form.phone("to");
    form.finish()?;
    let to = to.ok_or_else(Error::internal)?;
    let dto = |message: PocketMessage| PocketMessageDto {
        from: message.from,
        text: message.text,
        segments: message.parts,
        at: message.at.to_string(),
    };
    let found = smscs::received(&call.app, &call.caller()?, to)?;
    Ok(Reply::json(StatusCode::OK, &ReceivedDto { data: found.into_iter().map(dto).collect() }))
}

async fn send(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (from, to, text) = (form.phone("from"), form.phone("to"), form.text("text"));
    form.finish()?;
    let (Some(from), Some(to), Some(text)) = (from, to, text) else { return Err(Error::internal()) };
    let caller = call.caller()?;
    call.answer(sent, |finish| smscs::send_from(&call.app, &caller, SendFrom { from, to, text }, finish)).await
}

async fn add(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (effect, place) = (form.choice("effect").unwrap_or_default(), form.choice("on").unwrap_or("submit"));
    let (probability, seed) = (form.amount("probability").unwrap_or(WHOLE), form.int("seed").unwrap_or(0));
    let (status, millis) = (form.int("status"), form.int("milliseconds"));
    form.finish()?;
    let value = match effect {
        "error" if place == "receipt" => return Err(Error::invalid_value("on", "must be submit for an error".to_owned())),
        "error" => status.unwrap_or(USUAL_STATUS),
        "delay" | "reorder" => millis.unwrap_or(USUAL_MILLIS),
        _ => 0,
    };
    let command = AddFault { place: place.to_owned(), effect: effect.to_owned(), value, probability, seed };
    let caller = call.caller()?;
    call.answer(created, |finish| smscs::add_fault(&call.app, &caller, command, finish)).await
}

async fn list(call: Call) -> Result<Reply> {
    let found = smscs::list_faults(&call.app, &call.caller()?).await?;
    Ok(Reply::json(StatusCode::OK, &FaultsDto { data: found.iter().map(dto).collect() }))
}

async fn remove(call: Call) -> Result<Reply> {
    let (id, caller) = (call.param("fault_id").to_owned(), call.caller()?);
    call.answer(shown, |finish| smscs::remove_fault(&call.app, &caller, id, finish)).await
}

fn sent(message: &SendFrom) -> Reply {
    let dto = SentDto { from: message.from.to_string(), to: message.to.to_string(), text: message.text.clone() };
    Reply::json(StatusCode::ACCEPTED, &dto)
}

fn created(rule: &FaultRule) -> Reply {
    Reply::json(StatusCode::CREATED, &dto(rule))
}

fn shown(rule: &FaultRule) -> Reply {
    Reply::json(StatusCode::OK, &dto(rule))
}

fn dto(rule: &FaultRule) -> FaultDto {
    let of = |effects: &[&str]| effects.contains(&rule.effect.as_str()).then_some(rule.value);
    FaultDto {
        id: rule.id.to_string(),
        effect: rule.effect.clone(),
        on: rule.place.clone(),
        probability: crate::http::reply::number(rule.probability),
        seed: rule.seed,
        status: of(&["error"]),
        milliseconds: of(&["delay", "reorder"]),
        created_at: rule.created_at.to_string(),
    }
}
