//! The life of a message.

/// Where a message is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MessageState {
    /// Its time has not come yet. Its price is held.
    Scheduled,
    /// It waits for a bind. Its price is held.
    Queued,
    /// It was handed to a bind, whose answer is outstanding.
    Sending,
    /// The SMSC took every part. Its price is paid.
    Sent,
    /// It is on the handset. Terminal.
    Delivered,
    /// It will never be on the handset. Terminal.
    Undelivered,
    /// It was given up: too old in the queue, or no receipt within its validity. Terminal.
    Expired,
    /// It was refused before it was sent. Terminal.
    Failed,
    /// It came in. Terminal.
    Received,
}

impl MessageState {
    /// All states.
    pub const ALL: [Self; 9] = [
        Self::Scheduled,
        Self::Queued,
        Self::Sending,
        Self::Sent,
        Self::Delivered,
        Self::Undelivered,
        Self::Expired,
        Self::Failed,
        Self::Received,
    ];

    /// All states, for messages.
    pub const CHOICES: &'static str = "scheduled, queued, sending, sent, delivered, undelivered, expired, failed, received";

    /// The word that stores and pages use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Undelivered => "undelivered",
            Self::Expired => "expired",
            Self::Failed => "failed",
            Self::Received => "received",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether nothing will happen to it any more.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Scheduled | Self::Queued | Self::Sending | Self::Sent => false,
            Self::Delivered | Self::Undelivered | Self::Expired | Self::Failed | Self::Received => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_and_are_listed() {
        let words: Vec<_> = MessageState::ALL.iter().map(|state| state.as_str()).collect();
        assert_eq!(words.join(", "), MessageState::CHOICES);
        assert!(MessageState::ALL.iter().all(|state| MessageState::parse(state.as_str()) == Some(*state)));
    }
}
