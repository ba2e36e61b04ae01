//! Idempotency: a repetition of a request gets the first answer.
//!
//! The answer of a changing operation is kept in the unit of work that makes the change, so that after a crash there are
//! either both or neither. Two at once in this process are kept apart in memory; two on different nodes by the table's key.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use http::{HeaderMap, Method, StatusCode};
use sha2::{Digest, Sha256};
use tandem_app::{App, Operation};
use tandem_catalogue::{Error, Result};
use tandem_kernel::{EnvironmentId, RequestId, Timestamp};
use tandem_store::{Tx, repo::idempotency};

use super::reply::Reply;

/// Hours for which answers are kept.
const HOURS: i64 = 24;
const LONGEST_KEY: usize = 255;
/// The header that marks a request as repeatable.
pub const KEY_HEADER: &str = "idempotency-key";
/// The header of an answer that was given before.
pub const REPLAYED: &str = "idempotent-replayed";

type Of = (EnvironmentId, [u8; 32]);

/// The requests with a key that are being worked on in this process, and what they ask for.
#[derive(Default)]
pub struct InFlight(Mutex<HashMap<Of, [u8; 32]>>);

/// A request's place among its repetitions; without a key it stands alone.
#[derive(Default)]
pub struct Once {
    slot: Option<Slot>,
}

struct Slot {
    of: Of,
    fingerprint: [u8; 32],
    since: Timestamp,
    now: Timestamp,
    kept: AtomicBool,
}

/// What a key says about a request.
pub enum Claim {
    /// It is to be done.
    Do(Once, Option<Guard>),
    /// It was done: the first answer.
    Replay(Reply),
}

/// Frees the key when the request is answered.
pub struct Guard {
    flights: Arc<InFlight>,
    of: Of,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.flights.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.of);
    }
}

impl InFlight {
    /// Looks a request's key up. `what` is method, path and body.
    ///
    /// # Errors
    /// `invalid_idempotency_key`, `idempotency_key_reused`, `request_in_progress`, and faults of the store.
    pub async fn claim(
        self: &Arc<Self>,
        app: &App,
        environment: EnvironmentId,
        headers: &HeaderMap,
        what: (&Method, &str, &[u8]),
        media_type: &'static str,
    ) -> Result<Claim> {
        let Some(key) = headers.get(KEY_HEADER) else { return Ok(Claim::Do(Once::default(), None)) };
        let key = key.as_bytes();
        if key.is_empty() || key.len() > LONGEST_KEY || !key.iter().all(|byte| (0x20..0x7f).contains(byte)) {
            return Err(Error::invalid_idempotency_key());
        }
        let now = app.machine_now();
        let of = (environment, Sha256::digest(key).into());
        let slot = Slot {
            of,
            fingerprint: fingerprint(app, what),
            since: now.plus_seconds(-HOURS * 3600),
            now,
            kept: AtomicBool::new(false),
        };
        let guard = self.take_off(&slot)?;
        let (key_hash, since) = (of.1, slot.since);
        let before = app.store.read(move |tx| idempotency::find(tx, environment, &key_hash, since)).await?;
        match before {
            None => Ok(Claim::Do(Once { slot: Some(slot) }, Some(guard))),
            Some(answer) if answer.fingerprint != slot.fingerprint => Err(Error::idempotency_key_reused()),
            Some(answer) => Ok(Claim::Replay(replay(answer, media_type))),
        }
    }

    fn take_off(self: &Arc<Self>, slot: &Slot) -> Result<Guard> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match flights.get(&slot.of) {
            Some(other) if *other != slot.fingerprint => Err(Error::idempotency_key_reused()),
            Some(_) => Err(Error::request_in_progress()),
            None => {
                flights.insert(slot.of, slot.fingerprint);
                Ok(Guard { flights: self.clone(), of: slot.of })
            }
        }
    }
}

impl Once {
    /// Which request this is: repetitions have the same operation, other requests never.
    #[must_use]
    pub fn operation(&self, request: RequestId) -> Operation {
        let Some(slot) = &self.slot else { return Operation(*request.as_bytes()) };
        let digest =
            Sha256::new().chain_update(slot.of.0.as_bytes()).chain_update(slot.of.1).chain_update(slot.fingerprint).finalize();
        let mut operation = [0; 16];
        for (to, from) in operation.iter_mut().zip(digest) {
            *to = from;
        }
        Operation(operation)
    }

    /// Keeps the answer, in the unit of work that it tells of.
    ///
    /// # Errors
    /// `request_in_progress` where another node has just answered the same request; the unit of work is undone.
    pub fn keep(&self, tx: &mut Tx, reply: &Reply) -> Result<()> {
        let Some(slot) = &self.slot else { return Ok(()) };
        let answer = idempotency::Answer { fingerprint: slot.fingerprint, status: reply.status.as_u16(), body: reply.body.clone() };
        idempotency::keep(tx, slot.of.0, &slot.of.1, &answer, slot.since, slot.now)?;
        slot.kept.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Keeps an answer that changed nothing, if it is one to remember: refusals are, but for those that say nothing about the
    /// request itself.
    pub async fn keep_refusal(self: &std::sync::Arc<Self>, app: &App, reply: &Reply) {
        let remembered = match reply.status {
            StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => false,
            status => !status.is_server_error(),
        };
        let open = self.slot.as_ref().is_some_and(|slot| !slot.kept.load(Ordering::Relaxed));
        if !(remembered && open) {
            return;
        }
        let (once, reply) = (self.clone(), reply.clone());
        if let Err(fault) = app.store.write(move |tx| once.keep(tx, &reply)).await {
            // The refusal changed nothing, so a repetition may well be decided anew.
            tracing::debug!(code = fault.code().name(), "a refusal could not be kept for repetitions");
        }
    }
}

/// Keyed, because a body may hold a code, and a plain hash of so few digits is soon guessed.
fn fingerprint(app: &App, (method, path, body): (&Method, &str, &[u8])) -> [u8; 32] {
    app.vault.mac("request", &[method.as_str().as_bytes(), path.as_bytes(), body])
}

fn replay(answer: idempotency::Answer, media_type: &'static str) -> Reply {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    Reply { status, body: answer.body, media_type, headers: Vec::new(), stream: None }.with(REPLAYED, "true")
}
