//! Sending messages, one or many: each is queued, its price held, or refused with its own reason.

use tandem_catalogue::{Error, Result};
use tandem_domain::{
    Explanation,
    message::{
        Channel, Message, Options, Sender, media,
        options::{SCHEDULED_AHEAD, SCHEDULED_LATE},
    },
    property::Property,
};
use tandem_kernel::{Caller, MessageId, PhoneNumber, PropertyId, Scope, Timestamp};
use tandem_store::Tx;

use super::{check::check_enabled, queue::queue_many};
use crate::{
    App, Finish,
    app::Desk,
    explain, permit,
    properties::{self, PropertyRef},
};

/// On whose behalf a message is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Terms {
    /// The account's: from one of its numbers, at the listed price.
    Customer,
    /// The account's, to hand on what came in: from any sender, at the listed price.
    Forward,
    /// The platform's, for something that it charges in its own way: from any sender, at no price.
    Platform,
    /// As [`Self::Platform`], but held and charged with the message at this price, in millionths.
    Priced(i64),
    /// An automatic answer: as [`Self::Platform`], and also to those who want no messages.
    Reply,
}

impl Terms {
    /// Whether the account pays the listed price and is held to its settings.
    pub(super) const fn are_listed(self) -> bool {
        matches!(self, Self::Customer | Self::Forward)
    }
}

/// Who a message is to come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This sender.
    Sender(Sender),
    /// A number that is lent for it.
    Leased,
    /// This name where the destination takes names, and elsewhere a number that is lent.
    NameOrLeased(Sender),
}

impl From<Sender> for Origin {
    fn from(sender: Sender) -> Self {
        Self::Sender(sender)
    }
}

/// A message to send.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Who sends it.
    pub from: Origin,
    /// Who gets it.
    pub to: PhoneNumber,
    /// The text.
    pub body: String,
    /// What everybody sees in its stead, where the text must not be read: it is then kept sealed only.
    pub shown_body: Option<String>,
    /// Where media are fetched.
    pub media: Vec<String>,
    /// Seconds until it is given up; [`tandem_domain::message::USUAL_VALIDITY`] where nothing is said.
    pub validity: Option<i64>,
    /// On whose behalf.
    pub terms: Terms,
    /// The property that it belongs to; that of the number it comes from, if none is named.
    pub property: Option<PropertyId>,
    /// When it is to be sent; at once if that has passed or nothing is said.
    pub scheduled_at: Option<Timestamp>,
    /// What else is wanted of it.
    pub options: Options,
    /// The message that it answers.
    pub reply_to: Option<MessageId>,
}

impl Draft {
    /// A text of the account's own.
    #[must_use]
    pub fn text(from: impl Into<Origin>, to: PhoneNumber, body: impl Into<String>) -> Self {
        Self {
            from: from.into(),
            to,
            body: body.into(),
            shown_body: None,
            media: Vec::new(),
            validity: None,
            terms: Terms::Customer,
            property: None,
            scheduled_at: None,
            options: Options::default(),
            reply_to: None,
        }
    }

    pub(super) fn channel(&self) -> Channel {
        if self.media.is_empty() { Channel::Sms } else { Channel::Mms }
    }
}

/// A message that an account wants to send.
#[derive(Clone, Debug)]
pub struct SendMessage {
    /// From which of its numbers, or under which name.
    pub from: Origin,
    /// To whom.
    pub to: PhoneNumber,
    /// The text; may be empty where there are media.
    pub body: String,
    /// Where media are fetched.
    pub media: Vec<String>,
    /// When; at once if nothing is said.
    pub schedule: Option<Timestamp>,
    /// What else is wanted of it.
    pub options: Options,
}

impl SendMessage {
    /// A text that is sent at once.
    #[must_use]
    pub fn text(from: impl Into<Origin>, to: PhoneNumber, body: impl Into<String>) -> Self {
        Self { from: from.into(), to, body: body.into(), media: Vec::new(), schedule: None, options: Options::default() }
    }

    fn draft(self, property: Option<PropertyId>) -> Draft {
        let Self { from, to, body, media, schedule, options } = self;
        Draft { media, scheduled_at: schedule, options, property, ..Draft::text(from, to, body) }
    }

    /// What is malformed is said before anything is looked up.
    fn check(&self) -> Result<()> {
        for url in &self.media {
            if let Some(fault) = media::fault_of_url(url) {
                return Err(Error::media_refused("media_urls", url.clone(), fault));
            }
        }
        tandem_domain::message::segment::cut(&self.body).map(drop)
    }
}

/// Checks when a message is to be sent.
fn check_schedule(desk: &Desk, schedule: Option<Timestamp>) -> Result<()> {
    let (first, last) = (desk.now.plus_seconds(-SCHEDULED_LATE), desk.now.plus_seconds(SCHEDULED_AHEAD));
    match schedule {
        Some(at) if at < first || at > last => {
            Err(Error::invalid_value("schedule", "must be at most 14 days ahead and at most one hour ago"))
        }
        _ => Ok(()),
    }
}

/// What became of each message of a batch, in order.
pub type Batch = Vec<Result<Message>>;

/// Sends a message: it is queued, its price held, and goes out as soon as an SMSC takes it. With a property it belongs to that, and
/// must not come from a number of another.
///
/// # Errors
/// As [`send_in`], and `invalid_value` for the time, `property_not_found`, `insufficient_scope`.
pub async fn send(
    app: &App,
    caller: &Caller,
    property: Option<PropertyRef>,
    command: SendMessage,
    finish: Finish<Message>,
) -> Result<Message> {
    command.check()?;
    let (asker, to) = (*caller, command.to);
    let (pen, carriers) = (app.pen(), app.carriers.clone());
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, asker.environment)?;
        check_schedule(&desk, command.schedule)?;
        let property = allowed(tx, &asker, property.as_ref())?.map(|property| property.id);
        let outcomes = queue_many(tx, &desk, Some(&carriers), &[command.clone().draft(property)])?;
        let message = outcomes.into_iter().next().ok_or_else(Error::internal)??;
        finish(tx, &message)?;
        Ok(message)
    };
    let sent = app.store.write(work).await;
    let sent = sent.inspect_err(|error| explain::refusal(app, caller, "send", format!("no message was sent to {to}"), error))?;
    ring(app, std::slice::from_ref(&sent));
    Ok(sent)
}

/// Sends many messages of a property in one unit of work. What is wrong with one does not keep the others; `said` puts it into the
/// caller's words.
///
/// # Errors
/// `property_not_found`, `insufficient_scope`, `operation_not_allowed` where none of them could be sent.
pub async fn send_batch(
    app: &App,
    caller: &Caller,
    property: PropertyRef,
    commands: Vec<SendMessage>,
    said: fn(Error) -> Error,
    finish: Finish<Batch>,
) -> Result<Batch> {
    let (pen, carriers, asker) = (app.pen(), app.carriers.clone(), *caller);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, asker.environment)?;
        let property = allowed(tx, &asker, Some(&property))?;
        if let Some(property) = &property {
            check_enabled(tx, &desk, property)?;
        }
        let property = property.map(|property| property.id);
        let checked = commands.iter().map(|command| command.check().and_then(|()| check_schedule(&desk, command.schedule)));
        let checked: Vec<Result<()>> = checked.collect();
        let good = commands.iter().zip(&checked).filter(|(_, checked)| checked.is_ok());
        let drafts: Vec<Draft> = good.map(|(command, _)| command.clone().draft(property)).collect();
        let mut queued = queue_many(tx, &desk, Some(&carriers), &drafts)?.into_iter();
        let outcome = |checked: Result<()>| checked.and_then(|()| queued.next().unwrap_or_else(|| Err(Error::internal())));
        let outcomes: Batch = checked.into_iter().map(outcome).map(|outcome| outcome.map_err(said)).collect();
        finish(tx, &outcomes)?;
        Ok(outcomes)
    };
    let outcomes = app.store.write(work).await?;
    let sent: Vec<Message> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok().cloned()).collect();
    ring(app, &sent);
    Ok(outcomes)
}

/// The property that is named, looked up before the credential is asked whether it may send.
fn allowed(tx: &mut Tx, caller: &Caller, property: Option<&PropertyRef>) -> Result<Option<Property>> {
    let property = property.map(|property| properties::find(tx, caller.environment, property)).transpose()?;
    permit(caller, Scope::MessagesWrite)?;
    Ok(property)
}

fn ring(app: &App, sent: &[Message]) {
    if sent.iter().any(|message| message.channel == Channel::Sms) {
        app.outbox.ring();
    }
    if sent.iter().any(|message| message.channel == Channel::Mms) {
        app.bell.ring();
    }
    app.mailbox.ring();
}

/// Queues a message inside a unit of work, its price held. When that is committed, ring `app.outbox`.
///
/// # Errors
/// `message_too_long`, `operation_not_allowed`, the codes of a sender that may not send, `recipient_opted_out`,
/// `spending_limit_reached`, `insufficient_funds`. Nothing was written then.
pub fn send_in(tx: &mut Tx, desk: &Desk, draft: Draft) -> Result<Message> {
    let outcomes = queue_many(tx, desk, None, &[draft])?;
    outcomes.into_iter().next().ok_or_else(Error::internal)?
}

/// The name of the decision, for explanations.
pub(super) fn explanation() -> Explanation {
    Explanation::of("send", String::new())
}
