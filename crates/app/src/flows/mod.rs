//! Call flows: what becomes of calls, by rules.

mod create;
mod delete;
mod read;
mod targets;
mod update;

pub use create::{CreateFlow, create};
pub use delete::delete;
pub use read::{FlowList, ListFlows, explain, get, list};
pub use update::{FlowChange, update};

use read::find;
pub(crate) use targets::{Reaching, Source, Target, check_targets, check_unused, reaching};

/// Flows that an environment can have.
pub const MOST_FLOWS: i64 = 1000;
