//! Messages with media: fetched, checked, and handed to the carrier of the number that they come from.

use std::sync::{Arc, PoisonError, RwLock};

use tandem_catalogue::{Error, Result};
use tandem_domain::message::{Failure, Message, MessageState, media};
use tandem_kernel::{JobId, MessageId, PhoneNumber};
use tandem_store::{
    Tx,
    repo::{
        jobs::{self, Job},
        messages, numbers,
    },
};

use super::{gateway::Lost, life::Changes};
use crate::{
    App,
    app::Desk,
    carrier::{Mms, MmsAnswer},
    due::Done,
    fetch::{Fetch, FetchFault, Fetched},
};

/// The due work that brings a message with media forward.
pub const MMS_JOB: &str = "message.mms";

/// What fetches media, once whoever ties the parts together has said so.
#[derive(Default)]
pub struct Fetcher(RwLock<Option<Arc<dyn Fetch>>>);

impl Fetcher {
    /// From now on this fetches.
    pub fn set(&self, fetch: Arc<dyn Fetch>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(fetch);
    }

    pub(crate) fn get(&self) -> Option<Arc<dyn Fetch>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Seconds after which another process takes a message up whose sender has died: longer than all its media and its carrier may take.
const TURN: i64 = 600;

/// Seconds after a message was queued for which media that cannot be reached are tried again.
const FETCHED_WITHIN: i64 = 600;

/// Due work: fetches a message's media and hands it to its carrier. A carrier or a place that does not answer is asked again.
///
/// # Errors
/// The carrier's faults, places that cannot be reached, and faults of the store; the work is then tried again later.
pub async fn deliver_mms(app: &App, job: &Job) -> Result<Done> {
    let id = MessageId::from_bytes(job.subject);
    let (message, carrier) = match begin(app, job.id, id).await? {
        Begun::Taken(message, carrier) => (message, carrier),
        Begun::Over => return Ok(Done::Finished),
        Begun::Elsewhere => return Ok(Done::Left),
    };
    let (Some(from), Some(carrier)) = (message.from.number(), carrier) else {
        return refuse(app, id, "sender_gone", "the number that it comes from was given back").await;
    };
    let fetched = match fetch_all(app, &message).await {
        Ok(fetched) => fetched,
        Err(Unfetched::Refused(reason)) => return refuse(app, id, "media_refused", &reason).await,
        Err(Unfetched::Unreachable(reason)) => return unreachable(app, &message, reason).await,
    };
    hand_over(app, &message, from, &carrier, &fetched).await
}

enum Begun {
    /// The message, and the carrier of the number that it comes from.
    Taken(Box<Message>, Option<String>),
    /// There is nothing more to do.
    Over,
    /// Somebody else has it in hand, or it was put off.
    Elsewhere,
}

/// Takes the message in hand: nobody gives it up while its carrier is asked, and the job is due again only when this process should have
/// died.
async fn begin(app: &App, job: JobId, id: MessageId) -> Result<Begun> {
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let Some((environment, _)) = messages::environments_of(tx, &[id])?.into_iter().next() else { return Ok(Begun::Over) };
        let desk = pen.open(tx, environment)?;
        let Some(job) = jobs::claim(tx, job)?.filter(|job| job.due_at <= desk.now) else { return Ok(Begun::Elsewhere) };
        let Some(message) = messages::get(tx, environment, id)? else { return Ok(Begun::Over) };
        if !matches!(message.state, MessageState::Queued | MessageState::Sending) {
            return Ok(Begun::Over);
        }
        if message.state == MessageState::Sending && message.expires_at <= desk.now {
            give_up(tx, &desk, message)?;
            return Ok(Begun::Over);
        }
        let until = desk.now.plus_seconds(TURN);
        jobs::postpone(tx, job.id, until, desk.settings.clock.wake_at(until), false)?;
        messages::set_sending(tx, &[id])?;
        let number = match message.from.number() {
            Some(from) => numbers::by_phone(tx, environment, from)?,
            None => None,
        };
        Ok(Begun::Taken(Box::new(message), number.map(|number| number.carrier)))
    };
    let begun = app.store.write(work).await?;
    app.mailbox.ring(); // for one that was given up
    Ok(begun)
}

/// Ends a message whose carrier may have it, but never said so.
fn give_up(tx: &mut Tx, desk: &Desk, message: Message) -> Result<()> {
    let reason = "it may have been submitted, but its carrier did not answer in time".to_owned();
    let failure = Failure { code: Lost::NoAnswer.as_str().to_owned(), reason };
    let mut changes = Changes::default();
    changes.step(desk, message, &[MessageState::Expired], Some(failure));
    changes.write(tx, desk)
}

enum Unfetched {
    Refused(String),
    Unreachable(String),
}

async fn fetch_all(app: &App, message: &Message) -> Result<Vec<Fetched>, Unfetched> {
    let fetch = app.fetcher.get().ok_or_else(|| Unfetched::Unreachable("nothing here fetches media".to_owned()))?;
    let (mut all, mut size) = (Vec::new(), 0);
    for url in &message.media {
        let fetched = fetch.get(url, media::MOST_BYTES - size).await.map_err(|fault| {
            let said = format!("{url}: {fault}");
            match fault {
                FetchFault::Refused(_) | FetchFault::TooLarge | FetchFault::Status(400..=499) => Unfetched::Refused(said),
                FetchFault::Unreachable(_) | FetchFault::Status(_) => Unfetched::Unreachable(said),
            }
        })?;
        let checked = media::check(&fetched.media_type, fetched.content.len(), size);
        checked.map_err(|fault| Unfetched::Refused(format!("{url}: {fault}")))?;
        size += fetched.content.len();
        all.push(fetched);
    }
    Ok(all)
}

async fn unreachable(app: &App, message: &Message, reason: String) -> Result<Done> {
    let environment = app.directory.environment(message.environment).await?;
    let now = environment.settings.clock.at(app.machine_now());
    if now > message.created_at.plus_seconds(FETCHED_WITHIN) {
        return refuse(app, message.id, "media_unreachable", &reason).await;
    }
    settle(app, message.id, Vec::new(), None).await?;
    Err(Error::bad_gateway("media").because(reason)) // due work that fails is tried again after a growing pause
}

async fn hand_over(app: &App, message: &Message, from: PhoneNumber, carrier: &str, fetched: &[Fetched]) -> Result<Done> {
    let guarded = app.carriers.guarded(carrier, message.environment, app.machine_now())?;
    let mms = Mms { id: message.id, from, to: message.to, text: &message.body, media: fetched };
    match guarded.send_mms(&mms).await {
        Ok(MmsAnswer::Accepted) => settle(app, message.id, vec![MessageState::Sent], None).await?,
        Ok(MmsAnswer::Delivered) => settle(app, message.id, vec![MessageState::Sent, MessageState::Delivered], None).await?,
        Ok(MmsAnswer::Refused { reason }) => return refuse(app, message.id, "carrier_refused", &reason).await,
        Err(mishap) => {
            if !mishap.uncertain {
                settle(app, message.id, Vec::new(), None).await?;
            }
            return Err(mishap.error);
        }
    }
    Ok(Done::Finished)
}

async fn refuse(app: &App, id: MessageId, code: &str, reason: &str) -> Result<Done> {
    let failure = Failure { code: code.to_owned(), reason: reason.to_owned() };
    settle(app, id, vec![MessageState::Failed], Some(failure)).await?;
    Ok(Done::Finished)
}

/// Notes these steps of a message, or that it waits again where there are none.
async fn settle(app: &App, id: MessageId, steps: Vec<MessageState>, failure: Option<Failure>) -> Result<()> {
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let Some((environment, _)) = messages::environments_of(tx, &[id])?.into_iter().next() else { return Ok(()) };
        let desk = pen.open(tx, environment)?;
        let Some(mut message) = messages::get(tx, environment, id)?.filter(|message| message.state == MessageState::Sending) else {
            return Ok(()); // another process was quicker
        };
        if steps.is_empty() {
            message.state = MessageState::Queued;
            return messages::update(tx, &[message]);
        }
        let mut changes = Changes::default();
        changes.step(&desk, message, &steps, failure.clone());
        changes.write(tx, &desk)
    };
    app.store.write(work).await?;
    app.mailbox.ring();
    Ok(())
}
