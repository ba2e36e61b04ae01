//! Which trunk carries a call to a number.

use std::cmp::Reverse;

use tandem_kernel::PhoneNumber;

use super::{Destinations, Health, Route, Trunk};
use crate::Explanation;

/// A trunk with the calls that it carries at present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// The trunk.
    pub trunk: Trunk,
    /// Calls that it carries.
    pub calls: i64,
}

/// How closely a route names a number: digits of the beginning, and whether it is by country. None where it does not.
type Closeness = (usize, bool);

fn closeness(route: &Route, to: PhoneNumber) -> Option<Closeness> {
    match &route.to {
        Destinations::Prefix(prefix) => to.digits().to_string().starts_with(prefix.as_str()).then_some((prefix.len(), false)),
        Destinations::Country(country) => {
            let national = to.national().len();
            let code = to.digits().to_string().len().saturating_sub(national);
            (to.country() == Some(*country)).then_some((code, true))
        }
    }
}

/// The trunk's route that names a number most closely; of equals the one with the lowest priority.
fn best(trunk: &Trunk, to: PhoneNumber) -> Option<(Closeness, &Route)> {
    let fitting = trunk.routes.iter().filter_map(|route| closeness(route, to).map(|closeness| (closeness, route)));
    fitting.max_by_key(|(closeness, route)| (*closeness, Reverse(route.priority)))
}

/// Whether some trunk names a number, whatever state it is in: what configurations are checked against.
#[must_use]
pub fn names(trunks: &[Trunk], to: PhoneNumber) -> bool {
    trunks.iter().any(|trunk| trunk.is_outbound() && best(trunk, to).is_some())
}

/// The trunks that can carry a call, in the order in which they are to be asked: the longest beginning first, then the lowest priority,
/// then by weight as `dice` fall. Notes each that could not, and why.
#[must_use]
pub fn choose<'a>(loads: &'a [Load], to: PhoneNumber, dice: u64, why: &mut Explanation) -> Vec<&'a Trunk> {
    let mut found = Vec::new();
    for Load { trunk, calls } in loads.iter().filter(|load| load.trunk.is_outbound()) {
        let Some((closeness, route)) = best(trunk, to) else {
            why.note(format!("trunk '{}' carries calls to {to}", trunk.name), describe(&trunk.routes), false);
            continue;
        };
        if is_ready(trunk, *calls, why) {
            found.push((closeness, route, trunk));
        }
    }
    found.sort_by_key(|(closeness, route, _)| (Reverse(*closeness), route.priority));
    let chosen = by_weight(found, dice);
    let names: Vec<&str> = chosen.iter().map(|trunk| trunk.name.as_str()).collect();
    let compared = if names.is_empty() { "none".to_owned() } else { names.join(", then ") };
    why.note(format!("a trunk carries calls to {to} now"), compared, !chosen.is_empty());
    chosen
}

fn describe(routes: &[Route]) -> String {
    let text = |route: &Route| match &route.to {
        Destinations::Prefix(prefix) => format!("+{prefix}"),
        Destinations::Country(country) => country.to_string(),
    };
    let shown: Vec<String> = routes.iter().take(8).map(text).collect();
    let more = routes.len().saturating_sub(shown.len());
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

fn is_ready(trunk: &Trunk, calls: i64, why: &mut Explanation) -> bool {
    let name = &trunk.name;
    if trunk.drained {
        return why.note(format!("trunk '{name}' takes new calls"), "it is drained", false);
    }
    if trunk.health.health == Health::Down {
        let detail = trunk.health.detail.as_deref().unwrap_or("no answer");
        return why.note(format!("trunk '{name}' answers"), format!("not since {}: {detail}", trunk.health.since), false);
    }
    match trunk.capacity {
        Some(most) if calls >= most => why.note(format!("trunk '{name}' has room"), format!("{calls} of {most} calls"), false),
        _ => true,
    }
}

/// Among those with the same closeness and priority, each comes first as often as its weight says.
fn by_weight<'a>(sorted: Vec<(Closeness, &Route, &'a Trunk)>, dice: u64) -> Vec<&'a Trunk> {
    let mut chosen = Vec::with_capacity(sorted.len());
    let mut rest = sorted;
    let mut dice = dice;
    while let Some((closeness, route, _)) = rest.first() {
        let (closeness, priority) = (*closeness, route.priority);
        let size = rest.iter().take_while(|(other, route, _)| (*other, route.priority) == (closeness, priority)).count();
        let weights = rest.iter().take(size).map(|(_, route, _)| u64::try_from(route.weight).unwrap_or(0));
        let total: u64 = weights.clone().sum();
        let mut at = dice.checked_rem(total).unwrap_or(0);
        let place = weights.clone().position(|weight| {
            let here = at < weight;
            at = at.saturating_sub(weight);
            here
        });
        let (_, _, trunk) = rest.remove(place.unwrap_or(0));
        chosen.push(trunk);
        dice = dice.rotate_right(7).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    chosen
}

#[cfg(test)]
pub(crate) mod tests {
    use tandem_kernel::{Country, Environment, Timestamp, TrunkId};

    use super::*;
    use crate::trunk::{Codec, Direction, HealthState, Srtp, Transport};

    pub(crate) fn trunk(name: &str, routes: &[(&str, i64, i64)]) -> Load {
        let to = |text: &str| match Country::parse(text) {
            Some(country) => Destinations::Country(country),
            None => Destinations::Prefix(text.to_owned()),
        };
        let route = |(text, priority, weight): &(&str, i64, i64)| Route { to: to(text), priority: *priority, weight: *weight };
        let trunk = Trunk {
            id: TrunkId::from_bytes([u8::try_from(name.len()).expect("a short name"); 16]),
            name: name.to_owned(),
            serves: Environment::Live,
            direction: Direction::Both,
            host: Some("sip.example.com".to_owned()),
            port: None,
            transport: Transport::Udp,
            networks: Vec::new(),
            user_name: Some("x".to_owned()),
            registration: None,
            outgoing: Vec::new(),
            incoming: Vec::new(),
            plus: true,
            routes: routes.iter().map(route).collect(),
            capacity: None,
            codecs: vec![Codec::Pcmu],
            srtp: Srtp::Off,
            ping: None,
            drained: false,
            health: HealthState::unknown(Timestamp::default()),
            created_at: Timestamp::default(),
            changed_at: Timestamp::default(),
        };
        Load { trunk, calls: 0 }
    }

    fn order(loads: &[Load], to: &str, dice: u64) -> Vec<String> {
        let to = PhoneNumber::from_e164(to).expect(to);
        let chosen = choose(loads, to, dice, &mut Explanation::of("route", "x"));
        chosen.iter().map(|trunk| trunk.name.clone()).collect()
    }

    #[test]
    fn the_longest_beginning_then_priority_then_weight() {
        let loads = [
            trunk("everywhere", &[("", 0, 1)]),
            trunk("america", &[("1", 0, 1)]),
            trunk("us", &[("US", 5, 1)]),
            trunk("sf", &[("1415", 2, 1)]),
            trunk("sf2", &[("1415", 1, 1), ("44", 1, 1)]),
        ];
        assert_eq!(order(&loads, "+14155550100", 0), ["sf2", "sf", "us", "america", "everywhere"]);
        assert_eq!(order(&loads, "+442079460123", 0), ["sf2", "everywhere"]);
        assert_eq!(order(&loads[1..2], "+442079460123", 0), Vec::<String>::new());
    }

    #[test]
    fn what_is_down_drained_or_full_is_passed_over_and_said() {
        let (mut down, mut drained, mut full) =
            (trunk("a", &[("1", 0, 1)]), trunk("b", &[("1", 0, 1)]), trunk("c", &[("1", 0, 1)]));
        down.trunk.health.health = Health::Down;
        drained.trunk.drained = true;
        (full.trunk.capacity, full.calls) = (Some(2), 2);
        let mut why = Explanation::of("route", "x");
        let to = PhoneNumber::from_e164("+14155550100").expect("a number");
        assert!(choose(&[down.clone(), drained, full], to, 0, &mut why).is_empty());
        assert_eq!(why.steps.iter().filter(|step| !step.met).count(), 4);
        assert!(names(&[down.trunk], to), "it is named all the same");
    }

    #[test]
    fn weights_are_shares() {
        let loads = [trunk("a", &[("1", 0, 3)]), trunk("bb", &[("1", 0, 1)]), trunk("ccc", &[("1", 0, 0)])];
        let firsts = (0..400).map(|dice| order(&loads, "+14155550100", dice)[0].clone());
        let firsts: Vec<String> = firsts.collect();
        let count = |name: &str| firsts.iter().filter(|first| *first == name).count();
        assert_eq!((count("a"), count("bb"), count("ccc")), (300, 100, 0));
        assert_eq!(order(&loads, "+14155550100", 1).len(), 3, "the others come after it");
    }
}
