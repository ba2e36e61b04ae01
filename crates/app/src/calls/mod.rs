//! Calls: those that go on, with their money, and those that are over.

mod ask;
mod control;
mod live;
mod make;
mod notes;
mod policy;
mod read;
mod reconcile;
mod show;
mod switchboard;
mod trigger;

pub(crate) use ask::AT_ONCE as QUESTIONS;
pub use ask::{Advice, ask};
pub use control::{Controlled, Recorded, TransferCall, hang_up, hold, record, transfer, unhold};
pub(crate) use live::begin_in;
pub use live::{Answer, BeginCall, answer, begin, code_heard, dial, extend, finish, hand_on, part, put_on_hold, ring};
pub(crate) use make::calling_number;
pub use make::{MakeCall, make};
pub use policy::{PolicyView, Whose, read_policy, set_policy};
pub use read::{CallList, CallRef, ListCalls, Place, get, list};
pub use reconcile::{LEASE, Reconciliation, end_strays, keep_alive, pulse, reconcile, reconciliation, run};
pub use show::{CallView, explain, find_shown, list_shown};
pub use switchboard::{MadeCall, Next, Obeyed, Order, RecordOrder, Spoken, Switchboard, Then, Transfer};
pub use trigger::{FEE, TriggerCall, trigger};
