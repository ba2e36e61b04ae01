//! The Telephony.io dialect.

mod account;
mod brakes;
mod codes;
mod killed;
mod lookup;
mod spoken;
pub mod verify;
mod voice;
mod webhooks;
