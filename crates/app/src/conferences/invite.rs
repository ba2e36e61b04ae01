//! Whoever is added to a conference that goes on is called.

use tandem_catalogue::{Error, Result};
use tandem_domain::{
    call::{Live, Reason, money::Grant},
    conference::{Conference, ConferenceState, Participant},
    routing::Plan,
};
use tandem_kernel::{CallId, Caller, PhoneNumber, Scope, Timestamp};
use tandem_store::{Tx, repo::conferences};

use super::{attend::ELSEWHERE, find, manage::check_goes_on};
use crate::{
    App,
    app::Desk,
    calls::{BeginCall, MadeCall, Next, Order, Then, begin_in, calling_number},
    permit, routing,
};

/// A call to somebody who is invited, decided about and not begun.
#[derive(Clone)]
pub(super) struct Invitation {
    plan: Plan,
    begin: BeginCall,
}

/// Decides how whoever is added is called: from the number that the environment has had longest of those that carry calls. Nobody is
/// called before the time of the conference, nor where nothing here carries calls.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`, `conference_over`, `operation_not_allowed` where no number carries calls, and those of
/// routing.
pub(super) async fn decide(app: &App, caller: &Caller, conference: &str, to: PhoneNumber) -> Result<Option<Invitation>> {
    if app.switchboard.get().is_none() {
        return Ok(None);
    }
    let entry = app.directory.environment(caller.environment).await?;
    let now = entry.settings.clock.at(app.machine_now());
    let (asker, named, node) = (*caller, conference.to_owned(), app.node);
    let Some(from) = app.store.read(move |tx| look(tx, &asker, &named, now, node)).await? else { return Ok(None) };
    let routed = routing::outgoing(app, caller.environment, from, to).await?;
    let plan = routed.plan?;
    let begin = BeginCall::of_ours(app, caller.environment, from, to, &plan, routed.explanation);
    Ok(Some(Invitation { plan, begin }))
}

/// The number that calls; none before the time of the conference.
fn look(tx: &mut Tx, caller: &Caller, conference: &str, now: Timestamp, node: [u8; 16]) -> Result<Option<PhoneNumber>> {
    let conference: Conference = find(tx, caller.environment, conference)?;
    permit(caller, Scope::CallsWrite)?;
    check_goes_on(&conference)?;
    if conference.state(now) != ConferenceState::Active {
        return Ok(None);
    }
    if conferences::node(tx, conference.id)?.is_some_and(|other| other != node) {
        return Err(Error::unavailable(ELSEWHERE)); // whoever answers would come to the wrong process
    }
    calling_number(tx, caller.environment).map(Some)
}

impl Invitation {
    /// The call's id, before it is begun.
    pub const fn call(&self) -> CallId {
        self.begin.id
    }

    /// Begins the call in the unit of work that adds the participant: its money is set aside, or nobody is added.
    ///
    /// # Errors
    /// As [`crate::calls::begin`].
    pub fn begin(&self, tx: &mut Tx, desk: &Desk) -> Result<(Live, Grant)> {
        begin_in(tx, desk, &self.begin)
    }

    /// Has the call carried.
    pub async fn carry(self, app: &App, participant: &Participant, (live, grant): (Live, Grant)) {
        let Some(board) = app.switchboard.get() else { return };
        let then = Then { say: None, next: Next::Join(participant.conference, participant.id) };
        board.carry(MadeCall { live, grant, plan: self.plan, then }).await;
    }
}

/// Ends the calls of those who were called and are not wanted any more. Those who take part already are let go by their room.
pub(super) async fn call_off(app: &App, gone: &[Participant]) {
    let Some(board) = app.switchboard.get() else { return };
    for call in gone.iter().filter(|one| one.joined_at.is_none()).filter_map(|one| one.call) {
        if let Err(error) = board.order(call, Order::End(Reason::Canceled)).await {
            tracing::debug!(%call, ?error, "a call that is called off is over already, or is carried elsewhere");
        }
    }
}
