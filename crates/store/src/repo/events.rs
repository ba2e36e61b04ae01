//! The event log: one row for every change of state.

use tandem_catalogue::Result;
use tandem_domain::event::EventKind;
use tandem_kernel::{EnvironmentId, EventId, Timestamp};

use crate::{Fault, Param, Row, Tx};

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
    tx.execute_many(
        "INSERT INTO events (id, environment_id, object, sequence, kind, data, at) \
         VALUES ($1, $2, $3, (SELECT COALESCE(MAX(sequence), 0) + 1 FROM events WHERE object = $3), $4, $5, $6)",
        &rows.collect::<Vec<Vec<Param>>>(),
    )
    .map(drop)
}

/// Puts an event into the queue of those that somebody wants to hear of.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn enqueue(tx: &mut Tx, id: EventId, environment: EnvironmentId) -> Result<()> {
    let sql = "INSERT INTO event_queue (event_id, environment_id) VALUES ($1, $2)";
    tx.execute(sql, &[id.as_bytes().into(), environment.as_bytes().into()]).map(drop)
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

fn event(row: &Row) -> Result<Event, Fault> {
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
