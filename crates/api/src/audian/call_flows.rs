//! `/call-flows`: what becomes of calls. Their answers are bare objects.

use http::{Method, StatusCode};
use serde::Serialize;
use tandem_app::flows::{self, CreateFlow, FlowChange, ListFlows};
use tandem_catalogue::{Code, Error, Result};
use tandem_domain::flow::{CallFlow, Conditions, Hours, LONGEST_DESCRIPTION, LONGEST_PATTERN, MOST_RULES, Pattern, Rule};
use utoipa::ToSchema;

use super::{
    destinations::{self, DESTINATION, DESTINATION_TYPE, Raw},
    numbers::{LIMIT, OFFSET, page},
};
use crate::http::{Call, Endpoint, Field, Form, Kind, Reply};

const TAG: &str = "Call flows";
const ID: &[(&str, &str)] = &[("call_flow_id", "The call flow's id.")];
const NAME: Field = Field::new("name", Kind::Text { min: 1, max: 128 }, "Your name for it.", r#""Main line""#);
const CONDITIONS: &[Field] = &[
    Field::new(
        "callers",
        Kind::Texts { max: 16, most: 50 },
        "Only these callers: numbers, their beginnings with +, or anonymous.",
        r#"["+61"]"#,
    ),
    Field::new("time_zone", Kind::Text { min: 1, max: 64 }, "The IANA time zone of the hours.", r#""America/New_York""#),
    Field::new("days", Kind::Ints { min: 1, max: 7, most: 7 }, "Only on these days, 1 for Monday to 7 for Sunday.", "[1,2,3,4,5]"),
    Field::new("from", Kind::Text { min: 5, max: 5 }, "Only from this time of day on, HH:MM.", r#""09:00""#),
    Field::new("to", Kind::Text { min: 5, max: 5 }, "Only before this time of day, HH:MM.", r#""17:00""#),
];
const RULE: &[Field] = &[
    Field::new(
        "pattern",
        Kind::Text { min: 1, max: LONGEST_PATTERN },
        "What was dialled: digits, [1-3] for one of several, * for any run.",
        r#""*""#,
    )
    .required(),
    DESTINATION,
    DESTINATION_TYPE,
    Field::new("conditions", Kind::Exact(CONDITIONS), "What must hold besides, all of it; its members are ours.", ""),
];
const ROUTING: Field = Field::new("routing", Kind::Objects(RULE, MOST_RULES), "The first rule that fits decides.", "");
const PHONE: Field = Field::new(
    "phone_number",
    Kind::Phone,
    "One of your numbers, whose configuration is to name the flow. It is shown as long as it does.",
    r#""+14155550100""#,
)
.or(&["number", "phoneNumber"]);
const DESCRIPTION: Field =
    Field::new("description", Kind::Text { min: 0, max: LONGEST_DESCRIPTION }, "What it is for.", r#""Office hours""#);
const ACTIVE: Field = Field::new("active", Kind::Bool, "Whether it takes calls; it does where this is left out.", "true");
const CREATE: &[Field] = &[NAME.required(), ROUTING.required(), PHONE, DESCRIPTION, ACTIVE];
const UPDATE: &[Field] = &[NAME, ROUTING, PHONE.clearable(), DESCRIPTION.clearable(), ACTIVE];
const LIST: &[Field] = &[LIMIT, OFFSET];
const LOOKUP: &[Code] = &[Code::FlowNotFound];

/// A call flow.
#[derive(Serialize, ToSchema)]
struct CallFlowDto {
    /// Its id.
    #[schema(example = "cf_01hzy3v7k2m8x4c6b9d1f5g7h0")]
    call_flow_id: String,
    /// Your name for it.
    name: String,
    /// The number for which it was made.
    #[schema(example = "+14155550100")]
    phone_number: Option<String>,
    /// The first rule that fits decides.
    routing: Vec<RuleDto>,
    /// When it was made.
    #[schema(format = "date-time")]
    created_at: String,
    /// What it is for.
    description: String,
    /// Whether it takes calls.
    active: bool,
    /// When it was last changed.
    #[schema(format = "date-time")]
    updated_at: String,
    /// Grows by one with each change.
    version: i64,
}

/// A rule.
#[derive(Serialize, ToSchema)]
struct RuleDto {
    /// What was dialled.
    #[schema(example = "[1-3]")]
    pattern: String,
    /// Where the call goes; null for voicemail and hangup.
    #[schema(example = "+14155550199")]
    destination: Option<String>,
    /// `ivr_menu`, `phone_number`, `call_flow`, `conference`, `recording`, `voicemail` or `hangup`.
    #[schema(example = "phone_number")]
    destination_type: &'static str,
    /// What must hold besides.
    conditions: ConditionsDto,
}

/// What must hold for a rule to fit.
#[derive(Serialize, ToSchema)]
struct ConditionsDto {
    /// Only these callers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    callers: Vec<String>,
    /// The IANA time zone of the hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    /// Only on these days, 1 for Monday to 7 for Sunday.
    #[serde(skip_serializing_if = "Option::is_none")]
    days: Option<Vec<i64>>,
    /// `HH:MM`, inclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// `HH:MM`, exclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
}

/// A page of call flows.
#[derive(Serialize, ToSchema)]
struct CallFlowsDto {
    /// The page, oldest first.
    call_flows: Vec<CallFlowDto>,
    /// How many there are in all.
    total: i64,
    /// How many were asked for.
    limit: i64,
    /// How many were left out.
    offset: i64,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    const CREATED: &[Code] = &[
        Code::InvalidPhoneNumber,
        Code::UnassignedPhoneNumber,
        Code::UnknownParameter,
        Code::RoutingTargetMissing,
        Code::ForwardTargetInvalid,
        Code::ForwardTargetUnreachable,
        Code::ForwardLoop,
        Code::InvalidRouting,
        Code::AlreadyRouted,
        Code::NumberPorting,
        Code::OperationNotAllowed,
    ];
    const CHANGED: &[Code] = &[
        Code::FlowNotFound,
        Code::InvalidPhoneNumber,
        Code::UnassignedPhoneNumber,
        Code::UnknownParameter,
        Code::RoutingTargetMissing,
        Code::ForwardTargetInvalid,
        Code::ForwardTargetUnreachable,
        Code::ForwardLoop,
        Code::InvalidRouting,
        Code::AlreadyRouted,
        Code::NumberPorting,
    ];
    let endpoints = [
        Endpoint::new("createCallFlow", Method::POST, "/call-flows", "Make a call flow.", create)
            .body(CREATE)
            .answers::<CallFlowDto>(StatusCode::CREATED)
            .codes(CREATED),
        Endpoint::new("listCallFlows", Method::GET, "/call-flows", "List your call flows.", list)
            .query(LIST)
            .answers::<CallFlowsDto>(StatusCode::OK)
            .ours(),
        Endpoint::new("getCallFlow", Method::GET, "/call-flows/{call_flow_id}", "Read one of your call flows.", get)
            .path_docs(ID)
            .answers::<CallFlowDto>(StatusCode::OK)
            .codes(LOOKUP)
            .ours(),
        Endpoint::new(
            "updateCallFlow",
            Method::PUT,
            "/call-flows/{call_flow_id}",
            "Change a call flow; what is not named stays.",
            update,
        )
        .path_docs(ID)
        .body(UPDATE)
        .answers::<CallFlowDto>(StatusCode::OK)
        .codes(CHANGED)
        .ours(),
        Endpoint::new(
            "deleteCallFlow",
            Method::DELETE,
            "/call-flows/{call_flow_id}",
            "Delete a call flow that nothing leads to.",
            delete,
        )
        .path_docs(ID)
        .answers::<CallFlowDto>(StatusCode::OK)
        .codes(&[Code::FlowNotFound, Code::InUse])
        .ours(),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG)).collect()
}

async fn create(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (name, phone) = (form.text("name"), form.phone("phone_number"));
    let (description, active) = (form.text("description"), form.boolean("active"));
    let routing = form.objects("routing", read_rule);
    form.finish()?;
    let command = CreateFlow {
        name: name.ok_or_else(Error::internal)?,
        description: description.unwrap_or_default(),
        phone,
        active: active.unwrap_or(true),
        routing: rules(routing.unwrap_or_default())?,
    };
    let caller = call.caller()?;
    let outcome = call.answer(created, |finish| flows::create(&call.app, &caller, command, finish)).await;
    outcome.map_err(|error| error.rename_field(|field| form.spelling(field)))
}

async fn list(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let (limit, offset) = page(&mut form, 20);
    form.finish()?;
    let command = ListFlows { limit, offset, ..ListFlows::default() };
    let found = flows::list(&call.app, &call.caller()?, command).await?;
    let call_flows = found.flows.iter().map(dto).collect();
    Ok(Reply::json(StatusCode::OK, &CallFlowsDto { call_flows, total: found.total, limit, offset }))
}

async fn get(call: Call) -> Result<Reply> {
    let flow = flows::get(&call.app, &call.caller()?, id(&call)).await?;
    Ok(plain(&flow))
}

async fn update(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let mut change = FlowChange {
        name: form.text("name"),
        description: form.patch("description", Form::text),
        phone: form.patch("phone_number", Form::phone),
        active: form.boolean("active"),
        routing: None,
    };
    let routing = form.objects("routing", read_rule);
    form.finish()?;
    change.routing = routing.map(rules).transpose()?;
    let caller = call.caller()?;
    let outcome = call.answer(plain, |finish| flows::update(&call.app, &caller, id(&call), change, finish)).await;
    outcome.map_err(|error| error.rename_field(|field| form.spelling(field)))
}

async fn delete(call: Call) -> Result<Reply> {
    let caller = call.caller()?;
    call.answer(plain, |finish| flows::delete(&call.app, &caller, id(&call), finish)).await
}

fn id(call: &Call) -> String {
    call.param("call_flow_id").to_owned()
}

/// A rule as it was sent.
struct RawRule {
    pattern: Option<String>,
    to: Raw,
    conditions: RawConditions,
}

#[derive(Default)]
struct RawConditions {
    callers: Vec<String>,
    time_zone: Option<String>,
    days: Option<Vec<i64>>,
    from: Option<String>,
    to: Option<String>,
}

fn read_rule(form: &mut Form) -> RawRule {
    let conditions = form.object("conditions", |form| RawConditions {
        callers: form.texts("callers").unwrap_or_default(),
        time_zone: form.text("time_zone"),
        days: form.ints("days"),
        from: form.text("from"),
        to: form.text("to"),
    });
    RawRule { pattern: form.text("pattern"), to: destinations::read(form), conditions: conditions.unwrap_or_default() }
}

fn rules(raw: Vec<RawRule>) -> Result<Vec<Rule>> {
    raw.into_iter().enumerate().map(|(place, raw)| rule(&format!("routing.{place}"), raw)).collect()
}

fn rule(path: &str, raw: RawRule) -> Result<Rule> {
    let text = raw.pattern.ok_or_else(Error::internal)?;
    let pattern = Pattern::parse(&text).map_err(|rule| Error::invalid_value(format!("{path}.pattern"), rule))?;
    let conditions = conditions(&format!("{path}.conditions"), raw.conditions)?;
    conditions.check(&format!("{path}.conditions"))?;
    Ok(Rule { pattern, to: raw.to.destination(&format!("{path}.destination"))?, conditions })
}

/// Hours are all of the day and of the week where only one of the two is said; they need a time zone.
fn conditions(path: &str, raw: RawConditions) -> Result<Conditions> {
    let RawConditions { callers, time_zone, days, from, to } = raw;
    let hours = match (time_zone, days, from, to) {
        (None, None, None, None) => None,
        (None, ..) => return Err(Error::missing_parameter(format!("{path}.time_zone"))),
        (_, None, None, None) => return Err(Error::missing_parameter(format!("{path}.days"))),
        (_, _, None, Some(_)) => return Err(Error::missing_parameter(format!("{path}.from"))),
        (_, _, Some(_), None) => return Err(Error::missing_parameter(format!("{path}.to"))),
        (Some(time_zone), days, from, to) => Some(Hours {
            time_zone,
            days: days.unwrap_or_else(|| (1..=7).collect()),
            from: from.unwrap_or_else(|| "00:00".to_owned()),
            to: to.unwrap_or_else(|| "00:00".to_owned()),
        }),
    };
    Ok(Conditions { callers, hours })
}

fn created(flow: &CallFlow) -> Reply {
    Reply::json(StatusCode::CREATED, &dto(flow))
}

fn plain(flow: &CallFlow) -> Reply {
    Reply::json(StatusCode::OK, &dto(flow))
}

fn dto(flow: &CallFlow) -> CallFlowDto {
    CallFlowDto {
        call_flow_id: flow.id.to_string(),
        name: flow.name.clone(),
        phone_number: flow.phone.map(|phone| phone.to_string()),
        routing: flow.routing.iter().map(rule_dto).collect(),
        created_at: flow.created_at.to_string(),
        description: flow.description.clone(),
        active: flow.active,
        updated_at: flow.updated_at.to_string(),
        version: flow.version,
    }
}

fn rule_dto(rule: &Rule) -> RuleDto {
    let hours = rule.conditions.hours.as_ref();
    RuleDto {
        pattern: rule.pattern.to_string(),
        destination: rule.to.target(),
        destination_type: rule.to.kind(),
        conditions: ConditionsDto {
            callers: rule.conditions.callers.clone(),
            time_zone: hours.map(|hours| hours.time_zone.clone()),
            days: hours.map(|hours| hours.days.clone()),
            from: hours.map(|hours| hours.from.clone()),
            to: hours.map(|hours| hours.to.clone()),
        },
    }
}
