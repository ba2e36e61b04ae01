//! What becomes of the parts of a message, and what that makes of the message.

use super::MessageState;

/// What is known of a part.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PartState {
    /// It certainly was not submitted.
    Unsent,
    /// The SMSC took it; nothing else is known.
    Accepted,
    /// The SMSC refused it.
    Refused,
    /// It is on the handset.
    Delivered,
    /// It cannot be delivered.
    Undelivered,
    /// The SMSC gave it up.
    Expired,
    /// The SMSC rejected it after it had taken it.
    Rejected,
    /// Somebody took it out of the SMSC.
    Deleted,
    /// It may have been submitted, and nobody can tell any more.
    Lost,
}

impl PartState {
    const ALL: [Self; 9] = [
        Self::Unsent,
        Self::Accepted,
        Self::Refused,
        Self::Delivered,
        Self::Undelivered,
        Self::Expired,
        Self::Rejected,
        Self::Deleted,
        Self::Lost,
    ];

    /// The word that stores and pages use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unsent => "unsent",
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Delivered => "delivered",
            Self::Undelivered => "undelivered",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
            Self::Deleted => "deleted",
            Self::Lost => "lost",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether the SMSC took it.
    #[must_use]
    pub const fn was_taken(self) -> bool {
        !matches!(self, Self::Unsent | Self::Refused | Self::Lost)
    }

    /// Whether a receipt said that it will not arrive.
    #[must_use]
    pub const fn has_failed(self) -> bool {
        matches!(self, Self::Undelivered | Self::Expired | Self::Rejected | Self::Deleted)
    }
}

/// What a message becomes next by what is known of its parts, of which it has `total`; `None` where it stays what it is.
#[must_use]
pub fn next(state: MessageState, total: u8, known: &[PartState]) -> Option<MessageState> {
    let all_known = known.len() == usize::from(total);
    match state {
        MessageState::Queued | MessageState::Sending => {
            if known.contains(&PartState::Refused) {
                Some(MessageState::Failed)
            } else if all_known && known.iter().all(|part| part.was_taken()) {
                Some(MessageState::Sent)
            } else if all_known && known.contains(&PartState::Lost) {
                Some(MessageState::Expired)
            } else {
                (all_known && state == MessageState::Sending).then_some(MessageState::Queued)
            }
        }
        MessageState::Sent => match known.iter().find(|part| part.has_failed()) {
            Some(PartState::Expired) => Some(MessageState::Expired),
            Some(_) => Some(MessageState::Undelivered),
            None => (all_known && known.iter().all(|part| *part == PartState::Delivered)).then_some(MessageState::Delivered),
        },
        MessageState::Scheduled
        | MessageState::Delivered
        | MessageState::Undelivered
        | MessageState::Expired
        | MessageState::Failed
        | MessageState::Received => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_message_is_what_its_parts_make_it() {
        use MessageState::{Delivered, Expired, Failed, Queued, Sending, Sent, Undelivered};
        use PartState as P;
        let cases: [(MessageState, u8, &[P], Option<MessageState>); 19] = [
            (Sending, 1, &[], None),
            (Sending, 1, &[P::Accepted], Some(Sent)),
            (Sending, 1, &[P::Refused], Some(Failed)),
            (Sending, 1, &[P::Unsent], Some(Queued)),
            (Queued, 1, &[P::Unsent], None),
            (Sending, 2, &[P::Accepted], None),
            (Sending, 1, &[P::Lost], Some(Expired)),
            (Sending, 2, &[P::Lost], None),
            (Sending, 2, &[P::Accepted, P::Lost], Some(Expired)),
            (Sending, 2, &[P::Unsent, P::Lost], Some(Expired)),
            (Sending, 2, &[P::Refused, P::Lost], Some(Failed)),
            (Sending, 2, &[P::Accepted, P::Unsent], Some(Queued)),
            (Sending, 2, &[P::Delivered, P::Refused], Some(Failed)),
            (Sending, 2, &[P::Undelivered, P::Accepted], Some(Sent)),
            (Sent, 2, &[P::Undelivered, P::Accepted], Some(Undelivered)),
            (Sent, 2, &[P::Delivered, P::Accepted], None),
            (Sent, 2, &[P::Delivered, P::Delivered], Some(Delivered)),
            (Sent, 1, &[P::Expired], Some(Expired)),
            (Delivered, 1, &[P::Undelivered], None),
        ];
        for (state, total, parts, expected) in cases {
            assert_eq!(next(state, total, parts), expected, "{state:?} {parts:?}");
        }
    }

    proptest! {
        #[test]
        fn every_message_comes_to_rest(parts in prop::collection::vec(prop::sample::select(PartState::ALL.to_vec()), 0..5), total in 1_u8..5) {
            let parts = parts.get(..usize::from(total).min(parts.len())).expect("a beginning").to_vec();
            for mut state in MessageState::ALL {
                let mut steps = 0;
                while let Some(after) = next(state, total, &parts) {
                    prop_assert!(!state.is_terminal() && after != state);
                    state = after;
                    steps += 1;
                    prop_assert!(steps < 4);
                }
            }
        }
    }
}
