//! Sockets. Everything that comes in passes the [`Intake`]; what goes out to one peer is a [`Flow`].

mod flows;
mod framing;
mod intake;
mod listen;
mod stream;
mod udp;

pub use flows::Unreached;
pub(crate) use flows::{Flow, Flows};
pub(crate) use intake::{Intake, Taken};
pub use listen::StartError;
pub(crate) use listen::listen;
