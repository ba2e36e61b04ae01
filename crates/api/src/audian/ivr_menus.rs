//! `/ivr-menus`: menus that callers choose from by keys. Their answers are bare objects.

use http::{Method, StatusCode};
use serde::Serialize;
use tandem_app::menus::{self, CreateMenu, MenuChange};
use tandem_catalogue::{Code, Error, Result};
use tandem_domain::flow::{Choice, Destination, IvrMenu, LONGEST_PROMPT, MOST_CHOICES};
use utoipa::ToSchema;

use super::{
    destinations::{self, DESTINATION, DESTINATION_TYPE, DestinationDto, Raw},
    numbers::{LIMIT, OFFSET, page},
};
use crate::http::{Call, Endpoint, Field, Form, Kind, Reply};

const TAG: &str = "IVR menus";
const ID: &[(&str, &str)] = &[("menu_id", "The menu's id.")];
const NAME: Field = Field::new("name", Kind::Text { min: 1, max: 128 }, "Your name for it.", r#""Main menu""#);
const PROMPT: Field = Field::new(
    "prompt",
    Kind::Text { min: 1, max: LONGEST_PROMPT },
    "What callers hear.",
    r#""Press 1 for sales, 2 for support.""#,
);
const OPTION: &[Field] = &[
    Field::new("digit", Kind::Text { min: 1, max: 10 }, "The keys: 0 to 9, * and #.", r#""1""#).required(),
    DESTINATION,
    DESTINATION_TYPE,
];
const OPTIONS: Field = Field::new("options", Kind::Objects(OPTION, MOST_CHOICES), "What callers can choose.", "");
const LANGUAGE: Field = Field::new(
    "language",
    Kind::Form { pattern: "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$", fits: is_language, rule: "must be a language such as en-US" },
    "The language of the prompt; en-US where it is left out.",
    r#""en-US""#,
);
const VOICE: Field = Field::new(
    "voice",
    Kind::Text { min: 1, max: 64 },
    "The voice of the prompt, female, male or a name that the speech of the installation knows; female where it is left out.",
    r#""female""#,
);
const MAX_DIGITS: Field =
    Field::new("max_digits", Kind::Int { min: 1, max: 10 }, "Keys of the longest choice; 1 where it is left out.", "1");
const TIMEOUT: Field =
    Field::new("timeout_seconds", Kind::Int { min: 1, max: 60 }, "How long it waits for a key; 5 where it is left out. Ours.", "5");
const ATTEMPTS: Field = Field::new(
    "max_attempts",
    Kind::Int { min: 1, max: 10 },
    "How often it is said before the caller has chosen nothing; 3 where it is left out. Ours.",
    "3",
);
const FALLBACK: Field = Field::new(
    "fallback",
    Kind::Object(&[DESTINATION, DESTINATION_TYPE]),
    "Where callers go who choose nothing; the call ends where it is left out. Ours.",
    "",
);
const CREATE: &[Field] =
    &[NAME.required(), PROMPT.required(), OPTIONS.required(), LANGUAGE, VOICE, MAX_DIGITS, TIMEOUT, ATTEMPTS, FALLBACK];
const UPDATE: &[Field] = &[NAME, PROMPT, OPTIONS, LANGUAGE, VOICE, MAX_DIGITS, TIMEOUT, ATTEMPTS, FALLBACK];
const LIST: &[Field] = &[LIMIT, OFFSET];

/// A menu.
#[derive(Serialize, ToSchema)]
struct IvrMenuDto {
    /// Its id.
    #[schema(example = "menu_01hzy3v7k2m8x4c6b9d1f5g7h0")]
    menu_id: String,
    /// Your name for it.
    name: String,
    /// What callers hear.
    prompt: String,
    /// What they can choose.
    options: Vec<OptionDto>,
    /// When it was made.
    #[schema(format = "date-time")]
    created_at: String,
    /// The language of the prompt.
    language: String,
    /// The voice of the prompt.
    voice: String,
    /// Keys of the longest choice.
    max_digits: i64,
    /// How long it waits for a key.
    timeout_seconds: i64,
    /// How often it is said.
    max_attempts: i64,
    /// Where callers go who choose nothing.
    fallback: DestinationDto,
    /// When it was last changed.
    #[schema(format = "date-time")]
    updated_at: String,
    /// Grows by one with each change.
    version: i64,
}

/// A choice.
#[derive(Serialize, ToSchema)]
struct OptionDto {
    /// The keys.
    #[schema(example = "1")]
    digit: String,
    /// Where they lead; null for voicemail and hangup.
    #[schema(example = "+14155550199")]
    destination: Option<String>,
    /// `ivr_menu`, `phone_number`, `call_flow`, `conference`, `recording`, `voicemail` or `hangup`.
    #[schema(example = "phone_number")]
    destination_type: &'static str,
}

/// A page of menus.
#[derive(Serialize, ToSchema)]
struct IvrMenusDto {
    /// The page, oldest first.
    ivr_menus: Vec<IvrMenuDto>,
    /// How many there are in all.
    total: i64,
    /// How many were asked for.
    limit: i64,
    /// How many were left out.
    offset: i64,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    const CREATED: &[Code] = &[
        Code::RoutingTargetMissing,
        Code::ForwardTargetInvalid,
        Code::ForwardTargetUnreachable,
        Code::ForwardLoop,
        Code::InvalidRouting,
        Code::OperationNotAllowed,
    ];
    const CHANGED: &[Code] = &[
        Code::ResourceNotFound,
        Code::RoutingTargetMissing,
        Code::ForwardTargetInvalid,
        Code::ForwardTargetUnreachable,
        Code::ForwardLoop,
        Code::InvalidRouting,
    ];
    const LOOKUP: &[Code] = &[Code::ResourceNotFound];
    let endpoints = [
        Endpoint::new("createIvrMenu", Method::POST, "/ivr-menus", "Make a menu.", create)
            .body(CREATE)
            .answers::<IvrMenuDto>(StatusCode::CREATED)
            .codes(CREATED),
        Endpoint::new("listIvrMenus", Method::GET, "/ivr-menus", "List your menus.", list)
            .query(LIST)
            .answers::<IvrMenusDto>(StatusCode::OK)
            .ours(),
        Endpoint::new("getIvrMenu", Method::GET, "/ivr-menus/{menu_id}", "Read one of your menus.", get)
            .path_docs(ID)
            .answers::<IvrMenuDto>(StatusCode::OK)
            .codes(LOOKUP)
            .ours(),
        Endpoint::new("updateIvrMenu", Method::PUT, "/ivr-menus/{menu_id}", "Change a menu; what is not named stays.", update)
            .path_docs(ID)
            .body(UPDATE)
            .answers::<IvrMenuDto>(StatusCode::OK)
            .codes(CHANGED)
            .ours(),
        Endpoint::new("deleteIvrMenu", Method::DELETE, "/ivr-menus/{menu_id}", "Delete a menu that nothing leads to.", delete)
            .path_docs(ID)
            .answers::<IvrMenuDto>(StatusCode::OK)
            .codes(&[Code::ResourceNotFound, Code::InUse])
            .ours(),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG)).collect()
}

async fn create(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (name, prompt, options) = (form.text("name"), form.text("prompt"), form.objects("options", read_option));
    let (language, voice, max_digits) = (form.text("language"), form.text("voice"), form.int("max_digits"));
    let (timeout, attempts) = (form.int("timeout_seconds"), form.int("max_attempts"));
    let fallback = form.object("fallback", destinations::read);
    form.finish()?;
    let command = CreateMenu {
        name: name.ok_or_else(Error::internal)?,
        prompt: prompt.ok_or_else(Error::internal)?,
        options: choices(options.unwrap_or_default())?,
        language: language.unwrap_or_else(|| "en-US".to_owned()),
        voice: voice.unwrap_or_else(|| "female".to_owned()),
        max_digits: max_digits.unwrap_or(1),
        timeout_seconds: timeout.unwrap_or(5),
        max_attempts: attempts.unwrap_or(3),
        fallback: fallback.map_or(Ok(Destination::Hangup), |raw| raw.destination("fallback.destination"))?,
    };
    let caller = call.caller()?;
    call.answer(created, |finish| menus::create(&call.app, &caller, command, finish)).await
}

async fn list(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let (limit, offset) = page(&mut form, 20);
    form.finish()?;
    let found = menus::list(&call.app, &call.caller()?, limit, offset).await?;
    let ivr_menus = found.menus.iter().map(dto).collect();
    Ok(Reply::json(StatusCode::OK, &IvrMenusDto { ivr_menus, total: found.total, limit, offset }))
}

async fn get(call: Call) -> Result<Reply> {
    let menu = menus::get(&call.app, &call.caller()?, id(&call)).await?;
    Ok(plain(&menu))
}

async fn update(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let mut change = MenuChange {
        name: form.text("name"),
        prompt: form.text("prompt"),
        language: form.text("language"),
        voice: form.text("voice"),
        max_digits: form.int("max_digits"),
        timeout_seconds: form.int("timeout_seconds"),
        max_attempts: form.int("max_attempts"),
        ..MenuChange::default()
    };
    let (options, fallback) = (form.objects("options", read_option), form.object("fallback", destinations::read));
    form.finish()?;
    change.options = options.map(choices).transpose()?;
    change.fallback = fallback.map(|raw| raw.destination("fallback.destination")).transpose()?;
    let caller = call.caller()?;
    call.answer(plain, |finish| menus::update(&call.app, &caller, id(&call), change, finish)).await
}

async fn delete(call: Call) -> Result<Reply> {
    let caller = call.caller()?;
    call.answer(plain, |finish| menus::delete(&call.app, &caller, id(&call), finish)).await
}

fn id(call: &Call) -> String {
    call.param("menu_id").to_owned()
}

/// A choice as it was sent.
struct RawOption {
    digit: Option<String>,
    to: Raw,
}

fn read_option(form: &mut Form) -> RawOption {
    RawOption { digit: form.text("digit"), to: destinations::read(form) }
}

fn choices(raw: Vec<RawOption>) -> Result<Vec<Choice>> {
    let choice = |(place, raw): (usize, RawOption)| {
        let to = raw.to.destination(&format!("options.{place}.destination"))?;
        Ok(Choice { digit: raw.digit.ok_or_else(Error::internal)?, to })
    };
    raw.into_iter().enumerate().map(choice).collect()
}

fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let first =
        parts.next().is_some_and(|part| (2..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic()));
    first && parts.clone().count() <= 3 && parts.all(|part| (2..=8).contains(&part.len()) && plain(part))
}

fn created(menu: &IvrMenu) -> Reply {
    Reply::json(StatusCode::CREATED, &dto(menu))
}

fn plain(menu: &IvrMenu) -> Reply {
    Reply::json(StatusCode::OK, &dto(menu))
}

fn dto(menu: &IvrMenu) -> IvrMenuDto {
    let option = |choice: &Choice| OptionDto {
        digit: choice.digit.clone(),
        destination: choice.to.target(),
        destination_type: choice.to.kind(),
    };
    IvrMenuDto {
        menu_id: menu.id.to_string(),
        name: menu.name.clone(),
        prompt: menu.prompt.clone(),
        options: menu.options.iter().map(option).collect(),
        created_at: menu.created_at.to_string(),
        language: menu.language.clone(),
        voice: menu.voice.clone(),
        max_digits: menu.max_digits,
        timeout_seconds: menu.timeout_seconds,
        max_attempts: menu.max_attempts,
        fallback: DestinationDto::of(&menu.fallback),
        updated_at: menu.updated_at.to_string(),
        version: menu.version,
    }
}
