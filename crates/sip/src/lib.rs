//! SIP (RFC 3261): the one adapter around the stack.
//!
//! The stack (`rsipstack`) parses, and drives transactions. Everything else is here: [sockets and what is let in](Limits), digest
//! authentication, the registrar, dialogs with their offers and session timers, trunks. No type of the stack leaves this crate, and
//! nothing here knows what a number, an account or a price is: the owner answers questions through the [`Desk`] and gets
//! [calls](IncomingCall).
//!
//! What always holds:
//! - Every request is answered, or dropped on purpose: one of a banned address, or one that cannot be answered.
//! - Every dialog is the property of one task, and that of one handle. Dropping the handle ends the dialog.
//! - Nothing that a stranger sends is remembered without a bound.
//! - Our own log events hold no credentials. The stack logs whole messages at `info`: whoever installs a subscriber sets
//!   `rsipstack=warn`.
//!
//! Answers to datagrams go to the address and port that the request came from, as if every client asked for that (RFC 3581).
#![warn(missing_docs)]

mod address;
mod admission;
mod auth;
mod config;
mod core;
mod desk;
mod dialog;
mod digest;
mod message;
mod net;
mod registrar;
mod server;
mod session;
mod subscription;
mod timers;
mod trunk;
mod wire;

pub use address::{Bound, Source, Target, Transport};
pub use config::{Config, Limits, Listen, RegistrarConfig, SessionConfig, Timers};
pub use desk::{Binding, Credentials, Desk, Fault, Login, NotStored, Notice, OwnerId, PeerId};
pub use dialog::{
    By, Caller, Control, Dial, Dialog, DialogId, Ended, Event, Failed, IncomingCall, Info, Offer, Outgoing, Progress, Reason,
    Refer, Refusal, ReinviteError,
};
pub use net::{StartError, Unreached};
pub use server::{Incoming, Load, Sip};
pub use subscription::{Subscribe, Subscription, SubscriptionEvent, Summary};
pub use trunk::{Health, Registration, RegistrationConfig, Trunk, TrunkConfig};

pub(crate) use dialog::{fixed as state_fixed, sequence as dialog_sequence};

/// The methods that we take (RFC 3261 section 20.5).
pub(crate) const ALLOWED: &str = "INVITE, ACK, BYE, CANCEL, OPTIONS, REGISTER, INFO, UPDATE, REFER, NOTIFY, SUBSCRIBE";
/// The extensions that we know (RFC 3261 section 20.37).
pub(crate) const SUPPORTED: &str = "timer";

/// The user of a URI, decoded: a number or a name (RFC 3261 section 19.1.1).
#[must_use]
pub fn user_of(uri: &str) -> Option<String> {
    message::user(uri)
}
