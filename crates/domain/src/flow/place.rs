//! Where calls are sent on by themselves, and that this comes to an end.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use tandem_catalogue::{Error, Result};
use tandem_kernel::{FlowId, MenuId, PhoneNumber};

use crate::{Explanation, routing::MOST_HOPS};

/// Places that are looked at to see where a call may go.
pub const MOST_PLACES: usize = 1000;

/// Something that sends calls on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A number, by its configuration.
    Number(PhoneNumber),
    /// A flow, by its rules.
    Flow(FlowId),
    /// A menu, where its caller chooses nothing.
    Menu(MenuId),
}

impl Place {
    /// Reads what [`fmt::Display`] writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let flow = FlowId::parse(text).map(Self::Flow);
        flow.or_else(|| MenuId::parse(text).map(Self::Menu)).or_else(|| PhoneNumber::from_e164(text).map(Self::Number))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Flow(id) => id.fmt(f),
            Self::Menu(id) => id.fmt(f),
        }
    }
}

/// Checks that a call which `own` sends to one of `first` is not sent back there in any case, or on too often. `next` gives, for many
/// places at once, where they send calls in any case.
///
/// # Errors
/// `forward_loop` with the field of the first step, `invalid_routing`, and what `next` fails with.
pub fn check_endless(
    own: Place,
    first: &[(String, Place)],
    mut next: impl FnMut(&[Place]) -> Result<Vec<(Place, Place)>>,
    explanation: &mut Explanation,
) -> Result<()> {
    let mut came_from: BTreeMap<Place, Place> = BTreeMap::new();
    let mut reached: BTreeSet<Place> = first.iter().map(|(_, place)| *place).collect();
    let mut frontier: Vec<Place> = reached.iter().copied().collect();
    let mut hops = 1;
    while !frontier.is_empty() {
        let back = frontier.iter().find(|place| **place == own || hops > MOST_HOPS);
        if let Some(last) = back {
            return Err(endless(own, first, &path(own, *last, &came_from), explanation));
        }
        let mut further = Vec::new();
        for (from, to) in next(&frontier)? {
            if reached.insert(to) {
                came_from.insert(to, from);
                further.push(to);
            }
        }
        if reached.len() > MOST_PLACES {
            let field = first.first().map_or("", |(field, _)| field.as_str());
            return Err(Error::invalid_routing(field.to_owned(), format!("it leads on to more than {MOST_PLACES} places")));
        }
        frontier = further;
        hops += 1;
    }
    let targets: Vec<String> = first.iter().map(|(_, place)| place.to_string()).collect();
    let compared = if targets.is_empty() { own.to_string() } else { format!("{own} → {}", targets.join(", ")) };
    explanation.note("following where it leads does not lead back", compared, true);
    Ok(())
}

/// The way from `own` to `last`.
fn path(own: Place, last: Place, came_from: &BTreeMap<Place, Place>) -> Vec<Place> {
    let mut path = vec![last];
    let mut at = last;
    while let Some(before) = came_from.get(&at).filter(|_| path.len() <= MOST_HOPS + 1) {
        path.push(*before);
        at = *before;
    }
    path.push(own);
    path.reverse();
    path
}

fn endless(own: Place, first: &[(String, Place)], path: &[Place], explanation: &mut Explanation) -> Error {
    let target = path.get(1).copied().unwrap_or(own);
    let field = first.iter().find(|(_, place)| *place == target).map_or("", |(field, _)| field.as_str());
    let path = path.iter().map(Place::to_string).collect::<Vec<_>>().join(" → ");
    explanation.note("following where it leads does not lead back", path.clone(), false);
    Error::forward_loop(field.to_owned(), target.to_string(), path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(number: u8) -> Place {
        Place::Flow(FlowId::from_bytes([number; 16]))
    }

    /// Checks a step from the first of `edges` against the others.
    fn check(edges: &[(u8, u8)]) -> Result<()> {
        let (from, to) = edges[0];
        let next = |places: &[Place]| {
            let out = edges.iter().skip(1).map(|(from, to)| (flow(*from), flow(*to)));
            Ok(out.filter(|(from, _)| places.contains(from)).collect())
        };
        check_endless(flow(from), &[("there".to_owned(), flow(to))], next, &mut Explanation::of("routing", "x"))
    }

    #[test]
    fn what_comes_back_is_refused_with_its_way() {
        assert!(check(&[(1, 2), (2, 3), (3, 4), (2, 4)]).is_ok());
        let fault = check(&[(1, 2), (2, 3), (3, 1)]).expect_err("a loop");
        let said = fault.render(tandem_catalogue::Dialect::Native);
        let way: Vec<String> = [1, 2, 3, 1].map(|number| flow(number).to_string()).into();
        assert!(said.message.ends_with(&way.join(" → ")), "{}", said.message);
        assert_eq!(said.field.as_deref(), Some("there"));
        assert!(check(&[(1, 1)]).is_err(), "to itself");
    }

    #[test]
    fn a_way_that_is_too_long_is_refused() {
        let row = |length: u8| (1..=length).map(|step| (step, step + 1)).collect::<Vec<_>>();
        assert!(check(&row(10)).is_ok());
        assert!(check(&row(11)).is_err());
    }
}
