//! Keys: those of accounts, as operators and accounts handle them, and the operators' own.

use http::{Method, StatusCode};
use serde::Serialize;
use tandem_app::{
    accounts,
    keys::{self, MintKey, MintedKey},
    own_keys::{self, MintOwnKey},
};
use tandem_catalogue::{Code, Result};
use tandem_domain::key::{Key, KeyState};
use tandem_kernel::{EnvironmentId, KeyKind, Scope, Scopes, Timestamp};
use utoipa::ToSchema;

use super::{
    page::{PAGE, Page, Window},
    place,
};
use crate::http::{Access, Call, Endpoint, Field, Form, Kind, Reply};

const TAG: &str = "Keys";
const OPERATORS: &str = "Operator keys";
const KINDS: &[&str] = &["secret", "publishable", "token"];
/// What an account's key can be allowed to do.
const SCOPES: &[&str] = &[
    Scope::NumbersRead.as_str(),
    Scope::NumbersWrite.as_str(),
    Scope::PortsRead.as_str(),
    Scope::PortsWrite.as_str(),
    Scope::BillingRead.as_str(),
    Scope::BillingWrite.as_str(),
    Scope::MessagesRead.as_str(),
    Scope::MessagesWrite.as_str(),
    Scope::CallsRead.as_str(),
    Scope::CallsWrite.as_str(),
    Scope::Verify.as_str(),
    Scope::Webhooks.as_str(),
    Scope::LogsRead.as_str(),
    Scope::Simulate.as_str(),
    Scope::Keys.as_str(),
    Scope::NumbersRelease.as_str(),
    Scope::PropertiesRead.as_str(),
    Scope::PropertiesWrite.as_str(),
    Scope::Logins.as_str(),
];
/// Seconds that an old key goes on working where nothing else is said.
const OVERLAP: i64 = 3600;
const LONGEST_OVERLAP: i64 = 30 * 86_400;

const LABEL: Field = Field::new("label", Kind::Text { min: 0, max: 128 }, "A name to know the key by.", r#""Back office""#);
const EXPIRES_AT: Field =
    Field::new("expires_at", Kind::Time, "When the key stops working; never where it is not said.", r#""2030-01-01T00:00:00Z""#);
const MINT: &[Field] = &[
    Field::new(
        "kind",
        Kind::Choice(KINDS),
        "`secret` for a server, `publishable` to be shown to anybody, `token` to go with an AccountSid; `secret` where it is not said.",
        r#""secret""#,
    ),
    Field::new(
        "scopes",
        Kind::Choices(SCOPES),
        "What the key may do; as much as its kind and its maker allow where it is not said.",
        r#"["numbers:read"]"#,
    ),
    LABEL,
    EXPIRES_AT,
];
const MINT_OPERATOR: &[Field] = &[LABEL, EXPIRES_AT];
const ROTATE: &[Field] = &[Field::new(
    "overlap_seconds",
    Kind::Int { min: 0, max: LONGEST_OVERLAP },
    "How long the old key goes on working; an hour where it is not said.",
    "3600",
)];
const LOST: &str = "The text was shown once, in the first answer. If it is lost, rotate the key.";

/// A key, without its text.
#[derive(Serialize, ToSchema)]
pub struct KeyDto {
    /// Its id.
    id: String,
    /// `secret`, `publishable`, `token` or `operator`.
    kind: &'static str,
    /// What its text begins with.
    prefix: String,
    /// What its text ends with.
    last_four: String,
    /// What it may do.
    scopes: Vec<&'static str>,
    /// The name that it is known by.
    label: String,
    /// `active`, `expired` or `revoked`.
    status: &'static str,
    /// When it was made.
    created_at: String,
    /// When it stops working, or stopped.
    expires_at: Option<String>,
    /// When it was revoked.
    revoked_at: Option<String>,
    /// When it was last used, to within some seconds.
    last_used_at: Option<String>,
    /// The key that rotation made in its stead.
    replaced_by: Option<String>,
}

/// A key just made.
#[derive(Serialize, ToSchema)]
struct MintedKeyDto {
    #[serde(flatten)]
    key: KeyDto,
    /// Its text: only in the first answer, never kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// Why the text is not there, in the answer to a repetition.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

impl KeyDto {
    /// The key on the wire, as it is at `now`.
    pub fn of(key: &Key, now: Timestamp) -> Self {
        let time = |at: &Option<Timestamp>| at.as_ref().map(Timestamp::to_string);
        Self {
            id: key.id.to_string(),
            kind: key.kind.as_str(),
            prefix: key.prefix.clone(),
            last_four: key.last_four.clone(),
            scopes: key.scopes.iter().map(Scope::as_str).collect(),
            label: key.label.clone(),
            status: match key.state(now) {
                KeyState::Active => "active",
                KeyState::Expired => "expired",
                KeyState::Revoked => "revoked",
            },
            created_at: key.created_at.to_string(),
            expires_at: time(&key.expires_at),
            revoked_at: time(&key.revoked_at),
            last_used_at: time(&key.last_used_at),
            replaced_by: key.replaced_by.map(|id| id.to_string()),
        }
    }
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = of_accounts();
    endpoints.extend(own());
    endpoints.extend(operators());
    endpoints
}

fn of_accounts() -> Vec<Endpoint> {
    const PATH: &str = "/accounts/{account_id}/environments/{environment}/keys";
    const ONE: &str = "/accounts/{account_id}/environments/{environment}/keys/{key_id}";
    const ROTATION: &str = "/accounts/{account_id}/environments/{environment}/keys/{key_id}/rotate";
    const LOOKUP: &[Code] = &[Code::AccountNotFound, Code::ResourceNotFound];
    let endpoints = [
        Endpoint::new("mintKey", Method::POST, PATH, "Make a key for an account; its text is shown once.", mint)
            .path_docs(place::ENVIRONMENT)
            .body(MINT)
            .answers::<MintedKeyDto>(StatusCode::CREATED)
            .codes(LOOKUP),
        Endpoint::new("listKeys", Method::GET, PATH, "List an environment's keys, oldest first.", list)
            .path_docs(place::ENVIRONMENT)
            .query(PAGE)
            .answers::<Page<KeyDto>>(StatusCode::OK)
            .codes(LOOKUP),
        Endpoint::new("rotateKey", Method::POST, ROTATION, "Replace an account's key by a new one.", rotate)
            .path_docs(place::KEY_OF)
            .body(ROTATE)
            .answers::<MintedKeyDto>(StatusCode::CREATED)
            .codes(&[Code::AccountNotFound, Code::ResourceNotFound, Code::InvalidTransition]),
        Endpoint::new("revokeKey", Method::DELETE, ONE, "Revoke an account's key at once.", revoke)
            .path_docs(place::KEY_OF)
            .answers::<KeyDto>(StatusCode::OK)
            .codes(LOOKUP),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG).access(Access::Operator)).collect()
}

fn own() -> Vec<Endpoint> {
    let endpoints = [
        Endpoint::new("mintOwnKey", Method::POST, "/account/keys", "Make a key with some of your own key's rights.", mint_own)
            .body(MINT)
            .answers::<MintedKeyDto>(StatusCode::CREATED),
        Endpoint::new("listOwnKeys", Method::GET, "/account/keys", "List the keys of your environment, oldest first.", list_own)
            .query(PAGE)
            .answers::<Page<KeyDto>>(StatusCode::OK),
        Endpoint::new(
            "rotateOwnKey",
            Method::POST,
            "/account/keys/{key_id}/rotate",
            "Replace one of your keys by a new one.",
            rotate_own,
        )
        .path_docs(place::KEY)
        .body(ROTATE)
        .answers::<MintedKeyDto>(StatusCode::CREATED)
        .codes(&[Code::ResourceNotFound, Code::InvalidTransition]),
        Endpoint::new("revokeOwnKey", Method::DELETE, "/account/keys/{key_id}", "Revoke one of your keys at once.", revoke_own)
            .path_docs(place::KEY)
            .answers::<KeyDto>(StatusCode::OK)
            .codes(&[Code::ResourceNotFound]),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG)).collect()
}

fn operators() -> Vec<Endpoint> {
    const LOOKUP: &[Code] = &[Code::ResourceNotFound, Code::InvalidTransition];
    let endpoints = [
        Endpoint::new(
            "mintOperatorKey",
            Method::POST,
            "/operator-keys",
            "Make a key for an operator; its text is shown once.",
            mint_operator,
        )
        .body(MINT_OPERATOR)
        .answers::<MintedKeyDto>(StatusCode::CREATED),
        Endpoint::new("listOperatorKeys", Method::GET, "/operator-keys", "List the operators' keys, oldest first.", list_operator)
            .query(PAGE)
            .answers::<Page<KeyDto>>(StatusCode::OK),
        Endpoint::new(
            "rotateOperatorKey",
            Method::POST,
            "/operator-keys/{key_id}/rotate",
            "Replace an operator's key by a new one.",
            rotate_operator,
        )
        .path_docs(place::KEY)
        .body(ROTATE)
        .answers::<MintedKeyDto>(StatusCode::CREATED)
        .codes(LOOKUP),
        Endpoint::new(
            "revokeOperatorKey",
            Method::DELETE,
            "/operator-keys/{key_id}",
            "Revoke an operator's key at once; the last one that works stays.",
            revoke_operator,
        )
        .path_docs(place::KEY)
        .answers::<KeyDto>(StatusCode::OK)
        .codes(LOOKUP),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(OPERATORS).access(Access::Operator)).collect()
}

/// What a request says about a new key.
struct Wish {
    kind: KeyKind,
    scopes: Option<Scopes>,
    label: String,
    expires_at: Option<Timestamp>,
}

fn wish(call: &Call) -> Result<Wish> {
    let mut form = call.body_form()?;
    let wish = Wish {
        kind: form.choice("kind").and_then(KeyKind::parse).unwrap_or(KeyKind::Secret),
        scopes: form.choices("scopes").map(|words| words.into_iter().filter_map(Scope::parse).collect()),
        label: form.text("label").unwrap_or_default(),
        expires_at: form.time("expires_at"),
    };
    form.finish()?;
    Ok(wish)
}

async fn mint(call: Call) -> Result<Reply> {
    let Wish { kind, scopes, label, expires_at } = wish(&call)?;
    let scopes = scopes.unwrap_or_else(|| keys::usual_scopes(kind));
    keys::check_new(kind, scopes, expires_at, call.app.machine_now())?;
    let environment = Some(environment(&call).await?);
    let command = MintKey { environment, kind, scopes, label, expires_at };
    call.answer_once(shown, kept, |finish| keys::mint(&call.app, call.operator(), command, finish)).await
}

async fn list(call: Call) -> Result<Reply> {
    let window = window(&call)?;
    let environment = environment(&call).await?;
    let found = keys::list(&call.app, Some(environment)).await?;
    Ok(page(&call, window, found))
}

async fn rotate(call: Call) -> Result<Reply> {
    let overlap = overlap(&call)?;
    let environment = Some(environment(&call).await?);
    let id = call.param("key_id").to_owned();
    call.answer_once(shown, kept, |finish| keys::rotate(&call.app, call.operator(), environment, id, overlap, finish)).await
}

async fn revoke(call: Call) -> Result<Reply> {
    let environment = Some(environment(&call).await?);
    let id = call.param("key_id").to_owned();
    call.answer(revoked, |finish| keys::revoke(&call.app, call.operator(), environment, id, finish)).await
}

async fn mint_own(call: Call) -> Result<Reply> {
    let Wish { kind, scopes, label, expires_at } = wish(&call)?;
    let (caller, command) = (call.caller()?, MintOwnKey { kind, scopes, label, expires_at });
    call.answer_once(shown, kept, |finish| own_keys::mint(&call.app, &caller, command, finish)).await
}

async fn list_own(call: Call) -> Result<Reply> {
    let window = window(&call)?;
    let found = own_keys::list(&call.app, &call.caller()?).await?;
    Ok(page(&call, window, found))
}

async fn rotate_own(call: Call) -> Result<Reply> {
    let (overlap, caller, id) = (overlap(&call)?, call.caller()?, call.param("key_id").to_owned());
    call.answer_once(shown, kept, |finish| own_keys::rotate(&call.app, &caller, id, overlap, finish)).await
}

async fn revoke_own(call: Call) -> Result<Reply> {
    let (caller, id) = (call.caller()?, call.param("key_id").to_owned());
    call.answer(revoked, |finish| own_keys::revoke(&call.app, &caller, id, finish)).await
}

async fn mint_operator(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (label, expires_at) = (form.text("label").unwrap_or_default(), form.time("expires_at"));
    form.finish()?;
    let kind = KeyKind::Operator;
    let scopes = keys::usual_scopes(kind);
    keys::check_new(kind, scopes, expires_at, call.app.machine_now())?;
    let command = MintKey { environment: None, kind, scopes, label, expires_at };
    call.answer_once(shown, kept, |finish| keys::mint(&call.app, call.operator(), command, finish)).await
}

async fn list_operator(call: Call) -> Result<Reply> {
    let window = window(&call)?;
    let found = keys::list(&call.app, None).await?;
    Ok(page(&call, window, found))
}

async fn rotate_operator(call: Call) -> Result<Reply> {
    let (overlap, id) = (overlap(&call)?, call.param("key_id").to_owned());
    call.answer_once(shown, kept, |finish| keys::rotate(&call.app, call.operator(), None, id, overlap, finish)).await
}

async fn revoke_operator(call: Call) -> Result<Reply> {
    let id = call.param("key_id").to_owned();
    call.answer(revoked, |finish| keys::revoke(&call.app, call.operator(), None, id, finish)).await
}

async fn environment(call: &Call) -> Result<EnvironmentId> {
    let (account, kind) = (place::account(call)?, place::kind(call)?);
    accounts::find_environment(&call.app, account, kind).await.map(|settings| settings.id)
}

fn overlap(call: &Call) -> Result<i64> {
    let mut form = call.body_form()?;
    let overlap = form.int("overlap_seconds").unwrap_or(OVERLAP);
    form.finish()?;
    Ok(overlap)
}

fn window(call: &Call) -> Result<Window> {
    let mut form: Form = call.query_form()?;
    let window = Window::read(&mut form);
    form.finish()?;
    Ok(window)
}

/// An environment has few keys: the page is cut from all of them.
fn page(call: &Call, window: Window, mut found: Vec<Key>) -> Reply {
    let now = call.app.machine_now();
    found.sort_by_key(|key| key.id);
    found.retain(|key| window.cursor.is_none_or(|after| *key.id.as_bytes() > after));
    Reply::json(StatusCode::OK, &window.page(found, |key| *key.id.as_bytes(), |key| KeyDto::of(key, now)))
}

fn shown(minted: &MintedKey) -> Reply {
    let key = KeyDto::of(&minted.key, minted.key.created_at);
    Reply::json(StatusCode::CREATED, &MintedKeyDto { key, text: Some(minted.text.as_str().to_owned()), note: None })
}

/// The answer as it is kept for repetitions: a key's text is kept nowhere.
fn kept(minted: &MintedKey) -> Reply {
    let key = KeyDto::of(&minted.key, minted.key.created_at);
    Reply::json(StatusCode::CREATED, &MintedKeyDto { key, text: None, note: Some(LOST) })
}

fn revoked(key: &Key) -> Reply {
    Reply::json(StatusCode::OK, &KeyDto::of(key, key.revoked_at.unwrap_or(key.created_at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_of_an_account_can_be_asked_for() {
        let all: Vec<_> = Scopes::account().iter().map(Scope::as_str).collect();
        assert_eq!(SCOPES, all);
    }
}
