//! The port to whoever holds the binds, and to the pocket network.

use tandem_kernel::{EnvironmentId, SmscId, Timestamp};

use crate::magic::MagicNumbers;

/// A bind as it is now, in this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindStatus {
    /// Whose bind.
    pub smsc: SmscId,
    /// `connecting`, `bound`, `waiting` or `ended`.
    pub state: &'static str,
    /// Submits whose answers are outstanding.
    pub in_flight: u64,
    /// Submits that were sent.
    pub submitted: u64,
    /// Parts that were taken.
    pub accepted: u64,
    /// Parts that were refused for good.
    pub refused: u64,
    /// Answers that asked for a slower pace.
    pub throttled: u64,
    /// Submits whose answers were lost.
    pub lost: u64,
    /// Receipts.
    pub receipts: u64,
    /// Messages that came in, parts counted.
    pub incoming: u64,
    /// Connections that were bound.
    pub binds: u64,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// A message that a handset of the pocket network received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PocketMessage {
    /// From whom.
    pub from: String,
    /// The whole text.
    pub text: String,
    /// Of how many parts it was put together.
    pub parts: u64,
    /// When, by the machine's clock.
    pub at: Timestamp,
}

/// Whoever holds the binds, and the pocket network's SMSC.
pub trait Network: Send + Sync {
    /// The binds of this process.
    fn binds(&self) -> Vec<BindStatus>;

    /// SMSCs or fault rules were changed: they are to be read again.
    fn changed(&self);

    /// What a handset received, the oldest first.
    fn received(&self, environment: EnvironmentId, number: &str) -> Vec<PocketMessage>;

    /// A handset sends a message; false where there is no room for it.
    fn send(&self, environment: EnvironmentId, from: &str, to: &str, text: &str) -> bool;

    /// The recipients that make the simulated SMSC behave in a certain way.
    fn magic_numbers(&self) -> Vec<MagicNumbers>;
}
