//! Trunks: whether they answer (OPTIONS, RFC 3261 section 11), and our registration with them (section 10.2).

use std::{
    sync::{Arc, atomic::AtomicU32},
    time::{Duration, Instant},
};

use rsipstack::sip::{Method, Response};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    Login, Target,
    admission::backoff,
    core::{Core, Outcome},
    message::{self, Draft, field, list},
    net::Unreached,
    wire::Address,
};

/// A trunk to watch.
#[derive(Debug, Clone)]
pub struct TrunkConfig {
    /// Its address: `sip:HOST`, with a port and a transport where it needs them.
    pub uri: String,
    /// Where requests are sent.
    pub target: Target,
    /// How often it is asked whether it is there. `None` asks never.
    pub ping: Option<Duration>,
    /// Our registration there.
    pub registration: Option<RegistrationConfig>,
}

/// A registration of ours.
#[derive(Debug, Clone)]
pub struct RegistrationConfig {
    /// What we register: `sip:USER@HOST`.
    pub aor: String,
    /// What answers the challenge.
    pub login: Login,
    /// For how many seconds we ask.
    pub expires: u32,
    /// The wait after the first failure; it doubles up to five minutes.
    pub retry: Duration,
}

/// Whether a trunk answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It was not asked yet.
    Unknown,
    /// It answers.
    Up {
        /// How long its last answer took.
        round_trip: Duration,
    },
    /// It does not, or says that it is out of service.
    Down {
        /// What it said, where it said something.
        status: Option<u16>,
        /// Why it could not be asked, where it could not.
        unreached: Option<Unreached>,
        /// How often in a row.
        failures: u32,
    },
}

/// Our registration with a trunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registration {
    /// There is none.
    None,
    /// It holds.
    Held {
        /// For how many seconds, from when it was granted.
        expires: u32,
    },
    /// It was refused: with wrong credentials it will be again.
    Refused {
        /// The status.
        status: u16,
        /// How often in a row.
        tries: u32,
    },
    /// The trunk does not answer.
    Unanswered {
        /// Why it could not be asked, where it could not.
        unreached: Option<Unreached>,
        /// How often in a row.
        tries: u32,
    },
}

/// A trunk that is watched. Dropping it ends that, and the registration.
#[derive(Debug)]
pub struct Trunk {
    health: watch::Receiver<Health>,
    registration: watch::Receiver<Registration>,
    _alive: DropGuard,
}

impl Trunk {
    /// Whether it answers.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health.borrow().clone()
    }

    /// Whether we are registered.
    #[must_use]
    pub fn registration(&self) -> Registration {
        self.registration.borrow().clone()
    }

    /// Changes of its health.
    #[must_use]
    pub fn watch_health(&self) -> watch::Receiver<Health> {
        self.health.clone()
    }

    /// Changes of the registration.
    #[must_use]
    pub fn watch_registration(&self) -> watch::Receiver<Registration> {
        self.registration.clone()
    }
}

/// Watches a trunk.
pub(crate) fn start(core: &Arc<Core>, config: TrunkConfig) -> Trunk {
    let (up, health) = watch::channel(Health::Unknown);
    let (held, registration) = watch::channel(Registration::None);
    let dropped = CancellationToken::new();
    if let Some(interval) = config.ping {
        tokio::spawn(ping(Arc::clone(core), config.clone(), interval, up, dropped.clone()));
    }
    if let Some(wanted) = config.registration.clone() {
        let client = Client::new(Arc::clone(core), config, wanted);
        tokio::spawn(client.run(held, dropped.clone()));
    }
    Trunk { health, registration, _alive: dropped.drop_guard() }
}

async fn ping(core: Arc<Core>, config: TrunkConfig, interval: Duration, up: watch::Sender<Health>, dropped: CancellationToken) {
    let mut failures = 0_u32;
    loop {
        let begun = Instant::now();
        let outcome = tokio::select! {
            () = dropped.cancelled() => return,
            () = core.flows.stop.cancelled() => return,
            outcome = options(&core, &config) => outcome,
        };
        // Any answer is a sign of life, but not one that says that it is none.
        failures = failures.saturating_add(1);
        let health = match &outcome {
            Ok(Outcome::Answered(response)) => match response.status_code.code() {
                status @ (408 | 502..=504) => Health::Down { status: Some(status), unreached: None, failures },
                _ => {
                    failures = 0;
                    Health::Up { round_trip: begun.elapsed() }
                }
            },
            Ok(_) => Health::Down { status: None, unreached: None, failures },
            Err(why) => Health::Down { status: None, unreached: Some(why.clone()), failures },
        };
        up.send_replace(health);
        tokio::select! {
            () = dropped.cancelled() => return,
            () = core.flows.stop.cancelled() => return,
            () = tokio::time::sleep(interval.saturating_sub(begun.elapsed())) => {}
        }
    }
}

async fn options(core: &Core, config: &TrunkConfig) -> Result<Outcome, Unreached> {
    let flow = core.find(&config.target, &config.uri).await?;
    let draft = Draft {
        uri: config.uri.clone(),
        from: format!("<sip:{}>;tag={}", flow.local, message::random(16)),
        to: format!("<{}>", config.uri),
        call_id: message::random(32),
        cseq: 1,
        contact: Some(core.contact(&flow)),
        max_forwards: 70,
        fields: vec![("Accept".to_owned(), "application/sdp".to_owned())],
        ..Draft::default()
    };
    Ok(match draft.write(Method::Options, &core.config.product, &flow) {
        Some(request) => core.send(&flow, request, None, || 2).await,
        None => Outcome::Unreachable,
    })
}

/// What keeps a registration.
struct Client {
    core: Arc<Core>,
    config: TrunkConfig,
    wanted: RegistrationConfig,
    call_id: String,
    seq: AtomicU32,
}

impl Client {
    fn new(core: Arc<Core>, config: TrunkConfig, wanted: RegistrationConfig) -> Self {
        Self { core, config, wanted, call_id: message::random(32), seq: AtomicU32::new(0) }
    }

    fn next(&self) -> u32 {
        self.seq.fetch_add(1, std::sync::atomic::Ordering::Relaxed).wrapping_add(1)
    }

    async fn run(self, held: watch::Sender<Registration>, dropped: CancellationToken) {
        let (mut tries, mut expires) = (0_u32, self.wanted.expires);
        loop {
            let outcome = tokio::select! {
                () = dropped.cancelled() => break,
                () = self.core.flows.stop.cancelled() => return,
                outcome = self.register(expires) => outcome,
            };
            let (outcome, unreached) = match outcome {
                Ok(outcome) => (outcome, None),
                Err(why) => (Outcome::Unreachable, Some(why)),
            };
            let wait = match &outcome {
                Outcome::Answered(response) if outcome.status() < 300 => {
                    tries = 0;
                    let granted = granted(response, &self.wanted.aor, expires);
                    held.send_replace(Registration::Held { expires: granted });
                    Duration::from_millis(u64::from(granted) * 750)
                }
                Outcome::Answered(response) if outcome.status() == 423 && least(response) > expires => {
                    expires = least(response);
                    Duration::ZERO
                }
                _ => {
                    tries = tries.saturating_add(1);
                    held.send_replace(match (&outcome, outcome.status()) {
                        (Outcome::Answered(_), status) if status != 408 => Registration::Refused { status, tries },
                        _ => Registration::Unanswered { unreached, tries },
                    });
                    backoff(tries - 1, self.wanted.retry, Duration::from_secs(300))
                }
            };
            tokio::select! {
                () = dropped.cancelled() => break,
                () = self.core.flows.stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
        if matches!(*held.borrow(), Registration::Held { .. }) {
            let _ = self.register(0).await; // the trunk forgets us in any case when the time is over
        }
    }

    async fn register(&self, expires: u32) -> Result<Outcome, Unreached> {
        let flow = self.core.find(&self.config.target, &self.config.uri).await?;
        let user = message::user(&self.wanted.aor).unwrap_or_default();
        let contact = self.core.contact(&flow).replacen("<sip:", &format!("<sip:{user}@"), 1);
        let draft = Draft {
            uri: self.config.uri.clone(),
            from: format!("<{}>;tag={}", self.wanted.aor, message::random(16)),
            to: format!("<{}>", self.wanted.aor),
            call_id: self.call_id.clone(),
            cseq: self.next(),
            contact: Some(contact),
            max_forwards: 70,
            fields: vec![("Expires".to_owned(), expires.to_string())],
            ..Draft::default()
        };
        Ok(match draft.write(Method::Register, &self.core.config.product, &flow) {
            Some(request) => self.core.send(&flow, request, Some(&self.wanted.login), || self.next()).await,
            None => Outcome::Unreachable,
        })
    }
}

/// The shortest registration that a trunk takes.
fn least(response: &Response) -> u32 {
    field(&response.headers, "Min-Expires").and_then(|least| least.parse().ok()).unwrap_or(0)
}

/// For how long a registration was granted: what the contact says, or else the answer.
fn granted(response: &Response, aor: &str, asked: u32) -> u32 {
    let ours = |contact: &Address<'_>| message::user(contact.uri) == message::user(aor);
    let contacts = list(&response.headers, "Contact").filter_map(Address::cut).filter(ours);
    let contacts = contacts.filter_map(|contact| contact.parameter("expires")?.parse::<u32>().ok());
    let said = contacts.min().or_else(|| field(&response.headers, "Expires")?.parse().ok());
    said.unwrap_or(asked).clamp(1, asked.max(1))
}
