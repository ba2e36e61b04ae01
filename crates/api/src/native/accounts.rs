//! `/accounts`: customers, their environments and limits, as the operator looks after them.

use http::{Method, StatusCode};
use serde::Serialize;
use tandem_app::accounts::{self, AccountView, ChangeAccount, ChangeRate, OpenAccount};
use tandem_catalogue::{Code, Error, Result};
use tandem_domain::{
    account::{Account, AccountStatus},
    environment::{EnvironmentClock, EnvironmentSettings, RateLimit},
};
use tandem_kernel::{AccountId, Country, Currency, Timestamp};
use tandem_ledger::Wallet;
use utoipa::ToSchema;

use super::{
    page::{PAGE, Page, Window},
    place,
    verifications::COUNTRIES,
    wallet::WalletDto,
};
use crate::http::{Access, Call, Endpoint, Field, Kind, Reply};

const TAG: &str = "Accounts";
const NAME: Kind = Kind::Text { min: 1, max: 128 };
const EMAIL: Kind = Kind::EMAIL;
const STATUSES: &[&str] = &["active", "suspended", "closed"];
const MOST_REQUESTS: i64 = 10_000_000;
const MOST_QUOTA: i64 = 1_000_000_000_000;

const OPEN: &[Field] = &[
    Field::new("name", NAME, "The account's name.", r#""Analytical Engines""#).required(),
    Field::new("email", EMAIL, "Where its owner reads.", r#""ada@example.com""#).required(),
    Field::new("currency", Kind::Choice(&["USD"]), "The currency of its wallets: the one that numbers are sold in.", r#""USD""#),
];
const CHANGE: &[Field] = &[
    Field::new("name", NAME, "The account's name.", r#""Analytical Engines""#),
    Field::new("email", EMAIL, "Where its owner reads.", r#""ada@example.com""#),
    Field::new(
        "status",
        Kind::Choice(STATUSES),
        "Whether it may work. The keys of a suspended account are refused, those of a closed one unknown.",
        r#""active""#,
    ),
    Field::new("verified", Kind::Bool, "Whether its owner's identity was checked: needed for porting.", "true"),
    Field::new("sms_enabled", Kind::Bool, "Whether it may send text messages.", "true"),
    Field::new("mms_enabled", Kind::Bool, "Whether it may send picture messages.", "false"),
    Field::new(
        "message_countries",
        Kind::Choices(COUNTRIES),
        "The countries that its messages may go to, by ISO 3166-1; an empty list for all.",
        r#"["CA","US"]"#,
    ),
];
const LIMITS: &[Field] = &[
    Field::new("rate_limit", Kind::Int { min: 1, max: MOST_REQUESTS }, "Requests in a period.", "1000"),
    Field::new("period_seconds", Kind::Int { min: 1, max: 86_400 }, "Seconds of the period.", "60"),
    Field::new("burst", Kind::Int { min: 1, max: MOST_REQUESTS }, "Requests that may come at once.", "100"),
    Field::new("monthly_quota", Kind::Int { min: 0, max: MOST_QUOTA }, "Requests in a month; null for no limit.", "null")
        .clearable(),
];

/// A customer.
#[derive(Serialize, ToSchema)]
pub struct AccountDto {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// Where its owner reads.
    email: String,
    /// The currency of its wallets.
    currency: String,
    /// `active`, `suspended` or `closed`.
    status: &'static str,
    /// Whether its owner's identity was checked.
    verified: bool,
    /// Whether it may send text messages.
    sms_enabled: bool,
    /// Whether it may send picture messages.
    mms_enabled: bool,
    /// The countries that its messages may go to; empty for all.
    message_countries: Vec<String>,
    /// When it was opened.
    created_at: String,
}

/// A customer with both environments: live, then test.
#[derive(Serialize, ToSchema)]
struct OpenedDto {
    #[serde(flatten)]
    account: AccountDto,
    /// Live, then test.
    environments: Vec<EnvironmentDto>,
}

/// Both environments of an account.
#[derive(Serialize, ToSchema)]
struct EnvironmentsDto {
    /// Live, then test.
    data: Vec<EnvironmentDto>,
}

/// One of an account's environments.
#[derive(Serialize, ToSchema)]
struct EnvironmentDto {
    /// Its id.
    id: String,
    /// `live` or `test`.
    environment: &'static str,
    /// Its time.
    clock: ClockDto,
    /// Its limits.
    limits: LimitsDto,
    /// Its wallet.
    wallet: WalletDto,
}

/// How an environment's time runs.
#[derive(Serialize, ToSchema)]
pub struct ClockDto {
    /// Seconds that it is ahead of the machine's clock while it runs.
    offset_seconds: i64,
    /// Where it stands, if it does not run.
    frozen_at: Option<String>,
}

/// How many requests an environment may make.
#[derive(Serialize, ToSchema)]
pub struct LimitsDto {
    /// Requests in a period.
    rate_limit: u32,
    /// Seconds of the period.
    period_seconds: u32,
    /// Requests that may come at once.
    burst: u32,
    /// Requests in a month; null for no limit.
    monthly_quota: Option<u64>,
}

impl AccountDto {
    /// The account on the wire.
    pub fn of(account: &Account) -> Self {
        Self {
            id: account.id.to_string(),
            name: account.name.clone(),
            email: account.email.clone(),
            currency: account.currency.to_string(),
            status: account.status.as_str(),
            verified: account.verified,
            sms_enabled: account.sms_enabled,
            mms_enabled: account.mms_enabled,
            message_countries: account.message_countries.iter().map(Country::to_string).collect(),
            created_at: account.created_at.to_string(),
        }
    }
}

impl ClockDto {
    /// The clock on the wire.
    pub fn of(clock: EnvironmentClock) -> Self {
        Self { offset_seconds: clock.offset.div_euclid(1_000_000), frozen_at: clock.frozen_at.as_ref().map(Timestamp::to_string) }
    }
}

impl LimitsDto {
    /// The limits on the wire.
    pub const fn of(rate: RateLimit) -> Self {
        Self { rate_limit: rate.limit, period_seconds: rate.period, burst: rate.burst, monthly_quota: rate.monthly_quota }
    }
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    vec![
        operator("openAccount", Method::POST, "/accounts", "Open an account with both environments.", open)
            .body(OPEN)
            .answers::<OpenedDto>(StatusCode::CREATED),
        operator("listAccounts", Method::GET, "/accounts", "List accounts, oldest first.", list)
            .query(PAGE)
            .answers::<Page<AccountDto>>(StatusCode::OK),
        operator("getAccount", Method::GET, "/accounts/{account_id}", "Read an account.", get)
            .path_docs(place::ACCOUNT)
            .answers::<OpenedDto>(StatusCode::OK)
            .codes(&[Code::AccountNotFound]),
        operator("changeAccount", Method::PATCH, "/accounts/{account_id}", "Change an account; what is not named stays.", change)
            .path_docs(place::ACCOUNT)
            .body(CHANGE)
            .answers::<OpenedDto>(StatusCode::OK)
            .codes(&[Code::AccountNotFound]),
        operator(
            "listEnvironments",
            Method::GET,
            "/accounts/{account_id}/environments",
            "Read both environments of an account.",
            environments,
        )
        .path_docs(place::ACCOUNT)
        .answers::<EnvironmentsDto>(StatusCode::OK)
        .codes(&[Code::AccountNotFound]),
        operator(
            "changeLimits",
            Method::PATCH,
            "/accounts/{account_id}/environments/{environment}/limits",
            "Change an environment's limits; what is not named stays.",
            change_limits,
        )
        .path_docs(place::ENVIRONMENT)
        .body(LIMITS)
        .answers::<LimitsDto>(StatusCode::OK)
        .codes(&[Code::AccountNotFound, Code::ResourceNotFound]),
    ]
}

fn operator<F, R>(id: &'static str, method: Method, path: &'static str, summary: &'static str, handler: F) -> Endpoint
where
    F: Fn(Call) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Reply>> + Send + 'static,
{
    Endpoint::new(id, method, path, summary, handler).tag(TAG).access(Access::Operator)
}

async fn open(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (name, email, currency) = (form.text("name"), form.text("email"), form.choice("currency"));
    form.finish()?;
    let command = OpenAccount {
        name: name.ok_or_else(Error::internal)?,
        email: email.ok_or_else(Error::internal)?,
        currency: currency.and_then(Currency::parse).unwrap_or(Currency::USD),
    };
    let render = |view: &AccountView| Reply::json(StatusCode::CREATED, &opened(view));
    call.answer(render, |finish| accounts::open(&call.app, call.operator(), command, finish)).await
}

async fn list(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let window = Window::read(&mut form);
    form.finish()?;
    let found = accounts::list(&call.app, window.cursor.map(AccountId::from_bytes), window.fetch()).await?;
    Ok(Reply::json(StatusCode::OK, &window.page(found, |account| *account.id.as_bytes(), AccountDto::of)))
}

async fn get(call: Call) -> Result<Reply> {
    let view = accounts::get(&call.app, place::account(&call)?).await?;
    Ok(Reply::json(StatusCode::OK, &opened(&view)))
}

async fn change(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let command = ChangeAccount {
        name: form.text("name"),
        email: form.text("email"),
        status: form.choice("status").and_then(AccountStatus::parse),
        verified: form.boolean("verified"),
        sms_enabled: form.boolean("sms_enabled"),
        mms_enabled: form.boolean("mms_enabled"),
        message_countries: form.choices("message_countries").map(countries),
    };
    form.finish()?;
    let account = place::account(&call)?;
    let render = |view: &AccountView| Reply::json(StatusCode::OK, &opened(view));
    call.answer(render, |finish| accounts::change(&call.app, call.operator(), account, command, finish)).await
}

/// The countries of a list, once each.
fn countries(codes: Vec<&'static str>) -> Vec<Country> {
    let mut countries: Vec<Country> = codes.into_iter().filter_map(Country::parse).collect();
    countries.sort_unstable();
    countries.dedup();
    countries
}

async fn environments(call: Call) -> Result<Reply> {
    let view = accounts::get(&call.app, place::account(&call)?).await?;
    let data = view.environments.iter().map(|(settings, wallet)| environment(settings, wallet)).collect();
    Ok(Reply::json(StatusCode::OK, &EnvironmentsDto { data }))
}

async fn change_limits(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let small = |value: Option<i64>| value.and_then(|value| u32::try_from(value).ok());
    let command = ChangeRate {
        limit: small(form.int("rate_limit")),
        period: small(form.int("period_seconds")),
        burst: small(form.int("burst")),
        monthly_quota: form.patch("monthly_quota", |form, name| form.int(name).and_then(|quota| u64::try_from(quota).ok())),
    };
    form.finish()?;
    let (account, kind) = (place::account(&call)?, place::kind(&call)?);
    let render = |settings: &EnvironmentSettings| Reply::json(StatusCode::OK, &LimitsDto::of(settings.rate));
    call.answer(render, |finish| accounts::change_rate(&call.app, call.operator(), account, kind, command, finish)).await
}

fn opened(view: &AccountView) -> OpenedDto {
    let environments = view.environments.iter().map(|(settings, wallet)| environment(settings, wallet)).collect();
    OpenedDto { account: AccountDto::of(&view.account), environments }
}

fn environment(settings: &EnvironmentSettings, wallet: &Wallet) -> EnvironmentDto {
    EnvironmentDto {
        id: settings.id.to_string(),
        environment: settings.kind.as_str(),
        clock: ClockDto::of(settings.clock),
        limits: LimitsDto::of(settings.rate),
        wallet: WalletDto::of(wallet),
    }
}
