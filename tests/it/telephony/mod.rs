//! The Telephony.io dialect.

mod account;
mod lookup;
