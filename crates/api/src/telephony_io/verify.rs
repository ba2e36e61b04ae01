//! `/verify`: sending a code to a number, and checking what somebody typed.

use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::Value;
use tandem_app::verifications::{self, CheckVerification, Checked, SendVerification, Sent};
use tandem_catalogue::{Code, Error, Result};
use tandem_domain::verification::{
    BRAND_RULE, CODE_LENGTHS, Channel, LONGEST_BRAND, Locale, USUAL_BRAND, USUAL_CODE_LENGTH, brand_fits, code_fits,
};
use utoipa::ToSchema;

use crate::http::{Call, Endpoint, Field, Kind, Reply, reply::number as amount};

const TAG: &str = "Verify";
const PHONE: Field = Field::new("phone_number", Kind::Phone, "The number to verify, in E.164.", r#""+61412345678""#).required();
const SEND: &[Field] = &[
    PHONE,
    Field::new(
        "brand",
        Kind::Text { min: 1, max: LONGEST_BRAND },
        "Your application's name in the message: letters, digits, spaces and - & ' . , ! + only, and nothing that reads as a link.",
        r#""Acme""#,
    ),
    Field::new(
        "channel",
        Kind::Choice(Channel::WORDS),
        "By which way: a text message, or a call that says the code digit by digit, twice.",
        r#""sms""#,
    ),
    Field::new(
        "code_length",
        Kind::Int { min: CODE_LENGTHS.0, max: CODE_LENGTHS.1 },
        "Digits of the code. One that is sent again keeps its own.",
        "6",
    ),
    Field::new("locale", Kind::Choice(Locale::WORDS), "The language of the message or the call.", r#""en""#),
];
const CHECK: &[Field] = &[
    Field { doc: "The number that the code was sent to, in E.164.", ..PHONE },
    Field::new(
        "code",
        Kind::Form { pattern: "^[0-9]{4,10}$", fits: code_fits, rule: "must have 4 to 10 digits" },
        "The code, as your user typed it.",
        r#""123456""#,
    )
    .required(),
];

/// A code that is on its way.
#[derive(Serialize, ToSchema)]
struct SentDto {
    /// Always true.
    success: bool,
    /// The verification's id; sending again while it lasts keeps it.
    #[schema(example = "verify_01hkqv8m0000000000000000000")]
    verification_id: String,
    /// The number.
    #[schema(example = "+61412345678")]
    phone_number: String,
    /// `sms` or `voice`.
    #[schema(example = "sms")]
    channel: &'static str,
    /// `pending`.
    #[schema(example = "pending")]
    status: &'static str,
    /// When the code stops working; sending again does not move it.
    #[schema(example = "2024-12-10T00:50:00Z")]
    expires_at: String,
    /// What this sending costs; given back if the message does not leave, or if nobody takes the call.
    #[serde(rename = "creditsUsed")]
    #[schema(value_type = f64, example = 0.05)]
    credits_used: Value,
}

/// What a check came to.
#[derive(Serialize, ToSchema)]
struct CheckedDto {
    /// Always true: the question was answered. See `valid`.
    success: bool,
    /// The verification's id.
    #[schema(example = "verify_01hkqv8m0000000000000000000")]
    verification_id: String,
    /// The number.
    #[schema(example = "+61412345678")]
    phone_number: String,
    /// `pending`, `approved`, `expired`, `max_attempts_reached` or `canceled`.
    #[schema(example = "approved")]
    status: &'static str,
    /// Whether this check approved the verification: true once at the most.
    #[schema(example = true)]
    valid: bool,
    /// Codes that can still be tried.
    #[schema(example = 0)]
    attempts_remaining: i64,
    /// Checks cost nothing.
    #[serde(rename = "creditsUsed")]
    #[schema(value_type = f64, example = 0)]
    credits_used: Value,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("sendVerification", Method::POST, "/verify/send", "Send a code to a number, or send it again.", send)
            .tag(TAG)
            .body(SEND)
            .answers::<SentDto>(StatusCode::OK)
            .codes(&[
                Code::InvalidPhoneNumber,
                Code::UnassignedPhoneNumber,
                Code::VerificationChannelUnavailable,
                Code::VerificationNotMobile,
                Code::VerificationCountryNotAllowed,
                Code::VerificationBlocked,
                Code::VerificationThrottled,
                Code::RecipientOptedOut,
                Code::CallCountryNotAllowed,
                Code::CallTooDear,
                Code::CallLimitReached,
                Code::NoRoute,
                Code::TrunksUnavailable,
                Code::InsufficientFunds,
                Code::SpendingLimitReached,
            ]),
        Endpoint::new("checkVerification", Method::POST, "/verify/check", "Check the code that your user typed.", check)
            .tag(TAG)
            .body(CHECK)
            .answers::<CheckedDto>(StatusCode::OK)
            .codes(&[Code::InvalidPhoneNumber, Code::UnassignedPhoneNumber, Code::VerificationNotFound]),
    ]
}

async fn send(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (phone, brand, channel) = (form.phone("phone_number"), form.text("brand"), form.choice("channel"));
    let (code_length, locale) = (form.int("code_length"), form.choice("locale"));
    form.finish()?;
    if brand.as_deref().is_some_and(|brand| !brand_fits(brand)) {
        return Err(Error::invalid_value("brand", BRAND_RULE));
    }
    let command = SendVerification {
        phone: phone.ok_or_else(Error::internal)?,
        brand: brand.unwrap_or_else(|| USUAL_BRAND.to_owned()),
        channel: channel.and_then(Channel::parse).unwrap_or(Channel::Sms),
        locale: locale.and_then(Locale::parse).unwrap_or(Locale::En),
        code_length: code_length.unwrap_or(USUAL_CODE_LENGTH),
    };
    let render = |sent: &Sent| Reply::json(StatusCode::OK, &sent_dto(sent));
    let caller = call.caller()?;
    call.answer(render, |finish| verifications::send(&call.app, &caller, command, finish)).await
}

async fn check(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (phone, code) = (form.phone("phone_number"), form.text("code"));
    form.finish()?;
    let command = CheckVerification { phone: phone.ok_or_else(Error::internal)?, code: code.ok_or_else(Error::internal)? };
    let render = |checked: &Checked| Reply::json(StatusCode::OK, &checked_dto(checked));
    let caller = call.caller()?;
    call.answer(render, |finish| verifications::check(&call.app, &caller, command, finish)).await
}

fn sent_dto(sent: &Sent) -> SentDto {
    SentDto {
        success: true,
        verification_id: sent.verification.id.to_string(),
        phone_number: sent.verification.phone.to_string(),
        channel: sent.verification.channel.as_str(),
        status: sent.verification.state.as_str(),
        expires_at: sent.verification.expires_at.to_string(),
        credits_used: amount(sent.price),
    }
}

fn checked_dto(checked: &Checked) -> CheckedDto {
    CheckedDto {
        success: true,
        verification_id: checked.verification.id.to_string(),
        phone_number: checked.verification.phone.to_string(),
        status: checked.verification.state.as_str(),
        valid: checked.valid,
        attempts_remaining: checked.verification.attempts_remaining(),
        credits_used: amount(0),
    }
}
