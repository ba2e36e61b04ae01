//! What can be done with a call that goes on.

use std::sync::Arc;

use tandem_catalogue::{Error, Result};
use tandem_domain::{
    call::{Direction, Live, Phase, Reason},
    flow::Destination,
    recording::Recording,
    routing::{Target, Treatment, check_caller_id},
};
use tandem_kernel::{Caller, PhoneNumber, Scope, Timestamp};
use tandem_store::{Tx, repo::numbers};

use super::{
    show::{CallView, find_shown},
    switchboard::{Obeyed, Order, RecordOrder, Transfer, switchboard},
};
use crate::{
    App, permit,
    routing::{self, RouteQuery},
};

/// Bytes of hold music at the most: some four minutes of 16 kHz.
const MOST_MUSIC: usize = 8 << 20;

/// A recording, as an order answers it.
pub type Recorded = Box<Recording>;

/// What was done with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Controlled {
    /// The call as it was before.
    pub live: Box<Live>,
    /// When, by the environment's clock.
    pub at: Timestamp,
    /// What came of it.
    pub obeyed: Obeyed,
}

/// Where a call is to go instead.
#[derive(Clone, Debug)]
pub struct TransferCall {
    /// Where.
    pub to: Destination,
    /// The number that is shown; the usual one if none.
    pub caller_id: Option<PhoneNumber>,
    /// Whether the account's side speaks with them first.
    pub attended: bool,
    /// Whether the other party hears music meanwhile.
    pub holds: bool,
}

/// Ends a call.
///
/// # Errors
/// `call_not_found`, `call_over`, `insufficient_scope`.
pub async fn hang_up(app: &App, caller: &Caller, id: String) -> Result<Controlled> {
    let live = going_on(app, caller, id, false).await?;
    let reason = if live.phase == Phase::Answered { Reason::Normal } else { Reason::Canceled };
    obey(app, caller, live, Order::End(reason)).await
}

/// Puts both parties on hold: they hear music, which a URL may name.
///
/// # Errors
/// `call_not_found`, `call_over`, `invalid_transition` for one that nobody has answered or that is held already, `invalid_value` for music
/// that cannot be had or played, `insufficient_scope`.
pub async fn hold(app: &App, caller: &Caller, id: String, music: Option<String>) -> Result<Controlled> {
    let live = going_on(app, caller, id, true).await?;
    if live.detail.held {
        return Err(Error::invalid_transition("call", "held", "held"));
    }
    let music = match music {
        Some(url) => Some(fetched(app, &url).await?),
        None => None,
    };
    obey(app, caller, live, Order::Hold(music)).await
}

/// Joins the parties again.
///
/// # Errors
/// `call_not_found`, `call_over`, `invalid_transition` for one that is not held, `insufficient_scope`.
pub async fn unhold(app: &App, caller: &Caller, id: String) -> Result<Controlled> {
    let live = going_on(app, caller, id, true).await?;
    if !live.detail.held {
        return Err(Error::invalid_transition("call", live.phase.as_str(), "unheld"));
    }
    obey(app, caller, live, Order::Unhold).await
}

/// Begins, ends, interrupts or goes on with a call's recording.
///
/// # Errors
/// `call_not_found`, `call_over`, `invalid_transition` where it cannot be done as things are, `insufficient_scope`.
pub async fn record(app: &App, caller: &Caller, id: String, order: RecordOrder) -> Result<Controlled> {
    let live = going_on(app, caller, id, true).await?;
    obey(app, caller, live, Order::Record(order)).await
}

/// Sends a call elsewhere: whoever is not of the account's side stays.
///
/// # Errors
/// `call_not_found`, `call_over`, `invalid_transition` for one that nobody has answered, those of routing, `insufficient_scope`.
pub async fn transfer(app: &App, caller: &Caller, id: String, command: TransferCall) -> Result<Controlled> {
    let live = going_on(app, caller, id, true).await?;
    let (number, stays) = live.parties();
    let mut path = live.detail.path.clone();
    path.retain(|phone| *phone != number);
    let query = RouteQuery { from: stays, path, at: None };
    let routed = routing::onward(app, live.environment, number, command.to, query).await?;
    let plan = routed.plan?;
    let shown = match command.caller_id {
        Some(shown) => Some(allowed(app, caller, shown).await?),
        None if live.direction == Direction::Outbound => Some(number),
        None => None,
    };
    let transfer =
        Transfer { to: shown_as(plan.begin, shown), otherwise: plan.otherwise, attended: command.attended, holds: command.holds };
    obey(app, caller, live, Order::Transfer(transfer)).await
}

/// A treatment whose calls to numbers show this one.
pub(super) fn shown_as(mut treatment: Treatment, shown: Option<PhoneNumber>) -> Treatment {
    if let (Treatment::Ring(stages), Some(shown)) = (&mut treatment, shown) {
        let attempts = stages.iter_mut().flat_map(|stage| &mut stage.attempts);
        for attempt in attempts.filter(|attempt| !matches!(attempt.target, Target::Device(_))) {
            attempt.caller_id = Some(shown);
        }
    }
    treatment
}

async fn allowed(app: &App, caller: &Caller, shown: PhoneNumber) -> Result<PhoneNumber> {
    let environment = caller.environment;
    let number = app.store.read(move |tx: &mut Tx| numbers::by_phone(tx, environment, shown)).await?;
    check_caller_id(shown, number.as_ref(), &mut tandem_domain::Explanation::of("caller_id", shown.to_string()))?;
    Ok(shown)
}

async fn fetched(app: &App, url: &str) -> Result<Arc<[u8]>> {
    let wrong = |why: String| Error::invalid_value("hold_music", why);
    let fetcher = app.fetcher.get().ok_or_else(|| wrong("cannot be fetched by this installation".to_owned()))?;
    let fetched = fetcher.get(url, MOST_MUSIC).await.map_err(|fault| wrong(format!("cannot be fetched: {fault}")))?;
    Ok(fetched.content.into())
}

/// A call that goes on; `taken` if it has to have been answered.
async fn going_on(app: &App, caller: &Caller, id: String, taken: bool) -> Result<Box<Live>> {
    let view = find_shown(app, caller, id).await?;
    permit(caller, Scope::CallsWrite)?;
    let CallView::Live(live) = view else { return Err(Error::call_over(view.id().to_string())) };
    if taken && live.phase != Phase::Answered {
        return Err(Error::invalid_transition("call", live.phase.as_str(), "controlled"));
    }
    Ok(live)
}

async fn obey(app: &App, caller: &Caller, live: Box<Live>, order: Order) -> Result<Controlled> {
    let board = switchboard(app, || live.to.to_string())?;
    let obeyed = board.order(live.id, order).await?;
    let entry = app.directory.environment(caller.environment).await?;
    Ok(Controlled { live, at: entry.settings.clock.at(app.machine_now()), obeyed })
}
