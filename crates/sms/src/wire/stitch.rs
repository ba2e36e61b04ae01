//! Putting parts together: in any order, each once, and not for ever.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    time::{Duration, Instant},
};

use super::Place;

/// Messages whose parts have not all come: keyed by whoever's reference it is.
#[derive(Debug)]
pub struct Stitcher<K, T> {
    open: HashMap<(K, u16, u8), Parts<T>>,
    order: VecDeque<(Instant, (K, u16, u8))>,
    most: usize,
    patience: Duration,
}

#[derive(Debug)]
struct Parts<T> {
    began: Instant,
    slots: Vec<Option<T>>,
}

/// What a part did.
#[derive(Debug, PartialEq, Eq)]
pub enum Stitched<T> {
    /// Others are missing.
    Waiting,
    /// It was there already.
    Known,
    /// It was the last one: all of them, in order.
    Whole(Vec<T>),
}

impl<K: Hash + Eq + Clone, T> Stitcher<K, T> {
    /// Keeps at most `most` messages, each for `patience`.
    #[must_use]
    pub fn new(most: usize, patience: Duration) -> Self {
        Self { open: HashMap::new(), order: VecDeque::new(), most: most.max(1), patience }
    }

    /// Adds a part. What is beyond the limits is forgotten, the oldest first; `forgotten` hears of it.
    pub fn add(&mut self, whose: K, place: Place, part: T, now: Instant, mut forgotten: impl FnMut(Vec<T>)) -> Stitched<T> {
        self.expire(now, &mut forgotten);
        let key = (whose, place.reference, place.of);
        if !self.open.contains_key(&key) {
            while self.open.len() >= self.most {
                self.forget_oldest(&mut forgotten);
            }
            self.order.push_back((now, key.clone()));
        }
        let empty = || Parts { began: now, slots: (0..place.of).map(|_| None).collect() };
        let parts = self.open.entry(key.clone()).or_insert_with(empty);
        let Some(slot) = parts.slots.get_mut(usize::from(place.part).wrapping_sub(1)) else { return Stitched::Known };
        if slot.is_some() {
            return Stitched::Known;
        }
        *slot = Some(part);
        if parts.slots.iter().any(Option::is_none) {
            return Stitched::Waiting;
        }
        self.open.remove(&key).map_or(Stitched::Waiting, |parts| Stitched::Whole(parts.slots.into_iter().flatten().collect()))
    }

    /// Forgets what has waited too long.
    pub fn expire(&mut self, now: Instant, forgotten: &mut impl FnMut(Vec<T>)) {
        while self.order.front().is_some_and(|(began, _)| now.saturating_duration_since(*began) >= self.patience) {
            self.forget_oldest(forgotten);
        }
    }

    /// How many messages are not whole.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    fn forget_oldest(&mut self, forgotten: &mut impl FnMut(Vec<T>)) {
        let Some((began, key)) = self.order.pop_front() else { return self.open.clear() };
        // One that was whole, and begun anew under the same reference, has a later entry of its own.
        if self.open.get(&key).is_some_and(|parts| parts.began == began)
            && let Some(parts) = self.open.remove(&key)
        {
            forgotten(parts.slots.into_iter().flatten().collect());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn place(reference: u16, part: u8, of: u8) -> Place {
        Place { reference, part, of }
    }

    #[test]
    fn parts_come_in_any_order_and_twice() {
        let (mut stitcher, now) = (Stitcher::new(10, Duration::from_secs(60)), Instant::now());
        let mut add = |whose, place, text| stitcher.add(whose, place, text, now, |_| panic!("nothing is forgotten"));
        assert_eq!(add("ada", place(1, 3, 3), "c"), Stitched::Waiting);
        assert_eq!(add("ada", place(1, 1, 3), "a"), Stitched::Waiting);
        assert_eq!(add("ada", place(1, 1, 3), "a"), Stitched::Known);
        assert_eq!(add("bob", place(1, 2, 3), "x"), Stitched::Waiting);
        assert_eq!(add("ada", place(1, 9, 3), "?"), Stitched::Known);
        assert_eq!(add("ada", place(1, 2, 3), "b"), Stitched::Whole(vec!["a", "b", "c"]));
        assert_eq!(add("ada", place(1, 2, 3), "b"), Stitched::Waiting, "the reference is free again");
    }

    #[test]
    fn what_is_never_whole_is_forgotten() {
        let (mut stitcher, now) = (Stitcher::new(2, Duration::from_secs(60)), Instant::now());
        let mut gone = Vec::new();
        for reference in 1..=3 {
            stitcher.add("ada", place(reference, 1, 2), reference, now, |parts| gone.extend(parts));
        }
        assert_eq!((stitcher.len(), gone.as_slice()), (2, [1].as_slice()));
        stitcher.expire(now + Duration::from_secs(60), &mut |parts| gone.extend(parts));
        assert!(stitcher.is_empty());
        assert_eq!(gone, [1, 2, 3]);
    }
}
