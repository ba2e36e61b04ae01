//! Text messages over SMPP.
//!
//! [`bind`] is our side of the binds of any number of SMSCs, [`smsc`] the SMSC of the pocket network, which the test environments'
//! messages go through; [`Sms`] ties both to the platform. All stand on [`wire`].
#![warn(missing_docs)]

pub mod bind;
mod pool;
pub mod smsc;
pub mod wire;

pub use pool::{Sms, config_of};
