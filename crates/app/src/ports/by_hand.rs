//! Ports as operators work them by hand: those of carriers that have no interface, and those of any other that got stuck.

use serde_json::json;
use tandem_catalogue::{Error, Result};
use tandem_domain::{config::check_name, port::Port};
use tandem_kernel::{AccountId, Environment, PortId, Timestamp};
use tandem_store::{Tx, repo::ports};

use super::{
    read::find_any,
    steps::{self, Arrival},
};
use crate::{
    App, Finish,
    accounts::{Operator, note_action},
    app::Desk,
};

/// The furthest date that can be set, in days after the port was asked for. With the silence that may follow, a port ends before
/// the hold of its fee lapses.
const FURTHEST_DAYS: i64 = 120;

/// Which ports to show to an operator.
#[derive(Debug, Clone, Copy)]
pub struct QueuePorts {
    /// Only those in this state; all open ones if none.
    pub state: Option<&'static str>,
    /// From the one after this.
    pub after: Option<PortId>,
    /// How many.
    pub limit: i64,
}

/// A port with whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedPort {
    /// The port.
    pub port: Port,
    /// The account that asked for it.
    pub account: AccountId,
    /// In which of its environments.
    pub kind: Environment,
}

/// The ports of all accounts, oldest first.
///
/// # Errors
/// Faults of the store.
pub async fn queue(app: &App, command: QueuePorts) -> Result<Vec<QueuedPort>> {
    let QueuePorts { state, after, limit } = command;
    let after = after.unwrap_or(PortId::from_bytes([0; 16]));
    let found = app.store.read(move |tx| ports::queue(tx, state, after, limit)).await?;
    let mut queue = Vec::with_capacity(found.len());
    for port in found {
        queue.push(with_owner(app, port).await?);
    }
    Ok(queue)
}

/// Reads anybody's port.
///
/// # Errors
/// `port_not_found`.
pub async fn inspect(app: &App, id: String) -> Result<QueuedPort> {
    let port = app.store.read(move |tx| find_any(tx, &id)).await?;
    with_owner(app, port).await
}

/// The losing carrier has the request.
///
/// # Errors
/// `port_not_found`, `invalid_transition` unless the port is pending.
pub async fn submit(app: &App, operator: Operator, id: String, finish: Finish<Port>) -> Result<Port> {
    let step = |tx: &mut Tx, desk: &Desk, port: Port, word: &str| Ok((steps::submit(tx, desk, port, word)?, None));
    act(app, operator, id, "port.submit", step, finish).await
}

/// The losing carrier named a date, or another one.
///
/// # Errors
/// `port_not_found`, `invalid_transition` unless the port was submitted, `invalid_value` for a date that has passed or is more than
/// four months after the port was asked for.
pub async fn schedule(app: &App, operator: Operator, id: String, date: Timestamp, finish: Finish<Port>) -> Result<Port> {
    let step = move |tx: &mut Tx, desk: &Desk, port: Port, word: &str| {
        let (first, last) = (desk.now.start_of_day(), port.created_at.plus_days(FURTHEST_DAYS));
        if !(first..=last).contains(&date) {
            return Err(Error::invalid_value("date", format!("must lie between {} and {}", first.date(), last.date())));
        }
        Ok((steps::schedule(tx, desk, port, date, word)?, None))
    };
    act(app, operator, id, "port.schedule", step, finish).await
}

/// The number is here.
///
/// # Errors
/// `port_not_found`, `invalid_transition` unless the port was scheduled, `port_not_possible_now` where somebody else here has the
/// number.
pub async fn complete(app: &App, operator: Operator, id: String, finish: Finish<Port>) -> Result<Port> {
    let step = |tx: &mut Tx, desk: &Desk, port: Port, word: &str| {
        let (port, arrival) = steps::complete(tx, desk, port, word)?;
        Ok((port, Some(arrival)))
    };
    act(app, operator, id, "port.complete", step, finish).await
}

/// The losing carrier refused.
///
/// # Errors
/// What is wrong with the reason, `port_not_found`, `invalid_transition` for a port that has ended.
pub async fn reject(app: &App, operator: Operator, id: String, reason: String, finish: Finish<Port>) -> Result<Port> {
    check_name("reason", &reason)?;
    let step =
        move |tx: &mut Tx, desk: &Desk, port: Port, word: &str| Ok((steps::reject(tx, desk, port, reason.clone(), word)?, None));
    act(app, operator, id, "port.reject", step, finish).await
}

async fn act<F>(app: &App, operator: Operator, id: String, action: &'static str, step: F, finish: Finish<Port>) -> Result<Port>
where
    F: Fn(&mut Tx, &Desk, Port, &str) -> Result<(Port, Option<Arrival>)> + Send + 'static,
{
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let environment = find_any(tx, &id)?.environment;
        let desk = pen.open(tx, environment)?;
        let port = find_any(tx, &id)?; // as it is now that nobody else can change it
        let word = format!("operator {} says so", operator.0);
        let (port, arrival) = step(tx, &desk, port, &word)?;
        note_action(tx, &desk.pen, &operator, action, &id, &json!({ "status": port.state.as_str() }))?;
        finish(tx, &port)?;
        Ok((port, arrival))
    };
    let (port, arrival) = app.store.write(work).await?;
    if let Some(arrival) = arrival {
        steps::shelve(app, arrival).await;
        app.bell.ring();
    }
    Ok(port)
}

async fn with_owner(app: &App, port: Port) -> Result<QueuedPort> {
    let owner = app.directory.environment(port.environment).await?;
    Ok(QueuedPort { port, account: owner.settings.account, kind: owner.settings.kind })
}
