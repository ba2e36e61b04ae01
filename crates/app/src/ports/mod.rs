//! Porting: numbers that come from other carriers, and numbers that leave for them.
//!
//! A port is created in one unit of work, after the losing carrier was asked whether it lets the number go. From then on due
//! work asks that carrier again and again and moves the port by its answers, or an operator does so by hand. However it ends,
//! it ends once: with the number in the account and the fee captured, or with neither.

mod advance;
mod by_hand;
mod cancel;
mod create;
mod documents;
mod out;
mod read;
mod steps;

pub use advance::{PORT_JOB, advance};
pub use by_hand::{QueuePorts, QueuedPort, complete, inspect, queue, reject, schedule, submit};
pub use cancel::cancel;
pub use create::{PortNumber, create};
pub use documents::{AddDocument, add_document, document, documents};
pub use out::{cancel_port_out, complete_port_out, start_port_out};
pub use read::{ListPorts, PortList, get, list};

pub(crate) use read::find;
