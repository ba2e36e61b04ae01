//! Deleting a menu.

use tandem_catalogue::Result;
use tandem_domain::{
    event::EventKind,
    flow::{IvrMenu, Place},
};
use tandem_kernel::{Caller, Scope};
use tandem_store::{Tx, repo::ivr_menus};

use super::{create::note, find};
use crate::{App, Finish, flows::check_unused, permit};

/// Deletes a menu that nothing leads to.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`, `in_use`.
pub async fn delete(app: &App, caller: &Caller, id: String, finish: Finish<IvrMenu>) -> Result<IvrMenu> {
    let (pen, caller) = (app.pen(), *caller);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, caller.environment)?;
        let menu = find(tx, caller.environment, &id)?;
        permit(&caller, Scope::CallsWrite)?;
        check_unused(tx, caller.environment, "IVR menu", Place::Menu(menu.id))?;
        ivr_menus::delete(tx, &menu)?;
        note(tx, &desk, &menu, EventKind::IvrMenuDeleted)?;
        finish(tx, &menu)?;
        Ok(menu)
    };
    let deleted = app.store.write(work).await?;
    app.mailbox.ring();
    Ok(deleted)
}
