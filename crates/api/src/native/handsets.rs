//! `/pocket/calls`: the telephones of a test environment's simulated network.

use http::{Method, StatusCode};
use serde::Serialize;
use tandem_app::handsets::{self, BEHAVIOURS, HandsetCall, HandsetDial};
use tandem_catalogue::{Code, Error, Result};
use utoipa::ToSchema;

use crate::http::{Call, Endpoint, Field, Kind, Reply};

const TAG: &str = "Simulation";
/// Seconds after which a handset hangs up, and for which it lets it ring, where nothing is said.
const USUAL_SECONDS: i64 = 60;
const LONGEST: i64 = 300;
const LONGEST_RINGING: i64 = 180;
const MOST_DIGITS: usize = 64;
const READ: &[Field] = &[Field::new("number", Kind::Phone, "Which handset's, in E.164.", r#""+14155550199""#).required()];
const DIAL: &[Field] = &[
    Field::new("from", Kind::Phone, "The handset's number, in E.164.", r#""+14155550199""#).required(),
    Field::new("to", Kind::Phone, "A number of your environment.", r#""+14155550100""#).required(),
    Field::new(
        "behaviour",
        Kind::Choice(BEHAVIOURS),
        "What the handset does: it says 440, 554 and 659 Hz in turn, is silent, sends no packets, never acknowledges the answer, or loses \
         its power instead of hanging up; `speaks` where it is not said.",
        r#""speaks""#,
    ),
    Field::new(
        "digits",
        Kind::Form { pattern: "^[0-9*#A-D,]{0,64}$", fits: keys, rule: "must be at most 64 keys and commas" },
        "The keys that it presses, from a second after the answer on; a comma is a pause of a second.",
        r#""1,,2#""#,
    ),
    Field::new("seconds", Kind::Int { min: 1, max: LONGEST }, "When it hangs up after the answer; 60 where it is not said.", "10"),
    Field::new(
        "ring_seconds",
        Kind::Int { min: 1, max: LONGEST_RINGING },
        "How long it lets it ring; 60 where it is not said.",
        "30",
    ),
];

fn keys(text: &str) -> bool {
    text.len() <= MOST_DIGITS && text.chars().all(|sign| sign.is_ascii_digit() || "*#ABCD,".contains(sign))
}

/// A call that a handset makes.
#[derive(Serialize, ToSchema)]
struct HandsetDialDto {
    /// The handset's number.
    from: String,
    /// Your number.
    to: String,
    /// What the handset does.
    behaviour: &'static str,
    /// The keys that it presses.
    digits: String,
    /// When it hangs up after the answer.
    seconds: i64,
    /// How long it lets it ring.
    ring_seconds: i64,
}

/// Calls of a handset.
#[derive(Serialize, ToSchema)]
struct HandsetCallsDto {
    /// The oldest first; the last hundred are kept, in the memory of the process that answers.
    data: Vec<HandsetCallDto>,
}

/// What became of a handset's call, as the handset knows it.
#[derive(Serialize, ToSchema)]
struct HandsetCallDto {
    /// `made` or `taken`.
    direction: &'static str,
    /// Who called; empty for a caller who hides the number.
    from: String,
    /// Which number was called.
    to: String,
    /// The Call-ID of SIP.
    call_id: String,
    /// `calling`, `ringing`, `answered` or `ended`.
    state: &'static str,
    /// `handset`, `platform` or `network`; null while it goes on.
    ended_by: Option<&'static str>,
    /// The SIP status of a call that was not taken.
    status: Option<u16>,
    /// The first `Reason` with which it was ended.
    reason: Option<String>,
    /// When it began, by the machine's clock.
    began_at: String,
    /// When it was taken.
    answered_at: Option<String>,
    /// When it ended.
    ended_at: Option<String>,
    /// The digits that came.
    digits: String,
    /// The digits of a code that was said in a call of a verification, as the handset heard them: each time that it was said, with a space
    /// between.
    spoken: String,
    /// The tones that were heard, in hertz, in their order.
    tones: Vec<i64>,
    /// How loud the loudest 200 ms were, in decibels below full scale; null where nothing was heard.
    level_db: Option<f64>,
    /// For how long something was heard, in milliseconds.
    heard_ms: i64,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    let endpoints = [
        Endpoint::new(
            "listPocketCalls",
            Method::GET,
            "/pocket/calls",
            "List what became of the calls of a simulated handset, and what it heard.",
            list,
        )
        .query(READ)
        .answers::<HandsetCallsDto>(StatusCode::OK)
        .codes(&[Code::InvalidPhoneNumber, Code::UnassignedPhoneNumber, Code::OperationNotAllowed]),
        Endpoint::new("makePocketCall", Method::POST, "/pocket/calls", "Let a simulated handset call your number.", dial)
            .body(DIAL)
            .answers::<HandsetDialDto>(StatusCode::ACCEPTED)
            .codes(&[Code::InvalidPhoneNumber, Code::UnassignedPhoneNumber, Code::NumberNotFound, Code::OperationNotAllowed]),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG)).collect()
}

async fn list(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let number = form.phone("number");
    form.finish()?;
    let number = number.ok_or_else(Error::internal)?;
    let found = handsets::calls_of(&call.app, &call.caller()?, number)?;
    Ok(Reply::json(StatusCode::OK, &HandsetCallsDto { data: found.into_iter().map(shown).collect() }))
}

async fn dial(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (from, to) = (form.phone("from"), form.phone("to"));
    let (behaviour, digits) = (form.choice("behaviour").unwrap_or("speaks"), form.text("digits").unwrap_or_default());
    let (seconds, ring_seconds) = (form.int("seconds"), form.int("ring_seconds"));
    form.finish()?;
    let (Some(from), Some(to)) = (from, to) else { return Err(Error::internal()) };
    let usual = |seconds: Option<i64>| seconds.unwrap_or(USUAL_SECONDS);
    let command = HandsetDial { from, to, behaviour, digits, seconds: usual(seconds), ring_seconds: usual(ring_seconds) };
    let caller = call.caller()?;
    call.answer(dialled, |finish| handsets::dial(&call.app, &caller, command, finish)).await
}

fn dialled(dial: &HandsetDial) -> Reply {
    let HandsetDial { from, to, behaviour, digits, seconds, ring_seconds } = dial.clone();
    let dto = HandsetDialDto { from: from.to_string(), to: to.to_string(), behaviour, digits, seconds, ring_seconds };
    Reply::json(StatusCode::ACCEPTED, &dto)
}

fn shown(call: HandsetCall) -> HandsetCallDto {
    HandsetCallDto {
        direction: if call.made { "made" } else { "taken" },
        from: call.from,
        to: call.to,
        call_id: call.call_id,
        state: call.state,
        ended_by: call.ended_by,
        status: call.status,
        reason: call.reason,
        began_at: call.began_at.to_string(),
        answered_at: call.answered_at.map(|at| at.to_string()),
        ended_at: call.ended_at.map(|at| at.to_string()),
        digits: call.digits,
        spoken: call.spoken.trim().to_owned(),
        tones: call.tones,
        level_db: call.level.map(|level| (f64::from(level) * 10.0).round() / 10.0),
        heard_ms: call.heard_millis,
    }
}
