//! Making, changing and deleting endpoints.

use serde_json::json;
use tandem_catalogue::{Dialect, Error, Result};
use tandem_domain::{
    event::EventKind,
    webhook::{Change, Interest, Method, State, Target, Webhook, check_method, check_url},
};
use tandem_kernel::{AccountId, Environment, EnvironmentId, EventId, WebhookId};
use tandem_store::{
    Tx,
    repo::{deliveries, events, webhooks},
};

use super::{
    DeliveryView, WebhookView, Who, allow, audit,
    fan_out::{News, add, place},
    find, listen, secrets,
};
use crate::{App, Finish, accounts::environment, app::Desk};

/// Endpoints that an environment can have.
pub const MOST_WEBHOOKS: i64 = 100;

/// Whose environment: an operator has to say it, an account can only name its own.
#[derive(Clone, Debug, Default)]
pub struct Owner {
    /// The account, by the text of its id.
    pub account: Option<String>,
    /// Live or test.
    pub kind: Option<Environment>,
}

/// An endpoint to make.
#[derive(Clone, Debug)]
pub struct CreateWebhook {
    /// Whose.
    pub owner: Owner,
    /// How it is spoken to.
    pub dialect: Dialect,
    /// Where it is.
    pub url: String,
    /// Its owner's name for it.
    pub description: String,
    /// What it wants to hear of.
    pub events: Vec<String>,
    /// How it is called.
    pub method: Method,
}

/// # Errors
/// `missing_parameter`, `account_not_found`, `resource_not_found`.
pub(super) fn environment_of(tx: &mut Tx, who: &Who, owner: &Owner) -> Result<EnvironmentId> {
    match who {
        Who::Operator(_) => {
            let account = owner.account.clone().ok_or_else(|| Error::missing_parameter("account_id"))?;
            let kind = owner.kind.ok_or_else(|| Error::missing_parameter("environment"))?;
            let id = AccountId::parse(&account).ok_or_else(|| Error::account_not_found(account))?;
            environment(tx, id, kind).map(|settings| settings.id)
        }
        Who::Account(caller) => {
            let other = owner.account.clone().filter(|account| *account != caller.account.to_string());
            if let Some(other) = other {
                return Err(Error::account_not_found(other));
            }
            match owner.kind.filter(|kind| *kind != caller.kind) {
                Some(other) => Err(Error::resource_not_found("environment", other.as_str())),
                None => Ok(caller.environment),
            }
        }
    }
}

/// Makes an endpoint. Its secret is in the view, once.
///
/// # Errors
/// What is wrong with it, the codes of the lookup, `insufficient_scope`, `operation_not_allowed` for one too many.
pub async fn create(app: &App, who: Who, command: CreateWebhook, finish: Finish<WebhookView>) -> Result<WebhookView> {
    let CreateWebhook { owner, dialect, url, description, events, method } = command;
    check_url("url", &url, dialect, app.settings.webhooks_allow_private)?;
    let interest = Interest::of(dialect, events)?;
    check_method(dialect, method)?;
    let secret = secrets::fresh(&*app.rng, app.machine_now());
    let sealed = secrets::seal(&app.vault, std::slice::from_ref(&secret))?;
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let environment = environment_of(tx, &who, &owner)?;
        let desk = pen.open(tx, environment)?;
        allow(&who)?;
        if webhooks::count(tx, environment)? >= MOST_WEBHOOKS {
            return Err(Error::operation_not_allowed(format!("An environment takes at most {MOST_WEBHOOKS} webhooks")));
        }
        let webhook = Webhook {
            id: desk.id(WebhookId::new),
            environment,
            target: Target::Endpoint(dialect),
            url: url.clone(),
            description: description.clone(),
            method,
            interest: interest.clone(),
            state: State::Active,
            secrets: sealed.clone(),
            failing_since: None,
            places: 0,
            created_at: desk.now,
            version: 1,
        };
        webhooks::insert(tx, &webhook)?;
        listen(tx, &desk)?;
        audit(tx, &pen, &who, "webhook.create", &webhook)?;
        let view = WebhookView { webhook, secret: Some(secret.text.clone()), previous_until: None };
        finish(tx, &view)?;
        Ok(view)
    };
    app.store.write(work).await
}

/// Opens the environment of an endpoint and finds it once more, as nobody can change it any longer.
fn open(tx: &mut Tx, app: &App, who: &Who, dialect: Option<Dialect>, id: &str) -> Result<(Desk, Webhook)> {
    let environment = find(tx, who, dialect, id)?.environment;
    let desk = app.pen().open(tx, environment)?;
    Ok((desk, find(tx, who, dialect, id)?))
}

/// Changes an endpoint.
///
/// # Errors
/// What is wrong with the change, `resource_not_found`, `insufficient_scope`.
pub async fn change(
    app: &App,
    who: Who,
    dialect: Option<Dialect>,
    id: String,
    change: Change,
    finish: Finish<WebhookView>,
) -> Result<WebhookView> {
    let this = app.clone();
    let work = move |tx: &mut Tx| {
        let (desk, webhook) = open(tx, &this, &who, dialect, &id)?;
        let webhook = webhook.changed(&change, this.settings.webhooks_allow_private)?;
        webhooks::update(tx, &webhook)?;
        listen(tx, &desk)?;
        if let Some(due_at) = deliveries::next_due(tx, webhook.id)? {
            webhooks::call(tx, &[webhook.id], due_at, desk.settings.clock)?;
        }
        audit(tx, &desk.pen, &who, "webhook.change", &webhook)?;
        let view = WebhookView::of(webhook);
        finish(tx, &view)?;
        Ok(view)
    };
    let view = app.store.write(work).await?;
    app.mailbox.ring();
    Ok(view)
}

/// Deletes an endpoint and calls off what is on its way to it.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`.
pub async fn delete(app: &App, who: Who, dialect: Option<Dialect>, id: String, finish: Finish<WebhookView>) -> Result<WebhookView> {
    let this = app.clone();
    let work = move |tx: &mut Tx| {
        let (desk, mut webhook) = open(tx, &this, &who, dialect, &id)?;
        webhook.state = State::Deleted;
        webhook.secrets.clear();
        webhook.version += 1;
        webhooks::update(tx, &webhook)?;
        deliveries::cancel(tx, webhook.id, desk.now)?;
        listen(tx, &desk)?;
        audit(tx, &desk.pen, &who, "webhook.delete", &webhook)?;
        let view = WebhookView::of(webhook);
        finish(tx, &view)?;
        Ok(view)
    };
    app.store.write(work).await
}

/// Gives an endpoint a new secret; the one before it goes on being used beside it for `overlap` seconds.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`.
pub async fn rotate(
    app: &App,
    who: Who,
    dialect: Option<Dialect>,
    id: String,
    overlap: i64,
    finish: Finish<WebhookView>,
) -> Result<WebhookView> {
    let (this, fresh) = (app.clone(), secrets::fresh(&*app.rng, app.machine_now()));
    let work = move |tx: &mut Tx| {
        let (desk, mut webhook) = open(tx, &this, &who, dialect, &id)?;
        let old = secrets::open(&this.vault, &webhook.secrets)?;
        let all = secrets::rotated(old, fresh.clone(), overlap, fresh.created_at);
        webhook.secrets = secrets::seal(&this.vault, &all)?;
        webhook.version += 1;
        webhooks::update(tx, &webhook)?;
        audit(tx, &desk.pen, &who, "webhook.rotate", &webhook)?;
        let previous_until = all.get(1).and_then(|secret| secret.expires_at);
        let view = WebhookView { webhook, secret: Some(fresh.text.clone()), previous_until };
        finish(tx, &view)?;
        Ok(view)
    };
    app.store.write(work).await
}

/// Sends an endpoint an event of no other meaning than to try it.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`, `invalid_transition` where it is switched off.
pub async fn test(app: &App, who: Who, dialect: Option<Dialect>, id: String, finish: Finish<DeliveryView>) -> Result<DeliveryView> {
    let this = app.clone();
    let work = move |tx: &mut Tx| {
        let (desk, mut webhook) = open(tx, &this, &who, dialect, &id)?;
        if webhook.state != State::Active {
            return Err(Error::invalid_transition("webhook", webhook.state.as_str(), "tested"));
        }
        let (event, object, kind) = (desk.id(EventId::new), webhook.id.to_string(), EventKind::WebhookTest);
        let data = json!({ "message": "This is a test." });
        events::append(tx, event, webhook.environment, &object, kind, &data, desk.now)?;
        let news = News { event, kind: kind.as_str(), object: &object, payload: None, at: desk.now };
        let made = place(&desk, &mut webhook, &[news]);
        add(tx, &desk, &made)?;
        audit(tx, &desk.pen, &who, "webhook.test", &webhook)?;
        let made = made.first().map(|delivery| deliveries::get(tx, delivery.id)).transpose()?.flatten();
        let view = DeliveryView { told: made.ok_or_else(Error::internal)?, webhook };
        finish(tx, &view)?;
        Ok(view)
    };
    let view = app.store.write(work).await?;
    app.mailbox.ring();
    Ok(view)
}
