//! The Telephony.io dialect.

mod account;
