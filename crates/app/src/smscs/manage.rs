//! The operator's SMSCs.

use std::sync::Arc;

use serde_json::json;
use tandem_catalogue::{Error, Result};
use tandem_kernel::SmscId;
use tandem_store::{
    Fault, Tx,
    repo::smscs::{self, Settings, Smsc},
};

use super::BindStatus;
use crate::{
    App, Finish,
    accounts::{Operator, note_action},
};

/// An SMSC with the state of its bind, where this process has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmscView {
    /// The SMSC.
    pub smsc: Smsc,
    /// Its bind.
    pub status: Option<BindStatus>,
}

/// What changes settings; what it leaves alone stays.
pub type Edit = Arc<dyn Fn(&mut Settings) + Send + Sync>;

/// A change of an SMSC; members that are none stay.
#[derive(Clone, Default)]
pub struct ChangeSmsc {
    /// The operator's name for it.
    pub name: Option<String>,
    /// The password.
    pub password: Option<String>,
    /// How it is reached and what it wants.
    pub settings: Option<Edit>,
    /// Whether it only finishes what it has.
    pub drained: Option<bool>,
}

/// Adds an SMSC; its bind is made at once.
///
/// # Errors
/// Faults of the store.
pub async fn add(
    app: &App,
    operator: Operator,
    name: String,
    password: String,
    settings: Settings,
    finish: Finish<SmscView>,
) -> Result<SmscView> {
    let (pen, sealed) = (app.pen(), app.vault.seal(password.as_bytes())?);
    let added = app.store.write(move |tx| {
        let now = pen.machine_now();
        let smsc = Smsc {
            id: SmscId::new(now, &*pen.rng),
            name: name.clone(),
            password: sealed.clone(),
            settings: settings.clone(),
            drained: false,
            created_at: now,
            changed_at: now,
        };
        smscs::insert(tx, &smsc)?;
        note_action(tx, &pen, &operator, "smsc.add", &smsc.id.to_string(), &json!({ "name": smsc.name }))?;
        let view = SmscView { smsc, status: None };
        finish(tx, &view)?;
        Ok(view)
    });
    let view = added.await?;
    tell(app);
    Ok(view)
}

/// Lists the SMSCs, the oldest first.
///
/// # Errors
/// Faults of the store.
pub async fn list(app: &App) -> Result<Vec<SmscView>> {
    let found = app.store.read(smscs::list).await?;
    Ok(found.into_iter().map(|smsc| view(app, smsc)).collect())
}

/// Reads an SMSC.
///
/// # Errors
/// `resource_not_found`; so for the other functions here.
pub async fn get(app: &App, id: String) -> Result<SmscView> {
    let found = app.store.read(move |tx| find(tx, &id)).await?;
    Ok(view(app, found))
}

/// Changes an SMSC: its bind is ended in good order and made anew.
#[expect(clippy::missing_errors_doc, reason = "as `get`")]
pub async fn change(app: &App, operator: Operator, id: String, command: ChangeSmsc, finish: Finish<SmscView>) -> Result<SmscView> {
    let pen = app.pen();
    let sealed = command.password.as_deref().map(|password| app.vault.seal(password.as_bytes())).transpose()?;
    let changed = app.store.write(move |tx| {
        let mut smsc = find(tx, &id)?;
        let drained = command.drained.unwrap_or(smsc.drained);
        smsc.name = command.name.clone().unwrap_or(smsc.name);
        smsc.password = sealed.clone().unwrap_or(smsc.password);
        if let Some(edit) = &command.settings {
            edit(&mut smsc.settings);
        }
        (smsc.drained, smsc.changed_at) = (drained, pen.machine_now());
        smscs::update(tx, &smsc)?;
        note_action(tx, &pen, &operator, "smsc.change", &smsc.id.to_string(), &json!({ "name": smsc.name, "drained": drained }))?;
        let view = SmscView { smsc, status: None };
        finish(tx, &view)?;
        Ok(view)
    });
    let changed = changed.await?;
    tell(app);
    Ok(view(app, changed.smsc))
}

/// Takes an SMSC away: its bind is ended in good order.
#[expect(clippy::missing_errors_doc, reason = "as `get`")]
pub async fn remove(app: &App, operator: Operator, id: String, finish: Finish<SmscView>) -> Result<SmscView> {
    let pen = app.pen();
    let removed = app.store.write(move |tx| {
        let smsc = find(tx, &id)?;
        smscs::remove(tx, smsc.id)?;
        note_action(tx, &pen, &operator, "smsc.remove", &smsc.id.to_string(), &json!({ "name": smsc.name }))?;
        let view = SmscView { smsc, status: None };
        finish(tx, &view)?;
        Ok(view)
    });
    let view = removed.await?;
    tell(app);
    Ok(view)
}

/// The password of an SMSC, for whoever binds.
///
/// # Errors
/// `internal` where another secret key sealed it.
pub fn reveal(app: &App, smsc: &Smsc) -> Result<String> {
    let opened = app.vault.open(&smsc.password).and_then(|plain| String::from_utf8(plain).ok());
    opened.ok_or_else(|| Fault::data("the password of an SMSC was sealed by another secret key").into())
}

fn find(tx: &mut Tx, id: &str) -> Result<Smsc> {
    let found = match SmscId::parse(id) {
        Some(parsed) => smscs::get(tx, parsed)?,
        None => None,
    };
    found.ok_or_else(|| Error::resource_not_found("SMSC", id.to_owned()))
}

fn view(app: &App, smsc: Smsc) -> SmscView {
    let status = app.network.get().and_then(|network| network.binds().into_iter().find(|bind| bind.smsc == smsc.id));
    SmscView { smsc, status }
}

pub(super) fn tell(app: &App) {
    if let Some(network) = app.network.get() {
        network.changed();
    }
}
