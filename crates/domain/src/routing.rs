//! Whether calls can be forwarded to a target.

use tandem_catalogue::{Error, Result};
use tandem_kernel::PhoneNumber;

use crate::Explanation;

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

/// Checks that `own` may forward to `target`: some trunk reaches it, and following the forwards of the account's other numbers
/// does not lead back. `next` gives the target to which a number of the account forwards.
///
/// # Errors
/// `forward_target_unreachable`, `forward_loop`, and what `next` fails with.
pub fn check_forward(
    own: PhoneNumber,
    field: &'static str,
    target: PhoneNumber,
    reach: &Reach,
    mut next: impl FnMut(PhoneNumber) -> Result<Option<PhoneNumber>>,
    explanation: &mut Explanation,
) -> Result<()> {
    let mut path = vec![own.to_string()];
    let mut hop = Some(target);
    while let Some(number) = hop {
        path.push(number.to_string());
        let again = number == own || path.len() > MOST_HOPS + 1;
        if !explanation.note("following the forward does not lead back", path.join(" → "), !again) {
            return Err(Error::forward_loop(field, target.to_string(), path.join(" → ")));
        }
        hop = next(number)?;
    }
    let reached = reach.covers(target);
    let compared = format!("{target} against {:?} without {:?}", reach.prefixes, reach.barred);
    if explanation.note("a trunk reaches the target", compared, reached) {
        return Ok(());
    }
    Err(Error::forward_target_unreachable(field, target.to_string()))
}
