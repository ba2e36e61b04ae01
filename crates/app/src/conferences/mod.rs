//! Conferences, their participants and what is done to them. What the store says decides; the rooms in which people speak follow it.

mod attend;
mod controls;
mod invite;
mod manage;
mod notes;
mod participants;
mod rooms;

pub use attend::{Enter, Entered, Roll, enter, leave, look, recorded, refused, rolls, turn_mute};
pub use controls::{Controlled, MutedAll, control, mute_all, record, stop_recording};
pub use manage::{ConferenceChange, ConferenceView, CreateConference, MOST_CONFERENCES, check_pin, create, end, get, list, update};
pub use participants::{AddParticipant, add, participants, remove};
pub use rooms::{RecordConference, Rooms};

pub(crate) use attend::call_left;
pub(crate) use manage::find;
