//! Reading webhooks, deliveries and attempts.

use tandem_catalogue::{Dialect, Error, Result};
use tandem_domain::webhook::{Attempt, DeliveryState, Happening, Target, Webhook};
use tandem_kernel::{AccountId, DeliveryId, EnvironmentId, WebhookId};
use tandem_store::{
    Tx,
    repo::{
        deliveries::{self, Filter, Told},
        webhooks,
    },
};

use super::{Owner, Who, allow, find, manage::environment_of};
use crate::App;

/// A delivery and where it goes.
#[derive(Clone, Debug)]
pub struct DeliveryView {
    /// The delivery and its event.
    pub told: Told,
    /// Where it goes.
    pub webhook: Webhook,
}

/// A page of webhooks.
#[derive(Clone, Debug)]
pub struct WebhookList {
    /// The page, oldest first.
    pub webhooks: Vec<Webhook>,
    /// How many there are in all.
    pub total: i64,
}

/// Which deliveries to list, newest first.
#[derive(Clone, Debug)]
pub struct ListDeliveries {
    /// The webhook, by the text of its id.
    pub webhook: String,
    /// Only those in this state.
    pub state: Option<DeliveryState>,
    /// From the one before this.
    pub before: Option<DeliveryId>,
    /// How many.
    pub limit: i64,
}

/// What a delivery tells of.
///
/// # Errors
/// `internal` for data that is no JSON object.
pub fn happening(told: &Told, account: AccountId) -> Result<Happening> {
    let data = serde_json::from_str(&told.data).map_err(|fault| Error::internal().because(fault))?;
    Ok(Happening {
        id: told.delivery.event,
        account,
        kind: told.delivery.kind.clone(),
        object: told.delivery.object.clone(),
        sequence: told.sequence,
        data,
        at: told.delivery.at,
    })
}

/// Reads an endpoint; with a dialect only one of that.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`.
pub async fn get(app: &App, who: Who, dialect: Option<Dialect>, id: String) -> Result<Webhook> {
    app.store.read(move |tx| find(tx, &who, dialect, &id)).await
}

/// A page of the caller's endpoints of one dialect.
///
/// # Errors
/// `insufficient_scope`.
pub async fn page(
    app: &App,
    who: &Who,
    environment: EnvironmentId,
    dialect: Dialect,
    limit: i64,
    offset: i64,
) -> Result<WebhookList> {
    allow(who)?;
    let read = move |tx: &mut Tx| webhooks::page(tx, environment, Target::Endpoint(dialect), limit, offset);
    let (webhooks, total) = app.store.read(read).await?;
    Ok(WebhookList { webhooks, total })
}

/// An environment's endpoints from the one after `after`, oldest first; of one dialect or of all.
///
/// # Errors
/// `missing_parameter` where an operator does not say whose, `account_not_found`, `resource_not_found`, `insufficient_scope`.
pub async fn list(
    app: &App,
    who: Who,
    owner: Owner,
    dialect: Option<Dialect>,
    after: Option<WebhookId>,
    limit: i64,
) -> Result<Vec<Webhook>> {
    let after = after.unwrap_or(WebhookId::from_bytes([0; 16]));
    let read = move |tx: &mut Tx| {
        let environment = environment_of(tx, &who, &owner)?;
        allow(&who)?;
        webhooks::list(tx, environment, dialect.map(Target::Endpoint), after, limit)
    };
    app.store.read(read).await
}

/// A webhook's deliveries, newest first.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`.
pub async fn deliveries(app: &App, who: Who, command: ListDeliveries) -> Result<(Webhook, Vec<Told>)> {
    let read = move |tx: &mut Tx| {
        let webhook = find(tx, &who, None, &command.webhook)?;
        let before = command.before.unwrap_or(DeliveryId::from_bytes([0xff; 16]));
        let filter = Filter { state: command.state, before, limit: command.limit };
        let found = deliveries::list(tx, webhook.id, filter)?;
        Ok((webhook, found))
    };
    app.store.read(read).await
}

/// Reads a delivery, also one of a number's webhook or of an endpoint that was deleted.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`.
pub async fn delivery(app: &App, who: Who, id: String) -> Result<DeliveryView> {
    let read = move |tx: &mut Tx| find_delivery(tx, &who, &id).map(|(told, webhook)| DeliveryView { told, webhook });
    app.store.read(read).await
}

/// The attempts to make a delivery, in their order.
///
/// # Errors
/// As [`delivery`].
pub async fn attempts(app: &App, who: Who, id: String) -> Result<(DeliveryView, Vec<Attempt>)> {
    let read = move |tx: &mut Tx| {
        let (told, webhook) = find_delivery(tx, &who, &id)?;
        let attempts = deliveries::attempts(tx, told.delivery.id)?;
        Ok((DeliveryView { told, webhook }, attempts))
    };
    app.store.read(read).await
}

pub(super) fn find_delivery(tx: &mut Tx, who: &Who, id: &str) -> Result<(Told, Webhook)> {
    let found = match DeliveryId::parse(id) {
        Some(id) => deliveries::get(tx, id)?,
        None => None,
    };
    let own = |told: &Told| match who {
        Who::Operator(_) => true,
        Who::Account(caller) => caller.environment == told.delivery.environment,
    };
    let told = found.filter(own).ok_or_else(|| Error::resource_not_found("delivery", id.to_owned()))?;
    allow(who)?;
    let webhook = webhooks::get(tx, told.delivery.webhook)?.ok_or_else(Error::internal)?;
    Ok((told, webhook))
}
