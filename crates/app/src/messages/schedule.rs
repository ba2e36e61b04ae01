//! Due work about messages' times: those that are to be sent later, and senders that are lent for a while.

use tandem_catalogue::Result;
use tandem_domain::message::{Failure, Message, MessageState};
use tandem_store::{
    Tx,
    repo::{leases, messages},
};

use super::{
    check::{Known, Subject},
    life::Changes,
    queue::line_up,
    send::{Origin, Terms, explanation},
};
use crate::{app::Desk, due::Done};

/// The due work that sends an environment's messages of one instant. Its subject is the environment, its step the instant.
pub const SCHEDULE_JOB: &str = "message.schedule";
/// The due work that ends an environment's leases at one instant. Its subject is the environment, its step the instant.
pub const LEASE_JOB: &str = "message.lease";

/// Messages that are sent in one unit of work.
const BATCH: i64 = 500;

/// Due work: puts messages into line whose time has come. One that may not be sent any more has failed, and its price goes back.
///
/// # Errors
/// Faults of the store.
pub fn release(tx: &mut Tx, desk: &Desk) -> Result<Done> {
    let ids = messages::scheduled_until(tx, desk.settings.id, desk.now, BATCH)?;
    let mut due = messages::of_ids(tx, &ids)?;
    due.sort_by_key(|message| (message.scheduled_at, message.id));
    let origins: Vec<Origin> = due.iter().map(|message| Origin::Sender(message.from.clone())).collect();
    let subjects: Vec<Subject> = due.iter().zip(&origins).map(|(message, origin)| subject(message, origin)).collect();
    let known = Known::read(tx, desk, &subjects)?;
    let (mut changes, mut ready) = (Changes::default(), Vec::new());
    let verdicts: Vec<Result<()>> =
        subjects.iter().map(|subject| known.check(*subject, None, &mut explanation()).map(drop)).collect();
    for (message, verdict) in due.iter().zip(verdicts) {
        match verdict {
            Ok(()) => {
                changes.step(desk, message.clone(), &[MessageState::Queued], None);
                ready.push(Message { state: MessageState::Queued, ..message.clone() });
            }
            Err(error) => {
                let reason = error.render(tandem_catalogue::Dialect::Native).message;
                let failure = Failure { code: error.code().name().to_owned(), reason };
                changes.step(desk, message.clone(), &[MessageState::Failed], Some(failure));
            }
        }
    }
    line_up(tx, desk, &ready)?;
    changes.write(tx, desk)?;
    let full = i64::try_from(ids.len()).unwrap_or(BATCH) >= BATCH;
    Ok(if full { Done::Again(desk.now) } else { Done::Finished })
}

/// A message as it was accepted: what was lent to it, it has still.
fn subject<'a>(message: &'a Message, from: &'a Origin) -> Subject<'a> {
    Subject {
        from,
        to: message.to,
        channel: message.channel,
        terms: if message.options.leased { Terms::Forward } else { Terms::Customer },
        property: Some(message.property),
        forward_from: None, // asked again when there is something to hand on
    }
}

/// Due work: ends the leases whose time is over.
///
/// # Errors
/// Faults of the store.
pub fn end_leases(tx: &mut Tx, desk: &Desk) -> Result<Done> {
    leases::end(tx, desk.settings.id, desk.now)?;
    Ok(Done::Finished)
}
