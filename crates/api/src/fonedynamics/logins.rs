//! `/OnlineLogins`: people who may sign in.

use http::{Method, StatusCode};
use serde::Serialize;
use tandem_app::logins::{self, ChangeLogin, CreateLogin, LoginRef, Wish};
use tandem_catalogue::{Code, Error, Result};
use tandem_domain::{
    login::{Login, Permission, Rights},
    sid::account_sid,
};
use tandem_kernel::{AccountId, LoginId, from_uuid_text, uuid_text};
use utoipa::ToSchema;

use super::{
    convert::{property_of, property_ref, property_sid, unix},
    page,
    properties::{MERGE_PATCH, PATH},
};
use crate::http::{Call, Endpoint, Field, Form, Kind, Reply};

const TAG: &str = "Online logins";
/// Logins that a page has unless the caller says otherwise.
const USUAL: i64 = 50;
/// Permissions that a login may have.
const MOST_PERMISSIONS: usize = 200;
const SID: &[(&str, &str)] = &[("OnlineLoginSid", "The login's sid, a UUID.")];
const PAGE: &[Field] = &[page::COUNT, page::SKIP, page::TOKEN];

const EMAIL: Field = Field::new("Email", Kind::EMAIL, "By which they sign in; nobody else's.", r#""ada@example.com""#);
const PASSWORD: Field = Field::new("Password", Kind::Text { min: 12, max: 128 }, "Their password.", r#""correct horse battery""#);
const FIRST: Field = Field::new("FirstName", Kind::Text { min: 1, max: 128 }, "Their given name.", r#""Ada""#);
const LAST: Field = Field::new("LastName", Kind::Text { min: 1, max: 128 }, "Their family name.", r#""Lovelace""#);
const ENABLED: Field = Field::new("Enabled", Kind::Bool, "Whether they may sign in; false if left out at creation.", "true");
const SCOPES: Field = Field::new(
    "Scopes",
    Kind::Form { pattern: SCOPES_PATTERN, fits: are_scopes, rule: SCOPES_RULE },
    "What they may do, separated by commas.",
    r#""Manage,Reporting""#,
)
.required();
const SCOPES_PATTERN: &str = "^(Manage|Reporting|ManageSms|ReportingSms|Integrations|Billing|ProjectManagement|UserManagement|\
                              SipManagement|ProvisionSms|OutboundCallReporting|DisconnectNumbers|Admin)(,(Manage|Reporting|\
                              ManageSms|ReportingSms|Integrations|Billing|ProjectManagement|UserManagement|SipManagement|\
                              ProvisionSms|OutboundCallReporting|DisconnectNumbers|Admin))*$";
const SCOPES_RULE: &str = "must be one or several of Manage, Reporting, ManageSms, ReportingSms, Integrations, Billing, \
                           ProjectManagement, UserManagement, SipManagement, ProvisionSms, OutboundCallReporting, \
                           DisconnectNumbers, Admin, separated by commas";
const PERMISSION: &[Field] = &[
    Field::new(
        "AccountSid",
        Kind::Text { min: 1, max: 64 },
        "The account; or a PropertySid.",
        r#""A06BQ2N8C4W00000000000000000000K""#,
    ),
    Field::new(
        "PropertySid",
        Kind::Text { min: 1, max: 64 },
        "The project; or an AccountSid.",
        r#""S06BQ2N8C4W00000000000000000000K""#,
    ),
    SCOPES,
];
const CREATE: &[Field] = &[EMAIL.required(), PASSWORD.required(), FIRST.required(), LAST.required(), SCOPES, ENABLED];
const PATCH: &[Field] = &[
    EMAIL,
    PASSWORD,
    FIRST,
    LAST,
    ENABLED,
    Field::new(
        "Permissions",
        Kind::Objects(PERMISSION, MOST_PERMISSIONS),
        "All that they may do, in place of what they might before: each entry about the account or one project.",
        r#"[{"PropertySid":"S06BQ2N8C4W00000000000000000000K","Scopes":"Manage"}]"#,
    ),
];

/// What somebody may do, and where: in the account, or in one project.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct PermissionDto {
    /// The account.
    #[serde(skip_serializing_if = "Option::is_none")]
    account_sid: Option<String>,
    /// The project.
    #[serde(skip_serializing_if = "Option::is_none")]
    property_sid: Option<String>,
    /// What they may do, separated by commas.
    #[schema(example = "Manage,Reporting")]
    scopes: String,
}

/// Somebody who may sign in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct LoginDto {
    /// The login's sid.
    #[schema(example = "018cc251-f400-7000-8000-000000000000")]
    online_login_sid: String,
    /// By which they sign in.
    #[schema(example = "ada@example.com")]
    email: String,
    /// When it was made, in Unix seconds.
    #[schema(example = 1_704_067_200)]
    created: i64,
    /// Whether they may sign in.
    enabled: bool,
    /// Their given name.
    #[schema(example = "Ada")]
    first_name: String,
    /// Their family name.
    #[schema(example = "Lovelace")]
    last_name: String,
    /// What they may do.
    permissions: Vec<PermissionDto>,
}

/// One login.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct LoginAnswer {
    /// The login.
    online_login: LoginDto,
}

/// Logins, oldest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct LoginsAnswer {
    /// The page.
    online_logins: Vec<LoginDto>,
    /// How many there are in all.
    total_count: i64,
    /// What leads to the next page; null on the last.
    next_page_token: Option<String>,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("listOnlineLogins", Method::GET, "/OnlineLogins", "List who may sign in.", list)
            .tag(TAG)
            .query(PAGE)
            .answers::<LoginsAnswer>(StatusCode::OK),
        Endpoint::new(
            "createOnlineLogin",
            Method::POST,
            "/Properties/{PropertySid}/OnlineLogins",
            "Let somebody sign in. Nothing to sign in to is there yet: logins are kept for the dashboard that comes.",
            create,
        )
        .tag(TAG)
        .path_docs(PATH)
        .body(CREATE)
        .answers::<LoginAnswer>(StatusCode::OK)
        .codes(&[Code::PropertyNotFound, Code::ResourceExists]),
        Endpoint::new("getOnlineLogin", Method::GET, "/OnlineLogins/{OnlineLoginSid}", "Read a login.", get)
            .tag(TAG)
            .path_docs(SID)
            .answers::<LoginAnswer>(StatusCode::OK)
            .codes(&[Code::OnlineLoginNotFound]),
        Endpoint::new("patchOnlineLogin", Method::PATCH, "/OnlineLogins/{OnlineLoginSid}", "Change parts of a login.", patch)
            .tag(TAG)
            .path_docs(SID)
            .body(PATCH)
            .body_type(MERGE_PATCH)
            .succeeds(StatusCode::NO_CONTENT)
            .codes(&[
                Code::OnlineLoginNotFound,
                Code::PropertyNotFound,
                Code::AccountNotFound,
                Code::OneOfRequired,
                Code::ResourceExists,
            ]),
    ]
}

async fn list(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let page = page::read(&mut form, USUAL);
    form.finish()?;
    page::check(&page)?;
    let caller = call.caller()?;
    let mut found = logins::list(&call.app, &caller, page.after.map(LoginId::from_bytes), page.limit(), page.skip).await?;
    let answer = LoginsAnswer {
        next_page_token: page.cut(&mut found.logins, |login| *login.id.as_bytes()),
        online_logins: found.logins.iter().map(|login| dto(caller.account, login)).collect(),
        total_count: found.total,
    };
    Ok(Reply::json(StatusCode::OK, &answer))
}

async fn create(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let [email, password, first_name, last_name] = ["Email", "Password", "FirstName", "LastName"].map(|name| form.text(name));
    let (scopes, enabled) = (form.text("Scopes"), form.boolean("Enabled"));
    form.finish()?;
    let command = CreateLogin {
        email: email.ok_or_else(Error::internal)?,
        password: password.ok_or_else(Error::internal)?,
        first_name: first_name.ok_or_else(Error::internal)?,
        last_name: last_name.ok_or_else(Error::internal)?,
        enabled: enabled.unwrap_or(false),
        property: property_of(&call),
        rights: scopes.and_then(|text| Rights::parse(&text)).ok_or_else(Error::internal)?,
    };
    let caller = call.caller()?;
    let render = move |login: &Login| answer(caller.account, login);
    call.answer(render, |finish| logins::create(&call.app, &caller, command, finish)).await
}

async fn get(call: Call) -> Result<Reply> {
    let caller = call.caller()?;
    let login = logins::get(&call.app, &caller, login_of(&call)).await?;
    Ok(answer(caller.account, &login))
}

async fn patch(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?.taking_blanks();
    let [email, password, first_name, last_name] = ["Email", "Password", "FirstName", "LastName"].map(|name| form.text(name));
    let (enabled, permissions) = (form.boolean("Enabled"), form.objects("Permissions", Entry::read));
    form.finish()?;
    let caller = call.caller()?;
    let permissions = match permissions {
        Some(entries) => Some(entries.into_iter().map(|entry| entry.wish(caller.account)).collect::<Result<_>>()?),
        None => None,
    };
    let command = ChangeLogin { email, password, first_name, last_name, enabled, permissions };
    let render = |_: &Login| Reply::empty(StatusCode::NO_CONTENT);
    call.answer(render, |finish| logins::change(&call.app, &caller, login_of(&call), command, finish)).await
}

/// An entry of `Permissions` as it was sent.
struct Entry {
    account: Option<String>,
    property: Option<String>,
    /// How the caller spelled the property's name, and the account's.
    property_name: String,
    account_name: String,
    scopes: Option<String>,
}

impl Entry {
    fn read(form: &mut Form) -> Self {
        Self {
            account: form.text("AccountSid"),
            property: form.text("PropertySid"),
            property_name: form.path_of("PropertySid"),
            account_name: form.path_of("AccountSid"),
            scopes: form.text("Scopes"),
        }
    }

    fn wish(self, own: AccountId) -> Result<Wish> {
        let rights = self.scopes.and_then(|text| Rights::parse(&text)).ok_or_else(Error::internal)?;
        let property = match (self.account, self.property) {
            (None, None) => return Err(Error::one_of_required(format!("{},{}", self.account_name, self.property_name))),
            (Some(_), Some(_)) => return Err(Error::invalid_value(self.property_name, "must be left out beside an AccountSid")),
            (Some(account), None) if account != account_sid(own) => return Err(Error::account_not_found(account)),
            (Some(_), None) => None,
            (None, Some(property)) => Some(property_ref(&property)),
        };
        Ok(Wish { property, rights })
    }
}

fn login_of(call: &Call) -> LoginRef {
    let text = call.param("OnlineLoginSid");
    LoginRef { id: from_uuid_text(&text.to_ascii_lowercase()).map(LoginId::from_bytes), text: text.to_owned() }
}

fn answer(account: AccountId, login: &Login) -> Reply {
    Reply::json(StatusCode::OK, &LoginAnswer { online_login: dto(account, login) })
}

fn dto(account: AccountId, login: &Login) -> LoginDto {
    let permission = |permission: &Permission| PermissionDto {
        account_sid: permission.property.is_none().then(|| account_sid(account)),
        property_sid: permission.property.map(property_sid),
        scopes: permission.rights.to_text(),
    };
    LoginDto {
        online_login_sid: uuid_text(*login.id.as_bytes()),
        email: login.email.clone(),
        created: unix(login.created_at),
        enabled: login.enabled,
        first_name: login.first_name.clone(),
        last_name: login.last_name.clone(),
        permissions: login.permissions.iter().map(permission).collect(),
    }
}

fn are_scopes(text: &str) -> bool {
    Rights::parse(text).is_some()
}

#[cfg(test)]
mod tests {
    use tandem_domain::login::Right;

    use super::*;

    #[test]
    fn the_document_knows_every_scope() {
        for right in Right::ALL {
            assert!(
                SCOPES_PATTERN.matches(right.as_str()).count() >= 2 && SCOPES_RULE.contains(right.as_str()),
                "{}",
                right.as_str()
            );
        }
    }
}
