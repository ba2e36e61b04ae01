//! Calls: those that go on, with their money, and those that are over.

mod live;
mod notes;
mod policy;
mod read;
mod reconcile;
mod show;

pub use live::{Answer, BeginCall, answer, begin, dial, extend, finish, ring};
pub use policy::{PolicyView, Whose, read_policy, set_policy};
pub use read::{CallList, CallRef, ListCalls, Place, get, list};
pub use reconcile::{LEASE, Reconciliation, keep_alive, pulse, reconcile, reconciliation, run};
pub use show::{CallView, explain, find_shown, list_shown};
