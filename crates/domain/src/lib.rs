//! Numbers, ports, accounts and prices: states as enums that carry their data, transitions that return the next state or an
//! error, decisions that return an explanation with the answer. No I/O, no clock, no async.

pub mod account;
pub mod address;
pub mod billing;
pub mod call;
pub mod conference;
pub mod config;
pub mod device;
pub mod digest;
pub mod document;
pub mod email;
pub mod environment;
pub mod event;
pub mod explanation;
mod features;
pub mod flow;
pub mod inventory;
pub mod key;
pub mod login;
pub mod lookup;
pub mod message;
pub mod number;
mod number_type;
pub mod port;
pub mod property;
pub mod purchase;
pub mod recording;
pub mod routing;
pub mod sid;
pub mod spending;
pub mod trunk;
pub mod verification;
pub mod webhook;
mod words;

pub use explanation::{Explanation, Step};
pub use features::Features;
pub use number_type::NumberType;
