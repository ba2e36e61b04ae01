//! Calls: what comes in over SIP is looked up, decided about, carried and paid for.
//!
//! One task carries one call from its first message to its record. It owns the legs (SIP dialogs with their sound), the timers and what
//! is set aside; nothing is shared between calls. Whatever ends the task, the call is finished in the store: by the task itself, by
//! whoever watches over it where it panics, and by the reconciler where the whole process dies.

#![warn(missing_docs)]

mod arrival;
mod board;
mod call;
mod config;
mod desk;
mod echo;
mod house;
mod lamps;
mod leg;
mod lines;
mod near;
mod pocket;
mod record;
mod refusal;
mod rooms;
mod sound;
mod trunks;

pub use config::VoiceConfig;
pub use echo::{Echo, echo};
pub use house::{Voice, VoiceFault};
pub use pocket::{LONGEST, Scenario, magic_callees_page, scenarios};
pub use record::recover;
