//! People who may sign in: made, read, changed.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, SaltString},
};
use serde_json::json;
use tandem_catalogue::{Error, Result};
use tandem_domain::{
    event::EventKind,
    login::{Login, Permission, Rights},
};
use tandem_kernel::{Caller, EnvironmentId, LoginId, PropertyId, Scope};
use tandem_store::{
    Tx,
    repo::{logins, properties as repo_properties},
};

use crate::{
    App, Finish, permit,
    properties::{self, PropertyRef},
};

/// A permission as a caller asks for it: its property was not looked up yet.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The property; none for the whole account.
    pub property: Option<PropertyRef>,
    /// What may be done there.
    pub rights: Rights,
}

/// Somebody who is to be let in.
#[derive(Clone)]
pub struct CreateLogin {
    /// By which they sign in.
    pub email: String,
    /// Their password.
    pub password: String,
    /// Their given name.
    pub first_name: String,
    /// Their family name.
    pub last_name: String,
    /// Whether they may sign in.
    pub enabled: bool,
    /// The property that they may work on, and what they may do there.
    pub property: PropertyRef,
    /// What they may do there.
    pub rights: Rights,
}

/// A change of a login; members that are none stay.
#[derive(Clone, Default)]
pub struct ChangeLogin {
    /// By which they sign in.
    pub email: Option<String>,
    /// Their password.
    pub password: Option<String>,
    /// Their given name.
    pub first_name: Option<String>,
    /// Their family name.
    pub last_name: Option<String>,
    /// Whether they may sign in.
    pub enabled: Option<bool>,
    /// All that they may do.
    pub permissions: Option<Vec<Wish>>,
}

/// How a caller names a login: by id, or by something that names nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginRef {
    /// The id, if the text is one.
    pub id: Option<LoginId>,
    /// As the caller wrote it.
    pub text: String,
}

/// Some of an environment's logins.
#[derive(Debug, Clone)]
pub struct LoginList {
    /// The page, oldest first.
    pub logins: Vec<Login>,
    /// How many there are in all.
    pub total: i64,
}

/// Lets somebody in.
///
/// # Errors
/// `property_not_found`, `insufficient_scope`, `resource_exists` for an address that is used already.
pub async fn create(app: &App, caller: &Caller, mut command: CreateLogin, finish: Finish<Login>) -> Result<Login> {
    let (pen, caller) = (app.pen(), *caller);
    let password = hashed(app, std::mem::take(&mut command.password)).await?;
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, caller.environment)?;
        let property = properties::find(tx, caller.environment, &command.property)?;
        permit(&caller, Scope::Logins)?;
        check_free(tx, caller.environment, &command.email)?;
        let login = Login {
            id: desk.id(LoginId::new),
            environment: caller.environment,
            email: command.email.clone(),
            password: password.clone(),
            first_name: command.first_name.clone(),
            last_name: command.last_name.clone(),
            enabled: command.enabled,
            permissions: vec![Permission { property: Some(property.id), rights: command.rights }],
            created_at: desk.now,
            version: 1,
        };
        logins::insert(tx, &login)?;
        desk.event(tx, &login.id.to_string(), EventKind::LoginCreated, &json!({ "email": login.email }))?;
        finish(tx, &login)?;
        Ok(login)
    };
    app.store.write(work).await
}

/// Reads a login.
///
/// # Errors
/// `online_login_not_found`, `insufficient_scope`.
pub async fn get(app: &App, caller: &Caller, login: LoginRef) -> Result<Login> {
    let environment = caller.environment;
    let found = app.store.read(move |tx| find(tx, environment, &login)).await?;
    permit(caller, Scope::Logins)?;
    Ok(found)
}

/// Lists logins, oldest first, from the one after `after`.
///
/// # Errors
/// `insufficient_scope`.
pub async fn list(app: &App, caller: &Caller, after: Option<LoginId>, limit: i64, offset: i64) -> Result<LoginList> {
    permit(caller, Scope::Logins)?;
    let (environment, after) = (caller.environment, after.unwrap_or(LoginId::from_bytes([0; 16])));
    let read = move |tx: &mut Tx| {
        let total = logins::count(tx, environment)?;
        Ok(LoginList { logins: logins::list(tx, environment, after, limit, offset)?, total })
    };
    app.store.read(read).await
}

/// Changes a login.
///
/// # Errors
/// `online_login_not_found`, `property_not_found`, `insufficient_scope`, `resource_exists` for an address that is used already.
pub async fn change(app: &App, caller: &Caller, login: LoginRef, mut command: ChangeLogin, finish: Finish<Login>) -> Result<Login> {
    let (pen, caller) = (app.pen(), *caller);
    let password = match command.password.take() {
        Some(password) => Some(hashed(app, password).await?),
        None => None,
    };
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, caller.environment)?;
        let before = find(tx, caller.environment, &login)?;
        let permissions = command.permissions.as_ref().map(|wishes| granted(tx, caller.environment, wishes)).transpose()?;
        permit(&caller, Scope::Logins)?;
        let after = Login {
            email: command.email.clone().unwrap_or_else(|| before.email.clone()),
            password: password.clone().unwrap_or_else(|| before.password.clone()),
            first_name: command.first_name.clone().unwrap_or_else(|| before.first_name.clone()),
            last_name: command.last_name.clone().unwrap_or_else(|| before.last_name.clone()),
            enabled: command.enabled.unwrap_or(before.enabled),
            permissions: permissions.unwrap_or_else(|| before.permissions.clone()),
            version: before.version + 1,
            ..before.clone()
        };
        if after.email.to_lowercase() != before.email.to_lowercase() {
            check_free(tx, caller.environment, &after.email)?;
        }
        logins::update(tx, &after)?;
        desk.event(tx, &after.id.to_string(), EventKind::LoginUpdated, &json!({ "email": after.email }))?;
        finish(tx, &after)?;
        Ok(after)
    };
    app.store.write(work).await
}

fn find(tx: &mut Tx, environment: EnvironmentId, login: &LoginRef) -> Result<Login> {
    let found = match login.id {
        Some(id) => logins::get(tx, environment, id)?,
        None => None,
    };
    found.ok_or_else(|| Error::online_login_not_found(login.text.clone()))
}

fn check_free(tx: &mut Tx, environment: EnvironmentId, email: &str) -> Result<()> {
    match logins::by_email(tx, environment, email)? {
        Some(_) => Err(Error::resource_exists("login", email.to_owned())),
        None => Ok(()),
    }
}

fn granted(tx: &mut Tx, environment: EnvironmentId, wishes: &[Wish]) -> Result<Vec<Permission>> {
    let named: Vec<PropertyId> = wishes.iter().filter_map(|wish| wish.property.as_ref()?.id).collect();
    let known = if named.is_empty() { Vec::new() } else { repo_properties::existing(tx, environment, &named)? };
    let grant = |wish: &Wish| match &wish.property {
        None => Ok(Permission { property: None, rights: wish.rights }),
        Some(property) => match property.id.filter(|id| known.contains(id)) {
            Some(id) => Ok(Permission { property: Some(id), rights: wish.rights }),
            None => Err(Error::property_not_found(property.text.clone())),
        },
    };
    wishes.iter().map(grant).collect()
}

/// What is kept of a password. It takes some 20 MiB and a core for a while, so a few are worked out at once and no more.
async fn hashed(app: &App, password: String) -> Result<String> {
    let _turn = app.passwords.acquire().await.map_err(|_| Error::shutting_down(1))?;
    let mut salt = [0; 16];
    app.rng.fill(&mut salt);
    let work = move || {
        let salt = SaltString::encode_b64(&salt)?;
        Ok::<_, argon2::password_hash::Error>(Argon2::default().hash_password(password.as_bytes(), &salt)?.to_string())
    };
    let hash = tokio::task::spawn_blocking(work).await.map_err(|fault| Error::internal().because(fault))?;
    hash.map_err(|fault| Error::internal().because(fault.to_string()))
}
