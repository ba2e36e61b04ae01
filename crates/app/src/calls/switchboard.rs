//! The port to whoever carries calls.

use std::sync::Arc;

use async_trait::async_trait;
use tandem_catalogue::{Error, Result};
use tandem_domain::{
    call::{Live, Reason, money::Grant},
    routing::{Otherwise, Plan, TRUNKS_AFTER, Treatment},
    verification::{Dictation, Locale},
};
use tandem_kernel::{CallId, ConferenceId, ParticipantId};

use super::Recorded;
use crate::App;

/// A call that was begun here and is to be carried: whom it rings, and what whoever answers is connected to.
#[derive(Debug)]
pub struct MadeCall {
    /// The call.
    pub live: Live,
    /// What is paid for.
    pub grant: Grant,
    /// Whom it rings.
    pub plan: Plan,
    /// What follows when somebody answers.
    pub then: Then,
}

/// What whoever answers a call of ours is connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Then {
    /// What they hear first: the text, its language, and how often it is said.
    pub say: Option<Spoken>,
    /// What follows.
    pub next: Next,
}

/// What is spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// The text.
    pub text: String,
    /// Its language as a tag of BCP 47.
    pub language: String,
    /// How often it is said.
    pub times: u32,
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// They are led there.
    Lead(Treatment, Otherwise),
    /// They take part in a conference to which they were invited.
    Join(ConferenceId, ParticipantId),
    /// They hear music until an order says what follows.
    Wait,
    /// They hear a code, and the call ends.
    Dictate(Dictation),
    /// The call ends.
    End,
}

/// What a call that goes on is told.
#[derive(Clone, Debug)]
pub enum Order {
    /// It ends.
    End(Reason),
    /// Its parties hear music: this (a WAV file), or ours.
    Hold(Option<Arc<[u8]>>),
    /// They are joined again.
    Unhold,
    /// Somebody else takes the place of the account's side.
    Transfer(Transfer),
    /// Its recording begins, waits, goes on or ends.
    Record(RecordOrder),
}

/// Where a call goes instead.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// What is done with the party that stays.
    pub to: Treatment,
    /// What is done where nobody takes it.
    pub otherwise: Otherwise,
    /// Whether the account's side speaks with them first, and hangs up to join the two.
    pub attended: bool,
    /// Whether the other party hears music meanwhile.
    pub holds: bool,
}

/// What becomes of a call's recording.
#[derive(Clone, Debug)]
pub enum RecordOrder {
    /// It begins.
    Start {
        /// `wav` or `opus`.
        format: String,
        /// `all`, `caller` or `callee`.
        participant: String,
    },
    /// It ends.
    Stop,
    /// It waits.
    Pause,
    /// It goes on.
    Resume,
}

/// What came of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obeyed {
    /// It was done.
    Done,
    /// It was, with this recording.
    Recording(Recorded),
}

/// Whoever carries calls.
#[async_trait]
pub trait Switchboard: Send + Sync {
    /// Carries a call that was begun. Whatever becomes of it, it is finished in the store.
    async fn carry(&self, made: MadeCall);

    /// Whether codes can be said in a language.
    async fn speaks(&self, locale: Locale) -> bool;

    /// Whether it carries a call, or is about to, or writes down its end.
    fn carries(&self, _call: CallId) -> bool {
        true
    }

    /// How much of what calls need is in use, by name: for metrics.
    fn load(&self) -> Vec<(&'static str, usize)> {
        Vec::new()
    }

    /// Gives an order to a call that is carried here.
    ///
    /// # Errors
    /// `call_over` for one that is not, and what stands against the order.
    async fn order(&self, call: CallId, order: Order) -> Result<Obeyed>;
}

/// The switchboard, where there is one.
pub(super) fn switchboard(app: &App, to: impl FnOnce() -> String) -> Result<Arc<dyn Switchboard>> {
    app.switchboard.get().cloned().ok_or_else(|| Error::trunks_unavailable(to(), TRUNKS_AFTER))
}
