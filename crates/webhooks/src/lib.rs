//! Delivery of events to customers' endpoints: what signs a delivery, the HTTP client that goes to public addresses only, and the
//! workers that take deliveries from the store and write down what came of them.
#![warn(missing_docs)]

mod attempt;
mod connect;
mod http_client;
mod lane;
mod sign;
mod worker;

pub use connect::{Resolve, System};
pub use http_client::{Http, Limits, Sent};
pub use sign::{Envelope, headers};
pub use worker::{Options, run};
