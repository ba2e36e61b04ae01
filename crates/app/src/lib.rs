//! Use cases, one file each: a command goes in, a view comes out. What a use case needs of the world outside it asks for
//! through a port, a trait that a carrier or another room implements.
#![warn(missing_docs)]

pub mod accounts;
pub mod actions;
pub mod addresses;
mod app;
pub mod audit;
pub mod billing;
mod breaker;
pub mod calls;
pub mod carrier;
pub mod clock;
mod context;
mod directory;
pub mod due;
pub mod events;
pub mod explain;
pub mod fetch;
pub mod flows;
pub mod holds;
pub mod housekeeping;
pub mod inventory;
pub mod inventory_import;
mod journal;
pub mod keys;
mod limiter;
pub mod logins;
pub mod lookup;
pub mod mail;
pub mod menus;
pub mod messages;
pub mod numbers;
pub mod offers;
pub mod own_keys;
pub mod ports;
pub mod properties;
pub mod requests;
pub mod smscs;
mod spending;
mod stock;
mod turns;
mod vault;
pub mod verifications;
pub mod wallets;
pub mod webhooks;

pub use app::{App, Parts, Settings};
pub use context::{Asker, Finish, Operation, nothing_more, permit};
pub use directory::{Directory, EnvironmentEntry, Principal};
pub use journal::{Journal, JournalEntry};
pub use limiter::{Allowance, Limiter};
pub use stock::Stock;
pub use vault::Vault;
