//! Events on their way to webhooks, and every attempt to deliver them.

use tandem_catalogue::Result;
use tandem_domain::webhook::{Attempt, Delivery, DeliveryState, Progress};
use tandem_kernel::{AttemptId, DeliveryId, EnvironmentId, EventId, Timestamp, WebhookId};

use super::events::Event;
use crate::{Fault, Param, Row, Tx, codec};

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT d.id, d.webhook_id, d.environment_id, d.event_id, d.kind, d.object, d.place, d.payload, d.at, d.state, d.due_at, \
             d.attempts, d.created_at, d.finished_at, e.sequence, e.data FROM deliveries d LEFT JOIN events e ON e.id = d.event_id ",
            $rest
        )
    };
}

/// Lets the first that waits of an object begin. It names the states of the index, which SQLite would not use for `waiting` alone.
pub const PROMOTE: &str = "UPDATE deliveries SET state = 'pending', due_at = $3 WHERE webhook_id = $1 AND object = $2 AND state IN \
     ('waiting', 'pending') AND state = 'waiting' AND place = (SELECT place FROM deliveries WHERE webhook_id = $1 AND object = $2 AND \
     state IN ('waiting', 'pending') ORDER BY place LIMIT 1)";
/// Finds what is due.
pub const DUE: &str =
    columns!("WHERE d.webhook_id = $1 AND d.state = 'pending' AND d.due_at <= $2 ORDER BY d.due_at, d.place LIMIT $3");
/// Finds when something is due next.
pub const NEXT_DUE: &str = "SELECT due_at FROM deliveries WHERE webhook_id = $1 AND state = 'pending' ORDER BY due_at LIMIT 1";
/// Brings forward what is due later.
pub const HASTEN: &str = "UPDATE deliveries SET due_at = $2 WHERE webhook_id = $1 AND state = 'pending' AND due_at > $2";
/// Calls off what has not ended. Naming objects makes SQLite take the index of what has not ended.
pub const CANCEL: &str = "UPDATE deliveries SET state = 'canceled', finished_at = $2 WHERE webhook_id = $1 AND object >= '' AND state IN \
     ('waiting', 'pending')";

/// Finds what happened in a stretch of time.
pub const BETWEEN: &str = "SELECT id, environment_id, object, sequence, kind, data, at FROM events WHERE environment_id = $1 AND at >= $2 \
     AND at < $3 AND (at > $4 OR id > $5) ORDER BY at, id LIMIT $6";
/// Finds which events of a stretch of time arrived or are on their way.
pub const TOLD: &str = "SELECT DISTINCT event_id FROM deliveries WHERE webhook_id = $1 AND at >= $2 AND at <= $3 AND state IN ('waiting', \
     'pending', 'delivered')";

/// A delivery and what the event log says about its event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The delivery.
    pub delivery: Delivery,
    /// The event's sequence for its object; none for what is in no log.
    pub sequence: Option<i64>,
    /// The event's data, as a JSON object.
    pub data: String,
}

/// Which deliveries to list.
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    /// Only those in this state.
    pub state: Option<DeliveryState>,
    /// From the one before this.
    pub before: DeliveryId,
    /// How many.
    pub limit: i64,
}

/// The environment of the event that has been in the queue for longest.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn next_environment(tx: &mut Tx) -> Result<Option<EnvironmentId>> {
    // Without a lock: whoever hands out holds the environment, and would meet one who holds a row of its queue and waits for it.
    let row = tx.first("SELECT environment_id FROM event_queue ORDER BY event_id LIMIT 1", &[])?;
    Ok(row.map(|row| row.array(0)).transpose()?.map(EnvironmentId::from_bytes))
}

/// Takes events of an environment out of the queue, oldest first. Those of one object come in their order.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn take(tx: &mut Tx, environment: EnvironmentId, limit: i64) -> Result<Vec<Event>> {
    let rows = tx.query(
        "SELECT e.id, e.environment_id, e.object, e.sequence, e.kind, e.data, e.at, q.event_id FROM event_queue q \
         LEFT JOIN events e ON e.id = q.event_id WHERE q.environment_id = $1 ORDER BY q.event_id LIMIT $2",
        &[environment.as_bytes().into(), limit.into()],
    )?;
    let Some(last) = rows.last() else { return Ok(Vec::new()) };
    let last: [u8; 16] = last.array(7)?;
    tx.execute(
        "DELETE FROM event_queue WHERE environment_id = $1 AND event_id <= $2",
        &[environment.as_bytes().into(), (&last).into()],
    )?;
    let known = rows.iter().filter(|row| !matches!(row.opt_array::<16>(0), Ok(None)));
    let mut events: Vec<Event> = known.map(super::events::event).collect::<Result<_, Fault>>()?;
    events.sort_by_key(|one| one.id);
    in_order(&mut events);
    Ok(events)
}

/// Puts the events of each object into the order of their sequence, each at one of the places that they have: ids of one instant that
/// two processes made, or a machine whose clock was set back, need not sort as they were written.
fn in_order(events: &mut [Event]) {
    let mut places: std::collections::HashMap<&str, Vec<usize>> = std::collections::HashMap::new();
    for (place, event) in events.iter().enumerate() {
        places.entry(&event.object).or_default().push(place);
    }
    let moves: Vec<(usize, Event)> = places
        .into_values()
        .flat_map(|places| {
            let mut sorted: Vec<&Event> = places.iter().filter_map(|place| events.get(*place)).collect();
            sorted.sort_by_key(|event| event.sequence);
            let sorted: Vec<Event> = sorted.into_iter().cloned().collect();
            places.into_iter().zip(sorted).collect::<Vec<_>>()
        })
        .collect();
    for (place, event) in moves {
        if let Some(slot) = events.get_mut(place) {
            *slot = event;
        }
    }
}

/// Adds deliveries, in this order. One that has an open one about the same object before it waits for it.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn insert(tx: &mut Tx, deliveries: &[Delivery]) -> Result<()> {
    let rows: Vec<Vec<Param>> = deliveries
        .iter()
        .map(|delivery| {
            vec![
                delivery.id.as_bytes().into(),
                delivery.webhook.as_bytes().into(),
                delivery.environment.as_bytes().into(),
                delivery.event.as_bytes().into(),
                (&delivery.kind).into(),
                (&delivery.object).into(),
                delivery.place.into(),
                delivery.payload.as_ref().into(),
                delivery.at.into(),
                delivery.due_at.into(),
                delivery.created_at.into(),
            ]
        })
        .collect();
    tx.execute_many(
        "INSERT INTO deliveries (id, webhook_id, environment_id, event_id, kind, object, place, payload, at, state, due_at, attempts, \
         created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, CASE WHEN EXISTS (SELECT 1 FROM deliveries WHERE webhook_id = $2 AND \
         object = $6 AND state IN ('waiting', 'pending')) THEN 'waiting' ELSE 'pending' END, $10, 0, $11)",
        &rows,
    )?;
    Ok(())
}

/// What is to be delivered to a webhook now, the longest due first.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn due(tx: &mut Tx, webhook: WebhookId, now: Timestamp, limit: i64) -> Result<Vec<Told>> {
    let rows = tx.query(DUE, &[webhook.as_bytes().into(), now.into(), limit.into()])?;
    Ok(rows.iter().map(told).collect::<Result<_, Fault>>()?)
}

/// When something is to be delivered to a webhook next.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn next_due(tx: &mut Tx, webhook: WebhookId) -> Result<Option<Timestamp>> {
    let row = tx.first(NEXT_DUE, &[webhook.as_bytes().into()])?;
    Ok(row.map(|row| row.time(0)).transpose()?)
}

/// Which of some deliveries are still to be made, and how many attempts there were.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn pending(tx: &mut Tx, ids: &[DeliveryId]) -> Result<Vec<(DeliveryId, i64)>> {
    let keys: Vec<Param> = ids.iter().map(|id| id.as_bytes().into()).collect();
    let rows = tx.query_in("SELECT id, attempts FROM deliveries WHERE state = 'pending' AND id IN", &[], &keys, "")?;
    let found = rows.iter().map(|row| Ok((DeliveryId::from_bytes(row.array(0)?), row.int(1)?)));
    Ok(found.collect::<Result<_, Fault>>()?)
}

/// Writes what attempts led to. A delivery that another process has tried meanwhile, or that was called off, stays as it is.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn progress(tx: &mut Tx, changes: &[(DeliveryId, Progress)], now: Timestamp) -> Result<()> {
    let rows: Vec<Vec<Param>> = changes
        .iter()
        .map(|(id, progress)| {
            let ended = (progress.state != DeliveryState::Pending).then_some(now);
            vec![
                id.as_bytes().into(),
                progress.state.as_str().into(),
                progress.due_at.into(),
                progress.attempts.into(),
                ended.into(),
            ]
        })
        .collect();
    tx.execute_many(
        "UPDATE deliveries SET state = $2, due_at = $3, attempts = $4, finished_at = $5 \
         WHERE id = $1 AND state = 'pending' AND attempts < $4",
        &rows,
    )?;
    Ok(())
}

/// Lets the next delivery about each object begin, where the one before it has ended.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn promote(tx: &mut Tx, webhook: WebhookId, objects: &[&str], due_at: Timestamp) -> Result<()> {
    let rows: Vec<Vec<Param>> =
        objects.iter().map(|object| vec![webhook.as_bytes().into(), (*object).into(), due_at.into()]).collect();
    tx.execute_many(PROMOTE, &rows).map(drop)
}

/// Brings forward all that is to be tried again later.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn hasten(tx: &mut Tx, webhook: WebhookId, due_at: Timestamp) -> Result<()> {
    tx.execute(HASTEN, &[webhook.as_bytes().into(), due_at.into()]).map(drop)
}

/// Calls off all that has not ended.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn cancel(tx: &mut Tx, webhook: WebhookId, now: Timestamp) -> Result<()> {
    tx.execute(CANCEL, &[webhook.as_bytes().into(), now.into()]).map(drop)
}

/// Reads a delivery, whosever it is.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn get(tx: &mut Tx, id: DeliveryId) -> Result<Option<Told>> {
    let row = tx.first(columns!("WHERE d.id = $1"), &[id.as_bytes().into()])?;
    Ok(row.map(|row| told(&row)).transpose()?)
}

/// A webhook's deliveries, newest first.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn list(tx: &mut Tx, webhook: WebhookId, filter: Filter) -> Result<Vec<Told>> {
    let rows = tx.query(
        columns!("WHERE d.webhook_id = $1 AND d.id < $2 AND (d.state = $3 OR $3 = '') ORDER BY d.id DESC LIMIT $4"),
        &[
            webhook.as_bytes().into(),
            filter.before.as_bytes().into(),
            filter.state.map_or("", DeliveryState::as_str).into(),
            filter.limit.into(),
        ],
    )?;
    Ok(rows.iter().map(told).collect::<Result<_, Fault>>()?)
}

/// Keeps attempts.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn keep_attempts(tx: &mut Tx, attempts: &[Attempt]) -> Result<()> {
    let headers: Vec<String> = attempts.iter().map(|attempt| codec::to_text(&attempt.headers)).collect();
    let rows: Vec<Vec<Param>> = attempts
        .iter()
        .zip(&headers)
        .map(|(attempt, headers)| {
            vec![
                attempt.id.as_bytes().into(),
                attempt.delivery.as_bytes().into(),
                attempt.number.into(),
                (&attempt.url).into(),
                headers.into(),
                attempt.status.map(i64::from).into(),
                (&attempt.answer).into(),
                attempt.fault.as_ref().into(),
                attempt.duration.into(),
                attempt.at.into(),
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO attempts (id, delivery_id, number, url, headers, status, answer, fault, duration, at)",
        "ON CONFLICT (id) DO NOTHING",
        &rows,
    )?;
    Ok(())
}

/// The attempts to make a delivery, in their order.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn attempts(tx: &mut Tx, delivery: DeliveryId) -> Result<Vec<Attempt>> {
    let rows = tx.query(
        "SELECT id, delivery_id, number, url, headers, status, answer, fault, duration, at FROM attempts WHERE delivery_id = $1 \
         ORDER BY number, id",
        &[delivery.as_bytes().into()],
    )?;
    Ok(rows.iter().map(attempt).collect::<Result<_, Fault>>()?)
}

/// An environment's events of a stretch of time from the one after `after`, in the order of their times.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn events_between(
    tx: &mut Tx,
    environment: EnvironmentId,
    (from, until): (Timestamp, Timestamp),
    after: EventId,
    limit: i64,
) -> Result<Vec<Event>> {
    let last = tx.first("SELECT at FROM events WHERE id = $1", &[after.as_bytes().into()])?;
    let last = last.map_or(Ok(from), |row| row.time(0))?;
    let rows = tx.query(
        BETWEEN,
        &[environment.as_bytes().into(), from.max(last).into(), until.into(), last.into(), after.as_bytes().into(), limit.into()],
    )?;
    Ok(rows.iter().map(super::events::event).collect::<Result<_, Fault>>()?)
}

/// Which of these events did not arrive at a webhook and are not on their way to it.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn missing(tx: &mut Tx, webhook: WebhookId, events: Vec<Event>) -> Result<Vec<Event>> {
    let first = events.iter().map(|event| event.at).min();
    let (Some(first), Some(last)) = (first, events.iter().map(|event| event.at).max()) else { return Ok(events) };
    let rows = tx.query(TOLD, &[webhook.as_bytes().into(), first.into(), last.into()])?;
    let known: std::collections::HashSet<[u8; 16]> = rows.iter().map(|row| row.array(0)).collect::<Result<_, Fault>>()?;
    Ok(events.into_iter().filter(|event| !known.contains(event.id.as_bytes())).collect())
}

/// Forgets some deliveries that were made before an id and have ended, with their attempts; how many.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn purge(tx: &mut Tx, before: DeliveryId, limit: i64) -> Result<u64> {
    tx.execute(
        "DELETE FROM attempts WHERE delivery_id IN (SELECT id FROM deliveries WHERE id < $1 AND finished_at IS NOT NULL ORDER BY id LIMIT $2)",
        &[before.as_bytes().into(), limit.into()],
    )?;
    tx.execute(
        "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE id < $1 AND finished_at IS NOT NULL ORDER BY id LIMIT $2)",
        &[before.as_bytes().into(), limit.into()],
    )
}

fn told(row: &Row) -> Result<Told, Fault> {
    let payload = row.opt_text(7)?.map(str::to_owned);
    Ok(Told {
        data: payload.clone().or(row.opt_text(15)?.map(str::to_owned)).unwrap_or_else(|| "{}".to_owned()),
        sequence: row.opt_int(14)?,
        delivery: Delivery {
            id: DeliveryId::from_bytes(row.array(0)?),
            webhook: WebhookId::from_bytes(row.array(1)?),
            environment: EnvironmentId::from_bytes(row.array(2)?),
            event: EventId::from_bytes(row.array(3)?),
            kind: row.text(4)?.to_owned(),
            object: row.text(5)?.to_owned(),
            place: row.int(6)?,
            payload,
            at: row.time(8)?,
            state: row.word(9, DeliveryState::parse)?,
            due_at: row.time(10)?,
            attempts: row.int(11)?,
            created_at: row.time(12)?,
            finished_at: row.opt_time(13)?,
        },
    })
}

fn attempt(row: &Row) -> Result<Attempt, Fault> {
    Ok(Attempt {
        id: AttemptId::from_bytes(row.array(0)?),
        delivery: DeliveryId::from_bytes(row.array(1)?),
        number: row.int(2)?,
        url: row.text(3)?.to_owned(),
        headers: codec::from_text(row.text(4)?)?,
        status: row.opt_int(5)?.and_then(|status| u16::try_from(status).ok()),
        answer: row.text(6)?.to_owned(),
        fault: row.opt_text(7)?.map(str::to_owned),
        duration: row.int(8)?,
        at: row.time(9)?,
    })
}
