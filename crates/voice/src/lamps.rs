//! Telephones show how many messages wait. Those that asked for it are told within their subscription (RFC 3842); others that registered
//! are told without having asked, as most understand: when they come anew and something waits, and when it changes.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use tandem_app::recordings::{self, Lamps, Waiting};
use tandem_kernel::{DeviceId, Environment, PhoneNumber};
use tandem_sip::{Binding, OwnerId, Summary};
use tokio::sync::Notify;

use crate::{desk::binding, house::House};

/// Telephones that are told at once.
const AT_ONCE: usize = 32;

/// What has to be told, each thing once however often it happens.
#[derive(Default)]
pub(crate) struct News {
    waiting: Mutex<Happened>,
    rung: Notify,
}

#[derive(Default)]
struct Happened {
    numbers: HashSet<(Environment, PhoneNumber)>,
    /// Devices that came anew, by their contacts.
    devices: HashMap<DeviceId, Vec<Binding>>,
}

impl News {
    fn add(&self, add: impl FnOnce(&mut Happened)) {
        add(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        self.rung.notify_one();
    }

    /// A device has registered contacts that it had not before.
    pub fn arrived(&self, device: DeviceId, bindings: Vec<Binding>) {
        self.add(|happened| happened.devices.entry(device).or_default().extend(bindings));
    }

    fn take(&self) -> Happened {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Lamps for News {
    fn changed(&self, kind: Environment, number: PhoneNumber) {
        self.add(|happened| _ = happened.numbers.insert((kind, number)));
    }
}

/// A number's messages, as SIP tells of them.
pub(crate) fn summary(waiting: Waiting, host: &str) -> Summary {
    let count = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
    let account = waiting.number.map(|number| format!("sip:{number}@{host}"));
    Summary { account, new: count(waiting.new), old: count(waiting.old) }
}

/// Tells telephones until everything ends.
pub(crate) async fn keep(house: Arc<House>) {
    loop {
        tokio::select! {
            () = house.over.cancelled() => return,
            () = house.news.rung.notified() => {}
        }
        let Happened { numbers, devices } = house.news.take();
        for (kind, number) in numbers {
            if let Err(error) = changed(&house, kind, number).await {
                tracing::warn!(?error, %number, "telephones are not told how many messages wait");
            }
        }
        for (device, bindings) in devices {
            if let Err(error) = arrived(&house, device, bindings).await {
                tracing::warn!(?error, %device, "a telephone is not told how many messages wait");
            }
        }
    }
}

async fn changed(house: &Arc<House>, kind: Environment, number: PhoneNumber) -> tandem_catalogue::Result<()> {
    let now = house.app.machine_now();
    for (device, held) in recordings::showing(&house.app, kind, number).await? {
        let Some(waiting) = recordings::shown_by(&house.app, device).await? else { continue };
        let bindings = held.iter().filter_map(|held| binding(held, now)).collect();
        tell(house, device, &summary(waiting, &house.name()), bindings).await;
    }
    Ok(())
}

async fn arrived(house: &Arc<House>, device: DeviceId, bindings: Vec<Binding>) -> tandem_catalogue::Result<()> {
    match recordings::shown_by(&house.app, device).await? {
        Some(waiting) if waiting.new > 0 => tell(house, device, &summary(waiting, &house.name()), bindings).await,
        _ => {}
    }
    Ok(())
}

/// Tells a device wherever it is: once by each subscription, and elsewhere without one.
async fn tell(house: &Arc<House>, device: DeviceId, summary: &Summary, bindings: Vec<Binding>) {
    let known = house.sip.tell(&OwnerId(device.to_string()), summary);
    let places = Arc::clone(&house.telling);
    for binding in bindings.into_iter().filter(|binding| !known.contains(&binding.source)) {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let (house, summary) = (Arc::clone(house), summary.clone());
        tokio::spawn(async move {
            let user = tandem_sip::user_of(&binding.contact).unwrap_or_default();
            let status = house.sip.tell_unasked(&binding, &user, &summary).await;
            tracing::debug!(%device, source = %binding.source, status, "a telephone was told how many messages wait");
            drop(place);
        });
    }
}

/// Telephones that are told at once.
pub(crate) fn places() -> Arc<tokio::sync::Semaphore> {
    Arc::new(tokio::sync::Semaphore::new(AT_ONCE))
}
