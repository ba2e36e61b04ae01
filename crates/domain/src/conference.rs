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
    /// The same, sealed, to be sent to those who are invited; none where it was set before it was kept so.
    pub sealed_pin: Option<Vec<u8>>,
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
        /// Speaks and leads: is left out where all are muted.
        Presenter = "presenter",
        /// Listens, and speaks unless muted.
        Listener = "listener",
    }
}

words! {
    /// Where a participant is.
    Presence {
        /// Is to call, is called, or has not answered.
        Invited = "invited",
        /// Takes part.
        Joined = "joined",
        /// Has hung up.
        Left = "left",
        /// Was removed.
        Removed = "removed",
    }
}

impl Presence {
    /// Whether such a one has a place in the conference.
    #[must_use]
    pub const fn counts(self) -> bool {
        matches!(self, Self::Invited | Self::Joined)
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

/// What is done to a participant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Control {
    /// The others do not hear it any more.
    Mute,
    /// They do again.
    Unmute,
    /// It hears music only, and is not heard.
    Hold,
    /// It takes part again.
    Resume,
    /// Its call is ended; it may call again.
    Disconnect,
}

impl Control {
    /// The word for what was done.
    #[must_use]
    pub const fn done(self) -> &'static str {
        match self {
            Self::Mute => "muted",
            Self::Unmute => "unmuted",
            Self::Hold => "held",
            Self::Resume => "resumed",
            Self::Disconnect => "disconnected",
        }
    }
}

impl Participant {
    /// What becomes of it, at an instant.
    ///
    /// # Errors
    /// `invalid_transition` for somebody who is gone, is so already, or does not take part yet.
    pub fn controlled(mut self, control: Control, now: Timestamp) -> Result<Self> {
        let joined = self.presence == Presence::Joined;
        let refused = |state: &'static str| Err(Error::invalid_transition("participant", state, control.done()));
        match control {
            Control::Mute | Control::Unmute if !self.presence.counts() => return refused(self.presence.as_str()),
            Control::Mute if self.muted => return refused("muted"),
            Control::Unmute if !self.muted => return refused("not muted"),
            Control::Mute | Control::Unmute => self.muted = control == Control::Mute,
            Control::Disconnect if self.presence == Presence::Invited && self.call.is_some() => self.leave(Presence::Left, now),
            Control::Hold | Control::Resume | Control::Disconnect if !joined => return refused(self.presence.as_str()),
            Control::Hold if self.on_hold => return refused("on hold"),
            Control::Resume if !self.on_hold => return refused("not on hold"),
            Control::Hold | Control::Resume => self.on_hold = control == Control::Hold,
            Control::Disconnect => self.leave(Presence::Left, now),
        }
        Ok(self)
    }

    /// Takes part no more.
    pub const fn leave(&mut self, presence: Presence, now: Timestamp) {
        self.presence = presence;
        self.on_hold = false;
        self.left_at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn participant(presence: Presence, muted: bool, on_hold: bool) -> Participant {
        Participant {
            id: ParticipantId::from_bytes([1; 16]),
            conference: ConferenceId::from_bytes([2; 16]),
            phone: None,
            name: None,
            role: Role::Listener,
            presence,
            muted,
            on_hold,
            call: None,
            added_at: Timestamp::default(),
            joined_at: None,
            left_at: None,
        }
    }

    #[test]
    fn what_is_so_already_or_gone_is_refused() {
        use Control::{Disconnect, Hold, Mute, Resume, Unmute};
        let allowed = |presence, muted, on_hold| -> Vec<Control> {
            let one = participant(presence, muted, on_hold);
            let all = [Mute, Unmute, Hold, Resume, Disconnect].into_iter();
            all.filter(|control| one.clone().controlled(*control, Timestamp::default()).is_ok()).collect()
        };
        assert_eq!(allowed(Presence::Joined, false, false), [Mute, Hold, Disconnect]);
        assert_eq!(allowed(Presence::Joined, true, true), [Unmute, Resume, Disconnect]);
        assert_eq!(allowed(Presence::Invited, false, false), [Mute]);
        assert_eq!(allowed(Presence::Left, true, false), []);
        assert_eq!(allowed(Presence::Removed, false, false), []);
        let called = Participant { call: Some(CallId::from_bytes([3; 16])), ..participant(Presence::Invited, false, false) };
        let gone = called.controlled(Disconnect, Timestamp::from_micros(5)).expect("it is being called");
        assert_eq!((gone.presence, gone.left_at), (Presence::Left, Some(Timestamp::from_micros(5))));
    }
}
