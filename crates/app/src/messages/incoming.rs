//! Messages that come in.

use serde_json::{Map, Value, json};
use tandem_catalogue::Result;
use tandem_domain::{
    event::EventKind,
    message::{
        Callback, Channel, Direction, Message, MessageState, Options, Sender,
        optout::{self, Wish},
        segment,
    },
    number::Number,
};
use tandem_kernel::{MessageId, Money, OptOutId, PhoneNumber};
use tandem_store::{
    Tx,
    repo::{
        message_parts, messages,
        optouts::{self, OptOut},
    },
};

use super::{
    forward,
    gateway::Incoming,
    life::data,
    owner::{Origins, Owner},
    send::{Draft, Terms, send_in},
};
use crate::{
    App,
    app::{Desk, Pen},
    webhooks::{self, MessageWebhook, NumberWebhook},
};

/// The most characters of an incoming text that are kept: longer than any handset sends.
const MOST_KEPT: usize = 10_000;

pub(super) async fn receive(app: &App, incoming: Incoming) -> Result<()> {
    let pen = app.pen();
    app.store.write(move |tx| receive_in(tx, &pen, &incoming)).await?;
    app.outbox.ring();
    app.bell.ring();
    app.mailbox.ring();
    Ok(())
}

fn receive_in(tx: &mut Tx, pen: &Pen, incoming: &Incoming) -> Result<()> {
    let Some(owner) = Owner::find(tx, incoming.kind, &incoming.from, incoming.to)? else { return Ok(()) };
    let desk = pen.open(tx, owner.environment())?;
    if !incoming.id.is_empty() && !message_parts::see(tx, incoming.smsc, &incoming.id, pen.machine_now())? {
        return Ok(());
    }
    take_in(tx, &desk, &owner, incoming).map(drop)
}

/// Keeps a message that is whole, tells of it, and does what it asks for.
pub(super) fn take_in(tx: &mut Tx, desk: &Desk, owner: &Owner, incoming: &Incoming) -> Result<MessageId> {
    let origins = owner.origins(tx, desk, &incoming.from)?;
    let message = message_of(desk, incoming, &origins);
    messages::insert(tx, &message)?;
    desk.event(tx, &message.id.to_string(), EventKind::MessageReceived, &data(&message))?;
    if let Some(number) = owner.number() {
        tell(tx, desk, number, &message)?;
    }
    tell_sender(tx, desk, &origins, &message)?;
    forward::schedule(tx, desk, &message)?;
    heed(tx, desk, &message)?;
    Ok(message.id)
}

fn message_of(desk: &Desk, incoming: &Incoming, origins: &Origins) -> Message {
    let body: String = incoming.body.chars().filter(|c| *c != '\0').take(MOST_KEPT).collect();
    let encoding = tandem_domain::message::Encoding::choose(&body);
    let parts = segment::cut_as(encoding, &body).map_or(1, |parts| parts.len());
    Message {
        id: desk.id(MessageId::new),
        environment: desk.settings.id,
        property: origins.property,
        direction: Direction::Inbound,
        channel: Channel::Sms,
        state: MessageState::Received,
        from: incoming.from.clone(),
        to: incoming.to,
        body,
        sealed: None,
        media: Vec::new(),
        encoding,
        parts: u8::try_from(parts).unwrap_or(u8::MAX),
        price: Money::new(0, origins.currency),
        hold: None,
        smsc: Some(incoming.smsc),
        failure: None,
        options: Options { forward: origins.forward.clone(), ..Options::default() },
        reply_to: origins.answers.as_ref().map(|answered| answered.id),
        created_at: desk.now,
        scheduled_at: None,
        sent_at: None,
        completed_at: Some(desk.now),
        expires_at: desk.now,
    }
}

/// Hands an incoming message to the number's own webhook.
fn tell(tx: &mut Tx, desk: &Desk, number: &Number, message: &Message) -> Result<()> {
    let Some(url) = number.config.sms_webhook.clone() else { return Ok(()) };
    let object = message.id.to_string();
    if let Some(method) = number.config.sms_webhook_method {
        let to = Callback { url, method };
        let news = MessageWebhook { to, event: EventKind::MessageReceived, data: data(message), object };
        return webhooks::notify_messages_in(tx, desk, vec![news]);
    }
    let mut payload = Map::from_iter([("number_id".to_owned(), json!(number.id.to_string()))]);
    if let Value::Object(members) = data(message) {
        payload.extend(members);
    }
    let news = NumberWebhook { url, event: EventKind::MessageReceived.as_str(), payload, object };
    webhooks::notify_in(tx, desk, &news).map(drop)
}

/// Hands a reply to the URL that the message named which it answers.
fn tell_sender(tx: &mut Tx, desk: &Desk, origins: &Origins, message: &Message) -> Result<()> {
    let named = origins.answers.as_ref().and_then(|answered| answered.options.reply_webhook.clone());
    let news = named.map(|to| MessageWebhook {
        to,
        event: EventKind::MessageReceived,
        data: data(message),
        object: message.id.to_string(),
    });
    webhooks::notify_messages_in(tx, desk, news.into_iter().collect())
}

/// Does what an incoming word asks for, and answers it.
fn heed(tx: &mut Tx, desk: &Desk, message: &Message) -> Result<()> {
    let Some((wish, language)) = optout::wish(&message.body) else { return Ok(()) };
    let Some(sender) = message.from.number() else { return Ok(()) }; // nobody can be written to under a name
    let ours = Sender::Number(message.to);
    let changed = match wish {
        Wish::Stop => opt_out(tx, desk, ours.clone(), sender, &message.body)?,
        Wish::Start => opt_in_all(tx, desk, &ours, sender)?,
        Wish::Help => true,
    };
    if !changed {
        return Ok(());
    }
    let reply = Draft { terms: Terms::Reply, ..Draft::text(ours, sender, optout::reply(wish, language)) };
    send_in(tx, desk, reply).map(drop)
}

/// Notes that somebody wants no more messages; `false` where that is known.
pub(super) fn opt_out(tx: &mut Tx, desk: &Desk, from: Sender, to: PhoneNumber, source: &str) -> Result<bool> {
    let source: String = source.split_whitespace().next().unwrap_or("").chars().take(32).collect();
    let opt_out = OptOut { id: desk.id(OptOutId::new), from, to, source, created_at: desk.now };
    let added = optouts::add(tx, desk.settings.id, &opt_out)?;
    if added {
        let data = json!({ "from": opt_out.from.to_string(), "to": to.to_string(), "source": opt_out.source });
        desk.event(tx, &opt_out.id.to_string(), EventKind::RecipientOptedOut, &data)?;
    }
    Ok(added)
}

/// As [`opt_in`]. Numbers that are lent change: whoever writes to one of them means them all.
fn opt_in_all(tx: &mut Tx, desk: &Desk, ours: &Sender, sender: PhoneNumber) -> Result<bool> {
    let pool = desk.pen.pool(desk.settings.kind);
    if !ours.number().is_some_and(|number| pool.has(number)) {
        return opt_in(tx, desk, ours, sender);
    }
    let refused = optouts::of_recipients(tx, desk.settings.id, &[sender])?;
    let lent = refused.into_iter().filter(|found| found.from.number().is_some_and(|number| pool.has(number)));
    let mut changed = false;
    for found in lent {
        changed |= opt_in(tx, desk, &found.from, sender)?;
    }
    Ok(changed)
}

/// Notes that somebody wants messages again; `false` where nothing else is known.
pub(super) fn opt_in(tx: &mut Tx, desk: &Desk, from: &Sender, to: PhoneNumber) -> Result<bool> {
    let Some(found) = optouts::find(tx, desk.settings.id, from, to)? else { return Ok(false) };
    optouts::remove(tx, desk.settings.id, found.id)?;
    let data = json!({ "from": from.to_string(), "to": to.to_string() });
    desk.event(tx, &found.id.to_string(), EventKind::RecipientOptedIn, &data)?;
    Ok(true)
}
