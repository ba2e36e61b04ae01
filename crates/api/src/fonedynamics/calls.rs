//! `/Calls`: calls that are over.

use http::{Method, StatusCode};
use serde::Serialize;
use tandem_app::calls::{self, CallList, CallRef, ListCalls, Place};
use tandem_catalogue::{Code, Error, Result};
use tandem_domain::{
    call::{self, Direction, Disposition, Filter, is_key_path},
    sid::{account_sid, letter, parse_sid, sid},
};
use tandem_kernel::{AccountId, CallId, PhoneNumber, Timestamp};
use utoipa::ToSchema;

use super::{
    convert::{check_account, property_of, property_sid, unix},
    page,
    properties::PATH,
};
use crate::http::{Call, Endpoint, Field, Form, Kind, Reply};

const TAG: &str = "Calls";
/// Calls that a page has unless the caller says otherwise.
const USUAL: i64 = 200;
/// Values that one filter can have.
const MOST_VALUES: usize = 50;
const DISPOSITIONS: &[&str] = &["Answered", "IVR", "Busy", "NoAnswer", "Failed"];
const LAST_SECOND: i64 = Timestamp::MAX.seconds();
const LIST_TEXT: Kind = Kind::Text { min: 0, max: 2000 };

const LIST: &[Field] = &[
    Field::new(
        "Date_From",
        Kind::Int { min: 0, max: LAST_SECOND },
        "Only calls that began then or later, in Unix seconds.",
        "1704067200",
    ),
    Field::new(
        "Date_To",
        Kind::Int { min: 0, max: LAST_SECOND },
        "Only calls that began before then, in Unix seconds.",
        "1706745600",
    ),
    Field::new(
        "Token",
        Kind::Text { min: 1, max: 64 },
        "The Token of an earlier answer: only calls that were written since it was given out. It takes the place of the dates. Where the \
         answer is full, ask again with its Token.",
        r#""06bq2n8c4w0000000000000000""#,
    ),
    Field::new("Disposition", Kind::Choices(DISPOSITIONS), "Only calls that ended in one of these ways.", r#"["Answered"]"#)
        .unknown_as(Error::unknown_disposition),
    Field::new("To", LIST_TEXT, "Only calls to these numbers in E.164, separated by commas.", r#""+61299998888""#),
    Field::new("Endpoint", LIST_TEXT, "Only calls that went to these numbers in E.164, separated by commas.", r#""+61299998888""#),
    Field::new("Attribution_Source", LIST_TEXT, "Only calls of these sources, separated by commas.", r#""google""#),
    Field::new("Attribution_Medium", LIST_TEXT, "Only calls of these mediums, separated by commas.", r#""cpc""#),
    Field::new("Attribution_Campaign", LIST_TEXT, "Only calls of these campaigns, separated by commas.", r#""spring""#),
    Field::new("Attribution_Content", LIST_TEXT, "Only calls of these contents, separated by commas.", r#""banner""#),
    Field::new(
        "Prompts_keys",
        LIST_TEXT,
        "Only calls whose callers chose these keys: a comma between the levels of a menu, a semicolon between alternatives. Calls in which \
         more was chosen after that are among them.",
        r#""1,2;3""#,
    ),
    Field::new(
        "Unique",
        Kind::Choice(&["All", "Unique", "Repeat"]),
        "All calls, only those of callers who called the project for the first time, or only those of others. Unique and Repeat are ours.",
        r#""All""#,
    ),
    page::COUNT,
    page::SKIP,
    page::TOKEN,
];
const CALL_PATH: &[(&str, &str)] = &[("CallSid", "The call's sid.")];
const ACCOUNT_PATH: &[(&str, &str)] = &[("AccountSid", "The account's sid.")];

/// A call.
#[derive(Serialize, ToSchema)]
struct CallDto {
    /// The call's sid.
    #[serde(rename = "CallSid")]
    #[schema(example = "C06BQ2N8C4W00000000000000000000K")]
    call_sid: String,
    /// The account's sid.
    #[serde(rename = "AccountSid")]
    account_sid: String,
    /// The project's sid.
    #[serde(rename = "PropertySid")]
    property_sid: String,
    /// When it began, in Unix seconds.
    #[serde(rename = "DateStart")]
    #[schema(example = 1_704_067_200)]
    date_start: i64,
    /// Who called, or `anonymous`.
    #[serde(rename = "From")]
    #[schema(example = "+61299998888")]
    from: String,
    /// The country of the caller's number, by ISO 3166-1.
    #[serde(rename = "FromCountryCode")]
    from_country: Option<String>,
    /// Its region.
    #[serde(rename = "FromRegion")]
    from_region: Option<String>,
    /// Its city.
    #[serde(rename = "FromCity")]
    from_city: Option<String>,
    /// Which number was called.
    #[serde(rename = "To")]
    to: String,
    /// Where the call went in the end.
    #[serde(rename = "Endpoint")]
    endpoint: Option<String>,
    /// Seconds that were spoken.
    #[serde(rename = "Duration")]
    duration: i64,
    /// `Answered`, `IVR`, `Busy`, `NoAnswer` or `Failed`.
    #[serde(rename = "Disposition")]
    disposition: &'static str,
    /// `Inbound` or `Outbound`.
    #[serde(rename = "CallType")]
    call_type: &'static str,
    /// Where the caller found the number.
    #[serde(rename = "Attribution_Source")]
    source: Option<String>,
    /// By what means.
    #[serde(rename = "Attribution_Medium")]
    medium: Option<String>,
    /// In which campaign.
    #[serde(rename = "Attribution_Campaign")]
    campaign: Option<String>,
    /// By which content of it.
    #[serde(rename = "Attribution_Content")]
    content: Option<String>,
    /// The keys that the caller chose in menus, with commas between them; empty for none.
    #[serde(rename = "Prompts_keys")]
    #[schema(example = "1,2")]
    prompts: String,
    /// Whether the caller called the project for the first time.
    #[serde(rename = "Unique")]
    unique: bool,
    /// Where the recording is.
    #[serde(rename = "RecordingUri")]
    recording: Option<String>,
}

/// One call.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct CallAnswer {
    /// The call.
    call: CallDto,
}

/// Calls, oldest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct CallsAnswer {
    /// The page. A filter that lets few calls through may leave it short, or empty, though there is a next one.
    calls: Vec<CallDto>,
    /// What to send to get the calls that are written from now on.
    token: String,
    /// What leads to the next page; null on the last, and for a list that began with a Token, whose own Token leads on.
    next_page_token: Option<String>,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    let endpoints = [
        Endpoint::new("getCall", Method::GET, "/Calls/{CallSid}", "Read a call.", get)
            .path_docs(CALL_PATH)
            .answers::<CallAnswer>(StatusCode::OK)
            .codes(&[Code::CallNotFound]),
        Endpoint::new(
            "listProjectCalls",
            Method::GET,
            "/Properties/{PropertySid}/Calls",
            "List a project's calls.",
            list_of_property,
        )
        .path_docs(PATH)
        .query(LIST)
        .answers::<CallsAnswer>(StatusCode::OK)
        .codes(&[Code::PropertyNotFound, Code::UnknownDisposition, Code::InvalidPhoneNumber]),
        Endpoint::new(
            "listAccountCalls",
            Method::GET,
            "/Accounts/{AccountSid}/Calls",
            "List the account's calls.",
            list_of_account,
        )
        .path_docs(ACCOUNT_PATH)
        .query(LIST)
        .answers::<CallsAnswer>(StatusCode::OK)
        .codes(&[Code::AccountNotFound, Code::UnknownDisposition, Code::InvalidPhoneNumber]),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG)).collect()
}

async fn get(call: Call) -> Result<Reply> {
    let text = call.param("CallSid");
    let named = CallRef { id: parse_sid(letter::CALL, text).map(CallId::from_bytes), text: text.to_owned() };
    let caller = call.caller()?;
    let found = calls::get(&call.app, &caller, named).await?;
    Ok(Reply::json(StatusCode::OK, &CallAnswer { call: dto(caller.account, &found) }))
}

async fn list_of_property(call: Call) -> Result<Reply> {
    let command = ListCalls { property: Some(property_of(&call)), ..read(&call)? };
    list(&call, command).await
}

async fn list_of_account(call: Call) -> Result<Reply> {
    let command = read(&call)?;
    check_account(&call)?;
    list(&call, command).await
}

async fn list(call: &Call, command: ListCalls) -> Result<Reply> {
    let caller = call.caller()?;
    let outcome = calls::list(&call.app, &caller, command).await;
    let CallList { calls, token, next } = outcome.map_err(|error| {
        error.rename_field(|field| match field {
            "page_token" => page::TOKEN.name.to_owned(),
            "skip" => page::SKIP.name.to_owned(),
            "token" => "Token".to_owned(),
            other => other.to_owned(),
        })
    })?;
    let calls = calls.iter().map(|found| dto(caller.account, found)).collect();
    let next_page_token = next.map(|id| tandem_kernel::base32(*id.as_bytes()));
    Ok(Reply::json(StatusCode::OK, &CallsAnswer { calls, token, next_page_token }))
}

fn read(call: &Call) -> Result<ListCalls> {
    let mut form = call.query_form()?;
    let (from, until, token) = (form.int("Date_From"), form.int("Date_To"), form.text("Token"));
    let dispositions = form.choices("Disposition");
    let unique = form.choice("Unique");
    let names = ["To", "Endpoint", "Attribution_Source", "Attribution_Medium", "Attribution_Campaign", "Attribution_Content"];
    let lists = names.map(|name| listed(&mut form, name, ','));
    let prompts = listed(&mut form, "Prompts_keys", ';');
    let page = page::read(&mut form, USUAL);
    form.finish()?;
    let [to, endpoints, sources, mediums, campaigns, contents] = lists;
    let filter = Filter {
        property: None,
        dispositions: dispositions.unwrap_or_default().into_iter().filter_map(disposition).collect(),
        to: numbers("To", to?)?,
        endpoints: numbers("Endpoint", endpoints?)?,
        sources: sources?,
        mediums: mediums?,
        campaigns: campaigns?,
        contents: contents?,
        prompts: paths(prompts?)?,
        first: unique.filter(|unique| *unique != "All").map(|unique| unique == "Unique"),
    };
    page::check(&page)?;
    let place = place(from, until, token, &page)?;
    Ok(ListCalls { property: None, filter, place, count: page.count, skip: page.skip })
}

/// A token takes the place of the dates.
fn place(from: Option<i64>, until: Option<i64>, token: Option<String>, page: &page::Page) -> Result<Place> {
    let after = page.after.map(CallId::from_bytes);
    match token {
        Some(_) if after.is_some() => Err(Error::invalid_value(page::TOKEN.name, "must be left out beside a Token")),
        Some(_) if page.skip > 0 => Err(Error::invalid_value(page::SKIP.name, "must be left out beside a Token")),
        Some(token) => Ok(Place::Written(token)),
        None if matches!((from, until), (Some(from), Some(until)) if from >= until) => {
            Err(Error::invalid_value("Date_To", "must be later than Date_From"))
        }
        None => {
            let at = |seconds: i64| Timestamp::default().plus_seconds(seconds);
            Ok(Place::Began { from: from.map(at), until: until.map(at), after })
        }
    }
}

/// The values of a list; none for an empty text.
fn listed(form: &mut Form, name: &'static str, separator: char) -> Result<Vec<String>> {
    let text = form.text(name).unwrap_or_default();
    let values: Vec<String> =
        text.split(separator).map(|value| value.trim_end().to_owned()).filter(|value| !value.is_empty()).collect();
    match values.len() {
        length if length > MOST_VALUES => Err(Error::invalid_value(name, format!("must have at most {MOST_VALUES} entries"))),
        _ => Ok(values),
    }
}

fn numbers(field: &'static str, texts: Vec<String>) -> Result<Vec<PhoneNumber>> {
    let number = |text: String| {
        // A plus that was not encoded arrives as a space.
        let plain = text.strip_prefix(' ').map_or_else(|| text.clone(), |digits| format!("+{digits}"));
        PhoneNumber::from_e164(&plain).ok_or_else(|| Error::invalid_phone_number(field, text))
    };
    texts.into_iter().map(number).collect()
}

fn paths(texts: Vec<String>) -> Result<Vec<String>> {
    let path = |text: String| {
        let path: String = text.chars().filter(|letter| *letter != ' ').collect();
        let rule = "must have keys with commas between the levels of a menu and semicolons between alternatives, as in 1,2;3";
        if is_key_path(&path) { Ok(path) } else { Err(Error::invalid_value("Prompts_keys", rule)) }
    };
    texts.into_iter().map(path).collect()
}

fn disposition(word: &'static str) -> Option<Disposition> {
    Disposition::ALL.iter().copied().find(|known| known.documented() == word)
}

fn dto(account: AccountId, found: &call::Call) -> CallDto {
    CallDto {
        call_sid: sid(letter::CALL, found.id.as_bytes()),
        account_sid: account_sid(account),
        property_sid: property_sid(found.property),
        date_start: unix(found.started_at),
        from: found.caller(),
        from_country: found.origin.country.clone(),
        from_region: found.origin.region.clone(),
        from_city: found.origin.city.clone(),
        to: found.to.to_string(),
        endpoint: found.endpoint.map(|endpoint| endpoint.to_string()),
        duration: found.duration,
        disposition: found.disposition.documented(),
        call_type: match found.direction {
            Direction::Inbound => "Inbound",
            Direction::Outbound => "Outbound",
        },
        source: found.attribution.source.clone(),
        medium: found.attribution.medium.clone(),
        campaign: found.attribution.campaign.clone(),
        content: found.attribution.content.clone(),
        prompts: found.prompts.join(","),
        unique: found.first,
        recording: found.recording.clone(),
    }
}
