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

/// Checks that some trunk reaches a target.
///
/// # Errors
/// `forward_target_unreachable`.
pub fn check_reached(field: &str, target: PhoneNumber, reach: &Reach, explanation: &mut Explanation) -> Result<()> {
    let compared = format!("{target} against {:?} without {:?}", reach.prefixes, reach.barred);
    if explanation.note("a trunk reaches the target", compared, reach.covers(target)) {
        return Ok(());
    }
    Err(Error::forward_target_unreachable(field.to_owned(), target.to_string()))
}
