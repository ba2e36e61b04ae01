//! Whose turn it is: the due work of one environment is done by one at a time in this process, so that moving its clock does each
//! piece once and in order while the worker is awake beside it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tandem_kernel::EnvironmentId;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// The environments whose due work is being done.
#[derive(Default)]
pub struct Turns(Mutex<HashMap<EnvironmentId, Arc<AsyncMutex<()>>>>);

/// The right to do an environment's due work; given back when dropped.
pub struct Turn<'a> {
    turns: &'a Turns,
    environment: EnvironmentId,
    held: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits until nobody else does this environment's work.
    pub async fn take(&self, environment: EnvironmentId) -> Turn<'_> {
        let waiting = self.entry(environment);
        Turn { turns: self, environment, held: Some(waiting.lock_owned().await) }
    }

    /// Takes the turn if nobody has it.
    pub fn try_take(&self, environment: EnvironmentId) -> Option<Turn<'_>> {
        let held = self.entry(environment).try_lock_owned().ok()?;
        Some(Turn { turns: self, environment, held: Some(held) })
    }

    fn entry(&self, environment: EnvironmentId) -> Arc<AsyncMutex<()>> {
        self.all().entry(environment).or_default().clone()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<EnvironmentId, Arc<AsyncMutex<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut all = self.turns.all();
        self.held = None;
        if all.get(&self.environment).is_some_and(|entry| Arc::strong_count(entry) == 1) {
            all.remove(&self.environment);
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
        assert!(turns.try_take(other).is_some());
        let next = turns.take(one);
        drop(first);
        drop(next.await);
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
