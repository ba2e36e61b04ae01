//! Decisions about calls.

use std::collections::{HashMap, HashSet};

use tandem_catalogue::Code;
use tandem_kernel::{ConferenceId, Currency, DeviceId, EnvironmentId, FlowId, Money, NumberId, PhoneNumber, PropertyId, Timestamp};

use super::*;
use crate::{
    Features,
    address::Requirement,
    call::{Policy, Reason, Traffic},
    config::{Forwarding, NumberConfig, Ring, RingTarget, RingTo, Schedule, ScheduleRule, Strategy, Voicemail},
    device::Device,
    flow::{CallFlow, Conditions, Destination, Pattern, Rule},
    number::{Number, NumberState},
    trunk::{Health, choice::Load, choice::tests::trunk},
};

const OURS: &str = "+14155550100";
const THEIRS: &str = "+14155550199";
const DESK: DeviceId = DeviceId::from_bytes([1; 16]);
const DOOR: DeviceId = DeviceId::from_bytes([2; 16]);

fn phone(text: &str) -> PhoneNumber {
    PhoneNumber::from_e164(text).expect(text)
}

fn number(config: NumberConfig) -> Number {
    let usd = Currency::parse("USD").expect("a currency");
    Number {
        id: NumberId::from_bytes([1; 16]),
        environment: EnvironmentId::from_bytes([2; 16]),
        property: PropertyId::from_bytes([2; 16]),
        phone: phone(OURS),
        requirement: Requirement::None,
        address: None,
        state: NumberState::Active,
        friendly_name: None,
        carrier: "owned".to_owned(),
        features: Features::VOICE,
        monthly: Money::new(1, usd),
        setup: Money::new(0, usd),
        config,
        purchased_at: Timestamp::default(),
        periods_paid: 1,
        version: 1,
    }
}

fn device(id: DeviceId, label: &str) -> Device {
    Device {
        id,
        environment: EnvironmentId::from_bytes([2; 16]),
        user_name: label.to_owned(),
        label: label.to_owned(),
        caller_id: None,
        max_registrations: 5,
        enabled: true,
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
        version: 1,
    }
}

/// Two devices, of which the desk's is registered; a trunk to everywhere; money. 2024-01-01 12:00 UTC was a Monday.
fn facts() -> Facts {
    Facts {
        now: Timestamp::from_micros(1_704_110_400_000_000),
        devices: HashMap::from([(DESK, (device(DESK, "desk"), 1)), (DOOR, (device(DOOR, "door"), 0))]),
        flows: HashMap::new(),
        menus: HashSet::new(),
        conferences: HashSet::new(),
        recordings: HashSet::new(),
        own: HashSet::new(),
        trunks: vec![trunk("carrier", &[("", 0, 1)])],
        pocket: None,
        policy: Policy::default(),
        traffic: Traffic::default(),
        currency: Currency::parse("USD").expect("a currency"),
        available: 1_000_000,
        dice: 0,
    }
}

fn forward(when_unavailable: bool, rings: Option<i64>) -> NumberConfig {
    NumberConfig {
        call_forwarding: Some(Forwarding {
            enabled: true,
            forward_to: Some(phone(THEIRS)),
            when_unavailable: Some(when_unavailable),
            rings_before_forward: rings,
        }),
        ..NumberConfig::default()
    }
}

fn rings(strategy: Strategy, devices: &[DeviceId]) -> Option<Ring> {
    let target = |id: &DeviceId| RingTarget { to: RingTo::Device(*id), seconds: 20 };
    Some(Ring { strategy, targets: devices.iter().map(target).collect() })
}

fn decide_on(config: NumberConfig, facts: &Facts, path: &[&str]) -> (Result<Plan>, Explanation) {
    let (number, path): (Number, Vec<PhoneNumber>) = (number(config), path.iter().map(|text| phone(text)).collect());
    let mut why = Explanation::of("route", "call_1");
    let asked = Asked { caller: PhoneNumber::from_e164("+61299998888"), path: &path };
    let plan = inbound(number.phone, Some(&number), asked, facts, &mut why);
    (plan, why)
}

fn stages(config: NumberConfig, facts: &Facts) -> Vec<(Vec<String>, i64)> {
    let Treatment::Ring(stages) = decide_on(config, facts, &[]).0.expect("a plan").begin else { panic!("nothing rings") };
    let name = |attempt: &Attempt| match &attempt.target {
        Target::Device(id) => facts.devices[id].0.label.clone(),
        other => format!("{} {}", other.kind(), other.number().expect("a number")),
    };
    stages.iter().map(|stage| (stage.attempts.iter().map(name).collect(), stage.ring_seconds)).collect()
}

fn code(config: NumberConfig, facts: &Facts, path: &[&str]) -> Code {
    let (plan, why) = decide_on(config, facts, path);
    let refused = plan.expect_err("a refusal");
    assert!(why.steps.last().is_some_and(|step| !step.met), "the last step decided: {why:?}");
    refused.code()
}

#[test]
fn a_forward_goes_out_with_the_callers_number_and_says_who_sent_it_on() {
    let (plan, _) = decide_on(forward(false, None), &facts(), &[]);
    let Treatment::Ring(stages) = plan.expect("a plan").begin else { panic!("nothing rings") };
    let attempt = &stages[0].attempts[0];
    assert_eq!(attempt.caller_id, Some(phone("+61299998888")));
    assert_eq!(attempt.diverted_by, Some(phone(OURS)));
    let Target::Trunks { trunks, .. } = &attempt.target else { panic!("{:?}", attempt.target) };
    assert_eq!(trunks[0].1, THEIRS);
}

#[test]
fn devices_ring_before_the_forward_as_often_as_it_says() {
    let config = |when_unavailable, rings_before| NumberConfig {
        ring: rings(Strategy::InTurn, &[DESK, DOOR]),
        ..forward(when_unavailable, rings_before)
    };
    let away = vec![format!("trunk {THEIRS}")];
    let desk = vec!["desk".to_owned()];
    assert_eq!(stages(config(false, None), &facts()), [(desk.clone(), 20), (away.clone(), 30)], "the door is not registered");
    assert_eq!(stages(config(false, Some(4)), &facts()), [(desk.clone(), 24), (away.clone(), 30)]);
    assert_eq!(stages(config(true, Some(4)), &facts()), [(desk, 20)], "only when nobody can be reached");
    let mut nobody = facts();
    nobody.devices.clear();
    assert_eq!(stages(config(true, None), &nobody), [(away, 30)]);
}

#[test]
fn several_ring_in_turn_or_at_once() {
    let mut both = facts();
    both.devices.insert(DOOR, (device(DOOR, "door"), 2));
    let config = |strategy| NumberConfig { ring: rings(strategy, &[DOOR, DESK]), ..NumberConfig::default() };
    let (desk, door) = ("desk".to_owned(), "door".to_owned());
    assert_eq!(stages(config(Strategy::InTurn), &both), [(vec![door.clone()], 20), (vec![desk.clone()], 20)]);
    assert_eq!(stages(config(Strategy::AtOnce), &both), [(vec![door, desk], 20)]);
}

#[test]
fn the_schedule_goes_before_the_forward_in_its_own_time_zone() {
    let rule = ScheduleRule { days: vec![1], from: "07:00".to_owned(), to: "08:00".to_owned(), forward_to: phone("+442079460123") };
    let config = |zone: &str| NumberConfig {
        schedule: Some(Schedule { time_zone: zone.to_owned(), rules: vec![rule.clone()] }),
        ..forward(false, None)
    };
    assert_eq!(stages(config("America/New_York"), &facts())[0].0, ["trunk +442079460123"], "noon in London is seven in New York");
    assert_eq!(stages(config("UTC"), &facts())[0].0, [format!("trunk {THEIRS}")]);
}

#[test]
fn voicemail_takes_what_nobody_can() {
    let voicemail = Some(Voicemail { enabled: true, ..Voicemail::default() });
    let alone = NumberConfig { voicemail: voicemail.clone(), ..NumberConfig::default() };
    let (plan, _) = decide_on(alone, &facts(), &[]);
    assert_eq!(plan.expect("a plan").begin, Treatment::Voicemail);
    let behind = NumberConfig { voicemail, ..forward(false, None) };
    let (plan, _) = decide_on(behind.clone(), &facts(), &[]);
    assert_eq!(plan.expect("a plan").otherwise, Otherwise::Voicemail);
    let (plan, _) = decide_on(behind, &Facts { trunks: Vec::new(), ..facts() }, &[]);
    assert_eq!(plan.expect("a plan").begin, Treatment::Voicemail, "the forward cannot be carried");
    let (plan, _) = decide_on(forward(false, None), &facts(), &[]);
    assert_eq!(plan.expect("a plan").otherwise, Otherwise::End(Reason::NoAnswer));
}

#[test]
fn flows_conferences_and_webhooks() {
    let id = FlowId::from_bytes([7; 16]);
    let flow = |to: Destination| CallFlow {
        id,
        environment: EnvironmentId::from_bytes([2; 16]),
        name: "Main".to_owned(),
        description: String::new(),
        phone: None,
        active: true,
        routing: vec![Rule { pattern: Pattern::parse("1*").expect("a pattern"), to, conditions: Conditions::default() }],
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
        version: 1,
    };
    let config = NumberConfig {
        call_flow_id: Some(id.to_string()),
        voice_webhook: Some("https://example.com/".to_owned()),
        ..NumberConfig::default()
    };
    let with = |to| Facts { flows: HashMap::from([(id, flow(to))]), ..facts() };
    let (plan, _) = decide_on(config.clone(), &with(Destination::Device(DESK)), &[]);
    let plan = plan.expect("a plan");
    assert_eq!((plan.begin.kind(), plan.ask.as_deref()), ("ring", Some("https://example.com/")));
    let without = |to| decide_on(config.clone(), &with(to), &[]).0.expect("a plan").begin;
    assert_eq!(without(Destination::Hangup), Treatment::Refuse(Reason::Rejected), "the webhook is asked all the same");
    assert_eq!(without(Destination::Device(DOOR)), Treatment::Refuse(Reason::Unreachable));
    assert_eq!(code(config.clone(), &facts(), &[OURS]), Code::CallLoop, "what no answer could change is refused at once");
    let config = NumberConfig { voice_webhook: None, ..config };
    assert_eq!(code(config.clone(), &with(Destination::Hangup), &[]), Code::CallRejected);
    assert_eq!(code(config.clone(), &with(Destination::Device(DOOR)), &[]), Code::CalleeUnreachable);
    assert_eq!(code(config.clone(), &with(Destination::Flow(id)), &[]), Code::CalleeUnreachable, "a round ends");
    assert_eq!(code(config, &facts(), &[]), Code::CalleeUnreachable, "the flow is gone");
    let conference = ConferenceId::from_bytes([8; 16]);
    let config = NumberConfig { conference_id: Some(conference.to_string()), ..NumberConfig::default() };
    let there = Facts { conferences: HashSet::from([conference]), ..facts() };
    assert_eq!(decide_on(config, &there, &[]).0.expect("a plan").begin, Treatment::Conference(conference));
}

#[test]
fn what_is_refused_and_why() {
    assert_eq!(code(NumberConfig::default(), &facts(), &[]), Code::CalleeUnreachable);
    assert_eq!(code(forward(false, None), &facts(), &[OURS]), Code::CallLoop);
    assert_eq!(code(forward(false, None), &facts(), &[THEIRS]), Code::CallLoop, "the target sent it here");
    let far: Vec<String> = (10..20).map(|tail| format!("+441632960{tail}0")).collect();
    let far: Vec<&str> = far.iter().map(String::as_str).collect();
    assert_eq!(code(forward(false, None), &facts(), &far), Code::TooManyHops);
    assert_eq!(code(forward(false, None), &Facts { trunks: Vec::new(), ..facts() }, &[]), Code::NoRoute);
    let mut down: Load = trunk("carrier", &[("", 0, 1)]);
    down.trunk.health.health = Health::Down;
    assert_eq!(code(forward(false, None), &Facts { trunks: vec![down], ..facts() }, &[]), Code::TrunksUnavailable);
    assert_eq!(code(forward(false, None), &Facts { available: 0, ..facts() }, &[]), Code::InsufficientFunds);
    let policy = Policy { countries: Vec::new(), ..Policy::default() };
    assert_eq!(code(forward(false, None), &Facts { policy, ..facts() }, &[]), Code::CallCountryNotAllowed);
    let policy = Policy { most_per_minute: 1, ..Policy::default() };
    assert_eq!(code(forward(false, None), &Facts { policy, ..facts() }, &[]), Code::CallTooDear);
    let suspended = Number { state: NumberState::Suspended { grace_until: Timestamp::default() }, ..number(forward(false, None)) };
    let asked = Asked { caller: None, path: &[] };
    let says = |number: Option<&Number>| {
        inbound(phone(OURS), number, asked, &facts(), &mut Explanation::of("route", "x")).expect_err("refused").code()
    };
    assert_eq!(says(Some(&suspended)), Code::NumberOutOfService);
    assert_eq!(says(None), Code::NumberUnassigned);
}

#[test]
fn calls_go_out_from_own_numbers_to_trunks_to_each_other_and_to_handsets() {
    let ours = number(NumberConfig::default());
    let ask = |from: Option<&Number>, to: &str, facts: &Facts| {
        outbound(phone(OURS), from, phone(to), facts, &mut Explanation::of("route", "x")).map(|plan| match plan.begin {
            Treatment::Ring(stages) => stages[0].attempts[0].target.kind(),
            other => other.kind(),
        })
    };
    assert_eq!(ask(Some(&ours), THEIRS, &facts()).expect("a plan"), "trunk");
    let own = Facts { own: HashSet::from([phone(THEIRS)]), available: 0, ..facts() };
    assert_eq!(ask(Some(&ours), THEIRS, &own).expect("a plan"), "internal");
    let reach = Reach { prefixes: vec!["1".to_owned()], barred: Vec::new() };
    let pocket = Facts { pocket: Some(reach), trunks: Vec::new(), ..facts() };
    assert_eq!(ask(Some(&ours), THEIRS, &pocket).expect("a plan"), "pocket");
    assert_eq!(ask(Some(&ours), "+442079460123", &pocket).expect_err("refused").code(), Code::NoRoute);
    assert_eq!(ask(None, THEIRS, &facts()).expect_err("refused").code(), Code::CallerIdNotAllowed);
    let silent = Number { features: Features::SMS, ..ours.clone() };
    assert_eq!(ask(Some(&silent), THEIRS, &facts()).expect_err("refused").code(), Code::CallerIdNotAllowed);
    assert_eq!(ask(Some(&ours), THEIRS, &Facts { available: 0, ..facts() }).expect_err("refused").code(), Code::InsufficientFunds);
}
