//! The HTTP side of Tandem: one module for each dialect, and `http` for what they share. No dialect imports another; they
//! meet only in the use cases.

pub mod audian;
pub mod fonedynamics;
pub mod http;
pub mod native;
mod router;
pub mod telephony_io;

pub use router::{Options, openapi, router};
