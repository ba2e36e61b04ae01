//! The SMSC of the pocket network: a real SMPP server inside the program.
//!
//! What it does with a message is decided by its recipient ([`scenarios`]) and by fault rules. It also serves applications of others:
//! what they send to numbers that nobody claims arrives at the platform, and what the platform sends to a number that one of them
//! claims is delivered to it.

mod faults;
mod inbox;
mod known;
mod outbox;
mod receipt;
mod scenario;
mod session;

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use tandem_kernel::{Clock, SystemClock, Timestamp};
use tokio::{
    net::TcpListener,
    sync::{Notify, Semaphore, watch},
    task::JoinSet,
};

pub use faults::{Effect, Fault, FaultPlace};
pub use inbox::{Received, digits};
pub use receipt::{State, Style};
pub use scenario::{Scenario, magic_recipients_page, scenarios};

use self::{
    faults::Faults,
    inbox::Inbox,
    known::{Known, Message},
    outbox::{Delivery, System},
    scenario::{Trick, trick_of},
};
use crate::locked;
use crate::wire::{Address, Place, Short, alphabet};

/// How long a message is delayed that is to come late.
const LATE: i64 = 3600;
/// The same where no environment's clock is known.
const LATE_ELSEWHERE: Duration = Duration::from_secs(5);
/// How often the clocks of environments are looked at while something waits for them.
const LOOK: Duration = Duration::from_millis(50);
/// Messages that may wait for a clock; what is beyond that does not wait.
const MOST_LATE: usize = 100_000;
/// How long sessions get at the end.
const GOODBYE: Duration = Duration::from_secs(3);

/// The clocks of environments.
#[async_trait]
pub trait Times: Send + Sync {
    /// The environment's time, if there is such an environment.
    async fn now(&self, environment: [u8; 16]) -> Option<Timestamp>;
}

/// Where no environments are known.
#[derive(Debug, Clone, Copy)]
pub struct NoTimes;

#[async_trait]
impl Times for NoTimes {
    async fn now(&self, _: [u8; 16]) -> Option<Timestamp> {
        None
    }
}

/// An application that may bind.
#[derive(Clone, PartialEq, Eq)]
pub struct Esme {
    /// What it calls itself.
    pub system_id: String,
    /// What it proves that with.
    pub password: String,
    /// The numbers that it claims, by their beginnings: messages to them are delivered to it.
    pub numbers: Vec<String>,
}

/// What the SMSC is made of.
#[derive(Clone)]
pub struct Options {
    /// Our own platform's credentials.
    pub platform: Esme,
    /// Others that may bind.
    pub others: Vec<Esme>,
    /// Connections at once.
    pub sessions: usize,
    /// Octets of a command at the most.
    pub largest: usize,
    /// Submits of a session whose answers may be outstanding.
    pub window: usize,
    /// Deliveries to a session whose answers may be outstanding.
    pub deliveries: usize,
    /// How long a connection may stay silent before it is asked whether it is there, and again before it is closed.
    pub idle: Duration,
    /// The machine's clock.
    pub clock: Arc<dyn Clock>,
    /// The environments' clocks.
    pub times: Arc<dyn Times>,
}

impl Options {
    /// The usual limits.
    #[must_use]
    pub fn new(platform: Esme) -> Self {
        Self {
            platform,
            others: Vec::new(),
            sessions: 500,
            largest: 64 * 1024,
            window: 1000,
            deliveries: 200,
            idle: Duration::from_secs(60),
            clock: Arc::new(SystemClock),
            times: Arc::new(NoTimes),
        }
    }
}

/// What the SMSC has counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Submits that were taken, each message part once.
    pub taken: u64,
    /// Submits of a part that was known already.
    pub repeated: u64,
    /// Submits that were refused, throttling included.
    pub refused: u64,
    /// Deliveries that were acknowledged.
    pub delivered: u64,
    /// Sessions now.
    pub sessions: usize,
}

#[derive(Default)]
struct Counters {
    taken: AtomicU64,
    repeated: AtomicU64,
    refused: AtomicU64,
    delivered: AtomicU64,
    sessions: AtomicUsize,
}

/// The SMSC. Cheap to clone.
#[derive(Clone)]
pub struct Smsc(Arc<Inner>);

struct Inner {
    options: Options,
    systems: HashMap<String, Arc<System>>,
    known: Mutex<Known>,
    inbox: Mutex<Inbox>,
    faults: Mutex<Faults>,
    late: Mutex<Vec<Late>>,
    late_bell: Notify,
    references: AtomicU64,
    /// When it began, for names.
    began: u64,
    room: Arc<Semaphore>,
    counters: Counters,
    /// Grows when all connections are to be cut: for tests of what becomes of messages then.
    cuts: watch::Sender<u64>,
}

/// What waits for a clock.
struct Late {
    id: u64,
    environment: Option<[u8; 16]>,
    due: Option<Timestamp>,
    elsewhere: Instant,
}

impl Smsc {
    /// An SMSC that answers nobody yet.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let all = std::iter::once(&options.platform).chain(&options.others);
        let systems = all.map(|esme| (esme.system_id.clone(), Arc::new(System::new(esme.clone())))).collect();
        let first = u64::try_from(options.clock.now().micros()).unwrap_or(1);
        Self(Arc::new(Inner {
            systems,
            known: Mutex::new(Known::new(first)),
            inbox: Mutex::default(),
            faults: Mutex::default(),
            late: Mutex::default(),
            late_bell: Notify::new(),
            references: AtomicU64::new(1),
            began: first,
            room: Arc::new(Semaphore::new(options.sessions)),
            counters: Counters::default(),
            cuts: watch::Sender::new(0),
            options,
        }))
    }

    /// Answers on a listener until `stop`; sessions then have a few seconds to end by themselves.
    pub async fn run(self, listener: Arc<TcpListener>, mut stop: watch::Receiver<bool>) {
        let (end, ended) = watch::channel(false);
        let mut sessions = JoinSet::new();
        sessions.spawn(self.clone().keep_late(stop.clone()));
        while !*stop.borrow() {
            tokio::select! {
                taken = listener.accept() => match taken {
                    Ok((stream, peer)) => self.admit(&mut sessions, stream, peer, &ended),
                    Err(fault) => {
                        tracing::warn!(%fault, "the pocket SMSC cannot take a connection");
                        tokio::time::sleep(LOOK).await;
                    }
                },
                Some(_) = sessions.join_next() => {}
                _ = stop.changed() => {}
            }
        }
        // Whoever is bound may finish what it has: our own binds end at the same time.
        let _ = tokio::time::timeout(GOODBYE, async { while sessions.join_next().await.is_some() {} }).await;
        end.send_replace(true);
        while sessions.join_next().await.is_some() {}
    }

    fn admit(&self, sessions: &mut JoinSet<()>, stream: tokio::net::TcpStream, peer: SocketAddr, stop: &watch::Receiver<bool>) {
        let Ok(permit) = self.0.room.clone().try_acquire_owned() else {
            tracing::warn!(%peer, "the pocket SMSC has no room for another session");
            return;
        };
        let ready: io::Result<()> = stream.set_nodelay(true);
        if let Err(fault) = ready {
            tracing::debug!(%peer, %fault, "a connection to the pocket SMSC ended at once");
            return;
        }
        let (inner, stop) = (self.0.clone(), stop.clone());
        sessions.spawn(async move {
            inner.counters.sessions.fetch_add(1, Ordering::Relaxed);
            session::serve(&inner, stream, stop).await;
            inner.counters.sessions.fetch_sub(1, Ordering::Relaxed);
            drop(permit);
        });
    }

    /// What a handset has received, the oldest first.
    #[must_use]
    pub fn received(&self, environment: Option<[u8; 16]>, number: &str) -> Vec<Received> {
        locked(&self.0.inbox).messages(&(environment, digits(number)))
    }

    /// A handset sends a message to a number of the platform's: whoever of the platform is bound to receive gets it, now or later.
    /// False where there is no room.
    #[must_use]
    pub fn send(&self, environment: Option<[u8; 16]>, from: &str, to: &str, text: &str) -> bool {
        let Some(system) = self.0.systems.get(&self.0.options.platform.system_id) else { return false };
        let parts = self.0.cut(environment, from, to, text);
        let refused = parts.into_iter().filter(|short| !system.push(Delivery::message(short.clone())));
        refused.count() == 0
    }

    /// Sets the fault rules, in the order in which they are looked at.
    pub fn set_faults(&self, rules: &[Fault]) {
        locked(&self.0.faults).set(rules);
    }

    /// What was counted.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let counters = &self.0.counters;
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            taken: count(&counters.taken),
            repeated: count(&counters.repeated),
            refused: count(&counters.refused),
            delivered: count(&counters.delivered),
            sessions: counters.sessions.load(Ordering::Relaxed),
        }
    }

    /// Cuts all connections, as a network does.
    pub fn cut_all(&self) {
        self.0.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Delivers what was to come late when its clock says so.
    async fn keep_late(self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let idle = locked(&self.0.late).is_empty();
            tokio::select! {
                () = self.0.late_bell.notified(), if idle => {}
                () = tokio::time::sleep(LOOK), if !idle => self.0.look_at_clocks().await,
                _ = stop.changed() => {}
            }
        }
    }
}

/// What is done about a submit.
enum Answer {
    /// It is answered with this id; `after` that the receipt comes.
    Taken { id: String, number: u64, first: bool },
    /// It is answered with a status.
    Refused(u32),
}

impl Inner {
    fn now(&self) -> Timestamp {
        self.options.clock.now()
    }

    /// Takes a submit, or says why not. What was taken before under the same name is not taken again.
    fn take(&self, system: &Arc<System>, short: &Short) -> (Answer, Trick) {
        let trick = trick_of(&short.to.text);
        let mut known = locked(&self.known);
        if let Some((number, id)) = short.vendor_part.as_ref().and_then(|part| known.find(part)) {
            self.counters.repeated.fetch_add(1, Ordering::Relaxed);
            return (Answer::Taken { id, number, first: false }, trick);
        }
        let refusal = match trick {
            Trick::Refused(status) => Some(status),
            Trick::Full(status) if known.is_put_off(short) => Some(status),
            _ if system.is_full() => Some(crate::wire::status::QUEUE_FULL),
            _ => None,
        };
        if let Some(status) = refusal {
            self.counters.refused.fetch_add(1, Ordering::Relaxed);
            return (Answer::Refused(status), trick);
        }
        let style = if let Trick::Written(style) = trick { style } else { Style::Usual };
        let number =
            known.add(Message { short: short.clone(), system: system.clone(), style, taken: self.now(), state: State::EnRoute });
        drop(known);
        self.counters.taken.fetch_add(1, Ordering::Relaxed);
        (Answer::Taken { id: style.answer_id(number), number, first: true }, trick)
    }

    /// What becomes of a message that was taken, as far as that happens by itself.
    fn follow(&self, number: u64, trick: Trick) {
        match trick {
            Trick::Ends(state) => self.conclude(number, state, 1),
            Trick::Twice => self.conclude(number, State::Delivered, 2),
            Trick::Silent | Trick::Refused(_) => {}
            Trick::Late => self.delay(number),
            Trick::EnRoute => {
                self.tell(number, State::EnRoute, 1);
                self.conclude(number, State::Delivered, 1);
            }
            Trick::Early | Trick::Full(_) | Trick::Mute | Trick::Cut | Trick::Written(_) => {
                self.conclude(number, State::Delivered, 1);
            }
        }
    }

    /// Ends a message: on a handset, with another application, or nowhere; `times` receipts say so.
    fn conclude(&self, number: u64, state: State, times: usize) {
        if state == State::Delivered {
            let found = locked(&self.known).get(number).map(|message| (message.short.clone(), message.system.clone()));
            let Some((short, from)) = found else { return };
            if let Some(to) = self.destination(&short, &from) {
                // The receipt comes when the other side has acknowledged it.
                if !to.push(Delivery { short: passed_on(short), about: Some(number), tries: 0 }) {
                    self.end(number, State::Undeliverable, times);
                }
                return;
            }
            locked(&self.inbox).receive(&short, self.now(), Instant::now());
        }
        self.end(number, state, times);
    }

    /// Who gets a message: whoever claims its number, the platform for what others send, nobody for what a handset gets.
    fn destination(&self, short: &Short, from: &Arc<System>) -> Option<&Arc<System>> {
        let to = digits(&short.to.text);
        let claims = |system: &&Arc<System>| system.claims(&to) && !Arc::ptr_eq(system, from);
        let platform = || self.systems.get(&self.options.platform.system_id).filter(|platform| !Arc::ptr_eq(platform, from));
        self.systems.values().find(claims).or_else(platform)
    }

    fn end(&self, number: u64, state: State, times: usize) {
        if locked(&self.known).end(number, state, self.now()) {
            self.tell(number, state, times);
        }
    }

    /// Sends receipts to whoever sent the message, as the fault rules let it.
    fn tell(&self, number: u64, state: State, times: usize) {
        let found = locked(&self.known).get(number).filter(|message| state.is_wanted(message.short.registered)).map(|message| {
            let about = receipt::About { message: &message.short, id: number, taken: message.taken, at: self.now() };
            (receipt::write(&about, state, message.style), message.system.clone())
        });
        let Some((receipt, system)) = found else { return };
        let effect = locked(&self.faults).decide(receipt.vendor_environment, FaultPlace::Receipt);
        let (times, delay) = match effect {
            Some(Effect::Drop) => return,
            Some(Effect::Duplicate) => (times + 1, None),
            Some(Effect::Delay(millis) | Effect::Reorder(millis)) => (times, Some(millis)),
            Some(Effect::Error(_)) | None => (times, None),
        };
        let deliver = move || {
            for _ in 0..times {
                // One that finds no room is lost, as with any SMSC; a full queue refuses submits long before.
                let _ = system.push(Delivery::message(receipt.clone()));
            }
        };
        match delay {
            None => deliver(),
            Some(millis) => {
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(millis)).await;
                    deliver();
                });
            }
        }
    }

    fn delay(&self, number: u64) {
        let environment = locked(&self.known).get(number).and_then(|message| message.short.vendor_environment);
        let mut late = locked(&self.late);
        if late.len() >= MOST_LATE {
            drop(late);
            return self.conclude(number, State::Delivered, 1);
        }
        late.push(Late { id: number, environment, due: None, elsewhere: Instant::now() + LATE_ELSEWHERE });
        drop(late);
        self.late_bell.notify_one();
    }

    async fn look_at_clocks(&self) {
        let environments: std::collections::HashSet<_> = locked(&self.late).iter().filter_map(|late| late.environment).collect();
        let mut clocks = HashMap::new();
        for environment in environments {
            if let Some(now) = self.options.times.now(environment).await {
                clocks.insert(environment, now);
            }
        }
        let mut due = Vec::new();
        locked(&self.late).retain_mut(|late| {
            let ready = match late.environment.and_then(|environment| clocks.get(&environment)) {
                Some(now) => *now >= *late.due.get_or_insert(now.plus_seconds(LATE)),
                None => Instant::now() >= late.elsewhere,
            };
            if ready {
                due.push(late.id);
            }
            !ready
        });
        for number in due {
            self.conclude(number, State::Delivered, 1);
        }
    }

    /// A text from a handset, cut into parts as handsets do.
    fn cut(&self, environment: Option<[u8; 16]>, from: &str, to: &str, text: &str) -> Vec<Short> {
        let (data_coding, octets) = alphabet::write(text);
        let cut = tandem_domain::message::segment::cut(text).map_or_else(|_| vec![octets], |cut| cut.parts);
        let of = u8::try_from(cut.len()).unwrap_or(1);
        let number = self.references.fetch_add(1, Ordering::Relaxed);
        let reference = u8::try_from(number % 256).unwrap_or(0);
        let part = |(text, part): (Vec<u8>, u8)| Short {
            from: address(from),
            to: address(to),
            esm_class: if of > 1 { 0x40 } else { 0 },
            data_coding,
            header: if of > 1 { vec![0, 3, reference, of, part] } else { Vec::new() },
            place: (of > 1).then_some(Place { reference: reference.into(), part, of }),
            text,
            vendor_part: Some(name(self.began, number, part)),
            vendor_environment: environment,
            ..Short::default()
        };
        cut.into_iter().zip(1..).map(part).collect()
    }
}

/// The name of a part that a handset sends: no other has it, and neither has one of another start.
fn name(began: u64, number: u64, part: u8) -> [u8; 17] {
    let octets = began.to_be_bytes().into_iter().chain(number.to_be_bytes()).chain([part]);
    let mut name = [0; 17];
    name.iter_mut().zip(octets).for_each(|(to, octet)| *to = octet);
    name
}

/// An address as networks write it: digits without the `+`, or letters.
fn address(text: &str) -> Address {
    let plain = digits(text);
    let numeric = !plain.is_empty() && plain.bytes().all(|byte| byte.is_ascii_digit());
    let (ton, npi) = if numeric { (1, 1) } else { (5, 0) };
    Address { ton, npi, text: plain }
}

/// What one application sent, as another gets it: the names that our own binds give are nobody else's business.
fn passed_on(short: Short) -> Short {
    let esm_class = short.esm_class & 0x40;
    Short { esm_class, registered: 0, validity: String::new(), vendor_part: None, vendor_environment: None, ..short }
}
