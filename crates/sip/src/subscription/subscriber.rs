//! The side that asks, as a telephone does.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use rsipstack::{sip::Method, transaction::transaction::Transaction};
use tokio::sync::{mpsc, oneshot};

use super::{KIND, PACKAGE, Summary, event};
use crate::{
    Login, Target,
    core::{Core, LegKey, Outcome, Seat},
    dialog::State,
    message::{self, Answer, Draft, field},
};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Subscribe {
    /// Whose mailbox: `sip:USER@HOST`.
    pub uri: String,
    /// Where it is sent.
    pub target: Target,
    /// What answers the challenge.
    pub login: Option<Login>,
    /// For how many seconds.
    pub expires: u32,
}

/// What comes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubscriptionEvent {
    /// It was accepted for so many seconds.
    Granted(u32),
    /// It was refused with a status.
    Refused(u16),
    /// How many messages wait.
    Told(Summary),
    /// It is over, for this reason; nothing follows.
    Over(String),
}

/// A subscription of ours. Dropping it leaves without a word.
#[derive(Debug)]
pub struct Subscription {
    events: mpsc::Receiver<SubscriptionEvent>,
    again: mpsc::Sender<(u32, oneshot::Sender<u16>)>,
}

impl Subscription {
    /// What happens next; nothing after the end.
    pub async fn next(&mut self) -> Option<SubscriptionEvent> {
        self.events.recv().await
    }

    /// Asks for more time, or with 0 for the end; the status of the answer.
    pub async fn again(&self, expires: u32) -> Option<u16> {
        let (reply, answer) = oneshot::channel();
        self.again.send((expires, reply)).await.ok()?;
        answer.await.ok()
    }
}

/// Begins one.
pub(crate) fn begin(core: &Arc<Core>, wanted: Subscribe) -> Subscription {
    let ((tell, events), (again, asked)) = (mpsc::channel(64), mpsc::channel(1));
    let key = LegKey { call_id: message::random(32), local_tag: message::random(16) };
    let (seat, requests) = core.sit(key.clone());
    let asking =
        Asking { core: Arc::clone(core), wanted, key, seq: Arc::new(AtomicU32::new(0)), tell, requests, asked, _seat: seat };
    tokio::spawn(asking.run());
    Subscription { events, again }
}

struct Asking {
    core: Arc<Core>,
    wanted: Subscribe,
    key: LegKey,
    seq: Arc<AtomicU32>,
    tell: mpsc::Sender<SubscriptionEvent>,
    requests: mpsc::Receiver<Transaction>,
    asked: mpsc::Receiver<(u32, oneshot::Sender<u16>)>,
    _seat: Seat,
}

impl Asking {
    fn next(&self) -> u32 {
        self.seq.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    fn fields(expires: u32) -> Vec<(String, String)> {
        let field = |name: &str, value: String| (name.to_owned(), value);
        vec![field("Event", PACKAGE.to_owned()), field("Accept", KIND.to_owned()), field("Expires", expires.to_string())]
    }

    async fn run(mut self) {
        let state = match self.first().await {
            Ok(state) => state,
            Err(status) => {
                let _ = self.tell.send(SubscriptionEvent::Refused(status)).await; // nobody may wait for it any more
                return;
            }
        };
        loop {
            tokio::select! {
                () = self.core.flows.stop.cancelled() => return,
                () = self.tell.closed() => return,
                request = self.requests.recv() => match request {
                    Some(request) => if self.told(request).await { return },
                    None => return,
                },
                Some((expires, reply)) = self.asked.recv() => {
                    let (core, state) = (Arc::clone(&self.core), state.clone());
                    tokio::spawn(async move {
                        let outcome = state.send(&core, Method::Subscribe, Self::fields(expires), None).await;
                        let _ = reply.send(outcome.status()); // nobody may wait for it any more
                    });
                }
            }
        }
    }

    async fn first(&mut self) -> Result<State, u16> {
        let flow = self.core.reach(&self.wanted.target, &self.wanted.uri).await.ok_or(503_u16)?;
        let contact = self.core.contact(&flow);
        let draft = Draft {
            uri: self.wanted.uri.clone(),
            from: format!("<{}>;tag={}", self.wanted.uri, self.key.local_tag),
            to: format!("<{}>", self.wanted.uri),
            call_id: self.key.call_id.clone(),
            cseq: self.next(),
            contact: Some(contact.clone()),
            max_forwards: 70,
            fields: Self::fields(self.wanted.expires),
            ..Draft::default()
        };
        let request = draft.write(Method::Subscribe, &self.core.config.product, &flow).ok_or(400_u16)?;
        let outcome = self.core.send(&flow, request.clone(), self.wanted.login.as_ref(), || self.next()).await;
        let status = outcome.status();
        let Outcome::Answered(response) = outcome else { return Err(status) };
        if status >= 300 {
            return Err(status);
        }
        let granted = field(&response.headers, "Expires").and_then(|value| value.parse().ok()).unwrap_or(self.wanted.expires);
        let _ = self.tell.send(SubscriptionEvent::Granted(granted)).await; // nobody may wait for it any more
        let (login, seq) = (self.wanted.login.clone(), Arc::clone(&self.seq));
        State::of_response(&request, &response, flow, contact, login, seq).ok_or(502)
    }

    /// Takes a NOTIFY; whether it was the last.
    async fn told(&self, request: Transaction) -> bool {
        let headers = &request.original.headers;
        let ours = request.original.method == Method::Notify && event(headers).is_some();
        let Some(summary) = ours.then(|| Summary::read(&request.original.body)).flatten() else {
            self.core.answer(request, &Answer::of(489)).await;
            return false;
        };
        let state = field(headers, "Subscription-State").unwrap_or_default().to_owned();
        let _ = self.tell.send(SubscriptionEvent::Told(summary)).await; // nobody may wait for it any more
        self.core.answer(request, &Answer::of(200)).await;
        let over = state.starts_with("terminated");
        if over {
            let reason = state.split_once("reason=").map(|(_, reason)| reason.to_owned()).unwrap_or_default();
            let _ = self.tell.send(SubscriptionEvent::Over(reason)).await; // nobody may wait for it any more
        }
        over
    }
}
