//! Menus that callers choose from by keys.

mod create;
mod delete;
mod read;
mod update;

pub use create::{CreateMenu, create};
pub use delete::delete;
pub use read::{MenuList, explain, get, list, of_id};
pub use update::{MenuChange, update};

use read::find;

/// Menus that an environment can have.
pub const MOST_MENUS: i64 = 1000;
