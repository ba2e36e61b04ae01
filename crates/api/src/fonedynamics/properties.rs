//! `/Properties`: projects, which older pages call properties and webhooks sites.

use http::{Method, StatusCode};
use serde::Serialize;
use tandem_app::properties::{self, ChangeProperty, CreateProperty};
use tandem_catalogue::{Code, Error, Result};
use tandem_domain::{
    property::{Property, windows_zone},
    sid::account_sid,
};
use tandem_kernel::{AccountId, PropertyId};
use utoipa::ToSchema;

use super::{
    convert::{property_of, property_sid},
    page,
};
use crate::http::{Call, Endpoint, Field, Kind, Reply};

const TAG: &str = "Projects";
/// Properties that a page has unless the caller says otherwise.
const USUAL: i64 = 50;
/// The media type of changes (RFC 7396).
pub const MERGE_PATCH: &str = "application/merge-patch+json";

const NAME: Field = Field::new("Name", Kind::Text { min: 1, max: 128 }, "The project's name.", r#""My Project""#);
const DOMAIN: Field = Field::new("MainDomain", Kind::Text { min: 1, max: 253 }, "The domain of its site.", r#""www.example.com""#);
const ZONE: Field = Field::new(
    "TimeZone",
    Kind::Text { min: 1, max: 64 },
    "Its time zone, by the name that Windows gives it.",
    r#""AUS Eastern Standard Time""#,
);
const SMS: Field =
    Field::new("SmsEnabled", Kind::Bool, "Whether it may send text messages; false if left out at creation.", "true");
const RECORDING: Field = Field::new(
    "CallRecordingEnabled",
    Kind::Bool,
    "Whether its calls may be recorded; false if left out at creation. Kept only: what a number's Recording says is done.",
    "false",
);
const INTEGRATIONS: Field =
    Field::new("IntegrationsEnabled", Kind::Bool, "Whether its integrations are on; false if left out at creation.", "false");
const ACTIVE: Field = Field::new("Active", Kind::Bool, "Whether it is in use; true if left out at creation.", "true");
const CREATE: &[Field] = &[NAME.required(), DOMAIN.required(), ZONE.required(), SMS, RECORDING, INTEGRATIONS, ACTIVE];
const PATCH: &[Field] = &[NAME, DOMAIN, ZONE, SMS, RECORDING, INTEGRATIONS, ACTIVE];
const PAGE: &[Field] = &[page::COUNT, page::SKIP, page::TOKEN];
/// The property in a path.
pub const PATH: &[(&str, &str)] = &[("PropertySid", "The project's sid.")];

/// A project.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct ProjectDto {
    /// The account's sid.
    #[schema(example = "A06BQ2N8C4W00000000000000000000K")]
    account_sid: String,
    /// The project's sid.
    #[schema(example = "S06BQ2N8C4W00000000000000000000K")]
    property_sid: String,
    /// Its name.
    #[schema(example = "My Project")]
    name: String,
    /// The domain of its site.
    #[schema(example = "www.example.com")]
    main_domain: String,
    /// Its time zone, by the name that Windows gives it.
    #[schema(example = "AUS Eastern Standard Time")]
    time_zone: &'static str,
    /// Whether it may send text messages.
    sms_enabled: bool,
    /// Whether its calls may be recorded.
    call_recording_enabled: bool,
    /// Whether its integrations are on.
    integrations_enabled: bool,
    /// Whether it is in use.
    active: bool,
}

/// One project.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct ProjectAnswer {
    /// The project.
    property: ProjectDto,
}

/// Projects, oldest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct ProjectsAnswer {
    /// The page.
    projects: Vec<ProjectDto>,
    /// How many there are in all.
    total_count: i64,
    /// What leads to the next page; null on the last.
    next_page_token: Option<String>,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("listProjects", Method::GET, "/Properties", "List your projects.", list)
            .tag(TAG)
            .query(PAGE)
            .answers::<ProjectsAnswer>(StatusCode::OK),
        Endpoint::new("createProject", Method::POST, "/Properties", "Make a project.", create)
            .tag(TAG)
            .body(CREATE)
            .answers::<ProjectAnswer>(StatusCode::OK)
            .codes(&[Code::UnknownTimeZone]),
        Endpoint::new("getProject", Method::GET, "/Properties/{PropertySid}", "Read a project.", get)
            .tag(TAG)
            .path_docs(PATH)
            .answers::<ProjectAnswer>(StatusCode::OK)
            .codes(&[Code::PropertyNotFound]),
        Endpoint::new("patchProject", Method::PATCH, "/Properties/{PropertySid}", "Change parts of a project.", patch)
            .tag(TAG)
            .path_docs(PATH)
            .body(PATCH)
            .body_type(MERGE_PATCH)
            .succeeds(StatusCode::NO_CONTENT)
            .codes(&[Code::PropertyNotFound, Code::UnknownTimeZone]),
    ]
}

async fn list(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let page = page::read(&mut form, USUAL);
    form.finish()?;
    page::check(&page)?;
    let caller = call.caller()?;
    let mut found = properties::list(&call.app, &caller, page.after.map(PropertyId::from_bytes), page.limit(), page.skip).await?;
    let answer = ProjectsAnswer {
        next_page_token: page.cut(&mut found.properties, |property| *property.id.as_bytes()),
        projects: found.properties.iter().map(|property| dto(caller.account, property)).collect(),
        total_count: found.total,
    };
    Ok(Reply::json(StatusCode::OK, &answer))
}

async fn create(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (name, main_domain, zone) = (form.text("Name"), form.text("MainDomain"), form.text("TimeZone"));
    let flags = ["SmsEnabled", "CallRecordingEnabled", "IntegrationsEnabled", "Active"].map(|flag| form.boolean(flag));
    form.finish()?;
    let [sms_enabled, call_recording_enabled, integrations_enabled, active] = flags;
    let command = CreateProperty {
        name: name.ok_or_else(Error::internal)?,
        main_domain: main_domain.ok_or_else(Error::internal)?,
        time_zone: zone_of(zone.ok_or_else(Error::internal)?)?,
        sms_enabled: sms_enabled.unwrap_or(false),
        call_recording_enabled: call_recording_enabled.unwrap_or(false),
        integrations_enabled: integrations_enabled.unwrap_or(false),
        active: active.unwrap_or(true),
    };
    let caller = call.caller()?;
    let render = move |property: &Property| answer(caller.account, property);
    call.answer(render, |finish| properties::create(&call.app, &caller, command, finish)).await
}

async fn get(call: Call) -> Result<Reply> {
    let caller = call.caller()?;
    let property = properties::get(&call.app, &caller, property_of(&call)).await?;
    Ok(answer(caller.account, &property))
}

async fn patch(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?.taking_blanks();
    let (name, main_domain, zone) = (form.text("Name"), form.text("MainDomain"), form.text("TimeZone"));
    let flags = ["SmsEnabled", "CallRecordingEnabled", "IntegrationsEnabled", "Active"].map(|flag| form.boolean(flag));
    form.finish()?;
    let [sms_enabled, call_recording_enabled, integrations_enabled, active] = flags;
    let time_zone = zone.map(zone_of).transpose()?;
    let command =
        ChangeProperty { name, main_domain, time_zone, sms_enabled, call_recording_enabled, integrations_enabled, active };
    let caller = call.caller()?;
    let render = |_: &Property| Reply::empty(StatusCode::NO_CONTENT);
    call.answer(render, |finish| properties::change(&call.app, &caller, property_of(&call), command, finish)).await
}

fn zone_of(text: String) -> Result<&'static str> {
    windows_zone(&text).ok_or_else(|| Error::unknown_time_zone("TimeZone", text))
}

fn answer(account: AccountId, property: &Property) -> Reply {
    Reply::json(StatusCode::OK, &ProjectAnswer { property: dto(account, property) })
}

fn dto(account: AccountId, property: &Property) -> ProjectDto {
    ProjectDto {
        account_sid: account_sid(account),
        property_sid: property_sid(property.id),
        name: property.name.clone(),
        main_domain: property.main_domain.clone(),
        time_zone: property.time_zone,
        sms_enabled: property.sms_enabled,
        call_recording_enabled: property.call_recording_enabled,
        integrations_enabled: property.integrations_enabled,
        active: property.active,
    }
}
