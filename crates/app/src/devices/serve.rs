//! What whoever speaks SIP asks about devices. Registrations are about the real network: their times are the machine's, whatever an
//! environment's clock does.

use tandem_catalogue::Result;
use tandem_domain::{
    device::{Device, Registration},
    digest::Ha1,
    trunk::Trunk,
};
use tandem_kernel::{DeviceId, EnvironmentId};
use tandem_store::{
    Fault, Tx,
    repo::{devices, trunks},
};

use crate::App;

/// Who can prove itself by a user name and a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A device of an account's.
    Device(Device),
    /// A trunk of the operator's.
    Trunk(Box<Trunk>),
}

/// Somebody who is known by name, and what proves the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Who.
    pub peer: Peer,
    /// The hashes.
    pub ha1: Ha1,
}

/// A contact that a device registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The contact, without its parameters.
    pub contact: String,
    /// The address and port that the request came from.
    pub source: String,
    /// `udp`, `tcp`, `tls`, `ws` or `wss`.
    pub transport: String,
    /// What the device says it is.
    pub user_agent: String,
    /// The proxies on the way back.
    pub path: String,
    /// The request's Call-ID.
    pub call_id: String,
    /// Its sequence number.
    pub cseq: i64,
    /// The order among contacts, in thousandths.
    pub q: i64,
    /// Seconds that it holds.
    pub expires: i64,
}

/// Who calls itself so. A device that is switched off is nobody.
///
/// # Errors
/// Faults of the store; so for the other functions here.
pub async fn credentials(app: &App, user_name: &str) -> Result<Option<Known>> {
    let name = user_name.to_owned();
    let read = move |tx: &mut Tx| {
        if let Some((device, ha1)) = devices::by_user(tx, &name)? {
            return Ok(device.enabled.then_some((Peer::Device(device), ha1)));
        }
        Ok(trunks::by_user(tx, &name)?.map(|(trunk, ha1)| (Peer::Trunk(Box::new(trunk)), ha1)))
    };
    let Some((peer, sealed)) = app.store.read(read).await? else { return Ok(None) };
    let ha1 = app.vault.open(&sealed).and_then(|bytes| Ha1::from_bytes(&bytes));
    let ha1 = ha1.ok_or_else(|| Fault::data("a password's hashes were sealed by another secret key"))?;
    Ok(Some(Known { peer, ha1 }))
}

/// Writes a registration down, or refreshes it. Where the device has as many as it may, the oldest gives way: a telephone that was
/// switched off without saying so must not keep itself out. The registrations that hold now come back, those to be tried first in front;
/// a request that is older than what is known of its contact (RFC 3261 section 10.3) changes nothing.
#[expect(clippy::missing_errors_doc, reason = "as `credentials`")]
pub async fn register(app: &App, device: DeviceId, binding: Binding) -> Result<Vec<Registration>> {
    let (pen, node) = (app.pen(), app.node);
    let work = move |tx: &mut Tx| {
        let Some(owner) = devices::by_id(tx, device)? else { return Ok(Vec::new()) };
        pen.open(tx, owner.environment)?;
        let now = pen.machine_now();
        let current = devices::registrations(tx, &[device], now)?;
        let before = current.iter().find(|registration| registration.contact == binding.contact);
        let stale = before.is_some_and(|before| before.call_id == binding.call_id && before.cseq >= binding.cseq);
        if stale || !owner.enabled {
            return Ok(current);
        }
        let others = current.iter().filter(|registration| registration.contact != binding.contact);
        let mut others: Vec<&Registration> = others.collect();
        others.sort_by_key(|registration| registration.registered_at);
        let room = usize::try_from(owner.max_registrations.saturating_sub(1)).unwrap_or(0);
        for registration in others.iter().take(others.len().saturating_sub(room)) {
            devices::unregister(tx, device, &registration.contact)?;
        }
        let registered_at = before.map_or(now, |before| before.registered_at);
        devices::register(tx, &registration(device, &binding, node, (registered_at, now.plus_seconds(binding.expires))))?;
        devices::registrations(tx, &[device], now)
    };
    app.store.write(work).await
}

fn registration(
    device: DeviceId,
    binding: &Binding,
    node: [u8; 16],
    (registered_at, expires_at): (tandem_kernel::Timestamp, tandem_kernel::Timestamp),
) -> Registration {
    Registration {
        device,
        contact: binding.contact.clone(),
        source: binding.source.clone(),
        transport: binding.transport.clone(),
        user_agent: binding.user_agent.clone(),
        path: binding.path.clone(),
        call_id: binding.call_id.clone(),
        cseq: binding.cseq,
        q: binding.q,
        node,
        registered_at,
        expires_at,
    }
}

/// A device's registrations that hold now; none of a device that is not there.
#[expect(clippy::missing_errors_doc, reason = "as `credentials`")]
pub async fn held(app: &App, device: DeviceId) -> Result<Vec<Registration>> {
    let now = app.machine_now();
    app.store.read(move |tx: &mut Tx| devices::registrations(tx, &[device], now)).await
}

/// Replaces a device's registrations by these. Of more than it may have the latest stay: a telephone that was switched off without saying
/// so must not keep itself out.
#[expect(clippy::missing_errors_doc, reason = "as `credentials`")]
pub async fn replace(app: &App, device: DeviceId, bindings: Vec<Binding>) -> Result<()> {
    let (pen, node) = (app.pen(), app.node);
    let work = move |tx: &mut Tx| {
        let Some(owner) = devices::by_id(tx, device)? else { return Ok(()) };
        pen.open(tx, owner.environment)?;
        let now = pen.machine_now();
        let before = devices::registrations(tx, &[device], now)?;
        devices::unregister_all(tx, device)?;
        let since = |binding: &Binding| {
            let known = before.iter().find(|known| known.contact == binding.contact);
            known.map_or(now, |known| known.registered_at)
        };
        let mut next: Vec<Registration> = bindings
            .iter()
            .map(|binding| registration(device, binding, node, (since(binding), now.plus_seconds(binding.expires))))
            .collect();
        next.sort_by_key(|registration| std::cmp::Reverse((registration.registered_at, registration.expires_at)));
        next.truncate(usize::try_from(owner.max_registrations).unwrap_or(0));
        let kept = if owner.enabled { next } else { Vec::new() };
        kept.iter().try_for_each(|registration| devices::register(tx, registration))
    };
    app.store.write(work).await
}

/// Takes one registration away; those that are left come back.
#[expect(clippy::missing_errors_doc, reason = "as `credentials`")]
pub async fn unregister(app: &App, device: DeviceId, contact: String) -> Result<Vec<Registration>> {
    let now = app.machine_now();
    let work = move |tx: &mut Tx| {
        devices::unregister(tx, device, &contact)?;
        devices::registrations(tx, &[device], now)
    };
    app.store.write(work).await
}

/// Takes all of a device's registrations away.
#[expect(clippy::missing_errors_doc, reason = "as `credentials`")]
pub async fn unregister_all(app: &App, device: DeviceId) -> Result<()> {
    app.store.write(move |tx: &mut Tx| devices::unregister_all(tx, device).map(drop)).await
}

/// An environment's devices of these ids, each with its registrations that hold now.
#[expect(clippy::missing_errors_doc, reason = "as `credentials`")]
pub async fn of(app: &App, environment: EnvironmentId, ids: Vec<DeviceId>) -> Result<Vec<(Device, Vec<Registration>)>> {
    let now = app.machine_now();
    let read = move |tx: &mut Tx| {
        let found = devices::of_ids(tx, environment, &ids)?;
        let registered = devices::registrations(tx, &ids, now)?;
        let own = |device: Device| {
            let own = registered.iter().filter(|registration| registration.device == device.id).cloned().collect();
            (device, own)
        };
        Ok(found.into_iter().map(own).collect())
    };
    app.store.read(read).await
}
