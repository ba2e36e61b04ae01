//! The webhook of a number: what comes for the number is told to a URL of its configuration.

use serde_json::{Map, Value};
use tandem_catalogue::Result;
use tandem_domain::webhook::{Interest, Method, State, Target, Webhook};
use tandem_kernel::{Caller, DeliveryId, EventId, Scope, WebhookId};
use tandem_store::{Tx, repo::webhooks};

use super::{
    fan_out::{News, add, place},
    secrets::number_secrets,
};
use crate::{App, app::Desk, permit};

/// Something to tell a number's webhook.
#[derive(Clone, Debug)]
pub struct NumberWebhook {
    /// The URL of the number's configuration.
    pub url: String,
    /// What happened, by our name: `message.received`.
    pub event: &'static str,
    /// What is told of it: the `data` of the envelope.
    pub payload: Map<String, Value>,
    /// The object that it happened to: its events are told in order.
    pub object: String,
}

/// Tells a number's webhook of something, in the caller's unit of work. It is sent as Audian's webhooks are, signed with the
/// environment's secret ([`number_secret`]), and with the headers of Standard Webhooks beside them.
///
/// # Errors
/// Faults of the store.
pub fn notify_in(tx: &mut Tx, desk: &Desk, news: &NumberWebhook) -> Result<DeliveryId> {
    let known = webhooks::of_number(tx, desk.settings.id, &news.url)?;
    let mut webhook = match known {
        Some(webhook) => webhook,
        None => {
            let webhook = new(desk, &news.url);
            webhooks::insert(tx, &webhook)?;
            webhook
        }
    };
    let payload = Value::Object(news.payload.clone()).to_string();
    let (event, at) = (desk.id(EventId::new), desk.now);
    let news = News { event, kind: news.event, object: &news.object, payload: Some(&payload), at };
    let made = place(desk, &mut webhook, &[news]);
    add(tx, desk, &made)?;
    Ok(made.first().map_or(DeliveryId::from_bytes([0; 16]), |delivery| delivery.id))
}

fn new(desk: &Desk, url: &str) -> Webhook {
    Webhook {
        id: desk.id(WebhookId::new),
        environment: desk.settings.id,
        target: Target::Number,
        url: url.to_owned(),
        description: String::new(),
        method: Method::Post,
        interest: Interest::All,
        state: State::Active,
        secrets: Vec::new(),
        failing_since: None,
        places: 0,
        created_at: desk.now,
        version: 1,
    }
}

/// The secret that the webhooks of an environment's numbers are signed with.
///
/// # Errors
/// `insufficient_scope`.
pub fn number_secret(app: &App, caller: &Caller) -> Result<String> {
    permit(caller, Scope::Webhooks)?;
    Ok(number_secrets(app, caller.environment).concat())
}
