//! `/devices`: SIP devices of an environment, and where they can be reached.

use http::{Method, StatusCode};
use serde::Serialize;
use tandem_app::devices::{self, AddDevice, ChangeDevice, DeviceView};
use tandem_catalogue::{Code, Result};
use tandem_domain::{
    device::{LONGEST_LABEL, MOST_REGISTRATIONS, Registration, USUAL_REGISTRATIONS},
    digest::REALM,
};
use tandem_kernel::DeviceId;
use utoipa::ToSchema;

use super::page::{PAGE, Page, Window};
use crate::http::{Call, Endpoint, Field, Form, Kind, Reply};

const TAG: &str = "Devices";
const ID: &[(&str, &str)] = &[("device_id", "The device's id.")];
const LOST: &str = "The password was shown once, in the first answer. If it is lost, rotate it.";
const LABEL: Field = Field::new("label", Kind::Text { min: 1, max: LONGEST_LABEL }, "Your name for it.", r#""Front desk""#);
const CALLER_ID: Field = Field::new(
    "caller_id",
    Kind::Phone,
    "The number of yours that its calls come from; it cannot call outside without one.",
    r#""+14155550100""#,
)
.clearable();
const MAX: Field = Field::new(
    "max_registrations",
    Kind::Int { min: 1, max: MOST_REGISTRATIONS },
    "Registrations that it may have at once; the oldest gives way to one more. 5 where it is not said.",
    "5",
);
const ADD: &[Field] = &[LABEL.required(), CALLER_ID, MAX];
const CHANGE: &[Field] = &[
    LABEL,
    CALLER_ID,
    MAX,
    Field::new("enabled", Kind::Bool, "Whether it may register and call; one that may not loses its registrations.", "false"),
];

/// A device.
#[derive(Serialize, ToSchema)]
struct DeviceDto {
    /// Its id.
    id: String,
    /// Your name for it.
    label: String,
    /// The user name with which it registers and proves itself.
    user_name: String,
    /// The realm of the challenges that it answers.
    realm: &'static str,
    /// The number that its calls come from.
    caller_id: Option<String>,
    /// Registrations that it may have at once.
    max_registrations: i64,
    /// Registrations that hold now.
    registrations: i64,
    /// Whether it may register and call.
    enabled: bool,
    /// When it was added, by the environment's clock.
    created_at: String,
    /// When it was changed.
    updated_at: String,
    /// Grows by one with each change.
    version: i64,
}

/// A device, with the password that was just made for it.
#[derive(Serialize, ToSchema)]
struct NewDeviceDto {
    #[serde(flatten)]
    device: DeviceDto,
    /// Its password: only in the first answer, never kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    /// Why the password is not there, in the answer to a repetition.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

/// Where a device can be reached. A registration is about the real network: its times are the machine's, and moving a test
/// environment's clock neither ends nor prolongs it.
#[derive(Serialize, ToSchema)]
struct RegistrationDto {
    /// The contact that the device gave.
    contact: String,
    /// The address and port that it came from.
    source: String,
    /// `udp`, `tcp`, `tls`, `ws` or `wss`.
    transport: String,
    /// What the device says it is.
    user_agent: String,
    /// The proxies on the way back; empty where there are none.
    path: String,
    /// Since when.
    registered_at: String,
    /// Until when, unless it is refreshed.
    expires_at: String,
}

/// A device's registrations.
#[derive(Serialize, ToSchema)]
struct RegistrationsDto {
    /// Those that hold now, in the order in which they are tried.
    data: Vec<RegistrationDto>,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    const ONE: &str = "/devices/{device_id}";
    const LOOKUP: &[Code] = &[Code::ResourceNotFound];
    const NUMBER: [Code; 3] = [Code::InvalidPhoneNumber, Code::UnassignedPhoneNumber, Code::OwnedNumberNotFound];
    let endpoints = [
        Endpoint::new("addDevice", Method::POST, "/devices", "Add a SIP device; its password is shown once.", add)
            .body(ADD)
            .answers::<NewDeviceDto>(StatusCode::CREATED)
            .codes(&NUMBER),
        Endpoint::new("listDevices", Method::GET, "/devices", "List your devices, the oldest first.", list)
            .query(PAGE)
            .answers::<Page<DeviceDto>>(StatusCode::OK),
        Endpoint::new("getDevice", Method::GET, ONE, "Read one of your devices.", get)
            .path_docs(ID)
            .answers::<DeviceDto>(StatusCode::OK)
            .codes(LOOKUP),
        Endpoint::new("changeDevice", Method::PATCH, ONE, "Change a device; what is not named stays.", change)
            .path_docs(ID)
            .body(CHANGE)
            .answers::<DeviceDto>(StatusCode::OK)
            .codes(&[Code::ResourceNotFound, NUMBER[0], NUMBER[1], NUMBER[2]]),
        Endpoint::new(
            "rotateDevicePassword",
            Method::POST,
            "/devices/{device_id}/rotate",
            "Give a device another password, shown once; its registrations end.",
            rotate,
        )
        .path_docs(ID)
        .answers::<NewDeviceDto>(StatusCode::OK)
        .codes(LOOKUP),
        Endpoint::new("deleteDevice", Method::DELETE, ONE, "Take a device away.", delete)
            .path_docs(ID)
            .answers::<DeviceDto>(StatusCode::OK)
            .codes(LOOKUP),
        Endpoint::new(
            "listRegistrations",
            Method::GET,
            "/devices/{device_id}/registrations",
            "List where a device can be reached now. Registrations live by the machine's clock, not the environment's.",
            registrations,
        )
        .path_docs(ID)
        .answers::<RegistrationsDto>(StatusCode::OK)
        .codes(LOOKUP),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG)).collect()
}

async fn add(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let command = AddDevice {
        label: form.text("label").unwrap_or_default(),
        caller_id: form.phone("caller_id"),
        max_registrations: form.int("max_registrations").unwrap_or(USUAL_REGISTRATIONS),
    };
    form.finish()?;
    let caller = call.caller()?;
    call.answer_once(
        |view| fresh(StatusCode::CREATED, view, None),
        |view| fresh(StatusCode::CREATED, &without(view), Some(LOST)),
        |finish| devices::add(&call.app, &caller, command, finish),
    )
    .await
}

async fn list(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let window = Window::read(&mut form);
    form.finish()?;
    let after = window.cursor.map(DeviceId::from_bytes);
    let found = devices::list(&call.app, &call.caller()?, after, window.fetch()).await?;
    Ok(Reply::json(StatusCode::OK, &window.page(found, |view| *view.device.id.as_bytes(), dto)))
}

async fn get(call: Call) -> Result<Reply> {
    let found = devices::get(&call.app, &call.caller()?, id(&call)).await?;
    Ok(shown(&found))
}

async fn change(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let command = ChangeDevice {
        label: form.text("label"),
        caller_id: form.patch("caller_id", Form::phone),
        max_registrations: form.int("max_registrations"),
        enabled: form.boolean("enabled"),
    };
    form.finish()?;
    let caller = call.caller()?;
    call.answer(shown, |finish| devices::change(&call.app, &caller, id(&call), command, finish)).await
}

async fn rotate(call: Call) -> Result<Reply> {
    let caller = call.caller()?;
    call.answer_once(
        |view| fresh(StatusCode::OK, view, None),
        |view| fresh(StatusCode::OK, &without(view), Some(LOST)),
        |finish| devices::rotate(&call.app, &caller, id(&call), finish),
    )
    .await
}

async fn delete(call: Call) -> Result<Reply> {
    let caller = call.caller()?;
    call.answer(shown, |finish| devices::delete(&call.app, &caller, id(&call), finish)).await
}

async fn registrations(call: Call) -> Result<Reply> {
    let (_, found) = devices::registrations(&call.app, &call.caller()?, id(&call)).await?;
    Ok(Reply::json(StatusCode::OK, &RegistrationsDto { data: found.iter().map(registration).collect() }))
}

fn id(call: &Call) -> String {
    call.param("device_id").to_owned()
}

fn shown(view: &DeviceView) -> Reply {
    Reply::json(StatusCode::OK, &dto(view))
}

fn without(view: &DeviceView) -> DeviceView {
    DeviceView { password: None, ..view.clone() }
}

fn fresh(status: StatusCode, view: &DeviceView, note: Option<&'static str>) -> Reply {
    Reply::json(status, &NewDeviceDto { device: dto(view), password: view.password.clone(), note })
}

fn dto(view: &DeviceView) -> DeviceDto {
    let device = &view.device;
    DeviceDto {
        id: device.id.to_string(),
        label: device.label.clone(),
        user_name: device.user_name.clone(),
        realm: REALM,
        caller_id: device.caller_id.map(|number| number.to_string()),
        max_registrations: device.max_registrations,
        registrations: view.registrations,
        enabled: device.enabled,
        created_at: device.created_at.to_string(),
        updated_at: device.updated_at.to_string(),
        version: device.version,
    }
}

fn registration(registration: &Registration) -> RegistrationDto {
    RegistrationDto {
        contact: registration.contact.clone(),
        source: registration.source.clone(),
        transport: registration.transport.clone(),
        user_agent: registration.user_agent.clone(),
        path: registration.path.clone(),
        registered_at: registration.registered_at.to_string(),
        expires_at: registration.expires_at.to_string(),
    }
}
