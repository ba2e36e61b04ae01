//! Verifications: what became of them, and what an environment's may do.

use http::{Method, StatusCode};
use serde::Serialize;
use tandem_app::verifications::{self, Carrier, ListVerifications, PolicyView, VerificationView, Whose};
use tandem_catalogue::{Code, Result};
use tandem_domain::verification::{Policy, State, Verification};
use tandem_kernel::{Country, Timestamp, VerificationId};
use utoipa::ToSchema;

use super::{
    page::{CURSOR, LIMIT, Page, Window},
    place,
};
use crate::http::{Access, Call, Endpoint, Field, Form, Kind, Reply};

const TAG: &str = "Verifications";
const ID: &[(&str, &str)] = &[("verification_id", "The verification's id.")];
const LIST: &[Field] = &[
    Field::new("phone_number", Kind::Phone, "Only verifications of this number.", r#""+61412345678""#),
    Field::new("status", Kind::Choice(State::WORDS), "Only verifications in this state.", r#""approved""#),
    LIMIT,
    CURSOR,
];
const POLICY: &[Field] = &[
    Field::new("countries", Kind::Choices(COUNTRIES), "The countries that codes are sent to, by ISO 3166-1.", r#"["AU","US"]"#),
    Field::new("sends_per_number", Kind::Int { min: 1, max: 5 }, "Sends to one number in ten minutes.", "5"),
    Field::new("cooldown_seconds", Kind::Int { min: 30, max: 600 }, "Seconds between two sends to one number.", "30"),
    Field::new(
        "numbers_per_range",
        Kind::Int { min: 1, max: 10_000 },
        "Numbers that differ in the last four digits only and get codes within an hour.",
        "10",
    ),
    Field::new("sends_per_key", Kind::Int { min: 1, max: 1_000_000 }, "Sends in an hour by one key.", "600"),
    Field::new("sends_per_environment", Kind::Int { min: 1, max: 1_000_000 }, "Sends in an hour by the whole environment.", "2000"),
    Field::new(
        "least_approval_percent",
        Kind::Int { min: 0, max: 100 },
        "The least percentage of a country's verifications that must be approved; 0 switches the brake off.",
        "10",
    ),
    Field::new(
        "approval_sample",
        Kind::Int { min: 5, max: 1_000 },
        "Verifications to a country that must have ended before their approval is looked at.",
        "30",
    ),
];
/// The countries that have numbering plans, sorted.
pub(super) const COUNTRIES: &[&str] = &[
    "AC", "AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AR", "AS", "AT", "AU", "AW", "AX", "AZ", "BA", "BB", "BD", "BE", "BF",
    "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS", "BT", "BW", "BY", "BZ", "CA", "CC", "CD", "CF", "CG", "CH",
    "CI", "CK", "CL", "CM", "CN", "CO", "CR", "CU", "CV", "CW", "CX", "CY", "CZ", "DE", "DJ", "DK", "DM", "DO", "DZ", "EC", "EE",
    "EG", "EH", "ER", "ES", "ET", "FI", "FJ", "FK", "FM", "FO", "FR", "GA", "GB", "GD", "GE", "GF", "GG", "GH", "GI", "GL", "GM",
    "GN", "GP", "GQ", "GR", "GT", "GU", "GW", "GY", "HK", "HN", "HR", "HT", "HU", "ID", "IE", "IL", "IM", "IN", "IO", "IQ", "IR",
    "IS", "IT", "JE", "JM", "JO", "JP", "KE", "KG", "KH", "KI", "KM", "KN", "KP", "KR", "KW", "KY", "KZ", "LA", "LB", "LC", "LI",
    "LK", "LR", "LS", "LT", "LU", "LV", "LY", "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK", "ML", "MM", "MN", "MO", "MP", "MQ",
    "MR", "MS", "MT", "MU", "MV", "MW", "MX", "MY", "MZ", "NA", "NC", "NE", "NF", "NG", "NI", "NL", "NO", "NP", "NR", "NU", "NZ",
    "OM", "PA", "PE", "PF", "PG", "PH", "PK", "PL", "PM", "PR", "PS", "PT", "PW", "PY", "QA", "RE", "RO", "RS", "RU", "RW", "SA",
    "SB", "SC", "SD", "SE", "SG", "SH", "SI", "SJ", "SK", "SL", "SM", "SN", "SO", "SR", "SS", "ST", "SV", "SX", "SY", "SZ", "TA",
    "TC", "TD", "TG", "TH", "TJ", "TK", "TL", "TM", "TN", "TO", "TR", "TT", "TV", "TW", "TZ", "UA", "UG", "US", "UY", "UZ", "VA",
    "VC", "VE", "VG", "VI", "VN", "VU", "WF", "WS", "XK", "YE", "YT", "ZA", "ZM", "ZW",
];

/// A verification.
#[derive(Serialize, ToSchema)]
struct VerificationDto {
    /// Its id.
    id: String,
    /// The number that is verified.
    phone_number: String,
    /// `sms` or `voice`.
    channel: &'static str,
    /// In whose name the code is sent.
    brand: String,
    /// The message's language.
    locale: &'static str,
    /// Digits of the code.
    code_length: i64,
    /// `pending`, `approved`, `expired`, `max_attempts_reached` or `canceled`.
    status: &'static str,
    /// How often the code was sent.
    sends: i64,
    /// How many codes were tried.
    checks: i64,
    /// Codes that can still be tried.
    attempts_remaining: i64,
    /// The key that began it.
    key_id: String,
    /// When it began.
    created_at: String,
    /// When the code was last sent.
    sent_at: String,
    /// When it ends of itself.
    expires_at: String,
    /// When it ended.
    ended_at: Option<String>,
}

/// A verification with the messages and calls that carried its code.
#[derive(Serialize, ToSchema)]
struct VerificationDetailDto {
    /// The verification.
    verification: VerificationDto,
    /// How its code was sent, oldest first.
    messages: Vec<SendingDto>,
}

/// One sending of a code.
#[derive(Serialize, ToSchema)]
struct SendingDto {
    /// The message that carried it; null where a call did.
    message_id: Option<String>,
    /// The call that said it; null where a message carried it.
    call_id: Option<String>,
    /// When it was asked for.
    at: String,
}

/// What an environment's verifications may do.
#[derive(Serialize, ToSchema)]
struct PolicyDto {
    /// Whether this is what applies where no operator says anything.
    usual: bool,
    /// The countries that codes are sent to.
    countries: Vec<String>,
    /// Sends to one number in ten minutes.
    sends_per_number: i64,
    /// Seconds between two sends to one number.
    cooldown_seconds: i64,
    /// Numbers that differ in the last four digits only and get codes within an hour.
    numbers_per_range: i64,
    /// Sends in an hour by one key.
    sends_per_key: i64,
    /// Sends in an hour by the whole environment.
    sends_per_environment: i64,
    /// The least percentage of a country's verifications that must be approved.
    least_approval_percent: i64,
    /// Verifications to a country that must have ended before their approval is looked at.
    approval_sample: i64,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    const OF: &str = "/accounts/{account_id}/environments/{environment}/verification-policy";
    const LOOKUP: &[Code] = &[Code::AccountNotFound, Code::ResourceNotFound];
    let endpoints = [
        Endpoint::new("listVerifications", Method::GET, "/verifications", "List your verifications, newest first.", list)
            .query(LIST)
            .answers::<Page<VerificationDto>>(StatusCode::OK)
            .codes(&[Code::InvalidPhoneNumber, Code::UnassignedPhoneNumber]),
        Endpoint::new("getVerification", Method::GET, "/verifications/{verification_id}", "Read one of your verifications.", get)
            .path_docs(ID)
            .answers::<VerificationDetailDto>(StatusCode::OK)
            .codes(&[Code::VerificationNotFound]),
        Endpoint::new(
            "cancelVerification",
            Method::POST,
            "/verifications/{verification_id}/cancel",
            "Call a verification off: its code works no more.",
            cancel,
        )
        .path_docs(ID)
        .answers::<VerificationDto>(StatusCode::OK)
        .codes(&[Code::VerificationNotFound, Code::InvalidTransition]),
        Endpoint::new(
            "getOwnVerificationPolicy",
            Method::GET,
            "/verification-policy",
            "Read what your verifications may do.",
            own_policy,
        )
        .answers::<PolicyDto>(StatusCode::OK),
        Endpoint::new("getVerificationPolicy", Method::GET, OF, "Read what an environment's verifications may do.", policy)
            .access(Access::Operator)
            .path_docs(place::ENVIRONMENT)
            .answers::<PolicyDto>(StatusCode::OK)
            .codes(LOOKUP),
        Endpoint::new("setVerificationPolicy", Method::PATCH, OF, "Set what an environment's verifications may do.", set_policy)
            .access(Access::Operator)
            .path_docs(place::ENVIRONMENT)
            .body(POLICY)
            .answers::<PolicyDto>(StatusCode::OK)
            .codes(LOOKUP),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG)).collect()
}

async fn list(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let (phone, state, window) = (form.phone("phone_number"), form.choice("status"), Window::read(&mut form));
    form.finish()?;
    let before = window.cursor.map(VerificationId::from_bytes);
    let query = ListVerifications { phone, state, before, limit: window.fetch() };
    let found = verifications::list(&call.app, &call.caller()?, query).await?;
    Ok(Reply::json(StatusCode::OK, &window.page(found, |verification| *verification.id.as_bytes(), dto)))
}

async fn get(call: Call) -> Result<Reply> {
    let VerificationView { verification, sendings } =
        verifications::get(&call.app, &call.caller()?, call.param("verification_id").to_owned()).await?;
    let sending = sendings.iter().map(|sending| {
        let (message_id, call_id) = match sending.by {
            Carrier::Message(id) => (Some(id.to_string()), None),
            Carrier::Call(id) => (None, Some(id.to_string())),
        };
        SendingDto { message_id, call_id, at: sending.at.to_string() }
    });
    let dto = VerificationDetailDto { verification: dto(&verification), messages: sending.collect() };
    Ok(Reply::json(StatusCode::OK, &dto))
}

async fn cancel(call: Call) -> Result<Reply> {
    let render = |verification: &Verification| Reply::json(StatusCode::OK, &dto(verification));
    let (caller, id) = (call.caller()?, call.param("verification_id").to_owned());
    call.answer(render, |finish| verifications::cancel(&call.app, &caller, id, finish)).await
}

async fn own_policy(call: Call) -> Result<Reply> {
    let view = verifications::read_policy(&call.app, Whose::Own(call.caller()?)).await?;
    Ok(Reply::json(StatusCode::OK, &policy_dto(&view)))
}

async fn policy(call: Call) -> Result<Reply> {
    let whose = Whose::Of(place::account(&call)?, place::kind(&call)?);
    let view = verifications::read_policy(&call.app, whose).await?;
    Ok(Reply::json(StatusCode::OK, &policy_dto(&view)))
}

async fn set_policy(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let change = read_change(&mut form);
    form.finish()?;
    let render = |view: &PolicyView| Reply::json(StatusCode::OK, &policy_dto(view));
    let of = (place::account(&call)?, place::kind(&call)?);
    call.answer(render, |finish| verifications::set_policy(&call.app, call.operator(), of, change, finish)).await
}

fn read_change(form: &mut Form) -> impl Fn(&mut Policy) + Send + Sync + use<> {
    let countries = form.choices("countries");
    let numbers = [
        form.int("sends_per_number"),
        form.int("cooldown_seconds"),
        form.int("numbers_per_range"),
        form.int("sends_per_key"),
        form.int("sends_per_environment"),
        form.int("least_approval_percent"),
        form.int("approval_sample"),
    ];
    move |policy| {
        if let Some(codes) = &countries {
            let mut chosen: Vec<Country> = codes.iter().filter_map(|code| Country::parse(code)).collect();
            chosen.sort_unstable();
            chosen.dedup();
            policy.countries = chosen;
        }
        let limits = &mut policy.limits;
        let members = [
            &mut limits.sends_per_number,
            &mut limits.cooldown,
            &mut limits.numbers_per_range,
            &mut limits.sends_per_key,
            &mut limits.sends_per_environment,
            &mut limits.least_approval,
            &mut limits.approval_sample,
        ];
        for (member, number) in members.into_iter().zip(numbers) {
            *member = number.unwrap_or(*member);
        }
    }
}

fn dto(verification: &Verification) -> VerificationDto {
    VerificationDto {
        id: verification.id.to_string(),
        phone_number: verification.phone.to_string(),
        channel: verification.channel.as_str(),
        brand: verification.brand.clone(),
        locale: verification.locale.as_str(),
        code_length: verification.code_length,
        status: verification.state.as_str(),
        sends: verification.sends,
        checks: verification.checks,
        attempts_remaining: verification.attempts_remaining(),
        key_id: verification.key.to_string(),
        created_at: verification.created_at.to_string(),
        sent_at: verification.sent_at.to_string(),
        expires_at: verification.expires_at.to_string(),
        ended_at: verification.ended_at.as_ref().map(Timestamp::to_string),
    }
}

fn policy_dto(view: &PolicyView) -> PolicyDto {
    let limits = &view.policy.limits;
    PolicyDto {
        usual: view.usual,
        countries: view.policy.countries.iter().map(Country::to_string).collect(),
        sends_per_number: limits.sends_per_number,
        cooldown_seconds: limits.cooldown,
        numbers_per_range: limits.numbers_per_range,
        sends_per_key: limits.sends_per_key,
        sends_per_environment: limits.sends_per_environment,
        least_approval_percent: limits.least_approval,
        approval_sample: limits.approval_sample,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_with_a_plan_can_be_chosen() {
        let known: Vec<String> = tandem_kernel::places::countries().map(|country| country.to_string()).collect();
        assert_eq!(COUNTRIES, known);
    }
}
