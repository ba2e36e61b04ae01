//! Text messages over SMPP.
//!
//! [`bind`] is our side of the binds of any number of SMSCs, [`smsc`] the SMSC of the pocket network, which the test environments'
//! messages go through; [`Sms`] ties both to the platform. All stand on [`wire`].
#![warn(missing_docs)]

pub mod bind;
mod pool;
pub mod smsc;
pub mod wire;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use pool::{Sms, config_of};

/// What a mutex guards is whole after every statement, so that a panic elsewhere does not matter.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
