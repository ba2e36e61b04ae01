//! Webhooks: who hears of what happened, and how it gets there.

mod deliver;
mod fan_out;
mod manage;
mod message;
mod number;
mod read;
mod replay;
mod secrets;

pub use deliver::{Outcome, Step, claim, end, keep_all, step};
pub use fan_out::fan_out;
pub use manage::{CreateWebhook, MOST_WEBHOOKS, Owner, change, create, delete, rotate, test};
pub(crate) use message::{MessageWebhook, notify_messages_in};
pub use number::{NumberWebhook, notify_in, number_secret};
pub use read::{DeliveryView, ListDeliveries, WebhookList, attempts, deliveries, delivery, get, happening, list, page};
pub use replay::{Replay, Replayed, replay, replay_range};
pub use secrets::{current, number_secrets};

use serde_json::json;
use tandem_catalogue::{Dialect, Error, Result};
use tandem_domain::webhook::{State, Target, Webhook};
use tandem_kernel::{Caller, Scope, WebhookId};
use tandem_store::{
    Tx,
    repo::{accounts, webhooks},
};

use crate::{
    accounts::{Operator, note_action},
    app::{Desk, Pen},
    permit,
};

/// Who asks.
#[derive(Clone, Debug)]
pub enum Who {
    /// An operator, about anybody's.
    Operator(Operator),
    /// An account's key, about those of its own environment.
    Account(Caller),
}

/// A webhook as it is shown.
#[derive(Clone, Debug)]
pub struct WebhookView {
    /// The webhook.
    pub webhook: Webhook,
    /// The text of a secret that was just made.
    pub secret: Option<String>,
    /// Until when the secret before it is used too.
    pub previous_until: Option<tandem_kernel::Timestamp>,
}

impl WebhookView {
    fn of(webhook: Webhook) -> Self {
        Self { webhook, secret: None, previous_until: None }
    }
}

/// Finds an endpoint by the text of its id; with a dialect only one of that.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`.
fn find(tx: &mut Tx, who: &Who, dialect: Option<Dialect>, id: &str) -> Result<Webhook> {
    let found = match WebhookId::parse(id) {
        Some(id) => webhooks::get(tx, id)?,
        None => None,
    };
    let shown = |webhook: &Webhook| {
        let Target::Endpoint(spoken) = webhook.target else { return false };
        let own = match who {
            Who::Operator(_) => true,
            Who::Account(caller) => caller.environment == webhook.environment,
        };
        own && webhook.state != State::Deleted && dialect.is_none_or(|dialect| dialect == spoken)
    };
    let webhook = found.filter(shown).ok_or_else(|| Error::resource_not_found("webhook", id.to_owned()))?;
    allow(who)?;
    Ok(webhook)
}

fn allow(who: &Who) -> Result<()> {
    match who {
        Who::Operator(_) => Ok(()),
        Who::Account(caller) => permit(caller, Scope::Webhooks),
    }
}

/// Notes what an operator did.
fn audit(tx: &mut Tx, pen: &Pen, who: &Who, action: &str, webhook: &Webhook) -> Result<()> {
    match who {
        Who::Operator(operator) => {
            let detail = json!({ "environment": webhook.environment.to_string() });
            note_action(tx, pen, operator, action, &webhook.id.to_string(), &detail)
        }
        Who::Account(_) => Ok(()),
    }
}

/// Brings in step whether events of the environment are put into the queue at all.
fn listen(tx: &mut Tx, desk: &Desk) -> Result<()> {
    let any = !webhooks::active(tx, desk.settings.id)?.is_empty();
    accounts::set_has_webhooks(tx, desk.settings.id, any)
}
