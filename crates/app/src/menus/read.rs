//! Reading menus.

use tandem_catalogue::{Error, Result};
use tandem_domain::flow::IvrMenu;
use tandem_kernel::{Caller, EnvironmentId, MenuId, Scope};
use tandem_store::{
    Tx,
    repo::{explanations::Kept, ivr_menus},
};

use crate::{
    App,
    explain::{Which, of},
    permit,
};

/// A page of menus.
#[derive(Debug, Clone)]
pub struct MenuList {
    /// The page, oldest first.
    pub menus: Vec<IvrMenu>,
    /// How many there are in all.
    pub total: i64,
}

/// Finds an environment's menu by the text of its id.
///
/// # Errors
/// `resource_not_found`.
pub(super) fn find(tx: &mut Tx, environment: EnvironmentId, id: &str) -> Result<IvrMenu> {
    let found = match MenuId::parse(id) {
        Some(id) => ivr_menus::get(tx, environment, id)?,
        None => None,
    };
    found.ok_or_else(|| Error::resource_not_found("IVR menu", id.to_owned()))
}

/// A menu of an environment, for whoever plays it.
///
/// # Errors
/// Faults of the store.
pub async fn of_id(app: &App, environment: EnvironmentId, id: MenuId) -> Result<Option<IvrMenu>> {
    app.store.read(move |tx| ivr_menus::get(tx, environment, id)).await
}

/// Reads one menu.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`.
pub async fn get(app: &App, caller: &Caller, id: String) -> Result<IvrMenu> {
    let environment = caller.environment;
    let found = app.store.read(move |tx| find(tx, environment, &id)).await?;
    permit(caller, Scope::CallsRead)?;
    Ok(found)
}

/// Lists menus.
///
/// # Errors
/// `insufficient_scope`.
pub async fn list(app: &App, caller: &Caller, limit: i64, offset: i64) -> Result<MenuList> {
    permit(caller, Scope::CallsRead)?;
    let environment = caller.environment;
    let (menus, total) = app.store.read(move |tx| ivr_menus::page(tx, environment, limit, offset)).await?;
    Ok(MenuList { menus, total })
}

/// Explains what was decided about a menu.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`.
pub async fn explain(app: &App, caller: &Caller, id: String, which: Which) -> Result<(IvrMenu, Vec<Kept>)> {
    let asker = *caller;
    let read = move |tx: &mut Tx| {
        let menu = find(tx, asker.environment, &id)?;
        permit(&asker, Scope::LogsRead)?;
        let kept = of(tx, &asker, &id, which)?;
        Ok((menu, kept))
    };
    app.store.read(read).await
}
