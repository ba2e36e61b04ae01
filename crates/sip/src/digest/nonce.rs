//! Nonces that are remembered only once they are used.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use ring::hmac;
use tandem_kernel::{Clock, Rng};

/// What a nonce that was shown to us is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Worth {
    /// It is ours and young.
    Good,
    /// It is ours and too old, or its counter cannot be checked any more: the client tries again with a new one.
    Stale,
    /// Its counter was used already.
    Replayed,
    /// It is not ours.
    Foreign,
}

/// Used nonces in two generations: what is kept is bounded by time and by number.
#[derive(Debug, Default)]
struct Used {
    young: HashMap<[u8; 16], Counts>,
    old: HashMap<[u8; 16], Counts>,
    turned: u64,
}

/// Which counters a nonce was used with: the highest and, as a bit each, the 64 below it, since datagrams overtake each other.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    highest: u32,
    below: u64,
}

impl Counts {
    fn take(&mut self, count: u32) -> bool {
        if count > self.highest {
            let step = count - self.highest;
            self.below = if step >= 64 { 0 } else { (self.below << step) | (1 << (step - 1)) };
            self.highest = count;
            return true;
        }
        let back = self.highest - count;
        let bit = match back {
            1..=64 => 1_u64 << (back - 1),
            _ => return false,
        };
        let fresh = self.below & bit == 0;
        self.below |= bit;
        fresh
    }
}

/// Makes nonces and knows its own again: an HMAC over a time and a number, so nothing is remembered of what was merely handed out.
pub(crate) struct Nonces {
    key: hmac::Key,
    life: u64,
    clock: Arc<dyn Clock>,
    used: Mutex<Used>,
}

/// The most nonces that are remembered in a generation.
const ROOM: usize = 65_536;

impl Nonces {
    pub fn new(key: [u8; 32], life: Duration, clock: Arc<dyn Clock>) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        Self { key, life: u64::try_from(life.as_micros()).unwrap_or(u64::MAX), clock, used: Mutex::default() }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.clock.now().micros()).unwrap_or_default()
    }

    /// A nonce for one challenge.
    pub fn make(&self, rng: &dyn Rng) -> String {
        let mut body = [0; 16];
        rng.fill(&mut body);
        if let Some(time) = body.first_chunk_mut::<8>() {
            *time = self.now().to_be_bytes();
        }
        self.sealed(body)
    }

    fn sealed(&self, body: [u8; 16]) -> String {
        let tag = hmac::sign(&self.key, &body);
        let mut whole = body.to_vec();
        whole.extend_from_slice(tag.as_ref().get(..16).unwrap_or_default());
        BASE64.encode(whole)
    }

    /// What a nonce is worth, without using it.
    pub fn look(&self, nonce: &str) -> Worth {
        let Some(body) = body(nonce) else { return Worth::Foreign };
        if !bool::from(subtle::ConstantTimeEq::ct_eq(self.sealed(body).as_bytes(), nonce.as_bytes())) {
            return Worth::Foreign;
        }
        let age = self.now().saturating_sub(made(body));
        if age >= self.life { Worth::Stale } else { Worth::Good }
    }

    /// Uses a nonce once with a counter, after everything else about the answer was right.
    pub fn take(&self, nonce: &str, count: u32) -> Worth {
        let Some(body) = body(nonce) else { return Worth::Foreign };
        let now = self.now();
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_sub(used.turned) > self.life {
            used.turned = now;
            used.old = std::mem::take(&mut used.young);
        }
        if let Some(counts) = used.old.remove(&body) {
            used.young.insert(body, counts);
        }
        if used.young.len() >= ROOM && !used.young.contains_key(&body) {
            // No room to check it: the client is asked to come again with a nonce of a later time.
            return Worth::Stale;
        }
        if used.young.entry(body).or_default().take(count) { Worth::Good } else { Worth::Replayed }
    }
}

fn body(nonce: &str) -> Option<[u8; 16]> {
    let whole = BASE64.decode(nonce).ok().filter(|whole| whole.len() == 32)?;
    whole.first_chunk::<16>().copied()
}

fn made(body: [u8; 16]) -> u64 {
    body.first_chunk::<8>().map_or(0, |time| u64::from_be_bytes(*time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_counter_counts_once_in_any_order() {
        let mut counts = Counts::default();
        let taken: Vec<_> = [1, 3, 2, 2, 3, 0xff, 0x100, 4].into_iter().map(|count| counts.take(count)).collect();
        assert_eq!(taken, [true, true, true, false, false, true, true, false]);
    }

    #[test]
    fn a_nonce_is_known_again_and_a_made_up_one_is_not() {
        let nonces = Nonces::new([7; 32], Duration::from_secs(60), Arc::new(tandem_kernel::SystemClock));
        let nonce = nonces.make(&tandem_kernel::OsRng);
        assert_eq!(nonces.look(&nonce), Worth::Good);
        assert_eq!(nonces.look(&nonce.replace(nonce.chars().next().expect("a letter"), "_")), Worth::Foreign);
        assert_eq!((nonces.take(&nonce, 1), nonces.take(&nonce, 1)), (Worth::Good, Worth::Replayed));
    }
}
