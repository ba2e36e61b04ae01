//! The request log.

use tandem_catalogue::Result;
use tandem_kernel::{EnvironmentId, RequestId, Timestamp};

use crate::{Fault, Param, Row, Tx};

/// One request, as the log keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Its id, which every answer carries.
    pub id: RequestId,
    /// Whose key made it; none where nobody's did.
    pub environment: Option<EnvironmentId>,
    /// The dialect that answered.
    pub dialect: &'static str,
    /// The key's last four characters.
    pub key_last_four: String,
    /// The method.
    pub method: String,
    /// The path's pattern.
    pub route: String,
    /// The path and query as sent, secrets left out.
    pub path: String,
    /// The status of the answer.
    pub status: i64,
    /// The catalogue's code, where it was an error.
    pub code: &'static str,
    /// Microseconds from the first byte of the request to the last of the answer's head.
    pub duration: i64,
    /// Unknown fields and their nearest known ones.
    pub hint: String,
    /// The request's body, secrets left out.
    pub body: String,
    /// When, by the machine's clock.
    pub at: Timestamp,
}

/// A request read back from the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The request; its words are the store's own.
    pub id: RequestId,
    /// Whose key made it.
    pub environment: Option<EnvironmentId>,
    /// Dialect, key's last four, method, route, path, code, hint, body.
    pub texts: [String; 8],
    /// The status of the answer.
    pub status: i64,
    /// Microseconds.
    pub duration: i64,
    /// When.
    pub at: Timestamp,
}

const COLUMNS_BY_ID: &str = "SELECT id, environment_id, dialect, key_last_four, method, route, path, code, hint, body, status, duration, at \
                             FROM requests WHERE id = $1";
const COLUMNS_BY_ENVIRONMENT: &str = "SELECT id, environment_id, dialect, key_last_four, method, route, path, code, hint, body, status, \
                                      duration, at FROM requests WHERE environment_id = $1 AND id < $2 AND status >= $3 AND status <= $4 \
                                      ORDER BY id DESC LIMIT $5";

/// Adds requests to the log, those left out that are there; how many were added.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn append(tx: &mut Tx, requests: &[Logged]) -> Result<u64> {
    let rows: Vec<Vec<Param>> = requests.iter().map(row_of).collect();
    tx.execute_many(
        "INSERT INTO requests (id, environment_id, dialect, key_last_four, method, route, path, status, code, duration, hint, body, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (id) DO NOTHING",
        &rows,
    )
}

/// Finds a request by its id.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn get(tx: &mut Tx, id: RequestId) -> Result<Option<Found>> {
    let row = tx.first(COLUMNS_BY_ID, &[id.as_bytes().into()])?;
    Ok(row.map(|row| found(&row)).transpose()?)
}

/// An environment's requests before `before`, newest first, whose status lies in a range.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn list(tx: &mut Tx, environment: EnvironmentId, before: RequestId, status: (i64, i64), limit: i64) -> Result<Vec<Found>> {
    let rows = tx.query(
        COLUMNS_BY_ENVIRONMENT,
        &[environment.as_bytes().into(), before.as_bytes().into(), status.0.into(), status.1.into(), limit.into()],
    )?;
    Ok(rows.iter().map(found).collect::<Result<_, Fault>>()?)
}

/// Forgets requests older than `before`, some at a time.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn purge(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    tx.execute("DELETE FROM requests WHERE id IN (SELECT id FROM requests WHERE at < $1 ORDER BY at LIMIT 1000)", &[before.into()])
}

fn row_of(request: &Logged) -> Vec<Param<'_>> {
    vec![
        request.id.as_bytes().into(),
        request.environment.as_ref().map(EnvironmentId::as_bytes).into(),
        request.dialect.into(),
        (&request.key_last_four).into(),
        (&request.method).into(),
        (&request.route).into(),
        (&request.path).into(),
        request.status.into(),
        request.code.into(),
        request.duration.into(),
        (&request.hint).into(),
        (&request.body).into(),
        request.at.into(),
    ]
}

fn found(row: &Row) -> Result<Found, Fault> {
    let text = |column| row.text(column).map(str::to_owned);
    Ok(Found {
        id: RequestId::from_bytes(row.array(0)?),
        environment: row.opt_array(1)?.map(EnvironmentId::from_bytes),
        texts: [text(2)?, text(3)?, text(4)?, text(5)?, text(6)?, text(7)?, text(8)?, text(9)?],
        status: row.int(10)?,
        duration: row.int(11)?,
        at: row.time(12)?,
    })
}
