//! The steps of a port, each inside a unit of work: what changes besides the port itself, and what is written down.

use serde_json::{Value, json};
use tandem_catalogue::{Error, Result};
use tandem_domain::{
    Explanation,
    event::EventKind,
    number::{Number, NumberState},
    port::{Port, PortState, is_elsewhere},
    purchase::{Offer, OfferState},
};
use tandem_kernel::{Environment, Timestamp};
use tandem_ledger::{Cause, Posting, transfer_id};
use tandem_store::{
    Fault, Tx,
    repo::{inventory, jobs, ledger, numbers, ports},
};

use super::advance::PORT_JOB;
use crate::{App, app::Desk, numbers::RENEWAL_JOB, offers, stock};

/// A number that a port brought, for the search in memory to learn of.
pub(super) type Arrival = (Environment, Offer);

/// What an event tells of a port.
pub(super) fn facts(port: &Port) -> Value {
    let mut facts = json!({
        "number": port.details.phone.to_string(),
        "number_id": port.number.to_string(),
        "status": port.state.as_str(),
        "carrier_status": port.state.carrier_status(),
    });
    let more = match &port.state {
        PortState::Scheduled { at } => ("scheduled_for", at.to_string()),
        PortState::Completed { at } => ("completed_at", at.to_string()),
        PortState::Rejected { reason } => ("reason", reason.clone()),
        PortState::Pending | PortState::Submitted | PortState::Canceled => return facts,
    };
    if let Value::Object(members) = &mut facts {
        members.insert(more.0.to_owned(), more.1.into());
    }
    facts
}

/// Why money moves for a port: each step moves it once.
pub(super) fn cause(port: &Port, step: &str, description: String) -> Cause {
    let reference = port.id.to_string();
    let id = transfer_id(port.environment, &[&reference, step]);
    Cause { id, reference, description, purpose: "for this operation".into() }
}

/// The losing carrier has the request. `word` says on whose word; so for the other steps.
pub(super) fn submit(tx: &mut Tx, desk: &Desk, port: Port, word: &str) -> Result<Port> {
    let port = port.submitted(desk.now)?;
    let step = ("the losing carrier has the request", word, true);
    record(tx, desk, &port, EventKind::PortSubmitted, step, "the port is with the losing carrier".to_owned())?;
    Ok(port)
}

/// The losing carrier named a date.
pub(super) fn schedule(tx: &mut Tx, desk: &Desk, port: Port, at: Timestamp, word: &str) -> Result<Port> {
    let port = port.scheduled(at, desk.now)?;
    let step = ("the losing carrier names a date", word, true);
    record(tx, desk, &port, EventKind::PortScheduled, step, format!("the number moves on {at}"))?;
    Ok(port)
}

/// The losing carrier refused.
pub(super) fn reject(tx: &mut Tx, desk: &Desk, port: Port, reason: String, word: &str) -> Result<Port> {
    let outcome = format!("the port was rejected: {reason}");
    let port = port.rejected(reason, desk.now)?;
    undo(tx, desk, &port, "its port was rejected")?;
    record(tx, desk, &port, EventKind::PortRejected, ("the losing carrier agrees", word, false), outcome)?;
    Ok(port)
}

/// The port was called off.
pub(super) fn cancel(tx: &mut Tx, desk: &Desk, port: Port, word: &str) -> Result<Port> {
    let port = port.canceled(desk.now)?;
    undo(tx, desk, &port, "its port was canceled")?;
    let step = ("the account still wants the number", word, false);
    record(tx, desk, &port, EventKind::PortCanceled, step, "the port was canceled".to_owned())?;
    Ok(port)
}

/// Whether somebody here got the number while it was on its way.
pub(super) fn is_taken(tx: &mut Tx, desk: &Desk, port: &Port) -> Result<bool> {
    let offer = inventory::lock(tx, desk.settings.kind, port.details.phone)?;
    let held = |offer: &Offer| !is_elsewhere(offer) && offer.holder.is_some_and(|holder| holder != port.environment);
    Ok(offer.as_ref().is_some_and(held))
}

/// The number is here: the fee is earned, the number begins its service, and its first month is due at once.
///
/// # Errors
/// `invalid_transition` unless a date was named, `port_not_possible_now` where somebody else here has the number.
pub(super) fn complete(tx: &mut Tx, desk: &Desk, port: Port, word: &str) -> Result<(Port, Arrival)> {
    let phone = port.details.phone;
    let port = port.completed(desk.now)?;
    if is_taken(tx, desk, &port)? {
        return Err(Error::port_not_possible_now(phone.to_string()));
    }
    if let Some(hold) = port.hold {
        let cause = cause(&port, "capture", format!("Port of {phone}: fee"));
        ledger::post(tx, port.environment, vec![(Posting::Capture(hold, port.fee.micros), cause)], desk.now)?;
    }
    let number = numbers::by_id(tx, port.number)?.ok_or_else(|| Fault::data("a port without its number"))?.arrived(desk.now)?;
    numbers::update(tx, &number)?;
    let offer = possession(&number);
    offers::put(tx, desk, &offer)?;
    desk.schedule(tx, RENEWAL_JOB, *number.id.as_bytes(), i64::from(number.periods_paid), number.next_charge())?;
    jobs::cancel(tx, PORT_JOB, port.id.as_bytes())?;
    let step = ("the number is here", word, true);
    record(tx, desk, &port, EventKind::PortCompleted, step, format!("{phone} arrived and the fee was captured"))?;
    let data = json!({ "number": phone.to_string(), "port": port.id.to_string() });
    desk.event(tx, &number.id.to_string(), EventKind::NumberPortedIn, &data)?;
    Ok((port, (desk.settings.kind, offer)))
}

/// Makes a number that arrived known to the search, so that it is found when it is for sale one day.
pub(super) async fn shelve(app: &App, (kind, offer): Arrival) {
    app.stock.set_available(kind, offer.phone, false);
    let app = app.clone();
    let shelved = tokio::task::spawn_blocking(move || app.stock.insert(kind, &[stock::entry(&offer)]));
    if let Err(fault) = shelved.await {
        tracing::warn!(%fault, "a number that arrived is not in the search before the next start");
    }
}

/// The inventory's entry for a number that came from elsewhere: in its account's possession, with the carrier that took it over.
fn possession(number: &Number) -> Offer {
    Offer {
        phone: number.phone,
        carrier: number.carrier.clone(),
        features: number.features,
        monthly: number.monthly,
        setup: tandem_kernel::Money::new(0, number.setup.currency),
        address_requirement: "none".to_owned(),
        state: OfferState::Assigned,
        holder: Some(number.environment),
    }
}

/// What a port that ends without its number gives back.
fn undo(tx: &mut Tx, desk: &Desk, port: &Port, why: &str) -> Result<()> {
    if let Some(hold) = port.hold {
        let cause = cause(port, "release", format!("Port of {}: not completed", port.details.phone));
        ledger::post(tx, port.environment, vec![(Posting::Release(hold, port.fee.micros), cause)], desk.now)?;
    }
    let number = numbers::by_id(tx, port.number)?.filter(|number| number.state == NumberState::Porting { port: port.id });
    let number = number.ok_or_else(|| Fault::data("an open port without its number"))?.released(desk.now);
    numbers::update(tx, &number)?;
    let data = json!({ "number": number.phone.to_string(), "reason": why });
    desk.event(tx, &number.id.to_string(), EventKind::NumberReleased, &data)?;
    jobs::cancel(tx, PORT_JOB, port.id.as_bytes())
}

fn record(
    tx: &mut Tx,
    desk: &Desk,
    port: &Port,
    kind: EventKind,
    (rule, word, met): (&str, &str, bool),
    outcome: String,
) -> Result<()> {
    ports::update(tx, port)?;
    let name = port.id.to_string();
    desk.event(tx, &name, kind, &facts(port))?;
    let mut explanation = Explanation::of("port", name);
    explanation.note(rule, word, met);
    desk.explain(tx, &explanation.concluding(outcome))
}
