//! `/webhooks`: endpoints that hear of events. Their answers are bare objects.

use http::{Method, StatusCode};
use serde::Serialize;
use tandem_app::webhooks::{self, CreateWebhook, DeliveryView, Owner, WebhookView, Who};
use tandem_catalogue::{Code, Dialect, Error, Result};
use tandem_domain::webhook::{self, CHOICES, Change, LONGEST_URL, Webhook};
use utoipa::ToSchema;

use super::numbers::{LIMIT, OFFSET, page};
use crate::http::{Call, Endpoint, Field, Kind, Reply};

const TAG: &str = "Webhooks";
const ID: &[(&str, &str)] = &[("webhook_id", "The webhook's id.")];
const OURS: Option<Dialect> = Some(Dialect::Audian);
/// Seconds for which the secret before a rotation is used too, at the most.
const LONGEST_OVERLAP: i64 = 30 * 86_400;

const URL: Field = Field::new(
    "url",
    Kind::Text { min: 1, max: LONGEST_URL },
    "Where events are posted to; HTTPS.",
    r#""https://api.customer.example/webhooks/audian""#,
);
const EVENTS: Field =
    Field::new("events", Kind::Choices(&CHOICES), "Which events; `*` is all of them.", r#"["call.completed","number.purchased"]"#);
const CREATE: &[Field] = &[URL.required(), EVENTS.required()];
const UPDATE: &[Field] = &[URL, EVENTS, Field::new("enabled", Kind::Bool, "Whether events are delivered.", "true")];
const LIST: &[Field] = &[LIMIT, OFFSET];
const ROTATE: &[Field] = &[Field::new(
    "overlap_seconds",
    Kind::Int { min: 0, max: LONGEST_OVERLAP },
    "For how long deliveries carry the old secret's signature too, in a header of its own; a day where it is not said.",
    "86400",
)];
const USUAL_OVERLAP: i64 = 86_400;

/// An endpoint that hears of events.
#[derive(Serialize, ToSchema)]
struct WebhookDto {
    /// Its id.
    #[schema(example = "wh_01hzy3v7k2m8x4c6b9d1f5g7h0")]
    id: String,
    /// Where events are posted to.
    url: String,
    /// Which events; `*` is all of them.
    events: Vec<String>,
    /// `active` or `disabled`.
    status: &'static str,
    /// Why it is disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_reason: Option<String>,
    /// What deliveries are signed with: only in the answer that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "whsec_…")]
    signing_secret: Option<String>,
    /// When it was made.
    #[schema(format = "date-time")]
    created_at: String,
}

/// A page of webhooks.
#[derive(Serialize, ToSchema)]
struct WebhooksDto {
    /// The page, oldest first.
    webhooks: Vec<WebhookDto>,
    /// How many there are in all.
    total: i64,
    /// How many were asked for.
    limit: i64,
    /// How many were left out.
    offset: i64,
}

/// A test event on its way.
#[derive(Serialize, ToSchema)]
struct TestDto {
    /// The delivery, as its header `X-Audian-Delivery-ID` names it.
    delivery_id: String,
    /// The event.
    event_id: String,
    /// Its name.
    event: String,
    /// `pending`.
    status: &'static str,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    const LOOKUP: &[Code] = &[Code::ResourceNotFound];
    const STATE: &[Code] = &[Code::ResourceNotFound, Code::InvalidTransition];
    let endpoints = [
        Endpoint::new("createWebhook", Method::POST, "/webhooks", "Make a webhook; its secret is shown once.", create)
            .body(CREATE)
            .answers::<WebhookDto>(StatusCode::CREATED)
            .codes(&[Code::OperationNotAllowed]),
        Endpoint::new("listWebhooks", Method::GET, "/webhooks", "List your webhooks.", list)
            .query(LIST)
            .answers::<WebhooksDto>(StatusCode::OK)
            .ours(),
        Endpoint::new("getWebhook", Method::GET, "/webhooks/{webhook_id}", "Read one of your webhooks.", get)
            .path_docs(ID)
            .answers::<WebhookDto>(StatusCode::OK)
            .codes(LOOKUP)
            .ours(),
        Endpoint::new("updateWebhook", Method::PUT, "/webhooks/{webhook_id}", "Change a webhook; what is not named stays.", update)
            .path_docs(ID)
            .body(UPDATE)
            .answers::<WebhookDto>(StatusCode::OK)
            .codes(LOOKUP)
            .ours(),
        Endpoint::new("deleteWebhook", Method::DELETE, "/webhooks/{webhook_id}", "Delete a webhook.", delete)
            .path_docs(ID)
            .answers::<WebhookDto>(StatusCode::OK)
            .codes(LOOKUP)
            .ours(),
        Endpoint::new(
            "rotateWebhookSecret",
            Method::POST,
            "/webhooks/{webhook_id}/rotate-secret",
            "Give a webhook a new secret; it is shown once.",
            rotate,
        )
        .path_docs(ID)
        .body(ROTATE)
        .answers::<WebhookDto>(StatusCode::OK)
        .codes(LOOKUP)
        .ours(),
        Endpoint::new("testWebhook", Method::POST, "/webhooks/{webhook_id}/test", "Send a webhook a test event.", test)
            .path_docs(ID)
            .answers::<TestDto>(StatusCode::ACCEPTED)
            .codes(STATE)
            .ours(),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG)).collect()
}

async fn create(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (url, events) = (form.text("url"), form.choices("events"));
    form.finish()?;
    let command = CreateWebhook {
        owner: Owner::default(),
        dialect: Dialect::Audian,
        url: url.ok_or_else(Error::internal)?,
        description: String::new(),
        events: names(events).ok_or_else(Error::internal)?,
        method: webhook::Method::Post,
    };
    let who = who(&call)?;
    call.answer_once(created, created_before, |finish| webhooks::create(&call.app, who, command, finish)).await
}

async fn list(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let (limit, offset) = page(&mut form, 20);
    form.finish()?;
    let caller = call.caller()?;
    let found = webhooks::page(&call.app, &Who::Account(caller), caller.environment, Dialect::Audian, limit, offset).await?;
    let webhooks = found.webhooks.iter().map(|webhook| dto(webhook, None)).collect();
    Ok(Reply::json(StatusCode::OK, &WebhooksDto { webhooks, total: found.total, limit, offset }))
}

async fn get(call: Call) -> Result<Reply> {
    let webhook = webhooks::get(&call.app, who(&call)?, OURS, id(&call)).await?;
    Ok(Reply::json(StatusCode::OK, &dto(&webhook, None)))
}

async fn update(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let change = Change {
        url: form.text("url"),
        events: names(form.choices("events")),
        active: form.boolean("enabled"),
        ..Change::default()
    };
    form.finish()?;
    let (who, id) = (who(&call)?, id(&call));
    call.answer(plain, |finish| webhooks::change(&call.app, who, OURS, id, change, finish)).await
}

async fn delete(call: Call) -> Result<Reply> {
    let (who, id) = (who(&call)?, id(&call));
    call.answer(plain, |finish| webhooks::delete(&call.app, who, OURS, id, finish)).await
}

async fn rotate(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let overlap = form.int("overlap_seconds").unwrap_or(USUAL_OVERLAP);
    form.finish()?;
    let (who, id) = (who(&call)?, id(&call));
    call.answer_once(rotated, plain, |finish| webhooks::rotate(&call.app, who, OURS, id, overlap, finish)).await
}

async fn test(call: Call) -> Result<Reply> {
    let (who, id) = (who(&call)?, id(&call));
    call.answer(tested, |finish| webhooks::test(&call.app, who, OURS, id, finish)).await
}

fn who(call: &Call) -> Result<Who> {
    call.caller().map(Who::Account)
}

fn id(call: &Call) -> String {
    call.param("webhook_id").to_owned()
}

fn names(events: Option<Vec<&'static str>>) -> Option<Vec<String>> {
    events.map(|names| names.into_iter().map(str::to_owned).collect())
}

fn created(view: &WebhookView) -> Reply {
    Reply::json(StatusCode::CREATED, &dto(&view.webhook, view.secret.clone()))
}

/// The answer to a repetition has no secret: it is kept nowhere.
fn created_before(view: &WebhookView) -> Reply {
    Reply::json(StatusCode::CREATED, &dto(&view.webhook, None))
}

fn rotated(view: &WebhookView) -> Reply {
    Reply::json(StatusCode::OK, &dto(&view.webhook, view.secret.clone()))
}

fn plain(view: &WebhookView) -> Reply {
    Reply::json(StatusCode::OK, &dto(&view.webhook, None))
}

fn tested(view: &DeliveryView) -> Reply {
    let delivery = &view.told.delivery;
    let dto = TestDto {
        delivery_id: delivery.id.to_string(),
        event_id: delivery.event.to_string(),
        event: delivery.kind.clone(),
        status: delivery.state.as_str(),
    };
    Reply::json(StatusCode::ACCEPTED, &dto)
}

fn dto(webhook: &Webhook, signing_secret: Option<String>) -> WebhookDto {
    WebhookDto {
        id: webhook.id.to_string(),
        url: webhook.url.clone(),
        events: webhook.interest.names().into_iter().map(str::to_owned).collect(),
        status: webhook.state.as_str(),
        disabled_reason: webhook.state.reason().map(str::to_owned),
        signing_secret,
        created_at: webhook.created_at.to_string(),
    }
}
