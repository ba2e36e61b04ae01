//! What SIP asks: who somebody is, and where devices can be reached.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use tandem_app::{
    App,
    devices::{self, Peer},
    recordings, trunks,
};
use tandem_domain::{device::Device, trunk::Trunk};
use tandem_kernel::DeviceId;
use tandem_sip::{Binding, Credentials, Desk, NotStored, Notice, OwnerId, PeerId, Source, Summary, Transport};

use crate::{
    config::VoiceConfig,
    lamps::{News, summary},
};

/// Whoever was let in lately, by the id that SIP hands back. There are as many as there are trunks and devices.
#[derive(Default)]
pub(crate) struct Callers(Mutex<HashMap<String, Known>>);

/// Somebody who was let in.
#[derive(Clone)]
pub(crate) enum Known {
    Trunk(Arc<Trunk>),
    Device(Arc<Device>),
}

impl Callers {
    /// Who has an id.
    pub fn get(&self, id: &str) -> Option<Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn put(&self, id: String, known: Known) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, known);
    }

    fn trunk(&self, trunk: Trunk) -> String {
        let id = trunk.id.to_string();
        self.put(id.clone(), Known::Trunk(Arc::new(trunk)));
        id
    }

    fn device(&self, device: Device) -> String {
        let id = device.id.to_string();
        self.put(id.clone(), Known::Device(Arc::new(device)));
        id
    }
}

/// Answers what SIP asks.
pub(crate) struct Reception {
    app: App,
    callers: Arc<Callers>,
    news: Arc<News>,
    realm: String,
    /// Our address as others are told it.
    host: String,
}

impl Reception {
    pub fn new(app: App, callers: Arc<Callers>, news: Arc<News>, config: &VoiceConfig) -> Self {
        let first = config.listen.first().map(|listen| listen.advertised.unwrap_or(listen.address));
        let host = first.map(|address| address.ip().to_string()).unwrap_or_default();
        Self { app, callers, news, realm: config.realm.clone(), host }
    }
}

#[async_trait]
impl Desk for Reception {
    async fn credentials(&self, realm: &str, username: &str) -> Option<Credentials> {
        if realm != self.realm {
            return None;
        }
        let found = devices::credentials(&self.app, username).await;
        let known = found.inspect_err(|error| tracing::warn!(?error, "credentials cannot be read")).ok()??;
        let owner = match known.peer {
            Peer::Device(device) => self.callers.device(device),
            Peer::Trunk(trunk) => self.callers.trunk(*trunk),
        };
        Some(Credentials { owner: OwnerId(owner), md5: Some(known.ha1.md5), sha256: Some(known.ha1.sha256) })
    }

    async fn identify(&self, source: &Source) -> Option<PeerId> {
        let found = trunks::identify(&self.app, source.address.ip()).await;
        let trunk = found.inspect_err(|error| tracing::warn!(?error, "trunks cannot be read")).ok()??;
        Some(PeerId(self.callers.trunk(trunk)))
    }

    async fn bindings(&self, owner: &OwnerId) -> Result<Vec<Binding>, NotStored> {
        let Some(device) = DeviceId::parse(&owner.0) else { return Ok(Vec::new()) };
        let held = devices::held(&self.app, device).await.map_err(unavailable)?;
        let now = self.app.machine_now();
        Ok(held.iter().filter_map(|registration| binding(registration, now)).collect())
    }

    async fn store(&self, owner: &OwnerId, bindings: Vec<Binding>) -> Result<(), NotStored> {
        let Some(device) = DeviceId::parse(&owner.0) else { return Err(NotStored::Full) };
        let before = devices::held(&self.app, device).await.map_err(unavailable)?;
        let node = self.app.node;
        let known = |binding: &Binding| {
            let mut same = before.iter().filter(|held| held.contact == binding.contact && held.node == node);
            same.any(|held| held.call_id == binding.call_id && held.source == binding.source.address.to_string())
        };
        let anew: Vec<Binding> = bindings.iter().filter(|binding| !known(binding)).cloned().collect();
        let bindings = bindings.into_iter().map(stored).collect();
        devices::replace(&self.app, device, bindings).await.map_err(unavailable)?;
        if !anew.is_empty() {
            self.news.arrived(device, anew);
        }
        Ok(())
    }

    async fn summary(&self, owner: &OwnerId) -> Option<Summary> {
        let found = recordings::shown_by(&self.app, DeviceId::parse(&owner.0)?).await;
        let waiting = found.inspect_err(|error| tracing::warn!(?error, "waiting messages cannot be counted")).ok()??;
        Some(summary(waiting, &self.host))
    }

    fn notice(&self, notice: Notice) {
        match notice {
            Notice::Refused { source, method, user, fault, status } => {
                // As often as strangers like: those who insist are banned, which is told.
                tracing::debug!(%source, method, user, ?fault, status, "a SIP request was refused");
            }
            Notice::Banned { address, seconds, fault, strikes } => {
                tracing::warn!(%address, seconds, ?fault, strikes, "an address is not listened to for a while");
            }
            Notice::TooManyConnections { source } => tracing::warn!(%source, "too many connections"),
        }
    }
}

fn unavailable(error: tandem_catalogue::Error) -> NotStored {
    tracing::warn!(?error, "registrations cannot be kept");
    NotStored::Unavailable
}

/// A registration as SIP knows it.
pub(crate) fn binding(held: &tandem_domain::device::Registration, now: tandem_kernel::Timestamp) -> Option<Binding> {
    let left = held.expires_at.micros().saturating_sub(now.micros()) / 1_000_000;
    Some(Binding {
        contact: held.contact.clone(),
        source: Source { transport: Transport::named(&held.transport)?, address: held.source.parse().ok()? },
        instance: None,
        q: u16::try_from(held.q).unwrap_or(1_000),
        expires: u32::try_from(left.max(0)).unwrap_or(u32::MAX),
        call_id: held.call_id.clone(),
        cseq: u32::try_from(held.cseq).unwrap_or(u32::MAX),
        agent: Some(held.user_agent.clone()).filter(|agent| !agent.is_empty()),
    })
}

fn stored(binding: Binding) -> devices::Binding {
    devices::Binding {
        contact: binding.contact,
        source: binding.source.address.to_string(),
        transport: binding.source.transport.to_string(),
        user_agent: binding.agent.unwrap_or_default(),
        path: String::new(),
        call_id: binding.call_id,
        cseq: binding.cseq.into(),
        q: binding.q.into(),
        expires: binding.expires.into(),
    }
}
