//! The tests of the whole, by topic. Every scenario runs on both engines.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod agree;
mod auth;
mod billing;
mod call_flows;
mod catalogue;
mod examples;
mod fone;
mod gate;
mod idempotency;
mod killed;
mod layers;
mod licences;
mod limits;
mod messages;
mod native;
mod numbers;
mod outages;
mod plans;
mod ports;
mod probe;
mod seeds;
mod sms;
mod store;
mod telephony;
mod voice;
mod webhooks;
