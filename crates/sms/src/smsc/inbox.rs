//! What the handsets of the pocket network received: in memory, and only so much.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use tandem_kernel::Timestamp;

use crate::wire::{Short, Stitched, Stitcher, alphabet};

/// Messages that one number keeps.
const PER_NUMBER: usize = 100;
/// Numbers that are kept; the one that was first is forgotten first.
const NUMBERS: usize = 20_000;
const UNFINISHED: usize = 10_000;
const PATIENCE: Duration = Duration::from_secs(600);

/// Whose handset: the environment, if our own bind named one, and the number.
pub type Handset = (Option<[u8; 16]>, String);

/// A message that a handset received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// From whom.
    pub from: String,
    /// The whole text.
    pub text: String,
    /// Of how many parts it was put together.
    pub parts: usize,
    /// When, by the machine's clock.
    pub at: Timestamp,
}

/// The handsets.
#[derive(Debug)]
pub struct Inbox {
    kept: HashMap<Handset, VecDeque<Received>>,
    order: VecDeque<Handset>,
    unfinished: Stitcher<(Handset, String), (u8, Vec<u8>)>,
}

impl Default for Inbox {
    fn default() -> Self {
        Self { kept: HashMap::new(), order: VecDeque::new(), unfinished: Stitcher::new(UNFINISHED, PATIENCE) }
    }
}

impl Inbox {
    /// A message or a part of one arrives.
    pub fn receive(&mut self, short: &Short, at: Timestamp, now: Instant) {
        let handset = (short.vendor_environment, digits(&short.to.text));
        let part = (short.data_coding, short.text.clone());
        let parts = match short.place {
            None => vec![part],
            Some(place) => {
                let whose = (handset.clone(), short.from.text.clone());
                match self.unfinished.add(whose, place, part, now, drop) {
                    Stitched::Whole(parts) => parts,
                    Stitched::Waiting | Stitched::Known => return,
                }
            }
        };
        // Characters are never cut by a boundary between parts, but the octets of one alphabet are read together all the same.
        let coding = parts.first().map_or(alphabet::GSM, |(coding, _)| *coding);
        let count = parts.len();
        let octets: Vec<u8> = parts.into_iter().flat_map(|(_, octets)| octets).collect();
        let text = alphabet::read(coding, &octets);
        self.keep(handset, Received { from: short.from.text.clone(), text, parts: count, at });
    }

    fn keep(&mut self, handset: Handset, received: Received) {
        if !self.kept.contains_key(&handset) {
            if self.order.len() >= NUMBERS
                && let Some(oldest) = self.order.pop_front()
            {
                self.kept.remove(&oldest);
            }
            self.order.push_back(handset.clone());
        }
        let messages = self.kept.entry(handset).or_default();
        if messages.len() == PER_NUMBER {
            messages.pop_front();
        }
        messages.push_back(received);
    }

    /// What a handset has, the oldest first.
    #[must_use]
    pub fn messages(&self, handset: &Handset) -> Vec<Received> {
        self.kept.get(handset).map(|messages| messages.iter().cloned().collect()).unwrap_or_default()
    }
}

/// An address without the `+` that some write.
#[must_use]
pub fn digits(address: &str) -> String {
    address.strip_prefix('+').unwrap_or(address).to_owned()
}
