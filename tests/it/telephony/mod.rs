//! The Telephony.io dialect.

mod account;
mod brakes;
mod codes;
mod lookup;
pub mod verify;
