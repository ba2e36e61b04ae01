//! What a call that comes in is: who calls whom, and what is to be done with it.

use tandem_app::{
    calls::BeginCall,
    routing::{self, RouteQuery, Routed},
};
use tandem_catalogue::{Error, Result as Decision};
use tandem_domain::{
    call::{Direction, Reason},
    device::Device,
    routing::Plan,
    trunk::{self, Trunk, rewrite},
};
use tandem_kernel::{CallId, Environment, EnvironmentId, PhoneNumber};
use tandem_sip::{Caller, IncomingCall};

use crate::{
    desk::Known,
    house::House,
    near::{Inside, environment_of},
    sound::encrypts,
};

/// A call that came in, and what is to be done with it.
pub(crate) struct Arrival<P = Plan> {
    pub begin: BeginCall,
    pub plan: P,
}

impl Arrival<Decision<Plan>> {
    /// The arrival, if it is to be taken.
    pub fn decided(self) -> Decision<Arrival> {
        Ok(Arrival { begin: self.begin, plan: self.plan? })
    }
}

/// Finds out what a call is.
///
/// # Errors
/// Why it is refused before anybody is asked about it.
pub(crate) async fn read(house: &House, call: &IncomingCall, id: CallId) -> Result<Arrival<Decision<Plan>>, Reason> {
    if let Some(inside) = house.near.caller(call) {
        return from_inside(house, call, inside, id).await;
    }
    let known = match call.caller() {
        Caller::Peer(peer) => house.callers.get(&peer.0),
        Caller::User { owner, .. } => house.callers.get(&owner.0),
    };
    match known {
        Some(Known::Trunk(trunk)) => from_trunk(house, call, &trunk, id).await,
        Some(Known::Device(device)) => from_device(house, call, &device, id).await,
        None => Err(Reason::Internal),
    }
}

async fn from_trunk(house: &House, call: &IncomingCall, trunk: &Trunk, id: CallId) -> Result<Arrival<Decision<Plan>>, Reason> {
    if trunk.direction == trunk::Direction::Outbound {
        return Err(Reason::NotAllowed);
    }
    if trunk.srtp == trunk::Srtp::Required && call.offer().is_some_and(|offer| !encrypts(&offer)) {
        tracing::info!(%id, trunk = trunk.name, "a call of a trunk that has to encrypt is refused: it does not offer that");
        return Err(Reason::Incompatible);
    }
    let read = |text: &str| number(&rewritten(trunk, text));
    let to = call.called().and_then(|user| read(&user)).ok_or(Reason::Incomplete)?;
    let mut arrival = from_outside(house, call, trunk.serves, to, id, read).await?;
    arrival.begin.trunk_in = Some(trunk.id);
    "trunk".clone_into(&mut arrival.begin.initiated_by);
    Ok(arrival)
}

/// A call of ours to a number of ours, or a handset's.
async fn from_inside(house: &House, call: &IncomingCall, inside: Inside, id: CallId) -> Result<Arrival<Decision<Plan>>, Reason> {
    let environment = environment_of(call).ok_or(Reason::Internal)?;
    let kind = house.app.directory.environment(environment).await.map_err(failed)?.settings.kind;
    let to = call.called().and_then(|user| number(&user)).ok_or(Reason::Incomplete)?;
    let mut arrival = from_outside(house, call, kind, to, id, number).await?;
    let by = match inside {
        Inside::Ourselves => "internal",
        Inside::Handset => "pocket",
    };
    by.clone_into(&mut arrival.begin.initiated_by);
    Ok(arrival)
}

/// A call to a number of some environment of a kind, by somebody whose word about the caller counts.
async fn from_outside(
    house: &House,
    call: &IncomingCall,
    kind: Environment,
    to: PhoneNumber,
    id: CallId,
    read: impl Fn(&str) -> Option<PhoneNumber>,
) -> Result<Arrival<Decision<Plan>>, Reason> {
    let asserted = call.asserted().iter().find_map(|uri| tandem_sip::user_of(uri)).and_then(|user| read(&user));
    let hidden = call.header("Privacy").is_some_and(|privacy| privacy.contains("id"));
    let from = asserted.or_else(|| call.calling().and_then(|user| read(&user))).filter(|_| !hidden);
    let path = travelled(call, to, read);
    let query = RouteQuery { from, path: path.clone(), at: None };
    let routed = routing::incoming(&house.app, kind, to, query).await.map_err(failed)?;
    let mut arrival = taken(id, routed, from, to)?;
    arrival.begin.from_name = call.calling_name().filter(|_| !hidden);
    arrival.begin.path = path;
    Ok(arrival)
}

/// The numbers through which a call came, the first one first: those of `Diversion`, or of `History-Info`, whose last is the one
/// that is called now.
fn travelled(call: &IncomingCall, to: PhoneNumber, read: impl Fn(&str) -> Option<PhoneNumber>) -> Vec<PhoneNumber> {
    let read = |uri: &String| read(&tandem_sip::user_of(uri)?);
    let mut path: Vec<PhoneNumber> = call.diversions().iter().rev().filter_map(read).collect();
    if path.is_empty() {
        path = call.history().iter().filter_map(read).collect();
        path.pop_if(|last| *last == to);
    }
    path
}

async fn from_device(house: &House, call: &IncomingCall, device: &Device, id: CallId) -> Result<Arrival<Decision<Plan>>, Reason> {
    let shown = device.caller_id.ok_or(Reason::NotAllowed)?;
    let dialled = call.called().ok_or(Reason::Incomplete)?;
    let to = dialled_by(shown, &dialled).ok_or(Reason::Incomplete)?;
    let routed = routing::outgoing(&house.app, device.environment, shown, to).await.map_err(failed)?;
    let mut arrival = taken(id, routed, Some(shown), to)?;
    arrival.begin.device = Some(device.id);
    "device".clone_into(&mut arrival.begin.initiated_by);
    Ok(arrival)
}

/// A call that was decided about; a number of ours that it is about is there, or there is nobody to charge.
fn taken(id: CallId, routed: Routed, from: Option<PhoneNumber>, to: PhoneNumber) -> Result<Arrival<Decision<Plan>>, Reason> {
    let Some(number) = &routed.number else {
        let code = routed.plan.as_ref().err().map(|error| error.code().name());
        tracing::info!(%id, %to, code, "a call is for nobody here");
        return Err(routed.plan.err().map_or(Reason::Unassigned, |error| Reason::of_error(&error)));
    };
    let (environment, about): (EnvironmentId, PhoneNumber) = (number.environment, number.phone);
    let outside = match &routed.plan {
        Ok(plan) if plan.ask.is_none() => plan.begin.outside().collect(),
        Ok(_) | Err(_) => Vec::new(), // whom it rings is not known before the webhook has answered
    };
    let begin = BeginCall {
        id,
        environment,
        direction: routed.direction,
        from,
        to,
        number: if routed.direction == Direction::Inbound { to } else { about },
        trunk_in: None,
        device: None,
        initiated_by: String::new(),
        from_name: None,
        path: Vec::new(),
        outside,
        timeout: None,
        max_duration: None,
        fee: None,
        code: None,
        tags: serde_json::Map::new(),
        custom_fields: serde_json::Map::new(),
        explanation: routed.explanation,
    };
    Ok(Arrival { begin, plan: routed.plan })
}

fn failed(error: Error) -> Reason {
    tracing::warn!(?error, "a call cannot be decided about");
    Reason::of_error(&error)
}

/// A number as a trunk writes it, as its rules for incoming calls have it.
fn rewritten(trunk: &Trunk, user: &str) -> String {
    let user = user.split(';').next().unwrap_or(user); // `+1415…;npdi;rn=…` (RFC 3966)
    let plus = user.starts_with('+');
    let digits: String = user.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() || (plus && trunk.incoming.is_empty()) {
        return format!("+{digits}");
    }
    format!("+{}", rewrite(&trunk.incoming, &digits))
}

fn number(text: &str) -> Option<PhoneNumber> {
    PhoneNumber::parse(text).ok()
}

/// What a person meant who dialled so: a number with its country, or one of the country that the caller's own number is in.
pub(crate) fn dialled_by(caller: PhoneNumber, dialled: &str) -> Option<PhoneNumber> {
    let digits: String = dialled.chars().filter(char::is_ascii_digit).collect();
    let international = dialled.strip_prefix('+').map(|_| digits.clone());
    let international =
        international.or_else(|| digits.strip_prefix("00").or_else(|| digits.strip_prefix("011")).map(str::to_owned));
    if let Some(digits) = international {
        return number(&format!("+{digits}"));
    }
    if let Some(found) = number(&format!("+{digits}")) {
        return Some(found);
    }
    let code = caller.calling_code()?;
    let national = digits.strip_prefix('0').unwrap_or(&digits);
    number(&format!("+{code}{national}"))
}
