//! The words that every room of Tandem shares: typed ids, money, phone numbers, locations, clocks and callers.
//!
//! Nothing here does I/O or knows a dialect; time and randomness come in through the [`Clock`] and [`Rng`] traits.
#![warn(missing_docs)]

mod caller;
mod clock;
mod country;
mod hex;
mod id;
mod location;
mod money;
mod period;
mod phone;
pub mod places;
mod plan;
mod rng;

pub use caller::{Caller, Environment, KeyKind, Scope, Scopes};
pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use country::Country;
pub use hex::hex;
pub use id::*;
pub use location::{Location, LocationFault};
pub use money::{Currency, Money};
pub use period::Period;
pub use phone::{PhoneFault, PhoneNumber};
pub use plan::{LineType, Unfit};
pub use rng::{OsRng, Rng, SeededRng};
