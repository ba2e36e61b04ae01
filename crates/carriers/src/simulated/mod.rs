//! The pocket network: a carrier inside the program, for the test environments.
//!
//! It has an inventory ([`inventory()`]) and plays the losing carrier of ports. What it does with a number is decided by the
//! number alone: most behave, and the magic ones ([`scenarios`]) misbehave in a documented way. It remembers nothing, so the same
//! questions always get the same answers, whatever was restarted in between.

mod carrier;
mod inventory;
mod page;
mod ports;
mod scenario;

pub use carrier::Simulated;
pub use inventory::inventory;
pub use page::magic_numbers_page;
pub use scenario::{Purpose, Scenario, scenario_of, scenarios};
