//! Making deliveries. One process at a time delivers to a webhook; what came of its attempts is written before it goes on, and if it
//! dies another takes over when its lease runs out: each event arrives at least once, and those of one object in their order.

use std::collections::HashMap;

use serde_json::json;
use tandem_catalogue::Result;
use tandem_domain::{
    event::EventKind,
    webhook::{Answer, Attempt, Delivery, DeliveryState, Progress, Schedule, State, Target, Webhook},
};
use tandem_kernel::{DeliveryId, EnvironmentId, WebhookId};
use tandem_store::{
    Tx,
    repo::{
        deliveries::{self, Told},
        webhooks::{self, Wanted},
    },
};

use super::listen;
use crate::{App, app::Desk};

/// Seconds after which others take over from a process that is not heard of any more.
const LEASE: i64 = 15;

/// What came of an attempt.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Of what.
    pub delivery: Delivery,
    /// What was answered.
    pub answer: Answer,
    /// The attempt, as it is kept.
    pub attempt: Attempt,
}

/// How to go on with a webhook.
#[derive(Clone, Debug)]
pub struct Step {
    /// The webhook as it is now; none if nothing more is to be sent to it, and then it was given back if nothing is under way.
    pub webhook: Option<Webhook>,
    /// What to send.
    pub due: Vec<Told>,
}

/// Takes webhooks to which something is to be delivered.
///
/// # Errors
/// Faults of the store.
pub async fn claim(app: &App, wanted: Wanted) -> Result<Vec<Webhook>> {
    let (node, now) = (app.node, app.machine_now());
    app.store.write(move |tx| webhooks::claim(tx, &node, now, now.plus_seconds(LEASE), &wanted)).await
}

/// Says that this process is still at these of the webhooks that it took. Others that it took, whatever became of them here, are
/// given up when their lease runs out.
///
/// # Errors
/// Faults of the store.
pub async fn keep_all(app: &App, ids: Vec<WebhookId>) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let (node, until) = (app.node, app.machine_now().plus_seconds(LEASE));
    app.store.write(move |tx| webhooks::keep_all(tx, &node, &ids, until)).await
}

/// Gives back all webhooks that this process holds, at its end.
///
/// # Errors
/// Faults of the store.
pub async fn end(app: &App) -> Result<()> {
    let node = app.node;
    app.store.write(move |tx| webhooks::release_all(tx, &node)).await
}

/// Writes what came of attempts and finds `want` more to make, besides those that are `busy`.
///
/// # Errors
/// Faults of the store: nothing was written then, and the same step can be made again.
pub async fn step(
    app: &App,
    (environment, id): (EnvironmentId, WebhookId),
    outcomes: Vec<Outcome>,
    busy: Vec<DeliveryId>,
    want: usize,
) -> Result<Step> {
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, environment)?;
        let nothing = Step { webhook: None, due: Vec::new() };
        let until = desk.pen.machine_now().plus_seconds(LEASE);
        let mine = webhooks::keep(tx, id, &desk.pen.node, until)?;
        let kept: Vec<Attempt> = outcomes.iter().map(|outcome| outcome.attempt.clone()).collect();
        deliveries::keep_attempts(tx, &kept)?;
        let Some(mut webhook) = webhooks::get(tx, id)?.filter(|_| mine) else { return Ok(nothing) };
        if !outcomes.is_empty() {
            conclude(tx, &desk, &mut webhook, &outcomes)?;
        }
        let mut due = Vec::new();
        if webhook.state == State::Active && want > 0 {
            let limit = i64::try_from(want.saturating_add(busy.len())).unwrap_or(i64::MAX);
            due = deliveries::due(tx, id, desk.now, limit)?;
            due.retain(|told| !busy.contains(&told.delivery.id));
            due.truncate(want);
        }
        if due.is_empty() && busy.is_empty() {
            let next = deliveries::next_due(tx, id)?;
            webhooks::release(tx, id, &desk.pen.node, next, desk.settings.clock)?;
            return Ok(nothing);
        }
        Ok(Step { webhook: (webhook.state == State::Active).then_some(webhook), due })
    };
    app.store.write(work).await
}

fn conclude(tx: &mut Tx, desk: &Desk, webhook: &mut Webhook, outcomes: &[Outcome]) -> Result<()> {
    let outcomes = news(tx, outcomes)?;
    if outcomes.is_empty() {
        return Ok(());
    }
    let schedule = Schedule::of(webhook.target.dialect());
    let after = |outcome: &&Outcome| outcome.delivery.after(&schedule, outcome.answer, chance(desk), desk.now);
    let changes: Vec<(DeliveryId, Progress)> = outcomes.iter().map(|outcome| (outcome.delivery.id, after(outcome))).collect();
    deliveries::progress(tx, &changes, desk.now)?;
    let ended = changes.iter().zip(&outcomes).filter(|((_, progress), _)| progress.state != DeliveryState::Pending);
    let objects: Vec<&str> = ended.map(|(_, outcome)| outcome.delivery.object.as_str()).collect();
    deliveries::promote(tx, webhook.id, &objects, desk.now)?;
    let arrived = changes.iter().any(|(_, progress)| progress.state == DeliveryState::Delivered);
    let gone = changes.iter().any(|(_, progress)| progress.gone);
    let before = webhook.failing_since;
    let reason = webhook.note(arrived, gone, desk.now);
    if arrived && before.is_some() && schedule.hastened {
        deliveries::hasten(tx, webhook.id, desk.now)?;
    }
    for ((_, progress), outcome) in changes.iter().zip(outcomes) {
        if progress.state == DeliveryState::Failed {
            give_up(tx, desk, webhook, outcome, progress.attempts)?;
        }
    }
    match reason {
        // A number's webhook is switched off in the number's configuration, and nowhere else; a message's goes with the message.
        Some(reason) if webhook.state == State::Active && matches!(webhook.target, Target::Endpoint(_)) => {
            switch_off(tx, desk, webhook, reason)
        }
        _ if webhook.failing_since != before => webhooks::update(tx, webhook),
        _ => Ok(()),
    }
}

/// The outcomes that change something: not those of an attempt that was written before its answer was lost, or that another process has
/// made meanwhile, or whose delivery was called off.
fn news<'a>(tx: &mut Tx, outcomes: &'a [Outcome]) -> Result<Vec<&'a Outcome>> {
    let ids: Vec<DeliveryId> = outcomes.iter().map(|outcome| outcome.delivery.id).collect();
    let pending: HashMap<DeliveryId, i64> = deliveries::pending(tx, &ids)?.into_iter().collect();
    let is_news = |outcome: &&Outcome| pending.get(&outcome.delivery.id).is_some_and(|made| *made <= outcome.delivery.attempts);
    Ok(outcomes.iter().filter(is_news).collect())
}

/// Tells the owner that a delivery was given up. That news of this sort could not be delivered is no news.
fn give_up(tx: &mut Tx, desk: &Desk, webhook: &Webhook, outcome: &Outcome, attempts: i64) -> Result<()> {
    let delivery = &outcome.delivery;
    if delivery.kind.starts_with("webhook.") {
        return Ok(());
    }
    let data = json!({
        "delivery_id": delivery.id.to_string(),
        "event_id": delivery.event.to_string(),
        "event": delivery.kind,
        "object_id": delivery.object,
        "url": webhook.url,
        "attempts": attempts,
        "status": outcome.answer.status,
        "error": outcome.attempt.fault,
    });
    desk.event(tx, &webhook.id.to_string(), EventKind::WebhookDeliveryFailed, &data)
}

fn switch_off(tx: &mut Tx, desk: &Desk, webhook: &mut Webhook, reason: String) -> Result<()> {
    let data = json!({ "url": webhook.url, "reason": reason });
    webhook.state = State::Disabled { reason };
    webhook.version += 1;
    webhooks::update(tx, webhook)?;
    listen(tx, desk)?;
    desk.event(tx, &webhook.id.to_string(), EventKind::WebhookDisabled, &data)
}

fn chance(desk: &Desk) -> u64 {
    let mut bytes = [0; 8];
    desk.pen.rng.fill(&mut bytes);
    u64::from_be_bytes(bytes)
}
