//! Giving a number back.

use serde_json::json;
use tandem_catalogue::Result;
use tandem_domain::{
    event::EventKind,
    number::{Number, QUARANTINE_DAYS},
    purchase::OfferState,
};
use tandem_kernel::{Caller, Environment, PhoneNumber, Scope};
use tandem_store::{
    Tx,
    repo::{inventory, jobs, numbers},
};

use super::{NumberRef, RENEWAL_JOB, find};
use crate::{App, Finish, app::Desk, offers, permit};

/// The due work that puts a released number up for sale again.
pub const QUARANTINE_JOB: &str = "inventory.release";

/// Gives a number back. Nothing is refunded; it rests before it is sold again.
///
/// # Errors
/// `number_not_found`, `insufficient_scope`, `number_porting`.
pub async fn release(app: &App, caller: &Caller, number: NumberRef, finish: Finish<Number>) -> Result<Number> {
    let (pen, caller) = (app.pen(), *caller);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, caller.environment)?;
        let number = find(tx, caller.environment, &number)?;
        permit(&caller, Scope::NumbersRelease).or_else(|_| permit(&caller, Scope::NumbersWrite))?;
        number.check_modifiable()?;
        let released = release_in(tx, &desk, number, "released by its owner")?;
        finish(tx, &released)?;
        Ok(released)
    };
    app.store.write(work).await
}

/// Gives a number back inside a unit of work.
pub(crate) fn release_in(tx: &mut Tx, desk: &Desk, number: Number, why: &str) -> Result<Number> {
    let released = number.released(desk.now);
    numbers::update(tx, &released)?;
    jobs::cancel(tx, RENEWAL_JOB, released.id.as_bytes())?;
    let states = (OfferState::Assigned, OfferState::Quarantined);
    offers::shift(tx, desk, released.phone, states, None)?;
    let mut subject = [0; 16];
    for (to, from) in subject.iter_mut().skip(8).zip(released.phone.digits().to_be_bytes()) {
        *to = from;
    }
    desk.schedule(tx, QUARANTINE_JOB, subject, desk.now.micros(), desk.now.plus_days(QUARANTINE_DAYS))?;
    let data = json!({ "number": released.phone.to_string(), "reason": why });
    desk.event(tx, &released.id.to_string(), EventKind::NumberReleased, &data)?;
    Ok(released)
}

/// Due work: a released number has rested and is for sale again. Returns whether it was still resting.
///
/// # Errors
/// Faults of the store.
pub fn end_quarantine(tx: &mut Tx, desk: &Desk, kind: Environment, phone: PhoneNumber) -> Result<bool> {
    let resting = inventory::lock(tx, kind, phone)?.is_some_and(|offer| offer.state == OfferState::Quarantined);
    if resting {
        offers::shift(tx, desk, phone, (OfferState::Quarantined, OfferState::Available), None)?;
    }
    Ok(resting)
}
