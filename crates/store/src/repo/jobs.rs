//! Due work: what has to happen at a time of an environment's clock.

use tandem_catalogue::Result;
use tandem_domain::environment::EnvironmentClock;
use tandem_kernel::{EnvironmentId, JobId, Timestamp};

use super::listed;
use crate::{Engine, Fault, Param, Row, Tx};

/// A piece of due work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Whose clock it is due by.
    pub environment: EnvironmentId,
    /// What kind of work.
    pub kind: String,
    /// The object to work on.
    pub subject: [u8; 16],
    /// Which of the object's steps: with kind and subject it makes the job unique, so that it is scheduled once.
    pub step: i64,
    /// When it is due, by the environment's clock.
    pub due_at: Timestamp,
    /// How often it was tried and failed.
    pub attempts: i64,
}

macro_rules! columns {
    ($rest:literal) => {
        concat!("SELECT id, environment_id, kind, subject, step, due_at, attempts FROM jobs ", $rest)
    };
}

/// Schedules a job, unless the same step of the same object is scheduled already.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn schedule(tx: &mut Tx, job: &Job, clock: EnvironmentClock) -> Result<()> {
    tx.later(
        "INSERT INTO jobs (id, environment_id, kind, subject, step, due_at, wake_at, attempts) VALUES ($1, $2, $3, $4, $5, $6, $7, 0) \
         ON CONFLICT (kind, subject, step) DO NOTHING",
        &[vec![
            job.id.as_bytes().into(),
            job.environment.as_bytes().into(),
            (&job.kind).into(),
            (&job.subject).into(),
            job.step.into(),
            job.due_at.into(),
            clock.wake_at(job.due_at).into(),
        ]],
    )
}

/// Schedules many jobs; those whose step is scheduled already are left out.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn schedule_many(tx: &mut Tx, jobs: &[Job], clock: EnvironmentClock) -> Result<()> {
    let rows = jobs.iter().map(|job| {
        vec![
            job.id.as_bytes().into(),
            job.environment.as_bytes().into(),
            (&job.kind).into(),
            (&job.subject).into(),
            job.step.into(),
            job.due_at.into(),
            clock.wake_at(job.due_at).into(),
            0_i64.into(),
        ]
    });
    tx.insert_later(
        "INSERT INTO jobs (id, environment_id, kind, subject, step, due_at, wake_at, attempts)",
        "ON CONFLICT (kind, subject, step) DO NOTHING",
        &rows.collect::<Vec<Vec<Param>>>(),
    )
}

/// The jobs that are due by the machine's clock, earliest first. They are not claimed yet.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn due(tx: &mut Tx, now: Timestamp, limit: i64) -> Result<Vec<Job>> {
    due_besides(tx, now, Besides::default(), limit)
}

/// Which due jobs are not asked for.
#[derive(Clone, Debug, Default)]
pub struct Besides {
    /// Those of some kinds, or those of all others.
    pub kinds: Option<(Kinds, &'static [&'static str])>,
    /// Those of some environments.
    pub environments: Vec<EnvironmentId>,
    /// Some jobs.
    pub jobs: Vec<JobId>,
}

/// What a list of kinds is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kinds {
    /// Only these.
    Only,
    /// All but these.
    Without,
}

/// As [`due`], without some: what somebody is at already must not hide what comes after it.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn due_besides(tx: &mut Tx, now: Timestamp, besides: Besides, limit: i64) -> Result<Vec<Job>> {
    let mut params: Vec<Param> = vec![now.into(), limit.into()];
    let mut sql = columns!("WHERE wake_at <= $1").to_owned();
    if let Some((which, kinds)) = besides.kinds {
        let not = if which == Kinds::Only { "" } else { "NOT " };
        sql += &listed(&mut params, &format!("kind {not}IN"), kinds.iter().map(|kind| (*kind).into()));
    }
    sql += &listed(&mut params, "environment_id NOT IN", besides.environments.iter().map(|id| id.as_bytes().into()));
    sql += &listed(&mut params, "id NOT IN", besides.jobs.iter().map(|id| id.as_bytes().into()));
    sql.push_str(" ORDER BY wake_at, due_at, id LIMIT $2");
    let rows = tx.query_built(&sql, &params)?;
    Ok(rows.iter().map(job).collect::<Result<_, Fault>>()?)
}

/// Reads a job.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn get(tx: &mut Tx, id: JobId) -> Result<Option<Job>> {
    let row = tx.first(columns!("WHERE id = $1"), &[id.as_bytes().into()])?;
    Ok(row.map(|row| job(&row)).transpose()?)
}

/// The job of an object's step.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn of(tx: &mut Tx, kind: &str, subject: &[u8; 16], step: i64) -> Result<Option<Job>> {
    let row = tx.first(columns!("WHERE kind = $1 AND subject = $2 AND step = $3"), &[kind.into(), subject.into(), step.into()])?;
    Ok(row.map(|row| job(&row)).transpose()?)
}

/// The first of an environment's jobs that is due by `until`, by its own clock.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn first_until(tx: &mut Tx, environment: EnvironmentId, until: Timestamp) -> Result<Option<Job>> {
    let row = tx.first(
        columns!("WHERE environment_id = $1 AND due_at <= $2 ORDER BY due_at, id LIMIT 1"),
        &[environment.as_bytes().into(), until.into()],
    )?;
    Ok(row.map(|row| job(&row)).transpose()?)
}

/// Takes a job for this unit of work: `None` where it is done, or another worker is at it. The unit of work either
/// finishes it or is undone, so a worker that dies leaves the job as it was.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn claim(tx: &mut Tx, id: JobId) -> Result<Option<Job>> {
    let sql = columns!("WHERE id = $1");
    let row = match tx.engine() {
        Engine::Sqlite => tx.first(sql, &[id.as_bytes().into()])?,
        Engine::Postgres => tx.first(columns!("WHERE id = $1 FOR UPDATE SKIP LOCKED"), &[id.as_bytes().into()])?,
    };
    Ok(row.map(|row| job(&row)).transpose()?)
}

/// The job is done.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn finish(tx: &mut Tx, id: JobId) -> Result<()> {
    tx.execute("DELETE FROM jobs WHERE id = $1", &[id.as_bytes().into()])?;
    Ok(())
}

/// The job is over before its time: its object took another way.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn cancel(tx: &mut Tx, kind: &str, subject: &[u8; 16]) -> Result<()> {
    tx.execute("DELETE FROM jobs WHERE kind = $1 AND subject = $2", &[kind.into(), subject.into()])?;
    Ok(())
}

/// The job is to be tried at another time of its environment's clock.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn postpone(tx: &mut Tx, id: JobId, due_at: Timestamp, wake_at: Option<Timestamp>, failed: bool) -> Result<()> {
    tx.execute(
        "UPDATE jobs SET due_at = $2, wake_at = $3, attempts = attempts + $4 WHERE id = $1",
        &[id.as_bytes().into(), due_at.into(), wake_at.into(), i64::from(failed).into()],
    )?;
    Ok(())
}

/// Brings forward an environment's renewals that were put off for want of money: those of suspended numbers.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn hasten_suspended(
    tx: &mut Tx,
    environment: EnvironmentId,
    kind: &str,
    due_at: Timestamp,
    clock: EnvironmentClock,
) -> Result<()> {
    tx.execute(
        "UPDATE jobs SET due_at = $3, wake_at = $4 WHERE environment_id = $1 AND kind = $2 AND due_at > $3 \
         AND subject IN (SELECT id FROM numbers WHERE environment_id = $1 AND state = 'suspended')",
        &[environment.as_bytes().into(), kind.into(), due_at.into(), clock.wake_at(due_at).into()],
    )?;
    Ok(())
}

/// Works out anew when an environment's jobs wake, after its clock was moved from where it `was`. Where it stood and stands still, only
/// what fell due on the way.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn rewind(tx: &mut Tx, environment: EnvironmentId, was: EnvironmentClock, clock: EnvironmentClock) -> Result<()> {
    match clock.frozen_at {
        Some(now) if was.frozen_at.is_some_and(|was| was <= now) => tx.execute(
            "UPDATE jobs SET wake_at = 0 WHERE environment_id = $1 AND due_at > $2 AND due_at <= $3",
            &[environment.as_bytes().into(), was.frozen_at.into(), now.into()],
        )?,
        None => tx.execute(
            "UPDATE jobs SET wake_at = due_at - $2 WHERE environment_id = $1",
            &[environment.as_bytes().into(), clock.offset.into()],
        )?,
        Some(now) => tx.execute(
            "UPDATE jobs SET wake_at = CASE WHEN due_at <= $2 THEN 0 ELSE NULL END WHERE environment_id = $1",
            &[environment.as_bytes().into(), now.into()],
        )?,
    };
    Ok(())
}

fn job(row: &Row) -> Result<Job, Fault> {
    Ok(Job {
        id: JobId::from_bytes(row.array(0)?),
        environment: EnvironmentId::from_bytes(row.array(1)?),
        kind: row.text(2)?.to_owned(),
        subject: row.array(3)?,
        step: row.int(4)?,
        due_at: row.time(5)?,
        attempts: row.int(6)?,
    })
}
