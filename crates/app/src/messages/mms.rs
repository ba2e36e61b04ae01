//! Messages with media: fetched, checked, and handed to the carrier of the number that they come from.

use std::sync::{Arc, PoisonError, RwLock};

use tandem_catalogue::{Error, Result};
use tandem_domain::message::{Failure, Message, MessageState, media};
use tandem_kernel::{MessageId, PhoneNumber};
use tandem_store::{
    Tx,
    repo::{messages, numbers},
};

use super::life::Changes;
use crate::{
    App,
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

    fn get(&self) -> Option<Arc<dyn Fetch>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Seconds after a message was queued for which media that cannot be reached are tried again.
const FETCHED_WITHIN: i64 = 600;

/// Due work: fetches a message's media and hands it to its carrier. A carrier or a place that does not answer is asked again.
///
/// # Errors
/// The carrier's faults, places that cannot be reached, and faults of the store; the work is then tried again later.
pub async fn deliver_mms(app: &App, id: MessageId) -> Result<Done> {
    let Some((message, carrier)) = begin(app, id).await? else { return Ok(Done::Finished) };
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

/// Takes the message in hand: nobody gives it up while its carrier is asked.
async fn begin(app: &App, id: MessageId) -> Result<Option<(Message, Option<String>)>> {
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let Some((environment, _)) = messages::environments_of(tx, &[id])?.into_iter().next() else { return Ok(None) };
        pen.open(tx, environment)?;
        let Some(message) = messages::get(tx, environment, id)? else { return Ok(None) };
        if !matches!(message.state, MessageState::Queued | MessageState::Sending) {
            return Ok(None);
        }
        messages::set_sending(tx, &[id])?;
        let number = match message.from.number() {
            Some(from) => numbers::by_phone(tx, environment, from)?,
            None => None,
        };
        Ok(Some((message, number.map(|number| number.carrier))))
    };
    app.store.write(work).await
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
