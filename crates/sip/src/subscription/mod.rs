//! What waits in a mailbox, told to telephones: to those that asked for it (RFC 6665), and to those that did not (RFC 3842).

mod notifier;
mod subscriber;

pub use subscriber::{Subscribe, Subscription, SubscriptionEvent};

pub(crate) use notifier::{Subscriptions, subscribe, tell};
pub(crate) use subscriber::begin;

use rsipstack::sip::Headers;

use crate::message::field;

/// The event package.
pub(crate) const PACKAGE: &str = "message-summary";
const KIND: &str = "application/simple-message-summary";

/// How many messages wait (RFC 3842 section 5).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Whose mailbox it is: a URI.
    pub account: Option<String>,
    /// Messages that nobody heard.
    pub new: u32,
    /// The others.
    pub old: u32,
}

impl Summary {
    fn body(&self) -> (String, Vec<u8>) {
        let Self { account, new, old } = self;
        let waiting = if *new > 0 { "yes" } else { "no" };
        let account = account.as_ref().map(|account| format!("Message-Account: {account}\r\n")).unwrap_or_default();
        let text = format!("Messages-Waiting: {waiting}\r\n{account}Voice-Message: {new}/{old} (0/0)\r\n");
        (KIND.to_owned(), text.into_bytes())
    }

    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let named = |name: &str| {
            let mut lines = text.lines().filter_map(|line| line.split_once(':'));
            lines.find(|(found, _)| found.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
        };
        let waiting = named("Messages-Waiting")?.eq_ignore_ascii_case("yes");
        let counts = named("Voice-Message").and_then(|value| value.split(' ').next()?.split_once('/'));
        let (new, old) = counts.and_then(|(new, old)| Some((new.parse().ok()?, old.parse().ok()?))).unwrap_or((waiting.into(), 0));
        Some(Self { account: named("Message-Account").map(str::to_owned), new, old })
    }
}

/// The `Event` field, where it is ours.
pub(crate) fn event(headers: &Headers) -> Option<&str> {
    let event = field(headers, "Event").or_else(|| field(headers, "o"))?;
    event.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(PACKAGE)).then_some(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_read_as_it_is_written() {
        for summary in [
            Summary::default(),
            Summary { account: Some("sip:+15550100@x".to_owned()), new: 2, old: 8 },
            Summary { account: None, new: 0, old: 3 },
        ] {
            let (_, body) = summary.body();
            assert_eq!(Summary::read(&body), Some(summary));
        }
        assert_eq!(Summary::read(b"Messages-Waiting: yes\r\n").map(|summary| summary.new), Some(1));
        assert_eq!(Summary::read(b"hello"), None);
    }
}
