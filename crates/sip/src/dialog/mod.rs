//! Calls: RFC 3261 sections 12 to 15, RFC 3311 (UPDATE), RFC 6086 (INFO), RFC 3515 (REFER), RFC 4028 (session timers).
//!
//! Each call is one task that owns all of its state. Requests, commands and timers reach it one after the other, so that what
//! crosses on the wire meets here in an order.

mod control;
mod event;
mod incoming;
mod outgoing;
mod requests;
mod state;
mod talk;

pub use control::{Control, Dialog, DialogId, Failed, ReinviteError};
pub use event::{By, Ended, Event, Info, Offer, Reason, Refer};
pub use incoming::{Caller, IncomingCall, Refusal};
pub use outgoing::{Dial, Outgoing, Progress};

pub(crate) use incoming::begin;
pub(crate) use outgoing::dial;
pub(crate) use state::{State, fixed, sequence};
