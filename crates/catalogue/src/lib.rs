//! The error catalogue: every failure of the platform, what it means, and how each dialect says it.
//!
//! The data is in `catalogue/errors/*.toml`; the build makes from it the enum [`Code`], its table and one constructor
//! for each code on [`Error`], so that an error cannot be made without the values that its message needs.
#![warn(missing_docs)]

mod entry;
mod error;

pub use entry::{Actor, Dialect, Entry, Retry, Wire};
pub use error::{Code, Error, Rendered, Value};

/// What every fallible operation of the platform returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;
