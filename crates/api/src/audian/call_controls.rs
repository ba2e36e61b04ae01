//! Calls that we make, and what is done to those that go on. Bare objects.

use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};
use tandem_app::calls::{self, Controlled, MakeCall, Obeyed, RecordOrder, Spoken, TransferCall};
use tandem_catalogue::{Code, Error, Result};
use tandem_domain::{call::Live, config::Recording, flow::Destination};
use tandem_kernel::uuid_text;
use utoipa::ToSchema;

use super::{
    calls::{ID, TAG},
    destinations,
    numbers::{SIDES, read_recording},
};
use crate::http::{Call, Endpoint, Field, Form, Kind, Reply};

/// Seconds that a call may ring, and that it may last: the least, the most, and what holds where nothing is said.
const RINGING: (i64, i64, i64) = (5, 300, 30);
const LASTING: (i64, i64, i64) = (1, 86_400, 3_600);
/// The format of a recording that is ordered.
pub const FORMAT: Field = Field::new(
    "format",
    Kind::Choice(&["wav", "opus"]),
    "The file's format; wav where it is left out. There is no mp3.",
    r#""wav""#,
);
const SIDE: Field = Field::new("participant", Kind::Choice(SIDES), "Whose voice; all where it is left out.", r#""all""#);
const CONTROL: &[Field] = &[
    Field::new("say", Kind::Text { min: 1, max: 2_000 }, "What whoever answers hears first.", r#""Please hold the line.""#),
    Field::new("language", Kind::Text { min: 2, max: 20 }, "Its language; en-US where it is left out.", r#""en-US""#),
    destinations::DESTINATION,
    Field::new(
        "destination_type",
        Kind::Choice(Destination::KINDS),
        "What the destination is; where both are left out, the call leads to where the number `from` leads its callers.",
        r#""phone_number""#,
    ),
];
const RECORDING: &[Field] = &[
    Field::new("enabled", Kind::Bool, "Whether the call is recorded.", "true").required(),
    FORMAT,
    SIDE,
    Field::new("bitrate", Kind::Int { min: 6, max: 320 }, "Kilobits a second; what the format needs is taken.", "32"),
    Field::new("sample_rate", Kind::Int { min: 8_000, max: 16_000 }, "Samples a second, 8000 or 16000.", "8000"),
];
const MAKE: &[Field] = &[
    Field::new("from", Kind::Phone, "Your number that calls, in E.164.", r#""+14155550123""#).required(),
    Field::new("to", Kind::Phone, "Who is called, in E.164.", r#""+14155550199""#).required(),
    Field::new("call_type", Kind::Choice(&["outbound"]), "Always `outbound`.", r#""outbound""#),
    Field::new("timeout", Kind::Int { min: RINGING.0, max: RINGING.1 }, "Seconds that it may ring; 30 where it is left out.", "30"),
    Field::new(
        "max_duration",
        Kind::Int { min: LASTING.0, max: LASTING.1 },
        "Seconds that it may last; 3600 where it is left out, and never longer than the calling policy allows.",
        "3600",
    ),
    Field::new("tags", Kind::Free, "Your labels: at most 50 members and 8,192 characters.", r#"{"campaign":"spring"}"#),
    Field::new("custom_fields", Kind::Free, "Your fields, of the same size.", r#"{"order":"4711"}"#),
    Field::new(
        "recording",
        Kind::Object(RECORDING),
        "Whether and how it is recorded; as the number says where it is left out.",
        "",
    ),
    Field::new(
        "call_control",
        Kind::Object(CONTROL),
        "What whoever answers hears, and where they are led. Its members are ours.",
        "",
    ),
];
const TRANSFER: &[Field] = &[
    Field::new("destination", Kind::Phone, "Who takes the call, in E.164.", r#""+14155550199""#).required(),
    Field::new("caller_id", Kind::Phone, "The number of yours that is shown to them.", r#""+14155550123""#),
    Field::new(
        "transfer_type",
        Kind::Choice(&["blind", "attended"]),
        "Whether your side hangs up at once, which is usual, or speaks with them first and hangs up to join the two.",
        r#""blind""#,
    ),
    Field::new("hold_original", Kind::Bool, "Whether the other party hears music meanwhile; true where it is left out.", "true"),
];
const HOLD: &[Field] = &[Field::new(
    "hold_music",
    Kind::Text { min: 8, max: 2_048 },
    "The URL of a WAV file that both parties hear; our music where it is left out.",
    r#""https://example.com/music.wav""#,
)];
const RECORD: &[Field] = &[FORMAT, SIDE];

/// A call that was begun.
#[derive(Serialize, ToSchema)]
struct MadeCallDto {
    /// Its id.
    #[schema(example = "call_01hzy3v7k2m8x4c6b9d1f5g7h0")]
    call_id: String,
    /// The same as a UUID.
    call_uuid: String,
    /// Your number.
    from: String,
    /// Who is called.
    to: String,
    /// `initiated`.
    status: &'static str,
    /// When it began.
    #[schema(format = "date-time")]
    created_at: String,
    /// Seconds that it may ring.
    timeout: Option<i64>,
    /// Seconds that it may last.
    max_duration: i64,
    /// Your labels.
    #[schema(value_type = Object)]
    tags: Map<String, Value>,
    /// Your fields.
    #[schema(value_type = Object)]
    custom_fields: Map<String, Value>,
}

/// Something that was done to a call.
#[derive(Serialize, ToSchema)]
struct CallActionDto {
    /// The call's id.
    #[schema(example = "call_01hzy3v7k2m8x4c6b9d1f5g7h0")]
    call_id: String,
    /// `held`, `answered` or `completed`.
    status: &'static str,
    /// When it was put on hold.
    #[schema(format = "date-time", nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    held_at: Option<String>,
    /// When its parties were joined again.
    #[schema(format = "date-time", nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    unheld_at: Option<String>,
    /// When it was ended.
    #[schema(format = "date-time", nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<String>,
}

/// A call that goes elsewhere.
#[derive(Serialize, ToSchema)]
struct TransferredDto {
    /// The call's id.
    #[schema(example = "call_01hzy3v7k2m8x4c6b9d1f5g7h0")]
    call_id: String,
    /// `transferred`.
    status: &'static str,
    /// Who had it before: the number outside, or yours where it was a device or nobody.
    transfer_from: String,
    /// Who gets it.
    transfer_to: String,
    /// When.
    #[schema(format = "date-time")]
    transferred_at: String,
}

/// What became of a call's recording.
#[derive(Serialize, ToSchema)]
struct RecordActionDto {
    /// The call's id.
    #[schema(example = "call_01hzy3v7k2m8x4c6b9d1f5g7h0")]
    call_id: String,
    /// The recording's id.
    #[schema(example = "rec_01hzy3v7k2m8x4c6b9d1f5g7h0")]
    recording_id: String,
    /// `recording`, `paused` or `stopped`.
    status: &'static str,
    /// When it began.
    #[schema(format = "date-time")]
    started_at: String,
    /// When it ended; null while it goes on.
    #[schema(format = "date-time")]
    stopped_at: Option<String>,
    /// Seconds, once it has ended.
    duration: Option<i64>,
    /// `wav` or `opus`.
    format: String,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    const CHANGE: &[Code] = &[Code::CallNotFound, Code::CallOver, Code::InvalidTransition];
    macro_rules! action {
        ($id:literal, $action:literal, $what:literal, $handler:expr, $answer:ty) => {
            Endpoint::new($id, Method::POST, concat!("/calls/{call_id}/", $action), $what, $handler)
                .path_docs(ID)
                .answers::<$answer>(StatusCode::OK)
        };
    }
    let documented = [
        Endpoint::new("makeCall", Method::POST, "/calls", "Call somebody from one of your numbers.", make)
            .body(MAKE)
            .answers::<MadeCallDto>(StatusCode::ACCEPTED)
            .codes(&[
                Code::InvalidPhoneNumber,
                Code::UnassignedPhoneNumber,
                Code::CallerIdNotAllowed,
                Code::CallCountryNotAllowed,
                Code::CallTooDear,
                Code::CallLimitReached,
                Code::NoRoute,
                Code::TrunksUnavailable,
                Code::CalleeUnreachable,
                Code::CallLoop,
                Code::InvalidRouting,
                Code::ForwardTargetInvalid,
                Code::RoutingTargetMissing,
                Code::InsufficientFunds,
                Code::SpendingLimitReached,
            ]),
        action!("transferCall", "transfer", "Lead a call elsewhere.", transfer, TransferredDto).body(TRANSFER).codes(&[
            Code::InvalidPhoneNumber,
            Code::UnassignedPhoneNumber,
            Code::CallNotFound,
            Code::CallOver,
            Code::InvalidTransition,
            Code::CallerIdNotAllowed,
            Code::CallCountryNotAllowed,
            Code::CallTooDear,
            Code::CallLoop,
            Code::NoRoute,
            Code::TrunksUnavailable,
        ]),
        action!("holdCall", "hold", "Put both parties of a call on hold.", hold, CallActionDto).body(HOLD).codes(CHANGE),
        action!("startCallRecording", "record/start", "Record a call.", start, RecordActionDto).body(RECORD).codes(CHANGE),
        action!("stopCallRecording", "record/stop", "End the recording of a call.", stop, RecordActionDto).codes(CHANGE),
        action!("pauseCallRecording", "record/pause", "Interrupt the recording of a call.", pause, RecordActionDto).codes(CHANGE),
        action!("resumeCallRecording", "record/resume", "Go on with the recording of a call.", resume, RecordActionDto)
            .codes(CHANGE),
    ];
    let ours = [
        action!("unholdCall", "unhold", "Join the parties of a call again.", unhold, CallActionDto).codes(CHANGE).ours(),
        action!("hangUpCall", "hangup", "End a call.", hang_up, CallActionDto).codes(&[Code::CallNotFound, Code::CallOver]).ours(),
    ];
    documented.into_iter().chain(ours).map(|endpoint| endpoint.tag(TAG)).collect()
}

async fn make(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (from, to) = (form.phone("from"), form.phone("to"));
    let _ = form.choice("call_type"); // there is one
    let (timeout, max_duration) = (form.int("timeout"), form.int("max_duration"));
    let (tags, custom_fields) = (form.free("tags"), form.free("custom_fields"));
    let recording = form.object("recording", recording).filter(|recording| recording.enabled);
    let control = form.object("call_control", |form| {
        let (say, language) = (form.text("say"), form.text("language"));
        let kind = form.choice("destination_type");
        (say, language, kind, form.text("destination"))
    });
    form.finish()?;
    let (say, language, kind, target) = control.unwrap_or_default();
    let to_then = kind.map(|kind| Destination::read(kind, target.as_deref(), "call_control.destination")).transpose()?;
    let say = say.map(|text| Spoken { text, language: language.unwrap_or_else(|| "en-US".to_owned()), times: 1 });
    let command = MakeCall {
        from: from.ok_or_else(Error::internal)?,
        to: to.ok_or_else(Error::internal)?,
        timeout: timeout.unwrap_or(RINGING.2),
        max_duration: max_duration.unwrap_or(LASTING.2),
        tags: tags.unwrap_or_default(),
        custom_fields: custom_fields.unwrap_or_default(),
        recording,
        say,
        to_then,
    };
    let caller = call.caller()?;
    let render = |live: &Live| Reply::json(StatusCode::ACCEPTED, &made(live));
    call.answer(render, |finish| calls::make(&call.app, &caller, command, finish)).await
}

fn recording(form: &mut Form) -> Recording {
    let _ = (form.int("bitrate"), form.int("sample_rate")); // the format and the call decide
    read_recording(form)
}

fn made(live: &Live) -> MadeCallDto {
    MadeCallDto {
        call_id: live.id.to_string(),
        call_uuid: uuid_text(*live.id.as_bytes()),
        from: live.caller(),
        to: live.to.to_string(),
        status: "initiated",
        created_at: live.started_at.to_string(),
        timeout: live.detail.timeout,
        max_duration: live.longest,
        tags: live.detail.tags.clone(),
        custom_fields: live.detail.custom_fields.clone(),
    }
}

async fn transfer(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (destination, caller_id) = (form.phone("destination"), form.phone("caller_id"));
    let (kind, holds) = (form.choice("transfer_type"), form.boolean("hold_original"));
    form.finish()?;
    let to = destination.ok_or_else(Error::internal)?;
    let command =
        TransferCall { to: Destination::Number(to), caller_id, attended: kind == Some("attended"), holds: holds.unwrap_or(true) };
    let done = calls::transfer(&call.app, &call.caller()?, id(&call), command).await?;
    let live = &done.live;
    let before = live.endpoint.unwrap_or(live.parties().0);
    let answer = TransferredDto {
        call_id: live.id.to_string(),
        status: "transferred",
        transfer_from: before.to_string(),
        transfer_to: to.to_string(),
        transferred_at: done.at.to_string(),
    };
    Ok(call.done(Reply::json(StatusCode::OK, &answer)).await)
}

async fn hold(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let music = form.text("hold_music");
    form.finish()?;
    let done = calls::hold(&call.app, &call.caller()?, id(&call), music).await?;
    let at = Some(done.at.to_string());
    Ok(call.done(acted(CallActionDto { held_at: at, ..action(&done, "held") })).await)
}

async fn unhold(call: Call) -> Result<Reply> {
    let done = calls::unhold(&call.app, &call.caller()?, id(&call)).await?;
    let at = Some(done.at.to_string());
    Ok(call.done(acted(CallActionDto { unheld_at: at, ..action(&done, "answered") })).await)
}

async fn hang_up(call: Call) -> Result<Reply> {
    let done = calls::hang_up(&call.app, &call.caller()?, id(&call)).await?;
    let at = Some(done.at.to_string());
    Ok(call.done(acted(CallActionDto { ended_at: at, ..action(&done, "completed") })).await)
}

fn action(done: &Controlled, status: &'static str) -> CallActionDto {
    CallActionDto { call_id: done.live.id.to_string(), status, held_at: None, unheld_at: None, ended_at: None }
}

fn acted(action: CallActionDto) -> Reply {
    Reply::json(StatusCode::OK, &action)
}

async fn start(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (format, participant) = (form.choice("format"), form.choice("participant"));
    form.finish()?;
    let order =
        RecordOrder::Start { format: format.unwrap_or("wav").to_owned(), participant: participant.unwrap_or("all").to_owned() };
    record(call, order, "recording").await
}

async fn stop(call: Call) -> Result<Reply> {
    record(call, RecordOrder::Stop, "stopped").await
}

async fn pause(call: Call) -> Result<Reply> {
    record(call, RecordOrder::Pause, "paused").await
}

async fn resume(call: Call) -> Result<Reply> {
    record(call, RecordOrder::Resume, "recording").await
}

async fn record(call: Call, order: RecordOrder, status: &'static str) -> Result<Reply> {
    let done = calls::record(&call.app, &call.caller()?, id(&call), order).await?;
    let Obeyed::Recording(recording) = done.obeyed else { return Err(Error::internal()) };
    let answer = RecordActionDto {
        call_id: done.live.id.to_string(),
        recording_id: recording.id.to_string(),
        status,
        started_at: recording.started_at.to_string(),
        stopped_at: recording.stopped_at.as_ref().map(ToString::to_string),
        duration: recording.stopped_at.map(|_| recording.seconds()),
        format: recording.format.clone(),
    };
    Ok(call.done(Reply::json(StatusCode::OK, &answer)).await)
}

fn id(call: &Call) -> String {
    call.param("call_id").to_owned()
}
