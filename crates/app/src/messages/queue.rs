//! From drafts to messages in the queue: decided one after the other in memory, written together.

use tandem_catalogue::{Error, Result};
use tandem_domain::{
    Explanation,
    event::EventKind,
    message::{
        Channel, Direction, Encoding, Message, MessageState, Options, Sender, USUAL_VALIDITY, deadline,
        pool::LEASE_DAYS,
        rates,
        segment::{self, Cut},
    },
};
use tandem_kernel::{Country, MessageId, Money, Timestamp};
use tandem_ledger::{Cause, Posting, Wallet};
use tandem_store::{
    Tx,
    repo::{
        leases::{self, Lease},
        ledger, messages, outbox,
    },
};

use super::{
    check::{Checked, Known, Subject},
    expire::EXPIRY_JOB,
    life::{cause, data, name},
    mms::MMS_JOB,
    schedule::{LEASE_JOB, SCHEDULE_JOB},
    send::{Draft, Terms, explanation},
};
use crate::{app::Desk, carrier::Carriers, spending::Budget};

/// Queues messages in one unit of work; what is wrong with one is its own outcome, and nothing of it is written.
pub(super) fn queue_many(tx: &mut Tx, desk: &Desk, carriers: Option<&Carriers>, drafts: &[Draft]) -> Result<Vec<Result<Message>>> {
    let subjects: Vec<Subject> = drafts.iter().map(subject).collect();
    let mut known = Known::read(tx, desk, &subjects)?;
    let mut queued = Queued::open(tx, desk, drafts)?;
    let outcomes = drafts.iter().map(|draft| queued.add(desk, carriers, &mut known, draft)).collect();
    queued.write(tx, desk)?;
    Ok(outcomes)
}

fn subject(draft: &Draft) -> Subject<'_> {
    Subject {
        from: &draft.from,
        to: draft.to,
        channel: draft.channel(),
        terms: draft.terms,
        property: draft.property,
        forward_from: draft.options.forward.from_sms.as_ref().and_then(Sender::number),
    }
}

/// What is to be written, and the money that is left for more.
struct Queued {
    purse: Option<(Wallet, Budget)>,
    messages: Vec<Message>,
    postings: Vec<(Posting, Cause)>,
    leases: Vec<Lease>,
    explanations: Vec<Explanation>,
}

impl Queued {
    fn open(tx: &mut Tx, desk: &Desk, drafts: &[Draft]) -> Result<Self> {
        let priced = drafts.iter().any(|draft| !matches!(draft.terms, Terms::Platform | Terms::Reply));
        let purse = match priced {
            true => Some((ledger::wallet(tx, desk.settings.id)?, Budget::open(tx, desk)?)),
            false => None,
        };
        Ok(Self { purse, messages: Vec::new(), postings: Vec::new(), leases: Vec::new(), explanations: Vec::new() })
    }

    fn add(&mut self, desk: &Desk, carriers: Option<&Carriers>, known: &mut Known, draft: &Draft) -> Result<Message> {
        let cut = segment::cut(&draft.body)?;
        let mut why = explanation();
        let checked = known.check(subject(draft), carriers, &mut why)?;
        let mut message = compose(desk, known, draft, &checked, &cut, &mut why)?;
        if message.price.micros > 0 {
            self.hold(desk, &mut message)?;
            why.note("the wallet holds the price", message.price.to_string(), true);
        }
        // From here on it must succeed: nothing is taken back.
        if let (true, Some(number)) = (checked.leased, message.from.number()) {
            let expires_at = message.scheduled_at.unwrap_or(desk.now).max(desk.now).plus_days(LEASE_DAYS);
            let lease = Lease { recipient: message.to, number, environment: message.environment, message: message.id, expires_at };
            known.lent(lease);
            self.leases.push(lease);
        }
        why.subject = message.id.to_string();
        let when = match (message.state, message.scheduled_at) {
            (MessageState::Scheduled, Some(at)) => format!("scheduled for {at}"),
            _ => "queued".to_owned(),
        };
        self.explanations.push(why.concluding(format!("{when} in {} segments for {}", message.parts, message.price)));
        self.messages.push(message.clone());
        Ok(message)
    }

    fn hold(&mut self, desk: &Desk, message: &mut Message) -> Result<()> {
        let (wallet, budget) = self.purse.as_mut().ok_or_else(Error::internal)?;
        budget.check(message.price.micros)?;
        let cause = cause(message, "hold", format!("{} to {}: set aside", name(message), message.to));
        // Its own due work settles it; the hold is only to outlive that.
        let posting = Posting::Hold(message.price.micros, message.expires_at.plus_days(1));
        let (after, _) = wallet.post(posting, None, cause.clone(), desk.now)?;
        *wallet = after;
        budget.take(message.price.micros);
        message.hold = Some(cause.id);
        self.postings.push((posting, cause));
        Ok(())
    }

    fn write(self, tx: &mut Tx, desk: &Desk) -> Result<()> {
        if self.messages.is_empty() {
            return Ok(());
        }
        if !self.postings.is_empty() {
            ledger::post(tx, desk.settings.id, self.postings, desk.now)?;
        }
        if let Some((_, budget)) = self.purse {
            budget.close(tx, desk)?;
        }
        lend(tx, desk, &self.leases)?;
        messages::insert_many(tx, &self.messages)?;
        enqueue(tx, desk, &self.messages)?;
        let events = self.messages.iter().map(|message| (message.id.to_string(), event_of(message), data(message)));
        desk.events(tx, events.collect())?;
        desk.explain_many(tx, &self.explanations)
    }
}

const fn event_of(message: &Message) -> EventKind {
    match message.state {
        MessageState::Scheduled => EventKind::MessageScheduled,
        _ => EventKind::MessageQueued,
    }
}

/// Notes which numbers are lent. Another environment that was quicker for the same recipient has this one begin anew.
fn lend(tx: &mut Tx, desk: &Desk, lent: &[Lease]) -> Result<()> {
    let added = leases::add(tx, desk.settings.kind, lent)?;
    if usize::try_from(added) != Ok(lent.len()) {
        return Err(tx.overtaken("leased sender"));
    }
    let ends = distinct(lent.iter().map(|lease| lease.expires_at));
    desk.schedule_many(tx, LEASE_JOB, &of_environment(desk, &ends))
}

/// Puts messages where whoever sends them finds them, now or when their time comes, and sees to it that they are given up in the end.
fn enqueue(tx: &mut Tx, desk: &Desk, queued: &[Message]) -> Result<()> {
    line_up(tx, desk, queued)?;
    let waiting = queued.iter().filter(|message| message.state == MessageState::Scheduled);
    let starts = distinct(waiting.filter_map(|message| message.scheduled_at));
    desk.schedule_many(tx, SCHEDULE_JOB, &of_environment(desk, &starts))?;
    let ends = distinct(queued.iter().map(|message| message.expires_at));
    desk.schedule_many(tx, EXPIRY_JOB, &of_environment(desk, &ends))
}

/// Puts those whose time has come into line.
pub(super) fn line_up(tx: &mut Tx, desk: &Desk, queued: &[Message]) -> Result<()> {
    let ready = || queued.iter().filter(|message| message.state == MessageState::Queued);
    let places = ready().filter(|message| message.channel == Channel::Sms).map(|message| outbox::Place {
        message: message.id,
        environment: message.environment,
        recipient: message.to,
    });
    outbox::add(tx, &places.collect::<Vec<_>>(), desk.settings.kind)?;
    let media = ready().filter(|message| message.channel == Channel::Mms);
    desk.schedule_many(tx, MMS_JOB, &media.map(|message| (*message.id.as_bytes(), 0, desk.now)).collect::<Vec<_>>())
}

fn distinct(times: impl Iterator<Item = Timestamp>) -> Vec<Timestamp> {
    let mut times: Vec<Timestamp> = times.collect();
    times.sort_unstable();
    times.dedup();
    times
}

/// Due work that all of an environment's messages of one instant share.
fn of_environment(desk: &Desk, times: &[Timestamp]) -> Vec<([u8; 16], i64, Timestamp)> {
    times.iter().map(|at| (*desk.settings.id.as_bytes(), at.micros(), *at)).collect()
}

fn compose(
    desk: &Desk,
    known: &Known,
    draft: &Draft,
    checked: &Checked,
    cut: &Cut,
    explanation: &mut Explanation,
) -> Result<Message> {
    explain_encoding(draft, cut, explanation);
    let parts = u8::try_from(cut.parts.len()).map_err(|_| Error::internal())?;
    let price = price_of(known, draft, parts, explanation);
    let sealed = draft.shown_body.as_ref().map(|_| desk.pen.vault.seal(draft.body.as_bytes())).transpose()?;
    let later = draft.scheduled_at.filter(|at| *at > desk.now);
    Ok(Message {
        id: desk.id(MessageId::new),
        environment: desk.settings.id,
        property: checked.property,
        direction: Direction::Outbound,
        channel: draft.channel(),
        state: if later.is_some() { MessageState::Scheduled } else { MessageState::Queued },
        from: checked.from.clone(),
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
        options: Options { leased: checked.leased, ..draft.options.clone() },
        reply_to: draft.reply_to,
        created_at: desk.now,
        scheduled_at: draft.scheduled_at,
        sent_at: None,
        completed_at: None,
        expires_at: deadline(later.unwrap_or(desk.now), draft.validity.unwrap_or(USUAL_VALIDITY)),
    })
}

fn price_of(known: &Known, draft: &Draft, parts: u8, explanation: &mut Explanation) -> Money {
    let rate = rates::of(draft.to);
    let price = match (draft.terms, draft.channel()) {
        (Terms::Platform | Terms::Reply, _) => 0,
        (Terms::Priced(price), _) => price,
        (Terms::Customer | Terms::Forward, Channel::Sms) => rate.sms * i64::from(parts),
        (Terms::Customer | Terms::Forward, Channel::Mms) => rate.mms,
    };
    let currency = known.account.currency;
    if draft.terms.are_listed() {
        let place = draft.to.country().map_or_else(|| "an unknown country".to_owned(), |country: Country| country.to_string());
        let each = Money::new(rate.sms, currency);
        explanation.note(
            format!("the longest listed beginning of the recipient's number is '{}'", rate.prefix),
            format!("{} in {place}: {each} a segment, MMS {}", draft.to, Money::new(rate.mms, currency)),
            true,
        );
    }
    Money::new(price, currency)
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
