//! Moving a test environment's clock.

use std::time::{Duration, Instant};

use tandem_catalogue::{Error, Result};
use tandem_kernel::{Caller, Environment, Period, Scope, Timestamp};
use tandem_store::repo::{accounts, jobs, webhooks};

use crate::{App, due, permit};

/// How long one request moves the clock before it reports how far it came.
const PATIENCE: Duration = Duration::from_secs(20);

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

/// Moves the clock forward, stopping at each piece of due work on the way to do it at its time.
///
/// # Errors
/// `clock_not_movable` in a live environment, `invalid_value` for a target in the past, `insufficient_scope`.
pub async fn advance(app: &App, caller: &Caller, command: MoveClock) -> Result<Moved> {
    permit(caller, Scope::Simulate)?;
    if caller.kind != Environment::Test {
        return Err(Error::clock_not_movable());
    }
    let _turn = app.turns.take(caller.environment).await;
    let start = now_of(app, caller).await?;
    let target = match command.to {
        Move::To(target) => target,
        Move::By(seconds) => start.plus_seconds(seconds),
        Move::Over(period) => start.plus_period(period),
        Move::Stay => start,
    };
    if target < start {
        let rule = format!("must not lie before the environment's present, {start}");
        return Err(Error::invalid_value("to", rule));
    }
    let (began, mut ran, environment) = (Instant::now(), 0, caller.environment);
    let mut arrived = false;
    while !arrived && began.elapsed() < PATIENCE {
        let next = app.store.read(move |tx| jobs::first_until(tx, environment, target)).await?;
        match next {
            Some(job) => {
                set(app, caller, job.due_at, None).await?;
                due::perform(app, job).await;
                ran += 1;
            }
            None => {
                set(app, caller, target, command.frozen).await?;
                arrived = true;
            }
        }
    }
    let entry = app.directory.environment(environment).await?;
    let now = entry.settings.clock.at(app.machine_now());
    Ok(Moved { now, target, frozen: entry.settings.clock.frozen_at.is_some(), ran, arrived })
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
        jobs::rewind(tx, environment, clock)?;
        webhooks::rewind(tx, environment, clock)
    });
    moved.await?;
    app.directory.forget_environment(environment);
    app.bell.ring();
    app.mailbox.ring();
    Ok(())
}
