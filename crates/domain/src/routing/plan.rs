//! What is to be done with a call.

use serde_json::{Value, json};
use tandem_kernel::{ConferenceId, DeviceId, MenuId, PhoneNumber, RecordingId, TrunkId};

use crate::{call::Reason, config::Recording};

/// Seconds of a ring with the pause behind it.
pub const RING: i64 = 6;
/// Seconds that a target rings where nothing else is said.
pub const USUAL_RINGING: i64 = 30;
/// Seconds that a device rings at the least before its call goes on.
pub const SHORTEST_RINGING: i64 = 5;

/// What is to be done with a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Who is asked first what is to be done. What it answers stands in place of the rest; the rest is for when it does not.
    pub ask: Option<String>,
    /// What is done.
    pub begin: Treatment,
    /// What is done when that came to nothing.
    pub otherwise: Otherwise,
    /// Whether and how it is recorded.
    pub recording: Option<Recording>,
}

/// What is done with a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Treatment {
    /// Telephones are rung, one stage after the other.
    Ring(Vec<Stage>),
    /// A menu asks the caller.
    Menu(MenuId),
    /// The caller joins a conference.
    Conference(ConferenceId),
    /// A recording is played; then the call ends.
    Announcement(RecordingId),
    /// The caller may leave a message.
    Voicemail,
    /// It is refused: only somebody who is asked first could have it taken.
    Refuse(Reason),
}

/// What is done when nobody took a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Otherwise {
    /// The caller may leave a message.
    Voicemail,
    /// It ends, with the reason that the last attempt gave, or this one where there was none.
    End(Reason),
}

/// Telephones that ring at the same time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stage {
    /// Whom.
    pub attempts: Vec<Attempt>,
    /// For how long, in seconds.
    pub ring_seconds: i64,
}

/// One telephone that is rung.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// Whom.
    pub target: Target,
    /// The number that is shown as the caller's; none for a caller who hides it.
    pub caller_id: Option<PhoneNumber>,
    /// The number that sent the call on, where one did.
    pub diverted_by: Option<PhoneNumber>,
}

/// Whom a call is offered to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// A device, at each of its contacts.
    Device(DeviceId),
    /// A number outside, through the first of these trunks that takes the call.
    Trunks {
        /// The number.
        number: PhoneNumber,
        /// The trunks, each with what it is to be given.
        trunks: Vec<(TrunkId, String)>,
    },
    /// A number of this installation's, whose own configuration decides.
    Internal(PhoneNumber),
    /// A handset of the pocket network.
    Pocket(PhoneNumber),
}

impl Target {
    /// The number that is called, where it is one.
    #[must_use]
    pub const fn number(&self) -> Option<PhoneNumber> {
        match self {
            Self::Device(_) => None,
            Self::Trunks { number, .. } | Self::Internal(number) | Self::Pocket(number) => Some(*number),
        }
    }

    /// The word for its kind.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Device(_) => "device",
            Self::Trunks { .. } => "trunk",
            Self::Internal(_) => "internal",
            Self::Pocket(_) => "pocket",
        }
    }
}

impl Treatment {
    /// The word for its kind.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Ring(_) => "ring",
            Self::Menu(_) => "menu",
            Self::Conference(_) => "conference",
            Self::Announcement(_) => "announcement",
            Self::Voicemail => "voicemail",
            Self::Refuse(_) => "refuse",
        }
    }

    /// The menu, conference or recording that it names.
    #[must_use]
    pub fn target(&self) -> Option<String> {
        match self {
            Self::Menu(id) => Some(id.to_string()),
            Self::Conference(id) => Some(id.to_string()),
            Self::Announcement(id) => Some(id.to_string()),
            Self::Ring(_) | Self::Voicemail | Self::Refuse(_) => None,
        }
    }

    /// The telephones that ring, one stage after the other.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        if let Self::Ring(stages) = self { stages } else { &[] }
    }

    /// The numbers outside that it may call, each of which has its price.
    pub fn outside(&self) -> impl Iterator<Item = PhoneNumber> {
        let targets = self.stages().iter().flat_map(|stage| &stage.attempts).map(|attempt| &attempt.target);
        targets.filter(|target| !matches!(target, Target::Internal(_))).filter_map(Target::number)
    }
}

impl Plan {
    /// `voicemail`, or why the call ends when nobody took it.
    #[must_use]
    pub fn otherwise(&self) -> &'static str {
        match (&self.begin, &self.otherwise) {
            (Treatment::Refuse(reason), _) | (_, Otherwise::End(reason)) => reason.as_str(),
            (_, Otherwise::Voicemail) => "voicemail",
        }
    }

    /// The plan as its owner's webhook is told of it.
    #[must_use]
    pub fn told(&self) -> Value {
        let attempt = |attempt: &Attempt| {
            let device = if let Target::Device(id) = &attempt.target { Some(id.to_string()) } else { None };
            json!({ "number": attempt.target.number().map(|number| number.to_string()), "device_id": device })
        };
        let stage = |stage: &Stage| {
            let attempts: Vec<Value> = stage.attempts.iter().map(attempt).collect();
            json!({ "ring_seconds": stage.ring_seconds, "attempts": attempts })
        };
        json!({
            "treatment": self.begin.kind(),
            "target": self.begin.target(),
            "stages": self.begin.stages().iter().map(stage).collect::<Vec<_>>(),
            "otherwise": self.otherwise(),
            "recorded": self.recording.is_some(),
        })
    }
}
