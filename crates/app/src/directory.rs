//! Who is who: credentials and limits, in memory in front of the store.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use papaya::HashMap;
use tandem_catalogue::{Error, Result};
use tandem_domain::{
    account::{Account, AccountStatus},
    environment::{EnvironmentSettings, RateLimit},
    key::{self, Key, KeyState, KeyText},
    sid::account_sid,
};
use tandem_kernel::{Clock, EnvironmentId, KeyId, KeyKind, Scope, Timestamp};
use tandem_store::{
    Store,
    repo::{accounts, keys, usage},
};

use crate::limiter::{Allowance, Limiter};

/// Addresses that are remembered at the most; beyond that all are forgotten, which errs on the side of letting in.
const MOST_ADDRESSES: usize = 100_000;
/// What counts a request, in the table of usage.
pub const API_CALLS: &str = "api_calls";

/// An environment with its account, as authentication found them.
#[derive(Debug)]
pub struct EnvironmentEntry {
    /// The environment.
    pub settings: EnvironmentSettings,
    /// Its account.
    pub account: Account,
    /// The limiter, which outlives a change of the settings.
    meter: Arc<Meter>,
}

/// What an environment has used of its limits.
#[derive(Debug, Default)]
struct Meter {
    limiter: Limiter,
    month: AtomicI64,
    used: AtomicU64,
}

/// A valid credential and whom it belongs to.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The credential.
    pub key: Arc<Key>,
    /// What it opens; none for an operator's key.
    pub environment: Option<Arc<EnvironmentEntry>>,
}

/// Credentials, environments and limits in memory.
pub struct Directory {
    store: Store,
    clock: Arc<dyn Clock>,
    keys: HashMap<[u8; 32], Arc<Key>>,
    environments: HashMap<EnvironmentId, Arc<EnvironmentEntry>>,
    meters: HashMap<EnvironmentId, Arc<Meter>>,
    addresses: HashMap<IpAddr, Arc<Limiter>>,
    anonymous: RateLimit,
    /// Grows whenever something is forgotten: what was read before and arrives after must not be kept.
    forgotten: AtomicU64,
}

impl Directory {
    /// An empty directory over `store`.
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>, anonymous_per_minute: u32) -> Self {
        let anonymous = RateLimit { limit: anonymous_per_minute, period: 60, burst: anonymous_per_minute, monthly_quota: None };
        Self {
            store,
            clock,
            keys: HashMap::new(),
            environments: HashMap::new(),
            meters: HashMap::new(),
            addresses: HashMap::new(),
            anonymous,
            forgotten: AtomicU64::new(0),
        }
    }

    /// Finds whom a credential belongs to.
    ///
    /// # Errors
    /// `invalid_api_key`, `expired_api_key`, `revoked_api_key`, `account_suspended`, and faults of the store.
    pub async fn authenticate(&self, text: &str) -> Result<Principal> {
        if !KeyText::is_well_formed(text) {
            return Err(Error::invalid_api_key());
        }
        let hash = key::hash(text);
        let known = self.keys.pin().get(&hash).cloned();
        let key = match known {
            Some(key) => key,
            None => self.read_key(hash).await?,
        };
        match key.state(self.clock.now()) {
            KeyState::Active => {}
            KeyState::Expired => return Err(Error::expired_api_key()),
            KeyState::Revoked => return Err(Error::revoked_api_key()),
        }
        let environment = match key.environment {
            Some(id) => Some(self.environment(id).await?),
            None => None,
        };
        match environment.as_ref().map(|entry| entry.account.status) {
            Some(AccountStatus::Closed) => Err(Error::invalid_api_key()),
            _ => Ok(Principal { key, environment }),
        }
    }

    /// As [`Self::authenticate`], for a key that is shown beside the sid of its account.
    ///
    /// # Errors
    /// As there; `invalid_api_key` where the key is another account's.
    pub async fn authenticate_for(&self, account: &str, key: &str) -> Result<Principal> {
        let principal = self.authenticate(key).await?;
        match &principal.environment {
            Some(entry) if account_sid(entry.account.id) == account => Ok(principal),
            _ => Err(Error::invalid_api_key()),
        }
    }

    /// An environment and its account.
    ///
    /// # Errors
    /// `internal` where it does not exist, and faults of the store.
    pub async fn environment(&self, id: EnvironmentId) -> Result<Arc<EnvironmentEntry>> {
        if let Some(entry) = self.environments.pin().get(&id) {
            return Ok(entry.clone());
        }
        let month = self.clock.now().start_of_month();
        let forgotten = self.forgotten.load(Ordering::SeqCst);
        let read = self.store.read(move |tx| {
            let Some(settings) = accounts::environment(tx, id)? else { return Ok(None) };
            let account = accounts::get(tx, settings.account)?;
            let used = usage::sum(tx, id, API_CALLS, month, month.plus_months(1))?;
            Ok(account.map(|account| (settings, account, used)))
        });
        let (settings, account, used) =
            read.await?.ok_or_else(|| Error::internal().because("a key opens an environment that does not exist"))?;
        let fresh = || {
            let (month, used) = (AtomicI64::new(month.micros()), AtomicU64::new(u64::try_from(used).unwrap_or(0)));
            Arc::new(Meter { limiter: Limiter::default(), month, used })
        };
        let meter = self.meters.pin().get_or_insert_with(id, fresh).clone();
        let entry = Arc::new(EnvironmentEntry { settings, account, meter });
        self.environments.pin().insert(id, entry.clone());
        if self.forgotten.load(Ordering::SeqCst) != forgotten {
            self.environments.pin().remove(&id);
        }
        Ok(entry)
    }

    /// Counts a request of nobody in particular by the address that it came from.
    ///
    /// # Errors
    /// `rate_limited`.
    pub fn count_anonymous(&self, address: IpAddr) -> Result<()> {
        let addresses = self.addresses.pin();
        if addresses.len() > MOST_ADDRESSES {
            addresses.clear();
        }
        let limiter = addresses.get_or_insert_with(address, Arc::default);
        match limiter.take(&self.anonymous, self.clock.now()).retry_after {
            None => Ok(()),
            Some(seconds) => Err(Error::rate_limited(seconds, i64::from(self.anonymous.limit))),
        }
    }

    /// Forgets a key: it is read again when it is next used.
    pub fn forget_key(&self, id: KeyId) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        let keys = self.keys.pin();
        keys.retain(|_, key| key.id != id);
    }

    /// Forgets an environment: it is read again when it is next used. What it has used of its limits is kept.
    pub fn forget_environment(&self, id: EnvironmentId) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.environments.pin().remove(&id);
    }

    /// Forgets all keys and environments: too much may have changed unseen.
    pub fn forget_all(&self) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.keys.pin().clear();
        self.environments.pin().clear();
    }

    async fn read_key(&self, hash: [u8; 32]) -> Result<Arc<Key>> {
        let forgotten = self.forgotten.load(Ordering::SeqCst);
        let found = self.store.read(move |tx| keys::by_hash(tx, &hash)).await?;
        let key = Arc::new(found.ok_or_else(Error::invalid_api_key)?);
        self.keys.pin().insert(hash, key.clone());
        if self.forgotten.load(Ordering::SeqCst) != forgotten {
            self.keys.pin().remove(&hash);
        }
        Ok(key)
    }
}

impl EnvironmentEntry {
    /// Takes one request off the environment's limits; what to tell the caller, and the refusal if it is one.
    pub fn take(&self, now: Timestamp) -> (Allowance, Result<()>) {
        let rate = &self.settings.rate;
        let mut allowance = self.meter.limiter.take(rate, now);
        if let Some(seconds) = allowance.retry_after {
            return (allowance, Err(Error::rate_limited(seconds, i64::from(rate.limit))));
        }
        let month = now.start_of_month();
        if self.meter.month.swap(month.micros(), Ordering::Relaxed) != month.micros() {
            self.meter.used.store(0, Ordering::Relaxed);
        }
        let used = self.meter.used.fetch_add(1, Ordering::Relaxed);
        match rate.monthly_quota {
            Some(quota) if used >= quota => {
                self.meter.used.fetch_sub(1, Ordering::Relaxed);
                let seconds = (month.plus_months(1).micros() - now.micros() + 999_999) / 1_000_000;
                allowance =
                    Allowance { remaining: 0, reset: month.plus_months(1).seconds(), retry_after: Some(seconds), ..allowance };
                (allowance, Err(Error::quota_exceeded(seconds, i64::try_from(quota).unwrap_or(i64::MAX))))
            }
            _ => (allowance, Ok(())),
        }
    }

    /// Refuses an account that the operator stopped.
    ///
    /// # Errors
    /// `account_suspended`.
    pub fn check_status(&self) -> Result<()> {
        match self.account.status {
            AccountStatus::Active => Ok(()),
            AccountStatus::Suspended | AccountStatus::Closed => Err(Error::account_suspended()),
        }
    }
}

impl Principal {
    /// Whether it is an operator's credential.
    #[must_use]
    pub fn is_operator(&self) -> bool {
        self.key.kind == KeyKind::Operator && self.key.scopes.has(Scope::Operator)
    }
}
