//! Reading an account's ports.

use tandem_catalogue::{Error, Result};
use tandem_domain::port::Port;
use tandem_kernel::{Caller, EnvironmentId, PortId, Scope};
use tandem_store::{Tx, repo::ports};

use crate::{App, permit};

/// Which ports to list.
#[derive(Debug, Clone, Copy)]
pub struct ListPorts {
    /// Only those in this state.
    pub state: Option<&'static str>,
    /// How many.
    pub limit: i64,
    /// How many to leave out.
    pub offset: i64,
}

/// A page of ports.
#[derive(Debug, Clone)]
pub struct PortList {
    /// The page, oldest first.
    pub ports: Vec<Port>,
    /// How many there are in all.
    pub total: i64,
}

/// Finds an environment's port by the text of its id.
///
/// # Errors
/// `port_not_found`.
pub(crate) fn find(tx: &mut Tx, environment: EnvironmentId, id: &str) -> Result<Port> {
    let found = match PortId::parse(id) {
        Some(id) => ports::get(tx, environment, id)?,
        None => None,
    };
    found.ok_or_else(|| Error::port_not_found(id.to_owned()))
}

/// Finds anybody's port by the text of its id.
///
/// # Errors
/// `port_not_found`.
pub(super) fn find_any(tx: &mut Tx, id: &str) -> Result<Port> {
    let found = match PortId::parse(id) {
        Some(id) => ports::by_id(tx, id)?,
        None => None,
    };
    found.ok_or_else(|| Error::port_not_found(id.to_owned()))
}

/// Reads one port.
///
/// # Errors
/// `port_not_found`, `insufficient_scope`.
pub async fn get(app: &App, caller: &Caller, id: String) -> Result<Port> {
    let environment = caller.environment;
    let found = app.store.read(move |tx| find(tx, environment, &id)).await?;
    permit(caller, Scope::PortsRead)?;
    Ok(found)
}

/// Lists ports.
///
/// # Errors
/// `insufficient_scope`.
pub async fn list(app: &App, caller: &Caller, command: ListPorts) -> Result<PortList> {
    permit(caller, Scope::PortsRead)?;
    let environment = caller.environment;
    let ListPorts { state, limit, offset } = command;
    let (ports, total) = app.store.read(move |tx| ports::list(tx, environment, state, limit, offset)).await?;
    Ok(PortList { ports, total })
}
