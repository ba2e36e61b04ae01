//! Conferences, their participants and their recordings, as far as nobody speaks.

mod manage;
mod participants;

pub use manage::{ConferenceChange, ConferenceView, CreateConference, MOST_CONFERENCES, check_pin, create, end, get, list, update};
pub use participants::{AddParticipant, add, participants, remove};

pub(crate) use manage::find;
