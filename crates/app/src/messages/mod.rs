//! Messages: sending, receiving, and what becomes of them.

mod assembly;
mod claim;
mod expire;
pub mod gateway;
mod incoming;
mod life;
mod mms;
mod optouts;
mod read;
mod receipts;
mod send;

pub use assembly::{INCOMPLETE_JOB, give_up};
pub use expire::{EXPIRY_JOB, expire};
pub use mms::{Fetcher, MMS_JOB, deliver_mms};
pub use optouts::{add_opt_out, list_opt_outs, remove_opt_out};
pub use read::{ListMessages, MessageList, get, list, search};
pub use send::{Draft, SendMessage, Terms, send, send_in};

pub(crate) use assembly::forget_old as forget_parts;
pub(crate) use read::find;
