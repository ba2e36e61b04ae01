//! Whose packets are ours: symmetric RTP (RFC 4961) with a lock, so that nobody who guesses a port can speak into a call or have its
//! sound sent to himself.
//!
//! - Until a packet has come, we send to the address of the description.
//! - The first packet that could be of this call (of the description's address family, with a payload type that was agreed on, or with
//!   a good authentication tag) decides: its source is the far end, and we send there. A telephone behind a translator of addresses
//!   names an address in its description that nobody can reach.
//! - Within the first second, packets from exactly the address of the description win over a source that was learned.
//! - Later, another source is refused and counted, unless the locked one has been silent for two seconds and the other has sent five
//!   packets: a telephone that changed its network. A source whose packets are authenticated (SRTP) needs neither.
//! - A new description (a re-INVITE) with another address begins anew.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

/// How long the description's own address may still take over.
const LEARNING: Duration = Duration::from_secs(1);
/// How long the far end is silent before another may take its place.
const SILENCE: Duration = Duration::from_secs(2);
/// Packets that the other has to send.
const PERSISTENT: u8 = 5;

/// The lock of one stream.
#[derive(Clone, Copy, Debug, Default)]
pub struct Source {
    told: Option<SocketAddr>,
    v6: bool,
    locked: Option<Locked>,
    rival: Option<(SocketAddr, u8)>,
    refused: u64,
}

#[derive(Clone, Copy, Debug)]
struct Locked {
    address: SocketAddr,
    since: Instant,
    heard: Instant,
}

impl Source {
    /// What the description says. Whether that is a new beginning.
    pub fn describe(&mut self, told: Option<SocketAddr>, v6: bool) -> bool {
        let anew = (self.told, self.v6) != (told, v6) && told.is_some();
        if anew {
            (self.locked, self.rival) = (None, None);
        }
        (self.told, self.v6) = (told.or(self.told), v6);
        anew
    }

    /// Whether a packet that could be of this call is taken.
    pub fn take(&mut self, from: SocketAddr, authenticated: bool, now: Instant) -> bool {
        if from.is_ipv6() != self.v6 || from.port() == 0 {
            self.refused += 1;
            return false;
        }
        let fresh = Locked { address: from, since: now, heard: now };
        let Some(locked) = &mut self.locked else {
            self.locked = Some(fresh);
            return true;
        };
        if locked.address == from {
            locked.heard = now;
            self.rival = None;
            return true;
        }
        let named = self.told == Some(from) && now.saturating_duration_since(locked.since) < LEARNING;
        let silent = now.saturating_duration_since(locked.heard) >= SILENCE;
        let sent = match self.rival {
            Some((rival, sent)) if rival == from => sent.saturating_add(1),
            _ => 1,
        };
        self.rival = Some((from, sent));
        if named || authenticated || (silent && sent >= PERSISTENT) {
            (self.locked, self.rival) = (Some(fresh), None);
            return true;
        }
        self.refused += 1;
        false
    }

    /// Where we send: to the source that is locked, or to what the description says.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.locked.map(|locked| locked.address).or(self.told)
    }

    /// Whether a packet has decided.
    #[must_use]
    pub const fn is_locked(&self) -> bool {
        self.locked.is_some()
    }

    /// Packets of others.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    fn after(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    #[test]
    fn the_first_source_is_the_far_end_and_others_are_refused() {
        let (mut source, start) = (Source::default(), Instant::now());
        source.describe(Some(at(1)), false);
        assert_eq!(source.address(), Some(at(1)));
        assert!(source.take(at(2), false, start));
        assert_eq!(source.address(), Some(at(2)));
        assert!(!source.take(at(3), false, after(start, 20)));
        assert!(!source.take("[2001:db8::1]:2".parse().unwrap(), false, start));
        assert_eq!(source.refused(), 2);
    }

    #[test]
    fn the_described_address_wins_in_the_first_second() {
        let start = Instant::now();
        for (millis, wins) in [(900, true), (1100, false)] {
            let mut source = Source::default();
            source.describe(Some(at(1)), false);
            source.take(at(2), false, start);
            assert_eq!(source.take(at(1), false, after(start, millis)), wins);
        }
    }

    #[test]
    fn another_takes_over_only_from_one_that_is_silent_or_with_a_key() {
        let (mut source, start) = (Source::default(), Instant::now());
        source.describe(Some(at(1)), false);
        source.take(at(1), false, start);
        assert!((0..20).all(|n| !source.take(at(2), false, after(start, n * 20))));
        source.take(at(1), false, after(start, 500));
        let late = |n: u64| after(start, 2600 + n * 20);
        let taken: Vec<bool> = (0..6).map(|n| source.take(at(2), false, late(n))).collect();
        assert_eq!(taken, [false, false, false, false, true, true]);
        assert!(source.take(at(3), true, late(7)));
    }

    #[test]
    fn a_new_description_begins_anew_and_the_same_does_not() {
        let (mut source, start) = (Source::default(), Instant::now());
        source.describe(Some(at(1)), false);
        source.take(at(2), false, start);
        assert!(!source.describe(Some(at(1)), false));
        assert!(!source.describe(None, false));
        assert!(source.is_locked());
        assert!(source.describe(Some(at(9)), false));
        assert_eq!(source.address(), Some(at(9)));
    }
}
