//! Searches: which ranges of keys to look at, what to count there, and which page to hand out.

use std::ops::Range;

use super::Entry;
use super::bits::Mask;
use super::block::Block;
use super::key::{Key, Prefix};
use super::pattern::Pattern;
use super::sieve::{Left, Sieve};
use super::stock::State;

/// Beyond so many different terms in a block, its entries are counted rather than its counters added.
const MANY_TERMS: usize = 512;

/// What to look for. Only available numbers are found.
#[derive(Clone, Default, Debug)]
pub struct Query {
    /// The E.164 digits that a number may begin with, one of them being enough: `1415` for an area, `44` for a country. None
    /// means anywhere.
    pub prefixes: Vec<u64>,
    /// What the digits after the calling code look like.
    pub pattern: Option<Pattern>,
    /// The features that a number must have, all of them.
    pub features_all: u8,
    /// The most that it may cost a month, in millionths.
    pub max_monthly: Option<i64>,
    /// How many of the numbers found to leave out before the page begins.
    pub offset: u64,
    /// How many numbers the page has at most.
    pub limit: usize,
}

/// The answer to a [`Query`].
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Page {
    /// The numbers in the order of their digits read as text, from the offset on.
    pub numbers: Vec<Entry>,
    /// How many were found, on this page or not. Exact.
    pub total: u64,
}

/// Searches blocks that stand in the order of their keys.
pub(super) fn search(blocks: &[Block], query: &Query) -> Page {
    let mut page = Filling { skip: query.offset, room: query.limit, page: Page::default() };
    let mut mask = Mask::default();
    let mut sieve = query.pattern.as_ref().and_then(Sieve::new);
    for (block, range) in spans(blocks, query).into_iter().flat_map(|span| within(blocks, span)) {
        let terms = &block.shelf.terms;
        let Some(filter) = terms.filter(query) else { continue };
        if sieve.is_none() && range.len() == block.places() && terms.len() <= MANY_TERMS {
            let count = terms.sum(block.stock.by_terms(), query);
            if !page.reaches(count) {
                page.pass(count);
                continue;
            }
        }
        match &mut sieve {
            Some(sieve) => {
                if let Left::Few(few) = sieve.select(block, &range, &mut mask) {
                    page.take_few(block, few, query);
                    continue;
                }
            }
            None => mask.fill(&range),
        }
        if mask.is_empty() {
            continue;
        }
        mask.keep(block.stock.available());
        terms.keep(filter, &mut mask);
        page.take(block, &mask);
    }
    page.page
}

/// A page while it is being filled.
struct Filling {
    skip: u64,
    room: usize,
    page: Page,
}

impl Filling {
    /// Whether some of the next `count` numbers belong on the page.
    fn reaches(&self, count: usize) -> bool {
        self.room > 0 && self.skip < count as u64
    }

    fn pass(&mut self, count: usize) {
        self.page.total += count as u64;
        self.skip = self.skip.saturating_sub(count as u64);
    }

    /// Looks at each of a few entries.
    fn take_few(&mut self, block: &Block, few: &[u16], query: &Query) {
        let mut count = 0;
        for entry in few.iter().map(|entry| usize::from(*entry)) {
            let wanted = block.shelf.terms.get(entry).is_some_and(|terms| terms.satisfy(query));
            if !wanted || block.stock.state(entry) != State::Available {
                continue;
            }
            if self.room > 0 && self.skip <= count {
                self.page.numbers.extend(block.entry(entry));
                self.room -= 1;
            }
            count += 1;
        }
        self.page.total += count;
        self.skip = self.skip.saturating_sub(count);
    }

    fn take(&mut self, block: &Block, found: &Mask) {
        let count = found.count();
        if self.reaches(count) {
            let before = self.page.numbers.len();
            self.page.numbers.extend(found.entries(self.skip as usize).take(self.room).filter_map(|entry| block.entry(entry)));
            self.room -= self.page.numbers.len() - before;
        }
        self.pass(count);
    }
}

/// The ranges of keys that can hold what is looked for, rising and apart from one another.
fn spans(blocks: &[Block], query: &Query) -> Vec<Range<Key>> {
    let places = outermost(query.prefixes.iter().filter_map(|prefix| Prefix::of(*prefix)));
    let places = if query.prefixes.is_empty() { vec![Key(0)..Key(u64::MAX)] } else { places };
    let Some(pattern) = &query.pattern else { return places };
    let codes = blocks.chunk_by(|one, next| one.code == next.code).filter_map(|blocks| blocks.first());
    let begins = codes.filter_map(|block| pattern.prefix(block.code)).map(Prefix::span);
    begins.flat_map(|begin| common(&places, begin)).collect()
}

/// The spans of the prefixes, rising, without those that lie within another.
fn outermost(prefixes: impl Iterator<Item = Prefix>) -> Vec<Range<Key>> {
    let mut spans: Vec<Range<Key>> = prefixes.map(Prefix::span).collect();
    spans.sort_unstable_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    spans.dedup_by(|next, before| next.end <= before.end);
    spans
}

/// What the span has in common with each of `places`.
fn common(places: &[Range<Key>], span: Range<Key>) -> impl Iterator<Item = Range<Key>> {
    let first = places.partition_point(|place| place.end <= span.start);
    let touching = places.iter().skip(first).take_while(move |place| place.start < span.end);
    touching.map(move |place| place.start.max(span.start)..place.end.min(span.end))
}

/// The blocks that the span touches, each with the places it covers there.
fn within(blocks: &[Block], span: Range<Key>) -> impl Iterator<Item = (&Block, Range<usize>)> {
    let first = blocks.partition_point(|block| block.first <= span.start).saturating_sub(1);
    let touched = blocks.iter().skip(first).take_while(move |block| block.first < span.end);
    touched.map(move |block| (block, block.range(&span))).filter(|(_, range)| !range.is_empty())
}
