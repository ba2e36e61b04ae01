//! The event log: one row for every change of state.

use std::collections::HashMap;

use tandem_catalogue::Result;
use tandem_domain::event::EventKind;
use tandem_kernel::{EnvironmentId, EventId, Timestamp};

use crate::{Fault, Param, Row, Tx};

/// From so many events on their sequences are looked up together.
const MANY: usize = 8;

/// A change of state, as the log keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its id; ids sort by time.
    pub id: EventId,
    /// Whose object it is.
    pub environment: EnvironmentId,
    /// The object, as pages name it.
    pub object: String,
    /// The object's first event is 1.
    pub sequence: i64,
    /// What happened.
    pub kind: String,
    /// More about it, as a JSON object.
    pub data: String,
    /// When, by the environment's clock.
    pub at: Timestamp,
}

/// Appends an event; its sequence is the object's next.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn append(
    tx: &mut Tx,
    id: EventId,
    environment: EnvironmentId,
    object: &str,
    kind: EventKind,
    data: &serde_json::Value,
    at: Timestamp,
) -> Result<()> {
    append_many(tx, environment, &[New { id, object: object.to_owned(), kind, data: data.to_string() }], at)
}

/// A change of state that is not in the log yet.
#[derive(Clone, Debug)]
pub struct New {
    /// Its id.
    pub id: EventId,
    /// The object, as pages name it.
    pub object: String,
    /// What happened.
    pub kind: EventKind,
    /// More about it, as a JSON object.
    pub data: String,
}

/// Appends events, in order; the sequence of each is its object's next.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn append_many(tx: &mut Tx, environment: EnvironmentId, events: &[New], at: Timestamp) -> Result<()> {
    if events.len() >= MANY {
        return append_numbered(tx, environment, events, at);
    }
    let rows = events.iter().map(|event| {
        vec![
            event.id.as_bytes().into(),
            environment.as_bytes().into(),
            (&event.object).into(),
            event.kind.as_str().into(),
            (&event.data).into(),
            at.into(),
        ]
    });
    tx.later(
        "INSERT INTO events (id, environment_id, object, sequence, kind, data, at) \
         VALUES ($1, $2, $3, (SELECT COALESCE(MAX(sequence), 0) + 1 FROM events WHERE object = $3), $4, $5, $6)",
        &rows.collect::<Vec<Vec<Param>>>(),
    )
}

/// The same for so many that it is worth while to ask for the last sequences first, and to write them by few statements.
fn append_numbered(tx: &mut Tx, environment: EnvironmentId, events: &[New], at: Timestamp) -> Result<()> {
    let objects: Vec<Param> = events.iter().map(|event| (&event.object).into()).collect();
    let rows = tx.query_in("SELECT object, MAX(sequence) FROM events WHERE object IN", &[], &objects, "GROUP BY object")?;
    let last = rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.int(1)?)));
    let mut last: HashMap<String, i64> = last.collect::<Result<_, Fault>>()?;
    let mut rows: Vec<Vec<Param>> = Vec::with_capacity(events.len());
    for event in events {
        let sequence = last.entry(event.object.clone()).or_default();
        *sequence += 1;
        rows.push(vec![
            event.id.as_bytes().into(),
            environment.as_bytes().into(),
            (&event.object).into(),
            (*sequence).into(),
            event.kind.as_str().into(),
            (&event.data).into(),
            at.into(),
        ]);
    }
    tx.insert_later("INSERT INTO events (id, environment_id, object, sequence, kind, data, at)", "", &rows)
}

/// Puts an event into the queue of those that somebody wants to hear of.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn enqueue(tx: &mut Tx, id: EventId, environment: EnvironmentId) -> Result<()> {
    let sql = "INSERT INTO event_queue (event_id, environment_id) VALUES ($1, $2)";
    tx.later(sql, &[vec![id.as_bytes().into(), environment.as_bytes().into()]])
}

/// As [`enqueue`], for many.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn enqueue_many(tx: &mut Tx, ids: &[EventId], environment: EnvironmentId) -> Result<()> {
    let rows: Vec<Vec<Param>> = ids.iter().map(|id| vec![id.as_bytes().into(), environment.as_bytes().into()]).collect();
    tx.insert_many("INSERT INTO event_queue (event_id, environment_id)", "", &rows).map(drop)
}

/// An object's events from the one after the sequence `after`, oldest first.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn of_object(tx: &mut Tx, environment: EnvironmentId, object: &str, after: i64, limit: i64) -> Result<Vec<Event>> {
    let rows = tx.query(
        "SELECT id, environment_id, object, sequence, kind, data, at FROM events WHERE object = $1 AND sequence > $2 \
         AND environment_id = $3 ORDER BY sequence LIMIT $4",
        &[object.into(), after.into(), environment.as_bytes().into(), limit.into()],
    )?;
    Ok(rows.iter().map(event).collect::<Result<_, Fault>>()?)
}

/// An environment's events after `after`, oldest first.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn after(tx: &mut Tx, environment: EnvironmentId, after: EventId, limit: i64) -> Result<Vec<Event>> {
    let rows = tx.query(
        "SELECT id, environment_id, object, sequence, kind, data, at FROM events WHERE environment_id = $1 AND id > $2 \
         ORDER BY id LIMIT $3",
        &[environment.as_bytes().into(), after.as_bytes().into(), limit.into()],
    )?;
    Ok(rows.iter().map(event).collect::<Result<_, Fault>>()?)
}

pub(super) fn event(row: &Row) -> Result<Event, Fault> {
    Ok(Event {
        id: EventId::from_bytes(row.array(0)?),
        environment: EnvironmentId::from_bytes(row.array(1)?),
        object: row.text(2)?.to_owned(),
        sequence: row.int(3)?,
        kind: row.text(4)?.to_owned(),
        data: row.text(5)?.to_owned(),
        at: row.time(6)?,
    })
}
