//! `/webhooks` and `/deliveries`: endpoints of every dialect, what was sent to them, and sending it again.

use http::{Method, StatusCode};
use serde::Serialize;
use tandem_app::webhooks::{self, CreateWebhook, DeliveryView, ListDeliveries, Owner, Replay, Replayed, WebhookView, Who};
use tandem_catalogue::{Code, Dialect, Error, Result};
use tandem_domain::webhook::{self, Attempt, CHOICES, Change, DeliveryState, LONGEST_URL, Target, Webhook, render};
use tandem_kernel::{AccountId, DeliveryId, Environment, EventId, Timestamp, WebhookId};
use tandem_store::repo::deliveries::Told;
use utoipa::ToSchema;

use super::{
    page::{CURSOR, LIMIT, Page, Window},
    place::KINDS,
};
use crate::http::{Access, Call, Endpoint, Field, Form, Kind, Reply};

const TAG: &str = "Webhooks";
const ID: &[(&str, &str)] = &[("webhook_id", "The webhook's id.")];
const DELIVERY: &[(&str, &str)] = &[("delivery_id", "The delivery's id.")];
const DIALECTS: &[&str] = &["native", "audian", "telephony_io", "fonedynamics"];
const METHODS: &[&str] = &["POST", "GET"];
const STATES: &[&str] = &["waiting", "pending", "delivered", "failed", "canceled"];
const LONGEST_OVERLAP: i64 = 30 * 86_400;
const USUAL_OVERLAP: i64 = 86_400;

const ACCOUNT: Field = Field::new("account_id", Kind::Text { min: 1, max: 64 }, "Whose; an operator has to say it.", "");
const ENVIRONMENT: Field =
    Field::new("environment", Kind::Choice(KINDS), "In which environment; an operator has to say it.", r#""test""#);
const URL: Field = Field::new(
    "url",
    Kind::Text { min: 1, max: LONGEST_URL },
    "Where events are sent to.",
    r#""https://api.customer.example/webhooks""#,
);
const DESCRIPTION: Field = Field::new("description", Kind::Text { min: 0, max: 256 }, "A name to know it by.", r#""Billing""#);
const EVENTS: Field = Field::new(
    "events",
    Kind::Choices(&CHOICES),
    "Which events, by the names of its dialect; `*` is all that the dialect knows.",
    r#"["number.purchased"]"#,
);
const METHOD: Field = Field::new("method", Kind::Choice(METHODS), "How it is called; GET for Fone Dynamics' only.", r#""POST""#);
const DIALECT: Field =
    Field::new("dialect", Kind::Choice(DIALECTS), "How it is spoken to; `native` is Standard Webhooks.", r#""native""#);
const CREATE: &[Field] = &[ACCOUNT, ENVIRONMENT, DIALECT, URL.required(), EVENTS.required(), DESCRIPTION, METHOD];
const CHANGE: &[Field] = &[URL, EVENTS, DESCRIPTION, METHOD];
const LIST: &[Field] = &[ACCOUNT, ENVIRONMENT, DIALECT, LIMIT, CURSOR];
const DELIVERIES: &[Field] =
    &[Field::new("status", Kind::Choice(STATES), "Only deliveries in this state.", r#""failed""#), LIMIT, CURSOR];
const ROTATE: &[Field] = &[Field::new(
    "overlap_seconds",
    Kind::Int { min: 0, max: LONGEST_OVERLAP },
    "For how long deliveries are signed with the old secret too; a day where it is not said.",
    "86400",
)];
const REPLAY: &[Field] = &[
    Field::new("from", Kind::Time, "What happened from then on, by the environment's clock.", r#""2024-01-01T00:00:00Z""#)
        .required(),
    Field::new("until", Kind::Time, "And before then; until now where it is not said.", r#""2030-01-01T00:00:00Z""#),
    EVENTS,
    Field::new(
        "only",
        Kind::Choice(&["missed", "all"]),
        "`missed`: what did not arrive and is not on its way, which is usual; `all`: what arrived too.",
        r#""missed""#,
    ),
    Field { example: r#""00000000000000000000000000""#, ..CURSOR },
];

/// An endpoint that hears of events.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEndpointDto)]
struct WebhookDto {
    /// Its id.
    id: String,
    /// Whose events it hears of.
    environment_id: String,
    /// How it is spoken to: `native`, `audian`, `telephony_io` or `fonedynamics`.
    dialect: &'static str,
    /// Where it is.
    url: String,
    /// How it is called.
    method: &'static str,
    /// The name that it is known by.
    description: String,
    /// Which events, by the names of its dialect; `*` is all.
    events: Vec<String>,
    /// `active` or `disabled`; `deleted` in the answer that says so.
    status: &'static str,
    /// Why it is disabled.
    disabled_reason: Option<String>,
    /// Since when every attempt failed.
    failing_since: Option<String>,
    /// What deliveries are signed with: only in the first answer to what makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    signing_secret: Option<String>,
    /// Until when the secret before it is used too.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_secret_until: Option<String>,
    /// When it was made.
    created_at: String,
}

/// An event on its way to a webhook.
#[derive(Serialize, ToSchema)]
struct DeliveryDto {
    /// Its id.
    id: String,
    /// Where it goes; of a number's webhook only its deliveries are shown.
    webhook_id: String,
    /// The event.
    event_id: String,
    /// What happened.
    event: String,
    /// The object that it happened to.
    object_id: String,
    /// `waiting` for an earlier one about the same object, `pending`, `delivered`, `failed` or `canceled`.
    status: &'static str,
    /// How often it was tried.
    attempts: i64,
    /// When it is tried next.
    next_attempt_at: Option<String>,
    /// When it was made.
    created_at: String,
    /// When it ended.
    finished_at: Option<String>,
}

/// A delivery with all that is known of it.
#[derive(Serialize, ToSchema)]
struct DeliveryDetailDto {
    #[serde(flatten)]
    delivery: DeliveryDto,
    /// Where it goes.
    url: String,
    /// What is sent: a body, or a query where the webhook is called by GET.
    payload: String,
    /// Every attempt, in their order.
    attempt_log: Vec<AttemptDto>,
}

/// One attempt.
#[derive(Serialize, ToSchema)]
struct AttemptDto {
    /// Its id.
    id: String,
    /// The first is 1.
    number: i64,
    /// When it began, by the environment's clock.
    at: String,
    /// Where it went.
    url: String,
    /// What was sent.
    headers: Vec<HeaderDto>,
    /// The answer's status; null where there was no answer.
    status: Option<u16>,
    /// The first 2 KiB of the answer's body.
    answer: String,
    /// What went wrong.
    error: Option<String>,
    /// How long it took.
    #[schema(value_type = f64)]
    duration_ms: f64,
}

/// A header.
#[derive(Serialize, ToSchema)]
struct HeaderDto {
    /// Its name.
    name: String,
    /// Its value.
    value: String,
}

/// What is told again.
#[derive(Serialize, ToSchema)]
struct ReplayedDto {
    /// How many deliveries were made.
    deliveries: usize,
    /// What to send as `cursor` to go on, where there was more than one request looks at.
    next_cursor: Option<String>,
}

/// The secret of number webhooks.
#[derive(Serialize, ToSchema)]
struct NumberSecretDto {
    /// What the webhooks of the environment's numbers are signed with.
    signing_secret: String,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = of_webhooks();
    endpoints.extend(of_deliveries());
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG)).collect()
}

fn of_webhooks() -> Vec<Endpoint> {
    const LOOKUP: &[Code] = &[Code::ResourceNotFound];
    const OWNER: &[Code] = &[Code::AccountNotFound, Code::ResourceNotFound];
    const ONE: &str = "/webhooks/{webhook_id}";
    let make = Endpoint::new("makeWebhook", Method::POST, "/webhooks", "Make a webhook; its secret is shown once.", create)
        .body(CREATE)
        .answers::<WebhookDto>(StatusCode::CREATED)
        .codes(&[Code::AccountNotFound, Code::ResourceNotFound, Code::OperationNotAllowed]);
    let list = Endpoint::new("listAllWebhooks", Method::GET, "/webhooks", "List webhooks of every dialect, oldest first.", list)
        .query(LIST)
        .answers::<Page<WebhookDto>>(StatusCode::OK)
        .codes(OWNER);
    let endpoints = [
        make,
        list,
        Endpoint::new("readWebhook", Method::GET, ONE, "Read a webhook.", get)
            .path_docs(ID)
            .answers::<WebhookDto>(StatusCode::OK)
            .codes(LOOKUP),
        Endpoint::new("changeWebhook", Method::PATCH, ONE, "Change a webhook; what is not named stays.", change)
            .path_docs(ID)
            .body(CHANGE)
            .answers::<WebhookDto>(StatusCode::OK)
            .codes(LOOKUP),
        Endpoint::new("removeWebhook", Method::DELETE, ONE, "Delete a webhook and call off its deliveries.", delete)
            .path_docs(ID)
            .answers::<WebhookDto>(StatusCode::OK)
            .codes(LOOKUP),
        Endpoint::new("enableWebhook", Method::POST, "/webhooks/{webhook_id}/enable", "Deliver to a webhook again.", enable)
            .path_docs(ID)
            .answers::<WebhookDto>(StatusCode::OK)
            .codes(LOOKUP),
        Endpoint::new("disableWebhook", Method::POST, "/webhooks/{webhook_id}/disable", "Stop delivering to a webhook.", disable)
            .path_docs(ID)
            .answers::<WebhookDto>(StatusCode::OK)
            .codes(LOOKUP),
        Endpoint::new(
            "rotateSecret",
            Method::POST,
            "/webhooks/{webhook_id}/rotate-secret",
            "Give a webhook a new secret; it is shown once.",
            rotate,
        )
        .path_docs(ID)
        .body(ROTATE)
        .answers::<WebhookDto>(StatusCode::OK)
        .codes(LOOKUP),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.access(Access::Either)).collect()
}

fn of_deliveries() -> Vec<Endpoint> {
    const STATE: &[Code] = &[Code::ResourceNotFound, Code::InvalidTransition];
    let endpoints = [
        Endpoint::new("sendTestEvent", Method::POST, "/webhooks/{webhook_id}/test", "Send a webhook a test event.", test)
            .path_docs(ID)
            .answers::<DeliveryDto>(StatusCode::ACCEPTED)
            .codes(STATE),
        Endpoint::new(
            "replayEvents",
            Method::POST,
            "/webhooks/{webhook_id}/replay",
            "Tell a webhook again what happened in a stretch of time.",
            replay_range,
        )
        .path_docs(ID)
        .body(REPLAY)
        .answers::<ReplayedDto>(StatusCode::ACCEPTED)
        .codes(STATE),
        Endpoint::new(
            "listDeliveries",
            Method::GET,
            "/webhooks/{webhook_id}/deliveries",
            "List a webhook's deliveries, newest first.",
            deliveries,
        )
        .path_docs(ID)
        .query(DELIVERIES)
        .answers::<Page<DeliveryDto>>(StatusCode::OK)
        .codes(&[Code::ResourceNotFound]),
        Endpoint::new(
            "getDelivery",
            Method::GET,
            "/deliveries/{delivery_id}",
            "Read a delivery with what is sent and every attempt.",
            delivery,
        )
        .path_docs(DELIVERY)
        .answers::<DeliveryDetailDto>(StatusCode::OK)
        .codes(&[Code::ResourceNotFound]),
        Endpoint::new(
            "replayDelivery",
            Method::POST,
            "/deliveries/{delivery_id}/replay",
            "Make a delivery once more, as a new one of the same event.",
            replay,
        )
        .path_docs(DELIVERY)
        .answers::<DeliveryDto>(StatusCode::ACCEPTED)
        .codes(STATE),
    ];
    let mut endpoints: Vec<_> = endpoints.into_iter().map(|endpoint| endpoint.access(Access::Either)).collect();
    endpoints.push(
        Endpoint::new(
            "getNumberWebhookSecret",
            Method::GET,
            "/number-webhooks/secret",
            "Read the secret that the webhooks of your environment's numbers are signed with.",
            number_secret,
        )
        .answers::<NumberSecretDto>(StatusCode::OK),
    );
    endpoints
}

async fn create(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let command = CreateWebhook {
        owner: owner(&mut form),
        dialect: form.choice("dialect").and_then(Dialect::parse).unwrap_or(Dialect::Native),
        url: form.text("url").unwrap_or_default(),
        description: form.text("description").unwrap_or_default(),
        events: names(form.choices("events")).unwrap_or_default(),
        method: form.choice("method").and_then(webhook::Method::parse).unwrap_or(webhook::Method::Post),
    };
    form.finish()?;
    let who = who(&call)?;
    call.answer_once(created, created_before, |finish| webhooks::create(&call.app, who, command, finish)).await
}

async fn list(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let (owner, dialect) = (owner(&mut form), form.choice("dialect").and_then(Dialect::parse));
    let window = Window::read(&mut form);
    form.finish()?;
    let after = window.cursor.map(WebhookId::from_bytes);
    let found = webhooks::list(&call.app, who(&call)?, owner, dialect, after, window.fetch()).await?;
    Ok(Reply::json(StatusCode::OK, &window.page(found, |webhook| *webhook.id.as_bytes(), dto)))
}

async fn get(call: Call) -> Result<Reply> {
    let webhook = webhooks::get(&call.app, who(&call)?, None, id(&call)).await?;
    Ok(Reply::json(StatusCode::OK, &dto(&webhook)))
}

async fn change(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let change = Change {
        url: form.text("url"),
        description: form.text("description"),
        events: names(form.choices("events")),
        active: None,
        method: form.choice("method").and_then(webhook::Method::parse),
    };
    form.finish()?;
    changed(&call, change).await
}

async fn enable(call: Call) -> Result<Reply> {
    changed(&call, Change { active: Some(true), ..Change::default() }).await
}

async fn disable(call: Call) -> Result<Reply> {
    changed(&call, Change { active: Some(false), ..Change::default() }).await
}

async fn changed(call: &Call, change: Change) -> Result<Reply> {
    let (who, id) = (who(call)?, id(call));
    call.answer(plain, |finish| webhooks::change(&call.app, who, None, id, change, finish)).await
}

async fn delete(call: Call) -> Result<Reply> {
    let (who, id) = (who(&call)?, id(&call));
    call.answer(plain, |finish| webhooks::delete(&call.app, who, None, id, finish)).await
}

async fn rotate(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let overlap = form.int("overlap_seconds").unwrap_or(USUAL_OVERLAP);
    form.finish()?;
    let (who, id) = (who(&call)?, id(&call));
    call.answer_once(rotated, plain, |finish| webhooks::rotate(&call.app, who, None, id, overlap, finish)).await
}

async fn test(call: Call) -> Result<Reply> {
    let (who, id) = (who(&call)?, id(&call));
    call.answer(accepted, |finish| webhooks::test(&call.app, who, None, id, finish)).await
}

async fn replay_range(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let command = Replay {
        webhook: id(&call),
        from: form.time("from").unwrap_or_default(),
        until: form.time("until"),
        events: names(form.choices("events")),
        missed_only: form.choice("only") != Some("all"),
        after: form.text("cursor").and_then(|text| tandem_kernel::from_base32(&text)).map(EventId::from_bytes),
    };
    form.finish()?;
    let who = who(&call)?;
    call.answer(replayed, |finish| webhooks::replay_range(&call.app, who, command, finish)).await
}

async fn deliveries(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let state = form.choice("status").and_then(DeliveryState::parse);
    let window = Window::read(&mut form);
    form.finish()?;
    let command =
        ListDeliveries { webhook: id(&call), state, before: window.cursor.map(DeliveryId::from_bytes), limit: window.fetch() };
    let (_, found) = webhooks::deliveries(&call.app, who(&call)?, command).await?;
    Ok(Reply::json(StatusCode::OK, &window.page(found, |told| *told.delivery.id.as_bytes(), delivery_dto)))
}

async fn delivery(call: Call) -> Result<Reply> {
    let (view, attempts) = webhooks::attempts(&call.app, who(&call)?, call.param("delivery_id").to_owned()).await?;
    let account = call.app.directory.environment(view.told.delivery.environment).await?.account.id;
    let dto = DeliveryDetailDto {
        delivery: delivery_dto(&view.told),
        url: view.webhook.url.clone(),
        payload: payload(&view, account)?,
        attempt_log: attempts.iter().map(attempt_dto).collect(),
    };
    Ok(Reply::json(StatusCode::OK, &dto))
}

async fn replay(call: Call) -> Result<Reply> {
    let (who, id) = (who(&call)?, call.param("delivery_id").to_owned());
    call.answer(accepted, |finish| webhooks::replay(&call.app, who, id, finish)).await
}

async fn number_secret(call: Call) -> Result<Reply> {
    let signing_secret = webhooks::number_secret(&call.app, &call.caller()?)?;
    Ok(Reply::json(StatusCode::OK, &NumberSecretDto { signing_secret }))
}

fn who(call: &Call) -> Result<Who> {
    match call.asker()? {
        tandem_app::Asker::Operator => Ok(Who::Operator(call.operator())),
        tandem_app::Asker::Account(caller) => Ok(Who::Account(caller)),
    }
}

fn id(call: &Call) -> String {
    call.param("webhook_id").to_owned()
}

fn owner(form: &mut Form) -> Owner {
    Owner { account: form.text("account_id"), kind: form.choice("environment").and_then(Environment::parse) }
}

fn names(events: Option<Vec<&'static str>>) -> Option<Vec<String>> {
    events.map(|names| names.into_iter().map(str::to_owned).collect())
}

/// What is sent, written anew from the event.
fn payload(view: &DeliveryView, account: AccountId) -> Result<String> {
    let happening = webhooks::happening(&view.told, account)?;
    let body = render(view.webhook.target, view.webhook.method, &happening);
    let text = String::from_utf8(body.bytes).map_err(|fault| Error::internal().because(fault))?;
    Ok(if body.query.is_empty() { text } else { body.query })
}

fn created(view: &WebhookView) -> Reply {
    Reply::json(StatusCode::CREATED, &with_secret(view))
}

/// The answer to a repetition has no secret: it is kept nowhere.
fn created_before(view: &WebhookView) -> Reply {
    Reply::json(StatusCode::CREATED, &dto(&view.webhook))
}

fn rotated(view: &WebhookView) -> Reply {
    Reply::json(StatusCode::OK, &with_secret(view))
}

fn plain(view: &WebhookView) -> Reply {
    Reply::json(StatusCode::OK, &dto(&view.webhook))
}

fn accepted(view: &DeliveryView) -> Reply {
    Reply::json(StatusCode::ACCEPTED, &delivery_dto(&view.told))
}

fn replayed(replayed: &Replayed) -> Reply {
    let next_cursor = replayed.next.map(|id| tandem_kernel::base32(*id.as_bytes()));
    Reply::json(StatusCode::ACCEPTED, &ReplayedDto { deliveries: replayed.count, next_cursor })
}

fn with_secret(view: &WebhookView) -> WebhookDto {
    let previous_secret_until = view.previous_until.map(|until| until.to_string());
    WebhookDto { signing_secret: view.secret.clone(), previous_secret_until, ..dto(&view.webhook) }
}

fn dto(webhook: &Webhook) -> WebhookDto {
    WebhookDto {
        id: webhook.id.to_string(),
        environment_id: webhook.environment.to_string(),
        dialect: match webhook.target {
            Target::Endpoint(dialect) => dialect.as_str(),
            Target::Number => "number",
            Target::Message => "message",
        },
        url: webhook.url.clone(),
        method: webhook.method.as_str(),
        description: webhook.description.clone(),
        events: webhook.interest.names().into_iter().map(str::to_owned).collect(),
        status: webhook.state.as_str(),
        disabled_reason: webhook.state.reason().map(str::to_owned),
        failing_since: webhook.failing_since.map(|since| since.to_string()),
        signing_secret: None,
        previous_secret_until: None,
        created_at: webhook.created_at.to_string(),
    }
}

fn delivery_dto(told: &Told) -> DeliveryDto {
    let delivery = &told.delivery;
    DeliveryDto {
        id: delivery.id.to_string(),
        webhook_id: delivery.webhook.to_string(),
        event_id: delivery.event.to_string(),
        event: delivery.kind.clone(),
        object_id: delivery.object.clone(),
        status: delivery.state.as_str(),
        attempts: delivery.attempts,
        next_attempt_at: (delivery.state == DeliveryState::Pending).then(|| delivery.due_at.to_string()),
        created_at: delivery.created_at.to_string(),
        finished_at: delivery.finished_at.as_ref().map(Timestamp::to_string),
    }
}

fn attempt_dto(attempt: &Attempt) -> AttemptDto {
    let headers = attempt.headers.iter();
    #[expect(clippy::cast_precision_loss, reason = "an attempt takes seconds, not centuries")]
    let duration_ms = attempt.duration as f64 / 1000.0;
    AttemptDto {
        id: attempt.id.to_string(),
        number: attempt.number,
        at: attempt.at.to_string(),
        url: attempt.url.clone(),
        headers: headers.map(|(name, value)| HeaderDto { name: name.clone(), value: value.clone() }).collect(),
        status: attempt.status,
        answer: attempt.answer.clone(),
        error: attempt.fault.clone(),
        duration_ms,
    }
}
