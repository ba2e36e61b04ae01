//! Where a call goes: from what its number's owner wishes and what is at hand, to a plan or a refusal, with the steps of the way.

use tandem_catalogue::{Error, Result};
use tandem_kernel::{DeviceId, PhoneNumber};

use super::{
    MOST_HOPS, TRUNKS_AFTER,
    facts::{Asked, Facts},
    plan::{Attempt, Otherwise, Plan, RING, SHORTEST_RINGING, Stage, Target, Treatment, USUAL_RINGING},
};
use crate::{
    Explanation, Features,
    call::{Direction, Reason, rates},
    config::{NumberConfig, Recording, RingTo, Strategy},
    device::Device,
    flow::{Destination, Dialled},
    number::{Number, NumberState},
    trunk::choice::{choose, names},
};

/// Call flows that lead to each other are followed so far.
const MOST_FLOWS: usize = 10;

/// Decides about a call to a number of ours; `number` is none where nobody has it. Where a webhook is asked first, a configuration that leads
/// nowhere is no reason to refuse the call before the webhook has answered.
///
/// # Errors
/// `number_unassigned`, `number_out_of_service`, `call_loop`, `too_many_hops`, `insufficient_funds`, `call_rejected`,
/// `callee_unreachable`, and where nothing but trunks is left their `no_route`, `trunks_unavailable`, `call_country_not_allowed`,
/// `call_too_dear`.
pub fn inbound(called: PhoneNumber, number: Option<&Number>, asked: Asked, facts: &Facts, why: &mut Explanation) -> Result<Plan> {
    let held = why.note("somebody has the number", called.to_string(), number.is_some());
    let Some(number) = number.filter(|_| held) else { return Err(Error::number_unassigned(called.to_string())) };
    check_state(number, why)?;
    check_path(called, asked.path, why)?;
    facts.policy.check_traffic(facts.traffic, facts.currency, why)?;
    let rate = rates::of(Direction::Inbound, called);
    let compared = format!("{} available, a first second costs {}", facts.available, rate.cost(1));
    if !why.note("the wallet pays for the beginning of the call", compared, facts.available >= rate.cost(1)) {
        let money = |micros| tandem_kernel::Money::new(micros, facts.currency);
        return Err(Error::insufficient_funds("to take this call", money(rate.cost(1)), money(facts.available)));
    }
    let way = Way { number, asked, facts };
    let ask = number.config.voice_webhook.clone();
    why.note("a webhook is asked first", ask.clone().unwrap_or_else(|| "none".to_owned()), ask.is_some());
    let otherwise = way.otherwise(why);
    let begin = match way.begin(otherwise, why) {
        Err(error) if ask.is_some() => {
            why.note("without the webhook's answer the call is taken", error.code().name(), false);
            Treatment::Refuse(Reason::of_error(&error))
        }
        begin => begin?,
    };
    Ok(Plan { ask, begin, otherwise, recording: recording_of(number) })
}

/// Decides about a call that leads to a destination of a flow or a menu, in the course of a call to a number of ours.
///
/// # Errors
/// As [`inbound`].
pub fn onward(number: &Number, to: &Destination, asked: Asked, facts: &Facts, why: &mut Explanation) -> Result<Plan> {
    let way = Way { number, asked, facts };
    let otherwise = way.otherwise(why);
    let begin = way.destination(to, otherwise, 0, why)?;
    Ok(Plan { ask: None, begin, otherwise, recording: recording_of(number) })
}

/// Whether a number's configuration names anything that could take a call.
#[must_use]
pub fn leads_somewhere(number: &Number) -> bool {
    let config = &number.config;
    let forwards = config.forward_targets().next().is_some();
    let voicemail = config.voicemail.as_ref().is_some_and(|voicemail| voicemail.enabled);
    config.conference_id.is_some() || config.call_flow_id.is_some() || config.rings().next().is_some() || forwards || voicemail
}

/// Decides where a number leads whoever is connected to it without having called it.
///
/// # Errors
/// As [`inbound`].
pub fn own(number: &Number, asked: Asked, facts: &Facts, why: &mut Explanation) -> Result<Plan> {
    let way = Way { number, asked, facts };
    let otherwise = way.otherwise(why);
    let begin = way.begin(otherwise, why)?;
    Ok(Plan { ask: None, begin, otherwise, recording: recording_of(number) })
}

/// Decides about a call that the account makes, from one of its numbers; `from` is none where it does not have it.
///
/// # Errors
/// `caller_id_not_allowed`, `call_country_not_allowed`, `call_too_dear`, `no_route`, `trunks_unavailable`, `insufficient_funds`.
pub fn outbound(shown: PhoneNumber, from: Option<&Number>, to: PhoneNumber, facts: &Facts, why: &mut Explanation) -> Result<Plan> {
    check_caller_id(shown, from, why)?;
    facts.policy.check_traffic(facts.traffic, facts.currency, why)?;
    let target = outside(to, facts, why)?;
    let rate = rates::of(Direction::Outbound, to);
    let free = matches!(target, Target::Internal(_));
    let price = if free { 0 } else { rate.cost(1) };
    let compared = format!("{} available, the least that an answered call costs is {price}", facts.available);
    if !why.note("the wallet pays for the beginning of the call", compared, facts.available >= price) {
        let money = |micros| tandem_kernel::Money::new(micros, facts.currency);
        return Err(Error::insufficient_funds("to make this call", money(price), money(facts.available)));
    }
    let attempt = Attempt { target, caller_id: Some(shown), diverted_by: None };
    let begin = Treatment::Ring(vec![Stage { attempts: vec![attempt], ring_seconds: USUAL_RINGING }]);
    Ok(Plan { ask: None, begin, otherwise: Otherwise::End(Reason::NoAnswer), recording: from.and_then(recording_of) })
}

/// Decides about a call that the platform makes on behalf of an account and at a price of its own, such as one that says a code; `shown` is
/// none where it shows no number.
///
/// # Errors
/// `call_limit_reached`, `call_country_not_allowed`, `call_too_dear`, `no_route`, `trunks_unavailable`.
pub fn on_behalf(shown: Option<PhoneNumber>, to: PhoneNumber, facts: &Facts, why: &mut Explanation) -> Result<Plan> {
    facts.policy.check_traffic(facts.traffic, facts.currency, why)?;
    let attempt = Attempt { target: outside(to, facts, why)?, caller_id: shown, diverted_by: None };
    let begin = Treatment::Ring(vec![Stage { attempts: vec![attempt], ring_seconds: USUAL_RINGING }]);
    Ok(Plan { ask: None, begin, otherwise: Otherwise::End(Reason::NoAnswer), recording: None })
}

/// Whether and how a number's calls are recorded.
fn recording_of(number: &Number) -> Option<Recording> {
    number.config.recording.clone().filter(|recording| recording.enabled)
}

/// Whether calls can come from a number.
///
/// # Errors
/// `caller_id_not_allowed`.
pub fn check_caller_id(shown: PhoneNumber, from: Option<&Number>, why: &mut Explanation) -> Result<()> {
    let refuse = |reason: &str| Err(Error::caller_id_not_allowed(shown.to_string(), reason.to_owned()));
    let owned = why.note("the caller id is a number of the account's", shown.to_string(), from.is_some());
    let Some(number) = from.filter(|_| owned) else { return refuse("it is not a number of this account") };
    let active = matches!(number.state, NumberState::Active | NumberState::PortingOut);
    if !why.note("that number is active", number.state.as_str(), active) {
        return refuse(&format!("it is {}", number.state.as_str()));
    }
    let voice = number.features.contains(Features::VOICE);
    if !why.note("that number can carry calls", number.features.to_string(), voice) {
        return refuse("it cannot carry calls");
    }
    Ok(())
}

fn check_state(number: &Number, why: &mut Explanation) -> Result<()> {
    let refuse = |reason: &str| Err(Error::number_out_of_service(number.phone.to_string(), reason.to_owned()));
    let here = matches!(number.state, NumberState::Active | NumberState::PortingOut);
    if !why.note("the number takes calls", number.state.as_str(), here) {
        return refuse(match number.state {
            NumberState::Suspended { .. } => "its renewal was not paid",
            NumberState::Porting { .. } => "it is still on its way here",
            _ => "it was given back",
        });
    }
    let voice = number.features.contains(Features::VOICE);
    if !why.note("the number can carry calls", number.features.to_string(), voice) {
        return refuse("it has no feature 'voice'");
    }
    Ok(())
}

fn check_path(called: PhoneNumber, path: &[PhoneNumber], why: &mut Explanation) -> Result<()> {
    let names = |path: &[PhoneNumber]| path.iter().map(PhoneNumber::to_string).collect::<Vec<_>>().join(" → ");
    let compared = if path.is_empty() { "it was not forwarded".to_owned() } else { names(path) };
    if !why.note("the call did not come this way before", compared, !path.contains(&called)) {
        return Err(Error::call_loop(called.to_string(), format!("{} → {called}", names(path))));
    }
    let within = path.len() < MOST_HOPS;
    if !why.note("the call was not forwarded too often", format!("{} times, {MOST_HOPS} is too often", path.len()), within) {
        let count = |hops| i64::try_from(hops).unwrap_or(i64::MAX);
        return Err(Error::too_many_hops(count(path.len()), count(MOST_HOPS)));
    }
    Ok(())
}

/// Who carries a call to a number: another account of ours, the pocket network, or trunks.
///
/// # Errors
/// `call_country_not_allowed`, `call_too_dear`, `no_route`, `trunks_unavailable`.
pub fn outside(to: PhoneNumber, facts: &Facts, why: &mut Explanation) -> Result<Target> {
    if why.note(format!("{to} is a number of this installation"), to.to_string(), facts.own.contains(&to)) {
        return Ok(Target::Internal(to));
    }
    facts.policy.check_destination(to, rates::of(Direction::Outbound, to), facts.currency, why)?;
    let chosen = choose(&facts.trunks, to, facts.dice, why);
    if !chosen.is_empty() {
        let trunks = chosen.into_iter().map(|trunk| (trunk.id, trunk.dial(to))).collect();
        return Ok(Target::Trunks { number: to, trunks });
    }
    let pocket = facts.pocket.as_ref().is_some_and(|reach| reach.covers(to));
    if facts.pocket.is_some() && why.note(format!("the pocket network has {to}"), to.to_string(), pocket) {
        return Ok(Target::Pocket(to));
    }
    let trunks: Vec<_> = facts.trunks.iter().map(|load| load.trunk.clone()).collect();
    if names(&trunks, to) {
        Err(Error::trunks_unavailable(to.to_string(), TRUNKS_AFTER))
    } else {
        Err(Error::no_route(to.to_string()))
    }
}

/// A call on its way through a number's configuration.
#[derive(Clone, Copy)]
struct Way<'a> {
    number: &'a Number,
    asked: Asked<'a>,
    facts: &'a Facts,
}

impl Way<'_> {
    fn config(&self) -> &NumberConfig {
        &self.number.config
    }

    fn otherwise(&self, why: &mut Explanation) -> Otherwise {
        let on = self.config().voicemail.as_ref().is_some_and(|voicemail| voicemail.enabled);
        let compared = if on { "it is on" } else { "it is off" };
        if why.note("voicemail takes what nobody answers", compared, on) {
            Otherwise::Voicemail
        } else {
            Otherwise::End(Reason::NoAnswer)
        }
    }

    fn begin(&self, otherwise: Otherwise, why: &mut Explanation) -> Result<Treatment> {
        if let Some(id) = &self.config().conference_id {
            let to = Destination::read("conference", Some(id), "conference_id")?;
            return self.destination(&to, otherwise, 0, why);
        }
        if let Some(id) = &self.config().call_flow_id {
            let to = Destination::read("call_flow", Some(id), "call_flow_id")?;
            return self.destination(&to, otherwise, 0, why);
        }
        self.ring(otherwise, why)
    }

    fn destination(&self, to: &Destination, otherwise: Otherwise, depth: usize, why: &mut Explanation) -> Result<Treatment> {
        let facts = self.facts;
        let there = |known: bool, treatment: Treatment, why: &mut Explanation| {
            let rule = format!("the {} is there", to.kind().replace('_', " "));
            if why.note(rule, to.target().unwrap_or_default(), known) { Ok(treatment) } else { self.nobody(otherwise, why) }
        };
        match to {
            Destination::Menu(id) => there(facts.menus.contains(id), Treatment::Menu(*id), why),
            Destination::Conference(id) => there(facts.conferences.contains(id), Treatment::Conference(*id), why),
            Destination::Recording(id) => there(facts.recordings.contains(id), Treatment::Announcement(*id), why),
            Destination::Voicemail => Ok(Treatment::Voicemail),
            Destination::Hangup => {
                why.note("the call is wanted", "the call flow hangs up", false);
                Err(Error::call_rejected())
            }
            Destination::Number(number) => self.staged(vec![vec![self.forward(*number, why)?]], USUAL_RINGING, otherwise, why),
            Destination::Device(id) => {
                let device = self.device(*id, why);
                self.staged(vec![device.into_iter().collect()], USUAL_RINGING, otherwise, why)
            }
            Destination::Flow(id) => {
                let flow = facts.flows.get(id).filter(|flow| flow.active && depth < MOST_FLOWS);
                let name = flow.map_or_else(|| id.to_string(), |flow| flow.name.clone());
                if !why.note("the call flow takes calls", name, flow.is_some()) {
                    return self.nobody(otherwise, why);
                }
                let digits = self.number.phone.digits().to_string();
                let dialled = Dialled { digits: &digits, caller: self.asked.caller, at: facts.now };
                match flow.and_then(|flow| flow.route(dialled, why)) {
                    Some(next) => self.destination(next, otherwise, depth + 1, why),
                    None => self.nobody(otherwise, why),
                }
            }
        }
    }

    /// Nothing rings: voicemail where it is on, otherwise a refusal.
    fn nobody(&self, otherwise: Otherwise, why: &mut Explanation) -> Result<Treatment> {
        match otherwise {
            Otherwise::Voicemail => Ok(Treatment::Voicemail),
            Otherwise::End(_) => {
                why.note("something that the number leads to can be reached", "nothing can", false);
                Err(Error::callee_unreachable(self.number.phone.to_string()))
            }
        }
    }

    fn staged(
        &self,
        stages: Vec<Vec<Attempt>>,
        ring_seconds: i64,
        otherwise: Otherwise,
        why: &mut Explanation,
    ) -> Result<Treatment> {
        let stages = stages.into_iter().filter(|attempts| !attempts.is_empty());
        let stages: Vec<Stage> = stages.map(|attempts| Stage { attempts, ring_seconds }).collect();
        if stages.is_empty() { self.nobody(otherwise, why) } else { Ok(Treatment::Ring(stages)) }
    }

    /// The number's own telephones, and where it is forwarded.
    fn ring(&self, otherwise: Otherwise, why: &mut Explanation) -> Result<Treatment> {
        let mut fault = None;
        let mut stages = self.own_stages(&mut fault, why);
        let answered_by_devices = !stages.is_empty();
        if let Some((target, always)) = self.forwarded(why) {
            let goes_on = always || !answered_by_devices;
            let compared = if answered_by_devices { "own telephones can be reached" } else { "no own telephone can be reached" };
            if why.note("the call goes on to the forward target", compared, goes_on) {
                if answered_by_devices {
                    self.shorten(&mut stages, why);
                }
                match self.forward(target, why) {
                    Ok(attempt) => stages.push(Stage { attempts: vec![attempt], ring_seconds: USUAL_RINGING }),
                    Err(error) => fault = Some(error),
                }
            }
        }
        match (stages.is_empty(), fault, otherwise) {
            (false, ..) => Ok(Treatment::Ring(stages)),
            (true, Some(error), Otherwise::End(_)) => Err(error),
            (true, ..) => self.nobody(otherwise, why),
        }
    }

    fn own_stages(&self, fault: &mut Option<Error>, why: &mut Explanation) -> Vec<Stage> {
        let Some(ring) = &self.config().ring else { return Vec::new() };
        let mut reached = Vec::new();
        for target in &ring.targets {
            let attempt = match target.to {
                RingTo::Device(id) => self.device(id, why),
                RingTo::Number(number) => self.forward(number, why).map_err(|error| *fault = Some(error)).ok(),
            };
            reached.extend(attempt.map(|attempt| (attempt, target.seconds)));
        }
        match ring.strategy {
            Strategy::AtOnce if reached.is_empty() => Vec::new(),
            Strategy::AtOnce => {
                let ring_seconds = reached.iter().map(|(_, seconds)| *seconds).max().unwrap_or(USUAL_RINGING);
                vec![Stage { attempts: reached.into_iter().map(|(attempt, _)| attempt).collect(), ring_seconds }]
            }
            Strategy::InTurn => {
                reached.into_iter().map(|(attempt, ring_seconds)| Stage { attempts: vec![attempt], ring_seconds }).collect()
            }
        }
    }

    /// Own telephones ring as often as the forwarding says before the call goes on.
    fn shorten(&self, stages: &mut [Stage], why: &mut Explanation) {
        let Some(rings) = self.config().call_forwarding.as_ref().and_then(|forwarding| forwarding.rings_before_forward) else {
            return;
        };
        let turns = i64::try_from(stages.len()).unwrap_or(1).max(1);
        let each = (rings * RING / turns).max(SHORTEST_RINGING);
        why.note("own telephones ring as often as the forwarding says", format!("{rings} rings are {} s", rings * RING), true);
        for stage in stages {
            stage.ring_seconds = each;
        }
    }

    /// Where the number is forwarded now, and whether it is in any case.
    fn forwarded(&self, why: &mut Explanation) -> Option<(PhoneNumber, bool)> {
        let forwarding = self.config().call_forwarding.as_ref();
        let always = !forwarding.and_then(|forwarding| forwarding.when_unavailable).unwrap_or(false);
        if let Some(schedule) = &self.config().schedule {
            for (place, rule) in schedule.rules.iter().enumerate() {
                let compared =
                    format!("{} in {}, days {:?}, {} to {}", self.facts.now, schedule.time_zone, rule.days, rule.from, rule.to);
                let fits = rule.covers(&schedule.time_zone, self.facts.now);
                if why.note(format!("rule {} of the schedule is for this time", place + 1), compared, fits) {
                    return Some((rule.forward_to, always));
                }
            }
        }
        let target = forwarding.filter(|forwarding| forwarding.enabled).and_then(|forwarding| forwarding.forward_to);
        let compared = target.map_or_else(|| "it is not".to_owned(), |target| target.to_string());
        why.note("the number is forwarded", compared, target.is_some());
        target.map(|target| (target, always))
    }

    fn device(&self, id: DeviceId, why: &mut Explanation) -> Option<Attempt> {
        let (device, contacts): (Option<&Device>, usize) = match self.facts.devices.get(&id) {
            Some((device, contacts)) => (Some(device), *contacts),
            None => (None, 0),
        };
        let name = device.map_or_else(|| id.to_string(), |device| device.label.clone());
        let on = device.is_some_and(|device| device.enabled);
        let compared = match (on, contacts) {
            (false, _) => "it is switched off or gone".to_owned(),
            (true, contacts) => format!("{contacts} registrations"),
        };
        let reached = why.note(format!("device '{name}' can be reached"), compared, on && contacts > 0);
        reached.then_some(Attempt { target: Target::Device(id), caller_id: self.asked.caller, diverted_by: None })
    }

    /// A call that is sent on shows who called, and says which number sent it on.
    fn forward(&self, to: PhoneNumber, why: &mut Explanation) -> Result<Attempt> {
        let mut path = self.asked.path.to_vec();
        path.push(self.number.phone);
        check_path(to, &path, why)?;
        let target = outside(to, self.facts, why)?;
        Ok(Attempt { target, caller_id: self.asked.caller, diverted_by: Some(self.number.phone) })
    }
}
