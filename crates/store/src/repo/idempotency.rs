//! First answers, kept for repetitions of the same request.

use tandem_catalogue::{Error, Result};
use tandem_kernel::{EnvironmentId, Timestamp};

use crate::Tx;

/// An answer as it was first given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The hash of method, path and body.
    pub fingerprint: [u8; 32],
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// The answer that was first given under this key, if it is younger than `since`.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn find(tx: &mut Tx, environment: EnvironmentId, key: &[u8; 32], since: Timestamp) -> Result<Option<Answer>> {
    let row = tx.first(
        "SELECT fingerprint, status, body FROM idempotency WHERE environment_id = $1 AND key_hash = $2 AND created_at >= $3",
        &[environment.as_bytes().into(), key.into(), since.into()],
    )?;
    let Some(row) = row else { return Ok(None) };
    let status = u16::try_from(row.int(1)?).unwrap_or(500);
    Ok(Some(Answer { fingerprint: row.array(0)?, status, body: row.bytes(2)?.to_vec() }))
}

/// Keeps the first answer, in the unit of work that did what it tells of. An answer older than `since` gives way.
///
/// # Errors
/// `request_in_progress` where another node answered the same request first: its answer holds, and this unit of work is undone.
pub fn keep(
    tx: &mut Tx,
    environment: EnvironmentId,
    key: &[u8; 32],
    answer: &Answer,
    since: Timestamp,
    now: Timestamp,
) -> Result<()> {
    let changed = tx.execute(
        "INSERT INTO idempotency (environment_id, key_hash, fingerprint, status, body, created_at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (environment_id, key_hash) DO UPDATE SET fingerprint = excluded.fingerprint, status = excluded.status, \
         body = excluded.body, created_at = excluded.created_at WHERE idempotency.created_at < $7",
        &[
            environment.as_bytes().into(),
            key.into(),
            (&answer.fingerprint).into(),
            i64::from(answer.status).into(),
            answer.body.as_slice().into(),
            now.into(),
            since.into(),
        ],
    )?;
    if changed == 1 { Ok(()) } else { Err(Error::request_in_progress()) }
}

/// Forgets answers older than `before`, some at a time.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn purge(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    tx.execute(
        "DELETE FROM idempotency WHERE (environment_id, key_hash) IN \
         (SELECT environment_id, key_hash FROM idempotency WHERE created_at < $1 ORDER BY created_at LIMIT 1000)",
        &[before.into()],
    )
}
