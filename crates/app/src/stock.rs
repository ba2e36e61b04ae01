//! The inventory in memory, kept in step with the store.

use std::sync::{Mutex, PoisonError, RwLock};

use tandem_catalogue::{Error, Result};
use tandem_domain::{
    inventory::{Entry, Index, Page, Query},
    purchase::{Offer, OfferState},
};
use tandem_kernel::{Environment, PhoneNumber};
use tandem_store::{Store, repo::inventory};

/// Numbers that are read from the store at a time.
const PAGE: i64 = 20_000;

/// The search index of one kind of environment.
#[derive(Default)]
struct Shelf {
    index: RwLock<Index>,
    /// Held by whoever replaces the whole index, so that two do not lose each other's work.
    rebuild: Mutex<()>,
}

/// The search indexes of both kinds of environment.
#[derive(Default)]
pub struct Stock {
    live: Shelf,
    test: Shelf,
}

/// The index's entry for a number of the inventory.
#[must_use]
pub fn entry(offer: &Offer) -> Entry {
    Entry {
        number: offer.phone.digits(),
        features: offer.features.bits(),
        monthly: offer.monthly.micros,
        setup: offer.setup.micros,
        needs_address: u8::from(offer.address_requirement != "none"),
        available: offer.state == OfferState::Available,
    }
}

impl Stock {
    /// Reads the whole inventory of one kind and replaces the index by it.
    ///
    /// # Errors
    /// Faults of the store.
    pub async fn load(&self, store: &Store, kind: Environment) -> Result<u64> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut after = 0;
        loop {
            let page = store.scan(move |tx| Ok(inventory::page(tx, kind, after, PAGE)?.iter().map(entry).collect::<Vec<_>>())).await?;
            let Some(last) = page.last() else { break };
            after = last.number;
            entries.extend(page);
        }
        let built = tokio::task::spawn_blocking(move || Index::build(entries)).await.map_err(|fault| Error::internal().because(fault))?;
        let index = built.map_err(|fault| Error::internal().because(format!("the inventory holds {fault:?}")))?;
        let count = index.len();
        let shelf = self.shelf(kind);
        let _alone = shelf.rebuild.lock().unwrap_or_else(PoisonError::into_inner);
        *shelf.index.write().unwrap_or_else(PoisonError::into_inner) = index;
        Ok(count)
    }

    /// Builds the lists that make searching for digits in the middle quick. Takes seconds for millions of numbers.
    pub fn build_grams(&self, kind: Environment) {
        self.replace(kind, |base| Some(base.with_grams()));
    }

    /// Adds numbers.
    pub fn insert(&self, kind: Environment, entries: &[Entry]) {
        self.replace(kind, |base| base.merged(entries.iter().copied()).ok());
    }

    /// Marks a number as for sale or not; one that the index does not know yet is left for [`Self::insert`].
    pub fn set_available(&self, kind: Environment, phone: PhoneNumber, available: bool) {
        let shelf = self.shelf(kind);
        shelf.index.write().unwrap_or_else(PoisonError::into_inner).set_available(phone.digits(), available);
    }

    /// Finds numbers for sale.
    #[must_use]
    pub fn search(&self, kind: Environment, query: &Query) -> Page {
        self.shelf(kind).index.read().unwrap_or_else(PoisonError::into_inner).search(query)
    }

    /// How many numbers are known and how many are for sale.
    #[must_use]
    pub fn count(&self, kind: Environment) -> (u64, u64) {
        let index = self.shelf(kind).index.read().unwrap_or_else(PoisonError::into_inner);
        (index.len(), index.available_len())
    }

    fn replace(&self, kind: Environment, change: impl Fn(&Index) -> Option<Index>) {
        let shelf = self.shelf(kind);
        let _alone = shelf.rebuild.lock().unwrap_or_else(PoisonError::into_inner);
        let base = shelf.index.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(mut next) = change(&base) else { return };
        let mut live = shelf.index.write().unwrap_or_else(PoisonError::into_inner);
        if next.catch_up(&base, &live) {
            *live = next;
        }
    }

    const fn shelf(&self, kind: Environment) -> &Shelf {
        match kind {
            Environment::Live => &self.live,
            Environment::Test => &self.test,
        }
    }
}
