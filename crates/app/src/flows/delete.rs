//! Deleting a call flow.

use tandem_catalogue::Result;
use tandem_domain::{
    event::EventKind,
    flow::{CallFlow, Place},
};
use tandem_kernel::{Caller, Scope};
use tandem_store::{Tx, repo::call_flows};

use super::{check_unused, create::note, find};
use crate::{App, Finish, permit};

/// Deletes a flow that nothing leads to.
///
/// # Errors
/// `flow_not_found`, `insufficient_scope`, `in_use`.
pub async fn delete(app: &App, caller: &Caller, id: String, finish: Finish<CallFlow>) -> Result<CallFlow> {
    let (pen, caller) = (app.pen(), *caller);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, caller.environment)?;
        let flow = find(tx, caller.environment, &id)?;
        permit(&caller, Scope::CallsWrite)?;
        check_unused(tx, caller.environment, "call flow", Place::Flow(flow.id))?;
        call_flows::delete(tx, &flow)?;
        note(tx, &desk, &flow, EventKind::CallFlowDeleted)?;
        finish(tx, &flow)?;
        Ok(flow)
    };
    let deleted = app.store.write(work).await?;
    app.mailbox.ring();
    Ok(deleted)
}
