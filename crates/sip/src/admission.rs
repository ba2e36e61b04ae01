//! How much is let in, and from whom (RFC 3261 section 21.5.4: 503 with `Retry-After`).
//!
//! The stack's queues have no bound, so the bound is here, in front of it: a bucket of tokens for each address and one for all, a
//! cap on calls, and a list of addresses that are not listened to. What is remembered about addresses is bounded too.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{Fault, Limits};

/// What becomes of a new request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admit {
    /// It goes on.
    Yes,
    /// It is refused with 503.
    Refuse(Fault),
    /// It is not even answered.
    Silence,
}

/// Tokens that come back with time.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    fn take(&mut self, now: Instant, rate: u32, burst: u32) -> bool {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * f64::from(rate);
        self.tokens = (self.tokens + gained).min(f64::from(burst));
        self.at = now;
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

/// What is remembered about an address.
#[derive(Debug, Clone, Copy)]
struct Known {
    bucket: Bucket,
    refused: Bucket,
    strikes: u32,
    since: Instant,
    trusted: bool,
    proven: bool,
}

/// A map that forgets what was not asked for lately: two generations, each with half of the room.
#[derive(Debug)]
struct Lately<V> {
    young: HashMap<IpAddr, V>,
    old: HashMap<IpAddr, V>,
    room: usize,
}

impl<V: Copy> Lately<V> {
    fn new(room: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), room: (room / 2).max(1) }
    }

    fn get(&mut self, key: IpAddr) -> Option<&mut V> {
        if !self.young.contains_key(&key) {
            let value = self.old.remove(&key)?;
            self.put(key, value);
        }
        self.young.get_mut(&key)
    }

    fn put(&mut self, key: IpAddr, value: V) {
        if self.young.len() >= self.room && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    fn remove(&mut self, key: IpAddr) {
        self.young.remove(&key);
        self.old.remove(&key);
    }
}

#[derive(Debug)]
struct Memory {
    known: Lately<Known>,
    banned: Lately<Instant>,
    total: Bucket,
}

/// The gate.
#[derive(Debug)]
pub(crate) struct Admission {
    limits: Limits,
    memory: Mutex<Memory>,
    calls: AtomicUsize,
    incoming: AtomicUsize,
    undecided: AtomicUsize,
    closing: AtomicBool,
}

/// A ban that has just begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ban {
    /// For how long.
    pub seconds: u64,
    /// After how many faults.
    pub strikes: u32,
}

impl Admission {
    pub fn new(limits: Limits) -> Self {
        let now = Instant::now();
        let memory = Memory {
            known: Lately::new(limits.sources),
            banned: Lately::new(limits.sources),
            total: Bucket { tokens: f64::from(limits.total_burst), at: now },
        };
        let none = || AtomicUsize::new(0);
        let (calls, incoming, undecided) = (none(), none(), none());
        Self { limits, memory: Mutex::new(memory), calls, incoming, undecided, closing: AtomicBool::new(false) }
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fresh(&self, now: Instant) -> Known {
        let full = Bucket { tokens: f64::from(self.limits.source_burst), at: now };
        let refused = Bucket { tokens: f64::from(self.limits.trusted_rate), at: now };
        Known { bucket: full, refused, strikes: 0, since: now, trusted: false, proven: false }
    }

    /// Whether an address is banned.
    pub fn banned(&self, address: IpAddr) -> bool {
        let key = network(address);
        let mut memory = self.memory();
        let Some(until) = memory.banned.get(key).copied() else { return false };
        let holds = until > Instant::now();
        if !holds {
            memory.banned.remove(key);
        }
        holds
    }

    /// Whether a request that belongs to nothing yet may come in.
    pub fn admit(&self, address: IpAddr, call: bool) -> Admit {
        if call && (self.closing.load(Ordering::Relaxed) || self.full()) {
            return self.refuse(address, Fault::Calls);
        }
        let now = Instant::now();
        let mut memory = self.memory();
        let mut known = memory.known.get(network(address)).copied().unwrap_or_else(|| self.fresh(now));
        let (rate, burst) = match known.trusted {
            true => (self.limits.trusted_rate, self.limits.trusted_rate.saturating_mul(2)),
            false => (self.limits.source_rate, self.limits.source_burst),
        };
        let own = known.bucket.take(now, rate, burst);
        memory.known.put(network(address), known);
        let all = own && memory.total.take(now, self.limits.total_rate, self.limits.total_burst);
        drop(memory);
        if all { Admit::Yes } else { self.refuse(address, Fault::Rate) }
    }

    /// Refusing costs something too: more than some refusals a second go unanswered.
    fn refuse(&self, address: IpAddr, fault: Fault) -> Admit {
        let now = Instant::now();
        let mut memory = self.memory();
        let mut known = memory.known.get(network(address)).copied().unwrap_or_else(|| self.fresh(now));
        let told = known.refused.take(now, self.limits.trusted_rate, self.limits.trusted_rate);
        memory.known.put(network(address), known);
        if told { Admit::Refuse(fault) } else { Admit::Silence }
    }

    /// Notes that an address is a trunk's.
    pub fn trust(&self, address: IpAddr) {
        self.change(address, |known| known.trusted = true);
        self.memory().banned.remove(network(address));
    }

    /// Notes that somebody there knew a password.
    pub fn prove(&self, address: IpAddr) {
        self.change(address, |known| {
            known.proven = true;
            known.strikes = 0;
        });
    }

    /// Notes faults of an address. Gives the ban that they bring about.
    pub fn strike(&self, address: IpAddr, weight: u32) -> Option<Ban> {
        let (now, limits) = (Instant::now(), &self.limits);
        let mut strikes = 0;
        self.change(address, |known| {
            if now.saturating_duration_since(known.since) > limits.ban {
                (known.strikes, known.since) = (0, now);
            }
            // An address behind which somebody is known to be honest is given more time: it may be a whole office.
            let weight = if known.proven { weight.min(1) } else { weight };
            known.strikes = if known.trusted { 0 } else { known.strikes.saturating_add(weight) };
            strikes = known.strikes;
        });
        if strikes < limits.strikes {
            return None;
        }
        self.change(address, |known| known.strikes = 0);
        self.memory().banned.put(network(address), now + limits.ban);
        Some(Ban { seconds: limits.ban.as_secs(), strikes })
    }

    fn change(&self, address: IpAddr, change: impl FnOnce(&mut Known)) {
        let mut memory = self.memory();
        let mut known = memory.known.get(network(address)).copied().unwrap_or_else(|| self.fresh(Instant::now()));
        change(&mut known);
        memory.known.put(network(address), known);
    }

    /// How many faults ban an address.
    pub const fn strikes(&self) -> u32 {
        self.limits.strikes
    }

    /// What `Retry-After` says.
    pub const fn retry_after(&self) -> u32 {
        self.limits.retry_after
    }

    /// Whether no call more may come in.
    fn full(&self) -> bool {
        let (calls, incoming) = (self.calls.load(Ordering::Relaxed), self.incoming.load(Ordering::Relaxed));
        let undecided = self.undecided.load(Ordering::Relaxed);
        calls >= self.limits.calls || incoming >= self.limits.incoming || undecided >= self.limits.undecided
    }

    /// A place for a call of ours, until the place is dropped.
    pub fn place(self: &std::sync::Arc<Self>) -> Option<Place> {
        takes(&self.calls, self.limits.calls).then(|| Place { admission: std::sync::Arc::clone(self), incoming: false })
    }

    /// A place among the calls that are not decided about, until it is dropped.
    pub fn deciding(self: &std::sync::Arc<Self>) -> Option<Deciding> {
        takes(&self.undecided, self.limits.undecided).then(|| Deciding(std::sync::Arc::clone(self)))
    }

    /// A place for a call that comes in, until the place is dropped. Those that are in keep room for the calls that they lead to.
    pub fn place_in(self: &std::sync::Arc<Self>) -> Option<Place> {
        if !takes(&self.incoming, self.limits.incoming) {
            return None;
        }
        let place = self.place().map(|mut place| {
            place.incoming = true;
            place
        });
        if place.is_none() {
            self.incoming.fetch_sub(1, Ordering::Relaxed);
        }
        place
    }

    /// No new calls from now on.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    /// Whether no new calls are taken.
    pub fn closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// How many calls there are.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// How many addresses are remembered.
    #[cfg(test)]
    fn remembered(&self) -> usize {
        let memory = self.memory();
        memory.known.young.len() + memory.known.old.len()
    }
}

/// A call's place. Dropping it makes room.
#[derive(Debug)]
pub(crate) struct Place {
    admission: std::sync::Arc<Admission>,
    incoming: bool,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.admission.calls.fetch_sub(1, Ordering::Relaxed);
        if self.incoming {
            self.admission.incoming.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// A call that is not decided about.
#[derive(Debug)]
pub(crate) struct Deciding(std::sync::Arc<Admission>);

impl Drop for Deciding {
    fn drop(&mut self) {
        self.0.undecided.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts one more, unless there are as many as there may be.
fn takes(count: &AtomicUsize, most: usize) -> bool {
    count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| (count < most).then_some(count + 1)).is_ok()
}

/// Who is taken for one: an address, or what one customer is given of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => match six.to_ipv4_mapped() {
            Some(four) => IpAddr::V4(four),
            None => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() & !u128::from(u64::MAX))),
        },
    }
}

/// What scanners call themselves.
pub(crate) fn is_scanner(agent: &str) -> bool {
    const SCANNERS: [&str; 12] = [
        "friendly-scanner",
        "sipvicious",
        "sipcli",
        "sundayddr",
        "sipsak",
        "pplsip",
        "iwar",
        "vaxsipuseragent",
        "smap",
        "siparmyknife",
        "sip-scan",
        "gulp",
    ];
    let agent = agent.to_ascii_lowercase();
    SCANNERS.iter().any(|scanner| agent.contains(scanner))
}

/// The wait before something is tried again, doubled each time up to a bound.
pub(crate) fn backoff(tries: u32, first: Duration, most: Duration) -> Duration {
    first.saturating_mul(1_u32.checked_shl(tries.min(16)).unwrap_or(u32::MAX)).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u32) -> IpAddr {
        IpAddr::V4(std::net::Ipv4Addr::from_bits(0x0a00_0000 + last))
    }

    #[test]
    fn an_address_has_its_own_bucket() {
        let limits = Limits { source_rate: 0, source_burst: 2, ..Limits::default() };
        let admission = Admission::new(limits);
        let answers: Vec<_> = (0..3).map(|_| admission.admit(address(1), false)).collect();
        assert_eq!(answers, [Admit::Yes, Admit::Yes, Admit::Refuse(Fault::Rate)]);
        assert_eq!(admission.admit(address(2), false), Admit::Yes);
    }

    #[test]
    fn calls_that_come_in_leave_room_for_those_that_they_lead_to() {
        let admission = std::sync::Arc::new(Admission::new(Limits { calls: 4, incoming: 2, ..Limits::default() }));
        let one = admission.place_in();
        let two = admission.place_in();
        assert!(one.is_some() && two.is_some() && admission.place_in().is_none());
        assert_eq!(admission.admit(address(1), true), Admit::Refuse(Fault::Calls));
        let out = [admission.place(), admission.place()];
        assert!(out.iter().all(Option::is_some) && admission.place().is_none());
        drop(one);
        let three = admission.place_in();
        assert!(three.is_some());
        assert!(admission.place_in().is_none());
        drop((two, three, out));
        assert_eq!((admission.calls(), admission.admit(address(1), true)), (0, Admit::Yes));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let admission = Admission::new(Limits { sources: 100, ..Limits::default() });
        for last in 0..10_000 {
            admission.strike(address(last), 1);
        }
        assert!(admission.remembered() <= 100, "{}", admission.remembered());
    }

    #[test]
    fn faults_ban_and_a_trunk_is_never_banned() {
        let admission = Admission::new(Limits { strikes: 3, ..Limits::default() });
        admission.trust(address(2));
        let bans: Vec<_> = (0..3).map(|_| (admission.strike(address(1), 1), admission.strike(address(2), 9))).collect();
        assert_eq!(bans.last().copied(), Some((Some(Ban { seconds: 600, strikes: 3 }), None)));
        assert!(admission.banned(address(1)) && !admission.banned(address(2)));
    }

    #[test]
    fn a_ban_ends() {
        let admission = Admission::new(Limits { strikes: 1, ban: Duration::ZERO, ..Limits::default() });
        assert!(admission.strike(address(1), 1).is_some());
        assert!(!admission.banned(address(1)));
    }
}
