//! Numbers that leave for another carrier, as operators let them go.
//!
//! A number that has left stays in the inventory, assigned and held by nobody: so nobody buys it, importing the inventory again
//! does not offer it, and it may be ported back.

use serde_json::json;
use tandem_catalogue::{Error, Result};
use tandem_domain::{
    event::EventKind,
    number::{Number, NumberState},
    purchase::OfferState,
};
use tandem_kernel::NumberId;
use tandem_store::{
    Tx,
    repo::{inventory, jobs, numbers},
};

use crate::{
    App, Finish,
    accounts::{Operator, note_action},
    app::Desk,
    numbers::RENEWAL_JOB,
};

/// Another carrier asked for a number: its owner can neither change nor release it from now on, and goes on paying for it.
///
/// # Errors
/// `number_not_found`, `invalid_transition` unless the number is active.
pub async fn start_port_out(app: &App, operator: Operator, number: String, finish: Finish<Number>) -> Result<Number> {
    let step = |tx: &mut Tx, desk: &Desk, number: Number| {
        let number = number.leaving()?;
        numbers::update(tx, &number)?;
        record(tx, desk, number, EventKind::NumberPortingOut)
    };
    act(app, operator, number, "port_out.start", step, finish).await
}

/// The other carrier's request was called off: the number stays.
///
/// # Errors
/// `number_not_found`, `invalid_transition` unless the number was leaving.
pub async fn cancel_port_out(app: &App, operator: Operator, number: String, finish: Finish<Number>) -> Result<Number> {
    let step = |tx: &mut Tx, desk: &Desk, number: Number| {
        let number = number.staying()?;
        numbers::update(tx, &number)?;
        record(tx, desk, number, EventKind::NumberPortOutCanceled)
    };
    act(app, operator, number, "port_out.cancel", step, finish).await
}

/// The other carrier has the number: the account loses it, and it does not come up for sale.
///
/// # Errors
/// `number_not_found`, `invalid_transition` unless the number was leaving.
pub async fn complete_port_out(app: &App, operator: Operator, number: String, finish: Finish<Number>) -> Result<Number> {
    let step = |tx: &mut Tx, desk: &Desk, number: Number| {
        let number = number.left(desk.now)?;
        numbers::update(tx, &number)?;
        jobs::cancel(tx, RENEWAL_JOB, number.id.as_bytes())?;
        let gone = (OfferState::Assigned, OfferState::Assigned);
        inventory::shift(tx, desk.settings.kind, number.phone, gone, None, desk.now)?;
        record(tx, desk, number, EventKind::NumberReleased)
    };
    act(app, operator, number, "port_out.complete", step, finish).await
}

async fn act<F>(app: &App, operator: Operator, id: String, action: &'static str, step: F, finish: Finish<Number>) -> Result<Number>
where
    F: Fn(&mut Tx, &Desk, Number) -> Result<Number> + Send + 'static,
{
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let environment = find(tx, &id)?.environment;
        let desk = pen.open(tx, environment)?;
        let number = find(tx, &id)?; // as it is now that nobody else can change it
        let number = step(tx, &desk, number)?;
        note_action(tx, &desk.pen, &operator, action, &id, &json!({ "status": number.state.as_str() }))?;
        finish(tx, &number)?;
        Ok(number)
    };
    app.store.write(work).await
}

fn find(tx: &mut Tx, id: &str) -> Result<Number> {
    let found = match NumberId::parse(id) {
        Some(id) => numbers::by_id(tx, id)?.filter(|number| !matches!(number.state, NumberState::Released { .. })),
        None => None,
    };
    found.ok_or_else(|| Error::number_not_found(id.to_owned()))
}

fn record(tx: &mut Tx, desk: &Desk, number: Number, kind: EventKind) -> Result<Number> {
    let mut data = json!({ "number": number.phone.to_string() });
    if let (EventKind::NumberReleased, Some(members)) = (kind, data.as_object_mut()) {
        members.insert("reason".to_owned(), "ported to another carrier".into());
    }
    desk.event(tx, &number.id.to_string(), kind, &data)?;
    Ok(number)
}
