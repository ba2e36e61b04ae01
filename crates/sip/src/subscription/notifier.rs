//! The side that tells.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rsipstack::{
    sip::{Headers, Method},
    transaction::transaction::Transaction,
};
use tokio::sync::{mpsc, watch};

use super::{KIND, PACKAGE, Summary, event};
use crate::{
    Binding, OwnerId, Source, auth,
    core::{Core, LegKey, Outcome},
    dialog::{State, sequence},
    message::{self, Answer, Draft, field, list},
    net::Flow,
};

/// Subscriptions that one user may have: the oldest gives way, as of a telephone that lost its power.
const EACH: usize = 10;

/// All subscriptions that hold. There are no more than [`EACH`] for everybody who can prove who it is.
#[derive(Default)]
pub(crate) struct Subscriptions(Mutex<HashMap<LegKey, Held>>);

struct Held {
    owner: OwnerId,
    source: Source,
    since: Instant,
    requests: mpsc::Sender<Transaction>,
    news: watch::Sender<Summary>,
}

impl Subscriptions {
    fn held(&self) -> MutexGuard<'_, HashMap<LegKey, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose a request within a subscription is.
    pub fn of(&self, key: &LegKey) -> Option<mpsc::Sender<Transaction>> {
        self.held().get(key).map(|held| held.requests.clone())
    }

    /// Tells a user's subscriptions; where those are.
    pub fn tell(&self, owner: &OwnerId, summary: &Summary) -> Vec<Source> {
        let held = self.held();
        let own = held.values().filter(|held| held.owner == *owner);
        own.map(|held| {
            held.news.send_if_modified(|told| std::mem::replace(told, summary.clone()) != *summary);
            held.source
        })
        .collect()
    }

    fn put(&self, key: LegKey, one: Held) {
        let mut held = self.held();
        let mut own: Vec<(Instant, LegKey)> =
            held.iter().filter(|(_, held)| held.owner == one.owner).map(|(key, held)| (held.since, key.clone())).collect();
        own.sort_by_key(|(since, _)| *since);
        for (_, key) in own.iter().take((own.len() + 1).saturating_sub(EACH)) {
            held.remove(key);
        }
        held.insert(key, one);
    }
}

/// One subscription.
struct Watcher {
    core: Arc<Core>,
    key: LegKey,
    owner: OwnerId,
    /// What `Event` says: as it was asked, with its id.
    event: String,
    state: State,
    requests: mpsc::Receiver<Transaction>,
    news: watch::Receiver<Summary>,
    until: tokio::time::Instant,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.core.subscriptions.held().remove(&self.key);
    }
}

/// Takes a SUBSCRIBE that belongs to nothing yet.
pub(crate) async fn subscribe(core: &Arc<Core>, mut transaction: Transaction, source: Source) {
    let headers = &transaction.original.headers;
    let Some(event) = event(headers).map(str::to_owned) else {
        return core.answer(transaction, &Answer::of(489).with("Allow-Events", PACKAGE)).await;
    };
    let takes = |kind: &str| matches!(kind.split(';').next().unwrap_or_default().trim(), KIND | "application/*" | "*/*");
    if field(headers, "Accept").is_some() && !list(headers, "Accept").any(takes) {
        return core.answer(transaction, &Answer::of(406)).await;
    }
    let (owner, _) = match auth::authenticate(core, &transaction, source).await {
        Ok(known) => known,
        Err(answer) => return core.answer(transaction, &answer).await,
    };
    let seconds = match asked(core, &transaction.original.headers) {
        Ok(seconds) => seconds,
        Err(answer) => return core.answer(transaction, &answer).await,
    };
    let Some(summary) = core.desk.summary(&owner).await else { return core.answer(transaction, &Answer::of(404)).await };
    let Some(flow) = core.flows.back(source) else { return };
    let (contact, tag) = (core.contact(&flow), message::random(16));
    let Some(state) = State::of_request(&transaction.original, source, flow, contact.clone(), tag.clone()) else {
        return core.answer(transaction, &Answer::of(400)).await;
    };
    let answer = granted(seconds, &contact);
    if transaction.respond(message::response(&core.endpoint, &transaction.original, &answer, &tag)).await.is_err() {
        return;
    }
    let key = LegKey { call_id: state.id.call_id.clone(), local_tag: tag };
    let ((ask, requests), (news, told)) = (mpsc::channel(16), watch::channel(summary));
    let until = tokio::time::Instant::now() + Duration::from_secs(seconds.into());
    let held = Held { owner: owner.clone(), source, since: Instant::now(), requests: ask, news };
    core.subscriptions.put(key.clone(), held);
    let watcher = Watcher { core: Arc::clone(core), key, owner, event, state, requests, news: told, until };
    tokio::spawn(watcher.run(seconds));
}

/// For how many seconds, or what a wish that is too short is answered with.
fn asked(core: &Core, headers: &Headers) -> Result<u32, Answer> {
    let config = &core.config.registrar;
    let seconds = field(headers, "Expires").map_or(config.usual, |value| value.parse().unwrap_or(config.usual));
    if seconds > 0 && seconds < config.least {
        return Err(Answer::of(423).with("Min-Expires", config.least.to_string()));
    }
    Ok(seconds.min(config.most))
}

fn granted(seconds: u32, contact: &str) -> Answer {
    Answer::of(200).with("Expires", seconds.to_string()).with("Contact", contact)
}

impl Watcher {
    async fn run(mut self, seconds: u32) {
        // Whoever asks for no time wants to know it once (RFC 6665 section 4.4.3).
        let once = seconds == 0;
        if !self.notify(if once { "terminated;reason=timeout" } else { "active" }).await || once {
            return;
        }
        loop {
            tokio::select! {
                // Whoever asks again is told that there is nothing here, and begins anew.
                () = self.core.flows.stop.cancelled() => return,
                () = self.core.hang_up.cancelled() => return,
                () = self.state.flow.closed.cancelled() => return,
                request = self.requests.recv() => match request {
                    Some(request) => if !self.request(request).await { return },
                    None => break,
                },
                told = self.news.changed() => if told.is_err() || !self.notify("active").await { break },
                () = tokio::time::sleep_until(self.until) => {
                    self.notify("terminated;reason=timeout").await;
                    return;
                }
            }
        }
        self.notify("terminated;reason=deactivated").await;
    }

    /// Another SUBSCRIBE: more time, or the end. Whether it goes on.
    async fn request(&mut self, request: Transaction) -> bool {
        if request.original.method != Method::Subscribe {
            self.core.answer(request, &Answer::of(405)).await;
            return true;
        }
        let number = sequence(&request.original.headers);
        if number.is_none() || number <= self.state.remote_seq {
            self.core.answer(request, &Answer::of(500)).await;
            return true;
        }
        self.state.remote_seq = number;
        let source = message::source(&request).unwrap_or(self.state.flow.peer);
        let answer = match auth::authenticate(&self.core, &request, source).await {
            Ok((owner, _)) if owner == self.owner => asked(&self.core, &request.original.headers),
            Ok(_) => Err(Answer::of(403)),
            Err(answer) => Err(answer),
        };
        let seconds = match answer {
            Ok(seconds) => seconds,
            Err(answer) => {
                self.core.answer(request, &answer).await;
                return true;
            }
        };
        self.state.refresh(&request.original.headers, source);
        self.until = tokio::time::Instant::now() + Duration::from_secs(seconds.into());
        self.core.answer(request, &granted(seconds, &self.state.contact)).await;
        let state = if seconds == 0 { "terminated;reason=timeout" } else { "active" };
        self.notify(state).await && seconds > 0
    }

    /// Tells how it stands; whether somebody still listens.
    async fn notify(&mut self, state: &str) -> bool {
        let summary = self.news.borrow_and_update().clone();
        let left = self.until.saturating_duration_since(tokio::time::Instant::now()).as_secs();
        let state = if state == "active" { format!("active;expires={left}") } else { state.to_owned() };
        let outcome = self.state.send(&self.core, Method::Notify, fields(&self.event, state), Some(summary.body())).await;
        matches!(&outcome, Outcome::Answered(_)) && outcome.status() < 300
    }
}

fn fields(event: &str, state: String) -> Vec<(String, String)> {
    vec![("Event".to_owned(), event.to_owned()), ("Subscription-State".to_owned(), state)]
}

/// Tells a telephone that did not ask: one that does not understand it refuses, and nothing follows from that.
pub(crate) async fn tell(core: &Core, flow: &Flow, binding: &Binding, user: &str, summary: &Summary) -> u16 {
    let address = format!("<sip:{user}@{}>", flow.local);
    let draft = Draft {
        uri: binding.contact.clone(),
        from: format!("{address};tag={}", message::random(16)),
        to: address,
        call_id: message::random(32),
        cseq: 1,
        contact: Some(core.contact(flow)),
        max_forwards: 70,
        fields: fields(PACKAGE, "active".to_owned()),
        body: Some(summary.body()),
        ..Draft::default()
    };
    match draft.write(Method::Notify, &core.config.product, flow) {
        Some(request) => core.send(flow, request, None, || 2).await.status(),
        None => 400,
    }
}
