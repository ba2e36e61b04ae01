//! Reading call flows.

use tandem_catalogue::{Error, Result};
use tandem_domain::flow::CallFlow;
use tandem_kernel::{Caller, EnvironmentId, FlowId, Scope};
use tandem_store::{
    Tx,
    repo::{call_flows, explanations::Kept},
};

use crate::{
    App,
    explain::{Which, of},
    permit,
    properties::{self, PropertyRef},
};

/// A page of flows.
#[derive(Debug, Clone)]
pub struct FlowList {
    /// The page, oldest first.
    pub flows: Vec<CallFlow>,
    /// How many there are in all.
    pub total: i64,
}

/// Finds an environment's flow by the text of its id.
///
/// # Errors
/// `flow_not_found`.
pub(super) fn find(tx: &mut Tx, environment: EnvironmentId, id: &str) -> Result<CallFlow> {
    let found = match FlowId::parse(id) {
        Some(id) => call_flows::get(tx, environment, id)?,
        None => None,
    };
    found.ok_or_else(|| Error::flow_not_found(id.to_owned()))
}

/// Reads one flow.
///
/// # Errors
/// `flow_not_found`, `insufficient_scope`.
pub async fn get(app: &App, caller: &Caller, id: String) -> Result<CallFlow> {
    let environment = caller.environment;
    let found = app.store.read(move |tx| find(tx, environment, &id)).await?;
    permit(caller, Scope::CallsRead)?;
    Ok(found)
}

/// Which flows to list, oldest first.
#[derive(Debug, Clone, Default)]
pub struct ListFlows {
    /// Where the path names a property: that it has to be one of the caller's. All properties of an environment have its flows.
    pub property: Option<PropertyRef>,
    /// From the one after this.
    pub after: Option<FlowId>,
    /// How many.
    pub limit: i64,
    /// How many to leave out.
    pub offset: i64,
}

/// Lists flows.
///
/// # Errors
/// `property_not_found`, `insufficient_scope`.
pub async fn list(app: &App, caller: &Caller, command: ListFlows) -> Result<FlowList> {
    let caller = *caller;
    let read = move |tx: &mut Tx| {
        if let Some(property) = &command.property {
            properties::find(tx, caller.environment, property)?;
        }
        permit(&caller, Scope::CallsRead)?;
        let after = command.after.unwrap_or(FlowId::from_bytes([0; 16]));
        let (flows, total) = call_flows::page(tx, caller.environment, after, command.limit, command.offset)?;
        Ok(FlowList { flows, total })
    };
    app.store.read(read).await
}

/// Explains what was decided about a flow.
///
/// # Errors
/// `flow_not_found`, `insufficient_scope`.
pub async fn explain(app: &App, caller: &Caller, id: String, which: Which) -> Result<(CallFlow, Vec<Kept>)> {
    let asker = *caller;
    let read = move |tx: &mut Tx| {
        let flow = find(tx, asker.environment, &id)?;
        permit(&asker, Scope::LogsRead)?;
        let kept = of(tx, &asker, &id, which)?;
        Ok((flow, kept))
    };
    app.store.read(read).await
}
