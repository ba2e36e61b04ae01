//! The adapter as the world sees it: over real sockets on loopback, message by message.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod admission;
mod calls;
mod digest;
mod house;
mod offers;
mod outbound;
mod registrar;
mod requests;
mod secrets;
mod sessions;
mod torture;
mod transports;
mod trunks;
