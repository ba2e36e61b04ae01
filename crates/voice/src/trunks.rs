//! Trunks are asked whether they are there, and registered with, as the operator describes them now; what they answer decides whether
//! they get calls.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tandem_app::{App, trunks};
use tandem_domain::trunk::{self, Health, OwnRegistration, Trunk};
use tandem_kernel::TrunkId;
use tandem_sip::{Login, Registration, RegistrationConfig, Target, Transport, TrunkConfig};
use tokio::{sync::watch, task::JoinHandle};

use crate::house::House;

/// How often it is looked whether trunks were changed.
const LOOK: Duration = Duration::from_secs(2);
/// The wait after the first registration that failed; it doubles.
const RETRY: Duration = Duration::from_secs(5);

/// What a watch was begun with: where that changes it begins anew.
#[derive(Clone, PartialEq, Eq)]
struct Terms {
    host: String,
    port: Option<u16>,
    transport: trunk::Transport,
    ping: Option<i64>,
    registration: Option<OwnRegistration>,
}

/// Where a trunk is: as URIs say it, and where requests are sent.
pub(crate) fn address(host: &str, port: Option<u16>, transport: trunk::Transport) -> (String, Target) {
    let place = port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    (place, Target::Host { transport: spoken(transport), host: host.to_owned(), port })
}

const fn spoken(transport: trunk::Transport) -> Transport {
    match transport {
        trunk::Transport::Udp => Transport::Udp,
        trunk::Transport::Tcp => Transport::Tcp,
        trunk::Transport::Tls => Transport::Tls,
    }
}

/// What answers a trunk's challenges, where we register with it and the password can be opened.
pub(crate) fn login(app: &App, own: &OwnRegistration) -> Option<Login> {
    let password = trunks::own_password(app, own).ok()?;
    Some(Login { username: own.auth_user.clone().unwrap_or_else(|| own.user.clone()), password })
}

/// A trunk that is watched; dropping it ends that.
struct Watched {
    terms: Terms,
    task: JoinHandle<()>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Watches all trunks until everything ends.
pub(crate) async fn keep(house: Arc<House>) {
    let mut watched: HashMap<TrunkId, Watched> = HashMap::new();
    loop {
        match trunks::outbound(&house.app).await {
            Ok(all) => renew(&house, &mut watched, &all),
            Err(error) => tracing::warn!(?error, "trunks cannot be read"),
        }
        tokio::select! {
            () = house.over.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

fn renew(house: &Arc<House>, watched: &mut HashMap<TrunkId, Watched>, all: &[Trunk]) {
    watched.retain(|id, _| all.iter().any(|trunk| trunk.id == *id));
    for trunk in all {
        let Some(terms) = Terms::of(trunk) else { continue };
        if watched.get(&trunk.id).is_none_or(|known| known.terms != terms) {
            let task = tokio::spawn(watch(house.clone(), trunk.clone(), terms.clone()));
            watched.insert(trunk.id, Watched { terms, task });
        }
    }
}

impl Terms {
    fn of(trunk: &Trunk) -> Option<Self> {
        Some(Self {
            host: trunk.host.clone()?,
            port: trunk.port,
            transport: trunk.transport,
            ping: trunk.ping,
            registration: trunk.registration.clone(),
        })
    }

    fn config(&self, house: &House) -> TrunkConfig {
        let (place, target) = address(&self.host, self.port, self.transport);
        let suffix = match self.transport {
            trunk::Transport::Udp => String::new(),
            other => format!(";transport={}", spoken(other)),
        };
        TrunkConfig {
            uri: format!("sip:{place}{suffix}"),
            target,
            ping: self.ping.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs),
            registration: self.registration.as_ref().and_then(|own| {
                Some(RegistrationConfig {
                    aor: format!("sip:{}@{place}", own.user),
                    login: login(&house.app, own)?,
                    expires: u32::try_from(own.expires).unwrap_or(3_600),
                    retry: RETRY,
                })
            }),
        }
    }
}

/// Watches one trunk as it is now, and writes down what changes.
async fn watch(house: Arc<House>, trunk: Trunk, terms: Terms) {
    let config = terms.config(&house);
    let registers = config.registration.is_some();
    let watching = house.sip.trunk(config);
    let (mut health, mut registration) = (watching.watch_health(), watching.watch_registration());
    loop {
        let (state, detail) = judged(&health.borrow_and_update(), registers.then(|| registration.borrow_and_update()).as_deref());
        note(&house, &trunk, state, detail).await;
        tokio::select! {
            changed = next(&mut health, terms.ping.is_some()) => if !changed { return },
            changed = next(&mut registration, registers) => if !changed { return },
        }
    }
}

/// Waits for a change; false where there will be none any more. What is not watched never changes.
async fn next<T>(state: &mut watch::Receiver<T>, watched: bool) -> bool {
    if watched { state.changed().await.is_ok() } else { std::future::pending().await }
}

/// What the answers mean: a trunk that does not let us register takes no calls of ours.
fn judged(health: &tandem_sip::Health, registration: Option<&Registration>) -> (Health, Option<String>) {
    match registration {
        Some(Registration::Refused { status, .. }) => {
            return (Health::Down, Some(format!("our registration was refused with {status}")));
        }
        Some(Registration::Unanswered { unreached: Some(why), .. }) => return (Health::Down, Some(why.to_string())),
        Some(Registration::Unanswered { .. }) => return (Health::Down, Some("our registration was not answered".to_owned())),
        Some(Registration::None | Registration::Held { .. }) | None => {}
    }
    match health {
        tandem_sip::Health::Up { .. } => (Health::Up, None),
        tandem_sip::Health::Down { status: Some(status), .. } => {
            (Health::Down, Some(format!("OPTIONS was answered with {status}")))
        }
        tandem_sip::Health::Down { unreached: Some(why), .. } => (Health::Down, Some(why.to_string())),
        tandem_sip::Health::Down { status: None, .. } => (Health::Down, Some("OPTIONS was not answered".to_owned())),
        tandem_sip::Health::Unknown if matches!(registration, Some(Registration::Held { .. })) => (Health::Up, None),
        tandem_sip::Health::Unknown => (Health::Unknown, None),
    }
}

async fn note(house: &House, trunk: &Trunk, state: Health, detail: Option<String>) {
    match trunks::report_health(&house.app, trunk.id, state, detail.clone()).await {
        Ok(false) => {}
        Ok(true) if state == Health::Down => {
            tracing::warn!(trunk = %trunk.id, name = trunk.name, detail, "a trunk does not answer: it gets no calls");
        }
        Ok(true) => tracing::info!(trunk = %trunk.id, name = trunk.name, state = state.as_str(), "a trunk's health has changed"),
        Err(error) => tracing::warn!(?error, trunk = %trunk.id, "a trunk's health cannot be noted"),
    }
}
