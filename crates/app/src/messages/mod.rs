//! Messages: sending, receiving, and what becomes of them.

mod claim;
mod expire;
pub mod gateway;
mod incoming;
mod life;
mod receipts;
mod send;

pub use expire::{EXPIRY_JOB, expire};
pub use send::{Draft, Terms, send_in};
