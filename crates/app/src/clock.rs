//! Moving a test environment's clock.

use std::time::{Duration, Instant};

use tandem_catalogue::{Error, Result};
use tandem_kernel::{Caller, Environment, Period, Scope, Timestamp};
use tandem_store::{
    Tx,
    repo::{accounts, clock_moves, invalidations::Stale, jobs, webhooks},
};

use crate::{App, Operation, accounts::tell_others, due, permit};

/// How long one request moves the clock before it reports how far it came: clients commonly give up after ten seconds.
const PATIENCE: Duration = Duration::from_secs(6);
/// How long a clock waits for deliveries at one of its stops. After that it goes on without those of this request.
const FOR_WEBHOOKS: Duration = Duration::from_secs(3);
/// How often it looks whether they were tried.
const LOOK: Duration = Duration::from_millis(5);

/// Where to move the clock.
#[derive(Debug, Clone, Copy)]
pub enum Move {
    /// To an instant.
    To(Timestamp),
    /// By seconds.
    By(i64),
    /// By a stretch of calendar time.
    Over(Period),
    /// Not at all: only whether it runs changes.
    Stay,
}

/// A movement of the clock.
#[derive(Debug, Clone, Copy)]
pub struct MoveClock {
    /// Where to.
    pub to: Move,
    /// Whether it stands still afterwards; as before, if none.
    pub frozen: Option<bool>,
}

/// Where the clock is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// The environment's time.
    pub now: Timestamp,
    /// Where it was to go.
    pub target: Timestamp,
    /// Whether it stands still.
    pub frozen: bool,
    /// Jobs that fell due on the way and were done.
    pub ran: u64,
    /// Whether it arrived; a further request with the same target goes on.
    pub arrived: bool,
}

/// Reads the clock.
///
/// # Errors
/// `insufficient_scope`.
pub async fn read(app: &App, caller: &Caller) -> Result<Moved> {
    permit(caller, Scope::LogsRead)?;
    let entry = app.directory.environment(caller.environment).await?;
    let now = entry.settings.clock.at(app.machine_now());
    Ok(Moved { now, target: now, frozen: entry.settings.clock.frozen_at.is_some(), ran: 0, arrived: true })
}

/// Moves the clock forward, stopping at each piece of due work and each delivery to a webhook on the way, so that each is done at its
/// time. A repetition of an operation goes where the operation went.
///
/// # Errors
/// `clock_not_movable` in a live environment, `invalid_value` for a target in the past, `insufficient_scope`.
pub async fn advance(app: &App, caller: &Caller, operation: Operation, command: MoveClock) -> Result<Moved> {
    permit(caller, Scope::Simulate)?;
    if caller.kind != Environment::Test {
        return Err(Error::clock_not_movable());
    }
    let _turn = app.turns.take(caller.environment).await;
    let (mut at, target) = begin(app, caller, operation, command.to).await?;
    let (began, mut ran, environment) = (Instant::now(), 0, caller.environment);
    let (mut arrived, mut heeds_webhooks) = (false, true);
    while !arrived && began.elapsed() < PATIENCE {
        heeds_webhooks = heeds_webhooks && is_quiet(app, caller, began + PATIENCE).await?;
        if began.elapsed() >= PATIENCE {
            break; // a further request goes on, and heeds the webhooks too
        }
        let next = app.store.read(move |tx| {
            let retry = if heeds_webhooks { webhooks::first_until(tx, environment, at, target)? } else { None };
            Ok((jobs::first_until(tx, environment, target)?, retry))
        });
        match next.await? {
            (Some(job), retry) if retry.is_none_or(|retry| job.due_at <= retry) => {
                at = at.max(job.due_at);
                set(app, caller, job.due_at, None).await?;
                due::perform(app, job).await;
                ran += 1;
            }
            (_, Some(retry)) => {
                at = retry;
                set(app, caller, retry, None).await?;
            }
            _ => {
                set(app, caller, target, command.frozen).await?;
                arrived = true;
            }
        }
    }
    let entry = app.directory.environment(environment).await?;
    let now = entry.settings.clock.at(app.machine_now());
    Ok(Moved { now, target, frozen: entry.settings.clock.frozen_at.is_some(), ran, arrived })
}

/// Where the clock is and where it goes: written down before it moves, as the answer is only kept when it has moved.
async fn begin(app: &App, caller: &Caller, operation: Operation, to: Move) -> Result<(Timestamp, Timestamp)> {
    let (pen, environment) = (app.pen(), caller.environment);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, environment)?;
        if let Some(target) = clock_moves::known(tx, environment, &operation.0)? {
            return Ok((desk.now, target));
        }
        let target = match to {
            Move::To(target) => target,
            Move::By(seconds) => desk.now.plus_seconds(seconds),
            Move::Over(period) => desk.now.plus_period(period),
            Move::Stay => desk.now,
        };
        if target < desk.now {
            return Err(Error::invalid_value("to", format!("must not lie before the environment's present, {}", desk.now)));
        }
        clock_moves::begin(tx, environment, &operation.0, target, desk.pen.machine_now())?;
        Ok((desk.now, target))
    };
    app.store.write(work).await
}

/// Waits until what was to be delivered by now was tried; `false` where an endpoint takes too long.
async fn is_quiet(app: &App, caller: &Caller, latest: Instant) -> Result<bool> {
    let (until, environment) = (latest.min(Instant::now() + FOR_WEBHOOKS), caller.environment);
    loop {
        let now = now_of(app, caller).await?;
        if app.store.read(move |tx| webhooks::quiet(tx, environment, now)).await? {
            return Ok(true);
        }
        if Instant::now() >= until {
            return Ok(false);
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn now_of(app: &App, caller: &Caller) -> Result<Timestamp> {
    let entry = app.directory.environment(caller.environment).await?;
    Ok(entry.settings.clock.at(app.machine_now()))
}

/// Sets the clock to `time`, but never back.
async fn set(app: &App, caller: &Caller, time: Timestamp, frozen: Option<bool>) -> Result<()> {
    let (pen, environment) = (app.pen(), caller.environment);
    let moved = app.store.write(move |tx| {
        let desk = pen.open(tx, environment)?;
        let machine = desk.pen.machine_now();
        let mut clock = desk.settings.clock.moved_to(time.max(desk.now), machine);
        if let Some(frozen) = frozen {
            clock = clock.frozen(frozen, machine);
        }
        accounts::set_clock(tx, environment, clock)?;
        tell_others(tx, &pen, Stale::Environment, *environment.as_bytes())?;
        jobs::rewind(tx, environment, desk.settings.clock, clock)?;
        webhooks::rewind(tx, environment, desk.settings.clock, clock)
    });
    moved.await?;
    app.directory.forget_environment(environment);
    app.bell.ring();
    app.mailbox.ring();
    Ok(())
}
