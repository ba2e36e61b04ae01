//! Telephones that show how many messages wait: those that a number's configuration rings, and those whose calls come from it.

use std::sync::Arc;

use tandem_catalogue::Result;
use tandem_domain::{
    config::{NumberConfig, RingTo},
    device::Registration,
    recording::{Recording, RecordingKind},
};
use tandem_kernel::{DeviceId, Environment, PhoneNumber};
use tandem_store::{
    Tx,
    repo::{
        devices,
        invalidations::{Stale, number_subject},
        numbers, recordings,
    },
};

use crate::{App, accounts::tell_others, app::Desk};

/// Whoever tells telephones how many messages wait, once that is there.
pub trait Lamps: Send + Sync + 'static {
    /// The messages of a number of an environment of this kind are others than before. It must not wait.
    fn changed(&self, kind: Environment, number: PhoneNumber);
}

/// The port to it.
pub type LampsPort = std::sync::OnceLock<Arc<dyn Lamps>>;

/// What a telephone shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Waiting {
    /// The number that the telephone's calls come from.
    pub number: Option<PhoneNumber>,
    /// Messages that nobody heard.
    pub new: i64,
    /// The others.
    pub old: i64,
}

/// Leaves a note where a message came, was heard or is gone, for the process that the telephones are registered with.
pub(super) fn note(tx: &mut Tx, desk: &Desk, message: &Recording) -> Result<()> {
    match message.number.filter(|_| message.kind == RecordingKind::Voicemail) {
        Some(number) => tell_others(tx, &desk.pen, Stale::Mailbox, number_subject(desk.settings.kind, number)),
        None => Ok(()),
    }
}

/// How many messages wait in all mailboxes that a device shows; none where there is no such device.
///
/// # Errors
/// Faults of the store; so for the other functions here.
pub async fn shown_by(app: &App, device: DeviceId) -> Result<Option<Waiting>> {
    let read = move |tx: &mut Tx| {
        let Some(device) = devices::by_id(tx, device)?.filter(|device| device.enabled) else { return Ok(None) };
        let full = recordings::mailboxes(tx, device.environment)?;
        let phones: Vec<PhoneNumber> = full.iter().map(|(phone, ..)| *phone).collect();
        let named = |config: &NumberConfig| rings(config).any(|known| known == device.id);
        let mut shown: Vec<PhoneNumber> = device.caller_id.into_iter().collect();
        for number in numbers::by_phones(tx, device.environment, &phones)? {
            if named(&number.config) {
                shown.push(number.phone);
            }
        }
        let mut waiting = Waiting { number: device.caller_id, ..Waiting::default() };
        for (_, new, old) in full.iter().filter(|(phone, ..)| shown.contains(phone)) {
            (waiting.new, waiting.old) = (waiting.new + new, waiting.old + old);
        }
        Ok(Some(waiting))
    };
    app.store.read(read).await
}

/// The devices that show a number's messages, and where those are registered with this process.
#[expect(clippy::missing_errors_doc, reason = "as `shown_by`")]
pub async fn showing(app: &App, kind: Environment, number: PhoneNumber) -> Result<Vec<(DeviceId, Vec<Registration>)>> {
    let (now, node) = (app.machine_now(), app.node);
    let read = move |tx: &mut Tx| {
        let Some(number) = numbers::of_kind(tx, kind, number)? else { return Ok(Vec::new()) };
        let mut ids: Vec<DeviceId> = rings(&number.config).collect();
        ids.extend(devices::calling_from(tx, number.environment, number.phone)?);
        ids.sort_unstable();
        ids.dedup();
        let known: Vec<DeviceId> = devices::of_ids(tx, number.environment, &ids)?.iter().map(|device| device.id).collect();
        let held = devices::registrations(tx, &known, now)?;
        let own = |id: DeviceId| held.iter().filter(|one| one.device == id && one.node == node).cloned().collect();
        Ok(known.into_iter().map(|id| (id, own(id))).collect())
    };
    app.store.read(read).await
}

fn rings(config: &NumberConfig) -> impl Iterator<Item = DeviceId> {
    let targets = config.ring.iter().flat_map(|ring| &ring.targets);
    targets.filter_map(|target| match target.to {
        RingTo::Device(id) => Some(id),
        RingTo::Number(_) => None,
    })
}
