//! Conferences and who takes part in them.

use tandem_catalogue::{Error, Result};
use tandem_kernel::{CallId, ConferenceId, EnvironmentId, ParticipantId, PhoneNumber, Timestamp};

use crate::{config::check_name, words::words};

/// Participants of a conference where its maker says nothing, and the most.
pub const PARTICIPANTS: (i64, i64) = (100, 1_000);

words! {
    /// Where a conference is in its life.
    ConferenceState {
        /// It takes nobody before its time.
        Scheduled = "scheduled",
        /// It can be joined.
        Active = "active",
        /// It is over.
        Ended = "ended",
    }
}

/// A conference.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conference {
    /// Its id.
    pub id: ConferenceId,
    /// Whose it is.
    pub environment: EnvironmentId,
    /// Its owner's name for it.
    pub name: String,
    /// When it begins to take participants, by the environment's clock; at once if nothing is said.
    pub scheduled_for: Option<Timestamp>,
    /// How many take part at the most.
    pub max_participants: i64,
    /// Whether a PIN is asked for.
    pub require_pin: bool,
    /// The PIN, as a keyed hash.
    pub pin: Option<[u8; 32]>,
    /// Whether it is recorded from the beginning.
    pub record: bool,
    /// The media that those who wait hear.
    pub hold_music_id: Option<String>,
    /// Whether those who join are muted.
    pub mute_on_entry: bool,
    /// Whether participants may record it.
    pub allow_recording_by_participant: bool,
    /// Whether the others hear who comes and goes.
    pub member_notification: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
    /// When it was ended.
    pub ended_at: Option<Timestamp>,
    /// Grows with each change.
    pub version: i64,
}

impl Conference {
    /// Where it is in its life.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> ConferenceState {
        match (self.ended_at, self.scheduled_for) {
            (Some(_), _) => ConferenceState::Ended,
            (None, Some(at)) if at > now => ConferenceState::Scheduled,
            (None, _) => ConferenceState::Active,
        }
    }

    /// Checks what one member alone cannot say.
    ///
    /// # Errors
    /// `too_short`, `too_long`, `invalid_value`.
    pub fn check(&self) -> Result<()> {
        check_name("name", &self.name)?;
        if self.require_pin && self.pin.is_none() {
            return Err(Error::invalid_value("pin", "must be there where `require_pin` is true"));
        }
        Ok(())
    }
}

/// Whether a text is a PIN.
#[must_use]
pub fn is_pin(text: &str) -> bool {
    (4..=6).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit())
}

words! {
    /// What a participant may do.
    Role {
        /// Speaks and leads.
        Presenter = "presenter",
        /// Listens, and speaks unless muted.
        Listener = "listener",
    }
}

words! {
    /// Where a participant is.
    Presence {
        /// Is to be called, or has not answered.
        Invited = "invited",
        /// Takes part.
        Joined = "joined",
        /// Has hung up.
        Left = "left",
        /// Was removed.
        Removed = "removed",
    }
}

/// Somebody who takes part in a conference, or is to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Participant {
    /// Its id.
    pub id: ParticipantId,
    /// Which conference.
    pub conference: ConferenceId,
    /// The telephone.
    pub phone: Option<PhoneNumber>,
    /// Who it is.
    pub name: Option<String>,
    /// What it may do.
    pub role: Role,
    /// Where it is.
    pub presence: Presence,
    /// Whether it is muted.
    pub muted: bool,
    /// Whether it hears music only.
    pub on_hold: bool,
    /// Its call, once there is one.
    pub call: Option<CallId>,
    /// When it was added.
    pub added_at: Timestamp,
    /// When it joined.
    pub joined_at: Option<Timestamp>,
    /// When it left or was removed.
    pub left_at: Option<Timestamp>,
}
