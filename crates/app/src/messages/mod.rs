//! Messages: sending, receiving, and what becomes of them.

mod assembly;
mod check;
mod claim;
pub mod claims;
mod expire;
mod forward;
pub mod gateway;
mod incoming;
mod life;
mod mms;
mod optouts;
mod owner;
mod queue;
mod read;
mod receipts;
mod schedule;
mod send;

pub use assembly::{INCOMPLETE_JOB, give_up};
pub use expire::{EXPIRY_JOB, expire};
pub use forward::{FORWARD_EMAIL_JOB, FORWARD_SMS_JOB, PostOffice, forward_email, forward_sms};
pub use mms::{Fetcher, MMS_JOB, deliver_mms};
pub use optouts::{add_opt_out, list_opt_outs, remove_opt_out};
pub use read::{FindMessages, ListMessages, MessageList, find_of_property, get, list, search};
pub use schedule::{LEASE_JOB, SCHEDULE_JOB, end_leases, release};
pub use send::{Batch, Draft, Origin, SendMessage, Terms, send, send_batch, send_in};

pub(crate) use assembly::forget_old as forget_parts;
pub(crate) use read::find;
