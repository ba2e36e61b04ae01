//! The inventory in memory, kept in step with the store.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use tandem_catalogue::{Error, Result};
use tandem_domain::{
    NumberType,
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
    /// Held by whoever puts a new index in place, so that two do not lose each other's work.
    rebuild: Mutex<()>,
    /// What was taken and given back while a new index is made: it is done to the new one as well.
    meanwhile: Mutex<Meanwhile>,
}

#[derive(Default)]
struct Meanwhile {
    rebuilds: usize,
    changes: Vec<(u64, bool)>,
}

/// Ends the noting of changes, whatever becomes of the rebuild.
struct Recording<'a>(&'a Shelf);

impl Shelf {
    fn record(&self) -> Recording<'_> {
        locked(&self.meanwhile).rebuilds += 1;
        Recording(self)
    }

    fn put(&self, mut next: Index) {
        let mut live = self.index.write().unwrap_or_else(PoisonError::into_inner);
        for (number, available) in &locked(&self.meanwhile).changes {
            next.set_available(*number, *available);
        }
        *live = next;
    }
}

impl Drop for Recording<'_> {
    fn drop(&mut self) {
        let mut meanwhile = locked(&self.0.meanwhile);
        meanwhile.rebuilds -= 1;
        if meanwhile.rebuilds == 0 {
            meanwhile.changes.clear();
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
        features: offer.features.bits() | NumberType::of(offer.phone).bit(),
        monthly: offer.monthly.micros,
        setup: offer.setup.micros,
        needs_address: offer.requirement().index(),
        available: offer.state == OfferState::Available,
    }
}

impl Stock {
    /// Reads the whole inventory of one kind and replaces the index by it.
    ///
    /// # Errors
    /// Faults of the store.
    pub async fn load(&self, store: &Store, kind: Environment) -> Result<u64> {
        let shelf = self.shelf(kind);
        let _recording = shelf.record();
        let mut entries: Vec<Entry> = Vec::new();
        let mut after = 0;
        loop {
            let page = store.scan(move |tx| inventory::entries(tx, kind, after, PAGE)).await?;
            let Some(last) = page.last() else { break };
            after = last.number;
            entries.extend(page);
        }
        let grams = shelf.index.read().unwrap_or_else(PoisonError::into_inner).has_grams();
        let build = move || Index::build(entries).map(|index| if grams { index.with_grams() } else { index });
        let built = tokio::task::spawn_blocking(build).await.map_err(|fault| Error::internal().because(fault))?;
        let index = built.map_err(|fault| Error::internal().because(format!("the inventory holds {fault:?}")))?;
        let count = index.len();
        let _alone = locked(&shelf.rebuild);
        shelf.put(index);
        Ok(count)
    }

    /// Builds the lists that make searching for digits in the middle quick. Takes seconds for millions of numbers.
    pub fn build_grams(&self, kind: Environment) {
        let shelf = self.shelf(kind);
        let (_alone, _recording) = (locked(&shelf.rebuild), shelf.record());
        let base = shelf.index.read().unwrap_or_else(PoisonError::into_inner).clone();
        shelf.put(base.with_grams());
    }

    /// Adds numbers. Takes seconds for millions, during which searches see what was there before.
    ///
    /// # Errors
    /// `internal` for what is no number, which the import refuses.
    pub fn insert(&self, kind: Environment, entries: &[Entry]) -> Result<()> {
        let shelf = self.shelf(kind);
        let (_alone, _recording) = (locked(&shelf.rebuild), shelf.record());
        let base = shelf.index.read().unwrap_or_else(PoisonError::into_inner).clone();
        let merged = base.merged(entries.iter().copied());
        shelf.put(merged.map_err(|fault| Error::internal().because(format!("{fault:?}")))?);
        Ok(())
    }

    /// Marks a number as for sale or not; one that the index does not know yet is left for [`Self::insert`].
    pub fn set_available(&self, kind: Environment, phone: PhoneNumber, available: bool) {
        let shelf = self.shelf(kind);
        let mut index = shelf.index.write().unwrap_or_else(PoisonError::into_inner);
        index.set_available(phone.digits(), available);
        let mut meanwhile = locked(&shelf.meanwhile);
        if meanwhile.rebuilds > 0 {
            meanwhile.changes.push((phone.digits(), available));
        }
    }

    /// What the index knows of a number.
    #[must_use]
    pub fn get(&self, kind: Environment, phone: PhoneNumber) -> Option<Entry> {
        self.shelf(kind).index.read().unwrap_or_else(PoisonError::into_inner).get(phone.digits())
    }

    /// Finds numbers for sale.
    #[must_use]
    pub fn search(&self, kind: Environment, query: &Query) -> Page {
        // A copy shares its blocks and costs microseconds: a dense pattern must not keep purchases waiting.
        let index = self.shelf(kind).index.read().unwrap_or_else(PoisonError::into_inner).clone();
        index.search(query)
    }

    /// How many numbers are known and how many are for sale.
    #[must_use]
    pub fn count(&self, kind: Environment) -> (u64, u64) {
        let index = self.shelf(kind).index.read().unwrap_or_else(PoisonError::into_inner);
        (index.len(), index.available_len())
    }

    const fn shelf(&self, kind: Environment) -> &Shelf {
        match kind {
            Environment::Live => &self.live,
            Environment::Test => &self.test,
        }
    }
}
