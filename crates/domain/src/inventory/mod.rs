//! The numbers that can be bought, held in memory so that a search over ten million of them takes well under a millisecond.
//!
//! The table in the store is the truth; an [`Index`] is made from it at the start and follows it afterwards. It is pure: no
//! I/O, no clock, no task of its own.
//!
//! # How it is laid out
//!
//! - **Order.** Numbers are ordered by their digits read as text, so that everything under `+1` comes before everything under
//!   `+44` and the numbers of a prefix stand next to one another. A sort key spells the digits in half-bytes, left aligned: a
//!   prefix is then a range of keys.
//! - **Blocks.** Up to 65 536 neighbouring numbers of one calling code form a block. What a block says of its numbers never
//!   changes (an import replaces the block) and is shared between copies of the index; whether they are available is a bitset
//!   beside it. Each block counts its available numbers by their terms, so a total over a whole country adds a few thousand
//!   counters, and a deep page skips whole blocks.
//! - **Patterns.** The digits of a block are also kept as bit planes: a pattern is decided for 4 096 numbers at a time with
//!   bitwise operations. Whatever the pattern, that takes 1 to 20 ms for ten million numbers. A second index, the lists of where
//!   each group of three digits occurs, brings patterns with three or more known digits in a row down to half a millisecond. It
//!   is optional ([`Index::with_grams`]), because it takes as much memory as everything else together.
//!
//! # How its owner keeps it current
//!
//! The owner holds an `RwLock<Index>`. Searching takes the read lock; [`Index::set_available`] and [`Index::remove`] take the
//! write lock for about two microseconds. Whatever takes longer is done outside the lock, on a copy: a copy shares its blocks
//! and costs about ten microseconds. That goes for a search by a pattern without three known digits in a row, if writers must
//! not wait for it, and for imports and the building of the three-digit lists, which take up to seconds. What was bought and
//! released meanwhile is then carried over by [`Index::catch_up`]:
//!
//! ```text
//! let _imports_one_at_a_time = self.imports.lock();
//! let base = self.index.read().clone();
//! let mut next = base.merged(entries)?; // or base.with_grams()
//! let mut live = self.index.write();
//! if next.catch_up(&base, &live) {
//!     *live = next;
//! }
//! ```

mod bits;
mod block;
mod digits;
mod index;
mod key;
mod pattern;
mod query;
mod sieve;
mod stock;
mod terms;
mod trigram;

#[cfg(test)]
mod tests;

pub use index::Index;
pub use pattern::{MAX_PATTERN, MAX_STARS, Pattern, PatternFault};
pub use query::{Page, Query};

/// One number of the inventory and what it costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The E.164 digits without the `+`.
    pub number: u64,
    /// What the number can do, one bit for each feature; which bit means what is the owner's affair.
    pub features: u8,
    /// The price for a month, in millionths.
    pub monthly: i64,
    /// The price of setting it up, in millionths.
    pub setup: i64,
    /// Which kind of address its buyer has to give: 0 for none, the other values are the owner's affair.
    pub needs_address: u8,
    /// Whether it can be bought now: neither taken nor reserved.
    pub available: bool,
}

/// The value can be no E.164 number: it has more than 15 digits, or no digit after its calling code, or begins with a zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotANumber(pub u64);
