//! What keeps the stack's timers from being missed.
//!
//! The stack's clockwork looks which timer is the next, lets go of its lock, and waits until then. A timer that comes before that one and is set
//! in the moment between wakes nobody: it is seen when another is set, or when the one that was the next is due, which may be half a
//! minute later or never. An answer to an INVITE sets two in a row, so that it happens: on a busy machine to one in a thousand, whose answer
//! is then not sent again though nobody has acknowledged it.

use std::time::Duration;

use rsipstack::{
    sip::SipMessage,
    transaction::{
        TransactionTimer,
        endpoint::EndpointInnerRef,
        key::{TransactionKey, TransactionRole},
    },
};
use tokio_util::sync::CancellationToken;

/// How late a timer may be at the most.
const EVERY: Duration = Duration::from_millis(250);
/// When the timer would be due that is only set to wake the clockwork.
const NEVER: Duration = Duration::from_secs(86_400);
/// A request that nobody sends.
const NOBODY: &[u8] = b"OPTIONS sip:timers.invalid SIP/2.0\r\nVia: SIP/2.0/UDP timers.invalid;branch=z9hG4bKtimers\r\n\
From: <sip:timers@timers.invalid>;tag=timers\r\nTo: <sip:timers.invalid>\r\nCall-ID: timers\r\nCSeq: 1 OPTIONS\r\n\
Max-Forwards: 0\r\nContent-Length: 0\r\n\r\n";

/// Wakes the clockwork again and again: a timer that is not the first leaves word behind, whether somebody waits for it or not.
pub(crate) async fn wind(endpoint: EndpointInnerRef, stop: CancellationToken) {
    let Some(key) = key() else { return tracing::error!("the stack's timers are not looked after") };
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        let timer = endpoint.timers.timeout(NEVER, TransactionTimer::TimerCleanup(key.clone()));
        endpoint.timers.cancel(timer);
    }
}

fn key() -> Option<TransactionKey> {
    match SipMessage::try_from(NOBODY).ok()? {
        SipMessage::Request(request) => TransactionKey::from_request(&request, TransactionRole::Server).ok(),
        SipMessage::Response(_) => None,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn there_is_a_key_for_the_timer_that_wakes() {
        assert!(super::key().is_some());
    }
}
