//! Telling a webhook again what it was told, or what it missed.

use tandem_catalogue::{Error, Result};
use tandem_domain::webhook::{Delivery, Interest, State, Webhook};
use tandem_kernel::{EventId, Timestamp};
use tandem_store::{Tx, repo::deliveries};

use super::{
    DeliveryView, Who, audit,
    fan_out::{News, add, place},
    find, read,
};
use crate::{App, Finish};

/// Events that one request looks at.
const BATCH: i64 = 1000;

/// Which events to tell again.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The webhook, by the text of its id.
    pub webhook: String,
    /// Those that happened from then on.
    pub from: Timestamp,
    /// And before then; the present if none.
    pub until: Option<Timestamp>,
    /// Only these, by the names of the webhook's dialect; all that it wants if none.
    pub events: Option<Vec<String>>,
    /// Only what did not arrive and is not on its way.
    pub missed_only: bool,
    /// From the one after this.
    pub after: Option<EventId>,
}

/// What is told again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// How many deliveries were made.
    pub count: usize,
    /// Where to go on, if there were more than one request looks at.
    pub next: Option<EventId>,
}

fn check_active(webhook: &Webhook) -> Result<()> {
    match webhook.state {
        State::Active => Ok(()),
        State::Disabled { .. } | State::Deleted => Err(Error::invalid_transition("webhook", webhook.state.as_str(), "replayed")),
    }
}

/// Makes a delivery once more: a new one of the same event, after all that is on its way already.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`, `invalid_transition` where the webhook is switched off.
pub async fn replay(app: &App, who: Who, id: String, finish: Finish<DeliveryView>) -> Result<DeliveryView> {
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let environment = read::find_delivery(tx, &who, &id)?.1.environment;
        let desk = pen.open(tx, environment)?;
        let (told, mut webhook) = read::find_delivery(tx, &who, &id)?;
        check_active(&webhook)?;
        let old = &told.delivery;
        let payload = old.payload.as_deref();
        let news = News { event: old.event, kind: &old.kind, object: &old.object, payload, at: old.at };
        let made = place(&desk, &mut webhook, &[news]);
        add(tx, &desk, &made)?;
        audit(tx, &pen, &who, "webhook.replay", &webhook)?;
        let made = made.first().map(|delivery: &Delivery| delivery.id);
        let again = made.map(|id| deliveries::get(tx, id)).transpose()?.flatten();
        let view = DeliveryView { told: again.ok_or_else(Error::internal)?, webhook };
        finish(tx, &view)?;
        Ok(view)
    };
    let view = app.store.write(work).await?;
    app.mailbox.ring();
    Ok(view)
}

/// Tells a webhook again what happened in a stretch of time.
///
/// # Errors
/// As [`replay`], and what is wrong with the names of events.
pub async fn replay_range(app: &App, who: Who, command: Replay, finish: Finish<Replayed>) -> Result<Replayed> {
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let environment = find(tx, &who, None, &command.webhook)?.environment;
        let desk = pen.open(tx, environment)?;
        let mut webhook = find(tx, &who, None, &command.webhook)?;
        let mut asked = webhook.clone();
        if let Some(names) = &command.events {
            asked.interest = Interest::of(webhook.target.dialect(), names.clone())?;
        }
        check_active(&webhook)?;
        let range = (command.from, command.until.unwrap_or_else(|| desk.now.plus_micros(1)));
        let after = command.after.unwrap_or(EventId::from_bytes([0; 16]));
        let events = deliveries::events_between(tx, environment, range, after, BATCH)?;
        let full = i64::try_from(events.len()).is_ok_and(|count| count == BATCH);
        let next = events.last().filter(|_| full).map(|event| event.id);
        let mut wanted: Vec<_> = events.into_iter().filter(|event| asked.wants(&event.kind, &event.object)).collect();
        if command.missed_only {
            wanted = deliveries::missing(tx, webhook.id, wanted)?;
        }
        let news: Vec<News> = wanted.iter().map(News::from).collect();
        let made = place(&desk, &mut webhook, &news);
        add(tx, &desk, &made)?;
        audit(tx, &pen, &who, "webhook.replay", &webhook)?;
        let replayed = Replayed { count: made.len(), next };
        finish(tx, &replayed)?;
        Ok(replayed)
    };
    let replayed = app.store.write(work).await?;
    app.mailbox.ring();
    Ok(replayed)
}
