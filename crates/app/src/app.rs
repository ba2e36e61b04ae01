//! The parts of a running platform, tied together.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use tandem_catalogue::{Error, Result};
use tandem_domain::{Explanation, environment::EnvironmentSettings, event::EventKind, message::pool::Pool};
use tandem_kernel::{Clock, Environment, EnvironmentId, EventId, ExplanationId, JobId, Money, Rng, Timestamp};
use tandem_store::{
    Store, Tx,
    repo::{accounts, events, explanations, jobs},
};
use tokio::sync::Semaphore;

use crate::{
    calls::{self, Switchboard},
    carrier::Carriers,
    conferences::Rooms,
    directory::Directory,
    due::Bell,
    handsets::Handsets,
    journal::Journal,
    messages::{Fetcher, PostOffice, claims::Claims, gateway::Pulse},
    recordings::{Archive, LampsPort},
    smscs::Network,
    stock::Stock,
    turns::Turns,
    vault::Vault,
};

/// Passwords that are hashed at once at the most: each takes a core and some 20 MiB.
const PASSWORDS_AT_ONCE: usize = 2;

/// What an operator may set about the platform's business.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What a completed port costs, in millionths.
    pub port_fee: i64,
    /// What a month of a ported number costs, in millionths.
    pub ported_monthly: i64,
    /// What a lookup of a number costs, in millionths.
    pub lookup_price: i64,
    /// What each sending of a verification's code costs, in millionths.
    pub verification_price: i64,
    /// Whom codes come from: a number, a short code or a name, as the SMSCs allow it.
    pub verification_sender: String,
    /// The numbers whose use is lent to senders in live environments.
    pub leased_numbers: Pool,
    /// Days that the request log is kept.
    pub log_days: i64,
    /// Requests a minute from one address that show no valid key.
    pub anonymous_per_minute: u32,
    /// Whether webhooks may lead to addresses that are not of the public network.
    pub webhooks_allow_private: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            port_fee: 25 * Money::UNIT,
            ported_monthly: 990_000,
            lookup_price: 10_000,
            verification_price: 50_000,
            verification_sender: "Verify".to_owned(),
            leased_numbers: Pool::default(),
            log_days: 30,
            anonymous_per_minute: 1_200,
            webhooks_allow_private: false,
        }
    }
}

/// What an [`App`] is built from.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The machine's clock.
    pub clock: Arc<dyn Clock>,
    /// The secure generator.
    pub rng: Arc<dyn Rng>,
    /// The installation's secret key: the same for all processes of one database, and never in it.
    /// None for the command line where the file is not at hand: nothing can be sealed or opened then.
    pub secret: Option<[u8; 32]>,
    /// The carriers of both kinds of environment.
    pub carriers: Carriers,
    /// What the operator set.
    pub settings: Settings,
}

/// A running platform. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// The parts, reached through [`App`].
pub struct Inner {
    /// The database.
    pub store: Store,
    /// The machine's clock.
    pub clock: Arc<dyn Clock>,
    /// The secure generator.
    pub rng: Arc<dyn Rng>,
    /// The carriers.
    pub carriers: Carriers,
    /// What the operator set.
    pub settings: Settings,
    /// Credentials and limits in memory.
    pub directory: Directory,
    /// The inventory in memory.
    pub stock: Stock,
    /// The request log and counters on their way to the store.
    pub journal: Journal,
    /// Wakes the worker of due work.
    pub bell: Bell,
    /// Wakes whoever hands messages to SMSCs.
    pub outbox: Bell,
    /// What fetches media from public addresses, once somebody has set it.
    pub fetcher: Fetcher,
    /// What sends e-mails, once somebody has set it.
    pub post_office: PostOffice,
    /// Where recordings are kept, once somebody has said so.
    pub archive: Archive,
    /// Whoever holds the binds to SMSCs, once that is there.
    pub network: OnceLock<Arc<dyn Network>>,
    /// Whoever carries calls, once that is there.
    pub switchboard: OnceLock<Arc<dyn Switchboard>>,
    /// Whoever holds the rooms of conferences, where calls are carried.
    pub rooms: OnceLock<Arc<dyn Rooms>>,
    /// Whoever tells telephones how many messages wait, where calls are carried.
    pub lamps: LampsPort,
    /// Whoever rings the handsets of the pocket network, once that is there.
    pub handsets: OnceLock<Arc<dyn Handsets>>,
    /// When this process last said that it hands out messages.
    pub pulse: Pulse,
    /// Messages that it took without knowing.
    pub claims: Claims,
    /// Wakes whoever delivers events to webhooks.
    pub mailbox: Bell,
    /// Seals what must not be readable in the database.
    pub vault: Arc<Vault>,
    /// Passwords that are hashed at once.
    pub passwords: Semaphore,
    /// Webhooks that are asked about calls at once.
    pub questions: Semaphore,
    /// Who does which environment's due work.
    pub turns: Turns,
    /// Who does which job that asks somebody outside.
    pub asking: Turns<JobId>,
    /// The numbers whose use is lent, of live and of test environments.
    pools: Arc<[Pool; 2]>,
    /// Which process this is, for those that share its database.
    pub node: [u8; 16],
    stopping: AtomicBool,
}

impl std::ops::Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    /// Ties the parts together. Nothing runs yet; see [`Stock::load`], [`Journal::run`] and [`crate::due::run`].
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { store, clock, rng, secret, carriers, settings } = parts;
        let directory = Directory::new(store.clone(), clock.clone(), settings.anonymous_per_minute);
        let mut node = [0; 16];
        rng.fill(&mut node);
        Self(Arc::new(Inner {
            directory,
            stock: Stock::default(),
            journal: Journal::default(),
            bell: Bell::default(),
            outbox: Bell::default(),
            fetcher: Fetcher::default(),
            post_office: PostOffice::default(),
            archive: Archive::default(),
            network: OnceLock::new(),
            switchboard: OnceLock::new(),
            rooms: OnceLock::new(),
            handsets: OnceLock::new(),
            lamps: LampsPort::new(),
            pulse: Pulse::default(),
            claims: Claims::default(),
            mailbox: Bell::default(),
            vault: Arc::new(Vault::new(secret.as_ref(), rng.clone())),
            passwords: Semaphore::new(PASSWORDS_AT_ONCE),
            questions: Semaphore::new(calls::QUESTIONS),
            turns: Turns::default(),
            asking: Turns::default(),
            pools: Arc::new([settings.leased_numbers.clone(), Pool::pocket()]),
            node,
            stopping: AtomicBool::new(false),
            store,
            clock,
            rng,
            carriers,
            settings,
        }))
    }

    /// From now on requests whose work has not begun are refused.
    pub fn begin_stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether the server is being stopped.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// The machine's time.
    #[must_use]
    pub fn machine_now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The clock and generator for use inside a unit of work.
    #[must_use]
    pub fn pen(&self) -> Pen {
        Pen {
            clock: self.clock.clone(),
            rng: self.rng.clone(),
            vault: self.vault.clone(),
            pools: self.pools.clone(),
            node: self.node,
        }
    }
}

/// What a unit of work writes with: time and randomness, without the rest of the platform.
#[derive(Clone)]
pub struct Pen {
    clock: Arc<dyn Clock>,
    /// The secure generator.
    pub rng: Arc<dyn Rng>,
    /// Seals what must not be readable in the database.
    pub vault: Arc<Vault>,
    /// Which process writes.
    pub node: [u8; 16],
    pools: Arc<[Pool; 2]>,
}

impl Pen {
    /// The machine's time.
    #[must_use]
    pub fn machine_now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The numbers whose use is lent in environments of a kind.
    #[must_use]
    pub fn pool(&self, kind: Environment) -> &Pool {
        let [live, test] = &*self.pools;
        match kind {
            Environment::Live => live,
            Environment::Test => test,
        }
    }

    /// Begins a unit of work about an environment's objects: such units of work come one after the other.
    ///
    /// # Errors
    /// `internal` where the environment does not exist, and faults of the store.
    pub fn open(&self, tx: &mut Tx, id: EnvironmentId) -> Result<Desk> {
        let settings = accounts::lock_environment(tx, id)?;
        let settings = settings.ok_or_else(|| Error::internal().because("a caller's environment does not exist"))?;
        let now = settings.clock.at(self.clock.now());
        Ok(Desk { pen: self.clone(), settings, now })
    }
}

/// A unit of work about one environment: its settings and its present, and how to write down what happens.
pub struct Desk {
    /// Time and randomness.
    pub pen: Pen,
    /// The environment.
    pub settings: EnvironmentSettings,
    /// The present, by the environment's clock.
    pub now: Timestamp,
}

impl Desk {
    /// A fresh id of any kind: `desk.id(NumberId::new)`.
    pub fn id<T>(&self, make: impl FnOnce(Timestamp, &dyn Rng) -> T) -> T {
        make(self.pen.machine_now(), &*self.pen.rng)
    }

    /// Appends to the event log.
    ///
    /// # Errors
    /// Faults of the store; so for all methods here.
    pub fn event(&self, tx: &mut Tx, object: &str, kind: EventKind, data: &serde_json::Value) -> Result<()> {
        let id = self.id(EventId::new);
        events::append(tx, id, self.settings.id, object, kind, data, self.now)?;
        if self.settings.has_webhooks { events::enqueue(tx, id, self.settings.id) } else { Ok(()) }
    }

    /// Appends many events, in order.
    pub fn events(&self, tx: &mut Tx, happened: Vec<(String, EventKind, serde_json::Value)>) -> Result<()> {
        let new = |(object, kind, data): (String, EventKind, serde_json::Value)| events::New {
            id: self.id(EventId::new),
            object,
            kind,
            data: data.to_string(),
        };
        let new: Vec<_> = happened.into_iter().map(new).collect();
        events::append_many(tx, self.settings.id, &new, self.now)?;
        if self.settings.has_webhooks {
            let ids: Vec<EventId> = new.iter().map(|event| event.id).collect();
            events::enqueue_many(tx, &ids, self.settings.id)?;
        }
        Ok(())
    }

    /// Keeps an explanation with its object.
    pub fn explain(&self, tx: &mut Tx, explanation: &Explanation) -> Result<()> {
        explanations::keep(tx, self.id(ExplanationId::new), self.settings.id, explanation, self.now)
    }

    /// Keeps many explanations.
    pub fn explain_many(&self, tx: &mut Tx, made: &[Explanation]) -> Result<()> {
        let made: Vec<_> = made.iter().map(|explanation| (self.id(ExplanationId::new), explanation)).collect();
        explanations::keep_many(tx, self.settings.id, &made, self.now)
    }

    /// Schedules many pieces of due work of one kind: for each its subject, step and time.
    pub fn schedule_many(&self, tx: &mut Tx, kind: &str, due: &[([u8; 16], i64, Timestamp)]) -> Result<()> {
        let job = |(subject, step, due_at): &([u8; 16], i64, Timestamp)| jobs::Job {
            id: self.id(JobId::new),
            environment: self.settings.id,
            kind: kind.to_owned(),
            subject: *subject,
            step: *step,
            due_at: *due_at,
            attempts: 0,
        };
        jobs::schedule_many(tx, &due.iter().map(job).collect::<Vec<_>>(), self.settings.clock)
    }

    /// Schedules due work, by this environment's clock.
    pub fn schedule(&self, tx: &mut Tx, kind: &str, subject: [u8; 16], step: i64, due_at: Timestamp) -> Result<()> {
        let job = jobs::Job {
            id: self.id(JobId::new),
            environment: self.settings.id,
            kind: kind.to_owned(),
            subject,
            step,
            due_at,
            attempts: 0,
        };
        jobs::schedule(tx, &job, self.settings.clock)
    }
}
