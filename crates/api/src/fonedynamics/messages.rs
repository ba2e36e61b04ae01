//! `/Messages`: send, one or many, find, read.

use http::{Method, StatusCode};
use tandem_app::messages::{self, Batch, FindMessages, Origin, SendMessage};
use tandem_catalogue::{Code, Dialect, Error, Result};
use tandem_domain::{
    message::{Callback, Forward, Message, MessageState, Options, Sender, options::check_email},
    webhook::{self, check_url},
};
use tandem_kernel::{AccountId, MessageId, PhoneFault, PhoneNumber, Timestamp};

use super::{
    convert::{message_id, property_of},
    messages_dto::{
        BatchFailure, BatchItem, DIRECTION_WORDS, MessageAnswer, MessageResource, MessagesAnswer, STATUS_WORDS, STATUSES,
    },
    page,
    properties::PATH,
};
use crate::http::{Call, Endpoint, Field, Form, Kind, Reply};

const TAG: &str = "Messages";
/// Messages that a page has unless the caller says otherwise.
const USUAL: i64 = 200;
/// Messages of a batch at the most.
const MOST: usize = 1000;
/// Bytes of a batch: as many messages as it may have, each with the longest text in the widest letters and its URLs.
const LARGEST_BATCH: usize = 8 * 1024 * 1024;
/// Far more than a sender may have, so that one that is too long is told by how much.
const LONGEST_SENDER: usize = 128;
/// Characters of the longest name that a message may come from.
const LONGEST_NAME: i64 = 11;
/// The last second that this dialect's times may name.
const LAST_SECOND: i64 = 253_402_300_799;
const METHODS: &[&str] = &["POST", "GET"];
const MESSAGE: &[(&str, &str)] = &[("MessageSid", "The message's sid.")];

const URI: Kind = Kind::Text { min: 0, max: webhook::LONGEST_URL };
const EMAIL: Kind = Kind::Text { min: 0, max: 1024 };
/// A sender, as [`sender`] reads it.
pub const SENDER: Kind = Kind::Text { min: 0, max: LONGEST_SENDER };
const TO: Field = Field::new("To", Kind::Phone, "The recipient, in E.164.", r#""+61499997777""#).required();
const TEXT: Field = Field::new("Text", Kind::Text { min: 1, max: 1600 }, "The text.", r#""Your table is ready.""#).required();
const SEND: &[Field] = &[
    Field::new(
        "From",
        SENDER,
        "One of the project's numbers in E.164, or a name of 1 to 11 letters, digits and spaces with at least one letter. Blank for a \
         leased number; one is leased, too, where the destination takes no names.",
        r#""+61499998888""#,
    ),
    TO,
    TEXT,
    Field::new(
        "Schedule",
        Kind::Int { min: 0, max: LAST_SECOND },
        "When to send it, as a Unix time at most 14 days ahead. One that has passed by less than an hour is now.",
        "1704153600",
    ),
    Field::new("DeliveryReceipt", Kind::Bool, "Whether webhooks are told of its delivery receipt; true if left out.", "true"),
    Field::new("DeliveryReceiptWebhookUri", URI, "Who is told of the receipt.", r#""https://example.com/receipt""#),
    Field::new("DeliveryReceiptWebhookMethod", Kind::Choice(METHODS), "How; POST if left out.", r#""POST""#),
    Field::new("ForwardToSms", Kind::Phone, "To whom replies are forwarded as text messages.", r#""+61499996666""#),
    Field::new("ForwardFromSms", SENDER, "From whom these come; from whoever replied if left out.", r#""Example""#),
    Field::new("ForwardToEmail", EMAIL, "To whom replies are forwarded as e-mails.", r#""office@example.com""#),
    Field::new("ForwardFromEmail", EMAIL, "From whom these come; from a no-reply address if left out.", r#""sms@example.com""#),
    Field::new("WebhookUri", URI, "Who is told of replies.", r#""https://example.com/reply""#),
    Field::new("WebhookMethod", Kind::Choice(METHODS), "How; POST if left out.", r#""POST""#),
    Field::new("ExternalId", Kind::Text { min: 1, max: 128 }, "Your own id for it.", r#""order-17""#),
];
const BATCH: &[Field] =
    &[Field::new("Messages", Kind::Each(SEND, MOST), "The messages.", r#"[{"To":"+61499997777","Text":"Hello"}]"#).required()];
const FIND: &[Field] = &[
    Field::new(
        "Date_From",
        Kind::Int { min: 0, max: LAST_SECOND },
        "Accepted or received at this Unix time or later.",
        "1704067200",
    )
    .required(),
    Field::new("Date_To", Kind::Int { min: 0, max: LAST_SECOND }, "Accepted or received before this Unix time.", "1704153600")
        .required(),
    Field::new("Status", Kind::Choice(STATUS_WORDS), "Only messages with this status.", r#""Delivered""#),
    Field::new("Direction", Kind::Choice(DIRECTION_WORDS), "Only messages of this direction.", r#""Transmit""#),
    page::COUNT,
    page::SKIP,
    page::TOKEN,
];
/// What keeps a message from being sent.
const REFUSED: &[Code] = &[
    Code::InvalidPhoneNumber,
    Code::UnassignedPhoneNumber,
    Code::PropertyNotFound,
    Code::MessageTooLong,
    Code::OperationNotAllowed,
    Code::SenderNotOwned,
    Code::NumberBelongsToDifferentProperty,
    Code::SenderSuspended,
    Code::NumberPorting,
    Code::SenderLacksFeature,
    Code::LeaseLimitReached,
    Code::NoSenderToLease,
    Code::DestinationNotAllowed,
    Code::RecipientOptedOut,
    Code::SpendingLimitReached,
    Code::InsufficientFunds,
];

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("sendMessage", Method::POST, "/Properties/{PropertySid}/Messages", "Send a message.", send)
            .tag(TAG)
            .path_docs(PATH)
            .body(SEND)
            .answers::<MessageAnswer>(StatusCode::OK)
            .codes(REFUSED),
        Endpoint::new(
            "sendBatch",
            Method::POST,
            "/Properties/{PropertySid}/BatchMessages",
            "Send many messages. What became of each is told in their order; what is wrong with one does not keep the others.",
            send_batch,
        )
        .tag(TAG)
        .path_docs(PATH)
        .body(BATCH)
        .largest_body(LARGEST_BATCH)
        .answers::<Vec<BatchItem>>(StatusCode::OK)
        .codes(&[Code::PropertyNotFound, Code::OperationNotAllowed]),
        Endpoint::new("findMessages", Method::GET, "/Properties/{PropertySid}/Messages", "Find messages, oldest first.", find)
            .tag(TAG)
            .path_docs(PATH)
            .query(FIND)
            .answers::<MessagesAnswer>(StatusCode::OK)
            .codes(&[Code::PropertyNotFound]),
        Endpoint::new("getMessage", Method::GET, "/Messages/{MessageSid}", "Read a message.", get)
            .tag(TAG)
            .path_docs(MESSAGE)
            .answers::<MessageAnswer>(StatusCode::OK)
            .codes(&[Code::MessageNotFound]),
    ]
}

async fn send(call: Call) -> Result<Reply> {
    let command = read(&mut call.body_form()?, call.app.settings.webhooks_allow_private)?;
    let caller = call.caller()?;
    let render = move |message: &Message| {
        let message = MessageResource::of(caller.account, message);
        Reply::json(StatusCode::OK, &MessageAnswer { message })
    };
    let property = Some(property_of(&call));
    let sent = call.answer(render, |finish| messages::send(&call.app, &caller, property, command, finish)).await;
    sent.map_err(renamed)
}

async fn send_batch(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let allow_private = call.app.settings.webhooks_allow_private;
    let items = form.each("Messages", |item| read(item, allow_private));
    form.finish()?;
    let items = items.ok_or_else(Error::internal)?;
    let refused: Vec<Option<BatchFailure>> = items.iter().map(|item| item.as_ref().err().map(BatchFailure::of)).collect();
    let commands: Vec<SendMessage> = items.into_iter().filter_map(Result::ok).collect();
    let caller = call.caller()?;
    let render = move |outcomes: &Batch| Reply::json(StatusCode::OK, &in_order(caller.account, &refused, outcomes));
    let property = property_of(&call);
    call.answer(render, |finish| messages::send_batch(&call.app, &caller, property, commands, renamed, finish)).await
}

/// What became of each message: what was refused at sight in its place among the others.
fn in_order(account: AccountId, refused: &[Option<BatchFailure>], outcomes: &Batch) -> Vec<BatchItem> {
    let mut outcomes = outcomes.iter();
    let item = |refused: &Option<BatchFailure>| match (refused, refused.is_none().then(|| outcomes.next()).flatten()) {
        (Some(failure), _) => BatchItem::Refused(failure.clone()),
        (None, Some(Ok(message))) => BatchItem::Accepted(Box::new(MessageResource::of(account, message))),
        (None, Some(Err(error))) => BatchItem::Refused(BatchFailure::of(error)),
        (None, None) => BatchItem::Refused(BatchFailure::of(&Error::internal())),
    };
    refused.iter().map(item).collect()
}

async fn find(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let page = page::read(&mut form, USUAL);
    let (from, to) = (form.int("Date_From"), form.int("Date_To"));
    let (status, direction) = (form.choice("Status"), form.choice("Direction"));
    form.finish()?;
    page::check(&page)?;
    let (from, to) = (from.ok_or_else(Error::internal)?, to.ok_or_else(Error::internal)?);
    if from >= to {
        return Err(Error::invalid_value("Date_To", "must be later than Date_From"));
    }
    let caller = call.caller()?;
    let command = FindMessages {
        states: states(status, direction),
        from: instant(from),
        to: instant(to),
        after: page.after.map(MessageId::from_bytes),
        limit: page.limit(),
        offset: page.skip,
    };
    let mut found = messages::find_of_property(&call.app, &caller, property_of(&call), command).await.map_err(renamed)?;
    let answer = MessagesAnswer {
        next_page_token: page.cut(&mut found, |message| *message.id.as_bytes()),
        messages: found.iter().map(|message| MessageResource::of(caller.account, message)).collect(),
    };
    Ok(Reply::json(StatusCode::OK, &answer))
}

async fn get(call: Call) -> Result<Reply> {
    let caller = call.caller()?;
    let sid = call.param("MessageSid").to_owned();
    let found = messages::get(&call.app, &caller, message_id(&sid)).await;
    let found = found.map_err(|error| if error.code() == Code::MessageNotFound { Error::message_not_found(sid) } else { error })?;
    Ok(Reply::json(StatusCode::OK, &MessageAnswer { message: MessageResource::of(caller.account, &found) }))
}

/// The states that a status and a direction leave together.
fn states(status: Option<&str>, direction: Option<&str>) -> Vec<MessageState> {
    let of_status = STATUSES.iter().filter(|(word, _)| status.is_none_or(|status| status == *word));
    let states = of_status.flat_map(|(_, states)| states.iter().copied());
    let received = |state: &MessageState| *state == MessageState::Received;
    states.filter(|state| direction.is_none_or(|direction| received(state) == (direction == "Receive"))).collect()
}

fn instant(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds.saturating_mul(1_000_000))
}

/// Reads a message that is to be sent.
fn read(form: &mut Form, allow_private: bool) -> Result<SendMessage> {
    let from = form.parsed("From", origin);
    let (to, text) = (form.phone("To"), form.text("Text"));
    let schedule = form.int("Schedule").map(instant);
    let receipt = form.boolean("DeliveryReceipt").unwrap_or(true);
    let receipt_webhook = callback(form, "DeliveryReceiptWebhookUri", "DeliveryReceiptWebhookMethod", allow_private);
    let reply_webhook = callback(form, "WebhookUri", "WebhookMethod", allow_private);
    let forward = Forward {
        to_sms: form.phone("ForwardToSms"),
        from_sms: form.parsed("ForwardFromSms", optional(sender)).flatten(),
        to_email: form.parsed("ForwardToEmail", optional(email)).flatten(),
        from_email: form.parsed("ForwardFromEmail", optional(email)).flatten(),
    };
    let external_id = form.text("ExternalId");
    form.finish()?;
    let options = Options { external_id, receipt, receipt_webhook, reply_webhook, forward, leased: false };
    let (to, text) = (to.ok_or_else(Error::internal)?, text.ok_or_else(Error::internal)?);
    Ok(SendMessage { schedule, options, ..SendMessage::text(from.unwrap_or(Origin::Leased), to, text) })
}

fn callback(form: &mut Form, uri: &str, method: &str, allow_private: bool) -> Option<Callback> {
    let checked = |field: &str, text: &str| {
        check_url("uri", text, Dialect::FoneDynamics, allow_private).map_err(|error| error.rename_field(|_| field.to_owned()))?;
        Ok(text.to_owned())
    };
    let url = form.parsed(uri, optional(checked)).flatten();
    let method = form.choice(method).and_then(webhook::Method::parse).unwrap_or(webhook::Method::Post);
    url.map(|url| Callback { url, method })
}

/// Blank is as good as left out.
fn optional<T>(read: impl Fn(&str, &str) -> Result<T>) -> impl Fn(&str, &str) -> Result<Option<T>> {
    move |field, text| if text.trim().is_empty() { Ok(None) } else { read(field, text).map(Some) }
}

fn email(field: &str, text: &str) -> Result<String> {
    check_email(field, text).map(|()| text.to_owned())
}

fn origin(field: &str, text: &str) -> Result<Origin> {
    let sender = optional(sender)(field, text)?;
    Ok(match sender {
        None => Origin::Leased,
        Some(sender @ Sender::Number(_)) => Origin::Sender(sender),
        Some(name) => Origin::NameOrLeased(name),
    })
}

/// A number in E.164, or a name with at least one letter.
pub fn sender(field: &str, text: &str) -> Result<Sender> {
    // A plus that was not encoded arrives as a space in a form; no name begins with one and has digits only.
    let plus = text.strip_prefix(' ').filter(|rest| rest.bytes().all(|byte| byte.is_ascii_digit())).map(|rest| format!("+{rest}"));
    let text = plus.as_deref().unwrap_or(text);
    if text.starts_with('+') || !text.chars().any(char::is_alphabetic) {
        return PhoneNumber::parse(text).map(Sender::Number).map_err(|fault| match fault {
            PhoneFault::Format => Error::invalid_phone_number(field.to_owned(), text.to_owned()),
            PhoneFault::NotAssigned => Error::unassigned_phone_number(field.to_owned(), text.to_owned()),
        });
    }
    if text.chars().count() > usize::try_from(LONGEST_NAME).unwrap_or(usize::MAX) {
        return Err(Error::too_long(field.to_owned(), LONGEST_NAME));
    }
    if !text.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ') {
        return Err(Error::invalid_value(field.to_owned(), "must be a number in E.164, or letters, digits and spaces"));
    }
    Ok(Sender::Name(text.to_owned()))
}

/// Our names of fields as this dialect has them.
fn renamed(error: Error) -> Error {
    error.rename_field(|field| {
        let known = match field {
            "from" => "From",
            "forward_from" => "ForwardFromSms",
            "to" => "To",
            "body" | "text" => "Text",
            "schedule" => "Schedule",
            "page_token" => "PageToken",
            other => other,
        };
        known.to_owned()
    })
}
