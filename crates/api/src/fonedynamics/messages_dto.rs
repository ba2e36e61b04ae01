//! Messages on the wire of this dialect.

use serde::Serialize;
use tandem_catalogue::{Dialect, Error};
use tandem_domain::{
    message::{Direction, Message, MessageState},
    sid::account_sid,
};
use tandem_kernel::AccountId;
use utoipa::ToSchema;

use super::convert::{message_sid, property_sid, unix};

/// The statuses, each with the states of ours that it stands for.
pub const STATUSES: [(&str, &[MessageState]); 5] = [
    ("Processing", &[MessageState::Scheduled, MessageState::Queued, MessageState::Sending]),
    ("Submitted", &[MessageState::Sent]),
    ("Delivered", &[MessageState::Delivered]),
    ("Failed", &[MessageState::Undelivered, MessageState::Expired, MessageState::Failed]),
    ("Received", &[MessageState::Received]),
];
/// Their words.
pub const STATUS_WORDS: &[&str] = &["Processing", "Submitted", "Delivered", "Failed", "Received"];
/// The directions.
pub const DIRECTION_WORDS: &[&str] = &["Transmit", "Receive"];

/// A message.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct MessageResource {
    /// Its sid.
    #[schema(example = "M06BQ2N8C4W00000000000000000000K")]
    pub message_sid: String,
    /// The account's sid.
    #[schema(example = "A06BQ2N8C4W00000000000000000000K")]
    pub account_sid: String,
    /// The project's sid.
    #[schema(example = "S06BQ2N8C4W00000000000000000000K")]
    pub property_sid: String,
    /// Who sends it; a leased number where none was named.
    #[schema(example = "+61499998888")]
    pub from: String,
    /// Who gets it.
    #[schema(example = "+61499997777")]
    pub to: String,
    /// The text.
    pub text: String,
    /// Whether webhooks are told of its delivery receipt.
    pub delivery_receipt: bool,
    /// In how many segments the text goes.
    pub num_segments: u8,
    /// `Processing`, `Submitted`, `Delivered`, `Failed` or `Received`.
    pub status: &'static str,
    /// `Transmit` or `Receive`.
    pub direction: &'static str,
    /// When it is to be sent, where that was said.
    pub scheduled: Option<i64>,
    /// When it was accepted, or received.
    pub created: i64,
    /// When it was handed to the SMS centre.
    pub submitted: Option<i64>,
    /// When it was delivered.
    pub delivered: Option<i64>,
    /// When it was received.
    pub received: Option<i64>,
    /// Why it failed.
    pub error_code: Option<String>,
    /// Your own id for it.
    pub external_id: Option<String>,
}

impl MessageResource {
    /// Renders a message.
    pub fn of(account: AccountId, message: &Message) -> Self {
        let status = STATUSES.iter().find(|(_, states)| states.contains(&message.state));
        let inbound = message.direction == Direction::Inbound;
        let delivered = message.completed_at.filter(|_| message.state == MessageState::Delivered);
        Self {
            message_sid: message_sid(message.id),
            account_sid: account_sid(account),
            property_sid: property_sid(message.property),
            from: message.from.to_string(),
            to: message.to.to_string(),
            text: message.body.clone(),
            delivery_receipt: message.options.receipt && !inbound,
            num_segments: message.parts,
            status: status.map_or("Processing", |(word, _)| *word),
            direction: if inbound { "Receive" } else { "Transmit" },
            scheduled: message.scheduled_at.map(unix),
            created: unix(message.created_at),
            submitted: message.sent_at.map(unix),
            delivered: delivered.map(unix),
            received: inbound.then(|| unix(message.created_at)),
            error_code: message.failure.as_ref().map(|failure| failure.code.clone()),
            external_id: message.options.external_id.clone(),
        }
    }
}

/// One message.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct MessageAnswer {
    /// The message.
    pub message: MessageResource,
}

/// Messages, oldest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct MessagesAnswer {
    /// The page.
    pub messages: Vec<MessageResource>,
    /// What leads to the next page; null on the last.
    pub next_page_token: Option<String>,
}

/// Why a message of a batch was refused.
#[derive(Serialize, ToSchema, Clone)]
#[serde(rename_all = "PascalCase")]
pub struct BatchFailure {
    /// What is wrong, for programs.
    #[schema(example = "PARAMETER_REQUIRED")]
    pub error_code: &'static str,
    /// What is wrong, for people.
    #[schema(example = "The To parameter is required")]
    pub message: String,
}

impl BatchFailure {
    /// Renders an error.
    pub fn of(error: &Error) -> Self {
        let said = error.render(Dialect::FoneDynamics);
        Self { error_code: said.code, message: said.message }
    }
}

/// What became of a message of a batch.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum BatchItem {
    /// It was accepted.
    Accepted(Box<MessageResource>),
    /// It was refused.
    Refused(BatchFailure),
}
