//! Whether what flows, menus and numbers lead to is there, can be reached, and comes to an end.

use tandem_catalogue::{Error, Result};
use tandem_domain::{
    Explanation,
    config::RingTo,
    flow::{Destination, Place, check_endless},
    routing::{self, Reach, Reached},
};
use tandem_kernel::{DeviceId, Environment, EnvironmentId, FlowId, PhoneNumber};
use tandem_store::{
    Tx,
    repo::{call_flows, conferences, devices, numbers, recordings, trunks},
};

use crate::App;

/// Where calls of one kind of environment can go, as far as that is known outside the store.
#[derive(Clone, Debug)]
pub struct Reaching {
    kind: Environment,
    /// Where the pocket network's handsets are; nowhere in live environments, whose calls need trunks.
    pocket: Reach,
}

/// Where calls of a kind of environment can go.
///
/// # Errors
/// `internal` where the kind has no carrier.
pub fn reaching(app: &App, kind: Environment) -> Result<Reaching> {
    let pocket = match kind {
        Environment::Live => Reach::default(),
        Environment::Test => app.carriers.reach(kind)?,
    };
    Ok(Reaching { kind, pocket })
}

/// Somewhere that calls are sent.
#[derive(Clone, Debug)]
pub struct Target {
    /// The field that says so.
    pub field: String,
    /// Where.
    pub to: Destination,
    /// Whether calls are sent there in any case.
    pub certain: bool,
}

impl Target {
    /// From what the domain says.
    pub fn of((field, to, certain): (String, &Destination, bool)) -> Self {
        Self { field, to: to.clone(), certain }
    }
}

/// What sends calls.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// Whose it is.
    pub environment: EnvironmentId,
    /// The flow, menu or number.
    pub own: Place,
    /// The number that is about to lead there.
    pub leads_here: Option<PhoneNumber>,
}

/// Checks everywhere that something sends calls.
///
/// # Errors
/// `routing_target_missing`, `forward_target_unreachable`, `forward_loop`, `invalid_routing`.
pub fn check_targets(
    tx: &mut Tx,
    from: Source,
    targets: &[Target],
    reaching: &Reaching,
    explanation: &mut Explanation,
) -> Result<()> {
    let Source { environment, own, leads_here } = from;
    check_there(tx, environment, own, targets, explanation)?;
    let certain = targets.iter().filter(|target| target.certain);
    let first: Vec<_> = certain.filter_map(|target| target.to.place().map(|place| (target.field.clone(), place))).collect();
    let next = |places: &[Place]| {
        let mut next = next_places(tx, environment, places)?;
        let number = leads_here.map(Place::Number).filter(|number| places.contains(number));
        next.extend(number.map(|number| (number, own)));
        Ok(next)
    };
    check_endless(own, &first, next, explanation)?;
    check_reached(tx, targets, reaching, explanation)
}

fn check_reached(tx: &mut Tx, targets: &[Target], reaching: &Reaching, explanation: &mut Explanation) -> Result<()> {
    let number =
        |target: &Target| if let Destination::Number(number) = target.to { Some((target.field.clone(), number)) } else { None };
    let wanted: Vec<(String, PhoneNumber)> = targets.iter().filter_map(number).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let phones: Vec<PhoneNumber> = wanted.iter().map(|(_, number)| *number).collect();
    let reached = Reached {
        own: numbers::held(tx, reaching.kind, &phones)?.into_iter().collect(),
        carrier: reaching.pocket.clone(),
        trunks: trunks::serving(tx, reaching.kind)?,
    };
    wanted.iter().try_for_each(|(field, number)| routing::check_reached(field, *number, &reached, explanation))
}

fn check_there(
    tx: &mut Tx,
    environment: EnvironmentId,
    own: Place,
    targets: &[Target],
    explanation: &mut Explanation,
) -> Result<()> {
    let places: Vec<Place> = targets.iter().filter_map(|target| target.to.place()).collect();
    let there = call_flows::existing(tx, environment, &places)?;
    let named = targets.iter().filter_map(|target| if let Destination::Device(id) = target.to { Some(id) } else { None });
    let named: Vec<DeviceId> = named.collect();
    let owned: Vec<DeviceId> = devices::of_ids(tx, environment, &named)?.into_iter().map(|device| device.id).collect();
    let meetings = targets.iter().filter_map(|target| if let Destination::Conference(id) = target.to { Some(id) } else { None });
    let meetings = conferences::existing(tx, environment, &meetings.collect::<Vec<_>>())?;
    let recorded = targets.iter().filter_map(|target| if let Destination::Recording(id) = target.to { Some(id) } else { None });
    let recorded = recordings::existing(tx, environment, &recorded.collect::<Vec<_>>())?;
    for target in targets {
        let (kind, found) = match &target.to {
            Destination::Flow(id) => ("call flow", own == Place::Flow(*id) || there.contains(&Place::Flow(*id))),
            Destination::Device(id) => ("device", owned.contains(id)),
            Destination::Menu(id) => ("IVR menu", own == Place::Menu(*id) || there.contains(&Place::Menu(*id))),
            Destination::Conference(id) => ("conference", meetings.contains(id)),
            Destination::Recording(id) => ("recording", recorded.contains(id)),
            Destination::Number(_) | Destination::Voicemail | Destination::Hangup => continue,
        };
        let name = target.to.target().unwrap_or_default();
        if !explanation.note(format!("the {kind} exists"), name.clone(), found) {
            return Err(Error::routing_target_missing(target.field.clone(), kind, name));
        }
    }
    Ok(())
}

/// Where flows, menus and the environment's numbers send calls in any case.
pub fn next_places(tx: &mut Tx, environment: EnvironmentId, places: &[Place]) -> Result<Vec<(Place, Place)>> {
    let phone = |place: &Place| if let Place::Number(number) = place { Some(*number) } else { None };
    let phones: Vec<PhoneNumber> = places.iter().filter_map(phone).collect();
    let others: Vec<Place> = places.iter().filter(|place| phone(place).is_none()).copied().collect();
    let mut next = call_flows::links_of(tx, environment, &others)?;
    for number in numbers::by_phones(tx, environment, &phones)? {
        let rung: Vec<RingTo> = number.config.rings().collect();
        let rung =
            rung.into_iter().filter_map(|to| if let RingTo::Number(number) = to { Some(Place::Number(number)) } else { None });
        let forwarding = number.config.call_forwarding.filter(|forwarding| forwarding.enabled);
        let forward = forwarding.and_then(|forwarding| forwarding.forward_to).map(Place::Number);
        let flow = number.config.call_flow_id.as_deref().and_then(FlowId::parse).map(Place::Flow);
        next.extend(forward.into_iter().chain(flow).chain(rung).map(|to| (Place::Number(number.phone), to)));
    }
    Ok(next)
}

/// Checks that nothing sends calls to what is to be deleted.
///
/// # Errors
/// `in_use`.
pub fn check_unused(tx: &mut Tx, environment: EnvironmentId, kind: &'static str, place: Place) -> Result<()> {
    match call_flows::user_of(tx, environment, place)? {
        Some(user) => Err(Error::in_use(kind, place.to_string(), user)),
        None => Ok(()),
    }
}
