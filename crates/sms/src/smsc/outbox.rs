//! What waits to be delivered to an application, whichever of its sessions takes it.

use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::Notify;

use super::Esme;
use crate::locked;
use crate::wire::Short;

/// Deliveries that wait for one application; submits are refused long before that many receipts are outstanding.
const MOST: usize = 500_000;
const NEARLY: usize = 400_000;

/// Something to deliver.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// What.
    pub short: Short,
    /// The message whose receipt depends on it.
    pub about: Option<u64>,
    /// How often it was refused.
    pub tries: u32,
}

impl Delivery {
    /// Something on which nothing depends.
    pub const fn message(short: Short) -> Self {
        Self { short, about: None, tries: 0 }
    }
}

/// An application and what waits for it.
pub struct System {
    esme: Esme,
    waiting: Mutex<VecDeque<Delivery>>,
    /// Rung when something waits.
    pub bell: Notify,
    sessions: AtomicUsize,
}

impl System {
    /// Nothing waits yet.
    pub fn new(esme: Esme) -> Self {
        Self { esme, waiting: Mutex::default(), bell: Notify::new(), sessions: AtomicUsize::new(0) }
    }

    /// Whether it is this application.
    pub fn is(&self, esme: &Esme) -> bool {
        self.esme.system_id == esme.system_id
    }

    /// Whether that is its password; takes as long whichever octet is wrong.
    pub fn accepts(&self, password: &str) -> bool {
        let (ours, theirs) = (self.esme.password.as_bytes(), password.as_bytes());
        let differing = ours.iter().zip(theirs).fold(0, |sum, (our, their)| sum | (our ^ their));
        differing == 0 && ours.len() == theirs.len()
    }

    /// Whether it claims a number.
    pub fn claims(&self, digits: &str) -> bool {
        self.esme.numbers.iter().any(|beginning| digits.starts_with(beginning.trim_start_matches('+')))
    }

    /// Counts a session more, where that leaves at most `most`.
    pub fn enter(&self, most: usize) -> bool {
        let entered = self.sessions.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| (count < most).then_some(count + 1));
        entered.is_ok()
    }

    /// Counts a session less.
    pub fn leave(&self) {
        self.sessions.fetch_sub(1, Ordering::SeqCst);
    }

    /// Queues a delivery; false where there is no room.
    pub fn push(&self, delivery: Delivery) -> bool {
        let mut waiting = locked(&self.waiting);
        if waiting.len() >= MOST {
            return false;
        }
        waiting.push_back(delivery);
        drop(waiting);
        self.bell.notify_one();
        true
    }

    /// Puts back what was not acknowledged, in its old order.
    pub fn put_back(&self, deliveries: impl DoubleEndedIterator<Item = Delivery>) {
        let mut waiting = locked(&self.waiting);
        for delivery in deliveries.rev() {
            waiting.push_front(delivery);
        }
        drop(waiting);
        self.bell.notify_one();
    }

    /// The next delivery, and whether there are more.
    pub fn next(&self) -> (Option<Delivery>, bool) {
        let mut waiting = locked(&self.waiting);
        let next = waiting.pop_front();
        (next, !waiting.is_empty())
    }

    /// Whether so much waits that nothing more should be taken.
    pub fn is_full(&self) -> bool {
        locked(&self.waiting).len() >= NEARLY
    }
}
