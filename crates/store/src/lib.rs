//! Repositories and units of work, over SQLite and PostgreSQL with one SQL text for both.
//!
//! [`Store::write`] runs a closure as one unit of work: everything in it is durable when it returns `Ok`, and nothing is left
//! of it otherwise. The closure is synchronous, may run twice, and touches nothing outside its [`Tx`].
#![warn(missing_docs)]

mod backup;
mod codec;
mod driver;
mod fault;
mod migrate;
mod plan;
pub mod repo;
mod row;
mod schema;
mod store;
mod tx;

pub use backup::backup;
pub use driver::Engine;
pub use fault::Fault;
pub use plan::Ran;
pub use row::{Param, Row, Value};
pub use schema::{Schema, schema};
pub use store::{Options, Store};
pub use tx::Tx;
