//! Changing a call flow.

use tandem_catalogue::Result;
use tandem_domain::{
    config::Patch,
    event::EventKind,
    flow::{CallFlow, Rule},
};
use tandem_kernel::{Caller, PhoneNumber};
use tandem_store::{Tx, repo::call_flows};

use super::{
    create::{check, lead_away, lead_here, note, permit_change},
    find, reaching,
};
use crate::{App, Finish, explain};

/// A change of a flow: members that are not named stay.
#[derive(Debug, Clone, Default)]
pub struct FlowChange {
    /// See [`CallFlow`].
    pub name: Option<String>,
    /// See [`CallFlow`].
    pub description: Patch<String>,
    /// The number of the environment that is to lead there.
    pub phone: Patch<PhoneNumber>,
    /// See [`CallFlow`].
    pub active: Option<bool>,
    /// All rules anew.
    pub routing: Option<Vec<Rule>>,
}

impl FlowChange {
    fn apply(&self, flow: &mut CallFlow) {
        if let Some(name) = &self.name {
            flow.name.clone_from(name);
        }
        match &self.description {
            Patch::Keep => {}
            Patch::Clear => flow.description.clear(),
            Patch::Set(description) => flow.description.clone_from(description),
        }
        match self.phone {
            Patch::Keep => {}
            Patch::Clear => flow.phone = None,
            Patch::Set(phone) => flow.phone = Some(phone),
        }
        flow.active = self.active.unwrap_or(flow.active);
        if let Some(routing) = &self.routing {
            flow.routing.clone_from(routing);
        }
    }
}

/// Changes a flow, after the checks that a new one has to pass.
///
/// # Errors
/// As [`super::create()`], and `flow_not_found`.
pub async fn update(app: &App, caller: &Caller, id: String, change: FlowChange, finish: Finish<CallFlow>) -> Result<CallFlow> {
    let (pen, reach, asker, named) = (app.pen(), reaching(app, caller.kind)?, *caller, id.clone());
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, asker.environment)?;
        let before = find(tx, asker.environment, &id)?;
        let mut flow = before.clone();
        change.apply(&mut flow);
        flow.check()?;
        permit_change(&asker, flow.phone != before.phone)?;
        let explanation = check(tx, &flow, &reach)?;
        flow.version += 1;
        flow.updated_at = desk.now;
        call_flows::update(tx, &flow)?;
        if let Some(phone) = before.phone.filter(|_| flow.phone != before.phone) {
            lead_away(tx, &desk, phone, flow.id)?;
        }
        if let Some(phone) = flow.phone {
            lead_here(tx, &desk, phone, flow.id)?;
        }
        note(tx, &desk, &flow, EventKind::CallFlowUpdated)?;
        desk.explain(tx, &explanation.concluding("the change of the call flow was accepted"))?;
        finish(tx, &flow)?;
        Ok(flow)
    };
    let changed = app.store.write(work).await;
    let changed =
        changed.inspect_err(|error| explain::refusal(app, caller, "routing", format!("{named} was not changed"), error))?;
    app.mailbox.ring();
    Ok(changed)
}
