//! An event on its way to a webhook.

use tandem_kernel::{AttemptId, DeliveryId, EnvironmentId, EventId, Timestamp, WebhookId};

use super::schedule::{Answer, Next, Schedule};

/// Where a delivery is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeliveryState {
    /// An earlier one about the same object has not ended.
    Waiting,
    /// It is to be tried when its time comes.
    Pending,
    /// It arrived.
    Delivered,
    /// It was given up.
    Failed,
    /// Nobody wants it any more: its webhook was deleted.
    Canceled,
}

impl DeliveryState {
    const ALL: [Self; 5] = [Self::Waiting, Self::Pending, Self::Delivered, Self::Failed, Self::Canceled];

    /// The word that stores and pages use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// An event on its way to a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// Where it goes.
    pub webhook: WebhookId,
    /// Whose it is.
    pub environment: EnvironmentId,
    /// What it tells of. Receivers know an event by it, however often it comes.
    pub event: EventId,
    /// What happened.
    pub kind: String,
    /// The object that it happened to: what happened to one object is told in order.
    pub object: String,
    /// Its place among the webhook's deliveries.
    pub place: i64,
    /// What it says, where there is no row of the event log that says it.
    pub payload: Option<String>,
    /// When it happened, by the environment's clock.
    pub at: Timestamp,
    /// Where it is.
    pub state: DeliveryState,
    /// When it is tried next, by the environment's clock.
    pub due_at: Timestamp,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was made, by the environment's clock.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// What an attempt changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Where the delivery is now.
    pub state: DeliveryState,
    /// When it is tried next.
    pub due_at: Timestamp,
    /// How often it was tried.
    pub attempts: i64,
    /// Whether the endpoint said that it is gone.
    pub gone: bool,
}

impl Delivery {
    /// What follows from the answer to one more attempt, made at `now`.
    #[must_use]
    pub fn after(&self, schedule: &Schedule, answer: Answer, chance: u64, now: Timestamp) -> Progress {
        let attempts = self.attempts + 1;
        let (state, due_at, gone) = match schedule.after(attempts, answer, chance) {
            Next::Delivered => (DeliveryState::Delivered, now, false),
            Next::Retry(seconds) => (DeliveryState::Pending, now.plus_seconds(seconds), false),
            Next::GiveUp => (DeliveryState::Failed, now, false),
            Next::Gone => (DeliveryState::Failed, now, true),
        };
        Progress { state, due_at, attempts, gone }
    }
}

/// One attempt to deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its id.
    pub id: AttemptId,
    /// Of what.
    pub delivery: DeliveryId,
    /// The first is 1.
    pub number: i64,
    /// Where it went.
    pub url: String,
    /// The headers that were sent: name and value.
    pub headers: Vec<(String, String)>,
    /// The answer's status; none where there was no answer.
    pub status: Option<u16>,
    /// The beginning of the answer's body.
    pub answer: String,
    /// What went wrong, in words.
    pub fault: Option<String>,
    /// How long it took, in microseconds.
    pub duration: i64,
    /// When it began, by the environment's clock.
    pub at: Timestamp,
}
