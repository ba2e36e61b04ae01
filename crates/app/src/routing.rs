//! Where calls go: what the decision has to know is read, then it is made.

use std::collections::{HashMap, HashSet};

use tandem_catalogue::{Error, Result};
use tandem_domain::{
    Explanation,
    call::Direction,
    config::RingTo,
    flow::{CallFlow, Destination, Place},
    number::Number,
    routing::{self, Asked, Facts, Plan},
    trunk::choice::Load,
};
use tandem_kernel::{
    Caller, ConferenceId, DeviceId, Environment, EnvironmentId, FlowId, MenuId, PhoneNumber, RecordingId, Scope, Timestamp,
};
use tandem_store::{
    Fault, Tx,
    repo::{accounts, call_flows, conferences, devices, ledger, live_calls, numbers, recordings, trunks},
};

use crate::{App, app::Pen, permit};

/// Call flows that lead to each other are read so far.
const MOST_FLOWS: usize = 10;

/// A call that is asked about.
#[derive(Clone, Debug, Default)]
pub struct RouteQuery {
    /// Who calls; none who hides it.
    pub from: Option<PhoneNumber>,
    /// The numbers through which it came.
    pub path: Vec<PhoneNumber>,
    /// When, by the environment's clock; now where nothing is said.
    pub at: Option<Timestamp>,
}

/// What was decided about a call.
#[derive(Debug)]
pub struct Routed {
    /// Whether it comes in or goes out.
    pub direction: Direction,
    /// The number of ours that it is about, where there is one.
    pub number: Option<Number>,
    /// What is to be done with it, or why nothing is.
    pub plan: std::result::Result<Plan, Error>,
    /// The steps of the decision.
    pub explanation: Explanation,
}

/// Asks where a call would go that the environment's number gets, or that it would make, without doing anything.
///
/// # Errors
/// `insufficient_scope`.
pub async fn simulate(app: &App, caller: &Caller, to: PhoneNumber, query: RouteQuery) -> Result<Routed> {
    permit(caller, Scope::CallsRead)?;
    let (pen, pocket, dice) = (app.pen(), reach(app, caller.kind)?, dice(app));
    let environment = caller.environment;
    let read = move |tx: &mut Tx| {
        let known = Known { environment, pocket: pocket.clone(), dice };
        let called = numbers::by_phone(tx, environment, to)?;
        let caller = match query.from {
            Some(from) => numbers::by_phone(tx, environment, from)?,
            None => None,
        };
        match (called, caller, query.from) {
            (None, Some(from), _) => outgoing_in(tx, &pen, &known, from.phone, Some(from), to, &query),
            (None, None, Some(from)) if query.path.is_empty() => outgoing_in(tx, &pen, &known, from, None, to, &query),
            (called, ..) => incoming_in(tx, &pen, &known, called, to, &query),
        }
    };
    app.store.read(read).await
}

/// Decides about a call that a trunk or a handset brings: whose number it is comes back with the plan.
///
/// # Errors
/// Faults of the store. A refusal is in the outcome.
pub async fn incoming(app: &App, kind: Environment, to: PhoneNumber, query: RouteQuery) -> Result<Routed> {
    let (pen, pocket, dice) = (app.pen(), reach(app, kind)?, dice(app));
    let read = move |tx: &mut Tx| {
        let Some(number) = numbers::of_kind(tx, kind, to)? else {
            let mut explanation = Explanation::of("route", to.to_string());
            explanation.note("somebody has the number", to.to_string(), false);
            let plan = Err(Error::number_unassigned(to.to_string()));
            return Ok(Routed { direction: Direction::Inbound, number: None, plan, explanation });
        };
        let known = Known { environment: number.environment, pocket: pocket.clone(), dice };
        incoming_in(tx, &pen, &known, Some(number), to, &query)
    };
    app.store.read(read).await
}

/// Decides about a call that an environment makes, from a number that should be its own.
///
/// # Errors
/// Faults of the store. A refusal is in the outcome.
pub async fn outgoing(app: &App, environment: EnvironmentId, from: PhoneNumber, to: PhoneNumber) -> Result<Routed> {
    let (pen, known) = (app.pen(), Known::of(app, environment).await?);
    let read = move |tx: &mut Tx| {
        let number = numbers::by_phone(tx, environment, from)?;
        outgoing_in(tx, &pen, &known, from, number, to, &RouteQuery::default())
    };
    app.store.read(read).await
}

/// Decides about a call to an environment's number that a menu or a webhook sends on to a destination.
///
/// # Errors
/// `owned_number_not_found`, and faults of the store. A refusal is in the outcome.
pub async fn onward(
    app: &App,
    environment: EnvironmentId,
    number: PhoneNumber,
    to: Destination,
    query: RouteQuery,
) -> Result<Routed> {
    let (pen, known) = (app.pen(), Known::of(app, environment).await?);
    let read = move |tx: &mut Tx| {
        let number = owned(tx, environment, number)?;
        let facts = facts(tx, &pen, &known, Some(&number), Named::of(std::iter::once(&to)), &query)?;
        let mut explanation = Explanation::of("route", number.phone.to_string());
        let asked = Asked { caller: query.from, path: &query.path };
        let plan = routing::onward(&number, &to, asked, &facts, &mut explanation);
        Ok(routed(Direction::Inbound, Some(number), plan, explanation))
    };
    app.store.read(read).await
}

/// Decides where an environment's number leads whoever is connected to it, without a call to it; none where it leads nowhere.
///
/// # Errors
/// `owned_number_not_found`, and faults of the store. A refusal is in the outcome.
pub async fn own(app: &App, environment: EnvironmentId, number: PhoneNumber, query: RouteQuery) -> Result<Option<Routed>> {
    let (pen, known) = (app.pen(), Known::of(app, environment).await?);
    let read = move |tx: &mut Tx| {
        let number = owned(tx, environment, number)?;
        if !routing::leads_somewhere(&number) {
            return Ok(None);
        }
        let facts = facts(tx, &pen, &known, Some(&number), Named::default(), &query)?;
        let mut explanation = Explanation::of("route", number.phone.to_string());
        let asked = Asked { caller: query.from, path: &query.path };
        let plan = routing::own(&number, asked, &facts, &mut explanation);
        Ok(Some(routed(Direction::Inbound, Some(number), plan, explanation)))
    };
    app.store.read(read).await
}

/// Decides about a call that the platform makes on behalf of an environment, in the unit of work that begins it; `shown` is none where it
/// shows no number.
///
/// # Errors
/// Faults of the store. A refusal is in the outcome.
pub(crate) fn on_behalf_in(tx: &mut Tx, pen: &Pen, known: &Known, shown: Option<PhoneNumber>, to: PhoneNumber) -> Result<Routed> {
    let named = Named { numbers: vec![to], ..Named::default() };
    let facts = facts(tx, pen, known, None, named, &RouteQuery::default())?;
    let mut explanation = Explanation::of("route", to.to_string());
    let plan = routing::on_behalf(shown, to, &facts, &mut explanation);
    Ok(routed(Direction::Outbound, None, plan, explanation))
}

fn reach(app: &App, kind: Environment) -> Result<Option<routing::Reach>> {
    match kind {
        Environment::Live => Ok(None),
        Environment::Test => app.carriers.reach(kind).map(Some),
    }
}

fn dice(app: &App) -> u64 {
    let mut random = [0; 8];
    app.rng.fill(&mut random);
    u64::from_be_bytes(random)
}

/// What is known before anything is read.
#[derive(Clone)]
pub(crate) struct Known {
    environment: EnvironmentId,
    pocket: Option<routing::Reach>,
    dice: u64,
}

impl Known {
    /// Of an environment.
    pub async fn of(app: &App, environment: EnvironmentId) -> Result<Self> {
        let kind = app.directory.environment(environment).await?.settings.kind;
        Ok(Self { environment, pocket: reach(app, kind)?, dice: dice(app) })
    }
}

fn owned(tx: &mut Tx, environment: EnvironmentId, number: PhoneNumber) -> Result<Number> {
    numbers::by_phone(tx, environment, number)?.ok_or_else(|| Error::owned_number_not_found(number.to_string()))
}

fn incoming_in(
    tx: &mut Tx,
    pen: &Pen,
    known: &Known,
    number: Option<Number>,
    to: PhoneNumber,
    query: &RouteQuery,
) -> Result<Routed> {
    let facts = facts(tx, pen, known, number.as_ref(), Named::default(), query)?;
    let mut explanation = Explanation::of("route", to.to_string());
    let asked = Asked { caller: query.from, path: &query.path };
    let plan = routing::inbound(to, number.as_ref(), asked, &facts, &mut explanation);
    Ok(routed(Direction::Inbound, number, plan, explanation))
}

fn outgoing_in(
    tx: &mut Tx,
    pen: &Pen,
    known: &Known,
    shown: PhoneNumber,
    number: Option<Number>,
    to: PhoneNumber,
    query: &RouteQuery,
) -> Result<Routed> {
    let named = Named { numbers: vec![to], ..Named::default() };
    let facts = facts(tx, pen, known, None, named, query)?;
    let mut explanation = Explanation::of("route", to.to_string());
    let plan = routing::outbound(shown, number.as_ref(), to, &facts, &mut explanation);
    Ok(routed(Direction::Outbound, number, plan, explanation))
}

fn routed(direction: Direction, number: Option<Number>, plan: Result<Plan>, explanation: Explanation) -> Routed {
    let outcome = match &plan {
        Ok(Plan { ask: Some(_), begin, .. }) => format!("the number's webhook is asked; without its answer: {}", begin.kind()),
        Ok(plan) => format!("the call is taken: {}", plan.begin.kind()),
        Err(error) => format!("the call is refused: {}", error.code().name()),
    };
    Routed { direction, number, plan, explanation: explanation.concluding(outcome) }
}

/// What destinations name.
#[derive(Default)]
struct Named {
    flows: Vec<FlowId>,
    menus: Vec<MenuId>,
    devices: Vec<DeviceId>,
    numbers: Vec<PhoneNumber>,
    conferences: Vec<ConferenceId>,
    recordings: Vec<RecordingId>,
}

impl Named {
    fn of<'a>(destinations: impl Iterator<Item = &'a Destination>) -> Self {
        let mut named = Self::default();
        destinations.for_each(|to| named.add(to));
        named
    }

    fn add(&mut self, to: &Destination) {
        match to {
            Destination::Flow(id) => self.flows.push(*id),
            Destination::Menu(id) => self.menus.push(*id),
            Destination::Device(id) => self.devices.push(*id),
            Destination::Number(number) => self.numbers.push(*number),
            Destination::Conference(id) => self.conferences.push(*id),
            Destination::Recording(id) => self.recordings.push(*id),
            Destination::Voicemail | Destination::Hangup => {}
        }
    }

    /// What a number's configuration names.
    fn add_config(&mut self, number: &Number) {
        let config = &number.config;
        let flow = config.call_flow_id.as_deref().and_then(FlowId::parse).map(Destination::Flow);
        let conference = config.conference_id.as_deref().and_then(ConferenceId::parse).map(Destination::Conference);
        let rung = config.rings().map(|to| match to {
            RingTo::Device(id) => Destination::Device(id),
            RingTo::Number(number) => Destination::Number(number),
        });
        let forwards = config.forward_targets().map(|(_, number)| Destination::Number(number));
        let all: Vec<Destination> = flow.into_iter().chain(conference).chain(rung).chain(forwards).collect();
        all.iter().for_each(|to| self.add(to));
    }
}

/// Reads what the decision has to know.
fn facts(tx: &mut Tx, pen: &Pen, known: &Known, number: Option<&Number>, mut named: Named, query: &RouteQuery) -> Result<Facts> {
    let environment = known.environment;
    let settings = accounts::environment(tx, environment)?.ok_or_else(|| Fault::data("a number without its environment"))?;
    let machine = pen.machine_now();
    let now = query.at.unwrap_or_else(|| settings.clock.at(machine));
    if let Some(number) = number {
        named.add_config(number);
    }
    let flows = read_flows(tx, environment, &mut named)?;
    let menus: Vec<Place> = named.menus.iter().copied().map(Place::Menu).collect();
    let there = call_flows::existing(tx, environment, &menus)?;
    let registered = devices::registrations(tx, &named.devices, machine)?;
    let contacts = |id: DeviceId| registered.iter().filter(|registration| registration.device == id).count();
    let owned = devices::of_ids(tx, environment, &named.devices)?;
    let wallet = ledger::wallet(tx, environment)?;
    let since = machine.plus_seconds(-tandem_domain::call::PACE);
    Ok(Facts {
        now,
        devices: owned
            .into_iter()
            .map(|device| (device.id, (contacts(device.id), device)))
            .map(|(id, (held, device))| (id, (device, held)))
            .collect(),
        flows,
        menus: there.into_iter().filter_map(|place| if let Place::Menu(id) = place { Some(id) } else { None }).collect(),
        conferences: conferences::existing(tx, environment, &named.conferences)?.into_iter().collect(),
        recordings: recordings::existing(tx, environment, &named.recordings)?.into_iter().collect(),
        own: numbers::held(tx, settings.kind, &named.numbers)?.into_iter().collect(),
        trunks: loads(tx, settings.kind)?,
        pocket: known.pocket.clone(),
        policy: live_calls::policy(tx, environment)?.unwrap_or_default(),
        traffic: live_calls::traffic(tx, environment, since, now.start_of_day())?,
        currency: wallet.currency,
        available: wallet.available,
        dice: known.dice,
    })
}

/// The flows that are named, and those that they name.
fn read_flows(tx: &mut Tx, environment: EnvironmentId, named: &mut Named) -> Result<HashMap<FlowId, CallFlow>> {
    let mut flows: HashMap<FlowId, CallFlow> = HashMap::new();
    let mut wanted: HashSet<FlowId> = named.flows.iter().copied().collect();
    for _ in 0..MOST_FLOWS {
        if wanted.is_empty() {
            break;
        }
        let found = call_flows::of_ids(tx, environment, &wanted.iter().copied().collect::<Vec<_>>())?;
        wanted.clear();
        for flow in found {
            flow.destinations().for_each(|(_, to, _)| named.add(to));
            wanted
                .extend(flow.destinations().filter_map(|(_, to, _)| if let Destination::Flow(id) = to { Some(*id) } else { None }));
            flows.insert(flow.id, flow);
        }
        wanted.retain(|id| !flows.contains_key(id));
    }
    Ok(flows)
}

/// The trunks of a kind of environment with the calls that each carries.
fn loads(tx: &mut Tx, kind: Environment) -> Result<Vec<Load>> {
    let trunks = trunks::serving(tx, kind)?;
    let carried: HashMap<_, _> = if trunks.iter().any(|trunk| trunk.capacity.is_some()) {
        live_calls::loads(tx)?.into_iter().collect()
    } else {
        HashMap::new()
    };
    Ok(trunks.into_iter().map(|trunk| Load { calls: carried.get(&trunk.id).copied().unwrap_or(0), trunk }).collect())
}
