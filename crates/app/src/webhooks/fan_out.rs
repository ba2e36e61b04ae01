//! From the event log to deliveries: one for each webhook that wants to hear of an event.

use tandem_catalogue::{Dialect, Result};
use tandem_domain::webhook::{Delivery, DeliveryState, Webhook};
use tandem_kernel::{DeliveryId, EventId, Timestamp, WebhookId};
use tandem_store::{
    Tx,
    repo::{deliveries, events::Event, webhooks},
};

use crate::{App, app::Desk};

/// Events that one unit of work hands out.
const BATCH: i64 = 500;

/// Something to tell a webhook.
pub(super) struct News<'a> {
    pub event: EventId,
    pub kind: &'a str,
    pub object: &'a str,
    pub payload: Option<&'a str>,
    pub at: Timestamp,
}

impl<'a> From<&'a Event> for News<'a> {
    fn from(event: &'a Event) -> Self {
        Self { event: event.id, kind: &event.kind, object: &event.object, payload: None, at: event.at }
    }
}

/// Turns queued events of one environment into deliveries, in one unit of work, so that each event is handed out once. Whether there
/// was anything in the queue.
///
/// # Errors
/// Faults of the store.
pub async fn fan_out(app: &App) -> Result<bool> {
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let Some(environment) = deliveries::next_environment(tx)? else { return Ok(false) };
        let desk = pen.open(tx, environment)?;
        let events = deliveries::take(tx, environment, BATCH)?;
        let mut listeners = webhooks::active(tx, environment)?;
        let mut made = Vec::new();
        for webhook in &mut listeners {
            let wanted = events.iter().filter(|event| webhook.wants(&event.kind, &event.object) && !is_quiet(webhook, event));
            let wanted: Vec<News> = wanted.map(News::from).collect();
            made.extend(place(&desk, webhook, &wanted));
        }
        add(tx, &desk, &made)?;
        Ok(true)
    };
    app.store.write(work).await
}

/// Whether an event is the receipt of a message whose sender wants Fone Dynamics' webhooks told of none.
fn is_quiet(webhook: &Webhook, event: &Event) -> bool {
    let receipt = event.kind == "message.delivered" || event.kind == "message.undelivered";
    receipt && webhook.target.dialect() == Dialect::FoneDynamics && event.data.contains(r#""delivery_receipt":false"#)
}

/// Deliveries of some news to a webhook, at its next places.
pub(super) fn place(desk: &Desk, webhook: &mut Webhook, news: &[News]) -> Vec<Delivery> {
    let delivery = |news: &News| {
        webhook.places += 1;
        Delivery {
            id: desk.id(DeliveryId::new),
            webhook: webhook.id,
            environment: webhook.environment,
            event: news.event,
            kind: news.kind.to_owned(),
            object: news.object.to_owned(),
            place: webhook.places,
            payload: news.payload.map(str::to_owned),
            at: news.at,
            state: DeliveryState::Pending,
            due_at: desk.now,
            attempts: 0,
            created_at: desk.now,
            finished_at: None,
        }
    };
    news.iter().map(delivery).collect()
}

/// Writes deliveries and wakes whoever makes them.
pub(super) fn add(tx: &mut Tx, desk: &Desk, made: &[Delivery]) -> Result<()> {
    let mut last: Vec<(WebhookId, i64)> = Vec::new();
    for delivery in made {
        match last.last_mut() {
            Some((webhook, place)) if *webhook == delivery.webhook => *place = delivery.place,
            _ => last.push((delivery.webhook, delivery.place)),
        }
    }
    last.sort_unstable_by_key(|(webhook, _)| *webhook); // as everybody takes them who takes several
    deliveries::insert(tx, made)?;
    webhooks::set_places(tx, &last)?;
    let ids: Vec<WebhookId> = last.into_iter().map(|(webhook, _)| webhook).collect();
    webhooks::call(tx, &ids, desk.now, desk.settings.clock)
}
