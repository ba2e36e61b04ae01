//! The operator's trunks.

use std::sync::Arc;

use serde_json::json;
use tandem_catalogue::{Error, Result};
use tandem_domain::{
    digest::{self, Ha1},
    trunk::{HealthState, OwnRegistration, Trunk},
};
use tandem_kernel::TrunkId;
use tandem_store::{Tx, repo::trunks};

use crate::{
    App, Finish,
    accounts::{Operator, note_action},
    app::Pen,
};

/// A user name and a password, shown once.
#[derive(Clone, PartialEq, Eq)]
pub struct NewCredentials {
    /// The user name.
    pub user_name: String,
    /// The password.
    pub password: String,
}

impl NewCredentials {
    /// Fresh ones.
    pub(crate) fn make(pen: &Pen) -> Self {
        Self { user_name: user_name(pen), password: password(pen) }
    }

    /// What is kept of them, sealed.
    pub(crate) fn sealed(&self, pen: &Pen) -> Result<Vec<u8>> {
        pen.vault.seal(&Ha1::of(&self.user_name, &self.password).to_bytes())
    }
}

fn user_name(pen: &Pen) -> String {
    let mut random = [0; 12];
    pen.rng.fill(&mut random);
    digest::user_name(random)
}

pub(crate) fn password(pen: &Pen) -> String {
    let mut random = [0; 24];
    pen.rng.fill(&mut random);
    digest::password(random)
}

/// A trunk, and the credentials that were just made for it.
#[derive(Clone)]
pub struct TrunkView {
    /// The trunk.
    pub trunk: Trunk,
    /// Its new credentials.
    pub credentials: Option<NewCredentials>,
}

/// What changes a trunk; what it leaves alone stays.
pub type Edit = Arc<dyn Fn(&mut Trunk) + Send + Sync>;

/// How we register with a trunk, with the password as it is.
#[derive(Clone)]
pub struct Registers {
    /// Whom we are there.
    pub user: String,
    /// The user name of the challenge.
    pub auth_user: Option<String>,
    /// The password.
    pub password: String,
    /// Seconds between two registrations.
    pub expires: i64,
}

impl Registers {
    fn sealed(self, app: &App) -> Result<OwnRegistration> {
        let Self { user, auth_user, password, expires } = self;
        Ok(OwnRegistration { user, auth_user, password: app.vault.seal(password.as_bytes())?, expires })
    }
}

/// A trunk to add.
#[derive(Clone)]
pub struct AddTrunk {
    /// The trunk; its id and times are set here.
    pub trunk: Trunk,
    /// Whether it proves who it is by a user name and a password, which are made here.
    pub credentials: bool,
    /// How we register with it.
    pub registers: Option<Registers>,
}

/// A change of a trunk; members that are none stay.
#[derive(Clone)]
pub struct ChangeTrunk {
    /// What changes.
    pub edit: Edit,
    /// How we register with it; none within takes the registration away.
    pub registers: Option<Option<Registers>>,
}

/// Adds a trunk.
///
/// # Errors
/// What [`Trunk::check`] refuses, and faults of the store.
pub async fn add(app: &App, operator: Operator, command: AddTrunk, finish: Finish<TrunkView>) -> Result<TrunkView> {
    let mut draft = command.trunk;
    draft.registration = command.registers.map(|registers| registers.sealed(app)).transpose()?;
    let pen = app.pen();
    let credentials = command.credentials.then(|| NewCredentials::make(&pen));
    draft.user_name = credentials.as_ref().map(|credentials| credentials.user_name.clone());
    draft.check()?;
    let sealed = credentials.as_ref().map(|credentials| credentials.sealed(&pen)).transpose()?;
    let work = move |tx: &mut Tx| {
        let now = pen.machine_now();
        let trunk = Trunk {
            id: TrunkId::new(now, &*pen.rng),
            health: HealthState::unknown(now),
            created_at: now,
            changed_at: now,
            ..draft.clone()
        };
        trunks::insert(tx, &trunk, sealed.as_deref())?;
        note_action(tx, &pen, &operator, "trunk.add", &trunk.id.to_string(), &json!({ "name": trunk.name }))?;
        let view = TrunkView { trunk, credentials: credentials.clone() };
        finish(tx, &view)?;
        Ok(view)
    };
    app.store.write(work).await
}

/// Lists the trunks, the oldest first.
///
/// # Errors
/// Faults of the store.
pub async fn list(app: &App) -> Result<Vec<Trunk>> {
    app.store.read(trunks::list).await
}

/// Reads a trunk.
///
/// # Errors
/// `resource_not_found`; so for the other functions here.
pub async fn get(app: &App, id: String) -> Result<Trunk> {
    app.store.read(move |tx| find(tx, &id)).await
}

/// Changes a trunk. Calls that it carries go on as they began.
///
/// # Errors
/// `resource_not_found`, and what [`Trunk::check`] refuses.
pub async fn change(
    app: &App,
    operator: Operator,
    id: String,
    command: ChangeTrunk,
    finish: Finish<TrunkView>,
) -> Result<TrunkView> {
    let pen = app.pen();
    let registration = match command.registers {
        Some(Some(registers)) => Some(Some(registers.sealed(app)?)),
        Some(None) => Some(None),
        None => None,
    };
    let work = move |tx: &mut Tx| {
        let mut trunk = find(tx, &id)?;
        (command.edit)(&mut trunk);
        if let Some(registration) = &registration {
            trunk.registration = registration.clone();
        }
        trunk.changed_at = pen.machine_now();
        trunk.check()?;
        trunks::update(tx, &trunk)?;
        let data = json!({ "name": trunk.name, "drained": trunk.drained });
        note_action(tx, &pen, &operator, "trunk.change", &trunk.id.to_string(), &data)?;
        let view = TrunkView { trunk, credentials: None };
        finish(tx, &view)?;
        Ok(view)
    };
    app.store.write(work).await
}

/// Gives a trunk a new user name and password; the old ones are worth nothing at once.
#[expect(clippy::missing_errors_doc, reason = "as `get`")]
pub async fn rotate_credentials(app: &App, operator: Operator, id: String, finish: Finish<TrunkView>) -> Result<TrunkView> {
    let pen = app.pen();
    let credentials = NewCredentials::make(&pen);
    set_credentials(app, operator, id, Some(credentials), finish).await
}

/// Takes a trunk's user name and password away.
///
/// # Errors
/// `resource_not_found`, `invalid_value` where nothing else tells who the trunk is.
pub async fn remove_credentials(app: &App, operator: Operator, id: String, finish: Finish<TrunkView>) -> Result<TrunkView> {
    set_credentials(app, operator, id, None, finish).await
}

async fn set_credentials(
    app: &App,
    operator: Operator,
    id: String,
    credentials: Option<NewCredentials>,
    finish: Finish<TrunkView>,
) -> Result<TrunkView> {
    let pen = app.pen();
    let sealed = credentials.as_ref().map(|credentials| credentials.sealed(&pen)).transpose()?;
    let work = move |tx: &mut Tx| {
        let mut trunk = find(tx, &id)?;
        trunk.user_name = credentials.as_ref().map(|credentials| credentials.user_name.clone());
        trunk.changed_at = pen.machine_now();
        trunk.check()?;
        trunks::set_credentials(tx, &trunk, sealed.as_deref())?;
        let data = json!({ "user_name": trunk.user_name });
        note_action(tx, &pen, &operator, "trunk.credentials", &trunk.id.to_string(), &data)?;
        let view = TrunkView { trunk, credentials: credentials.clone() };
        finish(tx, &view)?;
        Ok(view)
    };
    app.store.write(work).await
}

/// Takes a trunk away. Calls that it carries go on as they began.
#[expect(clippy::missing_errors_doc, reason = "as `get`")]
pub async fn remove(app: &App, operator: Operator, id: String, finish: Finish<TrunkView>) -> Result<TrunkView> {
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let trunk = find(tx, &id)?;
        trunks::remove(tx, trunk.id)?;
        note_action(tx, &pen, &operator, "trunk.remove", &trunk.id.to_string(), &json!({ "name": trunk.name }))?;
        let view = TrunkView { trunk, credentials: None };
        finish(tx, &view)?;
        Ok(view)
    };
    app.store.write(work).await
}

fn find(tx: &mut Tx, id: &str) -> Result<Trunk> {
    let found = match TrunkId::parse(id) {
        Some(parsed) => trunks::get(tx, parsed)?,
        None => None,
    };
    found.ok_or_else(|| Error::resource_not_found("trunk", id.to_owned()))
}
