//! Where calls go: whether a target can be reached at all, and what is to be done with a call.

mod decide;
mod facts;
mod plan;
mod said;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use tandem_catalogue::{Error, Result};
use tandem_kernel::PhoneNumber;

use crate::{
    Explanation,
    trunk::{Trunk, choice},
};

pub use decide::{check_caller_id, inbound, leads_somewhere, on_behalf, onward, outbound, outside, own};
pub use facts::{Asked, Facts};
pub use plan::{Attempt, Otherwise, Plan, RING, SHORTEST_RINGING, Stage, Target, Treatment, USUAL_RINGING};
pub use said::{Said, said};

/// Seconds after which a call may be tried again that no trunk can take at present.
pub const TRUNKS_AFTER: i64 = 5;

/// Numbers that a call may be handed on to before it is cut off.
pub const MOST_HOPS: usize = 10;

/// The prefixes that a carrier's trunks carry calls to, and those among them that they do not.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Reach {
    /// Digits after the `+`; an empty text reaches everywhere.
    pub prefixes: Vec<String>,
    /// Exceptions.
    pub barred: Vec<String>,
}

impl Reach {
    /// Whether `number` can be called.
    #[must_use]
    pub fn covers(&self, number: PhoneNumber) -> bool {
        let digits = number.digits().to_string();
        let any = |prefixes: &[String]| prefixes.iter().any(|prefix| digits.starts_with(prefix.as_str()));
        any(&self.prefixes) && !any(&self.barred)
    }
}

/// What reaches the targets of an environment's calls.
#[derive(Clone, Debug, Default)]
pub struct Reached {
    /// Those of the targets that are numbers of this installation.
    pub own: HashSet<PhoneNumber>,
    /// What the pocket network reaches.
    pub carrier: Reach,
    /// The trunks that carry calls of this kind of environment.
    pub trunks: Vec<Trunk>,
}

/// Checks that a target can be reached: as a number of this installation, by a trunk that names it, or in the pocket network. A trunk that
/// is down at present is no reason to refuse a configuration.
///
/// # Errors
/// `forward_target_unreachable`.
pub fn check_reached(field: &str, target: PhoneNumber, reached: &Reached, explanation: &mut Explanation) -> Result<()> {
    if reached.own.contains(&target) {
        explanation.note("the target is a number of this installation", target.to_string(), true);
        return Ok(());
    }
    let Reach { prefixes, barred } = &reached.carrier;
    let out: Vec<&str> = reached.trunks.iter().filter(|trunk| trunk.is_outbound()).map(|trunk| trunk.name.as_str()).collect();
    let covers = choice::names(&reached.trunks, target) || reached.carrier.covers(target);
    let compared = format!("{target} against the trunks {out:?}, and {prefixes:?} without {barred:?}");
    if explanation.note("a trunk reaches the target", compared, covers) {
        return Ok(());
    }
    Err(Error::forward_target_unreachable(field.to_owned(), target.to_string()))
}
