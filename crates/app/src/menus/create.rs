//! Making a menu.

use serde_json::json;
use tandem_catalogue::{Error, Result};
use tandem_domain::{
    Explanation,
    event::EventKind,
    flow::{Choice, Destination, IvrMenu, Place},
};
use tandem_kernel::{Caller, MenuId, Scope, Timestamp};
use tandem_store::{Tx, repo::ivr_menus};

use super::MOST_MENUS;
use crate::{
    App, Finish,
    app::Desk,
    explain,
    flows::{Reaching, Source, Target, check_targets, reaching},
    permit,
};

/// A menu to make.
#[derive(Debug, Clone)]
pub struct CreateMenu {
    /// Its owner's name for it.
    pub name: String,
    /// What callers hear.
    pub prompt: String,
    /// What they can choose.
    pub options: Vec<Choice>,
    /// The language of the prompt.
    pub language: String,
    /// The voice that speaks it.
    pub voice: String,
    /// Keys that a choice has at the most.
    pub max_digits: i64,
    /// Seconds that it waits for a key.
    pub timeout_seconds: i64,
    /// How often it is said.
    pub max_attempts: i64,
    /// Where callers go who choose nothing.
    pub fallback: Destination,
}

/// Makes a menu, after checking that everything that it leads to is there, can be reached and comes to an end.
///
/// # Errors
/// What is wrong with a member, `insufficient_scope`, `operation_not_allowed` for one too many, and the codes of invalid routing.
pub async fn create(app: &App, caller: &Caller, command: CreateMenu, finish: Finish<IvrMenu>) -> Result<IvrMenu> {
    let (environment, now) = (caller.environment, Timestamp::default());
    let draft = IvrMenu {
        id: MenuId::from_bytes([0; 16]), // set where it is written, as the times are
        environment,
        name: command.name,
        prompt: command.prompt,
        options: command.options,
        language: command.language,
        voice: command.voice,
        max_digits: command.max_digits,
        timeout_seconds: command.timeout_seconds,
        max_attempts: command.max_attempts,
        fallback: command.fallback,
        created_at: now,
        updated_at: now,
        version: 1,
    };
    draft.check()?;
    permit(caller, Scope::CallsWrite)?;
    let (pen, reach) = (app.pen(), reaching(app, caller.kind)?);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, environment)?;
        if ivr_menus::count(tx, environment)? >= MOST_MENUS {
            return Err(Error::operation_not_allowed(format!("An environment takes at most {MOST_MENUS} IVR menus")));
        }
        let menu = IvrMenu { id: desk.id(MenuId::new), created_at: desk.now, updated_at: desk.now, ..draft.clone() };
        let explanation = check(tx, &menu, &reach)?;
        ivr_menus::insert(tx, &menu)?;
        note(tx, &desk, &menu, EventKind::IvrMenuCreated)?;
        desk.explain(tx, &explanation.concluding("the menu was accepted"))?;
        finish(tx, &menu)?;
        Ok(menu)
    };
    let made = app.store.write(work).await;
    let made = made.inspect_err(|error| explain::refusal(app, caller, "routing", "no menu was made".to_owned(), error))?;
    app.mailbox.ring();
    Ok(made)
}

/// Checks where a menu leads.
pub(super) fn check(tx: &mut Tx, menu: &IvrMenu, reach: &Reaching) -> Result<Explanation> {
    let mut explanation = Explanation::of("routing", menu.id.to_string());
    let from = Source { environment: menu.environment, own: Place::Menu(menu.id), leads_here: None };
    let targets: Vec<Target> = menu.destinations().map(Target::of).collect();
    check_targets(tx, from, &targets, reach, &mut explanation)?;
    Ok(explanation)
}

/// Tells of a change of a menu.
pub(super) fn note(tx: &mut Tx, desk: &Desk, menu: &IvrMenu, kind: EventKind) -> Result<()> {
    let id = menu.id.to_string();
    desk.event(tx, &id, kind, &json!({ "menu_id": id, "name": menu.name, "version": menu.version }))
}
