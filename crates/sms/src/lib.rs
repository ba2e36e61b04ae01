//! Text messages over SMPP.
//!
//! [`bind`] is our side of the binds of any number of SMSCs, [`smsc`] the SMSC of the pocket network, which the test environments'
//! messages go through. Both stand on [`wire`].
#![warn(missing_docs)]

pub mod bind;
pub mod smsc;
pub mod wire;
