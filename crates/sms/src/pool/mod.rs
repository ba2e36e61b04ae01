//! The binds of this process and what goes through them: messages from the queue to the SMSC that fits best, answers and receipts
//! back into the store.

mod dispatch;
mod record;
mod settings;

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, atomic::Ordering},
};

use async_trait::async_trait;
use tandem_app::{
    App,
    magic::MagicNumbers,
    messages::gateway::{self, Outgoing, Route},
    smscs::{BindStatus, Network, PocketMessage},
};
use tandem_kernel::{Environment, EnvironmentId, SmscId, Timestamp, hex};
use tokio::{
    net::TcpListener,
    sync::{Notify, mpsc, watch},
    task::JoinHandle,
};

pub use settings::config_of;

use crate::{
    bind::{self, Ack, Config, Gauges, Part, Phase, Report, State, UNACKNOWLEDGED, Wires},
    locked,
    smsc::{Esme, Options, Smsc, Times, scenarios},
};

/// Parts that wait for each place in a bind's window.
const AHEAD: usize = 3;
const LEAST_AHEAD: usize = 100;
/// The part of them, one in so many, that must be free before messages are taken for them.
const WORTH: usize = 4;
/// Reports that wait for the store; binds stop reading when there are more.
const REPORTS: usize = 8_192;

/// Text messages: the pocket network's SMSC and the pool of binds. Cheap to clone.
#[derive(Clone)]
pub struct Sms(Arc<Shared>);

pub(crate) struct Shared {
    app: App,
    smsc: Smsc,
    listener: Arc<TcpListener>,
    address: SocketAddr,
    platform: Esme,
    binds: Mutex<HashMap<SmscId, Bind>>,
    /// Rung when a bind has changed its state or has room.
    changed: Arc<Notify>,
    /// Rung when SMSCs or fault rules are to be read again.
    stale: Notify,
}

/// A bind that runs.
struct Bind {
    config: Arc<Config>,
    parts: mpsc::Sender<Part>,
    /// What did not fit into `parts`.
    overflow: VecDeque<Part>,
    acks: mpsc::Sender<(Ack, u32)>,
    phase: watch::Sender<Phase>,
    gauges: Arc<Gauges>,
    task: JoinHandle<Vec<Part>>,
}

/// The environments' clocks, as the platform knows them.
struct Clocks(App);

#[async_trait]
impl Times for Clocks {
    async fn now(&self, environment: [u8; 16]) -> Option<Timestamp> {
        let entry = self.0.directory.environment(EnvironmentId::from_bytes(environment)).await.ok()?;
        Some(entry.settings.clock.at(self.0.machine_now()))
    }
}

impl Sms {
    /// The SMSC of the pocket network on a listener, with applications of others that may bind, and the pool. Nothing runs yet.
    ///
    /// # Errors
    /// What the system says of the listener.
    pub fn new(app: &App, listener: TcpListener, others: Vec<Esme>) -> std::io::Result<Self> {
        let mut secret = [0; 4];
        app.rng.fill(&mut secret);
        let password = hex(&secret);
        let platform = Esme { system_id: "tandem".to_owned(), password, numbers: Vec::new() };
        let mut options = Options::new(platform.clone());
        (options.others, options.clock, options.times) = (others, app.clock.clone(), Arc::new(Clocks(app.clone())));
        let sms = Self(Arc::new(Shared {
            app: app.clone(),
            smsc: Smsc::new(options),
            address: listener.local_addr()?,
            listener: Arc::new(listener),
            platform,
            binds: Mutex::default(),
            changed: Arc::default(),
            stale: Notify::new(),
        }));
        let network: Arc<dyn Network> = Arc::new(sms.clone());
        let _ = app.network.set(network); // there is one in each process
        Ok(sms)
    }

    /// Where the SMSC of the pocket network answers.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// The SMSC of the pocket network.
    #[must_use]
    pub fn smsc(&self) -> &Smsc {
        &self.0.smsc
    }

    /// Runs the SMSC of the pocket network until `stop`.
    pub async fn serve_pocket(self, stop: watch::Receiver<bool>) {
        self.0.smsc.clone().run(self.0.listener.clone(), stop).await;
    }

    /// Runs the pool until `stop`; then unbinds in good order and writes down what is known.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        let (reports, heard) = mpsc::channel(REPORTS);
        let recorder = tokio::spawn(record::run(self.0.clone(), heard));
        dispatch::run(&self.0, reports, stop).await;
        let _ = recorder.await; // it ends when the last bind has, and a panic in it was reported
    }
}

impl Shared {
    /// Starts a bind.
    fn start(&self, config: Config, reports: &mpsc::Sender<Report>) {
        let id = config.id;
        let config = Arc::new(config);
        let (parts, to_submit) = mpsc::channel((config.window * AHEAD).max(LEAST_AHEAD));
        let (acks, acknowledged) = mpsc::channel(2 * UNACKNOWLEDGED);
        let (phase, phases) = watch::channel(Phase::Running);
        let gauges = Arc::new(Gauges::default());
        let wires = Wires {
            parts: to_submit,
            acks: acknowledged,
            reports: reports.clone(),
            phase: phases,
            gauges: gauges.clone(),
            changed: self.changed.clone(),
        };
        let task = tokio::spawn(bind::run(config.clone(), wires, self.app.clock.clone(), self.app.rng.clone()));
        let bind = Bind { config, parts, overflow: VecDeque::new(), acks, phase, gauges, task };
        locked(&self.binds).insert(id, bind);
    }

    /// Ends a bind in good order; what it leaves.
    async fn finish(&self, bind: Bind) -> Vec<Part> {
        let Bind { config, parts, overflow, acks, phase, task, .. } = bind;
        phase.send_replace(Phase::Ending);
        drop(parts);
        let mut left = task.await.unwrap_or_else(|fault| {
            tracing::error!(smsc = %config.id, %fault, "a bind died; what it had is taken up at the next start");
            Vec::new()
        });
        drop(acks);
        left.extend(overflow);
        left
    }

    /// Where messages of a network can go now, the cheapest first.
    fn routes(&self, kind: Environment) -> Vec<Route> {
        let binds = locked(&self.binds);
        let mut open: Vec<&Bind> = binds.values().filter(|bind| bind.config.kind == kind && bind.is_open()).collect();
        open.sort_by_key(|bind| bind.preference());
        let route = |bind: &&Bind| Route { smsc: bind.config.id, prefixes: bind.config.prefixes.clone(), room: bind.room() };
        open.iter().map(route).collect()
    }

    /// The SMSC of a part that an older version may have submitted: where it would have gone first, bound or not.
    fn guess(&self, kind: Environment, outgoing: &Outgoing) -> Option<SmscId> {
        let binds = locked(&self.binds);
        let mut fitting: Vec<&Bind> = binds.values().filter(|bind| bind.config.kind == kind && bind.config.mode.sends()).collect();
        fitting.sort_by_key(|bind| bind.preference());
        let route = |bind: &&Bind| Route { smsc: bind.config.id, prefixes: bind.config.prefixes.clone(), room: 0 };
        gateway::choose(&fitting.iter().map(route).collect::<Vec<_>>(), outgoing.to).map(|route| route.smsc)
    }

    /// Hands a part to its bind; back if there is none. What may have been submitted waits there, bound or not.
    fn place(&self, smsc: SmscId, part: Part) -> Option<Part> {
        let mut binds = locked(&self.binds);
        let Some(bind) = binds.get_mut(&smsc).filter(|bind| bind.is_open() || part.outgoing.again) else { return Some(part) };
        bind.take(part);
        None
    }

    /// Whether an SMSC takes a long text as one.
    fn takes_whole(&self, smsc: SmscId) -> bool {
        locked(&self.binds).get(&smsc).is_some_and(|bind| bind.config.long == bind::Long::Payload)
    }

    fn flush(&self) {
        for bind in locked(&self.binds).values_mut() {
            bind.flush();
        }
    }
}

impl Bind {
    fn is_open(&self) -> bool {
        self.config.mode.sends() && !self.config.drained && self.gauges.state() == State::Bound
    }

    /// Of two that fit equally well the lesser one is asked first.
    fn preference(&self) -> (i64, SmscId) {
        (self.config.cost, self.config.id)
    }

    /// How many messages it has room for; none until that is worth a look into the queue.
    fn room(&self) -> usize {
        let (room, most) = (self.parts.capacity(), self.parts.max_capacity());
        if self.overflow.is_empty() && room * WORTH >= most { room } else { 0 }
    }

    fn take(&mut self, part: Part) {
        self.overflow.push_back(part);
        self.flush();
    }

    fn flush(&mut self) {
        while let Some(part) = self.overflow.pop_front() {
            if let Err(mpsc::error::TrySendError::Full(part) | mpsc::error::TrySendError::Closed(part)) = self.parts.try_send(part)
            {
                self.overflow.push_front(part);
                return;
            }
        }
    }
}

impl Network for Sms {
    fn binds(&self) -> Vec<BindStatus> {
        let binds = locked(&self.0.binds);
        let status = |(id, bind): (&SmscId, &Bind)| {
            let gauges = &bind.gauges;
            BindStatus {
                smsc: *id,
                state: gauges.state().as_str(),
                in_flight: u64::try_from(gauges.in_flight.load(Ordering::Relaxed)).unwrap_or(0),
                submitted: gauges.submitted.load(Ordering::Relaxed),
                accepted: gauges.accepted.load(Ordering::Relaxed),
                refused: gauges.refused.load(Ordering::Relaxed),
                throttled: gauges.throttled.load(Ordering::Relaxed),
                lost: gauges.lost.load(Ordering::Relaxed),
                receipts: gauges.receipts.load(Ordering::Relaxed),
                incoming: gauges.incoming.load(Ordering::Relaxed),
                binds: gauges.binds.load(Ordering::Relaxed),
                last_error: gauges.last_error(),
            }
        };
        binds.iter().map(status).collect()
    }

    fn changed(&self) {
        self.0.stale.notify_one();
    }

    fn received(&self, environment: EnvironmentId, number: &str) -> Vec<PocketMessage> {
        let found = self.0.smsc.received(Some(*environment.as_bytes()), number).into_iter();
        let message = |received: crate::smsc::Received| PocketMessage {
            from: if received.from.bytes().all(|byte| byte.is_ascii_digit()) && received.from.len() > 6 {
                format!("+{}", received.from)
            } else {
                received.from
            },
            text: received.text,
            parts: u64::try_from(received.parts).unwrap_or(1),
            at: received.at,
        };
        found.map(message).collect()
    }

    fn send(&self, environment: EnvironmentId, from: &str, to: &str, text: &str) -> bool {
        self.0.smsc.send(Some(*environment.as_bytes()), from, to, text)
    }

    fn magic_numbers(&self) -> Vec<MagicNumbers> {
        scenarios().iter().map(|scenario| scenario.listed("message")).collect()
    }
}
