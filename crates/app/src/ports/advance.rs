//! Due work: asks the losing carrier about a port and does what it says.

use tandem_catalogue::Result;
use tandem_domain::port::{Port, PortState, SILENCE_DAYS};
use tandem_kernel::{PortId, Timestamp};
use tandem_store::{
    Tx,
    repo::{accounts, ports},
};

use super::steps::{self, Arrival};
use crate::{
    App,
    app::{Desk, Pen},
    carrier::PortAnswer,
    due::Done,
};

/// The due work that asks a port's carrier. There is one for each open port.
pub const PORT_JOB: &str = "port.advance";
/// Seconds that lie between two questions at the least.
const PAUSE: i64 = 60;

/// Due work: asks a port's carrier how it stands and moves it on. A carrier that has not moved it for [`SILENCE_DAYS`] has refused;
/// one that cannot be asked is asked again later, for as long as it takes.
///
/// # Errors
/// The carrier's faults and the store's; the work is then tried again later.
pub async fn advance(app: &App, id: PortId) -> Result<Done> {
    let read = app.store.read(move |tx| {
        let Some(port) = ports::by_id(tx, id)?.filter(|port| !port.state.is_final()) else { return Ok(None) };
        let settings = accounts::environment(tx, port.environment)?;
        Ok(settings.map(|settings| (port, settings.clock)))
    });
    let Some((port, clock)) = read.await? else { return Ok(Done::Finished) };
    let machine = app.machine_now();
    let carrier = app.carriers.guarded(&port.carrier, port.environment, machine)?;
    let answer = carrier.port(&port, clock.at(machine)).await.map_err(|mishap| mishap.error)?;
    let pen = app.pen();
    let (done, arrival) = app.store.write(move |tx| apply(tx, &pen, &port, &answer)).await?;
    if let Some(arrival) = arrival {
        steps::shelve(app, arrival).await;
        app.bell.ring();
    }
    Ok(done)
}

/// `asked` is the port as it was when its carrier was asked.
fn apply(tx: &mut Tx, pen: &Pen, asked: &Port, answer: &PortAnswer) -> Result<(Done, Option<Arrival>)> {
    let desk = pen.open(tx, asked.environment)?;
    let port = ports::by_id(tx, asked.id)?.filter(|port| !port.state.is_final());
    let Some(port) = port else { return Ok((Done::Finished, None)) };
    if port.version != asked.version {
        return Ok((Done::Again(desk.now), None)); // somebody moved it meanwhile, and the answer is about what it was
    }
    let word = format!("{} says so", port.carrier);
    let done = match answer {
        PortAnswer::Wait { until } => wait(tx, &desk, port, *until)?,
        PortAnswer::ByHand => {
            let until = port.patience_ends();
            wait(tx, &desk, port, until)?
        }
        PortAnswer::Received { until } if port.state == PortState::Pending => {
            steps::submit(tx, &desk, port, &word)?;
            Done::Again(desk.now.max(*until))
        }
        PortAnswer::Received { until } => wait(tx, &desk, port, *until)?,
        PortAnswer::Scheduled { at } if port.state == (PortState::Scheduled { at: *at }) => wait(tx, &desk, port, *at)?,
        PortAnswer::Scheduled { at } => {
            let port = received(tx, &desk, port, &word)?;
            steps::schedule(tx, &desk, port, *at, &word)?;
            Done::Again(desk.now.max(*at))
        }
        PortAnswer::Done => return arrive(tx, &desk, port, &word),
        PortAnswer::Rejected { reason } => {
            steps::reject(tx, &desk, port, reason.clone(), &word)?;
            Done::Finished
        }
    };
    Ok((done, None))
}

/// A carrier may say the second word before the first.
fn received(tx: &mut Tx, desk: &Desk, port: Port, word: &str) -> Result<Port> {
    if port.state == PortState::Pending { steps::submit(tx, desk, port, word) } else { Ok(port) }
}

fn arrive(tx: &mut Tx, desk: &Desk, port: Port, word: &str) -> Result<(Done, Option<Arrival>)> {
    if steps::is_taken(tx, desk, &port)? {
        let reason = "The number was assigned to another account while it was on its way".to_owned();
        steps::reject(tx, desk, port, reason, "the inventory says so")?;
        return Ok((Done::Finished, None));
    }
    let mut port = received(tx, desk, port, word)?;
    if port.state == PortState::Submitted {
        port = steps::schedule(tx, desk, port, desk.now, word)?;
    }
    let (_, arrival) = steps::complete(tx, desk, port, word)?;
    Ok((Done::Finished, Some(arrival)))
}

fn wait(tx: &mut Tx, desk: &Desk, port: Port, until: Timestamp) -> Result<Done> {
    let end = port.patience_ends();
    if desk.now < end {
        return Ok(Done::Again(until.max(desk.now.plus_seconds(PAUSE)).min(end)));
    }
    let reason = format!("The losing carrier did not answer for {SILENCE_DAYS} days");
    let word = format!("nothing since {}", port.updated_at);
    steps::reject(tx, desk, port, reason, &word)?;
    Ok(Done::Finished)
}
