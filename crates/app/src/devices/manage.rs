//! An environment's devices.

use serde_json::json;
use tandem_catalogue::{Error, Result};
use tandem_domain::{
    config::Patch,
    device::{Device, Registration},
    digest::Ha1,
    event::EventKind,
};
use tandem_kernel::{Caller, DeviceId, EnvironmentId, PhoneNumber, Scope};
use tandem_store::{
    Tx,
    repo::{devices, numbers},
};

use crate::{
    App, Finish,
    app::Desk,
    permit,
    trunks::{NewCredentials, password},
};

/// Devices that an environment can have.
pub const MOST_DEVICES: i64 = 10_000;

/// A device, and what was just made for it.
#[derive(Clone)]
pub struct DeviceView {
    /// The device.
    pub device: Device,
    /// Its new password.
    pub password: Option<String>,
    /// Registrations that hold now.
    pub registrations: i64,
}

/// A device to add.
#[derive(Clone, Debug)]
pub struct AddDevice {
    /// Its owner's name for it.
    pub label: String,
    /// The number that its calls come from.
    pub caller_id: Option<PhoneNumber>,
    /// Registrations that it may have at once.
    pub max_registrations: i64,
}

/// A change of a device.
#[derive(Clone, Debug, Default)]
pub struct ChangeDevice {
    /// Its owner's name for it.
    pub label: Option<String>,
    /// The number that its calls come from.
    pub caller_id: Patch<PhoneNumber>,
    /// Registrations that it may have at once; those that are too many stay until they end.
    pub max_registrations: Option<i64>,
    /// Whether it may register and call; one that may not loses its registrations.
    pub enabled: Option<bool>,
}

/// Adds a device. Its password is in the answer and nowhere else.
///
/// # Errors
/// `owned_number_not_found` for a caller id that is not the environment's, `insufficient_scope`, `operation_not_allowed` for one too many.
pub async fn add(app: &App, caller: &Caller, command: AddDevice, finish: Finish<DeviceView>) -> Result<DeviceView> {
    let (pen, caller) = (app.pen(), *caller);
    let credentials = NewCredentials::make(&pen);
    let sealed = credentials.sealed(&pen)?;
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, caller.environment)?;
        check_caller_id(tx, caller.environment, command.caller_id)?;
        permit(&caller, Scope::CallsWrite)?;
        if devices::count(tx, caller.environment)? >= MOST_DEVICES {
            return Err(Error::operation_not_allowed(format!("An environment takes at most {MOST_DEVICES} devices")));
        }
        let device = Device {
            id: desk.id(DeviceId::new),
            environment: caller.environment,
            user_name: credentials.user_name.clone(),
            label: command.label.clone(),
            caller_id: command.caller_id,
            max_registrations: command.max_registrations,
            enabled: true,
            created_at: desk.now,
            updated_at: desk.now,
            version: 1,
        };
        devices::insert(tx, &device, &sealed)?;
        note(tx, &desk, &device, EventKind::DeviceCreated)?;
        let view = DeviceView { device, password: Some(credentials.password.clone()), registrations: 0 };
        finish(tx, &view)?;
        Ok(view)
    };
    let view = app.store.write(work).await?;
    app.mailbox.ring();
    Ok(view)
}

/// A page of the devices from the one after `after`, the oldest first.
///
/// # Errors
/// `insufficient_scope`.
pub async fn list(app: &App, caller: &Caller, after: Option<DeviceId>, limit: i64) -> Result<Vec<DeviceView>> {
    permit(caller, Scope::CallsRead)?;
    let (environment, after, now) = (caller.environment, after.unwrap_or(DeviceId::from_bytes([0; 16])), app.machine_now());
    let read = move |tx: &mut Tx| {
        let page = devices::page(tx, environment, after, limit)?;
        let ids: Vec<DeviceId> = page.iter().map(|device| device.id).collect();
        let registered = devices::registrations(tx, &ids, now)?;
        let view = |device: Device| DeviceView { registrations: count(&registered, device.id), device, password: None };
        Ok(page.into_iter().map(view).collect())
    };
    app.store.read(read).await
}

/// Reads a device.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`; so for the other functions here.
pub async fn get(app: &App, caller: &Caller, id: String) -> Result<DeviceView> {
    let (device, registered) = registrations(app, caller, id).await?;
    Ok(DeviceView { registrations: count(&registered, device.id), device, password: None })
}

/// A device and its registrations that hold now, by the machine's clock.
#[expect(clippy::missing_errors_doc, reason = "as `get`")]
pub async fn registrations(app: &App, caller: &Caller, id: String) -> Result<(Device, Vec<Registration>)> {
    let (caller, now) = (*caller, app.machine_now());
    let read = move |tx: &mut Tx| {
        let device = find(tx, caller.environment, &id)?;
        permit(&caller, Scope::CallsRead)?;
        let registered = devices::registrations(tx, &[device.id], now)?;
        Ok((device, registered))
    };
    app.store.read(read).await
}

/// Changes a device.
///
/// # Errors
/// `resource_not_found`, `owned_number_not_found`, `insufficient_scope`.
pub async fn change(
    app: &App,
    caller: &Caller,
    id: String,
    command: ChangeDevice,
    finish: Finish<DeviceView>,
) -> Result<DeviceView> {
    changed(app, caller, id, None, finish, move |tx, desk, mut device| {
        if let Patch::Set(number) = command.caller_id {
            check_caller_id(tx, device.environment, Some(number))?;
        }
        desk.permit()?;
        device.label = command.label.clone().unwrap_or(device.label);
        device.max_registrations = command.max_registrations.unwrap_or(device.max_registrations);
        device.enabled = command.enabled.unwrap_or(device.enabled);
        match command.caller_id {
            Patch::Keep => {}
            Patch::Clear => device.caller_id = None,
            Patch::Set(number) => device.caller_id = Some(number),
        }
        if !device.enabled {
            devices::unregister_all(tx, device.id)?;
        }
        Ok(device)
    })
    .await
}

/// Gives a device another password, which is in the answer and nowhere else. Its registrations end: whoever has the old one is cut off.
#[expect(clippy::missing_errors_doc, reason = "as `get`")]
pub async fn rotate(app: &App, caller: &Caller, id: String, finish: Finish<DeviceView>) -> Result<DeviceView> {
    let pen = app.pen();
    let fresh = password(&pen);
    changed(app, caller, id, Some(fresh.clone()), finish, move |tx, desk, device| {
        desk.permit()?;
        let ha1 = Ha1::of(&device.user_name, &fresh);
        devices::set_password(tx, device.id, &pen.vault.seal(&ha1.to_bytes())?)?;
        devices::unregister_all(tx, device.id)?;
        Ok(device)
    })
    .await
}

/// Takes a device away.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`. What led to it finds nobody there from now on.
pub async fn delete(app: &App, caller: &Caller, id: String, finish: Finish<DeviceView>) -> Result<DeviceView> {
    let (pen, caller) = (app.pen(), *caller);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, caller.environment)?;
        let device = find(tx, caller.environment, &id)?;
        permit(&caller, Scope::CallsWrite)?;
        devices::delete(tx, device.id)?;
        note(tx, &desk, &device, EventKind::DeviceDeleted)?;
        let view = DeviceView { device, password: None, registrations: 0 };
        finish(tx, &view)?;
        Ok(view)
    };
    let view = app.store.write(work).await?;
    app.mailbox.ring();
    Ok(view)
}

/// A unit of work whose caller has still to be asked for its scope.
struct Asking<'a>(&'a Caller);

impl Asking<'_> {
    fn permit(&self) -> Result<()> {
        permit(self.0, Scope::CallsWrite)
    }
}

async fn changed(
    app: &App,
    caller: &Caller,
    id: String,
    password: Option<String>,
    finish: Finish<DeviceView>,
    work: impl Fn(&mut Tx, Asking, Device) -> Result<Device> + Send + Sync + 'static,
) -> Result<DeviceView> {
    let (pen, caller) = (app.pen(), *caller);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, caller.environment)?;
        let before = find(tx, caller.environment, &id)?;
        let mut device = work(tx, Asking(&caller), before)?;
        (device.updated_at, device.version) = (desk.now, device.version + 1);
        devices::update(tx, &device)?;
        note(tx, &desk, &device, EventKind::DeviceUpdated)?;
        let registered = devices::registrations(tx, &[device.id], pen.machine_now())?;
        let view = DeviceView { registrations: count(&registered, device.id), device, password: password.clone() };
        finish(tx, &view)?;
        Ok(view)
    };
    let view = app.store.write(work).await?;
    app.mailbox.ring();
    Ok(view)
}

fn count(registered: &[Registration], device: DeviceId) -> i64 {
    let own = registered.iter().filter(|registration| registration.device == device).count();
    i64::try_from(own).unwrap_or(i64::MAX)
}

/// Calls of a device come from a number that its owner has.
fn check_caller_id(tx: &mut Tx, environment: EnvironmentId, number: Option<PhoneNumber>) -> Result<()> {
    match number {
        Some(phone) if numbers::by_phone(tx, environment, phone)?.is_none() => {
            Err(Error::owned_number_not_found(phone.to_string()))
        }
        _ => Ok(()),
    }
}

/// Finds an environment's device.
fn find(tx: &mut Tx, environment: EnvironmentId, id: &str) -> Result<Device> {
    let found = match DeviceId::parse(id) {
        Some(parsed) => devices::get(tx, environment, parsed)?,
        None => None,
    };
    found.ok_or_else(|| Error::resource_not_found("device", id.to_owned()))
}

fn note(tx: &mut Tx, desk: &Desk, device: &Device, kind: EventKind) -> Result<()> {
    let id = device.id.to_string();
    let data = json!({ "device_id": id, "label": device.label, "enabled": device.enabled, "version": device.version });
    desk.event(tx, &id, kind, &data)
}
