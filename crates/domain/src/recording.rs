//! Recordings of calls and conferences, and messages that callers left.

use tandem_kernel::{CallId, ConferenceId, EnvironmentId, PhoneNumber, RecordingId, Timestamp};

use crate::words::words;

words! {
    /// What was recorded.
    RecordingKind {
        /// A call.
        Call = "call",
        /// A conference.
        Conference = "conference",
        /// A message that a caller left.
        Voicemail = "voicemail",
    }
}

words! {
    /// Where a recording is in its life.
    RecordingState {
        /// It is being made.
        Recording = "recording",
        /// It waits.
        Paused = "paused",
        /// It is over, and on its way to the object store.
        Processing = "processing",
        /// It is whole.
        Completed = "completed",
        /// It came to nothing.
        Failed = "failed",
    }
}

/// A recording. What was said is in the object store, under `object`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recording {
    /// Its id.
    pub id: RecordingId,
    /// Whose it is.
    pub environment: EnvironmentId,
    /// What was recorded.
    pub kind: RecordingKind,
    /// Which call.
    pub call: Option<CallId>,
    /// Which conference.
    pub conference: Option<ConferenceId>,
    /// The number for which a message was left.
    pub number: Option<PhoneNumber>,
    /// Who left it.
    pub from: Option<PhoneNumber>,
    /// Its owner's name for it.
    pub name: Option<String>,
    /// Where it is in its life.
    pub state: RecordingState,
    /// `wav`, `mp3` or `opus`.
    pub format: String,
    /// `all`, `caller` or `callee`.
    pub participant: String,
    /// The key of its bytes in the object store.
    pub object: String,
    /// Bytes.
    pub size: i64,
    /// Milliseconds.
    pub length: i64,
    /// When it began, by the environment's clock.
    pub started_at: Timestamp,
    /// When it ended.
    pub stopped_at: Option<Timestamp>,
    /// When it is deleted, by the environment's clock; never if none.
    pub delete_at: Option<Timestamp>,
    /// The folder in which its file is, until the object store has it.
    pub spool: Option<[u8; 16]>,
    /// When somebody marked it as heard.
    pub heard_at: Option<Timestamp>,
    /// Grows with each change.
    pub version: i64,
}

impl RecordingState {
    /// Whether nothing becomes of it any more.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }
}

impl Recording {
    /// Whole seconds, rounded up.
    #[must_use]
    pub const fn seconds(&self) -> i64 {
        (self.length + 999) / 1_000
    }
}
