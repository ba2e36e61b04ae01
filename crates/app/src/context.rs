//! What comes with a command besides its content.

use std::sync::Arc;

use tandem_catalogue::{Error, Result};
use tandem_kernel::{Caller, Scope};
use tandem_store::Tx;

/// Written in the last unit of work of a use case, together with its effects: the answer for repetitions of the request.
pub type Finish<V> = Arc<dyn Fn(&mut Tx, &V) -> Result<()> + Send + Sync>;

/// For a use case whose answer nobody will ask for again.
#[must_use]
pub fn nothing_more<V>() -> Finish<V> {
    Arc::new(|_, _| Ok(()))
}

/// Which request this is: the same for its repetitions, so that work which was cut off is taken up and not begun anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Operation(pub [u8; 16]);

/// Who asks, where both operators and accounts may.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asker {
    /// An operator, about anybody's objects.
    Operator,
    /// An account's key, about those of its own environment.
    Account(Caller),
}

/// Checks that the caller's key has a scope. Called after the lookup and before the state is looked at.
///
/// # Errors
/// `insufficient_scope`.
pub fn permit(caller: &Caller, scope: Scope) -> Result<()> {
    if caller.scopes.has(scope) { Ok(()) } else { Err(Error::insufficient_scope(scope.as_str())) }
}
