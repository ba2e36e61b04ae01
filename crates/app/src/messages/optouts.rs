//! The list of those who want no messages.

use tandem_catalogue::{Error, Result};
use tandem_domain::message::Sender;
use tandem_kernel::{Caller, OptOutId, PhoneNumber, Scope};
use tandem_store::{
    Fault, Tx,
    repo::optouts::{self, OptOut},
};

use super::incoming::{opt_in, opt_out};
use crate::{App, Finish, permit};

/// Who is put on the list by hand is on it for this word.
const BY_HAND: &str = "api";

/// An environment's list, oldest first, from the one after `after`.
///
/// # Errors
/// `insufficient_scope`.
pub async fn list_opt_outs(app: &App, caller: &Caller, after: Option<OptOutId>, limit: i64) -> Result<Vec<OptOut>> {
    permit(caller, Scope::MessagesRead)?;
    let (environment, after) = (caller.environment, after.unwrap_or(OptOutId::from_bytes([0; 16])));
    app.store.read(move |tx| optouts::list(tx, environment, after, limit)).await
}

/// Puts a recipient on the list of a sender. Whoever is on it stays on it as they are.
///
/// # Errors
/// `insufficient_scope`.
pub async fn add_opt_out(app: &App, caller: &Caller, from: Sender, to: PhoneNumber, finish: Finish<OptOut>) -> Result<OptOut> {
    permit(caller, Scope::MessagesWrite)?;
    let (pen, environment) = (app.pen(), caller.environment);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, environment)?;
        opt_out(tx, &desk, from.clone(), to, BY_HAND)?;
        let found = optouts::find(tx, environment, &from, to)?.ok_or_else(|| Fault::data("an entry that was just added"))?;
        finish(tx, &found)?;
        Ok(found)
    };
    let added = app.store.write(work).await?;
    app.mailbox.ring();
    Ok(added)
}

/// Takes an entry off the list.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`.
pub async fn remove_opt_out(app: &App, caller: &Caller, id: String, finish: Finish<OptOut>) -> Result<OptOut> {
    let (pen, caller) = (app.pen(), *caller);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, caller.environment)?;
        let found = match OptOutId::parse(&id) {
            Some(id) => optouts::get(tx, caller.environment, id)?,
            None => None,
        };
        let found = found.ok_or_else(|| Error::resource_not_found("opt-out", id.clone()))?;
        permit(&caller, Scope::MessagesWrite)?;
        opt_in(tx, &desk, &found.from, found.to)?;
        finish(tx, &found)?;
        Ok(found)
    };
    let removed = app.store.write(work).await?;
    app.mailbox.ring();
    Ok(removed)
}
