//! Making a call flow.

use serde_json::json;
use tandem_catalogue::{Error, Result};
use tandem_domain::{
    Explanation,
    event::EventKind,
    flow::{CallFlow, Place, Rule},
    number::Number,
};
use tandem_kernel::{Caller, FlowId, PhoneNumber, Scope, Timestamp};
use tandem_store::{
    Tx,
    repo::{call_flows, numbers},
};

use super::{MOST_FLOWS, Reaching, Source, Target, check_targets, reaching};
use crate::{App, Finish, app::Desk, explain, permit};

/// A flow to make.
#[derive(Debug, Clone)]
pub struct CreateFlow {
    /// Its owner's name for it.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The number of the environment that is to lead there.
    pub phone: Option<PhoneNumber>,
    /// Whether it takes calls.
    pub active: bool,
    /// Its rules.
    pub routing: Vec<Rule>,
}

/// Makes a flow, after checking that everything that it leads to is there, can be reached and comes to an end.
///
/// # Errors
/// What is wrong with a member, `insufficient_scope`, `operation_not_allowed` for one too many, `number_porting`, `already_routed`, and
/// the codes of invalid routing.
pub async fn create(app: &App, caller: &Caller, command: CreateFlow, finish: Finish<CallFlow>) -> Result<CallFlow> {
    let CreateFlow { name, description, phone, active, routing } = command;
    let (environment, now) = (caller.environment, Timestamp::default());
    let draft = CallFlow {
        id: FlowId::from_bytes([0; 16]), // set where it is written, as the times are
        environment,
        name,
        description,
        phone,
        active,
        routing,
        created_at: now,
        updated_at: now,
        version: 1,
    };
    draft.check()?;
    permit_change(caller, phone.is_some())?;
    let (pen, reach) = (app.pen(), reaching(app, caller.kind)?);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, environment)?;
        if call_flows::count(tx, environment)? >= MOST_FLOWS {
            return Err(Error::operation_not_allowed(format!("An environment takes at most {MOST_FLOWS} call flows")));
        }
        let flow = CallFlow { id: desk.id(FlowId::new), created_at: desk.now, updated_at: desk.now, ..draft.clone() };
        let explanation = check(tx, &flow, &reach)?;
        call_flows::insert(tx, &flow)?;
        if let Some(phone) = flow.phone {
            lead_here(tx, &desk, phone, flow.id)?;
        }
        note(tx, &desk, &flow, EventKind::CallFlowCreated)?;
        desk.explain(tx, &explanation.concluding("the call flow was accepted"))?;
        finish(tx, &flow)?;
        Ok(flow)
    };
    let made = app.store.write(work).await;
    let made = made.inspect_err(|error| explain::refusal(app, caller, "routing", "no call flow was made".to_owned(), error))?;
    app.mailbox.ring();
    Ok(made)
}

/// A flow is changed with the scope of calls; that of numbers is needed where a number's configuration changes with it.
pub(super) fn permit_change(caller: &Caller, changes_number: bool) -> Result<()> {
    permit(caller, Scope::CallsWrite)?;
    if changes_number { permit(caller, Scope::NumbersWrite) } else { Ok(()) }
}

/// Checks where a flow leads.
pub(super) fn check(tx: &mut Tx, flow: &CallFlow, reach: &Reaching) -> Result<Explanation> {
    let mut explanation = Explanation::of("routing", flow.id.to_string());
    let from = Source { environment: flow.environment, own: Place::Flow(flow.id), leads_here: flow.phone };
    let targets: Vec<Target> = flow.destinations().map(Target::of).collect();
    check_targets(tx, from, &targets, reach, &mut explanation)?;
    Ok(explanation)
}

/// Has a number of the environment lead to a flow.
pub(super) fn lead_here(tx: &mut Tx, desk: &Desk, phone: PhoneNumber, flow: FlowId) -> Result<()> {
    let mut number = numbers::by_phone(tx, desk.settings.id, phone)?
        .ok_or_else(|| Error::routing_target_missing("phone_number", "number", phone.to_string()))?;
    let id = flow.to_string();
    match &number.config.call_flow_id {
        Some(other) if *other == id => return Ok(()),
        Some(other) => return Err(Error::already_routed(phone.to_string(), other.clone())),
        None => number.config.call_flow_id = Some(id),
    }
    write_number(tx, desk, number)
}

/// Has a number lead to a flow no longer, if it does.
pub(super) fn lead_away(tx: &mut Tx, desk: &Desk, phone: PhoneNumber, flow: FlowId) -> Result<()> {
    let found = numbers::by_phone(tx, desk.settings.id, phone)?;
    let leading = found.filter(|number| number.config.call_flow_id.as_deref() == Some(flow.to_string().as_str()));
    let Some(mut number) = leading else { return Ok(()) };
    number.config.call_flow_id = None;
    write_number(tx, desk, number)
}

fn write_number(tx: &mut Tx, desk: &Desk, mut number: Number) -> Result<()> {
    number.check_modifiable()?;
    number.version += 1;
    numbers::update(tx, &number)?;
    desk.event(tx, &number.id.to_string(), EventKind::NumberConfigured, &json!({ "number": number.phone.to_string() }))
}

/// Tells of a change of a flow.
pub(super) fn note(tx: &mut Tx, desk: &Desk, flow: &CallFlow, kind: EventKind) -> Result<()> {
    desk.event(tx, &flow.id.to_string(), kind, &json!({ "name": flow.name, "version": flow.version }))
}
