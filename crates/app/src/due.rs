//! Due work: renewals, quarantines, orders without an answer and whatever else has to happen at a time of an environment's clock.

use std::time::Duration;

use tandem_catalogue::Result;
use tandem_kernel::{
    AddressId, Environment, MessageId, NumberId, OrderId, PhoneNumber, PortId, RecordingId, Timestamp, TransferId, VerificationId,
};
use tandem_store::{
    Tx,
    repo::jobs::{self, Job},
};
use tokio::sync::{Notify, watch};

use crate::{App, addresses, app::Desk, billing, holds, messages, numbers, ports, recordings, verifications};

/// Jobs that are looked up at a time.
const BATCH: i64 = 64;
/// How long the worker sleeps where nothing is due.
const NAP: Duration = Duration::from_millis(250);
/// Seconds after which a job that failed is tried again the first time; twice as long each time after.
const FIRST_RETRY: i64 = 30;
const LONGEST_RETRY: i64 = 6 * 3600;

/// Wakes a worker before its nap is over.
#[derive(Default)]
pub struct Bell(Notify);

impl Bell {
    /// Wakes it.
    pub fn ring(&self) {
        self.0.notify_one();
    }

    /// Waits until somebody rings; a ring that nobody waited for counts.
    pub async fn rung(&self) {
        self.0.notified().await;
    }
}

/// How a piece of due work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// It need not be looked at again.
    Finished,
    /// It is to be done again, at that time of the environment's clock.
    Again(Timestamp),
    /// Somebody else is at it or has put it off: it stays as it is.
    Left,
}

/// The same time tomorrow.
#[must_use]
pub fn next_day(now: Timestamp) -> Timestamp {
    now.plus_days(1)
}

/// Does due work until `stop`.
pub async fn run(app: App, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let done = run_due(&app).await.unwrap_or_else(|fault| {
            tracing::warn!(code = fault.code().name(), report = fault.internal_report(), "due work cannot be looked up");
            0
        });
        if done == 0 {
            tokio::select! {
                () = tokio::time::sleep(NAP) => {}
                () = app.bell.rung() => {}
                _ = stop.changed() => {}
            }
        }
    }
}

/// Does what is due now; how many jobs that were. The work of environments at which somebody else is already is left to them.
///
/// # Errors
/// Faults of the store while looking them up. A job that fails is tried again later.
pub async fn run_due(app: &App) -> Result<usize> {
    let now = app.machine_now();
    let due = app.store.read(move |tx| jobs::due(tx, now, BATCH)).await?;
    let mut done = 0;
    for job in due {
        if let Some(_turn) = app.turns.try_take(job.environment) {
            perform(app, job).await;
            done += 1;
        }
    }
    Ok(done)
}

/// Does one job and finishes it, or puts it off.
pub async fn perform(app: &App, job: Job) {
    let (id, kind) = (job.id, job.kind.clone());
    let outcome = match job.kind.as_str() {
        numbers::ORDER_JOB | ports::PORT_JOB | messages::MMS_JOB | messages::FORWARD_EMAIL_JOB => asked(app, job.clone()).await,
        _ => written(app, job.clone()).await,
    };
    if let Err(fault) = outcome {
        tracing::warn!(%id, kind, code = fault.code().name(), report = fault.internal_report(), "due work failed and is put off");
        put_off(app, job).await;
    }
}

/// Work that is one unit of work, its own end included.
async fn written(app: &App, job: Job) -> Result<()> {
    let pen = app.pen();
    let rings = [messages::SCHEDULE_JOB, messages::FORWARD_SMS_JOB].contains(&job.kind.as_str());
    let effect = app.store.write(move |tx| {
        let desk = pen.open(tx, job.environment)?;
        let Some(job) = jobs::claim(tx, job.id)? else { return Ok(None) };
        let (done, effect) = work(tx, &desk, &job)?;
        conclude(tx, &desk, &job, done)?;
        Ok(effect)
    });
    if let Some((kind, phone)) = effect.await? {
        app.stock.set_available(kind, phone, true);
    }
    if rings {
        app.outbox.ring();
        app.mailbox.ring();
    }
    Ok(())
}

/// What a job's work leaves to do in memory: a number that is for sale again.
type Effect = Option<(Environment, PhoneNumber)>;

fn work(tx: &mut Tx, desk: &Desk, job: &Job) -> Result<(Done, Effect)> {
    match job.kind.as_str() {
        addresses::FIT_JOB => Ok((addresses::fit(tx, desk, AddressId::from_bytes(job.subject))?, None)),
        numbers::RENEWAL_JOB => Ok((numbers::renew(tx, desk, NumberId::from_bytes(job.subject), job.step)?, None)),
        billing::INVOICE_JOB => Ok((billing::issue(tx, desk, Timestamp::from_micros(job.step))?, None)),
        messages::INCOMPLETE_JOB => Ok((messages::give_up(tx, desk, job.subject)?, None)),
        messages::EXPIRY_JOB => Ok((messages::expire(tx, desk)?, None)),
        messages::SCHEDULE_JOB => Ok((messages::release(tx, desk)?, None)),
        messages::FORWARD_SMS_JOB => Ok((messages::forward_sms(tx, desk, MessageId::from_bytes(job.subject))?, None)),
        messages::LEASE_JOB => Ok((messages::end_leases(tx, desk)?, None)),
        holds::HOLD_JOB => Ok((holds::expire(tx, desk, TransferId::from_bytes(job.subject))?, None)),
        numbers::QUARANTINE_JOB => {
            let (_, digits) = job.subject.split_at(8);
            let digits = digits.try_into().map_or(0, u64::from_be_bytes);
            let (kind, phone) = (desk.settings.kind, PhoneNumber::from_digits(digits));
            let rested = numbers::end_quarantine(tx, desk, kind, phone)?;
            Ok((Done::Finished, rested.then_some((kind, phone))))
        }
        verifications::EXPIRY_JOB => Ok((verifications::expire(tx, desk, VerificationId::from_bytes(job.subject))?, None)),
        recordings::RETENTION_JOB => Ok((recordings::expire(tx, desk, RecordingId::from_bytes(job.subject))?, None)),
        other => {
            tracing::error!(kind = other, "there is due work of an unknown kind; a newer version may know it");
            Ok((Done::Again(next_day(desk.now)), None))
        }
    }
}

/// Work that asks a carrier, and can be repeated.
async fn asked(app: &App, job: Job) -> Result<()> {
    let environment = app.directory.environment(job.environment).await?;
    let done = match job.kind.as_str() {
        numbers::ORDER_JOB => {
            numbers::settle(app, environment.settings.kind, OrderId::from_bytes(job.subject)).await?;
            Done::Finished
        }
        ports::PORT_JOB => ports::advance(app, PortId::from_bytes(job.subject)).await?,
        messages::MMS_JOB => messages::deliver_mms(app, &job).await?,
        messages::FORWARD_EMAIL_JOB => messages::forward_email(app, &job).await?,
        _ => Done::Finished,
    };
    let pen = app.pen();
    let concluded = app.store.write(move |tx| {
        let desk = pen.open(tx, job.environment)?;
        let Some(job) = jobs::claim(tx, job.id)? else { return Ok(()) };
        conclude(tx, &desk, &job, done)
    });
    concluded.await
}

fn conclude(tx: &mut Tx, desk: &Desk, job: &Job, done: Done) -> Result<()> {
    match done {
        Done::Finished => jobs::finish(tx, job.id),
        Done::Again(at) => jobs::postpone(tx, job.id, at, desk.settings.clock.wake_at(at), false),
        Done::Left => Ok(()),
    }
}

async fn put_off(app: &App, job: Job) {
    let pen = app.pen();
    let put_off = app.store.write(move |tx| {
        let desk = pen.open(tx, job.environment)?;
        let Some(job) = jobs::claim(tx, job.id)? else { return Ok(()) };
        let doublings = u32::try_from(job.attempts.clamp(0, 16)).unwrap_or(16);
        let at = desk.now.plus_seconds((FIRST_RETRY << doublings).min(LONGEST_RETRY));
        jobs::postpone(tx, job.id, at, desk.settings.clock.wake_at(at), true)
    });
    if let Err(fault) = put_off.await {
        // The job stays due: the store that cannot put it off cannot do it either, and will be asked again.
        tracing::warn!(code = fault.code().name(), report = fault.internal_report(), "due work could not be put off");
    }
}
