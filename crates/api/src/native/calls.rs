//! `/calls`: calls that go on and calls that are over; what they may do; where they would go; and a day's books.

use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};
use tandem_app::{
    calls::{self, CallView, PolicyView, Reconciliation, Whose},
    routing::{self, RouteQuery, Routed},
};
use tandem_catalogue::{Code, Dialect, Error, Result};
use tandem_domain::{
    Step,
    call::{Call as Record, Live, Outcome, Policy, Reason, cause},
    config::Recording,
    routing::{Attempt, Plan, Stage, Target},
};
use tandem_kernel::{CallId, Country, Money, PhoneFault, PhoneNumber, Timestamp, uuid_text};
use utoipa::ToSchema;

use super::{
    page::{PAGE, Page, Window},
    place,
    verifications::COUNTRIES,
};
use crate::http::{Access, Call, Endpoint, Field, Form, Kind, Reply, reply::number as amount};

const TAG: &str = "Calls";
const ID: &[(&str, &str)] = &[("call_id", "The call's id.")];
const DAY: &[(&str, &str)] = &[("day", "The day, by the environment's clock in UTC: `2024-01-31`.")];
const DEAREST: i64 = 1_000_000 * Money::UNIT;
const POLICY: &[Field] = &[
    Field::new("countries", Kind::Choices(COUNTRIES), "The countries that may be called, by ISO 3166-1.", r#"["AU","US"]"#),
    Field::new("most_per_minute", Kind::Amount { min: 0, max: DEAREST }, "The most that a minute of a call may cost.", "0.5"),
    Field::new("most_per_day", Kind::Amount { min: 0, max: DEAREST }, "The most that calls may cost in a day.", "100"),
    Field::new("calls_per_minute", Kind::Int { min: 0, max: 1_000_000 }, "Calls that may begin within a minute.", "60"),
    Field::new("most_concurrent", Kind::Int { min: 0, max: 1_000_000 }, "Calls that may be up at once.", "50"),
    Field::new("longest_seconds", Kind::Int { min: 1, max: 86_400 }, "How long a call may last.", "14400"),
];
const ROUTE: &[Field] = &[
    Field::new("to", Kind::Phone, "Who is called.", r#""+14155550123""#).required(),
    Field::new("from", Kind::Phone, "Who calls; a caller who hides the number where it is not said.", r#""+14155550199""#),
    Field::new(
        "path",
        Kind::Texts { max: 20, most: 20 },
        "Numbers that have sent the call on already, in E.164, the first one first.",
        "[]",
    ),
    Field::new("at", Kind::Time, "When, by the environment's clock; now where it is not said.", r#""2030-01-01T00:00:00Z""#),
];

/// A call.
#[derive(Serialize, ToSchema)]
struct CallDto {
    /// Its id.
    id: String,
    /// The same as a UUID.
    uuid: String,
    /// `inbound` or `outbound`.
    direction: &'static str,
    /// `initiated`, `ringing` or `answered` while it goes on; `completed` or `failed` afterwards.
    status: &'static str,
    /// Who called; `anonymous` for a caller who hides the number.
    from: String,
    /// Which number was called.
    to: String,
    /// The number that took it, where it was sent on.
    endpoint: Option<String>,
    /// The property that it belongs to.
    property_id: String,
    /// The device that made it or took it.
    device_id: Option<String>,
    /// `api`, `device`, `trunk`, `pocket` or `internal` (from another number of this installation); null where another system wrote its record.
    initiated_by: Option<String>,
    /// When it began.
    started_at: String,
    /// When it was taken.
    answered_at: Option<String>,
    /// When it ended.
    ended_at: Option<String>,
    /// Seconds that were spoken; null while it goes on.
    duration: Option<i64>,
    /// `answered`, `ivr`, `busy`, `no_answer` or `failed`; null while it goes on.
    disposition: Option<&'static str>,
    /// Why it ended.
    end: Option<EndDto>,
    /// What it cost, or what is set aside for it while it goes on; null where another system wrote its record.
    #[schema(value_type = Option<f64>)]
    cost: Option<Value>,
    /// Seconds that are paid for; null once it is over.
    granted_seconds: Option<i64>,
    /// The keys that the caller chose in menus.
    prompts: Vec<String>,
    /// Your labels.
    #[schema(value_type = Object)]
    tags: Map<String, Value>,
    /// Your fields.
    #[schema(value_type = Object)]
    custom_fields: Map<String, Value>,
    /// What was measured of the media.
    #[schema(value_type = Option<Object>)]
    quality: Option<Value>,
}

/// Why a call ended.
#[derive(Serialize, ToSchema)]
struct EndDto {
    /// The reason.
    reason: &'static str,
    /// The catalogue's code; null for what is no fault.
    code: Option<&'static str>,
    /// The SIP status.
    sip_status: u16,
    /// The value of Q.850.
    q850: u8,
}

/// What an environment's calls may do.
#[derive(Serialize, ToSchema)]
struct CallingPolicyDto {
    /// Whether this is what applies where no operator says anything.
    usual: bool,
    /// The countries that may be called.
    countries: Vec<String>,
    /// The most that a minute of a call may cost.
    #[schema(value_type = f64)]
    most_per_minute: Value,
    /// The most that calls may cost in a day of the environment's clock.
    #[schema(value_type = f64)]
    most_per_day: Value,
    /// Calls that may begin within a minute of the machine's clock.
    calls_per_minute: i64,
    /// Calls that may be up at once.
    most_concurrent: i64,
    /// How long a call may last.
    longest_seconds: i64,
}

/// Where a call would go.
#[derive(Serialize, ToSchema)]
struct PlannedRouteDto {
    /// `inbound` for a call to a number of yours, `outbound` for one from a number of yours.
    direction: &'static str,
    /// The number of yours that it is about.
    number: Option<String>,
    /// What would be done with it; null where it would be refused.
    plan: Option<PlanDto>,
    /// Why it would be refused.
    refusal: Option<RefusalDto>,
    /// How it came out, in a sentence.
    outcome: String,
    /// The rules that were looked at, in order; the last one decided.
    steps: Vec<RouteStepDto>,
}

/// What would be done with a call.
#[derive(Serialize, ToSchema)]
struct PlanDto {
    /// The webhook that is asked first: what it answers stands in place of the rest, which is for when it does not answer.
    webhook: Option<String>,
    /// `ring`, `menu`, `conference`, `announcement` or `voicemail`; `refuse` where only the webhook could have the call taken.
    treatment: &'static str,
    /// The menu, conference or recording.
    target: Option<String>,
    /// The telephones that ring, one stage after the other.
    stages: Vec<StageDto>,
    /// `voicemail`, or why the call ends when nobody took it.
    otherwise: &'static str,
    /// Whether it is recorded.
    recorded: bool,
    /// The format of the recording.
    recording_format: Option<String>,
}

/// Telephones that ring at the same time.
#[derive(Serialize, ToSchema)]
struct StageDto {
    /// For how long.
    ring_seconds: i64,
    /// Whom.
    attempts: Vec<RingAttemptDto>,
}

/// One telephone that rings.
#[derive(Serialize, ToSchema)]
struct RingAttemptDto {
    /// `device`, `trunk`, `internal` or `pocket`.
    kind: &'static str,
    /// The number that is called.
    number: Option<String>,
    /// The device.
    device_id: Option<String>,
    /// Through how many trunks it can be tried.
    trunks: usize,
    /// The number that is shown; null for a caller who hides it.
    caller_id: Option<String>,
    /// The number of yours that sends the call on.
    diverted_by: Option<String>,
}

/// Why a call would be refused.
#[derive(Serialize, ToSchema)]
struct RefusalDto {
    /// The catalogue's code.
    code: &'static str,
    /// What is said.
    detail: String,
    /// The reason in one word.
    reason: &'static str,
    /// The SIP status.
    sip_status: u16,
    /// The value of Q.850.
    q850: u8,
}

/// One rule that was looked at.
#[derive(Serialize, ToSchema)]
struct RouteStepDto {
    /// The rule.
    rule: String,
    /// The values that were compared.
    compared: String,
    /// Whether the rule was met.
    met: bool,
}

/// A day's books, each counted where it is kept.
#[derive(Serialize, ToSchema)]
struct ReconciliationDto {
    /// The day.
    day: String,
    /// Whether everything agrees.
    agrees: bool,
    /// What does not.
    faults: Vec<String>,
    /// Calls that began on that day.
    begun: i64,
    /// Those of them that go on.
    live: i64,
    /// Those of them that have a record.
    recorded: i64,
    /// Calls that were closed on that day.
    closed: i64,
    /// Those of them that have a record.
    records: i64,
    /// Their terminal events.
    terminal_events: i64,
    /// Calls with more than one of these.
    repeated_events: i64,
    /// What the calls that were closed cost, by their records.
    #[schema(value_type = f64)]
    cost: Value,
    /// What was captured for them, by the ledger.
    #[schema(value_type = f64)]
    captured: Value,
    /// What is still set aside for them, by the ledger.
    #[schema(value_type = f64)]
    held: Value,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    const OF: &str = "/accounts/{account_id}/environments/{environment}/calling-policy";
    const LOOKUP: &[Code] = &[Code::AccountNotFound, Code::ResourceNotFound];
    let endpoints = [
        Endpoint::new("listCalls", Method::GET, "/calls", "List your calls, those that go on too, the newest first.", list)
            .query(PAGE)
            .answers::<Page<CallDto>>(StatusCode::OK)
            .codes(&[Code::CallNotFound]),
        Endpoint::new("getCall", Method::GET, "/calls/{call_id}", "Read one of your calls.", get)
            .path_docs(ID)
            .answers::<CallDto>(StatusCode::OK)
            .codes(&[Code::CallNotFound]),
        Endpoint::new("getOwnCallingPolicy", Method::GET, "/calling-policy", "Read what your calls may do.", own_policy)
            .answers::<CallingPolicyDto>(StatusCode::OK),
        Endpoint::new("getCallingPolicy", Method::GET, OF, "Read what an environment's calls may do.", policy)
            .access(Access::Operator)
            .path_docs(place::ENVIRONMENT)
            .answers::<CallingPolicyDto>(StatusCode::OK)
            .codes(LOOKUP),
        Endpoint::new("setCallingPolicy", Method::PATCH, OF, "Set what an environment's calls may do.", set_policy)
            .access(Access::Operator)
            .path_docs(place::ENVIRONMENT)
            .body(POLICY)
            .answers::<CallingPolicyDto>(StatusCode::OK)
            .codes(LOOKUP),
        Endpoint::new(
            "simulateRoute",
            Method::POST,
            "/simulate/route",
            "Ask where a call would go, without making it: one to a number of yours, or one from a number of yours.",
            simulate,
        )
        .body(ROUTE)
        .answers::<PlannedRouteDto>(StatusCode::OK)
        .codes(&[Code::InvalidPhoneNumber, Code::UnassignedPhoneNumber]),
        Endpoint::new(
            "reconcileDay",
            Method::GET,
            "/reconciliation/{day}",
            "Hold a day's calls, their records, their terminal events and their money against each other.",
            reconcile,
        )
        .path_docs(DAY)
        .answers::<ReconciliationDto>(StatusCode::OK)
        .codes(&[Code::ResourceNotFound]),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG)).collect()
}

async fn list(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let window = Window::read(&mut form);
    form.finish()?;
    let before = window.cursor.map(CallId::from_bytes);
    let found = calls::list_shown(&call.app, &call.caller()?, before, window.fetch()).await?;
    Ok(Reply::json(StatusCode::OK, &window.page(found, |view| *view.id().as_bytes(), dto)))
}

async fn get(call: Call) -> Result<Reply> {
    let found = calls::find_shown(&call.app, &call.caller()?, call.param("call_id").to_owned()).await?;
    Ok(Reply::json(StatusCode::OK, &dto(&found)))
}

async fn own_policy(call: Call) -> Result<Reply> {
    let view = calls::read_policy(&call.app, Whose::Own(call.caller()?)).await?;
    Ok(Reply::json(StatusCode::OK, &policy_dto(&view)))
}

async fn policy(call: Call) -> Result<Reply> {
    let whose = Whose::Of(place::account(&call)?, place::kind(&call)?);
    let view = calls::read_policy(&call.app, whose).await?;
    Ok(Reply::json(StatusCode::OK, &policy_dto(&view)))
}

async fn set_policy(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let change = read_change(&mut form);
    form.finish()?;
    let render = |view: &PolicyView| Reply::json(StatusCode::OK, &policy_dto(view));
    let of = (place::account(&call)?, place::kind(&call)?);
    call.answer(render, |finish| calls::set_policy(&call.app, call.operator(), of, change, finish)).await
}

async fn simulate(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (to, from, path, at) = (form.phone("to"), form.phone("from"), form.texts("path"), form.time("at"));
    form.finish()?;
    let path = path.unwrap_or_default().iter().enumerate().map(read_hop).collect::<Result<_>>()?;
    let to = to.ok_or_else(Error::internal)?;
    let found = routing::simulate(&call.app, &call.caller()?, to, RouteQuery { from, path, at }).await?;
    let reply = Reply::json(StatusCode::OK, &route(&found));
    let store = &call.app.store;
    call.answer(move |_: &()| reply.clone(), |finish| store.write(move |tx| finish(tx, &()))).await
}

async fn reconcile(call: Call) -> Result<Reply> {
    let text = call.param("day");
    let whole = text.len() == 10;
    let day = Timestamp::parse(text).filter(|_| whole).ok_or_else(|| Error::resource_not_found("day", text.to_owned()))?;
    let found = calls::reconciliation(&call.app, &call.caller()?, day).await?;
    Ok(Reply::json(StatusCode::OK, &reconciliation(&found)))
}

fn read_hop((place, text): (usize, &String)) -> Result<PhoneNumber> {
    let field = format!("path.{place}");
    PhoneNumber::parse(text).map_err(|fault| match fault {
        PhoneFault::Format => Error::invalid_phone_number(field, text.clone()),
        PhoneFault::NotAssigned => Error::unassigned_phone_number(field, text.clone()),
    })
}

fn read_change(form: &mut Form) -> impl Fn(&mut Policy) + Send + Sync + use<> {
    let countries = form.choices("countries");
    let amounts = [form.amount("most_per_minute"), form.amount("most_per_day")];
    let numbers = [form.int("calls_per_minute"), form.int("most_concurrent"), form.int("longest_seconds")];
    move |policy| {
        if let Some(codes) = &countries {
            let mut chosen: Vec<Country> = codes.iter().filter_map(|code| Country::parse(code)).collect();
            chosen.sort_unstable();
            chosen.dedup();
            policy.countries = chosen;
        }
        let members = [
            &mut policy.most_per_minute,
            &mut policy.most_per_day,
            &mut policy.calls_per_minute,
            &mut policy.most_concurrent,
            &mut policy.longest,
        ];
        for (member, value) in members.into_iter().zip(amounts.into_iter().chain(numbers)) {
            *member = value.unwrap_or(*member);
        }
    }
}

fn policy_dto(view: &PolicyView) -> CallingPolicyDto {
    let policy = &view.policy;
    CallingPolicyDto {
        usual: view.usual,
        countries: policy.countries.iter().map(Country::to_string).collect(),
        most_per_minute: amount(policy.most_per_minute),
        most_per_day: amount(policy.most_per_day),
        calls_per_minute: policy.calls_per_minute,
        most_concurrent: policy.most_concurrent,
        longest_seconds: policy.longest,
    }
}

fn dto(view: &CallView) -> CallDto {
    match view {
        CallView::Live(live) => live_dto(view, live),
        CallView::Over(call, outcome) => over_dto(view, call, outcome.as_deref()),
    }
}

fn live_dto(view: &CallView, live: &Live) -> CallDto {
    CallDto {
        id: live.id.to_string(),
        uuid: uuid_text(*live.id.as_bytes()),
        direction: live.direction.as_str(),
        status: view.status(),
        from: live.caller(),
        to: live.to.to_string(),
        endpoint: live.endpoint.map(|number| number.to_string()),
        property_id: live.property.to_string(),
        device_id: live.device.map(|id| id.to_string()),
        initiated_by: Some(live.detail.initiated_by.clone()),
        started_at: live.started_at.to_string(),
        answered_at: live.answered_at.map(|at| live.started_at.plus_micros(at.micros() - live.begun_at.micros()).to_string()),
        ended_at: None,
        duration: None,
        disposition: None,
        end: None,
        cost: Some(amount(live.held)),
        granted_seconds: Some(live.granted),
        prompts: Vec::new(),
        tags: live.detail.tags.clone(),
        custom_fields: live.detail.custom_fields.clone(),
        quality: None,
    }
}

fn over_dto(view: &CallView, call: &Record, outcome: Option<&Outcome>) -> CallDto {
    let detail = outcome.map(|outcome| outcome.detail.clone());
    CallDto {
        id: call.id.to_string(),
        uuid: uuid_text(*call.id.as_bytes()),
        direction: call.direction.as_str(),
        status: view.status(),
        from: call.caller(),
        to: call.to.to_string(),
        endpoint: call.endpoint.map(|number| number.to_string()),
        property_id: call.property.to_string(),
        device_id: outcome.and_then(|outcome| outcome.device).map(|id| id.to_string()),
        initiated_by: detail.as_ref().map(|detail| detail.initiated_by.clone()),
        started_at: call.started_at.to_string(),
        answered_at: call.answered_at.as_ref().map(Timestamp::to_string),
        ended_at: Some(call.ended_at.to_string()),
        duration: Some(call.duration),
        disposition: Some(call.disposition.as_str()),
        end: outcome.map(|outcome| EndDto {
            reason: outcome.reason.as_str(),
            code: outcome.reason.code().map(Code::name),
            sip_status: outcome.sip,
            q850: outcome.q850,
        }),
        cost: outcome.map(|outcome| amount(outcome.cost)),
        granted_seconds: None,
        prompts: call.prompts.clone(),
        tags: detail.as_ref().map(|detail| detail.tags.clone()).unwrap_or_default(),
        custom_fields: detail.map(|detail| detail.custom_fields).unwrap_or_default(),
        quality: outcome.and_then(|outcome| outcome.quality.clone()),
    }
}

fn route(found: &Routed) -> PlannedRouteDto {
    let step = |step: &Step| RouteStepDto { rule: step.rule.clone(), compared: step.compared.clone(), met: step.met };
    PlannedRouteDto {
        direction: found.direction.as_str(),
        number: found.number.as_ref().map(|number| number.phone.to_string()),
        plan: found.plan.as_ref().ok().map(plan),
        refusal: found.plan.as_ref().err().map(refusal),
        outcome: found.explanation.outcome.clone(),
        steps: found.explanation.steps.iter().map(step).collect(),
    }
}

fn plan(plan: &Plan) -> PlanDto {
    PlanDto {
        webhook: plan.ask.clone(),
        treatment: plan.begin.kind(),
        target: plan.begin.target(),
        stages: plan.begin.stages().iter().map(stage).collect(),
        otherwise: plan.otherwise(),
        recorded: plan.recording.is_some(),
        recording_format: plan.recording.as_ref().map(|Recording { format, .. }| format.clone()),
    }
}

fn stage(stage: &Stage) -> StageDto {
    StageDto { ring_seconds: stage.ring_seconds, attempts: stage.attempts.iter().map(attempt).collect() }
}

fn attempt(attempt: &Attempt) -> RingAttemptDto {
    let text = |number: PhoneNumber| number.to_string();
    let (device_id, trunks) = match &attempt.target {
        Target::Device(id) => (Some(id.to_string()), 0),
        Target::Trunks { trunks, .. } => (None, trunks.len()),
        Target::Internal(_) | Target::Pocket(_) => (None, 0),
    };
    RingAttemptDto {
        kind: attempt.target.kind(),
        number: attempt.target.number().map(text),
        device_id,
        trunks,
        caller_id: attempt.caller_id.map(text),
        diverted_by: attempt.diverted_by.map(text),
    }
}

fn refusal(error: &Error) -> RefusalDto {
    let reason = Reason::of_error(error);
    RefusalDto {
        code: error.code().name(),
        detail: error.render(Dialect::Native).message,
        reason: reason.as_str(),
        sip_status: cause::sip_of(error),
        q850: reason.q850(),
    }
}

fn reconciliation(found: &Reconciliation) -> ReconciliationDto {
    let books = &found.books;
    ReconciliationDto {
        day: found.day.date(),
        agrees: found.faults.is_empty(),
        faults: found.faults.clone(),
        begun: books.begun,
        live: books.live,
        recorded: books.recorded,
        closed: books.closed,
        records: books.records,
        terminal_events: books.events,
        repeated_events: books.repeated,
        cost: amount(books.cost),
        captured: amount(books.captured),
        held: amount(books.held),
    }
}
