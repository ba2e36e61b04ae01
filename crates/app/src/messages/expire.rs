//! Giving up messages whose time is up.

use tandem_catalogue::Result;
use tandem_domain::message::{Channel, Failure, MessageState};
use tandem_store::{
    Tx,
    repo::{messages, outbox},
};

use super::life::{Changes, NO_RECEIPT};
use crate::{app::Desk, due::Done};

/// The due work that gives up an environment's messages at one of their deadlines. Its subject is the environment, its step the
/// deadline: all messages of one deadline share it.
pub const EXPIRY_JOB: &str = "message.expire";

/// Messages that are given up in one unit of work.
const BATCH: i64 = 500;
/// Seconds after which messages are looked at again whose answer is still outstanding.
const LOOK_AGAIN: i64 = 60;

/// Due work: gives up what is too old. What waits is not sent any more and costs nothing; what was sent has cost what it cost.
///
/// # Errors
/// Faults of the store.
pub fn expire(tx: &mut Tx, desk: &Desk) -> Result<Done> {
    let overdue = messages::overdue(tx, desk.settings.id, desk.now, BATCH)?;
    let free = outbox::withdraw(tx, &overdue)?;
    let mut changes = Changes::default();
    for message in messages::of_ids(tx, &overdue)? {
        let reason = match message.state {
            MessageState::Queued if message.channel == Channel::Mms || free.contains(&message.id) => "nobody took it in time",
            MessageState::Sent => NO_RECEIPT,
            _ => continue, // somebody took it meanwhile
        };
        let failure = Failure { code: "expired".into(), reason: reason.into() };
        changes.step(desk, message, &[MessageState::Expired], Some(failure));
    }
    changes.write(tx, desk)?;
    let full = i64::try_from(overdue.len()).unwrap_or(BATCH) >= BATCH;
    Ok(if full {
        Done::Again(desk.now)
    } else if messages::overdue_sending(tx, desk.settings.id, desk.now)? {
        Done::Again(desk.now.plus_seconds(LOOK_AGAIN))
    } else {
        Done::Finished
    })
}
