//! Properties: made, read, changed.

use serde_json::json;
use tandem_catalogue::{Error, Result};
use tandem_domain::{event::EventKind, property::Property};
use tandem_kernel::{Caller, EnvironmentId, PropertyId, Scope};
use tandem_store::{Tx, repo::properties};

use crate::{App, Finish, permit};

/// What a property is to be.
#[derive(Debug, Clone)]
pub struct CreateProperty {
    /// Its name.
    pub name: String,
    /// The domain of its site.
    pub main_domain: String,
    /// Its time zone, by Windows' name.
    pub time_zone: &'static str,
    /// Whether it may send text messages.
    pub sms_enabled: bool,
    /// Whether its calls may be recorded.
    pub call_recording_enabled: bool,
    /// Whether its integrations are on.
    pub integrations_enabled: bool,
    /// Whether it is in use.
    pub active: bool,
}

/// A change of a property; members that are none stay.
#[derive(Debug, Clone, Default)]
pub struct ChangeProperty {
    /// Its name.
    pub name: Option<String>,
    /// The domain of its site.
    pub main_domain: Option<String>,
    /// Its time zone, by Windows' name.
    pub time_zone: Option<&'static str>,
    /// Whether it may send text messages.
    pub sms_enabled: Option<bool>,
    /// Whether its calls may be recorded.
    pub call_recording_enabled: Option<bool>,
    /// Whether its integrations are on.
    pub integrations_enabled: Option<bool>,
    /// Whether it is in use.
    pub active: Option<bool>,
}

/// How a caller names one of its properties: by id, or by something that names nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyRef {
    /// The id, if the text is one.
    pub id: Option<PropertyId>,
    /// As the caller wrote it.
    pub text: String,
}

/// Some of an environment's properties.
#[derive(Debug, Clone)]
pub struct PropertyList {
    /// The page, oldest first.
    pub properties: Vec<Property>,
    /// How many there are in all.
    pub total: i64,
}

/// Finds an environment's property.
///
/// # Errors
/// `property_not_found`.
pub fn find(tx: &mut Tx, environment: EnvironmentId, property: &PropertyRef) -> Result<Property> {
    let found = match property.id {
        Some(id) => properties::get(tx, environment, id)?,
        None => None,
    };
    found.ok_or_else(|| Error::property_not_found(property.text.clone()))
}

/// Makes a property.
///
/// # Errors
/// `insufficient_scope`.
pub async fn create(app: &App, caller: &Caller, command: CreateProperty, finish: Finish<Property>) -> Result<Property> {
    permit(caller, Scope::PropertiesWrite)?;
    let (pen, environment) = (app.pen(), caller.environment);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, environment)?;
        let property = Property {
            id: desk.id(PropertyId::new),
            environment,
            name: command.name.clone(),
            main_domain: command.main_domain.clone(),
            time_zone: command.time_zone,
            sms_enabled: command.sms_enabled,
            call_recording_enabled: command.call_recording_enabled,
            integrations_enabled: command.integrations_enabled,
            active: command.active,
            created_at: desk.now,
            version: 1,
        };
        properties::insert(tx, &property)?;
        desk.event(tx, &property.id.to_string(), EventKind::PropertyCreated, &json!({ "name": property.name }))?;
        finish(tx, &property)?;
        Ok(property)
    };
    app.store.write(work).await
}

/// Reads a property.
///
/// # Errors
/// `property_not_found`, `insufficient_scope`.
pub async fn get(app: &App, caller: &Caller, property: PropertyRef) -> Result<Property> {
    let environment = caller.environment;
    let found = app.store.read(move |tx| find(tx, environment, &property)).await?;
    permit(caller, Scope::PropertiesRead)?;
    Ok(found)
}

/// Lists properties, oldest first, from the one after `after`.
///
/// # Errors
/// `insufficient_scope`.
pub async fn list(app: &App, caller: &Caller, after: Option<PropertyId>, limit: i64, offset: i64) -> Result<PropertyList> {
    permit(caller, Scope::PropertiesRead)?;
    let (environment, after) = (caller.environment, after.unwrap_or(PropertyId::from_bytes([0; 16])));
    let read = move |tx: &mut Tx| {
        let total = properties::count(tx, environment)?;
        Ok(PropertyList { properties: properties::list(tx, environment, after, limit, offset)?, total })
    };
    app.store.read(read).await
}

/// Changes a property.
///
/// # Errors
/// `property_not_found`, `insufficient_scope`.
pub async fn change(
    app: &App,
    caller: &Caller,
    property: PropertyRef,
    command: ChangeProperty,
    finish: Finish<Property>,
) -> Result<Property> {
    let (pen, caller) = (app.pen(), *caller);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, caller.environment)?;
        let before = find(tx, caller.environment, &property)?;
        permit(&caller, Scope::PropertiesWrite)?;
        let after = command.of(&before);
        if after == before {
            finish(tx, &before)?;
            return Ok(before);
        }
        let after = Property { version: before.version + 1, ..after };
        properties::update(tx, &after)?;
        desk.event(tx, &after.id.to_string(), EventKind::PropertyUpdated, &json!({ "name": after.name }))?;
        finish(tx, &after)?;
        Ok(after)
    };
    app.store.write(work).await
}

impl ChangeProperty {
    fn of(&self, property: &Property) -> Property {
        Property {
            id: property.id,
            environment: property.environment,
            name: self.name.clone().unwrap_or_else(|| property.name.clone()),
            main_domain: self.main_domain.clone().unwrap_or_else(|| property.main_domain.clone()),
            time_zone: self.time_zone.unwrap_or(property.time_zone),
            sms_enabled: self.sms_enabled.unwrap_or(property.sms_enabled),
            call_recording_enabled: self.call_recording_enabled.unwrap_or(property.call_recording_enabled),
            integrations_enabled: self.integrations_enabled.unwrap_or(property.integrations_enabled),
            active: self.active.unwrap_or(property.active),
            created_at: property.created_at,
            version: property.version,
        }
    }
}
