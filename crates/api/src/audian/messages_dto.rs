//! Messages on the wire of this dialect.

use serde::Serialize;
use serde_json::Value;
use tandem_domain::message::Message;
use utoipa::ToSchema;

use crate::http::reply::number as amount;

/// A message.
#[derive(Serialize, ToSchema)]
pub struct MessageDto {
    /// Its id.
    #[schema(example = "msg_01hzy3v7k2m8x4c6b9d1f5g7h0")]
    pub id: String,
    /// `outbound` or `inbound`.
    pub direction: &'static str,
    /// `sms` or `mms`.
    pub r#type: &'static str,
    /// `scheduled`, `queued`, `sending`, `sent`, `delivered`, `undelivered`, `expired`, `failed` or `received`.
    pub status: &'static str,
    /// Who sends it.
    #[schema(example = "+14155550123")]
    pub from: String,
    /// Who gets it.
    #[schema(example = "+14155550199")]
    pub to: String,
    /// The text.
    pub body: String,
    /// Where its media were fetched.
    pub media_urls: Vec<String>,
    /// In how many segments the text goes.
    pub segments: u8,
    /// `gsm7` or `ucs2`.
    pub encoding: &'static str,
    /// What it costs, in the account's currency.
    #[schema(value_type = f64, example = 0.01)]
    pub price: Value,
    /// Why it did not arrive, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// Why it did not arrive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// When it was queued, or received.
    #[schema(format = "date-time")]
    pub created_at: String,
    /// When it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "date-time")]
    pub sent_at: Option<String>,
    /// When it was delivered, or came to another end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "date-time")]
    pub completed_at: Option<String>,
}

impl MessageDto {
    /// Renders a message.
    pub fn of(message: &Message) -> Self {
        let failure = message.failure.as_ref();
        Self {
            id: message.id.to_string(),
            direction: message.direction.as_str(),
            r#type: message.channel.as_str(),
            status: message.state.as_str(),
            from: message.from.to_string(),
            to: message.to.to_string(),
            body: message.body.clone(),
            media_urls: message.media.clone(),
            segments: message.parts,
            encoding: message.encoding.as_str(),
            price: amount(message.price.micros),
            error_code: failure.map(|failure| failure.code.clone()),
            error_message: failure.map(|failure| failure.reason.clone()),
            created_at: message.created_at.to_string(),
            sent_at: message.sent_at.map(|at| at.to_string()),
            completed_at: message.completed_at.map(|at| at.to_string()),
        }
    }
}

/// A page of messages.
#[derive(Serialize, ToSchema)]
pub struct MessagesDto {
    /// The page, newest first.
    pub messages: Vec<MessageDto>,
    /// How many there are in all.
    pub total: i64,
    /// How many were asked for.
    pub limit: i64,
    /// How many were left out.
    pub offset: i64,
}
