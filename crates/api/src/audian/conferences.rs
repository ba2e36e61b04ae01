//! `/conferences`: bare objects, as this dialect's pages show them.

use http::{Method, StatusCode};
use serde::Serialize;
use tandem_app::{
    conferences::{self, AddParticipant, ConferenceChange, ConferenceView, CreateConference},
    recordings,
};
use tandem_catalogue::{Code, Result};
use tandem_domain::{
    conference::{PARTICIPANTS, Participant, Role, is_pin},
    recording::Recording,
};
use tandem_kernel::Timestamp;
use utoipa::ToSchema;

use super::numbers::{LIMIT, OFFSET, page};
use crate::http::{Call, Endpoint, Field, Form, Kind, Reply};

pub(super) const TAG: &str = "Conferences";
pub(super) const CONFERENCE: (&str, &str) = ("conference_id", "The conference's id.");
pub(super) const PARTICIPANT: (&str, &str) = ("participant_id", "The participant's id.");
const RECORDING: (&str, &str) = ("recording_id", "The recording's id.");
const PIN: Kind = Kind::Form { pattern: "^[0-9]{4,6}$", fits: is_pin, rule: "must have 4 to 6 digits" };

macro_rules! fields {
    ($name:ident, $first:expr) => {
        const $name: &[Field] = &[
            $first,
            Field::new(
                "scheduled_for",
                Kind::Time,
                "When it begins to take participants; at once where it is left out.",
                r#""2030-01-01T12:00:00Z""#,
            )
            .or(&["scheduledFor"])
            .clearable(),
            Field::new(
                "max_participants",
                Kind::Int { min: 1, max: PARTICIPANTS.1 },
                "How many take part at the most; 100 where it is left out.",
                "100",
            )
            .or(&["maxParticipants"]),
            Field::new("require_pin", Kind::Bool, "Whether a PIN is asked for; it needs `pin`.", "false").or(&["requirePin"]),
            Field::new("pin", PIN, "The PIN, 4 to 6 digits. It is not shown again.", r#""4711""#).clearable(),
            Field::new("record", Kind::Bool, "Whether it is recorded from the beginning.", "false"),
            Field::new(
                "hold_music_id",
                Kind::Text { min: 1, max: 64 },
                "What those who wait hear: a recording of yours in WAV, of 8 MiB at the most; our music where it names none.",
                r#""rec_01hzy3v7k2m8x4c6b9d1f5g7h0""#,
            )
            .or(&["holdMusicId"])
            .clearable(),
            Field::new("mute_on_entry", Kind::Bool, "Whether those who join are muted.", "false").or(&["muteOnEntry"]),
            Field::new("allow_recording_by_participant", Kind::Bool, "Whether participants may record it.", "false")
                .or(&["allowRecordingByParticipant"]),
            Field::new(
                "member_notification",
                Kind::Bool,
                "Whether the others hear who comes and goes; true where it is left out.",
                "true",
            )
            .or(&["memberNotification"]),
        ];
    };
}

const NAME: Field = Field::new("name", Kind::Text { min: 1, max: 128 }, "Your name for it.", r#""Monday""#);
fields!(CREATE, NAME.required());
fields!(UPDATE, NAME);
const LIST: &[Field] = &[LIMIT, OFFSET];
const ADD: &[Field] = &[
    Field::new("phone_number", Kind::Phone, "The telephone, in E.164.", r#""+14155550199""#).or(&["phoneNumber"]).required(),
    Field::new("name", Kind::Text { min: 1, max: 128 }, "Who it is.", r#""Grace""#),
    Field::new("role", Kind::Choice(Role::WORDS), "What it may do; listener where it is left out.", r#""listener""#),
    Field::new("muted", Kind::Bool, "Whether it is muted; as the conference says where it is left out.", "false"),
    Field::new("send_pin_via_sms", Kind::Bool, "Whether it is sent the PIN as a text message, at the usual price.", "false")
        .or(&["sendPinViaSms"]),
];

/// A conference. Its id is what callers join by.
#[derive(Serialize, ToSchema)]
struct ConferenceRoomDto {
    /// Its id.
    #[schema(example = "conf_01hzy3v7k2m8x4c6b9d1f5g7h0")]
    id: String,
    /// Your name for it.
    name: String,
    /// `scheduled`, `active` or `ended`.
    status: &'static str,
    /// When it begins to take participants.
    #[schema(format = "date-time")]
    scheduled_for: Option<String>,
    /// How many take part at the most.
    max_participants: i64,
    /// Whether a PIN is asked for.
    require_pin: bool,
    /// Whether there is a PIN. The PIN itself is not shown.
    has_pin: bool,
    /// Whether it is recorded from the beginning.
    record: bool,
    /// The media that those who wait hear.
    hold_music_id: Option<String>,
    /// Whether those who join are muted.
    mute_on_entry: bool,
    /// Whether participants may record it.
    allow_recording_by_participant: bool,
    /// Whether the others hear who comes and goes.
    member_notification: bool,
    /// When it was made.
    #[schema(format = "date-time")]
    created_at: String,
    /// When it was changed.
    #[schema(format = "date-time")]
    updated_at: String,
    /// When it was ended.
    #[schema(format = "date-time")]
    ended_at: Option<String>,
}

/// A page of conferences.
#[derive(Serialize, ToSchema)]
struct ConferencesDto {
    /// The page, the oldest first.
    conferences: Vec<ConferenceRoomDto>,
    /// How many there are in all.
    total: i64,
    /// How many were asked for.
    limit: i64,
    /// How many were left out.
    offset: i64,
}

/// Somebody who takes part, or is to.
#[derive(Serialize, ToSchema)]
struct ParticipantDto {
    /// Its id.
    #[schema(example = "part_01hzy3v7k2m8x4c6b9d1f5g7h0")]
    id: String,
    /// The conference's id.
    conference_id: String,
    /// The telephone.
    phone_number: Option<String>,
    /// Who it is.
    name: Option<String>,
    /// `presenter` or `listener`.
    role: &'static str,
    /// `invited`, `joined`, `left` or `removed`.
    status: &'static str,
    /// Whether it is muted.
    muted: bool,
    /// Whether it hears music only.
    on_hold: bool,
    /// Its call.
    call_id: Option<String>,
    /// When it was added.
    #[schema(format = "date-time")]
    added_at: String,
    /// When it joined.
    #[schema(format = "date-time")]
    joined_at: Option<String>,
    /// When it left.
    #[schema(format = "date-time")]
    left_at: Option<String>,
}

/// All participants.
#[derive(Serialize, ToSchema)]
struct ParticipantsDto {
    /// In the order in which they were added.
    participants: Vec<ParticipantDto>,
}

/// A recording.
#[derive(Serialize, ToSchema)]
pub(super) struct CallRecordingDto {
    /// Its id.
    #[schema(example = "rec_01hzy3v7k2m8x4c6b9d1f5g7h0")]
    recording_id: String,
    /// Its call.
    call_id: Option<String>,
    /// Its conference.
    conference_id: Option<String>,
    /// Your name for it.
    name: Option<String>,
    /// `recording`, `paused`, `processing`, `completed` or `failed`.
    status: &'static str,
    /// `wav`, `mp3` or `opus`.
    format: String,
    /// `all`, `caller` or `callee`.
    participant: String,
    /// Seconds.
    duration: i64,
    /// Bytes.
    size: i64,
    /// When it began.
    #[schema(format = "date-time")]
    started_at: String,
    /// When it ended.
    #[schema(format = "date-time")]
    stopped_at: Option<String>,
    /// When it is deleted.
    #[schema(format = "date-time")]
    delete_at: Option<String>,
}

/// Recordings.
#[derive(Serialize, ToSchema)]
pub(super) struct CallRecordingsDto {
    /// The oldest first.
    recordings: Vec<CallRecordingDto>,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    const ONE: &str = "/conferences/{conference_id}";
    const PEOPLE: &str = "/conferences/{conference_id}/participants";
    const ROLL: &str = "/conferences/{conference_id}/recordings/{recording_id}";
    const LOOKUP: &[Code] = &[Code::ResourceNotFound];
    const CHANGE: &[Code] = &[Code::ResourceNotFound, Code::ConferenceOver];
    let endpoints = [
        Endpoint::new("createConference", Method::POST, "/conferences", "Make a conference.", create)
            .body(CREATE)
            .answers::<ConferenceRoomDto>(StatusCode::CREATED),
        Endpoint::new("listConferences", Method::GET, "/conferences", "List your conferences.", list)
            .query(LIST)
            .answers::<ConferencesDto>(StatusCode::OK)
            .ours(),
        Endpoint::new("getConference", Method::GET, ONE, "Read one of your conferences.", get)
            .path_docs(&[CONFERENCE])
            .answers::<ConferenceRoomDto>(StatusCode::OK)
            .codes(LOOKUP)
            .ours(),
        Endpoint::new("updateConference", Method::PUT, ONE, "Change a conference; what is not named stays.", update)
            .path_docs(&[CONFERENCE])
            .body(UPDATE)
            .answers::<ConferenceRoomDto>(StatusCode::OK)
            .codes(CHANGE)
            .ours(),
        Endpoint::new("endConference", Method::DELETE, ONE, "End a conference: whoever takes part is let go.", end)
            .path_docs(&[CONFERENCE])
            .answers::<ConferenceRoomDto>(StatusCode::OK)
            .codes(CHANGE)
            .ours(),
        Endpoint::new("addParticipant", Method::POST, PEOPLE, "Add somebody to a conference, and call him where it goes on.", add)
            .path_docs(&[CONFERENCE])
            .body(ADD)
            .answers::<ParticipantDto>(StatusCode::CREATED)
            .codes(&[
                Code::InvalidPhoneNumber,
                Code::UnassignedPhoneNumber,
                Code::ResourceNotFound,
                Code::ConferenceOver,
                Code::ResourceExists,
                Code::ConferenceFull,
                Code::OperationNotAllowed,
                Code::DestinationNotAllowed,
                Code::RecipientOptedOut,
                Code::SpendingLimitReached,
                Code::InsufficientFunds,
                Code::NoRoute,
                Code::TrunksUnavailable,
                Code::CallCountryNotAllowed,
                Code::CallTooDear,
                Code::CallLimitReached,
            ]),
        Endpoint::new("listParticipants", Method::GET, PEOPLE, "List who takes part, is to, or did.", participants)
            .path_docs(&[CONFERENCE])
            .answers::<ParticipantsDto>(StatusCode::OK)
            .codes(LOOKUP),
        Endpoint::new(
            "removeParticipant",
            Method::DELETE,
            "/conferences/{conference_id}/participants/{participant_id}",
            "Remove somebody from a conference.",
            remove,
        )
        .path_docs(&[CONFERENCE, PARTICIPANT])
        .answers::<ParticipantDto>(StatusCode::OK)
        .codes(&[Code::ResourceNotFound, Code::ConferenceOver, Code::InvalidTransition]),
        Endpoint::new(
            "listConferenceRecordings",
            Method::GET,
            "/conferences/{conference_id}/recordings",
            "List a conference's recordings.",
            recorded,
        )
        .path_docs(&[CONFERENCE])
        .answers::<CallRecordingsDto>(StatusCode::OK)
        .codes(LOOKUP),
        Endpoint::new("getConferenceRecording", Method::GET, ROLL, "Read what is known of a conference's recording.", recording)
            .path_docs(&[CONFERENCE, RECORDING])
            .answers::<CallRecordingDto>(StatusCode::OK)
            .codes(LOOKUP),
        Endpoint::new("deleteConferenceRecording", Method::DELETE, ROLL, "Delete a conference's recording.", delete_recording)
            .path_docs(&[CONFERENCE, RECORDING])
            .answers::<CallRecordingDto>(StatusCode::OK)
            .codes(&[Code::ResourceNotFound, Code::InvalidTransition]),
        Endpoint::new("listCallRecordings", Method::GET, "/calls/{call_id}/recordings", "List a call's recordings.", of_call)
            .path_docs(&[("call_id", "The call's id.")])
            .answers::<CallRecordingsDto>(StatusCode::OK)
            .codes(&[Code::CallNotFound])
            .ours(),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG)).collect()
}

async fn create(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let command = CreateConference {
        name: form.text("name").unwrap_or_default(),
        scheduled_for: form.time("scheduled_for"),
        max_participants: form.int("max_participants").unwrap_or(PARTICIPANTS.0),
        require_pin: form.boolean("require_pin").unwrap_or(false),
        pin: form.text("pin"),
        record: form.boolean("record").unwrap_or(false),
        hold_music_id: form.text("hold_music_id"),
        mute_on_entry: form.boolean("mute_on_entry").unwrap_or(false),
        allow_recording_by_participant: form.boolean("allow_recording_by_participant").unwrap_or(false),
        member_notification: form.boolean("member_notification").unwrap_or(true),
    };
    form.finish()?;
    let caller = call.caller()?;
    let render = |view: &ConferenceView| Reply::json(StatusCode::CREATED, &dto(view));
    call.answer(render, |finish| conferences::create(&call.app, &caller, command, finish)).await
}

async fn list(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let (limit, offset) = page(&mut form, 20);
    form.finish()?;
    let (found, total) = conferences::list(&call.app, &call.caller()?, limit, offset).await?;
    Ok(Reply::json(StatusCode::OK, &ConferencesDto { conferences: found.iter().map(dto).collect(), total, limit, offset }))
}

async fn get(call: Call) -> Result<Reply> {
    let found = conferences::get(&call.app, &call.caller()?, id(&call)).await?;
    Ok(shown(&found))
}

async fn update(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let change = ConferenceChange {
        name: form.text("name"),
        scheduled_for: form.patch("scheduled_for", Form::time),
        max_participants: form.int("max_participants"),
        require_pin: form.boolean("require_pin"),
        pin: form.patch("pin", Form::text),
        record: form.boolean("record"),
        hold_music_id: form.patch("hold_music_id", Form::text),
        mute_on_entry: form.boolean("mute_on_entry"),
        allow_recording_by_participant: form.boolean("allow_recording_by_participant"),
        member_notification: form.boolean("member_notification"),
    };
    form.finish()?;
    let caller = call.caller()?;
    call.answer(shown, |finish| conferences::update(&call.app, &caller, id(&call), change, finish)).await
}

async fn end(call: Call) -> Result<Reply> {
    let caller = call.caller()?;
    call.answer(shown, |finish| conferences::end(&call.app, &caller, id(&call), finish)).await
}

async fn add(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (phone, name, role) = (form.phone("phone_number"), form.text("name"), form.choice("role").and_then(Role::parse));
    let (muted, send_pin) = (form.boolean("muted"), form.boolean("send_pin_via_sms").unwrap_or(false));
    form.finish()?;
    let phone = phone.ok_or_else(tandem_catalogue::Error::internal)?;
    let command = AddParticipant { phone, name, role: role.unwrap_or(Role::Listener), muted, send_pin };
    let caller = call.caller()?;
    let render = |participant: &Participant| Reply::json(StatusCode::CREATED, &participant_dto(participant));
    call.answer(render, |finish| conferences::add(&call.app, &caller, id(&call), command, finish)).await
}

async fn participants(call: Call) -> Result<Reply> {
    let found = conferences::participants(&call.app, &call.caller()?, id(&call)).await?;
    Ok(Reply::json(StatusCode::OK, &ParticipantsDto { participants: found.iter().map(participant_dto).collect() }))
}

async fn remove(call: Call) -> Result<Reply> {
    let (caller, named) = (call.caller()?, (id(&call), call.param("participant_id").to_owned()));
    let render = |participant: &Participant| Reply::json(StatusCode::OK, &participant_dto(participant));
    call.answer(render, |finish| conferences::remove(&call.app, &caller, named, finish)).await
}

async fn recorded(call: Call) -> Result<Reply> {
    let found = recordings::of_conference(&call.app, &call.caller()?, id(&call)).await?;
    Ok(Reply::json(StatusCode::OK, &CallRecordingsDto { recordings: found.iter().map(recording_dto).collect() }))
}

async fn recording(call: Call) -> Result<Reply> {
    let found = recordings::get(&call.app, &call.caller()?, call.param("recording_id").to_owned(), Some(id(&call))).await?;
    Ok(Reply::json(StatusCode::OK, &recording_dto(&found)))
}

async fn delete_recording(call: Call) -> Result<Reply> {
    let (caller, named) = (call.caller()?, (call.param("recording_id").to_owned(), Some(id(&call))));
    let render = |recording: &Recording| Reply::json(StatusCode::OK, &recording_dto(recording));
    call.answer(render, |finish| recordings::delete(&call.app, &caller, named, finish)).await
}

async fn of_call(call: Call) -> Result<Reply> {
    let found = recordings::of_call(&call.app, &call.caller()?, call.param("call_id").to_owned()).await?;
    Ok(Reply::json(StatusCode::OK, &CallRecordingsDto { recordings: found.iter().map(recording_dto).collect() }))
}

pub(super) fn id(call: &Call) -> String {
    call.param("conference_id").to_owned()
}

fn shown(view: &ConferenceView) -> Reply {
    Reply::json(StatusCode::OK, &dto(view))
}

fn dto(view: &ConferenceView) -> ConferenceRoomDto {
    let conference = &view.conference;
    let time = |at: &Option<Timestamp>| at.as_ref().map(Timestamp::to_string);
    ConferenceRoomDto {
        id: conference.id.to_string(),
        name: conference.name.clone(),
        status: view.state.as_str(),
        scheduled_for: time(&conference.scheduled_for),
        max_participants: conference.max_participants,
        require_pin: conference.require_pin,
        has_pin: conference.pin.is_some(),
        record: conference.record,
        hold_music_id: conference.hold_music_id.clone(),
        mute_on_entry: conference.mute_on_entry,
        allow_recording_by_participant: conference.allow_recording_by_participant,
        member_notification: conference.member_notification,
        created_at: conference.created_at.to_string(),
        updated_at: conference.updated_at.to_string(),
        ended_at: time(&conference.ended_at),
    }
}

fn participant_dto(participant: &Participant) -> ParticipantDto {
    let time = |at: &Option<Timestamp>| at.as_ref().map(Timestamp::to_string);
    ParticipantDto {
        id: participant.id.to_string(),
        conference_id: participant.conference.to_string(),
        phone_number: participant.phone.map(|phone| phone.to_string()),
        name: participant.name.clone(),
        role: participant.role.as_str(),
        status: participant.presence.as_str(),
        muted: participant.muted,
        on_hold: participant.on_hold,
        call_id: participant.call.map(|id| id.to_string()),
        added_at: participant.added_at.to_string(),
        joined_at: time(&participant.joined_at),
        left_at: time(&participant.left_at),
    }
}

pub(super) fn recording_dto(recording: &Recording) -> CallRecordingDto {
    CallRecordingDto {
        recording_id: recording.id.to_string(),
        call_id: recording.call.map(|id| id.to_string()),
        conference_id: recording.conference.map(|id| id.to_string()),
        name: recording.name.clone(),
        status: recording.state.as_str(),
        format: recording.format.clone(),
        participant: recording.participant.clone(),
        duration: recording.seconds(),
        size: recording.size,
        started_at: recording.started_at.to_string(),
        stopped_at: recording.stopped_at.as_ref().map(Timestamp::to_string),
        delete_at: recording.delete_at.as_ref().map(Timestamp::to_string),
    }
}
