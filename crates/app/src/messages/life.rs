//! What becomes of messages, written down for many at once.

use serde_json::{Value, json};
use tandem_catalogue::Result;
use tandem_domain::{
    Explanation,
    event::EventKind,
    message::{Failure, Message, MessageState},
};
use tandem_kernel::MessageId;
use tandem_ledger::{Cause, Posting, transfer_id};
use tandem_store::{
    Tx,
    repo::{
        ledger, messages,
        outbox::{self, Place},
        usage,
    },
};

use crate::{
    app::Desk,
    billing::SMS_MESSAGES,
    verifications,
    webhooks::{MessageWebhook, notify_messages_in},
};

/// Why a message is given up whose receipt did not come.
pub(super) const NO_RECEIPT: &str = "no receipt came in time";

/// Changes of one environment's messages, gathered so that few statements write them.
#[derive(Default)]
pub(super) struct Changes {
    changed: Vec<Message>,
    events: Vec<(String, EventKind, Value)>,
    postings: Vec<(Posting, Cause)>,
    gone: Vec<Place>,
    back: Vec<MessageId>,
    sent: i64,
    explanations: Vec<Explanation>,
    /// Receipts for URLs that messages name.
    receipts: Vec<MessageWebhook>,
    /// Messages with a code that did not arrive.
    lost_codes: Vec<Message>,
}

impl Changes {
    /// Notes that a message took these steps, the last of which is where it is now. Whoever calls this has checked that it may.
    pub(super) fn step(&mut self, desk: &Desk, mut message: Message, steps: &[MessageState], failure: Option<Failure>) {
        for state in steps {
            let before = message.state;
            message.state = *state;
            match state {
                MessageState::Sent => {
                    message.sent_at = Some(desk.now);
                    self.sent += 1;
                    self.pay(&message);
                    self.leave(&message);
                }
                MessageState::Queued if before == MessageState::Scheduled => {
                    self.events.push((message.id.to_string(), EventKind::MessageQueued, data(&message)))
                }
                MessageState::Queued => {
                    self.back.push(message.id);
                    let outcome = "the message is queued again, with those segments that were not submitted".to_owned();
                    self.explain(&message, "every segment was submitted", "at least one certainly was not".to_owned(), outcome);
                }
                MessageState::Failed => {
                    self.give_back(&message);
                    self.leave(&message);
                }
                MessageState::Expired if matches!(before, MessageState::Queued | MessageState::Sending) => {
                    self.give_back(&message);
                    self.leave(&message);
                }
                _ => {}
            }
            if state.is_terminal() {
                message.completed_at = Some(desk.now);
                message.failure = failure.clone();
                if let Some(failure) = &message.failure {
                    let outcome = format!("the message is {}: {}", state.as_str(), failure.reason);
                    self.explain(&message, "the message arrives", failure.reason.clone(), outcome);
                }
            }
            if message.sealed.is_some() && matches!(state, MessageState::Failed | MessageState::Expired | MessageState::Undelivered)
            {
                self.lost_codes.push(message.clone());
            }
            if let (Some(event), Some(to)) = (receipt_of(&message, before), message.options.receipt_webhook.clone()) {
                self.receipts.push(MessageWebhook { to, event, data: data(&message), object: message.id.to_string() });
            }
            if let Some(kind) = event_of(*state) {
                self.events.push((message.id.to_string(), kind, data(&message)));
            }
        }
        self.changed.push(message);
    }

    /// Writes all of it.
    pub(super) fn write(self, tx: &mut Tx, desk: &Desk) -> Result<()> {
        if self.changed.is_empty() {
            return Ok(());
        }
        outbox::remove(tx, &self.gone)?;
        outbox::put_back(tx, &self.back)?;
        messages::update(tx, &self.changed)?;
        if !self.postings.is_empty() {
            ledger::post(tx, desk.settings.id, self.postings, desk.now)?;
        }
        if self.sent > 0 {
            let day = desk.pen.machine_now().start_of_day();
            usage::add(tx, &[(desk.settings.id, day, SMS_MESSAGES, self.sent)])?;
        }
        desk.explain_many(tx, &self.explanations)?;
        notify_messages_in(tx, desk, self.receipts)?;
        desk.events(tx, self.events)?;
        verifications::undelivered(tx, desk, &self.lost_codes)
    }

    /// Keeps why a message took a step.
    pub(super) fn explain(&mut self, message: &Message, rule: &str, compared: String, outcome: String) {
        let mut explanation = Explanation::of("delivery", message.id.to_string());
        explanation.note(rule, compared, false);
        self.explanations.push(explanation.concluding(outcome));
    }

    fn pay(&mut self, message: &Message) {
        if let Some(hold) = message.hold {
            let description = format!("{} to {}: sent", name(message), message.to);
            self.postings.push((Posting::Capture(hold, message.price.micros), cause(message, "capture", description)));
        }
    }

    fn give_back(&mut self, message: &Message) {
        if let Some(hold) = message.hold {
            let description = format!("{} to {}: not sent", name(message), message.to);
            self.postings.push((Posting::Release(hold, message.price.micros), cause(message, "release", description)));
        }
    }

    fn leave(&mut self, message: &Message) {
        self.gone.push(Place { message: message.id, environment: message.environment, recipient: message.to });
    }
}

/// `SMS` or `MMS`.
pub(super) const fn name(message: &Message) -> &'static str {
    match message.channel {
        tandem_domain::message::Channel::Sms => "SMS",
        tandem_domain::message::Channel::Mms => "MMS",
    }
}

/// Why money moves for a message.
pub(super) fn cause(message: &Message, step: &str, description: String) -> Cause {
    let reference = message.id.to_string();
    let id = transfer_id(message.environment, &[&reference, step]);
    Cause { id, reference, description, purpose: "to send this message".into() }
}

/// As which of the events that the Fone Dynamics API tells as a receipt this step is told, where a receipt led to it.
fn receipt_of(message: &Message, before: MessageState) -> Option<EventKind> {
    let given_up = message.failure.as_ref().is_some_and(|failure| failure.reason == NO_RECEIPT);
    match message.state {
        MessageState::Delivered => Some(EventKind::MessageDelivered),
        MessageState::Undelivered | MessageState::Expired if before == MessageState::Sent && !given_up => {
            Some(EventKind::MessageUndelivered)
        }
        _ => None,
    }
    .filter(|_| message.options.receipt)
}

const fn event_of(state: MessageState) -> Option<EventKind> {
    match state {
        MessageState::Scheduled | MessageState::Queued | MessageState::Sending => None, // queued again is nothing that an owner must know
        MessageState::Sent => Some(EventKind::MessageSent),
        MessageState::Delivered => Some(EventKind::MessageDelivered),
        MessageState::Undelivered => Some(EventKind::MessageUndelivered),
        MessageState::Expired => Some(EventKind::MessageExpired),
        MessageState::Failed => Some(EventKind::MessageFailed),
        MessageState::Received => Some(EventKind::MessageReceived),
    }
}

/// A message as events tell of it.
pub(super) fn data(message: &Message) -> Value {
    let mut data = json!({
        "direction": message.direction.as_str(),
        "channel": message.channel.as_str(),
        "status": message.state.as_str(),
        "from": message.from.to_string(),
        "to": message.to.to_string(),
        "body": message.body,
        "segments": message.parts,
        "encoding": message.encoding.as_str(),
        "price": message.price.to_string(),
        "currency": message.price.currency.as_str(),
    });
    if let Some(members) = data.as_object_mut() {
        members.insert("property_id".into(), json!(message.property.to_string()));
        if !message.options.receipt {
            members.insert("delivery_receipt".into(), json!(false));
        }
        if let Some(id) = &message.options.external_id {
            members.insert("external_id".into(), json!(id));
        }
        if let Some(id) = &message.reply_to {
            members.insert("reply_to".into(), json!(id.to_string()));
        }
        if let Some(at) = &message.scheduled_at {
            members.insert("scheduled_at".into(), json!(at.to_string()));
        }
        if !message.media.is_empty() {
            members.insert("media_urls".into(), json!(message.media));
        }
        if let Some(failure) = &message.failure {
            members.insert("error_code".into(), json!(failure.code));
            members.insert("error_message".into(), json!(failure.reason));
        }
    }
    data
}
