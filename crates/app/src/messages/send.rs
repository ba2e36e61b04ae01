//! Sending a message: whether it may be sent, how it is written, what it costs, and its place in the queue.

use tandem_catalogue::{Error, Result};
use tandem_domain::{
    Explanation, Features,
    account::Account,
    event::EventKind,
    message::{
        Channel, Direction, Encoding, Message, MessageState, Sender, USUAL_VALIDITY, deadline, media, rates,
        segment::{self, Cut},
    },
    number::{Number, NumberState},
};
use tandem_kernel::{Caller, Country, MessageId, Money, PhoneNumber, Scope};
use tandem_ledger::Posting;
use tandem_store::{
    Fault, Tx,
    repo::{accounts, ledger, messages, numbers, optouts, outbox},
};

use super::{
    expire::EXPIRY_JOB,
    life::{cause, data, name},
    mms::MMS_JOB,
};
use crate::{App, Finish, app::Desk, carrier::Carriers, explain, permit, spending};

/// On whose behalf a message is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Terms {
    /// The account's: from one of its numbers, at the listed price.
    Customer,
    /// The platform's, for something that it charges in its own way: from any sender, at no price.
    Platform,
    /// As [`Self::Platform`], but held and charged with the message at this price, in millionths.
    Priced(i64),
    /// An automatic answer: as [`Self::Platform`], and also to those who want no messages.
    Reply,
}

/// A message to send.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Who sends it.
    pub from: Sender,
    /// Who gets it.
    pub to: PhoneNumber,
    /// The text.
    pub body: String,
    /// What everybody sees in its stead, where the text must not be read: it is then kept sealed only.
    pub shown_body: Option<String>,
    /// Where media are fetched.
    pub media: Vec<String>,
    /// Seconds until it is given up; [`USUAL_VALIDITY`] where nothing is said.
    pub validity: Option<i64>,
    /// On whose behalf.
    pub terms: Terms,
}

impl Draft {
    /// A text of the account's own.
    #[must_use]
    pub fn text(from: Sender, to: PhoneNumber, body: impl Into<String>) -> Self {
        Self { from, to, body: body.into(), shown_body: None, media: Vec::new(), validity: None, terms: Terms::Customer }
    }

    fn channel(&self) -> Channel {
        if self.media.is_empty() { Channel::Sms } else { Channel::Mms }
    }
}

/// A message that an account wants to send.
#[derive(Clone, Debug)]
pub struct SendMessage {
    /// From which of its numbers, or under which name.
    pub from: Sender,
    /// To whom.
    pub to: PhoneNumber,
    /// The text; may be empty where there are media.
    pub body: String,
    /// Where media are fetched.
    pub media: Vec<String>,
}

/// Sends a message: it is queued, its price held, and goes out as soon as an SMSC takes it.
///
/// # Errors
/// As [`send_in`], and `insufficient_scope`.
pub async fn send(app: &App, caller: &Caller, command: SendMessage, finish: Finish<Message>) -> Result<Message> {
    let cut = segment::cut(&command.body)?; // what is malformed is said before anything is looked up
    for url in &command.media {
        if let Some(fault) = media::fault_of_url(url) {
            return Err(Error::media_refused("media_urls", url.clone(), fault));
        }
    }
    permit(caller, Scope::MessagesWrite)?;
    let SendMessage { from, to, body, media } = command;
    let draft = Draft { media, ..Draft::text(from, to, body) };
    let (pen, carriers, environment) = (app.pen(), app.carriers.clone(), caller.environment);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, environment)?;
        let mut explanation = Explanation::of("send", String::new());
        let checked = check_in(tx, &desk, &draft, &mut explanation)?;
        check_carrier(&carriers, &draft, &checked, &mut explanation)?;
        let message = queue_in(tx, &desk, &draft, &cut, &checked.account, explanation)?;
        finish(tx, &message)?;
        Ok(message)
    };
    let sent = app.store.write(work).await;
    let sent = sent.inspect_err(|error| explain::refusal(app, caller, "send", format!("no message was sent to {to}"), error))?;
    match sent.channel {
        Channel::Sms => app.outbox.ring(),
        Channel::Mms => app.bell.ring(),
    }
    app.mailbox.ring();
    Ok(sent)
}

/// Queues a message inside a unit of work, its price held. When that is committed, ring `app.outbox`.
///
/// # Errors
/// `message_too_long`, `operation_not_allowed`, the codes of a sender that may not send, `recipient_opted_out`,
/// `spending_limit_reached`, `insufficient_funds`.
pub fn send_in(tx: &mut Tx, desk: &Desk, draft: Draft) -> Result<Message> {
    let cut = segment::cut(&draft.body)?;
    let mut explanation = Explanation::of("send", String::new());
    let checked = check_in(tx, desk, &draft, &mut explanation)?;
    queue_in(tx, desk, &draft, &cut, &checked.account, explanation)
}

/// Who sends, where a message may be sent.
struct Checked {
    account: Account,
    /// The number that it comes from; none for a name or the platform.
    number: Option<Number>,
}

fn check_in(tx: &mut Tx, desk: &Desk, draft: &Draft, explanation: &mut Explanation) -> Result<Checked> {
    let account = accounts::get(tx, desk.settings.account)?.ok_or_else(|| Fault::data("an environment without its account"))?;
    let mut number = None;
    if draft.terms == Terms::Customer {
        check_account(&account, draft, explanation)?;
        number = check_sender(tx, desk, draft, explanation)?;
        check_country(&account, draft, explanation)?;
    }
    check_recipient(tx, desk, draft, explanation)?;
    Ok(Checked { account, number })
}

fn queue_in(
    tx: &mut Tx,
    desk: &Desk,
    draft: &Draft,
    cut: &Cut,
    account: &Account,
    mut explanation: Explanation,
) -> Result<Message> {
    let mut message = compose(desk, account, draft, cut, &mut explanation)?;
    if message.price.micros > 0 {
        spending::check(tx, desk, message.price.micros)?;
        hold(tx, desk, &mut message)?;
        explanation.note("the wallet holds the price", message.price.to_string(), true);
    }
    enqueue(tx, desk, &message)?;
    explanation.subject = message.id.to_string();
    desk.explain(tx, &explanation.concluding(format!("queued in {} segments for {}", message.parts, message.price)))?;
    Ok(message)
}

/// A message with media goes through the carrier of the number, which must have a service for them.
fn check_carrier(carriers: &Carriers, draft: &Draft, checked: &Checked, explanation: &mut Explanation) -> Result<()> {
    let Some(number) = checked.number.as_ref().filter(|_| draft.channel() == Channel::Mms) else { return Ok(()) };
    let offered = carriers.offers_mms(&number.carrier)?;
    if explanation.note("the number's carrier takes messages with media", number.carrier.clone(), offered) {
        Ok(())
    } else {
        Err(Error::mms_not_offered(number.phone.to_string()))
    }
}

fn check_account(account: &Account, draft: &Draft, explanation: &mut Explanation) -> Result<()> {
    let (on, service) = match draft.channel() {
        Channel::Sms => (account.sms_enabled, "SMS"),
        Channel::Mms => (account.mms_enabled, "MMS"),
    };
    let on = explanation.note(format!("{service} is enabled on the account"), on.to_string(), on);
    if on { Ok(()) } else { Err(Error::operation_not_allowed(format!("{service} is not enabled on your account"))) }
}

fn check_sender(tx: &mut Tx, desk: &Desk, draft: &Draft, explanation: &mut Explanation) -> Result<Option<Number>> {
    let Some(phone) = draft.from.number() else { return check_name(draft, explanation).map(|()| None) };
    let from = phone.to_string();
    let number = numbers::by_phone(tx, desk.settings.id, phone)?;
    let number = number.ok_or_else(|| Error::sender_not_owned("from", from.clone()))?;
    match number.state {
        NumberState::Active => {}
        NumberState::Suspended { .. } => return Err(Error::sender_suspended(from)),
        NumberState::Porting { .. } | NumberState::PortingOut => return Err(Error::number_porting(from)),
        NumberState::Released { .. } => return Err(Error::sender_not_owned("from", from)),
    }
    explanation.note("the sender is an active number of the account", from.clone(), true);
    let (feature, service) = match draft.channel() {
        Channel::Sms => (Features::SMS, "SMS"),
        Channel::Mms => (Features::MMS, "MMS"),
    };
    let can =
        explanation.note(format!("the number can send {service}"), number.features.to_string(), number.features.contains(feature));
    if can { Ok(Some(number)) } else { Err(Error::sender_lacks_feature(from, service)) }
}

/// A name instead of a number: networks of the North American plan carry none, and nobody can own a short code here.
fn check_name(draft: &Draft, explanation: &mut Explanation) -> Result<()> {
    if draft.from.is_short_code() {
        return Err(Error::sender_not_owned("from", draft.from.to_string()));
    }
    let north_american = draft.to.to_string().starts_with("+1");
    let allowed = !north_american && draft.channel() == Channel::Sms;
    let allowed = explanation.note("the destination takes messages from names", draft.to.to_string(), allowed);
    if allowed { Ok(()) } else { Err(Error::sender_name_not_allowed("from", draft.to.to_string())) }
}

fn check_country(account: &Account, draft: &Draft, explanation: &mut Explanation) -> Result<()> {
    if account.message_countries.is_empty() {
        return Ok(());
    }
    let country = draft.to.country();
    let name = country.map_or_else(|| "no country that is known".to_owned(), |country| country.to_string());
    let allowed = country.is_some_and(|country| account.message_countries.contains(&country));
    let compared = format!("{name}, {} countries are on the list", account.message_countries.len());
    if explanation.note("the recipient's country is on the account's list", compared, allowed) {
        Ok(())
    } else {
        Err(Error::destination_not_allowed(name))
    }
}

fn check_recipient(tx: &mut Tx, desk: &Desk, draft: &Draft, explanation: &mut Explanation) -> Result<()> {
    if draft.terms == Terms::Reply {
        return Ok(());
    }
    let opted_out = optouts::find(tx, desk.settings.id, &draft.from, draft.to)?;
    let compared = opted_out.as_ref().map_or_else(String::new, |found| format!("'{}' at {}", found.source, found.created_at));
    if explanation.note("the recipient wants messages from this sender", compared, opted_out.is_none()) {
        Ok(())
    } else {
        Err(Error::recipient_opted_out(draft.to.to_string(), draft.from.to_string()))
    }
}

fn compose(desk: &Desk, account: &Account, draft: &Draft, cut: &Cut, explanation: &mut Explanation) -> Result<Message> {
    explain_encoding(draft, cut, explanation);
    let rate = rates::of(draft.to);
    let parts = u8::try_from(cut.parts.len()).map_err(|_| Error::internal())?;
    let price = match (draft.terms, draft.channel()) {
        (Terms::Platform | Terms::Reply, _) => 0,
        (Terms::Priced(price), _) => price,
        (Terms::Customer, Channel::Sms) => rate.sms * i64::from(parts),
        (Terms::Customer, Channel::Mms) => rate.mms,
    };
    let price = Money::new(price, account.currency);
    if draft.terms == Terms::Customer {
        let place = draft.to.country().map_or_else(|| "an unknown country".to_owned(), |country: Country| country.to_string());
        let each = Money::new(rate.sms, account.currency);
        explanation.note(
            format!("the longest listed beginning of the recipient's number is '{}'", rate.prefix),
            format!("{} in {place}: {each} a segment, MMS {}", draft.to, Money::new(rate.mms, account.currency)),
            true,
        );
    }
    let sealed = draft.shown_body.as_ref().map(|_| desk.pen.vault.seal(draft.body.as_bytes())).transpose()?;
    Ok(Message {
        id: desk.id(MessageId::new),
        environment: desk.settings.id,
        direction: Direction::Outbound,
        channel: draft.channel(),
        state: MessageState::Queued,
        from: draft.from.clone(),
        to: draft.to,
        body: draft.shown_body.clone().unwrap_or_else(|| draft.body.clone()),
        sealed,
        media: draft.media.clone(),
        encoding: cut.encoding,
        parts,
        price,
        hold: None,
        smsc: None,
        failure: None,
        created_at: desk.now,
        sent_at: None,
        completed_at: None,
        expires_at: deadline(desk.now, draft.validity.unwrap_or(USUAL_VALIDITY)),
    })
}

fn explain_encoding(draft: &Draft, cut: &Cut, explanation: &mut Explanation) {
    let (alone, each) = cut.encoding.limits();
    let units: usize = cut.parts.iter().map(|part| part.len() / cut.encoding.width()).sum();
    // A sealed text is not to be told by its letters.
    let obstacle = Encoding::obstacle(&draft.body).filter(|_| draft.shown_body.is_none());
    let why = match (cut.encoding, obstacle) {
        (Encoding::Ucs2, Some(c)) => format!("'{c}' (U+{:04X}) is not in GSM 03.38", u32::from(c)),
        (encoding, _) => encoding.as_str().to_owned(),
    };
    explanation.note("GSM 03.38 can write the text", why, cut.encoding == Encoding::Gsm);
    let compared = format!("{units} units; {alone} fit alone, {each} in each of several segments: {} segments", cut.parts.len());
    explanation.note("the text fits into one segment", compared, cut.parts.len() == 1);
}

fn hold(tx: &mut Tx, desk: &Desk, message: &mut Message) -> Result<()> {
    let cause = cause(message, "hold", format!("{} to {}: set aside", name(message), message.to));
    message.hold = Some(cause.id);
    // Its own due work settles it; the hold is only to outlive that.
    let posting = Posting::Hold(message.price.micros, message.expires_at.plus_days(1));
    ledger::post(tx, desk.settings.id, vec![(posting, cause)], desk.now).map(drop)
}

fn enqueue(tx: &mut Tx, desk: &Desk, message: &Message) -> Result<()> {
    messages::insert(tx, message)?;
    match message.channel {
        Channel::Sms => {
            let place = outbox::Place { message: message.id, environment: message.environment, recipient: message.to };
            outbox::add(tx, &place, desk.settings.kind)?;
        }
        Channel::Mms => desk.schedule(tx, MMS_JOB, *message.id.as_bytes(), 0, desk.now)?,
    }
    desk.schedule(tx, EXPIRY_JOB, *desk.settings.id.as_bytes(), message.expires_at.micros(), message.expires_at)?;
    desk.event(tx, &message.id.to_string(), EventKind::MessageQueued, &data(message))
}
