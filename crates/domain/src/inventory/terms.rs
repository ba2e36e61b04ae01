//! What the numbers of a block offer and cost, and the filters over it.

use std::collections::HashMap;

use super::bits::{Mask, words};
use super::query::Query;

/// Features and prices of a number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Terms {
    pub features: u8,
    pub needs_address: u8,
    pub monthly: i64,
    pub setup: i64,
}

impl Terms {
    /// Whether they are what a query asks for.
    pub fn satisfy(&self, query: &Query) -> bool {
        self.features & query.features_all == query.features_all && query.max_monthly.is_none_or(|most| self.monthly <= most)
    }
}

/// The terms of a block's entries. Few of them differ, so each entry keeps a number into a list; a block has at most 65 536
/// entries, so two bytes are always enough.
pub(super) struct TermTable {
    terms: Box<[Terms]>,
    of_entry: Box<[u16]>,
    /// For each feature that some entries have and others lack, who has it.
    features: [Option<Box<[u64]>>; 8],
    /// The features that every entry has.
    common: u8,
    /// The different monthly prices, rising, and the bits of each entry's place among them.
    monthlies: Box<[i64]>,
    monthly_rank: Vec<Box<[u64]>>,
}

/// A query's conditions on the terms, as far as they matter in one block.
#[derive(Clone, Copy)]
pub(super) struct Filter {
    /// The features to look at: those wanted that not every entry has.
    features: u8,
    /// Only prices before this one in the block's list are low enough; `None` where all are.
    monthly_below: Option<usize>,
}

impl TermTable {
    pub fn new(entries: impl Iterator<Item = Terms>) -> Self {
        let mut places = HashMap::new();
        let mut terms: Vec<Terms> = Vec::new();
        let mut last: Option<(Terms, u16)> = None;
        let of_entry: Box<[u16]> = entries
            .map(|entry| match last {
                Some((same, place)) if same == entry => place,
                _ => {
                    let place = *places.entry(entry).or_insert_with(|| {
                        terms.push(entry);
                        (terms.len() - 1) as u16
                    });
                    last = Some((entry, place));
                    place
                }
            })
            .collect();
        let mut monthlies: Vec<i64> = terms.iter().map(|terms| terms.monthly).collect();
        monthlies.sort_unstable();
        monthlies.dedup();
        let common = terms.iter().fold(u8::MAX, |common, terms| common & terms.features);
        let ranks: Vec<u32> = terms.iter().map(|terms| monthlies.partition_point(|price| *price < terms.monthly) as u32).collect();
        let features: Vec<u32> = terms.iter().map(|terms| terms.features.into()).collect();
        let rank_bits = monthlies.len().saturating_sub(1).checked_ilog2().map_or(0, |top| top + 1);
        Self {
            features: std::array::from_fn(|bit| {
                (common >> bit & 1 == 0).then(|| plane(&of_entry, &features, bit as u32)).flatten()
            }),
            monthly_rank: (0..rank_bits).filter_map(|bit| plane(&of_entry, &ranks, bit)).collect(),
            terms: terms.into(),
            of_entry,
            common,
            monthlies: monthlies.into(),
        }
    }

    /// How many different terms there are.
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// Which of the different terms the entry has.
    pub fn place(&self, entry: usize) -> usize {
        self.of_entry.get(entry).map_or(usize::MAX, |place| usize::from(*place))
    }

    pub fn get(&self, entry: usize) -> Option<Terms> {
        self.terms.get(self.place(entry)).copied()
    }

    /// What is left to check of the query's conditions, or `None` where no entry of the block satisfies them.
    pub fn filter(&self, query: &Query) -> Option<Filter> {
        let features = query.features_all & !self.common;
        let all_known = self.features.iter().enumerate().all(|(bit, plane)| features >> bit & 1 == 0 || plane.is_some());
        let cheap = query.max_monthly.map(|most| self.monthlies.partition_point(|price| *price <= most));
        let some_cheap = cheap.is_none_or(|cheap| cheap > 0);
        let monthly_below = cheap.filter(|cheap| *cheap < self.monthlies.len());
        (all_known && some_cheap).then_some(Filter { features, monthly_below })
    }

    pub fn keep(&self, filter: Filter, mask: &mut Mask) {
        for (bit, plane) in self.features.iter().enumerate() {
            if let Some(plane) = plane
                && filter.features >> bit & 1 == 1
            {
                mask.keep(plane);
            }
        }
        if let Some(limit) = filter.monthly_below {
            mask.keep_below(limit, &self.monthly_rank);
        }
    }

    /// The sum of the counters whose terms satisfy the query, where there is one for each of the different terms.
    pub fn sum(&self, counters: &[u32], query: &Query) -> usize {
        let satisfying = self.terms.iter().zip(counters).filter(|(terms, _)| terms.satisfy(query));
        satisfying.map(|(_, count)| *count as usize).sum()
    }
}

/// One bit of each entry's value, where `values` has them by place; `None` where no entry has the bit set.
fn plane(of_entry: &[u16], values: &[u32], bit: u32) -> Option<Box<[u64]>> {
    let set: Vec<bool> = values.iter().map(|value| value >> bit & 1 == 1).collect();
    if !set.contains(&true) {
        return None;
    }
    let mut plane = Vec::with_capacity(words(of_entry.len()));
    for entries in of_entry.chunks(64) {
        let of = |place: &u16| u64::from(set.get(usize::from(*place)).copied().unwrap_or_default());
        plane.push(entries.iter().enumerate().fold(0, |word, (at, place)| word | of(place) << at));
    }
    Some(plane.into())
}
