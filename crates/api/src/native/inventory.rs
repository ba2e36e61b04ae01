//! `/inventory`: the numbers that can be bought, as operators look after them.

use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::Value;
use tandem_app::{
    inventory::{self, ChangeStock, Intake, StockedNumber},
    inventory_import::Format,
};
use tandem_catalogue::{Code, Error, Result};
use tandem_domain::Features;
use tandem_kernel::{Environment, Money};
use utoipa::ToSchema;

use super::place::{self, KINDS};
use crate::http::{Access, Call, Endpoint, Field, Kind, Reply, reply::number as amount};

const TAG: &str = "Inventory";
const MEBIBYTE: usize = 1024 * 1024;
/// The largest text that one request brings; the command line takes any.
const LARGEST_IMPORT: usize = 32 * MEBIBYTE;
const DEAREST: i64 = 1_000_000 * Money::UNIT;
const FEATURES: &[&str] = &["voice", "sms", "mms", "fax"];
const REQUIREMENTS: &[&str] = &["none", "any", "local"];

const IMPORT: &[Field] = &[
    Field::new("environment", Kind::Choice(KINDS), "Whose inventory: the live one, or that of all test environments.", r#""live""#)
        .required(),
    Field::new(
        "format",
        Kind::Choice(&["csv", "jsonl"]),
        "CSV with a header, or a JSON object on each line; CSV where it is not said.",
        r#""csv""#,
    ),
];
const CHANGE: &[Field] = &[
    Field::new(
        "state",
        Kind::Choice(&["available", "reserved"]),
        "`reserved` sets the number aside, `available` puts it up for sale.",
        r#""reserved""#,
    ),
    Field::new("monthly", Kind::Amount { min: 0, max: DEAREST }, "What a month costs.", "0.99"),
    Field::new("setup", Kind::Amount { min: 0, max: DEAREST }, "What getting it costs.", "0"),
    Field::new("features", Kind::Choices(FEATURES), "What it can do; at least one.", r#"["voice","sms"]"#),
    Field::new("address_requirement", Kind::Choice(REQUIREMENTS), "Which address its country wants.", r#""none""#),
];

/// A number of the inventory.
#[derive(Serialize, ToSchema)]
struct StockDto {
    /// E.164.
    #[schema(example = "+14155550123")]
    number: String,
    /// In which kind of environment it can be bought.
    environment: &'static str,
    /// Who carries it.
    carrier: String,
    /// `available`, `reserved`, `assigned` or `quarantined`.
    state: &'static str,
    /// What it can do.
    features: Vec<&'static str>,
    /// What a month costs.
    #[schema(value_type = f64, example = 0.99)]
    monthly: Value,
    /// What getting it costs.
    #[schema(value_type = f64, example = 0)]
    setup: Value,
    /// What its prices are in.
    currency: String,
    /// Which address its country wants: `none`, `any` or `local`.
    address_requirement: String,
    /// Who has it, or orders it.
    holder: Option<HolderDto>,
}

/// Who has a number.
#[derive(Serialize, ToSchema)]
struct HolderDto {
    /// The account.
    account_id: Option<String>,
    /// Its environment.
    environment_id: String,
}

/// Counts of the inventory.
#[derive(Serialize, ToSchema)]
struct SummaryDto {
    /// In which kind of environment.
    environment: &'static str,
    /// How many numbers there are.
    total: i64,
    /// How many of them are for sale.
    available: i64,
    /// By carrier and state.
    groups: Vec<GroupDto>,
}

/// Numbers that are alike.
#[derive(Serialize, ToSchema)]
struct GroupDto {
    /// Who carries them.
    carrier: String,
    /// Where they are.
    state: String,
    /// How many.
    count: i64,
}

/// What was taken in, and what was not.
#[derive(Serialize, ToSchema)]
struct IntakeDto {
    /// Lines with something on them, the header left out.
    lines: u64,
    /// Numbers that are new, or whose price or features changed.
    loaded: u64,
    /// Numbers that were there already, and those that somebody has, which stay as they are.
    unchanged: u64,
    /// Bad lines.
    refused: u64,
    /// The first thousand of them.
    bad_lines: Vec<BadLineDto>,
}

/// A line that was not taken in.
#[derive(Serialize, ToSchema)]
struct BadLineDto {
    /// The first line of the text is 1.
    line: u64,
    /// Why not.
    reason: String,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    let endpoints = [
        Endpoint::new(
            "importInventory",
            Method::POST,
            "/inventory/imports",
            "Take in numbers; bad lines are named and left out.",
            import,
        )
        .query(IMPORT)
        .raw_body()
        .raw_types(&["text/csv", "application/x-ndjson"])
        .largest_body(LARGEST_IMPORT)
        .answers::<IntakeDto>(StatusCode::OK),
        Endpoint::new("summarizeInventory", Method::GET, "/inventory/{environment}/summary", "Count the inventory.", summary)
            .path_docs(place::STOCK)
            .answers::<SummaryDto>(StatusCode::OK)
            .codes(&[Code::ResourceNotFound]),
        Endpoint::new(
            "getInventoryNumber",
            Method::GET,
            "/inventory/{environment}/{number}",
            "Read a number of the inventory.",
            get,
        )
        .path_docs(place::STOCKED)
        .answers::<StockDto>(StatusCode::OK)
        .codes(&[Code::ResourceNotFound]),
        Endpoint::new(
            "changeInventoryNumber",
            Method::PATCH,
            "/inventory/{environment}/{number}",
            "Set a number aside, put it up for sale, or change its price; what is not named stays.",
            change,
        )
        .path_docs(place::STOCKED)
        .body(CHANGE)
        .answers::<StockDto>(StatusCode::OK)
        .codes(&[Code::ResourceNotFound, Code::InvalidTransition]),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG).access(Access::Operator)).collect()
}

async fn import(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let (kind, format) = (form.choice("environment"), form.choice("format"));
    form.finish()?;
    let kind = kind.and_then(Environment::parse).ok_or_else(Error::internal)?;
    let format = if format == Some("jsonl") { Format::JsonLines } else { Format::Csv };
    let text = call.bytes.clone();
    call.answer(taken_in, |finish| inventory::import(&call.app, call.operator(), kind, format, text, finish)).await
}

async fn summary(call: Call) -> Result<Reply> {
    let found = inventory::summary(&call.app, place::kind(&call)?).await?;
    let (environment, total, available) = (found.kind.as_str(), found.total, found.available);
    let groups = found.groups.into_iter();
    let groups = groups.map(|group| GroupDto { carrier: group.carrier, state: group.state, count: group.count }).collect();
    Ok(Reply::json(StatusCode::OK, &SummaryDto { environment, total, available, groups }))
}

async fn get(call: Call) -> Result<Reply> {
    let found = inventory::get(&call.app, place::kind(&call)?, call.param("number").to_owned()).await?;
    Ok(stocked(&found))
}

async fn change(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let features = form.choices("features");
    let command = ChangeStock {
        reserved: form.choice("state").map(|state| state == "reserved"),
        monthly: form.amount("monthly"),
        setup: form.amount("setup"),
        features: features.map(|names| names.into_iter().filter_map(Features::parse).fold(Features::default(), Features::with)),
        address_requirement: form.choice("address_requirement"),
    };
    form.finish()?;
    if command.features == Some(Features::default()) {
        return Err(Error::invalid_value("features", format!("must name at least one of {}", Features::CHOICES)));
    }
    let (kind, number) = (place::kind(&call)?, call.param("number").to_owned());
    call.answer(stocked, |finish| inventory::change(&call.app, call.operator(), kind, number, command, finish)).await
}

fn stocked(found: &StockedNumber) -> Reply {
    let offer = &found.offer;
    let holder = offer.holder.map(|environment| HolderDto {
        account_id: found.account.map(|id| id.to_string()),
        environment_id: environment.to_string(),
    });
    let dto = StockDto {
        number: offer.phone.to_string(),
        environment: found.kind.as_str(),
        carrier: offer.carrier.clone(),
        state: offer.state.as_str(),
        features: offer.features.names().collect(),
        monthly: amount(offer.monthly.micros),
        setup: amount(offer.setup.micros),
        currency: offer.monthly.currency.to_string(),
        address_requirement: offer.address_requirement.clone(),
        holder,
    };
    Reply::json(StatusCode::OK, &dto)
}

fn taken_in(intake: &Intake) -> Reply {
    let bad_line = |bad: &tandem_app::inventory_import::BadLine| BadLineDto { line: bad.line, reason: bad.reason.clone() };
    let dto = IntakeDto {
        lines: intake.imported.lines,
        loaded: intake.imported.loaded,
        unchanged: intake.imported.unchanged,
        refused: intake.imported.refused,
        bad_lines: intake.bad_lines.iter().map(bad_line).collect(),
    };
    Reply::json(StatusCode::OK, &dto)
}
