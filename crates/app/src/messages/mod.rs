//! Messages: sending, receiving, and what becomes of them.

mod claim;
mod expire;
pub mod gateway;
mod incoming;
mod life;
mod read;
mod receipts;
mod send;

pub use expire::{EXPIRY_JOB, expire};
pub use read::{ListMessages, MessageList, get, list};
pub use send::{Draft, SendMessage, Terms, send, send_in};
