//! `/messages`: search, and why each went as it did.

use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::Value;
use tandem_app::{explain, messages};
use tandem_catalogue::{Code, Result};
use tandem_domain::message::{Direction, Message, MessageState};
use tandem_kernel::{MessageId, Timestamp};
use tandem_store::repo::{message_parts::Part, messages::Filter};
use utoipa::ToSchema;

use super::{
    explain::{ExplanationDto, SubjectDto, explanation, which},
    page::{CURSOR, LIMIT, PAGE, Page, Window},
};
use crate::http::{Call, Endpoint, Field, Kind, Reply, reply::number as amount};

const TAG: &str = "Messages";
const ID: &[(&str, &str)] = &[("message_id", "The message's id.")];
const DIRECTIONS: &[&str] = &["outbound", "inbound"];
const STATES: &[&str] = &["scheduled", "queued", "sending", "sent", "delivered", "undelivered", "expired", "failed", "received"];
const SEARCH: &[Field] = &[
    Field::new("direction", Kind::Choice(DIRECTIONS), "Only messages of this direction.", r#""outbound""#),
    Field::new("status", Kind::Choice(STATES), "Only messages in this state.", r#""undelivered""#),
    Field::new("from", Kind::Sender, "Only messages from this sender.", r#""+14155550123""#),
    Field::new("to", Kind::Phone, "Only messages to this number.", r#""+14155550199""#),
    Field::new("text", Kind::Text { min: 1, max: 256 }, "Only messages whose text has this in it.", r#""table""#),
    Field::new("since", Kind::Time, "Only messages of this time or later.", r#""2024-01-01T00:00:00Z""#),
    Field::new("until", Kind::Time, "Only messages before this time.", r#""2024-02-01T00:00:00Z""#),
    LIMIT,
    CURSOR,
];

/// A message.
#[derive(Serialize, ToSchema)]
struct MessageDto {
    /// Its id.
    id: String,
    /// The property that it belongs to.
    property_id: String,
    /// `outbound` or `inbound`.
    direction: &'static str,
    /// `sms` or `mms`.
    channel: &'static str,
    /// `scheduled`, `queued`, `sending`, `sent`, `delivered`, `undelivered`, `expired`, `failed` or `received`.
    status: &'static str,
    /// Who sends it.
    from: String,
    /// Who gets it.
    to: String,
    /// The text, without the codes that it may carry.
    body: String,
    /// Where its media were fetched.
    media_urls: Vec<String>,
    /// In how many segments the text goes.
    segments: u8,
    /// `gsm7`, `ucs2` or `latin1`.
    encoding: &'static str,
    /// What it costs.
    #[schema(value_type = f64, example = 0.01)]
    price: Value,
    /// What the price is in.
    currency: String,
    /// The SMSC that took or brought it.
    smsc_id: Option<String>,
    /// Why it did not arrive.
    error: Option<FailureDto>,
    /// Its sender's own id for it.
    external_id: Option<String>,
    /// The message of yours that it answers.
    reply_to: Option<String>,
    /// When it was accepted, or received.
    created_at: String,
    /// When it is to be sent, where that is not at once.
    scheduled_at: Option<String>,
    /// When it was sent.
    sent_at: Option<String>,
    /// When it came to its end.
    completed_at: Option<String>,
    /// When it is given up.
    expires_at: String,
}

/// Why a message did not arrive.
#[derive(Serialize, ToSchema)]
struct FailureDto {
    /// For programs.
    code: String,
    /// For people.
    message: String,
}

/// What was decided about a message, and what became of its segments.
#[derive(Serialize, ToSchema)]
struct ExplainedMessageDto {
    /// The message.
    subject: SubjectDto,
    /// What became of each segment that was submitted.
    segments: Vec<SegmentDto>,
    /// What was decided, oldest first.
    data: Vec<ExplanationDto>,
    /// What to send as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
}

/// A segment that was submitted, or certainly was not.
#[derive(Serialize, ToSchema)]
struct SegmentDto {
    /// Which, from 1.
    segment: u8,
    /// `unsent`, `accepted`, `refused`, `delivered`, `undelivered`, `expired`, `rejected` or `deleted`.
    status: &'static str,
    /// Where it went.
    smsc_id: String,
    /// What the SMSC calls it.
    remote_id: Option<String>,
    /// What the SMSC or the receipt named as error.
    error: Option<String>,
    /// When the SMSC answered.
    submitted_at: String,
    /// When the receipt came.
    receipt_at: Option<String>,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    let endpoints = [
        Endpoint::new("searchMessages", Method::GET, "/messages", "Search your messages, newest first.", search)
            .query(SEARCH)
            .answers::<Page<MessageDto>>(StatusCode::OK)
            .codes(&[Code::InvalidPhoneNumber, Code::UnassignedPhoneNumber]),
        Endpoint::new("readMessage", Method::GET, "/messages/{message_id}", "Read one of your messages.", get)
            .path_docs(ID)
            .answers::<MessageDto>(StatusCode::OK)
            .codes(&[Code::MessageNotFound]),
        Endpoint::new(
            "explainMessage",
            Method::GET,
            "/messages/{message_id}/explain",
            "Why one of your messages was written, priced, sent and delivered as it was.",
            explained,
        )
        .path_docs(ID)
        .query(PAGE)
        .answers::<ExplainedMessageDto>(StatusCode::OK)
        .codes(&[Code::MessageNotFound]),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG)).collect()
}

async fn search(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let window = Window::read(&mut form);
    let filter = Filter {
        direction: form.choice("direction").and_then(Direction::parse),
        state: form.choice("status").and_then(MessageState::parse),
        from: form.sender("from"),
        to: form.phone("to"),
        text: form.text("text"),
        since: form.time("since"),
        until: form.time("until"),
        before: window.cursor.map(MessageId::from_bytes),
    };
    form.finish()?;
    let found = messages::search(&call.app, &call.caller()?, filter, window.fetch()).await?;
    Ok(Reply::json(StatusCode::OK, &window.page(found, |message| *message.id.as_bytes(), dto)))
}

async fn get(call: Call) -> Result<Reply> {
    let found = messages::get(&call.app, &call.caller()?, call.param("message_id").to_owned()).await?;
    Ok(Reply::json(StatusCode::OK, &dto(&found)))
}

async fn explained(call: Call) -> Result<Reply> {
    let (window, which) = which(&call)?;
    let (message, parts, kept) = explain::message(&call.app, &call.caller()?, call.param("message_id").to_owned(), which).await?;
    let subject = SubjectDto {
        kind: "message",
        id: message.id.to_string(),
        name: format!("{} to {}", message.from, message.to),
        state: message.state.as_str().to_owned(),
    };
    let page = window.page(kept, |kept| *kept.id.as_bytes(), explanation);
    let segments = parts.iter().map(segment).collect();
    Ok(Reply::json(StatusCode::OK, &ExplainedMessageDto { subject, segments, data: page.data, next_cursor: page.next_cursor }))
}

fn dto(message: &Message) -> MessageDto {
    let time = |at: &Option<Timestamp>| at.as_ref().map(Timestamp::to_string);
    let failure = message.failure.as_ref();
    MessageDto {
        id: message.id.to_string(),
        property_id: message.property.to_string(),
        direction: message.direction.as_str(),
        channel: message.channel.as_str(),
        status: message.state.as_str(),
        from: message.from.to_string(),
        to: message.to.to_string(),
        body: message.body.clone(),
        media_urls: message.media.clone(),
        segments: message.parts,
        encoding: message.encoding.as_str(),
        price: amount(message.price.micros),
        currency: message.price.currency.to_string(),
        smsc_id: message.smsc.map(|id| id.to_string()),
        error: failure.map(|failure| FailureDto { code: failure.code.clone(), message: failure.reason.clone() }),
        external_id: message.options.external_id.clone(),
        reply_to: message.reply_to.map(|id| id.to_string()),
        created_at: message.created_at.to_string(),
        scheduled_at: time(&message.scheduled_at),
        sent_at: time(&message.sent_at),
        completed_at: time(&message.completed_at),
        expires_at: message.expires_at.to_string(),
    }
}

fn segment(part: &Part) -> SegmentDto {
    SegmentDto {
        segment: part.part,
        status: part.state.as_str(),
        smsc_id: part.smsc.to_string(),
        remote_id: part.remote_id.clone(),
        error: part.error.clone(),
        submitted_at: part.submitted_at.to_string(),
        receipt_at: part.receipt_at.as_ref().map(Timestamp::to_string),
    }
}
