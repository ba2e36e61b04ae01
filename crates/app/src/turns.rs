//! Whose turn it is: the due work of one environment is done by one at a time in this process, so that moving its clock does each
//! piece once and in order while the worker is awake beside it. Work that asks somebody outside takes a turn for each job instead:
//! nobody's other work waits for whoever does not answer.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tandem_kernel::EnvironmentId;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// The environments, or jobs, whose due work is being done.
pub struct Turns<K: Eq + Hash + Copy = EnvironmentId>(Mutex<HashMap<K, Arc<AsyncMutex<()>>>>);

/// The right to do due work; given back when dropped.
pub struct Turn<'a, K: Eq + Hash + Copy = EnvironmentId> {
    turns: &'a Turns<K>,
    of: K,
    held: Option<OwnedMutexGuard<()>>,
}

impl<K: Eq + Hash + Copy> Default for Turns<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash + Copy> Turns<K> {
    /// Waits until nobody else does this work.
    pub async fn take(&self, of: K) -> Turn<'_, K> {
        let waiting = self.entry(of);
        Turn { turns: self, of, held: Some(waiting.lock_owned().await) }
    }

    /// Takes the turn if nobody has it.
    pub fn try_take(&self, of: K) -> Option<Turn<'_, K>> {
        let held = self.entry(of).try_lock_owned().ok()?;
        Some(Turn { turns: self, of, held: Some(held) })
    }

    /// Whose turn somebody has, or waits for.
    pub fn taken(&self) -> Vec<K> {
        let mut all = self.all();
        all.retain(|_, entry| Arc::strong_count(entry) > 1); // whoever waited may have given up after the one before went
        all.keys().copied().collect()
    }

    fn entry(&self, of: K) -> Arc<AsyncMutex<()>> {
        self.all().entry(of).or_default().clone()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<K, Arc<AsyncMutex<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash + Copy> Drop for Turn<'_, K> {
    fn drop(&mut self) {
        let mut all = self.turns.all();
        self.held = None;
        if all.get(&self.of).is_some_and(|entry| Arc::strong_count(entry) == 1) {
            all.remove(&self.of);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_at_a_time_and_nothing_is_left() {
        let (turns, one, other) = (Turns::default(), EnvironmentId::from_bytes([1; 16]), EnvironmentId::from_bytes([2; 16]));
        let first = turns.take(one).await;
        assert!(turns.try_take(one).is_none());
        assert_eq!(turns.taken(), [one]);
        assert!(turns.try_take(other).is_some());
        let next = turns.take(one);
        drop(first);
        drop(next.await);
        assert_eq!(turns.taken(), []);
        assert!(turns.try_take(one).is_some());
        assert!(turns.all().is_empty());
    }

    #[tokio::test]
    async fn whoever_gives_up_waiting_is_in_nobodys_way() {
        let (turns, one) = (Turns::default(), EnvironmentId::from_bytes([1; 16]));
        let first = turns.take(one).await;
        let waited = tokio::time::timeout(std::time::Duration::from_millis(10), turns.take(one)).await;
        assert!(waited.is_err());
        drop(first);
        assert!(turns.try_take(one).is_some());
    }
}
