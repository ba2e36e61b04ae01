//! The binary `tandem` as a library: configuration, the command line, and a server that tests can start in their own process.
//!
//! This is the only crate that names a database driver's settings, builds the parts and ties them together. [`serve::start`] is
//! the way in for tests; it keeps no state outside what it returns, but for the recorder of metrics.

pub mod cli;
pub mod config;
mod demo;
mod dev_ca;
mod doctor;
mod failure;
mod logs;
mod metrics;
mod nearest;
mod output;
pub mod serve;

pub use demo::Demo;
pub use failure::{Failure, Result};
