//! What comes in and is handed on: as a text message in one unit of work, as an e-mail by a queue with retries.

use std::sync::{Arc, PoisonError, RwLock};

use tandem_catalogue::{Error, Result};
use tandem_domain::{
    Explanation,
    message::{Message, Sender},
};
use tandem_kernel::{JobId, MessageId, PhoneNumber};
use tandem_store::{
    Tx,
    repo::{
        jobs::{self, Job},
        messages, numbers,
    },
};

use super::send::{Draft, Origin, Terms, send_in};
use crate::{
    App,
    app::Desk,
    due::Done,
    mail::{Mail, MailFault, Mailer},
};

/// The due work that hands a message on as a text message. Its subject is the message that came in.
pub const FORWARD_SMS_JOB: &str = "message.forward_sms";
/// The due work that hands a message on as an e-mail. Its subject is the message that came in.
pub const FORWARD_EMAIL_JOB: &str = "message.forward_email";

/// Days for which an e-mail is tried again that the relay did not take.
const EMAIL_DAYS: i64 = 3;
/// Seconds after which another process takes an e-mail up whose sender has died.
const EMAIL_TURN: i64 = 120;

/// Numbers over which a message may be handed on from one to the next.
const MOST_HOPS: usize = 8;

/// What sends e-mails, once whoever ties the parts together has said so.
#[derive(Default)]
pub struct PostOffice(RwLock<Option<Arc<dyn Mailer>>>);

impl PostOffice {
    /// From now on this sends.
    pub fn set(&self, mailer: Arc<dyn Mailer>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(mailer);
    }

    fn get(&self) -> Option<Arc<dyn Mailer>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Sees to it that a message that came in is handed on where that is wanted, once each.
pub(super) fn schedule(tx: &mut Tx, desk: &Desk, message: &Message) -> Result<()> {
    let forward = &message.options.forward;
    for (kind, wanted) in [(FORWARD_SMS_JOB, forward.to_sms.is_some()), (FORWARD_EMAIL_JOB, forward.to_email.is_some())] {
        if wanted {
            desk.schedule(tx, kind, *message.id.as_bytes(), 0, desk.now)?;
        }
    }
    Ok(())
}

/// Due work: hands a message on as a text message. What keeps it from being sent is kept with the message that came in.
///
/// # Errors
/// Faults of the store; the work is then tried again.
pub fn forward_sms(tx: &mut Tx, desk: &Desk, id: MessageId) -> Result<Done> {
    let Some(message) = messages::get(tx, desk.settings.id, id)? else { return Ok(Done::Finished) };
    let Some(to) = message.options.forward.to_sms else { return Ok(Done::Finished) };
    let mut why = Explanation::of("forward", id.to_string());
    if let Some(way) = way_back(tx, desk, message.to, to)? {
        why.note("the message does not come back to the number that it came in for", way, false);
        desk.explain(tx, &why.concluding("it was not handed on as a text message"))?;
        return Ok(Done::Finished);
    }
    let outcome = match send_in(tx, desk, draft(&message, to, &mut why)) {
        Ok(sent) => format!("handed on to {to} from {} as {} for {}", sent.from, sent.id, sent.price),
        Err(error) if is_fault(&error) => return Err(error),
        Err(error) => {
            let reason = error.render(tandem_catalogue::Dialect::Native).message;
            why.note("it may be sent", reason.clone(), false);
            tracing::info!(%id, %to, reason, "a message that came in was not handed on");
            format!("it was not handed on to {to}: {reason}")
        }
    };
    desk.explain(tx, &why.concluding(outcome))?;
    Ok(Done::Finished)
}

/// The way on which a message that is handed on to `to` would come back to `here`, if it would. Networks do not tell how often a message was
/// handed on, so numbers of other accounts are looked at, too.
fn way_back(tx: &mut Tx, desk: &Desk, here: PhoneNumber, to: PhoneNumber) -> Result<Option<String>> {
    let (mut next, mut way) = (to, to.to_string());
    for _ in 0..MOST_HOPS {
        if next == here {
            return Ok(Some(way));
        }
        let number = numbers::of_kind(tx, desk.settings.kind, next)?;
        let Some(onward) = number.and_then(|number| number.config.sms_forwarding.sms_to) else { return Ok(None) };
        next = onward;
        way = format!("{way}, {next}");
    }
    Ok(Some(format!("{way}, and so on")))
}

fn draft(message: &Message, to: PhoneNumber, why: &mut Explanation) -> Draft {
    let named = message.options.forward.from_sms.clone();
    // A number that is named must be the account's own, as where it writes by itself.
    let own = matches!(named, Some(Sender::Number(_)));
    let from = named.unwrap_or_else(|| message.from.clone());
    // Networks of +1 carry no names: there it comes from the number that was written to.
    let fits = !matches!(from, Sender::Name(_)) || !to.to_string().starts_with("+1");
    let from = if why.note("the destination takes messages from this sender", from.to_string(), fits) {
        from
    } else {
        Sender::Number(message.to)
    };
    let property = Some(message.property);
    let terms = if own { Terms::Customer } else { Terms::Forward };
    Draft { terms, property, ..Draft::text(Origin::Sender(from), to, message.body.clone()) }
}

/// Whether an error is the platform's own, and may be gone the next time.
fn is_fault(error: &Error) -> bool {
    error.render(tandem_catalogue::Dialect::Native).status >= 500
}

/// Due work: hands a message on as an e-mail. Its id is the same each time, so that one which is sent again after a crash is known.
///
/// # Errors
/// A relay that does not take it now; the work is then tried again after a growing pause.
pub async fn forward_email(app: &App, job: &Job) -> Result<Done> {
    let (message, mail) = match begin(app, job).await? {
        Begun::Taken(message, mail) => (message, mail),
        Begun::Nothing => return Ok(Done::Finished),
        Begun::Elsewhere => return Ok(Done::Left),
    };
    let Some(mailer) = app.post_office.get() else {
        tracing::warn!(id = %message.id, "an e-mail cannot be sent: no relay is configured (mail.smtp)");
        return conclude(app, &message, "an e-mail relay is configured", "none is", false).await;
    };
    match mailer.send(&mail).await {
        Ok(said) => conclude(app, &message, "the relay takes the e-mail", &said, true).await,
        Err(MailFault::Refused(said)) => {
            tracing::warn!(id = %message.id, said, "the e-mail relay refused an e-mail");
            conclude(app, &message, "the relay takes the e-mail", &said, false).await
        }
        Err(MailFault::Unreachable(said)) => {
            let environment = app.directory.environment(message.environment).await?;
            let now = environment.settings.clock.at(app.machine_now());
            if now > message.created_at.plus_days(EMAIL_DAYS) {
                tracing::warn!(id = %message.id, said, "an e-mail was given up");
                return conclude(app, &message, "the relay takes the e-mail within three days", &said, false).await;
            }
            Err(Error::bad_gateway("mail").because(said))
        }
    }
}

enum Begun {
    Taken(Box<Message>, Mail),
    /// There is nothing to hand on.
    Nothing,
    /// Somebody else has it in hand, or it was put off.
    Elsewhere,
}

/// Takes the e-mail in hand: the job is due again only when this process should have died.
async fn begin(app: &App, job: &Job) -> Result<Begun> {
    let (pen, id, environment) = (app.pen(), job.id, job.environment);
    let message = MessageId::from_bytes(job.subject);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, environment)?;
        if !take(tx, &desk, id)? {
            return Ok(Begun::Elsewhere);
        }
        let Some(message) = messages::get(tx, environment, message)? else { return Ok(Begun::Nothing) };
        let forward = message.options.forward.clone();
        let Some(to) = forward.to_email else { return Ok(Begun::Nothing) };
        let mail = Mail {
            id: message.id.to_string(),
            from: forward.from_email,
            to,
            subject: format!("SMS from {} to {}", message.from, message.to),
            text: message.body.clone(),
        };
        Ok(Begun::Taken(Box::new(message), mail))
    };
    app.store.write(work).await
}

fn take(tx: &mut Tx, desk: &Desk, id: JobId) -> Result<bool> {
    let Some(job) = jobs::claim(tx, id)?.filter(|job| job.due_at <= desk.now) else { return Ok(false) };
    let until = desk.now.plus_seconds(EMAIL_TURN);
    jobs::postpone(tx, job.id, until, desk.settings.clock.wake_at(until), false)?;
    Ok(true)
}

/// Keeps with the message what became of it.
async fn conclude(app: &App, message: &Message, rule: &'static str, said: &str, sent: bool) -> Result<Done> {
    let (pen, message, said) = (app.pen(), message.clone(), said.to_owned());
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, message.environment)?;
        let mut why = Explanation::of("forward", message.id.to_string());
        why.note(rule, said.clone(), sent);
        let to = message.options.forward.to_email.as_deref().unwrap_or_default();
        let outcome =
            if sent { format!("handed on to {to} as an e-mail") } else { format!("it was not handed on to {to} as an e-mail") };
        desk.explain(tx, &why.concluding(outcome))
    };
    app.store.write(work).await?;
    Ok(Done::Finished)
}
