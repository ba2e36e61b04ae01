//! Changing a menu.

use tandem_catalogue::Result;
use tandem_domain::{
    event::EventKind,
    flow::{Choice, Destination, IvrMenu},
};
use tandem_kernel::{Caller, Scope};
use tandem_store::{Tx, repo::ivr_menus};

use super::{
    create::{check, note},
    find,
};
use crate::{App, Finish, explain, flows::reaching, permit};

/// A change of a menu: members that are none stay.
#[derive(Debug, Clone, Default)]
pub struct MenuChange {
    /// See [`IvrMenu`].
    pub name: Option<String>,
    /// See [`IvrMenu`].
    pub prompt: Option<String>,
    /// All choices anew.
    pub options: Option<Vec<Choice>>,
    /// See [`IvrMenu`].
    pub language: Option<String>,
    /// See [`IvrMenu`].
    pub voice: Option<String>,
    /// See [`IvrMenu`].
    pub max_digits: Option<i64>,
    /// See [`IvrMenu`].
    pub timeout_seconds: Option<i64>,
    /// See [`IvrMenu`].
    pub max_attempts: Option<i64>,
    /// See [`IvrMenu`].
    pub fallback: Option<Destination>,
}

impl MenuChange {
    fn of(&self, menu: &IvrMenu) -> IvrMenu {
        IvrMenu {
            name: self.name.clone().unwrap_or_else(|| menu.name.clone()),
            prompt: self.prompt.clone().unwrap_or_else(|| menu.prompt.clone()),
            options: self.options.clone().unwrap_or_else(|| menu.options.clone()),
            language: self.language.clone().unwrap_or_else(|| menu.language.clone()),
            voice: self.voice.clone().unwrap_or_else(|| menu.voice.clone()),
            max_digits: self.max_digits.unwrap_or(menu.max_digits),
            timeout_seconds: self.timeout_seconds.unwrap_or(menu.timeout_seconds),
            max_attempts: self.max_attempts.unwrap_or(menu.max_attempts),
            fallback: self.fallback.clone().unwrap_or_else(|| menu.fallback.clone()),
            ..*menu
        }
    }
}

/// Changes a menu, after the checks that a new one has to pass.
///
/// # Errors
/// As [`super::create()`], and `resource_not_found`.
pub async fn update(app: &App, caller: &Caller, id: String, change: MenuChange, finish: Finish<IvrMenu>) -> Result<IvrMenu> {
    let (pen, reach, asker, named) = (app.pen(), reaching(app, caller.kind)?, *caller, id.clone());
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, asker.environment)?;
        let mut menu = change.of(&find(tx, asker.environment, &id)?);
        menu.check()?;
        permit(&asker, Scope::CallsWrite)?;
        let explanation = check(tx, &menu, &reach)?;
        menu.version += 1;
        menu.updated_at = desk.now;
        ivr_menus::update(tx, &menu)?;
        note(tx, &desk, &menu, EventKind::IvrMenuUpdated)?;
        desk.explain(tx, &explanation.concluding("the change of the menu was accepted"))?;
        finish(tx, &menu)?;
        Ok(menu)
    };
    let changed = app.store.write(work).await;
    let changed =
        changed.inspect_err(|error| explain::refusal(app, caller, "routing", format!("{named} was not changed"), error))?;
    app.mailbox.ring();
    Ok(changed)
}
