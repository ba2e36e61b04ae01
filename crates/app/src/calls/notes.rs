//! What is told of calls.

use serde_json::{Map, Value, json};
use tandem_catalogue::Result;
use tandem_domain::{
    call::{
        Call, Live, Origin, Outcome,
        event::{self, Begun},
    },
    event::EventKind,
    property::Property,
};
use tandem_kernel::{CallId, PhoneNumber, PropertyId, places, uuid_text};
use tandem_store::{
    Fault, Tx,
    repo::{numbers, properties},
};

use crate::app::Desk;

/// Whence a caller's number is.
pub(super) fn origin(from: PhoneNumber) -> Origin {
    let region = places::region_of(from).map(|region| region.code.to_owned());
    let city = places::place_in(from).and_then(|place| place.split(',').next()).map(str::to_owned);
    Origin { country: from.country().map(|country| country.to_string()), region, city }
}

pub(super) fn initiated(tx: &mut Tx, desk: &Desk, live: &Live) -> Result<()> {
    let (from, to) = (live.caller(), live.to.to_string());
    let name = name_of(tx, live)?;
    let begun = Begun { from: &from, to: &to, to_name: name.as_deref(), started_at: live.started_at, origin: &live.detail.origin };
    let mut data = event::initiated(&begun, &property(tx, desk, live.property)?);
    extend(&mut data, live.id, live.direction.as_str());
    data.insert("initiated_by".to_owned(), live.detail.initiated_by.clone().into());
    if let Some(name) = &live.detail.from_name {
        data.insert("from_name".to_owned(), name.clone().into());
    }
    if !live.detail.tags.is_empty() {
        data.insert("tags".to_owned(), live.detail.tags.clone().into());
    }
    desk.event(tx, &live.id.to_string(), EventKind::CallInitiated, &data.into())
}

pub(super) fn ringing(tx: &mut Tx, desk: &Desk, live: &Live) -> Result<()> {
    let data = json!({ "call_uuid": uuid_text(*live.id.as_bytes()), "ringing_at": desk.now.to_string() });
    desk.event(tx, &live.id.to_string(), EventKind::CallRinging, &data)
}

pub(super) fn answered(tx: &mut Tx, desk: &Desk, live: &Live) -> Result<()> {
    let by = live.endpoint.map(|number| number.to_string()).or_else(|| live.device.map(|device| device.to_string()));
    let data = json!({
        "call_uuid": uuid_text(*live.id.as_bytes()),
        "answered_by": by.unwrap_or_else(|| live.to.to_string()),
        "answered_at": desk.now.to_string(),
    });
    desk.event(tx, &live.id.to_string(), EventKind::CallAnswered, &data)
}

/// The one terminal event: completed where somebody or something took the call, failed otherwise.
pub(super) fn ended(tx: &mut Tx, desk: &Desk, call: &Call, outcome: &Outcome) -> Result<()> {
    let name = numbers::by_phone(tx, call.environment, call.to)?.and_then(|number| number.friendly_name);
    let mut data = event::completed(call, name.as_deref(), &property(tx, desk, call.property)?);
    extend(&mut data, call.id, call.direction.as_str());
    let (kind, status) = match call.answered_at {
        Some(_) => (EventKind::CallCompleted, "completed"),
        None => (EventKind::CallFailed, "failed"),
    };
    data.insert("status".to_owned(), status.into());
    data.insert("completion_reason".to_owned(), outcome.reason.as_str().into());
    data.insert("sip_status".to_owned(), outcome.sip.into());
    data.insert("q850".to_owned(), outcome.q850.into());
    data.insert("cost".to_owned(), cost(outcome.cost));
    if let Some(code) = outcome.reason.code().filter(|_| call.answered_at.is_none()) {
        data.insert("error_code".to_owned(), code.name().into());
    }
    for (member, values) in [("tags", &outcome.detail.tags), ("metadata", &outcome.detail.custom_fields)] {
        if !values.is_empty() {
            data.insert(member.to_owned(), values.clone().into());
        }
    }
    desk.event(tx, &call.id.to_string(), kind, &data.into())
}

/// An amount as a JSON number, exact: dialects that sign what they send need it in its shortest form.
fn cost(micros: i64) -> Value {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    serde_json::from_str(text.trim_end_matches('0').trim_end_matches('.')).unwrap_or(Value::Null)
}

fn extend(data: &mut Map<String, Value>, id: CallId, direction: &str) {
    data.insert("call_uuid".to_owned(), uuid_text(*id.as_bytes()).into());
    data.insert("call_type".to_owned(), direction.into());
}

fn property(tx: &mut Tx, desk: &Desk, id: PropertyId) -> Result<Property> {
    let found = properties::get(tx, desk.settings.id, id)?;
    Ok(found.ok_or_else(|| Fault::data("a call of a property that is not there"))?)
}

fn name_of(tx: &mut Tx, live: &Live) -> Result<Option<String>> {
    Ok(numbers::by_phone(tx, live.environment, live.to)?.and_then(|number| number.friendly_name))
}
