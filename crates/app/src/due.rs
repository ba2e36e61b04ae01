//! Due work: renewals, quarantines, orders without an answer and whatever else has to happen at a time of an environment's clock.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use tandem_catalogue::Result;
use tandem_kernel::{
    AddressId, Environment, EnvironmentId, MessageId, NumberId, OrderId, PhoneNumber, PortId, RecordingId, Timestamp, TransferId,
    VerificationId,
};
use tandem_store::{
    Tx,
    repo::{
        accounts,
        jobs::{self, Besides, Job, Kinds},
    },
};
use tokio::{
    sync::{Notify, watch},
    task::{self, JoinError, JoinSet},
};

use crate::{App, addresses, app::Desk, billing, holds, messages, numbers, ports, recordings, verifications};

/// The kinds of work that ask somebody outside, and may wait long for the answer.
const ASKING: &[&str] = &[numbers::ORDER_JOB, ports::PORT_JOB, messages::MMS_JOB, messages::FORWARD_EMAIL_JOB];
/// Jobs that are looked up at a time.
const BATCH: i64 = 64;
/// Environments whose work is done at once, as far as it asks nobody.
const ENVIRONMENTS: usize = 8;
/// Questions to others at once, in all and of one environment.
const QUESTIONS: usize = 64;
const QUESTIONS_EACH: usize = 4;
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

/// Does due work until `stop`; then what has begun is finished.
pub async fn run(app: App, mut stop: watch::Receiver<bool>) {
    let mut crew = Crew::new(&app);
    while !*stop.borrow() {
        let begun = crew.begin().await.unwrap_or_else(|fault| {
            tracing::warn!(code = fault.code().name(), report = fault.internal_report(), "due work cannot be looked up");
            false
        });
        if !begun {
            tokio::select! {
                () = tokio::time::sleep(NAP) => {}
                () = app.bell.rung() => {}
                () = crew.one_ended() => {}
                _ = stop.changed() => {}
            }
        }
    }
    crew.finish().await;
}

/// Does what is due now; how many jobs that were. The work of environments at which somebody else is already is left to them.
///
/// # Errors
/// Faults of the store while looking them up. A job that fails is tried again later.
pub async fn run_due(app: &App) -> Result<usize> {
    let mut crew = Crew::new(app);
    crew.begin().await?;
    Ok(crew.finish().await)
}

/// Due work that is being done. One environment waits for no other; and what asks somebody who does not answer keeps neither the other
/// work of its environment waiting nor, beyond its share, the questions of others.
struct Crew {
    app: App,
    tasks: JoinSet<usize>,
    running: HashMap<task::Id, Share>,
    done: usize,
}

/// What one task has in hand.
struct Share {
    environment: EnvironmentId,
    jobs: Vec<Job>,
    asks: bool,
}

impl Crew {
    fn new(app: &App) -> Self {
        Self { app: app.clone(), tasks: JoinSet::new(), running: HashMap::new(), done: 0 }
    }

    /// Begins what is due and nobody is at; whether there was any.
    async fn begin(&mut self) -> Result<bool> {
        let quick = self.begin_quick().await?;
        Ok(self.begin_asking().await? || quick)
    }

    /// The work that is one unit of work for each job: one after the other in each environment.
    async fn begin_quick(&mut self) -> Result<bool> {
        let room = ENVIRONMENTS.saturating_sub(self.shares(false).count());
        if room == 0 {
            return Ok(false);
        }
        let mut busy: HashSet<EnvironmentId> = self.shares(false).map(|share| share.environment).collect();
        busy.extend(self.app.turns.taken());
        let besides = Besides { kinds: Some((Kinds::Without, ASKING)), environments: busy.into_iter().collect(), jobs: Vec::new() };
        let mut order: Vec<(EnvironmentId, Vec<Job>)> = Vec::new();
        for job in self.look(besides).await? {
            match order.iter_mut().find(|(environment, _)| *environment == job.environment) {
                Some((_, jobs)) => jobs.push(job),
                None => order.push((job.environment, vec![job])),
            }
        }
        let begun = !order.is_empty();
        for (environment, jobs) in order.into_iter().take(room) {
            let (app, todo) = (self.app.clone(), jobs.clone());
            let work = async move {
                let Some(_turn) = app.turns.try_take(environment) else { return 0 };
                let count = todo.len();
                for job in todo {
                    perform(&app, job).await;
                }
                count
            };
            self.spawn(Share { environment, jobs, asks: false }, work);
        }
        Ok(begun)
    }

    /// The work that asks somebody: each job by itself. While somebody moves an environment's clock its questions are left to him.
    async fn begin_asking(&mut self) -> Result<bool> {
        let mut room = QUESTIONS.saturating_sub(self.shares(true).count());
        if room == 0 {
            return Ok(false);
        }
        let mut counts: HashMap<EnvironmentId, usize> = HashMap::new();
        for share in self.shares(true) {
            *counts.entry(share.environment).or_default() += 1;
        }
        let ours: HashSet<EnvironmentId> = self.shares(false).map(|share| share.environment).collect();
        let moved = self.app.turns.taken().into_iter().filter(|environment| !ours.contains(environment));
        let full = counts.iter().filter(|(_, count)| **count >= QUESTIONS_EACH).map(|(environment, _)| *environment);
        let in_hand: HashSet<_> = self.shares(true).flat_map(|share| &share.jobs).map(|job| job.id).collect();
        let in_hand = in_hand.into_iter().chain(self.app.asking.taken()).collect();
        let besides = Besides { kinds: Some((Kinds::Only, ASKING)), environments: moved.chain(full).collect(), jobs: in_hand };
        let mut begun = false;
        for job in self.look(besides).await? {
            let count = counts.entry(job.environment).or_default();
            if *count >= QUESTIONS_EACH || room == 0 {
                continue;
            }
            *count += 1;
            room -= 1;
            begun = true;
            let (app, todo) = (self.app.clone(), job.clone());
            let work = async move {
                perform(&app, todo).await;
                1
            };
            self.spawn(Share { environment: job.environment, jobs: vec![job], asks: true }, work);
        }
        Ok(begun)
    }

    async fn look(&self, besides: Besides) -> Result<Vec<Job>> {
        let now = self.app.machine_now();
        self.app.store.read(move |tx| jobs::due_besides(tx, now, besides.clone(), BATCH)).await
    }

    fn shares(&self, asks: bool) -> impl Iterator<Item = &Share> {
        self.running.values().filter(move |share| share.asks == asks)
    }

    fn spawn(&mut self, share: Share, work: impl Future<Output = usize> + Send + 'static) {
        let id = self.tasks.spawn(work).id();
        self.running.insert(id, share);
    }

    /// Waits until something has ended; for ever where nothing is under way.
    async fn one_ended(&mut self) {
        match self.tasks.join_next_with_id().await {
            Some(ended) => self.ended(ended).await,
            None => std::future::pending().await,
        }
    }

    async fn ended(&mut self, ended: std::result::Result<(task::Id, usize), JoinError>) {
        let (id, done) = ended.as_ref().map_or_else(|fault| (fault.id(), None), |(id, done)| (*id, Some(*done)));
        let share = self.running.remove(&id);
        self.done += done.unwrap_or_else(|| share.as_ref().map_or(0, |share| share.jobs.len()));
        if let (Err(fault), Some(share)) = (ended, share) {
            tracing::error!(%fault, environment = %share.environment, "due work died and is put off");
            for job in share.jobs {
                put_off(&self.app, job, true).await;
            }
        }
    }

    /// Finishes what has begun; how many jobs were done in all.
    async fn finish(mut self) -> usize {
        while let Some(ended) = self.tasks.join_next_with_id().await {
            self.ended(ended).await;
        }
        self.done
    }
}

/// Does one job and finishes it, or puts it off. One that is not due any more, as somebody else has done it, is left alone.
pub async fn perform(app: &App, job: Job) {
    let (id, kind) = (job.id, job.kind.clone());
    let outcome = if ASKING.contains(&job.kind.as_str()) { asked(app, job.clone()).await } else { written(app, job.clone()).await };
    if let Err(fault) = outcome {
        tracing::warn!(%id, kind, code = fault.code().name(), report = fault.internal_report(), "due work failed and is put off");
        put_off(app, job, false).await;
    }
}

/// Work that is one unit of work, its own end included.
async fn written(app: &App, job: Job) -> Result<()> {
    let pen = app.pen();
    let rings = [messages::SCHEDULE_JOB, messages::FORWARD_SMS_JOB].contains(&job.kind.as_str());
    let effect = app.store.write(move |tx| {
        let desk = pen.open(tx, job.environment)?;
        let Some(job) = jobs::claim(tx, job.id)?.filter(|job| job.due_at <= desk.now) else { return Ok(None) };
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

/// Work that asks somebody outside, and can be repeated.
async fn asked(app: &App, job: Job) -> Result<()> {
    let _turn = app.asking.take(job.id).await;
    let machine = app.machine_now();
    let known = app.store.read(move |tx| Ok((jobs::get(tx, job.id)?, accounts::environment(tx, job.environment)?)));
    let (Some(job), Some(environment)) = known.await? else { return Ok(()) };
    if job.due_at > environment.clock.at(machine) {
        return Ok(());
    }
    let done = match job.kind.as_str() {
        numbers::ORDER_JOB => numbers::settle(app, environment.kind, OrderId::from_bytes(job.subject)).await?,
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

/// Puts a job off after a failure; with `due` only if nobody else has done or put it off.
async fn put_off(app: &App, job: Job, due: bool) {
    let pen = app.pen();
    let put_off = app.store.write(move |tx| {
        let desk = pen.open(tx, job.environment)?;
        let Some(job) = jobs::claim(tx, job.id)?.filter(|job| !due || job.due_at <= desk.now) else { return Ok(()) };
        let doublings = u32::try_from(job.attempts.clamp(0, 16)).unwrap_or(16);
        let at = desk.now.plus_seconds((FIRST_RETRY << doublings).min(LONGEST_RETRY));
        jobs::postpone(tx, job.id, at, desk.settings.clock.wake_at(at), true)
    });
    if let Err(fault) = put_off.await {
        // The job stays due: the store that cannot put it off cannot do it either, and will be asked again.
        tracing::warn!(code = fault.code().name(), report = fault.internal_report(), "due work could not be put off");
    }
}
