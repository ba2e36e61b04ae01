//! `/messages`: send, list, read.

use http::{Method, StatusCode};
use tandem_app::messages::{self, ListMessages, SendMessage};
use tandem_catalogue::{Code, Error, Result};
use tandem_domain::message::{Direction, Message, MessageState};
use tandem_store::repo::messages::Filter;

use super::{
    dto::Success,
    messages_dto::{MessageDto, MessagesDto},
    numbers::{LIMIT, OFFSET, page},
};
use crate::http::{Call, Endpoint, Field, Kind, Reply};

const TAG: &str = "Messages";
const ID: &[(&str, &str)] = &[("message_id", "The message's id.")];
const DIRECTIONS: &[&str] = &["outbound", "inbound"];
const STATES: &[&str] = &["scheduled", "queued", "sending", "sent", "delivered", "undelivered", "expired", "failed", "received"];
/// Far more than fits into ten segments, so that a text that is too long is told by how much.
const LONGEST: usize = 10_000;
const LONGEST_URL: usize = 2048;
const MOST_MEDIA: usize = 10;

const SEND: &[Field] = &[
    Field::new("from", Kind::Sender, "One of your numbers, or a name where the destination takes names.", r#""+14155550123""#)
        .or(&["from_number", "fromNumber"])
        .missing_as("from")
        .required(),
    Field::new("to", Kind::Phone, "The recipient, in E.164.", r#""+14155550199""#)
        .or(&["to_number", "toNumber", "phone_number"])
        .missing_as("to")
        .required(),
    Field::new("body", Kind::Text { min: 0, max: LONGEST }, "The text, of at most 24 segments.", r#""Your table is ready.""#)
        .or(&["text", "message"]),
    Field::new(
        "media_urls",
        Kind::Texts { max: LONGEST_URL, most: MOST_MEDIA },
        "Public addresses of pictures, sounds, films and cards: the message goes as MMS.",
        r#"["https://example.com/menu.jpg"]"#,
    )
    .or(&["mediaUrls"]),
];
const LIST: &[Field] = &[
    Field::new("direction", Kind::Choice(DIRECTIONS), "Only messages of this direction.", r#""outbound""#),
    Field::new("status", Kind::Choice(STATES), "Only messages in this state.", r#""delivered""#),
    Field::new("from", Kind::Sender, "Only messages from this sender.", r#""+14155550123""#),
    Field::new("to", Kind::Phone, "Only messages to this number.", r#""+14155550199""#),
    Field::new("start_date", Kind::Time, "Only messages of this time or later.", r#""2024-01-01T00:00:00Z""#),
    Field::new("end_date", Kind::Time, "Only messages before this time.", r#""2024-02-01T00:00:00Z""#),
    LIMIT,
    OFFSET,
];

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    let endpoints = [
        Endpoint::new("sendMessage", Method::POST, "/messages", "Send a message.", send)
            .body(SEND)
            .answers::<Success<MessageDto>>(StatusCode::CREATED)
            .codes(&[
                Code::InvalidPhoneNumber,
                Code::UnassignedPhoneNumber,
                Code::MessageTooLong,
                Code::MediaRefused,
                Code::OperationNotAllowed,
                Code::SenderNotOwned,
                Code::SenderSuspended,
                Code::NumberPorting,
                Code::SenderLacksFeature,
                Code::SenderNameNotAllowed,
                Code::MmsNotOffered,
                Code::DestinationNotAllowed,
                Code::RecipientOptedOut,
                Code::SpendingLimitReached,
                Code::InsufficientFunds,
            ]),
        Endpoint::new("listMessages", Method::GET, "/messages", "List your messages, newest first.", list)
            .query(LIST)
            .answers::<Success<MessagesDto>>(StatusCode::OK)
            .codes(&[Code::InvalidPhoneNumber, Code::UnassignedPhoneNumber]),
        Endpoint::new("getMessage", Method::GET, "/messages/{message_id}", "Read one of your messages.", get)
            .path_docs(ID)
            .answers::<Success<MessageDto>>(StatusCode::OK)
            .codes(&[Code::MessageNotFound]),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG).ours()).collect()
}

async fn send(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (from, to) = (form.sender("from"), form.phone("to"));
    let (body, media) = (form.text("body"), form.texts("media_urls").unwrap_or_default());
    form.finish()?;
    let body = body.unwrap_or_default();
    if body.is_empty() && media.is_empty() {
        return Err(Error::missing_parameter(form.spelling("body")));
    }
    let missing = Error::internal;
    let command = SendMessage { media, ..SendMessage::text(from.ok_or_else(missing)?, to.ok_or_else(missing)?, body) };
    let render = |message: &Message| Reply::json(StatusCode::CREATED, &Success::of(MessageDto::of(message)));
    let caller = call.caller()?;
    let outcome = call.answer(render, |finish| messages::send(&call.app, &caller, None, command, finish)).await;
    outcome.map_err(|error| error.rename_field(|field| form.spelling(field)))
}

async fn list(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let filter = Filter {
        direction: form.choice("direction").and_then(Direction::parse),
        state: form.choice("status").and_then(MessageState::parse),
        from: form.sender("from"),
        to: form.phone("to"),
        since: form.time("start_date"),
        until: form.time("end_date"),
        ..Filter::default()
    };
    let (limit, offset) = page(&mut form, 20);
    form.finish()?;
    let found = messages::list(&call.app, &call.caller()?, ListMessages { filter, limit, offset }).await?;
    let data = MessagesDto { messages: found.messages.iter().map(MessageDto::of).collect(), total: found.total, limit, offset };
    Ok(Reply::json(StatusCode::OK, &Success::of(data)))
}

async fn get(call: Call) -> Result<Reply> {
    let found = messages::get(&call.app, &call.caller()?, call.param("message_id").to_owned()).await?;
    Ok(Reply::json(StatusCode::OK, &Success::of(MessageDto::of(&found))))
}
